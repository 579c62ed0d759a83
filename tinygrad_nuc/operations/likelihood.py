"""Negative log-likelihoods that need a derivative of their own."""

import numpy as np

from ..engine.operation import Operation
from ..engine.tensor import value
from .activations import Sigmoid
from .softmax import LogSoftmax, Softmax


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


class BinaryCrossEntropyWithLogits(Operation):
    """L = t ln(1 + e⁻ˣ) + (1 − t) ln(1 + eˣ)

    With e = e^−|x|, which is at most 1, nothing overflows; and x − t x is exactly 0 for a right answer.
    """
    def forward(x, t):
        return np.log1p(np.exp(-np.absolute(x))) + (np.maximum(x, 0) - t * x)

    def grad_x(g, y, x, t):                             # where σ(x) − t would round to 0
        return g * ((1 - t) * Sigmoid.apply(x) - t * Sigmoid.apply(-x))

    def grad_t(g, y, x, t):  return -g * x


class CrossEntropy(Operation):
    """y = −ln softmax(x)ₜ with classes along the axis; 0 where the label t is to be ignored"""
    def forward(x, t, *, axis, ignored):
        t = np.expand_dims(t, axis)
        kept = t != ignored
        y = np.take_along_axis(LogSoftmax.apply(x, axis=axis), np.where(kept, t, 0), axis)
        return np.squeeze(np.where(kept, -y, 0), axis)

    def grad_x(g, y, x, t, *, axis, ignored):           # softmax(x)ᵢ − δᵢₜ
        g, t = np.expand_dims(g, axis), np.expand_dims(t, axis)
        right = t == classes_along(axis, x)
        return np.where(t != ignored, g * (Softmax.apply(x, axis=axis) - right), 0)


def classes_along(axis, x):
    """0, 1, 2 … along the axis."""
    classes = np.arange(x.shape[axis], like=value(x))
    return np.reshape(classes, [-1 if i == axis else 1 for i in range(x.ndim)])
