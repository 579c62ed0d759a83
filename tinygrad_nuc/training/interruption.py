"""Ctrl-C that waits for the end of a step, so that no step is ever half done."""

import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def noted_interruption() -> Iterator[Callable[[], bool]]:
    """Inside the block a first Ctrl-C is only noted, and the function that is given tells whether there was one.

    A second one interrupts at once, as ever. Only the main thread of a program can be asked; elsewhere, and where
    Ctrl-C is ignored, nothing changes.

    Examples
    --------
    >>> with noted_interruption() as interrupted:
    ...     print(interrupted())
    False
    """
    noted = False

    def note(number: int, frame: Any) -> None:
        nonlocal noted
        noted = True
        signal.signal(signal.SIGINT, before)            # the next one is no longer caught
        print("\nstopping after this step; press Ctrl-C again to stop at once", file=sys.stderr, flush=True)

    before = signal.getsignal(signal.SIGINT)
    if threading.current_thread() is not threading.main_thread() or before in (signal.SIG_IGN, None):
        yield lambda: False
        return
    signal.signal(signal.SIGINT, note)
    try:
        yield lambda: noted
    finally:
        signal.signal(signal.SIGINT, before)
