"""Named arrays in an .npz file (a zip file of .npy files, which `np.load` reads), and a strict reader of such files.

The reader accepts what `np.savez` writes: entries that are not compressed, one directly after the other from the
first byte of the file on, then the directory that repeats their headers, and nothing else. So no entry can hide
another or overlap it, and no header can make the reader ask for more memory than the file has bytes.
"""

import math
import os
import re
import struct
import zipfile
import zlib
from collections.abc import Mapping
from typing import BinaryIO, NamedTuple

import numpy as np

from .files import atomic_write
from .structure import DTYPES, LONGEST_NAME, LONGEST_TEXT, is_name

STRUCTURE = "tinygrad_nuc.json"         # the entry that tells how the arrays are nested, if they are

# The parts of a zip file, each after its mark of four bytes (PKWARE's APPNOTE.TXT 6.3.10, 4.3.7, 4.3.12 and 4.3.16).
ENTRY, ENTRY_MARK = struct.Struct("<H HH HH LLL HH"), b"PK\3\4"
LISTED, LISTED_MARK = struct.Struct("<HH HH HH LLL HHHHH LL"), b"PK\1\2"
END, END_MARK = struct.Struct("<HHHH LL H"), b"PK\5\6"
LONG_END_MARK, LONG_END_SIZE = b"PK\6\6", 56 + 20
UTF8 = 0x800                                    # a flag: the name is UTF-8
ELSEWHERE, MANY = 0xFFFF_FFFF, 0xFFFF           # the number does not fit into this field, and stands in another one

# The header of an .npy file, version 1.0 (numpy.lib.format).
NPY = b"\x93NUMPY\1\0"
NPY_HEADER = re.compile(r"\{'descr': (?P<kind>.+), 'fortran_order': (?P<columns>True|False), "
                        r"'shape': \((?P<shape>(?:\d{1,18}, ?)*(?:\d{1,18})?)\),? ?\} *\n")
KINDS = {repr(dtype.newbyteorder("<").str): dtype.newbyteorder("<") for dtype in DTYPES}

CONVERT = "np.load reads it, and tn.save(dict(np.load(path)), path) makes a file that tn.load reads"
OTHER_FILES = {"data.pkl": "a PyTorch file, which only pickle could read; in PyTorch, save its state dict again: "
                           'safetensors.torch.save_file(state, "model.safetensors")',
               ".h5": "a Keras model; in Keras, save its weights again: np.savez(path, *model.get_weights())"}


def write_npz(path: str | os.PathLike, arrays: Mapping[str, np.ndarray], text: str | None = None) -> None:
    """Write arrays, and text beside them, whole or not at all; the same ones give the same bytes."""
    def entry(name: str) -> zipfile.ZipInfo:
        info = zipfile.ZipInfo(name)            # of 1 January 1980: no time stamp
        info.create_system = 3                  # the same on every system
        return info

    # Not np.savez: it takes the names as keyword arguments, and "file" is one of its own.
    with atomic_write(path) as file, zipfile.ZipFile(file, "w") as archive:
        for name, array in arrays.items():
            with archive.open(entry(f"{name}.npy"), "w", force_zip64=True) as member:
                np.lib.format.write_array(member, array, version=(1, 0), allow_pickle=False)
        if text is not None:
            archive.writestr(entry(STRUCTURE), text)


def read_npz(file: BinaryIO) -> tuple[dict[str, np.ndarray], str | None]:
    """The arrays of an open .npz file by name, and the text beside them if there is any.

    Raises
    ------
    ValueError
        If it is damaged, cut off, or holds anything but arrays of numbers as `np.savez` writes them.
    """
    source = Source(file)
    arrays: dict[str, np.ndarray] = {}
    text = None
    entries = []                                # what the directory must repeat
    while (mark := source.read(4)) == ENTRY_MARK:
        entry = read_entry(source)
        entries.append(entry)
        if entry.name in arrays or (entry.name == STRUCTURE and text is not None):
            raise ValueError(f"{entry.name!r} occurs twice")
        if entry.name == STRUCTURE:
            text = read_text(source, entry)
        else:
            arrays[entry.name] = read_array(source, entry)
    check_directory(source, mark, entries)
    return arrays, text


class Source:
    """An open file that is never asked for more bytes than it has left."""

    def __init__(self, file: BinaryIO) -> None:
        self.file, self.position, self.size = file, 0, os.fstat(file.fileno()).st_size

    def require(self, n: int) -> None:
        left = self.size - self.position
        if n > left:
            raise ValueError(f"cut off or damaged: {n} bytes are announced at byte {self.position}, {left} are there")

    def read(self, n: int) -> bytes:
        self.require(n)
        data = self.file.read(n)
        if len(data) != n:
            raise ValueError("it became shorter while it was read")
        self.position += n
        return data

    def read_array(self, count: int, dtype: np.dtype) -> np.ndarray:
        self.require(count * dtype.itemsize)
        array = np.empty(count, dtype)
        if self.file.readinto(array.view(np.uint8)) != array.nbytes:        # type: ignore[attr-defined]
            raise ValueError("it became shorter while it was read")
        self.position += array.nbytes
        return array


class Entry(NamedTuple):
    """What stands in front of an entry: `name` is its array's, without ".npy", or `STRUCTURE`."""

    name: str
    raw_name: bytes
    flags: int
    crc: int
    size: int
    start: int


