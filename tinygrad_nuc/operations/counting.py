"""Histograms. Counts are whole numbers and pass no gradient to what is counted; the weights get theirs."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..engine.registry import implements
from ..engine.tensor import Tensor, value
from .indexing import IndexAdd, checked_positions, to_tensor
from .joining import beside
from .logic import of_values
from .selection import where


def weighted_counts(columns: Sequence, edges: Sequence, weights: Any) -> Tensor:
    """Sum of the weights in each bin of a histogram with one axis for each of the `columns` of values."""
    shape = tuple(len(e) - 1 for e in edges)
    if any(x.shape != weights.shape for x in columns):
        raise ValueError(f"histogram: values of shapes {[x.shape for x in columns]} need as many weights, and these "
                         f"have shape {weights.shape}")
    place: Any = 0
    inside: Any = True
    for x, e, n in zip(columns, edges, shape, strict=True):
        own = np.searchsorted(e, x, side="right") - 1
        own = np.where(x == e[-1], n - 1, own)                      # the last bin includes its upper edge
        place, inside = place * n + np.clip(own, 0, n - 1), inside & (x >= e[0]) & (x <= e[-1])
    entries = where(Tensor(inside), weights, 0)
    return IndexAdd.apply(entries, index=(place,), shape=(math.prod(shape),)).reshape(shape)


def density_of(counts: Tensor, edges: Sequence) -> Tensor:
    """The counts divided by their sum and by the size of each bin."""
    y = counts / np.sum(counts)
    for i, e in enumerate(edges):
        width = np.diff(e).astype(counts.dtype)
        y = y / np.reshape(width, [-1 if k == i else 1 for k in range(counts.ndim)])
    return y


def flat_values(a: Any, weights: Any) -> Any:
    """What is counted, as an array on the device of the weights."""
    return np.reshape(value(a) if hasattr(a, "dtype") else np.array(a, like=value(weights)), (-1,))


# ---------------------------------------------------------------------- as NumPy calls, with NumPy's conventions

@implements(np.bincount)
def _np_bincount(x: Any, /, weights: Any = None, minlength: int = 0) -> Tensor:
    if weights is None:
        return Tensor(np.bincount(value(x), minlength=minlength))
    x = value(x) if hasattr(x, "dtype") else np.array(x, like=value(weights))
    weights = to_tensor(beside(x, weights))
    if x.ndim != 1 or weights.shape != x.shape:
        raise ValueError(f"bincount: expects two vectors of equal length, not shapes {x.shape} and {weights.shape}")
    n = max(minlength, int(np.max(x)) + 1 if x.size else 0)
    place = checked_positions("bincount", x, x, n)
    weights = weights if weights.dtype.kind == "f" else weights.astype(np.float64)
    return IndexAdd.apply(weights, index=(place,), shape=(n,))


@implements(np.histogram)
def _np_histogram(a: Any, bins: Any = 10, range: Any = None, density: bool = False, weights: Any = None) -> tuple:
    if weights is None:
        return of_values(np.histogram)(a, bins, range, density=density)
    a, weights = flat_values(a, weights), to_tensor(beside(a, weights)).reshape(-1)
    edges = np.histogram(a, value(bins), range)[1]
    counts = weighted_counts([a], [edges], weights)
    return density_of(counts, [edges]) if density else counts, Tensor(edges)


@implements(np.histogram2d)
def _np_histogram2d(x: Any, y: Any, bins: Any = 10, range: Any = None, density: bool = False,
                    weights: Any = None) -> tuple:
    if weights is None:
        return of_values(np.histogram2d)(x, y, bins, range, density)
    columns = [flat_values(a, weights) for a in (x, y)]
    edges = of_values(np.histogram2d)(*columns, bins, range)[1:]
    counts = weighted_counts(columns, [e.data for e in edges], to_tensor(beside(columns[0], weights)))
    return density_of(counts, [e.data for e in edges]) if density else counts, *edges


@implements(np.histogramdd)
def _np_histogramdd(sample: Any, bins: Any = 10, range: Any = None, density: bool = False) -> tuple:
    return of_values(np.histogramdd)(sample, bins, range, density)
