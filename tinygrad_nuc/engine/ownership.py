"""Whether an array is known to nobody else: then it may be written to, and need not be copied.

A rule may return what others have too: `Add` passes g itself on to both inputs, a view looks into another array, and a
rule of your own may give an array that it keeps. Each of these counts as a reference to the array.
"""

import math
import sys
from typing import Any

import numpy as np

references = getattr(sys, "getrefcount", lambda _: math.inf)            # CPython counts them; others may not


def belongs_to(table: dict, key: Any) -> bool:
    """Whether only the table refers to the array that it has under this key.

    Examples
    --------
    >>> gradients = {"x": np.ones(3), "y": np.ones(3)}
    >>> kept = gradients["y"]
    >>> belongs_to(gradients, "x"), belongs_to(gradients, "y")
    (True, False)
    """
    array = table[key]
    return type(array) is np.ndarray and array.base is None and references(array) <= _least


def least() -> int:
    """What is counted if only a table refers to an array: what it is depends on the version of Python."""
    table = {None: np.empty(0)}
    array = table[None]
    return int(references(array)) if references(array) < math.inf else 0


_least = least()
