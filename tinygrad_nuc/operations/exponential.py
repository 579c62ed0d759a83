"""Exponentials, logarithms and the square root."""

import numpy as np

from ..engine.operation import Operation
from ..engine.tensor import Tensor, method


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


class Sqrt(Operation, numpy=np.sqrt):
    """y = √a, with an infinite slope at a = 0"""
    def forward(a):       return np.sqrt(a)
    def grad_a(g, y, a):  return g / (2 * y)


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
