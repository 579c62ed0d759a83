"""draw: the graph behind a result as a picture (SVG), and as text for Graphviz (DOT)."""

import html
import os
from collections import Counter
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np

from ...engine.tensor import Tensor
from ...utils.files import atomic_write, given_path
from .drawn_graph import Graph, box_size, node_size
from .layout import HEAD, Placement, arrange, place
from .recording import Recording
from .steps import Backward, Forward, Hooked, Node, Start
from .trace import known_recording, recorded, trace, trace_forward, trace_of_result
from .trace_steps import Trace
from .trace_text import brief

VALUE, GRADIENT, INK, PAPER = "#00588f", "#a84300", "#222222", "#ffffff"
COLOURS = (INK, VALUE, GRADIENT)        # of the lines on a node
FILLS = {"result": "#ffffff", "parameter": "#fdf1d8", "leaf": "#eef3f7"}
FONT = "font-family='DejaVu Sans Mono, Menlo, Consolas, monospace'"


class Drawing:
    """A drawn graph; a notebook shows it by itself.

    Attributes
    ----------
    svg : str
        The picture.
    dot : str
        The same graph for Graphviz: ``dot -Tpdf graph.dot``.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.inspect.draw(tn.tensor(2.0, requires_grad=True) * 3.0)
    <Drawing of 2 nodes: .svg, .dot, .save(path)>
    """

    def __init__(self, steps: Trace, folded: Collection[int] | None = None) -> None:
        behind = set().union(*(y.behind() for y in steps.outputs))
        self.labels, self.outputs = steps.labels, steps.outputs
        self.graph = Graph([node for node in steps.nodes if node in behind])
        self.folded = set(range(len(self.graph.groups)) if folded is None else folded)
        self.totals: dict[Node, np.ndarray] = {}                # the last gradient of each, as its hooks leave it
        self.shares: dict[tuple[Node, int], np.ndarray] = {}    # and what went back along each edge
        for step in steps:
            if isinstance(step, Start):
                self.totals[step.node] = step.gradient
            elif isinstance(step, Backward):
                self.totals[step.to] = step.total
                self.shares[step.node, step.position] = step.fitted
            elif isinstance(step, Hooked):
                self.totals[step.node] = step.after
        self.uses = Counter(u for u, _, _ in self.graph.edges)

    def _repr_svg_(self) -> str:
        return self.svg

    def __repr__(self) -> str:
        return f"<Drawing of {len(self.graph.nodes)} nodes: .svg, .dot, .save(path)>"

    def save(self, path: str | os.PathLike) -> Path:
        """Write the picture, or, if the name ends in .dot, the text for Graphviz."""
        path = Path(given_path(path, "save"))
        if path.suffix not in (".svg", ".dot"):
            raise ValueError(f"save: a drawing is written as .svg or .dot, not {path.suffix or 'without an ending'!r}")
        with atomic_write(path) as file:
            file.write((self.svg if path.suffix == ".svg" else self.dot).encode("utf-8"))
        return path

    def placed(self) -> Placement:
        """Where everything goes."""
        sizes = {f"n{i}": node_size(self.labels[node], node) for i, node in enumerate(self.graph.nodes)}
        sizes |= {f"g{i}": box_size(group) for i, group in enumerate(self.graph.groups)}
        return place(self.graph, arrange(self.graph), self.folded, sizes)

    def written_on(self, i: int) -> list[str]:
        """The lines on a node: its name and operation, its value, and its gradient if it has one."""
        node = self.graph.nodes[i]
        label, gradient = self.labels[node], self.totals.get(node)
        head = f"{label} = {node.operation.__name__}" if node.operation is not None else label
        return [head, brief(node.value), *([f"∇ {brief(gradient)}"] if gradient is not None else [])]

    # ------------------------------------------------------------------ SVG

    @property
    def svg(self) -> str:
        placement = self.placed()
        boxes = [(name, box) for name, box in placement.boxes.items() if name[0] == "g"]
        parts = [self.svg_box(int(name[1:]), *box) for name, box in boxes]
        parts += [self.svg_edge(e, way) for e, way in placement.routes.items()]
        parts += [self.svg_node(int(name[1:]), *box) for name, box in placement.boxes.items() if name[0] == "n"]
        parts += [self.svg_share(e, way) for e, way in placement.routes.items()]
        parts += [self.svg_title(int(name[1:]), *box) for name, box in boxes]
        w, h = placement.width, placement.height
        names = ", ".join(self.labels[y] for y in self.outputs)
        return (f"<svg xmlns='http://www.w3.org/2000/svg' width='{w:.0f}' height='{h:.0f}' "
                f"viewBox='0 0 {w:.0f} {h:.0f}' role='img' {FONT} font-size='12'>"
                f"<title>{text(f'The graph behind {names}')}</title>"
                f"<defs><marker id='arrow' viewBox='0 0 8 8' refX='8' refY='4' markerWidth='7' markerHeight='7' "
                f"orient='auto'><path d='M0 0 8 4 0 8z' fill='{INK}'/></marker></defs>"
                f"<rect width='100%' height='100%' fill='{PAPER}'/>" + "".join(parts) + "</svg>")

    def svg_box(self, i: int, x: float, y: float, w: float, h: float) -> str:
        """The call of a module, folded or around what it holds."""
        look = "fill='#e4ecf3'" if i in self.folded else "fill='none' stroke-dasharray='5 3'"
        return (f"<rect x='{x:.1f}' y='{y:.1f}' width='{w:.1f}' height='{h:.1f}' rx='6' stroke='#5b6b7a' {look}/>")

    def svg_title(self, i: int, x: float, y: float, w: float, h: float) -> str:
        """The name of a box, legible where an edge passes."""
        middle = y + h / 2 + 4 if i in self.folded else y + HEAD - 6
        halo = "" if i in self.folded else f"stroke='{PAPER}' stroke-width='4' paint-order='stroke'"
        label = text(self.graph.groups[i].label)
        return f"<text x='{x + 10:.1f}' y='{middle:.1f}' fill='#44525e' {halo}>{label}</text>"

    def svg_node(self, i: int, x: float, y: float, w: float, h: float) -> str:
        """A value: its name and operation, the number, and the gradient below it."""
        node = self.graph.nodes[i]
        room = int((w - 12) / 7)
        return (f"<rect x='{x:.1f}' y='{y:.1f}' width='{w:.1f}' height='{h:.1f}' rx='6' stroke='{INK}' "
                f"fill='{FILLS[node.kind]}' stroke-width='{2 if node.kind == 'parameter' else 1}'/>"
                + "".join(f"<text x='{x + w / 2:.1f}' y='{y + 17 + 16 * k:.1f}' text-anchor='middle' fill='{colour}' "
                          f"font-weight='{'normal' if k else 'bold'}'>{text(cut(line, room))}</text>"
                          for k, (line, colour) in enumerate(zip(self.written_on(i), COLOURS, strict=False))))

    def svg_edge(self, e: int, way: list[tuple[float, float]]) -> str:
        """A curve from an input to the result."""
        return f"<path d='{curve(way)}' fill='none' stroke='#6b7783' marker-end='url(#arrow)'/>"

    def svg_share(self, e: int, way: list[tuple[float, float]]) -> str:
        """The gradient that goes back along an edge, where it is a single number."""
        u, v, k = self.graph.edges[e]
        node = self.graph.nodes[v]
        position = [i for i, x in enumerate(node.inputs) if isinstance(x, Node)][k]
        share = self.shares.get((node, position))
        if share is None or share.size > 1 or self.uses[u] < 2:         # of a single use, the node itself shows it
            return ""
        x, y = way[-1]
        several = len(node.parents)
        anchor = "middle" if several == 1 else "end" if k < several / 2 else "start"
        return (f"<text x='{x:.1f}' y='{y - 10:.1f}' text-anchor='{anchor}' font-size='11' fill='{GRADIENT}' "
                f"stroke='{PAPER}' stroke-width='4' paint-order='stroke'>{text(brief(share.reshape(())))}</text>")

    # ------------------------------------------------------------------ DOT

    @property
    def dot(self) -> str:
        lines = ["digraph {", '    node [shape=box, style="rounded,filled", fillcolor=white, fontname=monospace]']

        contents = self.graph.contents()

        def write(box: int, indent: str) -> None:
            for item in contents[box]:
                i = int(item[1:])
                if item[0] == "g" and i not in self.folded:
                    lines.extend([f"{indent}subgraph cluster_{i} {{",
                                  f"{indent}    label={quoted(self.graph.groups[i].label)}; style=dashed"])
                    write(i, indent + "    ")
                    lines.append(indent + "}")
                elif item[0] == "g":
                    lines.append(f"{indent}{item} [label={quoted(self.graph.groups[i].label)}, shape=component]")
                else:
                    label, fill = "\n".join(self.written_on(i)), FILLS[self.graph.nodes[i].kind]
                    lines.append(f"{indent}{item} [label={quoted(label)}, fillcolor=\"{fill}\"]")

        write(-1, "    ")
        ends = (tuple(self.graph.visible(i, self.folded) for i in edge[:2]) for edge in self.graph.edges)
        lines += [f"    {a} -> {b}" for a, b in dict.fromkeys(ends) if a != b]
        return "\n".join([*lines, "}"]) + "\n"


