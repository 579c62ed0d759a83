"""How training went."""

import math
import os
from typing import TYPE_CHECKING

from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from ..utils.files import atomic_write, given_path
from .figures import BLUE, HEADROOM, ORANGE, axes_or_new, finish, grid, headroom

if TYPE_CHECKING:
    from ..training import EarlyStopping, History


def learning_curve(history: "History", loss: str = "loss", *, early_stopping: "EarlyStopping | None" = None,
                   ax: Axes | None = None) -> list[Line2D]:
    """Training and validation loss against the epoch, with the best epoch, and where early stopping ended the training.

    Parameters
    ----------
    history : History
    loss : str
        What it is, for the axis, with its unit if it has one.
    early_stopping : EarlyStopping, optional
        The callback of that training: its best epoch is marked (which is not that of the lowest loss if it goes by
        something else), and the last one, if its patience ended there. By itself a history knows where the
        validation loss was lowest, but not why it ends.
    ax : Axes, optional
        Where to draw; by default in a figure of its own.

    Returns
    -------
    list of Line2D
        Training, validation, the best epoch and the last, as far as there are any.

    Raises
    ------
    ValueError
        If no epoch has been completed yet, or the callback belongs to a longer training.
    TypeError
        If `history` is no History, or `early_stopping` no EarlyStopping.

    Examples
    --------
    >>> from tinygrad_nuc import plots, training
    >>> lines = plots.learning_curve(training.History([
    ...     {"epoch": 1, "train_loss": 0.9, "validation_loss": 0.8},
    ...     {"epoch": 2, "train_loss": 0.5, "validation_loss": 0.5},
    ...     {"epoch": 3, "train_loss": 0.4, "validation_loss": 0.6}]))
    >>> lines[2].get_xdata()[0]
    2
    """
    check(history, early_stopping)
    ax = axes_or_new(ax, owner="learning_curve")
    lines = curves(ax, history, "loss")
    marks = marked_epochs(history, early_stopping)
    headroom(ax)
    for (epoch, label), style in zip(marks, ("--", ":"), strict=False):
        lines.append(ax.axvline(epoch, ymax=1 - HEADROOM, color="0.3", linestyle=style, linewidth=2, label=label))
    finish(ax, "epoch", loss, "Learning curve", loc="upper right")
    return lines


def check(history: "History", early_stopping: "EarlyStopping | None") -> None:
    """A history with epochs, and a callback that belongs to it."""
    if not hasattr(history, "columns"):
        raise TypeError(f"learning_curve: expects a History, such as trainer.history, not a {type(history).__name__}")
    if not len(history):
        raise ValueError("learning_curve: no epoch has been completed yet")
    last = history["epoch"][-1]
    if early_stopping is not None and not hasattr(early_stopping, "best_epoch"):
        raise TypeError("learning_curve: early_stopping is the EarlyStopping callback of the training, not a "
                        f"{type(early_stopping).__name__}")
    if early_stopping is not None and early_stopping.best_epoch > last:
        raise ValueError(f"learning_curve: the best epoch of this EarlyStopping is {early_stopping.best_epoch}, and "
                         f"the history ends after epoch {last}: it belongs to another training")


def marked_epochs(history: "History", early_stopping: "EarlyStopping | None") -> list[tuple[int, str]]:
    """The best epoch and the one after which patience was at its end, with what to say of them."""
    if early_stopping is None:
        measured = history["validation_loss"] if "validation_loss" in history.columns else []
        if not any(x is not None and x == x for x in measured):         # nothing but NaN, which has no lowest
            return []
        best = history.best_epoch()
        return [(best, f"lowest: epoch {best} of {len(history)}")]
    last, best, patience = history["epoch"][-1], early_stopping.best_epoch, early_stopping.patience
    marks = []
    if early_stopping.best.value < math.inf:                            # an epoch has been better than none at all
        marks = [(best, f"best {early_stopping.best.monitor}: epoch {best}".replace("_", " "))]
    if last - best >= patience:
        marks.append((last, f"stopped after epoch {last} (patience {patience})"))
    return marks


def curves(ax: Axes, history: "History", name: str) -> list[Line2D]:
    """One measurement on the training and on the validation data, as far as there are any, or under its own name."""
    looks = {f"train_{name}": ("training", BLUE, "o"), f"validation_{name}": ("validation", ORANGE, "s"),
             name: (name, BLUE, "o")}
    ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
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
            learning_curve(history, ax=ax)
        else:
            curves(ax, history, name)
            finish(ax, "epoch", name)
    if path is not None:
        with atomic_write(path) as file:
            picture.savefig(file, format=os.path.splitext(path)[1].removeprefix(".") or "png")
    return axes
