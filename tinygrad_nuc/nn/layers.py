"""Layers with weights."""

import math
from typing import Any

import numpy as np

from ..engine.arrays import get_default_dtype
from ..engine.tensor import Tensor
from . import functional as F
from . import init
from .module import Module
from .parameter import Parameter


def checked_size(layer: str, name: str, value: int) -> int:
    """`value` if it is a whole number of at least 1."""
    if not isinstance(value, (int, np.integer)) or value < 1:
        raise ValueError(f"{layer}: {name} must be a whole number of at least 1, not {value!r}")
    return int(value)


class Linear(Module):
    """Fully connected layer y = x Wᵀ + b.

    Weights and biases start uniform in ±1/√in_features, as in PyTorch.

    Parameters
    ----------
    in_features, out_features : int
    bias : bool
        Whether b is there at all.
    dtype : dtype, optional
        Of the weights; the default dtype if not given.

    Attributes
    ----------
    weight : Parameter, shape (out_features, in_features)
    bias : Parameter, shape (out_features,), or None

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> layer = tn.nn.Linear(3, 2)
    >>> layer(tn.zeros(5, 3)).shape
    (5, 2)
    """

    def __init__(self, in_features: int, out_features: int, bias: bool = True, dtype: Any = None) -> None:
        super().__init__()
        self.in_features = checked_size("Linear", "in_features", in_features)
        self.out_features = checked_size("Linear", "out_features", out_features)
        dtype = dtype or get_default_dtype()
        self.weight = Parameter(np.empty((self.out_features, self.in_features), dtype))
        self.register_parameter("bias", Parameter(np.empty(self.out_features, dtype)) if bias else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new weights and biases."""
        bound = 1 / math.sqrt(self.in_features)
        init.uniform_(self.weight, -bound, bound)
        if self.bias is not None:
            init.uniform_(self.bias, -bound, bound)

    def forward(self, x: Tensor) -> Tensor:
        return F.linear(x, self.weight, self.bias)

    def extra_repr(self) -> str:
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"
