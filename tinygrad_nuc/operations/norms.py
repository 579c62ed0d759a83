"""Lengths: norms of vectors and matrices, and the standard deviation."""

import math
from typing import Any

import numpy as np

from ..engine.arrays import as_float
from ..engine.operation import Operation
from ..engine.registry import implements
from ..engine.tensor import Tensor, method
from .axes import count, restored, takes_axis
from .reductions import Amax, Amin, Sum, mean
from .selection import where


class Norm(Operation):
    """y = √Σ a² over the axes, with slope 0 where y = 0"""
    def forward(a, *, axis, keepdims):
        a = as_float(a)
        return np.sqrt(np.sum(a * a, axis=axis, keepdims=keepdims))

    def grad_a(g, y, a, *, axis, keepdims):                             # a / y: the direction
        return restored(g, a, axis) * over_length(a, restored(y, a, axis))


def over_length(x, r):
    """x / r, and 0 where the length r is 0, with all its derivatives: there is no direction at the origin."""
    return np.where(r == 0, 0, x / np.where(r == 0, 1, r))


@method
@takes_axis
def norm(input: Tensor, p: float | str = 2, dim: int | tuple[int, ...] | None = None, keepdim: bool = False) -> Tensor:
    """Vector norm (Σ |a|ᵖ)^(1/p) over one axis, several, or all.

    Parameters
    ----------
    p : float or "fro"
        2 (or "fro") for the length √Σa²; 1 for Σ|a|; inf for the largest |a|, −inf for the smallest; 0 counts the
        values that are not 0, without a gradient.

    Notes
    -----
    Where the norm is 0 its slope is taken as 0 (the invariant mass of two parallel photons is this case). Equal largest
    values share the gradient of p = inf.

    Raises
    ------
    ValueError
        If p is "nuc" or another word: norms of matrices that need singular values have no derivative here.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> x = tn.tensor([[3.0, -4.0], [0.0, 0.0]], requires_grad=True)
    >>> x.norm(dim=1), x.norm(1, dim=1), x.norm(float("inf"))
    (tensor([5., 0.], grad_fn=<Norm>), tensor([7., 0.], grad_fn=<Sum>), tensor(4., grad_fn=<Amax>))
    >>> x.norm(dim=1).sum().backward()
    >>> x.grad
    tensor([[ 0.6000, -0.8000],
            [ 0.0000,  0.0000]])
    """
    if p == "fro":
        p = 2
    if isinstance(p, str) or p is None or math.isnan(p):
        raise ValueError(f"norm: p must be a number or 'fro', not {p!r}")
    options: dict[str, Any] = {"axis": dim, "keepdims": keepdim}
    if p == 2:
        return Norm.apply(input, **options)
    if p == 0:
        return Tensor(np.sum(input.data != 0, **options).astype(input.dtype))
    size = abs(input if input.dtype.kind == "f" else input.astype(np.float64))
    if p == 1:
        return Sum.apply(size, **options)
    if math.isinf(p):
        return (Amax if p > 0 else Amin).apply(size, **options)
    if 0 < p < 1:                                       # |a|ᵖ has an infinite slope at 0
        size = where(size == 0, 0.0, where(size == 0, 1.0, size) ** p)
    else:
        size = size ** p
    total = Sum.apply(size, **options)
    zero = total == 0                                   # where the root has an infinite slope
    return where(zero, 0.0, where(zero, 1.0, total) ** (1 / p))


@method
@takes_axis
def std(input: Tensor, dim: int | tuple[int, ...] | None = None, correction: float = 1,
        keepdim: bool = False, unbiased: bool | None = None) -> Tensor:
    """Standard deviation √(Σ(a − ā)² / (n − correction)) over one axis, several, or all.

    Where all values are equal the slope is taken as 0. Parameters as for `var`.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.std(tn.tensor([1.0, 2.0, 3.0, 4.0]))
    tensor(1.2910)
    """
    if unbiased is not None:
        correction = int(unbiased)
    deviation = input - mean(input, dim, True)
    degrees = max(count(input, dim) - correction, 0)
    return Norm.apply(deviation, axis=dim, keepdims=keepdim) / (math.sqrt(degrees) if degrees else 0.0)


