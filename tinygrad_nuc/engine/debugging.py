"""Debug mode: where each value was computed, the first NaN or infinity, and a lock on what is recorded.

While it is off, all that remains of it is one look at `on` for each operation.
"""

import contextlib
import functools
import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from .arrays import on_host
from .explain import argument_names, ranges
from .grad_mode import inside
from .locks import Locks
from .origins import array_of, called_at, came_from, computed_at, last_pass, origin_of, remember
from .watching import Watcher, watchers

if TYPE_CHECKING:                       # tensor.py imports this file
    from .tensor import Tensor

on = False                              # whether any debug block is open, in any thread
_switches: list[tuple[bool, bool]] = []  # (stop at NaN, stop at infinity) of each open block
_locks = Locks()
_for_good: list["debug"] = []           # the block that set_debug opened, if it did
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
        (if infinity is meant here, as in a mask of -inf: tn.debug(inf=False) accepts it)
    """

    def __new__(cls, nan: Any = True, inf: bool = True) -> Any:
        """``@debug`` without parentheses decorates as ``@debug()`` does."""
        block = super().__new__(cls)
        block.stops = (bool(nan), inf)
        block.quiet = []                        # a stack, since one block may be entered more than once
        return block(nan) if callable(nan) else block

    stops: tuple[bool, bool]
    quiet: list[np.errstate]

    def __enter__(self) -> None:
        global on
        _switches.append(self.stops)
        self.quiet.append(np.errstate(divide="ignore", over="ignore", invalid="ignore"))    # an error says more
        self.quiet[-1].__enter__()
        if not on:
            watchers.append(_explainer)
        on = True

    def __exit__(self, *error: Any) -> None:
        global on
        self.quiet.pop().__exit__(*error)
        _switches.pop()
        if not _switches:
            on = False
            watchers.remove(_explainer)
            _locks.release_all()

    def __call__(self, function: Callable) -> Callable:
        return inside(functools.partial(debug, *self.stops), function)


def set_debug(mode: bool) -> None:
    """Switch debug mode on or off from here on: for a notebook, where no ``with`` block spans several cells.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.set_debug(True)
    >>> tn.log(tn.zeros(2))                                     # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    FloatingPointError: Log gave -inf in 2 of 2 values, first at [0]
        ...
    >>> tn.set_debug(False)
    """
    if mode and not _for_good:
        _for_good.append(debug())
        _for_good[0].__enter__()
    elif not mode and _for_good:
        _for_good.pop().__exit__(None, None, None)


# ---------------------------------------------------------------------- what the engine tells while `on`

class Explainer(Watcher):
    """Remembers what errors will want to tell, and stops at the first NaN or infinity."""

    def computed(self, y: "Tensor", operation: Any, inputs: tuple) -> None:
        """After an operation: remember its line, refuse NaN and infinity, lock what is recorded."""
        remember(y, operation.__name__, getattr(y, "cut", ""), *inputs)
        fault = first_fault(y.data)
        if fault:
            names = argument_names(operation, len(inputs))
            lines = [ranges(name, x) for name, x in zip(names, inputs, strict=True)]
            stop(operation.__name__, fault, *lines, *came_from(names, inputs), called_at())
        _locks.welcome(y.data)
        if y.operation is not None:
            _locks.lock(y, [array_of(x) for x in (*inputs, y)])

    def started(self, outputs: Any, seeds: Any) -> None:
        """From where a backward pass starts, so that what it does not reach can be told."""
        last_pass.number += 1
        last_pass.outputs = [origin_of(y) for y in outputs]
        last_pass.finished = last_pass.stored = False

    def ended(self, stored: bool) -> None:
        last_pass.finished, last_pass.stored = True, stored

    def hooked(self, x: "Tensor", before: Any, after: Any) -> None:
        """Note if it is the hooks who made a gradient zero."""
        if np.any(on_host(array_of(before))) and not np.any(on_host(array_of(after))):
            origin_of(x).note_zero(last_pass.number, f"a hook made it zero, on a tensor of shape {x.shape}"
                                   + "".join(f"\n    {line}" for line in [computed_at(x)] if line))

    def sent(self, y: "Tensor", x: "Tensor", derivative: Any, g: Any, share: Any, fitted: Any, total: Any) -> None:
        """After a derivative: refuse NaN and infinity, and note where a gradient becomes zero everywhere."""
        names = argument_names(y.operation, len(y.inputs))
        rule = getattr(derivative, "func", derivative).__name__                     # grad_a, say
        share, arriving = on_host(array_of(share)), on_host(array_of(g))
        fault = first_fault(share)
        if fault:
            lines = [ranges(name, x) for name, x in zip(("arriving gradient", *names), (g, *y.inputs), strict=True)]
            stop(f"{y.operation.__name__}.{rule}", fault, *lines, computed_at(y))
        sender, receiver, number = origin_of(y), origin_of(x), last_pass.number
        receiver.reached_in = number
        if np.any(share):
            receiver.note_zero(number, "")
        elif receiver.zero_in == number:
            pass                                # by another use of the value, something has arrived or was explained
        elif np.any(arriving):
            here = computed_at(y) or y.operation.__name__
            receiver.note_zero(number, f"{here}\n    {ranges(rule.removeprefix('grad_'), x)}")
        else:
            earlier = sender.zero_because if sender.zero_in == number else ""
            receiver.note_zero(number, earlier or "the gradient that backward started from")

    def released(self, y: "Tensor") -> None:
        """Before a result's history is freed: its arrays may be written to again."""
        _locks.release(y)


_explainer = Explainer()


def first_fault(array: Any) -> str:
    """How many values are NaN or infinite, and where the first of them is ('' if debug mode accepts all)."""
    if array.dtype.kind != "f":
        return ""
    array, (nan, inf) = on_host(array), _switches[-1]
    for wanted, bad in ((nan, np.isnan(array)), (inf, np.isinf(array))):
        if wanted and np.any(bad):
            where = tuple(int(i) for i in np.argwhere(bad)[0])
            place = f", first at [{', '.join(map(str, where))}]" if where else ""
            return f"{float(array[where])} in {int(np.sum(bad))} of {array.size} values{place}"
    return ""


def stop(who: str, fault: str, *lines: str) -> None:
    """Raise the error about a NaN or an infinity."""
    if "inf" in fault:
        lines += ("(if infinity is meant here, as in a mask of -inf: tn.debug(inf=False) accepts it)",)
    raise FloatingPointError("\n    ".join([f"{who} gave {fault}", *filter(None, lines)]))


def writable(tensors: Iterable["Tensor"]) -> contextlib.AbstractContextManager:
    """A block in which a change in place that the engine itself makes may write."""
    return _locks.lifted([x.data for x in tensors]) if on else _nothing


if os.environ.get("TINYGRAD_NUC_DEBUG", "0") not in ("", "0"):
    set_debug(True)
