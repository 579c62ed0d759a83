"""benchmarks/engines.py: processes and turns, what is written down, goals, tables and pictures. No time is asserted."""

import json
import os
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

import tinygrad_nuc as tn

sys.path.append(str(Path(__file__).parents[1] / "benchmarks"))

import blas
import engine_goals
import engine_plots
import engine_tables
import engines
import regimes
import rounds
import scaling
import worker
from peers import ENGINES
from workloads import ON_CPUS

QUICK = rounds.How(regimes.STEADY, 2, 0.01)


def entry(name, left_out=None, agrees=True, smaller=False, batch=1, **times):
    """What is measured of a workload: seconds of each round for each engine (– for _ in its name)."""
    found = {who.replace("_", "-"): {
        "seconds_per_step": float(np.median(each)), "rounds": list(each), "agrees": agrees, "peak_bytes": 1_000_000,
        "first_steps_seconds": [each[0] + 0.002, each[0]], "page_faults_per_step": 3.0} for who, each in times.items()}
    return {"name": name, "title": f"title of {name}", "batch": batch, "smaller": smaller, "engines": found,
            "left_out": left_out or {}}


def report(*entries, regime=regimes.STEADY, points=()):
    return {"format": 1, "benchmark": "engines", "date": "2026-11-22T00:00:00+00:00", "blas_kernels": "SkylakeX",
            "machine": {"cpu": {"name": "A CPU", "usable_cores": 2}}, "versions": {"numpy": "2.4", "torch": None},
            "settings": {"regime": regime, "rounds": 3, "quick": False}, "workloads": list(entries),
            "scaling": list(points), "must_reach": []}


@pytest.fixture(scope="module")
def measured(tmp_path_factory):
    """One command, with everything that it can do."""
    folder = tmp_path_factory.mktemp("engines")
    curves = {name: replace(scaling.CURVES[name], quick=(2, 4)) for name in ("depth", "chain")}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scaling, "CURVES", curves)
        engines.main(["--quick", "--steady", "--workloads", "W1,W9", "--rounds", "2", "--scaling",
                      "--engines", "numpy,ours,numpy-optimised,numpy-blocked",
                      "--json", str(folder / "new" / "found.json"), "--plot", str(folder)])
    return json.loads((folder / "new" / "found.json").read_text()), folder


def test_one_command_measures_writes_and_draws(measured):
    found, folder = measured
    assert found["format"] == 1 and found["benchmark"] == "engines" and found["complete"] and found["seed"] == 0
    assert found["command"].startswith("python benchmarks/engines.py --quick --steady")
    assert found["settings"] == {"regime": "steady", "rounds": 2, "seconds": 0.02, "kernels": None, "quick": True,
                                 "engines": ["ours", "numpy", "numpy-optimised", "numpy-blocked"]}
    assert found["versions"]["numpy"] == np.__version__ and found["versions"]["tinygrad_nuc"] == tn.__version__
    assert found["machine"]["cpu"]["usable_cores"] >= 1 and found["machine"]["gpu"] is None
    assert [w["name"] for w in found["workloads"]] == ["W1", "W9"]
    for w in found["workloads"]:
        assert list(w["engines"]) == ["ours", "numpy", "numpy-optimised"]
        assert w["left_out"] == {"numpy-blocked": "it does not do that"} and w["smaller"] is False
        for own in w["engines"].values():
            assert own["agrees"] is True and own["difference"] < 1e-5
            assert len(own["rounds"]) == 2 and own["lowest"] <= own["seconds_per_step"] <= own["highest"]
            assert own["steps_per_round"] >= 1 and own["peak_bytes"] >= 0 and own["page_faults_per_step"] >= 0
            assert 1 <= len(own["first_steps_seconds"]) <= 3 and min(own["first_steps_seconds"]) > 0
            assert own["keeps_freed_memory"] != "not asked for" and own["version"]
    xor = found["workloads"][0]
    assert xor["engines"]["numpy"]["result"] == pytest.approx(xor["reference"], rel=1e-5)
    assert [(p["curve"], p["size"], p["units"]) for p in found["scaling"]] == [
        ("depth", 2, 3), ("depth", 4, 5), ("chain", 2, 2), ("chain", 4, 4)]
    assert all(own["agrees"] for p in found["scaling"] for own in p["engines"].values())
    goals = {(g["workload"], g["goal"]): g["state"] for g in found["must_reach"]}
    assert goals["W1", "tinygrad_nuc / NumPy by hand"] in ("met", "missed")
    assert goals["W1", "tinygrad_nuc / PyTorch"] == "not measured here: PyTorch: did not take part"
    assert goals["W2", "tinygrad_nuc / PyTorch"] == "not measured here: W2 was not run"
    assert {p.name for p in folder.iterdir()} == {"new"} | {
        f"engines-steady-{name}.{kind}" for name in ("ratios", "scaling") for kind in ("png", "svg")}


