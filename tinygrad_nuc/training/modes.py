"""Training and evaluation mode for the length of a block."""

from collections.abc import Iterator
from contextlib import contextmanager

from ..nn.module import Module


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
