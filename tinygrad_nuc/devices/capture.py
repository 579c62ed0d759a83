"""A whole training step in one launch: recorded once as a CUDA graph, and replayed from then on.

A small network's step is some fifty launches, each of which costs Python and CuPy more time than it costs the GPU. CUDA
can record what is launched, without running it, and then launch all of it at once, with the same arguments and the same
memory every time. What that takes:

- The step has been made before, so that all kernels are compiled and all memory is there: the first two calls are
  ordinary ones, and the second of them is watched (rehearsal.py) for anything that could not be recorded.
- The inputs of every call are copied into the arrays that were recorded, and the results lie where they always lie.
- Numbers that change from step to step, such as the learning rate, are written into arrays (kernels/numbers.py).
- What the step does in Python alone, outside of the engine and its optimizers, is done when it is recorded, and not
  again.
"""

import functools
from collections.abc import Callable
from typing import Any

from ..engine import accelerator, debugging
from ..engine.tensor import Tensor
from .gpu import import_cupy
from .kernels.matmul import cublas
from .moving import device_of, on_device
from .names import as_device
from .rehearsal import Rehearsal
from .staging import Inputs

AT_MOST = 8                         # records of one step, for as many shapes of its inputs


def capture(step: Callable, *, device: Any = None) -> "Captured":
    """The training step `step`, recorded as a CUDA graph and from then on replayed in one launch.

    It is called like `step`, and also serves as a decorator. The first two calls for inputs of some shapes are ordinary
    ones; the third records. On the CPU, and where a step cannot be recorded, it goes on as an ordinary step, and
    ``reason`` says why: because it branches on a value or reads one, for example, or because the shapes of its inputs
    keep changing.

    A recorded step must begin with ``zero_grad()``, and everything that changes from one step to the next must be an
    input, or a setting of an optimizer. What it does in Python besides (print, count, step a learning-rate schedule) is
    not done again: do that after the step. The results lie in the same memory after every call, so that reading
    ``loss.item()`` is for the last call; ``.clone()`` keeps one. Networks in training and in evaluation mode need a
    step each. Results agree with those of the ordinary step up to rounding, and with dropout in distribution.

    Parameters
    ----------
    step : function
        Of tensors and numbers; returns a tensor, or a tuple, list or dict of tensors, or nothing.
    device : str or device, optional
        Where inputs go before each call, by way of memory from which the GPU fetches them itself; by default they are
        used where they are.

    Returns
    -------
    Captured
        The function, with ``reason`` (a text; "" as long as nothing is in the way) and ``replays``, the number of calls
        that were made in one launch.

    Raises
    ------
    TypeError
        If `step` is not a function.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> model = tn.nn.Linear(2, 1)
    >>> optimizer = tn.optim.Adam(model.parameters())
    >>> @tn.cuda.capture
    ... def step(x, target):
    ...     optimizer.zero_grad()
    ...     loss = tn.nn.functional.mse_loss(model(x), target)
    ...     loss.backward()
    ...     optimizer.step()
    ...     return loss
    >>> loss = step(tn.ones(4, 2), tn.zeros(4, 1))
    >>> step.reason
    'the inputs are on the CPU'
    """
    return Captured(step, device)


