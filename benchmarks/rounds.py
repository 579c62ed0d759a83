"""Everybody in turns, in processes of their own, round after round: what disturbs the machine meets all of them."""

import json
import select
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import timing
from peers import REFERENCE
from regimes import INSTALLED, environment
from workloads import Workload

WORKER = Path(__file__).with_name("worker.py")
DISTURBED = 0.1                 # cores that other programs use, above which a measurement is repeated
REPEATS = 2                     # at most, of one measurement
PATIENCE = 300                  # seconds for one answer


@dataclass(frozen=True)
class How:
    """What is the same for all measurements of a run."""

    regime: str = INSTALLED
    rounds: int = 7
    seconds: float = 0.3                # of one engine in one round
    kernels: str | None = None          # of OpenBLAS; None: its own choice


class Process:
    """A worker, and what it answers."""

    def __init__(self, engine: str, w: Workload, how: How) -> None:
        command = [sys.executable, str(WORKER), engine, how.regime, json.dumps(asdict(w))]
        self.process = subprocess.Popen(command, env=environment(how.regime, how.kernels), text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)

    def ask(self, name: str, *arguments: Any, patience: float = PATIENCE) -> dict[str, Any]:
        assert self.process.stdin and self.process.stdout
        try:
            self.process.stdin.write(json.dumps([name, arguments]) + "\n")
            self.process.stdin.flush()
        except OSError:
            return self.ended()
        if not select.select([self.process.stdout], [], [], patience)[0]:
            return {"left_out": f"no answer within {patience:g} s"}
        line = self.process.stdout.readline()
        return json.loads(line) if line else self.ended()

    def ended(self) -> dict[str, Any]:
        return {"left_out": f"its process ended with status {self.process.wait()}"}

    def close(self) -> None:
        self.process.kill()
        self.process.communicate()


def measure(w: Workload, engines: Sequence[str], how: How) -> dict[str, Any]:
    """What each engine takes for this workload, who is left out and why, and whether their results agree."""
    expected = once(REFERENCE, w, how)
    entry: dict[str, Any] = {"reference": expected.get("result"), "engines": {}, "left_out": {}}
    processes: dict[str, Process] = {}
    try:
        for name in engines:
            processes[name] = Process(name, w, how)
            found = processes[name].ask("set_up")
            if "left_out" in found:
                drop(processes, entry, name, found["left_out"])
            else:
                entry["engines"][name] = found | compared(found["result"], expected, w.tolerance)
        in_turns(processes, entry, how)
    finally:
        for process in processes.values():
            process.close()
    return entry


def once(name: str, w: Workload, how: How) -> dict[str, Any]:
    """The result alone."""
    process = Process(name, w, how)
    try:
        return process.ask("set_up")
    finally:
        process.close()


def drop(processes: dict[str, Process], entry: dict[str, Any], name: str, why: str) -> None:
    processes.pop(name).close()
    entry["engines"].pop(name, None)
    entry["left_out"][name] = why


def compared(result: list[float], expected: dict[str, Any], tolerance: float) -> dict[str, Any]:
    """The largest relative difference from the reference; a result that is not finite agrees with nothing."""
    if "result" not in expected or len(expected["result"]) != len(result):
        return {"difference": None, "agrees": False}
    difference = max(abs(a - b) / max(abs(b), 1e-30) for a, b in zip(result, expected["result"], strict=True))
    return {"difference": difference, "agrees": bool(difference <= tolerance)}


def in_turns(processes: dict[str, Process], entry: dict[str, Any], how: How) -> None:
    """Fill in the times; each round begins with somebody else."""
    for name in list(processes):                                    # settles everything, and is not kept
        found = processes[name].ask("time", how.seconds)
        if "left_out" in found:
            drop(processes, entry, name, found["left_out"])
    measured: dict[str, list[dict[str, Any]]] = {name: [] for name in processes}
    for turn in range(how.rounds):
        names = list(processes)
        start = turn % max(1, len(names))
        for name in names[start:] + names[:start]:
            found = undisturbed(processes[name], how.seconds)
            if "left_out" in found:
                drop(processes, entry, name, found["left_out"])
            else:
                measured[name].append(found)
    for name in processes:
        own = measured[name]
        others = [m["cores_of_others"] for m in own if m["cores_of_others"] is not None]
        entry["engines"][name] |= timing.spread([m["seconds"] for m in own]) | {
            "steps_per_round": own[-1]["steps"],
            "page_faults_per_step": statistics.median(m["page_faults"] for m in own),
            "cores": statistics.median(m["cores"] for m in own),
            "cores_of_others": max(others, default=None)}


def undisturbed(process: Process, seconds: float) -> dict[str, Any]:
    """A measurement while nobody else computes, or after some attempts the one that was disturbed least."""
    best: dict[str, Any] = {}
    for attempt in range(1 + REPEATS):
        found = process.ask("time", seconds)
        others = found.get("cores_of_others")
        if others is None or others < DISTURBED:
            return found
        if not best or others < best["cores_of_others"]:
            best = found
        time.sleep(0.1 * (attempt + 1))
    return best
