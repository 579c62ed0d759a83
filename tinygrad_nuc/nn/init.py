"""Where weights start. Each function overwrites a tensor with numbers from the seeded generator.

fan_in and fan_out are the numbers of inputs and outputs that meet in one unit: for a weight of shape
(out, in, …) they are in · (rest) and out · (rest). A variance of gain²/fan_in keeps the size of activations
from layer to layer, 2 gain²/(fan_in + fan_out) compromises between them and the gradients.
"""

import math

import numpy as np

from ..engine.generator import default_generator
from ..engine.grad_mode import no_grad
from ..engine.tensor import Tensor


def calculate_gain(nonlinearity: str, param: float | None = None) -> float:
    """By how much an activation shrinks a normal signal, as a factor for the weights to make up for.

    1 for linear, conv1d to conv3d and sigmoid, 5/3 for tanh, √2 for relu, √(2/(1 + slope²)) for leaky_relu, 3/4 for
    selu.

    Examples
    --------
    >>> from tinygrad_nuc.nn import init
    >>> round(init.calculate_gain("leaky_relu", 0.2), 4)
    1.3868
    """
    slope = 0.01 if param is None else param
    gains = {"linear": 1.0, "conv1d": 1.0, "conv2d": 1.0, "conv3d": 1.0, "sigmoid": 1.0, "tanh": 5 / 3,
             "relu": math.sqrt(2.0), "selu": 0.75, "leaky_relu": math.sqrt(2 / (1 + slope ** 2))}
    if nonlinearity not in gains:
        raise ValueError(f"calculate_gain: unknown nonlinearity {nonlinearity!r}; choose one of {', '.join(gains)}")
    return gains[nonlinearity]


def fans(tensor: Tensor) -> tuple[int, int]:
    """(fan_in, fan_out) of a weight of shape (out, in, …).

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.nn.init.fans(tn.zeros(16, 3, 5, 5))
    (75, 400)
    """
    if tensor.ndim < 2:
        raise ValueError(f"initialisation: fan-in and fan-out need at least 2 dimensions, not shape {tensor.shape}")
    rest = math.prod(tensor.shape[2:])
    return tensor.shape[1] * rest, tensor.shape[0] * rest


def uniform_(tensor: Tensor, a: float = 0.0, b: float = 1.0) -> Tensor:
    """Uniform in [a, b).

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> w = tn.nn.init.uniform_(tn.zeros(1000), -2, 2)
    >>> bool((w >= -2).all() & (w < 2).all())
    True
    """
    with no_grad():
        return tensor.uniform_(a, b)


def normal_(tensor: Tensor, mean: float = 0.0, std: float = 1.0) -> Tensor:
    """Normal with the given mean and standard deviation.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> _ = tn.manual_seed(0)
    >>> tn.nn.init.normal_(tn.zeros(2))
    tensor([ 0.1257, -0.1321])
    """
    with no_grad():
        return tensor.normal_(mean, std)


def constant_(tensor: Tensor, val: float) -> Tensor:
    """All equal to `val`.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.nn.init.constant_(tn.zeros(2), 0.3)
    tensor([0.3000, 0.3000])
    """
    with no_grad():
        return tensor.fill_(val)


def zeros_(tensor: Tensor) -> Tensor:
    """All 0.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.nn.init.zeros_(tn.ones(2))
    tensor([0., 0.])
    """
    return constant_(tensor, 0)


def ones_(tensor: Tensor) -> Tensor:
    """All 1.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.nn.init.ones_(tn.zeros(2))
    tensor([1., 1.])
    """
    return constant_(tensor, 1)


def xavier_uniform_(tensor: Tensor, gain: float = 1.0) -> Tensor:
    """Uniform in ±gain √(6 / (fan_in + fan_out)), for tanh and sigmoid layers.

    Source: Glorot and Bengio, "Understanding the difficulty of training deep feedforward neural networks", 2010.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> w = tn.nn.init.xavier_uniform_(tn.zeros(3, 3))
    >>> bool((abs(w) <= 1).all())
    True
    """
    bound = gain * math.sqrt(6 / max(1, sum(fans(tensor))))             # 0 if there is nothing to draw
    return uniform_(tensor, -bound, bound)


def xavier_normal_(tensor: Tensor, gain: float = 1.0) -> Tensor:
    """Normal with standard deviation gain √(2 / (fan_in + fan_out)); source as `xavier_uniform_`.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.nn.init.xavier_normal_(tn.zeros(3, 2)).shape
    (3, 2)
    """
    return normal_(tensor, 0, gain * math.sqrt(2 / max(1, sum(fans(tensor)))))


def _kaiming_std(tensor: Tensor, a: float, mode: str, nonlinearity: str) -> float:
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(f"kaiming initialisation: mode must be 'fan_in' or 'fan_out', not {mode!r}")
    return calculate_gain(nonlinearity, a) / math.sqrt(max(1, fans(tensor)[mode == "fan_out"]))


def kaiming_uniform_(tensor: Tensor, a: float = 0.0, mode: str = "fan_in", nonlinearity: str = "leaky_relu") -> Tensor:
    """Uniform in ±gain √(3 / fan), for ReLU-like layers; `a` is the slope of a leaky ReLU below 0.

    Source: He et al., "Delving deep into rectifiers", 2015.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> w = tn.nn.init.kaiming_uniform_(tn.zeros(4, 6))
    >>> bool((abs(w) <= 1).all())
    True
    """
    bound = math.sqrt(3) * _kaiming_std(tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound)


def kaiming_normal_(tensor: Tensor, a: float = 0.0, mode: str = "fan_in", nonlinearity: str = "leaky_relu") -> Tensor:
    """Normal with standard deviation gain / √fan, for ReLU-like layers; source as `kaiming_uniform_`.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.nn.init.kaiming_normal_(tn.zeros(3, 2), nonlinearity="relu").shape
    (3, 2)
    """
    return normal_(tensor, 0, _kaiming_std(tensor, a, mode, nonlinearity))


def orthogonal_(tensor: Tensor, gain: float = 1.0) -> Tensor:
    """gain times a matrix with orthonormal rows, or columns if there are fewer of them, all such equally likely.

    A square one only turns and mirrors a signal, but for the gain. Dimensions after the first count as one.

    Source: Saxe et al., "Exact solutions to the nonlinear dynamics of learning in deep linear neural networks",
    ICLR 2014; for the distribution, Mezzadri, "How to generate random matrices from the classical compact groups",
    Notices of the AMS 54 (2007).

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> w = tn.nn.init.orthogonal_(tn.zeros(2, 3).double())
    >>> bool(tn.allclose(w @ w.T, tn.eye(2).double()))
    True
    """
    if tensor.dtype.kind != "f":
        raise TypeError(f"orthogonal_: the tensor must be of a floating-point type, not {tensor.dtype}")
    if tensor.ndim < 2:
        raise ValueError(f"orthogonal_: a matrix needs at least 2 dimensions, not shape {tensor.shape}")
    if not tensor.numel():
        return tensor
    rows, columns = tensor.shape[0], math.prod(tensor.shape[1:])
    q, r = np.linalg.qr(default_generator().normal(size=(max(rows, columns), min(rows, columns))))
    q = q * np.sign(np.diagonal(r))             # as if r had no minus on its diagonal: then q is unique, and uniform
    with no_grad():
        return tensor.copy_(gain * (q if rows >= columns else q.T).reshape(tensor.shape))
