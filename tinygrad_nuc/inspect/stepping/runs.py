"""Boxes for runs of consecutive operations, where a graph has too many of them to be seen at once."""

import math
from collections.abc import Mapping

from .drawn_graph import Graph, Group
from .steps import Call, Node

MOST_NODES = 2000           # of a graph that needs no such boxes: the page shows that many at once
LONGEST = 500               # things directly inside of a box that need none


def box_runs(graph: Graph, labels: Mapping[Node, str]) -> None:
    """Put runs of consecutive operations, and of calls, in boxes: about √n boxes for n of them.

    Operations come in order of time, so edges between the runs lead from earlier ones to later ones. A leaf goes with
    the run that uses it; if several do, it stays outside.
    """
    if len(graph.nodes) <= MOST_NODES:
        return
    users: dict[int, list[int]] = {}
    for u, v, _ in graph.edges:
        users.setdefault(u, []).append(v)
    for box, items in graph.contents().items():
        parts = [item for item in items if item[0] == "g" or graph.nodes[int(item[1:])].operation is not None]
        if len(parts) <= LONGEST:
            continue
        length, first = math.ceil(math.sqrt(len(parts))), len(graph.groups)
        for start in range(0, len(parts), length):
            run = parts[start:start + length]
            for item in run:
                put(graph, item, len(graph.groups))
            ends = f"{name(graph, run[0], labels)} … {name(graph, run[-1], labels)}"
            graph.groups.append(Group(Call(ends, "", None), box))
        for i, node in enumerate(graph.nodes):
            if node.operation is None and graph.group_of[i] == box and i in users:
                chain = graph.chain(graph.common([graph.group_of[v] for v in users[i]]))
                graph.group_of[i] = next((group for group in chain if group >= first), box)
    sort_groups(graph)


def put(graph: Graph, item: str, box: int) -> None:
    """Move a node or a box into a box."""
    if item[0] == "g":
        graph.groups[int(item[1:])].parent = box
    else:
        graph.group_of[int(item[1:])] = box


def name(graph: Graph, item: str, labels: Mapping[Node, str]) -> str:
    """What a node or a box is called."""
    i = int(item[1:])
    return graph.groups[i].label if item[0] == "g" else labels[graph.nodes[i]]


def sort_groups(graph: Graph) -> None:
    """New numbers for the boxes, so that each comes after the one that holds it."""
    order = sorted(range(len(graph.groups)), key=lambda box: len(graph.chain(box)))
    number = {-1: -1} | {old: new for new, old in enumerate(order)}
    graph.groups = [graph.groups[old] for old in order]
    for group in graph.groups:
        group.parent = number[group.parent]
    graph.group_of = [number[box] for box in graph.group_of]
