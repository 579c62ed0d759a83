"""benchmarks/cpu_vs_gpu.py from end to end: everybody takes part, and nothing is said that was not measured.

No time is asserted. Where a GPU is needed a pretended one stands in: the CPU under the GPU's name.
"""

import json
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import tinygrad_nuc as tn

sys.path.append(str(Path(__file__).parents[1] / "benchmarks"))

import cpu_vs_gpu
import limits
import machine
import ours
import theirs
from workloads import Workload

CPU, GPU, CAPTURED = (ours.NAMES[form] for form in ("cpu", "gpu", "captured"))
TORCH_CPU, TORCH_GPU, TORCH_GRAPH = (theirs.NAMES[form] for form in ("cpu", "gpu", "captured"))


class Captured:
    """As far as a benchmark knows it: the third call is the first one that is made in one launch."""

    def __init__(self, step, reason="", replays=True):
        self.step, self.reason, self.counts, self.calls = step, reason, replays, 0

    @property
    def replays(self):
        return max(0, self.calls - 2) if self.counts else 0

    def __call__(self, *batch):
        self.calls += 1
        return self.step(*batch)


@pytest.fixture
def small(monkeypatch):
    """Little to multiply and copy, and two points in the sweep."""
    monkeypatch.setattr(limits, "SQUARE", {"cpu": 32, "gpu": 32})
    monkeypatch.setattr(limits, "COPIED", {"cpu": 1000, "gpu": 1000})
    monkeypatch.setattr(cpu_vs_gpu, "QUICK_SWEEP", [(8, 4), (8, 16)])


@pytest.fixture
def no_gpu(monkeypatch):
    monkeypatch.setattr(ours, "why_no_gpu", lambda: "no CuPy here")
    monkeypatch.setattr(theirs, "why_no_gpu", lambda: "no CUDA here")


@pytest.fixture
def pretended_gpu(monkeypatch):
    """The CPU as GPU, with a capture that notes how often it was asked."""
    def capture(step):
        captured.append(step)
        return Captured(step)

    captured = []
    monkeypatch.setattr(ours, "why_no_gpu", lambda: "")
    monkeypatch.setattr(ours, "GPU", "cpu")
    monkeypatch.setattr(theirs, "why_no_gpu", lambda: "no CUDA here")
    monkeypatch.setattr(limits, "arrays_of", lambda device: np)
    monkeypatch.setattr(machine, "gpu", lambda: {"name": "NVIDIA Pretended (1 core)", "memory_bytes": 10 ** 9})
    monkeypatch.setattr(tn, "cuda", SimpleNamespace(
        is_available=lambda: True, synchronize=lambda: None, empty_cache=lambda: None, capture=capture,
        memory_allocated=lambda: 512, mem_get_info=lambda: (10 ** 9, 2 * 10 ** 9)), raising=False)
    return captured


def run(folder, *options):
    cpu_vs_gpu.main(["--quick", "--rounds", "2", "--output", str(folder), *options])
    path, = folder.glob("*.json")
    return json.loads(path.read_text()), path


