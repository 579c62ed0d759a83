"""The README and the pages do what they say: snippets print what stands below them, paths, links and extras exist."""

import ast
import configparser
import contextlib
import io
import linecache
import re
from pathlib import Path

import derivative_table
import pytest

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text("utf-8")
PAGES = {path.name: path.read_text("utf-8") for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")))}
SNIPPETS = [pytest.param(code, expected, id=f"{page}-{i}") for page, text in PAGES.items()
            for i, (code, expected) in enumerate(re.findall(r"```python\n(.*?)```\n\n```text\n(.*?)```", text, re.DOTALL))]


def test_every_snippet_is_followed_by_what_it_prints():
    assert len(SNIPPETS) == sum(text.count("```python") for text in PAGES.values()) > 10


@pytest.mark.parametrize(("code", "expected"), SNIPPETS)
def test_the_snippet_prints_what_stands_below_it(code, expected):
    printed = io.StringIO()
    linecache.cache["snippet.py"] = (len(code), None, code.splitlines(keepends=True), "snippet.py")
    with contextlib.redirect_stdout(printed):
        exec(compile(code, "snippet.py", "exec"), {"__name__": "__main__", "__file__": "snippet.py"})
    assert printed.getvalue() == expected


@pytest.mark.parametrize("page", PAGES)
def test_links_within_the_pages_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", PAGES[page]):
        file, _, heading = target.partition("#")
        if target.startswith("http"):
            continue
        text = PAGES[Path(file).name if file else page] if file.endswith(".md") or not file else ""
        assert not file or ((ROOT / page).parent if page == "README.md" else ROOT / "docs").joinpath(file).exists()
        headings = [re.sub(r"[^\w\- ]", "", line.lstrip("# ").lower()).replace(" ", "-") for line in text.splitlines() if line.startswith("#")]
        assert not heading or heading in headings


def test_the_table_of_derivatives_is_up_to_date():
    assert derivative_table.PAGE.read_text("utf-8") == derivative_table.page(), "run python tests/derivative_table.py"


def test_the_first_example_has_twenty_lines():
    code = SNIPPETS[0].values[0].strip().splitlines()
    assert len([line for line in code if line.strip()]) <= 20


CORE = ("tensor", "operation", "backward", "transforms", "grad_mode", "registry", "arrays", "clock")


def lines_of_code(path):
    """Lines that are neither empty, nor comments, nor docstrings."""
    source = path.read_text("utf-8")
    texts = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef)) and ast.get_docstring(node) is not None:
            texts.update(range(node.body[0].lineno, node.body[0].end_lineno + 1))
    return sum(1 for number, line in enumerate(source.splitlines(), 1)
               if number not in texts and line.strip() and not line.strip().startswith("#"))


def test_the_core_is_as_short_as_the_readme_says():
    promised = int(re.search(r"The core is about (\d+) lines of code in eight files", README)[1])
    counted = sum(lines_of_code(ROOT / "tinygrad_nuc" / "engine" / f"{name}.py") for name in CORE)
    assert abs(counted - promised) <= 25 and f"({', '.join(CORE)})" in README.replace("\n", " ")


@pytest.mark.parametrize("path", sorted(set(re.findall(r"(?:tinygrad_nuc|demos|docs|tests)/[\w./]*", README))))
def test_every_path_in_the_readme_exists(path):
    assert (ROOT / path).exists()


def test_every_extra_in_the_readme_exists():
    settings = configparser.ConfigParser(interpolation=None)
    settings.read(ROOT / "setup.cfg", "utf-8")
    extras = set(settings["options.extras_require"])
    assert {"demos", "test", "browser", "files", "coverage", "types", "cuda12", "cuda13"} <= extras
    assert set(",".join(re.findall(r'-e "\.\[([\w,]+)\]"', README)).split(",")) <= extras
