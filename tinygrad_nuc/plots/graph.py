"""The computational graph as a picture among others."""

from typing import Any, NamedTuple

from matplotlib.axes import Axes
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch, Patch
from matplotlib.path import Path
from matplotlib.text import Text

from ..inspect.stepping.drawing import COLOURS, FILLS, INK, draw
from ..inspect.stepping.layout import HEAD
from .figures import axes_or_new

INCH = 80.0             # units of the layout for each inch of a figure of its own


class ComputationalGraph(NamedTuple):
    """What `computational_graph` drew: patches and texts by the names of the values, and the arrows."""

    nodes: dict[str, Patch]
    texts: dict[str, list[Text]]
    modules: list[Patch]
    arrows: list[Patch]


def computational_graph(loss: Any, *, gradients: bool = True, fold: bool = False,
                        ax: Axes | None = None) -> ComputationalGraph:
    """The graph behind a result, from the leaves on top to the result below, with values and gradients.

    For a file of its own `tinygrad_nuc.inspect.draw` gives sharper pictures (SVG); this one goes beside other plots.

    Parameters
    ----------
    loss : Tensor, Recording, Trace or function
        As for `tinygrad_nuc.inspect.trace`.
    gradients : bool
        Whether to show gradients below the values.
    fold : bool
        Show the outermost modules as single boxes.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> x, w = tn.tensor(3.0), tn.tensor(2.0, requires_grad=True)
    >>> y = x * w
    >>> drawn = tn.plots.computational_graph(y)
    >>> [text.get_text() for text in drawn.texts["y"]]
    ['y = Multiply', '6', '∇ 1']
    """
    drawing = draw(loss, gradients=gradients, fold=fold)
    graph, placement = drawing.graph, drawing.placed()
    ax = axes_or_new(ax, width=placement.width / INCH, height=placement.height / INCH)
    ax.set(xlim=(0, placement.width), ylim=(placement.height, 0), aspect="equal")
    ax.set_axis_off()
    room = ax.get_window_extent()
    pixels = min(room.width / placement.width, room.height / placement.height)
    unit = pixels * 72 / ax.figure.dpi                      # points for each unit of the layout
    size = 13 * unit
    drawn = ComputationalGraph({}, {}, [], [])
    for name, (x, y, w, h) in placement.boxes.items():
        i = int(name[1:].partition(".")[0])
        if name[0] == "g":
            folded = i in drawing.folded
            fill, line = ("#e4ecf3", "-") if folded else ("none", "--")
            drawn.modules.append(ax.add_patch(box(x, y, w, h, fill, line)))
            ax.text(x + 8, y + (h / 2 if folded else HEAD / 2 + 2), graph.groups[i].label, fontsize=size, va="center",
                    color="#44525e", zorder=3, bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5})
        elif name[0] == "n":
            label, lines = drawing.labels[graph.nodes[i]], drawing.written_on(i)
            drawn.nodes[label] = ax.add_patch(box(x, y, w, h, FILLS[graph.nodes[i].kind], "-"))
            drawn.texts[label] = [ax.text(x + w / 2, y + 13 + 16 * k, line, fontsize=size, color=colour, ha="center",
                                          va="center", weight="bold" if k == 0 else "normal", zorder=3, clip_on=True)
                                  for k, (line, colour) in enumerate(zip(lines, COLOURS, strict=False))]
    for way in placement.routes.values():
        drawn.arrows.append(ax.add_patch(FancyArrowPatch(path=curve(way), arrowstyle="-|>", mutation_scale=14 * unit,
                                                         color="#6b7783", linewidth=max(unit, 0.5), shrinkB=0)))
    return drawn


def box(x: float, y: float, w: float, h: float, fill: str, line: str) -> FancyBboxPatch:
    """A rectangle with round corners."""
    return FancyBboxPatch((x, y), w, h, boxstyle="round,pad=0,rounding_size=6", facecolor=fill, edgecolor=INK,
                          linestyle=line, linewidth=0.8, zorder=2 if fill != "none" else 1)


def curve(way: list[tuple[float, float]]) -> Path:
    """A way that leaves and arrives vertically at every point."""
    points, codes = [way[0]], [Path.MOVETO]
    for (x, y), (X, Y) in zip(way, way[1:], strict=False):
        points += [(x, (y + Y) / 2), (X, (y + Y) / 2), (X, Y)]
        codes += [Path.CURVE4] * 3
    return Path(points, codes)
