"""The emulated CuPy: graphs that streams capture, against numbers known beforehand."""

import sys
from contextlib import contextmanager

import emulated_cupy
import numpy as np
import pytest
from device_guard import waits
from emulated_cupy import has_compiler

needs_compiler = pytest.mark.skipif(not has_compiler, reason="no g++")
F = np.float32


@pytest.fixture
def cp(monkeypatch):
    """The emulated cupy."""
    emulated_cupy.install(monkeypatch)
    return sys.modules["cupy"]


@pytest.fixture
def cp_of_two(monkeypatch):
    """The emulated cupy with two devices."""
    emulated_cupy.install(monkeypatch, devices=2)
    return sys.modules["cupy"]


class Captured:
    """What `captured` gives: the graph comes with the end of its block."""


@contextmanager
def captured(cp, pool=None):
    made = Captured()
    made.stream, made.pool = cp.cuda.Stream(non_blocking=True), pool or cp.cuda.MemoryPool()
    with made.stream, cp.cuda.using_allocator(made.pool.malloc):
        made.stream.begin_capture()
        try:
            yield made
        finally:
            made.graph = made.stream.end_capture()


# ---------------------------------------------------------------------- capture and replay

def test_a_replay_reads_what_arrays_hold_now_and_numbers_as_they_were(cp):
    x, rate = cp.asarray([1.0, 2.0]), 10
    with captured(cp) as made:
        y = rate * x + 1
        total = np.sum(y)
        choice = np.where(y > 15, y, -y)
    rate = 1000
    assert np.isnan(y.get()).all() and np.isnan(total.get())    # nothing was computed yet
    made.graph.launch(made.stream)
    assert y.get().tolist() == [11, 21] and float(total) == 32 and choice.get().tolist() == [-11, 21]
    x.set(np.array([3.0, 4.0]))
    assert y.get().tolist() == [11, 21]
    made.graph.launch()
    assert y.get().tolist() == [31, 41] and float(total) == 72 and choice.get().tolist() == [31, 41]


def test_capture_changes_nothing(cp):
    x = cp.asarray([3.0, 1.0, 2.0])
    with captured(cp) as made:
        x += 1
        x[0] = 0
        x[1:] *= x[0:1] + 2
        x.sort()
        np.copyto(x[:1], x[2:])
        np.add.at(x, cp.arange(3), 1)
        np.multiply(x, 2, out=x)
        x.sum(out=x[1])
    assert x.get().tolist() == [3, 1, 2] and waits == ["get"]
    made.graph.launch()
    assert x.get().tolist() == [14, 38, 14]     # 0 4 6; 6 4 6; 7 5 7; 14 10 14


@needs_compiler
def test_kernels_are_recorded(cp):
    tick = cp.ElementwiseKernel("", "float32 t", "t += 1", "tick")
    adam = cp.ElementwiseKernel(
        "T g, raw float32 t, float32 lr", "T p, T m, T v",
        "m += 0.1f * (g - m); v += 0.001f * (g * g - v);"
        "p -= lr * (m / (1 - powf(0.9f, t[0]))) / (sqrtf(v / (1 - powf(0.999f, t[0]))) + 1e-8f)", "adam")
    g, p, m, v, t = (cp.full(2, value, F) for value in (2, 1, 0, 0, 0))
    doubled = cp.RawKernel('extern "C" __global__ void doubled(const float* x, float* y) '
                           "{ y[threadIdx.x] = 2 * x[threadIdx.x]; }", "doubled")
    with captured(cp) as made:
        tick(t)
        adam(g, t, 0.5, p, m, v)
        y = cp.empty(2, F)
        doubled((1,), (2,), (p, y))
    assert p.get().tolist() == [1, 1] and t.get().tolist() == [0, 0] and np.isnan(y.get()).all()
    for step in (1, 2, 3):                      # a constant gradient: each step is as long as the rate
        made.graph.launch()
        assert t.get().tolist() == [step] * 2
        np.testing.assert_allclose(p.get(), 1 - 0.5 * step, rtol=0, atol=2e-4)
        np.testing.assert_array_equal(y.get(), 2 * p.get())