def draw(loss: Tensor | Trace | Any, *, gradients: bool = True, fold: bool = False) -> Drawing:
    """Draw the graph behind a result: values on the nodes, gradients below them, a box for each module.

    Parameters
    ----------
    loss : Tensor, Recording, Trace or function
        As for `trace`.
    gradients : bool
        Whether to show gradients, for which a backward pass is run if none was recorded. Of a result with several
        elements, which has no single gradient, the values alone are drawn.
    fold : bool
        Show the outermost modules as single boxes instead of what is in them.

    Returns
    -------
    Drawing
        With `svg` and `dot` as text, and ``save(path)``.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> x, w = tn.tensor(3.0), tn.tensor(2.0, requires_grad=True)
    >>> drawing = tn.inspect.draw(x * w)
    >>> print(drawing.dot)
    digraph {
        node [shape=box, style="rounded,filled", fillcolor=white, fontname=monospace]
        n0 [label="x\\n3", fillcolor="#eef3f7"]
        n1 [label="w\\n2\\n∇ 3", fillcolor="#fdf1d8"]
        n2 [label="v1 = Multiply\\n6\\n∇ 1", fillcolor="#ffffff"]
        n0 -> n2
        n1 -> n2
    }
    <BLANKLINE>
    """
    drawing = Drawing(steps_of(loss, gradients), folded=())
    if fold:
        drawing.folded = {i for i, group in enumerate(drawing.graph.groups) if group.parent == -1}
    return drawing


