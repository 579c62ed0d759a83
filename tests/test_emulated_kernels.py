"""The emulated CuPy: kernels that really run, against numbers known beforehand."""

import sys

import emulated_cupy
import numpy as np
import pytest
from device_guard import GuardArray
from emulated_cupy import has_compiler

needs_compiler = pytest.mark.skipif(not has_compiler, reason="no g++")
F = np.float32


@pytest.fixture
def cp(monkeypatch):
    """The emulated cupy."""
    emulated_cupy.install(monkeypatch)
    return sys.modules["cupy"]


def equal(array, expected):
    assert isinstance(array, GuardArray)
    np.testing.assert_array_equal(array.get(), expected, strict=isinstance(expected, np.ndarray))


# ---------------------------------------------------------------------- kernels for each element

@needs_compiler
def test_elementwise_broadcasts_and_strides(cp):
    add = cp.ElementwiseKernel("T x, T y, float32 k", "T z", "z = x + k * y", "add")
    x, y = np.arange(6, dtype=F).reshape(2, 3), np.array([[10], [20]], F)
    equal(add(cp.asarray(x), cp.asarray(y), 2), x + 2 * y)
    equal(add(cp.asarray(x).T, cp.asarray(x.T.copy()), 0.5), x.T * F(1.5))
    equal(add(cp.asarray(x)[:, ::-2], cp.asarray(y), F(1)), x[:, ::-2] + y)
    out = cp.zeros((3, 2), F)
    assert add(cp.asarray(x), cp.asarray(y), 1, out.T) .data.ptr == out.data.ptr
    equal(out, (x + y).T)
    equal(add(cp.asarray(F(1)), cp.asarray(F(2)), 3), np.array(7, F))
    equal(add(cp.zeros((0, 3), F), cp.ones(3, F), 3), np.zeros((0, 3), F))


@needs_compiler
def test_elementwise_raw_arrays_and_several_results(cp):
    turn = cp.ElementwiseKernel("raw T x, int64 n", "T y, int32 where",
                                "y = twice(x[n - 1 - i]); where = x.shape()[0] + _ind.size()", "turn",
                                preamble="template <class A> __device__ A twice(A a) { return 2 * a; }")
    x = cp.asarray(np.arange(8.0).reshape(4, 2)).T              # raw arrays are read in C order
    y, where = turn(x, 8, size=8)
    equal(y, 2 * x.get().ravel()[::-1])
    equal(where, np.full(8, 2 + 8, np.int32))
    count = cp.ElementwiseKernel("int64 k", "raw int32 hits", "if (k == 2) return; atomicAdd(&hits[k], 1)", "count")
    hits = cp.zeros(3, np.int32)
    assert count(cp.asarray([0, 1, 1, 2, 1]), hits) is hits
    equal(hits, np.array([1, 3, 0], np.int32))


@needs_compiler
@pytest.mark.parametrize("text, expected", [
    ("max(x, (T)2)", [2, 2, 3]), ("max(x, NAN)", [1, 2, 3]), ("min(i, 1)", [0, 1, 1]),
    ("rsqrt(x * x)", [1, 1 / 2, 1 / 3]), ("isnan(x) + isinf(x) + isfinite(x)", [1, 1, 1]),
    ("copysign(x, (T)-0.0)", [-1, -2, -3]), ("signbit(-x)", [1, 1, 1]),
    ("__int_as_float(__float_as_int((float)x) ^ 0x80000000)", [-1, -2, -3]),
    ("__umulhi(0x80000000u, 2 * i)", [0, 1, 2]), ("fma(x, x, x)", [2, 6, 12]),
    ("sinpi(x / 2)", [1, 0, -1]), ("cospi(x)", [-1, 1, -1]), ("pow(x, 2)", [1, 4, 9]),
    ("i / 2 + (long long)i % 2", [0, 1, 1]), ("erf(x) + erfc(x)", [1, 1, 1])])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_device_functions(cp, text, expected, dtype):
    found = cp.ElementwiseKernel("T x", "T y", f"y = {text}", "f")(cp.asarray([1, 2, 3], dtype))
    np.testing.assert_allclose(found.get(), np.array(expected, dtype), rtol=2e-7, atol=1e-15)


