"""Every call that is made on an array of the device, written down: function, types, kinds of arguments."""

import contextlib
import sys
from typing import Any, NamedTuple

import device_guard
import numpy as np
from device_guard import GuardArray

OPERATORS = [name for name in vars(np.lib.mixins.NDArrayOperatorsMixin) if name.startswith("__") and name.endswith("__")
             and callable(getattr(np.lib.mixins.NDArrayOperatorsMixin, name)) and name not in ("__class__",)]
# besides those that GuardArray passes on to NumPy's arrays
METHODS = ["get", "set", "__getitem__", "__setitem__", "__len__", "__float__", "__int__", "__bool__"]
NUMBERS = (bool, int, float, np.generic)
MAKERS = ("asarray", "empty", "zeros", "ones", "full", "arange", "matmul")             # of CuPy itself
CREATORS = (np.array, np.asarray, np.asanyarray, np.ascontiguousarray, np.arange, np.empty,
            np.zeros, np.ones, np.full, np.eye, np.identity)


class Array(NamedTuple):
    """An array of the device that a call was given: what it was like, without its values."""

    shape: tuple
    dtype: Any
    strides: tuple

    def __repr__(self):
        return f"{self.dtype}{list(self.shape)}"


class Call(NamedTuple):
    """A call of a "ufunc", a "function" of NumPy, a "method" (or operator, or index), an "attribute", or of "cupy"."""

    kind: str
    function: Any                   # NumPy's, or a name
    method: str                     # of a ufunc; or which ufunc an operator stands for
    args: tuple
    options: dict
    dtypes: tuple                   # of what came out

    def __repr__(self):
        name = self.function if isinstance(self.function, str) else self.function.__name__
        given = [*map(repr, self.args), *(f"{key}={value!r}" for key, value in self.options.items())]
        how = {"ufunc": f"np.{name}.{self.method}", "function": f"np.{name}", "cupy": f"cupy.{name}"}
        how = how.get(self.kind, f"array.{name}")
        return f"{how.removesuffix('.__call__')}({', '.join(given)})"


def frozen(x):
    """Arguments as they were, with arrays described instead of kept."""
    if isinstance(x, GuardArray):
        return Array(x._host.shape, x._host.dtype, x._host.strides)
    if isinstance(x, dict):
        return {key: frozen(value) for key, value in x.items()}
    return type(x)(map(frozen, x)) if type(x) in (tuple, list) else x


def alike(x):
    """What makes two calls the same for CuPy: dtypes and dimensions, texts and truth values, but not which numbers."""
    if isinstance(x, Array):
        return ("array", x.dtype, len(x.shape), 0 in x.shape)
    if isinstance(x, dict):
        return tuple((key, alike(value)) for key, value in x.items())
    if isinstance(x, (tuple, list)):
        return (type(x), *map(alike, x))
    if isinstance(x, slice):
        return ("slice", *(v if v is None else int(np.sign(v)) for v in (x.start, x.stop, x.step)))
    if isinstance(x, np.ndarray):
        return ("host", x.dtype, x.ndim)
    if isinstance(x, bool) or x is None or isinstance(x, str):
        return x
    return (type(x), bool(x < 0)) if isinstance(x, NUMBERS) else x if isinstance(x, np.dtype | type) else type(x)


class Recorder:
    """The calls so far, each with the places of the library and the names of the samples that made it.

    Attributes
    ----------
    calls : dict
        For what makes a call different from others, an example, and who made it.
    sample : str
        The name of the sample that runs now.
    """

    def __init__(self):
        self.calls, self.sample = {}, ""
        self.inside, self.asked = False, ""     # an operator, which asks a ufunc

    def note(self, kind, function, method, args, options, result):
        args, options = frozen(args), frozen(options)
        name = function if isinstance(function, str) else (id(function), function.__name__)
        key = (kind, name, method, alike(args), alike(options))
        if key not in self.calls:
            results = result if isinstance(result, (tuple, list)) else (result,)
            dtypes = tuple(x._host.dtype for x in results if isinstance(x, GuardArray))
            self.calls[key] = Call(kind, function, method, args, options, dtypes), f"{self.sample}, {place()}"

    @contextlib.contextmanager
    def running(self, cupy):
        """While this lasts, arrays tell of their calls, and so do the functions of the emulated CuPy that make them."""
        functions = {name: getattr(cupy, name) for name in MAKERS}
        for name, run in functions.items():
            setattr(cupy, name, self.maker(name, run))
        before = {name: GuardArray.__dict__.get(name) for name in
                  [*OPERATORS, *METHODS, "__array_ufunc__", "__array_function__", "__getattr__"]}
        for name in OPERATORS:
            setattr(GuardArray, name, self.operator(name, getattr(GuardArray, name)))
        for name in METHODS:
            setattr(GuardArray, name, self.method(name, before[name]))
        GuardArray.__array_ufunc__ = self.ufunc(before["__array_ufunc__"])
        GuardArray.__array_function__ = self.function(before["__array_function__"])
        GuardArray.__getattr__ = self.attribute(before["__getattr__"])
        try:
            yield self
        finally:
            for name, own in before.items():
                delattr(GuardArray, name) if own is None else setattr(GuardArray, name, own)
            for name, run in functions.items():
                setattr(cupy, name, run)

    def maker(self, name, run):
        def maker(*args, **options):
            result = run(*args, **options)
            self.note("cupy", name, "", args, options, result)
            return result
        return maker

    def operator(self, name, run):
        def operator(array, *others):
            if self.inside or not all(isinstance(x, (GuardArray, *NUMBERS)) for x in others):
                return run(array, *others)              # a Tensor's turn
            self.inside, self.asked = True, ""
            try:
                result = run(array, *others)
            finally:
                self.inside = False
            self.note("method", name, self.asked, (array, *others), {}, result)
            return result
        return operator

    def method(self, name, run):
        def method(array, *args, **options):
            result = run(array, *args, **options)
            self.note("method", name, "", (array, *args), options, result)
            return result
        return method

    def ufunc(self, run):
        def __array_ufunc__(array, ufunc, method, *inputs, **options):
            result = run(array, ufunc, method, *inputs, **options)
            if self.inside:
                self.asked = ufunc.__name__
            elif result is not NotImplemented:
                self.note("ufunc", ufunc, method, inputs, options, result)
            return result
        return __array_ufunc__

    def function(self, run):
        def __array_function__(array, function, types, args, options):
            result = run(array, function, types, args, options)
            if function in CREATORS:                    # they come here with like=, and it is taken from them
                options = {**options, "like": array}
            self.note("function", function, "", args, options, result)
            return result
        return __array_function__

    def attribute(self, run):
        def __getattr__(array, name):
            found = run(array, name)
            if name in device_guard.DESCRIPTIONS or name.startswith("__"):
                return found
            if not callable(found) or isinstance(found, GuardArray):
                self.note("attribute", name, "", (array,), {}, found)
                return found
            method = self.method(name, lambda _, *args, **options: found(*args, **options))
            return lambda *args, **options: method(array, *args, **options)
        return __getattr__


def place():
    """The line of the library that makes the call."""
    frame = sys._getframe(2)
    while frame and "tinygrad_nuc" not in frame.f_globals.get("__name__", ""):
        frame = frame.f_back
    return f"{frame.f_globals['__name__'].removeprefix('tinygrad_nuc.')}:{frame.f_lineno}" if frame else "here"
