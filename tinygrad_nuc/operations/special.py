"""The error function, and its complement, which is accurate where the error function has come close to 1.

NumPy has neither. The coefficients below are our own: polynomials through Chebyshev points, computed in 50 digits
(with mpmath) and then rounded. Relative errors stay below 3e-16 for erf, and below 1e-15 for erfc as long as its
result is a normal number (a < 26.5).
"""

import math

import numpy as np

from ..engine.arrays import as_float
from ..engine.operation import Operation
from ..engine.tensor import Tensor, method

SLOPE_AT_0 = 2 / math.sqrt(math.pi)

# erf(x)/x for |x| ≤ 1, a polynomial in x² through 12 points
CORE = (
    1.1283791670955126, -0.37612638903183543, 0.11283791670945006, -0.02686617064323777,
    0.0052239776071164225, -0.0008548325975389692, 0.00012055294904839707, -1.492473690741966e-05,
    1.6447424703317362e-06, -1.6208483801871705e-07, 1.3720064546777686e-08, -7.795898827002142e-10,
)
# exp(x²) erfc(x) · (x + 4)/4 for x ≥ 0, a polynomial in t = (x − 4)/(x + 4) through 23 points from −1 to 1
TAIL = (
    0.27399891525012277, -0.2441371822702206, 0.19330217556630902, -0.13521345782829913,
    0.08271289696952584, -0.04350273431022892, 0.019095378726752158, -0.006592513332237486,
    0.0015280139205288011, -7.023973429864022e-05, -0.00011376321237622333, 4.420327118929924e-05,
    -9.086395093590862e-07, -4.715370444493941e-06, 1.1732609498291667e-06, 3.562393200959625e-07,
    -2.1111037846283067e-07, -1.8994402187265254e-08, 3.077901855639743e-08, 2.0691219034054744e-10,
    -3.880515697903128e-09, 6.617942512486173e-11, 3.130423070529455e-10,
)


class Erf(Operation):
    """y = erf a = 2/√π ∫₀ᵃ exp(−t²) dt"""
    def forward(a):
        a = as_float(a)
        x = np.clip(a, -1, 1)
        return np.where(x == a, x * polynomial(CORE, x * x), np.sign(a) * (1 - upper_tail(np.absolute(a))))

    def grad_a(g, y, a):  return g * SLOPE_AT_0 * gaussian(a)


class Erfc(Operation):
    """y = erfc a = 1 − erf a"""
    def forward(a):
        a = as_float(a)
        y = upper_tail(np.absolute(a))
        return np.where(a < 0, 2 - y, y)

    def grad_a(g, y, a):  return -g * SLOPE_AT_0 * gaussian(a)


def upper_tail(x):
    """erfc x for x ≥ 0."""
    x = np.minimum(x, 30)                                   # from where on it is 0
    return gaussian(x) * polynomial(TAIL, (x - 4) / (x + 4)) * (4 / (x + 4))


def gaussian(x):
    """exp(−x²). The rounding of x² would be magnified, so x² is taken apart into c² and (x − c)(x + c).

    c is x to 6 binary places, few enough for c² to be exact in float32 too.
    """
    x = np.clip(x, -30, 30)                                 # beyond, it is 0
    c = np.rint(x * 64.0) / 64.0
    return np.exp(-c * c) * np.exp((c - x) * (c + x))


def polynomial(coefficients, x):
    """c₀ + c₁x + c₂x² + …, from the inside out: c₀ + x (c₁ + x (c₂ + …))."""
    y = coefficients[-1]
    for c in reversed(coefficients[:-1]):
        y = c + x * y
    return y


# ---------------------------------------------------------------------- as functions and methods

@method
def erf(input: Tensor) -> Tensor:
    """Error function 2/√π ∫₀ᵃ exp(−t²) dt, from −1 to 1; derivative 2/√π exp(−a²).

    A normal variable lies within n standard deviations with probability erf(n/√2).

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.tensor([0.0, 1.0, 2.0]).div(2**0.5).erf()
    tensor([0.0000, 0.6827, 0.9545])
    """
    return Erf.apply(input)


@method
def erfc(input: Tensor) -> Tensor:
    """Complement 1 − erf a, accurate also where that is tiny; derivative −2/√π exp(−a²).

    A normal variable exceeds n standard deviations (a p-value, one-sided) with probability erfc(n/√2)/2.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.tensor([0.0, 1.0, 5.0]).erfc()
    tensor([1.0000e+00, 1.5730e-01, 1.5375e-12])
    """
    return Erfc.apply(input)
