"""The three losses as calls on fixed arrays.

They get n = −z, and write −dL/dz times `scale` into `error`: see optimised.py for why everything is negated.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from by_hand.flat import Calls, constant

Loss = Callable[[], Any]


def squared_error(n: NDArray, y: NDArray, error: NDArray, scale: float) -> tuple[Calls, Loss]:
    """With p = sigmoid(z) = 1 / (1 + eⁿ): mean of (y − p)², and 2 (y − p) p (1 − p)."""
    p, difference, work, one = np.empty_like(n), np.empty_like(n), np.empty_like(n), constant(1)
    calls: Calls = [(np.exp, (n, work)), (np.add, (work, one, work)), (np.reciprocal, (work, p)),
                    (np.subtract, (y, p, difference)),
                    (np.subtract, (one, p, work)), (np.multiply, (work, p, work)),
                    (np.multiply, (work, difference, work)),
                    (np.multiply, (work, constant(2 * scale / y.size), error))]
    flat = difference.reshape(-1)
    return calls, lambda: flat.dot(flat) / y.size


def binary_cross_entropy(n: NDArray, y: NDArray, error: NDArray, scale: float) -> tuple[Calls, Loss]:
    """With t = y − 1/2: mean of log(1 + e^−|n|) + |n|/2 + t n, and y − sigmoid(z) = t + tanh(n/2) / 2.

    Sums are products with constant vectors, which BLAS does faster than NumPy adds up.
    """
    size, half = y.size, constant(0.5)
    absolute, logarithm, work = np.empty_like(n), np.empty_like(n), np.empty_like(n)
    target = ((y - 0.5) * scale / size).astype(np.float32)
    calls: Calls = [(np.absolute, (n, absolute)), (np.negative, (absolute, logarithm)),
                    (np.exp, (logarithm, logarithm)), (np.log1p, (logarithm, logarithm)),
                    (np.multiply, (n, half, work)), (np.tanh, (work, work)),
                    (np.multiply, (work, constant(0.5 * scale / size), work)), (np.add, (work, target, error))]
    ones, halves = np.ones(size, np.float32), np.full(size, 0.5, np.float32)
    t = np.ascontiguousarray(y - 0.5, np.float32).reshape(-1)
    flat_n, flat_absolute, flat_logarithm = n.reshape(-1), absolute.reshape(-1), logarithm.reshape(-1)
    return calls, lambda: (ones.dot(flat_logarithm) + halves.dot(flat_absolute) + t.dot(flat_n)) / size


def cross_entropy(n: NDArray, y: NDArray, error: NDArray, scale: float) -> tuple[Calls, Loss]:
    """n is (classes, samples). With s = z − max z: mean of log Σ eˢ − s_y, and 1 at the true class, less softmax."""
    size = len(y)
    true_class = np.zeros(n.shape, np.float32)
    true_class[y, np.arange(size)] = 1
    largest, total, logarithm = (np.empty(size, np.float32) for _ in range(3))
    s = np.empty_like(n)
    picked = np.zeros((), np.float32)
    flat_true, flat_s, ones = true_class.reshape(-1), s.reshape(-1), np.ones(size, np.float32)
    calls: Calls = [(np.minimum.reduce, (n, 0, None, largest)), (np.subtract, (largest, n, s)),     # min n = −max z
                    (flat_true.dot, (flat_s, picked)),
                    (np.exp, (s, s)), (np.add.reduce, (s, 0, None, total)), (np.log, (total, logarithm)),
                    (np.multiply, (total, constant(size / scale), total)), (np.divide, (s, total, s)),
                    (np.subtract, (true_class * np.float32(scale / size), s, error))]
    return calls, lambda: (ones.dot(logarithm) - picked) / size


LOSSES = {"mse": squared_error, "bce": binary_cross_entropy, "cross_entropy": cross_entropy}
