"""Linear equations, inverses and determinants."""

import math
from typing import NamedTuple

import numpy as np

from ..engine.operation import Operation
from ..engine.registry import implements
from ..engine.tensor import Tensor, method
from .selection import where


class Solve(Operation):
    """y = a⁻¹ b, the solution of a y = b, for square matrices a and columns b"""
    def forward(a, b):       return np.linalg.solve(a, b)
    def grad_a(g, y, a, b):  return -np.matmul(Solve.apply(transposed(a), g), transposed(y))       # −a⁻ᵀ g yᵀ
    def grad_b(g, y, a, b):  return Solve.apply(transposed(a), g)                                  # a⁻ᵀ g

    @classmethod
    def would_fit(cls, a, b):
        if a.ndim < 2 or a.shape[-1] != a.shape[-2]:
            return f"a must be a square matrix, or a stack of them, and its shape is {a.shape}"
        if b.ndim < 2 or b.shape[-2] != a.shape[-1]:
            return f"b must have as many rows as a, {a.shape[-1]}, and its shape is {b.shape}"
        return ""


class Inverse(Operation, numpy=np.linalg.inv):
    """y = a⁻¹, for square matrices"""
    def forward(a):          return np.linalg.inv(a)
    def grad_a(g, y, a):     return -np.matmul(transposed(y), np.matmul(g, transposed(y)))         # −yᵀ g yᵀ

    @classmethod
    def would_fit(cls, a):
        return needs_square(a)


class Determinant(Operation, numpy=np.linalg.det):
    """y = det a, for square matrices that have an inverse (the derivative needs it)"""
    def forward(a):          return np.linalg.det(a)
    def grad_a(g, y, a):     return (g * y)[..., None, None] * transposed(Inverse.apply(a))        # y a⁻ᵀ

    @classmethod
    def would_fit(cls, a):
        return needs_square(a)


class LogAbsDet(Operation):
    """y = ln |det a|, for square matrices that have an inverse"""
    def forward(a):          return np.linalg.slogdet(a)[1]
    def grad_a(g, y, a):     return g[..., None, None] * transposed(Inverse.apply(a))              # a⁻ᵀ

    @classmethod
    def would_fit(cls, a):
        return needs_square(a)


class Cholesky(Operation, numpy=np.linalg.cholesky):
    """y = L, lower triangular, where L Lᵀ = a is symmetric, positive definite; only its lower triangle is read"""
    def forward(a):          return np.linalg.cholesky(a)

    def grad_a(g, y, a):                                            # with s = L⁻ᵀ Φ(Lᵀ g) L⁻¹, where Φ takes the lower
        phi = lower(np.matmul(transposed(y), g))                    # triangle and half of the diagonal: s + sᵀ, since
        s = Solve.apply(transposed(y), phi)                         # an element below the diagonal stands for two,
        s = transposed(Solve.apply(transposed(y), transposed(s)))   # and half of that on the diagonal
        return lower(s + transposed(s))

    @classmethod
    def would_fit(cls, a):
        return needs_square(a)


def lower(a):
    """The lower triangle, with half of the diagonal."""
    return (np.tril(a) + np.tril(a, -1)) / 2


def transposed(a):
    """The last two axes swapped."""
    return np.swapaxes(a, -1, -2)


def needs_square(a):
    """What to say of a matrix that is not square ('' if that is not the fault)."""
    square = a.ndim >= 2 and a.shape[-1] == a.shape[-2]
    return "" if square else f"expects a square matrix, or a stack of them, and its shape is {a.shape}"


# ---------------------------------------------------------------------- as functions (tn.linalg) and methods

@implements(np.linalg.solve)
def solve(A: Tensor, B: Tensor) -> Tensor:
    """Solution X of A X = B. Solving is faster and more accurate than multiplying by the inverse.

    Parameters
    ----------
    A : Tensor, shape (…, n, n)
    B : Tensor, shape (n,), one column, or (…, n, k), k columns (PyTorch takes (…, n) as a stack of single columns)

    Raises
    ------
    ValueError
        If the shapes do not fit, or (numpy.linalg.LinAlgError) A has no inverse.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.linalg.solve(tn.tensor([[2.0, 0.0], [1.0, 1.0]]), tn.tensor([2.0, 3.0]))
    tensor([1., 2.])
    """
    if np.ndim(B) == 1:                                             # a vector is one column
        return Solve.apply(A, B[:, None])[..., 0]
    return Solve.apply(A, B)


