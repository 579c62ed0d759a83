"""What takes part in a comparison: a step that can be run again and again, and how to read its result."""

from collections.abc import Callable
from typing import Any

COMPARED_NUMBERS = 1000         # of a long result: enough to see that it is the same


class Competitor:
    """A training step, ready to run: `step()` returns what `numbers(result)` reads as a few numbers to compare."""

    def __init__(self, name: str, device: str, step: Callable[[], Any], numbers: Callable[[Any], list[float]],
                 synchronize: Callable[[], None] = lambda: None, prepare: Callable[[], None] = lambda: None,
                 reason: Callable[[], str] = lambda: "") -> None:
        self.name, self.device, self.step, self.numbers = name, device, step, numbers
        self.synchronize = synchronize          # waits for the device
        self.prepare = prepare                  # sets the precision, which is global
        self.reason = reason                    # why a step that should be captured is not, if it is not
