"""Windows that slide over the last axes, and their opposite: the two operations that a convolution is made of."""

import itertools
import math
from typing import Any

import numpy as np

from ..engine.operation import Operation
from ..engine.registry import implements
from ..engine.tensor import Tensor, method
from .axes import checked_dim, checked_dims
from .rearranging import moveaxis


class Unfold(Operation):
    """y[…, i, j, p, q] = a[…, i·s + p·d, j·s + q·d]: a window of size (p, q) at each place (i, j)

    The last axes of a, as many as `size` has numbers, give way to the places, and the axes within a window follow.
    """
    may_be_view = True
    def forward(a, *, size, stride, dilation):
        axes = tuple(range(a.ndim - len(size), a.ndim))
        spans = tuple((p - 1) * d + 1 for p, d in zip(size, dilation, strict=True))
        y = np.lib.stride_tricks.sliding_window_view(a, spans, axes)
        steps = tuple(slice(None, None, step) for step in (*stride, *dilation))
        return y[(Ellipsis, *steps)]

    def grad_a(g, y, a, *, size, stride, dilation):
        return Fold.apply(g, shape=a.shape[a.ndim - len(size):], size=size, stride=stride, dilation=dilation)


class Fold(Operation):
    """y[…, i·s + p·d, j·s + q·d] += a[…, i, j, p, q]: windows added up where they overlap; the opposite of Unfold"""
    def forward(a, *, shape, size, stride, dilation):
        n = len(size)
        places = a.shape[a.ndim - 2 * n:a.ndim - n]
        y = np.zeros_like(a, shape=(*a.shape[:a.ndim - 2 * n], *shape))
        for within in itertools.product(*map(range, size)):             # few steps, each over all windows at once
            where = tuple(slice(p * d, p * d + (m - 1) * s + 1, s)
                          for p, d, s, m in zip(within, dilation, stride, places, strict=True))
            y[(Ellipsis, *where)] += a[(Ellipsis, *within)]
        return y

    def grad_a(g, y, a, *, shape, size, stride, dilation):
        return Unfold.apply(g, size=size, stride=stride, dilation=dilation)


def count_places(name: str, length: int, size: int, stride: int, dilation: int) -> int:
    """At how many places a window fits into an axis."""
    span = (size - 1) * dilation + 1
    if min(size, stride, dilation) < 1:
        raise ValueError(f"{name}: size, step and dilation must be at least 1, not {size}, {stride}, {dilation}")
    if span > length:
        raise ValueError(f"{name}: a window that spans {span} does not fit into an axis of length {length}")
    return (length - span) // stride + 1


def pair(name: str, x: int | tuple[int, int]) -> tuple[int, int]:
    """(2, 2) from 2, and (2, 3) from (2, 3): for the rows and the columns of an image."""
    if isinstance(x, int):
        return x, x
    if len(x) != 2:
        raise ValueError(f"{name}: give one number or two, for rows and columns, not {x}")
    return int(x[0]), int(x[1])


@method
def unfold(self: Tensor, dimension: int, size: int, step: int) -> Tensor:
    """All windows of `size` along a dimension, `step` apart; the place within the window is a new last dimension.

    A view: it shares memory. The gradient of a value is the sum over the windows it lies in.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.arange(5).unfold(0, 3, 1)
    tensor([[0, 1, 2],
            [1, 2, 3],
            [2, 3, 4]])
    """
    dimension = checked_dim("unfold", dimension, self.ndim)
    count_places("unfold", self.shape[dimension], size, step, 1)
    last = moveaxis(self, dimension, -1)
    windows = Unfold.apply(last, size=(size,), stride=(step,), dilation=(1,))
    return moveaxis(windows, -2, dimension)


