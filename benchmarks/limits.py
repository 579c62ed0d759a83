"""What the machine can do at best, measured in the same run: matrix products, copies; and what it has room for."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import numpy as np
import ours
import theirs
import timing
from workloads import FLOAT, SEED, Workload

import tinygrad_nuc as tn

COPIED = {"cpu": 2 ** 25, "gpu": 2 ** 28}               # numbers: more than any cache holds
SQUARE = {"cpu": 2048, "gpu": 8192}                     # rows of the product that shows what a device can do
ROOM = 0.7                                              # share of the free memory that a workload may take
COMPUTE_TYPES = {"float32": 1, "tf32": 7}              # CuPy's COMPUTE_TYPE_DEFAULT and COMPUTE_TYPE_TF32


def arrays_of(device: str) -> Any:
    """NumPy or CuPy."""
    if device == "cpu":
        return np
    import cupy
    return cupy


def waits_for(device: str) -> Callable[[], None]:
    return tn.cuda.synchronize if device == "gpu" else lambda: None


@contextmanager
def cupy_precision(precision: str) -> Iterator[None]:
    """CuPy's own products with TF32 or without; it has no public switch that can be turned while a program runs."""
    try:
        from cupy import _core
        dtype = np.dtype(np.float32)
        before = _core.get_compute_type(dtype)
    except (ImportError, AttributeError):
        if precision == "tf32":
            raise RuntimeError("this version of CuPy has no switch for TF32 where it is looked for") from None
        yield
        return
    _core.set_compute_type(dtype, COMPUTE_TYPES[precision])
    try:
        yield
    finally:
        _core.set_compute_type(dtype, before)


def product(device: str, m: int, k: int, n: int, which: str, precision: str, rounds: int,
            seconds: float) -> dict[str, Any]:
    """FLOP/s of one matrix product by itself, its operands lying in memory as they do in a training step.

    That is x (m, k) and a weight that is stored as (n, k); for the gradient of the weights dz, stored as (k, m), and x;
    for that of the inputs two plain ones. Where PyTorch has the same GPU it is asked too: the ceiling is the better.
    """
    xp = arrays_of(device)
    rng = np.random.default_rng(SEED)

    def random(rows: int, columns: int, transposed: bool) -> Any:
        values = rng.standard_normal((columns, rows) if transposed else (rows, columns), dtype=np.float32)
        return xp.asarray(values).T if transposed else xp.asarray(values)

    a, b = random(m, k, which == "weights"), random(k, n, which == "forward")
    flops = 2.0 * m * k * n
    found = {"shape": [m, k, n], "which": which, "precision": precision}
    if device == "cpu":
        out = np.empty((m, n), np.float32)
        return found | timing.rate(lambda: np.matmul(a, b, out=out), flops, lambda: None, rounds, seconds) | {
            "by": "numpy.matmul"}
    with cupy_precision(precision):
        results = {"cupy.matmul": timing.rate(lambda: xp.matmul(a, b), flops, waits_for(device), rounds, seconds)}
    if not theirs.why_no_gpu():
        theirs.set_precision(precision)
        u, v = (theirs.torch.from_dlpack(array) for array in (a, b))
        results["torch.matmul"] = timing.rate(lambda: theirs.torch.matmul(u, v), flops, theirs.torch.cuda.synchronize,
                                              rounds, seconds)
    best = max(results, key=lambda name: results[name]["per_second"])
    return found | results[best] | {"by": best, "all": {name: r["per_second"] for name, r in results.items()}}


def largest_product(w: Workload, device: str, rounds: int, seconds: float) -> dict[str, Any]:
    """The best that any of the workload's large products reaches by itself: the ceiling for all of them."""
    most = max(m * k * n for m, k, n, _ in w.products)
    large = [p for p in w.products if p[0] * p[1] * p[2] == most]
    each = [product(device, *p, w.precision, rounds, seconds) for p in large]
    return max(each, key=lambda found: found["per_second"])


