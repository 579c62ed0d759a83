"""What the cells of a table hold: numbers, valid rows, and the two classes of a label."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from .table_formats import Columns


def feature_matrix(path: Path, table: Columns, chosen: list[int]) -> np.ndarray:
    """The chosen columns as (n, k) float64; empty cells are NaN, text is refused."""
    features = np.empty((len(table.values[0]), len(chosen)))
    for place, index in enumerate(chosen):
        column = table.values[index]
        if column.ndim == 1 and column.dtype.kind in "fiub":
            features[:, place] = column
            continue
        for row, cell in enumerate(column.tolist()):
            try:
                features[row, place] = _number(cell)
            except (TypeError, ValueError, OverflowError):
                is_list = isinstance(cell, (list, dict, np.ndarray))
                fault = "holds a list of values" if is_list else f'"{_short(cell)}" is not a number'
                raise ValueError(f"{path}: {table.where(row)}, {table.called(index)}: {fault}") from None
    return features


def _number(cell: Any) -> float:
    if cell is None or (isinstance(cell, str) and not cell.strip()):
        return math.nan
    if not isinstance(cell, (str, int, float)):
        raise TypeError(type(cell))  # float() would also take an array of one element: a jagged branch
    return float(cell)


def valid_rows(
    path: Path, table: Columns, columns: list[int], usable: np.ndarray, drop_invalid: bool
) -> np.ndarray:
    """Which rows have no unusable cell; the others raise unless they are to be dropped.

    `usable` says it for each row (first axis) and each of these columns (second axis).
    """
    valid: np.ndarray = np.all(usable, axis=1)
    count = int(np.sum(~valid))
    if count == len(valid):
        raise ValueError(f"{path}: no valid row is left: all {count} have an empty, NaN or infinite cell")
    if count and not drop_invalid:
        row = int(valid.argmin())
        column = table.called(columns[usable[row].argmin()])
        raise ValueError(
            f"{path}: {count} row{'s have' if count > 1 else ' has'} an empty, NaN or infinite cell, first "
            f"{table.where(row)}, {column}; leave such rows out with drop_invalid=True (--drop-invalid)"
        )
    return valid


def class_keys(path: Path, table: Columns, index: int) -> tuple[np.ndarray, dict[Any, str]]:
    """The class of each row as a key, None where it is empty or not finite; and the name of each key.

    A label that is a number is known by that number, so that "1", 1 and 1.0 are one class.
    """
    cells = table.values[index].tolist()
    try:
        # sorted, so that of "1" and "1.0" the shorter is always the one that names the class
        keys = {cell: _class_key(cell) for cell in sorted(set(cells), key=str, reverse=True)}
    except TypeError:  # a list cannot be in a set
        raise ValueError(f"{path}: {table.called(index)}, the label, holds lists of values") from None
    names = {key: _class_name(cell) for cell, key in keys.items()}
    return np.fromiter((keys[cell] for cell in cells), dtype=object), names


def _class_key(cell: Any) -> Any:
    text = cell.strip() if isinstance(cell, str) else cell
    if isinstance(text, str) and text.lower() in ("true", "false"):
        return float(text.lower() == "true")
    try:
        number = _number(text)
    except (TypeError, ValueError, OverflowError):
        return text
    return number if math.isfinite(number) else None


def _class_name(cell: Any) -> str:
    """The class as the file's author would write it: 1, not 1.0, for a column of numbers."""
    whole = isinstance(cell, float) and cell.is_integer()
    return str(int(cell) if whole else cell).strip()


def find_classes(
    path: Path, column: str, names: dict[Any, str], signal: str | float | None
) -> tuple[Any, Any]:
    """The keys of background and signal among the named classes, of which there must be two."""
    shown = sorted(names.values())
    if len(names) == 1:
        raise ValueError(f'{path}: {column} as the label has only one class, "{shown[0]}"; two are needed')
    if len(names) > 2:
        found = f"{len(names)} classes ({listed(shown, most=4)})"
        raise ValueError(f"{path}: {column} as the label has {found}; two are needed")
    if signal is not None:
        signal_key = _class_key(signal)
        if signal_key not in names:
            raise ValueError(f'{path}: no class "{signal}" in {column}; the classes are {listed(shown)}')
    elif set(names) == {0.0, 1.0}:
        signal_key = 1.0
    else:
        raise ValueError(
            f"{path}: the classes in {column} are {listed(shown)}; "
            f'say which is the signal: signal="{shown[0]}" or signal="{shown[1]}" (--signal)'
        )
    return next(key for key in names if key != signal_key), signal_key


def listed(names: Iterable[str], most: int = 20) -> str:
    """Names for a message: each quoted, and no more of them than one wants to read."""
    names = [f'"{_short(name)}"' for name in names]
    return ", ".join(names[:most]) + (", ..." if len(names) > most else "")


def suggestion(name: str, available: list[str]) -> str:
    """A remark on the name that was probably meant, if there is one."""
    near = difflib.get_close_matches(name, available, n=1)
    return f'did you mean "{near[0]}"? ' if near else ""


def _short(cell: Any) -> str:
    text = " ".join(str(cell).split())
    return text if len(text) <= 40 else text[:37] + "..."
