"""Cross-entropy of class numbers: one launch for the losses, one for the derivative; 32 threads take a row together."""

from typing import Any

import numpy as np

from ...operations.likelihood import CrossEntropy
from ..gpu import import_cupy
from .raw import RawKernel, ceil_div, suits
from .registry import computes
from .rows import ACROSS, HEAD, ROWS_OF_A_BLOCK, TOP_AND_SUM

NAN = "#define NOT_A_NUMBER (T)(0.0 / 0.0)"          # NVRTC knows no NAN

LOSSES = RawKernel("cross_entropy", ACROSS + f"""{NAN}
extern "C" __global__ void cross_entropy(const T* a, const long long* t, T* y, long long ignored, long long rows,
                                         long long columns) {{{HEAD}{TOP_AND_SUM}
    bool known = 0 <= t[row] && t[row] < columns;           // of a label that is no class, the loss is NaN
    if (threadIdx.x == 0)
        y[row] = t[row] == ignored ? (T)0 : known ? log(sum) - below(a[first + t[row]], top) : NOT_A_NUMBER;
}}
""")

SLOPES = RawKernel("cross_entropy_grad", ACROSS + f"""{NAN}
extern "C" __global__ void cross_entropy_grad(const T* g, int step, const T* a, const long long* t, T* x,
                                              long long ignored, long long rows, long long columns) {{
    {HEAD}{TOP_AND_SUM}
    // g has one number for each row, or one for all: then step is 0
    T slope = 0 <= t[row] && t[row] < columns ? g[row * step] : NOT_A_NUMBER;
    for (long long i = first + threadIdx.x; i < end; i += 32)
        x[i] = t[row] == ignored ? (T)0 : slope * (exp(below(a[i], top)) / sum - (i - first == t[row]));
}}
""")


def suitable(x: Any, t: Any, axis: int) -> bool:
    """Whether the classes come last, and the labels are whole numbers of 64 bits."""
    return bool(axis == x.ndim - 1 and suits(x) and x.size and t.dtype == np.int64 and t.flags.c_contiguous)


@computes(CrossEntropy.forward)
def cross_entropy(x: Any, t: Any, *, axis: int, ignored: int) -> Any:
    if not suitable(x, t, axis):
        return NotImplemented
    y = import_cupy().empty(t.shape, x.dtype)
    LOSSES(x.dtype, (ceil_div(y.size, ROWS_OF_A_BLOCK),), (32, ROWS_OF_A_BLOCK),
           (x, t, y, ignored, y.size, x.shape[-1]))
    return y


@computes(CrossEntropy.grad_x)
def cross_entropy_grad(g: Any, y: Any, x: Any, t: Any, *, axis: int, ignored: int) -> Any:
    if not suitable(x, t, axis) or g.dtype != x.dtype:
        return NotImplemented
    one_for_all = all(stride == 0 or n == 1 for stride, n in zip(g.strides, g.shape, strict=True))
    if not one_for_all and not g.flags.c_contiguous:
        g = np.copy(g, order="C")
    slopes = import_cupy().empty(x.shape, x.dtype)
    SLOPES(x.dtype, (ceil_div(t.size, ROWS_OF_A_BLOCK),), (32, ROWS_OF_A_BLOCK),
           (g, np.int32(not one_for_all), x, t, slopes, ignored, t.size, x.shape[-1]))
    return slopes
