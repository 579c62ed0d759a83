"""The table of derivatives as a page: ``python tests/derivative_table.py`` writes docs/derivatives.md anew.

Formulas and rules are taken from the source of the operations, so the page shows what runs.
"""

import ast
import html
import inspect
import textwrap
from pathlib import Path

from tinygrad_nuc.engine.registry import table

PAGE = Path(__file__).parents[1] / "docs" / "derivatives.md"
HEAD = """# The table of derivatives

Every operation that can be recorded, with the derivative rule that runs, as it stands in the source: g is the gradient that
arrives, ∂L/∂y, and each rule gives ∂L/∂(argument). Broadcasting, dtypes and the adding up of several uses are the
engine's business, not the rules'. All else (`tn.std`, `tn.sort`, the losses ...) is composed of these, and so needs
no rules of its own. Since the rules are made of operations too, every one has derivatives of every order: the tests check
the first and the second of each, with no exception.

This page is written by `python tests/derivative_table.py`; a test compares it with the source.
"""


def rules(operation: type) -> list[tuple[str, str]]:
    """(argument, source of its rule) for each derivative."""
    source = textwrap.dedent(inspect.getsource(operation))
    tree = ast.parse(source).body[0]
    assert isinstance(tree, ast.ClassDef)
    found = []
    for function in tree.body:
        if isinstance(function, ast.FunctionDef) and function.name.startswith("grad_"):
            lines = [" ".join((ast.get_source_segment(source, line) or "").split()) for line in function.body]
            found.append((function.name.removeprefix("grad_"), "; ".join(lines).replace("return ", "")))
    return found


def page() -> str:
    """The whole page as text."""
    text, module = HEAD, ""
    ours = [operation for operation in vars(table).values() if operation.__module__.startswith("tinygrad_nuc.")]
    for operation in sorted(ours, key=lambda o: (o.__module__, inspect.getsourcelines(o)[1])):
        if operation.__module__ != module:
            module = operation.__module__
            file = module.replace(".", "/") + ".py"
            text += (f"\n## {module.rpartition('.')[2].replace('_', ' ')}\n\nIn [`{file}`](../{file}).\n\n"
                     "| operation | | rule |\n|---|---|---|\n")
        formula = (inspect.getdoc(operation) or "").splitlines()[0].replace("|", "\\|")
        shown = "<br>".join(f"∂L/∂{argument}: <code>{html.escape(rule, quote=False).replace('|', '&#124;')}</code>"
                            for argument, rule in rules(operation))
        text += f"| {operation.__name__} | {formula} | {shown} |\n"
    return text


if __name__ == "__main__":
    PAGE.write_text(page(), "utf-8")
