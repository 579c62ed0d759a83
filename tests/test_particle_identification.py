"""The main job, tried as a user would: numbers on a smaller sample, the files it leaves, every kind of bad input."""

import contextlib
import csv
import gc
import io
import json
import os
import re
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from demo_helpers import DEMOS, quick, run

import tinygrad_nuc as tn
from tinygrad_nuc import nn, plots
from tinygrad_nuc.simulation import simulate
from tinygrad_nuc.utils.command import BAD_INPUT
from tinygrad_nuc.utils.files import reason

NAME = "particle_identification"
PICTURES = {"variables.png", "responses.png", "roc.png", "confusion_matrices.png", "learning_curve.png",
            "abundance.png"}


@pytest.fixture(scope="session")
def longer():
    """A quick run with a few more epochs."""
    return run(NAME, "--quick", "--epochs", "12")


def report_of(names):
    return (names.folder / "report.txt").read_text("utf-8")


def rows(report, first):
    """The numbers in the lines of a report that begin with a word."""
    return [[float(n.replace(",", "")) for n in re.findall(r"[-+]?\d[\d,]*\.?\d*", line[len(first):])]
            for line in report.splitlines() if line.startswith(first)]


# ---------------------------------------------------------------------- the analysis

def test_the_numbers_are_those_expected():
    found = quick(NAME)
    assert found.demo.missed == []
    assert found.n_parameters == 1217
    assert found.classifiers["ideal"].accuracy == pytest.approx(0.9458, abs=0.007)          # 3 standard errors
    assert found.classifiers["ideal"].auc == pytest.approx(0.986, abs=0.004)
    assert found.classifiers["decision tree"].accuracy == pytest.approx(0.9438, abs=0.010)
    assert found.classifiers["network"].accuracy == pytest.approx(0.9440, abs=0.012)        # of few events and epochs
    assert found.classifiers["network"].auc == pytest.approx(0.9846, abs=0.012)
    errors = [found.measured["network"][method].uncertainty / 12.5**0.5 for method in found.pulls]
    assert errors == pytest.approx([0.0012, 0.0010], abs=0.0004)        # of 10,000 labelled events for 125,000
    assert all(f"{what}:" in report_of(found) for what in (
        "errors of both methods, for 125,000 labelled events",
        "accuracy and AUC, ideal", "accuracy and AUC, decision tree", "accuracy and AUC, network", "parameters",
        "its confusion matrix, for 125,000 events", "U/(n₀n₁) and area under the ROC curve"))


def test_the_classifiers_come_in_the_right_order(longer):
    report = report_of(longer)
    accuracy = {name: rows(report, name)[0][0] for name in ("cuts by hand", "decision tree", "network", "ideal")}
    assert accuracy["ideal"] == pytest.approx(0.9457, abs=0.006)            # ± 2.6 standard errors of 10,000 events
    assert accuracy["network"] > accuracy["ideal"] - 0.010          # 0.0003 below at full size
    assert accuracy["cuts by hand"] == pytest.approx(0.911, abs=0.008)
    assert accuracy["cuts by hand"] < accuracy["decision tree"] <= accuracy["ideal"] + 0.003
    difference, error = rows(report, "network − ideal")[0][:2]
    assert difference < 3 * error


def test_the_table_agrees_with_itself(longer):
    for accuracy, tpr, fpr, auc, *matrix in rows(report_of(longer), "network")[:1]:
        tn_, fp, fn, tp = matrix
        assert sum(matrix) == 10_000 and fp + tn_ == fn + tp == 5_000
        assert accuracy == pytest.approx((tn_ + tp) / 10_000, abs=5e-5)
        assert (tpr, fpr) == (pytest.approx(tp / 5_000, abs=5e-5), pytest.approx(fp / 5_000, abs=5e-5))
        assert auc > rows(report_of(longer), "ideal")[0][3] - 0.010


def test_the_abundance_is_right_within_its_error(longer):
    report = report_of(longer)
    truth = rows(report, "The envelope is opened")[0][0]
    for method in ("adjusted count", "template fit"):
        (value, error, pull) = rows(report, method)[-1]
        assert abs(value - truth) < 3 * error and 0.003 < error < 0.006
        assert pull == pytest.approx((value - truth) / error, abs=0.05)
        assert abs(longer.pulls[method].mean()) < 0.2 and 0.9 < longer.pulls[method].std() < 1.1


def test_the_naive_count_is_right_where_it_is_said_to_be(longer):
    report = report_of(longer)
    _, tpr, fpr, *_ = rows(report, "network")[0]
    f = float(re.search(r"right by accident where the fraction is (\d\.\d+)", report).group(1))
    assert f * tpr + (1 - f) * fpr == pytest.approx(f, abs=0.001)           # q = f, up to the two digits of f


