"""New tensors: from data, filled with constants, or drawn from the one seeded generator."""

from collections.abc import Callable
from typing import Any

import numpy as np

from .engine.arrays import as_array, get_default_dtype
from .engine.generator import default_generator, uniform
from .engine.tensor import Tensor, value
from .operations.shape import as_sizes


def tensor(data: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """A tensor with a copy of `data`.

    Parameters
    ----------
    data : array_like
        Arrays keep their dtype. Python floats become float32 (see `set_default_dtype`), ints int64.
    dtype : dtype, optional
        Another dtype to convert to.
    requires_grad : bool
        Record operations on it, so that ``backward`` can compute its gradient.

    Raises
    ------
    TypeError
        If `data` holds no numbers, or a gradient is asked for integers or booleans.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.tensor([[1.0, 2.0]], requires_grad=True)
    tensor([[1., 2.]], requires_grad=True)
    """
    if isinstance(data, (list, tuple)) and any(isinstance(x, Tensor) for x in data):
        raise TypeError("tensor: a list of tensors would lose their history; join them with tn.stack or tn.cat")
    array = as_array(value(data), dtype)
    return Tensor(np.copy(array), requires_grad)


def as_tensor(data: Any, dtype: Any = None) -> Tensor:
    """A tensor that shares memory with the array `data` where it can; a tensor of that dtype is returned itself.

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
        return data if dtype is None else data.to(dtype)
    return Tensor(as_array(data, dtype))


def from_numpy(array: np.ndarray) -> Tensor:
    """A tensor that shares memory with a NumPy array.

    Examples
    --------
    >>> import numpy as np, tinygrad_nuc as tn
    >>> tn.from_numpy(np.array([1, 2]))
    tensor([1, 2])
    """
    if not isinstance(array, np.ndarray):
        raise TypeError(f"from_numpy: expects a numpy.ndarray, not {type(array).__name__}; tn.tensor takes anything")
    return Tensor(array)


def _filled(make: Callable, size: tuple, dtype: Any, requires_grad: bool) -> Tensor:
    return Tensor(make(as_sizes(size), dtype=dtype or get_default_dtype()), requires_grad)


def zeros(*size: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """All zeros.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.zeros(2, 3)
    tensor([[0., 0., 0.],
            [0., 0., 0.]])
    """
    return _filled(np.zeros, size, dtype, requires_grad)


def ones(*size: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """All ones.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.ones(3)
    tensor([1., 1., 1.])
    """
    return _filled(np.ones, size, dtype, requires_grad)


def full(size: Any, fill_value: float, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """All equal to `fill_value`.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.full((2,), 0.5)
    tensor([0.5000, 0.5000])
    """
    return Tensor(np.full(size, as_array(fill_value, dtype)), requires_grad)


def zeros_like(input: Tensor) -> Tensor:
    """Zeros of the same shape and dtype.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.zeros_like(tn.tensor([1, 2]))
    tensor([0, 0])
    """
    return Tensor(np.zeros_like(input.data))


def ones_like(input: Tensor) -> Tensor:
    """Ones of the same shape and dtype.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.ones_like(tn.tensor([1.5, 2.0]))
    tensor([1., 1.])
    """
    return Tensor(np.ones_like(input.data))


def eye(n: int, m: int | None = None, dtype: Any = None) -> Tensor:
    """The identity matrix.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.eye(2)
    tensor([[1., 0.],
            [0., 1.]])
    """
    return Tensor(np.eye(n, m, dtype=dtype or get_default_dtype()))


def arange(start: float, end: float | None = None, step: float = 1, dtype: Any = None) -> Tensor:
    """start, start + step, … below `end` (from 0 when only one number is given); ints stay int64.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.arange(3), tn.arange(0.5, 2)
    (tensor([0, 1, 2]), tensor([0.5000, 1.5000]))
    """
    start, end = (0, start) if end is None else (start, end)
    whole = all(isinstance(x, (int, np.integer)) for x in (start, end, step))
    return Tensor(np.arange(start, end, step).astype(dtype or (np.int64 if whole else get_default_dtype())))


def linspace(start: float, end: float, steps: int, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """`steps` values at equal distances from `start` to `end`, both included.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.linspace(0, 1, 5)
    tensor([0.0000, 0.2500, 0.5000, 0.7500, 1.0000])
    """
    return Tensor(np.linspace(start, end, steps).astype(dtype or get_default_dtype()), requires_grad)


def rand(*size: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Uniform random numbers in [0, 1).

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> _ = tn.manual_seed(0)
    >>> tn.rand(2)
    tensor([0.6370, 0.2698])
    """
    return Tensor(uniform(0, 1, as_sizes(size), dtype or get_default_dtype()), requires_grad)


def randn(*size: Any, dtype: Any = None, requires_grad: bool = False) -> Tensor:
    """Random numbers from the normal distribution with mean 0 and standard deviation 1.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> _ = tn.manual_seed(0)
    >>> tn.randn(2)
    tensor([ 0.1257, -0.1321])
    """
    values = default_generator().standard_normal(as_sizes(size))
    return Tensor(values.astype(dtype or get_default_dtype()), requires_grad)


def randint(low: int, high: int, size: Any) -> Tensor:
    """Random integers from `low` to `high` − 1.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> _ = tn.manual_seed(0)
    >>> tn.randint(0, 10, (4,))
    tensor([8, 6, 5, 2])
    """
    return Tensor(default_generator().integers(low, high, size))


def randperm(n: int) -> Tensor:
    """The numbers 0 … n − 1 in random order.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> _ = tn.manual_seed(0)
    >>> tn.randperm(4)
    tensor([2, 0, 1, 3])
    """
    return Tensor(default_generator().permutation(n))
