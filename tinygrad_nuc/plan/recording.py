"""Writing down every NumPy call of a step: the arrays of the step are stood in for by ones that keep a record.

A rule is an expression over arrays, and it does not mind of what kind they are. Given `Recorded` arrays it computes as
ever, and every call that it makes is noted in the `Program`: forward, backward and the optimizer's formula alike.
"""

import weakref
from collections.abc import Callable
from typing import Any

import numpy as np

from ..engine.origins import user_line
from .calls import OF_SHAPE, Call, CannotCompile, Value, leaves, replaced
from .numbers import Number

# Functions that write into their first argument.
WRITES_FIRST = {np.copyto, np.put, np.place, np.putmask, np.fill_diagonal, np.put_along_axis, np.ndarray.__setitem__,
                np.ndarray.fill, np.ndarray.sort, np.ndarray.partition, np.ndarray.put}

# Functions whose answer depends on shapes and dtypes alone.
DESCRIPTIONS = {np.shape, np.ndim, np.size, np.result_type, np.may_share_memory, np.shares_memory, np.can_cast,
                np.iscomplexobj, np.isrealobj, np.common_type, np.min_scalar_type, np.broadcast_shapes}

# Functions that give more or fewer numbers depending on the values.
UNEVEN = {np.unique, np.nonzero, np.flatnonzero, np.argwhere, np.extract, np.compress, np.trim_zeros, np.union1d,
          np.intersect1d, np.setdiff1d, np.setxor1d, np.bincount, np.histogram, np.delete}

SHORTER = {2: np.square, 0.5: np.sqrt, -1: np.reciprocal, 1: np.positive}       # of x ** 2, x ** 0.5 ...

READS = ("it needs to know a value, which is another one in every call. What depends on a value can be written with "
         "tn.where; what is done with a value, such as printing it, belongs after the step, which can return it")


class Program:
    """The calls of one step, in order.

    Attributes
    ----------
    calls : list of Call
    given : list of Value
        Arrays that are there before: parameters, buffers, and what optimizers remember.
    """

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.given: list[Value] = []
        self.known: dict[int, Recorded] = {}            # id of an array that was given → what stands for it
        self.alive: weakref.WeakValueDictionary[int, Recorded] = weakref.WeakValueDictionary()
        self.warnings = np.geterr()

    def give(self, array: Any) -> "Recorded":
        """What stands for an array that is there before the step; the same one for the same array."""
        if id(array) not in self.known:
            self.known[id(array)] = x = Recorded(array, self)
            x.value.array = array
            x.value.owner = next((y.owner for y in self.given if np.may_share_memory(y.array, array)), x.value)
            self.given.append(x.value)
        return self.known[id(array)]

    def call(self, function: Callable, args: tuple, options: dict[str, Any]) -> Any:
        """Make the call on the arrays that are stood in for, and note it."""
        result = function(*plain(args), **plain(options))
        if function in DESCRIPTIONS:
            return result
        given = [x for x in leaves((args, options)) if isinstance(x, Recorded)]
        if function in UNEVEN and given:
            raise CannotCompile(f"how many numbers {function.__name__} returns depends on the values. What it is used "
                                "for may be written with tn.where, or belongs outside the step")
        if function is np.nan_to_num and not options.get("copy", True):
            raise CannotCompile("np.nan_to_num(..., copy=False) writes over its argument: leave copy=False away")
        call = Call(function, replaced(args, noted), replaced(options, noted), user_line())
        warnings: Any = np.geterr()
        call.quiet = None if warnings == self.warnings else warnings
        out = options.get("out")
        written = out[0] if isinstance(out, tuple) else out
        in_place = isinstance(getattr(function, "__self__", None), np.ufunc) and function.__name__ == "at"
        if out is None and (in_place or function in WRITES_FIRST):
            written = args[0]
        self.calls.append(call)
        if written is not None:
            call.writes = written.value
            return None if out is None else written
        return self.returned(result, call, given)

    def constant(self, array: np.ndarray) -> "Recorded":
        """What stands for an array that the step makes of nothing; it may be written into."""
        return self.call(np.copy, (array,), {})

    def draw(self, function: Callable, *args: Any) -> Any:
        """Note a call that gives other numbers each time, though nothing that it is given differs."""
        call = Call(function, args, {}, user_line())
        call.draws = True
        self.calls.append(call)
        return self.returned(function(*args), call, [])

    def returned(self, result: Any, call: Call, given: "list[Recorded]") -> Any:
        """The results of a call as arrays that are recorded in their turn."""
        if isinstance(result, (tuple, list)):
            parts = [self.returned(y, call, given) for y in result]
            return type(result)(*parts) if hasattr(result, "_fields") else type(result)(parts)
        if result is None:
            raise CannotCompile(f"{call.name} changes an array in place, without telling: use what returns a new one",
                                call.line)
        if not isinstance(result, (np.ndarray, np.generic)):
            raise CannotCompile(READS, call.line)
        y = Recorded(np.asarray(result), self)
        y.value.owner = next((x.value.owner for x in given if np.may_share_memory(x.array, y.array)), y.value)
        if not call.draws and (call.function in OF_SHAPE or all(x.always_the_same for x in given)):
            y.value.array, y.always_the_same = y.array, True
        call.results.append(y.value)
        self.alive[id(y)] = y
        return y


