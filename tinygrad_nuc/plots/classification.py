"""Two classes: what was measured, what a classifier answers, and how often it is right.

scikit-learn's displays draw ROC curves and confusion matrices too. They are not used here: they import pyplot, which is
global state, and need an extra; and the pictures here show more (areas to four digits, the corner, counts with shares).
"""

from collections.abc import Mapping, Sequence
from itertools import cycle
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from matplotlib.patches import StepPatch
from numpy.typing import NDArray

from ..utils.arguments import whole_number
from .figures import BLUE, HEADROOM, ORANGE, PALETTE, axes_or_new, finish, headroom, labelled, several_axes_or_new


def two_histograms(ax: Axes, x: NDArray, y: NDArray, edges: NDArray, classes: Sequence[str]) -> list[StepPatch]:
    """Both classes over the same bins, the background filled and the signal as a line."""
    counts = [np.histogram(x[y == k], edges)[0] for k in (0, 1)]
    return [ax.stairs(counts[0], edges, fill=True, color=BLUE, alpha=0.5, label=classes[0]),
            ax.stairs(counts[1], edges, color=ORANGE, linewidth=2, label=classes[1])]


def two_names(owner: str, classes: Sequence[str]) -> None:
    """Refuse anything but a name for class 0 and one for class 1."""
    if isinstance(classes, str) or len(classes) != 2:
        raise ValueError(f"{owner}: classes must be two names, of class 0 and of class 1, not {classes!r}")


def variable_histogram(x: Any, y: Any, name: str, classes: Sequence[str] = ("0", "1"), bins: int | None = None, *,
                       ax: Axes | None = None) -> list[StepPatch]:
    """A measured variable for both classes, over the range that holds all but 0.2 % of the events.

    Parameters
    ----------
    x, y : array or Tensor, shape (n,) or (n, 1)
        The variable, and the labels 0 and 1.
    name : str
        For the axis, with its unit.
    classes : (str, str)
        Names of class 0 and class 1.
    bins : int, optional
        80 for many events, half as many below 20,000.
    ax : Axes, optional
        Where to draw; by default in a figure of its own.

    Returns
    -------
    list of StepPatch
        Of class 0 and of class 1; ``get_data().values`` are the events per bin.

    Raises
    ------
    ValueError, TypeError
        If `x` is empty or not finite, or `y` has not as many labels 0 and 1.

    Examples
    --------
    >>> from tinygrad_nuc import plots
    >>> a, b = plots.variable_histogram([0.0, 1.0, 2.0], [0, 0, 1], "x [cm]", ("a", "b"), bins=2)
    >>> a.get_data().values.tolist(), b.get_data().values.tolist()
    ([1, 1], [0, 1])
    """
    x, y = labelled("variable_histogram", "the variable x", x, y)
    two_names("variable_histogram", classes)
    if bins is not None:
        whole_number("variable_histogram", "bins", bins)
    ax = axes_or_new(ax, owner="variable_histogram")
    low, high = np.quantile(x, [0.001, 0.999]) if len(x) > 1000 else (x.min(), x.max())
    if low == high:
        low, high = low - 0.5, high + 0.5
    edges = np.linspace(low, high, (bins or (80 if len(x) > 20_000 else 40)) + 1)
    drawn = two_histograms(ax, x, y, edges, classes)
    headroom(ax)
    finish(ax, name, f"events per {edges[1] - edges[0]:.2g}", loc="upper right")
    return drawn


