"""CPU beside GPU, eager beside captured, tinygrad_nuc beside PyTorch, and all of them beside what the machine can do.

    python benchmarks/cpu_vs_gpu.py                      # everything that this machine has; says what it left out
    python benchmarks/cpu_vs_gpu.py --quick              # about 20 seconds: small sizes, to see that it runs
    python benchmarks/cpu_vs_gpu.py --show results.json  # draws the pictures of an earlier run again

Writes <date>-<machine>.json and pictures beside it. See benchmarks/README.md for how to read them.
"""

import argparse
import datetime
import gc
import json
import math
import shlex
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import goals
import limits
import machine
import ours
import plotting
import theirs
import timing
from workloads import BATCHES, NAMED, SEED, WIDTHS, Workload, swept, tiny

import tinygrad_nuc as tn
from tinygrad_nuc.utils.files import atomic_write

RESULTS = Path(__file__).parent / "results"
LIBRARIES = {"tinygrad_nuc": ours, "PyTorch": theirs}
QUICK_SWEEP = [(width, batch) for width in (64, 256) for batch in (32, 128, 512)]
PATIENCE = 5                    # a named workload may take so much longer than a point of the sweep
OF_PRODUCTS = 100_000           # weights from which on a network is compared with the ceiling of its products


def arguments(given: Sequence[str] | None = None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="small sizes, few rounds: about 20 seconds")
    parser.add_argument("--device", choices=("all", "cpu", "gpu"), default="all")
    parser.add_argument("--workloads", nargs="+", metavar="NAME", default=[*NAMED, "sweep", "leak"],
                        choices=[*NAMED, "sweep", "leak"], help=f"of {', '.join(NAMED)}, sweep, leak")
    parser.add_argument("--no-torch", action="store_true", help="without PyTorch")
    parser.add_argument("--rounds", type=int, help="of all competitors in turns (default: 9, of the sweep 3)")
    parser.add_argument("--limit", type=float, default=0.5, metavar="SECONDS",
                        help="a step of the sweep that takes longer is left out (default: 0.5); "
                             f"of the others one that takes {PATIENCE} times as long")
    parser.add_argument("--minutes", type=float, default=math.inf, help="what has not begun by then is left out")
    parser.add_argument("--output", type=Path, default=RESULTS, metavar="FOLDER")
    parser.add_argument("--show", type=Path, metavar="RESULTS.json", help="draw the pictures of these results; no more")
    options = parser.parse_args(given)
    if options.rounds is not None and options.rounds < 1:
        parser.error("--rounds must be at least 1")
    if options.device == "gpu" and not options.show and ours.why_no_gpu():
        parser.error(f"--device gpu: {ours.why_no_gpu()}")
    return options


