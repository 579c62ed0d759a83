"""Files made to do harm: tn.load refuses each for its reason, and takes little memory over it."""

import io
import json
import struct
import tracemalloc
import warnings
import zipfile

import numpy as np
import pytest
from state_helpers import load_within_bounds, same

import tinygrad_nuc as tn

MB = 1_000_000


# ---------------------------------------------------------------------- hostile .npz files


def npz(entries, *, kind=zipfile.ZIP_STORED):
    """A zip file of these (name, content) pairs."""
    file = io.BytesIO()
    with (
        zipfile.ZipFile(file, "w", kind) as archive,
        warnings.catch_warnings(action="ignore"),
    ):  # of names that occur twice
        for name, content in entries:
            archive.writestr(zipfile.ZipInfo(name), content, kind)
    return file.getvalue()


def npy(header, data=b""):
    """An .npy file with any text as its header."""
    header = header.encode("latin-1")
    return b"\x93NUMPY\1\0" + struct.pack("<H", len(header) + 1) + header + b"\n" + data


def described(descr="'<f4'", shape="(2,)", order="False"):
    return f"{{'descr': {descr}, 'fortran_order': {order}, 'shape': {shape}, }}"


GOOD = npy(described(), bytes(8))
ONE = npz([("w.npy", GOOD)])


def replaced(content, old, new):
    assert content.count(old) == 1 and len(old) == len(new)
    return content.replace(old, new)


def overlapping():
    """Two entries in the directory, one on the other's bytes."""
    two = bytearray(npz([("a.npy", GOOD), ("b.npy", GOOD)]))
    second = two.rindex(b"PK\1\2")
    two[second + 42 : second + 46] = bytes(4)
    return bytes(two)


def bomb(depth):
    return npz([("tinygrad_nuc.json", b"[" * depth + b"]" * depth)])


