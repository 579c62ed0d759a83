"""What all demos share: a command line, a report, pictures, and the numbers that must come out."""

import argparse
import math
import sys
import weakref
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .. import cuda
from ..devices.names import as_device, set_default_device
from ..engine.generator import manual_seed
from .allocation import keep_freed_memory
from .command import BAD_INPUT, Parser, Report
from .files import output_folder, reason


class Demo:
    """A demo in the making: what it was asked for, what it has said, drawn and found.

    A demo is a script that is read, and run, from top to bottom. It begins with ``args = demo.arguments()``, says what
    it finds with `say`, compares it with what it should be with `expect`, keeps pictures with `save`, and ends with
    `finish`. In a notebook it runs in the same way, as if without options, and shows its pictures.

    Pictures and report appear in the output folder at the end, all or nothing: a demo that fails, or is interrupted,
    leaves an earlier result as it was. Errors in files and options end it with one line and status 2, unless there is
    the option ``--debug``; Ctrl-C ends it with status 130.

    Parameters
    ----------
    name : str
        Of the script, without ``.py``; results go to ``output/name`` unless ``--output`` says otherwise.
    doc : str
        What ``--help`` says: the script's docstring.
    seed : int
        Of the random numbers, unless ``--seed`` says otherwise.
    trains : bool
        Whether there is the option ``--device``, which makes every tensor and every network on a GPU.

    Attributes
    ----------
    pictures : dict of str to matplotlib.figure.Figure
        Those saved.
    missed : list of str
        What was not as expected.
    changed : list of str
        The demo's own options that are not at their defaults.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.mkdtemp()
    >>> demo = Demo("area", "The area of a circle.")
    >>> args = demo.arguments(["--quick", "--output", folder])
    >>> args.quick, args.seed
    (True, 1)
    >>> demo.expect("area of a circle of radius 1", 3.1416, 3.14159265, within=1e-4)
    ✓ area of a circle of radius 1: 3.1416, expected 3.14159 ± 0.0001
    >>> demo.finish()                                                           # doctest: +ELLIPSIS
    <BLANKLINE>
    1 number, as expected. Report: ...
    """

    def __init__(self, name: str, doc: str | None, *, seed: int = 1, trains: bool = False) -> None:
        self.pictures: dict[str, Any] = {}
        self.missed: list[str] = []
        self.compared = self.differing = 0
        self.options: list[argparse.Action] = []
        self.changed: list[str] = []
        self.say = Report()
        self.results = ExitStack()
        self.parser = Parser(description=doc)
        self.parser.add_argument("--quick", action="store_true", help="a few seconds: does it work?")
        self.parser.add_argument("--seed", type=int, default=seed, help=f"of the random numbers ({seed})")
        self.parser.add_argument("--output", type=Path, default=Path("output") / name, metavar="FOLDER",
                                 help=f"where pictures and report go (output/{name})")
        if trains:
            self.parser.add_argument("--device", help="gpu, cpu, or auto: the GPU if there is one (cpu)")

    def option(self, name: str, **settings: Any) -> None:
        """Add an option of this demo's own, with argparse's settings; before `arguments`.

        Whoever gives it makes an experiment: a number that is then not as expected is shown, and not missed.

        Examples
        --------
        >>> import tempfile
        >>> demo = Demo("line", "A line.")
        >>> demo.option("--lr", type=float, default=0.1, help="learning rate (0.1)")
        >>> demo.arguments(["--lr", "0.5", "--output", tempfile.mkdtemp()]).lr
        0.5
        """
        self.options.append(self.parser.add_argument(name, **settings))

    def arguments(self, argv: list[str] | None = None) -> argparse.Namespace:
        """Read the command line, make room for the results, and set the seed of `tinygrad_nuc`'s random numbers.

        Memory that is freed stays with the process from here on: see `tinygrad_nuc.keep_freed_memory`.
        With ``--device`` the default device is set too, so that the demo itself need not know of it.

        Raises
        ------
        SystemExit
            With status 2 and one line that says what is wrong with the command.
        """
        as_script = argv is None and not in_notebook()          # a notebook's own options are not the demo's
        args = self.parser.parse_args(None if as_script else argv or [])
        if not 0 <= args.seed < 2 ** 32:
            self.parser.error(f"--seed must be a whole number from 0 to {2 ** 32 - 1}, not {args.seed}")
        try:
            chosen = self.on_device(getattr(args, "device", None))
        except (ValueError, RuntimeError) as error:
            self.parser.error(f"--device {args.device}: {error}")
        self.changed = [option.option_strings[0] for option in self.options
                        if getattr(args, option.dest) != option.default]
        self.output = args.output
        try:
            self.folder = self.results.enter_context(output_folder(args.output))
        except OSError as error:
            self.parser.error(reason(error))
        weakref.finalize(self, self.results.__exit__, Unfinished, Unfinished(), None)
        if as_script and not args.debug:
            sys.excepthook = partial(end_in_one_line, sys.excepthook)
        manual_seed(args.seed)
        keep_freed_memory()
        if chosen:
            self.say(chosen)
        return args

    def on_device(self, name: str | None) -> str:
        """Make what follows on this device; returns what there is to say of it."""
        if name is None or (name == "auto" and not cuda.is_available()):
            return ""
        where = as_device("gpu" if name == "auto" else name)
        set_default_device(where)
        return "" if where.type == "cpu" else f"On the GPU: {cuda.get_device_name(where)}"

    def expect(self, what: str, found: ArrayLike, expected: ArrayLike | None = None, *, within: float = 0.0,
               at_least: float | None = None, at_most: float | None = None) -> None:
        """Say what was found beside what should be, and remember if it is not so.

        Parameters
        ----------
        what : str
            The quantity, with its unit.
        found : array_like
            A number, or several.
        expected : array_like, optional
            What it should be, up to ± `within` in every number.
        at_least, at_most : float, optional
            Limits, for what has no exact value.

        Examples
        --------
        >>> demo = Demo("demo", "")
        >>> demo.expect("accuracy", 0.93, at_least=0.95)
        ✗ accuracy: 0.93, expected at least 0.95
        >>> demo.missed
        ['accuracy']
        """
        values = np.asarray(found, dtype=float)
        wanted, fits = [], bool(np.isfinite(values).all())
        if expected is not None:
            target = np.asarray(expected, dtype=float)
            wanted.append(written(expected, within) + (f" ± {within:g}" if within else ""))
            fits &= values.shape == target.shape and bool(np.all(np.abs(values - target) <= within))
        if at_least is not None:
            wanted.append(f"at least {at_least:g}")
            fits &= bool(np.all(values >= at_least))
        if at_most is not None:
            wanted.append(f"at most {at_most:g}")
            fits &= bool(np.all(values <= at_most))
        if not wanted:
            raise TypeError("expect: give expected, at_least or at_most; without them nothing is compared")
        self.compared += 1
        self.differing += not fits
        if not fits and not self.changed:
            self.missed.append(what)
        mark = "✓" if fits else "–" if self.changed else "✗"
        self.say(f"{mark} {what}: {written(found, within)}, expected {' and '.join(wanted)}"
                 + (f" without {', '.join(self.changed)}" if mark == "–" else ""))

    def save(self, drawn: Any, name: str) -> None:
        """Keep a picture for the output folder: a figure, or anything that knows its ``.figure``, as plots return."""
        while isinstance(drawn, (list, tuple)):                 # of lines, bars, pictures
            drawn = drawn[0]
        figure = drawn if hasattr(drawn, "savefig") else drawn.figure
        figure.savefig(self.path(name))
        self.pictures[name] = figure
        if in_notebook():
            from IPython.display import Image, display
            display(Image(self.path(name)))

    def path(self, name: str) -> Path:
        """Where to write a file of this name, to find it in the output folder at the end."""
        return self.folder / name

    def finish(self) -> None:
        """Put report and pictures in their place, and end with status 1 if something was not as expected."""
        self.path("report.txt").write_text(self.say.text, "utf-8")
        self.results.close()
        verdict = f"{self.differing} not as expected" if self.differing else "as expected"
        verdict += f", with {' and '.join(self.changed)}" if self.changed else ""
        found = f"{self.compared} number{'s' if self.compared != 1 else ''}, {verdict}" if self.compared else "Done"
        print(f"\n{found}. Report{' and pictures' if self.pictures else ''}: {self.output}")
        if self.missed:
            sys.exit("not as expected: " + "; ".join(self.missed))