def test_results_can_be_shown_again(measured, tmp_path, capsys):
    found, folder = measured
    engines.main(["--show", str(folder / "new" / "found.json"), "--plot", str(tmp_path)])
    printed = capsys.readouterr().out
    assert "| µs per step (× NumPy by hand) | W1 | W9 |" in printed and "| NumPy by hand, optimised |" in printed
    assert "- NumPy by hand, in blocks: W1, W9: it does not do that" in printed
    assert "Regime: steady; 2 rounds, quick" in printed
    for path in tmp_path.glob("*.svg"):
        assert path.read_bytes() == (folder / path.name).read_bytes()


@pytest.mark.parametrize(("options", "message"), [
    (["--workloads", "W1,W99"], "W99 is not among W1, W2"), (["--engines", "theano"], "theano is not among ours,"),
    (["--engines", ","], "nothing is not among"), (["--rounds", "0"], "--rounds must be at least 1")])
def test_options_that_cannot_be(capsys, options, message):
    with pytest.raises(SystemExit) as status:
        engines.main(options)
    assert status.value.code == 2 and message in capsys.readouterr().err


def test_who_takes_part_without_being_asked():
    everybody = list(ENGINES)
    assert engines.chosen(engines.arguments([])) == everybody
    assert engines.chosen(engines.arguments(["--steady"])) == [name for name in everybody if name != "ours-kept"]
    assert engines.chosen(engines.arguments(["--engines", "jax,ours"])) == ["ours", "jax"]


def test_a_process_that_fails_or_ends_is_left_out():
    process = rounds.Process("ours", ON_CPUS["W1"], QUICK)
    try:
        assert process.ask("no_such_thing")["left_out"].startswith("AttributeError: 'Worker' object has no attribute")
        assert process.ask("set_up")["result"] == pytest.approx(rounds.once("numpy", ON_CPUS["W1"], QUICK)["result"])
        assert process.ask("time", 5.0, patience=0.0) == {"left_out": "no answer within 0 s"}
        process.process.kill()
        process.process.wait()
        assert process.ask("time", 0.01) == {"left_out": "its process ended with status -9"}
    finally:
        process.close()


def test_who_fails_in_the_middle_loses_its_place_and_the_others_go_on(monkeypatch):
    class Pretended:
        def __init__(self, engine, w, how):
            self.engine, self.times = engine, 0

        def ask(self, name, *arguments, patience=0):
            if name == "set_up":
                return {"result": [1.0 if self.engine != "jax" else 2.0]}
            self.times += 1
            if self.engine == "pytorch" and self.times == 3:
                return {"left_out": "no memory"}
            return {"seconds": {"numpy": 2.0, "ours": 3.0}.get(self.engine, 1.0) * self.times, "steps": 5,
                    "page_faults": 0.5, "cores": 1.0, "cores_of_others": 0.01 * self.times}

        def close(self):
            closed.append(self.engine)

    closed = []
    monkeypatch.setattr(rounds, "Process", Pretended)
    found = rounds.measure(ON_CPUS["W1"], ["ours", "numpy", "pytorch", "jax"], rounds.How(rounds=3))
    assert found["left_out"] == {"pytorch": "no memory"}
    assert sorted(closed) == ["jax", "numpy", "ours", "pytorch", "reference"]
    assert found["engines"]["ours"]["rounds"] == [6.0, 9.0, 12.0]           # the first measurement settles, no more
    assert found["engines"]["ours"]["agrees"] and not found["engines"]["jax"]["agrees"]
    assert found["engines"]["jax"]["difference"] == 1.0
    assert engine_goals.ratio(found, "ours", "numpy") == 1.5


def test_a_disturbed_measurement_is_repeated(monkeypatch):
    class Pretended:
        def __init__(self, *others):
            self.others = list(others)

        def ask(self, name, seconds):
            return {"seconds": len(self.others), "cores_of_others": self.others.pop(0)}

    monkeypatch.setattr(time, "sleep", lambda seconds: None)
    assert rounds.undisturbed(Pretended(0.05, 0), 1) == {"seconds": 2, "cores_of_others": 0.05}
    assert rounds.undisturbed(Pretended(0.9, 0.02, 0), 1) == {"seconds": 2, "cores_of_others": 0.02}
    assert rounds.undisturbed(Pretended(0.9, 0.5, 0.7, 0), 1) == {"seconds": 3, "cores_of_others": 0.5}
    assert rounds.undisturbed(Pretended(None, 0), 1) == {"seconds": 2, "cores_of_others": None}


