"""Products of vectors, and of several matrices."""

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

    Parameters
    ----------
    dim : int, optional
        A dimension of length 3; without it the first one of length 3. (`tn.linalg.cross` takes the last dimension.)

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

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.linalg.vecdot(tn.tensor([[1.0, 2.0], [3.0, 4.0]]), tn.tensor([1.0, -1.0]))
    tensor([-1., -1.])
    """
    rows, columns = (movedim(a, checked_dim("vecdot", dim, a.ndim), -1) for a in (x, y))
    return np.matmul(rows[..., None, :], columns[..., :, None])[..., 0, 0]


def multi_dot(tensors: Sequence[Tensor]) -> Tensor:
    """Product of two or more matrices, in the order that takes the fewest multiplications.

    The first and the last may be vectors: a row and a column.

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
    shapes = [tuple(np.shape(x)) for x in tensors]
    if len(shapes) < 2:
        raise ValueError(f"multi_dot: needs at least two matrices, not {len(shapes)}")
    lengths = [len(shape) for shape in shapes]
    if lengths[0] not in (1, 2) or lengths[-1] not in (1, 2) or any(n != 2 for n in lengths[1:-1]):
        raise ValueError(f"multi_dot: expects matrices, of which the first and the last may be vectors, not {shapes}")
    matrices = [*tensors]
    if lengths[0] == 1:
        matrices[0] = matrices[0][None, :]
    if lengths[-1] == 1:
        matrices[-1] = matrices[-1][:, None]
    sizes = [*(a.shape[0] for a in matrices), matrices[-1].shape[1]]
    y = product(matrices, best_splits(sizes), 0, len(matrices) - 1)
    y = y[0] if lengths[0] == 1 else y
    return y[..., 0] if lengths[-1] == 1 else y


# ---------------------------------------------------------------------- what they are made of

def best_splits(sizes: list[int]) -> dict[tuple[int, int], int]:
    """(i, j) → k: the product of the matrices i to j is cheapest as that of i to k times that of k + 1 to j.

    Matrix i has the shape (sizes[i], sizes[i + 1]).
    """
    n = len(sizes) - 1
    cost, split = {(i, i): 0 for i in range(n)}, {}
    for length in range(1, n):
        for i in range(n - length):
            j = i + length
            cost[i, j], split[i, j] = min((cost[i, k] + cost[k + 1, j] + sizes[i] * sizes[k + 1] * sizes[j + 1], k)
                                          for k in range(i, j))
    return split


def product(matrices: list, split: dict[tuple[int, int], int], i: int, j: int) -> Any:
    """The product of the matrices i to j."""
    if i == j:
        return matrices[i]
    k = split[i, j]
    return np.matmul(product(matrices, split, i, k), product(matrices, split, k + 1, j))


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


@implements(np.linalg.multi_dot)
def _np_multi_dot(arrays: Any) -> Tensor:
    return multi_dot(arrays)
