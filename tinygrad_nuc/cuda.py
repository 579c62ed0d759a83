"""What there is to know and to ask about GPUs, under PyTorch's names: ``tn.cuda.is_available()`` and its like."""

from typing import Any

from .devices import memory as _memory
from .devices import names as _names
from .devices.capture import capture
from .devices.gpu import import_cupy, ready, why_unavailable
from .devices.kernels.registry import use_kernels
from .devices.memory import OutOfMemoryError

__all__ = ["OutOfMemoryError", "capture", "current_device", "device_count", "empty_cache", "get_device_name",
           "is_available", "mem_get_info", "memory_allocated", "memory_reserved", "set_device", "synchronize",
           "use_kernels", "why_unavailable"]


def is_available() -> bool:
    """Whether there is a GPU that can be used; if not, `why_unavailable` says what is missing.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> device = "cuda" if tn.cuda.is_available() else "cpu"
    """
    return not why_unavailable()


def device_count() -> int:
    """How many GPUs there are.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.cuda.device_count() > 0 or not tn.cuda.is_available()
    True
    """
    return import_cupy().cuda.runtime.getDeviceCount() if is_available() else 0


def current_device() -> int:
    """The number of the GPU in use, which "cuda" without a number means.

    Raises
    ------
    RuntimeError
        If there is none, saying what is missing.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.cuda.current_device() if tn.cuda.is_available() else 0
    0
    """
    return import_cupy().cuda.runtime.getDevice()


def set_device(device: Any) -> None:
    """Choose the GPU that computes from here on, which "cuda" without a number then means.

    Parameters
    ----------
    device : int, str or device
        Its number or name.

    Raises
    ------
    ValueError
        If this is no name of a GPU.
    RuntimeError
        If there is no such GPU, saying what is missing.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> if tn.cuda.device_count() > 1:
    ...     tn.cuda.set_device(0)
    """
    _names.make_current(_gpu("set_device", device))


def get_device_name(device: Any = None) -> str:
    """What the maker calls a GPU: the one in use, unless it is told which.

    Raises
    ------
    ValueError
        If this is no name of a GPU.
    RuntimeError
        If there is no such GPU, saying what is missing.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> name = tn.cuda.get_device_name() if tn.cuda.is_available() else "none"
    """
    cupy, number = _found("get_device_name", device)
    name = cupy.cuda.runtime.getDeviceProperties(number)["name"]
    return name.decode() if isinstance(name, bytes) else name


def synchronize(device: Any = None) -> None:
    """Wait until a GPU has done all that it was told: before a clock is read, for instance.

    Raises
    ------
    ValueError
        If this is no name of a GPU.
    RuntimeError
        If there is no such GPU, saying what is missing.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> if tn.cuda.is_available():
    ...     tn.cuda.synchronize()
    """
    cupy, number = _found("synchronize", device)
    cupy.cuda.Device(number).synchronize()


def memory_allocated() -> int:
    """How many bytes of the GPU's memory tensors hold now, those that recorded steps keep too; 0 without a GPU.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.cuda.memory_allocated() <= tn.cuda.memory_reserved()
    True
    """
    return _memory.held(import_cupy())[0] if is_available() else 0


def memory_reserved() -> int:
    """How many bytes of the GPU's memory this program has reserved, for tensors now and to come; 0 without a GPU.

    Each recorded step has reserved memory of its own, which `empty_cache` does not give back.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.cuda.memory_reserved() >= 0
    True
    """
    return _memory.held(import_cupy())[1] if is_available() else 0


def mem_get_info(device: Any = None) -> tuple[int, int]:
    """How many bytes of a GPU's memory are free, whoever uses the others, and how many it has.

    Raises
    ------
    ValueError
        If this is no name of a GPU.
    RuntimeError
        If there is no such GPU, saying what is missing.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> free, total = tn.cuda.mem_get_info() if tn.cuda.is_available() else (0, 0)
    """
    cupy, number = _found("mem_get_info", device)
    free, total = cupy.cuda.Device(number).mem_info
    return free, total


def empty_cache() -> None:
    """Give back what is reserved and no tensor uses, so that other programs may have it; nothing without a GPU.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.cuda.empty_cache()
    """
    if is_available():
        cupy = import_cupy()
        cupy.get_default_memory_pool().free_all_blocks()
        cupy.get_default_pinned_memory_pool().free_all_blocks()


def _gpu(who: str, device: Any) -> _names.device:
    """The GPU of that number or name; the one in use for None."""
    where = _names.as_device("cuda" if device is None else device)
    if where.type != "cuda":
        raise ValueError(f"{who}: {str(where)!r} is no GPU; give a number, or a name such as 'cuda:0'")
    return where


def _found(who: str, device: Any) -> tuple[Any, int]:
    """CuPy, and the number of a GPU that is there."""
    where = _gpu(who, device)
    cupy = ready(where)
    return cupy, cupy.cuda.runtime.getDevice() if where.index is None else where.index
