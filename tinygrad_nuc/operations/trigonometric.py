"""Circular and hyperbolic functions; angles are in radians."""

import numpy as np

from ..engine.operation import Operation
from ..engine.tensor import Tensor, method


class Sin(Operation, numpy=np.sin):
    """y = sin a"""
    def forward(a):       return np.sin(a)
    def grad_a(g, y, a):  return g * np.cos(a)


class Cos(Operation, numpy=np.cos):
    """y = cos a"""
    def forward(a):       return np.cos(a)
    def grad_a(g, y, a):  return -g * np.sin(a)


class Tanh(Operation, numpy=np.tanh):
    """y = tanh a"""
    def forward(a):       return np.tanh(a)
    def grad_a(g, y, a):  return g * (1 - y * y)


@method
def sin(input: Tensor) -> Tensor:
    """Sine; derivative cos a.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.sin(tn.tensor([0.0, 0.5]))
    tensor([0.0000, 0.4794])
    """
    return Sin.apply(input)


@method
def cos(input: Tensor) -> Tensor:
    """Cosine; derivative −sin a.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.cos(tn.tensor([0.0, 0.5]))
    tensor([1.0000, 0.8776])
    """
    return Cos.apply(input)


@method
def tanh(input: Tensor) -> Tensor:
    """Hyperbolic tangent, an activation between −1 and 1; derivative 1 − tanh² a.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.tanh(tn.tensor([-1.0, 0.0, 1.0]))
    tensor([-0.7616,  0.0000,  0.7616])
    """
    return Tanh.apply(input)
