"""The look that all pictures share: large enough letters for a lecture hall, colours that everyone can tell apart."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colorbar import Colorbar
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from numpy.typing import NDArray

from ..engine.tensor import Tensor

# Okabe and Ito's colours, which stay different for colour-blind eyes.
BLUE, ORANGE = "#0072B2", "#D55E00"                                         # for whatever comes in twos
PALETTE = ("#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")           # for what comes in threes and more
HEADROOM = 0.29                 # share of the height that a legend of up to four lines takes


def grid(n: int, width: float = 6.4, height: float = 4.8, columns: int | None = None) -> tuple[Figure, list[Axes]]:
    """A figure with `n` axes of the given size in inches, at most four beside each other.

    Save it with ``figure.savefig(path)``.

    Examples
    --------
    >>> from tinygrad_nuc import plots
    >>> picture, axes = plots.grid(10)
    >>> len(axes), axes[-1].get_subplotspec().rowspan.start        # the last ones are in the third row
    (10, 2)
    """
    columns = min(n, 4) if columns is None else columns
    rows = math.ceil(n / columns)
    picture = Figure(figsize=(width * columns, height * rows), dpi=120,
                     layout=ConstrainedLayoutEngine(w_pad=0.1, h_pad=0.1))
    axes = list(picture.subplots(rows, columns, squeeze=False).flat)
    for ax in axes[n:]:
        ax.remove()
    return picture, axes[:n]


def axes_or_new(ax: Axes | None, width: float = 6.4, height: float = 4.8, *, owner: str = "plots") -> Axes:
    """The axes a function was given, or those of a figure of its own, of the given size in inches.

    `owner` is the function that asks, for the message of the TypeError if `ax` is something else.

    Examples
    --------
    >>> from tinygrad_nuc.plots.figures import axes_or_new
    >>> ax = axes_or_new(None, width=3)
    >>> ax.figure.get_size_inches().tolist(), axes_or_new(ax) is ax
    ([3.0, 4.8], True)
    """
    if ax is None:
        return grid(1, width, height)[1][0]
    if not isinstance(ax, Axes):
        raise TypeError(f"{owner}: ax must be one matplotlib Axes, or None for a new figure, not a {type(ax).__name__}")
    return ax


def several_axes_or_new(axes: Sequence[Axes] | None, n: int, width: float, height: float, columns: int | None = None,
                        *, owner: str = "plots") -> Sequence[Axes]:
    """At least `n` axes: those a function was given, or those of a figure of its own, each of the given size in inches.

    Raises
    ------
    ValueError
        If there are fewer than `n`.
    TypeError
        If they are not matplotlib's.

    Examples
    --------
    >>> from tinygrad_nuc.plots.figures import several_axes_or_new
    >>> axes = several_axes_or_new(None, 3, width=2, height=1)
    >>> len(axes), axes[0].figure.get_size_inches().tolist()
    (3, [6.0, 1.0])
    """
    if axes is None:
        return grid(n, width, height, columns)[1]
    if isinstance(axes, Axes) or not all(isinstance(ax, Axes) for ax in axes):
        raise TypeError(f"{owner}: axes must be a list of matplotlib Axes, or None for a new figure")
    if len(axes) < n:
        raise ValueError(f"{owner}: {n} axes are needed, {len(axes)} were given")
    return axes


def headroom(ax: Axes, share: float = HEADROOM, bottom: float | None = None) -> None:
    """Leave this share of the height empty above what has been drawn, on any scale: that is where the legend goes."""
    ax.set_autoscaley_on(True)
    ax.autoscale_view(scalex=False)
    scale = ax.yaxis.get_transform()
    bottom, top = ax.get_ylim() if bottom is None else (bottom, ax.get_ylim()[1])
    low, high = scale.transform(np.array([bottom, top]))
    ax.set_ylim(bottom, float(scale.inverted().transform(np.array([low + (high - low) / (1 - share)]))[0]))


def finish(ax: Axes, x: str, y: str, title: str = "", legend: bool = True, **legend_options: Any) -> None:
    """Name the axes, and add the legend; a picture without units is not worth showing.

    Examples
    --------
    >>> from tinygrad_nuc import plots
    >>> picture, (ax,) = plots.grid(1)
    >>> line = ax.plot([1, 2], [0.5, 0.9], color=plots.BLUE, label="kaons")
    >>> plots.finish(ax, "momentum [GeV/c]", "efficiency", "How many are found")
    >>> ax.get_xlabel()
    'momentum [GeV/c]'
    """
    ax.set_xlabel(x, fontsize=13)
    ax.set_ylabel(y, fontsize=13)
    ax.tick_params(labelsize=12)            # here, not where figures are made: a user's own axes have smaller letters
    if title:
        ax.set_title(title, fontsize=14)
    if legend:
        ax.legend(fontsize=12, facecolor="white", edgecolor="none", framealpha=0.85, **legend_options)


def finish_above(ax: Axes, x: str, y: str, title: str, entries: int) -> None:
    """Name the axes, with a legend of so many entries between picture and title, where it hides nothing."""
    finish(ax, x, y, legend=entries > 0, loc="lower center", bbox_to_anchor=(0.5, 1.0), borderaxespad=0.2,
           ncols=min(entries, 4), handletextpad=0.4, columnspacing=1.2)
    ax.set_title(title, fontsize=14, pad=8 + 22 * -(-entries // 4))



def finish_scale(bar: Colorbar, name: str) -> None:
    """Name the scale of colours beside a picture.

    Examples
    --------
    >>> from tinygrad_nuc import plots
    >>> picture, (ax,) = plots.grid(1)
    >>> bar = picture.colorbar(ax.imshow([[0.0, 1.5]]))
    >>> plots.finish_scale(bar, "energy [MeV]")
    >>> bar.ax.get_ylabel()
    'energy [MeV]'
    """
    bar.set_label(name, fontsize=13)
    bar.ax.tick_params(labelsize=12)


def numbers(owner: str, name: str, x: Any) -> NDArray:
    """One finite number for each event, as a NumPy array: of a list, an array or a Tensor, of shape (n,) or (n, 1).

    Raises
    ------
    ValueError, TypeError
        In the name of `owner`, if there are none, if some are NaN or infinite, or if they are no numbers.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> from tinygrad_nuc.plots.figures import numbers
    >>> numbers("roc_curves", "the response", tn.tensor([[0.5], [0.25]])).tolist()
    [0.5, 0.25]
    """
    values = x.detach().cpu().numpy() if isinstance(x, Tensor) else np.asarray(x)
    if values.dtype.kind not in "biuf":
        raise TypeError(f"{owner}: {name} must hold numbers, not {values.dtype}")
    if values.dtype == bool:
        values = values.astype(int)                         # NumPy has no differences of truth values
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1 or not values.size:
        raise ValueError(f"{owner}: {name} must be one number for each event, shape (n,), not {values.shape}")
    bad = int((~np.isfinite(values)).sum())
    if bad:
        raise ValueError(f"{owner}: {name} has {bad} of {values.size} values that are NaN or infinite")
    return values


def labelled(owner: str, name: str, x: Any, y: Any) -> tuple[NDArray, NDArray]:
    """Numbers, as `numbers` has them, and as many labels 0 or 1."""
    values, labels = numbers(owner, name, x), numbers(owner, "the labels y", y)
    if len(values) != len(labels):
        raise ValueError(f"{owner}: {name} has {len(values)} events, and there are {len(labels)} labels")
    if not np.isin(labels, (0, 1)).all():
        others = np.setdiff1d(labels, (0, 1))
        raise ValueError(f"{owner}: the labels y must be 0 and 1, and there is {others[0]:g} among them")
    return values, labels