def test_results_are_compared_with_the_reference():
    assert rounds.compared([1.0, -2.01], {"result": [1.0, -2.0]}, 1e-3) == {
        "difference": pytest.approx(5e-3), "agrees": False}
    assert rounds.compared([1.0, -2.001], {"result": [1.0, -2.0]}, 1e-3)["agrees"]
    assert not rounds.compared([float("nan")], {"result": [1.0]}, 1e-3)["agrees"]
    assert rounds.compared([1.0], {"left_out": "…"}, 1e-3) == {"difference": None, "agrees": False}
    w = worker.Worker("numpy", regimes.INSTALLED, ON_CPUS["W9"])
    a = np.random.default_rng(0).standard_normal((10, 3)).astype(np.float32)
    size, distance = w.numbers(a, worker.Memory())
    assert size == pytest.approx(np.sqrt((a ** 2).mean()), rel=1e-6)
    for wrong in (-a, a[::-1], a * np.float32(1.01)):
        assert not rounds.compared(w.numbers(wrong, worker.Memory()), {"result": [size, distance]}, 1e-3)["agrees"]
    assert w.numbers((np.float32(2), a), worker.Memory()) == [2.0, size, distance]


def test_reasons_name_no_folder_of_this_machine():
    assert worker.reason(ImportError("No module named 'jax'")) == "not installed: No module named 'jax'"
    assert worker.reason(NotImplementedError("no\nsuch thing")) == "no such thing"
    assert worker.reason(ValueError(f"in {worker.ROOT}{os.sep}benchmarks/x.py")) == "ValueError: in benchmarks/x.py"


def test_regimes(monkeypatch):
    monkeypatch.setenv("OPENBLAS_CORETYPE", "Haswell")
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    installed, steady = (regimes.environment(regime) for regime in (regimes.INSTALLED, regimes.STEADY))
    assert "OPENBLAS_CORETYPE" not in installed and "OMP_NUM_THREADS" not in installed
    assert steady["OMP_NUM_THREADS"] == steady["OPENBLAS_NUM_THREADS"] == steady["MKL_NUM_THREADS"] == "1"
    assert regimes.environment(regimes.STEADY, "Zen")["OPENBLAS_CORETYPE"] == "Zen"
    assert blas.kernels() is None or blas.kernels().isalnum()


def test_memory_is_above_what_was_there():
    before = np.ones(6_000_000)             # more than 32 MB: new memory, also where freed memory is kept
    memory = worker.Memory()
    more = np.ones(8_000_000)
    memory.stop()
    assert len(before) < len(more)
    assert memory.peak == pytest.approx(64e6, rel=0.2) or not memory.resets


def test_goals_of_the_steady_regime():
    w2 = entry("W2", ours=(6, 6, 7), numpy=(10, 10, 10), compiled=(2, 2, 2), numpy_optimised=(1, 2, 1),
               pytorch=(30, 30, 30), autograd=(12, 12, 14), mygrad=(9, 9, 9), left_out={"jax": "not installed: no jax"})
    w8 = entry("W8", ours=(0.012, 0.012, 0.012), batch=10_000)
    goals = {(g["workload"], g["goal"]): g for g in engine_goals.must_reach(report(w2, w8, entry("W4", smaller=True)))}
    assert goals["W2", "tinygrad_nuc / NumPy by hand"] == {
        "workload": "W2", "goal": "tinygrad_nuc / NumPy by hand", "wanted": "≤ 0.65", "value": 0.6, "state": "met"}
    assert goals["W2", "tinygrad_nuc / PyTorch"]["state"] == "met"
    compiled = goals["W2", "tinygrad_nuc, tn.compile / NumPy by hand, optimised"]
    assert compiled["value"] == 2.0 and compiled["state"] == "missed"                # the median of the rounds' ratios
    assert goals["W2", "tinygrad_nuc, tn.compile / JAX, jit"]["state"] == (
        "not measured here: JAX, jit: not installed: no jax")
    assert goals["W2", "the fastest other engine in NumPy / tinygrad_nuc"]["value"] == 1.5
    assert goals["W8", "tinygrad_nuc: nanoseconds for each operation"]["value"] == pytest.approx(1200)
    assert goals["W4", "tinygrad_nuc / NumPy by hand"]["state"] == "not measured here: it was smaller in this quick run"
    assert goals["W1", "tinygrad_nuc / NumPy by hand"]["state"] == "not measured here: W1 was not run"
    first = goals["W2", "tinygrad_nuc: ms that its first steps take longer, beyond NumPy by hand's"]
    assert first["value"] == pytest.approx(0, abs=1e-9) and first["wanted"] == "≤ 5" and first["state"] == "met"
    assert sum(g["wanted"].startswith("≤") and " / " in g["goal"] and "memory" not in g["goal"]
               for g in goals.values()) == 33                   # the table: 9 × 4, less W8's three
    wrong = entry("W1", agrees=False, ours=(1, 1, 1), numpy=(1, 1, 1))
    first, *_ = engine_goals.must_reach(report(wrong))
    assert first["state"] == "not measured here: the result of tinygrad_nuc is another"