def test_every_picture_is_there(longer):
    pictures = list(longer.folder.glob("*.png"))
    assert {p.name for p in pictures} == PICTURES
    assert all(p.read_bytes().startswith(b"\x89PNG") and p.stat().st_size > 10_000 for p in pictures)


def test_the_saved_network_can_be_used_again(longer):
    scaler = json.loads((longer.folder / "scaler.json").read_text("utf-8"))
    assert scaler["hidden"] == [32, 32]
    model = nn.Sequential(nn.Linear(3, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 1))
    model.load_state_dict(tn.load(longer.folder / "weights.npz"))
    x, y = simulate(2_000, 2_000, seed=99)
    inputs = (x - np.array(scaler["offset"])) / np.array(scaler["width"])
    response = tn.sigmoid(model(tn.tensor(inputs, dtype=tn.float32))).detach().numpy()[:, 0]
    assert np.mean((response >= 0.5) == y) == pytest.approx(0.942, abs=0.012)
    assert scaler["classes"] == ["pion", "kaon"]


def test_the_same_seed_gives_the_same_report():
    a, b = (run(NAME, "--quick", "--epochs", "1").folder for _ in range(2))
    assert (a / "report.txt").read_bytes() == (b / "report.txt").read_bytes()
    assert (a / "weights.npz").read_bytes() == (b / "weights.npz").read_bytes()


def test_a_worse_network_of_the_users_choice_is_not_a_failure():
    found = run(NAME, "--quick", "--hidden", "1", "--epochs", "1")
    assert found.n_parameters == 6 and found.classifiers["network"].accuracy < 0.93 and not found.demo.missed
    assert "– accuracy and AUC, network" in report_of(found) and "✓ accuracy and AUC, ideal" in report_of(found)


if os.environ.get("TINYGRAD_NUC_THOROUGH"):
    @pytest.mark.parametrize("seed", ["6", "1", "2"])
    def test_the_full_run_reaches_its_numbers(seed):
        found = run(NAME, "--seed", seed)
        report = report_of(found)
        (network, *_, auc, _, _, _, _), (ideal, *_) = rows(report, "network")[0], rows(report, "ideal")[0]
        difference, error = rows(report, "network − ideal")[0][:2]
        assert network >= 0.943 and auc >= 0.983 and difference < 3 * error
        assert ideal == pytest.approx(0.9457, abs=3 * 0.00064)              # 3 standard errors of 125,000 events
        assert all(abs(rows(report, method)[-1][2]) < 3 for method in ("adjusted count", "template fit"))
        for p in found.pulls.values():
            assert abs(p.mean()) < 0.2 and 0.9 < p.std() < 1.1


# ---------------------------------------------------------------------- tables of the user's own

@pytest.fixture(scope="session")
def table():
    """Two overlapping classes in two variables."""
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], 600)
    return rng.normal(0, 1, (1200, 2)) + 1.5 * y[:, None], y


def write_csv(path, x, names, header=True):
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerows(([["length", "width", "class"]] if header else [])
                         + [[*map(repr, map(float, row)), name] for row, name in zip(x, names, strict=True)])
    return path


def formats(folder, x, y):
    names = np.where(y == 1, "g", "h")
    yield [write_csv(folder / "a.csv", x, names), "--signal", "g"]
    yield [write_csv(folder / "b.data", x, names, header=False), "--signal", "g"]
    records = [{"kind": n, "length": a, "width": b} for n, (a, b) in zip(names.tolist(), x.tolist(), strict=True)]
    (folder / "c.json").write_text(json.dumps(records))
    yield [folder / "c.json", "--signal", "g", "--label", "kind"]
    np.save(folder / "d.npy", np.column_stack([x, y]))
    yield [folder / "d.npy"]
    np.savez(folder / "e.npz", length=x[:, 0], width=x[:, 1], kind=y)
    yield [folder / "e.npz", "--label", "kind"]


def test_every_format_gives_the_same_network(table, tmp_path):
    accuracies = []
    for path, *options in formats(tmp_path, *table):
        found = run(NAME, "--data", str(path), *options, "--epochs", "4")
        report = report_of(found)
        accuracies.append(rows(report, "network")[0][0])
        assert "ideal" not in report and not (found.folder / "abundance.png").exists()
        assert found.demo.compared == 0                                     # nothing is known of this table
        assert json.loads((found.folder / "scaler.json").read_text("utf-8"))["use"].startswith("input =")
    assert accuracies == [accuracies[0]] * 5 and accuracies[0] > 0.8      # the best possible here is 0.856


