"""The formats of a table: one reader each, and all give the same `Columns`.

`read_columns` is the entrance; `tables.py` then checks what the columns hold.
"""

from __future__ import annotations

import csv
import gzip
import json
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from .files import reason

KNOWN = "CSV or other text (also .gz), JSON, .npy, .npz, ROOT"
SAMPLE_ROWS = 20  # the rows that decide on the separator and the header
BLOCK_ROWS = 20_000  # text is turned into numbers in blocks, so that its cells never fill the memory


@dataclass
class Columns:
    """A table as its file has it, not yet checked."""

    names: list[str | None]
    """One name for each column; None where the file has none."""
    values: list[np.ndarray]
    """One array for each column: numbers, or Python objects where some cells are no numbers."""
    lines: Sequence[int] | None = None
    """The line of the file that each row is on, where the file has lines."""

    def where(self, row: int) -> str:
        """How to find a row in the file, counted from 1."""
        return f"row {row + 1}" if self.lines is None else f"line {self.lines[row]}"

    def called(self, index: int) -> str:
        """How to find a column in the file."""
        name = self.names[index]
        return f"column {index + 1}" if name is None else f'column "{name}"'


def read_columns(path: Path) -> Columns:
    """Read a table file of any known format, told by its first bytes, and check that it is a table."""
    try:
        with open(path, "rb") as file:
            head = file.read(16)
    except OSError as error:
        raise type(error)(f"{path}: {error.strerror}") from None
    if head.startswith(b"\x93NUMPY"):
        table = _read_npy(path)
    elif head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        table = _read_npz(path)
    elif head.startswith(b"root\0"):
        table = _read_root(path)
    elif path.suffix.lower() in (".npy", ".npz", ".root"):
        raise ValueError(f"{path}: does not begin like a {path.suffix} file: damaged, or another format")
    else:
        table = _read_text(path, packed=head.startswith(b"\x1f\x8b"))
    repeated = [name for name, count in Counter(table.names).items() if count > 1 and name is not None]
    if repeated:
        raise ValueError(f'{path}: the column name "{repeated[0]}" occurs more than once')
    # fixed-width bytes, as NumPy's "S" columns have them
    table.values = [np.char.decode(v, "utf-8", "replace") if v.dtype.kind == "S" else v for v in table.values]
    lengths = [len(column) for column in table.values]
    if not any(lengths):
        raise ValueError(f"{path}: the table is empty, it has no rows")
    for index, length in enumerate(lengths):
        if length != lengths[0]:
            first, other = table.called(0), table.called(index)
            raise ValueError(f"{path}: {first} has {lengths[0]} rows, {other} has {length}")
    return table


def _read_text(path: Path, packed: bool) -> Columns:
    """Separated text or JSON, gzip-compressed or not."""
    ending = Path(path.name.lower().removesuffix(".gz")).suffix
    opener = gzip.open if packed else open
    try:
        # surrogateescape lets bytes that are not UTF-8 through; `_refuse_undecoded` then finds their line
        with opener(path, "rt", encoding="utf-8-sig", errors="surrogateescape") as file:
            start = file.read(4096)
            file.seek(0)
            if "\0" in start:
                raise ValueError(f"{path}: unknown format (known: {KNOWN}; text must be UTF-8)")
            other = ending not in (".csv", ".tsv", ".data", ".txt")
            if ending in (".json", ".jsonl", ".ndjson") or (other and start.lstrip()[:1] in ("[", "{")):
                return _read_json(path, file.read())
            return _read_separated(path, file)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(f"{path}: the compressed file is damaged or cut off: {error}") from None


def _refuse_undecoded(path: Path, text: str, line: int) -> None:
    """Raise if the text, which begins on this line of the file, holds bytes that are not UTF-8."""
    try:
        if not text.isascii():
            text.encode()
    except UnicodeEncodeError as error:
        line += text.count("\n", 0, error.start)
        byte = ord(text[error.start]) - 0xDC00  # as surrogateescape hides it
        raise ValueError(f"{path}: line {line}: byte 0x{byte:02x} is not UTF-8; save it as UTF-8") from None