def test_goals_as_installed():
    w5 = entry("W5", ours=(2, 2, 2), compiled=(1, 1, 1), numpy_optimised=(1, 1, 1), pytorch=(1.5, 1.5, 1.5))
    w5["engines"]["ours"]["peak_bytes"] = 1_600_000
    goals = {(g["workload"], g["goal"]): g for g in engine_goals.must_reach(report(w5, regime=regimes.INSTALLED))}
    assert goals["W5", "tinygrad_nuc, tn.compile / PyTorch"]["state"] == "met"
    assert goals["W5", "tinygrad_nuc / PyTorch"]["state"] == "missed"
    assert goals["W5", "peak memory, tinygrad_nuc / NumPy by hand, optimised"]["value"] == 1.6
    assert goals["W5", "peak memory, tinygrad_nuc, tn.compile / NumPy by hand, optimised"]["state"] == "met"
    assert ("W3", "tinygrad_nuc, keep_freed_memory() / PyTorch") in goals
    assert ("W3", "tinygrad_nuc / PyTorch") not in goals
    assert not any("nanoseconds" in what for _, what in goals)


def test_tables():
    found = report(entry("W1", ours=(2e-5, 2.1e-5, 2e-5), numpy=(1e-5, 1e-5, 1e-5), left_out={"jax": "why"}),
                   entry("W5", numpy=(0.05, 0.05, 0.05), pytorch=(0.1, 0.1, 0.1), left_out={"jax": "why"}))
    found["must_reach"] = engine_goals.must_reach(found)
    printed = engine_tables.summary(found)
    assert "| tinygrad_nuc | 20.0 (× 2.00) | – |" in printed and "| PyTorch | – | 100,000 (× 2.00) |" in printed
    assert "| W1 | tinygrad_nuc / NumPy by hand | ≤ 1.2 | 2 | **missed** |" in printed
    assert "- JAX, jit: W1, W5: why" in printed and "numpy 2.4;" in printed and "torch" not in printed
    assert "Half of the rounds' ratios are within 0% of their median." in printed
    found["workloads"][0]["engines"]["ours"]["agrees"] = False
    assert "20.0 (× 2.00) **another result**" in engine_tables.summary(found)


def test_pictures_show_what_was_measured():
    first = entry("W1", ours=(2, 3, 4), numpy=(1, 1, 1), numpy_optimised=(0.5, 0.25, 0.5), jax=(1, 2, 1))
    ax, = engine_plots.ratios(report(first, entry("W2", numpy=(1, 1, 1)))).axes
    assert ax.get_xscale() == "log" and ax.get_xlabel() == "time of a step / that of NumPy by hand (less is faster)"
    assert [t.get_text() for t in ax.get_yticklabels()] == ["W1: title of W1", "W2: title of W2"]
    places = sorted((float(bars[0].get_xdata()[0]), round(float(bars[0].get_ydata()[0]), 2)) for bars in ax.containers)
    assert places == [(0.5, 0.0), (1.0, 0.0), (1.0, 0.3), (1.0, 1.0), (3.0, -0.3)]
    assert engine_plots.ratios(report(entry("W1", ours=(1, 1, 1)))) is None

    points = [{"curve": "batch", "size": size, "units": size} | entry("", ours=(size * 2e-6,), numpy_optimised=(1e-6,))
              for size in (4, 1)]
    picture = engine_plots.costs(report(points=points))
    ax, = picture.axes
    limit, ours = sorted(ax.lines, key=lambda line: line.get_label())
    assert ours.get_label() == "tinygrad_nuc" and limit.get_label() == "NumPy by hand, optimised: the limit"
    assert list(ours.get_xdata()) == [1, 4] and ours.get_ydata() == pytest.approx([2, 2])
    assert limit.get_ydata() == pytest.approx([1, 0.25])
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("batch size", "time per sample [µs]")
    assert engine_plots.costs(report()) is None


def test_curves_grow_in_one_thing():
    for curve in scaling.CURVES.values():
        first, second = (curve.workload(size) for size in curve.sizes[1:3])
        assert curve.units(curve.sizes[1]) > 0 and first.name != second.name
        same = {"batch": "widths", "width": "batch", "depth": "batch", "chain": "widths"}[curve.name]
        assert getattr(first, same) == getattr(second, same)
    assert scaling.CURVES["depth"].workload(3).widths == (64, 64, 64, 64, 10)
