"""How many kaons? The same question answered with the whole shape of the classifier's response.

A count keeps one bit per event. The response says more: an event at 0.99 is worth more than one at
0.51. So histogram the response of calibration kaons (shares s_i) and calibration pions (shares b_i),
and find the fraction f for which the mixture p_i = f s_i + (1 − f) b_i describes the unlabelled
counts n_i best.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .abundance import Abundance

__all__ = ["count_in_bins", "fit_counts", "quantile_bins", "template_fit"]


def fit_counts(pion_counts: ArrayLike, kaon_counts: ArrayLike, unlabelled_counts: ArrayLike) -> Abundance:
    """Binned maximum-likelihood fit of a mixture of two templates.

    ::

        ln L(f) = Σ n_i ln p_i,      p_i = f s_i + (1 − f) b_i,      d_i = s_i − b_i
         d ln L/df  = Σ n_i d_i / p_i = U
        −d²ln L/df² = Σ n_i d_i² / p_i² = J

    ln L is concave (J ≥ 0), so Newton's step f ← f + U/J leads to its only maximum. The search stays
    where every p_i ≥ 0, an interval that contains [0, 1] and may be wider: like the adjusted count, f
    may come out below 0 or above 1 by fluctuation.

    The statistical variance is 1/J. A template's own fluctuation moves the maximum by
    ∂f/∂s_i = u_i/J with u_i = n_i b_i/p_i², and ∂f/∂b_i = −v_i/J with v_i = n_i s_i/p_i². The
    covariance of multinomial shares being (diag(s) − s sᵀ)/n_kaons, and likewise for b, this adds

    ::

        σ²_calibration = [Σ s u² − (Σ s u)²]/(n_kaons J²) + [Σ b v² − (Σ b v)²]/(n_pions J²)

    With two bins the fit *is* the adjusted count, uncertainty included.

    Parameters
    ----------
    pion_counts, kaon_counts, unlabelled_counts : array_like
        Shape (n_bins,), numbers of events. A bin may be empty in any of the three; unlabelled events
        in a bin that both templates leave empty have no explanation and are an error.

    Returns
    -------
    Abundance

    Raises
    ------
    ValueError
        If the shapes differ, a count is negative, a sample is empty, the templates agree in every bin
        that holds unlabelled events, or such events lie where both templates are empty.

    Notes
    -----
    To first order the templates' fluctuations only widen the uncertainty. To second order they shift f
    by (1 − 2f) Σ (N s b/p²)/(n J), with n calibration events of each class and N unlabelled ones. With
    62,500 of each class that is below 0.04 of the uncertainty even for 40 bins and f = 0.05; with only
    2,000 of each class it is 0.2 there, and fewer bins help.

    Examples
    --------
    >>> print(fit_counts([900, 80, 20], [30, 70, 900], [6390, 770, 2840]))
    0.3000 ± 0.0069
    """
    counts = [np.asarray(c, dtype=np.float64) for c in (pion_counts, kaon_counts, unlabelled_counts)]
    if counts[0].ndim != 1 or not counts[0].shape == counts[1].shape == counts[2].shape:
        raise ValueError(f"the three histograms need the same bins, not {[c.shape for c in counts]}")
    for name, c in zip(("pion", "kaon", "unlabelled"), counts, strict=True):
        if not np.all(c >= 0):
            raise ValueError(f"{name}_counts contain a negative number or NaN")
        if c.sum() == 0:
            raise ValueError(f"{name}_counts are all zero")
    n_pions, n_kaons = counts[0].sum(), counts[1].sum()
    if np.any(counts[2][counts[0] + counts[1] == 0] > 0):
        raise ValueError("unlabelled events in a bin where both templates are empty: take wider bins")

    filled = counts[2] > 0  # a bin with n_i = 0 drops out of every sum below
    b_all, s_all = counts[0] / n_pions, counts[1] / n_kaons
    b, s, n = b_all[filled], s_all[filled], counts[2][filled]
    d = s - b
    if not np.any(d):
        raise ValueError("the templates agree wherever there are unlabelled events: f cannot be told")
    f = _maximise(b, s, n, *_allowed_interval(b_all, s_all))

    p = b + f * d
    J = np.sum(n * d**2 / p**2)
    u, v = n * b / p**2, n * s / p**2
    variance_s = (np.sum(s * u**2) - np.sum(s * u) ** 2) / (n_kaons * J**2)
    variance_b = (np.sum(b * v**2) - np.sum(b * v) ** 2) / (n_pions * J**2)
    calibration = np.sqrt(max(variance_s + variance_b, 0.0))  # rounding may leave −1e-20 where it is 0
    return Abundance(f, statistical=float(1 / np.sqrt(J)), calibration=float(calibration))


def _allowed_interval(b: NDArray[np.float64], s: NDArray[np.float64]) -> tuple[float, float]:
    """The f for which no p_i = b_i + f (s_i − b_i) is negative; it contains [0, 1]."""
    d = s - b
    rising, falling = d > 0, d < 0
    return float(np.max(-b[rising] / d[rising])), float(np.min(-b[falling] / d[falling]))


def _maximise(
    b: NDArray[np.float64], s: NDArray[np.float64], n: NDArray[np.float64], low: float, high: float
) -> float:
    """Newton's method for the maximum of Σ n ln(b + f (s − b)) on the interval (low, high)."""
    d = s - b
    f = 0.5
    for _ in range(100):
        p = b + f * d
        U, J = np.sum(n * d / p), np.sum(n * d**2 / p**2)
        step = U / J
        if abs(step) < 1e-12:
            break
        # U falls monotonically, so its sign says on which side of f the maximum lies. A step that
        # leaves the interval known to hold it is replaced by a step to its middle.
        low, high = (f, high) if U > 0 else (low, f)
        f = f + step if low < f + step < high else 0.5 * (low + high)
    return float(f)


