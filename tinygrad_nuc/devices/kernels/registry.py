"""Which kernel computes a rule: one written by hand, or else the rule's own formula as one kernel."""

from collections.abc import Callable
from typing import Any

import numpy as np

from ...operations.activations import Kept
from ..gpu import import_cupy
from ..memory import explained
from .elementwise import Fused
from .tracing import Symbol

by_hand: dict[Callable, Callable] = {}          # rule → kernel
plainer: dict[Callable, Callable] = {}      # rule → the same in plainer words, if it is written for a CPU's speed
_versions: dict[Callable, Callable] = {}
_switched_on = True


def computes(rule: Callable) -> Callable:
    """Decorator: the function computes what `rule` does, of arrays on a GPU; or says NotImplemented, for these."""
    def enter(kernel: Callable) -> Callable:
        by_hand[rule] = kernel
        return kernel
    return enter


def version_of(rule: Callable) -> Callable:
    """What runs the rule where its arrays are."""
    if rule not in _versions:
        # a functools.partial, of an operation of any number of arrays, is a new object at each call, and has no kernel
        if not hasattr(rule, "__code__"):
            return rule
        _versions[rule] = Version(rule)
    return _versions[rule]


def use_kernels(mode: bool = True) -> None:
    """Whether rules run on the GPU as fused kernels, as they do from the start, or one NumPy call at a time.

    Without kernels a debugger steps through the same lines on the GPU as on the CPU.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.cuda.use_kernels(False)
    >>> tn.cuda.use_kernels(True)
    """
    global _switched_on
    if not isinstance(mode, bool):
        raise TypeError(f"use_kernels: True or False, not {mode!r}")
    _switched_on = mode


def kernels_in_use() -> bool:
    """Whether `use_kernels` has switched them on."""
    return _switched_on


def kept(a, kept):  return np.where(kept, a, 0)


plainer[Kept.forward] = kept


class Version:
    """A rule, and what computes the same on a GPU."""

    def __init__(self, rule: Callable) -> None:
        self.rule = rule
        self.traceable = plainer.get(rule, rule)
        self.kernel = by_hand.get(rule) or Fused(self.traceable)

    def __call__(self, *values: Any, **settings: Any) -> Any:
        cupy = import_cupy()
        on_gpu = None
        for x in values:
            if isinstance(x, cupy.ndarray):
                on_gpu = x
                break
            if isinstance(x, Symbol):                   # another rule is being traced, and calls this one
                return self.traceable(*values, **settings)
        if on_gpu is None:
            return self.rule(*values, **settings)
        try:
            if on_gpu.device.id == cupy.cuda.runtime.getDevice():
                return self.run(values, settings)
            with on_gpu.device:                         # of several GPUs, the one where the arrays are
                return self.run(values, settings)
        except MemoryError as error:
            raise (explained(error) or error) from None

    def run(self, values: tuple, settings: dict) -> Any:
        """By the kernel, if there is one for these arrays, or else as the rule stands."""
        result = self.kernel(*values, **settings) if _switched_on else NotImplemented
        return self.rule(*values, **settings) if result is NotImplemented else result
