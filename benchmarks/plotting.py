"""The pictures of a report: times against size with the limit, speedups, and the named workloads beside each other."""

import textwrap
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import ours
import theirs
import timing
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from tinygrad_nuc.plots import BLUE, ORANGE, PALETTE, finish, grid
from tinygrad_nuc.utils.files import atomic_write

# Ours filled and solid, PyTorch's hollow and dashed; one marker for each form.
LOOKS: dict[str, dict[str, Any]] = {
    ours.NAMES["cpu"]: dict(color=BLUE, marker="o", linestyle="-"),
    ours.NAMES["gpu"]: dict(color=ORANGE, marker="s", linestyle="-"),
    ours.NAMES["captured"]: dict(color=PALETTE[0], marker="D", linestyle="-"),
    theirs.NAMES["cpu"]: dict(color=PALETTE[3], marker="o", linestyle="--", markerfacecolor="white"),
    theirs.NAMES["gpu"]: dict(color=PALETTE[2], marker="s", linestyle="--", markerfacecolor="white"),
    theirs.NAMES["captured"]: dict(color=PALETTE[1], marker="D", linestyle="--", markerfacecolor="white")}
LIMITS = {"cpu": dict(color="0.45", linestyle=":"), "gpu": dict(color="black", linestyle=":")}
MARKERS = "osD^vP*X"
FOOTER = 11                     # size of its letters
PANELS = 4                      # at most
FAR = 100                       # limits that lie further below the shortest time say nothing, and are not shown

# (how many times as long, the one that takes longer, the one that takes less)
SPEEDUPS = ((ours.NAMES["cpu"], ours.NAMES["gpu"]), (ours.NAMES["cpu"], ours.NAMES["captured"]),
            (theirs.NAMES["gpu"], ours.NAMES["gpu"]), (theirs.NAMES["captured"], ours.NAMES["captured"]),
            (theirs.NAMES["cpu"], ours.NAMES["cpu"]))


def draw(report: dict[str, Any], stem: Path) -> list[Path]:
    """Write each picture as PNG and SVG beside the results; returns their paths."""
    written = []
    for name, picture in (("time", times_against_batch(report)), ("speedup", speedups(report)),
                          ("workloads", named_workloads(report))):
        for kind in ("png", "svg") if picture else ():
            path = stem.with_name(f"{stem.name}-{name}.{kind}")
            with matplotlib.rc_context({"svg.hashsalt": "tinygrad_nuc"}), atomic_write(path) as file:
                picture.savefig(file, format=kind, metadata={"Date": None} if kind == "svg" else None)
            written.append(path)
    return written


def footer(report: dict[str, Any], width: float) -> str:
    """Where and when it was measured; what the whole run goes without, and how much else was left out."""
    machine = report["machine"]
    where = [f"{machine['cpu']['name']}, {machine['cpu']['usable_cores']} cores"]
    where += [machine["gpu"]["name"]] if machine["gpu"] else []
    text = [f"{report['date'][:10]}, {', '.join(where)}{', a quick run' if report['settings']['quick'] else ''}."]
    reasons: dict[str, list[str]] = {}
    for item in report["left_out"]:
        if not item["where"]:
            reasons.setdefault(item["why"], []).append(item["what"])
    if reasons:
        text.append("Left out: " + "; ".join(f"{' and '.join(what)} ({why})" for why, what in reasons.items()) + ".")
    single = sum(bool(item["where"]) for item in report["left_out"])
    text += [f"Also left out for some sizes, as the results say one by one: {single}."] * bool(single)
    return "\n".join(line for part in text for line in textwrap.wrap(part, int(width * 11.5)))


def complete(picture: Figure, report: dict[str, Any], handles: list[Line2D]) -> Figure:
    """Legend above all panels, machine and what was left out below them."""
    columns = max(1, min(len(handles), int(picture.get_figwidth() / 3.1)))
    picture.legend(handles=handles, loc="outside upper center", ncols=columns, fontsize=12, frameon=False)
    picture.supxlabel(footer(report, picture.get_figwidth()), fontsize=FOOTER, color="0.25", x=0.01, ha="left")
    return picture


def spread_of(found: dict[str, Any]) -> tuple[float, float]:
    """Half of the rounds lie between these, as distances from the median."""
    low, high = found["quartiles"]
    middle = found["seconds_per_step"]
    return max(0.0, middle - low), max(0.0, high - middle)


def chosen(widths: list[int]) -> list[int]:
    """At most four of them, from the first to the last."""
    places = np.unique(np.linspace(0, len(widths) - 1, min(PANELS, len(widths))).round().astype(int))
    return [widths[i] for i in places]


def points_of(report: dict[str, Any], width: int) -> list[dict[str, Any]]:
    return sorted((p for p in report["sweep"] if p["width"] == width and p["times"]), key=lambda p: p["batch"])


def measured_widths(report: dict[str, Any]) -> list[int]:
    return sorted({p["width"] for p in report["sweep"] if p["times"]})