def response_histogram(response: Any, y: Any, title: str = "", classes: Sequence[str] = ("0", "1"),
                       threshold: float = 0.5, name: str = "response", *, ax: Axes | None = None) -> list[StepPatch]:
    """A classifier's answers for both classes, on a logarithmic scale, with the threshold.

    Parameters
    ----------
    response, y : array or Tensor, shape (n,) or (n, 1)
        The answers, larger for class 1, and the labels 0 and 1.
    title : str
    classes : (str, str)
        Names of class 0 and class 1.
    threshold : float
        From this response on an event is called class 1.
    name : str
        For the axis.
    ax : Axes, optional
        Where to draw; by default in a figure of its own.

    Returns
    -------
    list of StepPatch
        Of class 0 and of class 1; ``get_data().values`` are the events per bin.

    Raises
    ------
    ValueError, TypeError
        If `response` is empty or not finite, or `y` has not as many labels 0 and 1.

    Examples
    --------
    >>> from tinygrad_nuc import plots
    >>> drawn = plots.response_histogram([0.1, 0.2, 0.9], [0, 0, 1], "toy", ("a", "b"))
    >>> [int(steps.get_data().values.sum()) for steps in drawn]
    [2, 1]
    """
    response, y = labelled("response_histogram", "the response", response, y)
    two_names("response_histogram", classes)
    ax = axes_or_new(ax, owner="response_histogram")
    edges = np.linspace(min(response.min(), 0.0), max(response.max(), 1.0), 61)
    drawn = two_histograms(ax, response, y, edges, classes)
    counts = np.concatenate([steps.get_data()[0] for steps in drawn])
    ax.set_yscale("log")
    headroom(ax, bottom=0.7 * counts[counts > 0].min())                   # the lowest bin can be seen too
    ax.axvline(threshold, ymax=1 - HEADROOM, color="0.4", linestyle="--", label=f"threshold {threshold:g}")
    finish(ax, name, f"events per {edges[1] - edges[0]:.2g}", title, loc="upper center")
    return drawn


def roc_curves(curves: Mapping[str, tuple], corner: float = 1.0, *, ax: Axes | None = None) -> list[Line2D]:
    """True- against false-positive rate, one point for each threshold, with the area under each curve.

    Parameters
    ----------
    curves : mapping from name to (response, y), or to (fpr, tpr, area)
        Either a classifier's answers, larger for class 1, and the labels 0 and 1; or the points of its curve, as
        ``sklearn.metrics.roc_curve`` gives them, and the area under it. One of the name "ideal" is drawn dotted.
    corner : float
        Show only the upper left corner, up to this false-positive rate, and from a true-positive rate on that the
        best curve has in it.
    ax : Axes, optional
        Where to draw; by default in a figure of its own.

    Returns
    -------
    list of Line2D
        One for each curve.

    Raises
    ------
    ValueError, TypeError
        If there is no curve, a response is not finite, there are not as many labels 0 and 1, or only labels of one
        class; if what should be an area is none.

    Examples
    --------
    >>> from tinygrad_nuc import plots
    >>> lines = plots.roc_curves({"network": ([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1])})
    >>> lines[0].get_label(), lines[0].get_ydata().tolist()
    ('network (AUC 0.7500)', [0.0, 0.5, 0.5, 1.0, 1.0])
    """
    if not isinstance(curves, Mapping) or not curves:
        raise TypeError("roc_curves: curves must be a dict with at least one curve, such as "
                        f'{{"network": (response, y)}}, not {type(curves).__name__} {curves!r:.40}')
    if not 0 < corner <= 1:
        raise ValueError(f"roc_curves: corner must be above 0 and at most 1, not {corner}")
    points = {name: curve_points(name, curve) for name, curve in curves.items()}
    own = ax is None
    ax = axes_or_new(ax, 6.4, 6.0, owner="roc_curves")
    lines = []
    for (name, (fpr, tpr, auc)), colour in zip(points.items(), cycle(PALETTE)):     # more curves: the colours repeat
        ideal = name == "ideal"
        lines += ax.plot(fpr, tpr, color="black" if ideal else colour, linestyle=":" if ideal else "-", linewidth=2.5,
                         label=f"{name} (AUC {auc:.4f})")
    if corner < 1:
        best = max(np.interp(corner, fpr, tpr) for fpr, tpr, _ in points.values())
        height = min(max(corner, 2 * (1 - best)), 1)        # so that the best curve comes to the middle at least
        ax.set(xlim=(-0.01 * corner, corner), ylim=(1 - height, 1 + 0.01 * height))
        finish(ax, "false-positive rate", "true-positive rate", "the corner enlarged", legend=own, loc="lower right")
    else:
        ax.plot([0, 1], [0, 1], color="0.7", linewidth=1, linestyle="--")
        finish(ax, "false-positive rate", "true-positive rate", "ROC curves", loc="lower right")
    return lines


