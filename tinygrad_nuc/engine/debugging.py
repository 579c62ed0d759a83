"""Debug mode: where each value was computed, the first NaN or infinity, and a lock on what is recorded.

While it is off, all that remains of it is one look at `on` for each operation.
"""

import contextlib
import functools
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from .explain import argument_names, ranges
from .locks import Locks
from .origins import Origin, called_at, came_from, computed_at, origin_of, remember, value

if TYPE_CHECKING:                       # tensor.py imports this file
    from .tensor import Tensor

on = False                              # whether any debug block is open, in any thread
_switches: list[tuple[bool, bool]] = []  # (stop at NaN, stop at infinity) of each open block
_locks = Locks()
_passes = 0                             # how many backward passes there have been
last_outputs: list[Origin] = []         # from where the last of them started
_nothing = contextlib.nullcontext()


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


# ---------------------------------------------------------------------- what the engine calls while `on`

def watch(y: "Tensor", operation: Any, inputs: tuple) -> None:
    """After an operation: remember its line, refuse NaN and infinity, lock what is recorded."""
    remember(y, operation.__name__, getattr(y, "cut", ""), *inputs)
    fault = first_fault(y.data)
    if fault:
        names = argument_names(operation, len(inputs))
        lines = [ranges(name, x) for name, x in zip(names, inputs, strict=True)]
        raise FloatingPointError("\n    ".join([f"{operation.__name__} gave {fault}", *lines, *came_from(names, inputs),
                                                called_at()]))
    if y.operation is not None:
        _locks.lock(y, [value(x) for x in (*inputs, y)])


def start_pass(outputs: Any) -> None:
    """Before a backward pass: from where it starts, so that what it does not reach can be told."""
    global _passes, last_outputs
    _passes += 1
    last_outputs = [origin_of(y) for y in outputs]


def watch_gradient(y: "Tensor", i: int, g: Any, share: Any) -> None:
    """After a derivative: refuse NaN and infinity, and note where a gradient becomes zero everywhere."""
    names = argument_names(y.operation, len(y.inputs))
    share, arriving = value(share), value(g)
    fault = first_fault(share)
    if fault:
        lines = [ranges(name, x) for name, x in zip(("arriving gradient", *names), (g, *y.inputs), strict=True)]
        rule = f"{y.operation.__name__}.grad_{names[i].partition('[')[0]}"
        raise FloatingPointError("\n    ".join([f"{rule} gave {fault}", *lines, *filter(None, [computed_at(y)])]))
    sender, receiver = origin_of(y), origin_of(y.inputs[i])
    if np.any(share):
        receiver.zero_in, receiver.zero_because = _passes, ""
    elif receiver.zero_in == _passes:
        pass                                    # by another use of the value, something has arrived or was explained
    elif np.any(arriving):
        here = computed_at(y) or y.operation.__name__
        receiver.zero_in, receiver.zero_because = _passes, f"{here}\n    {ranges(names[i], y.inputs[i])}"
    else:
        earlier = sender.zero_because if sender.zero_in == _passes else ""
        receiver.zero_in, receiver.zero_because = _passes, earlier or "the gradient that backward started from"


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


def release(y: "Tensor") -> None:
    """Before a result's history is freed: its arrays may be written to again."""
    _locks.release(y)


def writable(*tensors: "Tensor") -> contextlib.AbstractContextManager:
    """A block in which a change in place that the engine itself makes may write."""
    return _locks.lifted([x.data for x in tensors]) if on else _nothing


if os.environ.get("TINYGRAD_NUC_DEBUG", "0") not in ("", "0"):
    debug().__enter__()
