"""Values picked out by their positions. An element that is picked twice gets both gradients."""

from typing import Any

import numpy as np

from ..engine.registry import implements
from ..engine.tensor import Tensor, method
from .axes import along, checked_dim
from .indexing import Index, checked_positions, index_along, to_tensor


@method
def gather(input: Tensor, dim: int, index: Any) -> Tensor:
    """y[i, j, …] = input[i, index[i, j, …], …], with the index in place `dim`.

    Parameters
    ----------
    index : Tensor of integers
        With as many dimensions as `input`, and none but `dim` longer; its shape is that of the result.

    Raises
    ------
    ValueError
        If the shapes do not fit.
    IndexError
        If a position lies outside 0 … n − 1 (checked on the CPU).

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.gather(tn.tensor([[1.0, 2.0], [3.0, 4.0]]), 1, tn.tensor([[0, 0], [1, 0]]))
    tensor([[1., 1.],
            [4., 3.]])
    """
    return Index.apply(input, index=gather_index("gather", input, dim, index))


@method
def take_along_dim(input: Tensor, indices: Any, dim: int | None = None) -> Tensor:
    """`gather`, with the shapes broadcast in all dimensions but `dim`, and negative positions counted from the end.

    Without `dim` both are flattened.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> x = tn.tensor([[3.0, 1.0], [2.0, 5.0]])
    >>> tn.take_along_dim(x, tn.argmax(x, dim=1, keepdim=True), dim=1)
    tensor([[3.],
            [5.]])
    """
    return picked_along("take_along_dim", input, indices, dim)


@method
def index_select(input: Tensor, dim: int, index: Any) -> Tensor:
    """The rows, columns, … at the positions of a vector `index` along `dim`.

    Raises
    ------
    ValueError
        If `index` is not a vector.
    IndexError
        If a position lies outside 0 … n − 1 (checked on the CPU).

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.index_select(tn.tensor([[1.0, 2.0], [3.0, 4.0]]), 1, tn.tensor([1, 1, 0]))
    tensor([[2., 2., 1.],
            [4., 4., 3.]])
    """
    dim = checked_dim("index_select", dim, input.ndim)
    index = np.atleast_1d(checked_positions("index_select", index, input, input.shape[dim]))
    if index.ndim > 1:
        raise ValueError(f"index_select: the index is a vector of positions, and this one has shape {index.shape}")
    return Index.apply(input, index=along(dim, index))


@method
def take(input: Tensor, index: Any) -> Tensor:
    """The values at positions in the flattened tensor; the result has the shape of `index`.

    Negative positions count from the end.

    Raises
    ------
    IndexError
        If there is no such position (checked on the CPU).

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.take(tn.tensor([[1.0, 2.0], [3.0, 4.0]]), tn.tensor([0, -1]))
    tensor([1., 4.])
    """
    return taken(input, index, None)


# ---------------------------------------------------------------------- what they are made of

def gather_index(name: str, input: Tensor, dim: int, index: Any) -> tuple:
    """The positions along `dim` as an index of `input`, after a look at the shapes; serves scatter as well."""
    dim = checked_dim(name, dim, input.ndim)
    positions = checked_positions(name, index, input, input.shape[dim])
    if positions.ndim != input.ndim:
        raise ValueError(f"{name}: the index of shape {positions.shape} must have as many dimensions as the input of "
                         f"shape {input.shape}")
    if any(k > n for i, (k, n) in enumerate(zip(positions.shape, input.shape, strict=True)) if i != dim):
        raise ValueError(f"{name}: the index of shape {positions.shape} may be longer than the input of shape "
                         f"{input.shape} only along dimension {dim}")
    return index_along(positions, dim)


def picked_along(name: str, input: Any, indices: Any, dim: int | None) -> Tensor:
    if dim is None:
        input, indices, dim = np.reshape(input, (-1,)), np.reshape(indices, (-1,)), 0
    dim = checked_dim(name, dim, input.ndim)
    positions = checked_positions(name, indices, input, input.shape[dim], negative=True)
    if positions.ndim != input.ndim:
        raise ValueError(f"{name}: the indices of shape {positions.shape} must have as many dimensions as the input of "
                         f"shape {input.shape}")
    others = [tuple(1 if i == dim else n for i, n in enumerate(x.shape)) for x in (input, positions)]
    try:
        shape = np.broadcast_shapes(*others)
    except ValueError:
        raise ValueError(f"{name}: the indices of shape {positions.shape} do not broadcast against the input of shape "
                         f"{input.shape} in the dimensions other than {dim}") from None
    input, positions = (np.broadcast_to(x, (*shape[:dim], x.shape[dim], *shape[dim + 1:])) for x in (input, positions))
    return Index.apply(input, index=index_along(positions, dim))


def taken(a: Any, indices: Any, axis: int | None) -> Tensor:
    if axis is None:
        a, axis = np.reshape(a, (-1,)), 0
    axis = checked_dim("take", axis, a.ndim)
    return Index.apply(a, index=along(axis, checked_positions("take", indices, a, a.shape[axis], negative=True)))


# ---------------------------------------------------------------------- as NumPy calls, with NumPy's conventions

@implements(np.take)
def _np_take(a: Tensor, indices: Any, axis: int | None = None) -> Tensor:
    return taken(a, indices, axis)


@implements(np.take_along_axis)
def _np_take_along_axis(arr: Tensor, indices: Any, axis: int | None = -1) -> Tensor:
    return picked_along("take_along_axis", to_tensor(arr), indices, axis)