class Captured:
    """A step that is recorded when that is possible, and otherwise made as it stands; see `capture`."""

    def __init__(self, step: Callable, device: Any = None) -> None:
        if not callable(step):
            raise TypeError(f"capture: expects a function that makes a training step, not a {type(step).__name__}")
        functools.update_wrapper(self, step)
        self.step = step
        self.device = None if device is None else as_device(device)
        self.calls: dict[tuple, int] = {}           # shapes and dtypes of the inputs → how many calls without a record
        self.records: dict[tuple, Record] = {}
        self.reason = ""
        self.replays = 0

    def __call__(self, *inputs: Any) -> Any:
        key = tuple((x.shape, x.dtype.char) if isinstance(x, Tensor) else (type(x), x) for x in inputs)
        record = self.records.get(key)
        if record is not None and record.still_right():
            self.replays += 1
            return record.replay(inputs)
        if record is not None:                      # weights, or what an optimizer remembers, lie elsewhere now
            del self.records[key]
            self.calls[key] = 1
        if self.reason and key in self.calls or not self.may_be_recorded(inputs, key):
            return self.step(*self.placed(inputs))
        self.calls[key] = self.calls.get(key, 0) + 1
        if self.calls[key] == 1:
            return self.step(*self.placed(inputs))
        return self.rehearsed(inputs) if self.calls[key] == 2 else self.recorded(key, inputs)

    def placed(self, inputs: tuple) -> tuple:
        """The inputs on the device that was asked for."""
        if self.device is None:
            return inputs
        return tuple(Tensor(on_device(x.data, self.device)) if isinstance(x, Tensor) else x for x in inputs)

    def may_be_recorded(self, inputs: tuple, key: tuple) -> bool:
        """Whether it makes sense to try; otherwise `reason` says why not."""
        arrays = [x.data for x in inputs if isinstance(x, Tensor)]
        where = self.device or (device_of(arrays[0]) if arrays else as_device("cpu"))
        if where.type == "cpu":
            self.reason = "the inputs are on the CPU" if arrays else "there are no tensors among the inputs"
        elif debugging.on:
            self.reason = "debug mode is on, which looks at every value"
        elif key not in self.calls and len(self.calls) >= AT_MOST:
            self.reason = f"the inputs keep changing: they have come in {AT_MOST} shapes or numbers already"
        else:
            return True
        return False

    def rehearsed(self, inputs: tuple) -> Any:
        """An ordinary step, watched for what could not be recorded."""
        try:
            cublas(import_cupy())                   # its workspace must be there before, and outlive all records
        except (OSError, RuntimeError) as error:
            self.reason = f"cuBLAS cannot be called directly: {error}"
            return self.step(*self.placed(inputs))
        with Rehearsal() as rehearsal:
            result = self.step(*self.placed(inputs))
        self.reason = rehearsal.obstacle()
        self.rehearsal = rehearsal
        return result

    def recorded(self, key: tuple, inputs: tuple) -> Any:
        """Record the step, and replay it; or make it as it stands if it cannot be recorded."""
        record = Record(inputs, self.device, self.rehearsal.leaves)
        self.reason = record.attempt(self.step)
        if self.reason:
            return self.step(*self.placed(inputs))
        self.records[key] = record
        self.replays += 1
        return record.replay(inputs)

    def __repr__(self) -> str:
        name = getattr(self.step, "__name__", "step")
        return f"Captured({name}, replays={self.replays}" + (f", reason={self.reason!r})" if self.reason else ")")


class Record:
    """One recorded step: the graph, and all that must live as long as it does.

    Parameters
    ----------
    inputs : tuple
        Such as the step will be called with.
    device : device, optional
        Where they go.
    leaves : list of Tensor
        Which tensors get a gradient.
    """

    def __init__(self, inputs: tuple, device: Any, leaves: list[Tensor]) -> None:
        cupy = import_cupy()
        self.leaves = leaves
        self.before: list[Callable] = []                        # what writes the numbers of a step
        self.checks: list[Callable[[], bool]] = []
        self.inputs = Inputs(inputs, device)
        self.place = cupy.cuda.Device(self.inputs.number)
        with self.place:
            self.stream, self.pool = cupy.cuda.Stream(non_blocking=True), cupy.cuda.MemoryPool()
            self.begun, self.done = (cupy.cuda.Event(disable_timing=True) for _ in range(2))

    def attempt(self, step: Callable) -> str:
        """Record the step; returns why that failed, or "". Nothing is computed yet, and nothing has changed then."""
        cupy = import_cupy()
        gradients = [x._grad for x in self.leaves]
        failure = ""
        self.place.synchronize()
        with self.place, self.stream, cupy.cuda.using_allocator(self.pool.malloc):
            self.stream.begin_capture()
            accelerator.recording = self
            try:
                result = step(*self.inputs.tensors)
            except Exception as error:                          # of whatever kind: an ordinary step comes next
                failure = f"it cannot be recorded: {error or type(error).__name__}"
            finally:
                accelerator.recording = None
                try:
                    self.graph = self.stream.end_capture()
                except Exception as error:                      # after any call that CUDA does not record
                    failure = failure or f"it cannot be recorded: {error}"
        if failure:
            for x, g in zip(self.leaves, gradients, strict=True):
                x._grad = g
            return failure
        self.graph.upload(self.stream)
        self.result = detached(result)
        self.gradients = {x: x._grad for x in self.leaves}
        self.values = {x: x.data for x in self.leaves}          # arrays that the graph reads and writes
        return ""

    def before_each(self, write: Callable, still: Callable[[], bool]) -> None:
        """Have numbers written before each replay, as long as the recorded step is `still` the right one."""
        self.before.append(write)
        self.checks.append(still)

    def still_right(self) -> bool:
        """Whether the parameters are still in the same memory, and the optimizers' formulas still the same."""
        return all(x.data is array for x, array in self.values.items()) and all(check() for check in self.checks)

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
            x.mark_changed()
        return self.result


def detached(result: Any) -> Any:
    """What a step returned, without its history, which is not recorded."""
    if isinstance(result, Tensor):
        return result.detach()
    if isinstance(result, (tuple, list)):
        return type(result)(map(detached, result))
    return {name: detached(x) for name, x in result.items()} if isinstance(result, dict) else result
