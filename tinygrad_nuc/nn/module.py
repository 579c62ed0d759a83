"""Module: a function with parameters that know their names."""

import warnings
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from ..devices.names import as_device, is_device, known_dtype
from ..engine.backward import forget_gradient
from ..engine.grad_mode import no_grad
from ..engine.hooks import RemovableHandle
from ..engine.tensor import Tensor
from ..engine.watching import watchers
from .parameter import Parameter
from .state import IncompatibleKeys, fitting
from .tree import Tree


class Module(Tree):
    """Base class of layers and networks: write ``__init__`` and ``forward``, and call the object.

    Whatever is assigned in ``__init__`` finds its place: a `Parameter` among the parameters, a Module among
    the children. Names are joined with dots, as in ``"fc1.weight"``; `Tree` lists what has one.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> from tinygrad_nuc import nn
    >>> import tinygrad_nuc.nn.functional as F
    >>> class Net(nn.Module):
    ...     def __init__(self):
    ...         super().__init__()
    ...         self.hidden = nn.Linear(2, 3)
    ...         self.output = nn.Linear(3, 1)
    ...     def forward(self, x):
    ...         return self.output(F.relu(self.hidden(x)))
    >>> net = Net()
    >>> net
    Net(
      (hidden): Linear(in_features=2, out_features=3, bias=True)
      (output): Linear(in_features=3, out_features=1, bias=True)
    )
    >>> sum(p.numel() for p in net.parameters())
    13
    >>> net(tn.zeros(5, 2)).shape
    (5, 1)
    """

    training: bool

    def __init__(self) -> None:
        # Straight into __dict__: __setattr__ below needs these tables to exist.
        self.__dict__.update(_parameters={}, _buffers={}, _modules={}, _pre_hooks={}, _hooks={}, training=True)

    def forward(self, *inputs: Any) -> Any:
        """What calling the module computes."""
        raise TypeError(f"{type(self).__name__} has no forward method: define forward(self, x)")

    def __call__(self, *inputs: Any, **options: Any) -> Any:
        for watcher in watchers:
            watcher.called(self)
        for hook in [*self._pre_hooks.values()] if self._pre_hooks else ():     # a copy: a hook may take itself away
            replacement = hook(self, inputs)
            if replacement is not None:
                inputs = replacement if isinstance(replacement, tuple) else (replacement,)
        y = self.forward(*inputs, **options)
        for hook in [*self._hooks.values()] if self._hooks else ():
            replacement = hook(self, inputs, y)
            y = y if replacement is None else replacement
        return y

    def register_forward_hook(self, hook: Callable) -> RemovableHandle:
        """Have ``hook(module, inputs, output)`` called after every ``forward``, to look at what a layer computes.

        What the hook returns, if anything, takes the place of the output. ``remove()`` on the handle ends it; so does
        leaving a ``with`` block over it.

        Examples
        --------
        >>> import tinygrad_nuc as tn
        >>> model = tn.nn.Sequential(tn.nn.Linear(2, 3), tn.nn.ReLU())
        >>> with model[0].register_forward_hook(lambda module, inputs, y: print(module, "gave shape", y.shape)):
        ...     _ = model(tn.zeros(5, 2))
        Linear(in_features=2, out_features=3, bias=True) gave shape (5, 3)
        """
        return RemovableHandle(self._hooks, checked_hook("register_forward_hook", hook))

    def register_forward_pre_hook(self, hook: Callable) -> RemovableHandle:
        """Have ``hook(module, inputs)`` called before every ``forward``.

        `inputs` is a tuple, without keyword arguments. What the hook returns, if anything, takes its place: a tuple, or
        a single input. Otherwise as `register_forward_hook`.

        Examples
        --------
        >>> import tinygrad_nuc as tn
        >>> layer = tn.nn.Identity()
        >>> with layer.register_forward_pre_hook(lambda module, inputs: inputs[0] * 10):
        ...     layer(tn.ones(2))
        tensor([10., 10.])
        """
        return RemovableHandle(self._pre_hooks, checked_hook("register_forward_pre_hook", hook))

    # ------------------------------------------------------------------ attributes find their table

    def __setattr__(self, name: str, thing: Any) -> None:
        table = self._table_for(name, thing)
        if table is None:
            parts = thing.values() if isinstance(thing, dict) else thing if isinstance(thing, (list, tuple)) else ()
            if any(isinstance(x, (Parameter, Module)) for x in parts):
                warnings.warn(f"{type(self).__name__}.{name}: parameters in a {type(thing).__name__} are not found; "
                              f"use nn.{'ModuleDict' if isinstance(thing, dict) else 'ModuleList'}", stacklevel=2)
            object.__setattr__(self, name, thing)
            return
        for other in (self._parameters, self._buffers, self._modules, self.__dict__):
            if other is not table:
                other.pop(name, None)
        table[name] = thing

    def _table_for(self, name: str, thing: Any) -> dict | None:
        """Where an attribute belongs: a table for its kind, the table that has its name already, or none."""
        kinds: dict[str, type] = {"_parameters": Parameter, "_modules": Module, "_buffers": Tensor}
        for table in ("_parameters", "_modules"):
            if isinstance(thing, kinds[table]):
                self._require_init(name)
                check_name(type(self).__name__, name)
                return self.__dict__[table]
        for table, kind in kinds.items():
            if name in self.__dict__.get(table, ()):
                if thing is not None and not isinstance(thing, kind):
                    raise TypeError(f"{type(self).__name__}.{name} is a {kind.__name__}: "
                                    f"assign another {kind.__name__} or None, not a {type(thing).__name__}")
                return self.__dict__[table]
        return None

    def _require_init(self, name: str) -> None:
        if "_parameters" not in self.__dict__:
            raise AttributeError(f"{type(self).__name__}.{name}: call super().__init__() first, in __init__")

    def __getattr__(self, name: str) -> Any:
        # Python asks here only for what is not an ordinary attribute.
        own = self.__dict__
        if "_parameters" in own:
            for table in (own["_parameters"], own["_buffers"], own["_modules"]):
                if name in table:
                    return table[name]
        elif name in ("_parameters", "_buffers", "_modules", "_pre_hooks", "_hooks"):
            self._require_init(name)
        raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")

    def __delattr__(self, name: str) -> None:
        for table in (self._parameters, self._buffers, self._modules):
            if name in table:
                del table[name]
                return
        object.__delattr__(self, name)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._parameters, *self._buffers, *self._modules]

    def register_parameter(self, name: str, parameter: Parameter | None) -> None:
        """Add a parameter by name; None keeps the name for a parameter that this module does without."""
        self._register("_parameters", name, parameter, Parameter)

    def register_buffer(self, name: str, tensor: Tensor | None) -> None:
        """Add a tensor that is saved with the parameters but not trained, such as a running mean."""
        self._register("_buffers", name, tensor, Tensor)

    def add_module(self, name: str, module: "Module | None") -> None:
        """Add a child by name."""
        self._register("_modules", name, module, Module)

    def _register(self, table: str, name: str, thing: Any, kind: type) -> None:
        if thing is not None and not isinstance(thing, kind):
            raise TypeError(f"{type(self).__name__}: {name} must be a {kind.__name__} or None, "
                            f"not a {type(thing).__name__}")
        self._require_init(name)
        check_name(type(self).__name__, name)
        if name not in self.__dict__[table] and hasattr(self, name):
            raise KeyError(f"{type(self).__name__} has an attribute {name} already")
        self.__dict__[table][name] = thing

    # ------------------------------------------------------------------ state

    def train(self, mode: bool = True) -> "Module":
        """Switch to training behaviour (dropout drops, batch norm uses the batch), or back."""
        for module in self.modules():
            module.training = bool(mode)
        return self

    def eval(self) -> "Module":
        """Switch to evaluation behaviour; the same as ``train(False)``."""
        return self.train(False)

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients before the next ``backward`` adds to them: ``grad`` becomes None, or zeros."""
        for parameter in self.parameters():
            forget_gradient(parameter, set_to_none)

    def requires_grad_(self, requires_grad: bool = True) -> "Module":
        """Train all parameters, or freeze them."""
        for parameter in self.parameters():
            parameter.requires_grad = requires_grad
        return self

    def to(self, target: Any) -> "Module":
        """Convert parameters and buffers of floating-point type to another one, or move all of them, in place.

        Gradients go along. What an optimizer remembers of the parameters follows them at its next step.

        Parameters
        ----------
        target : dtype, device or str
            For instance ``tn.float64``, ``"cpu"``, ``"cuda"``, or ``tn.device("cuda:1")``.

        Raises
        ------
        TypeError, ValueError
            If it is neither a floating-point type nor a device.
        RuntimeError
            If there is no such device here.
        """
        name = f"{type(self).__name__}.to"
        if not is_device(target) and known_dtype(target, name).kind != "f":
            raise TypeError(f"{name}: weights are floating-point numbers, not {np.dtype(target)}")
        with no_grad():
            for tensor in self._values():
                if is_device(target) or tensor.dtype.kind == "f":
                    tensor.data = tensor.to(target).data
                    tensor.grad = None if tensor.grad is None else tensor.grad.to(target)
        return self

    def float(self) -> "Module":
        """Convert to float32."""
        return self.to(np.float32)

    def double(self) -> "Module":
        """Convert to float64."""
        return self.to(np.float64)

    def half(self) -> "Module":
        """Convert to float16."""
        return self.to(np.float16)

    def cpu(self) -> "Module":
        """Move to the memory that NumPy uses."""
        return self.to("cpu")

    def cuda(self, device: Any = "cuda") -> "Module":
        """Move to a GPU: the one in use, or the one of that number or name."""
        return self.to(as_device(device))

    def state_dict(self) -> dict[str, Tensor]:
        """Every parameter and buffer by name, sharing memory with the module.

        Examples
        --------
        >>> import tinygrad_nuc as tn
        >>> {name: t.shape for name, t in tn.nn.Linear(3, 2).state_dict().items()}
        {'weight': (2, 3), 'bias': (2,)}
        """
        return {name: tensor.detach() for name, tensor in self._walk_values("", "_parameters", "_buffers")}

    def load_state_dict(self, state: Mapping[str, Any], strict: bool = True) -> IncompatibleKeys:
        """Copy values into the parameters and buffers; nothing is changed unless everything fits.

        Parameters
        ----------
        state : mapping from name to Tensor or array
        strict : bool
            Refuse missing and unexpected names; otherwise they are passed over, and reported.

        Returns
        -------
        IncompatibleKeys
            ``missing_keys``, which this module has and `state` lacks, and ``unexpected_keys``, the reverse.

        Raises
        ------
        KeyError
            If names are missing or unexpected.
        ValueError, TypeError
            If a shape differs, or a value is not of the parameter's kind (a float for a float).

        Examples
        --------
        >>> import tinygrad_nuc as tn
        >>> a, b = tn.nn.Linear(3, 2), tn.nn.Linear(3, 2)
        >>> b.load_state_dict(a.state_dict())
        <All keys matched successfully>
        >>> b.load_state_dict({"weight": a.weight}, strict=False)
        IncompatibleKeys(missing_keys=['bias'], unexpected_keys=[])
        >>> bool((a.weight == b.weight).all())
        True
        """
        own = dict(self._walk_values("", "_parameters", "_buffers"))
        arrays, keys = fitting(type(self).__name__, own, state, strict)
        with no_grad():
            for name, array in arrays.items():
                own[name].copy_(array)
        return keys

    # ------------------------------------------------------------------ print(model)

    def extra_repr(self) -> str:
        """What stands between the parentheses of this module's own line."""
        return ""

    def __repr__(self) -> str:
        children = [(f"({name}): ", repr(child)) for name, child in self._modules.items()]
        return framed(type(self).__name__, self.extra_repr(), children)


def check_name(module: str, name: Any) -> None:
    """Refuse a name that would make the dotted names ambiguous."""
    if not isinstance(name, str):
        raise TypeError(f"{module}: a name is a str, not a {type(name).__name__}")
    if not name or "." in name:
        raise KeyError(f"{module}: the name {name!r} must not be empty, or have a dot inside: dots join names")


def checked_hook(name: str, hook: Any) -> Callable:
    """A function, or an error."""
    if not callable(hook):
        raise TypeError(f"{name}: a hook is a function, not a {type(hook).__name__}")
    return hook


def framed(name: str, extra: str, children: list[tuple[str, str]]) -> str:
    """A module's lines: its name, then what it says of itself and its children, indented."""
    lines = extra.split("\n") if extra else []
    if len(lines) <= 1 and not children:
        return f"{name}({extra})"
    lines += [label + text.replace("\n", "\n  ") for label, text in children]
    return f"{name}(\n  " + "\n  ".join(lines) + "\n)"
