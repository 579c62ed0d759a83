"""Arrays that tensors hold: made from what users give, and shown to them."""

from collections.abc import Callable
from typing import Any

import numpy as np

reads: list[Callable[[], Any]] = []     # called before a device is asked for numbers, for which it has to stop and wait

_default_dtype = np.dtype(np.float32)


def set_default_dtype(dtype: Any) -> None:
    """Set the dtype that Python floats get when they become tensors (float32 at the start).

    Raises
    ------
    TypeError
        If `dtype` is not a floating-point type.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.set_default_dtype(tn.float64)
    >>> tn.tensor([0.5]).dtype
    dtype('float64')
    >>> tn.set_default_dtype(tn.float32)
    """
    global _default_dtype
    dtype = np.dtype(dtype)
    if dtype.kind != "f":
        raise TypeError(f"the default dtype must be a floating-point type, not {dtype}")
    _default_dtype = dtype


def get_default_dtype() -> np.dtype:
    """The dtype that Python floats get when they become tensors.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.get_default_dtype()
    dtype('float32')
    """
    return _default_dtype


def as_array(data: Any, dtype: Any = None) -> Any:
    """An array as it is; Python numbers and nested lists as an array of the default dtype (ints: int64)."""
    if type(data) is not np.ndarray:
        from_python = not hasattr(data, "dtype")
        if from_python or not hasattr(data, "__array_function__") or isinstance(data, np.ndarray):
            data = np.asarray(data)             # numbers, lists, NumPy scalars, data frames, memory maps
        if from_python and data.dtype.kind == "f" and dtype is None:
            dtype = _default_dtype
    if data.dtype.kind not in "fiub":
        raise TypeError(f"a tensor holds floating-point numbers, integers or booleans, not {data.dtype}")
    return data if dtype is None or data.dtype == dtype else data.astype(dtype)


def as_float(array: Any) -> Any:
    """Arrays of integers or booleans as float64, since their own arithmetic would wrap around; others as they are."""
    return array.astype(np.float64) if getattr(getattr(array, "dtype", None), "kind", "") in ("i", "u", "b") else array


def in_memory(array: Any) -> bool:
    """Whether an array is in the computer's memory: NumPy's own, or what stands for one while a step is recorded.

    Examples
    --------
    >>> in_memory(np.zeros(3))
    True
    """
    return isinstance(array, (np.ndarray, np.generic)) or getattr(array, "device", None) == "cpu"


def on_host(array: Any) -> Any:
    """An array in the computer's memory: NumPy's own as it is, a device's as a copy, for which it has to wait.

    Examples
    --------
    >>> on_host(np.array([1.0, 2.0]))
    array([1., 2.])
    """
    if isinstance(array, (np.ndarray, np.generic)):
        return array
    for told in reads:
        told()
    return array.get()


def describe(array: Any) -> str:
    """The values as text: four decimals, the middle left out when there are many, and any unusual device and dtype."""
    device = "" if in_memory(array) else f", device='cuda:{array.device.id}'"
    array = on_host(array)
    whole = array.dtype.kind != "f" or not np.isfinite(array).any() or (array == np.round(array)).all()
    text = np.array2string(array, separator=", ", precision=4, prefix="tensor(",
                           floatmode="maxprec" if whole else "fixed")
    if (array.size == 0 and array.ndim != 1) or array.size > np.get_printoptions()["threshold"]:
        text += f", shape={array.shape}"            # not to be seen from the values that are shown
    usual = array.dtype in (_default_dtype, np.int64, np.bool_)
    return text + device if usual else f"{text}{device}, dtype={array.dtype}"
