"""LRScheduler: what all schedules do; and ScaledLR, those that multiply."""

import copy
import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from ..optimizer import Optimizer
from ..saving import plain
from .checks import require_optimizer


class LRScheduler:
    """Base class: gives every group of an optimizer its learning rate lr(t), at first for t = 0.

    Call ``step()`` after ``optimizer.step()``, once an epoch or once a batch: t counts these calls. A schedule of your
    own needs one method, ``get_lr()``, which returns the learning rates of all groups at ``t = self.last_epoch``; what
    they were at first is in ``self.base_lrs``, and in each group as ``"initial_lr"``.

    Parameters
    ----------
    optimizer : Optimizer
    last_epoch : int
        The last t of a run that is to go on, whose optimizer has been loaded already; −1 for a new one.

    Attributes
    ----------
    last_epoch : int
        t.
    base_lrs : list of float
        lr₀ of every group.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> class Inverse(tn.optim.lr_scheduler.LRScheduler):
    ...     def get_lr(self):
    ...         return [lr / (1 + self.last_epoch) for lr in self.base_lrs]
    >>> optimizer = tn.optim.SGD([tn.zeros(1, requires_grad=True)], lr=6.0)
    >>> schedule = Inverse(optimizer)
    >>> for t in range(3):
    ...     print(optimizer.param_groups[0]["lr"])
    ...     optimizer.step()
    ...     schedule.step()
    6.0
    3.0
    2.0
    """

    not_saved: tuple[str, ...] = ("optimizer",)

    def __init__(self, optimizer: Optimizer, last_epoch: int = -1) -> None:
        name = type(self).__name__
        self.optimizer = require_optimizer(name, optimizer)
        for i, group in enumerate(optimizer.param_groups):
            if last_epoch != -1 and "initial_lr" not in group:
                raise KeyError(f"{name}: to go on from last_epoch={last_epoch}, group {i} of the optimizer must have "
                               "an 'initial_lr': load its state dict first")
            group.setdefault("initial_lr", group["lr"])
        self.base_lrs = [group["initial_lr"] for group in optimizer.param_groups]
        self._last_lr = [group["initial_lr" if last_epoch == -1 else "lr"] for group in optimizer.param_groups]
        self.last_epoch: float = last_epoch
        self._step_count = 0
        self.step()

    def get_lr(self) -> list[float]:
        """The learning rate of every group at t."""
        raise TypeError(f"{type(self).__name__} has no get_lr method")

    def get_last_lr(self) -> list[float]:
        """The learning rates that were set last."""
        return list(self._last_lr)

    def step(self, epoch: float | None = None) -> None:
        """Go on to t + 1, or to t = `epoch`."""
        name, groups = type(self).__name__, self.optimizer.param_groups
        if len(groups) != len(self.base_lrs):
            raise ValueError(f"{name}: the optimizer has {len(groups)} groups, and had {len(self.base_lrs)} when this "
                             "schedule was made: make a new one")
        if self._step_count == 1:
            self.warn_of_an_early_step()
        before, self.last_epoch = self.last_epoch, self.last_epoch + 1 if epoch is None else epoch
        try:
            lrs = [plain(lr) for lr in self.get_lr()]
            if len(lrs) != len(groups) or not all(0 <= lr < np.inf for lr in lrs):
                raise ValueError(f"{name}: learning rates must be finite and at least 0, one for each of {len(groups)} "
                                 f"groups, not {lrs} at t = {self.last_epoch}")
        except Exception:
            self.last_epoch = before
            raise
        for group, lr in zip(groups, lrs, strict=True):
            group["lr"] = lr
        self._last_lr = lrs
        self._step_count += 1

    def warn_of_an_early_step(self) -> None:
        """The usual slip: an optimizer that has its own step() method may keep no record, so it is trusted."""
        if type(self.optimizer).step is Optimizer.step and not self.optimizer.has_stepped:
            warnings.warn(f"{type(self).__name__}.step() came before optimizer.step(), so the first learning rate was "
                          "never used: step with the optimizer first, then with the schedule", stacklevel=3)

    def restart(self, epoch: float = 0) -> None:
        """Begin at t = `epoch`, from the groups' initial learning rates, whatever became of them since."""
        self.base_lrs = [group["initial_lr"] for group in self.optimizer.param_groups]
        self._last_lr = [group["lr"] for group in self.optimizer.param_groups]
        self._step_count = 0
        self.step(epoch)

    def state_dict(self) -> dict[str, Any]:
        """Everything but the optimizer, which has a state dict of its own.

        Examples
        --------
        >>> import tinygrad_nuc as tn
        >>> optimizer = tn.optim.SGD([tn.zeros(1, requires_grad=True)], lr=0.1)
        >>> tn.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.9).state_dict()
        {'gamma': 0.9, 'base_lrs': [0.1], '_last_lr': [0.1], 'last_epoch': 0, '_step_count': 1}
        """
        return {name: copy.deepcopy(x) for name, x in vars(self).items() if name not in self.not_saved}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from what `state_dict` returned; load the optimizer's too, where the learning rates are.

        Raises
        ------
        ValueError
            If the state is of another kind of schedule, or of an optimizer with another number of groups.
        """
        self.require_fitting(state_dict)
        vars(self).update({name: copy.deepcopy(state_dict[name]) for name in vars(self) if name not in self.not_saved})

    def require_fitting(self, state_dict: Mapping[str, Any]) -> None:
        """Refuse a state that is not of such a schedule."""
        name, own, groups = type(self).__name__, self.state_dict(), len(self.optimizer.param_groups)
        missing = [key for key in own if key not in state_dict]
        unexpected = [key for key in state_dict if key not in own and not key.startswith("_")]  # _: PyTorch keeps more
        if missing or unexpected:
            raise ValueError(f"{name}.load_state_dict: missing {missing}, unexpected {unexpected}")
        if len(state_dict["_last_lr"]) != groups:
            raise ValueError(f"{name}.load_state_dict: the state is of {len(state_dict['_last_lr'])} groups, and this "
                             f"optimizer has {groups}")


class ScaledLR(LRScheduler):
    """lr(t) = η + (lr₀ − η) · scale(t), with η = 0 unless the schedule has an ``eta_min``.

    If somebody else has changed a learning rate since the last step, by hand or with another schedule, what follows
    goes on from there: lr₀ − η is multiplied by what lr − η was multiplied by. So two schedules of one optimizer
    combine, as in PyTorch. There is one difference: PyTorch's CosineAnnealingLR forgets such changes where it turns
    upwards again, after T_max, 3 T_max ... steps; here they are kept.
    """

    eta_min: float = 0.0

    def scale(self, t: float) -> float:
        """What the initial learning rate is multiplied by at t."""
        raise TypeError(f"{type(self).__name__} has no scale method")

    def get_lr(self) -> list[float]:
        eta = self.eta_min
        for i, (group, last) in enumerate(zip(self.optimizer.param_groups, self._last_lr, strict=True)):
            if group["lr"] != last != eta:
                self.base_lrs[i] = eta + (self.base_lrs[i] - eta) * (group["lr"] - eta) / (last - eta)
        return [eta + (lr - eta) * self.scale(self.last_epoch) for lr in self.base_lrs]
