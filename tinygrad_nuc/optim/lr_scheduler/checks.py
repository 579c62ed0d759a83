"""What schedules are given: refused, by name, if it makes no sense."""

import math
from typing import Any

from ..optimizer import Optimizer
from ..saving import plain


def require_optimizer(schedule: str, optimizer: Any) -> Optimizer:
    """The optimizer, if it is one."""
    if not isinstance(optimizer, Optimizer):
        raise TypeError(f"{schedule}: expects an optimizer, such as optim.SGD(model.parameters()), "
                        f"not a {type(optimizer).__name__}")
    return optimizer


def number(name: str, x: Any, at_least: float = 0, at_most: float = math.inf) -> float:
    """The number, if it is finite and between the bounds."""
    x = plain(x)
    if not (isinstance(x, (int, float)) and at_least <= x <= at_most and math.isfinite(x)):
        bounds = f"of at least {at_least}" if at_most == math.inf else f"from {at_least} to {at_most}"
        raise ValueError(f"{name} must be a finite number {bounds}, not {x!r}")
    return x


def whole(name: str, x: Any, at_least: int = 0) -> int:
    """The number, if it is a whole one and not less than the bound."""
    x = plain(x)
    if not isinstance(x, int) or isinstance(x, bool) or x < at_least:
        raise ValueError(f"{name} must be a whole number of at least {at_least}, not {x!r}")
    return x


def one_for_each_group(name: str, x: Any, optimizer: Optimizer) -> list:
    """A list with one entry for each group of parameters, if one was given; otherwise the same for all."""
    groups = optimizer.param_groups
    if not isinstance(x, (list, tuple)):
        return [x] * len(groups)
    if len(x) != len(groups):
        raise ValueError(f"{name}: {len(x)} were given, and the optimizer has {len(groups)} groups of parameters")
    return list(x)
