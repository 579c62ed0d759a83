"""The main job, tried as a user would: the numbers on a smaller sample, the files it leaves, every kind of bad input."""

import csv
import importlib.util
import json
import os
import re
import sys
from pathlib import Path

import numpy as np
import pytest

import tinygrad_nuc as tn
from tinygrad_nuc.simulation import simulate

DEMO = Path(__file__).parents[1] / "demos" / "particle_identification.py"
PICTURES = {"variables.png", "responses.png", "roc.png", "confusion_matrices.png", "learning_curve.png", "abundance.png"}


@pytest.fixture(scope="session")
def demo():
    """The script as a module, so that its main() can be called in this process."""
    specification = importlib.util.spec_from_file_location("particle_identification", DEMO)
    module = importlib.util.module_from_spec(specification)
    sys.modules["particle_identification"] = module         # dataclasses look their module up
    specification.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def quick(demo, tmp_path_factory):
    """The output folder of one quick run with a few more epochs."""
    folder = tmp_path_factory.mktemp("pid") / "run"
    assert demo.main(["--quick", "--epochs", "12", "--output", str(folder)]) == 0
    return folder


def rows(report, first):
    """The numbers in the lines of a report that begin with a word."""
    return [[float(n.replace(",", "")) for n in re.findall(r"[-+]?\d[\d,]*\.?\d*", line[len(first):])]
            for line in report.splitlines() if line.startswith(first)]


# ---------------------------------------------------------------------- the analysis

def test_the_classifiers_come_in_the_right_order(quick):
    report = (quick / "report.txt").read_text()
    accuracy = {name: rows(report, name)[0][0] for name in ("cuts by hand", "decision tree", "network", "ideal")}
    assert accuracy["ideal"] == pytest.approx(0.9457, abs=0.006)            # ± 2.6 standard errors of 10,000 events
    assert accuracy["network"] > accuracy["ideal"] - 0.010          # 0.0003 below at full size
    assert accuracy["cuts by hand"] == pytest.approx(0.911, abs=0.008)
    assert accuracy["cuts by hand"] < accuracy["decision tree"] <= accuracy["ideal"] + 0.003
    difference, error = rows(report, "network − ideal")[0][:2]
    assert difference < 3 * error


def test_the_table_agrees_with_itself(quick):
    for accuracy, tpr, fpr, auc, *matrix in rows((quick / "report.txt").read_text(), "network")[:1]:
        tn_, fp, fn, tp = matrix
        assert sum(matrix) == 10_000 and fp + tn_ == fn + tp == 5_000
        assert accuracy == pytest.approx((tn_ + tp) / 10_000, abs=5e-5)
        assert (tpr, fpr) == (pytest.approx(tp / 5_000, abs=5e-5), pytest.approx(fp / 5_000, abs=5e-5))
        assert auc > rows((quick / "report.txt").read_text(), "ideal")[0][3] - 0.010


def test_the_abundance_is_right_within_its_error(quick):
    report = (quick / "report.txt").read_text()
    truth = rows(report, "The envelope is opened")[0][0]
    for method in ("adjusted count", "template fit"):
        (value, error, pull) = rows(report, method)[-1]
        assert abs(value - truth) < 3 * error and 0.003 < error < 0.006
        assert pull == pytest.approx((value - truth) / error, abs=0.05)
        mean, width = rows(report, method)[0]
        assert abs(mean) < 0.2 and 0.9 < width < 1.1


def test_the_naive_count_is_right_where_it_is_said_to_be(quick):
    report = (quick / "report.txt").read_text()
    _, tpr, fpr, *_ = rows(report, "network")[0]
    f = float(re.search(r"right by accident where the fraction is (\d\.\d+)", report).group(1))
    assert f * tpr + (1 - f) * fpr == pytest.approx(f, abs=0.001)           # q = f, up to the two digits of f


