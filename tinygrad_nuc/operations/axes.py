"""Which axes an operation works along: the same words and checks for all."""

import functools
import math
from collections.abc import Callable
from typing import Any

import numpy as np


def takes_axis(function: Callable) -> Callable:
    """Decorator: NumPy's words axis and keepdims work as well as PyTorch's dim and keepdim."""
    @functools.wraps(function)
    def with_either_name(*args: Any, **options: Any) -> Any:
        for theirs, ours in (("axis", "dim"), ("keepdims", "keepdim")):
            if theirs in options:
                if ours in options:
                    raise TypeError(f"{function.__name__}: give {ours} or {theirs}, not both")
                options[ours] = options.pop(theirs)
        return function(*args, **options)
    return with_either_name


def checked_dim(name: str, dim: int, ndim: int) -> int:
    """`dim` counted from 0, refused if there is no such dimension."""
    if isinstance(dim, (list, tuple)):
        raise TypeError(f"{name}: goes along one dimension, not {dim}" +
                        (f"; use a{name} for several" if name in ("max", "min") else ""))
    if not -ndim <= dim < ndim:
        raise IndexError(f"{name}: dimension {dim} is out of range; " +
                         (f"it must lie from {-ndim} to {ndim - 1}" if ndim else "a single number has no dimensions"))
    return int(dim) % ndim


def checked_dims(name: str, dims: Any, ndim: int) -> tuple[int, ...]:
    """One dimension, several, or all (None), counted from 0; refused if one is not there or named twice."""
    if dims is None:
        return tuple(range(ndim))
    counted = tuple(checked_dim(name, dim, ndim) for dim in (dims if isinstance(dims, (tuple, list)) else (dims,)))
    if len(set(counted)) < len(counted):
        raise ValueError(f"{name}: {dims} names a dimension twice")
    return counted


def along(dim: int, part: Any) -> tuple:
    """The index that takes `part`, a slice or positions, along one dimension and everything along the others."""
    return (slice(None),) * dim + (part,)


def joined_last(a: Any, axes: tuple[int, ...]) -> Any:
    """`a` with the `axes` joined into one, which comes last; the others keep their order."""
    kept = tuple(i for i in range(a.ndim) if i not in axes)
    return np.reshape(np.transpose(a, kept + axes), (*(a.shape[i] for i in kept), count(a, axes)))


def reduced_axes(a: Any, axis: int | tuple[int, ...] | None) -> tuple[int, ...]:
    """The axes that a reduction of `a` over `axis` removes, counted from 0."""
    if axis is None:
        return tuple(range(a.ndim))
    return tuple(int(i) % a.ndim for i in np.atleast_1d(axis)) if a.ndim else ()


def restored(y: Any, a: Any, axis: int | tuple[int, ...] | None) -> Any:
    """`y`, a reduction of `a` over `axis`, with those axes back as axes of length 1."""
    if axis is None:
        return np.reshape(y, (1,) * a.ndim)
    axes = reduced_axes(a, axis)
    return np.reshape(y, tuple(1 if i in axes else n for i, n in enumerate(a.shape)))


def count(a: Any, axis: int | tuple[int, ...] | None) -> int:
    """How many values each result of a reduction over `axis` is made of."""
    return math.prod(a.shape if axis is None else (a.shape[i] for i in reduced_axes(a, axis)))
