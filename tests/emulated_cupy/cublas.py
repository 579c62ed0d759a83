"""cuBLAS as ctypes calls it: `emulated_cupy.Cublas()` in the place of `ctypes.CDLL("libcublas.so.13")`.

Column-major, as in the manual: op(A) has m rows and k columns, op(B) k and n, and C = alpha op(A) op(B) + beta C.
"""

import ctypes
from collections import namedtuple

import numpy as np

from .memory import running

HANDLE = 0xB1A5
SUCCESS, NOT_INITIALIZED, INVALID_VALUE, NOT_SUPPORTED = 0, 1, 7, 15            # cublasStatus_t
FLOAT, DOUBLE = 0, 1                                                            # cudaDataType_t
COMPUTE_FLOAT, COMPUTE_DOUBLE, COMPUTE_TF32, TF32_MATH = 68, 70, 77, 3          # cublasComputeType_t, cublasMath_t
TYPES = {FLOAT: (np.dtype(np.float32), (COMPUTE_FLOAT, COMPUTE_TF32)),
         DOUBLE: (np.dtype(np.float64), (COMPUTE_DOUBLE,))}
Matrix = namedtuple("Matrix", "pointer type leading step", defaults=[ctypes.c_longlong(0)])     # step: to the next one


class Cublas:
    """The functions that a matrix product needs; each returns a status, 0 if all is well.

    Raises
    ------
    TypeError
        Where ctypes would pass a Python int as 32 bits though the function expects 64.
    AssertionError
        Where a matrix reaches beyond the memory of an array, and where, under capture, the stream is another one or the
        workspace was not set after the stream.
    """

    def __init__(self):
        self.stream, self.workspace, self.math = 0, None, 0

    def cublasSetStream_v2(self, handle, stream):
        self.stream, self.workspace = wide(stream), None        # back to the library's own workspace
        return status_of(handle)

    def cublasSetWorkspace_v2(self, handle, workspace, size):
        self.workspace = wide(workspace), wide(size)
        assert running().block_at(*self.workspace), "the workspace of cuBLAS is not in the memory of an array"
        return status_of(handle)

    def cublasSetMathMode(self, handle, mode):
        self.math = mode
        return status_of(handle)

    def cublasSgemm_v2(self, handle, ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc):
        return self.multiply(handle, ta, tb, m, n, k, alpha, Matrix(a, FLOAT, lda), Matrix(b, FLOAT, ldb), beta,
                             Matrix(c, FLOAT, ldc), self.float_compute())

    def cublasDgemm_v2(self, handle, ta, tb, m, n, k, alpha, a, lda, b, ldb, beta, c, ldc):
        return self.multiply(handle, ta, tb, m, n, k, alpha, Matrix(a, DOUBLE, lda), Matrix(b, DOUBLE, ldb), beta,
                             Matrix(c, DOUBLE, ldc), COMPUTE_DOUBLE)

    def cublasSgemmStridedBatched(self, handle, ta, tb, m, n, k, alpha, a, lda, a_step, b, ldb, b_step, beta, c, ldc,
                                  c_step, count):
        return self.multiply(handle, ta, tb, m, n, k, alpha, Matrix(a, FLOAT, lda, a_step),
                             Matrix(b, FLOAT, ldb, b_step), beta, Matrix(c, FLOAT, ldc, c_step),
                             self.float_compute(), count)

    def cublasDgemmStridedBatched(self, handle, ta, tb, m, n, k, alpha, a, lda, a_step, b, ldb, b_step, beta, c, ldc,
                                  c_step, count):
        return self.multiply(handle, ta, tb, m, n, k, alpha, Matrix(a, DOUBLE, lda, a_step),
                             Matrix(b, DOUBLE, ldb, b_step), beta, Matrix(c, DOUBLE, ldc, c_step),
                             COMPUTE_DOUBLE, count)

    def cublasGemmEx(self, handle, ta, tb, m, n, k, alpha, a, a_type, lda, b, b_type, ldb, beta, c, c_type, ldc,
                     compute, algorithm):
        return self.multiply(handle, ta, tb, m, n, k, alpha, Matrix(a, a_type, lda), Matrix(b, b_type, ldb), beta,
                             Matrix(c, c_type, ldc), compute)

    def cublasGemmStridedBatchedEx(self, handle, ta, tb, m, n, k, alpha, a, a_type, lda, a_step, b, b_type, ldb, b_step,
                                   beta, c, c_type, ldc, c_step, count, compute, algorithm):
        return self.multiply(handle, ta, tb, m, n, k, alpha, Matrix(a, a_type, lda, a_step),
                             Matrix(b, b_type, ldb, b_step), beta, Matrix(c, c_type, ldc, c_step), compute, count)

    def float_compute(self):
        return COMPUTE_TF32 if self.math == TF32_MATH else COMPUTE_FLOAT

    def multiply(self, handle, ta, tb, m, n, k, alpha, a, b, beta, c, compute, count=1):
        """All of the above: `count` products of matrices that lie one behind the other."""
        shapes = ((k, m) if ta else (m, k)), ((n, k) if tb else (k, n)), (m, n)
        if wide(handle) != HANDLE:
            return NOT_INITIALIZED
        if not {ta, tb} <= {0, 1, 2} or min(m, n, k, count) < 0 or \
                any(x.leading < max(1, rows) for x, (rows, _) in zip((a, b, c), shapes)):
            return INVALID_VALUE
        if not a.type == b.type == c.type in TYPES or compute not in TYPES[a.type][1]:
            return NOT_SUPPORTED
        dtype = TYPES[a.type][0]
        alpha, beta = number(alpha, dtype), number(beta, dtype)     # frozen under capture, as Python numbers are
        found = [in_memory(x, (count, *shape), dtype) for x, shape in zip((a, b, c), shapes)]
        (first, second, into), blocks = zip(*found)
        first, second = (x.transpose(0, 2, 1) if turned else x for x, turned in ((first, ta), (second, tb)))
        rounded = tf32 if compute == COMPUTE_TF32 else np.asarray

        def call():
            found = alpha * np.matmul(rounded(first), rounded(second))
            into[...] = found if beta == 0 else found + beta * into     # with beta = 0, C is not read, not even its NaN
        machine = running()
        if machine.capture:
            assert self.stream == machine.stream.ptr, "cuBLAS is on another stream than the one that captures"
            assert self.workspace, "under capture, cuBLAS needs a workspace that is set after its stream"
            machine.capture.record(call, [block for block in (*blocks, machine.block_at(*self.workspace)) if block])
        elif into.size:
            call()
        return SUCCESS


