"""The demo of exclusive or: the lecture's numbers, its pictures, and a page on which every number can be checked."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from calculator import check
from demo_helpers import DEMOS, quick, run
from PIL import Image

import tinygrad_nuc as tn
from tinygrad_nuc import nn
from tinygrad_nuc.inspect import Snapshots
from tinygrad_nuc.inspect.stepping.page_data import shareable


@pytest.fixture(scope="module")
def demo():
    return quick("xor")


def page_data(page):
    text = page.read_text("utf-8")
    return json.loads(re.search(r'<script type="application/json"[^>]*>(.*?)</script>', text, re.S)[1])


def test_quick_mode_solves_it_and_shows_the_stalled_start(demo):
    report = (demo.folder / "report.txt").read_text("utf-8")
    assert "all weights 1: loss 0.26907 → 0.16833, 3 of 4 answers right" in report
    assert "random start 8: loss 0.27042 → 0.00121, 4 of 4 answers right" in report
    assert {p.name for p in demo.folder.iterdir() if p.name[0] != "."} == {
        "boundary.png", "graph.svg", "losses.png", "report.txt", "xor.html"}
    for name in ("boundary.png", "losses.png"):
        with Image.open(demo.folder / name) as picture:         # and close the file
            assert min(picture.size) > 400


def test_the_full_training_comes_to_the_lectures_numbers(demo):
    tn.manual_seed(8)
    model = demo.network()
    losses = demo.train(model, 10_000, 0.1, Snapshots())
    assert losses[-1] == pytest.approx(0.0012, abs=1e-4)
    np.testing.assert_allclose(model(demo.X).numpy().ravel(), [0.03, 0.96, 0.96, 0.03], atol=0.005)
    slide = demo.network()
    for name, p in slide.named_parameters():
        nn.init.constant_(p, 1.0 if name.endswith("weight") else 0.0)
    losses = demo.train(slide, 10_000, 0.1, Snapshots())
    assert (losses[0], losses[-1]) == (pytest.approx(0.26907, abs=5e-6), pytest.approx(0.16833, abs=5e-6))
    np.testing.assert_allclose(slide(demo.X).numpy().ravel(), [0.042, 0.665, 0.665, 0.669], atol=6e-4)
    weights = slide[0].weight.data
    assert (weights[0] == weights[1]).all()                         # both hidden units are the same


def test_the_slides_start_ends_there_in_quick_mode_too(demo):
    assert demo.args.epochs * demo.args.lr == 1000                  # as far as 10,000 epochs with 0.1
    assert demo.curves["all weights 1"][-1] == pytest.approx(0.16833, abs=1e-5)
    np.testing.assert_allclose(demo.answers["all weights 1"], [0.042, 0.665, 0.665, 0.669], atol=6e-4)
    assert (demo.slide[0].weight.data[0] == demo.slide[0].weight.data[1]).all()


def test_as_many_random_starts_learn_as_in_the_lecture(demo):
    shares = dict(zip(demo.schemes, demo.solved.mean(axis=1), strict=True))
    assert shares == {"normal": pytest.approx(0.55, abs=0.1), "Glorot uniform": pytest.approx(0.60, abs=0.1),
                      "uniform ±1": pytest.approx(0.64, abs=0.1), "uniform 0 to 1": pytest.approx(0.85, abs=0.1)}
    assert demo.solved.shape == demo.ends.shape == (4, demo.starts) and demo.starts >= 250
    assert np.median(demo.ends[demo.solved]) == pytest.approx(0.0012, abs=1e-4)
    failed = demo.ends[~demo.solved]
    plateau = np.minimum(abs(failed - 0.126), abs(failed - 0.168))
    assert np.mean(plateau < 0.002) > 0.9
    losses = ((demo.y_hats.data - demo.Y.data) ** 2).mean(axis=(1, 2))
    np.testing.assert_allclose(losses, demo.ends.ravel(), rtol=1e-5)
    for values in (demo.W, demo.v, demo.b, demo.c):
        assert values.shape[0] == 4 * demo.starts


def test_each_kind_of_start_is_what_its_name_says(demo):
    tn.manual_seed(0)
    first = {name: draw(tn.zeros(2000, 2, 2)).numpy() for name, draw in demo.schemes.items()}
    last = demo.schemes["Glorot uniform"](tn.zeros(2000, 2, 1)).numpy()
    assert (first["normal"].mean(), first["normal"].std()) == (pytest.approx(0, abs=0.05), pytest.approx(1, abs=0.05))
    for values, low, high in ((first["uniform ±1"], -1, 1), (first["uniform 0 to 1"], 0, 1),
                              (first["Glorot uniform"], -1.5 ** 0.5, 1.5 ** 0.5), (last, -2 ** 0.5, 2 ** 0.5)):
        assert low <= values.min() < low + 0.01 and high - 0.01 < values.max() <= high


def test_it_ends_by_naming_the_page():
    short = run("xor", "--quick", "--epochs", "3")                  # too short to compare, but no failure
    last = short.printed.splitlines()[-1]
    assert last.startswith("open ") and Path(last.split()[1]).is_file()
    assert short.demo.compared == 0 and "nothing is compared" in short.printed


def test_every_line_of_the_page_agrees_with_a_calculator(demo):
    data = page_data(demo.folder / "xor.html")
    assert len(data["rounds"]) == 4 and len(data["graphs"]) == 1
    lines = [line for part in data["rounds"] for step in part["steps"]
             for key in ("hand", "sumhand") for _, line in step.get(key, [])]
    lines += [line for part in data["rounds"] for value in part["values"] for _, line in value.get("hand", [])]
    calculated = [line for line in lines if " = " in line]
    assert len(calculated) > 100 and not any("≈" in line for line in lines)
    for line in calculated:
        check(line)


def test_the_page_names_files_but_not_the_folders_of_this_machine(demo):
    text = (demo.folder / "xor.html").read_text("utf-8")
    assert "xor.py:" in text and "tinygrad_nuc/operations/affine.py:" in text
    assert str(DEMOS.parent) not in text
    for line, shown in (("/home/anna/xor.py:7: y = a / b", "xor.py:7: y = a / b"),
                        ("<stdin>:1: a / b", "<stdin>:1: a / b"),
                        (r"C:\lib\tinygrad_nuc\nn\a.py:3", "tinygrad_nuc/nn/a.py:3"), ("", "")):
        assert shareable(line) == shown


def test_every_operation_update_and_rule_of_a_step_has_its_line(demo):
    data = page_data(demo.folder / "xor.html")
    nodes = data["graphs"][0]["nodes"]
    for part in data["rounds"]:
        for node, value in zip(nodes, part["values"], strict=True):
            assert node["operation"] == "" or len(value["hand"]) == int(np.prod(node["shape"])) > 0
        for step in part["steps"]:
            if step["kind"] in ("backward", "update"):
                assert len(step["hand"]) >= 1
        kinds = [step["kind"] for step in part["steps"]]
        assert kinds.count("update") == kinds.count("store") == 4 and kinds.count("forward") == 7


def test_the_numbers_of_the_page_are_those_of_the_training(demo):
    """One step after the other, computed by hand in NumPy."""
    tn.manual_seed(8)
    model = demo.network()
    w, b, v, c = (p.data.copy() for p in model.parameters())
    data = page_data(demo.folder / "xor.html")
    labels = [node["label"] for node in data["graphs"][0]["nodes"]]
    order = [1, 2, 3, 0]
    for part, x, y in zip(data["rounds"], demo.X.data[order], demo.Y.data[order], strict=True):
        shown = dict(zip(labels, (value["text"] for value in part["values"]), strict=True))
        h = np.tanh(w @ x + b)
        y_hat = 1 / (1 + np.exp(-(v @ h + c)))
        for name, expected in (("model.0.weight", w), ("model.0.bias", b), ("model.2.weight", v), ("model.2.bias", c),
                               ("v2", h[None]), ("y_hat", y_hat[None]), ("loss", ((y_hat - y) ** 2).sum())):
            numbers = re.findall(r"-?\d+\.?\d*(?:e-?\d+)?", shown[name].replace("−", "-"))
            np.testing.assert_allclose(np.array(numbers, float), np.ravel(expected), rtol=1e-5)
        d = 2 * (y_hat - y) * y_hat * (1 - y_hat)
        e = d * v[0] * (1 - h ** 2)
        w, b, v, c = w - 0.5 * np.outer(e, x), b - 0.5 * e, v - 0.5 * d * h, c - 0.5 * d


def test_bad_settings_are_refused(tmp_path):
    with pytest.raises(ValueError, match="--epochs must be at least 1, not 0"):
        run("xor", "--epochs", "0", "--output", str(tmp_path / "out"))
    assert not (tmp_path / "out").exists()
