"""All parameters in one piece of memory, and the optimizer on it: ten calls instead of sixteen for each array.

A step is a list of calls (function, arguments) on arrays that stay where they are. It is made once, and replayed.
"""

from collections.abc import Callable, Sequence
from math import prod, sqrt
from typing import Any

import numpy as np
from numpy.typing import NDArray
from workloads import Workload

from by_hand.straightforward import BETA1, BETA2, EPSILON, MOMENTUM

Calls = list[tuple[Callable[..., Any], tuple[Any, ...]]]
LINE = 16                       # numbers in a line of the cache: each array begins with one
CHUNK = 2 ** 15                 # numbers that go through all of Adam's passes before the next: they stay in the cache


def replay(calls: Calls) -> None:
    for function, arguments in calls:
        function(*arguments)


def constant(value: float) -> NDArray:
    """An array without axes: half the price of a Python number, which NumPy would convert in every call."""
    return np.array(value, np.float32)


def aligned(n: int) -> NDArray:
    """So many zeros, from the beginning of a line of the cache."""
    memory = np.zeros(n + LINE, np.float32)
    start = -memory.ctypes.data % (4 * LINE) // 4
    return memory[start:start + n]


class Flat:
    """Parameters, gradients and averages, each one array; `parameters` and `gradients` are views of its parts.

    The optimizer expects gradients times `scale`: what every gradient is multiplied by anyway is best part of the
    loss's derivative, which has the fewest numbers.
    """

    def __init__(self, shapes: Sequence[tuple[int, ...]], w: Workload) -> None:
        self.w, self.t = w, 0
        self.scale = 1.0 if w.optimizer == "adam" else w.lr
        starts = [0]
        for shape in shapes:
            starts.append(starts[-1] + -(-prod(shape) // LINE) * LINE)
        self.p, self.g, self.m, self.v = (aligned(starts[-1]) for _ in range(4))
        self.parameters, self.gradients = ([flat[start:start + prod(shape)].reshape(shape)
                                            for start, shape in zip(starts, shapes, strict=False)]
                                           for flat in (self.p, self.g))
        self.beta1, self.beta2, self.factor, self.term = (constant(c) for c in (BETA1, BETA2, 0, 0))
        work = aligned(min(CHUNK, len(self.p)))
        self.calls: Calls = []
        for start in range(0, len(self.p), CHUNK):
            part = slice(start, min(start + CHUNK, len(self.p)))
            self.calls += self.calls_for(self.p[part], self.g[part], self.m[part], self.v[part],
                                         work[:part.stop - start])

    def calls_for(self, p: NDArray, g: NDArray, m: NDArray, v: NDArray, work: NDArray) -> Calls:
        if self.w.optimizer == "sgd":
            return [(np.subtract, (p, g, p))]
        if self.w.optimizer == "momentum":
            return [(np.multiply, (m, constant(MOMENTUM), m)), (np.add, (m, g, m)), (np.subtract, (p, m, p))]
        # Adam with its averages divided by 1 − β, which saves two passes: m ← β₁ m + g and v ← β₂ v + g². The missing
        # factors are in `factor` and `term`: p ← p − m / (factor · √v + term)
        return [(np.multiply, (m, self.beta1, m)), (np.add, (m, g, m)),
                (np.square, (g, g)), (np.multiply, (v, self.beta2, v)), (np.add, (v, g, v)),
                (np.sqrt, (v, work)), (np.multiply, (work, self.factor, work)), (np.add, (work, self.term, work)),
                (np.divide, (m, work, work)), (np.subtract, (p, work, p))]

    def update(self) -> None:
        if self.w.optimizer == "adam":
            self.t += 1
            rate = self.w.lr * (1 - BETA1) / (1 - BETA1 ** self.t)
            self.factor.fill(sqrt((1 - BETA2) / (1 - BETA2 ** self.t)) / rate)
            self.term.fill(EPSILON / rate)
        replay(self.calls)
