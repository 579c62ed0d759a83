"""Plan: a step that was recorded, as a flat list of calls on memory that is there already."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ..engine.clock import Changes, clock
from ..engine.tensor import Tensor
from .blocks import Blocks, threads_beside
from .calls import Value, fixed, leaves, replaced
from .listing import Listing, in_bytes
from .lowering import Lowering, Step
from .memory import Memory, shaped
from .order import Group, Order
from .session import Answer, Session, add_gradient
from .simplify import Simplified
from .watched import copied


class Plan:
    """What a step computes, ready to be replayed; ``print(plan)`` shows it.

    Parameters
    ----------
    session : Session
        In which the step was recorded.
    key : tuple
        For which kind of inputs it is.

    Attributes
    ----------
    replays : int
        How often it was replayed.
    bytes : int
        The memory that the plan has of its own.
    steps : list of (function, arguments)
        The calls.
    """

    def __init__(self, session: Session, key: tuple = ()) -> None:
        self.key, self.replays = key, 0
        results = [x.value for x in leaves(session.result) if isinstance(x, Answer)]
        results += [g for _, g in session.of_inputs]
        simplified = Simplified(session.program, [x for x in results if isinstance(x, Value)],
                                list(session.gradients.values()))
        given: dict[Value, Any] = {x: x.array for x in session.program.given}
        self.inputs: list[tuple[int, np.ndarray]] = []
        self.changed_inputs: list[tuple[int, np.ndarray]] = []
        for i, stand_in in session.inputs:
            x = session.stand_ins[stand_in]
            given[x] = shaped(np.empty(max(x.nbytes, 1), np.uint8), x)
            self.inputs.append((i, given[x]))
            if x in simplified.written:
                self.changed_inputs.append((i, given[x]))
        items = Order(simplified).items
        memory = Memory(simplified, items, given)
        lowering = Lowering()
        self.bytes = memory.bytes + sum(x.nbytes for _, x in self.inputs)
        self.steps: list[Step] = []
        at_once = threads_beside(simplified.calls)
        listing = Listing(memory, list(session.stand_ins.values()))
        for item in items:
            if isinstance(item, Group):
                if item.calls:
                    blocks = Blocks(item, memory, lowering, at_once)
                    self.steps += blocks.steps()
                    self.bytes += blocks.bytes
                    listing.add(item, blocks.rows)
            elif not (item.results and item.results[0] in memory.joined_already):
                self.steps += lowering.steps(item, memory.array_of)
                listing.add(item)
        self.lines = listing.lines

        # what a replay leaves behind
        def found(x: Any) -> Any:
            return memory.array_of(simplified.instead(x))
        def answer(x: Any) -> Any:
            if not isinstance(x, Answer):
                return x
            return Tensor(found(x.value)) if x.is_tensor else found(x.value)
        self.result = replaced(session.result, answer)
        self.one_result = isinstance(self.result, Tensor)
        self.gradients = [(x, Tensor(found(g))) for x, g in session.gradients.items()]
        self.apart = bool(self.changed_inputs) or any(x.requires_grad for _, x in session.inputs)
        self.cleared, self.themselves = session.cleared, session.themselves
        self.of_inputs = [(i, found(g)) for i, g in session.of_inputs]
        self.changed = [x.shared_changes() for x in session.changed_ones if x in session.given]

        # what it depends on
        self.updates = session.updates
        for update in self.updates:
            update.plan([(x, cell) for x, cell in lowering.cells if x.decisions is update.decisions])
        seen = {x.owner for call in simplified.calls for x in (*call.reads, *([call.writes] if call.writes is not None
                                                                               else []))}
        self.tensors = [(x, array, x.requires_grad) for x, array in session.given.items()
                        if x in session.entry and session.program.give(array).value in seen]
        read = {id(x.array) for x in seen}
        self.entry = [(x, before) for x, before in session.entry.items()        # where an earlier gradient matters
                      if (before is not None and id(session.given[before]) in read)
                      or (x not in session.fresh and (x in session.gradients or x in session.cleared))]
        self.modules = list(session.modules.items())
        tables = [table for m in session.modules for table in (m._parameters, m._buffers, m._modules)]
        self.tables = [(table, [*map(id, table.values())]) for table in tables if table]
        self.optimizers = [(optimizer, copied(optimizer.param_groups), optimizer.state)
                           for optimizer in session.optimizers]
        self.chosen = self.choices()

    # ------------------------------------------------------------------ replaying

    def still_right(self, inputs: tuple) -> bool:
        """Whether all that the step uses is where it was, and it would go the same way. Computes its numbers."""
        for i, x in self.themselves:
            if inputs[i] is not x:
                return False
        if self.apart and len({id(inputs[i]) for i, _ in self.inputs}) < len(self.inputs):
            return False
        for x, array, required in self.tensors:
            if x._data is not array or x._requires_grad is not required:
                return False
        for x, before in self.entry:
            if (x._grad is None) is not (before is None):
                return False
        for module, training in self.modules:
            if module.training is not training:
                return False
        for table, things in self.tables:
            if [*map(id, table.values())] != things:
                return False
        changed = False
        for optimizer, groups, state in self.optimizers:
            changed = changed or optimizer.param_groups != groups
            if optimizer.state is not state:
                return False
        if changed and self.choices() != self.chosen:
            return False
        if not all([update.begin(changed) for update in self.updates]):
            return False
        if changed:
            self.optimizers = [(x, copied(x.param_groups), state) for x, _, state in self.optimizers]
        return True

    def choices(self) -> list:
        """What decides which step an optimizer makes, besides numbers."""
        return [fixed(group) for optimizer, _, _ in self.optimizers for group in optimizer.param_groups]

    def replay(self, inputs: tuple) -> Any:
        """The step, on these inputs."""
        for i, own in self.inputs:
            np.copyto(own, inputs[i]._data)
        for x, before in self.entry:
            if x._grad is not before and before is not None and x._grad is not None:    # another than is added to here
                np.copyto(before._data, x._grad._data)
                x._grad = before
        for x, g in self.gradients:                         # now, so that an earlier one's memory is free
            x._grad = g
        for function, args in self.steps:
            function(*args)
        for update in self.updates:
            update.commit()
        for i, array in self.changed_inputs:
            np.copyto(inputs[i]._data, array)
            inputs[i].mark_changed()
        for i, array in self.of_inputs:
            add_gradient(inputs[i], array)
        for x in self.cleared:
            x._grad = None
        Changes.latest = now = next(clock)
        for changes in self.changed:
            changes.last = now
        self.replays += 1
        return fresh(self.result) if self.one_result else replaced(self.result, fresh)

    def __str__(self) -> str:
        size = in_bytes(self.bytes)
        head = f"Plan of {len(self.lines)} calls, with {size} of memory of its own; replays: {self.replays}"
        return "\n".join([head, *self.lines])


def fresh(x: Any) -> Any:
    """What is returned has memory of its own, since the next replay writes over the plan's."""
    if isinstance(x, Tensor):
        return Tensor(x._data.copy())
    return x.copy() if isinstance(x, np.ndarray) else x
