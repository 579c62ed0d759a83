"""Schedules that follow a cosine, once or with restarts."""

import math

from ..optimizer import Optimizer
from .checks import number, whole
from .scheduler import LRScheduler, ScaledLR


class CosineAnnealingLR(ScaledLR):
    """lr(t) = η + (lr₀ − η) · (1 + cos(π t / T_max)) / 2, from lr₀ down to η = eta_min at t = T_max, and then up again.

    Parameters
    ----------
    optimizer : Optimizer
    T_max : int
        Half a period.
    eta_min : float
        η: the lowest learning rate.
    last_epoch : int
        See `LRScheduler`.

    Source: Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts", ICLR 2017.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> optimizer = tn.optim.SGD([tn.zeros(1, requires_grad=True)], lr=8.0)
    >>> schedule = tn.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=3)
    >>> rates = []
    >>> for t in range(4):
    ...     rates.append(round(schedule.get_last_lr()[0], 3))
    ...     optimizer.step()
    ...     schedule.step()
    >>> rates
    [8.0, 6.0, 2.0, 0.0]
    """

    def __init__(self, optimizer: Optimizer, T_max: int, eta_min: float = 0.0, last_epoch: int = -1) -> None:
        self.T_max = whole("CosineAnnealingLR: T_max", T_max, at_least=1)
        self.eta_min = number("CosineAnnealingLR: eta_min", eta_min)
        super().__init__(optimizer, last_epoch)

    def scale(self, t: float) -> float:
        return (1 + math.cos(math.pi * t / self.T_max)) / 2


class CosineAnnealingWarmRestarts(LRScheduler):
    """lr(t) = η + (lr₀ − η) · (1 + cos(π T_cur / T_i)) / 2, from lr₀ down to η = eta_min, over and over again.

    T_cur is the time since the last restart and T_i that between this restart and the next: T_0 at first, and T_mult
    times longer after each. ``step(epoch)`` goes to any time, also between whole numbers: with
    ``step(epoch + i / len(loader))`` after batch i the learning rate falls within epochs too.

    Parameters
    ----------
    optimizer : Optimizer
    T_0 : int
        When the first restart comes.
    T_mult : int
    eta_min : float
        η: the lowest learning rate.
    last_epoch : int
        See `LRScheduler`.

    Source: Loshchilov and Hutter, "SGDR: stochastic gradient descent with warm restarts", ICLR 2017.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> optimizer = tn.optim.SGD([tn.zeros(1, requires_grad=True)], lr=8.0)
    >>> schedule = tn.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer, T_0=2, T_mult=2)
    >>> rates = []
    >>> for t in range(7):
    ...     rates.append(round(schedule.get_last_lr()[0], 2))
    ...     optimizer.step()
    ...     schedule.step()
    >>> rates
    [8.0, 4.0, 8.0, 6.83, 4.0, 1.17, 8.0]
    """

    def __init__(self, optimizer: Optimizer, T_0: int, T_mult: int = 1, eta_min: float = 0.0,
                 last_epoch: int = -1) -> None:
        self.T_0 = self.T_i = whole("CosineAnnealingWarmRestarts: T_0", T_0, at_least=1)
        self.T_mult = whole("CosineAnnealingWarmRestarts: T_mult", T_mult, at_least=1)
        self.eta_min = number("CosineAnnealingWarmRestarts: eta_min", eta_min)
        self.T_cur: float = 0
        super().__init__(optimizer, last_epoch)

    def get_lr(self) -> list[float]:
        self.T_i, self.T_cur = self.T_0, number("CosineAnnealingWarmRestarts: epoch", self.last_epoch)
        if self.T_mult == 1:
            self.T_cur %= self.T_0
        while self.T_cur >= self.T_i:
            self.T_cur -= self.T_i
            self.T_i *= self.T_mult
        scale = (1 + math.cos(math.pi * self.T_cur / self.T_i)) / 2
        return [self.eta_min + (lr - self.eta_min) * scale for lr in self.base_lrs]
