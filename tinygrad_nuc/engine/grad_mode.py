"""Whether operations are being recorded: on by default, off inside ``with no_grad():``.

The switch is a context variable, so that one thread's (or one asyncio task's) ``no_grad`` is not another's.
"""

from contextlib import ContextDecorator
from contextvars import ContextVar, Token

_recording: ContextVar[bool] = ContextVar("recording", default=True)

is_grad_enabled = _recording.get        # a plain alias: it is asked once for every operation


class set_grad_enabled(ContextDecorator):
    """Record operations inside the ``with`` block (or decorated function) if `mode` is true.

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
        self.mode = bool(mode)
        self._outer: list[Token] = []           # a stack, since one object may be entered more than once

    def __enter__(self) -> None:
        self._outer.append(_recording.set(self.mode))

    def __exit__(self, *error: object) -> None:
        _recording.reset(self._outer.pop())


class no_grad(set_grad_enabled):
    """Do not record: results have ``requires_grad=False``, and tensors may be changed in place.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> w = tn.tensor(3.0, requires_grad=True)
    >>> with tn.no_grad():
    ...     w -= 0.5            # an update is not part of the function being differentiated
    >>> w
    tensor(2.5000, requires_grad=True)
    """

    def __init__(self) -> None:
        super().__init__(False)


class enable_grad(set_grad_enabled):
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

    def __init__(self) -> None:
        super().__init__(True)