@needs_compiler
def test_addresses_in_structures_are_found(cp):
    pair = np.dtype([("x", np.uint64), ("y", np.uint64), ("n", np.int32)], align=True)
    copy = cp.RawKernel("struct Pair { const double* x; double* y; int n; };"
                        'extern "C" __global__ void copy(Pair p) '
                        "{ const int i = threadIdx.x; if (i < p.n) p.y[i] = p.x[i]; }", "copy")
    x, y = cp.asarray([1.0, 2.0]), cp.zeros(2)
    with captured(cp) as made:
        copy((1,), (32,), (np.array((x.data.ptr, y.data.ptr, 2), pair)[()],))
    made.graph.launch()
    assert y.get().tolist() == [1, 2]
    del x
    with pytest.raises(AssertionError, match="memory that was given back"):
        made.graph.launch()


def test_views_share_memory_and_chosen_numbers_do_not(cp):
    x, i = cp.asarray(np.arange(6.0).reshape(2, 3)), cp.asarray(1)
    with captured(cp) as made:
        first, row, turned, wide = x[0, 0], x[i], x.T.reshape(3, 2), np.broadcast_to(x[0], (4, 3))
        first += 100
        shapes = np.shape(x), x.ndim, np.result_type(x, 1.0)
    assert shapes == ((2, 3), 2, np.float64)
    made.graph.launch()
    assert x.get()[0, 0] == 100 == turned.get()[0, 0] == wide.get()[3, 0] and row.get().tolist() == [3, 4, 5]
    i.fill(0)
    made.graph.launch()
    assert row.get().tolist() == [100, 1, 2]    # which row it is, is looked up at each launch


def test_pinned_memory_is_read_at_the_launch(cp):
    import cupyx
    page, x = cupyx.empty_pinned(2, F), cp.zeros(2, F)
    with captured(cp) as made:
        x.set(page, stream=made.stream)
        y = x + 1
    page[...] = [1, 2]
    made.graph.launch()
    assert y.get().tolist() == [2, 3]


def test_only_the_capturing_stream_captures(cp):
    x = cp.ones(2)
    stream = cp.cuda.Stream(non_blocking=True)
    stream.begin_capture()
    y = x + 1                                   # on the null stream: at once
    with stream:
        z = x + 2
    assert stream.is_capturing() and not cp.cuda.Stream.null.is_capturing() and y.get().tolist() == [2, 2]
    with pytest.raises(RuntimeError, match="capturing"):
        cp.cuda.Device().synchronize()
    with pytest.raises(RuntimeError, match="StreamCaptureInvalidated"):
        stream.end_capture()
    with pytest.raises(RuntimeError):
        stream.end_capture()
    with pytest.raises(RuntimeError):
        cp.cuda.Stream.null.begin_capture()
    assert np.isnan(z.get()).all()


# ---------------------------------------------------------------------- what is refused

SYNCHRONISING = {
    "get": lambda cp, x: x.get(), "float": lambda cp, x: float(x[0]), "int": lambda cp, x: int(x[0]),
    "repr": lambda cp, x: repr(x), "bool": lambda cp, x: bool(x[0] > 0), "item": lambda cp, x: x[0].item(),
    "tolist": lambda cp, x: x.tolist(), "upload": lambda cp, x: cp.asarray([1.0]),
    "set": lambda cp, x: x.set(np.zeros(2)),
    "list": lambda cp, x: x[[0]], "mask": lambda cp, x: x[x > 0], "nonzero": lambda cp, x: np.nonzero(x),
    "where": lambda cp, x: np.where(x), "unique": lambda cp, x: np.unique(x), "method": lambda cp, x: x.nonzero(),
    "histogram": lambda cp, x: np.histogram(x, 2), "assign": lambda cp, x: x.__setitem__(x > 0, x),
    "allclose": lambda cp, x: bool(np.allclose(x, x)), "event": lambda cp, x: cp.cuda.Event().synchronize(),
    "device": lambda cp, x: cp.cuda.Device().synchronize(),
    "stream": lambda cp, x: cp.cuda.get_current_stream().synchronize()}


@pytest.mark.parametrize("name", SYNCHRONISING)
def test_waits_and_uploads_are_refused(cp, name):
    x = cp.ones(2)
    with pytest.raises(cp.cuda.runtime.CUDARuntimeError, match="cudaErrorStreamCaptureInvalidated"), captured(cp):
        with pytest.raises(RuntimeError, match="the current stream is capturing"):
            SYNCHRONISING[name](cp, x)
        x += 1
    assert x.get().tolist() == [1, 1]           # all is well again, and nothing was computed
    SYNCHRONISING[name](cp, x)
    with captured(cp) as made:
        x += 1
    made.graph.launch()
    assert x.get().tolist()[1] in (1, 2)        # set() has made them 0


