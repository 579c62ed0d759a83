"""Joining many arrays while a step is recorded: one copy for each, since CuPy would send a list of them to the GPU."""

from typing import Any

import numpy as np

from ...engine import accelerator
from ...operations.axes import along
from ...operations.joining import Concatenate
from ..gpu import import_cupy
from .registry import computes

WITHOUT_A_LIST = 8                          # arrays that CuPy joins without one


@computes(Concatenate.forward)
def concatenate(*arrays: Any, axis: int, starts: Any) -> Any:
    recorded = accelerator.recording is not None or accelerator.rehearsing
    if not recorded or len(arrays) <= WITHOUT_A_LIST or any(a.ndim != arrays[0].ndim for a in arrays):
        return NotImplemented
    axis %= arrays[0].ndim
    shape = [*arrays[0].shape]
    shape[axis] = sum(a.shape[axis] for a in arrays)
    y = import_cupy().empty(tuple(shape), np.result_type(*(a.dtype for a in arrays)))
    start = 0
    for a in arrays:
        y[along(axis, slice(start, start + a.shape[axis]))] = a
        start += a.shape[axis]
    return y
