"""The graph behind a result as it is drawn: nodes, edges, and a box for every call of a module."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from .steps import Call, Node

CHARACTER, NODE_HEIGHT, BOX_HEIGHT = 7.3, 58.0, 44.0        # in pixels; letters are of one width
NARROWEST, WIDEST = 100.0, 340.0


@dataclass
class Group:
    """A box: the call of a module."""

    call: Call
    parent: int             # the box that holds it; -1 for the picture itself

    @property
    def label(self) -> str:
        """``model.0: Linear``, say."""
        return f"{self.call.path}: {self.call.module}" if self.call.path else self.call.module


class Graph:
    """Nodes in order of time, the edges between them, and their boxes.

    Attributes
    ----------
    nodes : list of Node
    edges : list of (int, int, int)
        From which node to which, and as which of its inputs that are nodes.
    groups : list of Group
        A box comes after the one that holds it.
    group_of : list of int
        The innermost box of each node, or -1. A parameter is in the box of what uses it; other leaves are in none.
    """

    def __init__(self, nodes: Sequence[Node]) -> None:
        self.nodes = list(nodes)
        number = {node: i for i, node in enumerate(self.nodes)}
        self.edges = [(number[x], i, k) for i, node in enumerate(self.nodes) for k, x in enumerate(node.parents)]
        self.groups: list[Group] = []
        known: dict[int, int] = {}
        self.group_of = [self.box_of(node.call, known) if node.operation is not None else -1 for node in self.nodes]
        users: dict[int, list[int]] = {}
        for u, v, _ in self.edges:
            users.setdefault(u, []).append(self.group_of[v])
        for i, node in enumerate(self.nodes):
            if node.operation is None and node.requires_grad and i in users:
                self.group_of[i] = self.common(users[i])

    def box_of(self, call: Call | None, known: dict[int, int]) -> int:
        """The number of a call's box, which is made when it is met for the first time."""
        if call is None:
            return -1
        if id(call) not in known:
            parent = self.box_of(call.parent, known)
            known[id(call)] = len(self.groups)
            self.groups.append(Group(call, parent))
        return known[id(call)]

    def chain(self, box: int) -> list[int]:
        """A box and those around it, from the outermost: [-1, ..., box]."""
        boxes = [box]
        while boxes[-1] != -1:
            boxes.append(self.groups[boxes[-1]].parent)
        return boxes[::-1]

    def common(self, boxes: Sequence[int]) -> int:
        """The innermost box that holds all of these."""
        chains = [self.chain(box) for box in boxes]
        together = [level for level in zip(*chains, strict=False) if len(set(level)) == 1]
        return together[-1][0]

    def item(self, node: int, box: int) -> str:
        """What stands for a node directly inside of a box that holds it: itself, or the next box."""
        chain = self.chain(self.group_of[node])
        below = chain.index(box) + 1
        return f"g{chain[below]}" if below < len(chain) else f"n{node}"

    def crossed(self, u: int, v: int) -> Iterator[tuple[int, str | None, str | None]]:
        """The boxes that an edge passes, in its direction, each with what stands in it for the start and for the end.

        Boxes that hold only the start, where the end is None; the innermost that holds both; those that hold only the
        end.
        """
        start, end = self.chain(self.group_of[u]), self.chain(self.group_of[v])
        both = [box for box in start if box in end]
        for box in reversed(start[len(both):]):
            yield box, self.item(u, box), None
        yield both[-1], self.item(u, both[-1]), self.item(v, both[-1])
        for box in end[len(both):]:
            yield box, None, self.item(v, box)

    def contents(self) -> dict[int, list[str]]:
        """What lies directly inside of each box: nodes, and boxes in it."""
        found: dict[int, dict[str, None]] = {}
        for i, own in enumerate(self.group_of):
            chain = self.chain(own)
            for box, item in zip(chain, [*(f"g{inner}" for inner in chain[1:]), f"n{i}"], strict=True):
                found.setdefault(box, {})[item] = None
        return {box: list(items) for box, items in found.items()}

    def visible(self, node: int, folded: Collection[int]) -> str:
        """What is seen of a node: itself, or the outermost folded box around it."""
        return next((f"g{box}" for box in self.chain(self.group_of[node]) if box in folded), f"n{node}")


def node_size(label: str, node: Node) -> tuple[float, float]:
    """Width and height of a node: its name and operation, its value, and its gradient below each other."""
    head = f"{label} = {node.operation.__name__}" if node.operation is not None else label
    size = node.value.size
    numbers = 4 + 10 * size if size <= 4 else 23 + len(str(node.value.shape))   # room for a longer gradient
    return min(max(max(len(head), numbers) * CHARACTER + 26, NARROWEST), WIDEST), NODE_HEIGHT


def box_size(group: Group) -> tuple[float, float]:
    """Width and height of a folded box."""
    return max(len(group.label) * CHARACTER + 44, NARROWEST), BOX_HEIGHT