class Run:
    """One run of the program: what takes part, what is left out, and the report as far as it is."""

    def __init__(self, options: argparse.Namespace, command: Sequence[str]) -> None:
        self.options, self.started = options, time.monotonic()
        self.left_out: list[dict[str, Any]] = []
        self.takes_part = self.competitors()
        self.devices = [d for d in ("cpu", "gpu") if ("tinygrad_nuc", d) in self.takes_part]
        self.sweepers = list(self.takes_part)
        if "gpu" in self.devices and "sweep" in options.workloads and ("PyTorch", "cpu") in self.sweepers:
            self.sweepers.remove(("PyTorch", "cpu"))
            self.leave_out(f"{theirs.NAMES['cpu']} in the sweep", "it would take as long as all the others")
        self.rounds = options.rounds or (3 if options.quick else 9)
        self.seconds = 0.02 if options.quick else 0.2           # of a round
        now = datetime.datetime.now().astimezone()
        self.report: dict[str, Any] = {
            "format": 1, "complete": False, "date": now.isoformat(timespec="seconds"),
            "command": shlex.join(["python", "benchmarks/cpu_vs_gpu.py", *command]),
            "machine": machine.describe(without_gpu="gpu" not in self.devices), "versions": machine.versions(),
            "seed": SEED, "threads": machine.threads(),
            "settings": {"devices": self.devices, "quick": options.quick, "rounds": self.rounds,
                         "seconds_per_round": self.seconds, "limit": options.limit},
            "left_out": self.left_out, "ceilings": {}, "workloads": [], "sweep": [], "crossover": [],
            "leak": {"not_measured_because": "it was not run"}, "must_reach": []}
        stem = f"{now:%Y-%m-%d}-{machine.short_name(self.report['machine'])}"
        self.path = options.output / f"{stem}{'-quick' if options.quick else ''}.json"

    def competitors(self) -> list[tuple[str, str]]:
        """(library, form) of all that there are here; the others are noted as left out."""
        without: dict[tuple[str, str], str] = {}
        for name, library in LIBRARIES.items():
            reason = "--no-torch" if library is theirs and self.options.no_torch else ""
            missing = reason or (theirs.why_not() if library is theirs else "")
            on_gpu = missing or ("--device cpu" if self.options.device == "cpu" else library.why_no_gpu())
            on_cpu = missing or ("--device gpu" if self.options.device == "gpu" else "")
            without |= {(name, "cpu"): on_cpu, (name, "gpu"): on_gpu,
                        (name, "captured"): on_gpu or self.no_capture(name)}
        for (name, form), why in without.items():
            if why:
                self.leave_out(LIBRARIES[name].NAMES[form], why)
        return [who for who, why in without.items() if not why]

    @staticmethod
    def no_capture(name: str) -> str:
        missing = name == "tinygrad_nuc" and not hasattr(tn.cuda, "capture")
        return "this version has no tn.cuda.capture" if missing else ""

    def leave_out(self, what: str, why: str, where: str = "") -> None:
        """`where` is a workload; without it the whole run goes without."""
        self.left_out.append({"what": what, "why": why, "where": where})

    def save(self) -> None:
        self.report["crossover"] = goals.crossovers(self.report["sweep"])
        self.report["must_reach"] = goals.must_reach(self.report)
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_write(self.path, "w") as file:
            json.dump(self.report, file, indent=1, ensure_ascii=False)

    def all(self) -> None:
        ceiling_rounds = 3 if self.options.quick else 7
        for device in self.devices:
            found = limits.ceilings(device, ceiling_rounds, self.seconds, self.leave_out)
            self.report["ceilings"][device] = found
            units = {name: "GB/s" if name == "copy" else "Gflop/s" for name in found}
            print(f"{device}: " + ", ".join(f"{name} {found[name]['per_second'] / 1e9:,.1f} {unit}"
                                            for name, unit in units.items()), flush=True)
        for name, w in NAMED.items():
            if name in self.options.workloads:
                small = tiny(w) if self.options.quick else w
                self.add("workloads", small, self.rounds, self.seconds, smaller=small != w)
        if "sweep" in self.options.workloads:
            rounds = self.options.rounds or 3
            for width, batch in QUICK_SWEEP if self.options.quick else [(n, m) for n in WIDTHS for m in BATCHES]:
                self.add("sweep", swept(width, batch), rounds, self.seconds / 4)
        self.leak()
        self.report["complete"] = True
        self.report["minutes"] = (time.monotonic() - self.started) / 60
        self.save()

    def add(self, part: str, w: Workload, rounds: int, seconds: float, smaller: bool = False) -> None:
        """Measure a workload and write it down; whatever fails is left out, with its reason."""
        if (time.monotonic() - self.started) / 60 > self.options.minutes:
            return self.leave_out(w.title, f"--minutes {self.options.minutes:g} were over", w.name)
        entry: dict[str, Any] = {"name": w.name, "title": w.title, "batch": w.batch, "parameters": w.parameters,
                 "precision": w.precision, "optimizer": w.optimizer, "flops": w.flops, "least_bytes": w.least_bytes,
                 "smaller": smaller, "compared_after_steps": w.compared, "tolerance": w.tolerance, "left_out": {},
                 "results": {}, "times": {}}
        entry |= {"width": w.widths[0]} if w.sweep else {}
        entry["limit_seconds"] = {d: limits.shortest(w, self.report["ceilings"][d]) for d in self.devices
                                  if w.precision == "float32" or d == "gpu"}
        runners = self.prepare(w, entry)
        try:
            entry["times"] = timing.in_turns(runners, rounds, seconds) if runners else {}
        except Exception as error:              # memory may end in the middle; what is lost is said
            entry["left_out"]["times"] = one_line(error)
        try:
            self.compare_with_limits(w, entry)
        except Exception as error:
            entry["left_out"]["shares of what is possible"] = one_line(error)
        for what, why in entry["left_out"].items():
            self.leave_out(what, why, w.name)
        del runners
        self.tidy()
        self.report[part].append(entry)
        self.save()
        print(line_of(entry), flush=True)

    def prepare(self, w: Workload, entry: dict[str, Any]) -> list[ours.Competitor]:
        """All that take part, warm, with the same result after the same steps."""
        runners, limit = [], self.options.limit * (1 if w.sweep else PATIENCE)
        for name, form in self.takes_part:
            library, device = LIBRARIES[name], "cpu" if form == "cpu" else "gpu"
            who = library.NAMES[form]
            ceiling = self.report["ceilings"].get(device)
            sharing = sum((other == "cpu") == (form == "cpu") for _, other in self.takes_part)
            why = limits.why_not(w, device, ceiling, sharing, limit) if ceiling else ""
            if w.sweep and (name, form) not in self.sweepers:
                continue
            runner, said = (None, why) if why else warm(library, form, w, entry, limit)
            if runner is None:
                entry["left_out"][who] = said
                self.tidy()
            else:
                runners.append(runner)
        entry["difference"], entry["agrees"] = agreement(entry["results"], w.tolerance)
        return runners

    def compare_with_limits(self, w: Workload, entry: dict[str, Any]) -> None:
        entry["ceilings"] = {}
        if not w.sweep and not w.elementwise and w.parameters >= OF_PRODUCTS:
            for device in self.devices:
                if w.precision == "float32" or device == "gpu":
                    entry["ceilings"][device] = limits.largest_product(w, device, min(self.rounds, 5), self.seconds)
        forms = {library.NAMES[form]: form for library in LIBRARIES.values() for form in library.NAMES}
        for who, found in entry["times"].items():
            device, seconds = "cpu" if forms[who] == "cpu" else "gpu", found["seconds_per_step"]
            found["seconds_per_sample"] = seconds / w.batch
            if device in entry["ceilings"]:
                found["share_of_product_ceiling"] = w.flops / seconds / entry["ceilings"][device]["per_second"]
            if w.elementwise and device in self.report["ceilings"]:
                copied = self.report["ceilings"][device]["copy"]["per_second"]
                found["share_of_copy_bandwidth"] = w.bytes_each_kernel / seconds / copied
                found["share_of_copy_bandwidth_if_one_kernel"] = w.bytes_one_kernel / seconds / copied

    def leak(self) -> None:
        steps = 500 if self.options.quick else goals.STEPS_WITHOUT_GROWTH
        if "leak" not in self.options.workloads:
            return
        why = "no GPU" if "gpu" not in self.devices else self.no_capture("tinygrad_nuc")
        try:
            found = {"not_measured_because": why} if why else limits.growth(NAMED["M1"], steps, steps // 10)
        except Exception as error:
            found = {"not_measured_because": one_line(error)}
        self.report["leak"] = found
        if "not_measured_because" in found:
            self.leave_out("growth of device memory", found["not_measured_because"])

    def tidy(self) -> None:
        """Give back all memory that nobody holds."""
        gc.collect()
        if "gpu" in self.devices:
            tn.cuda.empty_cache()
        theirs.release()


def warm(library: ModuleType, form: str, w: Workload, entry: dict[str, Any],
         limit: float) -> tuple[ours.Competitor | None, str]:
    """A competitor after its first steps, with its result in the entry; or None, and why."""
    try:
        runner = library.make(w, form)
        found = timing.first_steps(runner, w.compared, limit)
    except Exception as error:                  # one competitor's trouble is no reason to lose the others
        return None, one_line(error)
    if runner.reason():
        return None, f"it was not captured: {runner.reason()}"
    entry["results"][runner.name] = found
    return runner, ""


def one_line(error: BaseException) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:300]


