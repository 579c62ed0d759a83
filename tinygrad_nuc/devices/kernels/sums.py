"""Sums over all axes but one: the gradients of biases, means of many numbers, and what undoes broadcasting.

CuPy sums over the last axes quickly, and over the first ones slowly, since its threads then walk across the rows. Here
neighbouring threads take neighbouring numbers, as they lie in memory.

Where few columns or channels are left of many numbers, a block for each would leave most of the GPU idle. So several
blocks share them, each writes the sum of its part, and a second launch adds up the parts. Nothing is added by whoever
comes first, and how many parts there are does not depend on the GPU: the digits of a sum are the same every time.
"""

import math
from typing import Any

from ...engine.backward import sum_over_copies
from ...operations.convolution import Convolution
from ...operations.reductions import Sum
from ..gpu import import_cupy
from .raw import RawKernel, ceil_div, suits
from .registry import computes

THREADS = 1024                                          # of a block
SIDE = 32                                               # columns of a block, at most
EACH = 16                                               # numbers that are worth a thread: with fewer, fewer blocks
MOST_BLOCKS = 512                                       # no GPU has so many of this size at work at once

ADDED_UP = """
__device__ T added_up(T sum, unsigned int kept) {
    // thread k < kept gets the sum over the threads k, k + kept, k + 2 kept, … of its block
    __shared__ T parts[1024];
    unsigned int thread = threadIdx.y * blockDim.x + threadIdx.x;
    parts[thread] = sum;
    __syncthreads();
    for (unsigned int half = 512; half >= kept; half /= 2) {
        if (thread < half)
            parts[thread] += parts[thread + half];
        __syncthreads();
    }
    return parts[thread];
}
"""

ROWS = RawKernel("sum_over_rows", ADDED_UP + """
extern "C" __global__ void sum_over_rows(const T* a, T* y, long long rows, long long columns) {
    // y[part, column]: a block has a thread for each of its columns, and for as many rows at once as there is room for
    long long column = (long long)blockIdx.x * blockDim.x + threadIdx.x;
    T sum = 0;
    if (column < columns)
        for (long long row = blockIdx.y * blockDim.y + threadIdx.y; row < rows; row += gridDim.y * blockDim.y)
            sum += a[row * columns + column];
    sum = added_up(sum, blockDim.x);
    if (threadIdx.y == 0 && column < columns)
        y[blockIdx.y * columns + column] = sum;
}
""")

PIXELS = RawKernel("sum_over_pixels", ADDED_UP + """
extern "C" __global__ void sum_over_pixels(const T* a, T* y, long long images, long long channels, long long pixels) {
    // y[part, channel]: a block has one channel, and a thread for each pixel of as many images as there is room for
    long long channel = blockIdx.x;
    T sum = 0;
    for (long long n = blockIdx.y * blockDim.y + threadIdx.y; n < images; n += gridDim.y * blockDim.y) {
        const T* image = a + (n * channels + channel) * pixels;
        for (long long i = blockIdx.z * blockDim.x + threadIdx.x; i < pixels; i += gridDim.z * blockDim.x)
            sum += image[i];
    }
    sum = added_up(sum, 1);
    if (threadIdx.x == 0 && threadIdx.y == 0)
        y[(blockIdx.z * gridDim.y + blockIdx.y) * channels + channel] = sum;
}
""")


def sum_over_rows(a: Any) -> Any:
    """Σ a[i, j] over i, of a matrix."""
    rows, columns = a.shape
    if not suits(a):
        return a.sum(axis=0)
    if columns == 1:
        return a.sum().reshape(1)                       # all of an array: CuPy's own takes many blocks for it
    side = power_of_2(columns, SIDE)
    blocks, height = ceil_div(columns, side), THREADS // side
    parts = parts_for(rows * side, blocks)
    y = import_cupy().empty(columns if parts == 1 else (parts, columns), a.dtype)
    if columns:
        ROWS(a.dtype, (blocks, parts), (side, height), (a, y, rows, columns))
    return y if parts == 1 else sum_over_rows(y)


def sum_over_pixels(a: Any) -> Any:
    """Σ a[i, j, k] over i and k."""
    images, channels, pixels = a.shape
    width = power_of_2(pixels, THREADS)
    height = THREADS // width
    parts = parts_for(images * pixels, channels)
    of_images = max(min(parts, ceil_div(images, height)), 1)
    of_pixels = parts // of_images                      # where there are fewer images than parts
    parts = of_images * of_pixels
    y = import_cupy().empty(channels if parts == 1 else (parts, channels), a.dtype)
    if channels:
        PIXELS(a.dtype, (channels, of_images, of_pixels), (width, height), (a, y, images, channels, pixels))
    return y if parts == 1 else sum_over_rows(y)


def power_of_2(n: int, most: int) -> int:
    """The smallest that is not below n, or else `most`."""
    return min(1 << max(n - 1, 0).bit_length(), most)


def parts_for(numbers: int, blocks: int) -> int:
    """How many blocks share the work of each of `blocks`, which is to add up so many numbers."""
    return max(min(ceil_div(numbers, EACH * THREADS), MOST_BLOCKS // max(blocks, 1)), 1)


def sum_to(a: Any, kept: list[int]) -> Any:
    """The sum over all axes but those in `kept`, which become one axis; NotImplemented if CuPy's own is as good."""
    if not suits(a) or a.size == 0:
        return NotImplemented
    longer = [i for i in kept if a.shape[i] > 1]
    if not longer:
        return a.sum()
    run = neighbours(longer)
    if not run or run.start == 0:                       # the axes do not lie side by side, or the sum is over the last
        return NotImplemented
    outer, inner = math.prod(a.shape[:run.start]), math.prod(a.shape[run.stop:])
    middle = math.prod(a.shape[i] for i in run)
    return sum_over_rows(a.reshape(outer, middle)) if inner == 1 else sum_over_pixels(a.reshape(outer, middle, inner))


def neighbours(axes: list[int]) -> range:
    """The axes, in rising order, as a range if they are neighbours; otherwise an empty one."""
    run = range(axes[0], axes[-1] + 1) if axes else range(0)
    return run if len(run) == len(axes) else range(0)


# ---------------------------------------------------------------------- as kernels

@computes(Sum.forward)
def sum_forward(a: Any, *, axis: Any, keepdims: bool) -> Any:
    if axis is None:
        return NotImplemented
    over = [i % a.ndim for i in (axis if isinstance(axis, tuple) else (axis,))] if a.ndim else []
    kept = [i for i in range(a.ndim) if i not in over]
    y = sum_to(a, kept)
    if y is NotImplemented:
        return y
    return y.reshape([a.shape[i] if i in kept else 1 for i in range(a.ndim) if keepdims or i in kept])


@computes(sum_over_copies)
def sum_of_copies(a: Any, shape: tuple[int, ...]) -> Any:
    extra = a.ndim - len(shape)
    kept = [i for i in range(extra, a.ndim) if shape[i - extra] == a.shape[i]]
    y = sum_to(a, kept)
    return y if y is NotImplemented else y.reshape(shape)


@computes(Convolution.grad_b)
def convolution_grad_b(g: Any, y: Any, a: Any, w: Any, b: Any, **settings: Any) -> Any:
    y = sum_to(g.reshape(*g.shape[:2], -1), [1])
    return y if y is NotImplemented else y.reshape(g.shape[1])
