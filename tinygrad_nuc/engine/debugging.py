"""Debug mode: where each value was computed, the first NaN or infinity, and a lock on what is recorded.

While it is off, all that remains of it is one look at `on` for each operation.
"""

import contextlib
import functools
import linecache
import os
import sys
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from .locks import Locks

if TYPE_CHECKING:                       # tensor.py imports this file
    from .tensor import Tensor

HISTORY = 100_000                       # how many operations back the way of a gradient can be told

on = False                              # whether any debug block is open, in any thread
_switches: list[tuple[bool, bool]] = []  # (stop at NaN, stop at infinity) of each open block
_locks = Locks()
_recent: deque["Trace"] = deque()       # what was computed last, up to HISTORY operations
_passes = 0                             # how many backward passes there have been
last_outputs: list["Trace"] = []        # from where the last of them started
_nothing = contextlib.nullcontext()

_OUR_FILES = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_NUMPYS_FILES = os.path.dirname(np.__file__) + os.sep


class debug:
    """Explain what goes wrong: in a ``with`` block, in the calls of a decorated function, or everywhere.

    Inside the block every operation remembers the line of your program that called it, which errors then show.
    The first NaN or infinity, forward or backward, is a FloatingPointError that names the operation, the ranges of
    its inputs, and the line. Arrays that a recorded operation needs are read-only until the graph is freed,
    so that a raw write to ``t.data`` is an error where it happens (on the CPU). Afterwards
    `tinygrad_nuc.inspect.why_no_gradient` knows more.

    It slows every operation down, applies to all threads, and costs nothing when it is off. With the environment
    variable ``TINYGRAD_NUC_DEBUG=1`` it is on from the start.

    Parameters
    ----------
    nan, inf : bool
        Whether to stop at values that are not a number, and at infinite ones.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> x = tn.tensor([1.0, 0.0], requires_grad=True)
    >>> with tn.debug():                                        # doctest: +ELLIPSIS
    ...     y = tn.sqrt(x).sum()
    ...     y.backward()
    Traceback (most recent call last):
        ...
    FloatingPointError: Sqrt.grad_a gave inf in 1 of 2 values, first at [1]
        arriving gradient of shape (2,): from 1 to 1
        a of shape (2,): from 0 to 1
        Sqrt was computed at ...: y = tn.sqrt(x).sum()
    """

    def __init__(self, nan: bool = True, inf: bool = True) -> None:
        self.stops = (nan, inf)
        self.quiet: list[np.errstate] = []      # a stack, since one block may be entered more than once

    def __enter__(self) -> None:
        global on
        _switches.append(self.stops)
        self.quiet.append(np.errstate(divide="ignore", over="ignore", invalid="ignore"))    # an error says more
        self.quiet[-1].__enter__()
        on = True

    def __exit__(self, *error: Any) -> None:
        global on
        self.quiet.pop().__exit__(*error)
        _switches.pop()
        if not _switches:
            on = False
            _locks.release_all()

    def __call__(self, function: Callable) -> Callable:
        @functools.wraps(function)
        def debugged(*args: Any, **options: Any) -> Any:
            with debug(*self.stops):
                return function(*args, **options)
        return debugged


class Trace:
    """What debug mode remembers of a value: the operation and its line, and from what; nothing of the arrays."""

    __slots__ = ("name", "line", "cut", "inputs", "zero_in", "zero_because")

    def __init__(self, name: str = "", cut: str = "", inputs: tuple = ()) -> None:
        self.name = name                        # of the operation; "" for a leaf
        self.line = user_line() if name else ""
        self.cut = cut                          # why no gradient passes here: "detach", "no_grad", or ""
        self.inputs = inputs                    # their traces
        self.zero_in = -1                       # the backward pass in which only zeros arrived here ...
        self.zero_because = ""                  # ... and what made them zero


def trace_of(x: Any) -> Trace | None:
    """What is remembered of a tensor; a leaf is remembered from its first use on."""
    if not is_tensor(x):
        return None
    trace = getattr(x, "trace", None)
    if trace is None:
        trace = x.trace = Trace()
    return trace


def user_line() -> str:
    """The line outside this package and NumPy that is being executed, as ``file:number: text``."""
    frame: Any = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith((_OUR_FILES, _NUMPYS_FILES)):
        frame = frame.f_back
    if frame is None:
        return ""
    file, number = frame.f_code.co_filename, frame.f_lineno
    return f"{file}:{number}: {linecache.getline(file, number, frame.f_globals).strip()}"


# ---------------------------------------------------------------------- what the engine calls while `on`

def watch(y: "Tensor", operation: Any, inputs: tuple) -> None:
    """After an operation: remember its line, refuse NaN and infinity, lock what is recorded."""
    remember(y, operation.__name__, getattr(y, "cut", ""), *inputs)
    fault = first_fault(y.data)
    if fault:
        names = argument_names(operation, len(inputs))
        raise FloatingPointError("\n    ".join([
            f"{operation.__name__} gave {fault}",
            *(ranges(name, x) for name, x in zip(names, inputs, strict=True)), *origins(names, inputs), called_at()]))
    if y.operation is not None:
        _locks.lock(y, [x.data for x in (*inputs, y) if is_tensor(x)])


