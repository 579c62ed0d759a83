"""The same values in memory of their own, in another dtype or on another device; how leaves are copied and pickled."""

import copy
from typing import Any

import numpy as np

from ..devices.moving import device_of, on_device
from ..devices.names import as_device, is_device, known_dtype
from ..engine.arrays import as_array, on_host
from ..engine.grad_mode import is_grad_enabled
from ..engine.operation import Operation
from ..engine.registry import implements
from ..engine.tensor import Tensor, method


class Clone(Operation):
    """y = a, in memory of its own"""
    def forward(a):       return np.copy(a)
    def grad_a(g, y, a):  return g


class Cast(Operation):
    """y = a in another floating-point type; the engine casts the gradient back"""
    def forward(a, *, dtype):       return a.astype(dtype)
    def grad_a(g, y, a, *, dtype):  return g


# ---------------------------------------------------------------------- copy.copy, copy.deepcopy and pickle

@method
def __copy__(self: Tensor) -> Tensor:
    """Another leaf with the same array, whose changes both know of."""
    require_leaf(self)
    twin = type(self)(self.data, self.requires_grad)
    twin.grad, twin.changes = self.grad, self.shared_changes()
    return twin


@method
def __deepcopy__(self: Tensor, memo: dict) -> Tensor:
    """Another leaf with a copy of the array, on the same device."""
    require_leaf(self)
    twin = type(self)(copy.deepcopy(self.data, memo), self.requires_grad)
    memo[id(self)] = twin
    twin.grad = None if self.grad is None else copy.deepcopy(self.grad.detach(), memo)
    return twin


@method
def __reduce_ex__(self: Tensor, protocol: Any) -> Any:
    """How pickle takes a leaf apart. It comes back in the computer's memory, wherever it was: also where no GPU is."""
    require_leaf(self)
    grad = None if self.grad is None else self.grad.detach()
    return type(self), (on_host(self.data), self.requires_grad), (None, {"grad": grad})


def require_leaf(tensor: Tensor) -> None:
    """A result would drag its whole graph along."""
    if tensor.operation is not None:
        raise TypeError("only leaves can be copied or pickled; use .clone(), which keeps the history, or .detach()")


# ---------------------------------------------------------------------- as functions and methods
# From here on float, int and bool are ours, not Python's.

@method
@implements(np.copy)
def clone(input: Tensor) -> Tensor:
    """A copy with its own memory, through which gradients pass.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.tensor([1.0, 2.0]).clone()
    tensor([1., 2.])
    """
    return Clone.apply(input)


@method
def astype(self: Tensor, dtype: Any) -> Tensor:
    """The values in another dtype. Gradients pass between floating-point types only.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.tensor([1.7, -1.7]).astype(tn.int64)
    tensor([ 1, -1])
    """
    dtype = np.dtype(dtype)
    return Cast.apply(self, dtype=dtype) if dtype.kind == "f" else Tensor(as_array(self.data, dtype))


@method
def to(self: Tensor, target: Any, dtype: Any = None) -> Tensor:
    """The values in another dtype, on another device, or both; the tensor itself if it is so already.

    Parameters
    ----------
    target : dtype, device, str or Tensor
        For instance ``tn.float64``, ``"cuda"``, ``tn.device("cuda:1")``; with a tensor, its dtype and device.
    dtype : dtype, optional
        After a device: ``t.to("cuda", tn.float64)``.

    Raises
    ------
    TypeError, ValueError
        If it is the name of neither.
    RuntimeError
        If there is no such device here; or if the move would have to be differentiated: move data and models first.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> t = tn.tensor([1.5]).to("cpu").to(tn.float64)
    >>> t, tn.tensor([1]).to(t), tn.tensor([1]).to("cpu", tn.float32)
    (tensor([1.5000], dtype=float64), tensor([1.], dtype=float64), tensor([1.]))
    """
    if isinstance(target, Tensor):
        return to(self, device_of(target.data), target.dtype)
    if not is_device(target):
        if dtype is not None:
            raise TypeError(f"to: a device comes before a dtype, as in t.to('cuda', tn.float64); {target!r} is none")
        wanted = known_dtype(target, "to")
        return self if self.dtype == wanted else astype(self, wanted)
    if dtype is not None:
        self = to(self, known_dtype(dtype, "to"))
    array = on_device(self.data, target)
    if array is self.data:
        return self
    if self.requires_grad and is_grad_enabled():
        raise RuntimeError(f"to({str(target)!r}): a tensor that requires a gradient has to be where it is needed "
                           "before operations are recorded: move the data, or the model with model.to(...)")
    return Tensor(array)


@method
def cpu(self: Tensor) -> Tensor:
    """The values in the computer's memory."""
    return to(self, "cpu")


@method
def cuda(self: Tensor, device: Any = "cuda") -> Tensor:
    """The values on a GPU: the one in use, or the one of that number or name."""
    return to(self, as_device(device))


# Attached here and not in Tensor, since the engine knows nothing of devices.
setattr(Tensor, "device", property(lambda self: device_of(self.data), doc="Where the numbers are."))
setattr(Tensor, "is_cuda", property(lambda self: device_of(self.data).type == "cuda", doc="Whether on a GPU."))


@method
def float(self: Tensor) -> Tensor:
    """The values as float32."""
    return to(self, np.float32)


@method
def double(self: Tensor) -> Tensor:
    """The values as float64."""
    return to(self, np.float64)


@method
def long(self: Tensor) -> Tensor:
    """The values as int64, cut towards zero."""
    return to(self, np.int64)


@method
def int(self: Tensor) -> Tensor:
    """The values as int32, cut towards zero."""
    return to(self, np.int32)


@method
def bool(self: Tensor) -> Tensor:
    """True where the value is not zero."""
    return to(self, np.bool_)
