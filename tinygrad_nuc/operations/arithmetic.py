"""Sums, products, powers and remainders: what the operators + - * / ** % and abs() stand for."""

from typing import Any

import numpy as np

from ..engine.operation import Operation
from ..engine.registry import implements
from ..engine.tensor import Tensor, method


class Add(Operation, numpy=np.add):
    """y = a + b"""
    def forward(a, b):       return a + b
    def grad_a(g, y, a, b):  return g
    def grad_b(g, y, a, b):  return g


class Subtract(Operation, numpy=np.subtract):
    """y = a − b"""
    def forward(a, b):       return a - b
    def grad_a(g, y, a, b):  return g
    def grad_b(g, y, a, b):  return -g


class Multiply(Operation, numpy=np.multiply):
    """y = a · b"""
    def forward(a, b):       return a * b
    def grad_a(g, y, a, b):  return g * b
    def grad_b(g, y, a, b):  return g * a


class Divide(Operation, numpy=np.true_divide):
    """y = a / b"""
    def forward(a, b):       return a / b
    def grad_a(g, y, a, b):  return g / b
    def grad_b(g, y, a, b):  return -g * y / b                      # −a/b² = −y/b


class Negative(Operation, numpy=np.negative):
    """y = −a"""
    def forward(a):          return -a
    def grad_a(g, y, a):     return -g


class Absolute(Operation, numpy=np.absolute):
    """y = |a|, with |a|′ = 0 at a = 0"""
    def forward(a):          return np.absolute(a)
    def grad_a(g, y, a):     return g * np.sign(a)


class ConstantPower(Operation):
    """y = aⁿ for a number n"""
    def forward(a, *, n):       return a ** n
    def grad_a(g, y, a, *, n):
        if n == 2:
            return g * (2 * a)
        return g * n * a ** (n - 1) if n != 0 else np.zeros_like(g)


class Power(Operation):
    """y = aᵇ, with ∂y/∂a = 0 at a = b = 0, and ∂y/∂b = 0 where a = 0"""
    def forward(a, b):       return a ** b

    def grad_a(g, y, a, b):                                         # b aᵇ⁻¹
        less = (a != 0) | (b != 0)      # 1, but 0 at a = b = 0, where 0 · 0⁻¹ would be NaN
        return g * b * a ** (b - less)

    def grad_b(g, y, a, b):                                         # aᵇ ln a
        more = a == 0                   # 0, but 1 at a = 0, where ln 0 would be −∞: a power of zero stays zero
        return g * y * np.log(a + more)


class Remainder(Operation, numpy=np.remainder):
    """y = a − n b with the whole number n = ⌊a/b⌋, so y has the sign of b; n is taken as constant"""
    def forward(a, b):       return np.remainder(a, b)
    def grad_a(g, y, a, b):  return g
    def grad_b(g, y, a, b):  return -g * np.rint(a / b - y / b)


class Fmod(Operation, numpy=np.fmod):
    """y = a − n b with the whole number n = a/b cut towards 0, so y has the sign of a; n is taken as constant"""
    def forward(a, b):       return np.fmod(a, b)
    def grad_a(g, y, a, b):  return g
    def grad_b(g, y, a, b):  return -g * np.rint(a / b - y / b)


# ---------------------------------------------------------------------- as functions and methods
# From here on abs and pow are ours, not Python's.

@method
def add(input: Tensor, other: Tensor | float, *, alpha: float = 1) -> Tensor:
    """Sum a + alpha · b, broadcast as in NumPy; without `alpha`, the operator ``+``.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.add(tn.tensor([1.0, 2.0]), 10)
    tensor([11., 12.])
    """
    return Add.apply(input, other if isinstance(alpha, (int, float)) and alpha == 1 else alpha * other)


@method
def sub(input: Tensor, other: Tensor | float, *, alpha: float = 1) -> Tensor:
    """Difference a − alpha · b, broadcast as in NumPy; without `alpha`, the operator ``-``.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.sub(tn.tensor([1.0, 2.0]), 10)
    tensor([-9., -8.])
    """
    return Subtract.apply(input, other if isinstance(alpha, (int, float)) and alpha == 1 else alpha * other)


@method
def mul(input: Tensor, other: Tensor | float) -> Tensor:
    """Product a · b, element by element, broadcast as in NumPy; the operator ``*``.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.mul(tn.tensor([1.0, 2.0]), tn.tensor([3.0, 4.0]))
    tensor([3., 8.])
    """
    return Multiply.apply(input, other)


