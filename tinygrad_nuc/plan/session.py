"""A step made while it is recorded: the tensors that it uses hold stand-ins until it ends."""

import gc
import random
from collections.abc import Callable
from typing import Any

import numpy as np

from ..engine import accelerator, generator
from ..engine.tensor import Tensor
from .calls import CannotCompile, Value, replaced
from .recording import Program, Recorded, copyto, noted, plain
from .updates import Update
from .watched import Uses, copied


class Session(Uses):
    """The recording of one step.

    Parameters
    ----------
    uses : Uses
        What it will use, as an ordinary step has shown.
    inputs : tuple
        What it will be given.

    Attributes
    ----------
    program : Program
        What it computed.
    given : dict
        Tensor → its own array, for all that were there before.
    themselves : list of (position, Tensor)
        Inputs that are parameters of an optimizer, and are used as such.
    gradients : dict
        Leaf → the stand-in for its gradient after the step.
    result : anything
        What the step returned, with an `Answer` in place of each tensor or array.
    updates : list of Update
        The steps of optimizers.
    """

    def __init__(self, uses: Uses, inputs: tuple) -> None:
        super().__init__()
        self.program = Program()
        trained = uses.trained()
        self.trained_ones = trained
        self.optimizers = {optimizer: copied(optimizer.param_groups) for optimizer in uses.optimizers}
        self.themselves = [(i, x) for i, x in enumerate(inputs) if isinstance(x, Tensor) and x in trained]
        self.used = [x for x in uses.tensors.values() if x in trained or not any(x is y for y in inputs)]
        self.given: dict[Tensor, np.ndarray] = {}
        self.entry: dict[Tensor, Tensor | None] = {}            # leaf → its gradient before the step
        self.inputs: list[tuple[int, Tensor]] = []              # position → what stands for this input ...
        self.stand_ins: dict[Tensor, Value] = {}                # ... and for its array
        self.gradients: dict[Tensor, Value] = {}
        self.forgot: set[Tensor] = set()
        self.cleared: dict[Tensor, None] = {}                   # leaves without a gradient after the step
        self.of_inputs: list[tuple[int, Value]] = []            # gradients of inputs, by position
        self.updates: list[Update] = []

    @property
    def settled(self) -> bool:
        """Whether the next step will be like this one, as far as can be told."""
        return all(update.settled for update in self.updates)

    # ------------------------------------------------------------------ around the step

    def run(self, step: Callable, inputs: tuple) -> Any:
        """Make the step on stand-ins, and put everything back; returns what it returned, without a history."""
        drawn = states()
        before = accelerator.take_step
        given = list(inputs)
        for i, x in enumerate(inputs):
            if isinstance(x, Tensor) and x not in self.trained_ones:
                given[i] = Tensor(Recorded(x.data, self.program), x.requires_grad)
                self.inputs.append((i, given[i]))
                self.stand_ins[given[i]] = given[i].data.value
        for x in self.used:
            self.take(x)
        accelerator.take_step, generator.stand_in = self.take_step, Draws(self)
        accelerator.made = self.program.constant
        try:
            with self:
                result = step(*given)
            self.store()
            self.result, answers = replaced(result, Answer.to), replaced(result, as_returned)
            del result                                  # and with it the graph behind it, as far as nobody keeps that
        finally:
            accelerator.take_step, generator.stand_in = before, None
            accelerator.made = None
            self.put_back()
        if not all(map(np.array_equal, drawn, states())):
            raise CannotCompile("it draws random numbers from Python's or NumPy's own generator, which a replay would "
                                "not do again: use tn.rand, tn.randn or another function of this package", line="")
        self.refuse_new_settings()
        for i, x in self.inputs:
            if x._grad is not None:
                add_gradient(inputs[i], x._grad._data)
        return answers

    def take(self, x: Tensor) -> None:
        """Let a tensor, and its gradient, hold stand-ins."""
        for t in (x, x._grad):
            if t is not None and t not in self.given:
                self.given[t] = t._data
                t._data = self.program.give(t._data)
        self.entry[x] = x._grad

    def store(self) -> None:
        """Note the gradients that the step leaves, and write into their place tensors' data that it exchanged."""
        for x, array in self.given.items():
            if isinstance(x._data, Recorded) and x._data is not self.program.give(array):
                copyto(self.program.give(array), x._data)
        for x, before in self.entry.items():
            g = x._grad
            if g is None and (before is not None or x in self.forgot):
                self.cleared[x] = None
            if g is not None and g is not before:
                if before is not None and x not in self.fresh:          # added to: it stays where it is
                    copyto(self.program.give(self.given[before]), g._data)
                    x._grad = before
                else:
                    self.gradients[x] = g._data.value
        self.of_inputs = [(i, x._grad._data.value) for i, x in self.inputs if x._grad is not None]

    def put_back(self) -> None:
        """Let every tensor hold an array again."""
        for x, array in self.given.items():
            x._data = array
        for t in [*self.made.values(), *(x._grad for x in self.used), *(x for _, x in self.inputs),
                  *(x._grad for _, x in self.inputs)]:
            if t is not None and isinstance(t._data, Recorded):
                t._data = t._data.array
        for t in self.made.values():                    # somebody keeps a graph
            t.inputs, t.values, t.settings = plain(t.inputs), plain(t.values), plain(t.settings)
        kept = list(self.program.alive.values())
        if kept:                                        # somebody has a tensor that nobody told of: a detached one, say
            for t in gc.get_referrers(*kept):
                if isinstance(t, Tensor):
                    t._data = t._data.array

    # ------------------------------------------------------------------ what happens within

    def forgotten(self, x: Tensor) -> None:
        self.uses(x)
        self.forgot.add(x)
        if x._grad is self.entry.get(x):                # otherwise something has been added to it already
            self.fresh.add(x)

    def uses(self, x: Any) -> None:
        if isinstance(x, Tensor) and isinstance(x._data, Recorded) and x not in self.given:
            self.made[id(x)] = x                        # without an operation: the answer to a comparison, say
        else:
            super().uses(x)

    def take_step(self, flat: Any, change: Callable, settings: Callable[[], dict[str, Any]], maximize: bool) -> bool:
        """The step of an optimizer: in place of its own."""
        self.updates.append(Update(self.program, flat, change, settings, maximize))
        return True

    def draw(self, name: str, args: tuple, options: dict[str, Any]) -> Any:
        """Random numbers, which are drawn anew in every replay."""
        if any(isinstance(x, Recorded) for x in (*args, *options.values())):
            raise CannotCompile(f"random numbers are drawn by {name} with limits that are values of the step")
        return self.program.draw(drawn, name, args, options)


