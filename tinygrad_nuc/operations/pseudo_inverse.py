"""The inverse of what is no square matrix: least squares, and linear equations between tensors."""

import math
from typing import Any

import numpy as np

from ..engine.operation import Operation
from ..engine.registry import implements
from ..engine.tensor import Tensor
from .linear_algebra import inv, solve, transposed


class PseudoInverse(Operation):
    """y = a⁺, with a a⁺ a = a and a⁺ a a⁺ = a⁺; the derivative takes the rank of a as constant"""
    def forward(a, *, rcond):       return np.linalg.pinv(a, rcond)

    def grad_a(g, y, a, *, rcond):                                  # −yᵀ g yᵀ, as for an inverse, and what it misses:
        g, u = transposed(g), transposed(y)
        from_rows = np.matmul(g - np.matmul(a, np.matmul(y, g)), np.matmul(y, u))           # (1 − a y) gᵀ y yᵀ
        from_columns = np.matmul(np.matmul(u, y), g - np.matmul(np.matmul(g, y), a))        # yᵀ y gᵀ (1 − y a)
        return from_rows + from_columns - np.matmul(u, np.matmul(transposed(g), u))

    @classmethod
    def would_fit(cls, a, *, rcond):
        return "" if a.ndim >= 2 else f"expects a matrix, or a stack of them, and its shape is {a.shape}"


def pinv(A: Tensor, *, rtol: float | None = None) -> Tensor:
    """Pseudo-inverse A⁺ of matrices of shape (…, n, m): A⁺ b is the shortest x for which |A x − b| is smallest.

    So ``pinv(A) @ b`` is a fit by linear least squares. The derivative takes the rank as constant: where a change of
    A would change the rank, A⁺ jumps and has none.

    Parameters
    ----------
    rtol : float, optional
        Singular values below `rtol` times the largest count as 0; max(n, m) times the precision of the dtype if it is
        not given.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> x, y = tn.tensor([0.0, 1.0, 2.0]), tn.tensor([1.0, 2.0, 6.0])
    >>> tn.linalg.pinv(tn.stack([x, tn.ones(3)], dim=1)) @ y        # slope and intercept of the best straight line
    tensor([2.5000, 0.5000])
    """
    if rtol is None:
        rtol = max(A.shape[-2:], default=0) * float(np.finfo(A.dtype).eps)
    return PseudoInverse.apply(A, rcond=rtol)


def tensorinv(A: Tensor, ind: int = 2) -> Tensor:
    """Inverse of ``tensordot(A, …, ind)``, where the first `ind` lengths of A multiply to as much as the others.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.linalg.tensorinv(tn.eye(6).reshape(2, 3, 6)).shape
    (6, 2, 3)
    """
    if ind < 1 or math.prod(A.shape[:ind]) != math.prod(A.shape[ind:]):
        raise ValueError(f"tensorinv: the first {ind} lengths of {tuple(A.shape)} must multiply to as much as the "
                         "others")
    n = math.prod(A.shape[:ind])
    return inv(A.reshape(n, n)).reshape(*A.shape[ind:], *A.shape[:ind])


def tensorsolve(A: Tensor, B: Tensor) -> Tensor:
    """X with ``tensordot(A, X, X.ndim)`` = B; the shape of A is that of B and then that of X.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.linalg.tensorsolve(tn.eye(6).reshape(2, 3, 6), tn.ones(2, 3)).shape
    (6,)
    """
    n = math.prod(B.shape)
    if math.prod(A.shape) != n * n or A.shape[:B.ndim] != B.shape:
        raise ValueError(f"tensorsolve: the shape of A, {tuple(A.shape)}, must be that of B, {tuple(B.shape)}, and "
                         f"then lengths that multiply to {n}")
    return solve(A.reshape(n, n), B.reshape(n)).reshape(A.shape[B.ndim:])


# ---------------------------------------------------------------------- as NumPy calls, with NumPy's conventions

@implements(np.linalg.pinv)
def _np_pinv(a: Tensor, rcond: float = 1e-15, *, rtol: float | None = None) -> Tensor:
    return PseudoInverse.apply(a, rcond=rcond if rtol is None else rtol)


@implements(np.linalg.tensorinv)
def _np_tensorinv(a: Tensor, ind: int = 2) -> Tensor:
    return tensorinv(a, ind)


@implements(np.linalg.tensorsolve)
def _np_tensorsolve(a: Any, b: Any) -> Tensor:
    return tensorsolve(a, b)
