"""How training went."""

import os
from typing import TYPE_CHECKING

from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from ..utils.files import atomic_write, given_path
from .figures import BLUE, ORANGE, finish, grid

if TYPE_CHECKING:
    from ..training import History


def learning_curve(ax: Axes, history: "History", loss: str = "loss") -> list[Line2D]:
    """Training and validation loss against the epoch, with the epoch where the validation loss was lowest.

    Examples
    --------
    >>> from tinygrad_nuc import plots, training
    >>> picture, (ax,) = plots.grid(1)
    >>> lines = plots.learning_curve(ax, training.History([
    ...     {"epoch": 1, "train_loss": 0.9, "validation_loss": 0.8},
    ...     {"epoch": 2, "train_loss": 0.5, "validation_loss": 0.5},
    ...     {"epoch": 3, "train_loss": 0.4, "validation_loss": 0.6}]))
    >>> lines[2].get_xdata()[0]
    2
    """
    lines = curves(ax, history, "loss")
    measured = history["validation_loss"] if "validation_loss" in history.columns else []
    if any(x is not None and x == x for x in measured):             # else nothing but NaN, which has no lowest
        best = history.best_epoch()
        lines.append(ax.axvline(best, color="0.4", linestyle="--", label=f"lowest: epoch {best} of {len(history)}"))
    finish(ax, "epoch", loss, "Learning curve")
    return lines


def curves(ax: Axes, history: "History", name: str) -> list[Line2D]:
    """One measurement on the training and on the validation data, as far as there are any, or under its own name."""
    looks = {f"train_{name}": ("training", BLUE, "o"), f"validation_{name}": ("validation", ORANGE, "s"),
             name: (name, BLUE, "o")}
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    return [ax.plot(history["epoch"], [float("nan") if x is None else x for x in history[column]], color=color,
                    marker=marker, markersize=4, label=label)[0]
            for column, (label, color, marker) in looks.items() if column in history.columns]


def draw_history(history: "History", path: str | os.PathLike | None = None) -> list[Axes]:
    """Every column of a history against the epoch; see `tinygrad_nuc.training.History.plot`."""
    if not len(history):
        raise ValueError("plot: no epoch has been completed yet")
    path = None if path is None else given_path(path, "plot")
    columns = [name.removeprefix("train_").removeprefix("validation_") for name in history.columns if name != "epoch"]
    names = list(dict.fromkeys(columns))
    picture, axes = grid(len(names))
    for ax, name in zip(axes, names, strict=True):
        if name == "loss":
            learning_curve(ax, history)
        else:
            curves(ax, history, name)
            finish(ax, "epoch", name)
    if path is not None:
        with atomic_write(path) as file:
            picture.savefig(file, format=os.path.splitext(path)[1].removeprefix(".") or "png")
    return axes
