"""tinygrad_nuc beside NumPy by hand and beside other engines, on the CPU: whole steps, the same numbers for everybody.

    python benchmarks/engines.py --steady                       # one pinned thread: compare ratios of this one
    python benchmarks/engines.py                                # as installed: threads and memory as a user gets them
    python benchmarks/engines.py --quick --workloads W1,W2      # two minutes: does everything run?
    python benchmarks/engines.py --show FILE.json               # the tables of an earlier run again

Each engine has a process of its own for each workload; see benchmarks/README.md for the method and how to read it.
"""

import argparse
import datetime
import json
import shlex
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import engine_goals
import engine_plots
import engine_tables
import machine
import rounds
import scaling
from peers import ENGINES
from regimes import INSTALLED, STEADY
from workloads import ON_CPUS, SEED, Workload, tiny

from tinygrad_nuc.utils.files import atomic_write

FORMAT = 1


def names(known: Sequence[str]) -> Any:
    """A type for argparse: some of these, with commas in between."""
    def read(text: str) -> list[str]:
        given = [name.strip() for name in text.split(",") if name.strip()]
        unknown = [name for name in given if name not in known]
        if unknown or not given:
            raise argparse.ArgumentTypeError(f"{', '.join(unknown) or 'nothing'} is not among {', '.join(known)}")
        return given
    return read


def arguments(given: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--workloads", type=names(list(ON_CPUS)), default=list(ON_CPUS), metavar="W1,W2,…",
                        help=f"of {', '.join(ON_CPUS)}")
    parser.add_argument("--engines", type=names(list(ENGINES)), metavar="NAME,NAME,…", help=f"of {', '.join(ENGINES)}")
    parser.add_argument("--steady", action="store_true", help="one pinned thread, freed memory is kept")
    parser.add_argument("--rounds", type=int, help="of all engines in turns (default: 7)")
    parser.add_argument("--quick", action="store_true", help="small sizes, few rounds")
    parser.add_argument("--kernels", metavar="NAME", help="of OpenBLAS, like Haswell (default: its own choice)")
    parser.add_argument("--scaling", action="store_true", help="also curves against batch, width, depth and length")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write results, after each workload")
    parser.add_argument("--plot", type=Path, metavar="FOLDER", help="draw pictures")
    parser.add_argument("--show", type=Path, metavar="FILE", help="the tables of these results; nothing is measured")
    options = parser.parse_args(given)
    if options.rounds is not None and options.rounds < 1:
        parser.error("--rounds must be at least 1")
    return options


def chosen(options: argparse.Namespace) -> list[str]:
    """In the steady regime everybody keeps freed memory, and ours-kept would be ours once more."""
    if options.engines:
        return [name for name in ENGINES if name in options.engines]
    return [name for name, engine in ENGINES.items() if not (options.steady and engine.thresholds == "always")]


def about(w: Workload, smaller: bool) -> dict[str, Any]:
    return {"name": w.name, "title": w.title, "batch": w.batch, "parameters": w.parameters, "optimizer": w.optimizer,
            "flops": w.flops if w.weight_shapes and w.kind != "hvp" else None, "smaller": smaller,
            "compared_after_steps": w.compared, "tolerance": w.tolerance}


def run(options: argparse.Namespace, command: Sequence[str]) -> dict[str, Any]:
    quick, engines = options.quick, chosen(options)
    how = rounds.How(STEADY if options.steady else INSTALLED, options.rounds or (3 if quick else 7),
                     0.02 if quick else 0.3, options.kernels)
    report: dict[str, Any] = {
        "format": FORMAT, "benchmark": "engines", "complete": False,
        "date": datetime.datetime.now().astimezone().isoformat(timespec="seconds"),
        "command": shlex.join(["python", "benchmarks/engines.py", *command]), "seed": SEED,
        "machine": machine.describe(without_gpu=True), "versions": versions(), "blas_kernels": None,
        "settings": asdict(how) | {"quick": quick, "engines": engines},
        "workloads": [], "scaling": [], "must_reach": []}

    def save() -> None:
        report["must_reach"] = engine_goals.must_reach(report)
        if options.json:
            options.json.parent.mkdir(parents=True, exist_ok=True)
            with atomic_write(options.json, "w") as file:
                json.dump(report, file, indent=1, ensure_ascii=False)

    for name in options.workloads:
        w = tiny(ON_CPUS[name]) if quick else ON_CPUS[name]
        found = rounds.measure(w, engines, how)
        for who, own in found["engines"].items():
            report["blas_kernels"] = report["blas_kernels"] or own["blas_kernels"]
            if not ENGINES[who].ours and not who.startswith("numpy"):
                report["versions"][who] = own["version"]
        report["workloads"].append(about(w, w != ON_CPUS[name]) | found)
        save()
        print(line(report["workloads"][-1]), flush=True)
    if options.scaling:
        for point in scaling.measured(quick, engines, how):
            report["scaling"].append(point)
            save()
            print(f"{point['curve']} {point['size']:,}: "
                  + ", ".join(f"{who} {own['seconds_per_step'] * 1e6:,.1f}" for who, own in point["engines"].items())
                  + " µs", flush=True)
    report["complete"] = True
    save()
    return report


def versions() -> dict[str, Any]:
    """Those of Python, NumPy and tinygrad_nuc; the others say theirs where they take part."""
    found = machine.versions()
    return {name: found[name] for name in ("python", "numpy", "tinygrad_nuc", "tinygrad_nuc_commit", "blas_of_numpy")}


def line(entry: dict[str, Any]) -> str:
    cells = [f"{who} {engine_tables.time_and_ratio(entry, who)}" for who in entry["engines"]]
    return f"{entry['name']} {entry['title']}: {', '.join(cells) or 'nobody took part'}"


def main(given: Sequence[str] | None = None) -> None:
    command = sys.argv[1:] if given is None else given
    options = arguments(command)
    report = json.loads(options.show.read_text()) if options.show else run(options, command)
    print("", engine_tables.summary(report), sep="\n")
    if options.plot:
        print("\nWritten:", *engine_plots.draw(report, options.plot), sep="\n  ")


if __name__ == "__main__":
    main()
