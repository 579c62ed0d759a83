"""What a network answers: to every point of a plane, or along a line."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.colors import LinearSegmentedColormap, to_rgb
from matplotlib.contour import ContourSet
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike, NDArray

from ..utils.arguments import whole_number
from .evaluation import answers, as_numbers, interval, pixel_centres, plane_limits
from .figures import BLUE, ORANGE, PALETTE, axes_or_new, finish_above, finish_scale, numbers

MARKERS = ("o", "^", "s", "D", "v", "P", "X")
COLOURS = (BLUE, ORANGE, *PALETTE)
PALE = 0.6                              # how much of its colour a region has, so that points stand out from it
TWO_CLASSES = LinearSegmentedColormap.from_list(
    "two classes", [tuple(1 - PALE * (1 - np.array(to_rgb(colour)))) for colour in (BLUE, "white", ORANGE)])


class DecisionBoundary(NamedTuple):
    """What `decision_boundary` drew."""

    image: AxesImage
    lines: Sequence[ContourSet]
    points: list[PathCollection]


def decision_boundary(model: Callable, x: Any, y: Any, *, output: str, classes: Sequence[str] | None = None,
                      threshold: float = 0.5, low: ArrayLike | None = None, high: ArrayLike | None = None,
                      names: tuple[str, str] = ("x₁", "x₂"), resolution: int = 200, colorbar: bool = True,
                      ax: Axes | None = None) -> DecisionBoundary:
    """The probability that a classifier with two inputs gives at every point, where it decides, and the data.

    A model with one output gives that of class 1: p, or z with p = 1 / (1 + e⁻ᶻ); it decides where p = `threshold`.
    One with K outputs gives those of K classes: p_k, or z_k with p_k = e^z_k / Σⱼ e^zⱼ. With K = 2 the picture is as
    with one output. With more, each point has the colour of its most probable class, paler where that is less sure.

    A network is asked in evaluation mode, and is afterwards as it was.

    Parameters
    ----------
    model : Module or function
        From a tensor (points, 2) to one of shape (points,), (points, 1) or (points, K).
    x : array_like or Tensor, shape (n, 2)
        The data.
    y : array_like or Tensor, shape (n,) or (n, 1)
        The classes 0, 1, … of the data.
    output : {"logit", "probability"}
        What the model returns: z (made for BCEWithLogitsLoss or CrossEntropyLoss; K log-probabilities are z_k too), or
        p itself. It has to be said, since a picture drawn for the wrong one would look right.
    classes : sequence of str, optional
        Their names; their numbers if not given.
    threshold : float
        Where two classes are told apart.
    low, high : float or (float, float), optional
        Corners of the picture; if not given, those of the data and a tenth of their distance more on each side.
    names : (str, str)
        For the axes, with their units.
    resolution : int
        Points of the grid in each direction.
    colorbar : bool
        Whether to show the scale of p beside the picture (of two classes).
    ax : Axes, optional
        Where to draw; a figure of its own if not given.

    Returns
    -------
    DecisionBoundary
        ``image`` (of p, or of colours with more than two classes), ``lines`` (contours, none if there is only one
        decision) and ``points`` (one for each class).

    Raises
    ------
    ValueError
        If shapes do not fit, a class is not one of the model's, or what is called a probability is none.
    TypeError
        If the model is no function of a tensor.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> from tinygrad_nuc import plots
    >>> x, y = [[0.0, 0.0], [1.0, 1.0]], [0, 1]
    >>> drawn = plots.decision_boundary(lambda x: x[:, 0] - 0.5, x, y, output="logit", names=("p [GeV]", "θ [mrad]"))
    >>> drawn.lines[0].get_paths()[0].vertices[:, 0].round(6).tolist()[:2]      # a straight line at 0.5
    [0.5, 0.5]
    """
    who = "decision_boundary"
    if output not in ("logit", "probability"):
        raise ValueError(f"{who}: output must be 'logit' or 'probability', not {output!r}")
    if not 0 < threshold < 1:
        raise ValueError(f"{who}: threshold must be between 0 and 1, not {threshold}")
    data, labels = points_with_classes(who, x, y)
    margin = 0.1 * np.where(np.ptp(data, axis=0) > 0, np.ptp(data, axis=0), 1.0)
    corner, opposite = plane_limits(who, data.min(axis=0) - margin if low is None else low,
                                    data.max(axis=0) + margin if high is None else high)
    x1, x2, points = pixel_centres(who, corner, opposite, resolution)
    p = probabilities(who, answers(who, model, points), output)
    k = p.shape[1]
    if not np.isin(labels, range(k)).all():
        raise ValueError(f"{who}: y must hold the classes 0 to {k - 1} of the model, not "
                         f"{labels[~np.isin(labels, range(k))][0]:g}")
    if k > len(COLOURS):
        raise ValueError(f"{who}: there are colours for {len(COLOURS)} classes, not for {k}")
    classes = [str(i) for i in range(k)] if classes is None else list(classes)
    if len(classes) != k:
        raise ValueError(f"{who}: {k} classes need as many names, not {len(classes)}")
    ax = axes_or_new(ax, 7.6, 5.6, owner=who)

    maps = p.T.reshape(k, len(x2), len(x1))
    extent = (corner[0], opposite[0], corner[1], opposite[1])
    if k == 2:
        image = ax.imshow(maps[1], origin="lower", extent=extent, aspect="auto", cmap=TWO_CLASSES, vmin=0, vmax=1)
        margins = [maps[1] - threshold]
        if colorbar:
            finish_scale(ax.figure.colorbar(image, ax=ax), f"probability of class {classes[1]}")
    else:
        image = ax.imshow(mixed(maps), origin="lower", extent=extent, aspect="auto")
        margins = [maps[i] - np.delete(maps, i, axis=0).max(axis=0) for i in range(k)]
    lines = [ax.contour(x1, x2, m, levels=[0.0], colors="black", linewidths=2.5)
             for m in margins if m.min() < 0 < m.max()]
    scatters = [ax.scatter(data[labels == i, 0], data[labels == i, 1], s=45, marker=MARKERS[i], color=COLOURS[i],
                           edgecolors="white", linewidths=0.9, label=classes[i], zorder=3) for i in range(k)]
    ax.set(xlim=extent[:2], ylim=extent[2:])
    ax.locator_params(nbins=6)                              # more numbers would touch each other
    finish_above(ax, *names, "Decision boundary" + (f" at probability {threshold:g}" if k == 2 else ""), k)
    return DecisionBoundary(image, lines, scatters)


def points_with_classes(who: str, x: Any, y: Any) -> tuple[NDArray, NDArray]:
    """x with shape (n, 2) and y with shape (n,), checked."""
    data, labels = as_numbers(who, "x", x), as_numbers(who, "y", y)
    if data.ndim != 2 or data.shape[1] != 2 or not len(data):
        raise ValueError(f"{who}: x must have shape (n, 2), not {data.shape}")
    if labels.shape not in ((len(data),), (len(data), 1)):
        raise ValueError(f"{who}: y must have shape ({len(data)},), one class for each row of x, not {labels.shape}")
    return data, labels.reshape(-1)


def probabilities(who: str, y: NDArray, output: str) -> NDArray:
    """p of each class, shape (points, K) with K at least 2."""
    if output == "logit":
        z = np.concatenate([np.zeros_like(y), y], axis=1) if y.shape[1] == 1 else y
        exponentials = np.exp(z - z.max(axis=1, keepdims=True))
        return exponentials / exponentials.sum(axis=1, keepdims=True)
    if y.min() < -1e-6 or y.max() > 1 + 1e-6:
        raise ValueError(f"{who}: the model returned {y.min() if y.min() < 0 else y.max():g}, which is no probability; "
                         "if it returns logits, say output='logit'")
    p = np.concatenate([1 - y, y], axis=1) if y.shape[1] == 1 else y
    total = p.sum(axis=1)
    worst = total[np.abs(total - 1).argmax()]
    if abs(worst - 1) > 1e-3:
        raise ValueError(f"{who}: the {y.shape[1]} probabilities of a point add up to {worst:g}, not to 1; "
                         "if the model returns logits, say output='logit'")
    return p


def mixed(maps: NDArray) -> NDArray:
    """The colour of the most probable class of each pixel, white where all of the K classes are as probable."""
    k = len(maps)
    sure = (maps.max(axis=0) - 1 / k) / (1 - 1 / k)
    colours = np.array([to_rgb(colour) for colour in COLOURS[:k]])[maps.argmax(axis=0)]
    return 1 - PALE * sure[..., None] * (1 - colours)


class FittedCurve(NamedTuple):
    """What `fitted_curve` drew."""

    curves: list[Line2D]
    points: Line2D


def fitted_curve(model: Callable, x: Any, y: Any, *, low: float | None = None, high: float | None = None,
                 names: tuple[str, str] = ("x", "y"), resolution: int = 400, ax: Axes | None = None) -> FittedCurve:
    """A network with one input as a curve, and the data that it shall follow.

    The limits of the y axis are those of the data, with a fifth more on each side, whatever the curve does: so the
    frames of an animation have the same. A network is asked in evaluation mode, and is afterwards as it was.

    Parameters
    ----------
    model : Module or function
        From a tensor (points, 1) to one of shape (points,) or (points, outputs).
    x, y : array_like or Tensor, shape (n,) or (n, 1)
        The data.
    low, high : float, optional
        The ends of the curve; by default those of the data.
    names : (str, str)
        For the axes, with their units.
    resolution : int
        Points of the curve.
    ax : Axes, optional
        Where to draw; a figure of its own if not given.

    Returns
    -------
    FittedCurve
        ``curves``, one for each output, and ``points``.

    Raises
    ------
    ValueError
        If shapes do not fit, or `low` is not below `high`.
    TypeError
        If the model is no function of a tensor.

    Examples
    --------
    >>> from tinygrad_nuc import plots
    >>> drawn = plots.fitted_curve(lambda x: 2 * x, [0.0, 1.0], [0.1, 1.9], resolution=3)
    >>> drawn.curves[0].get_ydata().tolist()
    [0.0, 1.0, 2.0]
    """
    who = "fitted_curve"
    data = [numbers(who, "x", x), numbers(who, "y", y)]
    if len(data[0]) != len(data[1]):
        raise ValueError(f"{who}: x and y must have a number for each point, not {len(data[0])} and {len(data[1])}")
    resolution = whole_number(who, "resolution", resolution, least=2)
    space = 0.0 if np.ptp(data[0]) else 0.5                 # around a single x
    at = np.linspace(*interval(who, data[0].min() - space if low is None else low,
                               data[0].max() + space if high is None else high), resolution)
    values = answers(who, model, at[:, None])
    ax = axes_or_new(ax, owner=who)
    points = ax.plot(*data, linestyle="", marker="o", markersize=6, color=BLUE, markeredgecolor="white",
                     label="data")[0]
    curves = [ax.plot(at, column, color=(ORANGE, *PALETTE)[i % 6], linewidth=3,
                      label="network" if values.shape[1] == 1 else f"network, output {i}")[0]
              for i, column in enumerate(values.T)]
    space = 0.2 * (np.ptp(data[1]) or 1.0)
    ax.set(xlim=(at[0], at[-1]), ylim=(data[1].min() - space, data[1].max() + space))
    finish_above(ax, *names, "Fit", 1 + len(curves))
    return FittedCurve(curves, points)