def agreement(results: dict[str, dict[str, Any]], tolerance: float) -> tuple[float | None, bool | None]:
    """The largest relative difference from the first one's result, and whether it is small; None for a single one."""
    if len(results) < 2:
        return None, None
    first, *others = (found["result"] for found in results.values())
    pairs = [(a, b) for other in others for a, b in zip(first, other, strict=True)]
    if not all(math.isfinite(a) and math.isfinite(b) for a, b in pairs):
        return None, False
    difference = max(abs(a - b) / max(abs(a), abs(b), 1e-30) for a, b in pairs)
    return difference, difference <= tolerance


def line_of(entry: dict[str, Any]) -> str:
    times = ", ".join(f"{who} {t['seconds_per_step'] * 1e6:,.1f} µs "
                      f"({t['quartiles'][0] * 1e6:,.1f}–{t['quartiles'][1] * 1e6:,.1f})"
                      for who, t in entry["times"].items())
    agrees = {True: "", False: "; RESULTS DIFFER", None: ""}[entry["agrees"]]
    return f"{entry['name']:10} {entry['title']}: {times or 'left out'}{agrees}"


def summary(report: dict[str, Any]) -> str:
    """The goals, the crossovers and what was left out."""
    lines = ["", "Must reach (on one H200)"]
    for goal in report["must_reach"]:
        value = "" if goal["value"] is None else f"{goal['value']:.3g} "
        lines.append(f"  {goal['goal']}, {goal['wanted']}: {value}{goal['state']}")
    lines += ["", "From which batch on the GPU takes less time than the CPU"]
    lines += [f"  width {c['width']}: {c['who']}: {c['from_batch'] or 'in none that was measured'}"
              for c in report["crossover"]] or ["  not measured here"]
    lines += ["", "Left out"]
    lines += [f"  {item['where'] + ': ' if item['where'] else ''}{item['what']}: {item['why']}"
              for item in report["left_out"]] or ["  nothing"]
    return "\n".join(lines)


def main(given: Sequence[str] | None = None) -> None:
    command = sys.argv[1:] if given is None else given
    options = arguments(command)
    if options.show:
        report, path = json.loads(options.show.read_text()), options.show
    else:
        run = Run(options, command)
        run.all()
        report, path = run.report, run.path
    print(summary(report))
    print("\nWritten:", path, *plotting.draw(report, path.with_suffix("")), sep="\n  ")


if __name__ == "__main__":
    main()