def quantile_bins(response_pion: ArrayLike, response_kaon: ArrayLike, bins: int) -> NDArray[np.float64]:
    """Bin edges that share the calibration events out equally, both classes weighted alike.

    Every edge is a response that occurs, so no bin is empty in both templates, also when the response
    is discrete as a decision tree's is (there may then be fewer bins). The outer edges are infinite,
    so that every unlabelled event has a bin.

    Parameters
    ----------
    response_pion, response_kaon : array_like
        Responses of the calibration events.
    bins : int
        Number of bins, at least 2.

    Returns
    -------
    ndarray
        Increasing, −inf first and +inf last; bin i contains edges[i] ≤ response < edges[i + 1].

    Raises
    ------
    ValueError
        If there are fewer than 2 bins.

    Examples
    --------
    >>> print(quantile_bins([0.1, 0.2, 0.3, 0.4], [0.6, 0.7, 0.8, 0.9], bins=2))
    [-inf  0.6  inf]
    """
    if bins < 2:
        raise ValueError(f"a template fit needs at least 2 bins, not {bins}")
    pions, kaons = np.ravel(response_pion), np.ravel(response_kaon)
    response = np.concatenate([pions, kaons])
    weight = np.concatenate([np.full(len(pions), 1 / len(pions)), np.full(len(kaons), 1 / len(kaons))])
    order = np.argsort(response, kind="stable")
    cumulative = np.cumsum(weight[order]) / 2
    inner = response[order][np.searchsorted(cumulative, np.arange(1, bins) / bins, side="right")]
    inner = np.unique(inner)
    inner = inner[inner > response.min()]  # below the smallest response a bin would be empty
    return np.concatenate([[-np.inf], inner, [np.inf]])


def count_in_bins(response: ArrayLike, edges: ArrayLike) -> NDArray[np.int64]:
    """Events in each bin of `quantile_bins`.

    Parameters
    ----------
    response : array_like
        Shape (n,).
    edges : array_like
        Increasing, −inf first and +inf last.

    Returns
    -------
    ndarray
        Shape (len(edges) − 1,), adding up to n.

    Examples
    --------
    >>> print(count_in_bins([0.1, 0.5, 0.9], [-np.inf, 0.5, np.inf]))
    [1 2]
    """
    edges = np.asarray(edges)
    return np.bincount(np.searchsorted(edges[1:-1], np.ravel(response), side="right"), minlength=len(edges) - 1)


def template_fit(
    response_pion: ArrayLike, response_kaon: ArrayLike, response_unlabelled: ArrayLike, *, bins: int = 20
) -> Abundance:
    """Abundance of kaons from the shape of a classifier's response; see `fit_counts` for the formulas.

    Any monotonic rescaling of the response (logit or probability) gives the same answer, because the
    bins follow the quantiles of the calibration responses (`quantile_bins`).

    Parameters
    ----------
    response_pion, response_kaon : array_like
        Shapes (n_pions,) and (n_kaons,): responses of labelled events the classifier was not trained on.
    response_unlabelled : array_like
        Shape (N,).
    bins : int, optional
        Number of bins. More bins lose less information, but each must keep many calibration events
        (see the notes of `fit_counts`).

    Returns
    -------
    Abundance

    Raises
    ------
    ValueError
        If a sample is empty or contains NaN, or as in `quantile_bins` and `fit_counts`.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> pion, kaon = rng.normal(0, 1, 5000), rng.normal(2, 1, 5000)
    >>> unlabelled = np.concatenate([rng.normal(0, 1, 7000), rng.normal(2, 1, 3000)])
    >>> print(template_fit(pion, kaon, unlabelled))
    0.2950 ± 0.0077
    """
    samples = {"pion": response_pion, "kaon": response_kaon, "unlabelled": response_unlabelled}
    for name, response in samples.items():
        if np.size(response) == 0:
            raise ValueError(f"response_{name} is empty")
        if np.any(np.isnan(response)):
            raise ValueError(f"response_{name} contains NaN")
    edges = quantile_bins(response_pion, response_kaon, bins)
    return fit_counts(*(count_in_bins(response, edges) for response in samples.values()))
