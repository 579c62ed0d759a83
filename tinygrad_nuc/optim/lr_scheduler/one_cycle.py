"""OneCycleLR: up to a high learning rate, and down to a very low one, in the course of the whole training."""

import math
from typing import Any

from ..optimizer import Optimizer
from .checks import number, one_for_each_group, require_optimizer, whole
from .scheduler import LRScheduler


class OneCycleLR(LRScheduler):
    """lr(t) from max_lr / div_factor up to max_lr, and down to max_lr / div_factor / final_div_factor.

    The peak is at t = pct_start · total_steps − 1, the end at t = total_steps − 1. Step once a batch. From one to
    the next of these values a, b it goes along half a cosine, or along a straight line::

        lr = b + (a − b) · (1 + cos(π s)) / 2       or      a + (b − a) · s,        s from 0 to 1

    The momentum (β₁ of Adam) goes the other way, from max_momentum to base_momentum and back.

    Parameters
    ----------
    optimizer : Optimizer
    max_lr : float, or one for each group of parameters
    total_steps : int, optional
        How many batches there will be; or give `epochs` and `steps_per_epoch`, as in ``len(loader)``.
    epochs, steps_per_epoch : int, optional
    pct_start : float
        The part of the steps, from 0 to 1, in which the learning rate goes up.
    anneal_strategy : {"cos", "linear"}
    cycle_momentum : bool
        Whether the momentum changes, too.
    base_momentum, max_momentum : float, or one for each group of parameters
    div_factor, final_div_factor : float
    three_phase : bool
        Go down as long as up, to where it began, and only then to the end.
    last_epoch : int
        See `LRScheduler`.

    Source: Smith and Topin, "Super-convergence: very fast training of neural networks using large learning rates",
    arXiv:1708.07120 (2018).

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> optimizer = tn.optim.SGD([tn.zeros(1, requires_grad=True)], momentum=0.9)
    >>> schedule = tn.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=8.0, total_steps=6, pct_start=0.5, div_factor=4)
    >>> for t in range(6):
    ...     group = optimizer.param_groups[0]
    ...     print(t, f"{group['lr']:.2f} {group['momentum']:.3f}")
    ...     optimizer.step()
    ...     schedule.step()
    0 2.00 0.950
    1 5.00 0.900
    2 8.00 0.850
    3 6.00 0.875
    4 2.00 0.925
    5 0.00 0.950
    """

    def __init__(self, optimizer: Optimizer, max_lr: float | list[float], total_steps: int | None = None,
                 epochs: int | None = None, steps_per_epoch: int | None = None, pct_start: float = 0.3,
                 anneal_strategy: str = "cos", cycle_momentum: bool = True, base_momentum: float | list[float] = 0.85,
                 max_momentum: float | list[float] = 0.95, div_factor: float = 25.0, final_div_factor: float = 1e4,
                 three_phase: bool = False, last_epoch: int = -1) -> None:
        require_optimizer("OneCycleLR", optimizer)
        self.total_steps = length(total_steps, epochs, steps_per_epoch)
        self._schedule_phases = phases(self.total_steps, pct_start, three_phase)
        if anneal_strategy not in ("cos", "linear"):
            raise ValueError(f"OneCycleLR: anneal_strategy must be 'cos' or 'linear', not {anneal_strategy!r}")
        self._anneal_func_type = anneal_strategy
        for name, factor in (("div_factor", div_factor), ("final_div_factor", final_div_factor)):
            if number(f"OneCycleLR: {name}", factor) == 0:
                raise ValueError(f"OneCycleLR: {name} must be above 0")
        notes = [{"initial_lr": lr / div_factor, "max_lr": lr, "min_lr": lr / div_factor / final_div_factor}
                 for lr in numbers("max_lr", max_lr, optimizer)]
        self.cycle_momentum = bool(cycle_momentum)
        if self.cycle_momentum:
            if not {"momentum", "betas"} & set(optimizer.defaults):
                raise ValueError(f"OneCycleLR: {type(optimizer).__name__} has no momentum to change; "
                                 "give cycle_momentum=False")
            self.use_beta1 = "betas" in optimizer.defaults
            for note, high, low in zip(notes, numbers("max_momentum", max_momentum, optimizer, at_most=1),
                                       numbers("base_momentum", base_momentum, optimizer, at_most=1), strict=True):
                note.update(max_momentum=high, base_momentum=low)
        for i, (group, note) in enumerate(zip(optimizer.param_groups, notes, strict=True)):
            if last_epoch == -1:
                group.update(note)
            elif not note.keys() <= group.keys():
                raise KeyError(f"OneCycleLR: to go on from last_epoch={last_epoch}, group {i} of the optimizer must "
                               f"have {', '.join(note)}: load its state dict first")
        super().__init__(optimizer, last_epoch)

    def at(self, group: dict[str, Any], what: str) -> float:
        """The "lr" or "momentum" of a group at t."""
        t = min(self.last_epoch, self.total_steps - 1)      # the step after the last batch changes nothing
        start = 0.0
        for phase in self._schedule_phases:
            end = phase["end_step"]
            if t <= end:
                break
            start = end
        s = (t - start) / (end - start) if end > start else 1.0
        a, b = group[phase[f"start_{what}"]], group[phase[f"end_{what}"]]
        return a + (b - a) * s if self._anneal_func_type == "linear" else b + (a - b) * (1 + math.cos(math.pi * s)) / 2

    def get_lr(self) -> list[float]:
        if self.last_epoch > self.total_steps:
            raise ValueError(f"OneCycleLR: the cycle has {self.total_steps} steps, and this would be one more")
        return [self.at(group, "lr") for group in self.optimizer.param_groups]

    def step(self, epoch: float | None = None) -> None:
        super().step(epoch)
        for group in self.optimizer.param_groups if self.cycle_momentum else ():
            if self.use_beta1:
                group["betas"] = (self.at(group, "momentum"), *group["betas"][1:])
            else:
                group["momentum"] = self.at(group, "momentum")


