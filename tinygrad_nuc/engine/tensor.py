"""Tensor: an array that remembers which operation made it, from what. Read me first.

    >>> import tinygrad_nuc as tn
    >>> a = tn.tensor(2.0, requires_grad=True)
    >>> b = tn.tensor(3.0, requires_grad=True)
    >>> y = a * b
    >>> y.operation.__name__, y.inputs         # how y came to be ...
    ('Multiply', (tensor(2., requires_grad=True), tensor(3., requires_grad=True)))
    >>> y.backward()                           # ... is all that the chain rule needs
    >>> a.grad, b.grad                         # ∂y/∂a = b and ∂y/∂b = a
    (tensor(3.), tensor(2.))

A tensor refers to its inputs and is never referred to by them: when the last name for a result goes, the
whole graph behind it goes with it. Every other method (``t.exp()``, ``t.sum(dim)`` ...) is attached by the
file that defines the operation; ``t.backward()`` by `tinygrad_nuc.engine.backward`.
"""

import itertools
import operator
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from .arrays import as_array, describe
from .grad_mode import is_grad_enabled
from .registry import numpy_functions, operations

clock = itertools.count(1)      # numbers every recorded operation and every change in place, in order of time


class Memory:
    """What tensors that share one array know together: when it was last written to."""

    __slots__ = ("changed",)

    def __init__(self) -> None:
        self.changed = 0


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
        The value itself.
    grad : Tensor or None
        ∂L/∂(this tensor), summed over every ``L.backward()`` so far; same shape and dtype as `data`.
    operation : Operation or None
        The class that computed this value; None for a leaf (a value that no recorded operation made).
    inputs : tuple
        What the operation was given: tensors, arrays and numbers, in the order of its arguments.
    settings : dict
        The operation's keyword arguments, such as an axis.
    number : int
        When it was made, by a clock that all operations share: inputs are always older than results.
    """

    __slots__ = ("_data", "_requires_grad", "grad", "operation", "inputs", "settings", "number", "memory",
                 "retains_grad", "__weakref__")

    def __init__(self, data: Any, requires_grad: bool = False) -> None:
        self._data = as_array(data)
        self.grad: Tensor | None = None
        self.operation: Any = None
        self.inputs: tuple | None = ()
        self.settings: dict = {}
        self.number = 0
        self.memory: Memory | None = None       # made when a second tensor shares `data`, or on the first change
        self.retains_grad = False
        self._requires_grad = False
        if requires_grad:
            self.requires_grad = True

    # ------------------------------------------------------------------ the graph

    requires_grad: Any = property(operator.attrgetter("_requires_grad"),
                                  doc="Whether operations on this tensor are recorded.")

    @requires_grad.setter
    def requires_grad(self, wanted: bool) -> None:
        if wanted and self.dtype.kind != "f":
            raise TypeError(f"only floating-point tensors can require a gradient, and this one is {self.dtype}: "
                            "convert it first, with .float() or .double()")
        if not wanted and self.operation is not None:
            raise RuntimeError("requires_grad can only be switched off on leaves; "
                               "use .detach() for a result without its history")
        self._requires_grad = bool(wanted)

    def requires_grad_(self, requires_grad: bool = True) -> "Tensor":
        """Set `requires_grad` and return the tensor itself."""
        self.requires_grad = requires_grad
        return self

    def retain_grad(self) -> None:
        """Ask ``backward`` to fill in `grad` for this tensor although it is not a leaf."""
        self.retains_grad = True

    def detach(self) -> "Tensor":
        """The same value without its history (it shares memory with this tensor)."""
        twin = Tensor(self._data)
        twin.memory = self.shared_memory()
        return twin

    @property
    def is_leaf(self) -> bool:
        """True if no recorded operation made this tensor."""
        return self.operation is None

    @property
    def grad_fn(self) -> Any:
        """PyTorch's name for `operation`."""
        return self.operation

    def shared_memory(self) -> Memory:
        """The record of changes that this tensor shares with every other view of its array."""
        if self.memory is None:
            self.memory = Memory()
        return self.memory

    def mark_changed(self) -> None:
        """Note the time of a change in place, so that a backward pass through an older use can refuse."""
        self.shared_memory().changed = next(clock)

    # ------------------------------------------------------------------ the value

    @property
    def data(self) -> Any:
        """The array itself. Assigning to it is not recorded."""
        return self._data

    @data.setter
    def data(self, array: Any) -> None:
        if isinstance(array, Tensor):
            raise TypeError("t.data is an array, not a Tensor: assign another tensor's .data instead, "
                            "as in w.data = w.data - lr * w.grad.data")
        self._data = as_array(array)
        self.mark_changed()

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
        """The value as a NumPy array (sharing memory); refused while the tensor requires a gradient."""
        if self._requires_grad:
            raise RuntimeError("this tensor is being differentiated, and an array could not pass its gradient on: "
                               "use t.detach().numpy()")
        return self._data

    def item(self) -> Any:
        """The value of a one-element tensor as a Python number."""
        if self._data.size != 1:
            raise ValueError(f"item: only a tensor with one element is a number, and this one has shape {self.shape}")
        return self._data.item()

    def tolist(self) -> Any:
        """The values as nested Python lists."""
        return self._data.tolist()

    # ------------------------------------------------------------------ operators

    def __add__(self, other: Any) -> "Tensor": return operations.Add.apply(self, other)
    def __radd__(self, other: Any) -> "Tensor": return operations.Add.apply(other, self)
    def __sub__(self, other: Any) -> "Tensor": return operations.Subtract.apply(self, other)
    def __rsub__(self, other: Any) -> "Tensor": return operations.Subtract.apply(other, self)
    def __mul__(self, other: Any) -> "Tensor": return operations.Multiply.apply(self, other)
    def __rmul__(self, other: Any) -> "Tensor": return operations.Multiply.apply(other, self)
    def __truediv__(self, other: Any) -> "Tensor": return operations.Divide.apply(self, other)
    def __rtruediv__(self, other: Any) -> "Tensor": return operations.Divide.apply(other, self)
    def __neg__(self) -> "Tensor": return operations.Negative.apply(self)
    def __abs__(self) -> "Tensor": return operations.Absolute.apply(self)
    def __pow__(self, other: Any) -> "Tensor": return operations.Power.apply(self, other)
    def __rpow__(self, other: Any) -> "Tensor": return operations.Power.apply(other, self)
    def __matmul__(self, other: Any) -> "Tensor": return np.matmul(self, other)
    def __rmatmul__(self, other: Any) -> "Tensor": return np.matmul(other, self)
    def __getitem__(self, index: Any) -> "Tensor": return operations.Index.apply(self, index=as_index(index))

    # Comparisons and logic give boolean tensors without history.
    def __lt__(self, other: Any) -> "Tensor": return np.less(self, other)
    def __le__(self, other: Any) -> "Tensor": return np.less_equal(self, other)
    def __gt__(self, other: Any) -> "Tensor": return np.greater(self, other)
    def __ge__(self, other: Any) -> "Tensor": return np.greater_equal(self, other)
    def __eq__(self, other: Any) -> Any: return np.equal(self, other) if is_operand(other) else NotImplemented
    def __ne__(self, other: Any) -> Any: return np.not_equal(self, other) if is_operand(other) else NotImplemented
    def __and__(self, other: Any) -> "Tensor": return np.bitwise_and(self, other)
    def __or__(self, other: Any) -> "Tensor": return np.bitwise_or(self, other)
    def __xor__(self, other: Any) -> "Tensor": return np.bitwise_xor(self, other)
    def __invert__(self) -> "Tensor": return np.invert(self)
    __hash__ = object.__hash__      # defining __eq__ takes it away; tensors are dictionary keys by identity

    # ------------------------------------------------------------------ NumPy calls: np.exp(t), np.sum(t) ...

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, out: Any = None, **options: Any) -> Any:
        if out is not None:
            raise TypeError(f"numpy.{ufunc.__name__} cannot write a Tensor into an array: write "
                            "w.data -= lr * w.grad.data, or `with tn.no_grad(): w -= lr * w.grad`")
        if method != "__call__":
            raise TypeError(f"numpy.{ufunc.__name__}.{method} has no derivative here; "
                            "use the function (np.sum, np.max ...), or t.data for the value alone")
        return self.__array_function__(ufunc, (), inputs, options)

    def __array_function__(self, function: Callable, types: Any, args: Any, options: Any) -> Any:
        if function not in numpy_functions:
            raise TypeError(f"numpy.{function.__name__} has no derivative here; "
                            f"np.{function.__name__}(t.data) gives the value alone")
        return numpy_functions[function](*args, **options)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.numpy(), dtype=dtype, copy=copy)

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
        return bool(self._data)

    def __float__(self) -> float: return float(self.item())
    def __int__(self) -> int: return int(self.item())
    def __index__(self) -> int: return operator.index(self.item())

    def __format__(self, specification: str) -> str:
        return format(self.item() if specification and not self.shape else str(self), specification)

    def __repr__(self) -> str:
        return f"tensor({describe(self._data)}{self._history()})"

    def _history(self) -> str:
        if self.operation is not None:
            return f", grad_fn=<{self.operation.__name__}>"
        return ", requires_grad=True" if self._requires_grad else ""

    if TYPE_CHECKING:           # the files of operations attach the other methods
        def __getattr__(self, name: str) -> Any: ...


def is_operand(x: Any) -> bool:
    """Whether `x` is something that an operation can compute with."""
    return isinstance(x, (Tensor, int, float)) or hasattr(x, "dtype")


def as_index(index: Any) -> Any:
    """`index` with the tensors in it replaced by their arrays."""
    if isinstance(index, tuple):
        return tuple(as_index(i) for i in index)
    return index.data if isinstance(index, Tensor) else index


def method(function: Callable) -> Callable:
    """Decorator: make a function of a tensor a method as well, so that ``exp(t)`` is also ``t.exp()``."""
    setattr(Tensor, function.__name__, function)
    return function


def is_recording(*inputs: Any) -> bool:
    """Whether an operation on these inputs would be recorded now."""
    return is_grad_enabled() and any(isinstance(x, Tensor) and x.requires_grad for x in inputs)
