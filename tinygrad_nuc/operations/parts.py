"""Parts of a tensor: taken out, or given to functions of their own. NumPy's names and conventions."""

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..engine.registry import implements
from ..engine.tensor import Tensor, value
from .axes import along, checked_dim
from .indexing import IndexAdd, to_tensor
from .joining import beside, stack
from .rearranging import movedim
from .selection import where


@implements(np.delete)
def _np_delete(arr: Any, obj: Any, axis: int | None = None) -> Tensor:
    a = to_tensor(arr)
    if axis is None:
        a, axis = a.reshape(-1), 0
    axis = checked_dim("delete", axis, a.ndim)
    kept = np.delete(np.arange(a.shape[axis], like=a.data), value(obj))
    return a[along(axis, kept)]


@implements(np.unique)
def _np_unique(ar: Tensor, return_index: bool = False, return_inverse: bool = False, return_counts: bool = False, *,
               equal_nan: bool = True) -> Any:
    """Of equal values the first gets the gradient."""
    options: dict[str, Any] = {"return_inverse": return_inverse, "return_counts": return_counts, "equal_nan": equal_nan}
    _, index, *others = np.unique(ar.data, return_index=True, **options)
    results = (ar.reshape(-1)[index], *([Tensor(index)] if return_index else []), *map(Tensor, others))
    return results if len(results) > 1 else results[0]


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
