"""The bends of a neural network. Each is finite over the whole range of floats, and so is its slope."""

import math

import numpy as np

from ..engine.arrays import as_float
from ..engine.operation import Operation
from ..engine.tensor import Tensor, method
from .axes import checked_dim
from .special import erfc


class Kept(Operation):
    """y = a where `kept` is true, otherwise 0

    A product would make NaN of ∞ · 0, and NumPy's `where` is slow if true and false alternate at random, since the
    processor guesses wrong every other time. So the bits of each number are multiplied by 1 or 0.
    """
    def forward(a, kept):
        if getattr(a, "itemsize", 16) > 8 or a.dtype.hasobject:     # a Python number, or more bits than an integer has
            return np.where(kept, a, 0)
        return (a.view(f"i{a.itemsize}") * kept).view(a.dtype)

    def grad_a(g, y, a, kept):  return Kept.apply(g, kept)


class Relu(Operation):
    """y = max(a, 0), with slope 0 at a = 0"""
    def forward(a):       return np.maximum(a, 0)
    def grad_a(g, y, a):  return Kept.apply(g, a > 0)


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
        a = as_float(a)
        e = np.exp(-np.absolute(a))             # at most 1, so nothing overflows
        return np.exp(np.minimum(a, 0)) / (1 + e)               # 1 or e: `where` takes far longer than a second exp

    def grad_a(g, y, a):                        # σ′ = σ(a) σ(−a); 1 − y would round to 0 for large a
        return g * y * Sigmoid.apply(-a)


class Softplus(Operation):
    """y = ln(1 + eᵃ)"""
    def forward(a):
        a = as_float(a)
        return np.maximum(a, 0) + np.log1p(np.exp(-np.absolute(a)))

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
    if isinstance(beta, (int, float)) and beta == 1:
        return Softplus.apply(input)
    return Softplus.apply(beta * input) / beta


def logsigmoid(input: Tensor) -> Tensor:
    """ln σ(a), finite where σ(a) itself rounds to 0; its slope is σ(−a).

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.nn.functional.logsigmoid(tn.tensor([-1000.0, 0.0, 2.0]))
    tensor([-1.0000e+03, -6.9315e-01, -1.2693e-01])
    """
    return -Softplus.apply(-input)


def silu(input: Tensor) -> Tensor:
    """Sigmoid linear unit a · σ(a), also called swish: a smooth ReLU that dips below 0 before it vanishes.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.nn.functional.silu(tn.tensor([-1.0, 0.0, 2.0]))
    tensor([-0.2689,  0.0000,  1.7616])
    """
    return input * Sigmoid.apply(input)


def gelu(input: Tensor, approximate: str = "none") -> Tensor:
    """Gaussian error linear unit a · Φ(a), where Φ(a) is the probability that a standard normal variable is below a.

    Parameters
    ----------
    approximate : {"none", "tanh"}
        "none" takes Φ(a) = erfc(−a/√2)/2, which keeps its digits far out on the negative side. "tanh" takes the
        older approximation ½ (1 + tanh u) with u = √(2/π) (a + 0.044715 a³), which is σ(2u) and so computed.

    Raises
    ------
    ValueError
        If `approximate` is another word.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.nn.functional.gelu(tn.tensor([-1.0, 0.0, 2.0]))
    tensor([-0.1587,  0.0000,  1.9545])
    >>> tn.nn.functional.gelu(tn.tensor([-1.0, 0.0, 2.0]), approximate="tanh")
    tensor([-0.1588,  0.0000,  1.9546])
    """
    if approximate == "none":
        return input * (erfc(input * -math.sqrt(0.5)) / 2)
    if approximate != "tanh":
        raise ValueError(f'gelu: approximate must be "none" or "tanh", not {approximate!r}')
    a = np.clip(input, -30, 30)                 # beyond, σ is 0 or 1, and a³ might overflow
    u = math.sqrt(2 / math.pi) * (a + 0.044715 * a * a * a)
    return input * Sigmoid.apply(2 * u)


def maxout(input: Tensor, pieces: int, dim: int = -1) -> Tensor:
    """The largest of each `pieces` consecutive values along `dim`: with a linear layer before it, a convex
    function made of straight pieces, which the network learns. PyTorch has none.

    Equal largest values share the gradient.

    Parameters
    ----------
    input : Tensor
        Its length along `dim` must be a multiple of `pieces`; the result's is that number of times smaller.

    Raises
    ------
    ValueError
        If the values along `dim` do not divide into groups of `pieces`.
    IndexError
        If there is no such dimension.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.nn.functional.maxout(tn.tensor([[1.0, 5.0, 2.0, 3.0, 0.0, 4.0]]), pieces=2)
    tensor([[5., 3., 4.]])
    """
    dim = checked_dim("maxout", dim, input.ndim)
    n = input.shape[dim]
    if pieces < 1 or n % pieces:
        raise ValueError(f"maxout: an input of shape {input.shape} has {n} values along dimension {dim}, which do not "
                         f"divide into groups of {pieces}")
    grouped = input.reshape(*input.shape[:dim], n // pieces, pieces, *input.shape[dim + 1:])
    return np.max(grouped, axis=dim + 1)