class Answer:
    """A tensor or an array that the step returns.

    Attributes
    ----------
    value : Value or numpy.ndarray
        What it holds; an array, if that is the same in every step.
    is_tensor : bool
        Which of the two it is.
    """

    def __init__(self, value: Any, is_tensor: bool) -> None:
        self.value, self.is_tensor = value, is_tensor

    @classmethod
    def to(cls, x: Any) -> Any:
        """The answer that `x` is; anything else as it is."""
        if isinstance(x, Tensor):
            return cls(noted(x._data), True)
        return cls(noted(x), False) if isinstance(x, (Recorded, np.ndarray)) else x


class Draws:
    """What stands for the random generator during a recording: it draws, and has it noted."""

    def __init__(self, session: Session) -> None:
        self.session = session

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(generator._generator, name)
        if name.startswith("_") or not callable(attribute):
            return attribute
        return lambda *args, **options: self.session.draw(name, args, options)


def drawn(name: str, args: tuple, options: dict[str, Any]) -> Any:
    """Random numbers from the generator that everybody draws from."""
    return getattr(generator._generator, name)(*args, **options)


def add_gradient(x: Tensor, g: np.ndarray) -> None:
    """What ``backward`` does with the gradient of a leaf: it is a tensor of its own, or added to what is there."""
    own = Tensor(g.copy())
    x.grad = own if x._grad is None else x._grad + own


def as_returned(x: Any) -> Any:
    """Something that a step returned: without a history, in an ordinary array that nobody else has."""
    if isinstance(x, Tensor):
        x = x._data
        return Tensor(np.copy(x.array if isinstance(x, Recorded) else x))
    return np.copy(x.array if isinstance(x, Recorded) else x) if isinstance(x, (Recorded, np.ndarray)) else x


def states() -> list:
    """Where Python's and NumPy's own generators of random numbers stand."""
    state: Any = np.random.get_state()
    return [random.getstate()[1], *state[1:3]]
