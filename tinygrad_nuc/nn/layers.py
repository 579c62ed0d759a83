"""Layers with weights."""

import math
from typing import Any

from ..creation import zeros
from ..engine.grad_mode import no_grad
from ..engine.tensor import Tensor
from ..utils.arguments import whole_number
from . import functional as F
from . import init
from .functional.layers import checked_row
from .module import Module
from .parameter import Parameter


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

    def __init__(self, in_features: int, out_features: int, bias: bool = True, *, dtype: Any = None) -> None:
        super().__init__()
        self.in_features = whole_number("Linear", "in_features", in_features)
        self.out_features = whole_number("Linear", "out_features", out_features)
        self.weight = Parameter(zeros(self.out_features, self.in_features, dtype=dtype))
        self.register_parameter("bias", Parameter(zeros(self.out_features, dtype=dtype)) if bias else None)
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


class Embedding(Module):
    """A table of vectors that are learned, one for each of `num_embeddings` words, particles or other things.

    The vectors start from a normal distribution of mean 0 and width 1; the one of `padding_idx` is 0 and stays so.

    Parameters
    ----------
    num_embeddings, embedding_dim : int
        How many vectors, of how many numbers.
    padding_idx : int, optional
        A row that only fills lists up, and is not trained. A negative one counts from the end.
    dtype : dtype, optional
        Of the vectors; the default dtype if not given.

    Attributes
    ----------
    weight : Parameter, shape (num_embeddings, embedding_dim)

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> particles = tn.nn.Embedding(3, 8)                   # for pions, kaons and protons
    >>> particles(tn.tensor([0, 2, 2, 1])).shape
    (4, 8)
    """

    def __init__(self, num_embeddings: int, embedding_dim: int, padding_idx: int | None = None, *,
                 dtype: Any = None) -> None:
        super().__init__()
        self.num_embeddings = whole_number("Embedding", "num_embeddings", num_embeddings)
        self.embedding_dim = whole_number("Embedding", "embedding_dim", embedding_dim)
        self.padding_idx = None if padding_idx is None else checked_row("Embedding", padding_idx, num_embeddings)
        self.weight = Parameter(zeros(num_embeddings, embedding_dim, dtype=dtype))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw new vectors."""
        init.normal_(self.weight)
        if self.padding_idx is not None:
            with no_grad():
                self.weight[self.padding_idx] = 0

    def forward(self, x: Tensor) -> Tensor:
        return F.embedding(x, self.weight, self.padding_idx)

    def extra_repr(self) -> str:
        padding = "" if self.padding_idx is None else f", padding_idx={self.padding_idx}"
        return f"{self.num_embeddings}, {self.embedding_dim}{padding}"
