"""What was promised of the engines on a CPU, beside what was measured: met, missed, or not measured here and why."""

from collections.abc import Callable
from typing import Any

import timing
from peers import ENGINES
from regimes import STEADY

# Steady regime: (eager / NumPy by hand, eager / PyTorch, compiled / NumPy optimised, compiled / JAX), at most
PAIRS = (("ours", "numpy"), ("ours", "pytorch"), ("compiled", "numpy-optimised"), ("compiled", "jax"))
AT_MOST = {"W1": (1.2, 0.25, 1.3, 0.85), "W2": (0.65, 0.2, 1.3, 0.7), "W3": (0.85, 0.65, 1.1, 1.2),
           "W4": (0.95, 0.6, 1.08, 1.1), "W5": (1.05, 0.55, 1.03, 0.9), "W6": (0.6, 1.3, 1.25, 0.3),
           "W7": (1.0, 0.6, 0.75, 1.0), "W8": (None, 0.3, None, None), "W9": (4.0, 1.0, 1.5, 1.2)}
NANOSECONDS_PER_OPERATION = 1300                                # W8
# As a user gets it: nobody slower than PyTorch. W6 compiled is as much as one may hope for.
COMPILED_NOT_SLOWER = ("W1", "W2", "W3", "W4", "W5", "W6", "W7", "W9")
EAGER_NOT_SLOWER = {"ours": ("W1", "W2", "W5", "W7", "W8", "W9"), "ours-kept": ("W3", "W4")}
NUMPY_ENGINES = ("mygrad", "autograd", "dezero")
AHEAD = {"W1": 1.5, "W2": 1.5, "W6": 1.5, "W9": 1.5, "W5": 1.0, "W7": 1.0}
MEMORY = (("W5", "compiled", 1.2), ("W5", "ours", 1.5), ("W7", "ours", 1.3))    # × that of NumPy optimised
FIRST_STEP = {"ours": 0.005, "compiled": 0.05}                  # seconds
FIRST_STEP_OF = ("W1", "W2", "W4", "W6", "W9")


def must_reach(report: dict[str, Any]) -> list[dict[str, Any]]:
    """The goals for the regime of this report."""
    table: list[dict[str, Any]] = []

    def goal(workload: str, what: str, sign: str, bound: float, value: Callable[..., float], *which: str) -> None:
        row: dict[str, Any] = {"workload": workload, "goal": what, "wanted": f"{sign} {bound:g}", "value": None}
        try:
            row["value"] = value(entry_of(report, workload), *which)
            row["state"] = "met" if (row["value"] >= bound if sign == "≥" else row["value"] <= bound) else "missed"
        except LookupError as missing:
            row["state"] = f"not measured here: {missing.args[0]}"
        table.append(row)

    for workload, bounds in AT_MOST.items() if report["settings"]["regime"] == STEADY else ():
        for (above, below), bound in zip(PAIRS, bounds, strict=True):
            if bound is not None:
                goal(workload, f"{title(above)} / {title(below)}", "≤", bound, ratio, above, below)
    if report["settings"]["regime"] == STEADY:
        goal("W8", "tinygrad_nuc: nanoseconds for each operation", "≤", NANOSECONDS_PER_OPERATION, per_operation)
    else:
        for above, workloads in {"compiled": COMPILED_NOT_SLOWER, **EAGER_NOT_SLOWER}.items():
            for workload in workloads:
                goal(workload, f"{title(above)} / PyTorch", "≤", 1, ratio, above, "pytorch")
    for workload, bound in AHEAD.items():
        goal(workload, "the fastest other engine in NumPy / tinygrad_nuc", "≥", bound, ahead)
    for workload, who, bound in MEMORY:
        goal(workload, f"peak memory, {title(who)} / {title('numpy-optimised')}", "≤", bound, memory, who)
    for who, seconds in FIRST_STEP.items():
        for workload in FIRST_STEP_OF:
            goal(workload, f"{title(who)}: ms that its first steps take longer, beyond NumPy by hand's", "≤",
                 seconds * 1e3, first_steps, who)
    return table


def title(name: str) -> str:
    return ENGINES[name].title


def entry_of(report: dict[str, Any], name: str) -> dict[str, Any]:
    """What was measured of this workload.

    Raises
    ------
    LookupError
        With the reason, if it cannot be compared with a goal.
    """
    entry = next((w for w in report["workloads"] if w["name"] == name), None)
    if entry is None:
        raise LookupError(f"{name} was not run")
    if entry["smaller"]:
        raise LookupError("it was smaller in this quick run")
    return entry


def found(entry: dict[str, Any], name: str) -> dict[str, Any]:
    """One engine's part, if it was measured and its result is right."""
    if name not in entry["engines"]:
        raise LookupError(f"{title(name)}: {entry['left_out'].get(name, 'did not take part')}")
    if not entry["engines"][name]["agrees"]:
        raise LookupError(f"the result of {title(name)} is another")
    return entry["engines"][name]


def ratio(entry: dict[str, Any], above: str, below: str) -> float:
    return timing.ratio({name: found(entry, name) for name in (above, below)}, above, below)


def per_operation(entry: dict[str, Any]) -> float:
    return found(entry, "ours")["seconds_per_step"] / entry["batch"] * 1e9


def ahead(entry: dict[str, Any]) -> float:
    """How many times as long the fastest of the others takes."""
    there = [name for name in NUMPY_ENGINES if name in entry["engines"] and entry["engines"][name]["agrees"]]
    if not there:
        raise LookupError("no other engine in NumPy took part")
    return min(ratio(entry, name, "ours") for name in there)


def memory(entry: dict[str, Any], name: str) -> float:
    return found(entry, name)["peak_bytes"] / max(1, found(entry, "numpy-optimised")["peak_bytes"])


def first_steps(entry: dict[str, Any], name: str) -> float:
    """Milliseconds, less those that NumPy by hand needs for new memory and the like."""
    return 1e3 * (longer(found(entry, name)) - longer(found(entry, "numpy")))


def longer(own: dict[str, Any]) -> float:
    """Seconds that the first steps take longer than later ones, together: an engine may compile in the second."""
    return sum(max(0.0, seconds - own["seconds_per_step"]) for seconds in own["first_steps_seconds"])
