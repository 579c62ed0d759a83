"""Trace: the steps that lead to a result and back, to read, to print and to go through."""

import functools
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, overload

import numpy as np

from . import trace_text
from .steps import Backward, Forward, Node, Pass, Start, Step, Update


class Trace(Sequence):
    """The steps from the leaves to a result, and of the backward passes that started from it, in their order.

    Attributes
    ----------
    steps : list of Step
        `Forward`, `Start`, `Backward`, `Hooked`, `Store`, `Update`; see `tinygrad_nuc.inspect.stepping.steps`.
    outputs : list of Node
        The results.
    labels : dict
        A name for each node: the program's where it has one, otherwise v1, v2, ...
    top : dict
        For each step of a backward pass, what it differentiates, the L of ∂L/∂x: the label of the result, ``(y + z)``
        if it started from two; L itself, which is Σ gradient · result, where it started from other gradients than 1.
    seeds : dict
        For each result from which a backward pass started, the gradient that it started with.
    use : dict
        For each `Backward` step, how many before it in the same pass have sent to the same input.
    before : dict
        For each `Backward` step at whose input something had arrived before, from other steps or as the start of the
        pass: what.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> w = tn.tensor(2.0, requires_grad=True)
    >>> for step in tn.inspect.trace(w * w):
    ...     print(type(step).__name__, getattr(step, "total", "-"))
    Forward -
    Start -
    Backward 2.0
    Backward 4.0
    """

    def __init__(self, steps: Sequence[Step], outputs: Sequence[Node]) -> None:
        self.steps, self.outputs = list(steps), list(outputs)
        self.labels = trace_text.labels(self.nodes)
        self.seeds = {step.node: step.gradient for step in self.steps if isinstance(step, Start)}
        self.use: dict[Backward, int] = {}
        self.before: dict[Backward, np.ndarray] = {}
        starts: dict[Pass, list[Start]] = {}
        so_far: dict[tuple[Pass, Node], np.ndarray] = {}
        uses: Counter[tuple[Pass, Node]] = Counter()
        for step in self.steps:
            if isinstance(step, Start):
                starts.setdefault(step.part_of, []).append(step)
                so_far[step.part_of, step.node] = step.gradient
            elif isinstance(step, Backward):
                key = (step.part_of, step.to)
                if key in so_far:
                    self.before[step] = so_far[key]
                so_far[key] = step.total
                self.use[step] = uses[key]
                uses[key] += 1
        tops = {part: self.differentiated(begun) for part, begun in starts.items()}
        self.top: dict[Step, str] = {step: tops[step.part_of] for step in self.steps
                                     if not isinstance(step, (Forward, Update))}

    def differentiated(self, starts: Sequence[Start]) -> str:
        """What a backward pass with these starts differentiates."""
        if any(start.gradient.size != 1 or start.gradient != 1 for start in starts):
            return "L"
        names = [self.labels[start.node] for start in starts]
        return names[0] if len(names) == 1 else f"({' + '.join(names)})"

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
