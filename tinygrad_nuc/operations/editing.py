"""Values put in, taken out, or put together from blocks, and functions applied part by part: NumPy's conventions."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..engine.registry import implements
from ..engine.tensor import Tensor, value
from .axes import along, checked_dim, checked_dims
from .indexing import IndexAdd, to_tensor
from .joining import beside, cat, stack
from .rearranging import movedim, rolled
from .selection import where
from .sorting import sort


@implements(np.block)
def _np_block(arrays: Any) -> Tensor:
    """Nested lists: the innermost are joined along the last axis, those around them along the one before, …"""
    leaves = list(leaves_of(arrays, 0))
    depth = max(level for level, _ in leaves)
    if any(level != depth for level, _ in leaves):
        raise ValueError("block: all tensors must stand equally deep in the lists")
    one = next(x for _, x in leaves if isinstance(x, Tensor))
    ndim = max(depth, *(np.ndim(x) for _, x in leaves))
    return joined(arrays, depth, ndim, one) if depth else arrays.clone()


def joined(x: Any, depth: int, ndim: int, one: Tensor) -> Any:
    """What stands in `depth` nested lists, as one tensor; all of it with `ndim` dimensions."""
    if depth == 0:
        x = beside(one, x)
        return np.reshape(x, (1,) * (ndim - x.ndim) + tuple(x.shape))
    return cat([joined(part, depth - 1, ndim, one) for part in x], -depth)


def leaves_of(x: Any, level: int) -> Any:
    """What stands in nested lists, and how deep."""
    if not isinstance(x, list):
        yield level, x
        return
    if not x:
        raise ValueError("block: a list is empty")
    for part in x:
        yield from leaves_of(part, level + 1)


@implements(np.broadcast_arrays)
def _np_broadcast_arrays(*args: Any) -> tuple[Tensor, ...]:
    one = next(x for x in args if isinstance(x, Tensor))
    tensors = [to_tensor(beside(one, x)) for x in args]
    shape = np.broadcast_shapes(*(x.shape for x in tensors))
    return tuple(x.broadcast_to(shape) for x in tensors)


@implements(np.rollaxis)
def _np_rollaxis(a: Tensor, axis: int, start: int = 0) -> Tensor:
    """The axis moved to stand before the axis `start`."""
    axis = checked_dim("rollaxis", axis, a.ndim)
    start = checked_dim("rollaxis", start, a.ndim if start < 0 else a.ndim + 1)         # from the end, without the end
    return movedim(a, axis, start - 1 if axis < start else start)


@implements(np.fft.fftshift)
def _np_fftshift(x: Tensor, axes: Any = None) -> Tensor:
    return shifted(x, axes, lambda n: n // 2)


@implements(np.fft.ifftshift)
def _np_ifftshift(x: Tensor, axes: Any = None) -> Tensor:
    return shifted(x, axes, lambda n: -(n // 2))


def shifted(x: Tensor, axes: Any, places: Callable) -> Tensor:
    """Each axis of length n rolled by places(n)."""
    dims = checked_dims("fftshift", axes, x.ndim)
    return rolled(x, tuple(places(x.shape[i]) for i in dims), dims)


# ---------------------------------------------------------------------- put in and taken out

@implements(np.delete)
def _np_delete(arr: Any, obj: Any, axis: int | None = None) -> Tensor:
    a = to_tensor(arr)
    if axis is None:
        a, axis = a.reshape(-1), 0
    axis = checked_dim("delete", axis, a.ndim)
    kept = np.delete(np.arange(a.shape[axis], like=a.data), value(obj))
    return a[along(axis, kept)]


@implements(np.insert)
def _np_insert(arr: Any, obj: Any, values: Any, axis: int | None = None) -> Tensor:
    a = to_tensor(arr)
    if axis is None:
        a, axis = a.reshape(-1), 0
    axis = checked_dim("insert", axis, a.ndim)
    n, values = a.shape[axis], beside(a, values)
    values = np.reshape(values, (1,) * (a.ndim - values.ndim) + tuple(values.shape))
    places = places_of(obj, n)
    if isinstance(places, int):                 # all values at one place
        values = np.moveaxis(values, 0, axis)
    count = values.shape[axis] if isinstance(places, int) else len(places)
    values = np.broadcast_to(values, (*a.shape[:axis], count, *a.shape[axis + 1:]))
    order = np.insert(np.arange(n), places, np.arange(n, n + count))
    return cat([a, values.astype(a.dtype)], axis)[along(axis, np.array(order.tolist(), np.int64, like=a.data))]


def places_of(obj: Any, n: int) -> Any:
    """Where to insert, as an int or a list of them."""
    if isinstance(obj, slice):
        return list(range(n)[obj])
    obj = value(obj)
    return obj.tolist() if hasattr(obj, "dtype") else obj


@implements(np.ix_)
def _np_ix_(*args: Any) -> tuple:
    """Each vector along an axis of its own; of a mask, the positions where it is true."""
    results = []
    for i, x in enumerate(args):
        if np.ndim(x) != 1:
            raise ValueError(f"ix_: expects vectors, not shape {np.shape(x)}")
        x = beside(next(t for t in args if isinstance(t, Tensor)), x)
        x = np.flatnonzero(x) if x.dtype == np.bool_ else x
        results.append(np.reshape(x, [-1 if k == i else 1 for k in range(len(args))]))
    return tuple(results)


@implements(np.resize)
def _np_resize(a: Tensor, new_shape: Any) -> Tensor:
    """The values, in the same order, as often as it takes to fill the new shape."""
    shape = tuple(int(n) for n in np.atleast_1d(new_shape))
    if a.numel() == 0:
        return Tensor(np.zeros_like(a.data, shape=shape))
    return a.reshape(-1)[np.arange(math.prod(shape), like=a.data) % a.numel()].reshape(shape)


@implements(np.unique)
def _np_unique(ar: Tensor, return_index: bool = False, return_inverse: bool = False, return_counts: bool = False, *,
               equal_nan: bool = True) -> Any:
    """Of equal values the first gets the gradient."""
    options: dict[str, Any] = {"return_inverse": return_inverse, "return_counts": return_counts, "equal_nan": equal_nan}
    _, index, *others = np.unique(ar.data, return_index=True, **options)
    results = (ar.reshape(-1)[index], *([Tensor(index)] if return_index else []), *map(Tensor, others))
    return results if len(results) > 1 else results[0]


@implements(np.partition)
def _np_partition(a: Tensor, kth: Any, axis: int | None = -1) -> Tensor:
    """All values in order, which is one of the arrangements that are asked for."""
    a, axis = (a.reshape(-1), 0) if axis is None else (a, checked_dim("partition", axis, a.ndim))
    for k in np.atleast_1d(kth).tolist():
        if not -a.shape[axis] <= k < a.shape[axis]:
            raise ValueError(f"partition: there is no place {k} among the {a.shape[axis]} of axis {axis}")
    return sort(a, axis).values


# ---------------------------------------------------------------------- part by part

@implements(np.piecewise)
def _np_piecewise(x: Tensor, condlist: Any, funclist: Sequence, *args: Any, **kw: Any) -> Tensor:
    """A function is given only the values for which its condition holds, so that others cannot spoil its slope."""
    masks = conditions(condlist, x)
    if len(funclist) not in (len(masks), len(masks) + 1):
        raise ValueError(f"piecewise: {len(masks)} conditions need as many functions, or one more, not {len(funclist)}")
    free = np.ones_like(x.data, dtype=bool)
    y = Tensor(np.zeros_like(x.data))
    for mask, function in [*zip(masks, funclist, strict=False)][::-1] + [(free, f) for f in funclist[len(masks):]]:
        own, free = mask & free, free & ~mask           # where two conditions hold, the later one counts
        chosen = x[own]
        if callable(function) and chosen.numel():
            result = np.broadcast_to(to_tensor(beside(x, function(chosen, *args, **kw))), chosen.shape)
            y = y + IndexAdd.apply(result, index=(own,), shape=x.shape)
        elif not callable(function):
            y = where(Tensor(own), function, y)
    return y


def conditions(condlist: Any, x: Tensor) -> list:
    """The conditions as arrays of booleans."""
    single = condlist.ndim == x.ndim if hasattr(condlist, "ndim") else np.ndim(condlist[0]) == 0 < x.ndim
    return [np.array(value(c), bool, like=x.data) for c in ([condlist] if single else condlist)]


@implements(np.apply_along_axis)
def _np_apply_along_axis(func1d: Callable, axis: int, arr: Tensor, *args: Any, **kwargs: Any) -> Tensor:
    axis = checked_dim("apply_along_axis", axis, arr.ndim)
    last = movedim(arr, axis, -1)
    others = last.shape[:-1]
    if math.prod(others) == 0:
        raise ValueError(f"apply_along_axis: shape {arr.shape} has no values beside axis {axis}")
    y = stack([beside(arr, func1d(row, *args, **kwargs)) for row in last.reshape(-1, last.shape[-1])])
    y = y.reshape(*others, *y.shape[1:])
    added = y.ndim - len(others)                # how many axes each result has: they take the place of `axis`
    return movedim(y, tuple(range(len(others), y.ndim)), tuple(range(axis, axis + added)))


@implements(np.apply_over_axes)
def _np_apply_over_axes(func: Callable, a: Tensor, axes: Any) -> Tensor:
    for axis in np.atleast_1d(axes).tolist():
        axis = checked_dim("apply_over_axes", axis, a.ndim)
        y = func(a, axis)
        a = y if y.ndim == a.ndim else y.unsqueeze(axis)
    return a
