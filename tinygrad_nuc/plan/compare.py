"""Whether two records of a step say the same: if not, there is something in it that a replay could not know."""

from typing import Any

import numpy as np

from .calls import Call, Value, leaves
from .numbers import Number
from .session import Answer, Session


class Names:
    """What the arrays of a record are called in the comparison: by what they are, or when they came to be."""

    def __init__(self, session: Session) -> None:
        self.names: dict[Value, Any] = {}
        for i, stand_in in session.inputs:
            self.names[session.stand_ins[stand_in]] = ("input", i)
        owned = {id(array): ("of a tensor", id(x)) for x, array in session.given.items() if x in session.entry}
        owned |= {id(session.given[before]): ("the gradient of", id(x)) for x, before in session.entry.items()
                  if before is not None and before in session.given}
        remembered = {id(array): ("remembered", letter) for update in session.updates
                      for letter, array in update.flat.arrays.items()}
        for x in session.program.given:
            self.names[x] = owned.get(id(x.array)) or remembered.get(id(x.array)) or "given"
        for i, call in enumerate(session.program.calls):
            for j, y in enumerate(call.results):
                self.names[y] = (i, j)

    def of(self, x: Any) -> Any:
        """What must be equal in both records."""
        if isinstance(x, Answer):
            x = x.value
        if isinstance(x, Value):
            return self.names.get(x), x.shape, x.dtype.str
        if isinstance(x, Number):
            return Number
        if isinstance(x, np.ndarray):
            return x.shape, x.dtype.str, x.tobytes()
        return type(x), repr(x)

    def call(self, call: Call) -> list:
        """A call, in such terms."""
        return [call.function, *map(self.of, leaves((call.args, call.options))), *map(self.of, call.results)]


def difference(one: Session, other: Session) -> str:
    """Where two records first differ; "" if they do not."""
    names, others = Names(one), Names(other)
    for a, b in zip(one.program.calls, other.program.calls, strict=False):
        if a.name != b.name:
            return f"here it computes {b.name}, where it computed {a.name} in the call before\n    {b.line}"
        if names.call(a)[1:] != others.call(b)[1:]:
            return f"{explained(a, b, names, others)}\n    {b.line}"
    if len(one.program.calls) != len(other.program.calls):
        longer = max(one, other, key=lambda session: len(session.program.calls)).program.calls
        first = longer[min(len(one.program.calls), len(other.program.calls))]
        return f"here it computes {first.name} in one call and not in the other\n    {first.line}"
    results = [[names.of(x) for x in leaves(one.result)], [others.of(x) for x in leaves(other.result)]]
    return "" if results[0] == results[1] else "it returns other numbers, which are not tensors"


def explained(a: Call, b: Call, names: Names, others: Names) -> str:
    """In which of its arguments a call differs."""
    for x, y in zip(leaves((a.args, a.options)), leaves((b.args, b.options)), strict=False):
        if names.of(x) != others.of(y):
            if isinstance(x, Value) or isinstance(y, Value):
                return (f"{b.name} is given a tensor that the step has not been given: what comes from an earlier "
                        "step, or from outside, must be among its inputs")
            if isinstance(x, np.ndarray):
                return (f"{b.name} is given an array of shape {np.shape(y)} with other numbers than in the call "
                        "before: give it to the step, as a tensor")
            return f"{b.name} is given {y!r}, and was given {x!r} in the call before: give it to the step, as a tensor"
    return f"{b.name} has a result of another shape"
