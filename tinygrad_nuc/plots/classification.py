"""Two classes: what was measured, what a classifier answers, and how often it is right."""

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from .figures import BLUE, ORANGE, PALETTE, finish


def two_histograms(ax: Axes, x: NDArray, y: NDArray, edges: NDArray, classes: Sequence[str]) -> list[NDArray]:
    """Both classes over the same bins, the background filled and the signal as a line."""
    counts = [np.histogram(x[y == k], edges)[0] for k in (0, 1)]
    ax.stairs(counts[0], edges, fill=True, color=BLUE, alpha=0.5, label=classes[0])
    ax.stairs(counts[1], edges, color=ORANGE, linewidth=2, label=classes[1])
    return counts


def variable_histogram(ax: Axes, x: NDArray, y: NDArray, name: str, classes: Sequence[str],
                       bins: int | None = None) -> list[NDArray]:
    """A measured variable for both classes, over the range that holds all but 0.2 % of the events.

    Parameters
    ----------
    x, y : ndarray, shape (n,)
        The variable, and the labels 0 and 1.
    name : str
        For the axis, with its unit.
    classes : (str, str)
        Names of class 0 and class 1.
    bins : int, optional
        80 for many events, half as many below 20,000.

    Returns
    -------
    list of ndarray
        Events per bin of class 0 and of class 1.

    Examples
    --------
    >>> from tinygrad_nuc import plots
    >>> picture, (ax,) = plots.grid(1)
    >>> counts = plots.variable_histogram(ax, np.array([0.0, 1.0, 2.0]), np.array([0, 0, 1]), "x [cm]", ("a", "b"), 2)
    >>> [c.tolist() for c in counts]
    [[1, 1], [0, 1]]
    """
    low, high = np.quantile(x, [0.001, 0.999]) if len(x) > 1000 else (x.min(), x.max())
    if low == high:
        low, high = low - 0.5, high + 0.5
    edges = np.linspace(low, high, (bins or (80 if len(x) > 20_000 else 40)) + 1)
    counts = two_histograms(ax, x, y, edges, classes)
    finish(ax, name, f"events per {edges[1] - edges[0]:.2g}")
    return counts


def response_histogram(ax: Axes, response: NDArray, y: NDArray, title: str, classes: Sequence[str],
                       threshold: float = 0.5, name: str = "response") -> list[NDArray]:
    """A classifier's answers for both classes, on a logarithmic scale, with the threshold.

    Returns
    -------
    list of ndarray
        Events per bin of class 0 and of class 1.

    Examples
    --------
    >>> from tinygrad_nuc import plots
    >>> picture, (ax,) = plots.grid(1)
    >>> counts = plots.response_histogram(ax, np.array([0.1, 0.2, 0.9]), np.array([0, 0, 1]), "toy", ("a", "b"))
    >>> [int(c.sum()) for c in counts]
    [2, 1]
    """
    edges = np.linspace(min(response.min(), 0.0), max(response.max(), 1.0), 61)
    counts = two_histograms(ax, response, y, edges, classes)
    ax.axvline(threshold, color="0.4", linestyle="--", label=f"threshold {threshold:g}")
    ax.set_yscale("log")
    finish(ax, name, f"events per {edges[1] - edges[0]:.2g}", title, loc="upper left", bbox_to_anchor=(0.12, 1.0))
    return counts


def roc_curves(ax: Axes, curves: Mapping[str, tuple[NDArray, NDArray, float]], corner: float = 1.0) -> list[Line2D]:
    """True- against false-positive rate, one point for each threshold.

    Parameters
    ----------
    curves : mapping from name to (false-positive rates, true-positive rates, area under the curve)
        One of the name "ideal" is drawn dotted, on top of the others.
    corner : float
        Show only the upper left corner, up to this false-positive rate.

    Examples
    --------
    >>> from tinygrad_nuc import plots
    >>> picture, (ax,) = plots.grid(1)
    >>> lines = plots.roc_curves(ax, {"perfect": (np.array([0.0, 0.0, 1.0]), np.array([0.0, 1.0, 1.0]), 1.0)})
    >>> lines[0].get_label()
    'perfect (AUC 1.0000)'
    """
    lines = []
    for (name, (fpr, tpr, auc)), colour in zip(curves.items(), cycle(PALETTE)):     # more curves: the colours repeat
        ideal = name == "ideal"
        lines += ax.plot(fpr, tpr, color="black" if ideal else colour, linestyle=":" if ideal else "-", linewidth=2.5,
                         label=f"{name} (AUC {auc:.4f})")
    if corner < 1:
        ax.set(xlim=(-0.01 * corner, corner), ylim=(1 - corner, 1 + 0.01 * corner))
        finish(ax, "false-positive rate", "true-positive rate", "the corner enlarged", legend=False)
    else:
        ax.plot([0, 1], [0, 1], color="0.7", linewidth=1, linestyle="--")
        finish(ax, "false-positive rate", "true-positive rate", "ROC curves", loc="lower right")
    return lines


def confusion_matrices(axes: Sequence[Axes], matrices: Mapping[str, NDArray], classes: Sequence[str]) -> list[Any]:
    """Counts of true against predicted classes, coloured by the share of the true class.

    Examples
    --------
    >>> from tinygrad_nuc import plots
    >>> picture, axes = plots.grid(1)
    >>> _ = plots.confusion_matrices(axes, {"toy": np.array([[8, 2], [1, 9]])}, ("a", "b"))
    >>> [text.get_text() for text in axes[0].texts]
    ['8\\n80.0%', '2\\n20.0%', '1\\n10.0%', '9\\n90.0%']
    """
    images = []
    for ax, (name, matrix) in zip(axes, matrices.items(), strict=True):
        share = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
        images.append(ax.imshow(share, cmap="Blues", vmin=0, vmax=1))
        for (i, j), count in np.ndenumerate(matrix):
            ax.text(j, i, f"{count:,}\n{share[i, j]:.1%}", ha="center", va="center",
                    fontsize=13 if len(classes) < 5 else 8, color="white" if share[i, j] > 0.5 else "black")
        places = range(len(classes))
        ax.set(xticks=places, xticklabels=classes, yticks=places, yticklabels=classes)
        finish(ax, "predicted", "true", name, legend=False)
    return images