def read_entry(source: Source) -> Entry:
    """The header of the next entry, after its mark."""
    start = source.position - len(ENTRY_MARK)
    _, flags, method, _, _, crc, packed, size, name_size, extra_size = ENTRY.unpack(source.read(ENTRY.size))
    raw_name, extra = source.read(name_size), source.read(extra_size)
    try:
        name = raw_name.decode("utf-8" if flags & UTF8 else "ascii")
    except UnicodeDecodeError:
        raise ValueError(f"an entry is called {raw_name[:60]!r}, which is not UTF-8") from None
    if name != STRUCTURE:
        name = array_name(name)
    if flags & ~UTF8:
        raise ValueError(f"{name!r} is encrypted or was written to a pipe; {CONVERT}")
    if method or packed != size:
        raise ValueError(f"{name!r} is compressed; {CONVERT}")
    if size == ELSEWHERE:                       # Zip64: both sizes follow as 64-bit numbers
        if len(extra) != 20 or extra[:4] != b"\1\0\x10\0" or extra[4:12] != extra[12:]:
            raise ValueError(f"damaged: {name!r} does not say how large it is")
        size = int.from_bytes(extra[4:12], "little")
    source.require(size)
    return Entry(name, raw_name, flags, crc, size, start)


def array_name(name: str) -> str:
    """The name of the array in an entry that is called `name`."""
    if not name.endswith(".npy"):
        other = next((what for ending, what in OTHER_FILES.items() if name.endswith(ending)), None)
        raise ValueError(f"it is {other}" if other else f"{name[:60]!r} in it is not an array")
    name = name.removesuffix(".npy")
    if not is_name(name):
        raise ValueError(f"an array is called {name[:60]!r}: a place outside, unprintable, or longer than "
                         f"{LONGEST_NAME} characters")
    return name


def read_text(source: Source, entry: Entry) -> str:
    if entry.size > LONGEST_TEXT:
        raise ValueError(f"its structure takes {entry.size} bytes, and at most {LONGEST_TEXT} are read")
    data = source.read(entry.size)
    if zlib.crc32(data) != entry.crc:
        raise ValueError("damaged: the checksum of its structure is wrong")
    return data.decode("ascii")                 # as json.dumps writes it


def read_array(source: Source, entry: Entry) -> np.ndarray:
    """The array of an entry: an .npy file of known size."""
    begin = source.position
    head = source.read(len(NPY) + 2)
    if not head.startswith(NPY):
        raise ValueError(f"{entry.name!r} is not an .npy file of version 1.0; {CONVERT}")
    header = source.read(int.from_bytes(head[len(NPY):], "little"))
    found = NPY_HEADER.fullmatch(header.decode("latin-1"))
    if not found:
        raise ValueError(f"{entry.name!r} has the header {header[:80]!r}, unusual or damaged")
    if found["kind"] not in KINDS:
        kind = "Python objects, which only pickle could read" if "O" in found["kind"] else found["kind"][:60]
        raise ValueError(f"{entry.name!r} holds {kind}; only floating-point numbers of 16 to 64 bits, integers and "
                         "booleans are read, least significant byte first")
    dtype = KINDS[found["kind"]]
    shape = tuple(int(n) for n in found["shape"].replace(",", " ").split())
    count = math.prod(shape)
    if source.position - begin + count * dtype.itemsize != entry.size:
        raise ValueError(f"damaged: {entry.name!r} of shape {shape} and {dtype} does not fill its {entry.size} bytes")
    array = source.read_array(count, dtype)
    if zlib.crc32(array.view(np.uint8).data, zlib.crc32(head + header)) != entry.crc:
        raise ValueError(f"damaged: the checksum of {entry.name!r} is wrong")
    require_booleans(array, entry.name)
    array = array.reshape(shape, order="F" if found["columns"] == "True" else "C")
    return array.astype(dtype.newbyteorder("="), copy=False)


def require_booleans(array: np.ndarray, name: str) -> None:
    """Refuse bytes other than 0 and 1 in an array of booleans: NumPy computes nonsense with them."""
    if array.dtype == bool and array.size and array.view(np.uint8).max() > 1:
        raise ValueError(f"damaged: {name!r} holds booleans that are neither True nor False")


def check_directory(source: Source, mark: bytes, entries: list[Entry]) -> None:
    """The directory, whose first mark has been read: it must repeat the entries, and end the file."""
    begin = source.position - len(mark)
    for entry in entries:
        if mark != LISTED_MARK:
            raise ValueError(f"cut off or damaged: {mark!r} where its directory should list {entry.name!r}")
        (_, _, flags, method, _, _, crc, packed, size, name_size, extra_size, comment_size, _, _, _,
         start) = LISTED.unpack(source.read(LISTED.size))
        name = source.read(name_size)
        source.read(extra_size + comment_size)  # 64-bit numbers, known by now; remarks
        if ((name, flags, crc, method, packed) != (entry.raw_name, entry.flags, entry.crc, 0, size)
                or size not in (entry.size, ELSEWHERE) or start not in (entry.start, ELSEWHERE)):
            raise ValueError(f"damaged: its directory says something else about {entry.name!r} than the entry itself")
        mark = source.read(4)
    length = source.position - len(mark) - begin
    if mark == LONG_END_MARK:                   # Zip64: the numbers of the end before it, in 64 bits
        source.read(LONG_END_SIZE - len(mark))
        mark = source.read(4)
    if mark != END_MARK:
        raise ValueError(f"cut off or damaged: {mark!r} where its end should be")
    _, _, count, total, size, start, comment_size = END.unpack(source.read(END.size))
    if (count != total or count not in (len(entries), MANY) or size not in (length, ELSEWHERE)
            or start not in (begin, ELSEWHERE)):
        raise ValueError("damaged: its end says something else about its directory than the directory itself")
    if comment_size or source.position != source.size:
        raise ValueError(f"{source.size - source.position} bytes follow its end")