def remember(y: "Tensor", name: str, cut: str, *inputs: Any) -> None:
    """Note how `y` was made."""
    y.trace = Trace(name, cut, tuple(trace for trace in map(trace_of, inputs) if trace is not None))
    _recent.append(y.trace)
    while len(_recent) > HISTORY:
        _recent.popleft().inputs = ()           # or a running average would remember everything since its start


def start_pass(outputs: Any) -> None:
    """Before a backward pass: from where it starts, so that what it does not reach can be told."""
    global _passes, last_outputs
    _passes += 1
    last_outputs = [trace for trace in map(trace_of, outputs) if trace is not None]


def watch_gradient(y: "Tensor", i: int, g: Any, share: Any) -> None:
    """After a derivative: refuse NaN and infinity, and note where a gradient becomes zero everywhere."""
    name = argument_names(y.operation, len(y.inputs))[i]
    fault = first_fault(value(share))
    if fault:
        raise FloatingPointError("\n    ".join([
            f"{y.operation.__name__}.grad_{name.partition('[')[0]} gave {fault}", ranges("arriving gradient", g),
            *(ranges(n, x) for n, x in zip(argument_names(y.operation, len(y.inputs)), y.inputs, strict=True)),
            *filter(None, [computed_at(y)])]))
    x, trace = trace_of(y.inputs[i]), trace_of(y)
    assert x is not None and trace is not None
    if np.any(value(share)):
        x.zero_in, x.zero_because = _passes, ""
    elif not np.any(value(g)):
        note_zero(x, trace.zero_because if trace.zero_in == _passes else "the gradient that backward started from")
    else:
        note_zero(x, f"{computed_at(y) or y.operation.__name__}\n    {ranges(name, y.inputs[i])}")


def note_zero(x: Trace, because: str) -> None:
    """Only zeros arrived by this use of a value; another use may have brought something else before."""
    if x.zero_in != _passes:
        x.zero_in, x.zero_because = _passes, because


def release(y: "Tensor") -> None:
    """Before a result's history is freed: its arrays may be written to again."""
    _locks.release(y)


def writable(*tensors: "Tensor") -> contextlib.AbstractContextManager:
    """A block in which a change in place that the engine itself makes may write."""
    return _locks.lifted([x.data for x in tensors]) if on else _nothing


def is_tensor(x: Any) -> bool:
    """Whether `x` is a Tensor."""
    return hasattr(x, "requires_grad")


def value(x: Any) -> Any:
    """The array in a Tensor; anything else as it is."""
    return x.data if is_tensor(x) else x


# ---------------------------------------------------------------------- words for errors

def first_fault(array: Any) -> str:
    """How many values are NaN or infinite, and where the first of them is ('' if debug mode accepts all)."""
    if array.dtype.kind != "f":
        return ""
    nan, inf = _switches[-1]
    for wanted, bad in ((nan, np.isnan(array)), (inf, np.isinf(array))):
        if wanted and np.any(bad):
            where = tuple(int(i) for i in np.argwhere(bad)[0])
            place = f", first at [{', '.join(map(str, where))}]" if where else ""
            return f"{float(array[where])} in {int(np.sum(bad))} of {array.size} values{place}"
    return ""


def argument_names(operation: Any, n: int) -> tuple[str, ...]:
    """How an error calls the `n` inputs: a, b, or arrays[0], arrays[1], ..."""
    if operation.takes_many:
        return tuple(f"{operation.arguments[0]}[{i}]" for i in range(n))
    return operation.arguments


def ranges(name: str, x: Any) -> str:
    """The shape of an input, and from where to where its values go."""
    x = value(x)
    if not hasattr(x, "shape"):
        return f"{name} = {x!r}"
    finite = x[np.isfinite(x)]
    span = f"from {float(np.min(finite)):.4g} to {float(np.max(finite)):.4g}" if finite.size else "no finite value"
    others = "".join(f", {int(n)} {word}" for word, n in (("NaN", np.sum(np.isnan(x))), ("infinite", np.sum(np.isinf(x))))
                     if n)
    return f"{name} of shape {tuple(x.shape)}: {span}{others}"


def origins(names: tuple[str, ...], inputs: Any) -> list[str]:
    """Where the inputs came from, as far as it is known."""
    return [f"{name} was computed by {x.trace.name} at {x.trace.line}" for name, x in zip(names, inputs, strict=True)
            if is_tensor(x) and getattr(x, "trace", None) is not None and x.trace.name]


def called_at() -> str:
    """The line at which an operation fails."""
    return f"called at {user_line()}"


def changed_at(changes: Any) -> str:
    """Where an array was last changed in place, if debug mode was on then."""
    line = getattr(changes, "line", "")
    return f"it was changed at {line}" if line else ""


def computed_at(y: "Tensor") -> str:
    """Where a result was computed, if debug mode was on then."""
    trace = getattr(y, "trace", None)
    return f"{trace.name} was computed at {trace.line}" if trace is not None and trace.line else ""


if os.environ.get("TINYGRAD_NUC_DEBUG", "0") not in ("", "0"):
    debug().__enter__()
