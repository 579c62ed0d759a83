"""Names of devices, as PyTorch has them, and the device that new tensors are made on."""

import re
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import numpy as np

NAME = re.compile(r"(cpu)(?::(0))?|(?:cuda|gpu)(?::(\d+))?")
DEVICES = "'cpu', 'cuda' and, with several GPUs, 'cuda:0', 'cuda:1'"


def is_whole(x: Any) -> bool:
    return isinstance(x, (int, np.integer)) and not isinstance(x, bool)


@dataclass(frozen=True, init=False, repr=False)
class device:
    """Where the numbers of a tensor are: in the computer's memory, or in a GPU's.

    In a ``with`` statement it is where new tensors and the weights of new layers are made until the end of the block,
    unless they are told otherwise; and a GPU with a number is the one that computes there.

    As in PyTorch, a device without a number is not equal to one with it, nor to a text: ask for ``t.device.type``, or
    ``t.is_cuda``.

    Parameters
    ----------
    type : str, int or device
        "cpu", "cuda" or "cuda:1"; "gpu" means "cuda". A number alone is that of a GPU.
    index : int, optional
        The number of the GPU, if it is not in the name. Without any it is the one in use, which is the first unless
        `tinygrad_nuc.cuda.set_device` or a ``with`` statement says otherwise.

    Attributes
    ----------
    type : str
        "cpu" or "cuda".
    index : int or None

    Raises
    ------
    ValueError, TypeError
        If there are no devices of that name. Whether there is such a GPU is asked only when it is needed: then it may
        be a RuntimeError, which says what is missing.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.device("gpu:1"), str(tn.device("cuda", 1))
    (device(type='cuda', index=1), 'cuda:1')
    >>> with tn.device("cpu"):
    ...     tn.zeros(2).device
    device(type='cpu')
    """

    type: str
    index: int | None

    def __init__(self, type: Any, index: int | None = None) -> None:
        name = f"cuda:{type}" if is_whole(type) else str(type) if isinstance(type, device) else type
        if not isinstance(name, str):
            raise TypeError(f"a device has a name, such as 'cpu' or 'cuda', and {name!r} is none")
        match = NAME.fullmatch(name)
        if match is None:
            raise ValueError(f"unknown device {type!r}; there are {DEVICES}")
        host, of_host, of_gpu = match.groups()
        number = int(given) if (given := of_host or of_gpu) else None
        if index is not None:
            if number is not None or not is_whole(index) or index < 0 or (host and index):
                raise ValueError(f"there is no device {name!r} with the number {index!r}; there are {DEVICES}")
            number = int(index)
        object.__setattr__(self, "type", host or "cuda")
        object.__setattr__(self, "index", number)

    def __str__(self) -> str:
        return self.type if self.index is None else f"{self.type}:{self.index}"

    def __repr__(self) -> str:
        return f"device(type={self.type!r}" + ("" if self.index is None else f", index={self.index}") + ")"

    def __enter__(self) -> "device":
        _chosen.set((*_chosen.get(), (self, make_current(self))))
        return self

    def __exit__(self, *error: object) -> None:
        *before, (_, current) = _chosen.get()
        _chosen.set(tuple(before))
        if current is not None:
            make_current(device("cuda", current))


CPU = device("cpu")

# What set_default_device has chosen, then what each `with` statement has: the device, and the number of the GPU that
# was in use before. A context variable, so that one thread's choice is not another's.
_chosen: ContextVar[tuple[tuple[device, int | None], ...]] = ContextVar("chosen", default=((CPU, None),))


def get_default_device() -> device:
    """The device that new tensors are made on.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.get_default_device()
    device(type='cpu')
    """
    return _chosen.get()[-1][0]


def set_default_device(device: Any) -> None:
    """Choose the device that new tensors, and the weights of new layers, are made on from here on.

    In a ``with`` statement over a device the choice lasts until the end of its block.

    Parameters
    ----------
    device : str, int, device or None
        "cuda", say; None means "cpu".

    Raises
    ------
    ValueError, TypeError
        If there are no devices of that name.
    RuntimeError
        If there is no such device here, saying what is missing.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.set_default_device("cpu")
    >>> tn.ones(2).device
    device(type='cpu')
    """
    where = CPU if device is None else as_device(device)
    make_current(where)
    *before, (_, current) = _chosen.get()
    _chosen.set((*before, (where, current)))


def make_current(where: device) -> int | None:
    """Let a GPU with a number compute from here on; returns the number of the one that did so before."""
    if where.type == "cpu":
        return None
    from .gpu import ready
    cupy = ready(where)
    current = cupy.cuda.runtime.getDevice()
    if where.index not in (None, current):
        cupy.cuda.Device(where.index).use()
    return current


def as_device(name: Any) -> device:
    """A device, or the name of one, as a device."""
    return name if isinstance(name, device) else device(name)


def is_device(name: Any) -> bool:
    """Whether this is a device, or meant to be the name of one, and not a dtype."""
    return isinstance(name, device) or isinstance(name, str) and name.split(":")[0] in ("cpu", "gpu", "cuda")


def known_dtype(target: Any, who: str) -> np.dtype:
    """The dtype that `target` stands for where it could have been a device as well."""
    try:
        return np.dtype(target)
    except TypeError:
        raise TypeError(f"{who}: unknown device or dtype {target!r}; there are the devices {DEVICES}, and dtypes such "
                        "as tn.float64") from None
