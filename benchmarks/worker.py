"""One engine and one workload in a process of its own: started by rounds.py, told what to do in lines of JSON.

    python benchmarks/worker.py ENGINE REGIME WORKLOAD      # the fields of a Workload, as JSON
"""

import gc
import importlib
import json
import os
import resource
import sys
import time
from contextlib import suppress
from itertools import count
from pathlib import Path
from typing import Any

import numpy as np
import regimes
from blas import kernels
from peers import ENGINES, KINDS, REFERENCE
from workloads import Workload

ROOT = Path(__file__).resolve().parents[1]
FIRST = 3                       # steps that are timed one by one: some engines compile in the second
SHORTEST = 0.1                  # seconds of which it can be said how much others have computed
GROUPS = 5                      # of steps in a round; the median group counts


class Worker:
    def __init__(self, engine: str, regime: str, w: Workload) -> None:
        self.w, self.keeps = w, "not asked for"
        if regime == regimes.STEADY:
            regimes.pin()
        name = "numpy_straightforward" if engine == REFERENCE else ENGINES[engine].module
        self.module = importlib.import_module(f"peers.{name}")
        about = ENGINES.get(engine)
        if about and (regime == regimes.STEADY or about.thresholds == "always"):
            self.keeps = regimes.keep_freed_memory(about.ours)
        self.precision = (np.float64,) if engine == REFERENCE else ()
        self.wait = getattr(self.module, "wait", lambda result: None)
        self.steps_in_group = 0
        w.data()
        w.weights()

    def set_up(self) -> dict[str, Any]:
        """Make the step, and run it until its result can be compared."""
        make = getattr(self.module, KINDS[self.w.kind], None)
        if make is None:
            raise NotImplementedError("it does not do that")
        memory = Memory()
        start = time.perf_counter()
        self.step = make(self.w, *self.precision)
        made = time.perf_counter() - start
        first: list[float] = []
        result = None
        for _ in range(self.w.compared):
            start = time.perf_counter()
            result = self.step()
            self.wait(result)
            first.append(time.perf_counter() - start)
        numbers = self.numbers(result, memory)
        return {"result": numbers, "made_seconds": made, "first_steps_seconds": first[:FIRST],
                "peak_bytes": memory.peak, "keeps_freed_memory": self.keeps, "blas_kernels": kernels(),
                "version": getattr(self.module, "VERSION", np.__version__)}

    def numbers(self, result: Any, memory: "Memory") -> list[float]:
        """A loss, or value and gradient: of arrays their size, and how far they are from a fixed pattern of that size.

        Memory is read before, as all this takes some itself.
        """
        memory.stop()
        to_numpy = getattr(self.module, "to_numpy", np.asarray)
        found: list[float] = []
        for part in result if isinstance(result, tuple) else (result,):
            a = np.asarray(to_numpy(part), np.float64).ravel()
            if a.size == 1:
                found.append(float(a[0]))
            else:
                size = float(np.sqrt(np.square(a).mean()))
                found += [size, float(np.abs(a - size * np.cos(np.arange(a.size))).mean())]
        return found

    def time(self, seconds: float) -> dict[str, Any]:
        """Seconds per step, of so many seconds of steps."""
        gc.collect()
        if not self.steps_in_group:
            self.steps_in_group, self.groups = self.how_many(seconds)
        others, before, start = busy_seconds(), usage(), time.perf_counter()
        groups = [self.run(self.steps_in_group) / self.steps_in_group for _ in range(self.groups)]
        wall = time.perf_counter() - start
        cpu, faults = (b - a for a, b in zip(before, usage(), strict=True))
        too_short = wall < SHORTEST                             # the system counts in hundredths of a second
        busy = None if others is None or too_short else max(0.0, ((busy_seconds() or 0) - others - cpu) / wall)
        return {"seconds": float(np.median(groups)), "steps": self.steps_in_group * self.groups,
                "page_faults": faults / (self.steps_in_group * self.groups), "cores": cpu / wall,
                "cores_of_others": busy}

    def how_many(self, seconds: float) -> tuple[int, int]:
        """Steps in a group, and groups."""
        each = 0.0
        for n in (2 ** k for k in count(0, 2)):
            each = self.run(n) / n
            if each * n > seconds / GROUPS / 4:
                break
        return max(1, round(seconds / GROUPS / each)), GROUPS if each < seconds else 1

    def run(self, steps: int) -> float:
        result = None
        start = time.perf_counter()
        for _ in range(steps):
            result = self.step()
        self.wait(result)
        return time.perf_counter() - start


class Memory:
    """The peak of this process's memory from here on, above what it holds here.

    Linux can forget the peak so far. Elsewhere the highest ever is compared with the highest before.
    """

    def __init__(self) -> None:
        gc.collect()
        self.resets, self.peak = False, 0
        with suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5")
            self.resets = True
        self.before = self.status("VmRSS") if self.resets else self.highest()

    @staticmethod
    def status(name: str) -> int:
        line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith(name))
        return int(line.split()[1]) * 1024

    @staticmethod
    def highest() -> int:
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit

    def stop(self) -> None:
        self.peak = max(0, (self.status("VmHWM") if self.resets else self.highest()) - self.before)


def usage() -> tuple[float, int]:
    """CPU seconds and page faults of this process."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime, used.ru_minflt


def busy_seconds() -> float | None:
    """CPU seconds of everything on this machine; None where the system does not say."""
    try:
        fields = Path("/proc/stat").read_text().splitlines()[0].split()[1:]
    except OSError:
        return None
    return sum(int(fields[i]) for i in (0, 1, 2, 5, 6, 7) if i < len(fields)) / os.sysconf("SC_CLK_TCK")


def reason(error: BaseException) -> str:
    """In one line; only what nobody expected has its type."""
    text = " ".join(str(error).replace(f"{ROOT}{os.sep}", "").split())[:400]
    if isinstance(error, ImportError):
        return f"not installed: {text}"
    return text if isinstance(error, NotImplementedError) and text else f"{type(error).__name__}: {text}"


def main() -> None:
    answers = os.fdopen(os.dup(1), "w")         # whatever a library prints goes elsewhere
    os.dup2(2, 1)
    np.seterr(over="ignore", under="ignore")    # of exponentials, where the limit is right
    engine, regime, fields = sys.argv[1:]
    worker = None
    for line in sys.stdin:
        name, arguments = json.loads(line)
        try:
            worker = worker or Worker(engine, regime, workload_from(json.loads(fields)))
            answer = getattr(worker, name)(*arguments)
        except Exception as error:              # the others go on; this one is left out, with its reason
            answer = {"left_out": reason(error)}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


def workload_from(fields: dict[str, Any]) -> Workload:
    return Workload(**fields | {"widths": tuple(fields["widths"])})


if __name__ == "__main__":
    main()
