"""Kernels whose whole text is CUDA's: compiled when they are first called, for float32 or float64."""

from typing import Any

import numpy as np

from ..gpu import import_cupy

TYPES = {"f": "float", "d": "double"}


class RawKernel:
    """A kernel with `T` in its text for the type of its numbers.

    Parameters
    ----------
    name : str
        Of the function in `text`.
    text : str
        CUDA's, with ``T`` for float or double.
    """

    def __init__(self, name: str, text: str) -> None:
        self.name, self.text = name, text
        self.compiled: dict[tuple, Any] = {}

    def source(self, letter: str) -> str:
        """The text for numbers of one type."""
        return f"typedef {TYPES[letter]} T;\n{self.text}"

    def __call__(self, dtype: np.dtype, blocks: tuple, threads: tuple, arguments: tuple) -> None:
        """Launch so many blocks of so many threads each."""
        cupy = import_cupy()
        key = (id(cupy), dtype.char)
        if key not in self.compiled:
            self.compiled[key] = cupy.RawKernel(self.source(dtype.char), self.name)
        numbers = (np.int64(x) if type(x) is int else x for x in arguments)         # long long, in the text
        self.compiled[key](blocks, threads, tuple(numbers))


def suits(*arrays: Any) -> bool:
    """Whether these lie in rows and hold float32 or float64, all of them the same: what the kernels are written for."""
    return all(x.dtype == arrays[0].dtype and x.dtype.char in TYPES and x.flags.c_contiguous for x in arrays)


def ceil_div(a: int, b: int) -> int:
    """How many groups of b it takes for a."""
    return -(-a // b)


def one_for_each(n: int) -> tuple[tuple, tuple]:
    """Blocks and threads for a kernel in which every thread computes one number of n."""
    return (ceil_div(n, 256),), (256,)
