"""Times per step: everybody in turns, round after round, so that whatever else the machine does meets all of them."""

import math
import statistics
import time
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from competitor import Competitor

MOST_STEPS = 100_000            # in one round


def seconds_for(competitor: Competitor, steps: int) -> float:
    """Until the device has finished all of them."""
    competitor.synchronize()
    start = time.perf_counter()
    for _ in range(steps):
        competitor.step()
    competitor.synchronize()
    return time.perf_counter() - start


def first_steps(competitor: Competitor, steps: int, limit: float = math.inf) -> dict[str, Any]:
    """The result after so many steps, and what was said on the way.

    They also warm up: kernels are compiled, a graph is captured, memory is at hand.

    Raises
    ------
    TimeoutError
        If the second step takes more seconds than `limit`; the first one may.
    """
    competitor.prepare()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        for i in range(steps):
            competitor.synchronize()
            start = time.perf_counter()
            result = competitor.step()
            competitor.synchronize()
            seconds = time.perf_counter() - start
            if i == 1 and seconds > limit:
                raise TimeoutError(f"a step took {seconds:.1f} s, more than the limit of {limit:g} s")
        numbers = competitor.numbers(result)
    said = [str(warning.message) for warning in caught] + [competitor.reason()]
    return {"result": numbers, "notes": list(dict.fromkeys(filter(None, said)))}


def steps_for(competitor: Competitor, seconds: float) -> int:
    """How many steps take about so many seconds."""
    competitor.prepare()
    steps, taken = 1, seconds_for(competitor, 1)
    while taken < seconds / 4 and steps < MOST_STEPS:
        steps = min(MOST_STEPS, max(2 * steps, int(steps * seconds / 2 / max(taken, 1e-9))))
        taken = seconds_for(competitor, steps)
    return max(1, min(MOST_STEPS, round(steps * seconds / taken)))


def in_turns(competitors: Sequence[Competitor], rounds: int, seconds: float) -> dict[str, dict[str, Any]]:
    """For each name: seconds per step in each round, their median, lowest, highest and quartiles."""
    steps = {c.name: steps_for(c, seconds) for c in competitors}
    times: dict[str, list[float]] = {c.name: [] for c in competitors}
    for turn in range(rounds):
        start = turn % len(competitors)
        for c in [*competitors[start:], *competitors[:start]]:
            c.prepare()
            times[c.name].append(seconds_for(c, steps[c.name]) / steps[c.name])
    return {name: {"steps_per_round": steps[name], **spread(values)} for name, values in times.items()}


def spread(values: Sequence[float]) -> dict[str, Any]:
    """Of times in seconds."""
    quartiles = [float(q) for q in np.quantile(values, (0.25, 0.75))]
    return {"seconds_per_step": statistics.median(values), "lowest": min(values), "highest": max(values),
            "quartiles": quartiles, "rounds": list(values)}


def ratio(times: dict[str, dict[str, Any]], above: str, below: str) -> float:
    """How many times as long one takes as another: the median of the ratios of each round."""
    return statistics.median(a / b for a, b in zip(times[above]["rounds"], times[below]["rounds"], strict=True))


def fastest(times: dict[str, dict[str, Any]], names: Sequence[str]) -> str | None:
    """Which of these takes least, of those that were measured."""
    return min((n for n in names if n in times), key=lambda n: times[n]["seconds_per_step"], default=None)


def rate(work: Callable[[], Any], amount: float, synchronize: Callable[[], None], rounds: int,
         seconds: float) -> dict[str, Any]:
    """How much of something is done in a second: `amount` in each call of `work`; the fastest round is the ceiling."""
    runner = Competitor("", "", work, lambda result: [], synchronize)
    work()
    steps = steps_for(runner, seconds)
    times = [seconds_for(runner, steps) / steps for _ in range(rounds)]
    return {"per_second": amount / min(times), "median_per_second": amount / statistics.median(times),
            "seconds": min(times)}
