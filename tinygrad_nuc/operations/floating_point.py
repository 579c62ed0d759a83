"""What floating-point numbers have and real numbers have not: signs of zero, infinities, and NaN."""

from typing import Any

import numpy as np

from ..engine.operation import Operation
from ..engine.registry import implements
from ..engine.tensor import Tensor, method
from .selection import where


class Copysign(Operation, numpy=np.copysign):
    """y = |a| with the sign of b, constant in b almost everywhere; slope 0 at a = 0, as for |a|"""
    def forward(a, b):       return np.copysign(a, b)
    def grad_a(g, y, a, b):  return g * np.sign(a) * np.sign(y)


@method
def copysign(input: Tensor, other: Tensor | float) -> Tensor:
    """|a| with the sign of b, which zeros and infinities have too. No gradient passes to b.

    The derivative in a is 1 where the two signs are equal and −1 where they are not, and 0 at a = 0.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.tensor([1.0, -2.0]).copysign(tn.tensor([-5.0, -0.0]))
    tensor([-1., -2.])
    """
    return Copysign.apply(input, other)


@method
@implements(np.fmax)
def fmax(input: Tensor, other: Tensor | float) -> Tensor:
    """The larger of two values, or the one that is not NaN; where they are equal, each gets half the gradient.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.tensor([1.0, float("nan")]).fmax(tn.tensor([3.0, 4.0]))
    tensor([3., 4.])
    """
    larger = np.maximum(input, other)           # NaN if one of them is
    return where(np.isnan(input), other, where(np.isnan(larger), input, larger))


@method
@implements(np.fmin)
def fmin(input: Tensor, other: Tensor | float) -> Tensor:
    """The smaller of two values, or the one that is not NaN; where they are equal, each gets half the gradient.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.tensor([1.0, float("nan")]).fmin(tn.tensor([3.0, 4.0]))
    tensor([1., 4.])
    """
    smaller = np.minimum(input, other)          # NaN if one of them is
    return where(np.isnan(input), other, where(np.isnan(smaller), input, smaller))


@method
def nan_to_num(input: Tensor, nan: float = 0.0, posinf: float | None = None, neginf: float | None = None) -> Tensor:
    """`nan` in the place of NaN, and `posinf` and `neginf` (the largest float and its negative) of ±∞.

    The gradient passes where the value is finite.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.tensor([1.0, float("nan"), float("inf")]).nan_to_num(posinf=9.0)
    tensor([1., 0., 9.])
    """
    if input.dtype.kind != "f":
        return input
    largest = float(np.finfo(input.dtype).max)
    y = where(np.isnan(input), nan, input)
    y = where(input == np.inf, largest if posinf is None else posinf, y)
    return where(input == -np.inf, -largest if neginf is None else neginf, y)


@implements(np.nan_to_num)
def _np_nan_to_num(x: Tensor, copy: bool = True, nan: float = 0.0, posinf: Any = None, neginf: Any = None) -> Tensor:
    if not copy:
        raise TypeError("numpy.nan_to_num cannot write into a Tensor; leave copy=False away")
    return nan_to_num(x, nan, posinf, neginf)