def test_mismodelling_moves_the_abundance_as_known(quick):
    report = (quick / "report.txt").read_text()
    nominal, clock, angle, decay = (rows(report, what)[0] for what in (
        "as simulated", "time resolution 120 ps, not 100", "angle resolution 5 mrad, not 4", "3 % of kaons decay, not 0.6 %"))
    assert abs(nominal[0] - 0.3) < 3 * nominal[1]
    assert 0.001 < clock[0] - nominal[0] < 0.008                            # 0.0041 at full size
    assert 0.003 < angle[0] - nominal[0] < 0.014                            # 0.0092
    assert -0.013 < decay[0] - nominal[0] < -0.003                          # −0.0069


def test_every_picture_is_there(quick):
    assert {p.name for p in quick.glob("*.png")} == PICTURES
    assert all(p.read_bytes().startswith(b"\x89PNG") and p.stat().st_size > 10_000 for p in quick.glob("*.png"))


def test_the_saved_network_can_be_used_again(quick, demo):
    scaler = json.loads((quick / "scaler.json").read_text())
    model = demo.build(3, scaler["hidden"])
    model.load_state_dict(tn.load(quick / "weights.npz"))
    x, y = simulate(2_000, 2_000, seed=99)
    inputs = (x - np.array(scaler["offset"])) / np.array(scaler["width"])
    response = tn.sigmoid(model(tn.tensor(inputs, dtype=tn.float32))).detach().numpy()[:, 0]
    assert np.mean((response >= 0.5) == y) == pytest.approx(0.942, abs=0.012)
    assert scaler["classes"] == ["pion", "kaon"]


def test_the_same_seed_gives_the_same_report(demo, tmp_path):
    for name in "ab":
        assert demo.main(["--quick", "--epochs", "1", "--output", str(tmp_path / name)]) == 0
    assert (tmp_path / "a" / "report.txt").read_bytes() == (tmp_path / "b" / "report.txt").read_bytes()
    assert (tmp_path / "a" / "weights.npz").read_bytes() == (tmp_path / "b" / "weights.npz").read_bytes()


if os.environ.get("TINYGRAD_NUC_THOROUGH"):
    @pytest.mark.parametrize("seed", ["6", "1", "2"])
    def test_the_full_run_reaches_its_numbers(demo, tmp_path, seed):
        assert demo.main(["--seed", seed, "--output", str(tmp_path / "run")]) == 0
        report = (tmp_path / "run" / "report.txt").read_text()
        (network, *_, auc, _, _, _, _), (ideal, *_) = rows(report, "network")[0], rows(report, "ideal")[0]
        difference, error = rows(report, "network − ideal")[0][:2]
        assert network >= 0.943 and auc >= 0.983 and difference < 3 * error
        assert ideal == pytest.approx(0.9457, abs=3 * 0.00064)              # 3 standard errors of 125,000 events
        assert all(abs(rows(report, method)[-1][2]) < 3 for method in ("adjusted count", "template fit"))
        for method in ("adjusted count", "template fit"):
            mean, width = rows(report, method)[0]
            assert abs(mean) < 0.2 and 0.9 < width < 1.1


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


def test_every_format_gives_the_same_network(demo, table, tmp_path):
    accuracies = []
    for i, (path, *options) in enumerate(formats(tmp_path, *table)):
        output = tmp_path / f"run{i}"
        assert demo.main(["--data", str(path), *options, "--epochs", "4", "--output", str(output)]) == 0
        report = (output / "report.txt").read_text()
        accuracies.append(rows(report, "network")[0][0])
        assert "ideal" not in report and not (output / "abundance.png").exists()
        assert json.loads((output / "scaler.json").read_text())["use"].startswith("input =")
    assert accuracies == [accuracies[0]] * 5 and accuracies[0] > 0.8      # the best possible here is 0.856


