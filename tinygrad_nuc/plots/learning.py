"""How training went."""

from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from ..training import History
from .figures import BLUE, ORANGE, finish


def learning_curve(ax: Axes, history: History, loss: str = "loss") -> list[Line2D]:
    """Training and validation loss against the epoch, with the epoch whose weights were kept.

    Examples
    --------
    >>> from tinygrad_nuc import plots, training
    >>> picture, (ax,) = plots.grid(1)
    >>> lines = plots.learning_curve(ax, training.History([0.9, 0.5, 0.4], [0.8, 0.5, 0.6]))
    >>> lines[2].get_xdata()[0]
    2
    """
    epochs = range(1, len(history.train) + 1)
    train, = ax.plot(epochs, history.train, color=BLUE, marker="o", markersize=4, label="training")
    validation, = ax.plot(epochs, history.validation, color=ORANGE, marker="s", markersize=4, label="validation")
    kept = ax.axvline(history.best_epoch, color="0.4", linestyle="--",
                      label=f"kept: epoch {history.best_epoch} of {len(epochs)}")
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    finish(ax, "epoch", loss, "Learning curve")
    return [train, validation, kept]
