"""What inputs and weights must be, and the errors that say so."""

from typing import Any

import numpy as np

from ...engine.tensor import Tensor


def require_tensor(name: str, which: str, x: Any) -> None:
    """Refuse an array or a list: what is computed from it would have no gradient."""
    if isinstance(x, Tensor):
        return
    kind, way = type(x).__name__, "tensor(x)"
    if kind == "Tensor":                                        # PyTorch's, say
        kind, way = f"{type(x).__module__}.Tensor", "from_dlpack(x)"
    raise TypeError(f"{name}: the {which} is a {kind}, not a tensor: write tn.{way}")


def require_dtype_of(name: str, input: Any, weight: Any) -> None:
    """Refuse an input or weights that are no tensors, or of different dtypes."""
    require_tensor(name, "input", input)
    require_tensor(name, "weight", weight)
    require_equal_dtypes(name, "input", input, "weights are", weight)


def require_fit(name: str, like: Tensor, which: str, x: Any, shape: tuple[int, ...], kind: str = "input") -> None:
    """Refuse a bias, or another tensor that may be left out, of the wrong shape or dtype for an input or weights."""
    if x is None:
        return
    require_tensor(name, which, x)
    if x.shape != shape:
        raise ValueError(f"{name}: the {which} has shape {x.shape}, and the {kind} {like.shape}; the {which} must have "
                         f"shape {shape}")
    require_equal_dtypes(name, kind, like, f"{which} is", x)


def require_equal_dtypes(name: str, kind: str, like: Tensor, which: str, x: Tensor) -> None:
    """Refuse float32 where float64 is, and the reverse: NumPy would convert one of them without a word."""
    if x.dtype != like.dtype:
        raise TypeError(f"{name}: the {kind} is {like.dtype} and the {which} {x.dtype}; convert the input "
                        "with .float() or .double(), or the model with model.float() or model.double()")


def at_least_float32(x: Tensor) -> Tensor:
    """float16 as float32: its largest number is 65,504, and sums and squares soon exceed that."""
    return x.to(np.float32) if x.dtype == np.float16 else x


def require_float(name: str, input: Any) -> None:
    """Refuse an input that is not a tensor of floating-point numbers."""
    require_tensor(name, "input", input)
    if input.dtype.kind != "f":
        raise TypeError(f"{name}: the input must be of a floating-point type, not {input.dtype}: write x.float()")
