"""The demo that reads digits: what it promises, on the small images, and on files in the idx format."""

import csv
import gzip
import re
import runpy
import struct
import warnings
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import tinygrad_nuc as tn

DEMO = Path(__file__).parents[1] / "demos" / "digits.py"
PICTURES = {"history.png", "confusion_matrix.png", "mistakes.png", "first_layer.png"}


@pytest.fixture(scope="module")
def demo():
    return SimpleNamespace(**runpy.run_path(str(DEMO), run_name="digits"))


@pytest.fixture(scope="module", params=["mlp", "cnn"])
def quick(request, demo, tmp_path_factory):
    folder = tmp_path_factory.mktemp(request.param) / "out"
    with warnings.catch_warnings(action="error"):
        assert demo.main(["--quick", "--model", request.param, "--output", str(folder)]) == 0
    return folder


def share(report):
    return float(re.search(r"([\d.]+) ± [\d.]+ are read rightly", report)[1])


def test_quick_mode_reads_the_small_images(quick):
    assert share((quick / "report.txt").read_text("utf-8")) > 0.94
    with open(quick / "history.csv") as file:
        rows = [{name: float(x) for name, x in row.items()} for row in csv.DictReader(file)]
    assert len(rows) == 10 and rows[-1]["train_loss"] < rows[0]["train_loss"] / 8
    assert rows[0]["lr"] > 1e-3 > 1e-6 > rows[-1]["lr"]                 # up, and down to almost nothing


def test_it_leaves_pictures_a_card_and_weights(quick, demo):
    assert {p.name for p in quick.glob("*.png")} == PICTURES
    assert all(p.read_bytes().startswith(b"\x89PNG") and p.stat().st_size > 2_000 for p in quick.glob("*.png"))
    card = (quick / "model_card.md").read_text("utf-8")
    assert card.count("\n## ") == 9 and "1,234 samples of (1, 8, 8) float32" in card
    build = demo.convolutional if "Conv2d" in card else demo.plain
    model = build(8)
    model.load_state_dict(tn.load(quick / "weights.npz"))
    _, test = demo.small(1)
    right = (model.eval()(tn.tensor(test.images[:, None])).argmax(1).numpy() == test.labels).mean()
    assert round(right, 4) == share((quick / "report.txt").read_text("utf-8"))


def idx(array):
    return b"\0\0\x08" + bytes([array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.astype(np.uint8).tobytes()


@pytest.fixture
def collection(tmp_path):
    """Files like the well-known ones, some packed: in each image the row that is bright says which digit it is."""
    draw = np.random.default_rng(0)
    for part, n in (("train", 600), ("t10k", 100)):
        labels = draw.integers(0, 10, n)
        images = draw.integers(0, 100, (n, 12, 12))
        images[np.arange(n), labels + 1] += 155
        (tmp_path / f"mnist-{part}-labels-idx1-ubyte").write_bytes(idx(labels))
        (tmp_path / f"{part}-images-idx3-ubyte.gz").write_bytes(gzip.compress(idx(images)))
    return tmp_path


def test_files_of_ones_own_and_going_on(collection, demo, tmp_path, capsys):
    def run(epochs, name, checkpoints=()):
        assert demo.main(["--data", str(collection), "--epochs", str(epochs), "--batch-size", "50", "--output",
                          str(tmp_path / name), *checkpoints]) == 0
        return (tmp_path / name / "report.txt").read_text("utf-8")
    kept = ["--checkpoints", str(tmp_path / "checkpoints")]
    whole = run(4, "whole", kept)
    assert share(whole) > 0.95 and "550 images of 12 × 12 pixels" in whole
    again = run(4, "again", kept)                           # nothing left to do: the same network
    assert again == whole and run(4, "alone") == whole
    run(1, "shorter", kept)                                 # with other settings: a run of its own
    run(1, "seeded", [*kept, "--seed", "9"])
    assert sorted(folder.name for folder in (tmp_path / "checkpoints").iterdir()) == [
        "mlp-12px-epochs-1-batch-50-lr-0.005-seed-1", "mlp-12px-epochs-1-batch-50-lr-0.005-seed-9", "mlp-12px-epochs-4-batch-50-lr-0.005-seed-1"]
    assert "1 epoch, 11 steps" in (tmp_path / "seeded" / "model_card.md").read_text("utf-8")


@pytest.mark.parametrize(("spoil", "message"), [
    (lambda folder: (folder / "mnist-train-labels-idx1-ubyte").unlink(), "there is no train-labels-idx1-ubyte"),
    (lambda folder: (folder / "mnist-train-labels-idx1-ubyte").write_bytes(idx(np.zeros(7))), "labels of shape (7,)"),
    (lambda folder: (folder / "mnist-t10k-labels-idx1-ubyte").write_bytes(idx(np.full(100, 11))), "from 0 to 9"),
    (lambda folder: (folder / "mnist-t10k-labels-idx1-ubyte").write_bytes(b"hello"), "mnist-t10k-labels-idx1-ubyte"),
])
def test_files_that_do_not_fit_are_refused_in_one_line(collection, demo, tmp_path, capsys, spoil, message):
    spoil(collection)
    assert demo.main(["--data", str(collection), "--output", str(tmp_path / "out")]) == 2
    error = capsys.readouterr().err
    assert message in error and error.startswith("error: ") and error.count("\n") == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("options", "message"), [
    (["--quick", "--data", "x"], "give either --quick or --data"), (["--seed", "-1"], "--seed must be a whole number"),
    (["--model", "rnn"], "invalid choice: 'rnn'")])
def test_options_that_make_no_sense(demo, capsys, options, message):
    with pytest.raises(SystemExit) as stopped:
        demo.main(options)
    assert stopped.value.code == 2 and message in capsys.readouterr().err
