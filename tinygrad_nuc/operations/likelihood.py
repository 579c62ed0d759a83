"""Negative log-likelihoods that need a derivative of their own."""

import numpy as np

from ..engine.operation import Operation


class BinaryCrossEntropy(Operation):
    """L = −(t ln p + (1 − t) ln(1 − p)), where no logarithm is taken below −100

    The bound keeps L finite at p = 0 and p = 1. The slope (p − t) / (p (1 − p)) is not cut off with it, so a
    confident mistake still has a gradient; only its denominator is kept above 1e-12.
    """
    def forward(p, t):       return -(t * bounded_log(p) + (1 - t) * bounded_log(1 - p))
    def grad_p(g, y, p, t):  return g * (p - t) / np.maximum(p * (1 - p), 1e-12)
    def grad_t(g, y, p, t):  return g * (bounded_log(1 - p) - bounded_log(p))


def bounded_log(p):
    """max(ln p, −100), without asking for ln 0."""
    return np.maximum(np.where(p > 0, np.log(np.where(p > 0, p, 1)), -100), -100)
