"""Where values came from: the operation, the line of the user's program, and the values before (debug mode)."""

import linecache
import os
import sys
from collections import deque
from typing import Any

import numpy as np

HISTORY = 100_000                       # how many operations back the way of a gradient can be told

_recent: deque["Origin"] = deque()       # what was computed last, up to HISTORY operations
_OUR_FILES = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_NUMPYS_FILES = os.path.dirname(np.__file__) + os.sep


class Origin:
    """What debug mode remembers of a value: the operation and its line, and from what; nothing of the arrays."""

    __slots__ = ("name", "line", "cut", "inputs", "last_use", "reached_in", "zero_in", "zero_because")

    def __init__(self, name: str = "", cut: str = "", inputs: tuple = ()) -> None:
        self.name = name                        # of the operation; "" for a leaf
        self.line = user_line() if name else ""
        self.cut = cut                          # why no gradient passes here: "detach", "no_grad", or ""
        self.inputs = inputs                    # their origins
        self.last_use = (0, "")                 # after how many backward passes, and on which line
        self.reached_in = 0                     # the backward pass that came here last
        self.zero_in = 0                        # the backward pass in which only zeros arrived here ...
        self.zero_because = ""                  # ... and what made them zero; "" if something else arrived too

    def note_zero(self, number: int, because: str) -> None:
        self.zero_in, self.zero_because = number, because


class Pass:
    """The last backward pass: from where it started, and what became of it."""

    def __init__(self) -> None:
        self.number = 0                         # how many there have been
        self.outputs: list[Origin] = []
        self.finished = False                   # False after an error, too
        self.stored = False                     # by backward, in the tensors' grad; tn.grad returns gradients instead


last_pass = Pass()


def origin_of(x: Any) -> Origin:
    """What is remembered of a tensor; a leaf is remembered from its first use on."""
    origin = getattr(x, "origin", None)
    if origin is None:
        origin = x.origin = Origin()
    return origin


def user_frame() -> Any:
    """The innermost call outside this package and NumPy; None if there is none."""
    frame: Any = sys._getframe(1)
    while frame is not None and not in_user_code(frame):
        frame = frame.f_back
    return frame


def in_user_code(frame: Any) -> bool:
    """Whether the function that runs in this frame is neither ours nor NumPy's."""
    return not frame.f_code.co_filename.startswith((_OUR_FILES, _NUMPYS_FILES))


def user_line() -> str:
    """The line outside this package and NumPy that is being executed, as ``file:number: text``."""
    frame = user_frame()
    if frame is None:
        return ""
    file, number = frame.f_code.co_filename, frame.f_lineno
    return f"{file}:{number}: {linecache.getline(file, number, frame.f_globals).strip()}"


def remember(y: Any, name: str, cut: str, *inputs: Any) -> None:
    """Note how `y` was made."""
    y.origin = Origin(name, cut, tuple(origin_of(x) for x in inputs if is_tensor(x)))
    for origin in y.origin.inputs:
        origin.last_use = (last_pass.number, y.origin.line)
    _recent.append(y.origin)
    while len(_recent) > HISTORY:
        _recent.popleft().inputs = ()           # or a running average would remember everything since its start


def is_tensor(x: Any) -> bool:
    """Whether `x` is a Tensor: asked this way since tensor.py imports this file."""
    return hasattr(x, "requires_grad")


def array_of(x: Any) -> Any:
    """The array in a Tensor; anything else as it is."""
    return x.data if is_tensor(x) else x


# ---------------------------------------------------------------------- lines for errors

def came_from(names: tuple[str, ...], inputs: Any) -> list[str]:
    """Where the inputs came from, as far as it is known."""
    return [f"{name} was computed by {x.origin.name} at {x.origin.line}" for name, x in zip(names, inputs, strict=True)
            if is_tensor(x) and getattr(x, "origin", None) is not None and x.origin.name]


def called_at() -> str:
    """The line at which an operation fails."""
    return f"called at {user_line()}"


def changed_at(changes: Any) -> str:
    """Where an array was last changed in place, if debug mode was on then."""
    line = getattr(changes, "line", "")
    return f"it was changed at {line}" if line else ""


def computed_at(y: Any) -> str:
    """Where a result was computed, if debug mode was on then."""
    origin = getattr(y, "origin", None)
    return f"{origin.name} was computed at {origin.line}" if origin is not None and origin.line else ""
