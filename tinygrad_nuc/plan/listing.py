"""A plan as text: what is computed, from what, and where in memory."""

from typing import Any

import numpy as np

from .calls import Call, Value, leaves
from .memory import Memory
from .numbers import Number
from .order import Group, Item

WAYS = {"transpose": ".T", "__getitem__": "[…]", "reshape": "", "ravel": ""}        # how views are shown


class Listing:
    """The lines of a plan.

    Memory has a name by what it is for: ``input0``, ``w0`` for what was there before (parameters, and what an optimizer
    remembers), ``b0`` for memory that is the plan's own, and ``t0`` for what exists only block by block.
    """

    def __init__(self, memory: Memory, inputs: list[Value]) -> None:
        self.memory = memory
        self.names: dict[Any, str] = {x: f"input{i}" for i, x in enumerate(inputs)}
        self.counts = {"w": 0, "b": 0, "t": 0}
        self.lines: list[str] = []
        self.number = 0

    def add(self, item: Item, rows: int = 0) -> None:
        """The lines of one item."""
        if isinstance(item, Group):
            size = int(np.prod(item.shape))
            if rows < item.shape[0]:
                blocks = -(-item.shape[0] // rows)
                self.lines.append(f"     {blocks} blocks of {size * rows // item.shape[0]:,} numbers:")
            for call in item.calls:
                self.line(call, "  " if rows < item.shape[0] else "")
        else:
            self.line(item, "")

    def line(self, call: Call, indent: str) -> None:
        self.number += 1
        made = call.writes if call.writes is not None else call.results[0]
        given = ", ".join(map(self.name, self.operands(call)))
        what = "copy" if call.name in ("__setitem__", "copyto") else call.name.strip("_")
        text = f"{self.number:4d} {indent}{self.name(made)} ← {what}({given})"
        self.lines.append(f"{text:<60} {shape_of(made)}")

    def operands(self, call: Call) -> list:
        """What a call is given, without what it writes into and names of options."""
        parts = call.args[1:] if call.writes is not None and "out" not in call.options else call.args
        return [x for x in leaves(parts) if isinstance(x, (Value, Number, np.ndarray, int, float))]

    def name(self, x: Any) -> str:
        """What an array or a number is called."""
        if isinstance(x, Number):
            return f"‹{x.now:.6g}›"
        if isinstance(x, np.ndarray):
            return f"constant{list(x.shape)}" if x.ndim else f"{x.item():.6g}"
        if not isinstance(x, Value):
            return f"{x}"
        if x.owner is not x and x in self.memory.makers:
            maker = self.memory.makers[x]
            way = WAYS.get(maker.name, f".{maker.name.strip('_')}")
            return self.name(maker.reads[0]) + way
        if x in self.memory.host:
            return f"{self.name(self.memory.host[x])}[…]"
        key = self.memory.place_of(x)
        if x not in self.names and key not in self.names:
            kind = "t" if x in self.memory.groups else "b" if x in self.memory.births else "w"
            self.names[key] = f"{kind}{self.counts[kind]}"
            self.counts[kind] += 1
        return self.names.get(x) or self.names[key]


def shape_of(x: Value) -> str:
    """Shape, dtype and bytes."""
    shape = " × ".join(map(str, x.shape)) or "1"
    return f"{shape} {x.dtype.name}, {in_bytes(x.nbytes)}"


def in_bytes(n: float) -> str:
    """A number of bytes, to be read."""
    for unit in ("B", "kB", "MB"):
        if n < 1000:
            return f"{n:.3g} {unit}"
        n /= 1000
    return f"{n:.3g} GB"
