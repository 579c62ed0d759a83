"""Whether operations are being recorded: on by default, off inside ``with no_grad():``.

The switch is a context variable, so that one thread's (or one asyncio task's) ``no_grad`` is not another's.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_recording: ContextVar[bool] = ContextVar("recording", default=True)

is_grad_enabled = _recording.get        # a plain alias: it is asked once for every operation


@contextmanager
def set_grad_enabled(mode: bool) -> Iterator[None]:
    """Record operations inside the ``with`` block, or inside the decorated function, if `mode` is true.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> w = tn.tensor(3.0, requires_grad=True)
    >>> with tn.set_grad_enabled(False):
    ...     y = w * w
    >>> y.requires_grad
    False
    """
    before = _recording.set(bool(mode))
    try:
        yield
    finally:
        _recording.reset(before)


@contextmanager
def no_grad() -> Iterator[None]:
    """Do not record: results have ``requires_grad=False``, and tensors may be changed in place.

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
    with set_grad_enabled(False):
        yield


@contextmanager
def enable_grad() -> Iterator[None]:
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
    with set_grad_enabled(True):
        yield
