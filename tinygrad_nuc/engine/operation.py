"""Operation: the base class of every row in the table of derivatives.

An operation is a named class with a `forward` and one derivative for each argument, all plain NumPy
expressions:

    class Multiply(Operation, numpy=np.multiply):
        '''y = a · b'''
        def forward(a, b):       return a * b
        def grad_a(g, y, a, b):  return g * b
        def grad_b(g, y, a, b):  return g * a

`g` is ∂L/∂y, the gradient that arrives; what ``grad_a`` returns is ∂L/∂a. Arguments before a ``*`` are
arrays, those after it are settings (an axis, a shape), which every derivative receives too. An argument
without a derivative (a condition, say) just has no ``grad_`` function. ``numpy=`` names the NumPy function that is
this operation when it is given a Tensor: ``np.multiply(t, 2)``. With ``*arrays`` as its one argument
an operation takes any number of arrays, and its derivative gets the position first: ``grad_arrays(i, g, y, *arrays)``.

The same text serves on arrays (computing) and on Tensors (computing *and* recording, since Tensors answer the
same NumPy functions): so derivatives of derivatives need no further rule. The engine, not the rule, sums over
broadcast axes, restores the dtype, adds up the uses of a value, and names the operation when something fails.
"""

import functools
import inspect
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from . import accelerator, debugging
from .clock import clock
from .explain import argument_names, broadcast_clash, device_clash, summary
from .grad_mode import is_grad_enabled
from .origins import called_at, came_from
from .registry import numpy_functions, table
from .tensor import Tensor, value
from .watching import watchers

PLAIN = frozenset((float, int, bool, type(None), np.ndarray))      # kinds of inputs and settings that stay as they are


