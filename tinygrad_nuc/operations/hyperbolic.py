"""Hyperbolic functions and their inverses."""

import numpy as np

from ..engine.operation import Operation
from ..engine.tensor import Tensor, method


class Sinh(Operation, numpy=np.sinh):
    """y = sinh a = (eᵃ − e⁻ᵃ) / 2"""
    def forward(a):       return np.sinh(a)
    def grad_a(g, y, a):  return g * np.cosh(a)


class Cosh(Operation, numpy=np.cosh):
    """y = cosh a = (eᵃ + e⁻ᵃ) / 2"""
    def forward(a):       return np.cosh(a)
    def grad_a(g, y, a):  return g * np.sinh(a)


class Tanh(Operation, numpy=np.tanh):
    """y = tanh a"""
    def forward(a):       return np.tanh(a)
    def grad_a(g, y, a):  return g * (1 - y * y)


class Arcsinh(Operation, numpy=np.arcsinh):
    """y = arsinh a"""
    def forward(a):       return np.arcsinh(a)
    def grad_a(g, y, a):  return g / np.hypot(1, a)                         # √(1 + a²), where a² may overflow


class Arccosh(Operation, numpy=np.arccosh):
    """y = arcosh a, with an infinite slope at a = 1"""
    def forward(a):       return np.arccosh(a)
    def grad_a(g, y, a):  return g / (np.sqrt(a - 1) * np.sqrt(a + 1))      # √(a² − 1), where a² may overflow


class Arctanh(Operation, numpy=np.arctanh):
    """y = artanh a, infinite with an infinite slope at a = ±1"""
    def forward(a):       return np.arctanh(a)
    def grad_a(g, y, a):  return g / ((1 - a) * (1 + a))                    # 1 − a² would be rounded near ±1


@method
def sinh(input: Tensor) -> Tensor:
    """Hyperbolic sine (eᵃ − e⁻ᵃ)/2; derivative cosh a.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.tensor([0.0, 1.0]).sinh()
    tensor([0.0000, 1.1752])
    """
    return Sinh.apply(input)


@method
def cosh(input: Tensor) -> Tensor:
    """Hyperbolic cosine (eᵃ + e⁻ᵃ)/2; derivative sinh a.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.tensor([0.0, 1.0]).cosh()
    tensor([1.0000, 1.5431])
    """
    return Cosh.apply(input)


@method
def tanh(input: Tensor) -> Tensor:
    """Hyperbolic tangent, an activation between −1 and 1; derivative 1 − tanh² a.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.tanh(tn.tensor([-1.0, 0.0, 1.0]))
    tensor([-0.7616,  0.0000,  0.7616])
    """
    return Tanh.apply(input)


@method
def asinh(input: Tensor) -> Tensor:
    """Inverse hyperbolic sine ln(a + √(a² + 1)); derivative 1/√(a² + 1). `arcsinh` is the same function.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.tensor([0.0, 1.0]).asinh()
    tensor([0.0000, 0.8814])
    """
    return Arcsinh.apply(input)


@method
def acosh(input: Tensor) -> Tensor:
    """Inverse hyperbolic cosine ln(a + √(a² − 1)); derivative 1/√(a² − 1), which is infinite at a = 1.

    Below 1 it is NaN, as in NumPy. `arccosh` is the same function.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.tensor([1.0, 2.0]).acosh()
    tensor([0.0000, 1.3170])
    """
    return Arccosh.apply(input)


@method
def atanh(input: Tensor) -> Tensor:
    """Inverse hyperbolic tangent ½ ln((1 + a)/(1 − a)), a rapidity if a is a velocity; derivative 1/(1 − a²).

    It is ±∞ with an infinite slope at a = ±1, and NaN beyond, as in NumPy. `arctanh` is the same function.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.tensor([0.0, 0.5]).atanh()
    tensor([0.0000, 0.5493])
    """
    return Arctanh.apply(input)


arcsinh, arccosh, arctanh = asinh, acosh, atanh                             # PyTorch knows them by both names
for _name in ("arcsinh", "arccosh", "arctanh"):
    setattr(Tensor, _name, globals()[_name])
