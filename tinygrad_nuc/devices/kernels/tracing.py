"""Symbols: numbers that are not there yet. A rule that is given symbols writes down what it would compute.

A rule is a plain NumPy expression, and NumPy asks its operands to carry out every call. An array computes; a Tensor
computes and remembers; a `Symbol` only remembers: which function, of what, with which dtype as result. What comes out
is the rule's formula, which `cuda_text` writes as the text of one kernel. So a rule that costs ten launches as it
stands costs one, and there is no second place where its formula is written.

    >>> a = argument("a", np.dtype(np.float32))
    >>> np.where(a > 0, a, 0.1 * a)
    where(greater(a, 0), a, multiply(0.1, a))
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np

WEAK = (bool, int, float)           # Python's numbers, which take the dtype of the array they meet
SIZED = tuple(map(np.dtype, (np.float32, np.float64, np.bool_, np.int32, np.int64)))   # what kernels compute with


class NotElementwise(Exception):
    """The rule asks more of its arrays than their elements one by one: a shape, a sum, a product of matrices."""


class Symbol(np.lib.mixins.NDArrayOperatorsMixin):
    """A number that is not there yet: one for each element, or one for all. An argument, or what a function gives.

    Attributes
    ----------
    function : str
        The NumPy function's name; "argument" or "astype".
    operands : tuple of Symbol and Python numbers
        What it is given; an argument's name.
    dtype : numpy.dtype or type
        Of the result; bool, int or float for what is computed from Python numbers alone, and so does not promote.
    loop : tuple of numpy.dtype
        As which dtypes the function takes its operands; NumPy calls them its inner loop.
    known : bool, optional
        What ``if symbol:`` finds, of a setting that decides between formulas.
    """

    __slots__ = ("function", "operands", "dtype", "loop", "known")
    __array_priority__ = 10_000

    def __init__(self, function: str, operands: tuple, dtype: Any, loop: tuple = (), known: bool | None = None) -> None:
        if not is_weak(dtype) and dtype not in SIZED:
            raise NotElementwise(f"{function} gives {dtype}")
        self.function, self.operands, self.dtype, self.loop = function, operands, dtype, loop
        self.known = known

    @property
    def is_weak(self) -> bool:
        """Whether it is computed from Python numbers alone, and so the same for every element."""
        return is_weak(self.dtype)

    # NumPy calls these two instead of computing, for every function with a symbol among its operands.

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *operands: Any, **options: Any) -> "Symbol":
        if method != "__call__" or options or ufunc.nout != 1 or ufunc.signature is not None:
            raise NotElementwise(f"{ufunc.__name__}.{method}")
        require_numbers(ufunc.__name__, operands)
        kinds = [kind(x) for x in operands]
        if all(map(is_weak, kinds)):
            return Symbol(ufunc.__name__, operands, *weak_types(ufunc, kinds))
        *loop, dtype = ufunc.resolve_dtypes((*kinds, None))     # NumPy itself is asked what it would do
        if any(d not in SIZED for d in loop):
            raise NotElementwise(f"{ufunc.__name__} of {', '.join(map(str, loop))}")
        return Symbol(ufunc.__name__, operands, dtype, tuple(loop))

    def __array_function__(self, function: Callable, types: Any, args: tuple, options: dict) -> Any:
        if function not in FUNCTIONS:
            raise NotElementwise(function.__name__)
        return FUNCTIONS[function](*args, **options)

    def astype(self, dtype: Any, copy: bool = True) -> "Symbol":
        dtype = np.dtype(dtype)
        return self if dtype == self.dtype else Symbol("astype", (self,), dtype, (kind(self),))

    def __bool__(self) -> bool:
        if self.known is None:
            raise NotElementwise("a branch on a value")
        return self.known

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):                               # NumPy asks for some of its protocols
            raise AttributeError(name)
        raise NotElementwise(f"an array's {name}")

    def __repr__(self) -> str:
        return self.operands[0] if self.function == "argument" else \
            f"{self.function}({', '.join(map(repr, self.operands))})"


def is_weak(dtype: Any) -> bool:
    """Whether it is the type of a Python number; by identity, since ``np.dtype(np.float64) == float``."""
    return dtype is float or dtype is int or dtype is bool


def argument(name: str, dtype: Any, known: bool | None = None) -> Symbol:
    """A symbol for an argument; `known` is what ``if argument:`` may find, for numbers that decide between formulas."""
    return Symbol("argument", (name,), dtype, known=known)


def kind(x: Any) -> Any:
    """The dtype of a symbol, or the type of a Python number, which promotes nothing."""
    return x.dtype if isinstance(x, Symbol) else type(x)


def require_numbers(name: str, operands: tuple) -> None:
    """Only symbols and Python numbers can be written into a kernel."""
    for x in operands:
        if not isinstance(x, Symbol) and type(x) not in WEAK:
            raise NotElementwise(f"{name} of a {type(x).__name__}")


def weak_types(ufunc: np.ufunc, kinds: list) -> tuple[type, tuple[type, ...]]:
    """What a function of Python numbers gives, bool, int or float, and as which it takes them."""
    sized = tuple(np.dtype({bool: np.bool_, int: np.int64, float: np.float64}[k]) for k in kinds)
    *loop, dtype = ({"b": bool, "i": int}.get(d.kind, float) for d in ufunc.resolve_dtypes((*sized, None)))
    return dtype, tuple(loop)


def in_order(results: Iterable[Symbol], given: Callable[[Symbol], bool] = lambda x: False) -> Iterator[Symbol]:
    """Every symbol behind the results, each after what it is computed from, and once; nothing behind those `given`."""
    seen: set[int] = set()
    stack = [(x, False) for x in reversed(list(results))]
    while stack:
        x, complete = stack.pop()
        if complete:
            yield x
        elif id(x) not in seen:
            seen.add(id(x))
            stack.append((x, True))
            if not given(x):
                stack += [(y, False) for y in reversed(x.operands) if isinstance(y, Symbol)]


# ---------------------------------------------------------------------- functions of NumPy that are no ufuncs

def where(condition: Any, x: Any, y: Any) -> Symbol:
    require_numbers("where", (condition, x, y))
    kinds = [kind(x), kind(y)]
    if all(map(is_weak, kinds)):
        dtype: Any = np.result_type(*(np.dtype(k) for k in kinds))      # with no array beside them, they promote
    else:
        dtype = np.result_type(*(k(0) if is_weak(k) else k for k in kinds))
    return Symbol("where", (condition, x, y), dtype, (np.dtype(np.bool_), dtype, dtype))


def clip(a: Any, a_min: Any = None, a_max: Any = None) -> Any:
    a = a if a_min is None else np.maximum(a, a_min)
    return a if a_max is None else np.minimum(a, a_max)


def copy(a: Any) -> Symbol:
    return np.positive(a)


FUNCTIONS: dict[Callable, Callable] = {np.where: where, np.clip: clip, np.copy: copy}
