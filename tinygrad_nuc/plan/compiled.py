"""`tn.compile`: a step that is recorded, planned, and from then on replayed."""

import functools
import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from ..devices.capture import Captured
from ..engine import debugging
from ..engine.grad_mode import is_grad_enabled
from ..engine.tensor import Tensor
from . import watched
from .calls import CannotCompile, replaced
from .compare import difference
from .plan import Plan
from .session import Session, as_returned
from .watched import Uses

AT_MOST = 8                         # kinds of inputs ...
VARIANTS = 4                        # ... and plans for each: in training and evaluation, say


def compile(step: Callable) -> "Compiled":
    """The training step `step` as a plan: a flat list of NumPy calls that allocate nothing, replayed in every call.

    It is called like `step`, and also serves as a decorator. The first call for inputs of some shapes is an ordinary
    one, which shows what the step uses. The second and the third are recorded: every NumPy call of the forward pass, of
    the backward pass and of the optimizer is written down, and both records must say the same. From then on nothing of
    the step's Python is run any more. What is always the same, or not used, is left out; each result gets a place in
    memory that is used again as soon as it is free; large arrays are worked through in parts that fit into the cache.
    ``print(step.plan)`` shows it all.

    Results agree with those of `step` up to rounding, and are new tensors without a history. Random numbers are drawn
    anew in each replay, in the same order. Settings of optimizers, such as a learning rate that a schedule has changed,
    are looked up in each replay. Inputs of other shapes, another mode of a network (``train()``, ``eval()``), another
    ``requires_grad``, or parameters that now have another array make a new plan by themselves. Gradients are left in
    ``grad``, in memory that the next call writes over: ``.clone()`` keeps one.

    What the step does in Python besides is not done again: print, count and step a learning-rate schedule after it. On
    a GPU the step is recorded by `tinygrad_nuc.cuda.capture` instead.

    Parameters
    ----------
    step : function
        Of tensors and numbers; returns a tensor, a number, or a tuple, list or dictionary of them, or nothing. Whatever
        changes from one step to the next must be among its inputs, or a setting of an optimizer.

    Returns
    -------
    Compiled
        The function, with ``plan`` (the latest; None before there is one) and ``replays``.

    Raises
    ------
    TypeError
        If `step` is not a function; in a call, if an input is neither a tensor nor a number, text, bool or None.
    ValueError
        In a call, if an input has a history, or is given twice.
    RuntimeError
        In a call, if the step cannot be replayed, with the line of your program and what to write instead: if it
        decides by a tensor's value, reads one, draws random numbers from elsewhere, or differs from call to call; and
        if its inputs come in a ninth kind.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> w = tn.tensor([1.0, 2.0], requires_grad=True)
    >>> optimizer = tn.optim.SGD([w], lr=0.1)
    >>> @tn.compile
    ... def step(x):
    ...     optimizer.zero_grad()
    ...     loss = (w * x).square().sum()
    ...     loss.backward()
    ...     optimizer.step()
    ...     return loss
    >>> [round(step(tn.ones(2)).item(), 4) for _ in range(5)], step.replays
    ([5.0, 3.2, 2.048, 1.3107, 0.8389], 2)
    """
    return Compiled(step)


