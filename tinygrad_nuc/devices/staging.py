"""The inputs of a recorded step: arrays on the GPU that are filled anew before each replay."""

from typing import Any

import numpy as np

from ..engine.tensor import Tensor
from .gpu import import_cupy
from .moving import device_of
from .names import device

AHEAD = 2                           # how many batches may be on their way to the GPU


class Inputs:
    """An array on the GPU for each input that is a tensor.

    What comes from the computer's memory is first copied into pages that stay where they are ("pinned"), from which
    the GPU fetches it by itself while Python goes on. Such a page is not used again before the GPU has been there.
    """

    def __init__(self, inputs: tuple, where: device | None) -> None:
        cupy = import_cupy()
        if where is None:
            where = next(device_of(x.data) for x in inputs if isinstance(x, Tensor))
        self.number = cupy.cuda.runtime.getDevice() if where.index is None else where.index
        with cupy.cuda.Device(self.number):
            self.tensors = tuple(Tensor(cupy.empty(x.shape, x.dtype)) if isinstance(x, Tensor) else x for x in inputs)
        self.pages: list[dict[int, Any]] = [{} for _ in range(AHEAD)]
        with cupy.cuda.Device(self.number):             # the events after which the pages are free again
            # block: waiting for one sleeps, and does not spin
            self.fetched = [cupy.cuda.Event(block=True, disable_timing=True) for _ in range(AHEAD)]
        self.turn = 0

    def fill(self, inputs: tuple) -> None:
        """Copy the inputs of the next step, in the current stream."""
        cupy = import_cupy()
        stream = cupy.cuda.get_current_stream()
        pages, staged = self.pages[self.turn], False
        for i, (x, place) in enumerate(zip(inputs, self.tensors, strict=True)):
            if not isinstance(x, Tensor):
                continue
            if not isinstance(x.data, np.ndarray):
                place.data[...] = x.data
                continue
            if not staged:
                self.fetched[self.turn].synchronize()   # at once, if it was never recorded
            staged = True
            if i not in pages:
                import cupyx
                pages[i] = cupyx.empty_pinned(x.shape, x.dtype)
            pages[i][...] = x.data
            place.data.set(pages[i], stream=stream)
        if staged:
            self.fetched[self.turn].record(stream)
            self.turn = (self.turn + 1) % AHEAD
