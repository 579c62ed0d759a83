"""Optimizer: the parameters, their settings, and the loop over them; each subclass is one formula."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from ..engine import debugging
from ..engine.backward import forget_gradient
from ..engine.tensor import Tensor


class Optimizer:
    """Base class: keeps parameter groups and applies ``change`` to every parameter that has a gradient.

    It trains the parameters it was given: a layer that is replaced later needs a new optimizer.

    Parameters
    ----------
    params : iterable of Tensor, or of dict
        The parameters to train, or groups such as ``{"params": [...], "lr": 0.01}`` with settings of their own.
    defaults : dict
        Settings of groups that do not give their own.

    Attributes
    ----------
    param_groups : list of dict
        Each group's ``"params"`` and settings; changing ``group["lr"]`` takes effect at the next step.
    state : dict
        What the optimizer remembers of each parameter between steps.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> class SignDescent(tn.optim.Optimizer):
    ...     def __init__(self, params, lr):
    ...         super().__init__(params, {"lr": lr})
    ...     def change(self, p, g, state, *, lr):
    ...         return -lr * np.sign(g)
    >>> w = tn.tensor([1.0, -1.0], requires_grad=True)
    >>> (w * w).sum().backward()
    >>> SignDescent([w], lr=0.5).step()
    >>> w
    tensor([ 0.5000, -0.5000], requires_grad=True)
    """

    def __init__(self, params: Iterable, defaults: dict[str, Any]) -> None:
        if isinstance(params, Tensor) or not isinstance(params, Iterable):
            raise TypeError(f"{type(self).__name__}: expects several parameters, as from model.parameters() or in "
                            f"a list, not a {type(params).__name__}")
        groups = list(params)
        if not groups:
            raise ValueError(f"{type(self).__name__}: there are no parameters to train")
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        self.state: dict[Tensor, dict[str, Any]] = {}
        self.defaults = defaults
        self.param_groups: list[dict[str, Any]] = []
        for group in groups:
            self.add_param_group(group)

    def add_param_group(self, group: dict[str, Any]) -> None:
        """Add parameters with settings of their own, checked."""
        name = type(self).__name__
        unknown = set(group) - {"params", *self.defaults}
        if "params" not in group or unknown:
            raise ValueError(f"{name}: a group has 'params' and any of {', '.join(self.defaults)}; "
                             f"this one has {', '.join(map(repr, group))}")
        group = {name: x.item() if isinstance(x, np.generic) else x for name, x in {**self.defaults, **group}.items()}
        params = [group["params"]] if isinstance(group["params"], Tensor) else list(group["params"])
        known = {id(p) for other in self.param_groups for p in other["params"]}
        for p in params:
            if not isinstance(p, Tensor):
                raise TypeError(f"{name}: a {type(p).__name__} is not a parameter; pass model.parameters()")
            if not p.is_leaf:
                raise ValueError(f"{name}: a tensor of shape {p.shape} was computed from others and cannot be trained")
            if id(p) in known:
                raise ValueError(f"{name}: a parameter of shape {p.shape} was given twice")
            known.add(id(p))
        self.check(**{k: v for k, v in group.items() if k != "params"})
        self.param_groups.append({**group, "params": params})

    def check(self, **settings: Any) -> None:
        """Refuse settings that make no sense."""
        for name in ("lr", "weight_decay", "momentum", "dampening", "eps"):
            value = settings.get(name, 0)
            if not (isinstance(value, (int, float, np.number)) and 0 <= value < np.inf):
                raise ValueError(f"{type(self).__name__}: {name} must be a finite number of at least 0, not {value!r}")

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients before the next ``backward`` adds to them: ``grad`` becomes None, or zeros."""
        for group in self.param_groups:
            for p in group["params"]:
                forget_gradient(p, set_to_none)

    def step(self) -> None:
        """Update every parameter that has a gradient, once."""
        with debugging.writable(p for group in self.param_groups for p in group["params"]):
            for group in self.param_groups:
                settings = {name: value for name, value in group.items() if name != "params"}
                for p in group["params"]:
                    if p.grad is not None:
                        p.data += self.change(p.data, p.grad.data, self.state.setdefault(p, {}), **settings)

    def change(self, p: Any, g: Any, state: dict[str, Any], **settings: Any) -> Any:
        """What to add to a parameter with value `p` and gradient `g`."""
        raise TypeError(f"{type(self).__name__} has no change method")
