"""The three ways to measure an abundance, side by side, from the responses of one classifier."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..utils.text import text_table
from .abundance import Abundance, count_two_bins, naive_count, toy_pulls
from .template_fit import count_in_bins, fit_counts, quantile_bins, template_fit


def called(response: NDArray[np.float64], threshold: float) -> NDArray[np.int64]:
    """How many events are called pion (below the threshold) and how many kaon.

    Examples
    --------
    >>> print(called(np.array([0.2, 0.5, 0.9]), 0.5))
    [1 2]
    """
    return np.bincount(response >= threshold, minlength=2)


def one_number_each(name: str, responses: ArrayLike) -> NDArray[np.float64]:
    """The responses of a sample as an array; ValueError if they are not one finite number for each event."""
    try:
        array = np.asarray(responses, dtype=np.float64)
    except (TypeError, ValueError):
        raise ValueError(f"all_abundances: {name} must be numbers, not {responses!r:.40}") from None
    if array.ndim != 1 or not array.size or not np.isfinite(array).all():
        raise ValueError(f"all_abundances: {name} must be one finite number for each event, shape (n,), not "
                         + (f"shape {array.shape}" if array.ndim != 1 or not array.size else "NaN or infinite"))
    return array


def all_abundances(
    pions: ArrayLike, kaons: ArrayLike, unlabelled: ArrayLike, threshold: float = 0.5
) -> dict[str, Abundance | None]:
    """The kaon fraction by naive count, adjusted count and template fit.

    Parameters
    ----------
    pions, kaons : array_like, shapes (n_pions,) and (n_kaons,)
        Responses to labelled events that the classifier was not trained on.
    unlabelled : array_like, shape (N,)
        Responses to the events in question.
    threshold : float
        From this response on an event is called kaon.

    Returns
    -------
    dict
        By name; None where the classifier cannot tell, since it calls the same share of both classes kaons.

    Raises
    ------
    ValueError
        If the responses of a sample are no list of finite numbers, one for each event, or there are none.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> pions, kaons = rng.beta(1, 3, 4000), rng.beta(3, 1, 4000)
    >>> unlabelled = np.concatenate([rng.beta(1, 3, 3000), rng.beta(3, 1, 1000)])
    >>> for method, f in all_abundances(pions, kaons, unlabelled).items():
    ...     print(method, f)
    naive count 0.3147 ± 0.0073
    adjusted count 0.2588 ± 0.0110
    template fit 0.2572 ± 0.0097
    """
    pions, kaons, unlabelled = (one_number_each(name, responses) for name, responses in (
        ("pions", pions), ("kaons", kaons), ("unlabelled", unlabelled)))
    counts = [called(response, threshold) for response in (pions, kaons, unlabelled)]
    found: dict[str, Abundance | None] = {"naive count": naive_count(counts[2][1], len(unlabelled)),
                                          "adjusted count": None, "template fit": None}
    tells_them_apart = counts[0][1] * len(kaons) != counts[1][1] * len(pions)
    if tells_them_apart:
        found["adjusted count"] = count_two_bins(*counts)
        found["template fit"] = template_fit(pions, kaons, unlabelled)
    return found


def abundance_table(measured: Mapping[str, Mapping[str, Abundance | None]]) -> str:
    """The abundances of several classifiers, and what to keep in mind about them, for a report.

    Parameters
    ----------
    measured : mapping from a classifier's name to what `all_abundances` gives

    Examples
    --------
    >>> count = {"naive count": Abundance(0.33, 0.01), "adjusted count": Abundance(0.3, 0.02), "template fit": None}
    >>> print(abundance_table({"tree": count}).splitlines()[1])
    tree        0.3300 ± 0.0100  0.3000 ± 0.0200             –
    """
    methods = list(dict.fromkeys(method for found in measured.values() for method in found))
    text = text_table(["classifier", *methods],
                      [[name, *(found.get(method) or "–" for method in methods)] for name, found in measured.items()])
    text += ("\nEach ± is one standard deviation and holds the sizes of the samples, but no difference between "
             "simulation and experiment.\nAll rows use the same events, so they fluctuate together.")
    if any(f and not 0 <= f.value <= 1 for found in measured.values() for f in found.values()):
        text += ("\nA fraction outside [0, 1] by more than its error means that the sample is unlike the labelled "
                 "events.")
    return text


def pulls_of_methods(
    pions: NDArray[np.float64], kaons: NDArray[np.float64], *, abundance: float, n_unlabelled: int,
    threshold: float = 0.5, n_toys: int = 300, seed: int | np.random.SeedSequence,
) -> dict[str, NDArray[np.float64]]:
    """Pulls of the two corrected methods in toy experiments like this one; see `toy_pulls`.

    Parameters
    ----------
    pions, kaons, threshold
        As in `all_abundances`; the toys have as many calibration events, and the template fit's own bins.
    abundance : float
        The kaon fraction of the toys; a measured one outside [0, 1] is taken as 0 or 1.
    n_unlabelled, n_toys : int
    seed : int or numpy.random.SeedSequence

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> pulls = pulls_of_methods(rng.beta(1, 3, 4000), rng.beta(3, 1, 4000), abundance=0.25, n_unlabelled=4000, seed=1)
    >>> {method: bool(abs(p.mean()) < 0.2 and 0.9 < p.std() < 1.1) for method, p in pulls.items()}
    {'adjusted count': True, 'template fit': True}
    """
    edges = quantile_bins(pions, kaons, 20)
    methods = {"adjusted count": (count_two_bins, lambda response: called(response, threshold)),
               "template fit": (fit_counts, lambda response: count_in_bins(response, edges))}
    return {name: toy_pulls(estimate, count(pions), count(kaons), abundance=min(max(abundance, 0), 1),
                            n_pions=len(pions), n_kaons=len(kaons), n_unlabelled=n_unlabelled, n_toys=n_toys,
                            seed=np.random.default_rng(seed))
            for name, (estimate, count) in methods.items()}
