"""ReduceLROnPlateau: a lower learning rate when nothing improves any more."""

import math
from typing import Any

from ..optimizer import Optimizer
from .checks import number, one_for_each_group, require_optimizer, whole
from .scheduler import LRScheduler


class ReduceLROnPlateau(LRScheduler):
    """lr ← lr · factor, whenever a quantity has not improved for more than `patience` steps.

    Parameters
    ----------
    optimizer : Optimizer
    mode : {"min", "max"}
        Whether the quantity is to become small, as a loss, or large, as an accuracy.
    factor : float
        Below 1.
    patience : int
        How many steps without an improvement are allowed in a row.
    threshold : float
        An improvement is a change by more than `threshold` times the best value so far (or by more than `threshold`).
    threshold_mode : {"rel", "abs"}
    cooldown : int
        For how many steps after a reduction nothing is counted.
    min_lr : float, or one for each group of parameters
        The lowest learning rate.
    eps : float
        A change of the learning rate by no more than this is not made.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> optimizer = tn.optim.SGD([tn.zeros(1, requires_grad=True)], lr=8.0)
    >>> schedule = tn.optim.lr_scheduler.ReduceLROnPlateau(optimizer, factor=0.5, patience=1)
    >>> for loss in (0.9, 0.5, 0.5, 0.6, 0.4, 0.4):
    ...     optimizer.step()
    ...     schedule.step(loss)
    ...     print(loss, optimizer.param_groups[0]["lr"])
    0.9 8.0
    0.5 8.0
    0.5 8.0
    0.6 4.0
    0.4 4.0
    0.4 4.0
    """

    def __init__(self, optimizer: Optimizer, mode: str = "min", factor: float = 0.1, patience: int = 10,
                 threshold: float = 1e-4, threshold_mode: str = "rel", cooldown: int = 0,
                 min_lr: float | list[float] = 0, eps: float = 1e-8) -> None:
        self.optimizer = require_optimizer("ReduceLROnPlateau", optimizer)
        if mode not in ("min", "max") or threshold_mode not in ("rel", "abs"):
            raise ValueError("ReduceLROnPlateau: mode must be 'min' or 'max' and threshold_mode 'rel' or 'abs', "
                             f"not {mode!r} and {threshold_mode!r}")
        self.mode, self.threshold_mode = mode, threshold_mode
        self.factor = number("ReduceLROnPlateau: factor", factor)
        if factor >= 1:
            raise ValueError(f"ReduceLROnPlateau: factor must be below 1, not {factor}")
        self.patience = whole("ReduceLROnPlateau: patience", patience)
        self.cooldown = whole("ReduceLROnPlateau: cooldown", cooldown)
        self.threshold = number("ReduceLROnPlateau: threshold", threshold)
        self.eps = number("ReduceLROnPlateau: eps", eps)
        self.min_lrs = [number("ReduceLROnPlateau: min_lr", lr) for lr in
                        one_for_each_group("ReduceLROnPlateau: min_lr", min_lr, optimizer)]
        self.default_min_lr = None if isinstance(min_lr, (list, tuple)) else min_lr     # of groups that come later
        self.best = self.mode_worse = math.inf if mode == "min" else -math.inf
        self.num_bad_epochs = self.cooldown_counter = self.last_epoch = 0
        self._last_lr = [group["lr"] for group in optimizer.param_groups]

    def step(self, metrics: Any, epoch: int | None = None) -> None:  # type: ignore[override]
        """Look at the quantity, one number, and multiply the learning rates if it is time."""
        metrics = float(metrics)
        self.last_epoch = self.last_epoch + 1 if epoch is None else epoch
        if self.is_better(metrics):
            self.best = metrics
            self.num_bad_epochs = 0
        else:
            self.num_bad_epochs += 1
        if self.cooldown_counter > 0:
            self.cooldown_counter -= 1
            self.num_bad_epochs = 0
        if self.num_bad_epochs > self.patience:
            self.reduce()
            self.cooldown_counter = self.cooldown
            self.num_bad_epochs = 0
        self._last_lr = [group["lr"] for group in self.optimizer.param_groups]

    def is_better(self, metrics: float) -> bool:
        """Whether this is an improvement, and a large enough one."""
        sign = 1 if self.mode == "max" else -1
        relative = self.threshold_mode == "rel"
        bound = self.best * (1 + sign * self.threshold) if relative else self.best + sign * self.threshold
        return metrics > bound if self.mode == "max" else metrics < bound

    def reduce(self) -> None:
        """lr ← lr · factor in every group, but not below min_lr."""
        groups = self.optimizer.param_groups
        if len(groups) != len(self.min_lrs):
            if self.default_min_lr is None:
                raise ValueError(f"ReduceLROnPlateau: the optimizer has {len(groups)} groups now, and min_lr was given "
                                 f"for {len(self.min_lrs)}: make a new schedule")
            self.min_lrs = [self.default_min_lr] * len(groups)
        for group, lowest in zip(groups, self.min_lrs, strict=True):
            lr = max(group["lr"] * self.factor, lowest)
            if group["lr"] - lr > self.eps:
                group["lr"] = lr
