"""Two classes: what was measured, what a classifier answers, and how often it is right."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from .figures import BACKGROUND, PALETTE, SIGNAL, label


def two_histograms(ax: Axes, x: NDArray, y: NDArray, edges: NDArray, classes: Sequence[str]) -> list[NDArray]:
    """Both classes over the same bins, the background filled and the signal as a line."""
    counts = [np.histogram(x[y == k], edges)[0] for k in (0, 1)]
    ax.stairs(counts[0], edges, fill=True, color=BACKGROUND, alpha=0.5, label=classes[0])
    ax.stairs(counts[1], edges, color=SIGNAL, linewidth=2, label=classes[1])
    return counts


def variable_histogram(ax: Axes, x: NDArray, y: NDArray, name: str, classes: Sequence[str],
                       bins: int = 80) -> list[NDArray]:
    """A measured variable for both classes, over the range that holds all but 0.2 % of the events.

    Parameters
    ----------
    x, y : ndarray, shape (n,)
        The variable, and the labels 0 and 1.
    name : str
        For the axis, with its unit.
    classes : (str, str)
        Names of class 0 and class 1.

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
    counts = two_histograms(ax, x, y, np.linspace(low, high, bins + 1), classes)
    label(ax, name, "events per bin")
    return counts


def response_histogram(ax: Axes, response: NDArray, y: NDArray, title: str, classes: Sequence[str],
                       threshold: float = 0.5) -> list[NDArray]:
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
    label(ax, "response", "events per bin", title, loc="upper center")
    return counts


def roc_curves(ax: Axes, curves: Mapping[str, tuple[NDArray, NDArray, float]], closer: float = 0.3) -> list[Line2D]:
    """True- against false-positive rate, one point for each threshold, with the interesting corner enlarged.

    Parameters
    ----------
    curves : mapping from name to (false-positive rates, true-positive rates, area under the curve)
    closer : float
        Side of the corner that the inset shows.

    Examples
    --------
    >>> from tinygrad_nuc import plots
    >>> picture, (ax,) = plots.grid(1)
    >>> lines = plots.roc_curves(ax, {"perfect": (np.array([0.0, 0.0, 1.0]), np.array([0.0, 1.0, 1.0]), 1.0)})
    >>> lines[0].get_label()
    'perfect (AUC 1.0000)'
    """
    inset = ax.inset_axes((0.4, 0.33, 0.5, 0.5))
    lines = []
    for (name, (fpr, tpr, auc)), colour in zip(curves.items(), PALETTE, strict=False):
        style: dict[str, Any] = {"color": colour, "linewidth": 2}
        if name == "ideal":
            style |= {"color": "black", "linestyle": ":"}
        lines += ax.plot(fpr, tpr, label=f"{name} (AUC {auc:.4f})", **style)
        inset.plot(fpr, tpr, **style)
    ax.plot([0, 1], [0, 1], color="0.7", linewidth=1, linestyle=":")
    inset.set(xlim=(0, closer), ylim=(1 - closer, 1))
    inset.tick_params(labelsize=11)
    ax.indicate_inset_zoom(inset, edgecolor="0.5")
    label(ax, "false-positive rate", "true-positive rate", "ROC curve", loc="lower right")
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
    for ax, (name, matrix) in zip(axes, matrices.items(), strict=False):
        share = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
        images.append(ax.imshow(share, cmap="Blues", vmin=0, vmax=1))
        for (i, j), count in np.ndenumerate(matrix):
            ax.text(j, i, f"{count:,}\n{share[i, j]:.1%}", ha="center", va="center", fontsize=13,
                    color="white" if share[i, j] > 0.5 else "black")
        ax.set(xticks=[0, 1], xticklabels=classes, yticks=[0, 1], yticklabels=classes)
        label(ax, "predicted", "true", name, legend=False)
    return images