def curve_points(name: str, curve: tuple) -> tuple[NDArray, NDArray, float]:
    """False- and true-positive rates and the area under the curve, computed where they were not given."""
    if len(curve) == 3:
        fpr, tpr, area = curve
        if np.ndim(area):
            raise ValueError(f"roc_curves: the third of {name!r} must be the area under the curve, one number, and not "
                             "the thresholds; or give (response, y)")
        return np.asarray(fpr), np.asarray(tpr), float(area)
    if len(curve) != 2:
        raise ValueError(f"roc_curves: the curve {name!r} must be (response, y) or (fpr, tpr, area), not a "
                         f"{type(curve).__name__} of {len(curve)}")
    response, y = labelled("roc_curves", f"the response of {name!r}", *curve)
    if y.min() == y.max():
        raise ValueError(f"roc_curves: all events of {name!r} are of class {y[0]:g}; a ROC curve needs both classes")
    order = np.argsort(-response.astype(float), kind="stable")
    ends = np.append(np.flatnonzero(np.diff(response[order])), len(y) - 1)      # equal responses fall together
    true = np.append(0, np.cumsum(y[order])[ends])
    false = np.append(0, ends + 1) - true
    tpr, fpr = true / true[-1], false / false[-1]
    return fpr, tpr, float(np.trapezoid(tpr, fpr))


def confusion_matrices(matrices: Mapping[str, Any], classes: Sequence[str], *,
                       axes: Sequence[Axes] | None = None) -> list[AxesImage]:
    """Counts of true against predicted classes, coloured by the share of the true class.

    Parameters
    ----------
    matrices : mapping from name to array, shape (classes, classes)
        Counts, the true classes in rows, as ``sklearn.metrics.confusion_matrix`` gives them.
    classes : sequence of str
    axes : sequence of Axes, optional
        Where to draw, one for each matrix, any others stay as they are; by default in a figure of their own.

    Returns
    -------
    list of AxesImage
        The shares.

    Raises
    ------
    ValueError
        If a matrix has not as many rows and columns as there are classes, or there are fewer axes than matrices.
    TypeError
        If `matrices` is no mapping with at least one matrix.

    Examples
    --------
    >>> from tinygrad_nuc import plots
    >>> (image,) = plots.confusion_matrices({"toy": np.array([[8, 2], [1, 9]])}, ("a", "b"))
    >>> [text.get_text() for text in image.axes.texts]
    ['8\\n80.0%', '2\\n20.0%', '1\\n10.0%', '9\\n90.0%']
    """
    if not isinstance(matrices, Mapping) or not matrices:
        raise TypeError("confusion_matrices: matrices must be a dict with at least one matrix, such as "
                        f'{{"network": counts}}, not {type(matrices).__name__} {matrices!r:.40}')
    counts = {name: np.asarray(matrix) for name, matrix in matrices.items()}
    n = len(classes)
    for name, matrix in counts.items():
        if matrix.shape != (n, n):
            raise ValueError(f"confusion_matrices: {name!r} has shape {matrix.shape}, and there are {n} classes")
    side = max(3.8, 1.2 + 0.65 * n)                     # two lines of letters fit into each field
    axes = several_axes_or_new(axes, len(counts), 1.05 * side, side, owner="confusion_matrices")
    images = []
    for ax, (name, matrix) in zip(axes, counts.items(), strict=False):
        share = matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
        images.append(ax.imshow(share, cmap="Blues", vmin=0, vmax=1))
        for (i, j), count in np.ndenumerate(matrix):
            ax.text(j, i, f"{count:,}\n{share[i, j]:.1%}", ha="center", va="center",
                    fontsize=13 if n < 5 else 11, color="white" if share[i, j] > 0.5 else "black")
        ax.set(xticks=range(n), xticklabels=classes, yticks=range(n), yticklabels=classes)
        finish(ax, "predicted", "true", name, legend=False)
    return images
