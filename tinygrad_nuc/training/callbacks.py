"""Callbacks: what else happens while a Trainer trains. Each method is called at the moment its name says."""

import csv
import math
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

from ..utils.arguments import whole_number
from ..utils.files import atomic_write, given_path
from .history import shown

if TYPE_CHECKING:
    from .trainer import Trainer


class Callback:
    """Base class: override the moments you care about.

    A callback that remembers something between epochs says what in `state_dict`, so that a run that is resumed from a
    checkpoint goes on as if nothing had happened.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> class HalfLoss(tn.training.Callback):
    ...     columns = ("half_loss",)
    ...     def on_epoch_end(self, trainer, row):
    ...         row["half_loss"] = row["train_loss"] / 2                # one more column of the history
    """

    columns: tuple[str, ...] = ()       # what it adds to the history for others, such as EarlyStopping, to go by
    order = 0                           # those with 1, such as ModelCheckpoint, are called after all others

    def before_fit(self, trainer: "Trainer") -> None:
        """When `fit` is called: forget earlier runs, and refuse what cannot work before any training."""

    def on_fit_start(self, trainer: "Trainer") -> None:
        """Before the first step, after a checkpoint has been loaded, if one is resumed."""

    def on_batch_end(self, trainer: "Trainer", loss: float) -> None:
        """After every step of the optimizer."""

    def on_epoch_end(self, trainer: "Trainer", row: dict[str, Any]) -> None:
        """After every epoch and its validation; `row` is the new row of the history, to add to and to judge by."""

    def on_epoch_complete(self, trainer: "Trainer", row: dict[str, Any]) -> None:
        """After `on_epoch_end` of all callbacks, to write down what is now complete."""

    def on_interrupt(self, trainer: "Trainer") -> None:
        """When Ctrl-C ends the training: after a step, or after the validation of an epoch."""

    def on_fit_end(self, trainer: "Trainer") -> None:
        """After the last epoch, also when training was stopped or failed, and when another callback fails now."""

    def state_dict(self) -> dict[str, Any]:
        """What to keep in a checkpoint."""
        return {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on from there."""


class Best:
    """The best value of a column so far, lowest (mode "min") or highest ("max")."""

    def __init__(self, owner: str, monitor: str, mode: str) -> None:
        if not isinstance(monitor, str):
            raise TypeError(f"{owner}: monitor is the name of a column of the history, not a {type(monitor).__name__}")
        if mode not in ("min", "max"):
            raise ValueError(f"{owner}: mode must be 'min' or 'max', not {mode!r}")
        self.owner, self.monitor, self.sign = owner, monitor, 1 if mode == "min" else -1
        self.forget()

    def forget(self) -> None:
        """Begin anew."""
        self.value = math.inf                       # with the sign that makes lower better

    def require(self, trainer: "Trainer", owner: Callback) -> None:
        """Refuse a column that there will not be, when it is its owner's turn to look."""
        validation = [f"validation_{name}" for name in ("loss", *trainer.metrics)]
        before = trainer.callbacks[:trainer.callbacks.index(owner)]
        others = ["train_loss", *(name for callback in before for name in callback.columns)]
        if trainer.validation_loader is not None:
            others = [*validation, *others]
        elif self.monitor in validation:
            raise ValueError(f"{self.owner}: goes by {self.monitor!r}, so fit needs validation data")
        if self.monitor not in others:
            raise ValueError(f"{self.owner}: there is no {self.monitor!r} to go by, only {', '.join(others)}; give the "
                             "Trainer such a metric, or earlier in the list a callback with such a column")

    def improved_by(self, row: dict[str, Any], min_delta: float = 0.0) -> bool:
        """Whether this epoch is better than all before, and by more than `min_delta`; it is remembered then."""
        if self.monitor not in row:
            raise KeyError(f"{self.owner}: there is no {self.monitor!r} to go by; this epoch measured {', '.join(row)}")
        value = self.sign * row[self.monitor]
        if not value < self.value - min_delta:      # NaN is no improvement
            return False
        self.value = value
        return True


class EarlyStopping(Callback):
    """Stop when an epoch's measurement has not improved for some time, and go back to the best weights.

    Parameters
    ----------
    monitor : str
        The column of the history to go by.
    patience : int
        How many epochs without improvement end the training.
    min_delta : float
        What counts as improvement.
    mode : {"min", "max"}
        Whether lower is better, as for a loss, or higher, as for an accuracy.
    restore_best_weights : bool
        Whether the model ends with the weights of its best epoch (also when the training reaches its last epoch, is
        interrupted or fails) or with the last ones.

    Source: lecture 1, "early stopping"; Prechelt, "Early stopping – but when?", 1998.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> stop = tn.training.EarlyStopping(patience=3)
    >>> stop.best.monitor, stop.patience
    ('validation_loss', 3)
    """

    def __init__(self, monitor: str = "validation_loss", patience: int = 5, min_delta: float = 0.0, mode: str = "min",
                 restore_best_weights: bool = True) -> None:
        if not min_delta >= 0:
            raise ValueError(f"EarlyStopping: min_delta must be at least 0, not {min_delta}")
        self.patience = whole_number("EarlyStopping", "patience", patience)
        self.min_delta, self.restore_best_weights = min_delta, restore_best_weights
        self.best = Best("EarlyStopping", monitor, mode)
        self.best_epoch = 0                                 # until there is one: the epoch before the first
        self.weights: dict[str, Any] = {}

    def before_fit(self, trainer: "Trainer") -> None:
        self.best.require(trainer, self)
        self.best.forget()
        self.best_epoch, self.weights = trainer.epoch, {}

    def on_fit_start(self, trainer: "Trainer") -> None:
        self.judge(trainer)                                 # a run that had stopped stays so, with this patience

    def on_epoch_end(self, trainer: "Trainer", row: dict[str, Any]) -> None:
        if self.best.improved_by(row, self.min_delta):
            self.best_epoch = trainer.epoch
            if self.restore_best_weights:
                self.weights = {name: t.clone() for name, t in trainer.model.state_dict().items()}
        self.judge(trainer)

    def judge(self, trainer: "Trainer") -> None:
        """Stop if nothing has improved for too long."""
        if trainer.epoch - self.best_epoch >= self.patience:
            trainer.stop(f"{self.best.monitor} has not improved since epoch {self.best_epoch}")

    def on_fit_end(self, trainer: "Trainer") -> None:
        if self.weights:
            trainer.model.load_state_dict(self.weights)

    def state_dict(self) -> dict[str, Any]:
        return {"value": self.best.value, "best_epoch": self.best_epoch, "weights": self.weights}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.best.value, self.best_epoch, self.weights = state["value"], state["best_epoch"], state["weights"]


class LearningRateLogger(Callback):
    """A column ``lr`` in the history: the learning rate of the epoch's last step (``lr_0``, ``lr_1`` … with groups).

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> from tinygrad_nuc.utils.data import DataLoader, TensorDataset
    >>> model = tn.nn.Linear(1, 1)
    >>> optimizer = tn.optim.SGD(model.parameters(), lr=0.1)
    >>> trainer = tn.training.Trainer(model, tn.nn.MSELoss(), optimizer, callbacks=[tn.training.LearningRateLogger()])
    >>> trainer.fit(DataLoader(TensorDataset(tn.ones(4, 1), tn.ones(4, 1))), epochs=2)["lr"]
    [0.1, 0.1]
    """

    def before_fit(self, trainer: "Trainer") -> None:
        self.columns = self.names(len(trainer.optimizer.param_groups))

    def on_epoch_end(self, trainer: "Trainer", row: dict[str, Any]) -> None:
        rates = trainer.learning_rates                      # another callback may have added a group since
        row.update(zip(self.names(len(rates)), rates, strict=True))

    def names(self, groups: int) -> tuple[str, ...]:
        """The columns for so many groups."""
        return ("lr",) if groups == 1 else tuple(f"lr_{i}" for i in range(groups))


class CSVLogger(Callback):
    """The history as a table in a file, complete after every epoch.

    Parameters
    ----------
    path : str or os.PathLike
        Its folder must exist. A file that is there is replaced: by whole rows, never by half of one.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> logger = tn.training.CSVLogger("history.csv")       # writes nothing yet
    """

    def __init__(self, path: str | os.PathLike) -> None:
        self.path = Path(given_path(path, "CSVLogger")).expanduser()

    def before_fit(self, trainer: "Trainer") -> None:
        if not self.path.parent.is_dir():
            raise FileNotFoundError(f"CSVLogger: there is no folder {self.path.parent}")
        if self.path.is_dir():
            raise IsADirectoryError(f"CSVLogger: {self.path} is a folder, and a file cannot take its place")
        check_writable("CSVLogger", self.path.parent)

    def on_epoch_complete(self, trainer: "Trainer", row: dict[str, Any]) -> None:
        with atomic_write(self.path, "w") as file:
            table = csv.DictWriter(file, trainer.history.columns, restval="", lineterminator="\n")
            table.writeheader()
            table.writerows(trainer.history.rows)


class ProgressBar(Callback):
    """A bar with the epoch, the loss so far, and what the last epoch measured; at the end, why training stopped.

    Parameters
    ----------
    show : bool, optional
        By default only on a terminal.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> quiet = tn.training.ProgressBar(show=False)
    """

    def __init__(self, show: bool | None = None) -> None:
        self.show = show
        self.bar: tqdm | None = None
        self.measured: dict[str, str] = {}

    def before_fit(self, trainer: "Trainer") -> None:
        self.measured = {}

    def on_fit_start(self, trainer: "Trainer") -> None:
        done = trainer.step - trainer.first_step            # by the run that is resumed
        self.bar = tqdm(total=trainer.total_steps, initial=done, unit="batch", disable=None if self.show is None
                        else not self.show)

    def on_batch_end(self, trainer: "Trainer", loss: float) -> None:
        assert self.bar is not None
        self.bar.update()
        if not self.bar.disable:
            self.bar.set_postfix(epoch=trainer.epoch + 1, loss=f"{trainer.mean_loss:.4f}", refresh=False,
                                 **self.measured)

    def on_epoch_end(self, trainer: "Trainer", row: dict[str, Any]) -> None:
        self.measured = {name: shown(x) for name, x in row.items() if name.startswith("validation")}

    def on_fit_end(self, trainer: "Trainer") -> None:
        if self.bar is not None:
            shown = not self.bar.disable
            self.bar.close()
            if trainer.stopped and shown:
                print(trainer.stopped, file=sys.stderr)


def check_writable(owner: str, folder: Path) -> None:
    """Refuse a folder in which no file can be made: better now than after an epoch."""
    try:
        tempfile.TemporaryFile(dir=folder).close()
    except OSError as error:
        raise type(error)(f"{owner}: cannot write into the folder {folder}: {error.strerror}") from error
