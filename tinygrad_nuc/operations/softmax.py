"""Softmax, scores to probabilities that add up to one, and the logarithm of the sum that it divides by."""

import numpy as np

from ..engine.arrays import as_float
from ..engine.operation import Operation
from ..engine.tensor import Tensor, method
from .axes import restored, takes_axis


class Softmax(Operation):
    """yᵢ = e^aᵢ / Σⱼ e^aⱼ along the axis"""
    def forward(a, *, axis):
        e = np.exp(below_largest(a, axis))
        return e / np.sum(e, axis=axis, keepdims=True)

    def grad_a(g, y, a, *, axis):                                       # ∂yᵢ/∂aⱼ = yᵢ (δᵢⱼ − yⱼ)
        return y * (g - np.sum(g * y, axis=axis, keepdims=True))


class LogSoftmax(Operation):
    """yᵢ = aᵢ − ln Σⱼ e^aⱼ along the axis"""
    def forward(a, *, axis):
        a = below_largest(a, axis)
        return a - np.log(np.sum(np.exp(a), axis=axis, keepdims=True))

    def grad_a(g, y, a, *, axis):                                       # ∂yᵢ/∂aⱼ = δᵢⱼ − e^yⱼ
        return g - np.exp(y) * np.sum(g, axis=axis, keepdims=True)


class LogSumExp(Operation):
    """y = ln Σ eᵃ over the axes"""
    def forward(a, *, axis, keepdims):
        a = as_float(a)
        top = np.max(a, axis=axis, keepdims=True)
        top = np.where(np.isfinite(top), top, 0)                        # ∞ − ∞ would be NaN
        with np.errstate(divide="ignore", over="ignore"):               # ln 0 = −∞ and ln e^∞ = ∞ are the right answers
            y = np.log(np.sum(np.exp(a - top), axis=axis, keepdims=True)) + top
        return y if keepdims else np.squeeze(y, axis=axis)

    def grad_a(g, y, a, *, axis, keepdims):                             # softmax(a), and 0 where every a is −∞
        some = restored(y, a, axis) != -np.inf                          # e^(a − y) would magnify the rounding of y
        return restored(g, a, axis) * np.where(some, Softmax.apply(np.where(some, a, 0), axis=axis), 0)


def below_largest(a, axis):
    """a − max a, where infinite scores are equal to each other; NaN if all are −∞, since there is no limit."""
    a = as_float(a)
    if 0 in a.shape:
        return a
    top = np.max(a, axis=axis, keepdims=True)
    with np.errstate(over="ignore", invalid="ignore"):                  # scores may be further apart than floats go
        return np.where(a == np.inf, 0, a - top)


@method
@takes_axis
def softmax(input: Tensor, dim: int) -> Tensor:
    """Probabilities e^aᵢ / Σⱼ e^aⱼ along `dim`; the largest score is subtracted first, so nothing overflows.

    A score of −∞ has probability 0, and one of ∞ leaves none to the others; if all are −∞, the result is NaN.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.softmax(tn.tensor([1000.0, 1000.0, 0.0]), dim=0)
    tensor([0.5000, 0.5000, 0.0000])
    """
    return Softmax.apply(input, axis=dim)


@method
@takes_axis
def log_softmax(input: Tensor, dim: int) -> Tensor:
    """Log-probabilities aᵢ − ln Σⱼ e^aⱼ along `dim`, finite where the softmax itself rounds to 0.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.log_softmax(tn.tensor([1000.0, 0.0]), dim=0)
    tensor([    0., -1000.])
    """
    return LogSoftmax.apply(input, axis=dim)


@method
@takes_axis
def logsumexp(input: Tensor, dim: int | tuple[int, ...], keepdim: bool = False) -> Tensor:
    """ln Σ eᵃ over one axis or several, without overflow; its derivative is softmax(a).

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.logsumexp(tn.tensor([1000.0, 1000.0]), dim=0)
    tensor(1000.6932)
    """
    return LogSumExp.apply(input, axis=dim, keepdims=keepdim)
