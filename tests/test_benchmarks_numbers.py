"""benchmarks/cpu_vs_gpu.py, what it does with numbers: products and bytes, turns, goals, crossovers, pictures."""

import copy
import math
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import tinygrad_nuc as tn

sys.path.append(str(Path(__file__).parents[1] / "benchmarks"))

import cpu_vs_gpu
import goals
import limits
import ours
import plotting
import theirs
import timing
from workloads import CHAIN, NAMED, Workload, swept, tiny

CPU, GPU, CAPTURED = (ours.NAMES[form] for form in ("cpu", "gpu", "captured"))
TORCH_GPU, TORCH_GRAPH = theirs.NAMES["gpu"], theirs.NAMES["captured"]


def test_agreement():
    def found(*results):
        return {str(i): {"result": list(result)} for i, result in enumerate(results)}
    assert cpu_vs_gpu.agreement(found([1.0]), 0.1) == (None, None)
    assert cpu_vs_gpu.agreement(found([1.0, -4.0], [1.0, -4.0]), 0) == (0, True)
    assert cpu_vs_gpu.agreement(found([1.0, -4.0], [1.0, -5.0]), 0.1) == (pytest.approx(0.2), False)
    assert cpu_vs_gpu.agreement(found([1.0], [1.0], [math.nan]), 0.1) == (None, False)


def test_products_and_bytes_by_hand():
    w = Workload("", "", "mlp", (3, 64, 1), 256)
    assert w.products == [(256, 3, 64, "forward"), (64, 256, 3, "weights"),
                          (256, 64, 1, "forward"), (1, 256, 64, "weights"), (256, 1, 64, "inputs")]
    assert w.flops == 2 * 256 * (2 * 3 * 64 + 3 * 64) and w.parameters == 3 * 64 + 64 + 64 + 1
    assert w.bytes_each_kernel is None
    assert NAMED["M2"].flops == 2 * 4096 * (2 * 1024 * 2048 + 3 * 2048 * 2048 + 3 * 2048 * 10)
    assert NAMED["W6"].products[0] == (64 * 28 * 28, 9, 16, "forward")
    # h·c 4 passes (3 times), h+c 2 (2), h+x 3 (1), h·x 9 (2), and 5 for each of the other 12; the sum reads one, whose
    # gradient is one number: two fewer; three additions to the gradient of x
    assert len(CHAIN) == 20
    assert NAMED["W7"].bytes_each_kernel == 4 * 10 ** 6 * (3 * 4 + 2 * 2 + 3 + 2 * 9 + 12 * 5 + 1 - 2 + 9)
    assert NAMED["W7"].bytes_one_kernel == 12 * 10 ** 6
    assert NAMED["E3"].bytes_each_kernel == NAMED["E3"].bytes_one_kernel == 28 * 2 ** 26


def test_the_same_numbers_for_everybody():
    w = swept(64, 32)
    first = w.weights()
    Workload.weights.cache_clear()
    second = w.weights()
    assert first is not second is w.weights()               # made once for all who ask one after the other
    assert [a.shape for a in first] == [(64, 64), (64,), (64, 64), (64,), (10, 64), (10,)]
    assert all(np.array_equal(a, b) and a.dtype == np.float32 for a, b in zip(first, second, strict=True))
    assert 0.12 < np.abs(first[0]).max() <= 1 / 8
    (x, y), = w.data()
    assert x.shape == (32, 64) and y.dtype == np.int64 and set(y) <= set(range(10))
    np.testing.assert_array_equal(x, w.data()[0][0])
    assert NAMED["M1"].data()[0][1].shape == (256, 1)
    assert ours.network(NAMED["W6"])(tn.tensor(tiny(NAMED["W6"]).data()[0][0])).shape == (8, 10)


