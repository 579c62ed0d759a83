"""idx files: the format of the handwritten digits."""

import gzip
import math
import os
import zlib
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
