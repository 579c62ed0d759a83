"""What runs a rule where its arrays are: on the CPU the rule itself, as it stands in the table of derivatives.

On a GPU every NumPy call costs a launch, and some rules take many. So the package `devices`, when a GPU is first used,
puts two functions here, which the engine and the optimizers ask before they begin. Until then nothing stands between a
rule and whoever calls it.
"""

from collections.abc import Callable
from typing import Any

# rule → what computes the same of arrays on a GPU, and is the rule itself for any others
version_of: Callable[[Callable], Callable] | None = None

# (parameters of an optimizer, its formula, …) → whether a kernel has taken the step
take_step: Callable[..., bool] | None = None

# an array that was just made, by tn.zeros, say → what stands for it while a step is recorded (`tn.compile`)
made: Callable[[Any], Any] | None = None

# the training step that is being recorded now, to be replayed in one launch (`tn.cuda.capture`)
recording: Any = None

# whether an ordinary step is being watched, so that all that recording it needs is loaded and compiled
rehearsing = False


class NotRehearsed(RuntimeError):
    """A step that is being recorded does something for the first time."""


def of(rule: Callable) -> Callable:
    """What runs the rule: itself, as long as there is no GPU."""
    return rule if version_of is None else version_of(rule)
