"""Values accumulated along a dimension, and their differences."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..engine.operation import Operation
from ..engine.registry import implements
from ..engine.tensor import Tensor, method, value
from .axes import along, checked_dim, takes_axis
from .indexing import take_along
from .joining import beside, cat
from .reductions import Extremum


class Cumsum(Operation):
    """y = a₀, a₀ + a₁, a₀ + a₁ + a₂, … along the axis; aᵢ is part of yᵢ and all that follow"""
    def forward(a, *, axis):       return np.cumsum(a, axis=axis)
    def grad_a(g, y, a, *, axis):  return np.flip(Cumsum.apply(np.flip(g, axis), axis=axis), axis)


# ---------------------------------------------------------------------- as functions and methods

@method
@takes_axis
def cumsum(input: Tensor, dim: int, *, dtype: Any = None) -> Tensor:
    """Sums of the first, the first two, … of all values along `dim`.

    Integers and booleans are added as NumPy adds them, as int64.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.cumsum(tn.tensor([1.0, 2.0, 3.0]), dim=0)
    tensor([1., 3., 6.])
    """
    x = input if dtype is None else input.astype(dtype)
    return Cumsum.apply(x, axis=checked_dim("cumsum", dim, input.ndim))


@method
@takes_axis
def cummax(input: Tensor, dim: int) -> Extremum:
    """The largest value so far along `dim`, and where it stood; of equal ones the last, which gets the gradient.

    From the first NaN on, everything is NaN.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> values, indices = tn.cummax(tn.tensor([1.0, 3.0, 2.0]), dim=0)
    >>> values, indices
    (tensor([1., 3., 3.]), tensor([0, 1, 1]))
    """
    return extreme_so_far("cummax", input, dim, np.greater_equal)


@method
@takes_axis
def cummin(input: Tensor, dim: int) -> Extremum:
    """The smallest value so far along `dim`, and where it stood; as `cummax`.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.cummin(tn.tensor([2.0, 3.0, 1.0]), dim=0).values
    tensor([2., 2., 1.])
    """
    return extreme_so_far("cummin", input, dim, np.less_equal)


@method
@takes_axis
def diff(input: Tensor, n: int = 1, dim: int = -1, prepend: Any = None, append: Any = None) -> Tensor:
    """Differences aᵢ₊₁ − aᵢ of neighbours along `dim`, taken n times; of booleans, whether they differ.

    Parameters
    ----------
    prepend, append : Tensor, optional
        Values to put before and after those of `input` first.

    Raises
    ------
    ValueError
        If n is negative.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.diff(tn.tensor([1.0, 4.0, 9.0, 16.0]))
    tensor([3., 5., 7.])
    >>> tn.diff(tn.tensor([1.0, 4.0, 9.0, 16.0]), n=2)
    tensor([2., 2.])
    """
    dim = checked_dim("diff", dim, input.ndim)
    if n < 0:
        raise ValueError(f"diff: n must not be negative, and is {n}")
    y = cat([x for x in (prepend, input, append) if x is not None], dim)
    for _ in range(n):
        later, earlier = y[along(dim, slice(1, None))], y[along(dim, slice(-1))]
        y = later != earlier if y.dtype == np.bool_ else later - earlier
    return y


@takes_axis
def trapezoid(y: Tensor, x: Tensor | None = None, *, dx: float = 1, dim: int = -1) -> Tensor:
    """The integral Σ (xᵢ₊₁ − xᵢ)(yᵢ + yᵢ₊₁) / 2 along `dim`, exact for straight lines between the points.

    Parameters
    ----------
    x : Tensor, optional
        The points: a vector, or a tensor that broadcasts with y. Without it they are `dx` apart.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.trapezoid(tn.tensor([0.0, 1.0, 4.0]))
    tensor(3.)
    >>> tn.trapezoid(tn.tensor([0.0, 1.0, 4.0]), tn.tensor([0.0, 2.0, 4.0]))
    tensor(6.)
    """
    dim = checked_dim("trapezoid", dim, y.ndim)
    widths = dx if x is None else point_distances(x, y, dim)
    heights = y[along(dim, slice(1, None))] + y[along(dim, slice(-1))]
    return np.sum(heights * widths / 2.0, axis=dim)


# ---------------------------------------------------------------------- what they are made of

def extreme_so_far(name: str, input: Tensor, dim: int, not_beaten: Callable) -> Extremum:
    """After each round a place knows the best of the last 1, 2, 4, … values up to its own."""
    dim = checked_dim(name, dim, input.ndim)
    n, best = input.shape[dim], input.data
    shape = [-1 if i == dim else 1 for i in range(input.ndim)]
    indices = np.broadcast_to(np.reshape(np.arange(n, like=best), shape), input.shape)
    reach = 1
    while reach < n:
        head, earlier, own = along(dim, slice(reach)), along(dim, slice(-reach)), along(dim, slice(reach, None))
        keep = not_beaten(best[own], best[earlier]) | np.isnan(best[own])
        indices = np.concatenate([indices[head], np.where(keep, indices[own], indices[earlier])], axis=dim)
        best = np.concatenate([best[head], np.where(keep, best[own], best[earlier])], axis=dim)
        reach *= 2
    positions = Tensor(np.copy(indices))
    return Extremum(take_along(input, positions, dim), positions)


def point_distances(x: Any, y: Any, dim: int) -> Any:
    """xᵢ₊₁ − xᵢ along the dimension `dim` of y."""
    given = x.shape
    if x.ndim == 1:
        x = np.reshape(x, [-1 if i == dim else 1 for i in range(y.ndim)])
    place = dim - y.ndim                        # counted from the end, as broadcasting does
    if x.ndim < -place or x.shape[place] != y.shape[dim]:
        raise ValueError(f"trapezoid: points of shape {given} do not fit values of shape {y.shape} along dimension "
                         f"{dim}; give one point for each value")
    place += x.ndim
    return x[along(place, slice(1, None))] - x[along(place, slice(-1))]


# ---------------------------------------------------------------------- as NumPy calls, with NumPy's conventions

@implements(np.cumsum)
def _np_cumsum(a: Tensor, axis: int | None = None, dtype: Any = None) -> Tensor:
    return cumsum(a.reshape(-1), 0, dtype=dtype) if axis is None else cumsum(a, axis, dtype=dtype)


@implements(np.diff)
def _np_diff(a: Tensor, n: int = 1, axis: int = -1, prepend: Any = None, append: Any = None) -> Tensor:
    axis = checked_dim("diff", axis, a.ndim)

    def slab(x: Any) -> Any:
        """A number stands for as many as there are beside it."""
        x = beside(a, x)
        return x if x.ndim else np.broadcast_to(x, (*a.shape[:axis], 1, *a.shape[axis + 1:]))
    return diff(a, n, axis, *(None if x is None else slab(x) for x in (prepend, append)))


@implements(np.ediff1d)
def _np_ediff1d(ary: Tensor, to_end: Any = None, to_begin: Any = None) -> Tensor:
    differences = diff(ary.reshape(-1))
    ends: list = [None if x is None else np.reshape(beside(ary, x), (-1,)) for x in (to_begin, to_end)]
    return cat([x for x in (ends[0], differences, ends[1]) if x is not None])


@implements(np.trapezoid)
def _np_trapezoid(y: Tensor, x: Any = None, dx: float = 1.0, axis: int = -1) -> Tensor:
    return trapezoid(beside(x, y), None if x is None else beside(y, x), dx=dx, dim=axis)
