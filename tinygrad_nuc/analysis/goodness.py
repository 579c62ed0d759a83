"""Do the unlabelled events look like any mixture of the labelled ones? The fit alone does not say."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from .template_fit import fit_counts

__all__ = ["mixture_chi2"]


def mixture_chi2(pion_counts: ArrayLike, kaon_counts: ArrayLike, unlabelled_counts: ArrayLike) -> tuple[float, int]:
    """χ² of the best mixture of two templates, and its degrees of freedom.

    ::

        χ² = Σ (n_i − N p_i)² / (N p_i + N² (f² s_i/n_kaons + (1 − f)² b_i/n_pions)),     p_i = f s_i + (1 − f) b_i

    with the fraction f of `fit_counts`, and shares s_i of the kaons and b_i of the pions. The denominator holds the
    fluctuations of the N unlabelled events and those of the templates. If the templates are right, χ² is the number
    k − 2 of degrees of freedom, give or take √(2 (k − 2)): of k filled bins, one is lost to the sum and one to f.

    If f is exactly 0 or 1, bins that only the other class fills expect nothing, and hold nothing. They are what has
    told f, so they are left out, and of the k′ other bins one is lost to the sum: k′ − 1 degrees of freedom.

    Parameters
    ----------
    pion_counts, kaon_counts, unlabelled_counts : array_like
        Shape (n_bins,), as in `fit_counts`; filled enough (10 events in a bin) for a Gaussian approximation.

    Returns
    -------
    (chi2, degrees)

    Raises
    ------
    ValueError
        As in `fit_counts`, or if fewer than 3 bins are filled, or only one of those that f allows.

    Examples
    --------
    The second sample has too many events in the middle, which no fraction explains:

    >>> for unlabelled in ([6390, 770, 2840], [6200, 1100, 2700]):
    ...     chi2, degrees = mixture_chi2([900, 80, 20], [30, 70, 900], unlabelled)
    ...     print(f"{chi2:.1f} with {degrees} degree of freedom")
    0.0 with 1 degree of freedom
    22.0 with 1 degree of freedom
    """
    f = fit_counts(pion_counts, kaon_counts, unlabelled_counts).value
    pions, kaons, n = (np.asarray(c, dtype=np.float64) for c in (pion_counts, kaon_counts, unlabelled_counts))
    filled = pions + kaons > 0
    if filled.sum() < 3:
        raise ValueError(f"mixture_chi2: needs at least 3 bins with events, not {filled.sum()}: with two, every count "
                         "can be explained")
    b, s, N = pions[filled] / pions.sum(), kaons[filled] / kaons.sum(), n.sum()
    p = f * s + (1 - f) * b
    variance = N * p + N**2 * (f**2 * s / kaons.sum() + (1 - f) ** 2 * b / pions.sum())
    possible = variance > 0
    if possible.sum() < 2:
        raise ValueError(f"mixture_chi2: all events are in one bin, with f = {f:g}: nothing is left to be compared")
    degrees = int(possible.sum()) - (2 if possible.all() else 1)
    return float(np.sum((n[filled] - N * p)[possible] ** 2 / variance[possible])), degrees
