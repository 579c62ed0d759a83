"""What was promised, beside what was measured: reached, missed, or not measured here and why."""

from collections.abc import Callable
from types import ModuleType
from typing import Any

import ours
import theirs
import timing

STEPS_WITHOUT_GROWTH = 10_000
GPU_FORMS = ("captured", "gpu")


def must_reach(report: dict[str, Any]) -> list[dict[str, Any]]:
    """The table of goals; each is for one H200, but is compared with whatever GPU there is."""
    table: list[dict[str, Any]] = []

    def goal(what: str, sign: str, bound: float, value: Callable[..., tuple[float, str]], *which: str) -> None:
        row: dict[str, Any] = {"goal": what, "wanted": f"{sign} {bound:g}", "value": None, "how": ""}
        try:
            row["value"], row["how"] = value(report, *which)
            within = row["value"] >= bound if sign == "≥" else row["value"] <= bound
            row["state"] = "reached" if within else "missed"
        except LookupError as missing:
            row["state"] = f"not measured here: {missing.args[0]}"
        table.append(row)

    for name, network in (("M1", "3-64-64-1, batch 256"), ("W4", "784-512-256-10, batch 128")):
        goal(f"{network}: PyTorch eager / captured", "≥", 3, of_two, name, theirs.NAMES["gpu"], ours.NAMES["captured"])
        goal(f"{network}: captured / PyTorch's CUDA graph", "≤", 1.2, of_two, name, ours.NAMES["captured"],
             theirs.NAMES["captured"])
    for name, precision in (("M2", "float32"), ("M2-tf32", "TF32")):
        large = f"1024-2048-2048-10, batch 4096, {precision}"
        goal(f"{large}: share of the products' ceiling", "≥", 0.85, share, name, "share_of_product_ceiling")
        goal(f"{large}: time / PyTorch's", "≤", 1.1, best_of_each, name)
    for name, title in (("E1", "20 operations, a kernel for each"), ("E2", "GELU"), ("E3", "Adam's step")):
        goal(f"elementwise, {title}: share of copy bandwidth", "≥", 0.7, share, name, "share_of_copy_bandwidth")
    for name, precision in (("W6", "float32"), ("W6-tf32", "TF32")):
        goal(f"CNN, batch 64, {precision}: time / PyTorch's with cuDNN", "≤", 2, best_of_each, name)
    goal("growth of device memory over 10,000 captured steps, in bytes", "≤", 0, grown)
    return table


def entry_of(report: dict[str, Any], name: str) -> dict[str, Any]:
    """What was measured of this workload.

    Raises
    ------
    LookupError
        With the reason, if that is not enough to compare with a goal.
    """
    if "gpu" not in report["settings"]["devices"]:
        raise LookupError("no GPU")
    entry = next((w for w in report["workloads"] if w["name"] == name), None)
    if entry is None:
        raise LookupError(f"{name} was not run")
    if not entry["times"]:
        raise LookupError(f"{name}: " + "; ".join(f"{who}: {why}" for who, why in entry["left_out"].items()))
    if entry["smaller"]:
        raise LookupError(f"{name} was smaller in this quick run")
    if entry["agrees"] is False:
        raise LookupError(f"the results of {name} differ")
    return entry


def times_of(report: dict[str, Any], name: str, *names: str) -> dict[str, Any]:
    """The times of a workload, if all of these took part."""
    entry = entry_of(report, name)
    for who in names:
        if who not in entry["times"]:
            raise LookupError(absence(report, entry, who))
    return entry["times"]


def absence(report: dict[str, Any], entry: dict[str, Any], who: str) -> str:
    """Why somebody did not take part, in this workload or in the whole run."""
    everywhere = {item["what"]: item["why"] for item in report["left_out"] if not item["where"]}
    return f"{who}: {entry['left_out'].get(who) or everywhere.get(who, 'did not take part')}"


def of_two(report: dict[str, Any], name: str, above: str, below: str) -> tuple[float, str]:
    return timing.ratio(times_of(report, name, above, below), above, below), f"{above} / {below}"


def best_of_each(report: dict[str, Any], name: str) -> tuple[float, str]:
    """Our fastest form on the GPU beside PyTorch's fastest."""
    return of_two(report, name, best_of(report, name, ours), best_of(report, name, theirs))


def best_of(report: dict[str, Any], name: str, library: ModuleType) -> str:
    """Which form on the GPU takes least."""
    entry = entry_of(report, name)
    best = timing.fastest(entry["times"], [library.NAMES[form] for form in GPU_FORMS])
    if best is None:
        raise LookupError(absence(report, entry, library.NAMES["gpu"]))
    return best


def share(report: dict[str, Any], name: str, key: str) -> tuple[float, str]:
    """Of a ceiling that was measured in the same run, by our fastest form."""
    best = best_of(report, name, ours)
    found = entry_of(report, name)["times"][best]
    if key not in found:
        raise LookupError("the ceiling could not be measured")
    return found[key], best


def grown(report: dict[str, Any]) -> tuple[float, str]:
    leak = report["leak"]
    if "not_measured_because" in leak:
        raise LookupError(leak["not_measured_because"])
    if leak["steps"] < STEPS_WITHOUT_GROWTH:
        raise LookupError(f"only {leak['steps']:,} steps in this run")
    return max(leak["growth_bytes"], leak["growth_of_the_gpu_bytes"]), f"{leak['workload']}, {leak['steps']:,} steps"


def crossovers(sweep: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """For each width: the smallest batch from which on, in all larger ones that were measured, the GPU takes less."""
    found = []
    for width in sorted({point["width"] for point in sweep}):
        for form in reversed(GPU_FORMS):
            pairs = sorted((point["batch"], timing.ratio(point["times"], ours.NAMES["cpu"], ours.NAMES[form]))
                           for point in sweep if point["width"] == width
                           and {ours.NAMES["cpu"], ours.NAMES[form]} <= point["times"].keys())
            if not pairs:
                continue
            slower = [batch for batch, ratio in pairs if ratio <= 1]
            faster = [batch for batch, _ in pairs if not slower or batch > max(slower)]
            found.append({"width": width, "who": ours.NAMES[form], "from_batch": min(faster, default=None),
                          "measured_batches": [batch for batch, _ in pairs]})
    return found
