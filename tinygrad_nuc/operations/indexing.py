"""Picking elements out, and its opposite: adding elements into a larger array of zeros."""

from typing import Any

import numpy as np

from ..devices.moving import device_of, placed_like
from ..engine.arrays import on_host
from ..engine.explain import device_clash
from ..engine.operation import Operation
from ..engine.tensor import Tensor, method, value


class Index(Operation):
    """y = a[index], for every index that NumPy knows"""
    may_be_view = True
    def forward(a, *, index):       return a[index]
    def grad_a(g, y, a, *, index):  return IndexAdd.apply(g, index=index, shape=a.shape)


class IndexAdd(Operation):
    """y = zeros of the shape, then y[index] += a; an element that is indexed twice receives twice"""
    def forward(a, *, index, shape):
        y = np.zeros_like(a, shape=shape, order="C")
        if has_arrays(index):                   # y[index] += a would count a repeated index once
            np.add.at(*at_once(y, index), a)
        else:
            y[index] = a
        return y

    def grad_a(g, y, a, *, index, shape):       return g[index]


def as_index(index: Any, indexed: Any) -> tuple:
    """An index as a tuple with an Ellipsis, which makes t[0] of a vector a view, as t[0] of a matrix is.

    Arrays and lists in it are copied, since they are kept for the backward pass.
    """
    parts = tuple(as_index_part(part, indexed) for part in (index if isinstance(index, tuple) else (index,)))
    return parts if any(part is Ellipsis for part in parts) else (*parts, Ellipsis)


def as_index_part(part: Any, indexed: Any) -> Any:
    """A number, slice, None or Ellipsis as it is; positions and masks as arrays of their own, where `indexed` is."""
    part = value(part)
    if isinstance(part, list):
        part = np.array(part, None if part else np.int64)
    if not hasattr(part, "dtype"):
        return part
    if part.ndim == 0 and part.dtype.kind in "iu":
        return int(on_host(part))
    if type(indexed) is np.ndarray and not isinstance(part, (np.ndarray, np.generic)):
        raise TypeError(f"t[index]: the index is on {device_of(part)}, and the tensor on cpu: write index.cpu()")
    return np.copy(part) if isinstance(indexed, np.ndarray) or not isinstance(part, np.ndarray) else \
        placed_like(indexed, part)


@method
def __getitem__(self: Tensor, index: Any) -> Tensor:
    """``t[index]`` as NumPy understands it (PyTorch orders the axes of ``x[0, :, [0, 0]]`` differently).

    Arrays and masks in the index may be tensors. Where t is on a GPU, those that are not are moved there.
    """
    return Index.apply(self, index=as_index(index, self.data))


def at_once(y: Any, index: Any) -> tuple[Any, Any]:
    """An array and an index as ``ufunc.at`` takes them: for CuPy's the index must be a single array.

    So on a device they are the flattened array, a view of `y`, which has to lie in rows, and positions in it. Where one
    array of positions in a vector is the whole index, it is those already.
    """
    if isinstance(y, np.ndarray):
        return y, index
    parts = [part for part in (index if isinstance(index, tuple) else (index,)) if part is not Ellipsis]
    if y.ndim == len(parts) == 1 and getattr(parts[0], "dtype", np.dtype(bool)).kind in "iu":
        return y, parts[0]
    return y.reshape(-1), np.arange(y.size, like=y).reshape(y.shape)[index]


def has_arrays(index: Any) -> bool:
    """Whether arrays or lists take part in the index, so that an element may be picked more than once."""
    parts = index if isinstance(index, tuple) else (index,)
    return not all(part is None or part is Ellipsis or isinstance(part, (int, slice)) for part in parts)


def take_along(input: Tensor, indices: Tensor, dim: int) -> Tensor:
    """y[i, j, …] = input[i, indices[i, j, …], …], with the indices in place `dim`; both have equally many dimensions.

    For a matrix and dim = 1 this is ``input[[[0], [1], …], indices]``: every other axis gets its own position.
    """
    return Index.apply(input, index=index_along(np.copy(indices.data), dim))    # kept: nobody else may change it


def index_along(indices: Any, dim: int) -> tuple:
    """The index of `take_along`: the array `indices` for axis `dim`, and every other axis its own position."""
    def position(axis: int) -> Any:
        own = np.arange(indices.shape[axis], like=indices)
        return own.reshape([-1 if i == axis else 1 for i in range(indices.ndim)])
    return tuple(indices if axis == dim else position(axis) for axis in range(indices.ndim))


def to_tensor(a: Any) -> Tensor:
    """`a` itself, or an array as a Tensor: for NumPy calls in which only the positions were one."""
    return a if isinstance(a, Tensor) else Tensor(a)


def checked_positions(name: str, index: Any, input: Any, n: int, negative: bool = False) -> Any:
    """`index` (a tensor, an array or a list) as a new array of integers, each of which must be one of n positions.

    Positions are checked on the CPU only: a device would have to wait for the answer, and wraps them around instead.
    """
    own, index, input = isinstance(index, Tensor), value(index), value(input)
    if not hasattr(index, "dtype"):
        index = np.array(index, np.int64 if np.size(index) == 0 else None)
    if type(index) is not type(input):
        clash = device_clash(("input", "index"), (input, index)) if own else ""
        if clash:
            raise TypeError(f"{name}: {clash}")
        index = placed_like(input, index)
    if index.dtype.kind not in "iu":
        raise TypeError(f"{name}: the index holds positions and must be of an integer type, not {index.dtype}")
    if type(index) is np.ndarray and index.size:
        least = -n if negative else 0
        for wrong in (index.min(), index.max()):
            if not least <= wrong < n:
                raise IndexError(f"{name}: position {wrong} is out of range; " +
                                 (f"it must lie from {least} to {n - 1}" if n else "there is nothing to pick from"))
    return np.copy(index)