class Recorded(np.lib.mixins.NDArrayOperatorsMixin):
    """An array of a step that is being recorded: computes as NumPy's do, and has every call noted.

    Attributes
    ----------
    array : numpy.ndarray
        Its numbers in this step.
    program : Program
        Where calls are noted.
    value : Value
        What calls are noted to have been given, or to have returned.
    always_the_same : bool
        Whether it would hold the same numbers in every step, if nobody wrote into it.
    """

    __slots__ = ("array", "program", "value", "always_the_same", "__weakref__")
    __array_priority__ = 100
    __hash__ = object.__hash__                  # by identity: == is a call, and noted
    device = "cpu"

    def __init__(self, array: np.ndarray, program: Program) -> None:
        self.array, self.program, self.value, self.always_the_same = array, program, Value(array), False

    # ------------------------------------------------------------------ calls

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        if any(is_foreign(x) for x in inputs):
            return NotImplemented
        return self.program.call(ufunc if method == "__call__" else getattr(ufunc, method), inputs, options)

    def __array_function__(self, function: Callable, types: Any, args: tuple, options: dict[str, Any]) -> Any:
        if any(hasattr(kind, "__array_function__") and not issubclass(kind, (Recorded, np.ndarray)) for kind in types):
            return NotImplemented
        return self.program.call(function, args, options)

    def __pow__(self, exponent: Any) -> Any:
        """NumPy's operator (not its function ``power``) knows a shorter way for some exponents."""
        shorter = SHORTER.get(exponent) if type(exponent) in (int, float) and self.dtype.kind == "f" else None
        return np.power(self, exponent) if shorter is None else shorter(self)

    def __getitem__(self, index: Any) -> Any:
        if any(getattr(part, "dtype", None) == bool and isinstance(part, Recorded) for part in leaves(index)):
            raise CannotCompile("how many numbers a mask picks depends on the values. tn.where keeps the shape")
        return self.program.call(np.ndarray.__getitem__, (self, index), {})

    def __setitem__(self, index: Any, values: Any) -> None:
        self.program.call(np.ndarray.__setitem__, (self, index, values), {})

    def __getattr__(self, name: str) -> Any:                # T, reshape(), sum() ...
        if name in ("shape", "dtype", "ndim", "size", "strides", "nbytes", "itemsize", "flags"):
            return getattr(self.array, name)
        if name in ("item", "tolist", "get"):
            raise CannotCompile(READS)
        attribute = getattr(np.ndarray, name)               # an AttributeError if there is none
        if not callable(attribute):
            return self.program.call(attribute.__get__, (self,), {})
        return lambda *args, **options: self.program.call(attribute, (self, *args), options)

    # ------------------------------------------------------------------ values

    def read(self, *args: Any, **options: Any) -> Any:
        """Nobody may look at a value: in the next step it is another one."""
        raise CannotCompile(READS)

    __bool__ = __float__ = __int__ = __index__ = __complex__ = __array__ = __contains__ = read

    def __len__(self) -> int:
        return len(self.array)

    def __repr__(self) -> str:
        return f"Recorded({self.array.shape}, {self.array.dtype})"


def is_foreign(x: Any) -> bool:
    """Whether `x` is of another kind that answers NumPy's functions: a Tensor."""
    return hasattr(x, "__array_ufunc__") and not isinstance(x, (Recorded, Number, np.ndarray, np.generic))


def noted(x: Any) -> Any:
    """What a call is noted to have been given in place of a recorded array."""
    return x.value if isinstance(x, Recorded) else x


def plain(x: Any) -> Any:
    """Arrays and numbers in place of what stands for them."""
    return replaced(x, lambda y: y.array if isinstance(y, Recorded) else y.now if isinstance(y, Number) else y)


copyto: Any = np.copyto                # of recorded arrays, which NumPy's own signature does not know of
