"""All demos: each runs in its quick form, finds its numbers, leaves readable pictures, and has its place in the course."""

import ast
import re
import runpy
import subprocess
import sys
from pathlib import Path

import pytest
from demo_helpers import DEMOS, quick
from matplotlib.text import Text

ROOT = DEMOS.parent
COURSE = runpy.run_path(str(DEMOS / "run_all.py"), run_name="run_all")["COURSE"]
SYLLABUS = (DEMOS / "README.md").read_text("utf-8")
EXERCISES = (ROOT / "docs" / "exercises.md").read_text("utf-8")
every_demo = pytest.mark.parametrize("name", COURSE)


def docstring(name):
    return ast.get_docstring(ast.parse((DEMOS / f"{name}.py").read_text("utf-8")))


def test_the_course_has_every_demo():
    assert sorted(COURSE) == sorted(p.stem for p in DEMOS.glob("*.py") if p.stem != "run_all")


@every_demo
def test_it_runs_and_finds_its_numbers(name):
    demo = quick(name).demo                             # with warnings as errors; status 1 would be raised
    assert demo.compared >= 1 and not demo.missed
    assert {p.name for p in quick(name).folder.iterdir()} >= {"report.txt", *demo.pictures}


@every_demo
def test_its_pictures_can_be_read_when_they_are_projected(name):
    """Letters of 10 points or more where a point is 1/72 of an inch of a picture 1280 pixels wide at 100 per inch."""
    pictures = quick(name).demo.pictures
    assert pictures
    for file, figure in pictures.items():
        assert figure.get_suptitle() or any(ax.get_title() for ax in figure.axes), file
        smallest = min((text.get_fontsize(), text.get_text()) for text in figure.findobj(Text)
                       if text.get_visible() and text.get_text().strip() and text.get_alpha() != 0)
        assert smallest[0] * 12.8 / figure.get_size_inches()[0] >= 10, f"{file}: {smallest}"
        for ax in figure.axes:
            if ax.axison and ax.get_visible() and ax.get_label() != "<colorbar>":
                for axis in (ax.xaxis, ax.yaxis):
                    ticks = [label.get_text() for label in axis.get_ticklabels() if label.get_visible()]
                    numbers = [tick for tick in ticks if re.match(r"[−\d$]", tick)]            # names speak for themselves
                    assert axis.get_label_text() or not numbers, f"{file}: {ax.get_title()} {axis} {ticks}"


@every_demo
def test_it_says_what_it_is(name):
    text = docstring(name)
    first = text.split("\n\n")[0].replace("\n", " ")
    assert re.search(r"\((beyond the lectures|(lectures? \d))", first), first
    assert f"python demos/{name}.py" in text and "What to see: " in text
    exercises = re.findall(r"^(\d)\. ", text.split("Try next (answers in docs/exercises.md):")[1], re.MULTILINE)
    assert exercises in (["1", "2"], ["1", "2", "3"])
    source = (DEMOS / f"{name}.py").read_text("utf-8")
    cells = re.findall(r"^# %% \S.*", source, re.MULTILINE)
    assert len(cells) >= 3 and source.count("# %%") == len(cells)
    assert len(source.splitlines()) <= (180 if name == "particle_identification" else 160)
    assert max(map(len, source.splitlines())) <= 120


@every_demo
def test_its_row_in_the_syllabus(name):
    (row,) = re.findall(rf"^\| \[{name}\]\({name}\.py\) \|(.*)\|$", SYLLABUS, re.MULTILINE)
    lectures, shows, picture, full, short = (cell.strip() for cell in row.split("|"))
    assert re.fullmatch(r"[1-5](, [1-5])*", lectures) and shows
    file = re.fullmatch(rf"!\[.+\]\((pictures/{name}\.png)\)", picture)[1]
    assert (DEMOS / file).is_file()
    assert re.fullmatch(r"\d+ s|\d+ min", full) and re.fullmatch(r"\d+ s", short)
    for number in re.findall(r"lectures? ([\d, and]+)", docstring(name).split("\n\n")[0].replace("\n", " ")):
        assert set(re.findall(r"\d", number)) <= set(re.findall(r"\d", lectures))


