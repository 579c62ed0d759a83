"""What an optimizer's state dict must be to fit, checked as a whole before anything changes."""

import copy
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ..devices.moving import placed_like
from ..engine.arrays import as_array, on_host
from ..engine.tensor import Tensor, value

if TYPE_CHECKING:                       # optimizer.py imports this file
    from .optimizer import Optimizer

# What learning-rate schedules note in a group, besides its settings.
NOTES = ("initial_lr", "max_lr", "min_lr", "max_momentum", "base_momentum")
# What only PyTorch's optimizers have: how to compute the same numbers faster, and names that are not used.
PYTORCHS = ("foreach", "capturable", "differentiable", "fused", "param_names")


def plain(x: Any) -> Any:
    """NumPy's scalars and tensors of one number as Python numbers, in tuples too; anything else as it is."""
    if isinstance(x, tuple):
        return tuple(map(plain, x))
    if getattr(x, "shape", None) != ():
        return x
    return (on_host(x) if hasattr(x, "get") else x).item()              # an array on a GPU has get


def is_number(x: Any, below: float = math.inf) -> bool:
    """Whether it is a number from 0 up to a bound; True and False are none."""
    return isinstance(x, (int, float)) and not isinstance(x, bool) and 0 <= x < below


def copied(entry: Mapping[str, Any]) -> dict[str, Any]:
    """What is remembered of one parameter, in memory of its own."""
    return {name: x.clone() if isinstance(x, Tensor) else copy.deepcopy(x) for name, x in entry.items()}


def fitting_groups(optimizer: "Optimizer", saved: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The settings of every group in a state dict."""
    who = f"{type(optimizer).__name__}.load_state_dict"
    if not (isinstance(saved, Mapping) and {"state", "param_groups"} <= set(saved)):
        raise ValueError(f"{who}: expects what state_dict() returns, a dict with 'state' and 'param_groups'")
    sizes, own_sizes = ([len(group.get("params", ())) for group in groups] for groups in
                        (saved["param_groups"], optimizer.param_groups))
    if sizes != own_sizes:
        raise ValueError(f"{who}: the saved groups have {sizes} parameters, and this optimizer's have {own_sizes}")
    groups = []
    for i, group in enumerate(saved["param_groups"]):
        known = {"params", *optimizer.defaults, *optimizer.fixed, *NOTES, *PYTORCHS}
        missing, unexpected = [k for k in optimizer.defaults if k not in group], [k for k in group if k not in known]
        if missing or unexpected:
            raise ValueError(f"{who}: settings of group {i}: missing {missing}, unexpected {unexpected}; "
                             f"a group of this optimizer has {', '.join(optimizer.defaults)}")
        for name, setting in optimizer.fixed.items():
            if group.get(name, setting) != setting:
                raise ValueError(f"{who}: group {i} has {name}={group[name]}, and here it is always {setting}")
        settings = {k: plain(x) for k, x in group.items() if k in optimizer.defaults or k in NOTES}
        for name, default in optimizer.defaults.items():
            if isinstance(default, tuple) and isinstance(settings[name], list):
                settings[name] = tuple(settings[name])          # JSON has no tuples
        optimizer.check(**{name: settings[name] for name in optimizer.defaults})
        groups.append(settings)
    return groups


def fitting_state(optimizer: "Optimizer", saved: Mapping[str, Any]) -> dict[Tensor, dict[str, Any]]:
    """What a state dict remembers of each parameter, in memory of its own, and in the parameter's dtype."""
    own, numbers = ([p for group in groups for p in group["params"]] for groups in
                    (optimizer.param_groups, saved["param_groups"]))
    params = dict(zip(numbers, own, strict=True))
    state = {}
    for i, entry in saved["state"].items():
        who = f"{type(optimizer).__name__}.load_state_dict: parameter {i}"
        if i not in params:
            raise ValueError(f"{who} is in no group")
        entry = {name: x for name, x in entry.items() if x is not None}
        names = optimizer.state_names.values()
        missing = [name for name in names if name not in entry and name not in optimizer.sometimes]
        unexpected = [name for name in entry if names and name not in names]
        if entry and (missing or unexpected):
            raise ValueError(f"{who}: missing {missing}, unexpected {unexpected}")
        state[params[i]] = {name: fitting(optimizer, params[i], name, x, f"{who}: {name}")
                            for name, x in entry.items()}
    return state


def fitting(optimizer: "Optimizer", p: Tensor, name: str, x: Any, who: str) -> Any:
    """One part of what is remembered of `p`."""
    if name not in optimizer.state_names.values():              # of an optimizer of one's own, which knows what it is
        return Tensor(as_array(value(x)).copy()) if getattr(x, "shape", ()) != () else copy.deepcopy(x)
    if name == "step":
        count = plain(x)
        if not (isinstance(count, (int, float)) and count >= 0 and count == int(count)):
            raise ValueError(f"{who} must be a whole number of at least 0, not {count!r}")
        return int(count)
    array = as_array(value(x))
    if array.shape != p.shape:
        raise ValueError(f"{who} has shape {array.shape}, but the parameter has {p.shape}")
    if array.dtype.kind != "f":
        raise ValueError(f"{who} is {array.dtype}, but the parameter is {p.dtype}")
    return Tensor(placed_like(p.data, array.astype(p.dtype)))
