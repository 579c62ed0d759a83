"""Exponentials, logarithms and roots."""

import math

import numpy as np

from ..engine.operation import Operation
from ..engine.registry import implements
from ..engine.tensor import Tensor, method
from .activations import Sigmoid

LN_2, LN_10 = math.log(2), math.log(10)


class Exp(Operation, numpy=np.exp):
    """y = eᵃ"""
    def forward(a):       return np.exp(a)
    def grad_a(g, y, a):  return g * y


class Expm1(Operation, numpy=np.expm1):
    """y = eᵃ − 1, exact for small a"""
    def forward(a):       return np.expm1(a)
    def grad_a(g, y, a):  return g * np.exp(a)


class Log(Operation, numpy=np.log):
    """y = ln a"""
    def forward(a):       return np.log(a)
    def grad_a(g, y, a):  return g / a


class Log1p(Operation, numpy=np.log1p):
    """y = ln(1 + a), exact for small a"""
    def forward(a):       return np.log1p(a)
    def grad_a(g, y, a):  return g / (1 + a)


class Exp2(Operation, numpy=np.exp2):
    """y = 2ᵃ"""
    def forward(a):       return np.exp2(a)
    def grad_a(g, y, a):  return g * y * LN_2


class Log2(Operation, numpy=np.log2):
    """y = log₂ a"""
    def forward(a):       return np.log2(a)
    def grad_a(g, y, a):  return g / a / LN_2


class Log10(Operation, numpy=np.log10):
    """y = log₁₀ a"""
    def forward(a):       return np.log10(a)
    def grad_a(g, y, a):  return g / a / LN_10


class Logaddexp(Operation, numpy=np.logaddexp):
    """y = ln(eᵃ + eᵇ); equal infinities share the gradient, as equal numbers do"""
    def forward(a, b):
        with np.errstate(over="ignore"):        # NumPy takes a − b, which may be too large for a float
            return np.logaddexp(a, b)

    def grad_a(g, y, a, b):  return g * Sigmoid.apply(gap(a, b))            # eᵃ / (eᵃ + eᵇ)
    def grad_b(g, y, a, b):  return g * Sigmoid.apply(gap(b, a))


class Sqrt(Operation, numpy=np.sqrt):
    """y = √a, with an infinite slope at a = 0"""
    def forward(a):       return np.sqrt(a)
    def grad_a(g, y, a):  return g / (2 * y)


class Cbrt(Operation, numpy=np.cbrt):
    """y = ∛a, of negative numbers too, with an infinite slope at a = 0"""
    def forward(a):       return np.cbrt(a)
    def grad_a(g, y, a):  return g / (3 * y * y)


def gap(a, b):
    """a − b, and 0 for two equal infinities."""
    same = np.isinf(a) & (a == b)
    with np.errstate(over="ignore"):            # what is too large for a float becomes infinite, which is right here
        return np.where(same, 0, a) - np.where(same, 0, b)


# ---------------------------------------------------------------------- as functions and methods

@method
def exp(input: Tensor) -> Tensor:
    """Exponential eᵃ, element by element; its own derivative.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.exp(tn.tensor([0.0, 1.0]))
    tensor([1.0000, 2.7183])
    """
    return Exp.apply(input)


@method
def expm1(input: Tensor) -> Tensor:
    """eᵃ − 1 without the rounding that the subtraction would bring for small a; derivative eᵃ.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.expm1(tn.tensor([0.0, 1.0]))
    tensor([0.0000, 1.7183])
    """
    return Expm1.apply(input)


@method
def log(input: Tensor) -> Tensor:
    """Natural logarithm ln a; derivative 1/a. ln 0 = −∞, and negative values give NaN, as in NumPy.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.log(tn.tensor([1.0, 10.0]))
    tensor([0.0000, 2.3026])
    """
    return Log.apply(input)


@method
def log1p(input: Tensor) -> Tensor:
    """ln(1 + a) without the rounding that the sum would bring for small a; derivative 1/(1 + a).

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.log1p(tn.tensor([0.0, 1.0]))
    tensor([0.0000, 0.6931])
    """
    return Log1p.apply(input)


@method
def sqrt(input: Tensor) -> Tensor:
    """Square root √a; derivative 1/(2√a), which is infinite at a = 0, as in calculus.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.sqrt(tn.tensor([1.0, 2.0]))
    tensor([1.0000, 1.4142])
    """
    return Sqrt.apply(input)


@method
def exp2(input: Tensor) -> Tensor:
    """Power of two 2ᵃ; derivative 2ᵃ ln 2.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.tensor([0.5, 3.0]).exp2()
    tensor([1.4142, 8.0000])
    """
    return Exp2.apply(input)


@method
def log2(input: Tensor) -> Tensor:
    """Logarithm to base 2; derivative 1/(a ln 2).

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.tensor([3.0, 8.0]).log2()
    tensor([1.5850, 3.0000])
    """
    return Log2.apply(input)


@method
def log10(input: Tensor) -> Tensor:
    """Logarithm to base 10; derivative 1/(a ln 10).

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.tensor([2.0, 1000.0]).log10()
    tensor([0.3010, 3.0000])
    """
    return Log10.apply(input)


@method
def logaddexp(input: Tensor, other: Tensor | float) -> Tensor:
    """ln(eᵃ + eᵇ) without overflow: the sum of two probabilities that are given by their logarithms.

    The derivatives are σ(a − b) and σ(b − a), also for huge arguments; equal ones, infinite ones too, have ½ each.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.tensor([0.0, 1000.0]).logaddexp(tn.tensor([0.0, 1000.0]))
    tensor([6.9315e-01, 1.0007e+03])
    """
    return Logaddexp.apply(input, other)


@method
@implements(np.logaddexp2)
def logaddexp2(input: Tensor, other: Tensor | float) -> Tensor:
    """log₂(2ᵃ + 2ᵇ) without overflow; its derivatives are 2ᵃ/(2ᵃ + 2ᵇ) and 2ᵇ/(2ᵃ + 2ᵇ).

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.tensor([0.0, 1000.0]).logaddexp2(tn.tensor([0.0, 999.0]))
    tensor([1.0000e+00, 1.0006e+03])
    """
    return Logaddexp.apply(input * LN_2, other * LN_2) / LN_2
