"""benchmarks/check.py: what has become slower is found, and what cannot be compared is refused."""

import copy
import json
import sys
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parents[1] / "benchmarks"))

import check


def result(**seconds):
    """A report in which NumPy takes a second for each of these workloads, and eager steps take this long."""
    def own(times):
        return {"rounds": times, "agrees": True}
    return {"format": 1, "benchmark": "engines", "blas_kernels": "SkylakeX",
            "machine": {"cpu": {"name": "A CPU", "usable_cores": 2}}, "settings": {"regime": "steady", "quick": False},
            "workloads": [{"name": name, "left_out": {}, "engines": {
                "numpy": own([1.0, 2.0, 1.0]), "ours": own([each, 2 * each, 9.0])}} for name, each in seconds.items()]}


@pytest.fixture
def run(tmp_path, capsys):
    def call(old, new, *options):
        for name, report in (("old", old), ("new", new)):
            (tmp_path / f"{name}.json").write_text(report if isinstance(report, str) else json.dumps(report))
        status = check.main([str(tmp_path / "old.json"), str(tmp_path / "new.json"), *options])
        printed = capsys.readouterr()
        return status, printed.out + printed.err
    return call


def test_nothing_is_slower(run):
    status, printed = run(result(W1=1.0, W2=0.5), result(W1=1.09, W2=0.4))
    assert status == 0 and printed.endswith("nothing is slower\n")
    assert "W1 ours: × 1.000 → × 1.090 of NumPy by hand: +9.0% (allowed: +10%)" in printed
    assert "W2 ours: × 0.500 → × 0.400 of NumPy by hand: -20.0%" in printed


def test_times_are_taken_as_ratios_of_the_same_round(run):
    new = result(W1=1.0)
    for own in new["workloads"][0]["engines"].values():
        own["rounds"] = [3 * seconds for seconds in own["rounds"]]      # everything: a slower day
    assert run(result(W1=1.0), new)[0] == 0


@pytest.mark.parametrize(("name", "factor", "options", "status"), [
    ("W1", 1.12, [], 1), ("W7", 1.12, [], 0), ("W7", 1.25, [], 1), ("W8", 1.35, [], 0), ("W8", 1.45, [], 1),
    ("W1", 1.12, ["--tolerance", "0.2"], 0), ("W8", 1.35, ["--tolerance", "0.2"], 1),
    ("W1", 1.12, ["--engines", "compiled,numpy"], 0)])
def test_tolerances(run, name, factor, options, status):
    found, printed = run(result(**{name: 2.0}), result(**{name: 2.0 * factor}), *options)
    assert found == status and ("slower: " + name in printed) is bool(status)


def test_what_is_missing_or_wrong_now_is_no_success(run):
    new = result(W1=1.0, W2=1.0)
    del new["workloads"][0]["engines"]["ours"]
    new["workloads"][0]["left_out"]["ours"] = "ValueError: what"
    new["workloads"][1]["engines"]["ours"]["agrees"] = False
    status, printed = run(result(W1=1.0, W2=1.0), new)
    assert status == 1
    assert "W1 ours: was measured before; now ours is left out: ValueError: what" in printed
    assert "W2 ours: its result is another than the reference's" in printed


def test_an_engine_or_a_workload_that_is_new_or_was_not_run_is_not_compared(run):
    old, new = result(W1=1.0, W3=1.0), result(W1=1.0, W2=1.0)
    new["workloads"][0]["engines"]["compiled"] = {"rounds": [9.0, 9.0, 9.0], "agrees": True}
    status, printed = run(old, new)
    assert status == 0 and "W2" not in printed and "W3" not in printed and "compiled" not in printed


def changed(path, value):
    report = copy.deepcopy(result(W1=1.0))
    at = report
    for key in path[:-1]:
        at = at[key]
    at[path[-1]] = value
    return report


@pytest.mark.parametrize(("new", "message"), [
    (changed(["settings", "regime"], "as installed"), "they differ in the regime: steady and as installed"),
    (changed(["settings", "quick"], True), "they differ in --quick: False and True"),
    (changed(["machine", "cpu", "name"], "Another"), "they differ in the CPU: A CPU and Another"),
    (changed(["machine", "cpu", "usable_cores"], 8), "they differ in the number of cores: 2 and 8"),
    (changed(["blas_kernels"], "Haswell"), "they differ in OpenBLAS's kernels: SkylakeX and Haswell"),
    (changed(["format"], 2), "has format 2, and this program reads format 1"),
    (changed(["benchmark"], "gpu"), "is not a result of benchmarks/engines.py"),
    (changed(["workloads"], []), "was run without numpy, which all times are divided by"),
    ("[1, 2]", "is not a result of benchmarks/engines.py"), ("no JSON", "cannot be read as JSON"),
    (result(W2=1.0), "they have no workload of ours, compiled in common"),
])
def test_files_that_cannot_be_compared(run, new, message):
    status, printed = run(result(W1=1.0), new)
    assert status == 2 and printed.startswith("cannot be compared: ") and message in printed


def test_a_file_that_is_not_there(tmp_path, capsys):
    assert check.main([str(tmp_path / "a.json"), str(tmp_path / "b.json")]) == 2
    assert "cannot be read as JSON" in capsys.readouterr().err


def test_a_tolerance_must_not_be_negative(run, capsys):
    with pytest.raises(SystemExit) as status:
        run(result(W1=1.0), result(W1=1.0), "--tolerance", "-0.1")
    assert status.value.code == 2 and "--tolerance must not be negative" in capsys.readouterr().err
