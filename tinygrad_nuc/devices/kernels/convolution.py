"""Convolution: one product of two large matrices, between two launches that lay the numbers out for it.

The rule lays out the columns of each image by itself, pixel of the window by pixel, and multiplies image by image: as
suits a processor's cache. Here the windows of all images stand side by side in one matrix, a column each, so that
there is one product; `images` gathers, for each pixel, what the windows have for it, so that no two threads write to
the same place.

The columns are many times larger than the images: with 3 x 3 pixels in a window nine times. Beyond MOST_NUMBERS the
images take turns, a portion of them at a time, which is as fast and needs no more memory for a larger batch.
"""

import math
from typing import Any

import numpy as np

from ...operations.convolution import Convolution, TransposedConvolution, WindowProducts, Windows
from ..gpu import import_cupy
from .matmul import product
from .raw import RawKernel, one_for_each, suits
from .registry import computes

MOST_NUMBERS = 2 ** 26                                  # in the columns of a portion: 256 MB in float32

# How windows lie on an image, as in operations/convolution.py: place i has its pixel p at i·s + p·d − t of the image.
WINDOWS = """
struct Windows { int images, channels, height, width, P, Q, I, J, stride_i, stride_j, dilation_p, dilation_q;
                 int t_i, t_j; };
"""
LAYOUT = np.dtype([(name, np.int32) for name in (
    "images", "channels", "height", "width", "P", "Q", "I", "J", "stride_i", "stride_j", "dilation_p", "dilation_q",
    "t_i", "t_j")])

COLUMNS = RawKernel("columns", WINDOWS + """
extern "C" __global__ void columns(const T* a, T* y, const Windows w, long long size) {
    // y[(c, p, q), (n, i, j)] = a[n, c, i·s + p·d − t, j·s + q·d − t], and 0 beyond the image
    unsigned int k = blockIdx.x * blockDim.x + threadIdx.x;
    if (k >= size) return;
    int j = k % w.J, i = k / w.J % w.I, n = k / w.J / w.I % w.images;
    unsigned int row = k / w.J / w.I / w.images;
    int q = row % w.Q, p = row / w.Q % w.P, c = row / w.Q / w.P;
    int h = i * w.stride_i + p * w.dilation_p - w.t_i, v = j * w.stride_j + q * w.dilation_q - w.t_j;
    bool inside = 0 <= h && h < w.height && 0 <= v && v < w.width;
    y[k] = inside ? a[((n * w.channels + c) * w.height + h) * w.width + v] : (T)0;
}
""")

IMAGES = RawKernel("images", WINDOWS + """
extern "C" __global__ void images(const T* a, T* y, const Windows w, long long size) {
    // y[n, c, h, v] = Σ a[(c, p, q), (n, i, j)] over the windows that have a pixel there
    unsigned int k = blockIdx.x * blockDim.x + threadIdx.x;
    if (k >= size) return;
    int v = k % w.width, h = k / w.width % w.height, c = k / w.width / w.height % w.channels;
    int n = k / w.width / w.height / w.channels;
    T sum = 0;
    for (int p = 0; p < w.P; p++) {
        int i = h + w.t_i - p * w.dilation_p;
        if (i < 0 || i % w.stride_i || (i /= w.stride_i) >= w.I) continue;
        for (int q = 0; q < w.Q; q++) {
            int j = v + w.t_j - q * w.dilation_q;
            if (j < 0 || j % w.stride_j || (j /= w.stride_j) >= w.J) continue;
            unsigned int row = (c * w.P + p) * w.Q + q;
            sum += a[((row * w.images + n) * w.I + i) * w.J + j];
        }
    }
    y[k] = sum;
}
""")

SWAPPED = RawKernel("swapped", """
extern "C" __global__ void swapped(const T* a, const T* b, T* y, int biased, int first, int second, int rest,
                                   long long size) {
    // y[j, i, k] = a[i, j, k], and + b[i] if it is biased
    unsigned int at = blockIdx.x * blockDim.x + threadIdx.x;
    if (at >= size) return;
    int k = at % rest, i = at / rest % first, j = at / rest / first;
    T x = a[((unsigned int)i * second + j) * rest + k];
    y[at] = biased ? x + b[i] : x;
}
""")


