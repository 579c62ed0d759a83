"""Histograms. Counts are whole numbers and pass no gradient to what is counted; the weights get theirs."""

from typing import Any

import numpy as np

from ..engine.arrays import on_host
from ..engine.registry import implements
from ..engine.tensor import Tensor, value
from .indexing import IndexAdd, checked_positions, to_tensor
from .joining import beside
from .logic import of_values
from .selection import where


def weighted_counts(x: Any, edges: Any, weights: Tensor) -> Tensor:
    """Sum of the weights of the values in each bin."""
    if x.shape != weights.shape:
        raise ValueError(f"histogram: values of shape {x.shape} need as many weights, and these have shape "
                         f"{weights.shape}")
    n = len(edges) - 1
    place = np.where(x == edges[-1], n - 1, np.searchsorted(edges, x, side="right") - 1)  # the last bin has both edges
    entries = where(Tensor((x >= edges[0]) & (x <= edges[-1])), weights, 0)
    return IndexAdd.apply(entries, index=(np.clip(place, 0, n - 1),), shape=(n,))


# ---------------------------------------------------------------------- as NumPy calls, with NumPy's conventions

@implements(np.bincount)
def _np_bincount(x: Any, /, weights: Any = None, minlength: int = 0) -> Tensor:
    if weights is None:
        return Tensor(np.bincount(value(x), minlength=minlength))
    x = value(x) if hasattr(x, "dtype") else np.array(x, like=value(weights))
    weights = to_tensor(beside(x, weights))
    if x.ndim != 1 or weights.shape != x.shape:
        raise ValueError(f"bincount: expects two vectors of equal length, not shapes {x.shape} and {weights.shape}")
    n = max(minlength, int(on_host(np.max(x))) + 1 if x.size else 0)
    place = checked_positions("bincount", x, x, n)
    weights = weights if weights.dtype.kind == "f" else weights.astype(np.float64)
    return IndexAdd.apply(weights, index=(place,), shape=(n,))


@implements(np.histogram)
def _np_histogram(a: Any, bins: Any = 10, range: Any = None, density: bool = False, weights: Any = None) -> tuple:
    if weights is None:
        return of_values(np.histogram)(a, bins, range, density=density)
    x = np.reshape(value(a) if hasattr(a, "dtype") else np.array(a, like=value(weights)), (-1,))
    edges = np.histogram(x, value(bins), range)[1]
    counts = weighted_counts(x, edges, to_tensor(beside(x, weights)).reshape(-1))
    if density:
        counts = counts / np.sum(counts) / np.diff(edges).astype(counts.dtype)
    return counts, Tensor(edges)
