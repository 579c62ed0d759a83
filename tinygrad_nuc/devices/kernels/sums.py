"""Sums over all axes but one: the gradients of biases, the means of batch norm, and what undoes broadcasting.

CuPy sums over the last axes quickly, and over the first ones slowly, since its threads then walk across the rows. Here
neighbouring threads take neighbouring columns, as they lie in memory.
"""

import math
from typing import Any

from ...engine.backward import sum_over_copies
from ...operations.convolution import Convolution
from ...operations.reductions import Sum
from ..gpu import import_cupy
from .raw import RawKernel, ceil_div, suits
from .registry import computes

SIDE = 32                                               # columns of a block, and threads for each of them

ROWS = RawKernel("sum_over_rows", """
extern "C" __global__ void sum_over_rows(const T* a, T* y, long long rows, long long columns) {
    // a block has 32 columns; of each, 32 threads take every 32nd row, and then add up what they have
    __shared__ T parts[32][33];
    long long column = blockIdx.x * 32LL + threadIdx.x;
    T sum = 0;
    if (column < columns)
        for (long long row = threadIdx.y; row < rows; row += 32)
            sum += a[row * columns + column];
    parts[threadIdx.y][threadIdx.x] = sum;
    __syncthreads();
    for (int half = 16; half > 0; half /= 2) {
        if (threadIdx.y < half)
            parts[threadIdx.y][threadIdx.x] += parts[threadIdx.y + half][threadIdx.x];
        __syncthreads();
    }
    if (threadIdx.y == 0 && column < columns)
        y[column] = parts[0][threadIdx.x];
}
""")

CHANNELS = RawKernel("sum_over_pixels", """
extern "C" __global__ void sum_over_pixels(const T* a, T* y, long long images, long long channels, long long pixels) {
    // a block has one channel; its threads go through the pixels of all images, and then add up what they have
    __shared__ T parts[256];
    long long channel = blockIdx.x;
    T sum = 0;
    for (long long i = threadIdx.x; i < images * pixels; i += 256)
        sum += a[(i / pixels * channels + channel) * pixels + i % pixels];
    parts[threadIdx.x] = sum;
    __syncthreads();
    for (int half = 128; half > 0; half /= 2) {
        if (threadIdx.x < half)
            parts[threadIdx.x] += parts[threadIdx.x + half];
        __syncthreads();
    }
    if (threadIdx.x == 0)
        y[channel] = parts[0];
}
""")


def sum_over_rows(a: Any) -> Any:
    """Σ a[i, j] over i, of a matrix."""
    if not suits(a):
        return a.sum(axis=0)
    rows, columns = a.shape
    y = import_cupy().empty((columns,), a.dtype)
    if columns:
        ROWS(a.dtype, (ceil_div(columns, SIDE),), (SIDE, SIDE), (a, y, rows, columns))
    return y


def sum_over_pixels(a: Any) -> Any:
    """Σ a[i, j, k] over i and k."""
    images, channels, pixels = a.shape
    y = import_cupy().empty((channels,), a.dtype)
    if channels:
        CHANNELS(a.dtype, (channels,), (256,), (a, y, images, channels, pixels))
    return y


def sum_to(a: Any, kept: range) -> Any:
    """The sum over all axes but those in `kept`, which are neighbours; NotImplemented if CuPy's own sum is as good."""
    if kept.start == 0 or not kept or not suits(a):             # over the last axes, or over all
        return NotImplemented
    outer, inner = math.prod(a.shape[:kept.start]), math.prod(a.shape[kept.stop:])
    middle = math.prod(a.shape[i] for i in kept)
    return sum_over_rows(a.reshape(outer, middle)) if inner == 1 else sum_over_pixels(a.reshape(outer, middle, inner))


def neighbours(axes: list[int], ndim: int) -> range:
    """The axes if they are neighbours; none otherwise."""
    run = range(axes[0], axes[-1] + 1) if axes else range(0)
    return run if len(run) == len(axes) and run.stop <= ndim else range(0)


# ---------------------------------------------------------------------- as kernels

@computes(Sum.forward)
def sum_forward(a: Any, *, axis: Any, keepdims: bool) -> Any:
    if axis is None:
        return NotImplemented
    over = [i % a.ndim for i in (axis if isinstance(axis, tuple) else (axis,))] if a.ndim else []
    kept = [i for i in range(a.ndim) if i not in over]
    y = sum_to(a, neighbours(kept, a.ndim))
    if y is NotImplemented:
        return y
    return y.reshape([a.shape[i] if i in kept else 1 for i in range(a.ndim) if keepdims or i in kept])


@computes(sum_over_copies)
def sum_of_copies(a: Any, shape: tuple[int, ...]) -> Any:
    extra = a.ndim - len(shape)
    kept = [i for i in range(extra, a.ndim) if shape[i - extra] == a.shape[i]]
    y = sum_to(a, neighbours([i for i in kept if a.shape[i] != 1], a.ndim))
    return y if y is NotImplemented else y.reshape(shape)


@computes(Convolution.grad_b)
def convolution_grad_b(g: Any, y: Any, a: Any, w: Any, b: Any, **settings: Any) -> Any:
    return sum_to(g.reshape(*g.shape[:2], -1), range(1, 2))
