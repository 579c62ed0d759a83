"""The emulated cuBLAS, called as through ctypes, against NumPy's products."""

import ctypes
import sys

import emulated_cupy
import numpy as np
import pytest
from emulated_cupy import Cublas
from test_emulated_graphs import captured

F = np.float32


@pytest.fixture
def cp(monkeypatch):
    """The emulated cupy."""
    emulated_cupy.install(monkeypatch)
    return sys.modules["cupy"]


class Gemm:
    """Row-major a b by column-major cuBLAS: (a b)ᵀ = bᵀ aᵀ."""

    def __init__(self, cp):
        self.cp, self.blas, self.handle = cp, Cublas(), ctypes.c_void_p(cp.cuda.device.get_cublas_handle())
        self.workspace = cp.empty(1024, np.uint8)

    def prepare(self):
        stream = self.cp.cuda.get_current_stream().ptr
        assert self.blas.cublasSetStream_v2(self.handle, ctypes.c_void_p(stream)) == 0
        assert self.blas.cublasSetWorkspace_v2(self.handle, pointer(self.workspace), ctypes.c_size_t(1024)) == 0

    def __call__(self, a, b, out, ta=0, tb=0, alpha=1, beta=0):
        kind = ctypes.c_float if a.dtype == F else ctypes.c_double
        gemm = self.blas.cublasSgemm_v2 if a.dtype == F else self.blas.cublasDgemm_v2
        (m, n), k = out.shape, a.shape[0] if ta else a.shape[1]
        return gemm(self.handle, tb, ta, n, m, k, ctypes.byref(kind(alpha)), pointer(b), b.shape[1], pointer(a),
                    a.shape[1], ctypes.byref(kind(beta)), pointer(out), n)


def pointer(x):
    return ctypes.c_void_p(x.data.ptr)


@pytest.fixture
def gemm(cp):
    return Gemm(cp)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("ta", [0, 1])
@pytest.mark.parametrize("tb", [0, 1])
def test_products(cp, gemm, dtype, ta, tb):
    a, b = np.arange(6, dtype=dtype).reshape(2, 3), np.arange(12, dtype=dtype).reshape(3, 4) - 5
    out = cp.full((2, 4), np.nan, dtype)
    there = cp.asarray(a.T.copy() if ta else a), cp.asarray(b.T.copy() if tb else b)
    assert gemm(*there, out, ta, tb) == 0       # with beta = 0, what C holds does not matter
    np.testing.assert_array_equal(out.get(), a @ b)
    assert gemm(*there, out, ta, tb, 2, 0.5) == 0
    np.testing.assert_array_equal(out.get(), 2.5 * (a @ b))


def test_products_of_stacks_and_of_chosen_precision(cp, gemm):
    a, b = np.random.default_rng(0).standard_normal((2, 5, 3, 4)).astype(F)
    b = b.transpose(0, 2, 1).copy()
    x, y, out, one = cp.asarray(a), cp.asarray(b), cp.empty((5, 3, 3), F), ctypes.c_float(1)
    sizes = (gemm.handle, 0, 0, 3, 3, 4, ctypes.byref(one))
    steps = [ctypes.c_longlong(n) for n in (12, 12, 9)]
    zero = ctypes.byref(ctypes.c_float(0))
    assert gemm.blas.cublasSgemmStridedBatched(*sizes, pointer(y), 3, steps[0], pointer(x), 4, steps[1], zero,
                                               pointer(out), 3, steps[2], 5) == 0
    np.testing.assert_allclose(out.get(), a @ b, rtol=1e-5, atol=1e-6)
    exact = out.get()
    assert gemm.blas.cublasGemmStridedBatchedEx(*sizes, pointer(y), 0, 3, steps[0], pointer(x), 0, 4, steps[1], zero,
                                                pointer(out), 0, 3, steps[2], 5, 77, -1) == 0           # TF32
    assert 1e-5 < np.abs(out.get() - exact).max() < 1e-2
    assert gemm.blas.cublasGemmEx(*sizes, pointer(y), 0, 3, pointer(x), 0, 4, zero, pointer(out), 0, 3, 68, -1) == 0
    np.testing.assert_allclose(out.get()[0], exact[0], rtol=1e-6)


def test_products_are_recorded(cp, gemm):
    a, b = cp.asarray(np.eye(2, dtype=F)), cp.asarray(np.array([[1, 2], [3, 4]], F))
    with captured(cp) as made:
        gemm.prepare()
        y = cp.empty((2, 2), F)
        assert gemm(a, b, y) == 0
        z = y + 1
    assert np.isnan(y.get()).all()
    for factor in (1, 3):
        a.set(factor * np.eye(2, dtype=F))
        made.graph.launch()
        assert y.get().tolist() == [[factor, 2 * factor], [3 * factor, 4 * factor]] and float(z[1, 1]) == 4 * factor + 1


def test_products_that_would_go_wrong(cp, gemm):
    a, y = cp.zeros((2, 2), F), cp.empty((2, 2), F)
    one = ctypes.byref(ctypes.c_float(1))
    with captured(cp), pytest.raises(AssertionError, match="another stream"):
        gemm(a, a, y)
    with captured(cp) as made, pytest.raises(AssertionError, match="needs a workspace"):
        gemm.blas.cublasSetStream_v2(gemm.handle, ctypes.c_void_p(made.stream.ptr))
        gemm(a, a, y)
    with pytest.raises(AssertionError, match="beyond the memory of an array"):
        gemm.blas.cublasSgemm_v2(gemm.handle, 0, 0, 2, 2, 2, one, pointer(a), 3, pointer(a), 2, one, pointer(y), 2)
    with pytest.raises(TypeError, match="would be passed as 32 bits"):
        gemm.blas.cublasSgemm_v2(gemm.handle, 0, 0, 2, 2, 2, one, a.data.ptr, 2, pointer(a), 2, one, pointer(y), 2)
    with pytest.raises(TypeError, match="must point to a c_double"):
        gemm.blas.cublasDgemm_v2(gemm.handle, 0, 0, 1, 1, 1, one, pointer(a), 1, pointer(a), 1, one, pointer(y), 1)
    a, y = pointer(a), pointer(y)
    assert gemm.blas.cublasSgemm_v2(gemm.handle, 0, 0, 2, 2, 2, one, a, 1, a, 2, one, y, 2) == 7
    assert gemm.blas.cublasGemmEx(gemm.handle, 0, 0, 2, 2, 2, one, a, 0, 2, a, 0, 2, one, y, 0, 2, 70, -1) == 15
    assert gemm.blas.cublasSetMathMode(ctypes.c_void_p(1), 3) == 1
