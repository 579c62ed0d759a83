"""Convolution of images, and the two operations that its derivatives need. The derivatives of all three are among them.

Each is one matrix product. What makes it one is `columns`, which writes the windows of an image beside each other,
one in each column, so that a product with the weights takes the scalar product of every filter with every window;
`images` adds columns back into images.

In the formulas n counts images, o filters, c channels, (i, j) the places of windows and (p, q) the pixels of a window;
s is the stride, d the dilation and t the padding: the window at (i, j) has its pixel (p, q) where the image has
(i·s + p·d − t, j·s + q·d − t). Outside of it, the image is 0.
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..engine.operation import Operation


@dataclass(frozen=True)
class Windows:
    """How windows lie on an image, and may reach beyond its sides; each pair is for the rows and the columns."""

    image: tuple[int, ...]                  # how many pixels the image has
    size: tuple[int, ...]                   # how many a window has
    places: tuple[int, ...]                 # how many windows there are
    stride: tuple[int, ...]                 # the distance between them
    padding: tuple[int, ...]                # how far before the image the first one begins
    dilation: tuple[int, ...]               # the distance between the pixels of a window

    def pixels(self) -> Iterator[tuple]:
        """For each pixel p, q of a window: p and q, the places where it lies inside the image, and the pixels there.

        The last two are indices of the last two axes: of an array with a value for each window, and of the images.
        """
        for p, q in itertools.product(*map(range, self.size)):
            (i, row), (j, column) = self.inside(0, p), self.inside(1, q)
            yield p, q, (Ellipsis, i, j), (Ellipsis, row, column)

    def inside(self, axis: int, p: int) -> tuple[slice, slice]:
        """Along one axis, the places where pixel p of the window lies inside the image, and the pixels there."""
        step = self.stride[axis]
        shift = p * self.dilation[axis] - self.padding[axis]            # place i has it at pixel i · step + shift
        first = max(0, -(shift // step))
        end = max(first, min(self.places[axis], (self.image[axis] - 1 - shift) // step + 1))
        start = first * step + shift
        return slice(first, end), slice(start, start + (end - first) * step, step)


class Convolution(Operation):
    """y[n, o, i, j] = b[o] + Σ w[o, c, p, q] a[n, c, i·s + p·d − t, j·s + q·d − t] over c, p and q"""
    def forward(a, w, b, *, windows, groups):
        y = np.matmul(filters(w, groups), columns(a, windows, groups))
        y = np.reshape(y, (a.shape[0], w.shape[0], *windows.places))
        if b is not None:
            y += np.reshape(b, (-1, 1, 1))
        return y

    def grad_a(g, y, a, w, b, *, windows, groups):
        return TransposedConvolution.apply(g, w, windows=windows, groups=groups)

    def grad_w(g, y, a, w, b, *, windows, groups):
        return WindowProducts.apply(g, a, windows=windows, groups=groups)

    def grad_b(g, y, a, w, b, *, windows, groups):
        return np.sum(g, axis=(0, 2, 3))


class TransposedConvolution(Operation):
    """y[n, c, i·s + p·d − t, j·s + q·d − t] += w[o, c, p, q] a[n, o, i, j]: every filter drawn at every place"""
    def forward(a, w, *, windows, groups):
        weights = np.swapaxes(filters(w, groups), -1, -2)
        return images(np.matmul(weights, grouped(a, groups)), windows)

    def grad_a(g, y, a, w, *, windows, groups):
        return Convolution.apply(g, w, None, windows=windows, groups=groups)

    def grad_w(g, y, a, w, *, windows, groups):
        return WindowProducts.apply(a, g, windows=windows, groups=groups)


class WindowProducts(Operation):
    """y[o, c, p, q] = Σ a[n, o, i, j] b[n, c, i·s + p·d − t, j·s + q·d − t] over n, i and j"""
    def forward(a, b, *, windows, groups):
        products = np.matmul(columns(b, windows, groups), np.swapaxes(grouped(a, groups), -1, -2))
        y = np.swapaxes(np.sum(products, axis=0), -1, -2)               # twice as fast as the product a bᵀ itself
        return np.reshape(y, (a.shape[1], b.shape[1] // groups, *windows.size))

    def grad_a(g, y, a, b, *, windows, groups):
        return Convolution.apply(b, g, None, windows=windows, groups=groups)

    def grad_b(g, y, a, b, *, windows, groups):
        return TransposedConvolution.apply(a, g, windows=windows, groups=groups)


# ---------------------------------------------------------------------- as matrices: n, group, rows, columns

def columns(a, windows, groups):
    """Images (n, c, …) as matrices with the pixels of each window, of all channels of a group, in one column."""
    y = np.zeros_like(a, shape=(*a.shape[:2], *windows.size, *windows.places))
    for p, q, places, pixels in windows.pixels():
        y[:, :, p, q][places] = a[pixels]
    rows = a.shape[1] // groups * windows.size[0] * windows.size[1]
    return np.reshape(y, (a.shape[0], groups, rows, windows.places[0] * windows.places[1]))


def images(a, windows):
    """The opposite of `columns`: images in which every pixel is the sum over the windows that it lies in."""
    channels = a.shape[1] * a.shape[2] // (windows.size[0] * windows.size[1])
    a = np.reshape(a, (a.shape[0], channels, *windows.size, *windows.places))
    y = np.zeros_like(a, shape=(a.shape[0], channels, *windows.image))
    for p, q, places, pixels in windows.pixels():
        y[pixels] += a[:, :, p, q][places]
    return y


def grouped(a, groups):
    """Results (n, o, i, j) as matrices with one filter in each row and one place in each column."""
    return np.reshape(a, (a.shape[0], groups, a.shape[1] // groups, a.shape[2] * a.shape[3]))


def filters(w, groups):
    """Weights (o, c, p, q) as matrices with one filter in each row: a matrix for each group."""
    return np.reshape(w, (groups, w.shape[0] // groups, w.shape[1] * w.shape[2] * w.shape[3]))
