"""LambdaLR: a function of your own as a schedule."""

import copy
import types
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..optimizer import Optimizer
from .checks import one_for_each_group, require_optimizer
from .scheduler import LRScheduler


class LambdaLR(LRScheduler):
    """lr(t) = lr₀ · λ(t), with a function λ of your own.

    Parameters
    ----------
    optimizer : Optimizer
    lr_lambda : function of t, or list of them
        The factor; a list has one function for each group of parameters.
    last_epoch : int
        See `LRScheduler`.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> optimizer = tn.optim.SGD([tn.zeros(1, requires_grad=True)], lr=6.0)
    >>> schedule = tn.optim.lr_scheduler.LambdaLR(optimizer, lambda t: 1 / (1 + t))
    >>> rates = []
    >>> for t in range(4):
    ...     rates.append(schedule.get_last_lr()[0])
    ...     optimizer.step()
    ...     schedule.step()
    >>> rates
    [6.0, 3.0, 2.0, 1.5]
    """

    not_saved = ("optimizer", "lr_lambdas")

    def __init__(self, optimizer: Optimizer, lr_lambda: Callable[[int], float] | Sequence[Callable[[int], float]],
                 last_epoch: int = -1) -> None:
        self.lr_lambdas = one_for_each_group("LambdaLR: functions", lr_lambda, require_optimizer("LambdaLR", optimizer))
        for function in self.lr_lambdas:
            if not callable(function):
                raise TypeError(f"LambdaLR: lr_lambda must be a function of t, or a list of them, not {function!r}")
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        return [lr * function(self.last_epoch) for lr, function in zip(self.base_lrs, self.lr_lambdas, strict=True)]

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimizer and the functions: of an object that is called as one, its attributes.

        Examples
        --------
        >>> import tinygrad_nuc as tn
        >>> optimizer = tn.optim.SGD([tn.zeros(1, requires_grad=True)], lr=0.1)
        >>> tn.optim.lr_scheduler.LambdaLR(optimizer, lambda t: 0.9 ** t).state_dict()["lr_lambdas"]
        [None]
        """
        objects = [None if isinstance(f, types.FunctionType) else copy.deepcopy(getattr(f, "__dict__", None))
                   for f in self.lr_lambdas]
        return {**super().state_dict(), "lr_lambdas": objects}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        super().load_state_dict(state_dict)
        for function, attributes in zip(self.lr_lambdas, state_dict["lr_lambdas"], strict=True):
            if attributes:
                vars(function).update(copy.deepcopy(attributes))