def steps_of(loss: Any, gradients: bool) -> Trace:
    """What there is to draw: without gradients the forward steps alone."""
    if isinstance(loss, (Trace, Recording)):
        steps = loss if isinstance(loss, Trace) else trace(loss)
        return steps if gradients else Trace([step for step in steps if isinstance(step, Forward)], steps.outputs)
    result, known = (loss, known_recording(loss)) if isinstance(loss, Tensor) else recorded(loss)
    return trace_of_result(result, None, known) if gradients and result.numel() == 1 else trace_forward(result, known)


def curve(way: list[tuple[float, float]]) -> str:
    """An SVG path that leaves and arrives vertically at every point of the way."""
    (x, y), rest = way[0], way[1:]
    path = f"M{x:.1f} {y:.1f}"
    for X, Y in rest:
        path += f"C{x:.1f} {(y + Y) / 2:.1f} {X:.1f} {(y + Y) / 2:.1f} {X:.1f} {Y:.1f}"
        x, y = X, Y
    return path


def cut(line: str, room: int) -> str:
    """The beginning of a line, as far as there is room for it."""
    return line if len(line) <= room else line[:room - 1] + "…"


def text(words: str) -> str:
    """For the inside of an element."""
    return html.escape(words, quote=True)


def quoted(words: str) -> str:
    """A string of DOT, where backslash n is a new line."""
    return '"' + words.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'