# ---------------------------------------------------------------------- as NumPy calls, with NumPy's conventions

@implements(np.std)
def _np_std(a: Tensor, axis: Any = None, dtype: Any = None, *, ddof: float = 0, keepdims: bool = False) -> Tensor:
    return std(a if dtype is None else a.astype(dtype), axis, ddof, keepdims)


@implements(np.linalg.norm)
@takes_axis
def linalg_norm(x: Tensor, ord: Any = None, dim: Any = None, keepdim: bool = False) -> Tensor:
    """Norm of vectors or matrices, as numpy.linalg.norm and torch.linalg.norm (which agree).

    Parameters
    ----------
    ord : number or "fro", optional
        With one axis (or a vector), as `p` of `norm`. With two axes (or a matrix): "fro" is √Σa², 1 the largest sum of
        |a| over a column, inf over a row; −1 and −inf the smallest. By default √Σa² over all.

    Raises
    ------
    ValueError
        For a matrix norm that needs singular values (2, −2, "nuc").

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> a = tn.tensor([[1.0, -2.0], [3.0, 4.0]])
    >>> tn.linalg.norm(a), tn.linalg.norm(a, 1), tn.linalg.norm(a, 1, axis=0)
    (tensor(5.4772), tensor(6.), tensor([4., 6.]))
    """
    axes = tuple(range(x.ndim)) if dim is None else tuple(int(i) for i in np.atleast_1d(dim))
    if ord is None or len(axes) == 1:
        if isinstance(ord, str):
            raise ValueError(f"linalg.norm: {ord!r} is a norm of matrices, and one axis makes vectors")
        return norm(x, 2 if ord is None else ord, dim, keepdim)
    if len(axes) != 2:
        raise ValueError(f"linalg.norm: with ord={ord!r}, give one axis for vectors or two for matrices")
    return matrix_norm(x, ord, axes, keepdim)


@takes_axis
def vector_norm(x: Tensor, ord: float = 2, dim: int | tuple[int, ...] | None = None, keepdim: bool = False) -> Tensor:
    """(Σ |a|ᵖ)^(1/p) with p = `ord` over one axis, several, or all; as `norm`.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.linalg.vector_norm(tn.tensor([3.0, -4.0]))
    tensor(5.)
    """
    return norm(x, ord, dim, keepdim)


@takes_axis
def matrix_norm(A: Tensor, ord: float | str = "fro", dim: tuple[int, int] = (-2, -1), keepdim: bool = False) -> Tensor:
    """Norm of matrices: "fro", 1, −1, inf or −inf, as described in `linalg.norm`.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.linalg.matrix_norm(tn.tensor([[1.0, -2.0], [3.0, 4.0]]), float("inf"))
    tensor(7.)
    """
    if ord == "fro":
        return norm(A, 2, tuple(dim), keepdim)
    if ord not in (1, -1, math.inf, -math.inf):
        raise ValueError(f"linalg.norm: the matrix norm {ord!r} needs singular values, which have no derivative here; "
                         "'fro', 1, -1, inf and -inf do")
    rows, columns = dim
    summed, other = (rows, columns) if abs(ord) == 1 else (columns, rows)
    sums = np.sum(np.absolute(A), axis=summed, keepdims=True)
    y = (np.max if ord > 0 else np.min)(sums, axis=other, keepdims=True)
    return y if keepdim else np.squeeze(y, tuple(dim))


@implements(np.linalg.vector_norm)
def _np_vector_norm(x: Tensor, /, *, axis: Any = None, keepdims: bool = False, ord: Any = 2) -> Tensor:
    return norm(x, ord, axis, keepdims)


@implements(np.linalg.matrix_norm)
def _np_matrix_norm(x: Tensor, /, *, keepdims: bool = False, ord: Any = "fro") -> Tensor:
    return matrix_norm(x, ord, (-2, -1), keepdims)
