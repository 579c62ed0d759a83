"""Checkpoints: all that the rest of a training run depends on, in a file that is written whole or not at all."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..engine.generator import get_rng_state, set_rng_state
from ..utils.state_files import load, save
from .callbacks import Best, Callback, require

if TYPE_CHECKING:
    from .trainer import Trainer


class ModelCheckpoint(Callback):
    """Keep the last state of the run, and that of its best epoch, as ``last.npz`` and ``best.npz`` in a folder.

    Each holds everything: ``trainer.fit(..., resume="last")`` goes on from there to the very same weights as a run that
    was never stopped, and ``model.load_state_dict(tn.load("best.npz")["model"])`` needs the weights alone. After Ctrl-C
    the last state is that of the step at which training stopped.

    Parameters
    ----------
    folder : str or os.PathLike
        Made if it is not there. Checkpoints of an earlier run in it are replaced as training goes on.
    monitor : str, optional
        The column of the history that says which epoch is best; by default the validation loss, or the training loss
        where nothing is validated.
    mode : {"min", "max"}
    every_n_epochs : int
        How often to write the last state.
    every_n_steps : int, optional
        Write it so often within an epoch too.

    Examples
    --------
    >>> import tempfile, tinygrad_nuc as tn
    >>> from tinygrad_nuc.utils.data import DataLoader, TensorDataset
    >>> data = DataLoader(TensorDataset(tn.ones(4, 1), tn.ones(4, 1)), batch_size=2)
    >>> def run(epochs, folder):
    ...     model = tn.nn.Linear(1, 1)
    ...     trainer = tn.training.Trainer(model, tn.nn.MSELoss(), tn.optim.Adam(model.parameters()),
    ...                                   callbacks=[tn.training.ModelCheckpoint(folder)])
    ...     return trainer.fit(data, epochs=epochs, resume="last")
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     first = run(2, folder)
    ...     second = run(5, folder)                         # in another process, say: epochs 3 to 5
    >>> second["epoch"], second["train_loss"][:2] == first["train_loss"]
    ([1, 2, 3, 4, 5], True)
    """

    order = 2

    def __init__(self, folder: str | os.PathLike, monitor: str | None = None, mode: str = "min",
                 every_n_epochs: int = 1, every_n_steps: int | None = None) -> None:
        for name, number in (("every_n_epochs", every_n_epochs), ("every_n_steps", every_n_steps or 1)):
            if number < 1:
                raise ValueError(f"ModelCheckpoint: {name} must be at least 1, not {number}")
        self.folder, self.monitor, self.mode = Path(folder).expanduser(), monitor, mode
        self.every_n_epochs, self.every_n_steps = every_n_epochs, every_n_steps
        self.last_path, self.best_path = self.folder / "last.npz", self.folder / "best.npz"
        self.best = Best("ModelCheckpoint", monitor or "validation_loss", mode)

    def before_fit(self, trainer: "Trainer") -> None:
        if self.every_n_steps and not hasattr(trainer.train_loader, "state_dict"):
            raise TypeError("ModelCheckpoint: every_n_steps needs a DataLoader, which knows how far it has got")
        if self.monitor is None:
            self.best.monitor = "train_loss" if trainer.validation_loader is None else "validation_loss"
        self.best.require(trainer)
        self.best.forget()
        self.folder.mkdir(parents=True, exist_ok=True)

    def on_batch_end(self, trainer: "Trainer", loss: float) -> None:
        if self.every_n_steps and trainer.step % self.every_n_steps == 0:
            save(state_of(trainer), self.last_path)

    def on_epoch_end(self, trainer: "Trainer", row: dict[str, Any]) -> None:
        better = self.best.improved_by(row)
        if better:
            save(state_of(trainer), self.best_path)
        if trainer.epoch % self.every_n_epochs == 0 or trainer.stopped:
            save(state_of(trainer), self.last_path)

    def on_interrupt(self, trainer: "Trainer") -> None:
        if hasattr(trainer.train_loader, "state_dict"):
            save(state_of(trainer), self.last_path)
            print(f'fit(..., resume="last") goes on from {self.last_path}', file=sys.stderr, flush=True)

    def state_dict(self) -> dict[str, Any]:
        return {"value": self.best.value}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.best.value = state["value"]


def go_on(trainer: "Trainer", resume: str | os.PathLike | None) -> None:
    """Load the checkpoint that ``fit(resume=...)`` asks for, if it does and there is one."""
    if resume == "last":
        kept = [callback.last_path for callback in trainer.callbacks if isinstance(callback, ModelCheckpoint)]
        require(len(kept) > 0, ValueError, 'resume="last" needs a ModelCheckpoint among the callbacks; or name a file')
        resume = kept[0] if kept[0].exists() else None
    if resume is not None:
        restore(trainer, load(resume))


# How far a run has got: attributes of the trainer that a checkpoint keeps.
COUNTERS = ("epoch", "step", "first_epoch", "first_step", "loss_sum", "samples", "learning_rates", "stopped")


def state_of(trainer: "Trainer") -> dict[str, Any]:
    """Everything that the rest of the training depends on."""
    return {"model": trainer.model.state_dict(), "optimizer": trainer.optimizer.state_dict(),
            "scheduler": None if trainer.scheduler is None else trainer.scheduler.state_dict(),
            "loader": getattr(trainer.train_loader, "state_dict", dict)(), "generator": get_rng_state(),
            "callbacks": [[type(callback).__name__, callback.state_dict()] for callback in trainer.callbacks],
            "history": trainer.history.state_dict(), "trainer": {name: getattr(trainer, name) for name in COUNTERS}}


def restore(trainer: "Trainer", state: Mapping[str, Any]) -> None:
    """Put a trainer where `state_of` was asked; if a part does not fit, the model stays as it is."""
    parts = ("model", "optimizer", "scheduler", "loader", "generator", "callbacks", "history", "trainer")
    missing = [name for name in parts if not isinstance(state, Mapping) or name not in state]
    require(not missing, ValueError, f"this is no checkpoint of a Trainer: it lacks {', '.join(missing)}")
    ours = [type(callback).__name__ for callback in trainer.callbacks]
    theirs = [name for name, _ in state["callbacks"]]
    require(theirs == ours, ValueError,
            f"the checkpoint's callbacks are {', '.join(theirs)}, and this trainer's {', '.join(ours)}")
    require((state["scheduler"] is None) == (trainer.scheduler is None), ValueError,
            "the checkpoint has a scheduler and this trainer has none, or the reverse")
    before = {name: t.clone() for name, t in trainer.model.state_dict().items()}
    try:
        trainer.model.load_state_dict(state["model"])
        if state["loader"]:
            loader: Any = trainer.train_loader
            loader.load_state_dict(state["loader"])
        trainer.optimizer.load_state_dict(state["optimizer"])
    except Exception:
        trainer.model.load_state_dict(before)
        raise
    if trainer.scheduler is not None:
        trainer.scheduler.load_state_dict(state["scheduler"])
    for callback, (_, remembered) in zip(trainer.callbacks, state["callbacks"], strict=True):
        callback.load_state_dict(remembered)
    trainer.history.load_state_dict(state["history"])
    for name in COUNTERS:
        setattr(trainer, name, state["trainer"][name])
    set_rng_state(state["generator"])