def test_one_command_measures_writes_draws_and_says_what_it_left_out(small, no_gpu, tmp_path, capsys):
    report, path = run(tmp_path / "new", "--no-torch", "--workloads", "W1", "W7", "sweep", "leak")
    printed = capsys.readouterr().out
    assert report["complete"] and report["command"].startswith("python benchmarks/cpu_vs_gpu.py --quick --rounds 2")
    assert path.name == f"{report['date'][:10]}-{machine.short_name(report['machine'])}-quick.json"
    assert report["versions"]["numpy"] == np.__version__ and report["versions"]["tinygrad_nuc"] == tn.__version__
    assert report["machine"]["gpu"] is None and report["machine"]["cpu"]["usable_cores"] >= 1
    assert report["seed"] == 0 and "OMP_NUM_THREADS" in report["threads"]
    assert set(report["ceilings"]["cpu"]) == {"copy", "float32"}
    why = {item["what"]: item["why"] for item in report["left_out"]}
    assert why == {GPU: "no CuPy here", CAPTURED: "no CuPy here", TORCH_CPU: "--no-torch", TORCH_GPU: "--no-torch",
                   TORCH_GRAPH: "--no-torch", "growth of device memory": "no GPU"}
    assert all(f"{what}: {reason}" in printed for what, reason in why.items())
    assert [w["name"] for w in report["workloads"]] == ["W1", "W7"]
    assert [(p["width"], p["batch"]) for p in report["sweep"]] == [(8, 4), (8, 16)]
    for entry in report["workloads"] + report["sweep"]:
        found = entry["times"][CPU]
        assert list(entry["times"]) == [CPU] and entry["agrees"] is None        # there is nothing to compare with
        assert len(found["rounds"]) == 2 and found["lowest"] <= found["seconds_per_step"] <= found["highest"]
        assert found["seconds_per_sample"] == found["seconds_per_step"] / entry["batch"]
        assert entry["limit_seconds"]["cpu"] > 0
    assert {goal["state"] for goal in report["must_reach"]} == {"not measured here: no GPU"}
    assert {goal["value"] for goal in report["must_reach"]} == {None}
    assert report["crossover"] == [] and report["leak"] == {"not_measured_because": "no GPU"}
    pictures = sorted(p.name.removeprefix(path.stem) for p in path.parent.iterdir() if p != path)
    assert pictures == ["-time.png", "-time.svg", "-workloads.png", "-workloads.svg"]    # a speedup needs two

    before = {p: p.read_bytes() for p in path.parent.glob("*.svg")}
    cpu_vs_gpu.main(["--show", str(path)])
    assert {p: p.read_bytes() for p in path.parent.glob("*.svg")} == before
    assert "not measured here: no GPU" in capsys.readouterr().out


def test_with_a_gpu_everything_is_compared(small, pretended_gpu, tmp_path, capsys):
    report, path = run(tmp_path, "--no-torch", "--workloads", "M1", "W4", "E3", "sweep", "leak")
    assert path.name == f"{report['date'][:10]}-pretended-quick.json"
    assert len(pretended_gpu) == 6                                              # each workload and point, and the leak
    assert report["settings"]["devices"] == ["cpu", "gpu"]
    for entry in report["workloads"] + report["sweep"]:
        assert list(entry["times"]) == [CPU, GPU, CAPTURED]
        assert entry["agrees"] is True and entry["difference"] == 0             # it is the CPU, three times
        results = [found["result"] for found in entry["results"].values()]
        assert results[0] == results[1] == results[2] and np.isfinite(results[0]).all()
    by_name = {w["name"]: w for w in report["workloads"]}
    for device, who in (("cpu", CPU), ("gpu", CAPTURED)):
        w, found = by_name["W4"], by_name["W4"]["times"][who]
        assert found["share_of_product_ceiling"] == pytest.approx(
            w["flops"] / found["seconds_per_step"] / w["ceilings"][device]["per_second"], rel=1e-12)
        found = by_name["E3"]["times"][who]
        assert found["share_of_copy_bandwidth"] == pytest.approx(
            7 * 4 * 2 ** 18 / found["seconds_per_step"] / report["ceilings"][device]["copy"]["per_second"], rel=1e-12)
    assert report["leak"] | {"held_bytes": 0} == {
        "workload": "M1", "steps": 500, "every": 50, "held_bytes": 0, "used_bytes_of_the_gpu": [10 ** 9] * 11,
        "growth_bytes": 0, "growth_of_the_gpu_bytes": 0}
    assert [(c["width"], c["who"], c["measured_batches"]) for c in report["crossover"]] == [
        (8, GPU, [4, 16]), (8, CAPTURED, [4, 16])]
    states = {goal["goal"]: goal["state"] for goal in report["must_reach"]}
    assert states["3-64-64-1, batch 256: PyTorch eager / captured"] == f"not measured here: {TORCH_GPU}: --no-torch"
    assert states["elementwise, GELU: share of copy bandwidth"] == "not measured here: E2 was not run"
    assert states["elementwise, Adam's step: share of copy bandwidth"] == (
        "not measured here: E3 was smaller in this quick run")
    assert states["growth of device memory over 10,000 captured steps, in bytes"] == (
        "not measured here: only 500 steps in this run")
    assert sum(1 for p in tmp_path.iterdir() if p.suffix == ".png") == 3


