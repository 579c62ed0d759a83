"""Values in order of size. Each gradient goes back to the place its value came from.

All sorting is stable: equal values stay in the order they had, so the first of them gets the first gradient. NaN
counts as larger than any number.
"""

import math
from typing import Any, NamedTuple

import numpy as np

from ..engine.arrays import on_host
from ..engine.registry import implements
from ..engine.tensor import Tensor, method, value
from .axes import along, checked_dim, checked_dims, joined_last, restored, takes_axis
from .indexing import take_along, to_tensor
from .joining import stack
from .reductions import mean
from .selection import where


class Ranked(NamedTuple):
    """Values, and the positions they had before."""

    values: Tensor
    indices: Tensor


@method
@takes_axis
def sort(input: Tensor, dim: int = -1, descending: bool = False, *, stable: bool = False) -> Ranked:
    """The values in ascending order along `dim`, and where each of them stood.

    Parameters
    ----------
    descending : bool
        The largest value first; equal ones keep their order here too.
    stable : bool
        Has no effect: sorting is always stable.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> values, indices = tn.sort(tn.tensor([3.0, 1.0, 2.0]))
    >>> values, indices
    (tensor([1., 2., 3.]), tensor([1, 2, 0]))
    """
    dim = checked_dim("sort", dim, input.ndim)
    return picked(input, order(input, dim, descending), dim)


@method
@takes_axis
def argsort(input: Tensor, dim: int = -1, descending: bool = False, *, stable: bool = False) -> Tensor:
    """The positions of the values in ascending order along `dim`; they have no gradient.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.argsort(tn.tensor([3.0, 1.0, 2.0]))
    tensor([1, 2, 0])
    """
    return Tensor(order(input, checked_dim("argsort", dim, input.ndim), descending))


@method
@takes_axis
def topk(input: Tensor, k: int, dim: int = -1, largest: bool = True, sorted: bool = True) -> Ranked:
    """The k largest (or smallest) values along `dim`, the most extreme first, and where they stood.

    Of equal values the first are taken. They come in order whatever `sorted` says.

    Raises
    ------
    ValueError
        If k is not from 0 to the length of the dimension.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.topk(tn.tensor([3.0, 1.0, 2.0]), 2).values
    tensor([3., 2.])
    """
    dim = checked_dim("topk", dim, input.ndim)
    if not 0 <= k <= input.shape[dim]:
        raise ValueError(f"topk: k must lie from 0 to {input.shape[dim]}, the length of dimension {dim}, and is {k}")
    return picked(input, order(input, dim, descending=largest)[along(dim, slice(k))], dim)


@method
@takes_axis
def kthvalue(input: Tensor, k: int, dim: int = -1, keepdim: bool = False) -> Ranked:
    """The k-th smallest value along `dim`, counted from 1, and where it stood.

    Raises
    ------
    ValueError
        If k is not from 1 to the length of the dimension.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> values, indices = tn.kthvalue(tn.tensor([3.0, 1.0, 2.0]), 2)
    >>> values, indices
    (tensor(2.), tensor(2))
    """
    dim = checked_dim("kthvalue", dim, input.ndim)
    if not 1 <= k <= input.shape[dim]:
        raise ValueError(f"kthvalue: k must lie from 1 to {input.shape[dim]}, the length of dimension {dim}, not {k}")
    return picked(input, order(input, dim)[along(dim, slice(k - 1, k))], dim, keepdim)