@pytest.mark.parametrize("call", [np.matmul, np.dot, np.inner, np.outer, np.tensordot, np.linalg.solve,
                                  lambda a, b: a @ b, lambda a, b: a.dot(b), lambda a, b: np.einsum("ij,jk", a, b)])
def test_cublas_is_refused(cp, call):
    x = cp.asarray(np.eye(2))
    call(x, x)
    with pytest.raises(RuntimeError, match="cudaErrorStreamCaptureInvalidated"), captured(cp):
        with pytest.raises(NotImplementedError, match="API during stream capture is currently unsupported"):
            call(x, x)


JOINING = {
    "concatenate": lambda cp, parts: np.concatenate(parts), "stack": lambda cp, parts: np.stack(parts, 1),
    "hstack": lambda cp, parts: np.hstack(parts), "vstack": lambda cp, parts: np.vstack(parts),
    "array": lambda cp, parts: np.array(parts, like=parts[0]),
    "rows": lambda cp, parts: np.concatenate(np.copy(cp.ones((len(parts), 2))).reshape(len(parts), 1, 2))}


@pytest.mark.parametrize("name", JOINING)
def test_more_than_eight_small_arrays_are_not_joined(cp, name):
    parts = [cp.ones(2) for _ in range(9)]
    JOINING[name](cp, parts)
    with captured(cp):
        JOINING[name](cp, parts[:8])
    with pytest.raises(RuntimeError, match="cudaErrorStreamCaptureInvalidated"), captured(cp):
        with pytest.raises(RuntimeError, match="the current stream is capturing, so H2D transfers are disallowed"):
            JOINING[name](cp, parts)


def test_many_arrays_are_joined_one_by_one_if_they_differ_in_type_or_are_large(cp):
    large = [cp.zeros(2 << 18) for _ in range(9)]               # of 4 MB
    mixed = [cp.ones(2, F), *(cp.ones(2) for _ in range(8))]
    with captured(cp) as made:
        y, z = np.concatenate(large), np.concatenate(mixed)
    made.graph.launch()
    assert y.shape == (9 * (2 << 18),) and z.get().tolist() == [1.0] * 18


@pytest.mark.parametrize("numbers", [[1.0, 2.0], [[1, 2]]])
def test_numbers_are_uploads_unless_there_is_only_one(cp, numbers):
    x = cp.ones(2)
    assert (np.array(numbers, like=x) + x).shape == np.shape(numbers)
    with pytest.raises(RuntimeError, match="cudaErrorStreamCaptureInvalidated"), captured(cp):
        with pytest.raises(RuntimeError, match="the current stream is capturing, so H2D transfers are disallowed"):
            np.array(numbers, like=x)
    with captured(cp) as made:
        y = np.array(3.0, like=x) * np.array(x, like=x)
    made.graph.launch()
    assert y.get().tolist() == [3, 3]


def test_wrong_shapes_are_errors_at_the_capture(cp):
    x, y = cp.ones(2), cp.ones(3)
    with captured(cp):
        for wrong in (lambda: x + y, lambda: x.__iadd__(y), lambda: x.__setitem__(0, y), lambda: x.reshape(3)):
            with pytest.raises(ValueError):
                wrong()


def test_two_devices_under_capture(cp_of_two):
    cp = cp_of_two
    with cp.cuda.Device(1):
        y = cp.ones(2)
    with captured(cp), pytest.raises(ValueError, match="array device = 1 while current = 0"):
        y += 1


# ---------------------------------------------------------------------- memory that went away

def test_what_a_graph_reads_must_live(cp):
    x, y = cp.ones(2), cp.zeros(2)
    with captured(cp) as made:
        y += x[1:] * 2                          # the product is gone at the end, but its pool is the graph's own
    made.graph.launch()
    assert y.get().tolist() == [2, 2]
    kept = x[:1]
    del x
    made.graph.launch()
    del kept
    with pytest.raises(AssertionError, match="memory that was given back"):
        made.graph.launch()


def test_the_pool_of_a_graph_must_stay(cp):
    x = cp.ones(2)
    with captured(cp) as made:
        x += x * 2
    made.pool.free_all_blocks()
    with pytest.raises(AssertionError, match="its pool has given back"):
        made.graph.launch()


def test_nobody_else_may_get_the_memory_of_a_graph(cp):
    x = cp.ones(2)
    with captured(cp) as made:
        x += x * 2 + x
    with cp.cuda.using_allocator(made.pool.malloc):
        other = x + 1
    with pytest.raises(AssertionError, match="belongs to another array"):
        made.graph.launch()
    del other
    made.graph.launch()
    assert x.get().tolist() == [4, 4]
