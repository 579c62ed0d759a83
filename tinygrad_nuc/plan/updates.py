"""The step of an optimizer inside a compiled step: its formula is recorded like everything else.

What Python has to decide, such as the learning rate and 1 − βᵗ, is looked up and computed before each replay, just as
the optimizer itself would (see `numbers`); only arrays are part of the plan.
"""

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from .calls import CannotCompile, fixed
from .numbers import Number, Numbers, now
from .recording import Program, Recorded, copyto


class Update:
    """One step of parameters that are updated together (an `optim.flat.Flat`).

    Attributes
    ----------
    settled : bool
        False if the optimizer has begun to remember something, as in its first step: the next one will be different.
    """

    def __init__(self, program: Program, flat: Any, change: Callable, settings: Callable[[], dict[str, Any]],
                 maximize: bool) -> None:
        self.flat, self.settings, self.settled = flat, settings, True
        self.program: Program | None = program
        self.decisions: list = []
        self.chosen = settings()
        self.numbers_of_settings: list[Number] = []
        self.numbers_of_state: list[Number] = []
        self.letters = list(flat.common)
        self.record(change, maximize)

    def number(self, x: Any, among: list[Number]) -> Any:
        """What stands for a setting: numbers change from step to step; everything else decides which step it is."""
        if isinstance(x, tuple):
            return tuple(self.number(part, among) for part in x)
        if type(x) not in (int, float):
            return x
        among.append(Number(x, self.decisions))
        return among[-1]

    def record(self, change: Callable, maximize: bool) -> None:
        """Make the step, on recorded arrays."""
        flat, program = self.flat, self.program
        assert program is not None
        settings = {name: self.number(x, self.numbers_of_settings) for name, x in self.chosen.items()}
        common = {letter: self.number(x, self.numbers_of_state) for letter, x in flat.common.items()}
        values, gradients = [q.data for q in flat.params], [q.grad.data for q in flat.params]
        p, g = flat.joined(values), flat.joined(gradients)
        state = {**common, **{letter: program.give(array) for letter, array in flat.arrays.items()}}
        steps = change(p, -g if maximize else g, state, **settings)
        arrays = {letter: x for letter, x in state.items() if getattr(x, "shape", None) == p.shape}
        if arrays.keys() != flat.arrays.keys():
            self.settled = False
            flat.arrays = {letter: flat.arrays.get(letter, np.empty(x.shape, x.dtype)) for letter, x in arrays.items()}
        for letter, x in arrays.items():
            copyto(program.give(flat.arrays[letter]), x)
        self.common = {letter: x for letter, x in state.items() if letter not in arrays}
        self.settled &= self.common.keys() == flat.common.keys()
        if any(isinstance(x, Recorded) for x in self.common.values()):
            raise CannotCompile("the optimizer remembers an array of another shape than its parameter's")
        for own, piece in zip(values, flat.divided(steps) if len(values) > 1 else [steps], strict=True):
            own += piece
        flat.common = {letter: now(x) for letter, x in self.common.items()}
        flat.show()

    def plan(self, cells: list[tuple[Number, np.ndarray]]) -> None:
        """Prepare for replays, in which these numbers are wanted in these arrays."""
        kept = [x for x in self.common.values() if isinstance(x, Number)]
        self.numbers = Numbers(self.numbers_of_settings, self.numbers_of_state, [*kept, *(x for x, _ in cells)],
                               self.decisions)
        self.cells = [(self.numbers.place(x), cell) for x, cell in cells]
        self.remembered = [(letter, self.numbers.place(x)) for letter, x in self.common.items()]
        self.shown = [(self.flat.names.get(letter, letter), i) for letter, i in self.remembered]
        self.fixed, self.unsure = fixed(self.chosen), False
        self.program = None                                     # its arrays are not needed any more

    def begin(self, settings_changed: bool) -> bool:
        """Compute this step's numbers; False if the formula would go another way."""
        flat, common = self.flat, self.flat.common
        if not all(map(operator.is_, map(flat.states.get, flat.params), flat.entries)):
            return False                                        # somebody has had the optimizer forget
        if settings_changed or self.unsure:
            chosen = self.settings()
            self.unsure = True                                  # until it has turned out well
            if fixed(chosen) != self.fixed or list(common) != self.letters \
                    or not self.numbers.evaluate(numbers_in(common), numbers_in(chosen)):
                return False
            self.unsure = False
        elif not common and not self.letters:
            return True                                         # all is as in the step before
        elif list(common) != self.letters or not self.numbers.evaluate(numbers_in(common)):
            return False
        values = self.numbers.values
        for i, cell in self.cells:
            cell[()] = values[i]
        return True

    def commit(self) -> None:
        """Remember what the step leaves behind besides arrays."""
        if self.remembered:
            values = self.numbers.values
            self.flat.common = {letter: values[i] for letter, i in self.remembered}
            for entry in self.flat.shown:
                for name, i in self.shown:
                    entry[name] = values[i]


def numbers_in(settings: dict[Any, Any]) -> list:
    """The numbers among settings, in order."""
    found: list = []
    for x in settings.values():
        if type(x) is tuple:
            found += numbers_in(dict(enumerate(x)))
        elif type(x) is int or type(x) is float:
            found.append(x)
    return found