class Operation:
    """Base class: ``SomeOperation.apply(a, b, setting=...)`` computes and records.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> from tinygrad_nuc.operations.arithmetic import Multiply
    >>> y = Multiply.apply(tn.tensor(2.0, requires_grad=True), 3.0)
    >>> y, Multiply.arguments
    (tensor(6., grad_fn=<Multiply>), ('a', 'b'))
    """

    arguments: tuple[str, ...] = ()             # the names before the *, from forward's signature
    takes_many = False                          # forward(*arrays)
    may_be_view = False                         # the result may share memory with the first input

    forward: Callable
    _derivatives: tuple = ()

    def __init_subclass__(cls, numpy: Callable | None = None) -> None:
        """Read forward's signature, find the derivatives that belong to it, and enter the registry."""
        parameters = inspect.signature(cls.forward).parameters.values()
        arrays = [p for p in parameters if p.kind is not p.KEYWORD_ONLY]
        settings = {p.name for p in parameters if p.kind is p.KEYWORD_ONLY}
        cls.arguments = tuple(p.name for p in arrays)
        cls.takes_many = any(p.kind is p.VAR_POSITIONAL for p in arrays)
        cls._derivatives = tuple(getattr(cls, f"grad_{name}", None) for name in cls.arguments)

        expected = [*(["i"] if cls.takes_many else []), "g", "y", *cls.arguments]
        for name, derivative in vars(cls).items():
            if name.startswith("grad_"):
                given = list(inspect.signature(derivative).parameters)
                if name.removeprefix("grad_") not in cls.arguments:
                    raise TypeError(f"{cls.__name__}.{name}: forward has no array argument of that name")
                if given[:len(expected)] != expected or set(given[len(expected):]) != settings:
                    raise TypeError(f"{cls.__name__}.{name} must take ({', '.join([*expected, *settings])})")
        earlier = getattr(table, cls.__name__, cls)
        if earlier.__module__ != cls.__module__:        # the same cell of a notebook may be run again
            raise TypeError(f"an operation {cls.__name__} exists already, in {earlier.__module__}; choose another name")
        setattr(table, cls.__name__, cls)
        if numpy is not None:
            numpy_functions[numpy] = cls.apply

    @classmethod
    def apply(cls, *inputs: Any, **settings: Any) -> Any:
        """Compute ``forward`` on the values, and remember how, if a gradient may be asked for later.

        Without a Tensor among the inputs the result is a plain array: rules use that to call other operations.
        """
        if len(inputs) != len(cls.arguments) and not cls.takes_many:
            raise TypeError(f"{cls.__name__} takes {', '.join(cls.arguments)}, and was given {len(inputs)} inputs")
        values, receivers, any_tensor = [], [], False
        derivatives = cls.derivatives(len(inputs)) if cls.takes_many else cls._derivatives
        for x, derivative in zip(inputs, derivatives):          # noqa: B905 (as many, which has been seen to)
            if isinstance(x, Tensor):
                any_tensor = True
                values.append(x._data)
                if x._requires_grad and derivative is not None:
                    receivers.append((x, derivative))
            else:
                values.append(x if type(x) in PLAIN else cls.plain(x))
        if settings:
            settings = {name: x if type(x) in PLAIN else cls.plain_setting(name, x) for name, x in settings.items()}
        forward = cls.forward if accelerator.version_of is None else accelerator.version_of(cls.forward)
        try:
            result = forward(*values, **settings)
        except (TypeError, ValueError, IndexError) as error:
            raise explain(error, cls, inputs, settings) from error
        if not any_tensor:
            return result

        y = Tensor(result)
        if receivers and is_grad_enabled():
            if y._data.dtype.kind != "f":
                y.start_requiring()                     # raises: whole numbers have no derivative
            y._requires_grad = True
            y.operation = cls
            y.inputs = inputs
            y.values = values
            y.receivers = tuple(receivers)
            y.settings = settings
            y.number = next(clock)
        elif receivers:
            y.cut = "no_grad"
        if cls.may_be_view and np.may_share_memory(y._data, values[0]):
            y.changes = inputs[0].shared_changes()
        for watcher in watchers:
            watcher.computed(y, cls, inputs)
        return y

    @classmethod
    def plain(cls, x: Any) -> Any:
        """A NumPy scalar as a Python number, which never promotes a float32 array; anything else as it is."""
        if isinstance(x, np.generic):
            return x.item()
        if isinstance(x, (list, tuple)):
            raise TypeError(f"{cls.__name__}: a {type(x).__name__} is not a tensor; write tn.tensor({x!r:.40})")
        return x

    @classmethod
    def plain_setting(cls, name: str, setting: Any) -> Any:
        """A setting as a Python value; settings are not differentiated, so a Tensor is refused."""
        if isinstance(setting, Tensor):
            raise TypeError(f"{cls.__name__}: {name} is a setting without a derivative, and cannot be a Tensor; "
                            f"give its value, with .item() or .tolist()")
        if isinstance(setting, list):
            return tuple(setting)
        return setting.item() if isinstance(setting, np.generic) else setting

    @classmethod
    def derivatives(cls, n: int) -> tuple:
        """One derivative for each of the `n` inputs; None where there is none."""
        if cls.takes_many:
            return tuple(functools.partial(cls._derivatives[0], i) for i in range(n))
        return cls._derivatives

    @classmethod
    def would_fit(cls, *values: Any, **settings: Any) -> str:
        """What inputs of these kinds must satisfy; asked only after `forward` has failed."""
        if cls.takes_many or settings:
            return ""
        return broadcast_clash(**{name: np.shape(x) for name, x in zip(cls.arguments, values, strict=True)})


def explain(error: Exception, operation: Any, inputs: Sequence[Any], settings: dict) -> Exception:
    """The same kind of error, saying which operation failed, on what, and what would fit."""
    kind = next(k for k in (IndexError, TypeError, np.linalg.LinAlgError, ValueError) if isinstance(error, k))
    values = [value(x) for x in inputs]
    names = argument_names(operation, len(inputs))
    given = ", ".join(f"{name} {summary(x)}" for name, x in zip(names, values, strict=False))
    chosen = "".join(f", {name}={setting!r}" for name, setting in settings.items() if setting is not None)
    reason = device_clash(names, values) or operation.would_fit(*values, **settings) or str(error)
    lines = [*came_from(names, inputs), called_at()] if debugging.on else []
    return kind("\n    ".join([f"{operation.__name__}({given}{chosen}): {reason}", *lines]))
