"""Softmax and its logarithm along the last axis: one launch, in which 32 threads take a row together."""

from typing import Any

from ...operations.softmax import LogSoftmax, Softmax
from ..gpu import import_cupy
from .raw import RawKernel, ceil_div, suits
from .registry import computes

ROWS_OF_A_BLOCK = 4

# A warp is 32 threads that run together and can read each other's numbers. Each takes every 32nd number of a row; then
# all of them add up, or compare, what they have.
ACROSS = """
__device__ T sum_of_all(T x) {
    for (int step = 16; step > 0; step /= 2)
        x += __shfl_xor_sync(0xffffffff, x, step);
    return x;
}
__device__ T larger(T a, T b) { return a > b || a != a ? a : b; }      // and NaN goes before all numbers
__device__ T largest_of_all(T x) {
    for (int step = 16; step > 0; step /= 2)
        x = larger(x, __shfl_xor_sync(0xffffffff, x, step));
    return x;
}
// a − max a, where infinite scores are equal to each other
__device__ T below(T a, T top) { return isinf(a) && a > 0 ? (T)0 : a - top; }
"""
HEAD = """
    long long row = blockIdx.x * (long long)blockDim.y + threadIdx.y;
    if (row >= rows) return;                        // all 32 threads of a row, or none
    long long first = row * columns, end = first + columns;
"""
TOP_AND_SUM = """
    T top = a[first];
    for (long long i = first + threadIdx.x; i < end; i += 32) top = larger(top, a[i]);
    top = largest_of_all(top);
    T sum = 0;
    for (long long i = first + threadIdx.x; i < end; i += 32) sum += exp(below(a[i], top));
    sum = sum_of_all(sum);
"""

SOFTMAX = RawKernel("softmax", ACROSS + f"""
extern "C" __global__ void softmax(const T* a, T* y, long long rows, long long columns) {{{HEAD}{TOP_AND_SUM}
    for (long long i = first + threadIdx.x; i < end; i += 32) y[i] = exp(below(a[i], top)) / sum;
}}
""")

LOG_SOFTMAX = RawKernel("log_softmax", ACROSS + f"""
extern "C" __global__ void log_softmax(const T* a, T* y, long long rows, long long columns) {{{HEAD}{TOP_AND_SUM}
    T log_sum = log(sum);
    for (long long i = first + threadIdx.x; i < end; i += 32) y[i] = below(a[i], top) - log_sum;
}}
""")

SOFTMAX_GRAD = RawKernel("softmax_grad", ACROSS + f"""
extern "C" __global__ void softmax_grad(const T* g, const T* y, T* grad_a, long long rows, long long columns) {{
    {HEAD}
    T sum = 0;
    for (long long i = first + threadIdx.x; i < end; i += 32) sum += g[i] * y[i];
    sum = sum_of_all(sum);
    for (long long i = first + threadIdx.x; i < end; i += 32)
        grad_a[i] = y[i] * (g[i] - sum);            // yⱼ (gⱼ − Σᵢ gᵢ yᵢ)
}}
""")

LOG_SOFTMAX_GRAD = RawKernel("log_softmax_grad", ACROSS + f"""
extern "C" __global__ void log_softmax_grad(const T* g, const T* y, T* grad_a, long long rows, long long columns) {{
    {HEAD}
    T sum = 0;
    for (long long i = first + threadIdx.x; i < end; i += 32) sum += g[i];
    sum = sum_of_all(sum);
    for (long long i = first + threadIdx.x; i < end; i += 32)
        grad_a[i] = g[i] - exp(y[i]) * sum;         // gⱼ − e^yⱼ Σᵢ gᵢ
}}
""")


def by_rows(kernel: RawKernel, axis: int, *arrays: Any) -> Any:
    """A new array of the same shape, if the axis is the last one and the arrays are as the kernel takes them."""
    a = arrays[0]
    if not isinstance(axis, int) or not suits(*arrays) or not a.size or axis % a.ndim != a.ndim - 1 or \
            any(x.shape != a.shape for x in arrays):
        return NotImplemented
    columns = a.shape[-1]
    rows = a.size // columns
    y = import_cupy().empty(a.shape, a.dtype)
    kernel(a.dtype, (ceil_div(rows, ROWS_OF_A_BLOCK),), (32, ROWS_OF_A_BLOCK), (*arrays, y, rows, columns))
    return y


# ---------------------------------------------------------------------- as kernels

@computes(Softmax.forward)
def softmax(a: Any, *, axis: int) -> Any:
    return by_rows(SOFTMAX, axis, a)


@computes(Softmax.grad_a)
def softmax_grad(g: Any, y: Any, a: Any, *, axis: int) -> Any:
    return by_rows(SOFTMAX_GRAD, axis, g, y)


@computes(LogSoftmax.forward)
def log_softmax(a: Any, *, axis: int) -> Any:
    return by_rows(LOG_SOFTMAX, axis, a)


@computes(LogSoftmax.grad_a)
def log_softmax_grad(g: Any, y: Any, a: Any, *, axis: int) -> Any:
    return by_rows(LOG_SOFTMAX_GRAD, axis, g, y)
