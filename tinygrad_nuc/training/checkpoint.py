"""Checkpoints: all that the rest of a training run depends on, in a file that is written whole or not at all."""

import copy
import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..engine.generator import generator_at, get_rng_state, set_rng_state
from ..utils.arguments import whole_number
from ..utils.files import given_path
from ..utils.state_files import load, save
from .callbacks import Best, Callback, check_writable
from .checks import require

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
        Whether lower is better, as for a loss, or higher, as for an accuracy.
    every_n_epochs : int
        How often to write the last state; also at the end of the training.
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

    order = 1                               # it judges by what all others have measured

    def __init__(self, folder: str | os.PathLike, monitor: str | None = None, mode: str = "min",
                 every_n_epochs: int = 1, every_n_steps: int | None = None) -> None:
        whole_number("ModelCheckpoint", "every_n_epochs", every_n_epochs)
        if every_n_steps is not None:
            whole_number("ModelCheckpoint", "every_n_steps", every_n_steps)
        self.folder, self.monitor, self.mode = Path(given_path(folder, "ModelCheckpoint")).expanduser(), monitor, mode
        self.every_n_epochs, self.every_n_steps = every_n_epochs, every_n_steps
        self.last_path, self.best_path = self.folder / "last.npz", self.folder / "best.npz"
        self.best = Best("ModelCheckpoint", "validation_loss" if monitor is None else monitor, mode)
        self.improved = False                               # in the epoch that has just ended
        self.kept_epoch: int | None = None                  # of the last state that this run wrote

    def before_fit(self, trainer: "Trainer") -> None:
        if self.every_n_steps and not hasattr(trainer.train_loader, "state_dict"):
            raise TypeError("ModelCheckpoint: every_n_steps needs a DataLoader, which knows how far it has got")
        if self.monitor is None:
            self.best.monitor = "train_loss" if trainer.validation_loader is None else "validation_loss"
        self.best.require(trainer, self)
        self.best.forget()
        self.kept_epoch = None
        others = [c.folder for c in trainer.callbacks if isinstance(c, ModelCheckpoint) and c is not self]
        require(self.folder not in others, ValueError, f"two ModelCheckpoints have the same folder, {self.folder}")
        self.folder.mkdir(parents=True, exist_ok=True)
        check_writable("ModelCheckpoint", self.folder)

    def on_batch_end(self, trainer: "Trainer", loss: float) -> None:
        if self.every_n_steps and trainer.step % self.every_n_steps == 0:
            self.keep(trainer)

    def on_epoch_end(self, trainer: "Trainer", row: dict[str, Any]) -> None:
        self.improved = self.best.improved_by(row)

    def on_epoch_complete(self, trainer: "Trainer", row: dict[str, Any]) -> None:
        if self.improved:
            save(state_of(trainer), self.best_path)
        at_end = trainer.epoch == trainer.last_epoch or trainer.stopped is not None
        if at_end or trainer.epoch % self.every_n_epochs == 0:
            self.keep(trainer)

    def on_interrupt(self, trainer: "Trainer") -> None:
        within = trainer.samples > 0 and not hasattr(trainer.train_loader, "state_dict")
        if not within:
            self.keep(trainer)
        if self.kept_epoch is not None:
            place = f", after epoch {self.kept_epoch}: only a DataLoader knows its place within one" if within else ""
            print(f'fit(..., resume="last") goes on from {self.last_path}{place}', file=sys.stderr, flush=True)

    def keep(self, trainer: "Trainer") -> None:
        """Write the last state."""
        save(state_of(trainer), self.last_path)
        self.kept_epoch = trainer.epoch

    def state_dict(self) -> dict[str, Any]:
        return {"value": self.best.value}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self.best.value = state["value"]


# How far a run has got: attributes of the trainer that a checkpoint keeps.
COUNTERS = ("epoch", "step", "first_epoch", "first_step", "loss_sum", "samples", "learning_rates", "seed")
PARTS = ("model", "optimizer", "scheduler", "scheduler_interval", "loader", "validation_generator", "generator",
         "callbacks", "history", "trainer")


