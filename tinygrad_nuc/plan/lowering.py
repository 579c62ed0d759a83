"""Each call in the form that costs least: into memory that is there already, with constants ready-made.

``a + 0.5`` makes an array for the result and another for the 0.5. ``np.add(a, half, out)``, where `half` is an array
without dimensions, makes none, and takes half the time where the arrays are small. So every call becomes such a pair
(function, arguments), which is all that a replay has to go through.
"""

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

from .calls import Call, Value, leaves, replaced
from .numbers import Number

Step = tuple[Callable, tuple]               # what a replay calls, with what
REDUCTIONS = {np.sum: np.add, np.max: np.maximum, np.amax: np.maximum, np.min: np.minimum, np.amin: np.minimum,
              np.prod: np.multiply}
WITH_OUT = {np.mean, np.var, np.std, np.cumsum, np.cumprod, np.concatenate, np.stack, np.take, np.argmax, np.argmin,
            np.clip, np.einsum, np.tensordot, np.dot, np.outer}
FILLS = {np.zeros_like: 0, np.ones_like: 1}
BY_KEYWORD = {np.maximum, np.minimum}       # a third positional argument is deprecated there


class Lowering:
    """Turns calls into steps.

    Attributes
    ----------
    cells : list of (Number, array)
        Numbers that change from step to step, each in an array without dimensions that is filled before each replay.
    """

    def __init__(self) -> None:
        self.cells: list[tuple[Number, np.ndarray]] = []
        self.known: dict[tuple, np.ndarray] = {}

    def steps(self, call: Call, array_of: Callable[[Any], Any]) -> list[Step]:
        """The call as steps, on the arrays that `array_of` gives for those that were recorded."""
        steps = self.loud_steps(call, array_of)
        return [(quietly, (call.quiet, steps))] if call.quiet else steps

    def loud_steps(self, call: Call, array_of: Callable[[Any], Any]) -> list[Step]:
        """The same, with every warning there may be."""
        function, options = call.function, call.options
        out = array_of(call.writes if call.writes is not None else call.results[0]) if len(call.results) < 2 else None
        args = tuple(replaced(x, array_of) for x in call.args)
        options = {name: replaced(x, array_of) for name, x in options.items() if name != "out"}
        if isinstance(function, np.ufunc) and function.nout == 1 and out is not None:
            if function is np.matmul:
                return [product(args[0], args[1], out)]
            operands = self.operands(call, args)
            if function in BY_KEYWORD:
                options["out"] = out
                return [(partial(function, **options), tuple(operands))]
            if out.size == 1 and not options and any(np.shares_memory(x, out) for x in operands):
                other = np.empty_like(out)              # NumPy takes four times as long to write over what it reads
                return [(function, (*operands, other)), (np.copyto, (out, other))]
            return [(partial(function, **options) if options else function, (*operands, out))]
        if function in FILLS:
            return [(np.copyto, (out, FILLS[function]))]
        if function is np.where and len(args) == 3 and getattr(args[0], "dtype", None) == bool:
            condition, a, b = args
            return [(np.copyto, (out, b, "unsafe")), (np.copyto, (out, a, "unsafe", condition))]
        if function in (np.copyto, np.ndarray.__setitem__) and not options:
            return [assignment(function, args)]
        if function in (np.copy, np.ndarray.copy, np.ascontiguousarray, np.ndarray.astype):
            return [(np.copyto, (out, args[0], "unsafe"))]
        if call.writes is not None:
            return [(partial(function, **options), (*args, *self.plain(call, "out", array_of)))]
        ufunc = REDUCTIONS.get(function) or reduced_by(function)
        plain = not set(options) - {"axis", "keepdims", "dtype"} and len(args) == 1
        if ufunc is not None and out is not None and plain:
            options.pop("dtype", None)                      # it is that of `out`
            return [reduction(ufunc, args[0], out, **{"axis": None if function in REDUCTIONS else 0, **options})]
        if function in WITH_OUT and "out" not in options and out is not None:
            return [(partial(function, out=out, **options), args)]
        outs = [array_of(y) for y in call.results]
        return [(store, (partial(function, **options), args, outs))]

    def operands(self, call: Call, args: tuple) -> list:
        """Numbers as arrays without dimensions, of the dtype in which the ufunc computes.

        For maximum and minimum constants become full arrays: with an array and a number these take four times as long.
        """
        function: Any = call.function
        kinds = [x.dtype if hasattr(x, "dtype") else type(x.now if isinstance(x, Number) else x) for x in args]
        known = all(isinstance(kind, np.dtype) or kind in (int, float) for kind in kinds)
        if all(hasattr(x, "dtype") for x in args) or not known:
            return list(args)
        dtypes = function.resolve_dtypes((*kinds, None))
        cells = [x if hasattr(x, "dtype") else self.cell(x, dtype) for x, dtype in zip(args, dtypes, strict=False)]
        if function in BY_KEYWORD:
            shape = np.broadcast_shapes(*(x.shape for x in cells))
            return [x if isinstance(given, (Value, Number)) else self.full(x, shape)
                    for x, given in zip(cells, call.args, strict=True)]
        return cells

    def cell(self, x: Any, dtype: np.dtype) -> np.ndarray:
        """An array without dimensions that holds a number."""
        key = (id(x) if isinstance(x, Number) else (type(x), repr(x)), dtype)
        if key not in self.known:
            self.known[key] = np.array(x.now if isinstance(x, Number) else x, dtype)
            if isinstance(x, Number):
                self.cells.append((x, self.known[key]))
        return self.known[key]

    def full(self, x: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        """An array full of one constant; any other array as it is."""
        if x.ndim:
            return x
        key = (x.tobytes(), shape, x.dtype)
        if key not in self.known:
            self.known[key] = np.full(shape, x)
        return self.known[key]

    def plain(self, call: Call, name: str, array_of: Callable) -> tuple:
        return (array_of(call.options[name]),) if name in call.options else ()


def product(a: np.ndarray, b: np.ndarray, out: np.ndarray) -> Step:
    """A matrix product: the method ``a.dot`` is called in a third of the time that np.matmul takes."""
    if a.ndim == b.ndim == 2 and a.dtype == b.dtype == out.dtype and out.flags.c_contiguous \
            and all(x.flags.c_contiguous or x.flags.f_contiguous for x in (a, b)):
        return a.dot, (b, out)
    return np.matmul, (a, b, out)


def reduced_by(function: Callable) -> np.ufunc | None:
    """The ufunc whose ``reduce`` this is."""
    owner = getattr(function, "__self__", None)
    return owner if isinstance(owner, np.ufunc) and getattr(function, "__name__", "") == "reduce" else None


def reduction(ufunc: np.ufunc, a: np.ndarray, out: np.ndarray, axis: Any, keepdims: bool = False) -> Step:
    """A sum over the rows of a matrix as a product with ones, which BLAS computes in half the time."""
    if ufunc is np.add and axis in (0, (0,)) and a.ndim == 2 and a.dtype == out.dtype and a.dtype == np.float32 \
            and a.flags.c_contiguous and out.flags.c_contiguous:
        return np.ones(len(a), a.dtype).dot, (a, out.reshape(-1))
    if a.size < 2 ** 12 and ufunc is np.add and axis is None and a.dtype == out.dtype and a.dtype.char in "fd" \
            and a.flags.c_contiguous:
        return np.ones(a.size, a.dtype).dot, (a.reshape(-1), out.reshape(()))
    return ufunc.reduce, (a, axis, out.dtype, out, keepdims)


def assignment(function: Callable, args: tuple) -> Step:
    """target[...] = values"""
    if function is np.copyto:
        return function, args
    target, index, values = args
    if all(not isinstance(part, np.ndarray) for part in leaves(index)):
        index = index if isinstance(index, tuple) else (index,)
        view = target[index if any(part is ... for part in index) else (*index, ...)]
        return np.copyto, (view, values, "unsafe")
    return target.__setitem__, (index, values)


def store(function: Callable, args: tuple, outs: list) -> None:
    """Make a call that cannot write into given memory, and copy what it returns."""
    result = function(*args)
    for out, y in zip(outs, leaves(result), strict=True):
        np.copyto(out, y)


def quietly(warnings: dict[str, Any], steps: list[Step]) -> None:
    """Make the calls as inside of the ``with np.errstate(...)`` block where they were recorded."""
    with np.errstate(**warnings):
        for function, args in steps:
            function(*args)