class Compiled:
    """A step that is replayed from a plan, wherever there is one for its inputs; see `compile`.

    Attributes
    ----------
    plan : Plan or None
        The latest.
    replays : int
        How many calls were replays.
    """

    def __init__(self, step: Callable) -> None:
        if not callable(step):
            raise TypeError(f"compile: expects a function that makes a training step, not a {type(step).__name__}")
        functools.update_wrapper(self, step)
        self.step = step
        self.plan: Plan | None = None
        self.replays = 0
        self.plans: dict[tuple, list[Plan]] = {}        # kinds of inputs → plans, the latest first
        self.rehearsed: dict[tuple, Uses] = {}          # kinds of inputs → what an ordinary step has used
        self.records: dict[tuple, Session] = {}         # kinds of inputs → a record that has not been confirmed
        self.captured: Captured | None = None
        self.one_at_a_time = threading.RLock()          # a plan has its memory once, for however many threads

    def __call__(self, *inputs: Any) -> Any:
        if watched.busy:                                # part of another step, which is being recorded
            return self.step(*inputs)
        with self.one_at_a_time:
            plan = self.plan
            if plan is not None and plan.key == key_of(inputs) and not debugging.on and plan.still_right(inputs):
                self.replays += 1
                return plan.replay(inputs)
            return self.another_way(inputs, key_of(inputs))

    def another_way(self, inputs: tuple, key: tuple) -> Any:
        """A call that the latest plan does not answer."""
        refuse_unknown(inputs)
        if on_gpu(inputs):
            self.captured = self.captured or Captured(self.step)
            return self.captured(*inputs)
        if debugging.on:                                # looks at every value
            return self.step(*inputs)
        for plan in self.plans.get(key, ()):
            if plan is not self.plan and plan.still_right(inputs):
                self.plan = plan
                self.replays += 1
                return plan.replay(inputs)
        if key not in self.rehearsed:
            return self.rehearse(inputs, key)
        return self.record(inputs, key)

    def rehearse(self, inputs: tuple, key: tuple) -> Any:
        """An ordinary step, watched for what it uses."""
        if len({*self.rehearsed, *self.plans, key}) > AT_MOST:
            raise CannotCompile(f"the inputs keep changing: they have come in {AT_MOST} shapes or numbers already. "
                                "Give numbers that change as tensors, and leave out a last batch that is smaller",
                                line="")
        with Uses() as uses:
            result = self.step(*inputs)
        uses.refuse_new_settings()
        trained = uses.trained()
        for x in inputs:
            if isinstance(x, Tensor) and x not in trained:
                uses.tensors.pop(id(x), None)
        self.rehearsed[key] = uses
        return replaced(result, as_returned)

    def record(self, inputs: tuple, key: tuple) -> Any:
        """A step that is recorded; the plan is made as soon as two records say the same."""
        uses = self.rehearsed[key]
        record = Session(uses, inputs)
        result = record.run(self.step, inputs)
        uses.tensors.update(record.tensors)
        previous, self.records[key] = self.records.get(key), record
        if previous is not None and previous.settled and record.settled:
            clash = difference(previous, record)
            if clash:
                raise CannotCompile(f"the step is another one in every call: {clash}", line="")
            self.plan = Plan(record, key)
            self.plans[key] = [self.plan, *self.plans.get(key, [])][:VARIANTS]
            del self.records[key]
            del self.rehearsed[key]                     # the next one, if there is to be another, begins anew
        return result

    def __repr__(self) -> str:
        return f"Compiled({getattr(self.step, '__name__', 'step')}, replays={self.replays})"


def key_of(inputs: tuple) -> tuple:
    """What makes inputs of one kind: a plan is for one kind only."""
    return (is_grad_enabled(), *[(x._data.shape, x._data.dtype, type(x._data), x._requires_grad, x.operation is None)
                                 if isinstance(x, Tensor) else (type(x), repr(x)) for x in inputs])


def refuse_unknown(inputs: tuple) -> None:
    """What cannot be told apart from call to call, or could not get its gradient."""
    for i, x in enumerate(inputs):
        if not isinstance(x, (Tensor, bool, int, float, str, type(None))):
            hint = "tn.tensor(array)" if isinstance(x, np.ndarray) else "tensors and numbers"
            raise TypeError(f"compile: an input is a {type(x).__name__}; give {hint}")
        if isinstance(x, Tensor) and x._requires_grad and x.operation is not None:
            raise ValueError(f"compile: input {i} is a result of {x.operation.__name__} and requires a gradient, which "
                             "a replay could not pass on: give x.detach(), or compute it within the step")
    if len({id(x) for x in inputs if isinstance(x, Tensor)}) < sum(isinstance(x, Tensor) for x in inputs):
        raise ValueError("compile: the same tensor is given twice; give it once, or a clone")


def on_gpu(inputs: tuple) -> bool:
    """Whether the step is one for a GPU."""
    arrays = [x.data for x in inputs if isinstance(x, Tensor)]
    return bool(arrays) and not isinstance(arrays[0], np.ndarray)

