"""A group of elementwise calls, block by block, and on several threads where there are several cores."""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import Any

import numpy as np

from .calls import Call, Value, replaced
from .lowering import Lowering, Step
from .memory import ALIGNED, Memory, is_elementwise
from .order import Group

BLOCK = 2 ** 16         # numbers: with a few arrays beside each other, what a core's own cache holds
WORTH_A_THREAD = 2 ** 18        # numbers: with fewer, waking another thread takes longer than it helps

_pool: ThreadPoolExecutor | None = None


# Between two matrix products BLAS has its threads wait for the next one, and they leave no core to others.
PRODUCTS = {np.matmul, np.dot, np.tensordot, np.einsum, np.inner, np.vdot}


def threads_beside(calls: list[Call]) -> int:
    """On how many threads elementwise calls may go, in a step that makes all of these calls."""
    return 1 if any(call.function in PRODUCTS for call in calls) else threads()


def threads() -> int:
    """How many threads to use: those that BLAS is allowed, at most one for each core."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS"):
        if os.environ.get(name, "").isdigit():
            return max(1, min(cores, int(os.environ[name])))
    return cores


class Blocks:
    """The steps of one group, on `at_once` threads if it is large enough.

    Attributes
    ----------
    parts : list of list of steps
        One list for each thread.
    bytes : int
        The memory of what is needed within a block only.
    """

    def __init__(self, group: Group, memory: Memory, lowering: Lowering, at_once: int = 1) -> None:
        self.group, self.memory = group, memory
        self.rows = max(1, BLOCK * group.shape[0] // int(np.prod(group.shape)))
        starts = range(0, group.shape[0], self.rows)
        n = min(at_once, len(starts)) if np.prod(group.shape) >= WORTH_A_THREAD else 1
        share = -(-len(starts) // n)
        self.bytes = 0
        self.parts: list[list[Step]] = []
        inside = {y for y in group.made if memory.groups.get(y) is group}
        for k in range(n):
            scratch = self.scratch(inside)
            steps: list[Step] = []
            for start in starts[k * share:(k + 1) * share]:
                array_of = self.block_of(scratch, start, min(start + self.rows, group.shape[0]))
                for call in group.calls:
                    steps += lowering.steps(call, array_of)
            self.parts.append(steps)

    def steps(self) -> list[Step]:
        """What a replay calls."""
        return self.parts[0] if len(self.parts) == 1 else [(at_once, (self.parts,))]

    def scratch(self, inside: set[Value]) -> dict[Value, np.ndarray]:
        """Memory of one block for each array that only this group sees; what is free again is used again."""
        last = {x.owner: i for i, call in enumerate(self.group.calls) for x in call.reads}
        free: dict[int, list[np.ndarray]] = {}
        found: dict[Value, np.ndarray] = {}
        rows = min(self.rows, self.group.shape[0])
        for i, call in enumerate(self.group.calls):
            dying = {x.owner for x in call.reads if last[x.owner] == i and x.owner in found}
            over = is_elementwise(call)                     # it may write over what it reads
            for x in dying if over else ():
                free.setdefault(x.itemsize, []).append(found[x])
            for y in call.results:
                if y in inside:
                    rooms = free.get(y.itemsize, [])
                    found[y] = rooms.pop() if rooms else self.room(rows, y)
            for x in dying if not over else ():
                free.setdefault(x.itemsize, []).append(found[x])
            for y in call.results:
                if y in found and y not in last:
                    free.setdefault(y.itemsize, []).append(found[y])
        return {y: np.ndarray((rows, *y.shape[1:]), y.dtype, buffer=room) for y, room in found.items()}

    def room(self, rows: int, y: Value) -> np.ndarray:
        nbytes = rows * int(np.prod(y.shape[1:])) * y.itemsize
        self.bytes += nbytes
        whole = np.empty(nbytes + ALIGNED, np.uint8)
        start = -whole.ctypes.data % ALIGNED
        return whole[start:start + nbytes]

    def block_of(self, scratch: dict[Value, np.ndarray], start: int, end: int) -> Callable[[Any], Any]:
        """A function that gives the part of each array that belongs to this block."""
        def array_of(x: Any) -> Any:
            if isinstance(x, Value):
                if x in scratch:
                    return scratch[x][:end - start]
                if x.owner in scratch:                      # the same numbers, taken as those of another kind
                    maker = self.memory.makers[x]
                    return maker.function(*replaced(maker.args, array_of))
                x = self.memory.array_of(x)
            return x[start:end] if np.shape(x) == self.group.shape else x
        return array_of


def at_once(parts: list[list[Step]]) -> None:
    """Several lists of steps, each on a thread of its own; this one takes the first."""
    global _pool
    if _pool is None:
        _pool = ThreadPoolExecutor(threads(), thread_name_prefix="plan")
    others = [_pool.submit(copy_context().run, run, steps) for steps in parts[1:]]      # np.errstate holds there too
    run(parts[0])
    for other in others:
        other.result()


def forget_pool() -> None:
    """A process that was forked has none of its parent's threads."""
    global _pool
    _pool = None


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=forget_pool)


def run(steps: list[Step]) -> None:
    """Make the calls, in order."""
    for function, args in steps:
        function(*args)
