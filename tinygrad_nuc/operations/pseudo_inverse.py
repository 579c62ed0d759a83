"""The inverse of what is no square matrix: least squares."""

import numpy as np

from ..engine.operation import Operation
from ..engine.registry import implements
from ..engine.tensor import Tensor
from .linear_algebra import transposed


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


# ---------------------------------------------------------------------- as NumPy calls, with NumPy's conventions

@implements(np.linalg.pinv)
def _np_pinv(a: Tensor, rcond: float = 1e-15, *, rtol: float | None = None) -> Tensor:
    return PseudoInverse.apply(a, rcond=rcond if rtol is None else rtol)
