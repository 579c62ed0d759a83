"""Changing a tensor's own memory: `w -= lr * w.grad` inside ``no_grad``, `fill_`, `copy_` and their like.

A change in place is not an operation: it cannot be differentiated, and it may spoil values that recorded
operations still need. So it is allowed only where nothing is being recorded, and it notes the time, which
``backward`` checks. Where something is recorded, ``y += x`` means ``y = y + x``: a new tensor.
"""

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from ..devices.moving import placed_like
from ..engine import debugging
from ..engine.generator import default_generator, uniform
from ..engine.grad_mode import is_grad_enabled
from ..engine.tensor import Tensor, method, value
from . import activations, arithmetic, exponential, hyperbolic, logic, masking, selection, trigonometric, whole_numbers
from .indexing import as_index

# The methods that have a twin in place; the files imported above define them.
IN_PLACE = ("add", "sub", "mul", "div", "pow", "neg", "abs", "square", "sqrt", "exp", "log", "sin", "cos", "tanh",
            "sigmoid", "relu", "clamp", "floor", "ceil", "round", "trunc", "masked_fill")


def refuse_if_recording(name: str, target: Tensor, *sources: Any) -> None:
    """An error that says what to do instead, if the change would have to be differentiated."""
    if not is_grad_enabled():
        return
    if target.requires_grad:
        raise RuntimeError(f"{name}: a tensor that requires a gradient cannot be changed in place while operations are "
                           "recorded; wrap the change in `with tn.no_grad():`, or compute a new tensor")
    if any(isinstance(x, Tensor) and x.requires_grad for x in sources):
        raise RuntimeError(f"{name}: the value requires a gradient, and a tensor it is written into would not remember "
                           "where it came from; build the result of its parts, with tn.stack, tn.cat or tn.where, or "
                           "write the number alone, with .item() or .detach()")


def overwrite(name: str, target: Tensor, source: Any, index: Any = ...) -> Tensor:
    """target[index] = source, checked before anything is written; it is moved to the target's device if need be."""
    refuse_if_recording(name, target, source)
    source = value(source)
    if type(target.data) is not type(source) and not isinstance(source, (int, float)):
        source = placed_like(target.data, source if hasattr(source, "dtype") else np.asarray(source))
    room, given = np.shape(target.data[index]), np.shape(source)
    while len(given) > len(room) and given[0] == 1:         # one row of a batch, say, as NumPy takes it too
        given, source = given[1:], np.reshape(source, given[1:])
    try:
        fits = np.broadcast_shapes(room, given) == room
    except ValueError:
        fits = False
    if not fits:
        raise ValueError(f"{name}: values of shape {given} do not fit into shape {room}")
    with debugging.writable([target]):
        if isinstance(target.data, np.ndarray) and not target.data.flags.writeable:
            raise ValueError(f"{name}: this tensor shows one value in several places (expand, unfold), or its array is "
                             "read-only; change a copy, made with .clone()")
        target.data[index] = source
    target.mark_changed()
    return target


def augmented_assignment(symbol: str, compute: Callable) -> Callable:
    """The method behind ``y += x`` and its like, where `compute` is the operator + of two tensors."""
    def assign(self: Tensor, other: Any) -> Tensor:
        if self.is_leaf:
            refuse_if_recording(symbol, self)
        result = compute(self, other)
        if result.requires_grad:
            return result                       # recorded: Python gives the new tensor the old name
        if result.dtype.kind != self.dtype.kind:
            raise TypeError(f"{symbol}: the result is {result.dtype} and does not fit into a tensor of {self.dtype}")
        return overwrite(symbol, self, result)
    return assign


for _symbol, _operator in {"+=": operator.add, "-=": operator.sub, "*=": operator.mul, "/=": operator.truediv,
                           "**=": operator.pow, "%=": operator.mod, "//=": operator.floordiv,
                           "&=": operator.and_, "|=": operator.or_, "^=": operator.xor}.items():
    setattr(Tensor, f"__i{_operator.__name__.rstrip('_')}__", augmented_assignment(_symbol, _operator))     # __iadd__


def in_place(name: str) -> Callable:
    """The method ``t.name_(...)``, which overwrites t with ``t.name(...)``."""
    compute = getattr(Tensor, name)

    def change(self: Tensor, *args: Any, **options: Any) -> Tensor:
        refuse_if_recording(f"{name}_", self, *args)
        result = compute(self, *args, **options)
        if result.dtype.kind != self.dtype.kind:
            raise TypeError(f"{name}_: the result is {result.dtype} and does not fit into a tensor of {self.dtype}")
        return overwrite(f"{name}_", self, result)
    change.__name__ = f"{name}_"
    change.__doc__ = f"Overwrite this tensor with the result of its method `{name}`, outside recording."
    return change


for _name in IN_PLACE:
    method(in_place(_name))


@method
def __setitem__(self: Tensor, index: Any, values: Any) -> None:
    """``t[index] = values``, outside recording."""
    overwrite("t[index] = values", self, values, as_index(index, self.data))


@method
def copy_(self: Tensor, source: Any) -> Tensor:
    """Overwrite this tensor's values with those of `source`, broadcast and cast to its dtype.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.zeros(2).copy_(tn.tensor([1.0, 2.0]))
    tensor([1., 2.])
    """
    return overwrite("copy_", self, source)


@method
def fill_(self: Tensor, number: float) -> Tensor:
    """Overwrite every value with one number.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.zeros(2).fill_(7)
    tensor([7., 7.])
    """
    return overwrite("fill_", self, number)


@method
def zero_(self: Tensor) -> Tensor:
    """Overwrite every value with 0.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.ones(2).zero_()
    tensor([0., 0.])
    """
    return overwrite("zero_", self, 0)


def require_float(name: str, tensor: Tensor) -> None:
    """Random numbers would be cut to whole ones in an integer tensor."""
    if tensor.dtype.kind != "f":
        raise TypeError(f"{name}: the tensor must be of a floating-point type, not {tensor.dtype}")


@method
def uniform_(self: Tensor, low: float = 0.0, high: float = 1.0) -> Tensor:
    """Overwrite with random numbers spread evenly over [low, high).

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> _ = tn.manual_seed(0)
    >>> tn.zeros(2).uniform_(-1, 1)
    tensor([ 0.2739, -0.4604])
    """
    require_float("uniform_", self)
    return overwrite("uniform_", self, uniform(low, high, self.shape, self.dtype))


@method
def normal_(self: Tensor, mean: float = 0.0, std: float = 1.0) -> Tensor:
    """Overwrite with random numbers from the normal distribution.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> _ = tn.manual_seed(0)
    >>> tn.zeros(2).normal_(10, 0.1)
    tensor([10.0126,  9.9868])
    """
    require_float("normal_", self)
    return overwrite("normal_", self, default_generator().normal(mean, std, self.shape))
