"""The bends of a neural network. Each is finite over the whole range of floats, and so is its slope."""

import numpy as np

from ..engine.operation import Operation
from ..engine.tensor import Tensor, method


class Relu(Operation):
    """y = max(a, 0), with slope 0 at a = 0"""
    def forward(a):       return np.maximum(a, 0)
    def grad_a(g, y, a):  return np.where(a > 0, g, 0)      # not g · 0, which is NaN for an infinite g


class LeakyRelu(Operation):
    """y = a for a > 0, otherwise slope · a"""
    def forward(a, *, slope):       return np.where(a > 0, a, slope * a)
    def grad_a(g, y, a, *, slope):  return np.where(a > 0, g, slope * g)


class Elu(Operation):
    """y = a for a > 0, otherwise α (eᵃ − 1)"""
    def forward(a, *, alpha):       return np.where(a > 0, a, alpha * np.expm1(np.minimum(a, 0)))
    def grad_a(g, y, a, *, alpha):  return np.where(a > 0, g, g * alpha * np.exp(np.minimum(a, 0)))


class Sigmoid(Operation):
    """y = σ(a) = 1 / (1 + e⁻ᵃ)"""
    def forward(a):
        e = np.exp(-np.absolute(a))             # at most 1, so nothing overflows
        return np.where(a >= 0, 1, e) / (1 + e)

    def grad_a(g, y, a):                        # σ′ = σ(a) σ(−a); 1 − y would round to 0 for large a
        return g * y * Sigmoid.apply(-a)


class Softplus(Operation):
    """y = ln(1 + eᵃ)"""
    def forward(a):       return np.maximum(a, 0) + np.log1p(np.exp(-np.absolute(a)))
    def grad_a(g, y, a):  return g * Sigmoid.apply(a)


@method
def relu(input: Tensor) -> Tensor:
    """Rectified linear unit max(a, 0); its slope is 1 for a > 0 and 0 elsewhere, also at 0.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.relu(tn.tensor([-1.0, 0.0, 2.0]))
    tensor([0., 0., 2.])
    """
    return Relu.apply(input)


def leaky_relu(input: Tensor, negative_slope: float = 0.01) -> Tensor:
    """Leaky ReLU: a for a > 0, otherwise negative_slope · a (the slope at 0 is negative_slope).

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.nn.functional.leaky_relu(tn.tensor([-1.0, 0.0, 2.0]), 0.1)
    tensor([-0.1000,  0.0000,  2.0000])
    """
    return LeakyRelu.apply(input, slope=negative_slope)


def elu(input: Tensor, alpha: float = 1.0) -> Tensor:
    """Exponential linear unit: a for a > 0, otherwise α (eᵃ − 1) (the slope at 0 is α).

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.nn.functional.elu(tn.tensor([-1.0, 0.0, 2.0]))
    tensor([-0.6321,  0.0000,  2.0000])
    """
    return Elu.apply(input, alpha=alpha)


@method
def sigmoid(input: Tensor) -> Tensor:
    """Logistic function σ(a) = 1/(1 + e⁻ᵃ), between 0 and 1; derivative σ(a) σ(−a).

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.sigmoid(tn.tensor([-1000.0, 0.0, 2.0]))
    tensor([0.0000, 0.5000, 0.8808])
    """
    return Sigmoid.apply(input)


def softplus(input: Tensor, beta: float = 1.0) -> Tensor:
    """Smooth ReLU ln(1 + exp(β a)) / β; its slope is σ(β a).

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.nn.functional.softplus(tn.tensor([-1000.0, 0.0, 1000.0]))
    tensor([0.0000e+00, 6.9315e-01, 1.0000e+03])
    """
    return Softplus.apply(input) if beta == 1 else Softplus.apply(beta * input) / beta