def state_of(trainer: "Trainer") -> dict[str, Any]:
    """Everything that the rest of the training depends on."""
    own = getattr(trainer.validation_loader, "generator", None)         # if it shuffles with one of its own
    return {"model": trainer.model.state_dict(), "optimizer": trainer.optimizer.state_dict(),
            "scheduler": None if trainer.scheduler is None else trainer.scheduler.state_dict(),
            "scheduler_interval": trainer.scheduler_interval,
            "loader": getattr(trainer.train_loader, "state_dict", dict)(),
            "validation_generator": None if own is None else dict(own.bit_generator.state),
            "generator": get_rng_state(),
            "callbacks": [[type(callback).__name__, callback.state_dict()] for callback in trainer.callbacks],
            "history": trainer.history.state_dict(), "trainer": {name: getattr(trainer, name) for name in COUNTERS}}


@contextmanager
def at_checkpoint(trainer: "Trainer", resume: str | os.PathLike | None) -> Iterator[None]:
    """Put a trainer where a checkpoint left it; if that, or the block, fails, put everything back."""
    state = asked_for(trainer, resume)
    if state is None:
        yield
        return
    check_state(trainer, state)
    before = copy.deepcopy(state_of(trainer))
    try:
        put(trainer, state)
        yield
        # last: a loader that refuses stays as it is, and one that does not can no longer be brought back
        loader: Any = trainer.train_loader
        if state["loader"]:
            loader.load_state_dict(state["loader"])
        own = getattr(trainer.validation_loader, "generator", None)
        if own is not None and state["validation_generator"] is not None:
            own.bit_generator.state = generator_at(state["validation_generator"]).bit_generator.state
    except BaseException:
        put(trainer, before)
        raise


def asked_for(trainer: "Trainer", resume: str | os.PathLike | None) -> Any:
    """What is in the file that ``fit(resume=...)`` names; None if none is named, or "last" has not been written yet."""
    if resume is None or resume != "last":
        return None if resume is None else load(resume)
    paths = [callback.last_path for callback in trainer.callbacks if isinstance(callback, ModelCheckpoint)]
    require(len(paths) > 0, ValueError, 'resume="last" needs a ModelCheckpoint among the callbacks; or name a file')
    states = [load(path) for path in paths if path.exists()]
    for state in states:
        check_whole(state)
    return max(states, key=lambda state: state["trainer"]["step"], default=None)


def check_whole(state: Any) -> None:
    """A checkpoint, and nothing else."""
    missing = [name for name in PARTS if not isinstance(state, Mapping) or name not in state]
    require(not missing, ValueError, f"this is no checkpoint of a Trainer: it lacks {', '.join(missing)}")


def check_state(trainer: "Trainer", state: Mapping[str, Any]) -> None:
    """A checkpoint of such a trainer, as far as that can be seen before its parts are loaded."""
    check_whole(state)
    ours = [type(callback).__name__ for callback in trainer.callbacks]
    theirs = [name for name, _ in state["callbacks"]]
    require(theirs == ours, ValueError,
            f"the checkpoint's callbacks are {', '.join(theirs)}, and this trainer's {', '.join(ours)}")
    require((state["scheduler"] is None) == (trainer.scheduler is None), ValueError,
            "the checkpoint has a scheduler and this trainer has none, or the reverse")
    require(state["scheduler_interval"] == trainer.scheduler_interval, ValueError, "the checkpoint's "
            f"scheduler_interval is {state['scheduler_interval']!r}, and this trainer's {trainer.scheduler_interval!r}")
    require(not state["loader"] or hasattr(trainer.train_loader, "load_state_dict"), TypeError, "the checkpoint knows "
            f"how far a DataLoader had got, and a {type(trainer.train_loader).__name__} cannot go on from there")


def put(trainer: "Trainer", state: Mapping[str, Any]) -> None:
    """Load all parts of a state but the loaders' places."""
    trainer.model.load_state_dict(state["model"])
    trainer.optimizer.load_state_dict(state["optimizer"])
    if trainer.scheduler is not None:
        trainer.scheduler.load_state_dict(state["scheduler"])
    for callback, (_, remembered) in zip(trainer.callbacks, state["callbacks"], strict=True):
        callback.load_state_dict(remembered)
    trainer.history.load_state_dict(state["history"])
    for name in COUNTERS:
        setattr(trainer, name, state["trainer"][name])
    set_rng_state(state["generator"])