@needs_compiler
def test_elementwise_refuses_what_cupy_refuses(cp):
    f = cp.ElementwiseKernel("T x, T y", "T z", "z = x + y", "f")
    x = cp.zeros((2, 3), F)
    for args, options, error, text in (
            ((x,), {}, TypeError, "Wrong number of arguments for 'f'. It must be either 2 or 3"),
            ((x, np.zeros(3, F)), {}, TypeError, "Unsupported type <class 'numpy.ndarray'>"),
            ((x, cp.zeros(3)), {}, TypeError, "Type is mismatched. y float64 float32"),
            ((1.0, 2.0), {}, TypeError, "no array says what the type T"),
            ((x, x), {"size": 6}, ValueError, "Specified 'size'"),
            ((x, cp.zeros(2, F)), {}, ValueError, "shape mismatch"),
            ((x, x, x[0]), {}, ValueError, "Out shape is mismatched"),
            ((x, x, np.zeros((2, 3), F)), {}, TypeError, "Output arguments type")):
        with pytest.raises(error, match=text.replace("(", r"\(")):
            f(*args, **options)
    raw = cp.ElementwiseKernel("raw T x", "T y", "y = x[i]", "raw")
    with pytest.raises(ValueError, match="Loop size is undefined"):
        raw(x)
    with pytest.raises(ValueError, match="Output array size is Undefined"):
        cp.ElementwiseKernel("T x", "raw T y", "y[i] = x", "into")(x)
    with pytest.raises(NotImplementedError, match="no kernels for float16"):
        f(x.astype(np.float16), 1)
    with pytest.raises(cp.cuda.compiler.CompileException, match="nowhere"):
        cp.ElementwiseKernel("T x", "T y", "y = nowhere", "wrong")(x)
    with pytest.raises(cp.cuda.compiler.CompileException, match="read-only"):
        cp.ElementwiseKernel("T x", "T y", "x = y", "wrong")(x)
    for parts, error, text in ((("T i", "T y", "y = i"), ValueError, "Can not use 'i' as a parameter name"),
                               (("foo x", "T y", "y = x"), TypeError, "data type 'foo' not understood"),
                               (("T x", "T y", "y = x", "a b"), ValueError, 'Invalid kernel name: "a b"')):
        with pytest.raises(error, match=text):
            cp.ElementwiseKernel(*parts)


# ---------------------------------------------------------------------- kernels as CUDA writes them

TOTAL = r"""
struct Line { float slope; long long shift; };                      // a x + b
extern "C" __global__ void total(const float* __restrict__ x, float* out, const Line line, int n) {
    extern __shared__ float sums[];
    const int t = threadIdx.x;
    float sum = 0;
    for (int i = blockIdx.x * blockDim.x + t; i < n; i += gridDim.x * blockDim.x) sum += line.slope * x[i] + line.shift;
    sums[t] = sum;
    __syncthreads();
    for (int half = blockDim.x / 2; half >= 32; half /= 2) {
        if (t < half) sums[t] += sums[t + half];
        __syncthreads();
    }
    if (t >= 32) return;
    sum = sums[t];
    #pragma unroll
    for (int by = 16; by > 0; by /= 2) sum += __shfl_down_sync(0xffffffff, sum, by);
    if (t == 0) atomicAdd(out, sum);
}"""
LINE = np.dtype([("slope", np.float32), ("shift", np.int64)], align=True)


@needs_compiler
@pytest.mark.parametrize("threads", [32, 128])
@pytest.mark.parametrize("line", [np.array((2, 5), LINE)[()], np.array([(2, 5)], LINE)])
def test_threads_of_a_block_meet(cp, threads, line):
    x, out = cp.asarray(np.arange(1000, dtype=F)), cp.zeros(1, F)
    cp.RawKernel(TOTAL, "total")((3,), (threads,), (x, out, line, np.int32(1000)), shared_mem=4 * threads)
    equal(out, np.array([2 * 999 * 500 + 5000], F))


