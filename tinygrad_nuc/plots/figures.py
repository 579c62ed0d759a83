"""The look that all pictures share: large enough letters for a lecture hall, colours that everyone can tell apart."""

from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

# Okabe and Ito's colours, which stay different for colour-blind eyes.
BACKGROUND, SIGNAL = "#0072B2", "#D55E00"
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")


def figure(columns: int = 1, rows: int = 1, width: float = 6.4, height: float = 4.8) -> tuple[Figure, list[Axes]]:
    """A figure with a grid of axes, each of the given size in inches; save it with ``figure.savefig(path)``.

    Examples
    --------
    >>> from tinygrad_nuc import plots
    >>> picture, axes = plots.figure(columns=2)
    >>> len(axes)
    2
    """
    picture = Figure(figsize=(width * columns, height * rows), layout="constrained", dpi=120)
    axes = picture.subplots(rows, columns, squeeze=False)
    for ax in axes.flat:
        ax.tick_params(labelsize=12)
    return picture, list(axes.flat)


def label(ax: Axes, x: str, y: str, title: str = "", legend: bool = True, **legend_options: Any) -> None:
    """Name the axes; a picture without units is not worth showing."""
    ax.set_xlabel(x, fontsize=13)
    ax.set_ylabel(y, fontsize=13)
    if title:
        ax.set_title(title, fontsize=14)
    if legend:
        ax.legend(fontsize=12, facecolor="white", edgecolor="none", framealpha=0.9, **legend_options)
