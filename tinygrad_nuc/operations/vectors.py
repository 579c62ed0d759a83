"""Products of vectors, and of several matrices."""

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..engine.registry import implements
from ..engine.tensor import Tensor, method
from .axes import checked_dim, takes_axis
from .joining import beside, stack
from .rearranging import movedim


@method
@takes_axis
def cross(input: Tensor, other: Tensor, dim: int | None = None) -> Tensor:
    """Vector product (a₁b₂ − a₂b₁, a₂b₀ − a₀b₂, a₀b₁ − a₁b₀) along `dim`, broadcast along the others.

    The vectors are never broadcast: `dim` has length 3 in both tensors. What is left of their shapes is broadcast
    together, so that shapes (2, 1, 3) and (4, 3) give (2, 4, 3).

    Parameters
    ----------
    dim : int, optional
        A dimension of length 3, counted in each tensor by itself; without it the first one of length 3 in `input`,
        counted from the end. (`tn.linalg.cross` takes the last dimension.)

    Raises
    ------
    ValueError
        If the dimension has not length 3 in both tensors.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.tensor([1.0, 0.0, 0.0]).cross(tn.tensor([0.0, 1.0, 0.0]))
    tensor([0., 0., 1.])
    """
    if dim is None:
        if 3 not in input.shape:
            raise ValueError(f"cross: none of the dimensions of {input.shape} has length 3")
        dim = tuple(input.shape).index(3) - input.ndim
    return linalg_cross(input, other, dim=dim)


@takes_axis
def linalg_cross(input: Tensor, other: Tensor, *, dim: int = -1) -> Tensor:
    """Vector product along one dimension, the last if no other is named; as `cross`.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.linalg.cross(tn.tensor([[0.0, 0.0, 2.0]]), tn.tensor([[1.0, 0.0, 0.0]]))
    tensor([[0., 2., 0.]])
    """
    return crossed(input, other, dim, dim, dim)


@takes_axis
def vecdot(x: Tensor, y: Tensor, *, dim: int = -1) -> Tensor:
    """Inner products Σ a b along one dimension, broadcast along the others.

    The dimension `dim`, counted in each tensor by itself, has one length in both. What is left of their shapes is
    broadcast together, so that shapes (2, 1, 3) and (4, 3) give (2, 4).

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.linalg.vecdot(tn.tensor([[1.0, 2.0], [3.0, 4.0]]), tn.tensor([1.0, -1.0]))
    tensor([-1., -1.])
    """
    rows, columns = (movedim(a, checked_dim("vecdot", dim, a.ndim), -1) for a in (x, y))
    return np.matmul(rows[..., None, :], columns[..., :, None])[..., 0, 0]


@implements(np.linalg.multi_dot)
def multi_dot(tensors: Sequence[Tensor]) -> Tensor:
    """Product of two or more matrices, from the left to the right; the first and the last may be vectors.

    Where another order is cheaper, brackets say so: ``a @ (b @ x)``.

    Raises
    ------
    ValueError
        If there are fewer than two, or one of them is no matrix, or their shapes do not fit.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.linalg.multi_dot([tn.ones(2, 3), tn.ones(3, 4), tn.ones(4)])
    tensor([12., 12.])
    """
    lengths = [np.ndim(x) for x in tensors]
    if len(lengths) < 2 or any(n != 2 for n in lengths[1:-1]) or not {lengths[0], lengths[-1]} <= {1, 2}:
        raise ValueError("multi_dot: expects two or more matrices, of which the first and the last may be vectors, not "
                         f"shapes {[tuple(np.shape(x)) for x in tensors]}")
    return functools.reduce(np.matmul, tensors)


# ---------------------------------------------------------------------- what they are made of

def crossed(a: Any, b: Any, axis_a: int, axis_b: int, axis_y: int) -> Tensor:
    """The vector product of the vectors along one axis of each."""
    if a.shape[checked_dim("cross", axis_a, a.ndim)] != 3 or b.shape[checked_dim("cross", axis_b, b.ndim)] != 3:
        raise ValueError(f"cross: vectors have three components, and shapes {tuple(a.shape)} and {tuple(b.shape)} do "
                         f"not have length 3 along axis {axis_a if axis_a == axis_b else (axis_a, axis_b)}")
    a0, a1, a2 = (movedim(a, axis_a, -1)[..., i] for i in range(3))
    b0, b1, b2 = (movedim(b, axis_b, -1)[..., i] for i in range(3))
    return movedim(stack([a1 * b2 - a2 * b1, a2 * b0 - a0 * b2, a0 * b1 - a1 * b0], -1), -1, axis_y)


# ---------------------------------------------------------------------- as NumPy calls, with NumPy's conventions

@implements(np.cross)
def _np_cross(a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Tensor:
    a, b = beside(b, a) if not hasattr(a, "dtype") else a, beside(a, b)
    return crossed(a, b, *((axisa, axisb, axisc) if axis is None else (axis, axis, axis)))
