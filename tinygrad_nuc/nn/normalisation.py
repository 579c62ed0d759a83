"""Layers that bring activations to mean 0 and variance 1, and then to a mean and variance that are learned."""

from typing import Any

import numpy as np

from ..creation import zeros
from ..engine.grad_mode import no_grad
from ..engine.tensor import Tensor
from ..utils.arguments import whole_number
from . import functional as F
from . import init
from .functional.checks import require_float
from .module import Module
from .parameter import Parameter


class BatchNorm(Module):
    """What the layers for vectors and for images have in common; see `BatchNorm1d` for the parameters."""

    fits: dict[int, str]                        # number of dimensions → the shape that an input may have

    def __init__(self, num_features: int, eps: float = 1e-5, momentum: float | None = 0.1, affine: bool = True,
                 track_running_stats: bool = True, *, bias: bool = True, dtype: Any = None) -> None:
        super().__init__()
        self.num_features = whole_number(type(self).__name__, "num_features", num_features)
        self.eps, self.momentum = eps, momentum
        self.affine, self.track_running_stats = affine, track_running_stats
        n = self.num_features
        self.register_parameter("weight", Parameter(zeros(n, dtype=dtype)) if affine else None)
        self.register_parameter("bias", Parameter(zeros(n, dtype=dtype)) if affine and bias else None)
        self.register_buffer("running_mean", zeros(n, dtype=dtype) if track_running_stats else None)
        self.register_buffer("running_var", zeros(n, dtype=dtype) if track_running_stats else None)
        self.register_buffer("num_batches_tracked", zeros((), dtype=np.int64) if track_running_stats else None)
        self.reset_parameters()

    def reset_running_stats(self) -> None:
        """Forget the batches seen so far: mean 0 and variance 1."""
        if self.track_running_stats:
            with no_grad():
                self.running_mean.zero_()
                self.running_var.fill_(1)
                self.num_batches_tracked.zero_()

    def reset_parameters(self) -> None:
        """Start anew: no change of mean and width, and no batches seen."""
        self.reset_running_stats()
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def forward(self, x: Tensor) -> Tensor:
        name = type(self).__name__
        require_float(name, x)
        if x.ndim not in self.fits or x.shape[1] != self.num_features:
            fitting = " or ".join(self.fits.values()).replace("C", str(self.num_features))
            raise ValueError(f"{name}: expects an input of shape {fitting}, not {x.shape}")
        if self.training and not self.track_running_stats:
            mean, var, count = None, None, None                 # nothing is remembered
        else:
            mean, var, count = self.running_mean, self.running_var, self.num_batches_tracked
        momentum: Any = self.momentum
        if momentum is None:            # 1/n for the n-th batch: the running statistics become means of all batches
            momentum = 0 if count is None else 1 / (count + 1).to(np.result_type(x.dtype, np.float32))
        from_batch = self.training or (mean is None and var is None)
        y = F.batch_norm(x, mean, var, self.weight, self.bias, from_batch, momentum, self.eps)
        if self.training and count is not None:
            with no_grad():
                count.add_(1)
        return y

    def extra_repr(self) -> str:
        return (f"{self.num_features}, eps={self.eps}, momentum={self.momentum}, affine={self.affine}, "
                f"bias={self.bias is not None}, track_running_stats={self.track_running_stats}")


class BatchNorm1d(BatchNorm):
    """Every feature over the batch: y = (x − μ) / √(σ² + eps) · weight + bias.

    In training, mean μ and variance σ² are those of the batch, and running ones are kept for evaluation; see
    `tinygrad_nuc.nn.functional.batch_norm`.

    Parameters
    ----------
    num_features : int
        C, of inputs of shape (N, C) or (N, C, L).
    eps : float
        Keeps the division finite.
    momentum : float, optional
        How far the running statistics go towards those of each batch; None for the mean over all batches.
    affine, bias : bool
        Whether there are a weight, which starts at 1, and a bias, which starts at 0.
    track_running_stats : bool
        Whether running statistics are kept; without them, evaluation uses the batch too.
    dtype : dtype, optional
        Of the weights; the default dtype if not given.

    Attributes
    ----------
    weight, bias : Parameter, shape (num_features,), or None
    running_mean, running_var : Tensor, shape (num_features,), or None
    num_batches_tracked : Tensor, a whole number, or None

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> layer = tn.nn.BatchNorm1d(1)
    >>> layer(tn.tensor([[1.0], [3.0]])).detach()
    tensor([[-1.0000],
            [ 1.0000]])
    >>> layer.eval()(tn.tensor([[1.0], [3.0]])).detach()       # mean and variance are a tenth of the way to 2 and 2
    tensor([[0.7628],
            [2.6697]])
    """

    fits = {2: "(N, C)", 3: "(N, C, L)"}


class BatchNorm2d(BatchNorm):
    """Every channel over the images of a batch and their pixels; as `BatchNorm1d`, for inputs of shape (N, C, H, W).

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> layer = tn.nn.BatchNorm2d(16)
    >>> layer(tn.zeros(5, 16, 28, 28)).shape, list(layer.state_dict())
    ((5, 16, 28, 28), ['weight', 'bias', 'running_mean', 'running_var', 'num_batches_tracked'])
    """

    fits = {4: "(N, C, H, W)"}


class LayerNorm(Module):
    """Every sample by itself: y = (x − μ) / √(σ² + eps) · weight + bias, over the last dimensions.

    Parameters
    ----------
    normalized_shape : int or tuple of int
        The lengths of those dimensions.
    eps : float
        Keeps the division finite.
    elementwise_affine, bias : bool
        Whether there are a weight, which starts at 1, and a bias, which starts at 0.
    dtype : dtype, optional
        Of the weights; the default dtype if not given.

    Attributes
    ----------
    weight, bias : Parameter, shape normalized_shape, or None

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.nn.LayerNorm(2)(tn.tensor([[1.0, 3.0], [0.0, 10.0]])).detach()
    tensor([[-1.0000,  1.0000],
            [-1.0000,  1.0000]])
    """

    def __init__(self, normalized_shape: int | tuple[int, ...] | list[int], eps: float = 1e-5,
                 elementwise_affine: bool = True, bias: bool = True, *, dtype: Any = None) -> None:
        super().__init__()
        lengths = normalized_shape if isinstance(normalized_shape, (tuple, list)) else (normalized_shape,)
        self.normalized_shape = tuple(whole_number("LayerNorm", "normalized_shape", n) for n in lengths)
        self.eps, self.elementwise_affine = eps, elementwise_affine
        for name, there in (("weight", elementwise_affine), ("bias", elementwise_affine and bias)):
            self.register_parameter(name, Parameter(zeros(self.normalized_shape, dtype=dtype)) if there else None)
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Start anew: no change of mean and width."""
        if self.weight is not None:
            init.ones_(self.weight)
        if self.bias is not None:
            init.zeros_(self.bias)

    def forward(self, x: Tensor) -> Tensor:
        return F.layer_norm(x, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return (f"{self.normalized_shape}, eps={self.eps}, elementwise_affine={self.elementwise_affine}, "
                f"bias={self.bias is not None}")
