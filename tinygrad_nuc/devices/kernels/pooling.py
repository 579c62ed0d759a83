"""Max pooling: the search for the largest pixel of every window, in one launch."""

import math
from typing import Any

import numpy as np

from ...nn.functional.pooling import largest
from ...operations.convolution import Windows
from ..gpu import import_cupy
from .convolution import WINDOWS, described
from .raw import RawKernel, one_for_each, suits
from .registry import computes

LARGEST = RawKernel("largest", WINDOWS + """
extern "C" __global__ void largest(const T* a, int* y, const Windows w, long long size) {
    // y[n, i, j] is which pixel of image n is the largest of the window at (i, j); NaN counts as larger than all
    unsigned int k = blockIdx.x * blockDim.x + threadIdx.x;
    if (k >= size) return;
    int j = k % w.J, i = k / w.J % w.I, n = k / w.J / w.I, chosen = -1;
    T most = 0;
    for (int p = 0; p < w.P; p++) {
        int h = i * w.stride_i + p * w.dilation_p - w.t_i;
        if (h < 0 || h >= w.height) continue;
        for (int q = 0; q < w.Q; q++) {
            int v = j * w.stride_j + q * w.dilation_q - w.t_j;
            if (v < 0 || v >= w.width) continue;
            T x = a[(n * w.height + h) * w.width + v];
            if (chosen < 0 || x > most || x != x) {
                most = x;
                chosen = h * w.width + v;
            }
        }
    }
    y[k] = chosen;
}
""")


@computes(largest)
def largest_on_gpu(a: Any, windows: Windows) -> Any:
    if not suits(a) or not a.size or a.size >= 2 ** 31:
        return NotImplemented
    y = import_cupy().empty((*a.shape[:-2], *windows.places), np.int32)
    n = math.prod(a.shape[:-2])
    if y.size:
        LARGEST(a.dtype, *one_for_each(y.size), (a, y, described(n, 1, windows), y.size))
    return y
