"""Functions that are constant almost everywhere: comparisons, signs, positions. No gradient passes through them."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..engine.registry import numpy_functions
from ..engine.tensor import Tensor, method, value
from .axes import checked_dim, takes_axis

PIECEWISE_CONSTANT = (
    np.less, np.less_equal, np.greater, np.greater_equal, np.equal, np.not_equal,
    np.logical_and, np.logical_or, np.logical_not, np.logical_xor,
    np.bitwise_and, np.bitwise_or, np.bitwise_xor, np.invert,
    np.isfinite, np.isnan, np.isinf, np.sign, np.floor, np.ceil, np.trunc, np.rint, np.round,
    np.any, np.all, np.argmax, np.argmin, np.argsort, np.zeros_like, np.ones_like,
)


def without_gradient(function: Callable) -> Callable:
    """`function` of the values alone, as a tensor without history."""
    def of_values(*args: Any, **options: Any) -> Tensor:
        return Tensor(function(*map(value, args), **options))
    return of_values


for _function in PIECEWISE_CONSTANT:
    numpy_functions[_function] = without_gradient(_function)


# ---------------------------------------------------------------------- as functions and methods
# From here on any and all are ours, not Python's.

@method
@takes_axis
def argmax(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Position of the largest value along `dim`, or in the flattened tensor; the first of equal ones.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.argmax(tn.tensor([[3.0, 1.0], [2.0, 5.0]]), dim=1)
    tensor([0, 1])
    """
    dim = dim if dim is None else checked_dim("argmax", dim, input.ndim)
    return Tensor(np.argmax(input.data, axis=dim, keepdims=keepdim))


@method
@takes_axis
def argmin(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Position of the smallest value along `dim`, or in the flattened tensor; the first of equal ones.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.argmin(tn.tensor([[3.0, 1.0], [2.0, 5.0]]), dim=1)
    tensor([1, 0])
    """
    dim = dim if dim is None else checked_dim("argmin", dim, input.ndim)
    return Tensor(np.argmin(input.data, axis=dim, keepdims=keepdim))


@method
def sign(input: Tensor) -> Tensor:
    """−1, 0 or 1.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.sign(tn.tensor([-2.0, 0.0, 3.0]))
    tensor([-1.,  0.,  1.])
    """
    return Tensor(np.sign(input.data))


@method
def floor(input: Tensor) -> Tensor:
    """Largest whole number that is not above the value; constant between whole numbers, so without a gradient.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.floor(tn.tensor([-1.5, 1.5]))
    tensor([-2.,  1.])
    """
    return Tensor(np.floor(input.data))


@method
def ceil(input: Tensor) -> Tensor:
    """Smallest whole number that is not below the value; without a gradient.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.ceil(tn.tensor([-1.5, 1.5]))
    tensor([-1.,  2.])
    """
    return Tensor(np.ceil(input.data))


@method
def trunc(input: Tensor) -> Tensor:
    """The whole number next to the value in the direction of 0; without a gradient.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.trunc(tn.tensor([-1.5, 1.5]))
    tensor([-1.,  1.])
    """
    return Tensor(np.trunc(input.data))


@method
def round(input: Tensor, decimals: int = 0) -> Tensor:
    """The nearest number with so many decimals, of two equally near ones the even one; without a gradient.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.round(tn.tensor([0.5, 1.5, 2.4]))
    tensor([0., 2., 2.])
    """
    return Tensor(np.round(input.data, decimals))


@method
def isfinite(input: Tensor) -> Tensor:
    """True where the value is neither infinite nor NaN.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.isfinite(tn.tensor([1.0, float("inf")]))
    tensor([ True, False])
    """
    return Tensor(np.isfinite(input.data))


@method
def isnan(input: Tensor) -> Tensor:
    """True where the value is not a number.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.isnan(tn.tensor([1.0, float("nan")]))
    tensor([False,  True])
    """
    return Tensor(np.isnan(input.data))


@method
@takes_axis
def any(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Whether any value is true (not zero).

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.any(tn.tensor([0.0, 1.0]) > 0.5)
    tensor(True)
    """
    return Tensor(np.any(input.data, axis=dim, keepdims=keepdim))


@method
@takes_axis
def all(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Whether all values are true (not zero).

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.all(tn.tensor([0.0, 1.0]) > 0.5)
    tensor(False)
    """
    return Tensor(np.all(input.data, axis=dim, keepdims=keepdim))


def allclose(input: Tensor, other: Tensor, rtol: float = 1e-5, atol: float = 1e-8) -> bool:
    """Whether |input − other| ≤ atol + rtol · |other| everywhere.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.allclose(tn.tensor([1.0]), tn.tensor([1.0 + 1e-7]))
    True
    """
    return np.allclose(value(input), value(other), rtol, atol)
