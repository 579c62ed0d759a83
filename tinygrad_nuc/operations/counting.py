"""Histograms. Counts are whole numbers and pass no gradient to what is counted; the weights of the entries get theirs."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..engine.registry import implements
from ..engine.tensor import Tensor, value
from .indexing import IndexAdd, checked_positions
from .joining import beside
from .logic import of_values
from .selection import where


def weighted_counts(columns: Sequence, edges: Sequence, weights: Any) -> Tensor:
    """Sum of the weights in each bin of a histogram with one axis for each of the `columns` of values."""
    shape = tuple(len(e) - 1 for e in edges)
    weights = beside(columns[0], weights)
    if weights.shape != columns[0].shape:
        raise ValueError(f"histogram: {columns[0].shape} values need as many weights, and these have shape "
                         f"{weights.shape}")
    place, inside = 0, True
    for x, e in zip(columns, edges, strict=True):
        n = len(e) - 1
        own = np.searchsorted(e, x, side="right") - 1
        own = np.where(x == e[-1], n - 1, own)                      # the last bin includes its upper edge
        place, inside = place * n + np.clip(own, 0, n - 1), inside & (x >= e[0]) & (x <= e[-1])
    return IndexAdd.apply(where(inside, weights, 0), index=(place,), shape=(math.prod(shape),)).reshape(shape)


def density_of(counts: Tensor, edges: Sequence) -> Tensor:
    """The counts divided by their sum and by the size of each bin."""
    y = counts / np.sum(counts)
    for i, e in enumerate(edges):
        y = y / np.reshape(np.diff(e), [-1 if k == i else 1 for k in range(counts.ndim)])
    return y


# ---------------------------------------------------------------------- as NumPy calls, with NumPy's conventions

@implements(np.bincount)
def _np_bincount(x: Any, /, weights: Any = None, minlength: int = 0) -> Tensor:
    if weights is None:
        return Tensor(np.bincount(value(x), minlength=minlength))
    x, weights = value(beside(weights, x)), beside(x, weights)
    if x.ndim != 1 or weights.shape != x.shape:
        raise ValueError(f"bincount: expects two vectors of equal length, not shapes {x.shape} and {weights.shape}")
    n = max(minlength, int(np.max(x)) + 1 if x.size else 0)
    place = checked_positions("bincount", x, x, n)
    return IndexAdd.apply(weights if weights.dtype.kind == "f" else weights.astype(np.float64), index=(place,), shape=(n,))


@implements(np.histogram)
def _np_histogram(a: Any, bins: Any = 10, range: Any = None, density: bool = False, weights: Any = None) -> tuple:
    if weights is None:
        return of_values(np.histogram)(a, bins, range, density=density)
    a = value(beside(weights, a))
    edges = np.histogram(a, value(bins), range)[1]
    counts = weighted_counts([a.reshape(-1)], [edges], np.reshape(beside(a, weights), (-1,)))
    return density_of(counts, [edges]) if density else counts, Tensor(edges)


@implements(np.histogram2d)
def _np_histogram2d(x: Any, y: Any, bins: Any = 10, range: Any = None, density: bool = False,
                    weights: Any = None) -> tuple:
    if weights is None:
        return of_values(np.histogram2d)(x, y, bins, range, density)
    x, y = (value(beside(weights, a)) for a in (x, y))
    edges = of_values(np.histogram2d)(x, y, bins, range)[1:]
    counts = weighted_counts([x, y], [e.data for e in edges], weights)
    return density_of(counts, [e.data for e in edges]) if density else counts, *edges


@implements(np.histogramdd)
def _np_histogramdd(sample: Any, bins: Any = 10, range: Any = None, density: bool = False, weights: Any = None) -> tuple:
    if weights is not None:
        raise TypeError("numpy.histogramdd of a Tensor takes no weights; numpy.histogram and numpy.histogram2d do")
    return of_values(np.histogramdd)(sample, bins, range, density)