def test_the_fraction_in_a_sample_of_ones_own(table, tmp_path):
    x, y = table
    chosen = np.concatenate([np.flatnonzero(y == 0)[:500], np.flatnonzero(y == 1)[:125]])      # a fifth is signal
    data = write_csv(tmp_path / "train.csv", x, y)
    new = tmp_path / "new.csv"
    np.savetxt(new, x[chosen], delimiter=",", header="length,width", comments="")
    found = run(NAME, "--data", str(data), "--apply", str(new), "--epochs", "4")
    naive, _, adjusted, error, fitted, _ = rows(report_of(found), "network")[1]
    assert abs(adjusted - 0.2) < 3 * error and abs(fitted - 0.2) < 3 * error and naive > 0.22
    assert (found.folder / "abundance.png").exists()


# ---------------------------------------------------------------------- bad input

def bad(folder, x, y):
    """(arguments, what the one line must say)."""
    good = write_csv(folder / "good.csv", x, y)

    def changed(name, row, cell, column=0):
        lines = good.read_text().splitlines()
        cells = lines[row].split(",")
        cells[column] = cell
        lines[row] = ",".join(cells)
        (folder / name).write_text("\n".join(lines) + "\n")
        return folder / name

    (folder / "empty.csv").write_text("length,width,class\n")
    (folder / "broken.json").write_text("[{")
    yield ["--data", folder / "missing.csv"], "missing.csv.*(No such file|no such file|not exist|not found)"
    yield ["--data", folder], "folder|directory"
    yield ["--data", folder / "empty.csv"], r"empty\.csv.*(empty|no rows|no data)"
    yield ["--data", folder / "broken.json"], r"broken\.json"
    yield ["--data", changed("text.csv", 17, "wide")], r"text\.csv.*line 18.*wide"
    yield ["--data", changed("nan.csv", 3, "nan")], r"nan\.csv.*1.*--drop-invalid"
    yield ["--data", changed("inf.csv", 3, "-inf")], r"inf\.csv.*1.*--drop-invalid"
    yield ["--data", good, "--label", "klass"], "klass.*class"
    yield ["--data", write_csv(folder / "one.csv", x[:600], y[:600])], r"one\.csv.*one class|only"
    yield ["--data", write_csv(folder / "three.csv", x, [i % 3 for i in range(1200)])], r"three\.csv.*3 classes|three"
    yield ["--data", write_csv(folder / "names.csv", x, np.where(y, "g", "h"))], "--signal"
    yield ["--data", write_csv(folder / "other.csv", x, np.where(y, "g", "h")), "--signal", "x"], "x.*g.*h|g.*h.*x"
    yield ["--data", good, "--batch-size", "5000"], "batch of 5000 is larger than the 810 samples"
    yield ["--data", good, "--apply", write_csv(folder / "narrow.csv", x[:, :1], y)], "narrow"
    yield ["--data", write_csv(folder / "tiny.csv", x[598:602], y[598:602])], r"tiny\.csv.*at least 20 events of each"
    yield ["--data", changed("huge.csv", 4, "1e300", column=1)], r"huge\.csv.*width has values up to 1e\+300"
    yield ["--data", good, "--apply", folder / "huge.csv"], r"huge\.csv.*width has values up to 1e\+300"
    yield ["--quick", "--epochs", "0"], "epochs"
    yield ["--quick", "--hidden", "0"], "out_features"
    yield ["--quick", "--hidden", "a,b"], "--hidden"
    yield ["--quick", "--lr", "-1"], "lr"
    yield ["--data", good, "--lr", "1e30"], "smaller learning rate"
    yield ["--apply", good], "--apply needs --data"
    yield ["--drop-invalid"], "--drop-invalid needs --data"
    yield ["--quick", "--seed", "-1"], "--seed must be.*-1"
    yield ["--quick", "--hidden", ""], "--hidden.*whole numbers"
    yield ["--quick", "--hidden", "100000000000"], "allocate"


def nothing_left(folder):
    """What a run in this process that has failed still holds is let go, as at the end of a process of its own."""
    gc.collect()
    return not folder.exists()


