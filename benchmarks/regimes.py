"""The two regimes: as a user gets it, and a steady one for comparisons that should hold tomorrow.

"as installed" sets nothing. "steady" is one thread, pinned to one CPU, and an allocator that keeps freed memory: by
default glibc gives large pieces back to the system, and every page of the next one costs a fault.
"""

import ctypes
import os
from typing import Any

INSTALLED, STEADY = "as installed", "steady"
CHOICE = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")          # set on some systems; its own choice is better
LIBRARIES = ("OMP", "OPENBLAS", "MKL", "NUMEXPR")
M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3                 # of malloc.h
LARGEST = 32 * 2 ** 20                                      # glibc takes no higher threshold


def environment(regime: str, kernels: str | None = None) -> dict[str, str]:
    """What a process must find before it imports anything; `kernels` are those of OpenBLAS, if not its own choice."""
    found = {name: value for name, value in os.environ.items() if name not in CHOICE}
    found |= {"JAX_PLATFORMS": "cpu", "PYTHONWARNINGS": "ignore"}
    found |= {"OPENBLAS_CORETYPE": kernels} if kernels else {}
    return found | {f"{name}_NUM_THREADS": "1" for name in LIBRARIES} if regime == STEADY else found


def pin() -> None:
    """To the last CPU that this process may use; the first ones serve more interrupts."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})


def keep_freed_memory(engine_has_a_call: bool) -> str:
    """Tell the allocator; returns by which call, or why not."""
    if engine_has_a_call:
        import tinygrad_nuc as tn
        if hasattr(tn, "keep_freed_memory"):
            return "tn.keep_freed_memory()" if tn.keep_freed_memory() else "not here: tn.keep_freed_memory() is False"
    mallopt: Any = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return "not here: there is no mallopt"
    done = mallopt(M_MMAP_THRESHOLD, LARGEST) and mallopt(M_TRIM_THRESHOLD, 2 ** 31 - 1)
    return "mallopt" if done else "not here: mallopt refused"
