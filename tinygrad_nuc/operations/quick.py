"""What rules ask of NumPy in a way that takes it less time. Each says what it does in plain NumPy, in its last line."""

import functools
import math
from typing import Any

import numpy as np

FEW = 10_000            # so many numbers are sooner written than they are shown as a view


def product(a: Any, b: Any) -> Any:
    """The matrix product, also of stacks of matrices; of two small ones, `dot` takes half the time.

    Bit by bit the same, since both ask BLAS if the numbers lie in a row (of anything else `dot` would make a copy).
    """
    if type(a) is type(b) is np.ndarray and a.ndim == b.ndim == 2 and a.flags.forc and b.flags.forc:
        return a.dot(b)
    return np.matmul(a, b)


def transposed(a: Any) -> Any:
    """Rows as columns; in a stack of matrices, of each."""
    if a.ndim == 2:
        return a.T
    return np.swapaxes(a, -1, -2)


def sum_of_rows(a: Any) -> Any:
    """The sum of a matrix's rows; in float32 as a product with ones, which takes BLAS a fifth of the time.

    BLAS adds in another order, which depends on how many rows there are; in float64 they are added one by one.
    """
    if type(a) is np.ndarray and a.dtype == np.float32:
        return ones(a.shape[0], a.dtype).dot(a)
    return np.sum(a, axis=0)


@functools.lru_cache(16)
def ones(n: int, dtype: Any) -> np.ndarray:
    """A vector of ones: the same one again, so it is read-only."""
    vector = np.ones(n, dtype)
    vector.flags.writeable = False
    return vector


def spread(a: Any, shape: tuple[int, ...]) -> Any:
    """`a` repeated along axes of length 1; few numbers are written out, many are shown as a view."""
    if isinstance(a, (np.ndarray, np.generic)) and math.prod(shape) < FEW:
        y = np.empty(shape, a.dtype)
        y[...] = a
        return y
    return np.broadcast_to(a, shape)