def test_everybody_has_a_turn_in_each_round(monkeypatch):
    log, clock = [], SimpleNamespace(now=0.0)

    def competitor(name, seconds):
        def step():
            log.append(name)
            clock.now += seconds
        return ours.Competitor(name, "cpu", step, lambda result: [0.0], prepare=lambda: log.append(f"{name}:"))

    monkeypatch.setattr(timing.time, "perf_counter", lambda: clock.now)
    both = [competitor("a", 0.25), competitor("b", 0.5)]
    assert timing.steps_for(both[0], 1.0) == 4
    monkeypatch.setattr(timing, "steps_for", lambda c, seconds: 2)
    log.clear()
    times = timing.in_turns(both, 3, 1.0)
    assert log == ["a:", "a", "a", "b:", "b", "b", "b:", "b", "b", "a:", "a", "a", "a:", "a", "a", "b:", "b", "b"]
    assert times["a"] == {"steps_per_round": 2, "seconds_per_step": 0.25, "lowest": 0.25, "highest": 0.25,
                          "quartiles": [0.25, 0.25], "rounds": [0.25] * 3}
    assert timing.ratio(times, "b", "a") == 2
    assert timing.fastest(times, ["b", "nobody", "a"]) == "a" and timing.fastest(times, ["nobody"]) is None
    assert timing.first_steps(both[1], 3, limit=0.5) == {"result": [0.0], "notes": []}
    with pytest.raises(TimeoutError, match=r"a step took 0\.5 s, more than the limit of 0\.4 s"):
        timing.first_steps(both[1], 3, limit=0.4)
    found = timing.rate(both[1].step, 10.0, lambda: None, 2, 1.0)
    assert found == {"per_second": 20.0, "median_per_second": 20.0, "seconds": 0.5}


def test_what_cannot_fit_or_takes_too_long_is_not_tried(monkeypatch):
    monkeypatch.setattr(limits, "free_memory", lambda device: 10 ** 9)
    ceiling = {"float32": {"per_second": 1e9}, "copy": {"per_second": 1e9}}
    assert limits.why_not(NAMED["W2"], "cpu", ceiling, 2, 0.5) == ""
    assert limits.why_not(NAMED["E1"], "cpu", ceiling, 2, 0.5) == "needs some 16.1 GB, 1.0 GB are free"
    slow = limits.why_not(NAMED["W5"], "cpu", ceiling, 2, 0.5)
    assert slow == "a step cannot take less than 17.2 s here, more than the limit of 0.5 s"
    assert limits.why_not(NAMED["M2-tf32"], "cpu", ceiling, 2, 0.5) == "a CPU has no TF32"
    assert limits.shortest(NAMED["E3"], ceiling) == 28e-9 * 2 ** 26


def entry(name="M1", times=(), agrees=True, **more):
    """As the report has it: so many seconds for each."""
    return {"name": name, "title": name, "batch": 1, "agrees": agrees, "smaller": False, "left_out": {},
            "limit_seconds": {"cpu": 1e-5, "gpu": 1e-6},
            "times": {who: timing.spread([s, s, 2 * s]) for who, s in dict(times).items()}} | more


def report_of(workloads=(), sweep=(), leak=None, devices=("cpu", "gpu")):
    return {"settings": {"devices": list(devices), "quick": False}, "workloads": list(workloads), "sweep": list(sweep),
            "leak": leak or {"not_measured_because": "no GPU"}, "left_out": [], "date": "2026-11-21",
            "machine": {"cpu": {"name": "CPU", "usable_cores": 2}, "gpu": {"name": "GPU"}}}


