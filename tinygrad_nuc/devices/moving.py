"""Arrays on their way: from the computer's memory to a GPU's, and back."""

from typing import Any

import numpy as np

from ..engine import accelerator
from ..engine.arrays import in_memory, on_host
from .names import CPU, as_device, device, get_default_device


def on_device(array: Any, where: Any) -> Any:
    """The array itself if it is there already, otherwise a copy there.

    Raises
    ------
    ValueError, TypeError
        If this is no name of a device.
    RuntimeError
        If there is no such device, saying what is missing; if its memory is full.

    Examples
    --------
    >>> import numpy as np
    >>> a = np.zeros(3)
    >>> on_device(a, "cpu") is a
    True
    """
    where = as_device(where)
    if where.type == "cpu":
        return on_host(array)
    from .gpu import ready
    from .memory import explained
    cupy = ready(where)
    number = cupy.cuda.runtime.getDevice() if where.index is None else where.index
    if isinstance(array, np.ndarray):
        array = array.astype(array.dtype.newbyteorder("="), copy=False)
    elif isinstance(array, cupy.ndarray) and array.device.id == number:
        return array
    try:
        with cupy.cuda.Device(number):
            return cupy.asarray(array)
    except MemoryError as error:
        raise (explained(error) or error) from None


def device_of(array: Any) -> device:
    """Where an array is.

    Examples
    --------
    >>> import numpy as np
    >>> device_of(np.zeros(3))
    device(type='cpu')
    """
    return CPU if in_memory(array) else device("cuda", array.device.id)


def placed(array: Any, where: Any = None) -> Any:
    """An array that was just made, on the device that was asked for, or else on the default one.

    Examples
    --------
    >>> import numpy as np
    >>> placed(np.zeros(2))
    array([0., 0.])
    """
    if where is None:
        where = get_default_device()
        if where is CPU:                        # the usual case, quickly
            return array if accelerator.made is None or not isinstance(array, np.ndarray) else accelerator.made(array)
    return on_device(array, where)


def placed_like(other: Any, array: Any) -> Any:
    """The array on the device where the array `other` is."""
    if in_memory(other):
        return array if in_memory(array) else on_host(array)
    if type(array) is type(other) and array.device.id == other.device.id:
        return array
    return on_device(array, device_of(other))
