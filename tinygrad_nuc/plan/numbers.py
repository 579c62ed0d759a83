"""Python's own numbers in a step that is recorded: a learning rate, the step count, and what is computed from them.

They are not arrays, and they change from step to step. So what an optimizer's formula does with them is written down
too, and done again, by Python, before each replay.
"""

import operator
from collections.abc import Callable
from typing import Any

import numpy as np


class Number:
    """A number that is another one in the next step, or something computed from such numbers.

    Attributes
    ----------
    now : int or float
        Its value in the current step.
    compute, operands : callable, tuple
        How it is computed, from which numbers; ``compute`` is None for those that are given.
    decisions : list of (callable, tuple, outcome)
        What was decided on the way by comparing numbers: the recorded step is the right one as long as all outcomes
        stay the same. The list is shared by all numbers of a formula.
    """

    def __init__(self, now: Any, decisions: list, compute: Callable | None = None, operands: tuple = ()) -> None:
        self.now, self.decisions, self.compute, self.operands = now, decisions, compute, operands

    def decide(self, compute: Callable, *operands: Any) -> bool:
        """Compare, and note the outcome."""
        outcome = bool(compute(*map(now, operands)))
        self.decisions.append((compute, operands, outcome))
        return outcome

    def __bool__(self) -> bool: return self.decide(bool, self)
    def __lt__(self, other: Any) -> bool: return self.decide(operator.lt, self, other)
    def __le__(self, other: Any) -> bool: return self.decide(operator.le, self, other)
    def __gt__(self, other: Any) -> bool: return self.decide(operator.gt, self, other)
    def __ge__(self, other: Any) -> bool: return self.decide(operator.ge, self, other)
    def __eq__(self, other: Any) -> bool: return self.decide(operator.eq, self, other)
    def __ne__(self, other: Any) -> bool: return self.decide(operator.ne, self, other)
    __hash__ = object.__hash__

    def __neg__(self) -> "Number": return Number(-self.now, self.decisions, operator.neg, (self,))
    def __abs__(self) -> "Number": return Number(abs(self.now), self.decisions, abs, (self,))

    def __array_ufunc__(self, ufunc: np.ufunc, method: str, *inputs: Any, **options: Any) -> Any:
        if method != "__call__" or options or not all(isinstance(x, (Number, int, float)) for x in inputs):
            return NotImplemented                       # with an array: it answers

        def compute(*operands: Any) -> Any:
            return ufunc(*operands).item()
        return Number(compute(*map(now, inputs)), self.decisions, compute, inputs)

    def __repr__(self) -> str:
        return f"Number({self.now})"


def arithmetic(compute: Callable, other_way: bool = False) -> Callable:
    """The method behind an operator such as +, or behind its other way round."""
    def method(self: Number, other: Any) -> Any:
        if not isinstance(other, (Number, int, float)):
            return NotImplemented                       # an array answers
        operands = (other, self) if other_way else (self, other)
        return Number(compute(*map(now, operands)), self.decisions, compute, operands)
    return method


for _operator in (operator.add, operator.sub, operator.mul, operator.truediv, operator.floordiv, operator.mod,
                  operator.pow):
    _name = _operator.__name__.strip("_")
    setattr(Number, f"__{_name}__", arithmetic(_operator))
    setattr(Number, f"__r{_name}__", arithmetic(_operator, other_way=True))


def now(x: Any) -> Any:
    """The value that a number has in this step."""
    return x.now if isinstance(x, Number) else x


class Numbers:
    """The numbers of one formula, as a list of what Python has to compute before each replay.

    Parameters
    ----------
    settings, state : list of Number
        Those that are looked up: settings change now and then, what is remembered (the step count) in each step.
    needed : list of Number
        Those that the step goes on with: arrays are multiplied by them, or an optimizer remembers them.
    decisions : list
        See `Number`.
    """

    def __init__(self, settings: list[Number], state: list[Number], needed: list[Number], decisions: list) -> None:
        given = [*settings, *state]
        self.values: list[Any] = [x.now for x in given]
        self.places = {id(x): i for i, x in enumerate(given)}
        self.kept = [*given, *needed]                           # an id is one number's as long as that number is there
        self.n = len(settings), len(given)
        self.vary = set(range(*self.n))                         # the places of what is another number in each step
        self.steps: list[tuple[Callable, list[int], int]] = []
        for x in needed:
            self.place(x)
        self.decisions = [(compute, [self.place(x) for x in operands], outcome)
                          for compute, operands, outcome in decisions]
        self.varying_steps = [step for step in self.steps if step[-1] in self.vary]
        self.varying_decisions = [decision for decision in self.decisions if self.vary & {*decision[1]}]

    def place(self, x: Any) -> int:
        """Where among the values this number will be found."""
        if id(x) not in self.places or not isinstance(x, Number):
            operands = [self.place(y) for y in x.operands] if isinstance(x, Number) else []
            place = len(self.values)
            self.values.append(now(x))
            self.kept.append(x)
            self.places[id(x)] = place
            if self.vary & {*operands}:
                self.vary.add(place)
            if isinstance(x, Number):
                self.steps.append((x.compute, operands, place))                     # type: ignore[arg-type]
        return self.places[id(x)]

    def evaluate(self, state: list, settings: list | None = None) -> bool:
        """Compute what follows from the state, and from settings if they are new.

        Returns False if a decision comes out otherwise than in the step that was recorded.
        """
        values, (start, end) = self.values, self.n
        values[start:end] = state
        steps, decisions = self.varying_steps, self.varying_decisions
        if settings is not None:
            values[:start] = settings
            steps, decisions = self.steps, self.decisions
        for compute, operands, i in steps:
            values[i] = compute(*[values[j] for j in operands])
        for compute, operands, outcome in decisions:
            if bool(compute(*[values[j] for j in operands])) is not outcome:
                return False
        return True
