"""Several variables, or several classifiers, beside each other: the pictures of a whole analysis."""

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.patches import StepPatch

from ..analysis import Performance
from .classification import response_histogram, roc_curves, variable_histogram
from .figures import grid, several_axes_or_new

WIDEST = 12.8               # inches of a figure: on a screen of 1,280 pixels, its letters can still be read


def variable_histograms(x: Any, y: Any, names: Sequence[str], classes: Sequence[str] = ("0", "1"), *,
                        axes: Sequence[Axes] | None = None) -> list[StepPatch]:
    """Each measured variable for both classes; see `variable_histogram`.

    Parameters
    ----------
    x : array, shape (n, k)
        The variables.
    y : array or Tensor, shape (n,)
        Labels 0 and 1.
    names : sequence of k str
        Of the variables, with units.
    classes : (str, str)
        Names of class 0 and class 1.
    axes : sequence of Axes, optional
        Where to draw, one for each variable; by default in a figure of their own.

    Returns
    -------
    list of StepPatch
        Two for each variable, of class 0 and of class 1.

    Raises
    ------
    ValueError, TypeError
        If there are not as many names as variables, or as in `variable_histogram`.

    Examples
    --------
    >>> from tinygrad_nuc import plots
    >>> drawn = plots.variable_histograms([[0.0, 5.0], [1.0, 7.0], [2.0, 6.0]], [0, 0, 1], ["x [cm]", "E [GeV]"])
    >>> [steps.axes.get_xlabel() for steps in drawn]
    ['x [cm]', 'x [cm]', 'E [GeV]', 'E [GeV]']
    """
    columns = np.asarray(x).T
    if columns.ndim != 2 or isinstance(names, str) or len(names) != len(columns):
        raise ValueError("variable_histograms: x must have shape (n, k), and k names, not shape "
                         f"{columns.shape[::-1]} and names {names!r:.60}")
    width = WIDEST / min(max(len(columns), 3), 4)
    if axes is None:
        figure, axes = grid(len(columns), width, 4.2)
        figure.suptitle("Measured variables", fontsize=15)
        names = ["\n".join(textwrap.wrap(name, int(8.5 * width))) for name in names]   # as many letters as have room
    axes = several_axes_or_new(axes, len(columns), width, 4.2, owner="variable_histograms")
    return [steps for ax, column, name in zip(axes, columns, names, strict=False)
            for steps in variable_histogram(column, y, name, classes, ax=ax)]


def response_histograms(classifiers: Mapping[str, Performance], classes: Sequence[str] = ("0", "1"),
                        names: Mapping[str, str] | None = None, *, axes: Sequence[Axes] | None = None
                        ) -> list[StepPatch]:
    """Each classifier's answers for both classes; see `response_histogram`.

    Parameters
    ----------
    classifiers : mapping from name to Performance
    classes : (str, str)
        Names of class 0 and class 1.
    names : mapping from a classifier's name to str, optional
        What its response is called on the axis, where that is not "response".
    axes : sequence of Axes, optional
        Where to draw, one for each classifier; by default in a figure of their own.

    Returns
    -------
    list of StepPatch
        Two for each classifier, of class 0 and of class 1.

    Raises
    ------
    TypeError
        If `classifiers` is no mapping to Performance.

    Examples
    --------
    >>> from tinygrad_nuc.analysis import Performance
    >>> from tinygrad_nuc import plots
    >>> drawn = plots.response_histograms({"toy": Performance([0.1, 0.2, 0.9], [0, 0, 1])}, ("pion", "kaon"))
    >>> drawn[0].axes.get_title(), [int(steps.get_data().values.sum()) for steps in drawn]
    ('toy', [2, 1])
    """
    check_classifiers("response_histograms", classifiers)
    axes = several_axes_or_new(axes, len(classifiers), 5.5, 4.2, 2, owner="response_histograms")
    return [steps for ax, (name, c) in zip(axes, classifiers.items(), strict=False)
            for steps in response_histogram(c.response, c.y, name, classes, c.threshold,
                                            (names or {}).get(name, "response"), ax=ax)]


def roc_curves_and_corner(classifiers: Mapping[str, Performance], corner: float = 0.3, *,
                          axes: Sequence[Axes] | None = None) -> list[Line2D]:
    """The ROC curves of all classifiers, and their upper left corner enlarged; see `roc_curves`.

    Parameters
    ----------
    classifiers : mapping from name to Performance
    corner : float
        Up to this false-positive rate.
    axes : two Axes, optional
        Where to draw; by default in a figure of their own.

    Returns
    -------
    list of Line2D
        First those of the whole curves, then those of the corner.

    Raises
    ------
    TypeError
        If `classifiers` is no mapping to Performance.

    Examples
    --------
    >>> from tinygrad_nuc.analysis import Performance
    >>> from tinygrad_nuc import plots
    >>> lines = plots.roc_curves_and_corner({"toy": Performance([0.1, 0.4, 0.35, 0.8], [0, 0, 1, 1])})
    >>> [line.get_label() for line in lines]
    ['toy (AUC 0.7500)', 'toy (AUC 0.7500)']
    """
    check_classifiers("roc_curves_and_corner", classifiers)
    whole, enlarged = several_axes_or_new(axes, 2, WIDEST / 2, 6.0, owner="roc_curves_and_corner")[:2]
    curves = {name: (c.response, c.y) for name, c in classifiers.items()}
    return roc_curves(curves, ax=whole) + roc_curves(curves, corner, ax=enlarged)


def check_classifiers(owner: str, classifiers: Any) -> None:
    """Refuse anything but a dict of what classifiers have answered."""
    if not isinstance(classifiers, Mapping) or not classifiers or not all(
            isinstance(c, Performance) for c in classifiers.values()):
        raise TypeError(f'{owner}: classifiers must be a dict such as {{"network": Performance(response, y)}}, not '
                        f"{classifiers!r:.60}")
