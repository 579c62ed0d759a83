"""Optimizer: the parameters, their settings, and what is done at each step; each subclass is one formula."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from ..engine import debugging
from ..engine.backward import forget_gradient
from ..engine.grad_mode import enable_grad
from ..engine.tensor import Tensor
from ..engine.watching import watchers
from .flat import Flat, arrange
from .saving import NOTES, copied, fitting_groups, fitting_state, is_number, plain


class Optimizer:
    """Base class: keeps parameter groups and applies ``change`` to every parameter that has a gradient.

    It trains the parameters it was given: a layer that is replaced later needs a new optimizer.

    An optimizer of your own needs one method, ``change(p, g, state, **settings)``. It returns what to add to a
    parameter with value `p` and gradient `g` (arrays), and may remember in the dictionary `state` whatever it likes. If
    it treats every number by itself, as all optimizers here do, say so with ``elementwise = True``: it is then called
    once for many parameters, which come end to end in one array. On a GPU such a formula is made into a kernel, and
    called only for that; so it must depend on nothing but its arguments and the optimizer's own numbers.

    Parameters
    ----------
    params : iterable of Tensor, or of dict
        The parameters to train, or groups such as ``{"params": [...], "lr": 0.01}`` with settings of their own.
    defaults : dict
        Settings of groups that do not give their own. With a setting ``maximize=True`` the gradient's sign is
        changed before `change` sees it.

    Attributes
    ----------
    param_groups : list of dict
        Each group's ``"params"`` and settings; changing ``group["lr"]`` takes effect at the next step.
    state : dict
        What the optimizer remembers of each parameter between steps, under PyTorch's names: to look at, to change in
        place, or to forget (``del optimizer.state[p]``).

    Examples
    --------
    >>> import numpy as np, tinygrad_nuc as tn
    >>> class SignDescent(tn.optim.Optimizer):
    ...     def __init__(self, params, lr):
    ...         super().__init__(params, {"lr": lr})
    ...     def change(self, p, g, state, *, lr):
    ...         return -lr * np.sign(g)
    >>> w = tn.tensor([1.0, -1.0], requires_grad=True)
    >>> optimizer = SignDescent([w], lr=0.5)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([ 0.5000, -0.5000], requires_grad=True)
    >>> optimizer
    SignDescent (
    Parameter Group 0
        lr: 0.5
    )
    """

    elementwise = False                     # whether `change` treats every number by itself
    state_names: dict[str, str] = {}        # PyTorch's names for what `change` remembers ...
    sometimes: tuple[str, ...] = ()         # ... and which of it there is with some settings only
    fixed: dict[str, Any] = {}              # PyTorch's settings that here belong to the class

    def __init__(self, params: Iterable, defaults: dict[str, Any]) -> None:
        if isinstance(params, Tensor) or not isinstance(params, Iterable):
            raise TypeError(f"{type(self).__name__}: expects several parameters, as from model.parameters() or in "
                            f"a list, not a {type(params).__name__}")
        groups = list(params)
        if not groups:
            raise ValueError(f"{type(self).__name__}: there are no parameters to train")
        if not isinstance(groups[0], dict):
            groups = [{"params": groups}]
        self.state: defaultdict[Tensor, Mapping[str, Any]] = defaultdict(dict)
        self.defaults = defaults
        self.param_groups: list[dict[str, Any]] = []
        self.flats: dict[tuple, list[Flat]] = {}
        self.has_stepped = False
        for group in groups:
            self.add_param_group(group)

    def add_param_group(self, param_group: dict[str, Any]) -> None:
        """Add parameters with settings of their own, checked."""
        name = type(self).__name__
        unknown = set(param_group) - {"params", *self.defaults, *NOTES}
        if "params" not in param_group or unknown:
            raise ValueError(f"{name}: a group has 'params' and any of {', '.join(self.defaults)}; "
                             f"this one has {', '.join(map(repr, param_group))}")
        settings = {key: plain(x) for key, x in {**self.defaults, **param_group}.items() if key != "params"}
        params = param_group["params"]
        params = [params] if isinstance(params, Tensor) else list(params)
        known = {id(p) for other in self.param_groups for p in other["params"]}
        for p in params:
            if not isinstance(p, Tensor):
                raise TypeError(f"{name}: a {type(p).__name__} is not a parameter; pass model.parameters()")
            if not p.is_leaf:
                raise ValueError(f"{name}: a tensor of shape {p.shape} was computed from others and cannot be trained")
            if id(p) in known:
                raise ValueError(f"{name}: a parameter of shape {p.shape} was given twice")
            known.add(id(p))
        self.check(**self.settings_of(settings))
        self.param_groups.append({**settings, "params": params})

    def settings_of(self, group: dict[str, Any]) -> dict[str, Any]:
        """What `change` is told of a group; NumPy scalars as Python numbers, which never promote a float32 array."""
        return {name: x if type(x := group[name]) in (float, int, bool) else plain(x) for name in self.defaults}

    def settings_of_change(self, group: dict[str, Any]) -> dict[str, Any]:
        """Those that `change` takes: whether to climb is settled before it is called."""
        settings = self.settings_of(group)
        settings.pop("maximize", None)
        return settings

    def check(self, **settings: Any) -> None:
        """Refuse settings that make no sense."""
        for name in ("lr", "weight_decay", "momentum", "dampening", "eps", "lr_decay", "initial_accumulator_value"):
            if not is_number(settings.get(name, 0)):
                raise ValueError(f"{type(self).__name__}: {name} must be a finite number of at least 0, "
                                 f"not {settings[name]!r}")
        for name in ("nesterov", "amsgrad", "centered", "maximize"):
            if not isinstance(settings.get(name, False), bool):         # a text "no" would count as yes
                raise ValueError(f"{type(self).__name__}: {name} must be True or False, not {settings[name]!r}")

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients before the next ``backward`` adds to them: ``grad`` becomes None, or zeros."""
        for group in self.param_groups:
            for p in group["params"]:
                forget_gradient(p, set_to_none)

    # ------------------------------------------------------------------ a step

    def step(self, closure: Callable | None = None) -> Any:
        """Update every parameter that has a gradient, once.

        A `closure` is called first, to compute the loss and its gradients; what it returns is returned.
        """
        loss = None if closure is None else enable_grad()(closure)()
        for watcher in watchers:
            watcher.updating(self)
        with debugging.writable(p for group in self.param_groups for p in group["params"]):
            for group in self.param_groups:
                for flat in self.flats_of(group["params"]):
                    if flat.moves:
                        flat.step(self.change, partial(self.settings_of_change, group), group.get("maximize", False))
        self.has_stepped = True
        for watcher in watchers:
            watcher.updated(self)
        return loss

    def change(self, p: Any, g: Any, state: dict[str, Any], **settings: Any) -> Any:
        """What to add to a parameter with value `p` and gradient `g`."""
        raise TypeError(f"{type(self).__name__} has no change method")

    def flats_of(self, params: list[Tensor]) -> list[Flat]:
        """The parameters, joined as in the last step, unless one of them no longer goes with the others."""
        key = tuple(map(id, params))
        flats = []
        for flat in self.flats.get(key) or self.arrange(params):
            if flat.fits(self.state):
                flats.append(flat)
            else:
                flat.refuse_new_shapes(type(self).__name__)
                flats += self.arrange(flat.params)
        self.flats[key] = flats
        return flats

    def arrange(self, params: list[Tensor]) -> list[Flat]:
        return arrange(params, self.state, self.state_names, self.elementwise)

    # ------------------------------------------------------------------ saving, copying, showing

    def state_dict(self) -> dict[str, Any]:
        """Everything that the next step depends on besides parameters and gradients, in PyTorch's form.

        Returns
        -------
        dict
            ``"state"``: for each parameter, by its number, what is remembered of it (copies, which later steps leave
            alone); ``"param_groups"``: the settings, with the numbers of the parameters.

        Examples
        --------
        >>> import tinygrad_nuc as tn
        >>> w = tn.tensor([1.0], requires_grad=True)
        >>> optimizer = tn.optim.SGD([w], lr=0.1, momentum=0.9)
        >>> (w * w).sum().backward()
        >>> optimizer.step()
        >>> optimizer.state_dict()["state"]
        {0: {'momentum_buffer': tensor([2.])}}
        """
        numbers = {p: i for i, p in enumerate(p for group in self.param_groups for p in group["params"])}
        state = {i: copied(self.state[p]) for p, i in numbers.items() if self.state.get(p)}
        groups = [{**group, **self.fixed, "params": [numbers[p] for p in group["params"]]}
                  for group in self.param_groups]
        return {"state": state, "param_groups": groups}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from what `state_dict` returned, here or in PyTorch; nothing is changed unless everything fits.

        The parameters are recognised by their order. Learning rates and the other settings are taken over too.

        Raises
        ------
        ValueError
            If the numbers of groups or parameters, a shape, or the name of a setting or of a part of the state differ.

        Examples
        --------
        >>> import tinygrad_nuc as tn
        >>> a, b = (tn.optim.Adam(tn.nn.Linear(2, 1).parameters(), lr=lr) for lr in (0.1, 0.2))
        >>> b.load_state_dict(a.state_dict())
        >>> b.param_groups[0]["lr"]
        0.1
        """
        groups, state = fitting_groups(self, state_dict), fitting_state(self, state_dict)
        for group, settings in zip(self.param_groups, groups, strict=True):
            group.update(settings)
        self.state = defaultdict(dict, state)

    def __getstate__(self) -> dict[str, Any]:
        """How copy.deepcopy and pickle take it apart: joined arrays are joined again at the next step."""
        return {**self.__dict__, "flats": {}, "state": defaultdict(dict, {p: dict(x) for p, x in self.state.items()})}

    def __repr__(self) -> str:
        lines = [f"{type(self).__name__} ("]
        for i, group in enumerate(self.param_groups):
            lines += [""] * (i > 0) + [f"Parameter Group {i}"]
            lines += [f"    {name}: {group[name]}" for name in sorted(group) if name != "params"]
        return "\n".join([*lines, ")"])
