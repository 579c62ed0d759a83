"""idx files: the format of the handwritten digits."""

import gzip
import math
import os
import zlib
from pathlib import Path
from typing import Any

import numpy as np

from ..files import given_path

KINDS = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
BLOCK = 2 ** 20


def read_idx(path: str | os.PathLike) -> np.ndarray:
    """Read an idx file, packed with gzip or not: images as (samples, rows, columns), labels as (samples,).

    The file says what it holds in its first bytes: two zeros, a code for the type of number, the number of dimensions,
    and each dimension as a 32-bit number; then come the numbers, everything most significant byte first.

    Parameters
    ----------
    path : str or os.PathLike
        As from `fetch`.

    Returns
    -------
    numpy.ndarray
        Of the type in the file (for images and labels uint8: pixels from 0, background, to 255), in memory of its own.

    Raises
    ------
    ValueError
        If it is not an idx file, damaged, cut off, or longer than it says. No more is read than it announces, and no
        memory is taken for what is not there.
    TypeError
        If `path` is no path.
    OSError
        If it cannot be opened.

    References
    ----------
    Y. LeCun, C. Cortes, C. J. C. Burges, The MNIST database of handwritten digits,
    http://yann.lecun.com/exdb/mnist (there the format is described).

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = (Path(folder) / "labels").write_bytes(b"\\0\\0\\x08\\1" + b"\\0\\0\\0\\3" + b"\\5\\0\\4")
    ...     read_idx(Path(folder) / "labels")
    array([5, 0, 4], dtype=uint8)
    """
    path = given_path(path, "read_idx")
    with open(path, "rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        try:
            return parsed(gzip.GzipFile(fileobj=file) if packed else file)
        except (EOFError, zlib.error, gzip.BadGzipFile, ValueError) as error:
            raise ValueError(f"{path}: cannot be read as an idx file: {error}") from None


def parsed(file: Any) -> np.ndarray:
    """The array of an idx file that is open at its beginning, and not packed."""
    zero, kind, dimensions = read_exactly(file, 2), *read_exactly(file, 2)
    if zero != b"\0\0" or kind not in KINDS:
        raise ValueError(f"it begins with {bytes(zero).hex(' ')} {kind:02x}; two zeros and the code of a type would be "
                         f"right: {', '.join(f'{k:02x}' for k in KINDS)}")
    if dimensions > 64:
        raise ValueError(f"it has {dimensions} dimensions; an array has at most 64")
    dtype = np.dtype(KINDS[kind])
    shape = tuple(int(n) for n in np.frombuffer(read_exactly(file, 4 * dimensions), ">u4"))
    data = read_exactly(file, math.prod(shape) * dtype.itemsize)
    if file.read(1):
        raise ValueError(f"more bytes follow than an array of shape {shape} and {dtype} has")
    return np.frombuffer(data, dtype).reshape(shape).astype(dtype.newbyteorder("="), copy=False)


def read_exactly(file: Any, n: int) -> bytearray:
    """The next `n` bytes, in blocks: whoever announces more than there is gets no memory for it."""
    data = bytearray()
    while len(data) < n:
        block = file.read(min(BLOCK, n - len(data)))
        if not block:
            raise ValueError(f"cut off: {n} bytes are announced, {len(data)} are there")
        data += block
    return data


def read_idx_folder(folder: str | os.PathLike) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Images and labels of the four idx files of a collection: 60,000 handwritten digits, or others in the same form.

    ============================  =======================================
    ``train-images-idx3-ubyte``   images to learn from
    ``train-labels-idx1-ubyte``   which class each of them shows
    ``t10k-images-idx3-ubyte``    images to be judged by
    ``t10k-labels-idx1-ubyte``    and their classes
    ============================  =======================================

    Each may be packed with gzip (then with ``.gz`` after its name), and have ``mnist-`` before its name, as `fetch` and
    some collections have it.

    Parameters
    ----------
    folder : str or os.PathLike
        As from ``fetch("mnist")``.

    Returns
    -------
    images, labels, test_images, test_labels : numpy.ndarray
        Images of shape (samples, rows, columns), float32 from 0 (background) to 1; labels of shape (samples,), int64.

    Raises
    ------
    FileNotFoundError
        If one of the files is missing; the message says which.
    ValueError
        If a file is no idx file of bytes, the images of both parts are not of one size, there are not as many labels as
        images, or a label is above 9.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> folder = Path(tempfile.mkdtemp())
    >>> size = bytes((0, 0, 8, 3, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0, 2))              # 1 × 2 × 2
    >>> for part in ("train", "t10k"):
    ...     _ = (folder / f"{part}-images-idx3-ubyte").write_bytes(size + bytes((0, 51, 102, 255)))
    ...     _ = (folder / f"{part}-labels-idx1-ubyte").write_bytes(bytes((0, 0, 8, 1, 0, 0, 0, 1, 7)))
    >>> images, labels, test_images, test_labels = read_idx_folder(folder)
    >>> images.tolist(), labels.tolist()
    ([[[0.0, 0.20000000298023224], [0.4000000059604645, 1.0]]], [7])
    """
    place = Path(given_path(folder, "read_idx_folder"))
    found: list[np.ndarray] = []
    for part in ("train", "t10k"):
        files = [named_file(place, f"{part}-{kind}-ubyte") for kind in ("images-idx3", "labels-idx1")]
        images, labels = (read_idx(file) for file in files)
        if images.dtype != np.uint8 or images.ndim != 3 or not images.size:
            raise ValueError(f"{files[0]}: images are bytes of shape (samples, rows, columns), and these are "
                             f"{images.dtype} of shape {images.shape}")
        if labels.dtype != np.uint8 or labels.shape != images.shape[:1] or labels.max() > 9:
            raise ValueError(f"{files[1]}: expected are as many labels, from 0 to 9, as images, {len(images)}; these "
                             f"are labels of shape {labels.shape} up to {labels.max() if labels.size else None}")
        if found and images.shape[1:] != found[0].shape[1:]:
            raise ValueError(f"{files[0]}: images of shape {images.shape[1:]}, and those to learn from are of shape "
                             f"{found[0].shape[1:]}")
        found += [images.astype(np.float32) / 255, labels.astype(np.int64)]
    return found[0], found[1], found[2], found[3]


def named_file(folder: Path, name: str) -> Path:
    """The file of this name in a folder, packed or not, with "mnist-" before it or not."""
    for candidate in (name, f"{name}.gz", f"mnist-{name}", f"mnist-{name}.gz"):
        if (folder / candidate).is_file():
            return folder / candidate
    raise FileNotFoundError(f"{folder}: there is no {name}, with or without .gz")
