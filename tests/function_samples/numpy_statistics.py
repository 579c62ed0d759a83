"""Averages, covariances, NaN left out, histograms: NumPy's names, and PyTorch's where it has them."""

import numpy as np
from function_samples import CUBE, A, B, P, sample

from tinygrad_nuc.operations import statistics

V = np.array([0.5, -1.5, 2.0, 0.75])
POSITIVE = np.array([0.5, 1.5, 2.0, 0.25])
COUNTS = np.array([2, 1, 3], np.int8)                   # integers get no gradient; short ones promote no float32
HOLES = np.where(np.random.default_rng(3).random((3, 4, 5)) < 0.25, np.nan, np.random.default_rng(4).normal(size=(3, 4, 5)))
EVENTS = np.array([[0.1, 0.7, -0.2, 0.35, 0.7], [1.0, 0.25, 0.6, 2.5, 0.0]])
PLACES = np.array([3, 0, 3, 1])

AVERAGES = {
    "np.average": sample(np.average, A),
    "np.average weights": sample(lambda a, w: np.average(a, weights=w), A, P),
    "np.average axis": sample(lambda a, w: np.average(a, 1, w), CUBE, POSITIVE[:3]),
    "np.average axes": sample(lambda a, w: np.average(a, (2, 0), w, keepdims=True), CUBE, np.abs(CUBE[:, 0]).T + 0.1),
    "np.average returned": sample(lambda a, w: np.average(a, axis=0, weights=w, returned=True), A, POSITIVE[:2]),
    "np.average weights in a list": sample(lambda a: np.average(a, axis=1, weights=[1.0, 2.0, 0.5]), A),
    "np.average of an array": sample(lambda w: np.average([1.0, 2.0, -1.0, 0.5], weights=w), POSITIVE),
    "np.cov": sample(np.cov, A),
    "np.cov of two": sample(lambda a, b: np.cov(a, b), A, B),
    "np.cov columns": sample(lambda a, b: np.cov(a, b, rowvar=False, bias=True), A, B),
    "np.cov of a vector": sample(np.cov, V),
    "np.cov of two vectors": sample(lambda a, b: np.cov(a, b, ddof=0), V, POSITIVE),
    "np.cov beside a list": sample(lambda a: np.cov(a, [1.0, 2.0, 0.5, 3.0]), V),
    "np.cov weights": sample(lambda a, w: np.cov(a, aweights=w), A, P[0]),
    "np.cov both weights": sample(lambda a, w, n: np.cov(a, ddof=0, aweights=w, fweights=n), A, P[0], COUNTS),
    "np.corrcoef": sample(np.corrcoef, np.vstack([A, P[1]])),
    "np.corrcoef of two": sample(lambda a, b: np.corrcoef(a, b, rowvar=False), A, B),
    "tn.cov": sample(lambda a: statistics.cov(a, correction=0), A, reference=lambda a: np.cov(a, ddof=0)),
    "tn.cov weights": sample(lambda a, n, w: a.cov(fweights=n, aweights=w), A, COUNTS, P[0],
                             reference=lambda a, n, w: np.cov(a, fweights=n, aweights=w)),
    "tn.corrcoef": sample(statistics.corrcoef, np.vstack([A, P[1]]), reference=np.corrcoef),
    "np.ptp": sample(np.ptp, A),
    "np.ptp axis": sample(lambda a: np.ptp(a, axis=1, keepdims=True), CUBE),
}

WITHOUT_NAN = {
    f"np.{function.__name__}{words}": sample(lambda a, function=function, options=options: function(a, **options), HOLES)
    for function in (np.nansum, np.nanmean, np.nanvar, np.nanstd, np.nanmax, np.nanmin, np.nanprod)
    for words, options in {"": {}, " axis": {"axis": 1}, " axes": {"axis": (0, 2), "keepdims": True}}.items()
} | {
    "np.nanvar ddof": sample(lambda a: np.nanvar(a, axis=0, ddof=0.5), HOLES),
    "np.nanstd ddof": sample(lambda a: np.nanstd(a, ddof=1), HOLES),
    "np.nansum of NaN": sample(lambda a: np.nansum(a, axis=1), np.array([[np.nan, np.nan], [1.5, np.nan]])),
    "np.nanmax without NaN": sample(np.nanmax, A),
    "np.nancumsum": sample(np.nancumsum, HOLES),
    "np.nancumsum axis": sample(lambda a: np.nancumsum(a, axis=1), HOLES),
    "np.nancumprod": sample(lambda a: np.nancumprod(a), HOLES[0]),
    "np.nancumprod axis": sample(lambda a: np.nancumprod(a, axis=1), HOLES),
    "tn.nansum": sample(lambda a: statistics.nansum(a, 1, keepdim=True), HOLES, reference=lambda a: np.nansum(a, 1, keepdims=True)),
    "tn.nanmean": sample(lambda a: a.nanmean((0, 2)), HOLES, reference=lambda a: np.nanmean(a, (0, 2))),
}

HISTOGRAMS = {
    "np.bincount": sample(lambda i, w: np.bincount(i, w), PLACES, V, waits_on_device=True),
    "np.bincount longer": sample(lambda i, w: np.bincount(i, w, minlength=6), PLACES, V, waits_on_device=True),
    "np.histogram": sample(lambda a, w: np.histogram(a, 3, weights=w)[0], EVENTS[0].astype(np.float16).astype(int) + PLACES[[0, 1, 2, 3, 0]], EVENTS[1], waits_on_device=True),
    "np.histogram edges": sample(lambda w: np.histogram([0.1, 0.7, -0.2, 0.35, 5.0], [0, 0.1, 0.35, 0.7], weights=w)[0], EVENTS[1], waits_on_device=True),
    "np.histogram range": sample(lambda w: np.histogram([0.1, 0.7, -0.2, 0.35, 5.0], 4, (0, 0.7), weights=w)[0], EVENTS[1]),
    "np.histogram density": sample(lambda w: np.histogram([0.1, 0.7, -0.2, 0.35, 5.0], [0, 0.1, 0.35, 0.8], density=True, weights=w)[0], EVENTS[1], waits_on_device=True),
}

CALLS = {**AVERAGES, **WITHOUT_NAN, **HISTOGRAMS}
