"""How good is a classifier? Counts of right and wrong answers, on labelled events it was not trained on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..utils.text import text_table
from .abundance import Abundance
from .methods import all_abundances

__all__ = ["Performance", "area_under_roc", "performance_table"]


def labelled_numbers(owner: str, name: str, numbers: ArrayLike, y: ArrayLike) -> tuple[NDArray, NDArray]:
    """One finite number and one label 0 or 1 for each event; ValueError in the name of `owner` otherwise."""
    try:
        numbers, y = np.asarray(numbers, dtype=np.float64), np.asarray(y)
    except (TypeError, ValueError):
        raise ValueError(f"{owner}: {name} must be one number for each event, not {numbers!r:.40}") from None
    if numbers.ndim != 1 or numbers.shape != y.shape or not numbers.size:
        raise ValueError(f"{owner}: {name} and y must have one entry for each event, shapes (n,), not {numbers.shape} "
                         f"and {y.shape}")
    if not np.isfinite(numbers).all():
        raise ValueError(f"{owner}: {name} has values that are NaN or infinite")
    wrong = y if y.dtype.kind in "SU" else y[~np.isin(y, (0, 1))]           # text is no number, not even "1"
    if wrong.size:
        raise ValueError(f"{owner}: the labels y must be 0 and 1, not {wrong[:1].tolist()[0]!r:.20}")
    return numbers, y


def area_under_roc(response: ArrayLike, y: ArrayLike) -> float:
    """The area under the ROC curve: the chance that an event of class 1 has a larger response than one of class 0.

    ::

        AUC = U / (n₀ n₁)

    where Mann and Whitney's U counts the pairs (one event of each class) in the right order, and equal ones half. No
    threshold is needed. An AUC of 1 is perfect, 0.5 is guessing; guessed responses scatter around that by
    σ = √((n₀ + n₁ + 1) / (12 n₀ n₁)).

    Parameters
    ----------
    response : array_like, shape (n,)
        Larger for class 1.
    y : array_like, shape (n,)
        Labels 0 and 1.

    Raises
    ------
    ValueError
        If shapes differ, a response is not finite, or a class has no events.

    References
    ----------
    H. B. Mann and D. R. Whitney, Annals of Mathematical Statistics 18 (1947) 50.

    Examples
    --------
    Of four pairs, three are in the right order:

    >>> area_under_roc([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1])
    0.75
    """
    response, y = labelled_numbers("area_under_roc", "the response", response, y)
    background, signal = np.sort(response[y == 0]), response[y == 1]
    if not (len(background) and len(signal)):
        raise ValueError(f"area_under_roc: all events are of class {int(y[0])}; both classes are needed")
    U = sum(np.searchsorted(background, signal, side).sum(dtype=float) for side in ("left", "right")) / 2
    return float(U / (len(background) * len(signal)))


class Performance:
    """What a classifier's responses to labelled events say about it.

    Parameters
    ----------
    response : array_like, shape (n,)
        Larger for class 1.
    y : array_like, shape (n,)
        Labels 0 and 1, of events that had no part in the training.
    threshold : float
        From this response on an event is called class 1.

    Attributes
    ----------
    response, y, threshold
        As given.
    right : ndarray, shape (n,)
        Whether each answer is right.
    accuracy, accuracy_error : float
        Share a of right answers, and its standard deviation √(a (1 − a)/n).
    matrix : ndarray, shape (2, 2)
        Confusion matrix: counts, the true class in rows, the answer in columns.
    tpr, fpr : float
        True- and false-positive rate: the shares of class 1, and of class 0, that are called class 1.
    auc : float
        See `area_under_roc`.

    Raises
    ------
    ValueError
        As in `area_under_roc`.

    Examples
    --------
    >>> network = Performance([0.1, 0.6, 0.5, 0.8], [0, 0, 1, 1])
    >>> network.accuracy, network.tpr, network.fpr, network.auc
    (0.75, 1.0, 0.5, 0.75)
    >>> network.matrix.tolist()
    [[1, 1], [0, 2]]
    """

    def __init__(self, response: ArrayLike, y: ArrayLike, threshold: float = 0.5) -> None:
        self.response, self.y = labelled_numbers("Performance", "the response", response, y)
        self.threshold = threshold
        self.auc = area_under_roc(self.response, self.y)
        called = (self.response >= threshold).astype(int)
        self.right: NDArray[np.bool_] = called == self.y
        self.accuracy = float(self.right.mean())
        self.accuracy_error = float(np.sqrt(self.accuracy * (1 - self.accuracy) / len(self.right)))
        self.matrix = np.bincount(2 * self.y.astype(int) + called, minlength=4).reshape(2, 2)
        self.fpr, self.tpr = (self.matrix[:, 1] / self.matrix.sum(axis=1)).tolist()

    def __repr__(self) -> str:
        return f"Performance(accuracy={self.accuracy:.4f} ± {self.accuracy_error:.4f}, AUC={self.auc:.4f})"

    @property
    def accidental_fraction(self) -> float:
        """The fraction of class 1 at which the naive count q is right by accident: f = FPR/(FPR + 1 − TPR).

        There, as many events of class 0 are called class 1 as the other way round. NaN for a classifier without
        mistakes.

        Examples
        --------
        >>> Performance([0.1, 0.6, 0.1, 0.8], [0, 0, 1, 1]).accidental_fraction
        0.5
        """
        mistakes = self.fpr + 1 - self.tpr
        return self.fpr / mistakes if mistakes > 0 else float("nan")

    def better_than(self, other: Performance) -> tuple[float, float]:
        """How much more often this classifier is right than another on the same events, and the error of that.

        Only the m events count on which one of the two is right and the other wrong. The error is √m/n, the standard
        deviation if the two are equally good (in general √(m − n d²)/n with the difference d, hardly less). It is
        smaller than for independent events, as long as the two are often right together.

        Raises
        ------
        ValueError
            If the labels are not the same.

        Examples
        --------
        >>> y = [0, 0, 1, 1]
        >>> Performance([0.1, 0.2, 0.5, 0.8], y).better_than(Performance([0.1, 0.6, 0.5, 0.8], y))
        (0.25, 0.25)
        """
        if not np.array_equal(self.y, other.y):
            raise ValueError("Performance.better_than: the two are not of the same events")
        n = len(self.y)
        return self.accuracy - other.accuracy, float(np.sqrt(np.sum(self.right != other.right)) / n)

    def abundances(self, unlabelled: ArrayLike) -> dict[str, Abundance | None]:
        """The fraction of class 1 among events without labels, from the classifier's responses to them.

        See `all_abundances`: three methods, calibrated on the labelled events.

        Raises
        ------
        ValueError
            As `all_abundances`.

        Examples
        --------
        >>> rng = np.random.default_rng(0)
        >>> y = np.repeat([0, 1], 4000)
        >>> network = Performance(rng.normal(2 * y, 1), y, threshold=1)
        >>> print(network.abundances(rng.normal(2 * y[2000:6000], 1))["template fit"])     # half and half
        0.5045 ± 0.0121
        """
        return all_abundances(self.response[self.y == 0], self.response[self.y == 1], unlabelled, self.threshold)


def performance_table(performances: Mapping[str, Performance], classes: Sequence[str] = ("0", "1")) -> str:
    """Classifiers below each other, for a report.

    Examples
    --------
    >>> print(performance_table({"network": Performance([0.1, 0.6, 0.5, 0.8], [0, 0, 1, 1])}, ("pion", "kaon")))
    classifier  accuracy     TPR     FPR     AUC  pion as pion  pion as kaon  kaon as pion  kaon as kaon
    network       0.7500  1.0000  0.5000  0.7500             1             1             0             2
    TPR: share of class kaon called kaon. FPR: share of class pion called kaon. AUC: area under the ROC curve.
    """
    background, signal = classes
    columns = [f"{true} as {called}" for true in classes for called in classes]
    return text_table(["classifier", "accuracy", "TPR", "FPR", "AUC", *columns],
                      [[name, *(f"{number:.4f}" for number in (p.accuracy, p.tpr, p.fpr, p.auc)), *p.matrix.ravel()]
                       for name, p in performances.items()]) + (
        f"\nTPR: share of class {signal} called {signal}. FPR: share of class {background} called {signal}. "
        "AUC: area under the ROC curve.")