@every_demo
def test_its_exercises_have_hidden_answers(name):
    (section,) = re.findall(rf"^## {name}\n(.*?)(?=^## |\Z)", EXERCISES, re.DOTALL | re.MULTILINE)
    asked = re.findall(r"^### (\d)\. (.+)", section, re.MULTILINE)
    in_docstring = re.findall(r"^(\d)\. (.+?)(?=\n\d\. |\Z)", docstring(name).split("docs/exercises.md):\n")[1].strip(),
                              re.DOTALL | re.MULTILINE)
    assert asked == [(number, " ".join(text.split())) for number, text in in_docstring]
    answers = re.findall(r"<details><summary>Answer</summary>\n\n(.+?)\n\n</details>", section, re.DOTALL)
    assert len(answers) == len(asked) and all(len(answer) > 80 for answer in answers)


def test_the_syllabus_has_the_order_of_the_course():
    assert re.findall(r"^\| \[(\w+)\]", SYLLABUS, re.MULTILINE) == list(COURSE)


def test_the_readme_counts_them():
    assert f"one of {len(COURSE)} [demos](demos/README.md)" in (ROOT / "README.md").read_text("utf-8")


def test_data_in_the_repository_are_small():
    assert sum(p.stat().st_size for p in (DEMOS / "data").iterdir()) < 3e6


def run_all(*options):
    return subprocess.run([sys.executable, str(DEMOS / "run_all.py"), *options], capture_output=True, text=True,
                          encoding="utf-8", check=False)


def test_running_some_and_one_that_cannot_run(tmp_path):
    (tmp_path / "activations").mkdir()
    (tmp_path / "activations" / "thesis.tex").write_text("")
    done = run_all("--quick", "--output", str(tmp_path), "perceptron", "activations")
    assert done.returncode == 1 and "1 of 2 demos ran as they should" in done.stdout
    assert re.search(r"^perceptron +4 of 4 +\d+\.\d$", done.stdout, re.MULTILINE)
    assert re.search(r"^activations +0 of 0 +\d+\.\d  FAILED$", done.stdout, re.MULTILINE)
    assert "holds files that are not the result" in done.stdout
    assert (tmp_path / "perceptron" / "lines.png").is_file() and "✓ answers" in (tmp_path / "perceptron.log").read_text("utf-8")


@pytest.mark.parametrize(("options", "message"), [
    (["xor", "sorcery"], "there is no demo 'sorcery'; there are perceptron, "), (["--jobs", "0"], "--jobs must be at least 1")])
def test_a_wrong_command_is_refused(options, message):
    done = run_all(*options)
    assert done.returncode == 2 and message in done.stderr


def test_many_ranks_learn_what_one_alone_would():
    found = quick("ranks")
    assert found.difference < 1e-10 and found.losses[0] > 0.5 > 0.3 > found.losses[-1]
    assert found.size == 3 * 32 + 32 + 32 + 1


def test_ranks_in_processes_of_their_own(tmp_path):
    pytest.importorskip("mpi4py")
    mpiexec = Path(sys.executable).with_name("mpiexec")
    if not mpiexec.exists():
        pytest.skip("mpi4py is installed, and there is no mpiexec beside this Python")
    command = [str(mpiexec), "--allow-run-as-root", "--oversubscribe", "-n", "3", sys.executable, "-m", "mpi4py",
               str(DEMOS / "ranks.py"), "--mpi", "--quick", "--output", str(tmp_path / "out")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    report = (tmp_path / "out" / "report.txt").read_text("utf-8")
    assert done.returncode == 0 and "3 ranks" in report and report.count("✓") == 2


def test_links_of_the_syllabus_and_of_the_data_lead_somewhere():
    for page in (DEMOS / "README.md", DEMOS / "data" / "README.md"):
        for target in re.findall(r"\]\(([^)\s#]+)", page.read_text("utf-8")):
            assert target.startswith("https://") or (page.parent / target).exists(), target
