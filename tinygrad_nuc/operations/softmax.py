"""Softmax: scores to probabilities that add up to one."""

import numpy as np

from ..engine.operation import Operation
from ..engine.tensor import Tensor, method
from .axes import takes_axis


class Softmax(Operation):
    """yᵢ = e^aᵢ / Σⱼ e^aⱼ along the axis"""
    def forward(a, *, axis):
        e = np.exp(a - np.max(a, axis=axis, keepdims=True))
        return e / np.sum(e, axis=axis, keepdims=True)

    def grad_a(g, y, a, *, axis):                                       # ∂yᵢ/∂aⱼ = yᵢ (δᵢⱼ − yⱼ)
        return y * (g - np.sum(g * y, axis=axis, keepdims=True))


class LogSoftmax(Operation):
    """yᵢ = aᵢ − ln Σⱼ e^aⱼ along the axis"""
    def forward(a, *, axis):
        a = a - np.max(a, axis=axis, keepdims=True)
        return a - np.log(np.sum(np.exp(a), axis=axis, keepdims=True))

    def grad_a(g, y, a, *, axis):                                       # ∂yᵢ/∂aⱼ = δᵢⱼ − e^yⱼ
        return g - np.exp(y) * np.sum(g, axis=axis, keepdims=True)


@method
@takes_axis
def softmax(input: Tensor, dim: int) -> Tensor:
    """Probabilities e^aᵢ / Σⱼ e^aⱼ along `dim`; the largest score is subtracted first, so nothing overflows.

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
