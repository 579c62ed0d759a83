"""Angles, in radians: circular functions, their inverses, and what goes with them."""

import math

import numpy as np

from ..engine.operation import Operation
from ..engine.registry import implements
from ..engine.tensor import Tensor, method
from .norms import over_length
from .special import polynomial


class Sin(Operation, numpy=np.sin):
    """y = sin a"""
    def forward(a):       return np.sin(a)
    def grad_a(g, y, a):  return g * np.cos(a)


class Cos(Operation, numpy=np.cos):
    """y = cos a"""
    def forward(a):       return np.cos(a)
    def grad_a(g, y, a):  return -g * np.sin(a)


class Tan(Operation, numpy=np.tan):
    """y = tan a"""
    def forward(a):       return np.tan(a)
    def grad_a(g, y, a):  return g * (1 + y * y)


class Arcsin(Operation, numpy=np.arcsin):
    """y = arcsin a, with an infinite slope at a = ±1"""
    def forward(a):       return np.arcsin(a)
    def grad_a(g, y, a):  return g / np.sqrt((1 - a) * (1 + a))         # 1 − a² would be rounded near ±1


class Arccos(Operation, numpy=np.arccos):
    """y = arccos a, with an infinite slope at a = ±1"""
    def forward(a):       return np.arccos(a)
    def grad_a(g, y, a):  return -g / np.sqrt((1 - a) * (1 + a))


class Arctan(Operation, numpy=np.arctan):
    """y = arctan a"""
    def forward(a):       return np.arctan(a)

    def grad_a(g, y, a):                                                # 1 / (1 + a²), where a² may overflow
        r = np.hypot(1, a)
        return g / r / r


class Arctan2(Operation, numpy=np.arctan2):
    """y = the angle of the point (b, a), from −π to π, with slope 0 at the origin"""
    def forward(a, b):       return np.arctan2(a, b)
    def grad_a(g, y, a, b):  return g * over_square(b, a, b)            # b / (a² + b²)
    def grad_b(g, y, a, b):  return -g * over_square(a, a, b)


class Hypot(Operation, numpy=np.hypot):
    """y = √(a² + b²), with slope 0 at a = b = 0"""
    def forward(a, b):       return np.hypot(a, b)
    def grad_a(g, y, a, b):  return g * over_length(a, y)
    def grad_b(g, y, a, b):  return g * over_length(b, y)


class Sinc(Operation, numpy=np.sinc):
    """y = sin(πa) / (πa), and 1 at a = 0"""
    def forward(a):          return np.sinc(a)

    def grad_a(g, y, a):
        near = np.absolute(a) < 0.3             # cos πa − sinc a would be all rounding there: use Taylor's series
        x, z = np.where(near, 1, a), np.where(near, a, 0)
        return g * np.where(near, z * polynomial(SINC_SLOPE, z * z), (np.cos(np.pi * x) - np.sinc(x)) / x)


# the slope of Σₖ (−1)ᵏ (πa)²ᵏ / (2k + 1)!, divided by a: a polynomial in a²
SINC_SLOPE = tuple((-1) ** k * math.pi ** (2 * k) * 2 * k / math.factorial(2 * k + 1) for k in range(1, 11))


def over_square(x, a, b):
    """x / (a² + b²), where the squares may overflow; 0 at a = b = 0 for x = a and x = b."""
    r = np.hypot(a, b)
    return over_length(over_length(x, r), r)


# ---------------------------------------------------------------------- as functions and methods

@method
def sin(input: Tensor) -> Tensor:
    """Sine; derivative cos a.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.sin(tn.tensor([0.0, 0.5]))
    tensor([0.0000, 0.4794])
    """
    return Sin.apply(input)


@method
def cos(input: Tensor) -> Tensor:
    """Cosine; derivative −sin a.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.cos(tn.tensor([0.0, 0.5]))
    tensor([1.0000, 0.8776])
    """
    return Cos.apply(input)


@method
def tan(input: Tensor) -> Tensor:
    """Tangent; derivative 1 + tan² a.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.tensor([0.0, 0.5]).tan()
    tensor([0.0000, 0.5463])
    """
    return Tan.apply(input)


@method
def asin(input: Tensor) -> Tensor:
    """Arc sine, from −π/2 to π/2; derivative 1/√(1 − a²), which is infinite at a = ±1, as in calculus.

    Outside [−1, 1] it is NaN, as in NumPy. `arcsin` is the same function.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.tensor([0.0, 0.5, 1.0]).asin()
    tensor([0.0000, 0.5236, 1.5708])
    """
    return Arcsin.apply(input)


@method
def acos(input: Tensor) -> Tensor:
    """Arc cosine, from 0 to π; derivative −1/√(1 − a²), which is infinite at a = ±1, as in calculus.

    Outside [−1, 1] it is NaN, as in NumPy. `arccos` is the same function.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.tensor([0.0, 0.5, 1.0]).acos()
    tensor([1.5708, 1.0472, 0.0000])
    """
    return Arccos.apply(input)


@method
def atan(input: Tensor) -> Tensor:
    """Arc tangent, from −π/2 to π/2; derivative 1/(1 + a²). `arctan` is the same function.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.tensor([0.0, 1.0]).atan()
    tensor([0.0000, 0.7854])
    """
    return Arctan.apply(input)


@method
def atan2(input: Tensor, other: Tensor | float) -> Tensor:
    """Azimuth of the point x = `other`, y = `input`: arctan(y/x) in the right quadrant, from −π to π.

    The derivatives are x/r² in y and −y/r² in x, with r² = x² + y². At the origin, where there is no angle,
    both are 0 by convention (PyTorch: NaN). `arctan2` is the same function.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> y, x = tn.tensor([1.0, 1.0, -1.0]), tn.tensor([1.0, -1.0, -1.0])
    >>> y.atan2(x)
    tensor([ 0.7854,  2.3562, -2.3562])
    """
    return Arctan2.apply(input, other)


@method
def hypot(input: Tensor, other: Tensor | float) -> Tensor:
    """Length √(a² + b²), where the squares may overflow; derivatives a/√(a² + b²) and b/√(a² + b²).

    At a = b = 0, the tip of a cone, both are 0 by convention (PyTorch: NaN).

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.tensor([3.0, 1e30]).hypot(tn.tensor([4.0, 1e30]))
    tensor([5.0000e+00, 1.4142e+30])
    """
    return Hypot.apply(input, other)


@method
def sinc(input: Tensor) -> Tensor:
    """sin(πa)/(πa), and 1 at a = 0: the amplitude behind a slit. Its derivatives are right at and near 0 too.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.tensor([0.0, 0.5, 1.5]).sinc()
    tensor([ 1.0000,  0.6366, -0.2122])
    """
    return Sinc.apply(input)


@method
@implements(np.deg2rad, np.radians)
def deg2rad(input: Tensor) -> Tensor:
    """Degrees to radians: a · π/180.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.tensor([90.0, 180.0]).deg2rad()
    tensor([1.5708, 3.1416])
    """
    return input * (np.pi / 180)


@method
@implements(np.rad2deg, np.degrees)
def rad2deg(input: Tensor) -> Tensor:
    """Radians to degrees: a · 180/π.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.tensor([0.5, 1.0]).rad2deg()
    tensor([28.6479, 57.2958])
    """
    return input * (180 / np.pi)


arcsin, arccos, arctan, arctan2 = asin, acos, atan, atan2               # PyTorch knows them by both names
for _name in ("arcsin", "arccos", "arctan", "arctan2"):
    setattr(Tensor, _name, globals()[_name])
