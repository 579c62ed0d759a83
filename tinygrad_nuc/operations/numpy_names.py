"""Names that only NumPy has, many of them taken over from the array API standard, with NumPy's conventions."""

from typing import Any

import numpy as np

from ..engine.registry import implements
from ..engine.tensor import Tensor, value
from .axes import checked_dim
from .copying import astype, clone
from .cumulative import cumsum
from .diagonals import diagonal
from .einsum import outer, tensordot
from .indexing import to_tensor
from .joining import beside, cat
from .matrix import matmul
from .products import cumprod
from .vectors import linalg_cross, vecdot

implements(np.linalg.matmul)(matmul)
implements(np.linalg.outer)(outer)
implements(np.astype)(astype)
implements(np.conjugate)(clone)                 # of a real number


@implements(np.vecdot, np.linalg.vecdot)
def _np_vecdot(x1: Any, x2: Any, /, *, axis: int = -1) -> Tensor:
    return vecdot(x1, x2, dim=axis)


@implements(np.linalg.cross)
def _np_linalg_cross(x1: Any, x2: Any, /, *, axis: int = -1) -> Tensor:
    return linalg_cross(x1, x2, dim=axis)


if hasattr(np, "matvec"):                       # since NumPy 2.2
    @implements(np.matvec)
    def _np_matvec(x1: Any, x2: Any, /) -> Tensor:
        return np.matmul(x1, x2[..., None])[..., 0]

    @implements(np.vecmat)
    def _np_vecmat(x1: Any, x2: Any, /) -> Tensor:
        return np.matmul(x1[..., None, :], x2)[..., 0, :]


@implements(np.linalg.tensordot)
def _np_linalg_tensordot(x1: Any, x2: Any, /, *, axes: Any = 2) -> Tensor:
    return tensordot(x1, x2, axes)


@implements(np.matrix_transpose, np.linalg.matrix_transpose)
def _np_matrix_transpose(x: Tensor, /) -> Tensor:
    if x.ndim < 2:
        raise ValueError(f"matrix_transpose: expects matrices, and this tensor has shape {x.shape}")
    return x.transpose(-1, -2)


@implements(np.linalg.diagonal)
def _np_linalg_diagonal(x: Tensor, /, *, offset: int = 0) -> Tensor:
    return diagonal(x, offset, -2, -1)


@implements(np.linalg.trace)
def _np_linalg_trace(x: Tensor, /, *, offset: int = 0) -> Tensor:
    return np.sum(diagonal(x, offset, -2, -1), axis=-1)


@implements(np.real, np.real_if_close)
def _np_real(val: Tensor) -> Tensor:
    return val[...]                             # a view, as NumPy's


@implements(np.full_like)
def _np_full_like(a: Any, fill_value: Any, dtype: Any = None, *, shape: Any = None) -> Tensor:
    """The gradient goes to the number that fills it."""
    shape = value(a).shape if shape is None else tuple(int(n) for n in np.atleast_1d(shape))
    fill = fill_value if isinstance(fill_value, Tensor) else Tensor(np.array(fill_value, like=value(a)))
    return fill.astype(dtype or a.dtype).broadcast_to(shape).clone()


@implements(np.broadcast_arrays)
def _np_broadcast_arrays(*args: Any) -> tuple[Tensor, ...]:
    one = next(x for x in args if isinstance(x, Tensor))
    tensors = [to_tensor(beside(one, x)) for x in args]
    shape = np.broadcast_shapes(*(x.shape for x in tensors))
    return tuple(x.broadcast_to(shape) for x in tensors)


if hasattr(np, "cumulative_sum"):               # since NumPy 2.1
    @implements(np.cumulative_sum)
    def _np_cumulative_sum(x: Tensor, /, *, axis: int | None = None, dtype: Any = None,
                           include_initial: bool = False) -> Tensor:
        axis = only_axis("cumulative_sum", x, axis)
        y = cumsum(x, axis, dtype=dtype)
        return after_one(y, np.zeros_like, axis) if include_initial else y

    @implements(np.cumulative_prod)
    def _np_cumulative_prod(x: Tensor, /, *, axis: int | None = None, dtype: Any = None,
                            include_initial: bool = False) -> Tensor:
        axis = only_axis("cumulative_prod", x, axis)
        y = cumprod(x, axis, dtype=dtype)
        return after_one(y, np.ones_like, axis) if include_initial else y


def only_axis(name: str, x: Tensor, axis: int | None) -> int:
    """The axis, which only a vector may leave open."""
    if axis is None and x.ndim != 1:
        raise ValueError(f"{name}: a tensor of shape {x.shape} needs an axis")
    return 0 if axis is None else checked_dim(name, axis, x.ndim)


def after_one(y: Tensor, make: Any, axis: int) -> Tensor:
    """`y` after one more value, what the accumulation starts from."""
    return cat([make(y, shape=(*y.shape[:axis], 1, *y.shape[axis + 1:])), y], axis)
