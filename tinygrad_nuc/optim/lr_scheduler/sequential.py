"""SequentialLR: one schedule after another."""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from typing import Any

from ..optimizer import Optimizer
from .checks import require_optimizer, whole
from .plateau import ReduceLROnPlateau
from .scheduler import LRScheduler


class SequentialLR(LRScheduler):
    """One schedule until the first milestone, the next until the second, and so on, each from its own t = 0.

    Parameters
    ----------
    optimizer : Optimizer
    schedulers : list of LRScheduler
        All of this optimizer.
    milestones : list of int
        When the second schedule takes over, and the third ...; one less than there are schedules.
    last_epoch : int
        See `LRScheduler`.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> from tinygrad_nuc.optim.lr_scheduler import LinearLR, ExponentialLR, SequentialLR
    >>> optimizer = tn.optim.SGD([tn.zeros(1, requires_grad=True)], lr=8.0)
    >>> warm_up, decay = LinearLR(optimizer, start_factor=0.5, total_iters=2), ExponentialLR(optimizer, gamma=0.5)
    >>> schedule = SequentialLR(optimizer, [warm_up, decay], milestones=[2])
    >>> rates = []
    >>> for t in range(5):
    ...     rates.append(schedule.get_last_lr()[0])
    ...     optimizer.step()
    ...     schedule.step()
    >>> rates
    [4.0, 6.0, 8.0, 4.0, 2.0]
    """

    not_saved = ("optimizer", "_schedulers")

    def __init__(self, optimizer: Optimizer, schedulers: Iterable[LRScheduler], milestones: Iterable[int],
                 last_epoch: int = -1) -> None:
        self.optimizer = require_optimizer("SequentialLR", optimizer)
        self._schedulers = list(schedulers)
        self._milestones = [whole("SequentialLR: a milestone", m) for m in milestones]
        for schedule in self._schedulers:
            if not isinstance(schedule, LRScheduler) or isinstance(schedule, ReduceLROnPlateau):
                raise TypeError(f"SequentialLR: a {type(schedule).__name__} is not a function of the step number alone")
            if schedule.optimizer is not optimizer:
                raise ValueError(f"SequentialLR: the {type(schedule).__name__} belongs to another optimizer")
        if len(self._schedulers) != len(self._milestones) + 1:
            raise ValueError(f"SequentialLR: {len(self._schedulers)} schedules need one milestone less than that, "
                             f"not {len(self._milestones)}")
        if sorted(set(self._milestones)) != self._milestones:
            raise ValueError(f"SequentialLR: milestones must increase, unlike {self._milestones}")
        self.restart(last_epoch + 1)

    def active(self) -> tuple[LRScheduler, float]:
        """Which schedule it is the turn of, and since when."""
        i = bisect_right(self._milestones, self.last_epoch)
        return self._schedulers[i], self._milestones[i - 1] if i else 0

    def restart(self, epoch: float = 0) -> None:
        self.last_epoch = epoch
        schedule, start = self.active()
        schedule.restart(epoch - start)
        self._last_lr = schedule.get_last_lr()

    def step(self, epoch: float | None = None) -> None:
        """Go on to t + 1, or to t = `epoch`."""
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        schedule, start = self.active()
        if epoch is not None or self.last_epoch == start:
            schedule.restart(self.last_epoch - start)
        else:
            schedule.step()
        self._last_lr = schedule.get_last_lr()

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimizer, with the state dicts of the schedules."""
        return {**super().state_dict(), "_schedulers": [schedule.state_dict() for schedule in self._schedulers]}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        super().load_state_dict(state_dict)
        for schedule, state in zip(self._schedulers, state_dict["_schedulers"], strict=True):
            schedule.load_state_dict(state)

    def require_fitting(self, state_dict: Mapping[str, Any]) -> None:
        super().require_fitting(state_dict)
        if len(state_dict["_schedulers"]) != len(self._schedulers):
            raise ValueError("SequentialLR.load_state_dict: the state is of "
                             f"{len(state_dict['_schedulers'])} schedules, and here are {len(self._schedulers)}")
        for schedule, state in zip(self._schedulers, state_dict["_schedulers"], strict=True):
            schedule.require_fitting(state)