@pytest.mark.parametrize(("breaks", "why"), [
    (lambda step: (_ for _ in ()).throw(RuntimeError("no such\nthing")), "RuntimeError: no such thing"),
    (lambda step: SimpleNamespace(), "TypeError: 'types.SimpleNamespace' object is not callable"),
    (lambda step: Captured(step, "a branch on a value"), "it was not captured: a branch on a value"),
    (lambda step: Captured(step, replays=False), "it was not captured: no call of it was made in one launch"),
])
def test_who_fails_is_left_out_and_the_others_go_on(small, pretended_gpu, tmp_path, monkeypatch, breaks, why):
    monkeypatch.setattr(tn.cuda, "capture", breaks)
    report, _ = run(tmp_path, "--no-torch", "--workloads", "W2", "leak")
    entry, = report["workloads"]
    assert list(entry["times"]) == [CPU, GPU] and entry["left_out"] == {CAPTURED: why}
    assert {"what": CAPTURED, "why": why, "where": "W2"} in report["left_out"]
    assert report["leak"] == {"not_measured_because": why.replace("it was", "the step was", 1)}
    assert report["must_reach"][-1]["state"] == f"not measured here: {why.replace('it was', 'the step was', 1)}"


def test_a_different_result_is_no_result(small, pretended_gpu, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(tn.cuda, "capture", lambda step: Captured(lambda *batch: step(*batch) * 1.01))
    report, _ = run(tmp_path, "--no-torch", "--workloads", "M1")
    entry, = report["workloads"]
    assert entry["agrees"] is False and entry["difference"] == pytest.approx(0.01 / 1.01, rel=1e-4)
    assert "RESULTS DIFFER" in capsys.readouterr().out
    assert report["must_reach"][0]["state"] == "not measured here: the results of M1 differ"


def test_pytorch_on_the_cpu_has_the_same_results(small, no_gpu, tmp_path):
    pytest.importorskip("torch")
    report, path = run(tmp_path, "--workloads", "W1", "W2", "W6", "W7", "E2", "E3", "sweep")
    for entry in report["workloads"] + report["sweep"]:
        assert list(entry["times"]) == [CPU, TORCH_CPU] and entry["agrees"] is True
        assert entry["difference"] < 1e-5
    assert path.with_name(f"{path.stem}-speedup.svg").exists()


def test_pytorchs_steps_before_a_capture_are_undone():
    torch = pytest.importorskip("torch")
    w = Workload("", "", "mlp", (3, 4, 2), 5, optimizer="momentum", lr=0.1, batches=1)
    step, data, _, numbers = theirs.training(w, "cpu", capturable=False)
    first = [numbers(step(*data[0])) for _ in range(4)]
    step, data, restore, numbers = theirs.training(w, "cpu", capturable=True)
    for _ in range(theirs.WARM_UP):
        step(*data[0])
    restore()
    assert [numbers(step(*data[0])) for _ in range(4)] == first
    assert torch.is_grad_enabled()


@pytest.mark.parametrize("device", ["cpu", "gpu"])
def test_ceilings_are_of_products_as_a_step_has_them(pretended_gpu, device):
    found = limits.largest_product(Workload("", "", "mlp", (8, 32, 2), 16), device, 1, 1e-4)
    assert sorted(found["shape"]) == [8, 16, 32] and found["which"] in ("forward", "weights")
    assert found["per_second"] == pytest.approx(2 * 8 * 16 * 32 / found["seconds"])


@pytest.mark.parametrize(("options", "message"), [
    (["--workloads", "W99"], "invalid choice: 'W99'"), (["--rounds", "0"], "--rounds must be at least 1"),
    (["--device", "gpu"], "--device gpu: no CuPy here"),
])
def test_options_that_cannot_be(no_gpu, capsys, options, message):
    with pytest.raises(SystemExit) as status:
        cpu_vs_gpu.main(options)
    assert status.value.code == 2 and message in capsys.readouterr().err


def test_what_does_not_begin_in_time_is_left_out(small, no_gpu, tmp_path):
    report, _ = run(tmp_path, "--no-torch", "--minutes", "0", "--workloads", "W1", "W2")
    assert report["complete"] and not report["workloads"]
    assert [item["where"] for item in report["left_out"] if "--minutes 0" in item["why"]] == ["W1", "W2"]