def test_the_fraction_in_a_sample_of_ones_own(demo, table, tmp_path):
    x, y = table
    chosen = np.concatenate([np.flatnonzero(y == 0)[:500], np.flatnonzero(y == 1)[:125]])      # a fifth is signal
    data = write_csv(tmp_path / "train.csv", x, y)
    new = tmp_path / "new.csv"
    np.savetxt(new, x[chosen], delimiter=",", header="length,width", comments="")
    assert demo.main(["--data", str(data), "--apply", str(new), "--epochs", "4", "--output", str(tmp_path / "run")]) == 0
    naive, _, adjusted, error, fitted, _ = rows((tmp_path / "run" / "report.txt").read_text(), "network")[1]
    assert abs(adjusted - 0.2) < 3 * error and abs(fitted - 0.2) < 3 * error and naive > 0.22
    assert (tmp_path / "run" / "abundance.png").exists()


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
    yield ["--data", write_csv(folder / "tiny.csv", x[598:602], y[598:602])], r"tiny\.csv.*at least 20 events of each class"
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


def test_bad_input_is_one_clear_line_and_leaves_nothing(demo, table, tmp_path, capsys):
    outputs = tmp_path / "outputs"
    for arguments, message in bad(tmp_path, *table):
        try:
            status = demo.main([*map(str, arguments), "--output", str(outputs / "run")])
        except SystemExit as stop:
            status = stop.code
        error = capsys.readouterr().err
        assert status == 2, (arguments, error)
        assert re.fullmatch(r"error: [^\n]+\n", error) and re.search(message, error), (arguments, error)
        assert not outputs.exists()


def test_a_network_that_learned_nothing_is_reported_and_not_a_crash(demo, tmp_path):
    assert demo.main(["--quick", "--lr", "0", "--epochs", "1", "--output", str(tmp_path / "run")]) == 0
    report = (tmp_path / "run" / "report.txt").read_text()
    assert "cannot measure anything" in report and rows(report, "naive count")[-1][0] in (0.0, 1.0)
    assert "adjusted count" not in report.split("envelope")[1]


def test_debug_shows_where_an_error_comes_from(demo, tmp_path):
    with pytest.raises(FileNotFoundError):
        demo.main(["--debug", "--data", str(tmp_path / "missing.csv"), "--output", str(tmp_path / "run")])


def test_an_earlier_result_survives_a_failure(demo, quick, tmp_path, capsys):
    before = {p.name: p.read_bytes() for p in quick.iterdir()}
    assert demo.main(["--data", str(tmp_path / "missing.csv"), "--output", str(quick)]) == 2
    assert {p.name: p.read_bytes() for p in quick.iterdir()} == before


def test_a_folder_of_somebody_elses_is_not_replaced(demo, tmp_path, capsys):
    (tmp_path / "thesis.tex").write_text("years of work")
    assert demo.main(["--quick", "--output", str(tmp_path)]) == 2
    assert (tmp_path / "thesis.tex").read_text() == "years of work"
    assert "error:" in capsys.readouterr().err


def test_an_interrupted_run_leaves_nothing(demo, tmp_path, monkeypatch, capsys):
    def interrupt(*args, **options):
        raise KeyboardInterrupt
    monkeypatch.setattr(demo, "draw", interrupt)
    assert demo.main(["--quick", "--epochs", "1", "--output", str(tmp_path / "run")]) == 130
    assert list(tmp_path.iterdir()) == [] and "nothing was saved" in capsys.readouterr().err


def test_rows_with_invalid_cells_can_be_dropped(demo, table, tmp_path, capsys):
    x, y = table[0].copy(), table[1]
    x[5, 0] = np.nan
    data = write_csv(tmp_path / "nan.csv", x, y)
    assert demo.main(["--data", str(data), "--drop-invalid", "--epochs", "1", "--output", str(tmp_path / "run")]) == 0
    assert re.search(r"1,199 labelled events.*rows with invalid cells dropped: 1", capsys.readouterr().out)
