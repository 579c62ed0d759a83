"""Convolution of images, and how its windows lie on them."""

from typing import Any

import numpy as np

from ...engine.tensor import Tensor
from ...operations.convolution import Convolution, Windows
from .checks import require_dtype_of, require_fit


def conv2d(input: Tensor, weight: Tensor, bias: Tensor | None = None, stride: int | tuple[int, int] = 1,
           padding: int | tuple[int, int] | str = 0, dilation: int | tuple[int, int] = 1, groups: int = 1) -> Tensor:
    """Every filter's scalar product with every window of an image: where a pattern is, and how strongly.

    yᵢⱼ of an image a and one filter w is Σ w[c, p, q] a[c, i · stride + p · dilation − padding, …] + b, summed over
    the channels c and the pixels p, q of the window. (In mathematics this is a cross-correlation.)

    Parameters
    ----------
    input : Tensor, shape (N, in_channels, H, W), or (in_channels, H, W) for one image
    weight : Tensor, shape (out_channels, in_channels / groups, rows, columns)
    bias : Tensor, shape (out_channels,), optional
    stride, dilation : int or two
        Distance between windows, and between the pixels of a window.
    padding : int, two, "valid" or "same"
        Pixels of value 0 added on each side: "valid" adds none, "same" as many as keep H and W at stride 1.
    groups : int
        The channels are divided into so many groups, and each filter sees one of them.

    Returns
    -------
    Tensor, shape (N, out_channels, H′, W′), or without N
        With H′ = ⌊(H + 2 padding − dilation (rows − 1) − 1) / stride⌋ + 1, and likewise W′.

    Raises
    ------
    TypeError
        If one of them is not a tensor, or of another dtype than the others.
    ValueError
        If the shapes do not fit each other, or no window fits into the image.

    Source: LeCun et al., "Backpropagation applied to handwritten zip code recognition", Neural Computation 1 (1989).

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> image = tn.tensor([[[0.0, 0.0, 1.0, 1.0], [0.0, 0.0, 1.0, 1.0]]])
    >>> edge = tn.tensor([[[[-1.0, 1.0]]]])
    >>> tn.nn.functional.conv2d(image, edge)                   # where it becomes brighter to the right
    tensor([[[0., 1., 0.],
             [0., 1., 0.]]])
    """
    require_dtype_of("conv2d", input, weight)
    if weight.ndim != 4 or groups < 1 or weight.shape[0] % groups:
        raise ValueError(f"conv2d: weights have the shape (out_channels, in_channels / groups, rows, columns), with "
                         f"out_channels a multiple of groups = {groups}, and these have {weight.shape}")
    channels = weight.shape[1] * groups
    if input.ndim not in (3, 4) or input.shape[-3] != channels:
        one_channel = channels == 1 and input.ndim == 3
        raise ValueError(f"conv2d: an input of shape {input.shape} does not fit weights of shape {weight.shape}; it "
                         f"must have the shape (N, {channels}, H, W), or ({channels}, H, W) for one image"
                         + ("; x.unsqueeze(1) has one channel for each image" if one_channel else ""))
    require_fit("conv2d", weight, "bias", bias, weight.shape[:1], "weight")
    windows = windows_on("conv2d", input.shape[-2:], weight.shape[-2:], stride, padding, dilation)
    images = input if input.ndim == 4 else input.unsqueeze(0)
    y = Convolution.apply(images, weight, bias, windows=windows, groups=groups)
    return y if input.ndim == 4 else y.squeeze(0)


def windows_on(name: str, image: tuple[int, ...], size: tuple[int, ...], stride: Any, padding: Any, dilation: Any,
               ceil_mode: bool = False) -> Windows:
    """The windows that fit into an image; with `ceil_mode` also one that reaches too far, if it begins inside."""
    stride, dilation = two(name, "stride", stride), two(name, "dilation", dilation)
    spans = tuple((p - 1) * d + 1 for p, d in zip(size, dilation, strict=True))
    if isinstance(padding, str):
        total = tuple(span - 1 if same(name, padding, stride) else 0 for span in spans)
        before = tuple(n // 2 for n in total)                   # of an odd number, one more comes after
    else:
        before = two(name, "padding", padding, least=0)
        total = tuple(2 * n for n in before)
    room = tuple(n + more - span for n, more, span in zip(image, total, spans, strict=True))
    beyond = tuple(s - 1 if ceil_mode else 0 for s in stride)           # how far the last window may reach too far
    places = [(n + more) // s + 1 for n, more, s in zip(room, beyond, stride, strict=True)]
    if min(places) < 1:
        raise ValueError(f"{name}: a window that spans {spans[0]} × {spans[1]} pixels does not fit into an image of "
                         f"{image[0]} × {image[1]} with padding {padding}")
    for axis in (0, 1):
        last_start = (places[axis] - 1) * stride[axis] - before[axis]
        if ceil_mode and last_start >= image[axis]:
            places[axis] -= 1
    return Windows(tuple(image), tuple(size), tuple(places), stride, before, dilation)


def same(name: str, padding: str, stride: tuple[int, int]) -> bool:
    """Whether the padding is "same", after a look at the word."""
    if padding not in ("same", "valid"):
        raise ValueError(f"{name}: padding must be a number, two, 'same' or 'valid', not {padding!r}")
    if padding == "same" and stride != (1, 1):
        raise ValueError(f"{name}: padding='same' needs a stride of 1, not {stride}")
    return padding == "same"


def two(name: str, which: str, x: Any, least: int = 1) -> tuple[int, int]:
    """(2, 2) from 2, and (2, 3) from (2, 3): whole numbers for the rows and the columns of an image."""
    numbers = tuple(x) if isinstance(x, (tuple, list)) else (x, x)
    if len(numbers) != 2 or not all(isinstance(n, (int, np.integer)) and n >= least for n in numbers):
        raise ValueError(f"{name}: {which} must be a whole number of at least {least}, or two of them for rows and "
                         f"columns, not {x!r}")
    return int(numbers[0]), int(numbers[1])
