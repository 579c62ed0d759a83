"""Where the nodes of a drawn graph go: layers from the leaves down to the result, boxes within boxes for modules.

A layered layout after K. Sugiyama, S. Tagawa and M. Toda, IEEE Trans. Syst. Man Cybern. 11 (1981) 109, in two parts.
`arrange` chooses the layers and the order in them, for each box on its own, which does not depend on sizes.
`place` gives coordinates to what is shown when some boxes are folded; the page does this part again, whenever one
opens, in the same way.
"""

from bisect import bisect_right, insort
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .drawn_graph import Graph

GAP, LAYER_GAP, MARGIN, HEAD = 18.0, 40.0, 12.0, 22.0      # between neighbours, layers, inside of boxes, their title
VIA = 6.0                       # the width that a passing edge takes
FAR = 40                        # layers beyond which an edge takes no room: it is drawn behind everything
SOURCE = 0.05                   # how much a place beside the way counts: parameters give way to the chain of results
SWEEPS = 8


@dataclass
class Arrangement:
    """For each box (-1 is the whole picture), its layers from top to bottom: names of nodes, boxes, passing edges.

    ``n3`` is node 3, ``g2`` is box 2, and ``e7.2.4`` is where edge 7 passes layer 4 of box 2; `via` lists these for
    each edge. Other edges from the same start pass there as well: they part where they must.
    """

    layers: dict[int, list[list[str]]] = field(default_factory=dict)
    via: dict[int, list[str]] = field(default_factory=dict)
    links: dict[int, list[tuple[str, str]]] = field(default_factory=dict)      # between neighbouring layers


Passage = tuple[int, str | None, str | None]        # an edge in a box, and what holds its start and its end there


def arrange(graph: Graph) -> Arrangement:
    """Layers, and an order within them that lets few edges cross."""
    contents = graph.contents()
    inside: dict[int, list[Passage]] = {box: [] for box in contents}
    for e, (u, v, _) in enumerate(graph.edges):
        for box, a, b in graph.crossed(u, v):
            inside[box].append((e, a, b))
    result = Arrangement()
    ways: dict[int, dict[int, list[str]]] = {}
    for box, items in contents.items():
        rank = ranks(items, {(a, b) for _, a, b in inside[box] if a and b})
        ways[box], places = passing_places(graph, box, inside[box], rank)
        layers: list[list[str]] = [[] for _ in range(max(rank.values()) + 1)]
        for name, r in {**rank, **places}.items():
            layers[r].append(name)
        argument: dict[str, int] = {}                               # as which input something is used first
        links: dict[tuple[str, str], None] = {}
        for e, a, b in inside[box]:
            chain = [x for x in (a, *ways[box][e], b) if x] if e in ways[box] else [x for x in (a,) if x]
            links |= dict.fromkeys(zip(chain, chain[1:], strict=False))
            for x in chain:
                argument.setdefault(x, graph.edges[e][2])
        for layer in layers:
            layer.sort(key=lambda x: argument.get(x, 0))            # to begin with
        reduce_crossings(layers, list(links))
        result.layers[box], result.links[box] = layers, list(links)
    for e, (u, v, _) in enumerate(graph.edges):
        result.via[e] = [name for box, _, _ in graph.crossed(u, v) for name in ways[box].get(e, ())]
    return result


def passing_places(graph: Graph, box: int, edges: Sequence[Passage],
                   rank: Mapping[str, int]) -> tuple[dict[int, list[str]], dict[str, int]]:
    """Where edges pass the layers of a box: the names of the places of each edge, and the layer of each place.

    Edges from the same start share their places until they part. An edge that passes more than `FAR` layers has none.
    """
    ways: dict[int, list[str]] = {}
    names: dict[tuple[Any, int], str] = {}                          # by the start, and the layer
    below = max(rank.values()) + 1
    for e, a, b in edges:
        first, end = rank[a] + 1 if a else 0, rank[b] if b else below
        if end - first <= FAR:
            start = a or graph.edges[e][0]
            ways[e] = [names.setdefault((start, r), f"e{e}.{box}.{r}") for r in range(first, end)]
    return ways, {name: r for (_, r), name in names.items()}


def ranks(items: Sequence[str], pairs: Collection[tuple[str, str]]) -> dict[str, int]:
    """The layer of each item: above everything that it leads to, and as near to it as possible."""
    height, uses, above = dict.fromkeys(items, 0), Counter(a for a, _ in pairs), defaultdict(list)
    for a, b in pairs:
        above[b].append(a)
    complete = [item for item in items if not uses[item]]           # everything that they lead to has its height
    while complete:
        b = complete.pop()
        for a in above[b]:
            height[a] = max(height[a], height[b] + 1)
            uses[a] -= 1
            if not uses[a]:
                complete.append(a)
    top = max(height.values(), default=0)
    return {item: top - height[item] for item in items}


