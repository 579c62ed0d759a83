"""The product of two matrices, by cuBLAS: through CuPy, or directly where CuPy does not.

CuPy refuses every call of cuBLAS while a stream records (`tinygrad_nuc.cuda.capture`), since it cannot know whether the
workspace would outlive the record. Here it does. And in direct calls the precision of float32 can be chosen.
"""

import ctypes
import sys
from typing import Any

import numpy as np

from ...engine import accelerator
from ...operations.matrix import MatMul
from ..gpu import import_cupy
from .registry import computes

# From cuBLAS's library_types.h and cublas_api.h
REAL = {"f": 0, "d": 1}                                 # CUDA_R_32F, CUDA_R_64F
COMPUTE = {"f": 68, "d": 70}                            # CUBLAS_COMPUTE_32F, CUBLAS_COMPUTE_64F
COMPUTE_TF32 = 77                                       # CUBLAS_COMPUTE_32F_FAST_TF32
DEFAULT_ALGORITHM = -1
AS_IT_IS, TRANSPOSED = 0, 1
NUMBER = {"f": ctypes.c_float, "d": ctypes.c_double}
WORKSPACE = 32 * 2 ** 20                                # bytes, as NVIDIA recommends from the H100 on

PRECISIONS = ("highest", "high")
_precision = "highest"


def set_float32_matmul_precision(precision: str) -> None:
    """How exactly a GPU multiplies float32 matrices: "highest", as float32, or "high", as TF32 on its tensor cores.

    TF32 rounds the factors to 11 significant bits (about 3 digits) before it multiplies, and adds in float32: several
    times faster on GPUs from the A100 on, and mostly good enough for training. Without a GPU it changes nothing.

    Raises
    ------
    ValueError
        If `precision` is neither.

    Source: NVIDIA, "NVIDIA A100 tensor core GPU architecture", 2020.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.set_float32_matmul_precision("high")
    >>> tn.get_float32_matmul_precision()
    'high'
    >>> tn.set_float32_matmul_precision("highest")
    """
    global _precision
    if precision not in PRECISIONS:
        raise ValueError(f"set_float32_matmul_precision: 'highest' or 'high', not {precision!r}")
    _precision = precision


def get_float32_matmul_precision() -> str:
    """"highest" or "high"; see `set_float32_matmul_precision`.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.get_float32_matmul_precision()
    'highest'
    """
    return _precision


def product(a: Any, b: Any) -> Any:
    """a b, for matrices or stacks of them, in the way that the moment asks for."""
    wants_tf32 = _precision == "high" and a.dtype == b.dtype == np.float32
    directly = wants_tf32 or accelerator.recording or accelerator.rehearsing
    if not directly or a.dtype != b.dtype or a.dtype.char not in NUMBER:
        return np.matmul(a, b)
    if a.ndim == b.ndim == 2:
        return multiplied(a, b)
    if b.ndim == 2:                                     # a stack times one matrix is a product of two matrices
        return multiplied(a.reshape(-1, a.shape[-1]), b).reshape(*a.shape[:-1], b.shape[-1])
    return multiplied(*stacks(a, b))


def stacks(a: Any, b: Any) -> tuple[Any, Any]:
    """Both with equal leading dimensions, as many products of matrices that lie one behind the other."""
    leading = np.broadcast_shapes(a.shape[:-2], b.shape[:-2])
    return tuple(x if x.shape[:-2] == leading else np.copy(np.broadcast_to(x, (*leading, *x.shape[-2:])))
                 for x in (a, b))                                                           # type: ignore[return-value]