def status_of(handle):
    return SUCCESS if wide(handle) == HANDLE else NOT_INITIALIZED


def wide(value):
    """A pointer or a number of 64 bits, which ctypes has to be told to pass as such."""
    if not isinstance(value, (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_longlong)):
        raise TypeError(f"{value!r} would be passed as 32 bits: use c_void_p, c_size_t or c_longlong")
    return value.value or 0


def number(value, dtype):
    """What alpha or beta point to on the host: byref(c_float(1)), or a pointer."""
    kind = ctypes.c_float if dtype == np.float32 else ctypes.c_double
    if isinstance(value, ctypes.c_void_p):
        return kind.from_address(value.value).value
    if not isinstance(getattr(value, "_obj", None), kind):
        raise TypeError(f"alpha and beta must point to a {kind.__name__}, not be {value!r}")
    return value._obj.value


def in_memory(matrix, shape, dtype):
    """Column-major matrices in memory as one array, and the block that they are in."""
    count, rows, columns = shape
    step = wide(matrix.step)
    size = ((count - 1) * step + (columns - 1) * matrix.leading + rows) * dtype.itemsize if 0 not in shape else 0
    address = wide(matrix.pointer)
    block = running().block_at(address, size) if size else None
    assert block or not size, "cuBLAS would reach beyond the memory of an array"
    there = (ctypes.c_char * size).from_address(address) if size else bytearray()
    return np.ndarray(shape, dtype, there, strides=tuple(n * dtype.itemsize for n in (step, 1, matrix.leading))), block


def tf32(x):
    """Numbers rounded to the 11 significant bits that TF32 keeps."""
    bits = np.ascontiguousarray(x, np.float32).view(np.uint32)
    return np.where(np.isfinite(x), ((bits + np.uint32(0x1000)) & np.uint32(0xFFFFE000)).view(np.float32), x)
