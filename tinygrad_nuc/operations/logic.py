"""Functions that are constant almost everywhere: comparisons, signs, positions. No gradient passes through them."""

import inspect
import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from ..engine.registry import numpy_functions
from ..engine.tensor import Tensor, method, value
from .axes import checked_dim, takes_axis

PIECEWISE_CONSTANT = """
    less less_equal greater greater_equal equal not_equal isclose allclose array_equal array_equiv isin
    logical_and logical_or logical_not logical_xor any all
    isfinite isnan isinf isposinf isneginf signbit sign heaviside isreal iscomplex isrealobj iscomplexobj angle imag
    floor ceil trunc fix rint round around floor_divide
    argmax argmin nanargmax nanargmin argsort argpartition lexsort searchsorted digitize
    nonzero argwhere flatnonzero count_nonzero linalg.matrix_rank
    zeros_like ones_like empty_like
    bitwise_and bitwise_or bitwise_xor invert left_shift right_shift bitwise_count gcd lcm
    unravel_index ravel_multi_index tril_indices_from triu_indices_from diag_indices_from
    result_type can_cast min_scalar_type common_type shares_memory may_share_memory
""".split()


def of_values(function: Callable) -> Callable:
    """`function` of the values alone: arrays among its results are tensors without history."""
    out = place_of_out(function)

    def without_gradient(*args: Any, **options: Any) -> Any:
        if out is not None and len(args) > out and args[out] is not None:
            raise TypeError(f"numpy.{function.__name__} of a Tensor returns a new tensor: leave out= away")
        return as_tensors(function(*values_in(args), **values_in(options)))
    return without_gradient


def place_of_out(function: Callable) -> int | None:
    """Which argument is the array that NumPy would write the result into."""
    try:
        names = list(inspect.signature(function).parameters)
    except ValueError:                          # a function written in C: those here have no such argument
        return None
    return names.index("out") if "out" in names else None


def values_in(x: Any) -> Any:
    """The arrays in tensors, also in those that stand in lists."""
    if type(x) in (list, tuple):
        return type(x)(map(values_in, x))
    return {name: values_in(option) for name, option in x.items()} if isinstance(x, dict) else value(x)


def as_tensors(result: Any) -> Any:
    """Arrays and NumPy's numbers as tensors, also in lists; anything else (a dtype, True) as it is."""
    if type(result) in (list, tuple):
        return type(result)(map(as_tensors, result))
    return Tensor(result) if hasattr(result, "__array_function__") or isinstance(result, np.generic) else result


for _name in PIECEWISE_CONSTANT:
    _function = operator.attrgetter(_name)(np)
    numpy_functions[_function] = of_values(_function)


# ---------------------------------------------------------------------- as functions and methods
# From here on any and all are ours, not Python's.

