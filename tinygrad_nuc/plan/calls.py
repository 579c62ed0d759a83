"""The calls of a step, as they are noted: which function, of which arrays, with what results."""

import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from ..engine.origins import user_line

# Functions whose result depends on the shape of their first argument only.
OF_SHAPE = {np.ones_like, np.zeros_like, np.full_like, np.empty_like}


class CannotCompile(RuntimeError):
    """The step does something that could not be replayed."""

    def __init__(self, reason: str, line: str | None = None) -> None:
        line = user_line() if line is None else line
        super().__init__(f"compile: {reason}" + (f"\n    {line}" if line else ""))


class Value:
    """What is known of an array of the step: everything but its numbers, which are others in the next step.

    Attributes
    ----------
    owner : Value
        The one whose memory it looks at; itself, unless it is a view.
    array : numpy.ndarray or None
        The array itself, if it is there before the step or is the same in every step.
    """

    __slots__ = ("shape", "dtype", "strides", "dense", "contiguous", "owner", "array", "__weakref__")

    def __init__(self, array: np.ndarray) -> None:
        self.shape, self.dtype, self.contiguous = array.shape, array.dtype, array.flags.c_contiguous
        self.strides = array.strides
        self.dense = array.strides if array.flags.forc else np.empty_like(array).strides    # without gaps in between
        self.owner = self
        self.array: np.ndarray | None = None

    @property
    def ndim(self) -> int: return len(self.shape)

    @property
    def size(self) -> int: return math.prod(self.shape)

    @property
    def itemsize(self) -> int: return self.dtype.itemsize

    @property
    def nbytes(self) -> int: return self.size * self.dtype.itemsize

    def __repr__(self) -> str:
        return f"Value({self.shape}, {self.dtype})"


class Call:
    """One NumPy call of the step.

    Attributes
    ----------
    function : callable
        The NumPy function, or method of an array, that was called.
    args, options : tuple, dict
        What it was given; `Value` in place of arrays, and `Number` in place of what changes from step to step.
    results : list of Value
        The arrays it returned.
    writes : Value or None
        An array that it changed.
    line : str
        Where in the user's program.
    draws : bool
        Whether it gives random numbers.
    quiet : dict or None
        Inside of a ``with np.errstate(...)`` block: which warnings it leaves out there.
    """

    __slots__ = ("function", "args", "options", "results", "writes", "line", "draws", "quiet")

    def __init__(self, function: Callable, args: tuple, options: dict[str, Any], line: str) -> None:
        self.function, self.args, self.options, self.line = function, args, options, line
        self.results: list[Value] = []
        self.writes: Value | None = None
        self.draws = False
        self.quiet: dict[str, Any] | None = None

    @property
    def name(self) -> str:
        """NumPy's name for it."""
        if isinstance(self.function, np.ufunc):
            return self.function.__name__
        owner = getattr(self.function, "__self__", None)
        if self.function.__name__ == "__get__":             # of an attribute, such as T
            return owner.__name__                           # type: ignore[union-attr]
        return f"{owner.__name__}.{self.function.__name__}" if isinstance(owner, np.ufunc) else self.function.__name__

    @property
    def reads(self) -> "list[Value]":
        """The arrays among its arguments."""
        return [x for x in leaves((self.args, self.options)) if isinstance(x, Value)]

    @property
    def is_view(self) -> bool:
        """Whether it computes nothing: its result is another look at memory that is there already."""
        return self.writes is None and all(y.owner is not y for y in self.results)


def leaves(x: Any) -> Iterator[Any]:
    """Everything inside of tuples, lists, dictionaries and slices."""
    if isinstance(x, (tuple, list)):
        for part in x:
            yield from leaves(part)
    elif isinstance(x, dict):
        for part in x.values():
            yield from leaves(part)
    elif isinstance(x, slice):
        yield from (x.start, x.stop, x.step)
    else:
        yield x


def replaced(x: Any, by: Callable[[Any], Any]) -> Any:
    """The same tuples, lists and dictionaries, with everything inside of them replaced."""
    if isinstance(x, (tuple, list)):
        parts = [replaced(part, by) for part in x]
        return type(x)(*parts) if hasattr(x, "_fields") else type(x)(parts)
    return {name: replaced(part, by) for name, part in x.items()} if isinstance(x, dict) else by(x)


def fixed(settings: dict[str, Any]) -> list:
    """What must not change among settings: everything but numbers, of which only the kind must stay."""
    return [(name, type(x) if type(x) in (int, float) else id(x) if hasattr(x, "requires_grad") else x)
            for name, part in settings.items() for x in leaves(part)]
