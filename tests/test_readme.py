"""The README does what it says: every snippet runs and prints what stands below it, every path and extra exists."""

import configparser
import contextlib
import io
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
SNIPPETS = re.findall(r"```python\n(.*?)```\n\n```text\n(.*?)```", README, re.DOTALL)


def test_every_snippet_is_followed_by_what_it_prints():
    assert len(SNIPPETS) == README.count("```python") == 2


@pytest.mark.parametrize(("code", "expected"), SNIPPETS)
def test_the_snippet_prints_what_stands_below_it(code, expected):
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(code, "README.md", "exec"), {"__name__": "__main__"})
    assert printed.getvalue() == expected


def test_the_first_example_has_twenty_lines():
    code = SNIPPETS[0][0].strip().splitlines()
    assert len([line for line in code if line.strip()]) <= 20


@pytest.mark.parametrize("path", sorted(set(re.findall(r"(?:tinygrad_nuc|demos|docs|tests)/[\w./]*", README))))
def test_every_path_in_the_readme_exists(path):
    assert (ROOT / path).exists()


def test_every_extra_in_the_readme_exists():
    settings = configparser.ConfigParser(interpolation=None)
    settings.read(ROOT / "setup.cfg", "utf-8")
    extras = set(settings["options.extras_require"])
    assert {"demos", "test", "files", "cuda12", "cuda13"} <= extras
    assert set(re.findall(r'-e "\.\[(\w+)\]"', README)) <= extras
