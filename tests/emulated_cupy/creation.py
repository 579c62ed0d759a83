"""cupy's functions that make arrays and move them."""

import numpy as np
from device_guard import GuardArray

from .machine import arrays_in
from .memory import running


def asarray(a, dtype=None, order=None, *, blocking=False):
    """On the current device: an array that is there already as it is, any other is copied."""
    if isinstance(a, GuardArray):
        if a.device.id != running().current:
            a = a.copy()
        return a if dtype is None or a.dtype == np.dtype(dtype) else a.astype(dtype)
    host = np.array(a, dtype=dtype, order=order or "K", copy=True)
    if host.dtype.kind not in "biufc":
        raise ValueError(f"Unsupported dtype {host.dtype}")
    running().upload("asarray")
    return GuardArray(host)


def asnumpy(a, stream=None, order="C", out=None, *, blocking=True):
    return a.get(stream, order, out) if isinstance(a, GuardArray) else np.asarray(a, order=order)


def empty(shape, dtype=float, order="C"):
    return running().empty(shape, dtype, order)


def zeros(shape, dtype=float, order="C"): return full(shape, 0, dtype)
def ones(shape, dtype=float): return full(shape, 1, dtype)


def full(shape, fill_value, dtype=None):
    made = empty(shape, np.asarray(fill_value).dtype if dtype is None else dtype)
    made.fill(fill_value)
    return made


def arange(start, stop=None, step=1, dtype=None):
    host = np.arange(start, dtype=dtype) if stop is None else np.arange(start, stop, step, dtype)
    made = empty(host.shape, host.dtype)
    there = made._host
    running().launch(lambda: np.copyto(there, host), [made])
    return made


def empty_pinned(shape, dtype=float, order="C"):
    """Host memory (cupyx.empty_pinned)."""
    return np.empty(shape, dtype, order)


def on_device(function):
    """One of NumPy's functions as cupy's of that name: it takes device arrays only."""
    def call(*args, **options):
        if not arrays_in((args, options)):
            raise TypeError(f"cupy.{function.__name__}: no array of the device among the arguments")
        return function(*args, **options)
    call.__name__ = function.__name__
    return call
