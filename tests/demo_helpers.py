"""Runs of the demos for the tests: each in its quick form once, however many tests look at it."""

import contextlib
import functools
import io
import runpy
import sys
import tempfile
import warnings
from pathlib import Path
from types import SimpleNamespace

import tinygrad_nuc as tn

DEMOS = Path(__file__).parents[1] / "demos"


def run(name, *options):
    """All names that the demo leaves behind, after a run with these options, as a user would give them."""
    folder = Path(tempfile.mkdtemp()) / "out"
    before, dtype = (sys.argv, sys.excepthook), tn.get_default_dtype()
    sys.argv = [str(DEMOS / f"{name}.py"), *options, *([] if "--output" in options else ["--output", str(folder)])]
    try:
        with warnings.catch_warnings(action="error"), contextlib.redirect_stdout(io.StringIO()) as printed:
            names = runpy.run_path(sys.argv[0], run_name="__main__")
    finally:
        sys.argv, sys.excepthook = before
        tn.set_default_dtype(dtype)
    return SimpleNamespace(**names, printed=printed.getvalue(), folder=folder)


@functools.cache
def quick(name):
    """The demo's quick form."""
    return run(name, "--quick")
