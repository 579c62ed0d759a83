"""Activations brought to mean 0 and variance 1: each channel over a batch, or each sample by itself."""

import math

from ...engine import accelerator
from ...engine.grad_mode import no_grad
from ...engine.tensor import Tensor
from ...operations.normalising import Normalise, moments
from .checks import at_least_float32, require_fit, require_float


def batch_norm(input: Tensor, running_mean: Tensor | None, running_var: Tensor | None, weight: Tensor | None = None,
               bias: Tensor | None = None, training: bool = False, momentum: float | Tensor = 0.1,
               eps: float = 1e-5) -> Tensor:
    """y = (x − μ) / √(σ² + eps) · weight + bias, with mean μ and variance σ² of each channel.

    In training they are those of the batch (σ² divides by n, the number of values), and the running ones move
    towards them: r ← (1 − momentum) r + momentum · (batch), where the variance divides by n − 1. Otherwise the
    running ones are used. Nothing moves if an error stops the computation. Of float16, the computation is in float32.

    Parameters
    ----------
    input : Tensor, shape (N, C, …)
    running_mean, running_var : Tensor, shape (C,), or None
        Updated in place in training; None, both of them, if nothing is to be remembered.
    weight, bias : Tensor, shape (C,), optional
    training : bool
        Whether mean and variance are those of the batch.
    momentum : float
        How far the running ones go towards them.
    eps : float
        At least 0; keeps the division finite for a channel that is constant.

    Raises
    ------
    TypeError
        If `input` is not a tensor of floating-point numbers, or of another dtype than the others.
    ValueError
        If shapes do not fit, eps is negative, or only one of the running statistics is there; in training, if a
        channel has fewer than two values; otherwise, if there are no running statistics.

    Source: Ioffe and Szegedy, "Batch normalization", ICML 2015.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> mean, var = tn.zeros(1), tn.ones(1)
    >>> tn.nn.functional.batch_norm(tn.tensor([[1.0], [3.0]]), mean, var, training=True)
    tensor([[-1.0000],
            [ 1.0000]])
    >>> mean, var                                   # a tenth of the way to 2 and to 2
    (tensor([0.2000]), tensor([1.1000]))
    """
    require_float("batch_norm", input)
    require_eps("batch_norm", eps)
    if input.ndim < 2:
        raise ValueError(f"batch_norm: expects an input of shape (N, C, …), not {input.shape}")
    channels = input.shape[1]
    for name, x in (("running_mean", running_mean), ("running_var", running_var), ("weight", weight), ("bias", bias)):
        require_fit("batch_norm", input, name, x, (channels,))
    if (running_mean is None) != (running_var is None):
        raise ValueError("batch_norm: running_mean and running_var are needed both, or none of them")
    axes = (0, *range(2, input.ndim))
    shape = (channels, *(1,) * (input.ndim - 2))                # of a channel's numbers, to broadcast over the rest
    x = at_least_float32(input)
    if training:
        n = math.prod(input.shape[i] for i in axes)
        if n < 2:
            raise ValueError(f"batch_norm: expected more than 1 value per channel when training, got an input of shape "
                             f"{input.shape}; give a larger batch, or call model.eval() to use the running statistics")
        mean, variance = known = accelerator.of(moments)(x.data, axes)
        y = Normalise.apply(x, axes=axes, eps=eps, known=known)
        if weight is not None:
            y = y * weight.reshape(shape)
    else:
        if running_mean is None or running_var is None:
            raise ValueError("batch_norm: outside of training, running_mean and running_var are needed")
        deviation = x - at_least_float32(running_mean).reshape(shape)
        scale = 1 / (at_least_float32(running_var).reshape(shape) + eps).sqrt()
        y = deviation * (scale if weight is None else scale * weight.reshape(shape))
    if bias is not None:
        y = y + bias.reshape(shape)
    if training and running_mean is not None and running_var is not None:
        with no_grad():
            new_mean = (1 - momentum) * at_least_float32(running_mean) + momentum * Tensor(mean).reshape(-1)
            unbiased = Tensor(variance).reshape(-1) * (n / (n - 1))
            new_var = (1 - momentum) * at_least_float32(running_var) + momentum * unbiased
            running_mean.copy_(new_mean)
            running_var.copy_(new_var)
    return y.to(input.dtype)


def layer_norm(input: Tensor, normalized_shape: int | tuple[int, ...] | list[int], weight: Tensor | None = None,
               bias: Tensor | None = None, eps: float = 1e-5) -> Tensor:
    """y = (x − μ) / √(σ² + eps) · weight + bias, with mean μ and variance σ² over the last dimensions.

    Every sample is treated by itself, so that training and evaluation do not differ. Of float16, the computation is in
    float32.

    Parameters
    ----------
    input : Tensor, shape (…, *normalized_shape)
    normalized_shape : int or tuple of int
        The lengths of the dimensions that belong together.
    weight, bias : Tensor, shape normalized_shape, optional
    eps : float
        At least 0; keeps the division finite for a sample that is constant.

    Raises
    ------
    TypeError
        If `input` is not a tensor of floating-point numbers, or of another dtype than the weights.
    ValueError
        If shapes do not fit, or eps is negative.

    Source: Ba, Kiros and Hinton, "Layer normalization", 2016.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.nn.functional.layer_norm(tn.tensor([[1.0, 3.0], [0.0, 10.0]]), 2)
    tensor([[-1.0000,  1.0000],
            [-1.0000,  1.0000]])
    """
    require_float("layer_norm", input)
    require_eps("layer_norm", eps)
    shape = tuple(normalized_shape) if isinstance(normalized_shape, (tuple, list)) else (normalized_shape,)
    if not shape or input.shape[-len(shape):] != shape:
        raise ValueError(f"layer_norm: an input of shape {input.shape} must end in the dimensions {shape}")
    for name, x in (("weight", weight), ("bias", bias)):
        require_fit("layer_norm", input, name, x, shape)
    axes = tuple(range(-len(shape), 0))
    x = at_least_float32(input)
    y = Normalise.apply(x, axes=axes, eps=eps, known=accelerator.of(moments)(x.data, axes))
    if weight is not None:
        y = y * weight
    if bias is not None:
        y = y + bias
    return y.to(input.dtype)


# ---------------------------------------------------------------------- what they are made of

def require_eps(name: str, eps: float) -> None:
    """Refuse a number that would make a variance negative."""
    if not eps >= 0:
        raise ValueError(f"{name}: eps must be at least 0, not {eps}")
