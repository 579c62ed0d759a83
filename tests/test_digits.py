"""The demo that reads digits: what it promises, on the small images, and on files in the idx format."""

import csv
import gzip
import re
import struct
import subprocess
import sys

import numpy as np
import pytest
from demo_helpers import DEMOS, quick, run
from PIL import Image

import tinygrad_nuc as tn
from tinygrad_nuc.utils.demo import end_in_one_line

PICTURES = {"history.png", "confusion_matrix.png", "mistakes.png", "first_layer.png"}


@pytest.fixture(scope="module", params=["mlp", "cnn"])
def found(request):
    return quick("digits") if request.param == "mlp" else run("digits", "--quick", "--model", "cnn")


def report_of(found):
    return (found.folder / "report.txt").read_text("utf-8")


def share(report):
    return float(re.search(r"([\d.]+) ± [\d.]+ are read rightly", report)[1])


def test_quick_mode_reads_the_small_images(found):
    assert share(report_of(found)) > 0.94 and found.demo.compared == 2 and not found.demo.missed
    with open(found.folder / "history.csv") as file:
        rows = [{name: float(x) for name, x in row.items()} for row in csv.DictReader(file)]
    assert len(rows) == 10 and rows[-1]["train_loss"] < rows[0]["train_loss"] / 8
    assert rows[0]["lr"] > 1e-3 > 1e-6 > rows[-1]["lr"]                 # up, and down to almost nothing


def test_it_leaves_pictures_a_card_and_weights(found):
    assert {p.name for p in found.folder.glob("*.png")} == PICTURES == set(found.demo.pictures)
    for name in PICTURES:
        with Image.open(found.folder / name) as picture:                # and close the file
            assert min(picture.size) > 150 and len(picture.convert("L").getcolors()) > 20
    card = (found.folder / "model_card.md").read_text("utf-8")
    assert card.count("\n## ") == 9 and "1,234 samples of (1, 8, 8) float32" in card
    model = found.network("cnn" if "Conv2d" in card else "mlp", 8)
    model.load_state_dict(tn.load(found.folder / "weights.npz"))
    right = (model.eval()(tn.tensor(found.x_test[:, None])).argmax(1).numpy() == found.y_test).mean()
    assert len(found.y_test) == 450 and round(right, 4) == share(report_of(found))


def test_the_networks_have_the_lectures_sizes(found):
    count = {name: sum(p.numel() for p in found.network(name, 28).parameters()) for name in ("mlp", "cnn", "course")}
    assert count == {"mlp": 101_770, "cnn": 105_866, "course": 669_706}
    assert sum(p.numel() for p in found.network("course", 8).parameters()) == 301_066


def test_the_courses_network_learns_slowly_with_its_plain_steps():
    found = run("digits", "--quick", "--model", "course", "--epochs", "8")
    assert type(found.optimizer).__name__ == "SGD" and set(found.trainer.history["lr"]) == {1e-3}
    assert found.batch_size == 64 and found.trainer.step == 8 * 20
    losses = found.trainer.history["train_loss"]
    assert np.all(np.diff(losses) < 0) and 2.2 < losses[-1] < losses[0] < 2.32      # ln 10 = 2.3026
    assert found.demo.compared == 1                                 # other settings: no promise of its accuracy


def idx(array):
    head = b"\0\0\x08" + bytes([array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    return head + array.astype(np.uint8).tobytes()


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


def test_files_of_ones_own_and_going_on(collection, tmp_path):
    def report(epochs, name, *options):
        run("digits", "--data", str(collection), "--epochs", str(epochs), "--batch-size", "50", "--output",
            str(tmp_path / name), *options)
        return (tmp_path / name / "report.txt").read_text("utf-8")
    kept = ["--checkpoints", str(tmp_path / "checkpoints")]
    whole = report(4, "whole", *kept)
    assert share(whole) > 0.95 and "550 images of 12 × 12 pixels" in whole and whole.count("✓") == 1
    again = report(4, "again", *kept)                       # nothing left to do: the same network
    assert again == whole and report(4, "alone") == whole
    report(1, "shorter", *kept)                             # with other settings: a run of its own
    report(1, "seeded", *kept, "--seed", "9")
    assert sorted(folder.name for folder in (tmp_path / "checkpoints").iterdir()) == [
        "mlp-12px-epochs-1-batch-50-lr-0.005-seed-1", "mlp-12px-epochs-1-batch-50-lr-0.005-seed-9",
        "mlp-12px-epochs-4-batch-50-lr-0.005-seed-1"]
    out = tmp_path / "seeded"
    assert "1 epoch, 11 steps" in (out / "model_card.md").read_text("utf-8")

    before = {p.name: p.read_bytes() for p in out.iterdir()}            # a run that fails leaves it as it is
    (collection / "mnist-train-labels-idx1-ubyte").write_bytes(b"hello")
    done = subprocess.run([sys.executable, str(DEMOS / "digits.py"), "--data", str(collection), "--output", str(out)],
                          capture_output=True, text=True, encoding="utf-8", check=False)
    assert done.returncode == 2 and done.stderr.startswith("error: ") and done.stderr.count("\n") == 1
    assert before == {p.name: p.read_bytes() for p in out.iterdir()}


@pytest.mark.parametrize(("spoil", "message"), [
    (lambda folder: (folder / "mnist-train-labels-idx1-ubyte").unlink(), "there is no train-labels-idx1-ubyte"),
    (lambda folder: (folder / "mnist-train-labels-idx1-ubyte").write_bytes(idx(np.zeros(7))), "labels of shape (7,)"),
    (lambda folder: (folder / "mnist-t10k-labels-idx1-ubyte").write_bytes(idx(np.full(100, 11))), "from 0 to 9"),
    (lambda folder: (folder / "mnist-t10k-labels-idx1-ubyte").write_bytes(b"hello"), "mnist-t10k-labels-idx1-ubyte"),
])
def test_files_that_do_not_fit_are_refused_in_one_line(collection, tmp_path, capsys, spoil, message):
    spoil(collection)
    with pytest.raises((OSError, ValueError)) as refused:
        run("digits", "--data", str(collection), "--output", str(tmp_path / "out"))
    with pytest.raises(SystemExit) as stopped:              # what sys.excepthook does with it
        end_in_one_line(None, refused.type, refused.value, refused.tb)
    error = capsys.readouterr().err
    assert stopped.value.code == 2 and message in error and error.startswith("error: ") and error.count("\n") == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(("options", "message"), [
    (["--quick", "--data", "x"], "give one of --quick, --data and --download"),
    (["--download", "--data", "x"], "give one of --quick, --data and --download"),
    (["--seed", "-1"], "--seed must be a whole number"), (["--model", "rnn"], "invalid choice: 'rnn'")])
def test_options_that_make_no_sense(capsys, options, message):
    with pytest.raises(SystemExit) as stopped:
        run("digits", *options)
    assert stopped.value.code == 2 and message in capsys.readouterr().err
