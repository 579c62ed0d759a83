"""A trace as text: a table of its steps, and each step in full."""

import html
import os
import re
from collections import Counter
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

from . import by_hand
from .steps import Backward, Forward, Hooked, Node, Start, Step, Store, Update
from .written import shown

if TYPE_CHECKING:
    from .trace_steps import Trace

FEW = 4                 # numbers that fit in a table
PRINTED = 60            # numbers beyond which NumPy leaves out the middle
WIDE = 100              # letters of a calculation beyond which a table leaves it to `explain`

RECORD = "(run the program inside `with tn.inspect.record():` to be told its lines)"


def labels(nodes: Iterable[Node]) -> dict[Node, str]:
    """A name for each node, none twice: the program's own, else v1, v2, ... in the order of computing."""
    nodes = list(nodes)
    taken = {node.name for node in nodes}
    chosen: dict[Node, str] = {}
    count: Counter[str] = Counter()
    unnamed = 0
    for node in nodes:
        before = node.previous
        if before is not None and before in chosen:         # an updated parameter keeps its name
            chosen[node] = chosen[before]
            continue
        if node.name:
            count[node.name] += 1
            n = count[node.name]
            chosen[node] = node.name if n == 1 else f"{node.name} ({n})"
        else:
            unnamed += 1
            while f"v{unnamed}" in taken:                       # the program has a variable v1
                unnamed += 1
            chosen[node] = f"v{unnamed}"
    return chosen


def brief(x: Any) -> str:
    """A value in a table: a few numbers, or their shape and range."""
    x = np.asarray(x)
    if x.size == 0:
        return f"{x.shape}, empty"
    if x.size <= FEW and x.ndim <= 2:
        return nested(x.tolist(), x.dtype.kind)
    if x.size <= FEW:
        return f"{x.shape} {nested(x.ravel().tolist(), x.dtype.kind)}"
    if x.dtype.kind in "iu":
        return f"{x.shape} {x.min()} … {x.max()}"
    if x.dtype.kind != "f":
        return f"{x.shape} {x.dtype}"
    finite = x[np.isfinite(x)]
    if not finite.size:
        return f"{x.shape}, no finite value"
    return f"{x.shape} {shown(float(finite.min()), 4)} … {shown(float(finite.max()), 4)}"


def nested(x: Any, kind: str) -> str:
    """Numbers in brackets, with four significant digits."""
    if isinstance(x, list):
        return f"[{', '.join(nested(y, kind) for y in x)}]"
    return shown(x, 4) if kind == "f" else str(x)


def full(x: Any) -> str:
    """A value as NumPy prints it, with six significant digits; the middle of large ones left out."""
    x = np.asarray(x)
    edge = 3 if x.ndim <= 2 else 4 - min(x.ndim, 3)             # numbers that are shown at either end of each axis
    return np.array2string(x, threshold=PRINTED, edgeitems=edge, separator=", ", formatter={"float_kind": six_digits})


def six_digits(x: Any) -> str:
    return shown(x, 6)


def first_line(lines: np.ndarray | None, value: np.ndarray) -> str:
    """The calculation of a single number; of an array only its first element, said so."""
    if lines is None or not lines.size or not 0 < len(lines.flat[0]) <= WIDE:
        return ""
    if value.size == 1:
        return f": {lines.flat[0]}"
    where = ", ".join("0" * value.ndim)
    return f": [{where}] {lines.flat[0]}"


def how(trace: "Trace", step: Step) -> tuple[str, Any, str]:
    """What a step is about, the value it gives, and how."""
    name = trace.labels[step.node]
    top = trace.top.get(step, "")
    if isinstance(step, Forward):
        value = step.node.value
        return name, value, called(trace, step.node) + first_line(by_hand.of_value(step.node), value)
    if isinstance(step, Start):
        return f"∂{top}/∂{name}", step.gradient, ("the start of the backward pass"
                                                  + (", of L = Σ gradient · result" if top == "L" else ""))
    if isinstance(step, Backward):
        text = step.rule_name + first_line(by_hand.of_share(step), step.fitted)
        added = f", added to {brief(trace.before[step])}" if step in trace.before else ""
        return f"∂{top}/∂{trace.labels[step.to]}", step.total, text + added
    if isinstance(step, Hooked):
        return f"∂{top}/∂{name}", step.after, f"a hook, instead of {brief(step.before)}"
    if isinstance(step, Store):
        return f"{name}.grad", step.after, "stored" if step.before is None else f"added to {brief(step.before)}"
    settings = ", ".join(f"{k}={v!r}" for k, v in step.settings.items() if k == "lr" or v)
    who = f"{step.optimizer}({settings})" if step.optimizer else "changed by the program"
    return name, step.after.value, who + first_line(by_hand.of_update(step), step.after.value)


