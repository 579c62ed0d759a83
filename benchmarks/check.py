"""Has anything become slower? Compares two result files of engines.py.

    python benchmarks/check.py OLD.json NEW.json [--tolerance 0.1] [--engines ours,compiled]

Times of two runs cannot be compared, their ratios can: each engine's time is divided by that of straightforward NumPy
in the same round of the same run. Exit status: 0 if nothing is slower than the tolerance allows, 1 if something is, or
is missing or wrong, and 2 if the files cannot be compared.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import timing

TOLERANCE = 0.1
TOLERANCES = {"W7": 0.2, "W8": 0.4}             # memory traffic, and the allocation of small objects, vary more
YARDSTICK = "numpy"


class Incomparable(ValueError):
    """Two files of which a comparison would say nothing."""


def read(path: Path) -> dict[str, Any]:
    try:
        report = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise Incomparable(f"{path}: cannot be read as JSON: {error}") from None
    if not isinstance(report, dict) or report.get("benchmark") != "engines":
        raise Incomparable(f"{path}: is not a result of benchmarks/engines.py")
    if report.get("format") != 1:
        raise Incomparable(f"{path}: has format {report.get('format')}, and this program reads format 1")
    if not any(YARDSTICK in entry["engines"] for entry in report["workloads"]):
        raise Incomparable(f"{path}: was run without {YARDSTICK}, which all times are divided by")
    return report


def must_be_alike(old: dict[str, Any], new: dict[str, Any]) -> None:
    """Raise Incomparable if they differ in something that changes ratios."""
    for what, of in (("the regime", lambda r: r["settings"]["regime"]), ("--quick", lambda r: r["settings"]["quick"]),
                     ("the CPU", lambda r: r["machine"]["cpu"]["name"]),
                     ("the number of cores", lambda r: r["machine"]["cpu"]["usable_cores"]),
                     ("OpenBLAS's kernels", lambda r: r["blas_kernels"])):
        if of(old) != of(new):
            raise Incomparable(f"they differ in {what}: {of(old)} and {of(new)}")


def compare(old: dict[str, Any], new: dict[str, Any], engines: Sequence[str],
            tolerance: float | None = None) -> tuple[list[str], list[str]]:
    """A line for each pair that was compared, and one for each reason to worry.

    `tolerance` is for all workloads; None takes 10 %, for W7 20 % and for W8 40 %.

    Raises
    ------
    Incomparable
        If they differ in more than time, or have nothing in common.
    """
    must_be_alike(old, new)
    later = {entry["name"]: entry for entry in new["workloads"]}
    lines, worries = [], []
    for before in old["workloads"]:
        name = before["name"]
        for who in engines:
            after = later.get(name)
            if who not in before["engines"] or YARDSTICK not in before["engines"] or after is None:
                continue
            if YARDSTICK not in after["engines"] or who not in after["engines"]:
                missing = who if who not in after["engines"] else YARDSTICK
                worries.append(f"{name} {who}: was measured before; now {missing} is left out: "
                               f"{after['left_out'].get(missing, 'it did not take part')}")
                continue
            if not after["engines"][who]["agrees"]:
                worries.append(f"{name} {who}: its result is another than the reference's")
                continue
            allowed = TOLERANCES.get(name, TOLERANCE) if tolerance is None else tolerance
            first, second = (timing.ratio(entry["engines"], who, YARDSTICK) for entry in (before, after))
            change = second / first - 1
            lines.append(f"{name} {who}: × {first:.3f} → × {second:.3f} of NumPy by hand: {change:+.1%} "
                         f"(allowed: {allowed:+.0%})")
            if change > allowed:
                worries.append(f"slower: {lines[-1]}")
    if not lines and not worries:
        raise Incomparable(f"they have no workload of {', '.join(engines)} in common")
    return lines, worries


def main(given: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("old", type=Path)
    parser.add_argument("new", type=Path)
    parser.add_argument("--tolerance", type=float, help="for all workloads (default: 0.1; W7 0.2, W8 0.4)")
    parser.add_argument("--engines", default="ours,compiled", help="with commas in between (default: ours,compiled)")
    options = parser.parse_args(given)
    if options.tolerance is not None and not options.tolerance >= 0:
        parser.error("--tolerance must not be negative")
    try:
        lines, worries = compare(read(options.old), read(options.new), options.engines.split(","), options.tolerance)
    except Incomparable as error:
        print(f"cannot be compared: {error}", file=sys.stderr)
        return 2
    print(*lines, "", *(worries or ["nothing is slower"]), sep="\n")
    return 1 if worries else 0


if __name__ == "__main__":
    sys.exit(main())