# ---- comma, semicolon, tab or blanks between the cells


def _read_separated(path: Path, file: TextIO) -> Columns:
    rows = _rows(path, file)
    sample = list(islice(rows, SAMPLE_ROWS))
    names = _header(path, sample)
    lines: list[int] = []
    blocks = []
    rows = chain(sample[1:] if names else sample, rows)
    while block := list(islice(rows, BLOCK_ROWS)):
        lines += [line for line, _ in block]
        blocks.append([_cells_to_array(cells) for cells in zip(*(cells for _, cells in block))])
    values = [np.concatenate(parts) for parts in zip(*blocks)]
    return Columns(list(names) if names else [None] * len(values), values, lines)


def _rows(path: Path, file: TextIO) -> Iterator[tuple[int, list[str]]]:
    """The cells of each row, with the line it is on; blank lines and # comments are left out."""
    lines = _content_lines(path, file)
    sample = list(islice(lines, SAMPLE_ROWS))
    # A separator stands in every line. Comma before tab, for the sake of ",<tab>" between cells.
    separator = next((c for c in ";,\t" if sample and all(c in text for _, text in sample)), None)
    number = first_number = width = 0

    def texts() -> Iterator[str]:
        nonlocal number
        for number, text in chain(sample, lines):
            yield text if separator else " ".join(text.split())

    try:
        skip = separator is not None  # blanks after a separator
        for cells in csv.reader(texts(), delimiter=separator or " ", skipinitialspace=skip, strict=True):
            if not width:
                first_number, width = number, len(cells)
            if len(cells) != width:
                found = f"line {number} has {len(cells)} cells"
                raise ValueError(f"{path}: {found}, but line {first_number} has {width}")
            yield number, cells
    except csv.Error as error:
        raise ValueError(f"{path}: line {number}: {error}") from None


def _content_lines(path: Path, file: TextIO) -> Iterator[tuple[int, str]]:
    for number, line in enumerate(file, start=1):
        _refuse_undecoded(path, line, number)
        if line.strip() and not line.lstrip().startswith("#"):
            yield number, line.rstrip("\n")


def _header(path: Path, sample: list[tuple[int, list[str]]]) -> list[str] | None:
    """The names in the first row, if it is a header: if it has text where there are numbers below."""
    if not sample:
        return None
    line, first = sample[0]
    names = [cell.strip() for cell in first]
    if len(sample) == 1:  # a lone row without any number is a header without a table
        return None if any(map(_is_number, names)) else names
    below = zip(*(cells for _, cells in sample[1:]))
    filled = [[cell for cell in cells if cell.strip()] for cells in below]
    # most of them: a wrong cell among the first rows must not hide the header
    numeric = [index for index, cells in enumerate(filled) if 2 * sum(map(_is_number, cells)) > len(cells)]
    texts = [index for index in numeric if names[index] and not _is_number(names[index])]
    if not texts:
        return None
    # "1.5,oops,3.2" is a row with a mistake: taking it for a header would silently lose it
    if any(_is_number(names[index]) for index in numeric):
        raise ValueError(
            f'{path}: line {line}, column {texts[0] + 1}: "{names[texts[0]]}" is not a number, '
            "but others on this line are, so it is neither a header nor a row of numbers"
        )
    if "" in names:
        raise ValueError(f"{path}: line {line}: column {names.index('') + 1} has no name in the header")
    return names


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _cells_to_array(cells: Sequence[str]) -> np.ndarray:
    """Numbers if all cells are numbers or empty (NaN), else the texts."""
    try:
        return np.array([float(cell or "nan") for cell in cells])
    except ValueError:
        return np.array([cell.strip() for cell in cells], dtype=object)


# ---- JSON


