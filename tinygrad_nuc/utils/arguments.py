"""What the arguments of many functions have in common to be checked for."""

from typing import Any

import numpy as np


def whole_number(owner: str, name: str, number: Any, least: int = 1) -> int:
    """The number, if it is a whole one and not less than `least`; True and False are none.

    Examples
    --------
    >>> whole_number("DataLoader", "batch_size", 32)
    32
    >>> whole_number("DataLoader", "batch_size", 2.5)
    Traceback (most recent call last):
        ...
    ValueError: DataLoader: batch_size must be a whole number of at least 1, not 2.5
    """
    if not isinstance(number, (int, np.integer)) or isinstance(number, bool) or number < least:
        raise ValueError(f"{owner}: {name} must be a whole number of at least {least}, not {number!r}")
    return int(number)