def unfold_images(input: Tensor, kernel_size: int | tuple[int, int], dilation: int | tuple[int, int] = 1,
                  padding: int | tuple[int, int] = 0, stride: int | tuple[int, int] = 1) -> Tensor:
    """The windows of images as columns (``F.unfold``): what a convolution multiplies by its weights.

    Parameters
    ----------
    input : Tensor, shape (N, C, H, W) or (C, H, W)
    kernel_size, dilation, padding, stride : int or two
        Size of the window, spacing of the pixels in it, zeros added on each side, distance between windows.

    Returns
    -------
    Tensor, shape (N, C · kernel rows · kernel columns, number of windows)

    Raises
    ------
    ValueError
        If the input has another number of dimensions, or no window fits.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> image = tn.arange(9).float().reshape(1, 1, 3, 3)
    >>> tn.nn.functional.unfold(image, 2)[0, :, 0]              # the window in the upper left corner
    tensor([0., 1., 3., 4.])
    """
    if input.ndim not in (3, 4):
        raise ValueError(f"unfold: expects images of shape (N, C, H, W) or (C, H, W), not {input.shape}")
    size, dilation, padding, stride = (pair("unfold", x) for x in (kernel_size, dilation, padding, stride))
    border = [(0, 0)] * (input.ndim - 2) + [(padding[0], padding[0]), (padding[1], padding[1])]
    images = np.pad(input, border) if any(padding) else input
    places = [count_places("unfold", *x) for x in zip(images.shape[-2:], size, stride, dilation, strict=True)]
    windows = Unfold.apply(images, size=size, stride=stride, dilation=dilation)     # (…, C, places, places, size, size)
    columns = moveaxis(windows, (-2, -1), (-4, -3))
    return columns.reshape(*input.shape[:-3], input.shape[-3] * math.prod(size), math.prod(places))


def fold(input: Tensor, output_size: int | tuple[int, int], kernel_size: int | tuple[int, int],
         dilation: int | tuple[int, int] = 1, padding: int | tuple[int, int] = 0,
         stride: int | tuple[int, int] = 1) -> Tensor:
    """Columns back to images, adding up where windows overlap (``F.fold``); the opposite of `unfold`.

    Parameters
    ----------
    input : Tensor, shape (N, C · kernel rows · kernel columns, number of windows), or without N
    output_size : int or two
        (H, W) of the images.

    Returns
    -------
    Tensor, shape (N, C, H, W), or without N

    Raises
    ------
    ValueError
        If the numbers of rows or windows do not suit the sizes.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> F = tn.nn.functional
    >>> F.fold(F.unfold(tn.ones(1, 1, 3, 3), 2), (3, 3), 2)[0, 0]       # in how many windows each pixel lies
    tensor([[1., 2., 1.],
            [2., 4., 2.],
            [1., 2., 1.]])
    """
    if input.ndim not in (2, 3):
        raise ValueError(f"fold: expects shape (N, C · kernel size, windows) or without N, not {input.shape}")
    shape, size, dilation, padding, stride = (
        pair("fold", x) for x in (output_size, kernel_size, dilation, padding, stride))
    padded = tuple(n + 2 * p for n, p in zip(shape, padding, strict=True))
    places = [count_places("fold", *x) for x in zip(padded, size, stride, dilation, strict=True)]
    channels, rest = divmod(input.shape[-2], math.prod(size))
    if rest or input.shape[-1] != math.prod(places):
        raise ValueError(f"fold: the last dimensions of {input.shape} must be a multiple of {math.prod(size)}, the "
                         f"size of a window, and {math.prod(places)}, the number of windows in {shape} with padding "
                         f"{padding}")
    windows = input.reshape(*input.shape[:-2], channels, *size, *places)
    windows = moveaxis(windows, (-4, -3), (-2, -1))
    images = Fold.apply(windows, shape=padded, size=size, stride=stride, dilation=dilation)
    return images[..., padding[0]:padded[0] - padding[0], padding[1]:padded[1] - padding[1]]


# ---------------------------------------------------------------------- as NumPy calls, with NumPy's conventions

@implements(np.lib.stride_tricks.sliding_window_view)
def _np_sliding_window_view(x: Tensor, window_shape: Any, axis: Any = None) -> Tensor:
    size = tuple(int(n) for n in np.atleast_1d(window_shape))
    axes = checked_dims("sliding_window_view", None if axis is None else np.atleast_1d(axis).tolist(), x.ndim)
    if len(size) != len(axes):
        raise ValueError(f"sliding_window_view: {len(axes)} axes need as many window lengths, not {len(size)}")
    for i, n in zip(axes, size, strict=True):
        count_places("sliding_window_view", x.shape[i], n, 1, 1)
    last = tuple(range(x.ndim - len(axes), x.ndim))
    windows = Unfold.apply(moveaxis(x, axes, last), size=size, stride=(1,) * len(axes), dilation=(1,) * len(axes))
    return moveaxis(windows, last, axes)
