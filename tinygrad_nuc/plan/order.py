"""Which calls are made together, block by block: chains of elementwise calls on arrays too large for the cache.

Twenty operations on a million numbers read and write 4 MB twenty times. Done block by block, all twenty on the first
few thousand numbers, then all on the next, they find what the one before has written still in the cache, and what is
needed only in between never gets any memory of its own but one block's.
"""

from collections.abc import Sequence

import numpy as np

from .calls import Call, Value
from .simplify import Simplified

LARGE = 2 ** 16                 # numbers; below that everything stays in the cache anyway


class Group:
    """Elementwise calls on arrays of one shape, in order."""

    def __init__(self, shape: tuple[int, ...]) -> None:
        self.shape = shape
        self.calls: list[Call] = []
        self.made: set[Value] = set()
        self.accesses: dict[Value, Value] = {}    # memory that somebody writes → by way of which array it is seen

    def __repr__(self) -> str:
        return f"Group({self.shape}, {[call.name for call in self.calls]})"


Item = Call | Group


class Order:
    """The calls of a step as items: single ones, and groups.

    A call joins the latest group of its shape if all that it needs is there before that group begins, or made in it.
    """

    def __init__(self, simplified: Simplified) -> None:
        self.makers, self.written = simplified.makers, simplified.written
        self.items: list[Item] = []
        self.ready: dict[Value, int] = {}            # memory → the item that made it
        self.touched: dict[Value, int] = {}          # memory that is written → the last item that saw it
        self.latest: dict[tuple, int] = {}              # shape → the latest group
        for call in simplified.calls:
            self.add(call)

    def add(self, call: Call) -> None:
        shape = elementwise_shape(call)
        if shape is not None and not self.sees_each_once(call, shape):
            shape = None
        place = len(self.items)
        if shape is not None:
            if self.may_join(call, shape):
                place = self.latest[shape]
            else:
                self.latest[shape] = place
                self.items.append(Group(shape))
            group = self.items[place]
            assert isinstance(group, Group)
            group.calls.append(call)
            group.made.update(call.results)
            group.accesses.update((x.owner, x) for x in seen_by(call) if x.owner in self.written)
        else:
            self.items.append(call)
        for y in call.results:
            self.ready[y.owner] = place
        for x in seen_by(call):
            if x.owner in self.written:
                self.touched[x.owner] = place
                self.ready[x.owner] = max(place, self.ready.get(x.owner, -1)) if call.writes is not None else \
                    self.ready.get(x.owner, -1)

    def sees_each_once(self, call: Call, shape: tuple) -> bool:
        """Whether it sees memory that somebody writes in one way only: no block must read what another has written."""
        ways: dict[Value, Value] = {}
        return all(x.shape == shape and ways.setdefault(x.owner, x) is x
                   for x in seen_by(call) if x.owner in self.written)

    def may_join(self, call: Call, shape: tuple) -> bool:
        """Whether it makes no difference if the call is made together with the latest group of its shape."""
        if shape not in self.latest:
            return False
        place = self.latest[shape]
        group = self.items[place]
        assert isinstance(group, Group)
        for x in seen_by(call):
            if x.owner in self.written:
                if self.touched.get(x.owner, -1) > place or group.accesses.get(x.owner, x) is not x \
                        or x.shape != shape:
                    return False
            elif self.ready.get(x.owner, -1) >= place and self.source(x) not in group.made:
                return False
        return True

    def source(self, x: Value) -> Value:
        """The array that `x` shows number by number: itself, or what it is a view of, as numbers of another kind."""
        while x in self.makers and self.makers[x].function is np.ndarray.view:
            x = self.makers[x].args[0]
        return x


def seen_by(call: Call) -> Sequence[Value]:
    """The arrays that it reads or writes."""
    return call.reads if call.writes is None else [*call.reads, call.writes]


def elementwise_shape(call: Call) -> tuple[int, ...] | None:
    """The shape of large arrays that are computed number by number; None for any other call."""
    if isinstance(call.function, np.ufunc):
        if call.function.signature is not None or call.function.nout != 1 or set(call.options) - {"out"}:
            return None
    elif not ((call.function is np.where and len(call.args) == 3)
              or (call.function is np.copyto and len(call.args) == 2 and not call.options)):
        return None
    shape = (call.results[0] if call.writes is None else call.writes).shape
    if call.quiet or not shape or np.prod(shape) < LARGE:
        return None
    for x in call.args:
        if np.ndim(x) == len(shape) and np.shape(x) != shape and np.shape(x)[0] != 1:
            return None
    return shape