@method
@takes_axis
def median(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Any:
    """The middle value of all, or along `dim` with the place where it stood; NaN if there is one.

    Of an even number of values it is the lower of the two in the middle, which gets the whole gradient
    (``np.median(t)`` is their mean).

    Raises
    ------
    ValueError
        If there are no values.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.median(tn.tensor([4.0, 1.0, 3.0, 2.0]))
    tensor(2.)
    >>> tn.median(tn.tensor([[3.0, 1.0, 2.0]]), dim=1).indices
    tensor([2])
    """
    if dim is None:
        return median(input.reshape(-1), 0).values
    dim = checked_dim("median", dim, input.ndim)
    n = input.shape[dim]
    require_values("median", input, n)
    ascending = order(input, dim)
    middle = np.where(last_is_nan(input.data, ascending, dim), n - 1, (n - 1) // 2)
    return picked(input, np.take_along_axis(ascending, middle, dim), dim, keepdim)


@method
@takes_axis
def quantile(input: Tensor, q: Any, dim: int | None = None, keepdim: bool = False, *,
             interpolation: str = "linear") -> Tensor:
    """The value below which the fraction q of the values lies: of all, or along `dim`; NaN if there is one.

    Of n values in ascending order it is the one at position q (n − 1), counted from 0. Between two positions
    both neighbours get their share of the gradient. q itself is a setting and gets none.

    Parameters
    ----------
    q : float, or a vector of them
        From 0 to 1. The result has one more dimension for a vector, the first.
    interpolation : str
        Between two values: "linear", or one of "lower", "higher", "nearest", "midpoint".

    Raises
    ------
    ValueError
        If a q is not from 0 to 1, or there are no values.
    TypeError
        If the input is not floating-point, or q requires a gradient.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.quantile(tn.tensor([1.0, 2.0, 3.0, 4.0]), 0.5)
    tensor(2.5000)
    >>> tn.quantile(tn.tensor([[1.0, 2.0, 4.0]]), tn.tensor([0.0, 0.75]), dim=1)
    tensor([[1.],
            [3.]])
    """
    if input.dtype.kind != "f":
        raise TypeError(f"quantile: the input must be of a floating-point type, not {input.dtype}")
    if getattr(q, "ndim", 0) > 1:
        raise ValueError(f"quantile: q is a number or a vector of them, and has shape {q.shape}")
    axes = checked_dims("quantile", dim, input.ndim)
    return quantiles("quantile", input, q, axes, keepdim, interpolation)


# ---------------------------------------------------------------------- what they are made of

def order(x: Any, dim: int, descending: bool = False) -> Any:
    """The positions in order of size, as an array."""
    x = value(x)
    if not descending:
        return np.argsort(x, axis=dim, kind="stable")
    backwards = np.argsort(np.flip(x, dim), axis=dim, kind="stable")        # so that equal values keep their order
    return x.shape[dim] - 1 - np.flip(backwards, dim)


def picked(input: Tensor, indices: Any, dim: int, keepdim: bool = True) -> Ranked:
    positions = Tensor(indices)
    values = take_along(input, positions, dim)
    return Ranked(values, positions) if keepdim else Ranked(values.squeeze(dim), positions.squeeze(dim))


def last_is_nan(x: Any, ascending: Any, dim: int) -> Any:
    """Where there is a NaN along `dim`: it would be the largest."""
    return np.isnan(np.take_along_axis(x, ascending[along(dim, slice(-1, None))], dim))


def require_values(name: str, x: Any, n: int) -> None:
    if n == 0:
        raise ValueError(f"{name}: there are no values, in shape {x.shape}")


def joined_and_sorted(name: str, a: Tensor, axes: tuple[int, ...]) -> Tensor:
    """The values over the axes in ascending order, along one axis, the last."""
    joined = joined_last(a, axes)
    require_values(name, a, joined.shape[-1])
    return picked(joined, order(joined, joined.ndim - 1), joined.ndim - 1).values


def quantiles(name: str, a: Tensor, q: Any, axes: tuple[int, ...], keepdim: bool, method: str) -> Tensor:
    """One quantile, or one for each of several q, stacked along the first dimensions."""
    fractions = as_fractions(name, q)
    if not ((fractions >= 0) & (fractions <= 1)).all():
        raise ValueError(f"{name}: a fraction must lie from 0 to 1, and these are {fractions.tolist()}")
    ascending = joined_and_sorted(name, a, axes)
    last = ascending[..., -1]
    results = []
    for position in (fractions.ravel() * (ascending.shape[-1] - 1)).tolist():
        y = where(np.isnan(last), last, value_at(name, ascending, position, method))
        results.append(restored(y, a, axes) if keepdim else y)
    return stack(results).reshape(*fractions.shape, *results[0].shape) if fractions.ndim else results[0]


def as_fractions(name: str, q: Any) -> np.ndarray:
    """q as an array on the CPU, where the positions are worked out: a device has to wait for it."""
    if isinstance(q, Tensor) and q.requires_grad:
        raise TypeError(f"{name}: q is a setting without a derivative; give q.detach()")
    return np.asarray(on_host(value(q)).tolist() if hasattr(q, "dtype") else q, np.float64)


def value_at(name: str, ascending: Tensor, position: float, method: str) -> Tensor:
    """The value at a position that may lie between two, along the last axis."""
    below, above = math.floor(position), math.ceil(position)
    nearest = {"lower": below, "higher": above, "nearest": round(position)}
    if method in nearest:
        return ascending[..., nearest[method]]
    if method not in ("linear", "midpoint"):
        raise ValueError(f"{name}: between two values is 'linear', 'lower', 'higher', 'nearest' or 'midpoint', "
                         f"not {method!r}")
    if below == above:
        return ascending[..., below]
    t = position - below if method == "linear" else 0.5
    return ascending[..., below] + t * (ascending[..., above] - ascending[..., below])


# ---------------------------------------------------------------------- as NumPy calls, with NumPy's conventions

@implements(np.sort)
def _np_sort(a: Tensor, axis: int | None = -1, kind: Any = None) -> Tensor:
    return sort(a.reshape(-1), 0).values if axis is None else sort(a, axis).values


@implements(np.median)
def _np_median(a: Tensor, axis: Any = None, *, keepdims: bool = False) -> Tensor:
    axes = checked_dims("median", axis, a.ndim)
    ascending = joined_and_sorted("median", a, axes)
    n = ascending.shape[-1]
    middle = mean(ascending[..., (n - 1) // 2:n // 2 + 1], -1)          # of one value, or two
    y = where(np.isnan(ascending[..., -1]), ascending[..., -1], middle)
    return restored(y, a, axes) if keepdims else y


@implements(np.quantile)
def _np_quantile(a: Tensor, q: Any, axis: Any = None, *, method: str = "linear", keepdims: bool = False) -> Tensor:
    return _np_fraction("quantile", a, q, axis, method, keepdims)


@implements(np.percentile)
def _np_percentile(a: Tensor, q: Any, axis: Any = None, *, method: str = "linear", keepdims: bool = False) -> Tensor:
    return _np_fraction("percentile", a, as_fractions("percentile", q) / 100, axis, method, keepdims)


def _np_fraction(name: str, a: Tensor, q: Any, axis: Any, method: str, keepdims: bool) -> Tensor:
    a = to_tensor(a)
    if a.dtype.kind != "f" and method in ("linear", "midpoint"):
        a = a.astype(np.float64)
    return quantiles(name, a, q, checked_dims(name, axis, a.ndim), keepdims, method)
