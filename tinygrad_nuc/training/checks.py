"""What a Trainer refuses before the first step, and why."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..engine.tensor import Tensor
from ..nn.module import Module
from ..optim.lr_scheduler import LRScheduler, ReduceLROnPlateau
from ..optim.optimizer import Optimizer
from ..utils.data.dataset import Dataset

if TYPE_CHECKING:
    from .callbacks import Callback
    from .trainer import Trainer


def require(condition: bool, kind: type[Exception], message: str) -> None:
    """An error in the Trainer's name unless the condition holds."""
    if not condition:
        raise kind(f"Trainer: {message}")


def check_learning(model: Any, loss: Any, optimizer: Any, scheduler: Any, interval: str) -> None:
    """A model, a loss, and an optimizer and a schedule that belong to them."""
    require(isinstance(model, Module), TypeError, f"the model must be a Module, not a {type(model).__name__}")
    require(callable(loss), TypeError, "the loss must be a function of (prediction, target), such as nn.MSELoss()")
    require(isinstance(optimizer, Optimizer), TypeError, "the optimizer must be one of tn.optim, such as "
            f"optim.Adam(model.parameters()), not a {type(optimizer).__name__}")
    ours = {id(p) for p in model.parameters()}
    require(any(id(p) in ours for group in optimizer.param_groups for p in group["params"]), ValueError,
            "the optimizer trains none of this model's parameters: give it model.parameters()")
    require(interval in ("epoch", "step"), ValueError,
            f"scheduler_interval must be 'epoch' or 'step', not {interval!r}")
    if scheduler is None:
        return
    require(isinstance(scheduler, LRScheduler), TypeError, "the scheduler must be one of tn.optim.lr_scheduler, such "
            f"as StepLR(optimizer, step_size=10), not {scheduler!r}")
    require(scheduler.optimizer is optimizer, ValueError, "the scheduler belongs to another optimizer")
    require(interval == "epoch" or not isinstance(scheduler, ReduceLROnPlateau), ValueError,
            "ReduceLROnPlateau goes by the loss of an epoch, so scheduler_interval must be 'epoch'")


def check_bound(name: str, bound: Any) -> None:
    """A positive number, or None."""
    if bound is not None:
        require(isinstance(bound, (int, float, np.number)) and not isinstance(bound, bool), TypeError,
                f"{name} must be a number, not {bound!r}")
        require(bound > 0, ValueError, f"{name} must be above 0, not {bound}")


def checked_metrics(metrics: Mapping[str, Callable] | None) -> dict[str, Callable]:
    """Functions by name."""
    metrics = {} if metrics is None else metrics
    require(isinstance(metrics, Mapping), TypeError,
            f'metrics must be functions by name, such as {{"accuracy": accuracy}}, not a {type(metrics).__name__}')
    for name, metric in metrics.items():
        require(callable(metric), TypeError, f"the metric {name!r} must be a function of (prediction, target), "
                f"not {metric!r}")
        require(name != "loss", ValueError, "a metric cannot have the name 'loss', which is that of the loss")
    return dict(metrics)


def checked_callbacks(callbacks: Any, kind: "type[Callback]") -> "list[Callback]":
    """A list of callbacks, of any iterable of them."""
    require(isinstance(callbacks, Iterable), TypeError, f"callbacks must be a list, not a {type(callbacks).__name__}")
    callbacks = list(callbacks)
    for callback in callbacks:
        require(isinstance(callback, kind), TypeError, f"{callback!r} is not a Callback")
    return callbacks


def check_batches(which: str, data: Any) -> None:
    """A DataLoader, or anything else that gives batches, and can do so for every epoch."""
    if isinstance(data, (Tensor, np.ndarray)):
        raise TypeError(f"Trainer: {which} is one {type(data).__name__}, and not batches: put it into a data set and a "
                        "loader, DataLoader(TensorDataset(x, y), batch_size=32)")
    if isinstance(data, Dataset) or (hasattr(data, "__getitem__") and not hasattr(data, "__iter__")):
        raise TypeError(f"Trainer: {which} is a data set, {type(data).__name__}, and not batches: put it into a "
                        "loader, DataLoader(data, batch_size=32)")
    require(isinstance(data, Iterable) and not isinstance(data, (str, bytes, Mapping, tuple)), TypeError,
            f"{which} must be a DataLoader, or a list of batches, not a {type(data).__name__}")
    require(not isinstance(data, Iterator), TypeError, f"{which} is a {type(data).__name__}, which is used up after "
            "one pass: give a DataLoader, or a list of batches")


def check_length(trainer: "Trainer") -> None:
    """Something left to do in a run that is resumed, and enough steps in a schedule that has an end."""
    made, to_make = trainer.epoch - trainer.first_epoch, trainer.last_epoch - trainer.first_epoch
    require(made < to_make or (made == to_make and not trainer.samples), ValueError, f"the checkpoint has made {made} "
            f"epochs{' and a part of the next' if trainer.samples else ''} already, and epochs={to_make} are all")
    schedule, steps = trainer.scheduler, trainer.total_steps
    length = getattr(schedule, "total_steps", None)
    if length is None or steps is None:
        return
    name, epochs = type(schedule).__name__, trainer.last_epoch - trainer.first_epoch
    if trainer.scheduler_interval == "epoch":
        require(length != steps or steps == epochs, ValueError, f"{name} has {length} steps, as many as there are "
                f'batches in {epochs} epochs: give scheduler_interval="step"')
        to_come = trainer.last_epoch - trainer.epoch
    else:
        to_come = trainer.first_step + steps - trainer.step
    left = length - schedule.last_epoch
    require(to_come <= left, ValueError, f"{name} has {left} of its {length} steps left, and this training would make "
            f"{to_come}: it needs to know all of them when it is made, as total_steps=epochs * len(loader)")
