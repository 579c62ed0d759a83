"""Read a table of measured quantities: with labels for training, without them for predicting.

    read_table("magic04.data", signal="g")         # features, and labels 1 for signal, 0 for background
    read_features("night2.csv", names=table.names)  # the same features of events without labels

The file may be CSV or other separated text (comma, semicolon, tab or blanks; with or without a header;
``#`` comments; also .gz), JSON (records, columns or JSON lines), .npy, .npz or, with uproot, ROOT.
Every error is one line that starts with the file. Lines, rows and columns in it are counted from 1.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .files import given_path
from .table_checks import (
    class_keys,
    feature_matrix,
    find_classes,
    listed,
    suggestion,
    valid_rows,
)
from .table_formats import Columns, read_columns


@dataclass(frozen=True, eq=False)
class Table:
    """What `read_table` gives: n labelled events with k features each."""

    features: np.ndarray
    """(n, k) float64, all finite."""
    labels: np.ndarray
    """(n,) int64: 1 for signal, 0 for background."""
    names: list[str]
    """The k features; "variable 1", "variable 2", ... where the file does not name them."""
    classes: tuple[str, str]
    """Background and signal, as the file calls them."""
    dropped: int
    """How many invalid rows were left out."""


@dataclass(frozen=True, eq=False)
class Features:
    """What `read_features` gives: n events with k features each."""

    features: np.ndarray
    """(n, k) float64, all finite."""
    names: list[str]
    """The k features."""
    rows: np.ndarray
    """(n,) int64: which row of the file each event is, from 0; it skips the dropped ones."""
    dropped: int
    """How many invalid rows were left out."""


def read_table(
    path: str | os.PathLike,
    label: str | int | None = None,
    signal: str | float | None = None,
    drop_invalid: bool = False,
) -> Table:
    """Read a table of events with a label that tells signal from background.

    Parameters
    ----------
    path : str or os.PathLike
        The file; its format is told by its content.
    label : str or int, optional
        The label column, by name or by number (from 0, and -1 is the last; ``"3"`` works like ``3``).
        The last column if not given. All others are features.
    signal : str or float, optional
        The label that counts as 1; ``"1"``, ``1`` and ``1.0`` mean the same. Not needed for 0 and 1.
    drop_invalid : bool
        Leave out the rows with an empty, NaN or infinite cell, instead of refusing the file.

    Returns
    -------
    Table

    Raises
    ------
    OSError
        When the file is missing or cannot be read.
    ValueError
        When it is damaged, is no table, a feature is not a number, a row is invalid, or there are not
        exactly two classes. The message names the line and the column.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "showers.csv"
    ...     _ = path.write_text("length,width,class\\n28.8,16.0,gamma\\n162.1,136.0,hadron\\n")
    ...     table = read_table(path, signal="gamma")
    >>> table.names, table.classes, table.labels.tolist()
    (['length', 'width'], ('hadron', 'gamma'), [1, 0])
    """
    path = Path(given_path(path, "read_table"))
    table = read_columns(path)
    label_index = _label_index(path, table, label)
    chosen = _without(list(range(len(table.names))), label_index)
    if not chosen:
        raise ValueError(f"{path}: has only one column, the label, and no features")
    features = feature_matrix(path, table, chosen)
    keys, class_names = class_keys(path, table, label_index)
    usable = np.column_stack([np.isfinite(features), [key is not None for key in keys]])
    valid = valid_rows(path, table, [*chosen, label_index], usable, drop_invalid)
    keys = keys[valid]
    background, signal_key = find_classes(
        path, table.called(label_index), {key: class_names[key] for key in set(keys)}, signal
    )
    return Table(
        features=features[valid],
        labels=(keys == signal_key).astype(np.int64),
        names=_feature_names(table, chosen),
        classes=(class_names[background], class_names[signal_key]),
        dropped=int(np.sum(~valid)),
    )


def read_features(
    path: str | os.PathLike,
    names: Sequence[str] | int | None = None,
    label: str | int | None = None,
    drop_invalid: bool = False,
) -> Features:
    """Read a table of events without labels, or leave its label column aside.

    Parameters
    ----------
    path : str or os.PathLike
        The file; its format is told by its content.
    names : sequence of str or int, optional
        The features wanted. Given the names of the training table, a file with a header must have them,
        in any order and among others. A file without header must have as many columns, or one more: the
        label. A number stands for so many features without names. All columns if not given.
    label : str or int, optional
        The label column to leave aside where columns are counted (see `read_table`); by default the last.
    drop_invalid : bool
        Leave out the rows with an empty, NaN or infinite cell, instead of refusing the file.

    Returns
    -------
    Features

    Raises
    ------
    OSError, ValueError
        As `read_table`, and when a feature is missing.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "night2.csv"
    ...     _ = path.write_text("event,width,length\\n7,16.0,28.8\\n")
    ...     read_features(path, names=["length", "width"]).features
    array([[28.8, 16. ]])
    """
    path = Path(given_path(path, "read_features"))
    table = read_columns(path)
    chosen = _chosen_features(path, table, names, label)
    features = feature_matrix(path, table, chosen)
    valid = valid_rows(path, table, chosen, np.isfinite(features), drop_invalid)
    return Features(
        features=features[valid],
        names=_feature_names(table, chosen) if names is None or isinstance(names, int) else list(names),
        rows=np.flatnonzero(valid),
        dropped=int(np.sum(~valid)),
    )


# ---- which columns


def _label_index(path: Path, table: Columns, label: str | int | None) -> int:
    """The position of the label column, given by name or number."""
    if label is None:
        return len(table.names) - 1
    if label in table.names:
        return table.names.index(str(label))
    if _is_column_number(label):
        last = len(table.names) - 1
        if not -last - 1 <= int(label) <= last:
            raise ValueError(f"{path}: no column {label}: numbers go from 0 to {last}, or from -1 down")
        return range(last + 1)[int(label)]
    if not any(table.names):
        raise ValueError(f'{path}: no column "{label}": without a header give its number (0, 1, ... or -1)')
    raise _no_column(path, str(label), table)


def _chosen_features(
    path: Path, table: Columns, names: Sequence[str] | int | None, label: str | int | None
) -> list[int]:
    """The positions of the feature columns: by name where both sides have names, else by count."""
    everything = list(range(len(table.names)))
    headerless = None in table.names
    if names is None:
        return everything if label is None else _without(everything, _label_index(path, table, label))
    if not isinstance(names, int) and not headerless and list(names) != _default_names(len(names)):
        for name in names:
            if name not in table.names:
                raise _no_column(path, name, table)
        return [table.names.index(name) for name in names]
    count = names if isinstance(names, int) else len(names)
    if len(everything) == count:
        return everything
    if len(everything) == count + 1:
        # the name that the label has in the training table means nothing in a file without names
        known = label if _is_column_number(label) or not headerless else None
        return _without(everything, _label_index(path, table, known))
    expected = f"{count} (or {count + 1} with the label)"
    raise ValueError(f"{path}: has {len(everything)} columns, expected {expected}")


def _is_column_number(label: str | int | None) -> bool:
    return re.fullmatch(r"-?\d+", str(label)) is not None


def _without(positions: list[int], ignored: int) -> list[int]:
    return [position for position in positions if position != ignored]


def _no_column(path: Path, name: str, table: Columns) -> ValueError:
    available = [known for known in table.names if known is not None]
    hint = suggestion(name, available)
    return ValueError(f'{path}: no column "{name}"; {hint}the columns are {listed(available)}')


def _feature_names(table: Columns, chosen: list[int]) -> list[str]:
    names = [table.names[index] for index in chosen]
    return [name or default for name, default in zip(names, _default_names(len(names)))]


def _default_names(count: int) -> list[str]:
    return [f"variable {number}" for number in range(1, count + 1)]
