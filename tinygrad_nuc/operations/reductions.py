"""Many values to one: sum, largest, smallest, and the means and variances built from them."""

from typing import Any, NamedTuple

import numpy as np

from ..engine.operation import Operation
from ..engine.registry import implements
from ..engine.tensor import Tensor, method
from .axes import checked_dim, count, restored, takes_axis
from .indexing import take_along
from .quick import spread


class Sum(Operation):
    """y = Σ a over the axes"""
    def forward(a, *, axis, keepdims):       return np.add.reduce(a, axis=axis, keepdims=keepdims)      # as np.sum does
    def grad_a(g, y, a, *, axis, keepdims):  return spread(g if keepdims else restored(g, a, axis), a.shape)


class Amax(Operation):
    """y = max a over the axes; equal largest values share the gradient"""
    def forward(a, *, axis, keepdims):       return np.max(a, axis=axis, keepdims=keepdims)
    def grad_a(g, y, a, *, axis, keepdims):  return shared_among(~(a < restored(y, a, axis)), g, a, axis)


class Amin(Operation):
    """y = min a over the axes; equal smallest values share the gradient"""
    def forward(a, *, axis, keepdims):       return np.min(a, axis=axis, keepdims=keepdims)
    def grad_a(g, y, a, *, axis, keepdims):  return shared_among(~(a > restored(y, a, axis)), g, a, axis)


def shared_among(chosen, g, a, axis):
    """The gradient `g` in equal parts to the chosen elements of `a` (all of them where a NaN was found)."""
    share = restored(g, a, axis) / np.sum(chosen, axis=axis, keepdims=True, dtype=a.dtype)
    return np.where(chosen, share, 0)


# ---------------------------------------------------------------------- as functions and methods
# From here on sum, max and min are ours, not Python's.

@method
@takes_axis
def sum(input: Tensor, dim: int | tuple[int, ...] | None = None, keepdim: bool = False) -> Tensor:
    """Sum over one axis, several, or all; every element's derivative is 1.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.sum(tn.tensor([[1.0, 2.0], [3.0, 4.0]]), dim=0)
    tensor([4., 6.])
    """
    return Sum.apply(input, axis=dim, keepdims=keepdim)


@method
@takes_axis
def mean(input: Tensor, dim: int | tuple[int, ...] | None = None, keepdim: bool = False) -> Tensor:
    """Arithmetic mean Σa / n over one axis, several, or all.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.mean(tn.tensor([[1.0, 2.0], [3.0, 4.0]]), dim=0)
    tensor([2., 3.])
    """
    total = Sum.apply(input, axis=dim, keepdims=keepdim)
    return total / count(input, dim)


@method
@takes_axis
def var(input: Tensor, dim: int | tuple[int, ...] | None = None, correction: float = 1,
        keepdim: bool = False, unbiased: bool | None = None) -> Tensor:
    """Variance Σ(a − ā)² / (n − correction) over one axis, several, or all.

    Parameters
    ----------
    correction : float
        1 for the unbiased estimate of a population's variance (PyTorch's and our default),
        0 for the mean square deviation (NumPy's).
    unbiased : bool, optional
        An older name in PyTorch for correction 1 (True) or 0 (False).

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.var(tn.tensor([1.0, 2.0, 3.0, 4.0]), correction=0)
    tensor(1.2500)
    """
    if unbiased is not None:
        correction = int(unbiased)
    deviation = input - mean(input, dim, True)
    degrees = count(input, dim) - correction
    return Sum.apply(deviation * deviation, axis=dim, keepdims=keepdim) / (degrees if degrees > 0 else 0)


@method
@takes_axis
def amax(input: Tensor, dim: int | tuple[int, ...] | None = None, keepdim: bool = False) -> Tensor:
    """Largest value over one axis, several, or all; equal ones share the gradient.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> x = tn.tensor([3.0, 1.0, 3.0], requires_grad=True)
    >>> x.amax().backward()
    >>> x.grad
    tensor([0.5000, 0.0000, 0.5000])
    """
    return Amax.apply(input, axis=dim, keepdims=keepdim)


@method
@takes_axis
def amin(input: Tensor, dim: int | tuple[int, ...] | None = None, keepdim: bool = False) -> Tensor:
    """Smallest value over one axis, several, or all; equal ones share the gradient.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.amin(tn.tensor([[3.0, 1.0], [2.0, 5.0]]), dim=1)
    tensor([1., 2.])
    """
    return Amin.apply(input, axis=dim, keepdims=keepdim)


class Extremum(NamedTuple):
    """What `max` and `min` over one dimension return."""

    values: Tensor
    indices: Tensor


@method
@takes_axis
def max(input: Tensor, dim: int | Tensor | None = None, keepdim: bool = False) -> Any:
    """Largest value: of all, along one dimension (with its index), or of two tensors.

    ``max(a)`` is `amax` over everything. ``max(a, dim)`` returns (values, indices), and the gradient goes to
    the index returned: the first of equal values. ``max(a, b)`` is `maximum`.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> values, indices = tn.max(tn.tensor([[3.0, 1.0], [2.0, 5.0]]), dim=1)
    >>> values, indices
    (tensor([3., 5.]), tensor([0, 1]))
    """
    if isinstance(dim, Tensor):
        return np.maximum(input, dim)
    return Amax.apply(input, axis=None, keepdims=False) if dim is None else _extremum("max", input, dim, keepdim)


@method
@takes_axis
def min(input: Tensor, dim: int | Tensor | None = None, keepdim: bool = False) -> Any:
    """Smallest value: of all, along one dimension (with its index), or of two tensors; as `max`.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.min(tn.tensor([[3.0, 1.0], [2.0, 5.0]]), dim=1).indices
    tensor([1, 0])
    """
    if isinstance(dim, Tensor):
        return np.minimum(input, dim)
    return Amin.apply(input, axis=None, keepdims=False) if dim is None else _extremum("min", input, dim, keepdim)


def _extremum(name: str, input: Tensor, dim: int, keepdim: bool) -> Extremum:
    dim = checked_dim(name, dim, input.ndim)
    position = np.argmax if name == "max" else np.argmin
    indices = position(input, axis=dim, keepdims=True)
    values = take_along(input, indices, dim)
    return Extremum(values, indices) if keepdim else Extremum(values.squeeze(dim), indices.squeeze(dim))


# ---------------------------------------------------------------------- as NumPy calls, with NumPy's conventions

@implements(np.sum)
def _np_sum(a: Tensor, axis: Any = None, dtype: Any = None, keepdims: bool = False) -> Tensor:
    return Sum.apply(a if dtype is None else a.astype(dtype), axis=axis, keepdims=keepdims)


@implements(np.mean)
def _np_mean(a: Tensor, axis: Any = None, dtype: Any = None, keepdims: bool = False) -> Tensor:
    return mean(a if dtype is None else a.astype(dtype), axis, keepdims)


@implements(np.var)
def _np_var(a: Tensor, axis: Any = None, dtype: Any = None, *, ddof: float = 0, keepdims: bool = False) -> Tensor:
    return var(a if dtype is None else a.astype(dtype), axis, ddof, keepdims)


@implements(np.max, np.amax)
def _np_max(a: Tensor, axis: Any = None, keepdims: bool = False) -> Tensor:
    return Amax.apply(a, axis=axis, keepdims=keepdims)


@implements(np.min, np.amin)
def _np_min(a: Tensor, axis: Any = None, keepdims: bool = False) -> Tensor:
    return Amin.apply(a, axis=axis, keepdims=keepdims)
