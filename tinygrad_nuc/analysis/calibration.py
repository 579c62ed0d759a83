"""Can a probability be believed? Among events with response 0.7, seven of ten should be kaons."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..utils.arguments import whole_number

__all__ = ["Reliability", "expected_calibration_error", "reliability"]


class Reliability(NamedTuple):
    """What `reliability` gives: one entry for each bin that holds events."""

    predicted: NDArray[np.float64]
    """Mean predicted probability."""
    observed: NDArray[np.float64]
    """Share of class 1."""
    events: NDArray[np.int64]
    """How many."""

    @property
    def error(self) -> NDArray[np.float64]:
        """Standard deviation of the share if the prediction p is right, √(p (1 − p)/n); not for true probabilities."""
        return np.sqrt(self.predicted * (1 - self.predicted) / self.events)


def reliability(p: ArrayLike, y: ArrayLike, bins: int = 10) -> Reliability:
    """The calibration curve: how often class 1 is found, where it was predicted with probability p.

    Parameters
    ----------
    p : array_like, shape (n,)
        Predicted probabilities of class 1.
    y : array_like, shape (n,)
        Labels 0 and 1; or, where a simulation knows them, the true probabilities, which do not fluctuate.
    bins : int, optional
        Of equal width, from 0 to 1. Those without events are left out.

    Returns
    -------
    Reliability
        Of a classifier that can be believed, `predicted` and `observed` agree.

    Raises
    ------
    ValueError
        If there are no events, shapes differ, a number is not from 0 to 1, or `bins` is no whole number of at least 1.

    Examples
    --------
    >>> curve = reliability([0.1, 0.3, 0.8, 0.9, 1.0], [0, 1, 1, 1, 0], bins=2)
    >>> print(curve.predicted, curve.observed.round(3), curve.events)
    [0.2 0.9] [0.5   0.667] [2 3]
    """
    p, y = np.asarray(p, dtype=np.float64), np.asarray(y, dtype=np.float64)
    if p.ndim != 1 or p.shape != y.shape or not p.size:
        raise ValueError(f"reliability: p and y must have one entry for each event, shapes (n,), not {p.shape} and "
                         f"{y.shape}")
    for name, numbers in (("p", p), ("y", y)):
        if not np.all((numbers >= 0) & (numbers <= 1)):                                 # NaN is none of them
            raise ValueError(f"reliability: {name} must be from 0 to 1 in every event")
    bins = whole_number("reliability", "bins", bins)
    place = np.minimum((p * bins).astype(int), bins - 1)                                # p = 1 is in the last
    events = np.bincount(place, minlength=bins)
    filled = events > 0
    n = events[filled]
    return Reliability(np.bincount(place, p, bins)[filled] / n, np.bincount(place, y, bins)[filled] / n, n)


def expected_calibration_error(p: ArrayLike, y: ArrayLike, bins: int = 10) -> float:
    """How far predicted probabilities are from what is found, on average.

    ::

        ECE = Σ (n_k / n) |observed_k − predicted_k|      over the bins k of `reliability`

    With labels, fluctuations alone make it about Σ (n_k / n) √(2/π) σ_k, also for perfect probabilities, with
    σ_k = `reliability(…).error`.

    Parameters
    ----------
    p, y, bins
        As in `reliability`, whose errors are raised here too.

    References
    ----------
    M. P. Naeini, G. F. Cooper, M. Hauskrecht, "Obtaining well calibrated probabilities using Bayesian binning", 2015.

    Examples
    --------
    >>> round(expected_calibration_error([0.1, 0.3, 0.8, 0.9, 1.0], [0, 1, 1, 1, 0], bins=2), 3)
    0.26
    """
    curve = reliability(p, y, bins)
    return float(np.average(np.abs(curve.observed - curve.predicted), weights=curve.events))