@needs_compiler
def test_lanes_exchange(cp):
    code = r"""extern "C" __global__ void lanes(double* x, int* votes) {
        const int t = threadIdx.x + blockDim.x * threadIdx.y;
        double v = t;
        x[t] = __shfl_xor_sync(~0u, v, 1) + 100 * __shfl_up_sync(~0u, v, 2) + 10000 * __shfl_sync(~0u, v, 3);
        votes[t] = __ballot_sync(~0u, t % 8 == 0);
    }"""
    x, votes = cp.empty(64), cp.empty(64, np.int32)
    cp.RawKernel(code, "lanes")((1,), (8, 8), (x, votes))
    t = np.arange(64)
    equal(x, (t ^ 1) + 100.0 * np.where(t % 32 < 2, t, t - 2) + 10000 * (t // 32 * 32 + 3))
    equal(votes, np.full(64, 0x01010101, np.int32))


@needs_compiler
def test_threads_without_meeting_in_three_directions(cp):
    code = r"""__device__ __forceinline__ long long at(int x, int y, int z) { return x + 10 * y + 100 * z; }
    extern "C" __global__ void where(long long* out, double scale, long long shift, bool on) {
        __shared__ int once[1];
        int k = threadIdx.x + blockDim.x * (blockIdx.x + gridDim.x * (blockIdx.y + gridDim.y * blockIdx.z));
        out[k] = on ? shift + (long long)(scale * at(blockIdx.x, blockIdx.y, blockIdx.z)) : 0;
    }"""
    out = cp.empty((2, 3, 4, 5), np.int64)
    cp.RawKernel(code, "where")((4, 3, 2), (5,), (out, 2.0, 7, True))
    z, y, x = np.indices((2, 3, 4))
    equal(out, np.repeat((7 + 2 * (x + 10 * y + 100 * z))[..., None], 5, axis=3))


@needs_compiler
def test_raw_kernels_refuse_other_arguments(cp):
    kernel = cp.RawKernel(TOTAL, "total")
    x, line, n = cp.zeros(4, F), np.zeros((), LINE)[()], np.int32(4)
    for args, text in (((x, x, line), "takes 4 arguments .* not 3"),
                       ((x, x, line, 4), "argument 4 is int64, .* expects int"),
                       ((cp.zeros(4), x, line, n), "argument 1 is an array of float64"),
                       ((x, x, n, n), "argument 3 is int32"),
                       ((x, x, line, x), "argument 4 is an array"), ((np.zeros(4, F), x, line, n), "Unsupported type"),
                       ((x, x, line, F(4)), "argument 4 is float32"), ((n, x, line, n), "argument 1 is int32")):
        with pytest.raises(TypeError, match=text):
            kernel((1,), (32,), args, shared_mem=128)
    for grid, block, shared in (((0,), (32,), 0), ((1,), (2048,), 0), ((1,), (32,), 1 << 20), ((1, 70000), (32,), 0)):
        with pytest.raises(RuntimeError, match="CUDA_ERROR_INVALID_VALUE"):
            kernel(grid, block, (x, x, line, n), shared_mem=shared)
    stuck = cp.RawKernel('extern "C" __global__ void f() { if (threadIdx.x == 0) __syncthreads(); else __syncwarp(~1u);'
                         "if (threadIdx.x > 0) __shfl_sync(~0u, 1, 0); }", "f")
    with pytest.raises(RuntimeError, match="wait for each other for ever"):
        stuck((1,), (32,), ())


def test_without_a_compiler_kernels_say_so(cp, monkeypatch):
    monkeypatch.setattr(emulated_cupy.compiling, "has_compiler", False)
    with pytest.raises(RuntimeError, match=r"runs kernels with g\+\+, which is not installed"):
        cp.ElementwiseKernel("T x", "T y", "y = x + 12345", "unseen")(cp.zeros(1))


@needs_compiler
def test_shared_memory_starts_with_nothing_sensible_in_every_block(cp):
    code = r"""extern "C" __global__ void leftover(float* seen) {
        __shared__ float here[2];
        extern __shared__ float there[];
        seen[2 * blockIdx.x] = here[1];
        seen[2 * blockIdx.x + 1] = there[1];
        here[1] = there[1] = 3;
    }"""
    seen = cp.zeros((2, 2), F)
    cp.RawKernel(code, "leftover")((2,), (1,), (seen,), shared_mem=8)
    assert np.isnan(seen.get()).all()


@needs_compiler
@pytest.mark.parametrize("neighbour", [1, -1])
@pytest.mark.parametrize("forgotten", [False, True])
def test_a_forgotten_meeting_shows(cp, neighbour, forgotten):
    code = r"""extern "C" __global__ void shift(int* out) {
        __shared__ int x[64];
        const int t = threadIdx.x;
        x[t] = t;
        %s
        out[64 * blockIdx.x + t] = x[(t + 64 + %d) %% 64];
        __syncthreads();
    }""" % ("" if forgotten else "__syncthreads();", neighbour)
    out = cp.empty((2, 64), np.int32)
    cp.RawKernel(code, "shift")((2,), (64,), (out,))
    assert (out.get() == np.roll(np.arange(64), -neighbour)).all() != forgotten
