"""A rule that treats its elements one by one, as one kernel: made when it is first used with arrays of such dtypes."""

import inspect
import re
from collections.abc import Callable
from typing import Any

import numpy as np

from ..gpu import import_cupy
from .cuda_text import body
from .tracing import SIZED, NotElementwise, Symbol, argument, in_order

PARAMETERS = {dtype: dtype.name for dtype in SIZED} | {bool: "bool", int: "int64", float: "float64"}    # as CuPy says


class Fused:
    """Computes a rule by one kernel for each combination of dtypes; NotImplemented where that is no gain, or no way."""

    def __init__(self, rule: Callable) -> None:
        self.rule = rule
        self.names = [p.name for p in inspect.signature(rule).parameters.values() if p.kind is p.POSITIONAL_OR_KEYWORD]
        self.kernels: dict[tuple, Any] = {}

    def __call__(self, *values: Any, **settings: Any) -> Any:
        kinds = tuple(x.dtype if hasattr(x, "dtype") else x if x is None else type(x) for x in values)
        # a float may be another one without another kernel; the type goes with the rest, since True == 1
        key = (kinds, *((name, float if type(x) is float else (type(x), x)) for name, x in settings.items()))
        try:
            made = self.kernels[key]
        except KeyError:
            made = self.kernels[key] = self.make(kinds, settings)
        except TypeError:                               # a setting that is no key of a dictionary
            return NotImplemented
        if made is None:
            return NotImplemented
        kernel, used = made
        given = dict(zip(self.names, values, strict=True), **settings)
        return kernel(*(given[name] for name in used))

    def make(self, kinds: tuple, settings: dict) -> tuple[Any, list[str]] | None:
        """The kernel, and which of the arguments and settings it takes."""
        traced = self.traced(kinds, settings)
        if traced is None:
            return None
        y, text = traced
        taken = {x.operands[0]: x.dtype for x in in_order([y]) if x.function == "argument"}
        inputs = ", ".join(f"{PARAMETERS[kind]} {in_text(name)}" for name, kind in taken.items())
        kernel = import_cupy().ElementwiseKernel(inputs, f"{PARAMETERS[y.dtype]} {RESULT}", text, self.name())
        return kernel, list(taken)

    def traced(self, kinds: tuple, settings: dict) -> tuple[Symbol, str] | None:
        """What the rule gives, and the text that computes it; None if it takes no more than one launch as it stands."""
        if len(kinds) != len(self.names) or any(kind is not None and kind not in PARAMETERS for kind in kinds):
            return None
        arguments = [None if kind is None else argument(name, kind)
                     for name, kind in zip(self.names, kinds, strict=True)]
        # a number among the settings may be another one in the next call, which needs no other kernel
        chosen = {name: argument(name, float) if type(x) is float else x for name, x in settings.items()}
        try:
            y = self.rule(*arguments, **chosen)
            if not isinstance(y, Symbol) or y.is_weak or launches(y) < 2:
                return None
            return y, body({RESULT: y}, lambda x: in_text(x.operands[0]) if x.function == "argument" else None)
        except (NotElementwise, TypeError, ValueError):         # what a rule does with a shape, say, a symbol refuses
            return None

    def name(self) -> str:
        """The kernel's name, as a profiler shows it: Sigmoid_grad_a_, say."""
        return in_text(self.rule.__qualname__.replace("<locals>.", ""))


RESULT = "result"


def in_text(name: str) -> str:
    """A name for the text of a kernel: in ASCII, and with a _ at the end, so that it is no word of CUDA's or CuPy's.

    Examples
    --------
    >>> in_text("Sigmoid.grad_a"), in_text("μ"), in_text("i")
    ('Sigmoid_grad_a_', 'u956_', 'i_')
    """
    def written(other: re.Match) -> str:
        return "_" if other[0] in ".<>" else f"u{ord(other[0])}"
    return re.sub(r"\W", written, name, flags=re.ASCII) + "_"


def launches(y: Symbol) -> int:
    """How many kernels NumPy's calls would be, one after the other."""
    return sum(x.function != "argument" and not x.is_weak for x in in_order([y]))
