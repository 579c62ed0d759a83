"""Activations brought to mean 0 and variance 1: each channel over a batch, or each sample by itself."""

import math

from ...engine.grad_mode import no_grad
from ...engine.tensor import Tensor
from .layers import require_dtype_of, require_float


def batch_norm(input: Tensor, running_mean: Tensor | None, running_var: Tensor | None, weight: Tensor | None = None,
               bias: Tensor | None = None, training: bool = False, momentum: float | Tensor = 0.1,
               eps: float = 1e-5) -> Tensor:
    """y = (x − μ) / √(σ² + eps) · weight + bias, with mean μ and variance σ² of each channel.

    In training they are those of the batch (σ² divides by n, the number of values), and the running ones move
    towards them: r ← (1 − momentum) r + momentum · (batch), where the variance divides by n − 1. Otherwise the
    running ones are used. Nothing moves if an error stops the computation.

    Parameters
    ----------
    input : Tensor, shape (N, C, …)
    running_mean, running_var : Tensor, shape (C,), or None
        Updated in place in training; None if nothing is to be remembered.
    weight, bias : Tensor, shape (C,), optional

    Raises
    ------
    TypeError
        If `input` is not a tensor of floating-point numbers, or of another dtype than the others.
    ValueError
        If shapes do not fit; in training, if a channel has fewer than two values; otherwise, if there are no
        running statistics.

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
    if input.ndim < 2:
        raise ValueError(f"batch_norm: expects an input of shape (N, C, …), not {input.shape}")
    channels = input.shape[1]
    for name, x in (("running_mean", running_mean), ("running_var", running_var), ("weight", weight), ("bias", bias)):
        require_fit("batch_norm", input, name, x, (channels,))
    axes = (0, *range(2, input.ndim))
    shape = (channels, *(1,) * (input.ndim - 2))                # of a channel's numbers, to broadcast over the rest
    if training:
        n = math.prod(input.shape[i] for i in axes)
        if n < 2:
            raise ValueError(f"batch_norm: expected more than 1 value per channel when training, got an input of shape "
                             f"{input.shape}; give a larger batch, or call model.eval() to use the running statistics")
        mean = input.mean(axes, keepdim=True)
        deviation = input - mean
        variance = (deviation * deviation).mean(axes, keepdim=True)
    else:
        if running_mean is None or running_var is None:
            raise ValueError("batch_norm: outside of training, running_mean and running_var are needed")
        deviation = input - running_mean.reshape(shape)
        variance = running_var.reshape(shape)
    scale = 1 / (variance + eps).sqrt()
    y = deviation * (scale if weight is None else scale * weight.reshape(shape))
    if bias is not None:
        y = y + bias.reshape(shape)
    if training:
        move(running_mean, mean, momentum)
        move(running_var, variance * (n / (n - 1)), momentum)
    return y


def layer_norm(input: Tensor, normalized_shape: int | tuple[int, ...] | list[int], weight: Tensor | None = None,
               bias: Tensor | None = None, eps: float = 1e-5) -> Tensor:
    """y = (x − μ) / √(σ² + eps) · weight + bias, with mean μ and variance σ² over the last dimensions.

    Every sample is treated by itself, so that training and evaluation do not differ.

    Parameters
    ----------
    input : Tensor, shape (…, *normalized_shape)
    normalized_shape : int or tuple of int
        The lengths of the dimensions that belong together.
    weight, bias : Tensor, shape normalized_shape, optional

    Raises
    ------
    TypeError
        If `input` is not a tensor of floating-point numbers, or of another dtype than the weights.
    ValueError
        If shapes do not fit.

    Source: Ba, Kiros and Hinton, "Layer normalization", 2016.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.nn.functional.layer_norm(tn.tensor([[1.0, 3.0], [0.0, 10.0]]), 2)
    tensor([[-1.0000,  1.0000],
            [-1.0000,  1.0000]])
    """
    require_float("layer_norm", input)
    shape = (normalized_shape,) if isinstance(normalized_shape, int) else tuple(normalized_shape)
    if not shape or input.shape[-len(shape):] != shape:
        raise ValueError(f"layer_norm: an input of shape {input.shape} must end in the dimensions {shape}")
    for name, x in (("weight", weight), ("bias", bias)):
        require_fit("layer_norm", input, name, x, shape)
    axes = tuple(range(-len(shape), 0))
    deviation = input - input.mean(axes, keepdim=True)
    variance = (deviation * deviation).mean(axes, keepdim=True)
    y = deviation * (1 / (variance + eps).sqrt())
    if weight is not None:
        y = y * weight
    return y if bias is None else y + bias


# ---------------------------------------------------------------------- what they are made of

def require_fit(name: str, input: Tensor, which: str, x: Tensor | None, shape: tuple[int, ...]) -> None:
    """Refuse a weight, bias or running statistic of another shape, or of another dtype than the input."""
    if x is None:
        return
    if x.shape != shape:
        raise ValueError(f"{name}: the {which} has shape {x.shape}, and an input of shape {input.shape} needs {shape}")
    require_dtype_of(name, input, x)


def move(running: Tensor | None, batch: Tensor, momentum: float | Tensor) -> None:
    """Take a running statistic a part of the way to that of a batch."""
    if running is not None:
        with no_grad():
            running.copy_((1 - momentum) * running + momentum * batch.detach().reshape(-1))
