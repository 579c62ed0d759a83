"""New tensors: from data, filled with constants, or drawn from the one seeded generator.

They are made on the default device (see `tinygrad_nuc.set_default_device`) unless they are told another one, with
``device="cuda"``. Random numbers are always drawn in the computer's memory: a seed means the same ones everywhere.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from .devices.moving import placed
from .devices.names import CPU, get_default_device
from .engine.arrays import as_array, get_default_dtype
from .engine.generator import default_generator, uniform
from .engine.tensor import Tensor, value
from .engine.watching import watchers
from .operations.shape import as_sizes


def tensor(data: Any, dtype: Any = None, requires_grad: bool = False, *, device: Any = None) -> Tensor:
    """A tensor with a copy of `data`.

    Parameters
    ----------
    data : array_like
        Arrays keep their dtype. Python floats become float32 (see `set_default_dtype`), ints int64.
    dtype : dtype, optional
        Another dtype to convert to.
    requires_grad : bool
        Record operations on it, so that ``backward`` can compute its gradient.
    device : str or device, optional
        Where to make it: "cpu", "cuda" ... By default where `data` is, if it is a tensor or an array on a GPU, and
        otherwise on the default device.

    Raises
    ------
    TypeError
        If `data` holds no numbers, or a gradient is asked for integers or booleans.
    ValueError, RuntimeError
        If there are no devices of that name, or no such device here.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.tensor([[1.0, 2.0]], requires_grad=True)
    tensor([[1., 2.]], requires_grad=True)
    """
    if isinstance(data, (list, tuple)) and any(isinstance(x, Tensor) for x in data):
        raise TypeError("tensor: a list of tensors would lose their history; join them with tn.stack or tn.cat")
    if isinstance(data, Tensor):
        for watcher in watchers:
            watcher.seen(data)
    array = np.copy(as_array(value(data), dtype))
    return Tensor(placed_by(data, array, device), requires_grad)


def placed_by(data: Any, array: Any, device: Any) -> Any:
    """The array made of `data` where it shall be: what has a place, as tensors have, stays there unless it is told."""
    if device is None and (get_default_device() is CPU or isinstance(data, Tensor)
                           or not isinstance(array, np.ndarray)):
        return array
    return placed(array, device)


def as_tensor(data: Any, dtype: Any = None, device: Any = None) -> Tensor:
    """A tensor that shares memory with the array `data` where it can; a tensor that is so already is returned itself.

    Parameters
    ----------
    data : array_like
    dtype : dtype, optional
        To convert to, if it is another one.
    device : str or device, optional
        Where it shall be. By default a tensor stays where it is, and all else goes to the default device.

    Raises
    ------
    TypeError
        If `data` holds no numbers.
    ValueError, RuntimeError
        If there are no devices of that name, or no such device here.

    Examples
    --------
    >>> import numpy as np, tinygrad_nuc as tn
    >>> a = np.zeros(2)
    >>> t = tn.as_tensor(a)
    >>> a[0] = 5
    >>> t
    tensor([5., 0.], dtype=float64)
    """
    if isinstance(data, Tensor):
        data = data if dtype is None else data.to(dtype)
        return data if device is None else data.to(device)
    array = as_array(data, dtype)
    return Tensor(placed_by(data, array, device))


def from_numpy(array: np.ndarray) -> Tensor:
    """A tensor that shares memory with a NumPy array, and so stays in the computer's memory.

    Examples
    --------
    >>> import numpy as np, tinygrad_nuc as tn
    >>> tn.from_numpy(np.array([1, 2]))
    tensor([1, 2])
    """
    if not isinstance(array, np.ndarray):
        raise TypeError(f"from_numpy: expects a numpy.ndarray, not {type(array).__name__}; tn.tensor takes anything")
    return Tensor(array)


def _filled(make: Callable, size: tuple, dtype: Any, requires_grad: bool, device: Any) -> Tensor:
    return Tensor(placed(make(as_sizes(size), dtype=dtype or get_default_dtype()), device), requires_grad)


def zeros(*size: Any, dtype: Any = None, requires_grad: bool = False, device: Any = None) -> Tensor:
    """All zeros.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.zeros(2, 3)
    tensor([[0., 0., 0.],
            [0., 0., 0.]])
    """
    return _filled(np.zeros, size, dtype, requires_grad, device)


def ones(*size: Any, dtype: Any = None, requires_grad: bool = False, device: Any = None) -> Tensor:
    """All ones.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.ones(3)
    tensor([1., 1., 1.])
    """
    return _filled(np.ones, size, dtype, requires_grad, device)


def full(size: Any, fill_value: float, dtype: Any = None, requires_grad: bool = False, device: Any = None) -> Tensor:
    """All equal to `fill_value`.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.full((2,), 0.5)
    tensor([0.5000, 0.5000])
    """
    return Tensor(placed(np.full(size, as_array(fill_value, dtype)), device), requires_grad)


def zeros_like(input: Tensor) -> Tensor:
    """Zeros of the same shape and dtype, on the same device.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.zeros_like(tn.tensor([1, 2]))
    tensor([0, 0])
    """
    return Tensor(np.zeros_like(input.data))


def ones_like(input: Tensor) -> Tensor:
    """Ones of the same shape and dtype, on the same device.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.ones_like(tn.tensor([1.5, 2.0]))
    tensor([1., 1.])
    """
    return Tensor(np.ones_like(input.data))


def eye(n: int, m: int | None = None, dtype: Any = None, device: Any = None) -> Tensor:
    """The identity matrix.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.eye(2)
    tensor([[1., 0.],
            [0., 1.]])
    """
    return Tensor(placed(np.eye(n, m, dtype=dtype or get_default_dtype()), device))


def arange(start: float, end: float | None = None, step: float = 1, dtype: Any = None, device: Any = None) -> Tensor:
    """start, start + step, … below `end` (from 0 when only one number is given); ints stay int64.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.arange(3), tn.arange(0.5, 2)
    (tensor([0, 1, 2]), tensor([0.5000, 1.5000]))
    """
    start, end = (0, start) if end is None else (start, end)
    whole = all(isinstance(x, (int, np.integer)) for x in (start, end, step))
    values = np.arange(start, end, step).astype(dtype or (np.int64 if whole else get_default_dtype()))
    return Tensor(placed(values, device))


def linspace(start: float, end: float, steps: int, dtype: Any = None, requires_grad: bool = False,
             device: Any = None) -> Tensor:
    """`steps` values at equal distances from `start` to `end`, both included.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.linspace(0, 1, 5)
    tensor([0.0000, 0.2500, 0.5000, 0.7500, 1.0000])
    """
    values = np.linspace(start, end, steps).astype(dtype or get_default_dtype())
    return Tensor(placed(values, device), requires_grad)


def rand(*size: Any, dtype: Any = None, requires_grad: bool = False, device: Any = None) -> Tensor:
    """Uniform random numbers in [0, 1).

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> _ = tn.manual_seed(0)
    >>> tn.rand(2)
    tensor([0.6370, 0.2698])
    """
    return Tensor(placed(uniform(0, 1, as_sizes(size), dtype or get_default_dtype()), device), requires_grad)


def randn(*size: Any, dtype: Any = None, requires_grad: bool = False, device: Any = None) -> Tensor:
    """Random numbers from the normal distribution with mean 0 and standard deviation 1.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> _ = tn.manual_seed(0)
    >>> tn.randn(2)
    tensor([ 0.1257, -0.1321])
    """
    values = default_generator().standard_normal(as_sizes(size)).astype(dtype or get_default_dtype())
    return Tensor(placed(values, device), requires_grad)


def randint(low: int, high: int, size: Any, device: Any = None) -> Tensor:
    """Random integers from `low` to `high` − 1.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> _ = tn.manual_seed(0)
    >>> tn.randint(0, 10, (4,))
    tensor([8, 6, 5, 2])
    """
    return Tensor(placed(default_generator().integers(low, high, size), device))


def randperm(n: int, device: Any = None) -> Tensor:
    """The numbers 0 … n − 1 in random order.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> _ = tn.manual_seed(0)
    >>> tn.randperm(4)
    tensor([2, 0, 1, 3])
    """
    return Tensor(placed(default_generator().permutation(n), device))
