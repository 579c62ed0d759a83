"""What happens in a program that differentiates, one step at a time: values, derivatives, gradients, updates."""

import functools
import inspect
import textwrap
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from ...engine.explain import argument_names


@dataclass(eq=False)
class Call:
    """One call of a module: ``model.0`` of class Linear, say, which is a part of the call of ``model``."""

    module: str
    path: str
    parent: "Call | None"


@dataclass(eq=False, repr=False)
class Node:
    """A value of the program: a leaf, or the result of an operation.

    Attributes
    ----------
    name : str
        The program's name for it: a variable, or a parameter's place in its module; "" where it has none.
    operation : Operation or None
        The class that computed it; None for a leaf.
    inputs : tuple
        Nodes, and plain numbers or arrays, in the order of the operation's arguments.
    receivers : list of int
        Which of the inputs get a share of its gradient.
    value : ndarray
        As it was then (a copy).
    line : str
        ``file:number: text`` of the program's line that computed it; "" where it was not recorded.
    call : Call or None
        The innermost module call in which it was computed.
    previous : Node or None
        For a leaf that was updated: what it was before.
    """

    value: np.ndarray
    name: str = ""
    operation: Any = None
    inputs: tuple = ()
    receivers: tuple = ()
    settings: dict = field(default_factory=dict)
    requires_grad: bool = False
    line: str = ""
    call: Call | None = None
    previous: "Node | None" = None

    def __repr__(self) -> str:
        """Short, since a debugger shows it, and the graph behind a node may be large."""
        how = f" = {self.operation.__name__}" if self.operation is not None else ""
        value = self.value.tolist() if self.value.size <= 4 else f"of shape {self.value.shape}"
        return f"<Node {self.name or '(no name)'}{how}: {value}>"

    @property
    def kind(self) -> str:
        """What it is in a picture: "result", "parameter", or "leaf" if it requires no gradient."""
        return "result" if self.operation is not None else "parameter" if self.requires_grad else "leaf"

    @property
    def parents(self) -> list["Node"]:
        """The inputs that are nodes."""
        return [x for x in self.inputs if isinstance(x, Node)]

    @property
    def arguments(self) -> tuple[str, ...]:
        """The operation's names for the inputs."""
        return argument_names(self.operation, len(self.inputs)) if self.operation is not None else ()

    @property
    def formula(self) -> str:
        """The first line of the operation's docstring: "y = a · b"."""
        return (inspect.getdoc(self.operation) or "").partition("\n")[0] if self.operation is not None else ""

    def behind(self) -> set["Node"]:
        """This node and everything it was computed from."""
        found, stack = {self}, [self]
        while stack:
            for x in stack.pop().parents:
                if x not in found:
                    found.add(x)
                    stack.append(x)
        return found


@dataclass(frozen=True, eq=False)
class Forward:
    """An operation computes a value."""

    node: Node


@dataclass(eq=False)
class Pass:
    """A backward pass: from which results it starts."""

    outputs: list[Node]

    @functools.cached_property
    def leaves(self) -> list[Node]:
        """The leaves that its results were computed from."""
        return [x for x in set().union(*(y.behind() for y in self.outputs)) if x.operation is None]


@dataclass(frozen=True, eq=False)
class Start:
    """A backward pass begins: ∂L/∂L = 1, or what ``backward`` was given."""

    node: Node
    gradient: np.ndarray
    part_of: Pass


@dataclass(frozen=True, eq=False)
class Backward:
    """A derivative rule makes, of the gradient that has arrived at a result, the share of one of its inputs.

    Attributes
    ----------
    node, to : Node
        The result y, and the input x.
    position : int
        Which of the inputs x is.
    rule : function
        The derivative that ran, ``Multiply.grad_a`` say.
    arriving : ndarray
        ∂L/∂y.
    share : ndarray
        What the rule returned.
    fitted : ndarray
        The same in the shape and dtype of x: summed over the axes along which x was repeated.
    total : ndarray
        ∂L/∂x so far: this share and those of earlier steps.
    part_of : Pass
        The backward pass; a hook may run another in the midst of it.
    """

    node: Node
    to: Node
    position: int
    rule: Callable
    arriving: np.ndarray
    share: np.ndarray
    fitted: np.ndarray
    total: np.ndarray
    part_of: Pass

    @property
    def argument(self) -> str:
        """The operation's name for x."""
        return self.node.arguments[self.position]

    @property
    def rule_name(self) -> str:
        """Multiply.grad_a, say."""
        return f"{self.node.operation.__name__}.{getattr(self.rule, 'func', self.rule).__name__}"

    @property
    def source(self) -> str:
        """The text of the rule that ran."""
        return source_of(self.rule)

    @property
    def place(self) -> tuple[str, int]:
        """The file and the line at which the rule stands: where a breakpoint goes."""
        code = getattr(self.rule, "func", self.rule).__code__
        return code.co_filename, code.co_firstlineno


@dataclass(frozen=True, eq=False)
class Hooked:
    """The hooks of a tensor have replaced its gradient."""

    node: Node
    before: np.ndarray
    after: np.ndarray
    part_of: Pass


@dataclass(frozen=True, eq=False)
class Store:
    """``backward`` adds what has arrived to the ``grad`` of a leaf."""

    node: Node
    before: np.ndarray | None
    after: np.ndarray
    part_of: Pass


@dataclass(frozen=True, eq=False)
class Update:
    """A leaf gets a new value, from an optimizer or from the program itself.

    Attributes
    ----------
    node, after : Node
        The leaf before and after.
    gradient : ndarray or None
        Its ``grad`` at that time.
    optimizer : str
        "SGD", say; "" for a change that the program made itself.
    settings : dict
        The optimizer's settings, such as lr.
    source : str
        The text of the optimizer's formula.
    """

    node: Node
    after: Node
    gradient: np.ndarray | None
    optimizer: str = ""
    settings: dict = field(default_factory=dict)
    source: str = ""


Step = Forward | Start | Backward | Hooked | Store | Update


@functools.cache
def source_of(function: Any) -> str:
    """The text of a function as it stands in its file; "" if it has none."""
    try:
        return textwrap.dedent(inspect.getsource(getattr(function, "func", function))).rstrip()
    except (OSError, TypeError):                # typed in at a prompt, say
        return ""
