"""The loop that every training run is: predict, compare, differentiate, step, repeat, and know when to stop."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np
from tqdm import tqdm

from ..engine.grad_mode import no_grad
from ..nn.module import Module
from ..optim.optimizer import Optimizer
from ..utils.data.loader import DataLoader


@dataclass
class History:
    """How the losses went.

    Attributes
    ----------
    train, validation : list of float
        Mean loss of each epoch: during the epoch on the training batches, after it on the validation data.
    best_epoch : int
        The epoch with the lowest validation loss, counted from 1.

    Examples
    --------
    >>> History(train=[0.9, 0.5, 0.4], validation=[0.8, 0.5, 0.6]).best_epoch
    2
    """

    train: list[float] = field(default_factory=list)
    validation: list[float] = field(default_factory=list)

    @property
    def best_epoch(self) -> int:
        if not self.validation:
            raise ValueError("best_epoch: no epoch has been completed yet")
        return 1 + min(range(len(self.validation)), key=self.validation.__getitem__)


def evaluate(model: Module, loss_function: Callable, loader: DataLoader) -> float:
    """Mean loss over all samples of `loader`, in evaluation mode and without recording.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> from tinygrad_nuc.utils.data import DataLoader, TensorDataset
    >>> data = TensorDataset(tn.ones(3, 1), tn.zeros(3, 1))
    >>> tn.training.evaluate(tn.nn.Identity(), tn.nn.MSELoss(), DataLoader(data, batch_size=2))
    1.0
    """
    total = samples = 0.0
    with no_grad(), switched(model, training=False):
        for x, y in loader:
            total += loss_function(model(x), y).item() * len(x)
            samples += len(x)
    return total / samples


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


def fit(model: Module, loss_function: Callable, optimizer: Optimizer, train: DataLoader, validation: DataLoader, *,
        epochs: int, patience: int | None = None, progress: bool | None = None) -> History:
    """Train until the validation loss has not improved for `patience` epochs; keep the best weights.

    Parameters
    ----------
    loss_function : function of (prediction, target)
        Its mean over the batch, such as ``nn.BCEWithLogitsLoss()``.
    train, validation : DataLoader
        Of (input, target) pairs.
    epochs : int
        Most passes through the training data.
    patience : int, optional
        How many epochs without improvement end the training; without it all epochs are run.
    progress : bool, optional
        Show a progress bar; by default only on a terminal.

    Returns
    -------
    History

    Raises
    ------
    FloatingPointError
        If the loss becomes infinite or NaN; the weights are then those of the best epoch so far.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> from tinygrad_nuc.utils.data import DataLoader, TensorDataset
    >>> _ = tn.manual_seed(0)
    >>> x = tn.linspace(-1, 1, 64).unsqueeze(1)
    >>> loader = DataLoader(TensorDataset(x, 3 * x), batch_size=16, shuffle=True)
    >>> model = tn.nn.Linear(1, 1)
    >>> history = tn.training.fit(model, tn.nn.MSELoss(), tn.optim.SGD(model.parameters(), lr=0.3), loader, loader,
    ...                           epochs=20)
    >>> abs(model.weight.item() - 3) < 1e-3
    True
    """
    if epochs < 1:
        raise ValueError(f"fit: epochs must be at least 1, not {epochs}")
    history, best = History(), copied(model)
    hide_bar = None if progress is None else not progress
    try:
        # An infinite loss ends the training with an error of its own, so NumPy need not warn of it too.
        with switched(model, training=True), np.errstate(over="ignore", invalid="ignore"), \
                tqdm(total=epochs * len(train), unit="batch", disable=hide_bar) as bar:
            for epoch in range(1, epochs + 1):
                history.train.append(train_one_epoch(model, loss_function, optimizer, train, bar, history, epoch))
                history.validation.append(evaluate(model, loss_function, validation))
                if not math.isfinite(history.validation[-1]):
                    raise FloatingPointError(f"fit: validation loss {history.validation[-1]} after epoch {epoch}; "
                                             "a smaller learning rate may help")
                if history.best_epoch == epoch:
                    best = copied(model)
                elif patience is not None and epoch - history.best_epoch >= patience:
                    break
    finally:
        model.load_state_dict(best)
    return history


def train_one_epoch(model: Module, loss_function: Callable, optimizer: Optimizer, train: DataLoader, bar: tqdm,
                    history: History, epoch: int) -> float:
    """One pass through the training data; returns the mean of the batch losses."""
    total = samples = 0.0
    for x, y in train:
        optimizer.zero_grad()
        loss = loss_function(model(x), y)
        loss.backward()
        optimizer.step()

        total += loss.item() * len(x)
        samples += len(x)
        if not math.isfinite(total):
            raise FloatingPointError(f"fit: the loss became {loss.item()} in epoch {epoch}; "
                                     "a smaller learning rate may help")
        bar.update()
        if not bar.disable:
            bar.set_postfix(epoch=epoch, loss=f"{total / samples:.4f}",
                            validation=f"{history.validation[-1]:.4f}" if history.validation else "–", refresh=False)
    return total / samples


def copied(model: Module) -> dict:
    """The model's present values, in memory of their own."""
    return {name: value.clone() for name, value in model.state_dict().items()}
