"""The options with which a program takes a table of its user's: ``--data``, and what goes with it."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .tables import Features, Table, read_features, read_table

LARGEST = 1e30          # float32, in which networks compute, ends near 3e38, and squares are to come
FEWEST = 20             # of each class: to train with, to stop by, and to be judged by


@dataclass(frozen=True, eq=False)
class Sample:
    """Labelled events to learn from, and perhaps events without labels to measure."""

    x: np.ndarray
    """(n, k) measured variables."""
    y: np.ndarray
    """(n,) labels, 0 for background and 1 for signal."""
    variables: list[str]
    """Names of the k variables."""
    classes: tuple[str, str]
    """Names of background and signal."""
    unlabelled: np.ndarray | None = None
    """(N, k) events of the same variables."""
    dropped: int = 0
    """Rows with invalid cells that were left out."""

    def __str__(self) -> str:
        counts = ", ".join(f"{np.sum(self.y == k):,} {name}" for k, name in enumerate(self.classes))
        k = len(self.variables)
        return (f"{len(self.y):,} labelled events ({counts}), {k} variable{'s' if k > 1 else ''}"
                + (f"; {len(self.unlabelled):,} without labels" if self.unlabelled is not None else "")
                + (f"; rows with invalid cells dropped: {self.dropped:,}" if self.dropped else ""))


def table_options(option: Callable[..., Any]) -> None:
    """Add the options ``--data``, ``--label``, ``--signal``, ``--apply`` and ``--drop-invalid``.

    Parameters
    ----------
    option : callable
        ``demo.option``, or ``parser.add_argument``.

    Examples
    --------
    >>> parser = argparse.ArgumentParser()
    >>> table_options(parser.add_argument)
    >>> parser.parse_args(["--data", "magic04.data", "--signal", "g"]).signal
    'g'
    """
    option("--data", type=Path, metavar="FILE",
           help="a labelled table (CSV, JSON, .npy, .npz, ROOT) instead of the simulation")
    option("--label", help="its label column, by name or number; the last one by default")
    option("--signal", help="the label of the class to look for")
    option("--apply", type=Path, metavar="FILE", help="a table without labels, to measure the fraction of signal in")
    option("--drop-invalid", action="store_true", help="leave out rows with empty, NaN or infinite cells")


def given_sample(args: argparse.Namespace) -> Sample | None:
    """The events in the tables that the options name; None without ``--data``.

    Parameters
    ----------
    args : argparse.Namespace
        With what `table_options` added.

    Raises
    ------
    OSError, ValueError
        As `read_table` and `read_features`; if one of the other options comes without ``--data``; if a class has fewer
        than 20 events, or a value is too large for float32. The message begins with the file or the option.

    Examples
    --------
    >>> import tempfile
    >>> path = Path(tempfile.mkdtemp()) / "showers.csv"
    >>> _ = path.write_text("length,class\\n" + "28.8,gamma\\n162.1,hadron\\n" * 20)
    >>> parser = argparse.ArgumentParser()
    >>> table_options(parser.add_argument)
    >>> print(given_sample(parser.parse_args(["--data", str(path), "--signal", "gamma"])))
    40 labelled events (20 hadron, 20 gamma), 1 variable
    >>> given_sample(parser.parse_args([])) is None
    True
    """
    if not args.data:
        for name in ("label", "signal", "apply", "drop_invalid"):
            if getattr(args, name):
                raise ValueError(f"--{name.replace('_', '-')} needs --data: the simulation has labels and samples of "
                                 "its own")
        return None
    table = read_table(args.data, label=args.label, signal=args.signal, drop_invalid=args.drop_invalid)
    refuse_huge_values(args.data, table)
    new = None
    if args.apply:
        new = read_features(args.apply, names=table.names, label=args.label, drop_invalid=args.drop_invalid)
        refuse_huge_values(args.apply, new)
    if np.bincount(table.labels, minlength=2).min() < FEWEST:
        raise ValueError(f"{args.data}: needs at least {FEWEST} events of each class to train, to stop and to be "
                         "judged by")
    return Sample(table.features, table.labels, table.names, table.classes, new.features if new else None,
                  table.dropped + (new.dropped if new else 0))


def refuse_huge_values(path: Path, table: Table | Features) -> None:
    """Refuse what is finite in a file and infinite in a network."""
    for name, column in zip(table.names, table.features.T, strict=True):
        if np.abs(column).max(initial=0) > LARGEST:
            raise ValueError(f"{path}: {name} has values up to {np.abs(column).max():.3g}, too large for float32")
