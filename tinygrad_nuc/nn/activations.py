"""Activation functions as modules."""

from typing import Any

from ..engine.tensor import Tensor
from ..utils.arguments import whole_number
from . import functional as F
from .layers import Linear
from .module import Module


class Identity(Module):
    """y = x; takes any arguments and passes its input on.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.nn.Identity()(tn.tensor([1.0]))
    tensor([1.])
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__()

    def forward(self, x: Tensor) -> Tensor:
        return x


class MayBeInPlace(Module):
    """An activation that takes and prints `inplace` for PyTorch's sake only: the result is always a new tensor."""

    def __init__(self, inplace: bool = False) -> None:
        super().__init__()
        self.inplace = inplace

    def extra_repr(self) -> str:
        return "inplace=True" if self.inplace else ""


class ReLU(MayBeInPlace):
    """y = max(x, 0).

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.nn.ReLU()(tn.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """

    def forward(self, x: Tensor) -> Tensor:
        return F.relu(x)


class LeakyReLU(MayBeInPlace):
    """y = x for x > 0, otherwise negative_slope · x.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.nn.LeakyReLU(0.1)(tn.tensor([-1.0, 2.0]))
    tensor([-0.1000,  2.0000])
    """

    def __init__(self, negative_slope: float = 0.01, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.negative_slope = negative_slope

    def forward(self, x: Tensor) -> Tensor:
        return F.leaky_relu(x, self.negative_slope)

    def extra_repr(self) -> str:
        return f"negative_slope={self.negative_slope}{', inplace=True' if self.inplace else ''}"


class ELU(MayBeInPlace):
    """y = x for x > 0, otherwise α (eˣ − 1).

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.nn.ELU()(tn.tensor([-1.0, 2.0]))
    tensor([-0.6321,  2.0000])
    """

    def __init__(self, alpha: float = 1.0, inplace: bool = False) -> None:
        super().__init__(inplace)
        self.alpha = alpha

    def forward(self, x: Tensor) -> Tensor:
        return F.elu(x, self.alpha)

    def extra_repr(self) -> str:
        return f"alpha={self.alpha}{', inplace=True' if self.inplace else ''}"


class SiLU(MayBeInPlace):
    """y = x σ(x), also called swish: a smooth ReLU that dips below 0 before it vanishes.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.nn.SiLU()(tn.tensor([-1.0, 2.0]))
    tensor([-0.2689,  1.7616])
    """

    def forward(self, x: Tensor) -> Tensor:
        return F.silu(x)


class GELU(Module):
    """y = x Φ(x), with the probability Φ(x) that a standard normal variable is below x.

    Parameters
    ----------
    approximate : {"none", "tanh"}
        "tanh" takes an older approximation of Φ; see `tinygrad_nuc.nn.functional.gelu`.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.nn.GELU()(tn.tensor([-1.0, 2.0]))
    tensor([-0.1587,  1.9545])
    """

    def __init__(self, approximate: str = "none") -> None:
        super().__init__()
        self.approximate = approximate

    def forward(self, x: Tensor) -> Tensor:
        return F.gelu(x, self.approximate)

    def extra_repr(self) -> str:
        return f"approximate={self.approximate!r}"


class Sigmoid(Module):
    """y = 1 / (1 + e⁻ˣ).

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.nn.Sigmoid()(tn.tensor([0.0]))
    tensor([0.5000])
    """

    def forward(self, x: Tensor) -> Tensor:
        return F.sigmoid(x)


class LogSigmoid(Module):
    """y = ln σ(x), finite where σ(x) itself rounds to 0.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.nn.LogSigmoid()(tn.tensor([-100.0, 0.0]))
    tensor([-100.0000,   -0.6931])
    """

    def forward(self, x: Tensor) -> Tensor:
        return F.logsigmoid(x)


class Tanh(Module):
    """y = tanh x.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.nn.Tanh()(tn.tensor([1.0]))
    tensor([0.7616])
    """

    def forward(self, x: Tensor) -> Tensor:
        return F.tanh(x)


class Softmax(Module):
    """Probabilities e^xᵢ / Σⱼ e^xⱼ along `dim`.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.nn.Softmax(dim=0)(tn.tensor([0.0, 0.0]))
    tensor([0.5000, 0.5000])
    """

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.dim = dim

    def forward(self, x: Tensor) -> Tensor:
        return F.softmax(x, self.dim)

    def extra_repr(self) -> str:
        return f"dim={self.dim}"


class LogSoftmax(Softmax):
    """Log-probabilities xᵢ − ln Σⱼ e^xⱼ along `dim`.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.nn.LogSoftmax(dim=0)(tn.tensor([0.0, 0.0]))
    tensor([-0.6931, -0.6931])
    """

    def forward(self, x: Tensor) -> Tensor:
        return F.log_softmax(x, self.dim)


class Softplus(Module):
    """y = ln(1 + e^{βx}) / β.

    `threshold` is taken and printed for PyTorch's sake only: there the function is replaced by y = x above it,
    while this one is exact everywhere (the two differ by at most 2e-9 at the default).

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.nn.Softplus()(tn.tensor([0.0]))
    tensor([0.6931])
    """

    def __init__(self, beta: float = 1.0, threshold: float = 20.0) -> None:
        super().__init__()
        self.beta, self.threshold = beta, threshold

    def forward(self, x: Tensor) -> Tensor:
        return F.softplus(x, self.beta)

    def extra_repr(self) -> str:
        return f"beta={self.beta}, threshold={self.threshold}"


class Maxout(Module):
    """y = maxₖ (x Wₖᵀ + bₖ): an activation that learns its own shape from `pieces` straight lines.

    Source: Goodfellow et al., "Maxout networks", ICML 2013.

    Parameters
    ----------
    in_features, out_features : int
    pieces : int
        How many linear functions each output is the largest of.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.nn.Maxout(3, 2)(tn.zeros(5, 3)).shape
    (5, 2)
    """

    def __init__(self, in_features: int, out_features: int, pieces: int = 2) -> None:
        super().__init__()
        self.out_features = whole_number("Maxout", "out_features", out_features)
        self.pieces = whole_number("Maxout", "pieces", pieces)
        self.linear = Linear(in_features, out_features * pieces)

    def forward(self, x: Tensor) -> Tensor:
        lines = self.linear(x)
        return lines.reshape(*lines.shape[:-1], self.out_features, self.pieces).amax(-1)
