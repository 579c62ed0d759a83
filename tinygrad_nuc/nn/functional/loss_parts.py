"""What losses have in common: targets and weights that fit, and the mean, the sum or every element."""

import math
from typing import Any

import numpy as np

from ...devices.moving import placed_like
from ...engine.arrays import as_array
from ...engine.explain import device_clash
from ...engine.tensor import Tensor
from .checks import require_tensor


def matching(name: str, input: Tensor, target: Any) -> Tensor:
    """The target as a tensor like `input`; integers and booleans are converted, anything else must fit."""
    if (isinstance(input, Tensor) and isinstance(target, Tensor) and type(input.data) is type(target.data) is np.ndarray
            and input.shape == target.shape and input.dtype == target.dtype):
        return target                                       # as it mostly is: the rest says what does not fit
    require_tensor(name, "input", input)
    target = beside(input, target)
    if target.shape != input.shape:
        hint = ("; add or remove the last dimension with unsqueeze(-1) or squeeze(-1)"
                if math.prod(input.shape) == target.numel() else "")
        raise ValueError(f"{name}: the input has shape {input.shape} and the target {target.shape}; "
                         f"they must be equal{hint}")
    return of_same_dtype(name, input, "target", target)


def of_same_dtype(name: str, input: Tensor, which: str, x: Any) -> Tensor:
    """`x` as a tensor; integers and booleans in the dtype of `input`, floats of another one refused."""
    x = beside(input, x)
    require_one_device(name, input, which, x)
    if x.dtype.kind in "iub":
        return x.to(input.dtype)
    if x.dtype != input.dtype:
        raise TypeError(f"{name}: the input is {input.dtype} and the {which} {x.dtype}; "
                        "convert one with .float() or .double()")
    return x


def beside(input: Tensor, x: Any) -> Tensor:
    """`x` as a tensor; an array or a list goes where the input is."""
    return x if isinstance(x, Tensor) else Tensor(placed_like(input.data, as_array(x)))


def require_one_device(name: str, input: Tensor, which: str, x: Tensor) -> None:
    """Refuse what is in another memory than the input."""
    if type(x.data) is np.ndarray is type(input.data):
        return
    clash = device_clash(("input", which), (input.data, x.data))
    if clash:
        raise TypeError(f"{name}: {clash}")


def fitting_weight(name: str, input: Tensor, which: str, weight: Any) -> Tensor:
    """A weight for every element of `input`, or one that broadcasts to it."""
    weight = of_same_dtype(name, input, which, weight)
    tail = input.shape[input.ndim - weight.ndim:] if weight.ndim <= input.ndim else None
    if tail is None or any(n not in (1, m) for n, m in zip(weight.shape, tail, strict=True)):
        raise ValueError(f"{name}: a {which} of shape {weight.shape} does not fit an input of shape {input.shape}; "
                         "it must broadcast to that shape")
    return weight


def equal_weight(name: str, input: Tensor, weight: Any) -> Tensor:
    """A weight for every element of `input`, of its shape."""
    weight = of_same_dtype(name, input, "weight", weight)
    if weight.shape != input.shape:
        raise ValueError(f"{name}: the input has shape {input.shape} and the weight {weight.shape}; they must be equal")
    return weight


def require_probability(name: str, which: str, x: Tensor) -> None:
    """Refuse values outside [0, 1] (NaN included). Looked at on the CPU only: a device would have to wait."""
    if type(x.data) is np.ndarray and x.numel() and not (x.data.min() >= 0 and x.data.max() <= 1):
        raise ValueError(f"{name}: the {which} must lie from 0 to 1, and has values from {x.data.min():g} "
                         f"to {x.data.max():g}")


def require_not_negative(name: str, which: str, x: Tensor) -> None:
    """Refuse values below 0. Looked at on the CPU only: a device would have to wait for the answer."""
    if type(x.data) is np.ndarray and x.numel() and x.data.min() < 0:
        raise ValueError(f"{name}: the {which} must not be negative, and has values down to {x.data.min():g}")


def require_number(name: str, which: str, x: Any, above: float | None = None) -> float:
    """`x` as a Python number, of at least 0, or above a bound."""
    if not isinstance(x, (int, float, np.number)):
        raise TypeError(f"{name}: {which} is a number, not a {type(x).__name__}")
    if not (x >= 0 if above is None else x > above):
        raise ValueError(f"{name}: {which} must be {'at least 0' if above is None else f'above {above:g}'}, not {x}")
    return float(x)


def reduced(name: str, loss: Tensor, reduction: str, total: Any = None) -> Tensor:
    """The mean, the sum, or every element of the loss; a weighted mean divides by the `total` of the weights."""
    if reduction == "mean":
        if total is None:
            return loss.mean()
        # the mean of nothing is NaN; 0/0 is that too, but NumPy would warn of it, and of g/0 in the backward pass
        return loss.sum() / np.where(total == 0, np.nan, total)
    if reduction == "sum":
        return loss.sum()
    if reduction == "none":
        return loss
    raise ValueError(f"{name}: reduction must be 'mean', 'sum' or 'none', not {reduction!r}")
