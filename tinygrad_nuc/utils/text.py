"""Tables as plain text."""

from collections.abc import Iterable, Sequence


def text_table(header: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Columns lined up: the first to the left, the others to the right.

    Examples
    --------
    >>> print(text_table(["method", "fraction"], [["naive", "0.33"], ["adjusted", "0.3121"]]))
    method    fraction
    naive         0.33
    adjusted    0.3121
    """
    lines = [list(map(str, line)) for line in (header, *rows)]
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join("  ".join(cell.rjust(width) if i else cell.ljust(width)
                               for i, (cell, width) in enumerate(zip(line, widths, strict=True))).rstrip()
                     for line in lines)
