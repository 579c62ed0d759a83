"""A report of engines.py as tables, in Markdown: readable in a terminal, and where they are published."""

import statistics
from collections.abc import Callable
from typing import Any

import engine_goals
import timing
from peers import ENGINES

Cell = Callable[[dict[str, Any], str], str]


def present(report: dict[str, Any]) -> list[str]:
    """Engines that were measured in at least one workload, in their order."""
    there = {name for entry in report["workloads"] for name in entry["engines"]}
    return [name for name in ENGINES if name in there]


def table(report: dict[str, Any], head: str, cell: Cell) -> list[str]:
    """A row for each engine, a column for each workload; – for whatever was not measured."""
    entries = report["workloads"]
    lines = [f"| {head} | " + " | ".join(entry["name"] for entry in entries) + " |",
             "|---|" + "---:|" * len(entries)]
    for name in present(report):
        cells = [cell(entry, name) if name in entry["engines"] else "–" for entry in entries]
        lines.append(f"| {ENGINES[name].title} | " + " | ".join(cells) + " |")
    return lines


def time_and_ratio(entry: dict[str, Any], name: str) -> str:
    own = entry["engines"][name]
    beside = f" (× {timing.ratio(entry['engines'], name, 'numpy'):.2f})" if "numpy" in entry["engines"] else ""
    return f"{own['seconds_per_step'] * 1e6:,.{1 if own['seconds_per_step'] < 1e-4 else 0}f}{beside}" + (
        "" if own["agrees"] else " **another result**")


def peak(entry: dict[str, Any], name: str) -> str:
    return f"{entry['engines'][name]['peak_bytes'] / 1e6:,.1f}"


def first_steps(entry: dict[str, Any], name: str) -> str:
    return f"{engine_goals.longer(entry['engines'][name]) * 1e3:,.1f}"


def faults(entry: dict[str, Any], name: str) -> str:
    return f"{entry['engines'][name]['page_faults_per_step']:,.0f}"


def must_reach(report: dict[str, Any]) -> list[str]:
    """Goals that were measured one by one; of the others, how many and why."""
    lines = ["| | goal | wanted | measured | |", "|---|---|---:|---:|---|"]
    reasons: dict[str, int] = {}
    for row in report["must_reach"]:
        if row["value"] is None:
            reasons[row["state"]] = reasons.get(row["state"], 0) + 1
        else:
            lines.append(f"| {row['workload']} | {row['goal']} | {row['wanted']} | {row['value']:.3g} "
                         f"| {row['state'] if row['state'] == 'met' else '**missed**'} |")
    return lines + [f"\n{n} × {why}" for why, n in reasons.items()]


def noise(report: dict[str, Any]) -> str:
    """How far ratios of single rounds are from their medians: what a difference must be to mean anything."""
    apart = [abs(a / b / timing.ratio(entry["engines"], name, "numpy") - 1)
             for entry in report["workloads"] if "numpy" in entry["engines"] for name in entry["engines"]
             if name != "numpy"
             for a, b in zip(entry["engines"][name]["rounds"], entry["engines"]["numpy"]["rounds"], strict=True)]
    return f"Half of the rounds' ratios are within {statistics.median(apart):.0%} of their median." if apart else ""


def summary(report: dict[str, Any]) -> str:
    machine, settings, versions = report["machine"], report["settings"], report["versions"]
    lines = [f"{report['date'][:10]}, {machine['cpu']['name']}, {machine['cpu']['usable_cores']} cores; "
             + ", ".join(f"{name} {version}" for name, version in versions.items() if version)
             + f"; OpenBLAS kernels: {report['blas_kernels'] or 'unknown'}. Regime: {settings['regime']}; "
             f"{settings['rounds']} rounds{', quick' if settings['quick'] else ''}.", noise(report)]
    for head, cell in (("µs per step (× NumPy by hand)", time_and_ratio), ("peak memory, MB", peak),
                       ("first steps: ms that they take longer", first_steps), ("page faults per step", faults)):
        lines += ["", *table(report, head, cell)]
    lines += ["", "Must reach", "", *must_reach(report), "", "Left out", ""]
    left_out: dict[tuple[str, str], list[str]] = {}
    for entry in report["workloads"]:
        for name, why in entry["left_out"].items():
            left_out.setdefault((name, why), []).append(entry["name"])
    lines += [f"- {ENGINES[name].title}: {', '.join(where)}: {why}" for (name, why), where in left_out.items()]
    return "\n".join(lines if left_out else [*lines, "- nothing"])
