"""Images made smaller: of every window, the largest value or the mean."""

from typing import Any

import numpy as np

from ...engine import accelerator
from ...engine.tensor import Tensor
from ...operations.convolution import Convolution, Windows
from ...operations.indexing import Index
from .checks import at_least_float32, require_float
from .convolution import two, windows_on


def max_pool2d(input: Tensor, kernel_size: int | tuple[int, int], stride: int | tuple[int, int] | None = None,
               padding: int | tuple[int, int] = 0, dilation: int | tuple[int, int] = 1, ceil_mode: bool = False,
               return_indices: bool = False) -> Any:
    """The largest value of every window: whether a pattern is there, no matter where exactly.

    The gradient goes to the pixel that the value comes from: the first of equal ones, row by row. NaN counts as
    largest (the last of several). Padding never is.

    Parameters
    ----------
    input : Tensor, shape (N, C, H, W) or (C, H, W)
    kernel_size : int or two
        Rows and columns of a window.
    stride : int or two, optional
        Distance between windows; if it is not given, `kernel_size`, so that they lie beside each other.
    padding : int or two
        How far windows may reach beyond each side; at most half of what a window spans.
    dilation : int or two
        Distance between the pixels of a window.
    ceil_mode : bool
        Add windows that reach beyond the end but begin before it, so that the last pixels count too.
    return_indices : bool
        Return the pixels too, as in PyTorch.

    Returns
    -------
    Tensor, shape (N, C, H′, W′) or (C, H′, W′)
        With `return_indices`, a pair of such tensors; the second holds row · W + column of the largest pixel.

    Raises
    ------
    TypeError
        If `input` is not of a floating-point type.
    ValueError
        If it has another number of dimensions, or no window fits.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> image = tn.tensor([[[1.0, 2.0, 0.0, 0.0], [3.0, 4.0, 0.0, 5.0]]])
    >>> tn.nn.functional.max_pool2d(image, 2)
    tensor([[[4., 5.]]])
    """
    windows = pooling_windows("max_pool2d", input, kernel_size, stride, padding, dilation, ceil_mode)
    pixels = accelerator.of(largest)(input.data, windows)
    starts = np.arange(input.numel() // pixels_of(windows), like=input.data) * pixels_of(windows)
    starts = np.reshape(starts, (*input.shape[:-2], 1, 1))      # where each image begins among all pixels
    y = Index.apply(input.reshape(-1), index=np.reshape(starts + pixels, (-1,))).reshape(*pixels.shape)
    return (y, Tensor(pixels.astype(np.int64))) if return_indices else y


def avg_pool2d(input: Tensor, kernel_size: int | tuple[int, int], stride: int | tuple[int, int] | None = None,
               padding: int | tuple[int, int] = 0, ceil_mode: bool = False, count_include_pad: bool = True,
               divisor_override: int | None = None) -> Tensor:
    """The mean of every window: a convolution of each channel with equal weights.

    Parameters
    ----------
    input : Tensor, shape (N, C, H, W) or (C, H, W)
    kernel_size, stride, padding, ceil_mode
        As for `max_pool2d`; the padding has the value 0.
    count_include_pad : bool
        Divide by the number of all pixels of a window; otherwise, by the number of those inside the image.
    divisor_override : int, optional
        Divide by this number instead.

    Returns
    -------
    Tensor, shape (N, C, H′, W′) or (C, H′, W′)

    Raises
    ------
    TypeError
        If `input` is not of a floating-point type.
    ValueError
        If it has another number of dimensions, no window fits, or the divisor is 0.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> image = tn.tensor([[[1.0, 2.0, 0.0, 0.0], [3.0, 4.0, 0.0, 5.0]]])
    >>> tn.nn.functional.avg_pool2d(image, 2)
    tensor([[[2.5000, 1.2500]]])
    """
    windows = pooling_windows("avg_pool2d", input, kernel_size, stride, padding, 1, ceil_mode)
    if divisor_override == 0:
        raise ValueError("avg_pool2d: divisor_override must not be 0")
    x = at_least_float32(input)
    ones = np.ones_like(x.data, shape=(1, 1, *windows.size))
    sums = Convolution.apply(x.reshape(-1, 1, *windows.image), ones, None, windows=windows, groups=1)
    divisor: Any = divisor_override
    if divisor is None:
        rows, columns = (covered(windows, axis, count_include_pad) for axis in (0, 1))
        if len({*rows}) == len({*columns}) == 1:
            divisor = rows[0] * columns[0]
        else:
            divisor = np.array([[m * n for n in columns] for m in rows], x.dtype, like=x.data)
    return (sums / divisor).reshape(*input.shape[:-2], *windows.places).to(input.dtype)


# ---------------------------------------------------------------------- what they are made of

def pooling_windows(name: str, input: Tensor, kernel_size: Any, stride: Any, padding: Any, dilation: Any,
                    ceil_mode: bool) -> Windows:
    """The windows on the images, each of which must have a pixel inside."""
    require_float(name, input)
    if input.ndim not in (3, 4):
        raise ValueError(f"{name}: expects images of shape (N, C, H, W) or (C, H, W), not {input.shape}")
    size = two(name, "kernel_size", kernel_size)
    stride = size if stride is None else stride
    windows = windows_on(name, input.shape[-2:], size, stride, two(name, "padding", padding, 0), dilation, ceil_mode)
    for axis in (0, 1):
        span = (size[axis] - 1) * windows.dilation[axis] + 1
        if 2 * windows.padding[axis] > span or not all(covered(windows, axis, False)):
            raise ValueError(f"{name}: padding {padding} is too much for windows of {size[0]} × {size[1]} pixels on "
                             f"images of shape {input.shape}; it must be at most half of what a window spans, so that "
                             "every window has a pixel of the image")
    return windows


def covered(windows: Windows, axis: int, count_include_pad: bool) -> list[int]:
    """How many pixels each window has along one axis: in the image and its padding, or in the image alone."""
    n, padding = windows.image[axis], windows.padding[axis]
    low, high = (-padding, n + padding) if count_include_pad else (0, n)
    starts = range(-padding, windows.places[axis] * windows.stride[axis] - padding, windows.stride[axis])
    shifts = [p * windows.dilation[axis] for p in range(windows.size[axis])]
    return [sum(low <= start + shift < high for shift in shifts) for start in starts]


def pixels_of(windows: Windows) -> int:
    """How many pixels an image has."""
    return windows.image[0] * windows.image[1]


def largest(a: Any, windows: Windows) -> Any:
    """Which pixel of the image, counted row by row, is the largest of each window."""
    number = np.reshape(np.arange(pixels_of(windows), dtype=np.int32, like=a), windows.image)
    most = np.full_like(a, -np.inf, shape=(*a.shape[:-2], *windows.places))
    chosen = np.full_like(most, -1, np.int32)                   # none yet; every window has a pixel of the image
    for _, _, places, pixels in windows.pixels():               # few steps, each over all windows at once
        value = np.copy(a[pixels])                              # neighbours in memory: faster below
        better = (value > most[places]) | np.isnan(value) | (chosen[places] < 0)
        chosen[places] = np.maximum(chosen[places], better * number[pixels])       # later pixels have higher numbers
        most[places] = np.maximum(most[places], value)
    return chosen
