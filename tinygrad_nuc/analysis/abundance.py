"""How many kaons? Measuring the fraction f of a class in a sample without labels, by counting.

A classifier calls a fraction q of the sample kaons. Some of those are pions, and some kaons are
missed, so q is not f. In terms of the true- and false-positive rates,

    q = f TPR + (1 − f) FPR          →          f = (q − FPR) / (TPR − FPR)

TPR and FPR come from labelled *calibration* events. They must be events the classifier was not
trained on: on its own training events a classifier looks better than it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

__all__ = ["Abundance", "adjusted_count", "count_two_bins", "naive_count", "toy_pulls"]


@dataclass(frozen=True)
class Abundance:
    """A measured fraction with its uncertainties (one standard deviation each).

    Attributes
    ----------
    value : float
        The estimate of f. By fluctuation it may lie below 0 or above 1; cutting it there would bias
        the average of many measurements.
    statistical : float
        Uncertainty from the finite unlabelled sample.
    calibration : float
        Uncertainty from the finite labelled samples. Systematic errors, such as a simulation that
        differs from the experiment, are in neither.

    Examples
    --------
    >>> f = Abundance(0.3121, statistical=0.0010, calibration=0.0006)
    >>> print(f)
    0.3121 ± 0.0012
    >>> print(f"{f.pull(0.3116):.2f}")
    0.43
    """

    value: float
    statistical: float
    calibration: float = 0.0

    @property
    def uncertainty(self) -> float:
        """Total uncertainty, √(statistical² + calibration²).

        Examples
        --------
        >>> Abundance(0.3, statistical=0.03, calibration=0.04).uncertainty
        0.05
        """
        return float(np.hypot(self.statistical, self.calibration))

    def pull(self, truth: float) -> float:
        """(value − truth) / uncertainty: over many experiments, mean 0 and width 1 if all is right.

        Examples
        --------
        >>> print(f"{Abundance(0.32, statistical=0.01).pull(0.30):.1f}")
        2.0
        """
        if self.uncertainty == 0:
            raise ValueError("a pull needs an uncertainty above zero")
        return (self.value - truth) / self.uncertainty

    def __str__(self) -> str:
        return f"{self.value:.4f} ± {self.uncertainty:.4f}"


def _rate(k: int, n: int, what: str) -> tuple[float, float]:
    """k of n as a fraction and its binomial variance; `what` names the sample in the error."""
    if n <= 0:
        raise ValueError(f"{what}: there are no events")
    if not 0 <= k <= n:
        raise ValueError(f"{what}: cannot call {k} of {n} events kaons")
    rate = float(k) / float(n)
    return rate, rate * (1 - rate) / float(n)


def naive_count(n_called: int, n_total: int) -> Abundance:
    """The fraction called kaon, q = k/N ± √(q (1 − q) / N), taken as if it were the abundance.

    It is biased: it converges to f TPR + (1 − f) FPR. Its small uncertainty does not know that.

    Parameters
    ----------
    n_called : int
        k, unlabelled events that the classifier calls kaons.
    n_total : int
        N, all unlabelled events.

    Returns
    -------
    Abundance

    Raises
    ------
    ValueError
        If there are no events, or k is not between 0 and N.

    Examples
    --------
    >>> print(naive_count(300, 1000))
    0.3000 ± 0.0145
    """
    q, variance_q = _rate(n_called, n_total, "unlabelled sample")
    return Abundance(q, statistical=float(np.sqrt(variance_q)))


def adjusted_count(
    n_called: int, n_total: int, *, kaons_called: int, n_kaons: int, pions_called: int, n_pions: int
) -> Abundance:
    """Abundance from a count, corrected for the classifier's two kinds of error.

    ::

        f   = (q − FPR) / (TPR − FPR)
        σ_f² = [q (1 − q)/N + f² σ²_TPR + (1 − f)² σ²_FPR] / (TPR − FPR)²

    with σ²_TPR = TPR (1 − TPR)/n_kaons, and σ²_FPR likewise. The first term is the statistical
    uncertainty, the other two are the calibration's: ∂f/∂TPR = −f/(TPR − FPR) and
    ∂f/∂FPR = −(1 − f)/(TPR − FPR). The result may fall outside [0, 1] by fluctuation and is kept.

    Parameters
    ----------
    n_called, n_total : int
        Unlabelled events called kaon, and all of them: q = n_called / n_total, N = n_total.
    kaons_called, n_kaons : int
        Calibration kaons called kaon, and all of them: TPR = kaons_called / n_kaons.
    pions_called, n_pions : int
        Calibration pions called kaon, and all of them: FPR = pions_called / n_pions.

    Returns
    -------
    Abundance

    Raises
    ------
    ValueError
        If a sample is empty, a count exceeds its total, or TPR = FPR (a classifier that calls both
        classes kaons equally often says nothing about f).

    Notes
    -----
    The binomial variance is zero at 0 of n and n of n, so a rate of exactly 0 or 1 measured on few
    calibration events makes the uncertainty too small.

    References
    ----------
    G. Forman, "Quantifying counts and costs via classification", Data Mining and Knowledge Discovery
    17 (2008) 164: the estimator. Its uncertainty is linear error propagation.

    Examples
    --------
    >>> print(adjusted_count(30, 100, kaons_called=90, n_kaons=100, pions_called=10, n_pions=100))
    0.2500 ± 0.0645
    """
    q, variance_q = _rate(n_called, n_total, "unlabelled sample")
    TPR, variance_TPR = _rate(kaons_called, n_kaons, "calibration kaons")
    FPR, variance_FPR = _rate(pions_called, n_pions, "calibration pions")
    if TPR == FPR:
        raise ValueError(f"TPR = FPR = {TPR}: the classifier does not tell kaons from pions")
    f = (q - FPR) / (TPR - FPR)
    return Abundance(
        f,
        statistical=float(np.sqrt(variance_q) / abs(TPR - FPR)),
        calibration=float(np.sqrt(f**2 * variance_TPR + (1 - f) ** 2 * variance_FPR) / abs(TPR - FPR)),
    )


def count_two_bins(
    pion_counts: NDArray[np.int64], kaon_counts: NDArray[np.int64], unlabelled_counts: NDArray[np.int64]
) -> Abundance:
    """`adjusted_count` from histograms with two bins: called pion, called kaon.

    Parameters
    ----------
    pion_counts, kaon_counts, unlabelled_counts : ndarray
        Shape (2,), numbers of events; the first two are the calibration.

    Examples
    --------
    >>> print(count_two_bins(np.array([90, 10]), np.array([10, 90]), np.array([70, 30])))
    0.2500 ± 0.0645
    """
    return adjusted_count(
        unlabelled_counts[1],
        unlabelled_counts.sum(),
        kaons_called=kaon_counts[1],
        n_kaons=kaon_counts.sum(),
        pions_called=pion_counts[1],
        n_pions=pion_counts.sum(),
    )


def toy_pulls(
    estimate: Callable[[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]], Abundance],
    pion_shape: ArrayLike,
    kaon_shape: ArrayLike,
    *,
    abundance: float,
    n_pions: int,
    n_kaons: int,
    n_unlabelled: int,
    n_toys: int = 300,
    seed: int | np.random.Generator,
) -> NDArray[np.float64]:
    """Repeat a whole measurement many times on paper, to see whether its uncertainty is right.

    Each toy experiment redraws the calibration events *and* the unlabelled events. Only counts per
    bin of the response matter to the estimators, so a toy draws three multinomial sets of counts
    and no events. An honest estimator has pulls of mean 0 and width 1.

    Parameters
    ----------
    estimate : callable
        ``estimate(pion_counts, kaon_counts, unlabelled_counts)`` → `Abundance`, one count per bin;
        for instance `fit_counts`.
    pion_shape, kaon_shape : array_like
        Shape (n_bins,): true share of each class in every bin, or counts proportional to it.
    abundance : float
        True fraction f of kaons in the unlabelled sample.
    n_pions, n_kaons, n_unlabelled : int
        Events in each toy's two calibration samples and in its unlabelled sample.
    n_toys : int, optional
        How many experiments.
    seed : int or numpy.random.Generator
        Source of randomness.

    Returns
    -------
    ndarray
        Shape (n_toys,), the pulls.

    Raises
    ------
    ValueError
        If the two shapes do not have the same bins, or the abundance is outside [0, 1].

    Examples
    --------
    Two bins, "called pion" and "called kaon", are the counting experiment:

    >>> pulls = toy_pulls(count_two_bins, [0.96, 0.04], [0.07, 0.93], abundance=0.3, n_pions=1000,
    ...                   n_kaons=1000, n_unlabelled=5000, seed=0)
    >>> print(abs(pulls.mean()) < 0.2, 0.9 < pulls.std() < 1.1)
    True True
    """
    b, s = np.asarray(pion_shape, dtype=np.float64), np.asarray(kaon_shape, dtype=np.float64)
    if b.ndim != 1 or b.shape != s.shape:
        raise ValueError(f"pion_shape and kaon_shape need the same bins, not {b.shape} and {s.shape}")
    if not 0 <= abundance <= 1:
        raise ValueError(f"abundance must be in [0, 1], not {abundance}")
    b, s = b / b.sum(), s / s.sum()
    mixture = abundance * s + (1 - abundance) * b
    rng = np.random.default_rng(seed)
    pulls = np.empty(n_toys)
    for toy in range(n_toys):
        pions, kaons = rng.multinomial(n_pions, b), rng.multinomial(n_kaons, s)
        pulls[toy] = estimate(pions, kaons, rng.multinomial(n_unlabelled, mixture)).pull(abundance)
    return pulls
