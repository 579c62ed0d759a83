"""The pictures of a report of engines.py: everybody beside NumPy by hand, and how costs grow with the size."""

import textwrap
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import scaling
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import LogLocator, NullFormatter
from peers import ENGINES
from plotting import logarithmic

from tinygrad_nuc.plots import BLUE, ORANGE, PALETTE, finish, grid
from tinygrad_nuc.utils.files import atomic_write

# Ours filled and solid, other engines hollow and dashed, NumPy by hand in grey and black.
LOOKS: dict[str, dict[str, Any]] = {
    "ours": dict(color=BLUE, marker="o", linestyle="-"),
    "ours-kept": dict(color=BLUE, marker="^", linestyle="-"),
    "compiled": dict(color=ORANGE, marker="s", linestyle="-"),
    "numpy": dict(color="0.5", marker="|", linestyle="-", markersize=16, markeredgewidth=3),
    "numpy-optimised": dict(color="black", marker="|", linestyle=":", markersize=16, markeredgewidth=3),
    "numpy-blocked": dict(color="black", marker="3", linestyle=":", markersize=13, markeredgewidth=2)}
LOOKS |= {name: dict(color=colour, marker=marker, linestyle="--", markerfacecolor="white")
          for name, colour, marker in (("pytorch", PALETTE[3], "o"), ("jax", PALETTE[0], "D"),
                                       ("mygrad", PALETTE[1], "v"), ("autograd", PALETTE[2], "^"),
                                       ("dezero", "0.35", "P"), ("scikit-learn", "#8B5A2B", "X"))}
LETTERS = 11                    # of the footer


def draw(report: dict[str, Any], folder: Path) -> list[Path]:
    """Write each picture as PNG and SVG; returns their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"engines-{report['settings']['regime'].replace(' ', '-')}"
    written = []
    for name, picture in (("ratios", ratios(report)), ("scaling", costs(report))):
        for kind in ("png", "svg") if picture else ():
            path = folder / f"{stem}-{name}.{kind}"
            with matplotlib.rc_context({"svg.hashsalt": "tinygrad_nuc"}), atomic_write(path) as file:
                picture.savefig(file, format=kind, metadata={"Date": None} if kind == "svg" else None)
            written.append(path)
    return written


def look(name: str) -> dict[str, Any]:
    return {"markersize": 9} | LOOKS[name]


def complete(picture: Figure, report: dict[str, Any], handles: dict[str, Line2D]) -> Figure:
    """Legend above all panels; machine and regime below them."""
    columns = max(1, min(len(handles), int(picture.get_figwidth() / 3.2)))
    picture.legend(handles=list(handles.values()), loc="outside upper center", ncols=columns, fontsize=12,
                   frameon=False)
    settings, cpu = report["settings"], report["machine"]["cpu"]
    text = (f"{report['date'][:10]}, {cpu['name']}, {cpu['usable_cores']} cores, OpenBLAS kernels: "
            f"{report['blas_kernels'] or 'unknown'}. Regime: {settings['regime']}; medians of {settings['rounds']} "
            f"rounds{', a quick run' if settings['quick'] else ''}.")
    picture.supxlabel("\n".join(textwrap.wrap(text, int(picture.get_figwidth() * 11))), fontsize=LETTERS, color="0.25",
                      x=0.01, ha="left")
    return picture


def ratios(report: dict[str, Any]) -> Figure | None:
    """A row for each workload: everybody's time / that of NumPy by hand in the same round; None without it."""
    entries = [w for w in report["workloads"] if "numpy" in w["engines"]]
    if not entries:
        return None
    picture, (ax,) = grid(1, width=12.5, height=2.4 + 0.75 * len(entries))
    handles: dict[str, Line2D] = {}
    for row, entry in enumerate(entries):
        present = [name for name in LOOKS if name in entry["engines"]]
        engines = [name for name in present if not name.startswith("numpy")]
        places = np.linspace(-0.3, 0.3, len(engines)) if len(engines) != 1 else [0.0]
        offsets = dict(zip(engines, places, strict=True))
        numpy_rounds = np.array(entry["engines"]["numpy"]["rounds"])
        for name in present:
            each = np.array(entry["engines"][name]["rounds"]) / numpy_rounds
            low, middle, high = np.quantile(each, (0.25, 0.5, 0.75))
            ax.errorbar(middle, row + offsets.get(name, 0.0), xerr=[[middle - low], [high - middle]], capsize=2,
                        **look(name) | {"linestyle": "none"})
            handles[name] = Line2D([], [], label=ENGINES[name].title, **look(name) | {"linestyle": "none"})
    ax.axvline(1, color="0.5", linewidth=1, zorder=0)
    ax.set_yticks(range(len(entries)), [f"{w['name']}: " + "\n".join(textwrap.wrap(w["title"], 30)) for w in entries])
    ax.set_ylim(len(entries) - 0.5, -0.5)
    ax.hlines(np.arange(0.5, len(entries) - 1), 0, 1, transform=ax.get_yaxis_transform(), color="0.85", linewidth=1)
    ax.set_xscale("log")
    ax.xaxis.set_major_formatter(lambda value, _: f"{value:g}")
    ax.grid(axis="x", color="0.9")
    finish(ax, "time of a step / that of NumPy by hand (less is faster)", "", legend=False)
    return complete(picture, report, {name: handles[name] for name in LOOKS if name in handles})


def costs(report: dict[str, Any]) -> Figure | None:
    """Time per sample or operation against the size; None if no curve was measured."""
    curves = [curve for curve in scaling.CURVES.values()
              if any(p["curve"] == curve.name and p["engines"] for p in report["scaling"])]
    if not curves:
        return None
    picture, axes = grid(len(curves), width=6.4, height=5.0, columns=min(2, len(curves)))
    handles: dict[str, Line2D] = {}
    for ax, curve in zip(axes, curves, strict=True):
        points = sorted((p for p in report["scaling"] if p["curve"] == curve.name), key=lambda p: p["size"])
        for name in LOOKS:
            there = [p for p in points if name in p["engines"]]
            if not there:
                continue
            own = look(name) | ({"marker": "", "linewidth": 3} if name == scaling.LIMIT else {"markersize": 7})
            own |= {"markeredgewidth": 1, "marker": "x"} if name == "numpy" else {}
            cost = [p["engines"][name]["seconds_per_step"] / p["units"] * 1e6 for p in there]
            label = f"{ENGINES[name].title}{': the limit' if name == scaling.LIMIT else ''}"
            handles[name], = ax.plot([p["size"] for p in there], cost, label=label, **own)
        sizes = [p["size"] for p in points]
        if curve.name == "chain":
            ax.set_xscale("log")
            ax.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
        else:
            logarithmic(ax, sizes)
        ax.set_yscale("log")
        ax.yaxis.set_major_locator(LogLocator(subs=(1, 3)))
        ax.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
        ax.yaxis.set_minor_formatter(NullFormatter())
        ax.grid(color="0.9")
        finish(ax, curve.axis, f"time per {curve.cost} [µs]", curve.title, legend=False)
    return complete(picture, report, {name: handles[name] for name in LOOKS if name in handles})
