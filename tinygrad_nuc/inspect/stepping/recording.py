"""Recording: a watcher that writes down every step of a program that differentiates."""

import sys
import threading
from collections.abc import Iterable
from typing import Any

import numpy as np

from ...engine.arrays import on_host
from ...engine.origins import user_frame, user_line
from ...engine.tensor import Tensor, value
from ...engine.watching import Watcher, watchers
from ...nn.module import Module
from .naming import Names
from .steps import Backward, Call, Forward, Hooked, Node, Pass, Start, Step, Store, Update, source_of


class Recording(Watcher):
    """Every step of what runs in a ``with`` block, as `record` returns it.

    Attributes
    ----------
    steps : list of Step
        In the order in which they happened.
    passes : list of Pass
        The backward passes that met no error, in the order in which they ended.
    """

    def __init__(self) -> None:
        self.steps: list[Step] = []
        self.passes: list[Pass] = []
        self.results: dict[int, Node] = {}                      # by the number of the tensor
        self.leaves: dict[int, tuple[Tensor, Node]] = {}        # by id: the tensor, and what it was when last seen
        self.names = Names()
        self.calls: list[tuple[Any, Call]] = []                 # the module calls around the last operation
        self.running: list[Pass] = []                           # backward passes: a hook may start one in another
        self.reached: dict[Pass, dict[int, Tensor]] = {}        # by id: to what a running pass has brought a gradient
        self.before: list[tuple[Tensor, Any]] = []              # these, with their grad, when it ended
        self.thread = threading.get_ident()

    def __enter__(self) -> "Recording":
        self.thread = threading.get_ident()
        watchers.append(self)
        return self

    def __exit__(self, *error: Any) -> None:
        watchers.remove(self)
        self.name_nodes(self.names.learn(user_frame()))
        self.note_changes(x for x, _ in list(self.leaves.values()))
        self.calls, self.running, self.reached, self.before = [], [], {}, []    # let go of its frames and graphs

    def __repr__(self) -> str:
        return f"<Recording of {len(self.steps)} steps in {len(self.passes)} backward passes>"

    # ------------------------------------------------------------------ what the engine tells

    def computed(self, y: Tensor, operation: Any, inputs: tuple) -> None:
        if y.operation is not None and self.is_mine():
            variables = self.names.learn(user_frame())
            self.note_changes(x for x in inputs if isinstance(x, Tensor))
            self.add(y, user_line(), self.innermost_call())
            self.name_nodes(variables)

    def started(self, outputs: Any, seeds: Any) -> None:
        if self.is_mine():
            self.catch_up(outputs)
            self.name_nodes(self.names.learn(user_frame()))
            starts: dict[Node, np.ndarray] = {}
            for y, seed in zip(outputs, seeds, strict=True):            # a result that is given twice starts with both
                node, given = self.node_of(y), copied(seed)
                starts[node] = np.asarray(starts[node] + given) if node in starts else given
            this = Pass(list(starts))
            self.running.append(this)
            self.reached[this] = {id(y): y for y in outputs}
            self.steps += [Start(node, gradient, this) for node, gradient in starts.items()]

    def hooked(self, x: Tensor, before: Any, after: Any) -> None:
        if self.is_mine() and (this := self.pass_of(x)) is not None:
            old, new = copied(before), copied(after)
            if not np.array_equal(old, new, equal_nan=True):    # most hooks only look
                self.steps.append(Hooked(self.node_of(x), old, new, this))

    def sent(self, y: Tensor, x: Tensor, derivative: Any, g: Any, share: Any, fitted: Any, total: Any) -> None:
        if self.is_mine() and (this := self.pass_of(y)) is not None:
            node, last = self.node_of(y), self.steps[-1]
            if isinstance(last, Backward) and last.node is node and last.part_of is this:
                arriving = last.arriving                        # what several rules get is copied once
            else:
                arriving = copied(g)
            as_given = copied(share)
            in_shape = as_given if fitted is share else copied(fitted)          # often they are one array: one copy
            so_far = in_shape if total is fitted else copied(total)
            self.steps.append(Backward(node, self.node_of(x), position_of(y, derivative), derivative, arriving,
                                       as_given, in_shape, so_far, this))
            self.reached[this][id(x)] = x

    def ended(self, stored: bool) -> None:
        if not self.is_mine():
            return
        if not stored and self.running:
            self.passes.append(self.running.pop())
            self.before = [(x, x._grad) for x in self.reached.pop(self.passes[-1]).values()]
        elif stored:
            for x, before in self.before:
                if x._grad is not None and x._grad is not before:
                    self.steps.append(Store(self.node_of(x), None if before is None else copied(before),
                                            copied(x._grad), self.passes[-1]))

    def updating(self, optimizer: Any) -> None:
        if self.is_mine():                                      # what the program has changed since is not its work
            self.note_changes(x for group in optimizer.param_groups for x in group["params"])

    def updated(self, optimizer: Any) -> None:
        if self.is_mine():
            for group in optimizer.param_groups:
                settings = {name: x for name, x in group.items() if name != "params"}
                for x in group["params"]:
                    if id(x) in self.leaves and x._grad is not None:        # also where the gradient is 0
                        self.update(x, type(optimizer).__name__, settings, source_of(type(optimizer).change))

    # ------------------------------------------------------------------ what is written down

    def is_mine(self) -> bool:
        """Whether this happens in the thread that records."""
        return threading.get_ident() == self.thread

    def pass_of(self, x: Tensor) -> Pass | None:
        """The backward pass that has reached x: the innermost, unless that was ended by an error, which nobody told."""
        while self.running and id(x) not in self.reached[self.running[-1]]:
            self.running.pop()
        return self.running[-1] if self.running else None

    def branch(self) -> "Recording":
        """A recording that knows what this one knows, and leaves it alone when it goes on."""
        twin = Recording()
        twin.steps, twin.results, twin.leaves = list(self.steps), dict(self.results), dict(self.leaves)
        twin.names = self.names
        return twin

    def add(self, y: Tensor, line: str, call: Call | None) -> None:
        """A result, computed now or earlier; what it was computed from comes before it."""
        inputs = y.inputs or ()                                 # nothing, if its history was freed before we came
        self.catch_up([x for x in inputs if isinstance(x, Tensor)])
        receivers = tuple(position_of(y, derivative) for _, derivative in y.receivers or ())
        node = Node(copied(y), operation=y.operation, receivers=receivers, settings=y.settings, requires_grad=True,
                    inputs=tuple(map(self.as_input, inputs)), line=line, call=call)
        self.results[y.number] = node
        self.steps.append(Forward(node))

    def as_input(self, x: Any) -> Any:
        """What stands for an input of an operation: a node, a copy of a plain array, or a number."""
        return self.node_of(x) if isinstance(x, Tensor) else copied(x) if hasattr(x, "shape") else x

    def catch_up(self, outputs: Iterable[Tensor]) -> None:
        """Write down what these were computed from before the recording began, oldest first."""
        missing, stack = {}, list(outputs)
        while stack:
            y = stack.pop()
            if y.operation is not None and y.number not in self.results and y.number not in missing:
                missing[y.number] = y
                stack += [x for x in y.inputs or () if isinstance(x, Tensor)]
        for _, y in sorted(missing.items()):
            origin = getattr(y, "origin", None)                 # in debug mode it knows its line
            self.add(y, origin.line if origin is not None else "", None)

    def node_of(self, x: Tensor) -> Node:
        """What stands for a tensor."""
        if x.operation is not None:
            return self.results[x.number]
        if id(x) not in self.leaves:
            self.leaves[id(x)] = (x, Node(copied(x), requires_grad=x.requires_grad))
            if x.requires_grad and id(x) not in self.names.parameters:
                self.names.look_again()                         # a module may have got a new parameter
        return self.leaves[id(x)][1]

    def note_changes(self, tensors: Iterable[Tensor]) -> None:
        """A leaf that is no longer what it was has been changed by the program itself."""
        for x in tensors:
            if id(x) in self.leaves and not np.array_equal(self.leaves[id(x)][1].value, host(x.data), equal_nan=True):
                self.update(x)

    def update(self, x: Tensor, *by_optimizer: Any) -> None:
        """A new node stands for the leaf from here on."""
        old = self.leaves[id(x)][1]
        new = Node(copied(x), old.name, requires_grad=x.requires_grad, previous=old)
        self.leaves[id(x)] = (x, new)
        self.steps.append(Update(old, new, None if x._grad is None else copied(x._grad), *by_optimizer))

    def name_nodes(self, variables: list[tuple[str, Tensor]]) -> None:
        """Give the program's names to the values it holds in variables, and to parameters."""
        for name, x in variables:
            if x.operation is not None:
                node = self.results.get(x.number)
            else:
                node = self.leaves.get(id(x), (x, None))[1]
            if node is not None and not node.name:
                node.name = name
        for key, (_, node) in self.leaves.items():
            node.name = self.names.parameters.get(key, (None, node.name))[1]

    def innermost_call(self) -> Call | None:
        """The module call in which we are; the same object for as long as it is the same call."""
        before, self.calls, call = self.calls, [], None         # the frames of before are kept: none is used again
        for frame in module_frames():
            module = frame.f_locals["self"]
            known = next((call for earlier, call in before if earlier is frame), None)
            call = known or Call(type(module).__name__, self.names.modules.get(id(module), (module, ""))[1], call)
            self.calls.append((frame, call))
        return call


def module_frames() -> list[Any]:
    """The calls of modules that are running, the outermost first."""
    frames: list[Any] = []
    frame: Any = sys._getframe(1)
    while frame is not None:
        if frame.f_code is Module.__call__.__code__:
            frames.append(frame)
        frame = frame.f_back
    return frames[::-1]


def position_of(y: Tensor, derivative: Any) -> int:
    """To which of the inputs of `y` the derivative belongs."""
    if y.operation.takes_many:
        return derivative.args[0]
    return y.operation.arguments.index(derivative.__name__.removeprefix("grad_"))


def host(array: Any) -> np.ndarray:
    """The array, in the computer's memory; reductions of arrays give NumPy's scalars."""
    return np.asarray(array) if isinstance(array, np.generic) else on_host(array)


def copied(x: Any) -> np.ndarray:
    """The value of a tensor or array, in memory of its own."""
    return np.array(host(value(x)))
