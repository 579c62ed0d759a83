"""Where every array of a step lives: memory goes from those that are no longer needed to those that come next."""

from collections.abc import Callable, Iterable
from itertools import accumulate, pairwise
from typing import Any

import numpy as np

from .calls import Call, Value, replaced
from .lowering import REDUCTIONS
from .order import Group, Item
from .simplify import Simplified

ALIGNED = 64                        # bytes: a line of the cache


class Memory:
    """Memory for all arrays of a step, and where each one is found.

    Parameters
    ----------
    simplified : Simplified
    items : list of Call or Group

    Attributes
    ----------
    arrays : dict
        Value → the array that it is in every replay.
    bytes : int
        How much memory the plan has of its own.
    """

    def __init__(self, simplified: Simplified, items: list[Item], given: dict[Value, np.ndarray]) -> None:
        self.makers = simplified.makers
        self.arrays: dict[Value, Any] = dict(given)
        self.bytes = 0
        self.free: dict[int, list[np.ndarray]] = {}
        self.blocks: dict[Value, np.ndarray] = {}            # the memory behind an array that was handed out
        self.groups: dict[Value, Group] = {}                 # what only one group ever sees
        self.births: dict[Value, int] = {}
        self.deaths: dict[Value, int] = {}
        self.host: dict[Value, Value] = {}                # an array that lives inside of another one
        self.joined_already: set[Value] = set()              # concatenations whose parts all do
        kept = {x.owner for x in (*simplified.results, *simplified.gradients) if isinstance(x, Value)}
        self.live(items, kept)
        self.settle_in_place(simplified, items, kept)
        self.share_concatenations(items, simplified.written)
        self.give_memory(items)

    # ------------------------------------------------------------------ how long an array is needed

    def live(self, items: list[Item], kept: set[Value]) -> None:
        """The item that makes each array, and the last one that sees it."""
        for i, item in enumerate(items):
            for call in calls_of(item):
                for y in call.results:
                    if y.owner is y and y not in self.arrays:
                        self.births[y] = self.deaths[y] = i
                for x in call.reads:
                    if x.owner in self.births:
                        self.deaths[x.owner] = i
                if call.writes is not None and call.writes.owner in self.births:
                    self.deaths[call.writes.owner] = i
        for x in kept:
            self.deaths[x] = len(items)
        for i, item in enumerate(items):
            if isinstance(item, Group):
                for y in item.made:
                    if self.deaths[y] == i and y.owner is y:
                        self.groups[y] = item

    # ------------------------------------------------------------------ arrays that live inside of others

    def settle_in_place(self, simplified: Simplified, items: list[Item], kept: set[Value]) -> None:
        """What is only computed to be copied into an array that is there is computed into that array."""
        linear = [call for item in items for call in calls_of(item)]
        place = {id(call): i for i, call in enumerate(linear)}
        seen: dict[Value, list[int]] = {}
        for i, call in enumerate(linear):
            for x in (*call.reads, *([call.writes] if call.writes is not None else [])):
                seen.setdefault(x.owner, []).append(i)
        for i, call in enumerate(linear):
            if call.function is not np.copyto or len(call.args) != 2 or call.writes not in self.arrays:
                continue
            target, source = call.args
            if not (isinstance(source, Value) and target.owner is target and source in self.births
                    and source not in self.host and source not in kept and source not in simplified.written
                    and (source.shape, source.dtype) == (target.shape, target.dtype)):
                continue
            maker = self.makers[source]
            made = place[id(maker)]
            others = [j for j in seen[target] if j != i]
            reads_it = any(x.owner is target for x in maker.reads)
            beside = next((item.calls for item in items if isinstance(item, Group) and maker in item.calls), [])
            in_another_way = any(x.owner is target and x is not target for c in beside for x in c.reads)
            if all(j <= made for j in others) and (not reads_it or is_elementwise(maker)) and not in_another_way:
                self.arrays[source] = self.arrays[target]
                self.groups.pop(source, None)
                del self.births[source], self.deaths[source]
                for item in items:
                    if isinstance(item, Group) and call in item.calls:
                        item.calls.remove(call)
                if call in items:
                    items[items.index(call)] = Group(())

    def share_concatenations(self, items: list[Item], written: set[Value]) -> None:
        """What is only computed to be put end to end with others is computed there."""
        for i, item in enumerate(items):
            if not isinstance(item, Call) or item.function is not np.concatenate or item.results[0] not in self.births:
                continue
            joined, parts = item.results[0], item.args[0]
            if joined.ndim > 1 or item.options.get("out") is not None or joined in written:
                continue
            owners = [part.owner for part in parts if isinstance(part, Value)]
            for part in parts:
                x = part.owner if isinstance(part, Value) and sum(y is part.owner for y in owners) == 1 else None
                if x not in self.births or x in self.host or x in self.groups or x in written:
                    continue
                holds_parts = self.makers[x].function is np.concatenate         # which live in it
                if is_whole(part, x) and x.dtype == joined.dtype and not holds_parts:
                    self.host[x] = joined                   # type: ignore[index]
                    self.births[joined] = min(self.births[joined], self.births[x])      # type: ignore[index]
                    self.deaths[joined] = max(self.deaths[joined], self.deaths[x])      # type: ignore[index]
            if all(isinstance(part, Value) and self.host.get(part.owner) is joined for part in parts):
                self.joined_already.add(item.results[0])

    def hand_out_parts(self, joined: Value, call: Call) -> None:
        """Each part of a concatenation as a view of its place in it."""
        parts = call.args[0]
        ends = accumulate((part.size for part in parts), initial=0)
        for part, (start, end) in zip(parts, pairwise(ends), strict=True):
            if isinstance(part, Value) and self.host.get(part.owner) is joined and part.owner not in self.arrays:
                self.arrays[part.owner] = self.arrays[joined][start:end].reshape(part.owner.shape)

    # ------------------------------------------------------------------ memory for all others

    def give_memory(self, items: list[Item]) -> None:
        """Walk through the items, and give each array memory from its first to its last."""
        born: dict[int, list[Value]] = {}
        dying: dict[int, list[Value]] = {}
        for x, i in self.births.items():
            if x not in self.host and x not in self.groups:
                born.setdefault(i, []).append(x)
                dying.setdefault(self.deaths[x], []).append(x)
        concatenations = {item.results[0]: item for item in items
                          if isinstance(item, Call) and item.function is np.concatenate}
        for i, item in enumerate(items):
            for y in born.get(i, ()):
                self.arrays[y] = self.taken_over(y, item, dying.get(i, [])) if y not in concatenations else None
                if self.arrays[y] is None:
                    self.arrays[y] = self.new(y)
                if y in concatenations:
                    self.hand_out_parts(y, concatenations[y])
            for x in dying.get(i, ()):
                if x in self.blocks:
                    block = self.blocks.pop(x)
                    self.free.setdefault(block.nbytes, []).append(block)

    def new(self, y: Value) -> np.ndarray:
        """Memory that nobody else uses at the time."""
        nbytes = -(-max(y.nbytes, 1) // ALIGNED) * ALIGNED
        free = self.free.get(nbytes)
        self.blocks[y] = free.pop() if free else self.block(nbytes)
        return shaped(self.blocks[y], y)

    def block(self, nbytes: int) -> np.ndarray:
        self.bytes += nbytes
        room = np.empty(nbytes + ALIGNED, np.uint8)
        start = -room.ctypes.data % ALIGNED
        return room[start:start + nbytes]

    def taken_over(self, y: Value, item: Item, dying: list[Value]) -> Any:
        """The memory of an argument that is not needed after this item, if the call may write over what it reads."""
        if not isinstance(item, Call) or not is_elementwise(item) or item.function is np.where:
            return None
        for x in dying:
            seen = [z for z in item.reads if z.owner is x]
            alike = (x.shape, x.dtype, x.strides) == (y.shape, y.dtype, y.strides)
            if x in self.blocks and alike and seen and all(z is x for z in seen):
                self.blocks[y] = self.blocks.pop(x)
                return self.arrays[x]
        return None

    # ------------------------------------------------------------------ asking

    def place_of(self, x: Value) -> Any:
        """What arrays that use the same memory, at the same time or one after the other, have in common."""
        if x in self.groups or x not in self.arrays:
            return x
        array = self.arrays[x]
        return array.ctypes.data, array.nbytes if x in self.host else 0

    def array_of(self, x: Any) -> Any:
        """The array that `x` is in every replay; anything that was not recorded as it is."""
        if not isinstance(x, Value):
            return x
        if x not in self.arrays:
            maker = self.makers[x]                          # a view: another look at what has memory already
            result = maker.function(*replaced(maker.args, self.array_of), **replaced(maker.options, self.array_of))
            results = result if isinstance(result, (tuple, list)) else [result]
            self.arrays[x] = next(y for y, z in zip(results, maker.results, strict=True) if z is x)
        return self.arrays[x]


def calls_of(item: Item) -> Iterable[Call]:
    return item.calls if isinstance(item, Group) else [item]


def is_elementwise(call: Call) -> bool:
    """Whether each number of the result depends on the same number of each argument of that shape only."""
    return isinstance(call.function, np.ufunc) and call.function.signature is None and call.function.nout == 1


def is_whole(part: Value, owner: Value) -> bool:
    """Whether a vector shows all numbers of an array, in order."""
    return part.ndim == 1 and part.size == owner.size and owner.contiguous and part.contiguous


def shaped(block: np.ndarray, y: Value) -> np.ndarray:
    """A block of bytes as an array like `y`, with its numbers in the same order in memory."""
    return np.ndarray(y.shape, y.dtype, buffer=block, strides=y.dense)
