"""Words for errors that teach: what was given, where the shapes clash, and what would fit."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from .arrays import in_memory, on_host
from .origins import array_of


def summary(x: Any) -> str:
    """How an input is named in an error: the shape of an array, the number itself otherwise."""
    return f"of shape {tuple(x.shape)}" if hasattr(x, "shape") else repr(x)


def broadcast_clash(**shapes: tuple[int, ...]) -> str:
    """The shapes below each other where they cannot be broadcast together, and what would fit ('' if they can)."""
    for back in range(1, max(map(len, shapes.values())) + 1):
        lengths = {shape[-back] for shape in shapes.values() if len(shape) >= back} - {1}
        if len(lengths) > 1:
            return (f"the shapes do not broadcast\n{aligned(shapes, back)}they must be equal, or one of them 1"
                    f"{missing_axis(shapes)}")
    return ""


def aligned(shapes: dict[str, tuple[int, ...]], back: int) -> str:
    """The shapes under each other, last dimension below last, with a mark under dimension −`back`::

        a: (2, 3)
        b: (   4)
               ^
    """
    places = range(max(map(len, shapes.values())), 0, -1)              # counted from the end
    widths = {place: max(len(str(shape[-place])) for shape in shapes.values() if len(shape) >= place)
              for place in places}
    margin = max(map(len, shapes))
    lines = []
    for name, shape in shapes.items():
        columns = [(str(shape[-place]) if place <= len(shape) else "").rjust(widths[place]) for place in places]
        separators = [", " if place < len(shape) else "  " for place in places]     # none before its first dimension
        text = columns[0] + "".join(s + c for s, c in zip(separators[1:], columns[1:], strict=True))
        lines.append(f"    {name:>{margin}}: ({text})")
    to_mark = sum(widths[place] + 2 for place in places if place >= back) - 2
    return "\n".join(lines) + "\n" + " " * (margin + 6 + to_mark) + "^ "


def missing_axis(shapes: dict[str, tuple[int, ...]]) -> str:
    """The usual mistake: one of two lost an axis that would have to be there with length 1."""
    if len(shapes) != 2:
        return ""
    (short, few), (_, many) = sorted(shapes.items(), key=lambda item: len(item[1]))
    for dim in range(len(few), 0, -1):
        candidate = (*few[:dim], 1, *few[dim:])
        if len(candidate) <= len(many) and all(n in (m, 1) or m == 1 for n, m in
                                               zip(reversed(candidate), reversed(many), strict=False)):
            return f"; {short}.unsqueeze({dim - len(few) - 1}), of shape {candidate}, would fit"
    return ""


def device_clash(names: Iterable[str], values: Iterable[Any]) -> str:
    """Which inputs are on which device, and how to move them, if they are not all on one ("" if they are)."""
    places = {name: place(x) for name, x in zip(names, values, strict=False) 
              if hasattr(x, "shape") and not isinstance(x, np.generic)}
    if len({*places.values()}) < 2:
        return ""
    there = ", ".join(f"{name} is on {where}" for name, where in places.items())
    gpu = next(where for where in places.values() if where != "cpu")
    name = next(name for name, where in places.items() if where != gpu)
    return (f"the inputs are on different devices: {there}; move them to one, as with {name}.to({gpu!r}) for data or "
            f"model.to({gpu!r}) for a model")


def place(array: Any) -> str:
    """The name of the device that an array is on."""
    return "cpu" if in_memory(array) else f"cuda:{array.device.id}"


def argument_names(operation: Any, n: int) -> tuple[str, ...]:
    """How an error calls the `n` inputs: a, b, or arrays[0], arrays[1], ..."""
    if operation.takes_many:
        return tuple(f"{operation.arguments[0]}[{i}]" for i in range(n))
    return operation.arguments


def ranges(name: str, x: Any) -> str:
    """The shape of an input, and from where to where its values go."""
    x = array_of(x)
    if not hasattr(x, "shape"):
        return f"{name} = {x!r}"
    x = on_host(x)
    finite = x[np.isfinite(x)]
    span = f"from {float(np.min(finite)):.4g} to {float(np.max(finite)):.4g}" if finite.size else "no finite value"
    counts = {"NaN": int(np.sum(np.isnan(x))), "infinite": int(np.sum(np.isinf(x)))}
    others = "".join(f", {n} {word}" for word, n in counts.items() if n)
    return f"{name} of shape {tuple(x.shape)}: {span}{others}"
