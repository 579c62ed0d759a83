"""What all demos share: numbers beside what they should be, results all or nothing, errors in one line."""

import signal
import subprocess
import sys
import time

import numpy as np
import pytest

import tinygrad_nuc as tn
from tinygrad_nuc import plots
from tinygrad_nuc.utils.demo import Demo


@pytest.fixture
def demo(tmp_path):
    demo = Demo("demo", "A demo.")
    demo.arguments(["--output", str(tmp_path / "out")])
    return demo


@pytest.mark.parametrize(("found", "how", "line"), [
    (3.1416, dict(expected=3.14159265, within=1e-4), "✓ x: 3.1416, expected 3.14159 ± 0.0001"),
    (3.1418, dict(expected=3.14159265, within=1e-4), "✗ x: 3.1418, expected 3.14159 ± 0.0001"),
    (161_051, dict(expected=161_051), "✓ x: 161,051, expected 161,051"),
    (161_050, dict(expected=161_051), "✗ x: 161,050, expected 161,051"),
    ([1, 0], dict(expected=[1, 0]), "✓ x: [1, 0], expected [1, 0]"),
    ([1, 0, 0], dict(expected=[1, 0]), "✗ x: [1, 0, 0], expected [1, 0]"),
    (np.array([0.5, 2.25]), dict(at_least=0.5), "✓ x: [0.5, 2.25], expected at least 0.5"),
    (np.array([0.4, 2.25]), dict(at_least=0.5), "✗ x: [0.4, 2.25], expected at least 0.5"),
    (0.5, dict(at_least=0.4, at_most=0.45), "✗ x: 0.5, expected at least 0.4 and at most 0.45"),
    (float("nan"), dict(at_most=1), "✗ x: nan, expected at most 1"),
    (float("inf"), dict(at_least=1), "✗ x: inf, expected at least 1"),
    (True, dict(expected=True), "✓ x: True, expected True"),
])
def test_what_was_found_stands_beside_what_should_be(demo, capsys, found, how, line):
    demo.expect("x", found, **how)
    assert capsys.readouterr().out == line + "\n"
    assert demo.missed == (["x"] if line[0] == "✗" else [])


def test_who_changes_an_option_makes_an_experiment(tmp_path, capsys):
    demo = Demo("demo", "A demo.")
    demo.option("--lr", type=float, default=0.1)
    demo.option("--epochs", type=int, default=5)
    demo.arguments(["--quick", "--lr", "1", "--epochs", "5", "--seed", "3", "--output", str(tmp_path / "out")])
    demo.expect("x", 1, 2)
    demo.expect("y", 2, 2)
    demo.finish()                                                   # status 0
    assert demo.changed == ["--lr"] and not demo.missed
    assert capsys.readouterr().out == ("– x: 1, expected 2 without --lr\n✓ y: 2, expected 2\n\n"
                                       f"2 numbers, 1 not as expected, with --lr. Report: {tmp_path / 'out'}\n")


def test_where_there_is_nothing_to_compare_with(demo, tmp_path, capsys):
    demo.finish()
    assert capsys.readouterr().out == f"\nDone. Report: {tmp_path / 'out'}\n"


def test_as_many_digits_as_count(demo, capsys):
    demo.expect("θ", [4.215096163, 2770.11339], [4.21509616, 2770.11339], within=5e-9)
    demo.expect("θ", 0.0, 0.0, within=1e-9)
    assert capsys.readouterr().out == ("✓ θ: [4.21509616, 2770.11339], expected [4.21509616, 2770.11339] ± 5e-09\n"
                                       "✓ θ: 0, expected 0 ± 1e-09\n")


def test_a_number_that_is_compared_with_nothing_is_refused(demo):
    with pytest.raises(TypeError, match="give expected, at_least or at_most"):
        demo.expect("x", 1.0)
    assert demo.compared == 0


def test_results_appear_at_the_end(demo, tmp_path, capsys):
    picture, (ax,) = plots.grid(1)
    demo.save(ax.plot([1, 2]), "line.png")                          # matplotlib's list of lines
    demo.save(picture, "figure.png")
    demo.save(plots.measurements({"adjusted count": (0.31, 0.01)}, "fraction"), "measured.png")
    demo.say("hello")
    demo.expect("one", 1, 1)
    assert not (tmp_path / "out").exists() and demo.pictures["line.png"] is demo.pictures["figure.png"] is picture
    demo.finish()
    assert {p.name for p in (tmp_path / "out").iterdir() if p.name[0] != "."} == {
        "line.png", "figure.png", "measured.png", "report.txt"}
    assert (tmp_path / "out" / "report.txt").read_text("utf-8") == "hello\n✓ one: 1, expected 1\n"
    assert capsys.readouterr().out.endswith(f"1 number, as expected. Report and pictures: {tmp_path / 'out'}\n")


def test_what_is_not_as_expected_is_saved_and_ends_with_status_1(demo, tmp_path):
    demo.expect("one", 1, 2)
    with pytest.raises(SystemExit, match="not as expected: one"):
        demo.finish()
    assert "✗ one" in (tmp_path / "out" / "report.txt").read_text("utf-8")


def test_an_unfinished_demo_leaves_nothing_and_what_was_there(tmp_path):
    for text in ("first", "second"):
        demo = Demo("demo", "A demo.")
        demo.arguments(["--output", str(tmp_path / "out")])
        demo.say(text)
        if text == "first":
            demo.finish()
    del demo
    assert (tmp_path / "out" / "report.txt").read_text("utf-8") == "first\n"
    assert [p.name for p in tmp_path.iterdir()] == ["out"]