def called(trace: "Trace", node: Node) -> str:
    """Multiply(x, w)."""
    given = ", ".join(trace.labels[x] if isinstance(x, Node) else brief(x) for x in node.inputs)
    return f"{node.operation.__name__}({given})"


def place(line: str) -> str:
    """The file's name and the number of the line."""
    found = re.match(r"(.*?):(\d+):", line)
    return f"{os.path.basename(found[1])}:{found[2]}" if found else ""


def rows(trace: "Trace") -> list[tuple[str, ...]]:
    """The table's cells, its heading first; the lines are left out where none is known."""
    cells: list[tuple[str, ...]] = [("step", "what", "value", "how", "line")]
    for i, step in enumerate(trace):
        what, value, text = how(trace, step)
        cells.append((str(i), what, brief(value), text, place(step.node.line) if isinstance(step, Forward) else ""))
    return cells if any(row[4] for row in cells[1:]) else [row[:4] for row in cells]


def table(trace: "Trace") -> str:
    """The steps below each other."""
    cells = rows(trace)
    widths = [max(len(row[i]) for row in cells) for i in range(len(cells[0]))]
    return "\n".join("  ".join([row[0].rjust(widths[0]), *(cell.ljust(width) for cell, width in
                                                           zip(row[1:], widths[1:], strict=True))]).rstrip()
                     for row in cells)


def html_table(trace: "Trace") -> str:
    """The same for a notebook."""
    head, *body = ("".join(f"<td>{html.escape(cell)}</td>" for cell in row) for row in rows(trace))
    return (f"<table><thead><tr>{head.replace('td>', 'th>')}</tr></thead><tbody>"
            + "".join(f"<tr>{row}</tr>" for row in body) + "</tbody></table>")


def explain(trace: "Trace", step: Step) -> str:
    """One step in full."""
    what, value, _ = how(trace, step)
    lines = []
    if isinstance(step, Forward):
        node = step.node
        lines = [f"{what} = {called(trace, node)}    {node.formula}", *given(trace, node), f"{what} = {full(value)}",
                 *calculated(by_hand.of_value(node)), f"at {node.line}" if node.line else RECORD]
    elif isinstance(step, Backward):
        file, number = step.place
        lines = [f"{what}: {step.rule_name}, where {step.node.formula}", *given(trace, step.node),
                 f"y = {full(step.node.value)}", f"g = ∂L/∂y = {full(step.arriving)}",
                 f"the rule, at {file}:{number}", *step.source.splitlines(), f"share = {full(step.share)}"]
        if step.share.shape != step.fitted.shape:
            lines.append(f"summed over the copies that broadcasting made, to {step.fitted.shape}: {full(step.fitted)}")
        lines += calculated(by_hand.of_share(step))
        if step in trace.before:
            earlier = trace.use[step]
            origin = f"came by {earlier} earlier" if earlier else "the pass began with"
            lines.append(f"added to {full(trace.before[step])}, which {origin}: {full(step.total)}")
    else:
        lines = [" ".join(how(trace, step)[::2]), f"{what} = {full(value)}"]
        if isinstance(step, Update):
            lines += [*step.source.splitlines(), *calculated(by_hand.of_update(step))]
    return "\n    ".join(lines)


def given(trace: "Trace", node: Node) -> list[str]:
    """The inputs with the operation's names for them."""
    lines = []
    for argument, x in zip(node.arguments, node.inputs, strict=False):
        if isinstance(x, Node):
            lines.append(f"{argument} = {trace.labels[x]} = {full(x.value)}")
        else:
            lines.append(f"{argument} = {full(x) if hasattr(x, 'shape') else repr(x)}")
    return lines + [f"{name} = {setting!r}" for name, setting in node.settings.items()]


def calculated(lines: np.ndarray | None) -> list[str]:
    """The calculation of each element, as far as there are few."""
    if lines is None:
        return []
    shown_lines = [(f"[{', '.join(map(str, index))}]  " if index else "") + line
                   for index, line in list(np.ndenumerate(lines))[:FEW] if line]
    more = lines.size - FEW
    return ["by hand:", *shown_lines, *([f"... and {more} more"] if more > 0 else [])]