def copy_bandwidth(device: str, rounds: int, seconds: float) -> dict[str, Any]:
    """Bytes per second that are read and written when one array is copied into another."""
    xp = arrays_of(device)
    numbers = COPIED[device]
    source = xp.asarray(np.arange(numbers, dtype=np.float32))
    if device == "cpu":
        target = np.ones_like(source)
        found = timing.rate(lambda: np.copyto(target, source), 2.0 * FLOAT * numbers, lambda: None, rounds, seconds)
    else:
        found = timing.rate(source.copy, 2.0 * FLOAT * numbers, waits_for(device), rounds, seconds)
    return found | {"numbers": numbers, "by": "numpy.copyto" if device == "cpu" else "cupy.ndarray.copy"}


def ceilings(device: str, rounds: int, seconds: float, leave_out: Callable[[str, str], None]) -> dict[str, Any]:
    """A copy, and a large square product in float32 (and TF32); what cannot be measured is left out."""
    found: dict[str, Any] = {"copy": copy_bandwidth(device, rounds, seconds)}
    n = SQUARE[device]
    for precision in ("float32", "tf32") if device == "gpu" else ("float32",):
        try:
            found[precision] = product(device, n, n, n, "inputs", precision, rounds, seconds)
        except Exception as error:              # TF32 hangs on a switch of CuPy that is not public
            leave_out(f"ceiling of products in {precision}, {device}", f"{type(error).__name__}: {error}")
    return found


def shortest(w: Workload, ceiling: dict[str, Any]) -> float:
    """Seconds below which no step can be: its products at the best rate, or its bytes at that of a copy."""
    copied = w.least_bytes / ceiling["copy"]["per_second"]
    return max(w.flops / ceiling[w.precision]["per_second"], copied) if w.precision in ceiling else copied


def free_memory(device: str) -> int | None:
    """Bytes; None where the system does not say."""
    if device == "gpu":
        return int(tn.cuda.mem_get_info()[0]) if hasattr(tn.cuda, "mem_get_info") else None
    with suppress(OSError, ValueError):
        with open("/proc/meminfo") as lines:
            return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable"))
    with suppress(OSError, ValueError, AttributeError):
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2
    return None


def why_not(w: Workload, device: str, ceiling: dict[str, Any], takers: int, limit: float) -> str:
    """Why it is left out on this device: no room for all who take part, too slow, no TF32; empty if it may run."""
    if w.precision == "tf32" and device == "cpu":
        return "a CPU has no TF32"
    room, needed = free_memory(device), w.memory * takers
    if room is not None and needed > ROOM * room:
        return f"needs some {needed / 1e9:.1f} GB, {room / 1e9:.1f} GB are free"
    if shortest(w, ceiling) > limit:
        return f"a step cannot take less than {shortest(w, ceiling):.1f} s here, more than the limit of {limit:g} s"
    return ""


def growth(w: Workload, steps: int, every: int) -> dict[str, Any]:
    """Device memory while a captured step runs again and again: what the library holds, and what the GPU has left."""
    runner = ours.make(w, "captured")
    timing.first_steps(runner, w.compared)
    if runner.reason():
        return {"not_measured_because": f"the step was not captured: {runner.reason()}"}
    held, used = [], []
    for done in range(steps + 1):
        if done % every == 0 or done == steps:
            runner.synchronize()
            free, total = tn.cuda.mem_get_info() if hasattr(tn.cuda, "mem_get_info") else (0, 0)
            held.append(int(tn.cuda.memory_allocated()))
            used.append(int(total - free))
        if done < steps:
            runner.step()
    return {"workload": w.name, "steps": steps, "every": every, "held_bytes": held, "used_bytes_of_the_gpu": used,
            "growth_bytes": held[-1] - held[0], "growth_of_the_gpu_bytes": used[-1] - used[0]}
