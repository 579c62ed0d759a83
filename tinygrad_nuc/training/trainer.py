"""The loop that every training run is: predict, compare, differentiate, step, repeat, and know when to stop."""

from collections.abc import Callable, Iterable, Mapping, Sized
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from ..engine.arrays import on_host
from ..engine.generator import initial_seed
from ..engine.grad_mode import no_grad
from ..engine.tensor import Tensor
from ..nn.module import Module
from ..nn.utils import clip_grad_norm_, clip_grad_value_
from ..optim.lr_scheduler import ReduceLROnPlateau
from ..optim.optimizer import Optimizer
from ..utils.allocation import keep_freed_memory
from ..utils.arguments import whole_number
from .batches import finite, in_memory, joined, number_of, rehearse, sample_count
from .callbacks import Callback, ProgressBar
from .checkpoint import at_checkpoint
from .checks import (
    check_batches,
    check_bound,
    check_learning,
    check_length,
    checked_callbacks,
    checked_metrics,
    require,
)
from .history import History
from .interruption import noted_interruption
from .modes import switched


class Trainer:
    """Trains a model: the loop of lecture 4's seven steps, with validation, and callbacks for everything else.

    Parameters
    ----------
    model : Module
    loss : function of (prediction, target)
        Its mean over a batch, such as ``nn.MSELoss()``.
    optimizer : Optimizer
        Of the model's parameters, or of some of them.
    scheduler : learning-rate scheduler, optional
        Stepped after every epoch, or after every step of the optimizer with ``scheduler_interval="step"``
        (as OneCycleLR wants it). ReduceLROnPlateau is given the validation loss.
    metrics : dict of functions of (prediction, target), optional
        For instance ``{"accuracy": tn.training.accuracy}``. Each is computed once an epoch, from the predictions for
        all of the validation data, so that areas under curves and medians are right too; they and the targets are then
        in the computer's memory, so that functions of NumPy's arrays take them.
    callbacks : list of Callback
        Called in this order, but `ModelCheckpoint` last.
    clip_grad_norm, clip_grad_value : float, optional
        Bounds on the length of the gradient of all that the optimizer trains, or on each of its elements.
    device : str or device, optional
        "cpu" or "cuda": the model is moved there at once, and every batch when its turn comes. Without it the model
        stays where it is, and batches are moved to it. On a GPU every step waits twice, to see that loss and gradients
        are finite, which a step without a Trainer need not.
    progress : bool, optional
        Show a progress bar; by default only on a terminal.

    Attributes
    ----------
    history : History
        One row an epoch: ``epoch``, ``train_loss`` (the mean during the epoch), ``validation_loss`` and
        ``validation_<metric>`` (after it).
    epoch, step : int
        How many epochs and steps are complete.
    seed : int or None
        What `tinygrad_nuc.manual_seed` had been given when the training began.
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
                 callbacks: Iterable[Callback] = (), clip_grad_norm: float | None = None,
                 clip_grad_value: float | None = None, device: Any = None, progress: bool | None = None) -> None:
        check_learning(model, loss, optimizer, scheduler, scheduler_interval)
        check_bound("clip_grad_norm", clip_grad_norm)
        check_bound("clip_grad_value", clip_grad_value)
        metrics, callbacks = checked_metrics(metrics), checked_callbacks(callbacks, Callback)
        if device is not None:
            model.to(device)
        bar = [] if any(isinstance(c, ProgressBar) for c in callbacks) else [ProgressBar(progress)]
        self.model, self.loss, self.optimizer, self.metrics, self.device = model, loss, optimizer, metrics, device
        self.scheduler, self.scheduler_interval = scheduler, scheduler_interval
        self.clip_grad_norm, self.clip_grad_value = clip_grad_norm, clip_grad_value
        self.callbacks = sorted([*callbacks, *bar], key=lambda callback: callback.order)

        self.history = History()
        self.epoch = self.step = 0
        self.seed = initial_seed()
        self.first_epoch = self.first_step = 0          # where the present call of fit began,
        self.last_epoch = 0                             # and where it will end
        self.loss_sum = self.samples = 0.0              # of the present epoch
        self.learning_rates: list[float] = []           # of the last step, one for each group
        self.stopped: str | None = None
        self.interrupted = False

    # ------------------------------------------------------------------ the loop

    def fit(self, train: Iterable, validation: Iterable | None = None, *, epochs: int,
            resume: str | Path | None = None) -> History:
        """Train for so many epochs, or until a callback or Ctrl-C stops it.

        From here on the process keeps memory that arrays have freed: see `tinygrad_nuc.keep_freed_memory`.

        Parameters
        ----------
        train, validation : DataLoader
            Of (input, target) pairs; several inputs are (a, b, target), and a lone input is its own target, as an
            autoencoder wants it. Without validation data the history has no validation columns. A list of batches
            will do too.
        epochs : int
            Passes through the training data. A further call of `fit` trains for so many more; in a call that is
            resumed, those that it made before the checkpoint count.
        resume : path, optional
            A checkpoint of `ModelCheckpoint` to go on from, exactly as if training had never stopped; ``"last"`` is the
            last one in the folder of this trainer's ModelCheckpoint, if there is one there yet. What it says goes
            before what this trainer was made with: learning rates, for instance. A script that is to be resumed calls
            `fit` once.

        Returns
        -------
        History
            Of all epochs so far, `self.history`.

        Raises
        ------
        TypeError, ValueError
            Before the first step, if something cannot work: also if a first batch of the validation data fails (but
            metrics are not tried, since many make sense for all of the data only). Then nothing has changed.
        FloatingPointError
            If a loss or a gradient becomes infinite or NaN. In training, the step that would have spoilt the weights
            is not made (but the running statistics of a batch norm have seen the batch).
        """
        epochs = whole_number("Trainer", "epochs", epochs)
        check_batches("train", train)
        if validation is not None:
            check_batches("validation", validation)
        self.train_loader, self.validation_loader = train, validation
        self.first_epoch, self.first_step, self.stopped, self.interrupted = self.epoch, self.step, None, False
        self.loss_sum = self.samples = 0.0
        if self.step == 0:
            self.seed = initial_seed()
        for callback in self.callbacks:
            callback.before_fit(self)
        with at_checkpoint(self, resume):               # if anything is refused, back to where everything was
            self.last_epoch = self.first_epoch + epochs
            self.total_steps = epochs * len(train) if isinstance(train, Sized) else None
            check_length(self)
            rehearse(self)
        keep_freed_memory()

        # An infinite loss ends the training with an error of its own, so NumPy need not warn of it too.
        with switched(self.model, training=True), np.errstate(over="ignore", invalid="ignore"), \
                noted_interruption() as interrupted, ExitStack() as ends:
            for callback in reversed(self.callbacks):
                ends.callback(callback.on_fit_end, self)        # of each one, also if another one's fails
            self.tell("on_fit_start")
            while self.epoch < self.last_epoch and self.stopped is None:
                if self.train_one_epoch(interrupted):
                    self.finish_epoch()
                if interrupted() and self.epoch < self.last_epoch:
                    self.interrupted = True
                    place = f"in epoch {self.epoch + 1}, after step {self.step}" if self.samples else \
                        f"after epoch {self.epoch}"
                    self.stop(f"interrupted {place}")
                    self.tell("on_interrupt")
        return self.history

    def train_one_epoch(self, interrupted: Callable[[], bool]) -> bool:
        """One pass through the training data, or the rest of one; whether it came to its end."""
        for batch in self.train_loader:
            loss = self.train_step(batch)
            self.tell("on_batch_end", loss)
            if interrupted():
                return False
        require(self.samples > 0, ValueError, "there are no training batches")
        return True

    def train_step(self, batch: Any) -> float:
        """Predict, compare, differentiate, step; returns the loss."""
        inputs, target, n = self.checked_parts(batch)
        self.optimizer.zero_grad()
        loss = self.loss_of(self.model(*inputs), target)
        number = finite(number_of(loss), f"the loss in epoch {self.epoch + 1}, step {self.step + 1}")
        loss.backward()
        self.tame_gradients()
        self.learning_rates = [group["lr"] for group in self.optimizer.param_groups]
        self.optimizer.step()

        self.step += 1
        self.loss_sum += number * n
        self.samples += n
        if self.scheduler is not None and self.scheduler_interval == "step":
            self.scheduler.step()
        return number

    def tame_gradients(self) -> None:
        """Refuse gradients that would spoil the weights, and cut those that are too long."""
        trained = [p for group in self.optimizer.param_groups for p in group["params"] if p.grad is not None]
        checks = [np.isfinite(p.grad.data).all() for p in trained]
        usable = on_host(np.stack(checks)).tolist() if checks else []       # one question to a GPU, not one for each
        if not all(usable):
            spoilt = trained[usable.index(False)]
            name = next((name for name, p in self.model.named_parameters() if p is spoilt), "a parameter")
            raise FloatingPointError(f"Trainer: the gradient of {name} in epoch {self.epoch + 1}, step {self.step + 1} "
                                     "is infinite or NaN; inside `with tn.debug():` backward says where that arose")
        if self.clip_grad_value is not None:
            clip_grad_value_(trained, self.clip_grad_value)
        if self.clip_grad_norm is not None:
            clip_grad_norm_(trained, self.clip_grad_norm)

    def parted(self, batch: Any) -> tuple[tuple[Tensor, ...], Any]:
        """The inputs and the target of a batch, where the model is; override it for batches of another form.

        Returns
        -------
        (tuple, target)
            What the model is called with, and what its prediction is compared with. A lone input is its own target.
        """
        require(not isinstance(batch, Mapping), TypeError, "a batch is a dict, and which of its parts are inputs, and "
                "which the target, is for a class of yours to say, which overrides Trainer.parted")
        parts = (batch,) if isinstance(batch, Tensor) else tuple(batch)
        place = self.place_of_the_model()
        if place is not None:
            parts = tuple(part.to(place) if isinstance(part, Tensor) else part for part in parts)
        return parts[:-1] or parts, parts[-1]

    def place_of_the_model(self) -> Any:
        """Where batches belong, if they may have to be moved."""
        if self.device is not None:
            return self.device
        first = self.optimizer.param_groups[0]["params"][0]
        return None if isinstance(first.data, np.ndarray) else first.device

    def checked_parts(self, batch: Any) -> tuple[tuple, Any, int]:
        """The inputs and the target of a batch, and how many samples it has."""
        inputs, target = self.parted(batch)
        return inputs, target, sample_count(inputs, target)

    def loss_of(self, prediction: Any, target: Any) -> Tensor:
        """The loss of a batch, in training and in evaluation; override it for one more term."""
        return self.loss(prediction, target)

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
        self.tell("on_epoch_complete", row)

    # ------------------------------------------------------------------ using what has been learned

    def evaluate(self, loader: Iterable) -> dict[str, float]:
        """Mean loss over all samples of `loader`, and the metrics, in evaluation mode and without recording."""
        check_batches("the loader", loader)
        total = samples = 0.0
        predictions, targets = [], []
        with no_grad(), switched(self.model, training=False):
            for batch in loader:
                inputs, target, n = self.checked_parts(batch)
                prediction = self.model(*inputs)
                total += number_of(self.loss_of(prediction, target)) * n
                samples += n
                if self.metrics:
                    predictions.append(in_memory(prediction))
                    targets.append(in_memory(target))
            require(samples > 0, ValueError, "there is nothing to evaluate: the loader has no batches")
            measured = {"loss": total / samples}
            for name, metric in self.metrics.items():
                try:
                    measured[name] = float(metric(joined(predictions), joined(targets)))
                except Exception as error:
                    error.add_note(f"Trainer: that was in the metric {name!r}")
                    raise
        return measured

    def predict(self, loader: Iterable) -> Tensor:
        """What the model gives for every sample of `loader`, in evaluation mode.

        As in `fit`, the last part of a batch is its target, and passed over, unless it is the only one.
        """
        check_batches("the loader", loader)
        with no_grad(), switched(self.model, training=False):
            predictions = [self.model(*self.checked_parts(batch)[0]) for batch in loader]
        require(len(predictions) > 0, ValueError, "there is nothing to predict: the loader has no batches")
        return joined(predictions)

    # ------------------------------------------------------------------ for callbacks

    def stop(self, reason: str) -> None:
        """End the training after this epoch (or, when interrupted, after this step).

        A run that is resumed does not know of it: a callback that stops for a reason looks for it in `on_fit_start`
        too.
        """
        self.stopped = reason

    @property
    def mean_loss(self) -> float:
        """The mean of this epoch's training losses so far."""
        return self.loss_sum / self.samples

    def tell(self, moment: str, *about: Any) -> None:
        """Call one method of every callback."""
        for callback in self.callbacks:
            getattr(callback, moment)(self, *about)
