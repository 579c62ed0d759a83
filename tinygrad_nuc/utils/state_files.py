"""tn.save and tn.load: networks, optimizers and whatever else a training run is made of, in files that run no code."""

import os
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..devices.moving import on_device
from ..engine.tensor import Tensor
from .files import given_path
from .npz import OTHER_FILES, read_npz, write_npz
from .safetensors_files import read_safetensors, write_safetensors
from .structure import put_together, take_apart

# How other files begin, and what to do with them.
BEGINNINGS = {
    b"PK": "a zip file, perhaps .npz: give it that ending",
    b"\x80": OTHER_FILES["data.pkl"],
    b"\x89HDF": OTHER_FILES[".h5"],
    b"\x93NUMPY": "a single array: np.load reads it",
    b"\x1f\x8b": "packed with gzip: unpack it first",
    b"root": "a ROOT file: tinygrad_nuc.utils.tables.read_table reads its tables",
}


def save(obj: Any, path: str | os.PathLike) -> None:
    """Save tensors, and what belongs to them, in a file that appears whole or not at all.

    Unlike PyTorch's, it holds no pickled Python: nobody's file can run code when it is loaded. The same values give
    the same bytes.

    Parameters
    ----------
    obj : dict, list, tuple, Tensor ...
        A state dict, or dicts (with texts or whole numbers as keys), lists and tuples inside each other, of tensors,
        arrays, numbers, texts, True, False and None. Tensors are saved as values: without gradients and history, and
        each of two that share memory for itself.
    path : str or os.PathLike
        Used as it is; no ending is added. With the ending ``.safetensors`` the file has that format, which PyTorch,
        JAX and TensorFlow read too (it needs the extra ``files``). With any other it is an ``.npz`` file, which
        ``np.load`` reads; with a checksum in both.

    Raises
    ------
    TypeError, ValueError
        If something cannot be saved, saying where in `obj` it is: an object of another kind, an array of text, of
        complex or of Python objects, nesting without end. If `path` is no path.
    OSError
        If the file cannot be written. In all cases what was at `path` before stays as it was.

    Examples
    --------
    >>> import tempfile, tinygrad_nuc as tn
    >>> model = tn.nn.Linear(3, 2)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     tn.save({"model": model.state_dict(), "epoch": 3, "losses": [0.7, 0.5]}, f"{folder}/checkpoint.npz")
    ...     checkpoint = tn.load(f"{folder}/checkpoint.npz")
    >>> model.load_state_dict(checkpoint["model"])
    <All keys matched successfully>
    >>> checkpoint["epoch"], checkpoint["losses"]
    (3, [0.7, 0.5])
    """
    path = given_path(path, "save(obj, path)")
    try:
        text, arrays = take_apart(obj)
    except (TypeError, ValueError) as error:
        raise type(error)(f"save: {error}") from None
    if is_safetensors(path):
        write_safetensors(path, arrays, text)
    else:
        write_npz(path, arrays, None if is_flat(obj, arrays) else text)


def load(path: str | os.PathLike, map_location: str | None = None, weights_only: bool = True) -> Any:
    """Load what `save` has saved: the same dicts, lists, tuples and values, with tensors where tensors and arrays were.

    Files of others are read too, as a dict of tensors by name: ``.npz`` from ``np.savez`` if it holds numbers only, and
    ``.safetensors`` from PyTorch and elsewhere (bfloat16 becomes float32, which has all its values).

    Parameters
    ----------
    path : str or os.PathLike
        With the ending ``.safetensors`` it is read in that format, with any other as ``.npz``.
    map_location : "cpu" or "cuda", optional
        The device to load tensors to; without it they are in the computer's memory, wherever they were saved.
    weights_only : bool
        For PyTorch's sake: no file is ever unpickled, whatever is said here.

    Raises
    ------
    ValueError
        If the file is damaged, cut off or of another kind: saying which, and what to do. No more memory is taken for
        tensors than the file has bytes (twice that in ``.safetensors``), whatever it announces.
    TypeError
        If `path` is no path: a number, an open file.
    OSError
        If it cannot be opened.

    Examples
    --------
    >>> import tempfile, tinygrad_nuc as tn
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     tn.save([tn.tensor([1.0, 2.0]), ("pion", 139.57)], f"{folder}/a.npz")
    ...     tn.load(f"{folder}/a.npz")
    [tensor([1., 2.]), ('pion', 139.57)]
    """
    path = given_path(path, "load(path)")
    try:
        with open(path, "rb") as file:
            head = file.read(16)
            if not (head[8:9] == b"{" if is_safetensors(path) else head.startswith(b"PK")):
                raise ValueError(f"it is {looks_like(head)}")
            file.seek(0)
            arrays, text = read_safetensors(path) if is_safetensors(path) else read_npz(file)
        tensors = {name: Tensor(on_device(array, map_location or "cpu")) for name, array in arrays.items()}
        return tensors if text is None else put_together(text, tensors)
    except ValueError as error:
        raise ValueError(f"{path}: cannot be loaded: {error}") from None


def is_safetensors(path: str) -> bool:
    return path.lower().endswith(".safetensors")


def is_flat(obj: Any, arrays: Mapping[str, np.ndarray]) -> bool:
    """Whether `obj` is a state dict: the names and arrays alone tell everything."""
    return (isinstance(obj, Mapping) and list(obj) == list(arrays)
            and all(isinstance(x, (Tensor, np.ndarray)) for x in obj.values()))


def looks_like(head: bytes) -> str:
    """What a file that begins like this is, and what to do with it."""
    for beginning, what in BEGINNINGS.items():
        if head.startswith(beginning):
            return what
    if head[8:9] == b"{":
        return "perhaps a .safetensors file: give it that ending"
    if not head:
        return "empty"
    if head.isascii() and head.decode("ascii").replace("\n", "").replace("\r", "").replace("\t", "").isprintable():
        return "text; tinygrad_nuc.utils.tables.read_table reads tables"
    return "neither an .npz nor a .safetensors file"
