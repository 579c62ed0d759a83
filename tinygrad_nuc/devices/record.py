"""One recorded step: the CUDA graph, and all that must live as long as it does."""

import weakref
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from ..engine import accelerator
from ..engine.tensor import Tensor
from ..engine.watching import Watcher, watchers
from .gpu import import_cupy
from .kernels.matmul import cublas
from .rehearsal import Rehearsal, Results
from .staging import Inputs

_records: "weakref.WeakSet[Record]" = weakref.WeakSet()


def pools() -> Iterator[Any]:
    """The memory of all records there are."""
    return (record.pool for record in list(_records))


class Uses(Watcher):
    """What a step uses that it has not made itself: weights, buffers, and whatever it finds around it."""

    def __init__(self) -> None:
        self.tensors: dict[Tensor, tuple[Any, bool]] = {}       # with its array, and whether it required a gradient
        self.made = Results()

    def computed(self, y: Tensor, operation: Any, inputs: tuple) -> None:
        self.made.add(y)
        for x in inputs:
            if isinstance(x, Tensor) and x not in self.made:
                self.tensors.setdefault(x, (x.data, x.requires_grad))


class Record:
    """A step that can be replayed.

    Parameters
    ----------
    inputs : tuple
        Such as the step will be called with.
    device : device, optional
        Where they go.
    rehearsal : Rehearsal
        Of this step, with such inputs.
    """

    def __init__(self, inputs: tuple, device: Any, rehearsal: Rehearsal) -> None:
        cupy = import_cupy()
        self.rehearsal = rehearsal
        self.before: list[Callable] = []                        # what writes the numbers of a step
        self.checks: list[Callable[[], bool]] = []              # whether the formulas are still those recorded
        self.inputs = Inputs(inputs, device)
        self.place = cupy.cuda.Device(self.inputs.number)
        with self.place:
            self.stream, self.pool = cupy.cuda.Stream(non_blocking=True), cupy.cuda.MemoryPool(partial(new_block, cupy))
            self.begun, self.done = (cupy.cuda.Event(disable_timing=True) for _ in range(2))
        _records.add(self)

    def attempt(self, step: Callable) -> str:
        """Record the step, which computes nothing yet; returns why that failed, or "". Then all tensors are as before.

        Raises
        ------
        NotRehearsed
            If the step does something that it had not to do in the rehearsal.
        """
        cupy, uses, failure = import_cupy(), Uses(), ""
        self.gradients = {x: x._grad for x in self.rehearsal.leaves}
        with self.place:
            cublas(cupy)                                        # its workspace is not part of the record
            self.place.synchronize()
            cupy.get_default_memory_pool().free_all_blocks()    # what ordinary steps have left is needed here
        with self.place, self.stream, cupy.cuda.using_allocator(self.pool.malloc):
            self.stream.begin_capture()
            accelerator.recording = self
            watchers.append(uses)
            try:
                result = step(*self.inputs.tensors)
            except BaseException as error:                      # of whatever kind: an ordinary step comes next ...
                self.forget_gradients()
                if isinstance(error, accelerator.NotRehearsed) or not isinstance(error, Exception):
                    raise                                       # ... but for these, and Ctrl-C
                failure = f"it cannot be recorded: {error or type(error).__name__}"
            finally:
                watchers.remove(uses)
                accelerator.recording = None
                try:
                    self.graph = self.stream.end_capture()
                except Exception as error:                      # after any call that CUDA does not record
                    failure = failure or f"it cannot be recorded: {error}"
        if failure:
            self.forget_gradients()
            return failure
        self.graph.upload(self.stream)
        self.result = detached(result)
        self.gradients = {x: x._grad for x in self.gradients}
        own = set(map(id, self.inputs.tensors))
        self.used = {x: use for x, use in uses.tensors.items() if id(x) not in own}
        self.surroundings = self.rehearsal.surroundings()
        return ""

    def forget_gradients(self) -> None:
        """What was recorded was never computed: back to the gradients of before."""
        for x, g in self.gradients.items():
            x._grad = g

    def before_each(self, write: Callable, still: Callable[[], bool]) -> None:
        """Have numbers written before each replay, as long as the recorded step is `still` the right one."""
        self.before.append(write)
        self.checks.append(still)

    def still_right(self) -> bool:
        """Whether all that the step uses is where it was, and formulas and switches are the same."""
        return (all(x.data is array and x.requires_grad == required for x, (array, required) in self.used.items())
                and self.rehearsal.surroundings() == self.surroundings and all(check() for check in self.checks))

    def replay(self, inputs: tuple) -> Any:
        """The step, in one launch."""
        with self.place:
            current = import_cupy().cuda.get_current_stream()
            self.begun.record(current)
            self.stream.wait_event(self.begun)                  # after all that was launched before ...
            with self.stream:
                self.inputs.fill(inputs)
                for write in self.before:
                    write()
                self.graph.launch(self.stream)
            self.done.record(self.stream)
            current.wait_event(self.done)                       # ... and before all that comes after
        for x, g in self.gradients.items():
            x._grad = g
            x.mark_changed()            # its numbers may be new: a graph kept from before must not use them
        return self.result


def new_block(cupy: Any, size: int) -> Any:
    """Memory for the record's pool. Where there is none left, recording ends.

    Left to itself the pool would give back what it has free, and try again: but that is what the record uses already.
    """
    try:
        return cupy.cuda.MemoryPointer(cupy.cuda.Memory(size), 0)
    except cupy.cuda.runtime.CUDARuntimeError as error:
        raise MemoryError(f"the GPU's memory is not enough for a step beside the ordinary one ({error})") from error


def detached(result: Any) -> Any:
    """What a step returned, without its history, which is not recorded."""
    if isinstance(result, Tensor):
        return result.detach()
    if isinstance(result, (tuple, list)):
        return type(result)(map(detached, result))
    return {name: detached(x) for name, x in result.items()} if isinstance(result, dict) else result