@method
def div(input: Tensor, other: Tensor | float) -> Tensor:
    """Quotient a / b, broadcast as in NumPy; the operator ``/``.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.div(tn.tensor([1.0, 2.0]), 4)
    tensor([0.2500, 0.5000])
    """
    return Divide.apply(input, other)


@method
def neg(input: Tensor) -> Tensor:
    """−a; the operator ``-``.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.neg(tn.tensor([1.0, -2.0]))
    tensor([-1.,  2.])
    """
    return Negative.apply(input)


@method
def abs(input: Tensor) -> Tensor:
    """Absolute value |a|. The derivative is the sign of a, and 0 at a = 0.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.abs(tn.tensor([1.0, -2.0]))
    tensor([1., 2.])
    """
    return Absolute.apply(input)


@method
@implements(np.power)
def pow(input: Tensor | float, exponent: Tensor | float) -> Tensor:
    """Power aᵇ; the operator ``**``. Either may be a number.

    ∂y/∂a = b aᵇ⁻¹ and ∂y/∂b = aᵇ ln a. At a = b = 0 the first is 0, and the second is 0 wherever a = 0, so that
    polynomials have the right derivatives at 0.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.pow(tn.tensor([1.0, 2.0, 3.0]), 2)
    tensor([1., 4., 9.])
    >>> 2 ** tn.tensor([1.0, 2.0, 3.0])
    tensor([2., 4., 8.])
    """
    if isinstance(exponent, (int, float, np.generic)):
        return ConstantPower.apply(input, n=exponent)
    if exponent.dtype.kind in "ub":
        exponent = exponent.astype(np.int64)        # b − 1 of an unsigned 0 would be 255 or more
    return Power.apply(input, exponent)


@method
@implements(np.square)
def square(input: Tensor) -> Tensor:
    """Square a²; derivative 2a.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.square(tn.tensor([-3.0, 2.0]))
    tensor([9., 4.])
    """
    return ConstantPower.apply(input, n=2)


@method
@implements(np.reciprocal)
def reciprocal(input: Tensor) -> Tensor:
    """1/a; derivative −1/a².

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.tensor([2.0, -4.0]).reciprocal()
    tensor([ 0.5000, -0.2500])
    """
    return Divide.apply(1, input)


@method
def positive(input: Tensor) -> Tensor:
    """The tensor itself; the operator ``+``.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> +tn.tensor([1.0, -2.0])
    tensor([ 1., -2.])
    """
    return input


@method
def remainder(input: Tensor, other: Tensor | float) -> Tensor:
    """What is left of a after taking away whole multiples of b, with the sign of b; the operator ``%``.

    The derivatives are 1 in a and −⌊a/b⌋ in b, and the jumps of the floor do not count.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.tensor([370.0, -10.0]).remainder(360)
    tensor([ 10., 350.])
    """
    return Remainder.apply(input, other)


@method
def fmod(input: Tensor, other: Tensor | float) -> Tensor:
    """What is left of a after taking away whole multiples of b, with the sign of a (C's fmod).

    The derivatives are 1 in a and minus the number of multiples in b, and the jumps of that number do not count.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.tensor([370.0, -370.0]).fmod(360)
    tensor([ 10., -10.])
    """
    return Fmod.apply(input, other)


# ---------------------------------------------------------------------- as operators and NumPy calls

@method
def __pos__(self: Tensor) -> Tensor:
    return self


@method
def __mod__(self: Tensor, other: Any) -> Tensor:
    return Remainder.apply(self, other)


@method
def __rmod__(self: Tensor, other: Any) -> Tensor:
    return Remainder.apply(other, self)


@implements(np.positive)
def _np_positive(x: Tensor) -> Tensor:
    return x.clone()                            # NumPy's result has memory of its own


@implements(np.fabs)
def _np_fabs(x: Tensor) -> Tensor:
    return Absolute.apply(x)


@implements(np.float_power)
def _np_float_power(x1: Any, x2: Any) -> Tensor:
    """Powers that are floats for integers too; float32 stays float32, which NumPy would compute as float64."""
    return pow(*(x.astype(np.float64) if hasattr(x, "dtype") and x.dtype.kind in "iub" else x for x in (x1, x2)))
