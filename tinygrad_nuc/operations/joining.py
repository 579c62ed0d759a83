"""Several tensors to one."""

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..engine.operation import Operation
from ..engine.registry import implements
from ..engine.tensor import Tensor, value
from .axes import along, checked_dim
from .shape import as_sizes


class Concatenate(Operation):
    """y = the arrays one after another along the axis; each gets its own slice of the gradient"""
    def forward(*arrays, axis, starts):
        return np.concatenate(arrays, axis=axis)

    def grad_arrays(i, g, y, *arrays, axis, starts):
        return g[along(axis % g.ndim, slice(starts[i], starts[i + 1]))]

    @classmethod
    def would_fit(cls, *arrays, axis, starts):
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
    return joined(tensors, dim)


def joined(tensors: Sequence[Any], dim: int) -> Tensor:
    """The tensors one after another; where each begins is worked out once, for all of their gradients."""
    def others(x: Any) -> tuple:
        return tuple(n for i, n in enumerate(x.shape) if i != dim % x.ndim)
    fits = all(-x.ndim <= dim < x.ndim for x in tensors) and len(set(map(others, tensors))) == 1
    starts = tuple(itertools.accumulate((x.shape[dim] for x in tensors), initial=0)) if fits else None
    return Concatenate.apply(*tensors, axis=dim, starts=starts)


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
    return joined([np.expand_dims(x, dim) for x in tensors], dim)


def hstack(tensors: Sequence[Tensor]) -> Tensor:
    """Tensors next to each other: along dimension 1, or 0 for vectors and numbers.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.hstack([tn.tensor([1.0]), tn.tensor([2.0, 3.0])])
    tensor([1., 2., 3.])
    """
    tensors = [at_least("hstack", x, 1) for x in tensors]
    return cat(tensors, 0 if tensors and tensors[0].ndim == 1 else 1)


def vstack(tensors: Sequence[Tensor]) -> Tensor:
    """Tensors one above the other: along dimension 0; vectors are rows.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.vstack([tn.tensor([1.0, 2.0]), tn.tensor([3.0, 4.0])])
    tensor([[1., 2.],
            [3., 4.]])
    """
    return cat([at_least("vstack", x, 2) for x in tensors], 0)


def dstack(tensors: Sequence[Tensor]) -> Tensor:
    """Tensors one behind the other: along dimension 2; matrices and vectors get it as a new one.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.dstack([tn.tensor([1.0, 2.0]), tn.tensor([3.0, 4.0])])
    tensor([[[1., 3.],
             [2., 4.]]])
    """
    return cat([at_least("dstack", x, 3) for x in tensors], 2)


def column_stack(tensors: Sequence[Tensor]) -> Tensor:
    """Vectors as the columns of a matrix; matrices join with their columns.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.column_stack([tn.tensor([1.0, 2.0]), tn.tensor([3.0, 4.0])])
    tensor([[1., 3.],
            [2., 4.]])
    """
    columns: list = [at_least("column_stack", x, 0) for x in tensors]
    columns = [x if x.ndim > 1 else np.reshape(x, (-1, 1)) for x in columns]
    return cat(columns, 1)


def atleast_1d(*tensors: Any) -> Any:
    """A number as a vector of length 1, anything else as it is; a tuple for several tensors, or a list of them.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.atleast_1d(tn.tensor(1.0))
    tensor([1.])
    """
    return each_at_least("atleast_1d", tensors, 1)


def atleast_2d(*tensors: Any) -> Any:
    """A vector of n values as a row of shape (1, n), a number as shape (1, 1); anything else as it is.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.atleast_2d(tn.tensor([1.0, 2.0]))
    tensor([[1., 2.]])
    """
    return each_at_least("atleast_2d", tensors, 2)


def atleast_3d(*tensors: Any) -> Any:
    """A matrix as shape (n, m, 1), a vector as (1, n, 1), a number as (1, 1, 1); anything else as it is.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.atleast_3d(tn.tensor([1.0, 2.0])).shape
    (1, 2, 1)
    """
    return each_at_least("atleast_3d", tensors, 3)


def at_least(name: str, x: Any, ndim: int) -> Any:
    """A view of `x` with at least so many dimensions, where the functions above want the new ones."""
    if not hasattr(x, "dtype"):
        raise TypeError(f"{name}: a {type(x).__name__} is not a tensor")
    if x.ndim >= ndim:
        return x
    shape = {1: (1,), 2: (1, *x.shape), 3: (*((1,) * (2 - x.ndim)), *x.shape, 1)}[ndim] if x.ndim else (1,) * ndim
    return np.reshape(x, shape)


def each_at_least(name: str, tensors: tuple, ndim: int) -> Any:
    results = tuple(at_least(name, x, ndim) for x in as_sizes(tensors))
    return results[0] if len(tensors) == 1 and hasattr(tensors[0], "dtype") else results


def beside(a: Any, x: Any) -> Any:
    """`x` as it is, if it is a tensor or an array; numbers as a tensor that can be joined to `a`."""
    if hasattr(x, "dtype"):
        return x
    array = np.array(x, like=value(a))
    return Tensor(array.astype(a.dtype) if a.dtype.kind == "f" else array)


# ---------------------------------------------------------------------- as NumPy calls, with NumPy's conventions

@implements(np.concatenate)
def _np_concatenate(arrays: Any, axis: int | None = 0) -> Tensor:
    flat: Any = [np.reshape(a, (-1,)) for a in arrays] if axis is None else arrays
    return cat(flat, 0 if axis is None else axis)


@implements(np.stack)
def _np_stack(arrays: Any, axis: int = 0) -> Tensor:
    return stack(arrays, axis)


@implements(np.append)
def _np_append(arr: Any, values: Any, axis: int | None = None) -> Tensor:
    arr = beside(values, arr)
    return _np_concatenate([arr, beside(arr, values)], axis)


@implements(np.hstack)
def _np_hstack(tup: Any) -> Tensor:
    return hstack(tup)


@implements(np.vstack)
def _np_vstack(tup: Any) -> Tensor:
    return vstack(tup)


@implements(np.dstack)
def _np_dstack(tup: Any) -> Tensor:
    return dstack(tup)


@implements(np.column_stack)
def _np_column_stack(tup: Any) -> Tensor:
    return column_stack(tup)


@implements(np.atleast_1d)
def _np_atleast_1d(*arys: Any) -> Any:
    return each_at_least("atleast_1d", arys, 1)


@implements(np.atleast_2d)
def _np_atleast_2d(*arys: Any) -> Any:
    return each_at_least("atleast_2d", arys, 2)


@implements(np.atleast_3d)
def _np_atleast_3d(*arys: Any) -> Any:
    return each_at_least("atleast_3d", arys, 3)
