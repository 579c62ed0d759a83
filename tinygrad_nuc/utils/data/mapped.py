"""Data sets larger than memory: tables in .npy files, of which only the rows of a batch are read."""

import os
from typing import Any

import numpy as np

from ...engine.arrays import get_default_dtype
from ...engine.tensor import Tensor
from ..files import given_path, reason
from .dataset import Dataset


class MappedDataset(Dataset):
    """Tables that stay on the disk: each batch reads its own rows, as new tensors of the type that a network takes.

    The operating system keeps the pages of the file that were used last in memory as long as nothing else needs it, so
    a table that does fit is as fast as one in memory from the second epoch on. A `DataLoader` with ``shuffle=True``
    jumps about in the file; on a spinning disk it is better to shuffle a table once, when it is written.

    Parameters
    ----------
    *tables : path of an .npy file, or numpy.ndarray
        All with the same first dimension, which counts the samples. Parts of a mapped array are not read either:
        with ``table = np.load(path, mmap_mode="r")``, give ``table[:, :-1]`` and ``table[:, -1:]``.
    dtype : dtype, optional
        What floating-point numbers become, batch by batch; by default the default dtype (float32 at the start). Whole
        numbers and booleans stay as they are.

    Raises
    ------
    ValueError
        If the tables' lengths differ, or a file is damaged or not an .npy file.
    TypeError
        If a table is neither a path nor an array, or does not hold numbers.
    OSError
        If a file cannot be opened.

    Examples
    --------
    >>> import tempfile, tinygrad_nuc as tn
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     np.save(f"{folder}/x.npy", np.arange(8.0).reshape(4, 2))
    ...     np.save(f"{folder}/labels.npy", np.array([0, 1, 1, 0]))
    ...     data = MappedDataset(f"{folder}/x.npy", f"{folder}/labels.npy")
    ...     for x, label in tn.utils.data.DataLoader(data, batch_size=2):
    ...         print(x, label)
    tensor([[0., 1.],
            [2., 3.]]) tensor([0, 1])
    tensor([[4., 5.],
            [6., 7.]]) tensor([1, 0])
    """

    def __init__(self, *tables: Any, dtype: Any = None) -> None:
        self.tables = tuple(table if isinstance(table, np.ndarray) else mapped(table) for table in tables)
        self.dtype = get_default_dtype() if dtype is None else np.dtype(dtype)
        if self.dtype.kind != "f":
            raise TypeError(f"MappedDataset: dtype must be a floating-point type, not {self.dtype}")
        for table in self.tables:
            if table.dtype.kind not in "fiub":
                raise TypeError(f"MappedDataset: a table holds floating-point numbers, integers or booleans, "
                                f"not {table.dtype}")
        shapes = [table.shape for table in self.tables]
        if len({shape[:1] for shape in shapes} - {()}) != 1 or () in shapes:
            raise ValueError(f"MappedDataset: all tables must have the same length, and these have the shapes {shapes}"
                             if shapes else "MappedDataset: give at least one table")

    def __len__(self) -> int:
        return len(self.tables[0])

    def __getitem__(self, index: Any) -> tuple[Tensor, ...]:
        return tuple(Tensor(np.array(table[index], self.type_of(table))) for table in self.tables)

    def take(self, indices: np.ndarray) -> tuple[Tensor, ...]:
        """The samples with these numbers: the only rows that are read."""
        return tuple(Tensor(table[indices].astype(self.type_of(table), copy=False)) for table in self.tables)

    def type_of(self, table: np.ndarray) -> np.dtype:
        """What a batch of this table consists of, in this machine's byte order."""
        return self.dtype if table.dtype.kind == "f" else table.dtype.newbyteorder("=")


def mapped(path: str | os.PathLike) -> np.ndarray:
    """The array of an .npy file, read-only and not read before it is used."""
    path = given_path(path, "MappedDataset")
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except OSError:
        raise
    except Exception as error:                  # damaged headers come as several types
        raise ValueError(f"{path}: cannot be mapped as an .npy file: {reason(error)}") from None
    if not isinstance(array, np.ndarray):
        array.close()
        raise ValueError(f"{path}: an .npz file cannot be mapped; save each of its arrays with np.save")
    return array