def _read_json(path: Path, text: str) -> Columns:
    """A list of records, an object of columns, or one record on each line."""
    _refuse_undecoded(path, text, line=1)
    lines = None
    try:
        content = _parse_json(text)
    except ValueError as error:
        lines, content = [], []
        for number, line in enumerate(text.split("\n"), start=1):
            try:
                if line.strip():
                    content.append(_parse_json(line))
                    lines.append(number)
            except ValueError as error_in_line:
                if not content:  # not even the first line stands alone: these are no JSON lines
                    raise ValueError(f"{path}: not valid JSON: {error}") from None
                message = getattr(error_in_line, "msg", error_in_line)  # without its own count of lines
                raise ValueError(f"{path}: line {number}: not valid JSON: {message}") from None
    if isinstance(content, dict):
        if content and all(isinstance(column, list) for column in content.values()):
            return Columns(list(content), [np.fromiter(cells, dtype=object) for cells in content.values()])
        content = [content]
    if not isinstance(content, list) or not all(isinstance(record, dict) for record in content):
        raise ValueError(f'{path}: expected records [{{"x": 1, ...}}, ...] or columns {{"x": [1, ...], ...}}')
    names = list(content[0]) if content else []
    table = Columns(names, [], lines)
    for row, record in enumerate(content):
        if record.keys() != content[0].keys():
            key = min(record.keys() ^ content[0].keys())
            fault = "lacks the" if key in content[0] else "alone has a"
            raise ValueError(f'{path}: {table.where(row)} {fault} key "{key}"')
    table.values = [np.fromiter((record[name] for record in content), dtype=object) for name in names]
    return table


def _parse_json(text: str) -> Any:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        for key, count in Counter(key for key, _ in pairs).items():
            if count > 1:
                raise ValueError(f'the key "{key}" occurs more than once in one object')
        return dict(pairs)

    try:
        return json.loads(text, object_pairs_hook=unique)
    except RecursionError:
        raise ValueError("nested too deeply") from None


# ---- NumPy and ROOT


def _read_npy(path: Path) -> Columns:
    try:
        array = np.load(path, allow_pickle=False)
    except Exception as error:
        raise ValueError(f"{path}: cannot be read as an .npy file: {reason(error)}") from None
    if array.ndim == 1 and array.dtype.names:
        return Columns(list(array.dtype.names), [array[name] for name in array.dtype.names])
    if array.ndim == 2:
        return Columns([None] * array.shape[1], list(array.T))
    raise ValueError(f"{path}: an array of shape {array.shape}, expected (rows, columns) or named fields")


def _read_npz(path: Path) -> Columns:
    """1-D columns by name, or one 2-D array, with or without 1-D labels."""
    try:
        with open(path, "rb") as file, np.load(file, allow_pickle=False) as archive:
            arrays = {name: np.asarray(archive[name]) for name in archive.files}
    except Exception as error:  # damaged bytes come as a dozen types, from four modules
        raise ValueError(f"{path}: cannot be read as an .npz file of arrays: {reason(error)}") from None
    flat = {name: array for name, array in arrays.items() if array.ndim == 1}
    wide = [array for array in arrays.values() if array.ndim == 2]
    if len(wide) == 0 and len(flat) == len(arrays):
        return Columns(list(flat), list(flat.values()))
    if len(wide) == 1 and len(flat) <= 1 and len(flat) + 1 == len(arrays):
        return Columns([None] * wide[0].shape[1] + list(flat), list(wide[0].T) + list(flat.values()))
    shapes = ", ".join(f"{name} {array.shape}" for name, array in arrays.items())
    raise ValueError(f"{path}: holds {shapes}; expected 1-D columns, or one 2-D array and 1-D labels")


def _read_root(path: Path) -> Columns:
    """The flat branches of the first TTree or RNTuple."""
    try:
        import uproot
    except ImportError:
        raise ValueError(f'{path}: reading ROOT needs uproot: pip install "tinygrad_nuc[files]"') from None
    try:
        with uproot.open(path) as file:
            kinds = file.classnames()
            trees = [key for key, kind in kinds.items() if kind.startswith("TTree") or "Tuple" in kind]
            arrays = file[trees[0]].arrays(library="np") if trees else {}
    except Exception as error:  # damaged bytes come as many types
        raise ValueError(f"{path}: cannot be read as a ROOT file: {reason(error)}") from None
    if not trees:
        raise ValueError(f"{path}: holds no TTree or RNTuple")
    return Columns(list(arrays), list(arrays.values()))
