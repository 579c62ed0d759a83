"""The look that all pictures share: large enough letters for a lecture hall, colours that everyone can tell apart."""

import math
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

# Okabe and Ito's colours, which stay different for colour-blind eyes.
BLUE, ORANGE = "#0072B2", "#D55E00"                                         # for whatever comes in twos
PALETTE = ("#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")           # for what comes in threes and more


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
    for ax in axes[:n]:
        ax.tick_params(labelsize=12)
    for ax in axes[n:]:
        ax.remove()
    return picture, axes[:n]


def finish(ax: Axes, x: str, y: str, title: str = "", legend: bool = True, **legend_options: Any) -> None:
    """Name the axes, and add the legend; a picture without units is not worth showing."""
    ax.set_xlabel(x, fontsize=13)
    ax.set_ylabel(y, fontsize=13)
    if title:
        ax.set_title(title, fontsize=14)
    if legend:
        ax.legend(fontsize=12, facecolor="white", edgecolor="none", framealpha=0.85, **legend_options)
