"""record and trace: from a program, or a result, to its steps."""

import contextlib
import weakref
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from ...engine.backward import propagate, starting_gradient
from ...engine.origins import user_frame
from ...engine.tensor import Tensor
from ...engine.watching import Watcher, watchers
from .recording import Recording
from .steps import Forward, Node, Pass, Start, Step, Update
from .trace_steps import Trace

# What `trace` looks into: the recording that was made last, and those that the program has kept.
_last: list[Recording] = []
_kept: weakref.WeakSet[Recording] = weakref.WeakSet()


def record() -> Recording:
    """Write down every step of what runs in a ``with`` block: forward, backward, updates, with the program's lines.

    Values are copied as they are at each step, so that a graph that was freed and a weight that was updated can still
    be looked at. That takes about twice the memory of all values and gradients, for each step of a training, and the
    last recording is kept until the next one is made. Nothing is recorded outside, and nothing is slower there.

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
    _last[:] = [recording]
    _kept.add(recording)
    return recording


def trace(loss: Tensor | Recording | Callable[[], Tensor], gradient: Any = None) -> Trace:
    """Every step from the leaves to `loss` and back, in the order in which they happen.

    Forward: the operation, its inputs, its value. Backward: the gradient that arrives, the derivative rule that runs,
    the share it gives an input, and what that input has received so far. ``print`` shows a table; iterating gives one
    step at a time; ``explain`` shows one in full.

    Parameters
    ----------
    loss : Tensor, Recording or function
        A result. If its backward pass ran inside `record`, and no other `gradient` is given, that is what is shown;
        otherwise its graph is read and a backward pass is run on it now, which keeps the graph, fills in no ``grad``,
        and calls hooks as any pass does.
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
    ValueError
        If `loss` has several elements and no `gradient` is given, or is a recording and one is given.

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
        if gradient is not None:
            raise ValueError("trace: a gradient goes with a result; the passes of a recording have run with theirs")
        return trace_of_recording(loss)
    if isinstance(loss, Tensor):
        return trace_of_result(loss, gradient, known_recording(loss))
    result, recording = recorded(loss)
    return trace_of_result(result, gradient, recording)


def recorded(function: Any) -> tuple[Tensor, Recording]:
    """What a function returns, and what happens in it; no other recording is told."""
    if not callable(function):
        raise TypeError("trace: expects a result (a Tensor), a recording or a function, "
                        f"not a {type(function).__name__}")
    with unwatched_by(Recording), Recording() as recording:
        result = function()
    if not isinstance(result, Tensor):
        raise TypeError(f"trace: the function must return a Tensor, not a {type(result).__name__}")
    return result, recording


def trace_of_result(loss: Tensor, gradient: Any, recording: Recording | None) -> Trace:
    """What was recorded of its backward pass, or else of one that runs now."""
    check_history(loss, recording)
    if recording is not None and gradient is None and has_pass(recording, loss):
        return excerpt(recording, [recording.results[loss.number]])
    return run(loss, gradient, recording)


def trace_forward(loss: Tensor, known: Recording | None) -> Trace:
    """The steps from the leaves to a result, without a backward pass."""
    check_history(loss, known)
    recording = known or Recording()
    recording.catch_up([loss])
    recording.name_nodes(recording.names.learn(user_frame()))
    node = recording.results[loss.number]
    behind = node.behind()
    return Trace([step for step in recording.steps if isinstance(step, Forward) and step.node in behind], [node])


def known_recording(loss: Tensor) -> Recording | None:
    """A recording that knows this result, best its backward pass as well."""
    known = [recording for recording in [*_last, *_kept] if loss.number in recording.results]
    return next((recording for recording in known if has_pass(recording, loss)), known[0] if known else None)


def has_pass(recording: Recording, loss: Tensor) -> bool:
    """Whether it knows a backward pass from this result."""
    return any(recording.results[loss.number] in done.outputs for done in recording.passes)


def check_history(loss: Tensor, recording: Recording | None) -> None:
    """Refuse what has nothing behind it."""
    if loss.operation is None:
        raise RuntimeError("trace: this tensor has no history, so there is nothing to trace: it is a leaf, or nothing "
                           "it was computed from requires a gradient")
    if loss.inputs is None and recording is None:
        raise RuntimeError("trace: the graph of this result was freed by its backward pass. Trace it before "
                           "backward(), or let the program run inside `with tn.inspect.record():`")


def run(loss: Tensor, gradient: Any, known: Recording | None) -> Trace:
    """The trace of a backward pass that runs now, for this purpose only."""
    recording = Recording() if known is None else known.branch()
    seed = starting_gradient(loss, gradient)
    with unwatched_by(Watcher), recording:
        propagate([loss], [seed], retain_graph=True)
    return excerpt(recording, [recording.results[loss.number]])


@contextlib.contextmanager
def unwatched_by(kind: type[Watcher]) -> Iterator[None]:
    """A block that is no part of the program: no such watcher is told what happens in it."""
    away = [x for x in watchers if isinstance(x, kind) and not (isinstance(x, Recording) and not x.is_mine())]
    for watcher in away:
        watchers.remove(watcher)
    try:
        yield
    finally:
        watchers.extend(away)


def excerpt(recording: Recording, outputs: Sequence[Node], passes: Sequence[Pass] | None = None) -> Trace:
    """What a recording tells of these results: how they came about, their backward passes, what was updated then.

    All passes that started from one of them, or only those given.
    """
    own = passes if passes is not None else [p for p in recording.passes if any(y in outputs for y in p.outputs)]
    outputs = list(dict.fromkeys([*outputs, *(y for part in own for y in part.outputs)]))
    behind = set().union(*(y.behind() for y in outputs))
    steps: list[Step] = []
    used_in: dict[Node, Pass] = {}              # for each leaf, the last pass that had it in its graph
    done = set(recording.passes)
    for step in recording.steps:
        if isinstance(step, Forward):
            wanted = step.node in behind
        elif isinstance(step, Update):          # it comes of that pass, even if it is the second change since
            wanted = step.node in used_in and used_in[step.node] in own
            if step.node in used_in:
                used_in[step.after] = used_in[step.node]
        else:
            wanted = step.part_of in own
            if isinstance(step, Start) and step.part_of in done:
                used_in |= dict.fromkeys(step.part_of.leaves, step.part_of)
        if wanted:
            steps.append(step)
    return Trace(steps, outputs)


def trace_of_recording(recording: Recording) -> Trace:
    """Everything that was recorded."""
    if not recording.steps:
        raise RuntimeError("trace: nothing was recorded in this block; does something in it require a gradient?")
    outputs = [y for done in recording.passes for y in done.outputs]
    return Trace(recording.steps, outputs or [recording.steps[-1].node])