def length(total_steps: int | None, epochs: int | None, steps_per_epoch: int | None) -> int:
    """How many steps there will be."""
    if total_steps is not None:
        return whole("OneCycleLR: total_steps", total_steps, at_least=1)
    if epochs is None or steps_per_epoch is None:
        raise ValueError("OneCycleLR: give total_steps, or epochs and steps_per_epoch")
    return (whole("OneCycleLR: epochs", epochs, at_least=1)
            * whole("OneCycleLR: steps_per_epoch", steps_per_epoch, at_least=1))


def phases(total_steps: int, pct_start: float, three_phase: bool) -> list[dict[str, Any]]:
    """When each phase ends, and which notes in the groups it leads from and to, as PyTorch keeps them."""
    top = number("OneCycleLR: pct_start", pct_start, at_most=1) * total_steps
    ends = [top - 1, 2 * top - 2, total_steps - 1] if three_phase else [top - 1, total_steps - 1]
    if ends != sorted(ends):
        raise ValueError(f"OneCycleLR: three phases need a pct_start above 0, and of no more than 0.5, not {pct_start}")
    lrs = ["initial_lr", "max_lr", "initial_lr", "min_lr"] if three_phase else ["initial_lr", "max_lr", "min_lr"]
    momenta = ["max_momentum", "base_momentum", "max_momentum", "max_momentum"]
    return [{"end_step": end, "start_lr": lrs[i], "end_lr": lrs[i + 1], "start_momentum": momenta[i],
             "end_momentum": momenta[i + 1]} for i, end in enumerate(ends)]


def numbers(name: str, x: float | list[float], optimizer: Optimizer, at_most: float = math.inf) -> list[float]:
    """One number for each group of parameters."""
    name = f"OneCycleLR: {name}"
    return [number(name, one, at_most=at_most) for one in one_for_each_group(name, x, optimizer)]
