"""What a Trainer does with a batch, and what a batch must be and give."""

import math
from collections.abc import Sequence, Sized
from typing import TYPE_CHECKING, Any

import numpy as np

from ..engine.generator import get_rng_state, set_rng_state
from ..engine.grad_mode import no_grad
from ..engine.tensor import Tensor
from ..utils.data.dataset import batch_of
from ..utils.data.loader import DataLoader
from .checks import require
from .modes import switched

if TYPE_CHECKING:
    from .trainer import Trainer


def rehearse(trainer: "Trainer") -> None:
    """Try a batch of the validation data, so that what does not fit is refused now and not after an epoch."""
    if trainer.validation_loader is None:
        return
    require(not isinstance(trainer.validation_loader, Sized) or len(trainer.validation_loader) > 0, ValueError,
            "there are no validation batches")
    generator, buffers = get_rng_state(), [(b, np.copy(b.data)) for b in trainer.model.buffers()]
    with no_grad(), switched(trainer.model, training=False), np.errstate(all="ignore"):
        try:
            batch = first_batch(trainer.validation_loader)
            if batch is not None:
                inputs, target, _ = trainer.checked_parts(batch)
                number_of(trainer.loss_of(trainer.model(*inputs), target))
        finally:
            set_rng_state(generator)
            for buffer, before in buffers:
                buffer.copy_(before)


def first_batch(data: Any) -> Any:
    """A batch to try out, taken without moving on in the data; None if that cannot be."""
    if type(data) is DataLoader:                        # a subclass may change its batches on the way
        return batch_of(data.dataset, np.arange(min(data.batch_size, len(data.dataset))))
    return data[0] if isinstance(data, Sequence) and data else None


def number_of(loss: Any) -> float:
    """The loss as a Python number, if it is one number."""
    require(isinstance(loss, Tensor) and loss.numel() == 1, TypeError, "the loss of a batch must be a tensor with one "
            f"number, not {f'of shape {loss.shape}' if isinstance(loss, Tensor) else type(loss).__name__}")
    return loss.item()


def sample_count(inputs: Any, target: Any) -> int:
    """How many samples a batch has, after a look at its parts."""
    require(isinstance(inputs, tuple), TypeError, "parted must give a tuple of inputs, and the target: (x,), y and not "
            "x, y")
    lengths = [len(x) for x in (*inputs, target) if isinstance(x, Tensor) and x.ndim]
    kinds = ", ".join(f"{type(x).__module__}.{type(x).__name__}" for x in (*inputs, target))
    require(len(lengths) > 0, TypeError, "a batch must have a tensor with a row for each sample among its inputs or as "
            f"its target, and this one has {kinds}: write tn.tensor(x)")
    return lengths[0]


def finite(number: float, what: str) -> float:
    """`number`, unless it is infinite or NaN."""
    if not math.isfinite(number):
        raise FloatingPointError(f"Trainer: {what} is {number}; a smaller learning rate or clip_grad_norm may help")
    return number


def in_memory(x: Any) -> Any:
    """A tensor in the computer's memory; anything else as it is."""
    return x.cpu() if isinstance(x, Tensor) else x


def joined(batches: list[Any]) -> Tensor:
    """The tensors of all batches as one, on the device where they are."""
    for x in batches:
        require(isinstance(x, Tensor), TypeError, "metrics and predict need one tensor for each batch, and this model "
                f"or its data give a {type(x).__name__}")
    return Tensor(np.concatenate([x.data for x in batches]))
