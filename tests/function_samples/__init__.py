"""Functions that are composed of operations: calls to try, beside what NumPy gives for the same call.

The same expression runs on arrays and on Tensors, unless a `reference` stands beside it. Every function among
`tn.*`, `F.*` and NumPy's that passes a gradient on must have a call here (test_numpy_coverage.py).
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np


class Call(NamedTuple):
    """`call(*arrays)`, and the same on plain arrays where `call` itself only takes Tensors."""

    call: Callable
    arrays: tuple
    reference: Callable | None = None
    waits_on_device: bool = False        # whether its result depends on values in a way that a device must wait for


def sample(call, *arrays, reference=None, waits_on_device=False):
    return Call(call, arrays, reference, waits_on_device)


A = np.array([[0.5, -1.5, 2.0], [1.0, 0.25, -0.75]])            # no two values equal, none 0
B = np.array([[1.5, 0.5, -1.0], [2.0, -0.25, 0.55]])
P = np.array([[0.5, 1.5, 2.0], [1.0, 0.25, 0.75]])
U = np.array([[0.5, -0.15, 0.2], [0.1, 0.25, -0.75]])           # between −1 and 1
SQUARE = np.array([[2.0, 0.3, -0.4], [0.1, 1.5, 0.6], [-0.7, 0.2, 1.8]])
CUBE = np.random.default_rng(0).permutation(24).reshape(2, 3, 4) / 8.0 - 1.43
