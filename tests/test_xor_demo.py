"""The demo of exclusive or: the lecture's numbers, its pictures, and a page on which every number can be checked."""

import json
import re
import runpy
import warnings
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from calculator import check
from PIL import Image

import tinygrad_nuc as tn
from tinygrad_nuc.inspect.stepping.page_data import shareable

DEMO = Path(__file__).parents[1] / "demos" / "xor.py"


@pytest.fixture(scope="module")
def demo():
    return SimpleNamespace(**runpy.run_path(str(DEMO), run_name="xor"))


@pytest.fixture(scope="module")
def quick(demo, tmp_path_factory):
    folder = tmp_path_factory.mktemp("xor") / "out"
    with warnings.catch_warnings(action="error"):
        assert demo.main(["--quick", "--output", str(folder)]) == 0
    return folder


def page_data(page):
    text = page.read_text("utf-8")
    return json.loads(re.search(r'<script type="application/json"[^>]*>(.*?)</script>', text, re.S)[1])


def test_quick_mode_solves_it_and_shows_the_stalled_start(quick):
    report = (quick / "report.txt").read_text("utf-8")
    assert "all weights 1:  loss 0.26907 → 0.167" in report and "all four are right" in report
    assert {p.name for p in quick.iterdir() if p.name[0] != "."} == {
        "boundary.png", "graph.svg", "losses.png", "report.txt", "xor.html"}
    for name in ("boundary.png", "losses.png"):
        with Image.open(quick / name) as picture:               # and close the file
            assert min(picture.size) > 400


def test_the_full_training_comes_to_the_lectures_numbers(demo):
    tn.manual_seed(8)
    model = demo.network()
    losses = demo.train(model, 10_000, 0.1)
    assert losses[-1] == pytest.approx(0.0012, abs=1e-4)
    np.testing.assert_allclose(model(demo.X).numpy().ravel(), [0.03, 0.96, 0.96, 0.03], atol=0.005)
    slide = demo.all_ones(demo.network())
    losses = demo.train(slide, 10_000, 0.1)
    assert (losses[0], losses[-1]) == (pytest.approx(0.26907, abs=5e-6), pytest.approx(0.16833, abs=5e-6))
    np.testing.assert_allclose(slide(demo.X).numpy().ravel(), [0.042, 0.665, 0.665, 0.669], atol=6e-4)
    weights = slide[0].weight.data
    assert (weights[0] == weights[1]).all()                         # both hidden units are the same


def test_it_ends_by_naming_the_page(demo, tmp_path, capsys):
    assert demo.main(["--quick", "--epochs", "3", "--output", str(tmp_path / "out")]) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith("open ") and Path(last.split()[1]).is_file()


def test_every_line_of_the_page_agrees_with_a_calculator(quick):
    data = page_data(quick / "xor.html")
    assert len(data["rounds"]) == 4 and len(data["graphs"]) == 1
    lines = [line for part in data["rounds"] for step in part["steps"]
             for key in ("hand", "sumhand") for _, line in step.get(key, [])]
    lines += [line for part in data["rounds"] for value in part["values"] for _, line in value.get("hand", [])]
    calculated = [line for line in lines if " = " in line]
    assert len(calculated) > 100 and not any("≈" in line for line in lines)
    for line in calculated:
        check(line)


def test_the_page_names_files_but_not_the_folders_of_this_machine(quick):
    text = (quick / "xor.html").read_text("utf-8")
    assert "xor.py:" in text and "tinygrad_nuc/operations/affine.py:" in text
    assert str(DEMO.parents[1]) not in text
    for line, shown in (("/home/anna/xor.py:7: y = a / b", "xor.py:7: y = a / b"), ("<stdin>:1: a / b", "<stdin>:1: a / b"),
                        (r"C:\lib\tinygrad_nuc\nn\a.py:3", "tinygrad_nuc/nn/a.py:3"), ("", "")):
        assert shareable(line) == shown


def test_every_operation_update_and_rule_of_a_step_has_its_line(quick):
    data = page_data(quick / "xor.html")
    nodes = data["graphs"][0]["nodes"]
    for part in data["rounds"]:
        for node, value in zip(nodes, part["values"], strict=True):
            assert node["operation"] == "" or len(value["hand"]) == int(np.prod(node["shape"])) > 0
        for step in part["steps"]:
            if step["kind"] in ("backward", "update"):
                assert len(step["hand"]) >= 1
        kinds = [step["kind"] for step in part["steps"]]
        assert kinds.count("update") == kinds.count("store") == 4 and kinds.count("forward") == 7


def test_the_numbers_of_the_page_are_those_of_the_training(demo, quick):
    """One step after the other, computed by hand in NumPy."""
    tn.manual_seed(8)
    model = demo.network()
    w, b, v, c = (p.data.copy() for p in model.parameters())
    data = page_data(quick / "xor.html")
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


def test_bad_settings_are_refused_in_one_line(demo, tmp_path, capsys):
    with pytest.raises(SystemExit):
        demo.main(["--epochs", "0", "--output", str(tmp_path / "out")])
    assert "--epochs must be at least 1" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