def multiplied(a: Any, b: Any) -> Any:
    """a b by cuBLAS itself: of two matrices, or of equally many in two stacks, one after the other.

    cuBLAS counts along columns: what is a row-major matrix here is its transpose there. So it is asked for
    (a b)ᵀ = bᵀ aᵀ, and what it then writes is a b, row by row.
    """
    cupy = import_cupy()
    (*leading, m, k), n = a.shape, b.shape[-1]
    if b.shape != (*leading, k, n):
        raise ValueError(f"matrices of shapes {a.shape} and {b.shape} have no product")
    y = cupy.empty((*leading, m, n), a.dtype)
    if k == 0:
        y[...] = 0
    if y.size == 0 or k == 0:
        return y
    (a, a_way, a_rows), (b, b_way, b_rows) = laid_out(a), laid_out(b)
    tf32 = a.dtype == np.float32 and _precision == "high"
    kind, compute = REAL[a.dtype.char], COMPUTE_TF32 if tf32 else COMPUTE[a.dtype.char]
    one, zero = NUMBER[a.dtype.char](1), NUMBER[a.dtype.char](0)
    factors = (pointer(b), kind, b_rows), (pointer(a), kind, a_rows), (pointer(y), kind, n)
    (b_, _, ldb), (a_, _, lda), (y_, _, ldy) = factors
    blas, handle = cublas(cupy)
    sizes = (handle, b_way, a_way, n, m, k)
    if not leading:
        check(blas.cublasGemmEx(*sizes, ctypes.byref(one), b_, kind, ldb, a_, kind, lda, ctypes.byref(zero), y_, kind,
                                ldy, compute, DEFAULT_ALGORITHM))
    else:
        one_b, one_a, one_y = (ctypes.c_longlong(number) for number in (k * n, m * k, m * n))   # from one to the next
        check(blas.cublasGemmStridedBatchedEx(
            *sizes, ctypes.byref(one), b_, kind, ldb, one_b, a_, kind, lda, one_a, ctypes.byref(zero), y_, kind, ldy,
            one_y, int(np.prod(leading)), compute, DEFAULT_ALGORITHM))
    return y


def laid_out(x: Any) -> tuple[Any, int, int]:
    """A matrix in memory as cuBLAS takes it: how it is to be read, and how far it is from one row to the next.

    One that is transposed in memory is read as such, without a copy; anything else that is not in rows is copied.
    """
    rows, columns = x.shape[-2:]
    if x.flags.c_contiguous:
        return x, AS_IT_IS, columns
    if x.ndim == 2 and x.flags.f_contiguous:
        return x, TRANSPOSED, rows
    return np.copy(x, order="C"), AS_IT_IS, columns


def pointer(x: Any) -> ctypes.c_void_p:
    """Where an array begins."""
    return ctypes.c_void_p(x.data.ptr)


_library: Any = None
_workspaces: dict[int, Any] = {}


def cublas(cupy: Any) -> tuple[Any, ctypes.c_void_p]:
    """The library that CuPy has loaded, and CuPy's handle, set to the current stream and to a workspace of its own."""
    global _library
    handle = ctypes.c_void_p(cupy.cuda.device.get_cublas_handle())      # this loads it
    if _library is None:
        _library = ctypes.CDLL(library_name(cupy.cuda.runtime.runtimeGetVersion() // 1000))
    number = cupy.cuda.runtime.getDevice()
    if number not in _workspaces:
        if accelerator.recording:               # memory of the record would go with it; `capture` rehearses first
            raise RuntimeError("the workspace of cuBLAS must be there before a step is recorded")
        _workspaces[number] = cupy.empty(WORKSPACE, np.uint8)
    check(_library.cublasSetStream_v2(handle, ctypes.c_void_p(cupy.cuda.get_current_stream().ptr)))
    check(_library.cublasSetWorkspace_v2(handle, pointer(_workspaces[number]), ctypes.c_size_t(WORKSPACE)))
    return _library, handle


def library_name(major: int) -> str:
    """The file's name, for this version of CUDA and this system."""
    return f"cublas64_{major}.dll" if sys.platform == "win32" else f"libcublas.so.{major}"


def check(status: int) -> None:
    """An error unless cuBLAS says that all is well."""
    if status:
        raise RuntimeError(f"cuBLAS failed with status {status} (cublasStatus_t in its documentation)")


# ---------------------------------------------------------------------- as kernels

@computes(MatMul.forward)
def matmul(a: Any, b: Any) -> Any:
    return product(a, b)


@computes(MatMul.grad_a)
def matmul_grad_a(g: Any, y: Any, a: Any, b: Any) -> Any:
    return product(g, np.swapaxes(b, -1, -2))


@computes(MatMul.grad_b)
def matmul_grad_b(g: Any, y: Any, a: Any, b: Any) -> Any:
    return product(np.swapaxes(a, -1, -2), g)
