"""Whether operations are being recorded: on by default, off inside ``with no_grad():``.

The switch is a context variable, so that one thread's (or one asyncio task's) ``no_grad`` is not another's.
"""

import functools
import inspect
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

_recording: ContextVar[bool] = ContextVar("recording", default=True)

is_grad_enabled = _recording.get        # a plain alias: it is asked once for every operation


class set_grad_enabled:
    """Record operations from here on if `mode` is true; in a ``with`` statement until the end of its block.

    As a decorator it sets the mode for the calls of the function only.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> w = tn.tensor(3.0, requires_grad=True)
    >>> with tn.set_grad_enabled(False):
    ...     y = w * w
    >>> y.requires_grad
    False
    """

    def __init__(self, mode: bool) -> None:
        self.before = _recording.get()
        self.mode = bool(mode)
        _recording.set(self.mode)

    def __enter__(self) -> None:
        _recording.set(self.mode)

    def __exit__(self, *error: object) -> None:
        _recording.set(self.before)

    def __call__(self, function: Callable) -> Callable:
        _recording.set(self.before)             # here it is the function that switches, not this line
        return inside(functools.partial(set_grad_enabled, self.mode), function)


def inside(block: Callable, function: Callable) -> Callable:
    """The function, every call of which runs inside ``with block():``."""
    if inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function):
        raise TypeError(f"{function.__name__}: a coroutine runs when it is awaited; write the with block inside it")
    if inspect.isgeneratorfunction(function):
        return generator_inside(block, function)

    @functools.wraps(function)
    def decorated(*args: Any, **options: Any) -> Any:
        with block():
            return function(*args, **options)
    return decorated


def generator_inside(block: Callable, function: Callable) -> Callable:
    """The generator function, each piece of which runs inside the block; whoever takes its items stays outside."""
    @functools.wraps(function)
    def pieces(*args: Any, **options: Any) -> Any:
        generator = function(*args, **options)
        go_on, given = generator.send, None
        while True:
            try:
                with block():
                    item = go_on(given)
            except StopIteration as end:
                return end.value
            try:
                go_on, given = generator.send, (yield item)
            except BaseException as error:          # thrown in by the caller: it belongs inside, GeneratorExit too
                go_on, given = generator.throw, error
    return pieces


class _Block:
    """What no_grad and enable_grad have in common: a ``with`` block, or the whole of a decorated function."""

    mode: bool
    before: list[bool]

    def __new__(cls, function: Callable | None = None) -> Any:
        """``@no_grad`` without parentheses decorates as ``@no_grad()`` does."""
        block = super().__new__(cls)
        block.before = []
        return block if function is None else block(function)

    def __enter__(self) -> None:
        self.before.append(_recording.get())    # a stack, since one block may be entered more than once
        _recording.set(self.mode)

    def __exit__(self, *error: object) -> None:
        _recording.set(self.before.pop())

    def __call__(self, function: Callable) -> Callable:
        return inside(type(self), function)


class no_grad(_Block):
    """Do not record: results have ``requires_grad=False``, and tensors may be changed in place.

    A ``with no_grad()`` inside a generator also reaches whoever takes its items, until the block ends; a generator
    decorated with ``@no_grad()`` does not.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> w = tn.tensor(3.0, requires_grad=True)
    >>> with tn.no_grad():
    ...     w -= 0.5            # an update is not part of the function being differentiated
    >>> w
    tensor(2.5000, requires_grad=True)
    >>> @tn.no_grad()
    ... def predict(x):
    ...     return w * x
    >>> predict(2.0)
    tensor(5.)
    """

    mode = False


class enable_grad(_Block):
    """Record again inside a ``no_grad`` block.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> w = tn.tensor(3.0, requires_grad=True)
    >>> with tn.no_grad(), tn.enable_grad():
    ...     y = w * w
    >>> y.requires_grad
    True
    """

    mode = True