@method
@takes_axis
def argmax(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Position of the largest value along `dim`, or in the flattened tensor; the first of equal ones.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.argmax(tn.tensor([[3.0, 1.0], [2.0, 5.0]]), dim=1)
    tensor([0, 1])
    """
    dim = dim if dim is None else checked_dim("argmax", dim, input.ndim)
    return Tensor(np.argmax(input.data, axis=dim, keepdims=keepdim))


@method
@takes_axis
def argmin(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Position of the smallest value along `dim`, or in the flattened tensor; the first of equal ones.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.argmin(tn.tensor([[3.0, 1.0], [2.0, 5.0]]), dim=1)
    tensor([1, 0])
    """
    dim = dim if dim is None else checked_dim("argmin", dim, input.ndim)
    return Tensor(np.argmin(input.data, axis=dim, keepdims=keepdim))


@method
def sign(input: Tensor) -> Tensor:
    """−1, 0 or 1.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.sign(tn.tensor([-2.0, 0.0, 3.0]))
    tensor([-1.,  0.,  1.])
    """
    return Tensor(np.sign(input.data))


@method
def floor(input: Tensor) -> Tensor:
    """Largest whole number that is not above the value; constant between whole numbers, so without a gradient.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.floor(tn.tensor([-1.5, 1.5]))
    tensor([-2.,  1.])
    """
    return Tensor(np.floor(input.data))


@method
def ceil(input: Tensor) -> Tensor:
    """Smallest whole number that is not below the value; without a gradient.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.ceil(tn.tensor([-1.5, 1.5]))
    tensor([-1.,  2.])
    """
    return Tensor(np.ceil(input.data))


@method
def trunc(input: Tensor) -> Tensor:
    """The whole number next to the value in the direction of 0; without a gradient.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.trunc(tn.tensor([-1.5, 1.5]))
    tensor([-1.,  1.])
    """
    return Tensor(np.trunc(input.data))


@method
def round(input: Tensor, decimals: int = 0) -> Tensor:
    """The nearest number with so many decimals, of two equally near ones the even one; without a gradient.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.round(tn.tensor([0.5, 1.5, 2.4]))
    tensor([0., 2., 2.])
    """
    return Tensor(np.round(input.data, decimals))


@method
def isfinite(input: Tensor) -> Tensor:
    """True where the value is neither infinite nor NaN.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.isfinite(tn.tensor([1.0, float("inf")]))
    tensor([ True, False])
    """
    return Tensor(np.isfinite(input.data))


@method
def isnan(input: Tensor) -> Tensor:
    """True where the value is not a number.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.isnan(tn.tensor([1.0, float("nan")]))
    tensor([False,  True])
    """
    return Tensor(np.isnan(input.data))


@method
@takes_axis
def any(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Whether any value is true (not zero).

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.any(tn.tensor([0.0, 1.0]) > 0.5)
    tensor(True)
    """
    return Tensor(np.any(input.data, axis=dim, keepdims=keepdim))


@method
@takes_axis
def all(input: Tensor, dim: int | None = None, keepdim: bool = False) -> Tensor:
    """Whether all values are true (not zero).

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.all(tn.tensor([0.0, 1.0]) > 0.5)
    tensor(False)
    """
    return Tensor(np.all(input.data, axis=dim, keepdims=keepdim))


def allclose(input: Tensor, other: Tensor, rtol: float = 1e-5, atol: float = 1e-8) -> bool:
    """Whether |input − other| ≤ atol + rtol · |other| everywhere.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.allclose(tn.tensor([1.0]), tn.tensor([1.0 + 1e-7]))
    True
    """
    return np.allclose(value(input), value(other), rtol, atol)


def comparison(name: str, function: Callable, symbol: str, example: str) -> Callable:
    """A comparison of two tensors (or a number), element by element, as a function and a method."""
    def compare(input: Tensor, other: Tensor | float) -> Tensor:
        return Tensor(function(value(input), value(other)))
    compare.__name__ = compare.__qualname__ = name
    compare.__doc__ = f"""Where a {symbol} b, element by element; without a gradient.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.{name}(tn.tensor([1.0, 2.0, 3.0]), 2)
    tensor({example})
    """
    return method(compare)


eq = comparison("eq", np.equal, "=", "[False,  True, False]")
ne = comparison("ne", np.not_equal, "≠", "[ True, False,  True]")
lt = comparison("lt", np.less, "<", "[ True, False, False]")
le = comparison("le", np.less_equal, "≤", "[ True,  True, False]")
gt = comparison("gt", np.greater, ">", "[False, False,  True]")
ge = comparison("ge", np.greater_equal, "≥", "[False,  True,  True]")
logical_and = comparison("logical_and", np.logical_and, "and", "[ True,  True,  True]")
logical_or = comparison("logical_or", np.logical_or, "or", "[ True,  True,  True]")
logical_xor = comparison("logical_xor", np.logical_xor, "xor", "[False, False, False]")


@method
def logical_not(input: Tensor) -> Tensor:
    """Where the value is 0 or False.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.logical_not(tn.tensor([0.0, 2.0]))
    tensor([ True, False])
    """
    return Tensor(np.logical_not(value(input)))


@method
def isclose(input: Tensor, other: Tensor | float, rtol: float = 1e-5, atol: float = 1e-8) -> Tensor:
    """Where |a − b| ≤ atol + rtol · |b|.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.isclose(tn.tensor([1.0, 2.0]), tn.tensor([1.0 + 1e-7, 2.1]))
    tensor([ True, False])
    """
    return Tensor(np.isclose(value(input), value(other), rtol, atol))