def test_goals_reached_and_missed():
    large = entry("M2", {GPU: 1.0, CAPTURED: 0.5, TORCH_GPU: 0.4, TORCH_GRAPH: 0.5})
    large["times"][CAPTURED]["share_of_product_ceiling"] = 0.9
    leak = {"steps": 10_000, "growth_bytes": 0, "growth_of_the_gpu_bytes": 512, "workload": "M1"}
    small_one = entry("M1", {GPU: 9.0, CAPTURED: 1.0, TORCH_GPU: 4.0, TORCH_GRAPH: 0.8})
    table = goals.must_reach(report_of([small_one, large], leak=leak))
    found = [(row["wanted"], row["value"], row["state"]) for row in table]
    assert found[0] == ("≥ 3", 4.0, "reached") and found[1] == ("≤ 1.2", 1.25, "missed")
    assert found[2] == ("≥ 3", None, "not measured here: W4 was not run")
    assert found[4] == ("≥ 0.85", 0.9, "reached") and found[5] == ("≤ 1.1", 1.25, "missed")
    assert table[5]["how"] == f"{CAPTURED} / {TORCH_GPU}"                       # the fastest form of each
    assert found[-1] == ("≤ 0", 512, "missed") and len(table) == 14
    assert [row["state"] for row in goals.must_reach(report_of(devices=["cpu"]))] == 14 * ["not measured here: no GPU"]


def sweep_of(times):
    """One width; for each batch the seconds of CPU and GPU."""
    return [entry(f"64x{batch}", {CPU: cpu, GPU: gpu}, width=64, batch=batch) for batch, (cpu, gpu) in times.items()]


@pytest.mark.parametrize(("times", "first"), [
    ({32: (1, 2), 64: (2, 2), 128: (3, 2), 256: (6, 2)}, 128),
    ({32: (3, 2), 64: (1, 2), 128: (3, 2)}, 128),               # from which on it stays so
    ({32: (3, 2), 64: (4, 2)}, 32),
    ({32: (1, 2), 64: (1, 2)}, None),
])
def test_from_which_size_on_the_gpu_wins(times, first):
    assert goals.crossovers(sweep_of(times)) == [
        {"width": 64, "who": GPU, "from_batch": first, "measured_batches": list(times)}]
    assert goals.crossovers([]) == []


def test_pictures_show_the_numbers_of_the_report():
    report = report_of([entry("M1", {CPU: 4e-4, GPU: 1e-4}), entry("M2", {CPU: 8e-4})],
                       sweep_of({32: (1e-4, 2e-4), 64: (4e-4, 2e-4)}))
    report["left_out"] = [{"what": TORCH_GPU, "why": "no CUDA", "where": ""},
                          {"what": CPU, "why": "too slow", "where": "64x64"}]
    picture = plotting.times_against_batch(report)
    lines = {bars.get_label(): bars.lines[0] for bars in picture.axes[0].containers}
    np.testing.assert_array_equal(lines[CPU].get_xydata(), [[32, 1e-4], [64, 4e-4]])
    np.testing.assert_array_equal(lines[GPU].get_xydata(), [[32, 2e-4], [64, 2e-4]])
    limit = next(line for line in picture.axes[0].lines if line.get_label() == "limit of the GPU")
    np.testing.assert_array_equal(limit.get_xydata(), [[32, 1e-6], [64, 1e-6]])
    assert picture.axes[0].get_xscale() == picture.axes[0].get_yscale() == "log"
    assert [text.get_text() for text in picture.legends[0].get_texts()] == [
        CPU, GPU, "limit of the CPU", "limit of the GPU"]
    footer = picture.get_supxlabel()
    assert "PyTorch, GPU (no CUDA)" in footer and footer.endswith("one by one: 1.")
    speedup = plotting.speedups(report).axes[0]
    assert speedup.get_title() == f"{GPU}\nbeside {CPU}"
    np.testing.assert_array_equal(speedup.lines[0].get_xydata(), [[32, 0.5], [64, 2.0]])
    dots = plotting.named_workloads(report).axes[0]
    assert [bars.lines[0].get_xdata()[0] for bars in dots.containers] == [4e-4, 1e-4, 8e-4]
    for figure in (picture, speedup.figure, dots.figure):
        figure.draw_without_rendering()
        texts = figure.findobj(lambda artist: hasattr(artist, "get_fontsize") and artist.get_text())
        assert texts and min(text.get_fontsize() for text in texts) >= 10
    nothing = copy.deepcopy(report) | {"sweep": [], "workloads": []}
    for draw in (plotting.times_against_batch, plotting.speedups, plotting.named_workloads):
        assert draw(nothing) is None
