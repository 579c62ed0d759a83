"""Schedules that multiply the initial learning rate by a factor: in steps, exponentially, linearly."""

from collections import Counter
from collections.abc import Iterable

from ..optimizer import Optimizer
from .checks import number, whole
from .scheduler import ScaledLR


class StepLR(ScaledLR):
    """lr(t) = lr₀ · gammaᵏ, where k = ⌊t / step_size⌋.

    Parameters
    ----------
    optimizer : Optimizer
    step_size : int
        After how many steps the learning rate is multiplied again.
    gamma : float
    last_epoch : int
        See `LRScheduler`.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> optimizer = tn.optim.SGD([tn.zeros(1, requires_grad=True)], lr=8.0)
    >>> schedule = tn.optim.lr_scheduler.StepLR(optimizer, step_size=2, gamma=0.5)
    >>> rates = []
    >>> for t in range(6):
    ...     rates.append(schedule.get_last_lr()[0])
    ...     optimizer.step()
    ...     schedule.step()
    >>> rates
    [8.0, 8.0, 4.0, 4.0, 2.0, 2.0]
    """

    def __init__(self, optimizer: Optimizer, step_size: int, gamma: float = 0.1, last_epoch: int = -1) -> None:
        self.step_size = whole("StepLR: step_size", step_size, at_least=1)
        self.gamma = number("StepLR: gamma", gamma)
        super().__init__(optimizer, last_epoch)

    def scale(self, t: float) -> float:
        return self.gamma ** (t // self.step_size)


class MultiStepLR(ScaledLR):
    """lr(t) = lr₀ · gammaᵏ, where k is how many milestones have been reached.

    Parameters
    ----------
    optimizer : Optimizer
    milestones : iterable of int
        The t at which the learning rate is multiplied; one that comes twice counts twice.
    gamma : float
    last_epoch : int
        See `LRScheduler`.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> optimizer = tn.optim.SGD([tn.zeros(1, requires_grad=True)], lr=8.0)
    >>> schedule = tn.optim.lr_scheduler.MultiStepLR(optimizer, milestones=[1, 4], gamma=0.5)
    >>> rates = []
    >>> for t in range(6):
    ...     rates.append(schedule.get_last_lr()[0])
    ...     optimizer.step()
    ...     schedule.step()
    >>> rates
    [8.0, 4.0, 4.0, 4.0, 2.0, 2.0]
    """

    def __init__(self, optimizer: Optimizer, milestones: Iterable[int], gamma: float = 0.1,
                 last_epoch: int = -1) -> None:
        self.milestones = Counter(whole("MultiStepLR: a milestone", m) for m in milestones)
        self.gamma = number("MultiStepLR: gamma", gamma)
        super().__init__(optimizer, last_epoch)

    def scale(self, t: float) -> float:
        return self.gamma ** sum(count for milestone, count in self.milestones.items() if milestone <= t)


class ExponentialLR(ScaledLR):
    """lr(t) = lr₀ · gammaᵗ.

    Parameters
    ----------
    optimizer : Optimizer
    gamma : float
    last_epoch : int
        See `LRScheduler`.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> optimizer = tn.optim.SGD([tn.zeros(1, requires_grad=True)], lr=8.0)
    >>> schedule = tn.optim.lr_scheduler.ExponentialLR(optimizer, gamma=0.5)
    >>> rates = []
    >>> for t in range(4):
    ...     rates.append(schedule.get_last_lr()[0])
    ...     optimizer.step()
    ...     schedule.step()
    >>> rates
    [8.0, 4.0, 2.0, 1.0]
    """

    def __init__(self, optimizer: Optimizer, gamma: float, last_epoch: int = -1) -> None:
        self.gamma = number("ExponentialLR: gamma", gamma)
        super().__init__(optimizer, last_epoch)

    def scale(self, t: float) -> float:
        return self.gamma ** t


class ConstantLR(ScaledLR):
    """lr(t) = lr₀ · factor before t = total_iters, and lr₀ from then on.

    Parameters
    ----------
    optimizer : Optimizer
    factor : float
        From 0 to 1.
    total_iters : int
    last_epoch : int
        See `LRScheduler`.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> optimizer = tn.optim.SGD([tn.zeros(1, requires_grad=True)], lr=8.0)
    >>> schedule = tn.optim.lr_scheduler.ConstantLR(optimizer, factor=0.25, total_iters=2)
    >>> rates = []
    >>> for t in range(4):
    ...     rates.append(schedule.get_last_lr()[0])
    ...     optimizer.step()
    ...     schedule.step()
    >>> rates
    [2.0, 2.0, 8.0, 8.0]
    """

    def __init__(self, optimizer: Optimizer, factor: float = 1 / 3, total_iters: int = 5, last_epoch: int = -1) -> None:
        self.factor = number("ConstantLR: factor", factor, at_most=1)
        self.total_iters = whole("ConstantLR: total_iters", total_iters, at_least=1)
        super().__init__(optimizer, last_epoch)

    def scale(self, t: float) -> float:
        return self.factor if t < self.total_iters else 1.0


class LinearLR(ScaledLR):
    """lr(t) = lr₀ · (start_factor + (end_factor − start_factor) · t / total_iters) up to t = total_iters: a warm-up.

    Parameters
    ----------
    optimizer : Optimizer
    start_factor, end_factor : float
        From 0 to 1; the first one above 0.
    total_iters : int
        How many steps it takes from one to the other.
    last_epoch : int
        See `LRScheduler`.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> optimizer = tn.optim.SGD([tn.zeros(1, requires_grad=True)], lr=8.0)
    >>> schedule = tn.optim.lr_scheduler.LinearLR(optimizer, start_factor=0.25, total_iters=3)
    >>> rates = []
    >>> for t in range(5):
    ...     rates.append(schedule.get_last_lr()[0])
    ...     optimizer.step()
    ...     schedule.step()
    >>> rates
    [2.0, 4.0, 6.0, 8.0, 8.0]
    """

    def __init__(self, optimizer: Optimizer, start_factor: float = 1 / 3, end_factor: float = 1.0, total_iters: int = 5,
                 last_epoch: int = -1) -> None:
        self.start_factor = number("LinearLR: start_factor", start_factor, at_most=1)
        self.end_factor = number("LinearLR: end_factor", end_factor, at_most=1)
        self.total_iters = whole("LinearLR: total_iters", total_iters, at_least=1)
        if start_factor == 0:
            raise ValueError("LinearLR: start_factor must be above 0, or the first step would change nothing")
        super().__init__(optimizer, last_epoch)

    def scale(self, t: float) -> float:
        done = min(t, self.total_iters) / self.total_iters
        return self.start_factor + (self.end_factor - self.start_factor) * done