def times_against_batch(report: dict[str, Any]) -> Figure | None:
    """Time of a training step for several widths, and below it what no step can beat; None without a sweep."""
    widths = chosen(measured_widths(report)) if report["sweep"] else []
    if not widths:
        return None
    picture, axes = grid(len(widths), width=6.4, height=5.2, columns=min(2, len(widths)))
    handles: dict[str, Line2D] = {}
    for ax, width in zip(axes, widths, strict=True):
        points = points_of(report, width)
        for who, look in LOOKS.items():
            there = [p for p in points if who in p["times"]]
            if there:
                times = [p["times"][who]["seconds_per_step"] for p in there]
                error = np.transpose([spread_of(p["times"][who]) for p in there])
                bars = ax.errorbar([p["batch"] for p in there], times, error, markersize=7, capsize=3, **look)
                handles[who] = Line2D([], [], markersize=7, label=who, **look)
                bars.set_label(who)
        for device, look in LIMITS.items():
            if device in points[0]["limit_seconds"]:
                name = f"limit of the {device.upper()}"
                handles[name], = ax.plot([p["batch"] for p in points], [p["limit_seconds"][device] for p in points],
                                         linewidth=2, label=name, **look)
        logarithmic(ax, [p["batch"] for p in points])
        ax.set_yscale("log")
        finish(ax, "batch size", "time of a training step [s]", f"{width}-{width}-{width}-10", legend=False)
    low, high = min(ax.get_ylim()[0] for ax in axes), max(ax.get_ylim()[1] for ax in axes)
    for ax in axes:
        ax.set_ylim(low, high)
    return complete(picture, report, list(handles.values()))


def speedups(report: dict[str, Any]) -> Figure | None:
    """How many times as fast, against the batch size, a line for each width; None if there is nothing to compare."""
    pairs = [pair for pair in SPEEDUPS if any(set(pair) <= p["times"].keys() for p in report["sweep"])]
    if not pairs:
        return None
    picture, axes = grid(len(pairs), width=6.4, height=5.2, columns=min(2, len(pairs)))
    widths = measured_widths(report)
    colours = matplotlib.colormaps["viridis"](np.linspace(0, 0.88, len(widths)))
    handles: dict[str, Line2D] = {}
    for ax, (slow, fast) in zip(axes, pairs, strict=True):
        for width, colour, marker in zip(widths, colours, MARKERS, strict=False):
            there = [p for p in points_of(report, width) if {slow, fast} <= p["times"].keys()]
            if there:
                values = [timing.ratio(p["times"], slow, fast) for p in there]
                handles[f"width {width}"], = ax.plot([p["batch"] for p in there], values, color=colour, marker=marker,
                                                     markersize=7, label=f"width {width}")
        logarithmic(ax, [p["batch"] for p in report["sweep"]])
        ax.set_yscale("log", base=2)
        bottom, top = ax.get_ylim()
        ax.set_ylim(min(bottom, 0.5), max(top, 2))
        ax.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
        ax.axhline(1, color="black", linewidth=1)
        finish(ax, "batch size", "how many times as fast", f"{fast}\nbeside {slow}", legend=False)
    return complete(picture, report, list(handles.values()))


def named_workloads(report: dict[str, Any]) -> Figure | None:
    """Time per step of each named workload, and the limit as a bar; None if none was run."""
    entries = [w for w in report["workloads"] if w["times"]]
    if not entries:
        return None
    picture, (ax,) = grid(1, width=12.5, height=2.2 + 0.85 * len(entries))
    handles: dict[str, Line2D] = {}
    for row, entry in enumerate(entries):
        present = [who for who in LOOKS if who in entry["times"]]
        offsets = np.linspace(-0.32, 0.32, len(present)) if len(present) > 1 else [0]
        for who, offset in zip(present, offsets, strict=True):
            look, found = LOOKS[who] | {"linestyle": "none"}, entry["times"][who]
            ax.errorbar(found["seconds_per_step"], row + offset, xerr=np.transpose([spread_of(found)]), markersize=7,
                        capsize=3, **look)
            handles[who] = Line2D([], [], markersize=7, label=who, **look)
        for device, look in LIMITS.items():
            if device in entry["limit_seconds"]:
                name = f"limit of the {device.upper()}"
                ax.plot(2 * [entry["limit_seconds"][device]], [row - 0.4, row + 0.4], linewidth=3, color=look["color"])
                handles[name] = Line2D([], [], linestyle="none", marker="|", markersize=14, markeredgewidth=3,
                                       color=look["color"], label=name)
    ax.set_yticks(range(len(entries)), [f"{w['name']}: " + "\n".join(textwrap.wrap(w["title"], 44)) for w in entries])
    ax.set_ylim(len(entries) - 0.4, -0.6)
    ax.set_xscale("log")
    times = [found["seconds_per_step"] for w in entries for found in w["times"].values()]
    ax.set_xlim(min(times) / FAR, max(times) * 3)
    ax.grid(axis="x", color="0.9")
    finish(ax, "time of a step [s]", "", legend=False)
    return complete(picture, report, list(handles.values()))


def logarithmic(ax: Axes, sizes: list[int]) -> None:
    """Ticks at sizes that were measured, at most six; every power of 2 would not have room."""
    ax.set_xscale("log", base=2)
    sizes = sorted(set(sizes))
    step = -(-len(sizes) // 6)
    ax.set_xticks(sizes[::step], [str(size) for size in sizes[::step]])
    ax.xaxis.minorticks_off()
