"""Products of vectors and of several matrices, with torch.linalg's names and those that NumPy took over from it."""

import functools
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..engine.registry import implements
from ..engine.tensor import Tensor, method
from .axes import checked_dim, takes_axis
from .diagonals import diagonal
from .einsum import outer, tensordot
from .joining import beside


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
    >>> from tinygrad_nuc.operations.vectors import linalg_cross
    >>> linalg_cross(tn.tensor([[0.0, 0.0, 2.0]]), tn.tensor([[1.0, 0.0, 0.0]]))
    tensor([[0., 2., 0.]])
    """
    return crossed(input, other, dim, dim, dim)


@takes_axis
def vecdot(x: Tensor, y: Tensor, *, dim: int = -1) -> Tensor:
    """Inner products Σ a b along one dimension, broadcast along the others.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> from tinygrad_nuc.operations.vectors import vecdot
    >>> vecdot(tn.tensor([[1.0, 2.0], [3.0, 4.0]]), tn.tensor([1.0, -1.0]))
    tensor([-1., -1.])
    """
    x, y = (np.moveaxis(a, checked_dim("vecdot", dim, a.ndim), -1) for a in (x, y))
    return np.matmul(x[..., None, :], y[..., :, None])[..., 0, 0]


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
    >>> from tinygrad_nuc.operations.vectors import multi_dot
    >>> multi_dot([tn.ones(2, 3), tn.ones(3, 4), tn.ones(4)])
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

    @functools.cache
    def cheapest(first: int, last: int) -> tuple[int, int]:
        """How many multiplications the matrices from first to last take, and after which of them to split."""
        if first == last:
            return 0, first
        return min((cheapest(first, k)[0] + cheapest(k + 1, last)[0] + sizes[first] * sizes[k + 1] * sizes[last + 1], k)
                   for k in range(first, last))

    def product(first: int, last: int) -> Any:
        if first == last:
            return matrices[first]
        split = cheapest(first, last)[1]
        return np.matmul(product(first, split), product(split + 1, last))

    y = product(0, len(matrices) - 1)
    y = y[0] if lengths[0] == 1 else y
    return y[..., 0] if lengths[-1] == 1 else y


def crossed(a: Any, b: Any, axis_a: int, axis_b: int, axis_y: int) -> Tensor:
    """The vector product of the vectors along one axis of each."""
    if a.shape[checked_dim("cross", axis_a, a.ndim)] != 3 or b.shape[checked_dim("cross", axis_b, b.ndim)] != 3:
        raise ValueError(f"cross: vectors have three components, and shapes {tuple(a.shape)} and {tuple(b.shape)} do not "
                         f"have length 3 along axis {axis_a if axis_a == axis_b else (axis_a, axis_b)}")
    a0, a1, a2 = (np.moveaxis(a, axis_a, -1)[..., i] for i in range(3))
    b0, b1, b2 = (np.moveaxis(b, axis_b, -1)[..., i] for i in range(3))
    y = np.stack([a1 * b2 - a2 * b1, a2 * b0 - a0 * b2, a0 * b1 - a1 * b0], axis=-1)
    return np.moveaxis(y, -1, axis_y)


# ---------------------------------------------------------------------- as NumPy calls, with NumPy's conventions

@implements(np.cross)
def _np_cross(a: Any, b: Any, axisa: int = -1, axisb: int = -1, axisc: int = -1, axis: int | None = None) -> Tensor:
    a, b = beside(b, a) if not hasattr(a, "dtype") else a, beside(a, b)
    return crossed(a, b, *((axisa, axisb, axisc) if axis is None else (axis, axis, axis)))


@implements(np.linalg.cross)
def _np_linalg_cross(x1: Any, x2: Any, /, *, axis: int = -1) -> Tensor:
    return crossed(x1, x2, axis, axis, axis)


@implements(np.vecdot)
def _np_vecdot(x1: Any, x2: Any, /, *, axis: int = -1) -> Tensor:
    return vecdot(x1, x2, dim=axis)


@implements(np.linalg.vecdot)
def _np_linalg_vecdot(x1: Any, x2: Any, /, *, axis: int = -1) -> Tensor:
    return vecdot(x1, x2, dim=axis)


if hasattr(np, "matvec"):                       # since NumPy 2.2
    @implements(np.matvec)
    def _np_matvec(x1: Any, x2: Any, /) -> Tensor:
        return np.matmul(x1, x2[..., None])[..., 0]

    @implements(np.vecmat)
    def _np_vecmat(x1: Any, x2: Any, /) -> Tensor:
        return np.matmul(x1[..., None, :], x2)[..., 0, :]


@implements(np.linalg.multi_dot)
def _np_multi_dot(arrays: Any) -> Tensor:
    return multi_dot(arrays)


@implements(np.linalg.matmul)
def _np_linalg_matmul(x1: Any, x2: Any, /) -> Tensor:
    return np.matmul(x1, x2)


@implements(np.linalg.outer)
def _np_linalg_outer(x1: Any, x2: Any, /) -> Tensor:
    return outer(x1, x2)


@implements(np.linalg.tensordot)
def _np_linalg_tensordot(x1: Any, x2: Any, /, *, axes: Any = 2) -> Tensor:
    return tensordot(x1, x2, axes)


@implements(np.matrix_transpose, np.linalg.matrix_transpose)
def _np_matrix_transpose(x: Tensor, /) -> Tensor:
    if x.ndim < 2:
        raise ValueError(f"matrix_transpose: expects matrices, and this tensor has shape {x.shape}")
    return np.swapaxes(x, -1, -2)


@implements(np.linalg.diagonal)
def _np_linalg_diagonal(x: Tensor, /, *, offset: int = 0) -> Tensor:
    return diagonal(x, offset, -2, -1)


@implements(np.linalg.trace)
def _np_linalg_trace(x: Tensor, /, *, offset: int = 0) -> Tensor:
    return np.sum(diagonal(x, offset, -2, -1), axis=-1)