def test_the_seed_sets_the_random_numbers(tmp_path):
    drawn = []
    for seed in ("5", "5", "6"):
        Demo("demo", "").arguments(["--seed", seed, "--output", str(tmp_path / "out")])
        drawn.append(tn.randn(3).tolist())
    assert drawn[0] == drawn[1] != drawn[2]


@pytest.mark.parametrize(("options", "message"), [
    (["--seed", "-1"], "--seed must be a whole number from 0"),
    (["--seed", "half"], "--seed: invalid int value"),
    (["--output", "{file}"], "exists and is not a folder"),
    (["--output", "{somebodys}"], "holds files that are not the result of an earlier run"),
    (["--colour"], "unrecognized arguments: --colour"),
])
def test_a_wrong_command_ends_with_one_line(tmp_path, capsys, options, message):
    (tmp_path / "file").write_text("")
    (tmp_path / "somebodys").mkdir()
    (tmp_path / "somebodys" / "thesis.tex").write_text("")
    options = [option.format(file=tmp_path / "file", somebodys=tmp_path / "somebodys") for option in options]
    with pytest.raises(SystemExit) as end:
        Demo("demo", "").arguments(options)
    assert end.value.code == 2
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1


SCRIPT = """
import sys, time
from tinygrad_nuc.utils.demo import Demo
demo = Demo("demo", "A demo.")
args = demo.arguments()
demo.say("begun")
{body}
demo.finish()
"""


def script(tmp_path, body, *options):
    (tmp_path / "demo.py").write_text(SCRIPT.format(body=body))
    return [sys.executable, str(tmp_path / "demo.py"), "--output", str(tmp_path / "out"), *options]


@pytest.mark.parametrize(("body", "options", "status", "lines", "error"), [
    ("open('nowhere.csv')", [], 2, 1, "error: [Errno 2] No such file or directory: 'nowhere.csv'"),
    ("raise ValueError('muons.csv: no column M')", [], 2, 1, "error: muons.csv: no column M"),
    ("raise ValueError('muons.csv: no column M')", ["--debug"], 1, 4, 'line 7, in <module>\n'),
    ("1 / 0", [], 1, 4, "ZeroDivisionError"),
    ("demo.expect('one', 1, 2)", [], 1, 1, "not as expected: one"),
    ("", [], 0, 0, ""),
])
def test_how_it_ends(tmp_path, body, options, status, lines, error):
    done = subprocess.run(script(tmp_path, body, *options), capture_output=True, text=True, encoding="utf-8", check=False)
    assert done.returncode == status and error in done.stderr and len(done.stderr.splitlines()) >= lines
    assert lines > 1 or len(done.stderr.splitlines()) == lines
    assert (tmp_path / "out").exists() == (lines < 2 and "error" not in done.stderr)
    assert {p.name for p in tmp_path.iterdir()} <= {"demo.py", "out"}


def demo_on(device, tmp_path):
    demo = Demo("demo", "A demo.", trains=True)
    options = [] if device is None else ["--device", device]
    return demo, demo.arguments(["--output", str(tmp_path / "out"), *options])


@pytest.mark.parametrize(("device", "place", "line"), [
    (None, "cpu", ""), ("cpu", "cpu", ""), ("gpu", "cuda:0", "On the GPU: Emulated GPU 0\n"), ("auto", "cuda:0", "On the GPU: Emulated GPU 0\n"),
    ("cuda:0", "cuda:0", "On the GPU: Emulated GPU 0\n")])
def test_what_trains_can_do_so_on_a_gpu(one_gpu, tmp_path, capsys, device, place, line):
    demo, args = demo_on(device, tmp_path)
    assert args.device == device and capsys.readouterr().out == line == demo.say.text and not demo.changed
    assert str(tn.nn.Linear(2, 1).weight.device) == str(tn.zeros(1).device) == place


def test_without_a_gpu_auto_is_the_cpu_and_gpu_ends_in_one_line(no_gpu, tmp_path, capsys):
    demo_on("auto", tmp_path)
    assert not tn.zeros(1).is_cuda
    for device, words in (("gpu", "error: --device gpu: a GPU needs CuPy: pip install"), ("tpu", "error: --device tpu: unknown device 'tpu'")):
        with pytest.raises(SystemExit, match="2"):
            demo_on(device, tmp_path / device)
        said = capsys.readouterr().err
        assert said.startswith(words) and said.count("\n") == 1 and not (tmp_path / device).exists()


def test_a_demo_that_does_not_train_has_no_device(tmp_path, capsys):
    with pytest.raises(SystemExit, match="2"):
        Demo("demo", "A demo.").arguments(["--device", "cpu", "--output", str(tmp_path / "out")])
    assert "unrecognized arguments: --device cpu" in capsys.readouterr().err


def test_ctrl_c_leaves_nothing(tmp_path):
    body = "signal_default = __import__('signal'); signal_default.signal(2, signal_default.default_int_handler); " \
           "print('ready', flush=True); time.sleep(60)"
    process = subprocess.Popen(script(tmp_path, body), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    while "ready" not in process.stdout.readline():
        time.sleep(0.01)
    process.send_signal(signal.SIGINT)
    out, error = process.communicate(timeout=60)
    assert process.returncode == 130 and error == "interrupted: nothing was saved\n"
    assert [p.name for p in tmp_path.iterdir()] == ["demo.py"]
