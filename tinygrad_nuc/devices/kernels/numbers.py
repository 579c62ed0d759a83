"""Numbers that the host decides before each step, and that kernels read on the GPU: learning rates, say, or a seed.

A kernel that is replayed (`tinygrad_nuc.cuda.capture`) gets the same arguments every time. So what changes from step to
step lies in an array on the GPU, which is written before each replay.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ...engine import accelerator
from ..gpu import import_cupy


class Numbers:
    """A few numbers on the GPU.

    They are written by a kernel that gets them as its arguments. A copy would have to wait until the last one is over,
    or would need memory of the host that nobody changes until then.

    Parameters
    ----------
    n : int
        How many.
    decide : function
        Returns the numbers for the step that is about to begin; called once for each step, so it may count them.
    still : function
        Whether a recorded step is still the right one, but for these numbers.
    dtype : dtype
    """

    def __init__(self, n: int, decide: Callable[[], Sequence], still: Callable[[], bool] = lambda: True,
                 dtype: Any = np.float64) -> None:
        self.decide, self.still = decide, still
        self.array = import_cupy().empty((n,), dtype)

    def prepare(self) -> Any:
        """The array, with the numbers for this step, or, where a step is recorded, with new ones before each replay."""
        if accelerator.recording is None:
            self.write(self.array)
            return self.array
        array = np.empty_like(self.array)       # of each launch its own: an optimizer may step twice in a recorded step
        accelerator.recording.before_each(lambda: self.write(array), self.still)
        return array

    def write(self, array: Any) -> None:
        """Decide, and write."""
        numbers = self.decide()                 # in any case: it may count the step
        if numbers:                             # a formula may need none
            writer(len(numbers), array.dtype.name)(*numbers, array, size=1)


_writers: dict[tuple, Any] = {}


def writer(n: int, dtype: str) -> Any:
    """A kernel that writes its n arguments into an array."""
    cupy = import_cupy()
    key = (id(cupy), n, dtype)
    if key not in _writers:
        inputs = ", ".join(f"{dtype} number{k}" for k in range(n))
        text = "\n".join(f"numbers[{k}] = number{k};" for k in range(n))
        _writers[key] = cupy.ElementwiseKernel(inputs, f"raw {dtype} numbers", text, f"write_{n}_numbers")
    return _writers[key]
