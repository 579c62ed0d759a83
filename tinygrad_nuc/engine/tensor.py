"""Tensor: an array that remembers which operation made it, from what. Read me first.

A tensor refers to its inputs and is never referred to by them: when the last name for a result goes, the
whole graph behind it goes with it. Every other method (``t.exp()``, ``t.sum(dim)`` ...) is attached by the
file that defines the operation; ``t.backward()`` by `tinygrad_nuc.engine.backward`.
"""

import operator
import warnings
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from . import debugging
from .arrays import as_array, describe, in_memory, on_host
from .clock import Changes, clock
from .explain import device_clash
from .origins import remember, user_line
from .registry import call_numpy, table
from .watching import watchers


class Tensor:
    """An array `data`, its gradient `grad`, and the operation that made it.

    Parameters
    ----------
    data : array_like
        An array is taken as it is, not copied (`tinygrad_nuc.tensor` copies).
    requires_grad : bool
        Whether operations on this tensor are recorded, so that ``backward`` can fill in its `grad`.

    Attributes
    ----------
    data : numpy.ndarray
        The value itself; on a GPU, CuPy's array there.
    grad : Tensor or None
        ∂L/∂(this tensor), summed over every ``L.backward()`` so far; same shape and dtype as `data`.
    operation : Operation or None
        The class that computed this value; None for a leaf (a value that no recorded operation made).
    inputs : tuple
        What the operation was given, in the order of its arguments: tensors, numbers, and arrays (which are not
        copied: do not change one that a recorded operation still needs). None once the graph has been freed.
    values : sequence
        Their arrays and numbers: what the rules are given in a backward pass that is not recorded itself. None once the
        graph has been freed.
    receivers : tuple
        Which of the inputs get a share of this tensor's gradient, each with its derivative: those that required a
        gradient when this was computed.
    settings : dict
        The operation's keyword arguments, such as an axis.
    number : int
        When it was made, by a clock that all operations share: inputs are always older than results.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> a = tn.tensor(2.0, requires_grad=True)
    >>> b = tn.tensor(3.0, requires_grad=True)
    >>> y = a * b
    >>> y.operation.__name__, y.inputs         # how y came to be ...
    ('Multiply', (tensor(2., requires_grad=True), tensor(3., requires_grad=True)))
    >>> y.backward()                           # ... is all that the chain rule needs
    >>> a.grad, b.grad                         # ∂y/∂a = b and ∂y/∂b = a
    (tensor(3.), tensor(2.))
    """

    cut: str                                # why it has no history: "detach" or "no_grad" ...
    origin: Any                             # ... and what debug mode remembers: both only if there is something to tell
    __slots__ = ("_data", "_grad", "_requires_grad", "operation", "inputs", "values", "settings", "number", "changes",
                 "retains_grad", "hooks", "receivers", "cut", "origin", "__weakref__")

    def __init__(self, data: Any, requires_grad: bool = False) -> None:
        if type(data) is not np.ndarray or data.dtype.kind not in "fiub":       # an array needs no other look
            if isinstance(data, Tensor):
                raise TypeError("this is a tensor already: use .detach() or .clone(), or tn.tensor to copy its value")
            data = as_array(np.asarray(data) if isinstance(data, np.generic) else data)
        self._data = data
        self._grad: Tensor | None = None
        self._requires_grad = False
        self.operation: Any = None
        self.inputs: Any = ()
        self.values: Any = ()
        self.receivers: Any = ()
        self.settings: dict = {}
        self.number = 0
        self.changes: Changes | None = None     # made when a second tensor shares the array, or on the first change
        self.retains_grad = False
        self.hooks: dict | None = None
        if requires_grad:
            self.start_requiring()

    # ------------------------------------------------------------------ operators

    def __add__(self, other: Any) -> "Tensor": return table.Add.apply(self, other)
    def __radd__(self, other: Any) -> "Tensor": return table.Add.apply(other, self)
    def __sub__(self, other: Any) -> "Tensor": return table.Subtract.apply(self, other)
    def __rsub__(self, other: Any) -> "Tensor": return table.Subtract.apply(other, self)
    def __mul__(self, other: Any) -> "Tensor": return table.Multiply.apply(self, other)
    def __rmul__(self, other: Any) -> "Tensor": return table.Multiply.apply(other, self)
    def __truediv__(self, other: Any) -> "Tensor": return table.Divide.apply(self, other)
    def __rtruediv__(self, other: Any) -> "Tensor": return table.Divide.apply(other, self)
    def __neg__(self) -> "Tensor": return table.Negative.apply(self)
    def __abs__(self) -> "Tensor": return table.Absolute.apply(self)
    def __pow__(self, other: Any) -> "Tensor": return self.pow(other)
    def __rpow__(self, other: Any) -> "Tensor": return table.Power.apply(other, self)
    def __matmul__(self, other: Any) -> "Tensor": return self.matmul(other)
    def __rmatmul__(self, other: Any) -> "Tensor": return np.matmul(other, self)   # other may be an array

    @property
    def T(self) -> "Tensor":
        """All dimensions in reverse order: the transpose of a matrix."""
        return table.Permute.apply(self, axes=tuple(range(self._data.ndim - 1, -1, -1)))

    # Comparisons and logic give boolean tensors without history.
    def __lt__(self, other: Any) -> "Tensor": return compared(operator.lt, self, other)
    def __le__(self, other: Any) -> "Tensor": return compared(operator.le, self, other)
    def __gt__(self, other: Any) -> "Tensor": return compared(operator.gt, self, other)
    def __ge__(self, other: Any) -> "Tensor": return compared(operator.ge, self, other)
    def __eq__(self, x: Any) -> Any: return compared(operator.eq, self, x) if is_value(x) else NotImplemented
    def __ne__(self, x: Any) -> Any: return compared(operator.ne, self, x) if is_value(x) else NotImplemented
    def __and__(self, other: Any) -> "Tensor": return compared(operator.and_, self, other)
    def __or__(self, other: Any) -> "Tensor": return compared(operator.or_, self, other)
    def __xor__(self, other: Any) -> "Tensor": return compared(operator.xor, self, other)
    def __invert__(self) -> "Tensor": return Tensor(~self.data)
    __rand__, __ror__, __rxor__ = __and__, __or__, __xor__
    __hash__ = object.__hash__      # defining __eq__ takes it away; tensors are dictionary keys by identity

    # ------------------------------------------------------------------ the graph

    def requires_grad_(self, requires_grad: bool = True) -> "Tensor":
        """Set `requires_grad` and return the tensor itself."""
        self.requires_grad = requires_grad
        return self

    def retain_grad(self) -> None:
        """Ask ``backward`` to fill in `grad` for this tensor although it is not a leaf."""
        if not self.requires_grad:
            raise RuntimeError("retain_grad: no gradient will ever reach this tensor, since it requires none")
        self.retains_grad = True

    def detach(self) -> "Tensor":
        """The same value without its history (it shares memory with this tensor)."""
        for watcher in watchers:
            watcher.seen(self)
        twin = Tensor(self._data)
        twin.changes = self.shared_changes()
        if self._requires_grad:
            twin.cut = "detach"
            if debugging.on:
                remember(twin, "detach", "detach", self)
        return twin

    @property
    def is_leaf(self) -> bool:
        """True if no recorded operation made this tensor."""
        return self.operation is None

    @property
    def grad_fn(self) -> Any:
        """PyTorch's name for `operation`."""
        return self.operation

    def shared_changes(self) -> Changes:
        """The record of changes that this tensor has in common with every other view of its array."""
        if self.changes is None:
            self.changes = Changes()
        return self.changes

    def mark_changed(self) -> None:
        """Note the time of a change in place, so that a backward pass through an older use can refuse."""
        changes = self.changes or self.shared_changes()
        changes.last = Changes.latest = next(clock)
        if debugging.on:
            changes.line = user_line()
        for watcher in watchers:
            watcher.changed(self)

    # ------------------------------------------------------------------ reading the value

    @property
    def shape(self) -> tuple[int, ...]:
        return self._data.shape

    @property
    def dtype(self) -> np.dtype:
        return self._data.dtype

    @property
    def ndim(self) -> int:
        return self._data.ndim

    def size(self, dim: int | None = None) -> Any:
        """The shape, or the length of one dimension (NumPy's ``size`` is `numel` here, as in PyTorch)."""
        return self.shape if dim is None else self.shape[dim]

    def dim(self) -> int:
        """The number of dimensions."""
        return self._data.ndim

    def numel(self) -> int:
        """The number of elements."""
        return int(self._data.size)

    def numpy(self) -> np.ndarray:
        """The value as a NumPy array, without its history (PyTorch wants ``.detach().numpy()``, which works too).

        It is the tensor's own array, or a copy of it if that is on a GPU.
        """
        return on_host(self._data)

    def item(self) -> Any:
        """The value of a one-element tensor as a Python number."""
        if self._data.size != 1:
            raise ValueError(f"only a tensor with one element is a number, and this one has shape {self.shape}")
        return on_host(self._data).item()

    def tolist(self) -> Any:
        """The values as nested Python lists."""
        return on_host(self._data).tolist()

    # ------------------------------------------------------------------ NumPy calls: np.exp(t), np.sum(t) ...

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, out: Any = None, **options: Any) -> Any:
        if out is not None:
            raise TypeError(f"numpy.{ufunc.__name__} cannot write a Tensor into an array: write "
                            "w.data -= lr * w.grad.data, or `with tn.no_grad(): w -= lr * w.grad`")
        if method != "__call__":
            raise TypeError(f"numpy.{ufunc.__name__}.{method} has no derivative here; "
                            "use the function (np.sum, np.max ...), or t.numpy() for the value alone")
        return call_numpy(ufunc, inputs, options)

    def __array_function__(self, function: Callable, types: Any, args: Any, options: Any) -> Any:
        return call_numpy(function, args, options)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        if self._requires_grad:
            raise RuntimeError("this tensor is being differentiated, and an array could not pass its gradient on: "
                               "where only the value is wanted, write t.numpy()")
        if not in_memory(self._data):
            raise TypeError("this tensor is on a GPU, from where NumPy cannot get its numbers: write t.numpy() for a "
                            "copy in the computer's memory, or t.cpu() for a tensor there")
        return np.array(self._data, dtype=dtype, copy=copy)

    # ------------------------------------------------------------------ a Python object like others

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len: a 0-dimensional tensor has no length")
        return self.shape[0]

    def __iter__(self) -> Iterator["Tensor"]:
        return (self[i] for i in range(len(self)))

    def __bool__(self) -> bool:
        if self._data.size != 1:
            raise ValueError(f"the truth of a tensor of shape {self.shape} is ambiguous: use .any() or .all()")
        return bool(on_host(self._data))

    def __float__(self) -> float: return float(self.item())
    def __int__(self) -> int: return int(self.item())
    def __index__(self) -> int: return operator.index(self.item())

    def __format__(self, specification: str) -> str:
        return format(self.item(), specification) if specification else str(self)

    def __repr__(self) -> str:
        return f"tensor({describe(self._data)}{self._history()})"

    def _history(self) -> str:
        if self.operation is not None:
            return f", grad_fn=<{self.operation.__name__}>"
        return ", requires_grad=True" if self._requires_grad else ""

    # ------------------------------------------------------------------ checked assignments
    # Reading data goes through attrgetter, which a debugger does not step into.

    def _set_data(self, array: Any) -> None:
        if isinstance(array, Tensor):
            raise TypeError("t.data is an array, not a Tensor: assign another tensor's .data instead, "
                            "as in w.data = w.data - lr * w.grad.data")
        array = as_array(array)
        if self._requires_grad and array.dtype.kind != "f":
            raise TypeError("this tensor requires a gradient, so its data must be floating-point numbers, "
                            f"not {array.dtype}")
        self._data = array
        self.mark_changed()

    def _set_grad(self, gradient: "Tensor | None") -> None:
        if gradient is not None:
            self.check_gradient(gradient)
        self._grad = gradient

    def check_gradient(self, gradient: Any) -> None:
        """Refuse what cannot be a gradient of this tensor."""
        if not isinstance(gradient, Tensor):
            raise TypeError(f"t.grad is a Tensor or None, not a {type(gradient).__name__}; write t.grad = tn.tensor(g)")
        if gradient._data.shape != self._data.shape:
            raise ValueError(f"t.grad must have the tensor's shape {self.shape}, not {gradient.shape}")
        if type(gradient._data) is not type(self._data):
            clash = device_clash(("gradient", "tensor"), (gradient._data, self._data))
            raise ValueError(f"t.grad: {clash}")
        if gradient._data.dtype != self._data.dtype:
            raise TypeError(f"t.grad must have the tensor's dtype {self.dtype}, not {gradient.dtype}")

    def _get_grad(self) -> "Tensor | None":
        if self.operation is not None and self._grad is None:
            warnings.warn(f"grad of a result of {self.operation.__name__}: only leaves get one. Ask for it with "
                          "retain_grad() before backward; a parameter is updated in place, under no_grad", stacklevel=2)
        return self._grad

    def _set_requires_grad(self, wanted: bool) -> None:
        if wanted:
            self.start_requiring()
            return
        if self.operation is not None:
            raise RuntimeError("requires_grad can only be switched off on leaves; "
                               "use .detach() for a result without its history")
        self._requires_grad = False

    def start_requiring(self) -> None:
        """Set `requires_grad`; refuse integers and booleans, which cannot change by small steps."""
        if self._data.dtype.kind != "f":
            raise TypeError(f"only floating-point tensors can require a gradient, and this one is {self.dtype}: "
                            "convert it first, with .float() or .double()")
        self._requires_grad = True

    data: Any = property(operator.attrgetter("_data"), _set_data, doc="The array itself; assigning is not recorded.")
    grad: Any = property(_get_grad, _set_grad, doc="∂L/∂(this tensor), or None.")
    requires_grad: Any = property(operator.attrgetter("_requires_grad"), _set_requires_grad,
                                  doc="Whether operations on this tensor are recorded.")

    if TYPE_CHECKING:           # the files of operations attach these and the other methods
        def __getitem__(self, index: Any) -> "Tensor": ...
        def __setitem__(self, index: Any, values: Any) -> None: ...
        def __getattr__(self, name: str) -> Any: ...


def value(x: Any) -> Any:
    """The array in a Tensor; anything else as it is."""
    return x.data if isinstance(x, Tensor) else x


def compared(compare: Callable, a: Tensor, b: Any) -> Tensor:
    """The boolean tensor that a comparison, or a logical operator, of a tensor and anything else gives."""
    b = value(b)
    try:
        return Tensor(compare(a._data, b))
    except (TypeError, ValueError) as error:
        clash = device_clash("ab", (a._data, b))
        raise type(error)(f"{compare.__name__}: {clash}" if clash else str(error)) from error


def is_value(x: Any) -> bool:
    """Whether `x` is one number or many, so that t == x compares values; other things just differ from a tensor."""
    return isinstance(x, (Tensor, int, float)) or hasattr(x, "dtype")


def method(function: Callable) -> Callable:
    """Decorator: make a function of a tensor a method as well, so that ``exp(t)`` is also ``t.exp()``."""
    if function.__name__ in Tensor.__slots__:
        raise TypeError(f"a method {function.__name__} would hide what every tensor keeps under that name")
    setattr(Tensor, function.__name__, function)
    return function
