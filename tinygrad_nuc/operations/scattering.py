"""Values put to, or added at, given positions of a tensor: the opposite of picking, as a new tensor."""

import math
from typing import Any

import numpy as np

from ..engine.tensor import Tensor, method
from .axes import along, checked_dim
from .indexing import IndexAdd, at_once, checked_positions
from .picking import gather_index
from .selection import where


@method
def scatter(input: Tensor, dim: int, index: Any, src: Tensor | float) -> Tensor:
    """A copy of `input` in which y[i, index[i, j, …], …] = src[i, j, …], with the index in place `dim`.

    Where a position is named several times, the last value in `src` wins, and it alone gets the gradient; the
    values of `input` that were replaced get none. (PyTorch leaves the winner open.)

    Parameters
    ----------
    index : Tensor of integers
        With as many dimensions as `input`, and none but `dim` longer.
    src : Tensor or number
        At least as long as `index` in every dimension; what is longer is not used.

    Raises
    ------
    ValueError
        If the shapes do not fit.
    IndexError
        If a position lies outside 0 … n − 1 (checked on the CPU).

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.scatter(tn.zeros(2, 3), 1, tn.tensor([[2], [0]]), tn.tensor([[5.0], [6.0]]))
    tensor([[0., 0., 5.],
            [6., 0., 0.]])
    """
    where_to = gather_index("scatter", input, dim, index)
    shape = np.broadcast_shapes(*(part.shape for part in where_to))
    if hasattr(src, "dtype"):
        src = cut_to("scatter", src, shape)
    winner = last_at(where_to, shape, input.shape)
    replaced = Tensor(winner >= 0)
    if not hasattr(src, "dtype"):
        return where(replaced, src, input).to(input.dtype)
    if 0 in shape:
        return input.clone()
    chosen = np.reshape(src, (-1,))[np.maximum(winner, 0)]
    return where(replaced, chosen, input)


@method
def scatter_add(input: Tensor, dim: int, index: Any, src: Tensor) -> Tensor:
    """A copy of `input` to which y[i, index[i, j, …], …] += src[i, j, …], with the index in place `dim`.

    Every value of `src` counts, also where a position is named several times. Shapes as for `scatter`.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.scatter_add(tn.zeros(3), 0, tn.tensor([0, 2, 2]), tn.tensor([1.0, 2.0, 3.0]))     # a histogram of weights
    tensor([1., 0., 5.])
    """
    where_to = gather_index("scatter_add", input, dim, index)
    shape = np.broadcast_shapes(*(part.shape for part in where_to))
    return input + IndexAdd.apply(cut_to("scatter_add", src, shape), index=where_to, shape=input.shape)


@method
def index_add(input: Tensor, dim: int, index: Any, source: Tensor, *, alpha: float = 1) -> Tensor:
    """A copy of `input` to whose row (column, …) ``index[i]`` α times the row i of `source` is added.

    Raises
    ------
    ValueError
        If `index` is not a vector, or `source` has not one row for each of its positions.
    IndexError
        If a position lies outside 0 … n − 1 (checked on the CPU).

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.index_add(tn.zeros(2, 2), 0, tn.tensor([1, 1]), tn.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([[0., 0.],
            [4., 6.]])
    """
    dim = checked_dim("index_add", dim, input.ndim)
    positions = np.atleast_1d(checked_positions("index_add", index, input, input.shape[dim]))
    expected = (*input.shape[:dim], len(positions), *input.shape[dim + 1:])
    if positions.ndim > 1 or source.shape != expected:
        raise ValueError(f"index_add: an index of shape {positions.shape} into dimension {dim} of the shape "
                         f"{input.shape} needs a source of shape {expected}, not {source.shape}")
    source = source if isinstance(alpha, (int, float)) and alpha == 1 else source * alpha
    return input + IndexAdd.apply(source, index=along(dim, positions), shape=input.shape)


# ---------------------------------------------------------------------- what they are made of

def cut_to(name: str, src: Any, shape: tuple[int, ...]) -> Any:
    """The first part of `src` that an index of this shape asks for."""
    if not hasattr(src, "dtype"):
        raise TypeError(f"{name}: src is a tensor, not a {type(src).__name__}")
    if src.ndim != len(shape) or any(k > n for k, n in zip(shape, src.shape, strict=True)):
        raise ValueError(f"{name}: the index of shape {shape} must have as many dimensions as src of shape {src.shape} "
                         "and be nowhere longer")
    return src if src.shape == shape else src[tuple(slice(k) for k in shape)]


def last_at(where_to: tuple, shape: tuple[int, ...], target: tuple[int, ...]) -> Any:
    """For each element of the target, which element of the (flattened) source comes there last; −1 for none."""
    like = where_to[0]
    order = np.arange(1, math.prod(shape) + 1, dtype=np.uint64, like=like).reshape(shape)   # CuPy's at: no int64
    last = np.zeros_like(like, shape=target, dtype=np.uint64, order="C")
    np.maximum.at(*at_once(last, where_to), order)
    return last.astype(np.int64) - 1
