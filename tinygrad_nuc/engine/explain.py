"""Errors that teach: which operation failed, on what, where the shapes clash, and what would fit."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from . import debugging
from .tensor import value


def explain(error: Exception, operation: Any, inputs: Sequence[Any], settings: dict) -> Exception:
    """The same kind of error, saying which operation failed, on what, and what would fit."""
    kind = next(k for k in (IndexError, TypeError, np.linalg.LinAlgError, ValueError) if isinstance(error, k))
    values = [value(x) for x in inputs]
    names = debugging.argument_names(operation, len(inputs))
    given = ", ".join(f"{name} {summary(x)}" for name, x in zip(names, values, strict=False))
    chosen = "".join(f", {name}={setting!r}" for name, setting in settings.items() if setting is not None)
    reason = operation.would_fit(*values, **settings) or str(error)
    lines = [*debugging.origins(names, inputs), debugging.called_at()] if debugging.on else []
    return kind("\n    ".join([f"{operation.__name__}({given}{chosen}): {reason}", *lines]))


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
