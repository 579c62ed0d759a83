"""What every program with a result has in common: its command line, its report, its one-line errors."""

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn

from .files import output_folder, reason

BAD_INPUT = (OSError, ValueError, TypeError, FloatingPointError, MemoryError)


class Parser(argparse.ArgumentParser):
    """An argument parser that says in one line what is wrong with the command, and exits with status 2.

    It brings the option ``--debug``, for `save_all_or_nothing`.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(formatter_class=argparse.RawDescriptionHelpFormatter, **options)
        self.add_argument("--debug", action="store_true", help="show where an error comes from")

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"error: {message}\n")


class Report:
    """Prints what it is told, and keeps it for a file.

    Examples
    --------
    >>> say = Report()
    >>> say("AUC 0.91")
    AUC 0.91
    >>> say.text
    'AUC 0.91\\n'
    """

    def __init__(self) -> None:
        self.text = ""

    def __call__(self, line: str = "") -> None:
        print(line, flush=True)
        self.text += line + "\n"


def save_all_or_nothing(output: Path, run: Callable[[Path], None], debug: bool = False) -> int:
    """Let `run` write into a folder that becomes `output` only if all went well; return the exit status.

    Bad input ends with one line on standard error and status 2, Ctrl-C with status 130, and neither leaves
    anything behind. With `debug`, and for errors of other kinds, the traceback is shown.
    """
    try:
        with output_folder(output) as folder:
            run(folder)
    except BAD_INPUT as error:
        if debug:
            raise
        print(f"error: {reason(error)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted: nothing was saved", file=sys.stderr)
        return 130
    return 0


def whole_numbers(text: str) -> list[int]:
    """A list on a command line.

    Examples
    --------
    >>> whole_numbers("32,16")
    [32, 16]
    """
    try:
        return [int(number) for number in text.split(",")]
    except ValueError:
        raise argparse.ArgumentTypeError(f"expects whole numbers such as 32,32 and not {text!r}") from None