def inv(A: Tensor) -> Tensor:
    """Inverse of a square matrix, or of each in a stack of them.

    Raises
    ------
    ValueError
        If a matrix is not square, or has no inverse.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.linalg.inv(tn.tensor([[2.0, 0.0], [1.0, 1.0]]))
    tensor([[ 0.5000,  0.0000],
            [-0.5000,  1.0000]])
    """
    return Inverse.apply(A)


@method
def inverse(input: Tensor) -> Tensor:
    """Another name for `tn.linalg.inv`.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.inverse(tn.tensor([[4.0]]))
    tensor([[0.2500]])
    """
    return Inverse.apply(input)


@method
def det(input: Tensor) -> Tensor:
    """Determinant of a square matrix, or of each in a stack of them; derivative det(a) a⁻ᵀ.

    The derivative needs the inverse: at a matrix without one it is a ValueError.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.det(tn.tensor([[2.0, 0.0], [1.0, 1.5]]))
    tensor(3.)
    """
    return Determinant.apply(input)


@method
def logdet(input: Tensor) -> Tensor:
    """ln det a, NaN where the determinant is negative; derivative a⁻ᵀ.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.logdet(tn.tensor([[2.0, 0.0], [1.0, 1.5]]))
    tensor(1.0986)
    """
    sign, size = np.linalg.slogdet(input)
    return where(sign >= 0, size, math.nan)


class SignAndLog(NamedTuple):
    """What `slogdet` returns."""

    sign: Tensor
    logabsdet: Tensor


@implements(np.linalg.slogdet)
def slogdet(A: Tensor) -> SignAndLog:
    """Sign of the determinant, without gradient, and ln |det A|, which neither overflows nor underflows.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.linalg.slogdet(tn.tensor([[0.0, 2.0], [1.0, 1.5]]))
    SignAndLog(sign=tensor(-1.), logabsdet=tensor(0.6931))
    """
    size = LogAbsDet.apply(A)
    return SignAndLog(Tensor(np.linalg.slogdet(A.data)[0]), size)


def cholesky(A: Tensor) -> Tensor:
    """Lower triangular L with L Lᵀ = A, for a symmetric, positive definite A.

    Only the lower triangle of A is read, so only that gets a gradient, which counts for both triangles. (PyTorch
    shares it between them. If A is computed by a symmetric formula, what lies behind gets the same either way.)

    Raises
    ------
    ValueError
        If A is not positive definite.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.linalg.cholesky(tn.tensor([[4.0, 2.0], [2.0, 5.0]]))
    tensor([[2., 0.],
            [1., 2.]])
    """
    return Cholesky.apply(A)


@method
@implements(np.linalg.matrix_power)
def matrix_power(input: Tensor, n: int) -> Tensor:
    """The matrix multiplied by itself n times (of its inverse, for negative n), by repeated squaring.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.matrix_power(tn.tensor([[1.0, 1.0], [0.0, 1.0]]), 5)
    tensor([[1., 5.],
            [0., 1.]])
    """
    if not hasattr(n, "__index__"):
        raise TypeError(f"matrix_power: the exponent must be a whole number, not {n!r}")
    if needs_square(input):
        raise ValueError(f"matrix_power: {needs_square(input)}")
    power, base = None, input if n >= 0 else Inverse.apply(input)
    n = abs(int(n))
    while n:
        if n % 2:
            power = base if power is None else power @ base
        base, n = (base @ base if n > 1 else base), n // 2
    if power is None:                                               # a⁰: ones on the diagonal, whatever a is
        i = np.arange(input.shape[-1], like=input.data)
        return where(Tensor(np.zeros_like(input.data, bool)), input, Tensor((i[:, None] == i).astype(input.dtype)))
    return power if power is not input else input.clone()
