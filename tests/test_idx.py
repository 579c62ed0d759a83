"""idx files, the handwritten digits' format: every type, packed or not; what is damaged is refused."""

import gzip
import os
import struct
import tracemalloc

import numpy as np
import pytest

from tinygrad_nuc.utils.data import read_idx, read_idx_folder

CODES = {0x08: np.uint8, 0x09: np.int8, 0x0B: np.int16, 0x0C: np.int32, 0x0D: np.float32, 0x0E: np.float64}
MB = 1_000_000


def idx(array, code=None, shape=None):
    code = next(c for c, kind in CODES.items() if kind == array.dtype) if code is None else code
    shape = array.shape if shape is None else shape
    return (
        b"\0\0"
        + bytes([code, len(shape)])
        + struct.pack(f">{len(shape)}I", *shape)
        + array.astype(array.dtype.newbyteorder(">")).tobytes()
    )


DIGITS = np.arange(3 * 4 * 5, dtype=np.uint8).reshape(3, 4, 5)


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize("kind", CODES.values())
@pytest.mark.parametrize("shape", [(3, 4, 5), (7,), (0, 28, 28), ()])
def test_every_type_of_number_and_shape(pack, kind, shape, write):
    array = (np.arange(np.prod(shape, dtype=int)) * 3 - 20).astype(kind).reshape(shape)
    found = read_idx(write(pack(idx(array)), "digits"))
    np.testing.assert_array_equal(found, array)
    assert found.dtype == kind and found.dtype.isnative and found.shape == shape and found.flags.writeable


def test_many_blocks_are_read(write):
    array = np.arange(700_000, dtype=np.int32).reshape(7, -1)
    for pack in (bytes, lambda content: gzip.compress(content, 1)):
        np.testing.assert_array_equal(read_idx(write(pack(idx(array)), "large")), array)


HUGE = idx(DIGITS, shape=(2**32 - 1,) * 3)
BAD = {
    "empty": (b"", "cut off: 2 bytes are announced, 0 are there"),
    "a header only": (idx(DIGITS)[:9], "cut off: 12 bytes are announced, 5"),
    "cut off": (idx(DIGITS)[:-1], "cut off: 60 bytes are announced, 59 are there"),
    "too long": (idx(DIGITS) + b"x", r"more bytes follow than an array of shape \(3, 4, 5\)"),
    "a huge shape": (HUGE, "79228162458924105385300197375 bytes are announced, 60 are there"),
    "255 dimensions": (b"\0\0\x08\xff" + b"\0\0\0\1" * 255 + b"1", "255 dimensions; an array has at most 64"),
    "huge but empty": (idx(DIGITS[:0], shape=(0,) + (2**32 - 1,) * 5), "array is too big|too large|cannot reshape"),
    "an unknown type": (
        b"\0\0\x0a\1\0\0\0\1x",
        "it begins with 00 00 0a; two zeros and the code of a type would be right: 08, 09, 0b",
    ),
    "a picture": (b"\x89PNG\r\n\x1a\n", "it begins with 89 50 4e"),
    "text": (b"pt,eta\n", "it begins with"),
    "packed and cut off": (gzip.compress(idx(DIGITS))[:-9], "end-of-stream"),
    "packed, another checksum": (gzip.compress(idx(DIGITS))[:-8] + bytes(8), "CRC check failed"),
    "packed, and more": (gzip.compress(idx(DIGITS)) + b"<script>", "Not a gzipped file"),
    "packed too long": (gzip.compress(idx(DIGITS) + bytes(40 * MB)), "more bytes follow"),
    "packed twice": (gzip.compress(gzip.compress(idx(DIGITS))), "it begins with 1f 8b"),
    "packed nonsense": (b"\x1f\x8bnonsense, really", "Unknown compression method"),
    "packed huge": (gzip.compress(HUGE), "bytes are announced, 60 are there"),
}


def read_within_bounds(path):
    tracemalloc.start()
    try:
        return read_idx(path)
    except ValueError as error:
        return error
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 4 * path.stat().st_size + 2 * MB