def test_bad_input_is_one_clear_line_and_leaves_nothing(table, tmp_path):
    outputs = tmp_path / "outputs"
    for arguments, message in bad(tmp_path, *table):
        with contextlib.redirect_stderr(io.StringIO()) as printed:
            with pytest.raises((SystemExit, *BAD_INPUT)) as error:         # of the command line itself, or later
                run(NAME, *map(str, arguments), "--output", str(outputs / "run"))
        if error.type is SystemExit:
            assert error.value.code == 2 and re.fullmatch(r"error: [^\n]+\n", printed.getvalue()), arguments
            found = printed.getvalue()
        else:
            assert printed.getvalue() == "", arguments
            found = reason(error.value)                                     # what the one line says: tests/test_demo.py
        assert re.search(message, found), (arguments, found)
        del error
        assert nothing_left(outputs), arguments


def script(*options, **settings):
    return subprocess.Popen([sys.executable, str(DEMOS / f"{NAME}.py"), *options], stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, encoding="utf-8",
                            env=os.environ | {"PYTHONIOENCODING": "utf-8", "PYTHONPATH": str(DEMOS.parent)}, **settings)


@pytest.mark.parametrize(("options", "message"), [
    (["--apply", "new.csv"], "--apply needs --data"),                       # in the script
    (["--hidden", "a,b"], "--hidden.*whole numbers"),                       # on the command line
    (["--data", "missing.csv"], "missing.csv.*(No such file|no such file|not exist|not found)"),
])
def test_errors_end_with_one_line_and_status_2(tmp_path, options, message):
    process = script(*options, "--output", "outputs/run", cwd=tmp_path)
    _, error = process.communicate(timeout=120)
    assert process.returncode == 2
    assert re.fullmatch(r"error: [^\n]+\n", error) and re.search(message, error)
    assert list(tmp_path.iterdir()) == []


def test_a_network_that_learned_nothing_is_reported_and_not_a_crash():
    found = run(NAME, "--quick", "--lr", "0", "--epochs", "1")
    report = report_of(found)
    assert "cannot measure anything" in report and rows(report, "naive count")[-1][0] in (0.0, 1.0)
    assert "adjusted count" not in report.split("envelope")[1] and not found.demo.missed


def test_debug_shows_where_an_error_comes_from(tmp_path):
    process = script("--debug", "--data", "missing.csv", "--output", "run", cwd=tmp_path)
    _, error = process.communicate(timeout=120)
    assert process.returncode == 1 and "Traceback" in error and "FileNotFoundError" in error
    assert list(tmp_path.iterdir()) == []


def test_an_earlier_result_survives_a_failure(longer, tmp_path):
    folder = longer.folder
    before = {p.name: p.read_bytes() for p in folder.iterdir()}
    with pytest.raises(FileNotFoundError):
        run(NAME, "--data", str(tmp_path / "missing.csv"), "--output", str(folder))
    gc.collect()
    assert {p.name: p.read_bytes() for p in folder.iterdir()} == before and len(before) == 10
    assert list(folder.parent.iterdir()) == [folder]


def test_a_folder_of_somebody_elses_is_not_replaced(tmp_path, capsys):
    (tmp_path / "thesis.tex").write_text("years of work")
    with pytest.raises(SystemExit) as end:
        run(NAME, "--quick", "--output", str(tmp_path))
    assert end.value.code == 2 and "error:" in capsys.readouterr().err
    assert (tmp_path / "thesis.tex").read_text() == "years of work"


def test_an_interrupted_run_leaves_nothing(tmp_path, monkeypatch):
    def interrupt(*args, **options):
        raise KeyboardInterrupt
    monkeypatch.setattr(plots, "learning_curve", interrupt)
    with pytest.raises(KeyboardInterrupt):
        run(NAME, "--quick", "--epochs", "1", "--output", str(tmp_path / "run"))
    gc.collect()
    assert list(tmp_path.iterdir()) == []


def test_ctrl_c_in_training_ends_everything_with_status_130(tmp_path):
    process = script("--quick", "--epochs", "1000000", "--output", "run", cwd=tmp_path,
                     preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    while "Training a network" not in process.stdout.readline():
        assert process.poll() is None
    time.sleep(0.3)                                                         # so that training has begun, most likely
    process.send_signal(signal.SIGINT)
    out, error = process.communicate(timeout=60)
    assert process.returncode == 130 and error.endswith("interrupted: nothing was saved\n") and "kept back" not in out
    assert list(tmp_path.iterdir()) == []


def test_rows_with_invalid_cells_can_be_dropped(table, tmp_path):
    x, y = table[0].copy(), table[1]
    x[5, 0] = np.nan
    data = write_csv(tmp_path / "nan.csv", x, y)
    printed = run(NAME, "--data", str(data), "--drop-invalid", "--epochs", "1").printed
    assert re.search(r"1,199 labelled events.*rows with invalid cells dropped: 1", printed)