HOSTILE_NPZ = {
    "a huge shape": (
        npz([("w.npy", npy(described(shape="(1000000000, 1000000000)")))]),
        "'w' of shape .* does not fill its",
    ),
    "a shape that is huge but empty": (
        npz([("w.npy", npy(described(shape="(0, 999999999999999999, 999999999999999999)")))]),
        "array is too big|too large",
    ),
    "65 dimensions": (npz([("w.npy", npy(described(shape=f"({'1, ' * 65})"), bytes(4)))]), "dimension"),
    "a shape of 20 digits": (npz([("w.npy", npy(described(shape="(99999999999999999999,)")))]), "has the header"),
    "a negative shape": (
        npz([("w.npy", npy(described(shape="(-2,)"), bytes(8)))]),
        "has the header.*unusual or damaged",
    ),
    "a shape that is code": (npz([("w.npy", npy(described(shape="(__import__('os').getpid(),)")))]), "has the header"),
    "Python objects": (
        npz([("w.npy", npy(described("'|O'"), b"\x80\x04N."))]),
        "Python objects, which only pickle could read",
    ),
    "a structured type": (
        npz([("w.npy", npy(described("[('a', '<f4'), ('b', '<i4')]"), bytes(16)))]),
        r"holds \[\('a'",
    ),
    "swapped bytes": (
        npz([("w.npy", npy(described("'>f4'"), bytes(8)))]),
        "holds '>f4'; only .* least significant byte first",
    ),
    "text": (npz([("w.npy", npy(described("'<U4'"), bytes(32)))]), "holds '<U4'"),
    "complex numbers": (npz([("w.npy", npy(described("'<c8'"), bytes(16)))]), "holds '<c8'"),
    "wrong booleans": (npz([("w.npy", npy(described("'|b1'"), b"\1\2"))]), "neither True nor False"),
    "a header without end": (npz([("w.npy", b"\x93NUMPY\1\0\xff\xff" + b"(" * 9000)]), "bytes are announced"),
    "a header of brackets": (npz([("w.npy", npy("(" * 60_000))]), "has the header"),
    "a header of version 2": (npz([("w.npy", b"\x93NUMPY\2\0" + GOOD[8:])]), "not an .npy file of version 1.0"),
    "a pickle for an array": (npz([("w.npy", b"\x80\x04N.aaaaaaaaaa")]), "not an .npy file"),
    "too little data": (npz([("w.npy", npy(described(), bytes(7)))]), "does not fill"),
    "too much data": (npz([("w.npy", GOOD + b"x")]), "does not fill"),
    "a place outside": (npz([("../../etc/passwd.npy", GOOD)]), "a place outside"),
    "an absolute name": (npz([("/etc/passwd.npy", GOOD)]), "a place outside"),
    "a name for Windows": (npz([("..\\w.npy", GOOD)]).replace(b"../w", b"..\\w"), "a place outside"),
    "a name that is not UTF-8": (ONE.replace(b"w.npy", b"\xff.npy"), "not UTF-8"),
    "an empty name": (npz([(".npy", GOOD)]), "a place outside"),
    "a name of a megabyte": (npz([("w" * 60_000 + ".npy", GOOD)]), "longer than 1000 characters"),
    "a name twice": (npz([("w.npy", GOOD), ("w.npy", GOOD)]), "'w' occurs twice"),
    "two structures": (
        npz([("tinygrad_nuc.json", b"1"), ("tinygrad_nuc.json", b"2")]),
        "'tinygrad_nuc.json' occurs twice",
    ),
    "other names in the directory": (
        ONE[:60] + replaced(ONE[60:], b"w.npy", b"v.npy"),
        "its directory says something else about 'w'",
    ),
    "overlapping entries": (overlapping(), "its directory says something else about 'b'"),
    "no directory": (ONE[: ONE.index(b"PK\1\2")] + ONE[-22:], "where its directory should list 'w'"),
    "an entry that is not listed": (npz([("w.npy", GOOD)])[: ONE.index(b"PK\1\2")] + ONE, "occurs twice"),
    "bytes after the end": (ONE + b"<script>", "8 bytes follow its end"),
    "bytes in front": (b"PK" + ONE, "where its end should be"),
    "a comment": (ONE[:-2] + b"\4\0hide", "follow its end"),
    "a size that is too large": (
        replaced(ONE[:30], struct.pack("<2L", len(GOOD), len(GOOD)), b"\xf0\xff\xff\xff" * 2) + ONE[30:],
        "4294967280 bytes are announced",
    ),
    "64-bit sizes without sizes": (
        replaced(ONE[:30], struct.pack("<2L", len(GOOD), len(GOOD)), b"\xff" * 8) + ONE[30:],
        "does not say how large",
    ),
    "a compressed bomb": (
        npz([("w.npy", npy(described(shape="(2500000,)"), bytes(10 * MB)))], kind=zipfile.ZIP_DEFLATED),
        "'w' is compressed; np.load reads it",
    ),
    "an encrypted entry": (ONE[:6] + b"\1" + ONE[7:], "encrypted"),
    "a wrong checksum": (ONE[:14] + b"\0" + ONE[15:], "checksum of 'w' is wrong"),
    "no end": (ONE[:-22], "are announced"),
    "half an end": (ONE[:-9], "are announced"),
    "a structure of brackets": (bomb(1_000_000), "nested too deeply"),
    "brackets, but few": (bomb(500), r"holds \[\[|too deeply"),
    "a large structure": (npz([("tinygrad_nuc.json", b" " * 5 * MB)]), "its structure takes 5000000 bytes"),
    "a million digits": (npz([("tinygrad_nuc.json", b"1" * MB)]), "a whole number of 1000000 digits"),
    "no JSON": (npz([("tinygrad_nuc.json", b"{'a': 1}")]), "Expecting property name"),
    "no ASCII": (npz([("tinygrad_nuc.json", b'"\xff"')]), "ascii"),
    "NaN in JSON": (npz([("tinygrad_nuc.json", b"[NaN]")]), "has NaN, which is not JSON"),
    "a key twice": (npz([("tinygrad_nuc.json", b'{"a": 1, "a": 2}')]), "a key twice"),
    "a key twice, as int": (npz([("tinygrad_nuc.json", b'["dict", [1, 2], [1, 3]]')]), "a key twice"),
    "a key that is a list": (npz([("tinygrad_nuc.json", b'["dict", [["list"], 2]]')]), r"the key \[\], neither"),
    "an unknown word": (npz([("tinygrad_nuc.json", b'["eval", "1"]')]), r"holds \['eval', '1'\], which says nothing"),
    "a tensor that is not there": (npz([("tinygrad_nuc.json", b'["tensor", "w"]')]), r"holds \['tensor', 'w'\]"),
    "a tensor used twice": (
        npz([("w.npy", GOOD), ("tinygrad_nuc.json", b'["list", ["tensor", "w"], ["tensor", "w"]]')]),
        r"holds \['tensor', 'w'\]",
    ),
    "a tensor without a place": (npz([("w.npy", GOOD), ("tinygrad_nuc.json", b"1")]), "no place for the tensor 'w'"),
    "a wrong checksum of the structure": (
        npz([("tinygrad_nuc.json", b'"a"')]).replace(b'"a"', b'"b"'),
        "checksum of its structure",
    ),
}


@pytest.mark.parametrize("what", HOSTILE_NPZ)
def test_hostile_npz_files_are_refused(what, tmp_path):
    content, message = HOSTILE_NPZ[what]
    path = tmp_path / "a.npz"
    path.write_bytes(content)
    found = load_within_bounds(path)
    assert isinstance(found, ValueError)
    with pytest.raises(ValueError, match=f"a.npz: cannot be loaded: .*({message})"):
        raise found


# ---------------------------------------------------------------------- hostile .safetensors files


def safetensors(header, data=b""):
    header = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(header)) + header + data


def tensor(dtype="F32", shape=(2,), begin=0, end=8):
    return {"dtype": dtype, "shape": list(shape), "data_offsets": [begin, end]}


