"""The engine's time: what was made before what, and when an array was last changed in place."""

import itertools

clock = itertools.count(1)      # next(clock) for every recorded operation and every change in place


class Changes:
    """When an array was last changed in place: known to all tensors that share it."""

    latest = 0                          # when any array was, of all there are
    line: str                           # in the user's program; only in debug mode
    __slots__ = ("last", "line")

    def __init__(self) -> None:
        self.last = 0
