"""The loop that every training run is: predict, compare, differentiate, step, repeat, and know when to stop."""

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Sized
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from ..engine.grad_mode import no_grad
from ..engine.tensor import Tensor
from ..nn.module import Module
from ..nn.utils import clip_grad_norm_, clip_grad_value_
from ..optim.lr_scheduler import ReduceLROnPlateau
from ..optim.optimizer import Optimizer
from .callbacks import Callback, ProgressBar, require
from .checkpoint import go_on
from .history import History
from .interruption import noted_interruption


class Trainer:
    """Trains a model: the loop of lecture 4's seven steps, with validation, and callbacks for everything else.

    Parameters
    ----------
    model : Module
    loss : function of (prediction, target)
        Its mean over a batch, such as ``nn.MSELoss()``.
    optimizer : Optimizer
        Of the model's parameters.
    scheduler : learning-rate scheduler, optional
        Stepped after every epoch, or after every step of the optimizer with ``scheduler_interval="step"``
        (as OneCycleLR wants it). ReduceLROnPlateau is given the validation loss.
    metrics : dict of functions of (prediction, target), optional
        For instance ``{"accuracy": tn.training.accuracy}``. Each is computed once an epoch, from the predictions for
        all of the validation data, so that areas under curves and medians are right too.
    callbacks : sequence of Callback
        Called in this order, but those that write files come last.
    clip_grad_norm, clip_grad_value : float, optional
        Bounds on the length of the whole gradient, or on each of its elements.
    device : str, optional
        "cpu" or "cuda": the model is moved there at once, and every batch when its turn comes.
    progress : bool, optional
        Show a progress bar; by default only on a terminal.

    Attributes
    ----------
    history : History
        One row an epoch: ``epoch``, ``train_loss`` (the mean during the epoch), ``validation_loss`` and
        ``validation_<metric>`` (after it).
    epoch, step : int
        How many epochs and steps are complete.
    stopped : str or None
        Why training stopped before its last epoch.
    interrupted : bool
        Whether that was because of Ctrl-C. Training then ends as if it were complete, after the step under way.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> from tinygrad_nuc.utils.data import DataLoader, TensorDataset
    >>> _ = tn.manual_seed(0)
    >>> x = tn.linspace(-1, 1, 64).unsqueeze(1)
    >>> loader = DataLoader(TensorDataset(x, 3 * x), batch_size=16, shuffle=True)
    >>> model = tn.nn.Linear(1, 1)
    >>> trainer = tn.training.Trainer(model, tn.nn.MSELoss(), tn.optim.SGD(model.parameters(), lr=0.3))
    >>> history = trainer.fit(loader, loader, epochs=20)
    >>> abs(model.weight.item() - 3) < 1e-3
    True
    """

    def __init__(self, model: Module, loss: Callable, optimizer: Optimizer, *, scheduler: Any = None,
                 scheduler_interval: str = "epoch", metrics: Mapping[str, Callable] | None = None,
                 callbacks: Sequence[Callback] = (), clip_grad_norm: float | None = None,
                 clip_grad_value: float | None = None, device: str | None = None, progress: bool | None = None) -> None:
        require(isinstance(model, Module), TypeError, f"the model must be a Module, not a {type(model).__name__}")
        require(callable(loss), TypeError, "the loss must be a function of (prediction, target), such as nn.MSELoss()")
        require(isinstance(optimizer, Optimizer), TypeError, "the optimizer must be one of tn.optim, such as "
                f"optim.Adam(model.parameters()), not a {type(optimizer).__name__}")
        ours = {id(p) for p in model.parameters()}
        require(any(id(p) in ours for group in optimizer.param_groups for p in group["params"]), ValueError,
                "the optimizer trains none of this model's parameters: give it model.parameters()")
        require(scheduler is None or scheduler.optimizer is optimizer, ValueError,
                "the scheduler belongs to another optimizer")
        require(scheduler_interval in ("epoch", "step"), ValueError,
                f"scheduler_interval must be 'epoch' or 'step', not {scheduler_interval!r}")
        for name, bound in (("clip_grad_norm", clip_grad_norm), ("clip_grad_value", clip_grad_value)):
            require(bound is None or bound > 0, ValueError, f"{name} must be above 0, not {bound}")
        for callback in callbacks:
            require(isinstance(callback, Callback), TypeError, f"{callback!r} is not a Callback")
        self.model, self.loss, self.optimizer = model, loss, optimizer
        self.scheduler, self.scheduler_interval = scheduler, scheduler_interval
        self.metrics = dict(metrics or {})
        self.clip_grad_norm, self.clip_grad_value = clip_grad_norm, clip_grad_value
        self.device = device
        if device is not None:
            model.to(device)
        bar = [] if any(isinstance(c, ProgressBar) for c in callbacks) else [ProgressBar(progress)]
        self.callbacks = sorted([*callbacks, *bar], key=lambda callback: callback.order)

        self.history = History()
        self.epoch = self.step = 0
        self.first_epoch = self.first_step = 0          # where the present call of fit began
        self.loss_sum = self.samples = 0.0              # of the present epoch
        self.learning_rates: list[float] = []           # of the last step, one for each group
        self.stopped: str | None = None
        self.interrupted = False

    # ------------------------------------------------------------------ the loop

    def fit(self, train: Iterable, validation: Iterable | None = None, *, epochs: int,
            resume: str | Path | None = None) -> History:
        """Train for so many epochs, or until a callback or Ctrl-C stops it.

        Parameters
        ----------
        train, validation : DataLoader
            Of (input, target) pairs; several inputs are (a, b, target), and a lone input is its own target, as an
            autoencoder wants it. Without validation data the history has no validation columns.
        epochs : int
            Passes through the training data. A further call of `fit` trains for so many more.
        resume : path, optional
            A checkpoint of `ModelCheckpoint` to go on from, exactly as if training had never stopped; ``"last"`` is the
            last one in the folder of this trainer's ModelCheckpoint, if there is one there yet.

        Returns
        -------
        History
            Of all epochs so far, `self.history`.

        Raises
        ------
        FloatingPointError
            If a loss becomes infinite or NaN. The step that would have spoilt the weights is not made.
        """
        require(isinstance(epochs, (int, np.integer)) and epochs >= 1, ValueError,
                f"epochs must be a whole number of at least 1, not {epochs!r}")
        self.train_loader, self.validation_loader = train, validation
        self.first_epoch, self.first_step, self.stopped, self.interrupted = self.epoch, self.step, None, False
        self.loss_sum = self.samples = 0.0
        for callback in self.callbacks:
            callback.before_fit(self)
        go_on(self, resume)
        last_epoch = self.first_epoch + epochs
        self.total_steps = epochs * len(train) if isinstance(train, Sized) else None

        # An infinite loss ends the training with an error of its own, so NumPy need not warn of it too.
        with switched(self.model, training=True), np.errstate(over="ignore", invalid="ignore"), \
                noted_interruption() as interrupted:
            try:
                self.tell("on_fit_start")
                while self.epoch < last_epoch and self.stopped is None:
                    self.train_one_epoch(interrupted)
                    if self.stopped is None:
                        self.finish_epoch()
            finally:
                self.tell("on_fit_end")
        return self.history

    def train_one_epoch(self, interrupted: Callable[[], bool]) -> None:
        """One pass through the training data, or the rest of one."""
        for batch in self.train_loader:
            loss = self.train_step(batch)
            self.tell("on_batch_end", loss)
            if interrupted():
                self.tell("on_interrupt")               # first, so that a checkpoint does not say "stopped"
                self.interrupted = True
                self.stop(f"interrupted in epoch {self.epoch + 1}, after step {self.step}")
                return
        require(self.samples > 0, ValueError, "there are no training batches")

    def train_step(self, batch: Any) -> float:
        """Predict, compare, differentiate, step; returns the loss."""
        self.optimizer.zero_grad()
        loss = self.loss_of(batch)
        number = finite(loss.item(), f"the loss in epoch {self.epoch + 1}, step {self.step + 1}")
        loss.backward()
        if self.clip_grad_value is not None:
            clip_grad_value_(self.model.parameters(), self.clip_grad_value)
        if self.clip_grad_norm is not None:
            clip_grad_norm_(self.model.parameters(), self.clip_grad_norm)
        self.learning_rates = [group["lr"] for group in self.optimizer.param_groups]
        self.optimizer.step()
        if self.scheduler is not None and self.scheduler_interval == "step":
            self.scheduler.step()
        self.step += 1
        n = batch_length(batch)
        self.loss_sum += number * n
        self.samples += n
        return number

    def loss_of(self, batch: Any) -> Tensor:
        """The loss of one batch; override it for data that are not (input, …, target)."""
        inputs, target = self.parted(batch)
        return self.loss(self.model(*inputs), target)

    def parted(self, batch: Any) -> tuple[tuple[Tensor, ...], Tensor]:
        """The inputs and the target of a batch, where the model is; a lone input is its own target."""
        parts = (batch,) if isinstance(batch, Tensor) else tuple(batch)
        if self.device is not None:
            parts = tuple(part.to(self.device) for part in parts)
        return parts[:-1] or parts, parts[-1]

    def finish_epoch(self) -> None:
        """Validate, write the epoch's row, and let the schedule and the callbacks have their turn."""
        row = {"epoch": self.epoch + 1, "train_loss": self.mean_loss}
        if self.validation_loader is not None:
            measured = self.evaluate(self.validation_loader)
            finite(measured["loss"], f"the validation loss of epoch {self.epoch + 1}")
            row.update({f"validation_{name}": number for name, number in measured.items()})
        self.epoch += 1
        self.loss_sum = self.samples = 0.0
        self.history.rows.append(row)
        if self.scheduler is not None and self.scheduler_interval == "epoch":
            if isinstance(self.scheduler, ReduceLROnPlateau):
                self.scheduler.step(row.get("validation_loss", row["train_loss"]))
            else:
                self.scheduler.step()
        self.tell("on_epoch_end", row)

    # ------------------------------------------------------------------ using what has been learned

    def evaluate(self, loader: Iterable) -> dict[str, float]:
        """Mean loss over all samples of `loader`, and the metrics, in evaluation mode and without recording."""
        total = samples = 0.0
        predictions, targets = [], []
        with no_grad(), switched(self.model, training=False):
            for batch in loader:
                inputs, target = self.parted(batch)
                prediction = self.model(*inputs)
                n = batch_length(batch)
                total += self.loss(prediction, target).item() * n
                samples += n
                if self.metrics:
                    predictions.append(prediction.data)
                    targets.append(target.data)
        require(samples > 0, ValueError, "there is nothing to evaluate: the loader has no batches")
        measured = {"loss": total / samples}
        if self.metrics:
            everything = Tensor(np.concatenate(predictions)), Tensor(np.concatenate(targets))
            measured.update({name: float(metric(*everything)) for name, metric in self.metrics.items()})
        return measured

    def predict(self, loader: Iterable) -> Tensor:
        """What the model gives for every sample of `loader`, in evaluation mode; targets are passed over."""
        with no_grad(), switched(self.model, training=False):
            return Tensor(np.concatenate([self.model(*self.parted(batch)[0]).data for batch in loader]))

    # ------------------------------------------------------------------ for callbacks

    def stop(self, reason: str) -> None:
        """End the training after this epoch (or, when interrupted, after this step)."""
        self.stopped = reason

    @property
    def mean_loss(self) -> float:
        """The mean of this epoch's training losses so far."""
        return self.loss_sum / self.samples

    def tell(self, moment: str, *about: Any) -> None:
        """Call one method of every callback."""
        for callback in self.callbacks:
            getattr(callback, moment)(self, *about)


def batch_length(batch: Any) -> int:
    """How many samples a batch has."""
    return len(batch if isinstance(batch, Tensor) else batch[0])


def finite(number: float, what: str) -> float:
    """`number`, unless it is infinite or NaN."""
    if not math.isfinite(number):
        raise FloatingPointError(f"Trainer: {what} is {number}; a smaller learning rate or clip_grad_norm may help")
    return number


@contextmanager
def switched(model: Module, training: bool) -> Iterator[None]:
    """The model in training or evaluation mode inside the block; afterwards every part is as it was."""
    before = [(module, module.training) for module in model.modules()]
    if model.training != training:              # a part that was frozen with .eval() stays so in training
        model.train(training)
    try:
        yield
    finally:
        for module, mode in before:
            module.training = mode