OURS = {"__metadata__": {"tinygrad_nuc": "tinygrad_nuc 00 1"}}
HOSTILE_SAFETENSORS = {
    "a huge header": (struct.pack("<Q", 2**62) + b"{}", "its header should take 4611686018427387904 bytes"),
    "a header of hundreds of MB": (
        struct.pack("<Q", 300 * MB) + b"{" + bytes(100),
        "its header should take 300000000 bytes, of 109",
    ),
    "a header that is too long": (safetensors(b"{" + b" " * 11 * MB + b"}"), "at most 10000000"),
    "a negative length": (b"\xff" * 8 + b"{}", "its header should take"),
    "a huge shape": (safetensors({"w": tensor(shape=(2**60,), end=2**62)}), "cut off or damaged"),
    "an overflowing shape": (safetensors({"w": tensor(shape=(2**63, 2**63))}, bytes(8)), "cut off or damaged"),
    "a negative shape": (safetensors({"w": tensor(shape=(-2,))}, bytes(8)), "cut off or damaged"),
    "overlapping arrays": (safetensors({"a": tensor(), "b": tensor(begin=4, end=12)}, bytes(12)), "cut off or damaged"),
    "a hole": (safetensors({"a": tensor(), "b": tensor(begin=12, end=20)}, bytes(20)), "cut off or damaged"),
    "bytes after the end": (safetensors({"a": tensor()}, bytes(9)), "cut off or damaged"),
    "a name twice": (
        safetensors(
            b'{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"a":{"dtype":"F32","shape":[2],"data_offsets":[8,16]}}',
            bytes(16),
        ),
        "cut off or damaged",
    ),
    "an unknown type": (safetensors({"w": tensor("F33")}, bytes(8)), "cut off or damaged"),
    "complex numbers": (
        safetensors({"w": tensor("C64", (1,))}, bytes(8)),
        "numbers of the type C64|cut off or damaged",
    ),
    "wrong booleans": (safetensors({"w": tensor("BOOL", (8,))}, b"\0\1\2" + bytes(5)), "neither True nor False"),
    "a list": (safetensors(b"{]"), "cut off or damaged"),
    "not UTF-8": (safetensors(b'{"\xff":1}'), "cut off or damaged"),
    "brackets": (safetensors(b'{"a":' + b"[" * MB + b"]" * MB + b"}"), "cut off or damaged"),
    "a million digits": (
        safetensors(b'{"w":{"dtype":"F32","shape":[' + b"1" * MB + b'],"data_offsets":[0,8]}}'),
        "cut off or damaged",
    ),
    "65 dimensions": (safetensors({"w": tensor(shape=(1,) * 65, end=4)}, bytes(4)), "dimension"),
    "a wrong checksum": (safetensors(OURS), "its checksum is wrong"),
    "a lost checksum": (safetensors({"__metadata__": {"tinygrad_nuk": "tinygrad_nuc 00 1"}}), "its checksum is wrong"),
    "an empty checksum": (safetensors({"__metadata__": {"tinygrad_nuc": ""}}), "its checksum is wrong"),
}


@pytest.mark.parametrize("what", HOSTILE_SAFETENSORS)
def test_hostile_safetensors_files_are_refused(what, tmp_path):
    content, message = HOSTILE_SAFETENSORS[what]
    path = tmp_path / "a.safetensors"
    path.write_bytes(content)
    found = load_within_bounds(path)
    assert isinstance(found, ValueError)
    with pytest.raises(ValueError, match=f"a.safetensors: cannot be loaded: .*({message})"):
        raise found


def test_a_large_file_takes_its_own_size_once_or_twice(tmp_path):
    weights = {"w": tn.Tensor(np.arange(5_000_000, dtype=np.float32)), "b": tn.zeros(3)}
    for ending, times in ((".npz", 1), (".safetensors", 2)):
        path = tmp_path / f"a{ending}"
        tn.save(weights, path)
        tracemalloc.start()
        loaded = tn.load(path)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < times * 20 * MB + MB and same(loaded, weights)


def test_many_small_things_take_a_small_multiple_of_the_file(tmp_path):
    """Python's objects are larger than the bytes that stand for them; the limits on structure and header bound that."""
    scalars = [(f"{i}.npy", npy(described(shape="()"), bytes(4))) for i in range(3000)]
    names = ",".join(f'"{i}":{{"dtype":"U8","shape":[],"data_offsets":[{i},{i + 1}]}}' for i in range(3000))
    for name, content, times in [
        ("a.npz", npz(scalars), 4),
        ("b.npz", npz([("tinygrad_nuc.json", b'["list"' + b",{}" * 100_000 + b"]")]), 60),
        ("c.safetensors", safetensors(f"{{{names}}}".encode(), bytes(3000)), 30),
    ]:
        (tmp_path / name).write_bytes(content)
        tracemalloc.start()
        loaded = tn.load(tmp_path / name)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < times * len(content) and len(loaded) >= 3000
