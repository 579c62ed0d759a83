"""The same values in another arrangement."""

import math
from typing import Any

import numpy as np

from ..engine.operation import Operation
from ..engine.registry import implements
from ..engine.tensor import Tensor, method
from .axes import checked_dim


class Reshape(Operation):
    """y = the values of a, in the same order, in another shape"""
    may_be_view = True
    def forward(a, *, shape):       return np.reshape(a, shape)
    def grad_a(g, y, a, *, shape):  return np.reshape(g, a.shape)

    @classmethod
    def would_fit(cls, a, *, shape):
        if -1 in shape and 0 in shape:
            return "-1 could stand for any length beside a length of 0"
        return f"{a.size} values do not fill the shape {shape}" if all(isinstance(n, int) for n in shape) else ""


class Permute(Operation):
    """y = a with its axes in another order"""
    may_be_view = True
    def forward(a, *, axes):        return np.transpose(a, axes)
    def grad_a(g, y, a, *, axes):   return np.transpose(g, inverse(axes))


class BroadcastTo(Operation):
    """y = a repeated along axes of length 1; the engine sums the gradient over the copies"""
    may_be_view = True
    def forward(a, *, shape):       return np.broadcast_to(a, shape)
    def grad_a(g, y, a, *, shape):  return g

    @classmethod
    def would_fit(cls, a, *, shape):
        return f"a tensor of shape {a.shape} cannot be repeated to the shape {shape}; only axes of length 1 can"


def inverse(axes: tuple[int, ...]) -> tuple[int, ...]:
    """The order that undoes a permutation: axis i went to the place where `axes` says i."""
    axes = tuple(i % len(axes) for i in axes)
    return tuple(axes.index(i) for i in range(len(axes)))


def as_sizes(sizes: tuple) -> tuple[int, ...]:
    """(2, 3) from both ``f(t, 2, 3)`` and ``f(t, (2, 3))``."""
    return tuple(sizes[0]) if len(sizes) == 1 and isinstance(sizes[0], (tuple, list)) else tuple(sizes)


@method
def reshape(input: Tensor, *shape: Any) -> Tensor:
    """The same values in another shape; one length may be −1 and follows from the others.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.reshape(tn.arange(6), (2, 3))
    tensor([[0, 1, 2],
            [3, 4, 5]])
    """
    return Reshape.apply(input, shape=as_sizes(shape))


@method
def view(input: Tensor, *shape: Any) -> Tensor:
    """PyTorch's older name for `reshape`.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.arange(4).view(2, -1)
    tensor([[0, 1],
            [2, 3]])
    """
    return Reshape.apply(input, shape=as_sizes(shape))


@method
def flatten(input: Tensor, start_dim: int = 0, end_dim: int = -1) -> Tensor:
    """Join the dimensions from `start_dim` to `end_dim`, both included, into one.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.flatten(tn.zeros(2, 3, 4), start_dim=1).shape
    (2, 12)
    """
    shape = input.shape or (1,)
    start, end = (checked_dim("flatten", i, len(shape)) for i in (start_dim, end_dim))
    if start > end:
        raise ValueError(f"flatten: start_dim {start_dim} comes after end_dim {end_dim} in the shape {shape}")
    return Reshape.apply(input, shape=(*shape[:start], math.prod(shape[start:end + 1]), *shape[end + 1:]))


@method
def squeeze(input: Tensor, dim: int | tuple[int, ...] | None = None) -> Tensor:
    """Without the dimensions of length 1: all of them, or those in `dim` (others stay as they are).

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.squeeze(tn.zeros(2, 1, 3, 1)).shape
    (2, 3)
    >>> tn.squeeze(tn.zeros(2, 1, 3, 1), dim=1).shape
    (2, 3, 1)
    """
    dims = range(input.ndim) if dim is None else [checked_dim("squeeze", i, input.ndim) for i in np.atleast_1d(dim)]
    return Reshape.apply(input, shape=tuple(n for i, n in enumerate(input.shape) if n != 1 or i not in dims))


@method
def unsqueeze(input: Tensor, dim: int) -> Tensor:
    """With a new dimension of length 1 at position `dim`.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.unsqueeze(tn.zeros(2, 3), 1).shape
    (2, 1, 3)
    """
    dim = checked_dim("unsqueeze", dim, input.ndim + 1)
    return Reshape.apply(input, shape=(*input.shape[:dim], 1, *input.shape[dim:]))


@method
def permute(input: Tensor, *dims: Any) -> Tensor:
    """The dimensions in another order.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.permute(tn.zeros(2, 3, 4), (2, 0, 1)).shape
    (4, 2, 3)
    """
    return Permute.apply(input, axes=as_sizes(dims))


