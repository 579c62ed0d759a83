"""A whole training step in one launch: recorded once as a CUDA graph, and replayed from then on.

A small network's step is some thirty launches, each of which costs Python and CuPy more time than it does the GPU. CUDA
can record what is launched, without running it, and then launch all of it at once, with the same arguments and the same
memory every time. What that takes:

- The step has been made before, so that all kernels are compiled and loaded: the first two calls are ordinary ones, and
  watched (rehearsal.py) for anything that could not be recorded. The third records (record.py).
- The inputs of every call are copied into the arrays that were recorded (staging.py), and the results lie where they
  always lie.
- Numbers that change from step to step, such as the learning rate, are written into arrays (kernels/numbers.py).
- What the step does in Python alone, outside of the engine and its optimizers, is done when it is recorded, and not
  again (twice in that call, if recording fails, since an ordinary step follows).
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
from .record import Record
from .rehearsal import Rehearsal, Results

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
        self.calls: dict[tuple, int] = {}       # kinds of inputs → how many calls there were without a record
        self.refused: dict[tuple, str] = {}     # kinds of inputs → why such a step cannot be recorded
        self.rehearsals: dict[tuple, Rehearsal] = {}
        self.made: list[Results] = []               # by ordinary calls
        self.records: dict[tuple, Record] = {}
        self.reason = ""
        self.replays = 0

    def __call__(self, *inputs: Any) -> Any:
        if accelerator.recording is not None:       # part of another step, which is being recorded
            return self.step(*inputs)
        key = tuple((x.shape, x.dtype.char) if isinstance(x, Tensor) else (type(x), x) for x in inputs)
        try:
            record = self.records.get(key)
        except TypeError:                           # an input that is no key, such as a list
            record = None
        if record is not None and not debugging.on and record.still_right():
            self.replays += 1
            return record.replay(inputs)
        if not self.may_be_recorded(inputs, key):
            return self.step(*self.placed(inputs))
        if record is not None:                      # weights, or what an optimizer remembers, lie elsewhere now
            del self.records[key]
            self.calls[key] = 1
        self.calls[key] = self.calls.get(key, 0) + 1
        return self.rehearsed(key, inputs) if self.calls[key] <= 2 else self.recorded(key, inputs)

    def placed(self, inputs: tuple) -> tuple:
        """The inputs on the device that was asked for."""
        if self.device is None:
            return inputs
        return tuple(Tensor(on_device(x.data, self.device)) if isinstance(x, Tensor) else x for x in inputs)

    def may_be_recorded(self, inputs: tuple, key: tuple) -> bool:
        """Whether it makes sense to try; sets `reason` to why not, or to ""."""
        kinds = [x for x in inputs if not isinstance(x, (Tensor, bool, int, float, str, type(None)))]
        arrays = [x.data for x in inputs if isinstance(x, Tensor)]
        where = self.device or (device_of(arrays[0]) if arrays else as_device("cpu"))
        if kinds:
            self.reason = f"an input is a {type(kinds[0]).__name__}: give tensors and numbers"
        elif where.type == "cpu":
            self.reason = "the inputs are on the CPU" if arrays else "there are no tensors among the inputs"
        elif debugging.on:
            self.reason = "debug mode is on, which looks at every value"
        elif key in self.refused:
            self.reason = self.refused[key]
        elif key not in self.calls and len(self.calls) >= AT_MOST:
            self.reason = f"the inputs keep changing: they have come in {AT_MOST} shapes or numbers already"
        else:
            self.reason = ""
        return not self.reason

    def rehearsed(self, key: tuple, inputs: tuple) -> Any:
        """An ordinary step, watched: the first for what it leaves behind, the second for what could not be recorded."""
        try:
            cublas(import_cupy())                   # which CuPy has loaded, but is called directly from here on
        except (OSError, RuntimeError) as error:
            self.reason = self.refused[key] = f"cuBLAS cannot be called directly: {error}"
            return self.step(*self.placed(inputs))
        try:
            with Rehearsal(self.made) as rehearsal:
                result = self.step(*self.placed(inputs))
        except BaseException:
            self.calls[key] -= 1                    # to be repeated
            raise
        if self.calls[key] == 2:
            self.refuse(key, rehearsal.obstacle())
        self.made.append(rehearsal.made)
        self.rehearsals[key] = rehearsal
        return result

    def recorded(self, key: tuple, inputs: tuple) -> Any:
        """Record the step, and replay it; or make it as it stands if it cannot be recorded."""
        record = Record(inputs, self.device, self.rehearsals[key])
        try:
            self.refuse(key, record.attempt(self.step))
        except accelerator.NotRehearsed:            # something was loaded, or added, since the rehearsal
            self.calls[key] = 2
            return self.rehearsed(key, inputs)
        if self.reason:
            return self.step(*self.placed(inputs))
        self.records[key] = record
        self.replays += 1
        return record.replay(inputs)

    def refuse(self, key: tuple, reason: str) -> None:
        """Make no further attempt with such inputs, if there is a reason."""
        self.reason = reason
        if reason:
            self.refused[key] = reason

    def __repr__(self) -> str:
        name = getattr(self.step, "__name__", "step")
        return f"Captured({name}, replays={self.replays}" + (f", reason={self.reason!r})" if self.reason else ")")
