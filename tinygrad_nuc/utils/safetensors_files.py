"""Named arrays in a .safetensors file, the format of Hugging Face (https://github.com/huggingface/safetensors).

Such a file is eight bytes for the length of a header, the header (JSON: each array's name, dtype, shape and place),
and the arrays, one directly after the other. It has no checksum, so ours is in the header's metadata, together with
the structure that the arrays belong to.
"""

import hashlib
import json
import os
from collections.abc import Mapping
from types import ModuleType

import numpy as np

from .files import atomic_write
from .npz import require_booleans

LONGEST_HEADER = 10_000_000     # bytes; about 100 000 arrays
OURS = "tinygrad_nuc"           # the name of our metadata; our value begins with it too, so that damage to one is seen
DTYPES = {"BOOL": "?", "I8": "i1", "I16": "<i2", "I32": "<i4", "I64": "<i8", "U8": "u1", "U16": "<u2", "U32": "<u4",
          "U64": "<u8", "F16": "<f2", "F32": "<f4", "F64": "<f8"}


def write_safetensors(path: str | os.PathLike, arrays: Mapping[str, np.ndarray], text: str) -> None:
    """Write arrays, and the text of their structure, whole or not at all; the same ones give the same bytes."""
    package()
    from safetensors.numpy import save
    # One value and no more: the package writes several in an order that changes.
    content = save({name: np.asarray(array, order="C") for name, array in arrays.items()},
                   {OURS: f"{OURS} {checksum(arrays, text)} {text}"})
    length = int.from_bytes(content[:8], "little")
    if length > LONGEST_HEADER:
        raise ValueError(f"{path}: its header would take {length} bytes, and at most {LONGEST_HEADER} are read: "
                         "join small tensors, or choose .npz")
    with atomic_write(path) as file:
        file.write(content)


def read_safetensors(path: str | os.PathLike) -> tuple[dict[str, np.ndarray], str | None]:
    """The arrays of a .safetensors file by name, and the text of their structure if we wrote it.

    Numbers of the type bfloat16, which NumPy lacks, become float32, which has all their values.

    Raises
    ------
    ValueError
        If it is damaged or cut off, or holds types of numbers that NumPy lacks.
    """
    safetensors = package()
    with open(path, "rb") as file:              # the sizes first, before anything believes them
        size = os.fstat(file.fileno()).st_size
        length = int.from_bytes(file.read(8), "little")
        if length > min(size - 8, LONGEST_HEADER):
            raise ValueError(f"cut off or damaged: its header should take {length} bytes, of {size} in all "
                             f"and at most {LONGEST_HEADER}")
        file.seek(0)
        content = file.read(size)
    try:
        found = dict(safetensors.deserialize(content))
        with safetensors.safe_open(path, framework="np") as opened:
            metadata = opened.metadata() or {}
    except safetensors.SafetensorError as error:
        raise ValueError(f"cut off or damaged: {error}") from None
    arrays = {name: as_array(name, **found[name]) for name in sorted(found)}

    ours = metadata.get(OURS)
    if ours is None and OURS.encode() not in content[:8 + length]:
        return arrays, None                     # from somebody else
    label, digest, text = ((ours or "").split(" ", 2) + 3 * [""])[:3]
    if label != OURS or digest != checksum(arrays, text):
        raise ValueError("damaged: its checksum is wrong")
    return arrays, text


def as_array(name: str, dtype: str, shape: list[int], data: bytearray) -> np.ndarray:
    """The array that the package has found."""
    if dtype == "BF16":                         # the upper half of a float32
        return (np.frombuffer(data, "<u2").astype(np.uint32) << 16).view(np.float32).reshape(shape)
    if dtype not in DTYPES:
        raise ValueError(f"{name!r} holds numbers of the type {dtype}; only {', '.join(DTYPES)} and BF16 are read")
    array = np.frombuffer(data, DTYPES[dtype])
    require_booleans(array, name)
    return array.reshape(shape).astype(array.dtype.newbyteorder("="), copy=False)


def checksum(arrays: Mapping[str, np.ndarray], text: str) -> str:
    """The SHA-256 of all that a file says: structure, names, types, shapes and numbers."""
    digest = hashlib.sha256(text.encode())
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(json.dumps([name, array.dtype.name, array.shape]).encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def package() -> ModuleType:
    """The package safetensors, of the extra "files"."""
    try:
        import safetensors
    except ImportError:
        raise ImportError("files whose names end with .safetensors need the package of that name: "
                          'pip install "tinygrad_nuc[files]"') from None
    return safetensors
