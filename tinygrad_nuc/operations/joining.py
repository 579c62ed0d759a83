"""Several tensors to one."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..engine.operation import Operation
from ..engine.registry import implements
from ..engine.tensor import Tensor
from .axes import checked_dim


class Concatenate(Operation):
    """y = the arrays one after another along the axis; each gets its own slice of the gradient"""
    def forward(*arrays, axis):  return np.concatenate(arrays, axis=axis)

    def grad_arrays(i, g, y, *arrays, axis):
        lengths = [a.shape[axis] for a in arrays]
        start = sum(lengths[:i])
        axis = axis % g.ndim
        return g[(slice(None),) * axis + (slice(start, start + lengths[i]),)]

    @classmethod
    def would_fit(cls, *arrays, axis):
        if any(a.ndim == 0 for a in arrays):
            return "single numbers have no axis to be joined along; use stack"
        if len({a.ndim for a in arrays}) > 1:
            return "all must have the same number of dimensions"
        there_is_such_an_axis = -arrays[0].ndim <= axis < arrays[0].ndim
        return f"all must have the same shape except along axis {axis}" if there_is_such_an_axis else ""


def cat(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Tensors one after another along a dimension that they have.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.cat([tn.tensor([1.0]), tn.tensor([2.0, 3.0])])
    tensor([1., 2., 3.])
    """
    if len(tensors) == 0:
        raise ValueError("cat: give at least one tensor")
    for i, x in enumerate(tensors):
        if not hasattr(x, "dtype"):
            raise TypeError(f"cat: element {i} is a {type(x).__name__}, not a tensor")
    return Concatenate.apply(*tensors, axis=dim)


def stack(tensors: Sequence[Tensor], dim: int = 0) -> Tensor:
    """Tensors of equal shape next to each other along a new dimension.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.stack([tn.tensor([1.0, 2.0]), tn.tensor([3.0, 4.0])], dim=1)
    tensor([[1., 3.],
            [2., 4.]])
    """
    shapes = [np.shape(x) for x in tensors]
    if len(set(shapes)) != 1:
        raise ValueError(f"stack: all tensors must have the same shape, and these have {shapes}" if shapes
                         else "stack: give at least one tensor")
    dim = checked_dim("stack", dim, len(shapes[0]) + 1)
    return Concatenate.apply(*(np.expand_dims(x, dim) for x in tensors), axis=dim)


@implements(np.concatenate)
def _np_concatenate(arrays: Any, axis: int | None = 0) -> Tensor:
    return cat([a.reshape(-1) for a in arrays], 0) if axis is None else cat(arrays, axis)


@implements(np.stack)
def _np_stack(arrays: Any, axis: int = 0) -> Tensor:
    return stack(arrays, axis)