@pytest.mark.parametrize("what", BAD)
def test_bad_files_are_refused(what, write):
    content, message = BAD[what]
    with pytest.raises(ValueError, match=f"digits: cannot be read as an idx file: .*({message})"):
        error = read_within_bounds(write(content, "digits"))
        raise error


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_damage_is_refused_or_leaves_a_whole_array(pack, write):
    content, rng = pack(idx(DIGITS)), np.random.default_rng(4)
    for _ in range(100):
        damaged, at = bytearray(content), int(rng.integers(len(content)))
        match rng.integers(4):
            case 0:
                damaged[at] ^= 1 << int(rng.integers(8))
            case 1:
                del damaged[at:]
            case 2:
                damaged[at:at] = rng.bytes(3)
            case 3:
                damaged[at : at + 4] = b"\xff\xff\xff\xff"
        found = read_within_bounds(write(bytes(damaged), "digits"))
        if isinstance(found, np.ndarray) and pack is gzip.compress:
            np.testing.assert_array_equal(found, DIGITS)  # it has a checksum
        elif isinstance(found, np.ndarray):
            assert found.nbytes == len(damaged) - 4 - 4 * found.ndim


def test_a_number_is_no_path_and_its_file_stays_open(write):
    number = os.open(write("0123"), os.O_RDONLY)
    for wrong in (number, True, None):
        with pytest.raises(TypeError, match=rf"read_idx: the path must be a text or a pathlib.Path, not a {type(wrong).__name__}"):
            read_idx(wrong)
    assert os.read(number, 3)
    os.close(number)


def collection(folder, n=3, side=4, labels=(1, 2, 9)):
    for part in ("train", "t10k"):
        images = np.full((n, side, side), 51, np.uint8)
        (folder / f"{part}-images-idx3-ubyte").write_bytes(idx(images))
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(idx(np.array(labels, np.uint8)))
    return folder


def test_a_collection_of_images_and_labels(tmp_path):
    folder = collection(tmp_path)
    packed = gzip.compress((folder / "t10k-images-idx3-ubyte").read_bytes())
    (folder / "t10k-images-idx3-ubyte").unlink()
    (folder / "mnist-t10k-images-idx3-ubyte.gz").write_bytes(packed)
    images, labels, test_images, test_labels = read_idx_folder(str(folder))
    for found in (images, test_images):
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, np.full((3, 4, 4), 0.2))
    for found in (labels, test_labels):
        assert found.dtype == np.int64 and found.tolist() == [1, 2, 9]


@pytest.mark.parametrize(("name", "array", "message"), [
    ("train-images-idx3", np.zeros((3, 4), np.uint8), r"train-images-idx3-ubyte: images are bytes of shape .*\(3, 4\)"),
    ("train-images-idx3", np.zeros((3, 4, 4), np.float32), "these are float32 of shape"),
    ("train-images-idx3", np.zeros((0, 4, 4), np.uint8), r"uint8 of shape \(0, 4, 4\)"),
    ("t10k-images-idx3", np.zeros((3, 4, 5), np.uint8), r"of shape \(4, 5\), and those to learn from .*\(4, 4\)"),
    ("t10k-labels-idx1", np.zeros(4, np.uint8), r"as many labels, from 0 to 9, as images, 3; .* \(4,\) up to 0"),
    ("t10k-labels-idx1", np.full(3, 10, np.uint8), "t10k-labels-idx1-ubyte: .* up to 10"),
    ("t10k-labels-idx1", np.zeros(0, np.uint8), "up to None"),
    ("t10k-labels-idx1", np.zeros(3, np.float32), "expected are as many labels")])
def test_a_collection_whose_parts_do_not_fit(tmp_path, name, array, message):
    (collection(tmp_path) / f"{name}-ubyte").write_bytes(idx(array))
    with pytest.raises(ValueError, match=message):
        read_idx_folder(tmp_path)


def test_a_collection_that_is_not_complete(tmp_path):
    (collection(tmp_path) / "t10k-labels-idx1-ubyte").unlink()
    with pytest.raises(FileNotFoundError, match="there is no t10k-labels-idx1-ubyte, with or without .gz"):
        read_idx_folder(tmp_path)
    with pytest.raises(TypeError, match="read_idx_folder: the path must be a text"):
        read_idx_folder(3)
