"""Diagonals and triangles of matrices.

The diagonal of a matrix of shape (n, m) is every (m + 1)-th of its values written in one row.
"""

from typing import Any

import numpy as np

from ..engine.registry import implements
from ..engine.tensor import Tensor, method, value
from .axes import checked_dims
from .indexing import IndexAdd
from .rearranging import movedim
from .selection import where


@method
def diagonal(input: Tensor, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Tensor:
    """The values with dim2 − dim1 position = `offset`, as a new last dimension in place of the two.

    It shares memory with `input` where that lies in memory row by row (a transposed one is copied).

    Parameters
    ----------
    offset : int
        0 for the main diagonal, positive above, negative below it.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.diagonal(tn.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([1., 4.])
    """
    dim1, dim2 = checked_dims("diagonal", (dim1, dim2), input.ndim)
    others = tuple(i for i in range(input.ndim) if i not in (dim1, dim2))
    n, m = input.shape[dim1], input.shape[dim2]
    rows = input.permute(*others, dim1, dim2).reshape(*(input.shape[i] for i in others), n * m)
    return rows[..., diagonal_slice(n, m, offset)]


@method
def diag(input: Tensor, diagonal: int = 0) -> Tensor:
    """A vector as the diagonal of a matrix of zeros; the diagonal of a matrix as a vector (a copy).

    Raises
    ------
    ValueError
        If `input` is neither a vector nor a matrix.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.diag(tn.tensor([1.0, 2.0]))
    tensor([[1., 0.],
            [0., 2.]])
    >>> tn.diag(tn.tensor([[1.0, 2.0], [3.0, 4.0]]), 1)
    tensor([2.])
    """
    if input.ndim not in (1, 2):
        raise ValueError(f"diag: expects a vector or a matrix, and this tensor has shape {input.shape}; "
                         "use diag_embed or diagonal")
    return diag_embed(input, diagonal) if input.ndim == 1 else _np_diagonal(input, diagonal).clone()


@method
def diag_embed(input: Tensor, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Tensor:
    """The last dimension as the diagonal of matrices of zeros, whose rows and columns are `dim1` and `dim2`.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.diag_embed(tn.tensor([[1.0, 2.0]]), offset=1)
    tensor([[[0., 1., 0.],
             [0., 0., 2.],
             [0., 0., 0.]]])
    """
    if not input.ndim:
        raise ValueError("diag_embed: a single number has no dimension to put on a diagonal")
    dims = checked_dims("diag_embed", (dim1, dim2), input.ndim + 1)
    n = input.shape[-1] + abs(offset)
    rows = IndexAdd.apply(input, index=(Ellipsis, diagonal_slice(n, n, offset)), shape=(*input.shape[:-1], n * n))
    return movedim(rows.reshape(*input.shape[:-1], n, n), (-2, -1), dims)


@method
def diagflat(input: Tensor, offset: int = 0) -> Tensor:
    """The flattened values as the diagonal of a matrix of zeros.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.diagflat(tn.tensor([[1.0, 2.0]]))
    tensor([[1., 0.],
            [0., 2.]])
    """
    return diag_embed(input.reshape(-1), offset)


@method
def trace(input: Tensor) -> Tensor:
    """Sum of the diagonal of a matrix.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.trace(tn.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor(5.)
    """
    if input.ndim != 2:
        raise ValueError(f"trace: expects a matrix, and this tensor has shape {input.shape}; "
                         "use diagonal(...).sum(-1)")
    return np.sum(diagonal(input), axis=-1)


@method
def tril(input: Tensor, diagonal: int = 0) -> Tensor:
    """The lower triangles of matrices (the last two dimensions): 0 above the diagonal.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.tril(tn.ones(2, 3))
    tensor([[1., 0., 0.],
            [1., 1., 0.]])
    """
    offset = offsets("tril", input)
    return where(offset <= diagonal, input, False)          # False: the 0 of every dtype


@method
def triu(input: Tensor, diagonal: int = 0) -> Tensor:
    """The upper triangles of matrices (the last two dimensions): 0 below the diagonal.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.triu(tn.ones(2, 3), 1)
    tensor([[0., 1., 1.],
            [0., 0., 1.]])
    """
    offset = offsets("triu", input)
    return where(offset >= diagonal, input, False)


# ---------------------------------------------------------------------- what they are made of

def diagonal_slice(n: int, m: int, offset: int) -> slice:
    """Where the diagonal of a matrix of shape (n, m) lies in its n · m values."""
    start = offset if offset >= 0 else -offset * m
    length = min(n, m - offset) if offset >= 0 else min(n + offset, m)
    return slice(start, start + max(0, length) * (m + 1), m + 1)


def offsets(name: str, x: Tensor) -> Tensor:
    """For each place in a matrix, the diagonal that it lies on: column − row."""
    if x.ndim < 2:
        raise ValueError(f"{name}: expects a matrix, and this tensor has shape {x.shape}")
    row, column = (np.arange(n, like=value(x)) for n in x.shape[-2:])
    return Tensor(column - np.reshape(row, (-1, 1)))


# ---------------------------------------------------------------------- as NumPy calls, with NumPy's conventions

@implements(np.diagonal)
def _np_diagonal(a: Tensor, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    return diagonal(a, offset, axis1, axis2)


@implements(np.diag)
def _np_diag(v: Tensor, k: int = 0) -> Tensor:
    return diag(v, k)


@implements(np.diagflat)
def _np_diagflat(v: Tensor, k: int = 0) -> Tensor:
    return diagflat(v, k)


@implements(np.trace)
def _np_trace(a: Tensor, offset: int = 0, axis1: int = 0, axis2: int = 1) -> Tensor:
    return np.sum(diagonal(a, offset, axis1, axis2), axis=-1)


@implements(np.tril)
def _np_tril(m: Tensor, k: int = 0) -> Tensor:
    return tril(m, k)


@implements(np.triu)
def _np_triu(m: Tensor, k: int = 0) -> Tensor:
    return triu(m, k)
