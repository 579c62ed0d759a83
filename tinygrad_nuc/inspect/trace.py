"""trace and record: the steps of a program, forward and backward, to read, to print and to go through."""

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, overload

import numpy as np

from ..engine.backward import propagate, starting_gradient
from ..engine.origins import user_frame
from ..engine.tensor import Tensor
from . import trace_text
from .recording import Recording
from .steps import Backward, Forward, Node, Start, Step, Update

_recordings: list[Recording] = []           # the one that was made last, for `trace` to look into


def record() -> Recording:
    """Write down every step of what runs in a ``with`` block: forward, backward, updates, with the program's lines.

    Values are copied as they are at each step, so that a graph that was freed and a weight that was updated can still
    be looked at. Nothing is recorded outside, and nothing is slower there.

    Returns
    -------
    Recording
        For the ``with`` statement. Its `steps` are all that happened; `trace` and `player` take it, or a result that
        was computed in the block.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> w = tn.tensor(2.0, requires_grad=True)
    >>> with tn.inspect.record() as recording:
    ...     loss = (w - 5.0) ** 2
    ...     loss.backward()
    >>> len(recording.steps), tn.inspect.trace(loss)[-1].after      # ∂L/∂w = 2 (w − 5)
    (6, array(-6., dtype=float32))
    """
    recording = Recording()
    _recordings[:] = [recording]
    return recording


class Trace(Sequence):
    """The steps from the leaves to a result, and of the backward passes that started from it, in their order.

    Attributes
    ----------
    steps : list of Step
        `Forward`, `Start`, `Backward`, `Hooked`, `Store`, `Update`; see `tinygrad_nuc.inspect.steps`.
    outputs : list of Node
        The results.
    labels : dict
        A name for each node: the program's where it has one, otherwise v1, v2, ...
    top : dict
        For each step, the result from which the backward pass started: the L of ∂L/∂x.
    seeds : dict
        For each result from which a backward pass started, the gradient that it started with.
    earlier : dict
        For each `Backward` step, those before it in the same pass that sent to the same input.
    """

    def __init__(self, steps: Sequence[Step], outputs: Sequence[Node]) -> None:
        self.steps, self.outputs = list(steps), list(outputs)
        self.labels = trace_text.labels(self.nodes)
        self.top: dict[Step, Node] = {}
        self.seeds: dict[Node, np.ndarray] = {}
        self.earlier: dict[Backward, list[Backward]] = {}
        top, arrived = self.outputs[0], dict[Node, list[Backward]]()
        for step in self.steps:
            if isinstance(step, Start):
                top, arrived = step.node, {}
                self.seeds[top] = step.gradient
            elif isinstance(step, Backward):
                self.earlier[step] = arrived.setdefault(step.to, [])[:]
                arrived[step.to].append(step)
            self.top[step] = top

    @functools.cached_property
    def nodes(self) -> list[Node]:
        """Every value that occurs, leaves before what they first go into."""
        found: dict[Node, None] = {}
        for step in self.steps:
            if isinstance(step, Forward):
                found |= dict.fromkeys([*step.node.parents, step.node])
            elif isinstance(step, Update):
                found |= dict.fromkeys([step.node, step.after])
        return list(found | dict.fromkeys(self.outputs))

    @overload
    def __getitem__(self, i: int) -> Step: ...
    @overload
    def __getitem__(self, i: slice) -> list[Step]: ...
    def __getitem__(self, i: Any) -> Any:
        return self.steps[i]

    def __len__(self) -> int:
        return len(self.steps)

    def __iter__(self) -> Iterator[Step]:
        return iter(self.steps)

    def explain(self, step: Step | int) -> str:
        """One step in full: values, the rule's source, the numbers put in, the program's line."""
        return trace_text.explain(self, self.steps[step] if isinstance(step, int) else step)

    def __repr__(self) -> str:
        return trace_text.table(self)

    def _repr_html_(self) -> str:
        return trace_text.html_table(self)