class Unfinished(Exception):
    """What the output folder is told when a demo ends before its end."""


def end_in_one_line(show: Any, kind: type[BaseException], error: BaseException,
                    traceback: TracebackType | None) -> None:
    """In place of a traceback, which `show` would show, what a user can mend, in one line: for sys.excepthook."""
    if isinstance(error, KeyboardInterrupt):
        print("interrupted: nothing was saved", file=sys.stderr)
        sys.exit(130)
    if isinstance(error, BAD_INPUT):
        print(f"error: {reason(error)} (--debug shows where it comes from)", file=sys.stderr)
        sys.exit(2)
    show(kind, error, traceback)


def in_notebook() -> bool:
    """Whether this runs in a notebook, whose kernel is Jupyter's."""
    return "ipykernel" in sys.modules


def written(values: ArrayLike, within: float = 0.0) -> str:
    """Six digits of a number, or of several; more, where ± `within` says that more of them count.

    Examples
    --------
    >>> written(0.168331), written(161051), written([[0.5, 2.0]])
    ('0.168331', '161,051', '[[0.5, 2]]')
    >>> written(4.2150961634, within=5e-9)
    '4.21509616'
    """
    array = np.asarray(values)
    if array.ndim:
        return "[" + ", ".join(written(value, within) for value in array) + "]"
    if array.dtype.kind != "f":
        return f"{array.item():,}" if array.dtype.kind in "iu" else str(array.item())
    digits = 6
    if within and np.isfinite(array) and array:
        digits = min(10, max(6, math.floor(math.log10(abs(array))) - math.ceil(math.log10(within)) + 1))
    return f"{array.item():.{digits}g}"