@method
def transpose(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """Two dimensions swapped (PyTorch's meaning; ``np.transpose(t, axes)`` is `permute`).

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.transpose(tn.zeros(2, 3, 4), 0, 2).shape
    (4, 3, 2)
    """
    axes = list(range(input.ndim))
    i, j = (checked_dim("transpose", dim, input.ndim) for dim in (dim0, dim1))
    axes[i], axes[j] = axes[j], axes[i]
    return Permute.apply(input, axes=tuple(axes))


@method
def t(input: Tensor) -> Tensor:
    """The transpose of a matrix, as ``.T``; a vector or a number stays as it is.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.zeros(2, 3).t().shape
    (3, 2)
    """
    if input.ndim > 2:
        raise ValueError(f"t: expects a matrix, and this tensor has shape {input.shape}; use permute or transpose")
    return Permute.apply(input, axes=tuple(reversed(range(input.ndim))))


@method
def broadcast_to(input: Tensor, shape: Any) -> Tensor:
    """Repeated along new leading dimensions and those of length 1, without copying.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.broadcast_to(tn.tensor([1.0, 2.0]), (2, 2))
    tensor([[1., 2.],
            [1., 2.]])
    """
    return BroadcastTo.apply(input, shape=as_sizes((shape,)))


@method
def expand(input: Tensor, *sizes: Any) -> Tensor:
    """`broadcast_to`, where −1 leaves a dimension as it is.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.tensor([[1.0], [2.0]]).expand(-1, 3).shape
    (2, 3)
    """
    sizes = as_sizes(sizes)
    known = (1,) * (len(sizes) - input.ndim) + input.shape
    return BroadcastTo.apply(input, shape=tuple(k if n == -1 else n for n, k in zip(sizes, known, strict=False)))


@method
def unflatten(input: Tensor, dim: int, sizes: tuple[int, ...]) -> Tensor:
    """One dimension as several: the opposite of `flatten`; one of the `sizes` may be −1.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.unflatten(tn.zeros(2, 12), 1, (3, -1)).shape
    (2, 3, 4)
    """
    dim = checked_dim("unflatten", dim, input.ndim)
    n, sizes = input.shape[dim], as_sizes((sizes,))
    known = math.prod(k for k in sizes if k != -1)
    if sizes.count(-1) == 1 and known and n % known == 0:
        sizes = tuple(n // known if k == -1 else k for k in sizes)
    if math.prod(sizes) != n or -1 in sizes:
        raise ValueError(f"unflatten: the sizes {sizes} do not multiply to {n}, the length of dimension {dim}")
    return Reshape.apply(input, shape=(*input.shape[:dim], *sizes, *input.shape[dim + 1:]))


@method
def view_as(self: Tensor, other: Tensor) -> Tensor:
    """`reshape` to the shape of another tensor."""
    return Reshape.apply(self, shape=other.shape)


@method
def reshape_as(self: Tensor, other: Tensor) -> Tensor:
    """`reshape` to the shape of another tensor."""
    return Reshape.apply(self, shape=other.shape)


@method
def expand_as(self: Tensor, other: Tensor) -> Tensor:
    """`broadcast_to` the shape of another tensor."""
    return BroadcastTo.apply(self, shape=other.shape)


# ---------------------------------------------------------------------- as NumPy calls, with NumPy's conventions

implements(np.broadcast_to)(broadcast_to)


@implements(np.shape)
def _np_shape(a: Tensor) -> tuple[int, ...]:
    return a.shape


@implements(np.ndim)
def _np_ndim(a: Tensor) -> int:
    return a.ndim


@implements(np.size)
def _np_size(a: Tensor) -> int:
    return a.numel()


@implements(np.reshape)
def _np_reshape(a: Tensor, shape: Any) -> Tensor:
    return reshape(a, shape)


@implements(np.ravel)
def _np_ravel(a: Tensor) -> Tensor:
    return Reshape.apply(a, shape=(-1,))


@implements(np.transpose)
def _np_transpose(a: Tensor, axes: Any = None) -> Tensor:
    return Permute.apply(a, axes=tuple(reversed(range(a.ndim)) if axes is None else axes))


@implements(np.swapaxes)
def _np_swapaxes(a: Tensor, axis1: int, axis2: int) -> Tensor:
    return transpose(a, axis1, axis2)


@implements(np.squeeze)
def _np_squeeze(a: Tensor, axis: Any = None) -> Tensor:
    return reshape(a, np.squeeze(a.data, axis).shape)           # unlike PyTorch's, refuses axes of other lengths than 1


@implements(np.expand_dims)
def _np_expand_dims(a: Tensor, axis: Any) -> Tensor:
    return reshape(a, np.expand_dims(a.data, axis).shape)
