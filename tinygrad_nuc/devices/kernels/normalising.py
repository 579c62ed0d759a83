"""Batch norm and layer norm: one launch for means and variances, one for the result, and one for the gradient.

Few channels of very many numbers would leave most of a GPU idle, since a channel is one block's work. Their sums are
those of sums.py, which many blocks share.

An array is seen as (images, channels, pixels), where each channel has a mean and a variance over images and pixels. In
layer norm every sample is such a channel, of one image.
"""

import math
from typing import Any, NamedTuple

import numpy as np

from ...operations.normalising import Normalise, moments
from ..gpu import import_cupy
from .elementwise import Fused
from .raw import RawKernel, ceil_div, one_for_each, suits
from .registry import computes
from .sums import neighbours, parts_for, sum_over_pixels, sum_over_rows

SIDE = 32                                               # channels of a block where they are neighbours in memory
MOST_THREADS = 256                                      # of a block that has one channel

# A block has blockDim.x channels, and blockDim.y threads for each. They go through its numbers, i = 0 … n − 1, and then
# add up what they have. A channel beyond the last has no numbers, but its threads wait with the others.
CHANNEL = """
__device__ T mean_of_channel(T sum, unsigned int n) {
    __shared__ T parts[1024];
    unsigned int thread = threadIdx.y * blockDim.x + threadIdx.x;
    __syncthreads();                                    // until all have read what was in the parts before
    parts[thread] = sum;
    __syncthreads();
    for (unsigned int half = blockDim.y / 2; half > 0; half /= 2) {
        if (threadIdx.y < half)
            parts[thread] += parts[thread + half * blockDim.x];
        __syncthreads();
    }
    return parts[threadIdx.x] / n;
}
"""
HEAD = """
    unsigned int channel = blockIdx.x * blockDim.x + threadIdx.x, n = images * pixels;
    unsigned int mine = channel < channels ? n : 0;
"""
EACH = "for (unsigned int i = threadIdx.y; i < mine; i += blockDim.y)"
PLACE = "(i / pixels * channels + channel) * pixels + i % pixels"
SIZES = "unsigned int images, unsigned int channels, unsigned int pixels"

MOMENTS = RawKernel("moments", CHANNEL + f"""
extern "C" __global__ void moments(const T* x, T* mean, T* variance, {SIZES}) {{{HEAD}
    T sum = 0, squares = 0;
    {EACH} sum += x[{PLACE}];
    T middle = mean_of_channel(sum, n);
    {EACH} {{
        T deviation = x[{PLACE}] - middle;
        squares += deviation * deviation;
    }}
    T width = mean_of_channel(squares, n);
    if (threadIdx.y == 0 && channel < channels) {{
        mean[channel] = middle;
        variance[channel] = width;
    }}
}}
""")

NORMALISE = RawKernel("normalise", """
extern "C" __global__ void normalise(const T* x, const T* mean, const T* variance, double eps, T* y, unsigned int size,
                                     unsigned int channels, unsigned int pixels) {
    unsigned int i = blockIdx.x * blockDim.x + threadIdx.x;
    if (i >= size) return;
    unsigned int channel = i / pixels % channels;
    y[i] = (x[i] - mean[channel]) / sqrt(variance[channel] + (T)eps);
}
""")

GRADIENT = RawKernel("normalise_grad", CHANNEL + f"""
extern "C" __global__ void normalise_grad(const T* g, const T* y, const T* variance, double eps, T* slopes,
                                          {SIZES}) {{{HEAD}
    T sum_g = 0, sum_gy = 0;
    {EACH} {{
        T slope = g[{PLACE}];
        sum_g += slope;
        sum_gy += slope * y[{PLACE}];
    }}
    T mean_g = mean_of_channel(sum_g, n), mean_gy = mean_of_channel(sum_gy, n);
    if (!mine) return;
    T width = sqrt(variance[channel] + (T)eps);
    {EACH} slopes[{PLACE}] = (g[{PLACE}] - mean_g - y[{PLACE}] * mean_gy) / width;
}}
""")


class View(NamedTuple):
    """How an array is seen."""

    images: int
    channels: int
    pixels: int