def reduce_crossings(layers: list[list[str]], links: Sequence[tuple[str, str]]) -> None:
    """Move each item to the mean place of its neighbours in the layer above, then below, and so on; keep the best."""
    above, below = defaultdict(list), defaultdict(list)
    for a, b in links:
        above[b].append(a)
        below[a].append(b)
    best, fewest = [layer[:] for layer in layers], crossings(layers, below)
    for sweep in range(SWEEPS if fewest else 0):
        neighbours = above if sweep % 2 == 0 else below
        order = range(1, len(layers)) if sweep % 2 == 0 else range(len(layers) - 2, -1, -1)
        for r in order:
            place = {item: i for i, item in enumerate(layers[r - 1 if sweep % 2 == 0 else r + 1])}
            own = {item: i for i, item in enumerate(layers[r])}
            layers[r].sort(key=lambda item: mean([place[x] for x in neighbours[item]], own[item]))   # noqa: B023
        count = crossings(layers, below)
        if count < fewest:
            best, fewest = [layer[:] for layer in layers], count
    layers[:] = best


def crossings(layers: Sequence[Sequence[str]], below: Mapping[str, Sequence[str]]) -> int:
    """How many edges cross between neighbouring layers: pairs of edges in the wrong order."""
    total = 0
    for upper, lower in zip(layers, layers[1:], strict=False):
        place = {item: i for i, item in enumerate(lower)}
        seen: list[int] = []
        for item in upper:
            ends = [place[x] for x in below[item]]
            total += sum(len(seen) - bisect_right(seen, end) for end in ends)
            for end in ends:
                insort(seen, end)
    return total


def mean(numbers: Sequence[float], default: float) -> float:
    return sum(numbers) / len(numbers) if numbers else default


Point = tuple[float, float]


@dataclass
class Placement:
    """Left, top, width and height of everything that is shown, the way of each edge, and the size of the whole.

    A way leads through the middle of the places where it passes a layer. A route, which is what is drawn, goes
    straight down in every layer, also in those where it starts and ends, so that it touches no neighbour. `layers` are
    the top and the bottom of the layer in which each thing lies. `axis` is where the chain of results comes out below:
    what boxes are lined up by.
    """

    boxes: dict[str, tuple[float, float, float, float]] = field(default_factory=dict)
    ways: dict[int, list[Point]] = field(default_factory=dict)
    routes: dict[int, list[Point]] = field(default_factory=dict)
    width: float = 0.0
    height: float = 0.0
    axis: float = 0.0
    layers: dict[str, tuple[float, float]] = field(default_factory=dict)


def place(graph: Graph, arrangement: Arrangement, folded: Collection[int],
          sizes: Mapping[str, tuple[float, float]]) -> Placement:
    """Coordinates of what is shown when these boxes are folded.

    Parameters
    ----------
    sizes : mapping
        Width and height of every node, and of every box when it is folded.
    """
    result = Placement()
    inner: dict[int, Placement] = {}
    for box in reversed(range(-1, len(graph.groups))):              # a box comes after the one that holds it
        if box not in folded:
            inner[box] = place_layers(arrangement.layers[box], arrangement.links[box],
                                      {name: outer_size(name, inner, sizes) for layer in arrangement.layers[box]
                                       for name in layer})

    def unpack(box: int, left: float, top: float) -> None:
        for name, (x, y, w, h) in inner[box].boxes.items():
            result.boxes[name] = (left + x, top + y, w, h)
            upper, lower = inner[box].layers[name]
            result.layers[name] = (top + upper, top + lower)
            if name[0] == "g" and int(name[1:]) in inner:
                unpack(int(name[1:]), left + x + MARGIN, top + y + HEAD + MARGIN)

    unpack(-1, MARGIN, MARGIN)
    result.width, result.height = inner[-1].width + 2 * MARGIN, inner[-1].height + 2 * MARGIN
    for e, (u, v, k) in enumerate(graph.edges):
        start, end = graph.visible(u, folded), graph.visible(v, folded)
        if start != end:
            n = len(graph.nodes[v].parents)
            x, y, w, h = result.boxes[start]
            X, Y, W, _ = result.boxes[end]
            first, last = (x + w / 2, y + h), (X + W * (k + 1) / (n + 1), Y)
            through = {name: result.boxes[name] for name in arrangement.via[e] if name in result.boxes}
            middles = {name: (left + width / 2, top) for name, (left, top, width, _) in through.items()}
            result.ways[e] = [first, *middles.values(), last]
            result.routes[e] = route(graph.crossed(u, v), first, last, middles, result.layers)
    return result