def trace(loss: Tensor | Recording | Callable[[], Tensor], gradient: Any = None) -> Trace:
    """Every step from the leaves to `loss` and back, in the order in which they happen.

    Forward: the operation, its inputs, its value. Backward: the gradient that arrives, the derivative rule that runs,
    the share it gives an input, and what that input has received so far. ``print`` shows a table; iterating gives one
    step at a time; ``explain`` shows one in full.

    Parameters
    ----------
    loss : Tensor, Recording or function
        A result. If its backward pass ran inside `record`, that is what is shown; otherwise its graph is read and a
        backward pass is run on it now, which keeps the graph, fills in no ``grad``, and calls hooks as any pass does.
        A recording: all that happened in it. A function without arguments: it is called inside `record`, and
        what it returns is traced.
    gradient : Tensor or array_like, optional
        ∂L/∂loss to start from, for a result of several elements; 1 for a single number.

    Returns
    -------
    Trace

    Raises
    ------
    RuntimeError
        If `loss` has no history, or its graph was freed and no recording knows it.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> x, w = tn.tensor(3.0), tn.tensor(2.0, requires_grad=True)
    >>> y = x * w
    >>> steps = tn.inspect.trace(y)
    >>> print(steps)
    step  what   value  how
       0  y      6      Multiply(x, w): 3 · 2 = 6
       1  ∂y/∂y  1      the start of the backward pass
       2  ∂y/∂w  3      Multiply.grad_b: 1 · 3 = 3
    >>> steps[2].source                             # the rule that ran
    'def grad_b(g, y, a, b):  return g * a'
    """
    if isinstance(loss, Recording):
        return trace_of_recording(loss)
    if not isinstance(loss, Tensor):
        if not callable(loss):
            raise TypeError("trace: expects a result (a Tensor), a recording or a function, "
                            f"not a {type(loss).__name__}")
        with record():
            return trace(loss(), gradient)
    check_history(loss)
    recording = known_recording(loss)
    if recording is not None:
        node = recording.results[loss.number]
        if any(node in done.outputs for done in recording.passes):
            return excerpt(recording, [node])
    return run(loss, gradient, recording)


def trace_forward(loss: Tensor) -> Trace:
    """The steps from the leaves to a result, without a backward pass."""
    check_history(loss)
    recording = known_recording(loss) or Recording()
    recording.catch_up([loss])
    recording.name_nodes(recording.names.learn(user_frame()))
    node = recording.results[loss.number]
    behind = node.behind()
    return Trace([step for step in recording.steps if isinstance(step, Forward) and step.node in behind], [node])


def known_recording(loss: Tensor) -> Recording | None:
    """The last recording, if it knows this result."""
    return next((recording for recording in _recordings if loss.number in recording.results), None)


def check_history(loss: Tensor) -> None:
    """Refuse what has nothing behind it."""
    if loss.operation is None:
        raise RuntimeError("trace: this tensor has no history, so there is nothing to trace: it is a leaf, or nothing "
                           "it was computed from requires a gradient")
    if loss.inputs is None and known_recording(loss) is None:
        raise RuntimeError("trace: the graph of this result was freed by its backward pass. Trace it before backward(), "
                           "or let the program run inside `with tn.inspect.record():`")


def run(loss: Tensor, gradient: Any, known: Recording | None) -> Trace:
    """The trace of a backward pass that runs now, for this purpose only."""
    recording = Recording() if known is None else known.branch()
    seed = starting_gradient(loss, gradient)
    if known is not None:
        known.paused = True
    try:
        with recording:
            propagate([loss], [seed], retain_graph=True)
    finally:
        if known is not None:
            known.paused = False
    return excerpt(recording, [recording.results[loss.number]])


def excerpt(recording: Recording, outputs: Sequence[Node]) -> Trace:
    """What a recording tells of these results: how they came about, their backward passes, what was updated then."""
    behind = set().union(*(y.behind() for y in outputs))
    own = [range(done.first, done.end) for done in recording.passes if any(y in outputs for y in done.outputs)]
    steps = [step for i, step in enumerate(recording.steps)
             if (step.node in behind if isinstance(step, (Forward, Update)) else any(i in part for part in own))]
    return Trace(steps, outputs)


def trace_of_recording(recording: Recording) -> Trace:
    """Everything that was recorded."""
    if not recording.steps:
        raise RuntimeError("trace: nothing was recorded in this block; does something in it require a gradient?")
    outputs = [y for done in recording.passes for y in done.outputs]
    return Trace(recording.steps, outputs or [recording.steps[-1].node])
