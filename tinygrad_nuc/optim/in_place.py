"""An optimizer's step without a new array for each operation: beside the clear way, in `Flat.step_by_numpy`."""

from collections.abc import Callable
from typing import Any

import numpy as np

formulas: dict[Callable, Callable] = {}             # an optimizer's `change` → the same in place


def computes(change: Callable) -> Callable:
    """Decorator: the function does what `change` does; or, having done nothing, it says NotImplemented.

    It gets the arrays p and g, those that are remembered and are to be overwritten, the numbers that are remembered,
    two arrays of the same shape, and the settings. The step goes into the first of these two; the second is spare.
    """
    def enter(function: Callable) -> Callable:
        formulas[change] = function
        return function
    return enter


class Room:
    """Memory for the steps of a `Flat`: for all of its parameters, or for as many rows as are taken at a time."""

    def __init__(self, flat: Any) -> None:
        p = flat.joined([p.data for p in flat.params])
        self.parts = flat.parts(p)
        self.step, self.spare = np.empty_like(p[self.parts[0]]), np.empty_like(p[self.parts[0]])
        self.gradients = np.empty_like(p) if len(flat.params) > 1 else None
        self.pieces = flat.divided(self.step) if self.parts == [...] else []

    def take_step(self, flat: Any, change: Callable, settings: dict[str, Any]) -> bool:
        """p ← p + change(p, g, state) for every parameter; False if there is no such form of the formula."""
        formula, values = formulas[change], [p.data for p in flat.params]
        g = flat.joined([q._grad.data for q in flat.params], self.gradients)
        p = values[0] if len(values) == 1 or not settings.get("weight_decay") else flat.joined(values)
        common: dict[str, Any] = dict(flat.common)
        if self.parts == [...]:                                             # everything at a time
            if formula(p, g, flat.arrays, common, self.step, self.spare, **settings) is NotImplemented:
                return False
            for own, piece in zip(values, self.pieces, strict=True):
                np.add(own, piece, own)
        else:
            for part in self.parts:
                common, arrays = dict(flat.common), {letter: array[part] for letter, array in flat.arrays.items()}
                own = p[part]
                step, spare = self.step[:len(own)], self.spare[:len(own)]   # the last part may have fewer rows
                if formula(own, g[part], arrays, common, step, spare, **settings) is NotImplemented:
                    return False
                np.add(own, step, own)
        if common:
            flat.common, shown = common, flat.shown_common(common)
            for entry in flat.shown:
                entry.update(shown)
        return True
