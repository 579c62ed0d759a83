"""Where arrays live: in the computer's memory, "cpu", or in that of a GPU, "cuda" or "cuda:1" (CuPy's arrays)."""

import re
from typing import Any

import numpy as np

DEVICE = re.compile(r"cpu(:0)?|(cuda|gpu)(:(?P<number>\d+))?")
DEVICES = "'cpu', 'cuda' and, with several GPUs, 'cuda:0', 'cuda:1'"


def is_device(name: Any) -> bool:
    """Whether this is meant to be the name of a device, and not of a dtype."""
    return isinstance(name, str) and name.split(":")[0] in ("cpu", "gpu", "cuda")


def known_dtype(target: Any, who: str) -> np.dtype:
    """The dtype that `target` stands for where it could have been a device as well."""
    try:
        return np.dtype(target)
    except TypeError:
        raise TypeError(f"{who}: unknown device or dtype {target!r}; there are the devices {DEVICES}, and dtypes such "
                        "as tn.float64") from None


def on_device(array: Any, device: str) -> Any:
    """The array itself if it is there already, otherwise a copy there.

    Raises
    ------
    ValueError
        If this is no name of a device.
    RuntimeError
        If there is no such device, saying what is missing.

    Examples
    --------
    >>> import numpy as np
    >>> a = np.zeros(3)
    >>> on_device(a, "cpu") is a
    True
    """
    name = DEVICE.fullmatch(device) if isinstance(device, str) else None
    if name is None:
        raise ValueError(f"unknown device {device!r}; there are {DEVICES}")
    if device.startswith("cpu"):
        return array if isinstance(array, np.ndarray) else array.get()
    cupy = import_cupy()
    number = int(name["number"] or 0)
    if not 0 <= number < cupy.cuda.runtime.getDeviceCount():
        raise RuntimeError(f"there is no device {device!r} here, only {cupy.cuda.runtime.getDeviceCount()} of its kind")
    with cupy.cuda.Device(number):
        return cupy.asarray(array)


def placed_like(other: Any, array: Any) -> Any:
    """The array on the device where the array `other` is."""
    if type(array) is type(other):
        return array
    return on_device(array, "cpu") if isinstance(other, np.ndarray) else np.asarray(array, like=other)


def import_cupy() -> Any:
    """CuPy, if there is a GPU that it can use."""
    try:
        import cupy
    except ImportError:
        raise RuntimeError("a GPU needs CuPy: pip install \"tinygrad_nuc[cuda12]\" or \"tinygrad_nuc[cuda13]\", as "
                           "`nvidia-smi` says which version of CUDA there is") from None
    if not cupy.cuda.is_available():
        raise RuntimeError("CuPy is installed, but finds no GPU it can use; `nvidia-smi` tells whether there is one")
    return cupy