def seen(x: Any, axes: tuple[int, ...]) -> View | None:
    """The array with a mean over the axes for every channel; None if no kernel suits it."""
    over = [i % x.ndim for i in axes]
    axes_left = [i for i in range(x.ndim) if i not in over]
    kept = neighbours(axes_left)
    if len(kept) < len(axes_left) or not suits(x) or not 0 < x.size < 2 ** 31:
        return None
    images, channels = math.prod(x.shape[:kept.start]), math.prod(x.shape[i] for i in kept)
    return View(images, channels, x.size // (images * channels))


def blocks_and_threads(view: View) -> tuple[tuple, tuple]:
    """Neighbouring threads take neighbouring numbers: those of other channels, if a channel has one pixel."""
    if view.pixels == 1:
        return (ceil_div(view.channels, SIDE),), (SIDE, SIDE)
    threads = SIDE
    while threads < min(view.images * view.pixels, MOST_THREADS):
        threads *= 2
    return (view.channels,), (1, threads)


# ---------------------------------------------------------------------- few channels of very many numbers

def is_shared(view: View) -> bool:
    """Whether several blocks should share a channel."""
    (blocks, *_), _ = blocks_and_threads(view)
    return parts_for(view.images * view.channels * view.pixels // blocks, blocks) > 1


def mean_of_channels(x: Any, view: View, shape: tuple[int, ...]) -> Any:
    """The mean of each channel, in a shape that broadcasts against x."""
    if view.channels == 1:
        total = x.sum()
    elif view.pixels == 1:
        total = sum_over_rows(x.reshape(view.images, view.channels))
    else:
        total = sum_over_pixels(x.reshape(view))
    return total.reshape(shape) / (view.images * view.pixels)


def squared_deviation(x, mean):  return (x - mean) * (x - mean)


def slopes_of(g, y, mean_g, mean_gy, variance, eps):  return (g - mean_g - y * mean_gy) / np.sqrt(variance + eps)


SQUARED_DEVIATION, SLOPES = Fused(squared_deviation), Fused(slopes_of)


# ---------------------------------------------------------------------- as kernels

@computes(moments)
def moments_on_gpu(x: Any, axes: tuple[int, ...]) -> Any:
    view = seen(x, axes)
    if view is None:
        return NotImplemented
    over = [i % x.ndim for i in axes]
    shape = tuple(1 if i in over else n for i, n in enumerate(x.shape))
    if is_shared(view):
        mean = mean_of_channels(x, view, shape)
        return mean, mean_of_channels(SQUARED_DEVIATION(x, mean), view, shape)
    mean, variance = import_cupy().empty(shape, x.dtype), import_cupy().empty(shape, x.dtype)
    MOMENTS(x.dtype, *blocks_and_threads(view), (x, mean, variance, *map(np.uint32, view)))
    return mean, variance


@computes(Normalise.forward)
def normalise(x: Any, *, axes: tuple[int, ...], eps: float, known: Any = None) -> Any:
    view = seen(x, axes)
    if view is None:
        return NotImplemented
    mean, variance = known or moments_on_gpu(x, axes)
    if not suits(x, mean, variance):
        return NotImplemented
    y = import_cupy().empty(x.shape, x.dtype)
    NORMALISE(x.dtype, *one_for_each(x.size),
              (x, mean, variance, float(eps), y, *map(np.uint32, (x.size, view.channels, view.pixels))))
    return y


@computes(Normalise.grad_x)
def normalise_grad_x(g: Any, y: Any, x: Any, *, axes: tuple[int, ...], eps: float, known: Any = None) -> Any:
    view = seen(x, axes)
    if view is None or not suits(x, y, g) or g.shape != x.shape:
        return NotImplemented
    _, variance = known or moments_on_gpu(x, axes)
    if not suits(x, variance):
        return NotImplemented
    if is_shared(view):
        mean_g, mean_gy = (mean_of_channels(a, view, variance.shape) for a in (g, g * y))
        return SLOPES(g, y, mean_g, mean_gy, variance, float(eps))
    slopes = import_cupy().empty(x.shape, x.dtype)
    GRADIENT(x.dtype, *blocks_and_threads(view), (g, y, variance, float(eps), slopes, *map(np.uint32, view)))
    return slopes