def route(crossed: Iterable[tuple[int, str | None, str | None]], first: Point, last: Point,
          middles: Mapping[str, Point], layers: Mapping[str, tuple[float, float]]) -> list[Point]:
    """The way of an edge that is drawn, by the boxes that it passes and where it passes their layers."""
    points, waiting = [first], list[float]()                        # heights that it reaches at the x that comes next
    for box, a, b in crossed:
        if a is not None and a in layers:                           # down to the end of the layer where it starts
            points.append((points[-1][0], max(points[-1][1], layers[a][1])))
        for name, (x, _) in middles.items():
            if name.split(".")[1] == str(box):
                points += [*((x, y) for y in waiting), (x, layers[name][0]), (x, layers[name][1])]
                waiting = []
        if b is not None and b in layers:                           # and from where the layer begins in which it ends
            waiting.append(min(layers[b][0], last[1]))
    points += [*((last[0], y) for y in waiting), last]
    return list(dict.fromkeys(points))                              # each of them once


def outer_size(name: str, inner: Mapping[int, Placement],
               sizes: Mapping[str, tuple[float, float]]) -> tuple[float, float, float]:
    """The room that something takes to the left and to the right of its axis, and its height.

    It is a node, a folded box, an open one, or a passing edge.
    """
    if name[0] == "e":
        return VIA / 2, VIA / 2, 0.0
    width, height = sizes[name]
    if name[0] == "g" and int(name[1:]) in inner:
        inside = inner[int(name[1:])]
        left = inside.axis + MARGIN
        return left, max(inside.width + 2 * MARGIN, width) - left, inside.height + HEAD + 2 * MARGIN
    return width / 2, width / 2, height


def place_layers(layers: Sequence[Sequence[str]], links: Sequence[tuple[str, str]],
                 sizes: Mapping[str, tuple[float, float, float]]) -> Placement:
    """Coordinates inside one box: layers below each other, everything as near to its neighbours as its room allows."""
    above, below = defaultdict(list), defaultdict(list)
    for a, b in links:
        above[b].append(a)
        below[a].append(b)
    weight = {name: 1.0 if above[name] or name[0] == "e" else SOURCE for layer in layers for name in layer}
    axis: dict[str, float] = {}
    for layer in layers:                                            # to begin with, side by side
        axis.update(zip(layer, spread([0.0] * len(layer), [sizes[name] for name in layer],
                                      [1.0] * len(layer)), strict=True))
    for neighbours, order in ((above, layers), (below, layers[::-1]), (above, layers), (below, layers[::-1])):
        for layer in order:
            wanted = [pulled(neighbours[name], axis, weight, axis[name]) for name in layer]
            axes = spread(wanted, [sizes[name] for name in layer], [weight[name] for name in layer])
            axis.update(zip(layer, axes, strict=True))
    first = min((axis[name] - sizes[name][0] for name in axis), default=0.0)
    result, top = Placement(), 0.0
    for layer in layers:
        height = max((sizes[name][2] for name in layer), default=0.0)
        for name in layer:
            left, right, h = sizes[name]
            lower = height - h if weight[name] == SOURCE else (height - h) / 2      # near to what it leads to
            result.boxes[name] = (axis[name] - left - first, top + lower, left + right, h)
            result.layers[name] = (top, top + height)
        top += height + LAYER_GAP
    result.width = max((x + w for x, _, w, _ in result.boxes.values()), default=0.0)
    result.height = max(top - LAYER_GAP, 0.0)
    result.axis = pulled(layers[-1], axis, weight, 0.0) - first
    return result


def pulled(neighbours: Sequence[str], axis: Mapping[str, float], weight: Mapping[str, float], own: float) -> float:
    """Where the neighbours want something to be: at their mean; what has a long way behind it counts most."""
    total = sum(weight[x] for x in neighbours)
    return sum(weight[x] * axis[x] for x in neighbours) / total if neighbours else own


def spread(wanted: Sequence[float], sizes: Sequence[tuple[float, float, float]],
           weights: Sequence[float]) -> list[float]:
    """The places nearest to those wanted (weighted least squares) that keep the order and do not overlap.

    Without the room that they need, no place may lie left of the one before: neighbours for which it would are moved
    as a block, to their mean.
    """
    offsets, x = [], 0.0
    for i, (left, _, _) in enumerate(sizes):
        x += sizes[i - 1][1] + GAP + left if i else 0.0
        offsets.append(x)
    blocks: list[tuple[float, float, int]] = []                     # Σ weight · place, Σ weight, and how many
    for place, offset, weight in zip(wanted, offsets, weights, strict=True):
        total, weights_sum, n = weight * (place - offset), weight, 1
        while blocks and blocks[-1][0] / blocks[-1][1] > total / weights_sum:
            earlier = blocks.pop()
            total, weights_sum, n = total + earlier[0], weights_sum + earlier[1], n + earlier[2]
        blocks.append((total, weights_sum, n))
    shifts = [total / weights_sum for total, weights_sum, n in blocks for _ in range(n)]
    return [shift + offset for shift, offset in zip(shifts, offsets, strict=True)]