def columns(a: Any, windows: Windows) -> Any:
    """Images (n, c, …) as one matrix with the pixels of each window, of all channels, in one column."""
    rows = a.shape[1] * math.prod(windows.size)
    y = import_cupy().empty((rows, a.shape[0] * math.prod(windows.places)), a.dtype)
    COLUMNS(a.dtype, *one_for_each(y.size), (a, y, described(a.shape[0], a.shape[1], windows), y.size))
    return y


def images(a: Any, y: Any, windows: Windows) -> None:
    """The opposite of `columns`: every pixel of the images y is the sum over the windows that it lies in."""
    IMAGES(a.dtype, *one_for_each(y.size), (a, y, described(y.shape[0], y.shape[1], windows), y.size))


def swap(a: Any, y: Any, shape: tuple[int, int, int], bias: Any = None) -> None:
    """Write an array of this shape to y with its first two axes exchanged, and a bias added for each of the first."""
    SWAPPED(a.dtype, *one_for_each(y.size), (a, a if bias is None else bias, y, np.int32(bias is not None),
                                             *map(np.int32, shape), y.size))


def side_by_side(a: Any) -> Any:
    """Results (n, o, i, j) of all images as one matrix, a filter in each row, in the order of `columns`."""
    n, filters, places = a.shape[0], a.shape[1], math.prod(a.shape[2:])
    y = import_cupy().empty((filters, n * places), a.dtype)
    swap(a, y, (n, filters, places))
    return y


def described(n: int, channels: int, windows: Windows) -> Any:
    """The windows on n images as the kernels' struct."""
    return np.array([(n, channels, *windows.image, *windows.size, *windows.places, *windows.stride, *windows.dilation,
                      *windows.padding)], LAYOUT)


def numbers_of_one(channels: int, filters: int, windows: Windows) -> int:
    """How many numbers one image has in the largest of the arrays here: mostly in its columns."""
    places = math.prod(windows.places)
    return max(channels * math.prod(windows.size) * places, filters * places, channels * math.prod(windows.image))


def fits(channels: int, filters: int, windows: Windows, groups: int, *arrays: Any) -> bool:
    """Whether the kernels take this: one group of channels, and few enough numbers to be counted by 32 bits."""
    return (groups == 1 and suits(*arrays) and min(math.prod(windows.places), *(x.size for x in arrays)) > 0
            and numbers_of_one(channels, filters, windows) < 2 ** 31)


def portions(n: int, channels: int, filters: int, windows: Windows) -> list[slice]:
    """The images in portions, whose columns stay within MOST_NUMBERS: mostly all n at once."""
    portion = max(MOST_NUMBERS // numbers_of_one(channels, filters, windows), 1)
    return [slice(first, min(first + portion, n)) for first in range(0, n, portion)]


# ---------------------------------------------------------------------- as kernels

@computes(Convolution.forward)
def convolution(a: Any, w: Any, b: Any, *, windows: Windows, groups: int) -> Any:
    n, channels, filters, places = a.shape[0], a.shape[1], w.shape[0], math.prod(windows.places)
    if not fits(channels, filters, windows, groups, a, w, *([] if b is None else [b])):
        return NotImplemented
    y = import_cupy().empty((n, filters, *windows.places), a.dtype)
    for part in portions(n, channels, filters, windows):
        products = product(w.reshape(filters, -1), columns(a[part], windows))
        swap(products, y[part], (filters, part.stop - part.start, places), b)
    return y


@computes(TransposedConvolution.forward)
def transposed_convolution(a: Any, w: Any, *, windows: Windows, groups: int) -> Any:
    n, (filters, channels) = a.shape[0], w.shape[:2]
    if not fits(channels, filters, windows, groups, a, w):
        return NotImplemented
    y = import_cupy().empty((n, channels, *windows.image), a.dtype)
    for part in portions(n, channels, filters, windows):
        images(product(w.reshape(filters, -1).T, side_by_side(a[part])), y[part], windows)
    return y


@computes(WindowProducts.forward)
def window_products(a: Any, b: Any, *, windows: Windows, groups: int) -> Any:
    n, filters, channels = a.shape[0], a.shape[1], b.shape[1]
    if not fits(channels, filters, windows, groups, a, b):
        return NotImplemented
    y: Any = None
    for part in portions(n, channels, filters, windows):
        products = product(side_by_side(a[part]), columns(b[part], windows).T)
        if y is None:
            y = products
        else:
            y += products
    return y.reshape(filters, channels, *windows.size)
