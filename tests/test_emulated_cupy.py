"""The emulated CuPy: its arrays, memory and devices, against numbers known beforehand."""

import copy
import importlib
import pickle
import sys

import emulated_cupy
import numpy as np
import pytest
from device_guard import GuardArray, uploads, waits
from emulated_cupy import emulated_cuda, has_compiler, two_emulated_gpus  # noqa: F401    two are fixtures

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


def equal(array, expected):
    assert isinstance(array, GuardArray)
    np.testing.assert_array_equal(array.get(), expected, strict=isinstance(expected, np.ndarray))


# ---------------------------------------------------------------------- arrays

@pytest.mark.parametrize("fixture, devices", [("emulated_cuda", 1), ("two_emulated_gpus", 2)])
def test_fixtures(fixture, devices, request):
    assert request.getfixturevalue(fixture) is importlib.import_module("cupy")
    assert importlib.import_module("cupy.cuda").runtime.getDeviceCount() == devices


def test_modules_come_and_go():
    uninstall = emulated_cupy.install()
    import cupy
    import cupy.cuda
    import cupyx
    from cupy.cuda import memory
    assert cupy.ndarray is GuardArray and cupyx.empty_pinned((2,), F).shape == (2,) and memory is cupy.cuda.memory
    kernel = cupy.ElementwiseKernel("T x", "T y", "y = x")
    x = cupy.asarray([1.0])
    uninstall()
    assert sys.modules.get("cupy") is not cupy
    with pytest.raises(RuntimeError, match="the emulated CuPy is not installed"):
        kernel(x)


def test_what_crosses_between_host_and_device_is_logged(cp):
    host = np.arange(6, dtype=F).reshape(2, 3)
    x = cp.asarray(host)
    assert uploads == ["asarray"] and waits == []
    host[0, 0] = 7                                              # the device has a copy
    assert x.get()[0, 0] == 0 and waits == ["get"]
    x.set(host)
    assert x[0, 0].item() == 7 == float(x[0, 0]) and uploads == ["asarray", "set"] and waits == ["get", "item", "float"]
    x[[0, 1], np.array([1, 2])] = 0
    assert uploads == ["asarray", "set", "index", "index"]
    assert cp.asarray(x) is x and cp.asarray(x, np.float64).dtype == np.float64
    assert (x.nbytes, x.itemsize, x.strides) == (24, 4, (12, 4))
    assert x.flags.c_contiguous and x.T.flags.f_contiguous and not x.T.flags.c_contiguous
    assert x[1].data.ptr - x.data.ptr == 12 and x.device.id == 0 and x.device == cp.cuda.Device(0)
    assert x.view(np.int32).dtype == np.int32 and x.astype(F, copy=False).data.ptr == x.data.ptr


def test_refused_as_by_cupy(cp):
    x = cp.zeros((2, 3), F)
    for refused in (lambda: x + np.ones(3), lambda: np.asarray(x), lambda: cp.matmul(x, np.ones(3)),
                    lambda: x.sum(where=x > 0), lambda: x.set([1.0]), lambda: x.set(np.zeros((2, 3))),
                    lambda: cp.matmul(np.ones(3), np.ones(3))):
        with pytest.raises(TypeError):
            refused()
    with pytest.raises(ValueError, match=r"Old shape: \(2, 3\), new shape: \(3,\)"):
        x.set(np.zeros(3, F))
    for name in ("resize", "setflags", "__index__"):
        assert not hasattr(x, name)


def test_numbers_out_of_an_array_are_views(cp):
    x = cp.zeros(3)
    one = x[1]
    one += 5
    equal(x, np.array([0.0, 5, 0]))
    chosen = x[cp.asarray(1)]
    chosen += 5
    equal(x, np.array([0.0, 5, 0]))


def test_memory_starts_with_nothing_sensible(cp):
    assert np.isnan(cp.empty(2).get()).all() and (cp.empty(2, int).get() > 2**40).all()
    assert np.isnan(np.empty_like(cp.zeros(2)).get()).all()
    for made, expected in ((cp.zeros(2, F), np.zeros(2, F)), (cp.ones((), F), np.ones((), F)),
                           (cp.arange(3), np.arange(3)), (cp.full(2, 7), np.array([7, 7])),
                           (cp.arange(1, 2, 0.5, F), np.array([1, 1.5], F))):
        equal(made, expected)


def test_copies_and_pickles(cp):
    x = cp.asarray([1.0])
    twin = copy.deepcopy(x)
    assert waits == []
    twin += 1
    assert float(x[0]) == 1 and float(twin[0]) == 2 and float(pickle.loads(pickle.dumps(x))[0]) == 1
    assert repr(x) == "array([1.])" and str(x) == "[1.]" and waits[-2:] == ["repr", "str"]


# ---------------------------------------------------------------------- memory

def test_pools_count_what_arrays_hold(cp):
    pool = cp.get_default_memory_pool()
    x = cp.zeros(1000, F)
    view = x[10:].reshape(-1, 2)
    y = x + 1
    assert pool.used_bytes() == pool.total_bytes() == 2 * 4096
    del x, y
    assert pool.used_bytes() == 4096 and pool.total_bytes() == 2 * 4096 and pool.n_free_blocks() == 1
    again = cp.empty(1001, F)                                   # fits into what is free
    assert pool.total_bytes() == 2 * 4096
    del view, again
    pool.free_all_blocks()
    assert pool.used_bytes() == pool.total_bytes() == 0


def test_another_pool_and_streams(cp):
    pool, stream, event = cp.cuda.MemoryPool(), cp.cuda.Stream(non_blocking=True), cp.cuda.Event()
    with stream, cp.cuda.using_allocator(pool.malloc):
        assert cp.cuda.get_current_stream() is stream
        x = cp.zeros(3) + 1
        stop = stream.record()
        assert cp.cuda.get_elapsed_time(stream.record(event), stop) <= 0
    stream.wait_event(stop)
    assert cp.cuda.get_current_stream() is cp.cuda.Stream.null and cp.cuda.Stream.null.ptr == 0
    assert pool.used_bytes() == 512 and cp.get_default_memory_pool().used_bytes() == 0
    stream.synchronize()
    cp.cuda.Device(0).synchronize()
    assert waits == ["Stream.synchronize", "Device.synchronize"] and x.shape == (3,)


def test_memory_may_run_out(cp):
    emulated_cupy.memory_limit = 4096
    x = cp.zeros(256)
    assert cp.cuda.runtime.memGetInfo() == cp.cuda.Device(0).mem_info == (2048, 4096)
    text = r"^Out of memory allocating 8,192 bytes \(allocated so far: 2,048 bytes\)\.$"
    for asks in (lambda: cp.empty(1024), lambda: x[:, None] * x[:4], lambda: cp.asarray(np.zeros(1024))):
        with pytest.raises(cp.cuda.memory.OutOfMemoryError, match=text):
            asks()
    assert issubclass(cp.cuda.memory.OutOfMemoryError, MemoryError)
    x = None
    equal(cp.zeros(512), np.zeros(512))                         # what is free elsewhere is given back first


# ---------------------------------------------------------------------- two devices

def test_arrays_remember_their_device(cp_of_two):
    cp = cp_of_two
    x = cp.ones(3)
    with cp.cuda.Device(1):
        y = cp.asarray([1.0, 2, 3])
        moved = cp.asarray(x)
        assert (moved + y).device.id == 1 and cp.cuda.runtime.getDevice() == 1
        assert cp.get_default_memory_pool().used_bytes() == 3 * 512 - 512
        for mixed in (lambda: x + y, lambda: y.__iadd__(x), lambda: cp.matmul(x, y), lambda: x * 2):
            with pytest.raises(ValueError, match="array device = 0 while current = 1"):
                mixed()
    assert (x.device.id, y.device.id, moved.device.id) == (0, 1, 1) and y.get().tolist() == [1, 2, 3]
    assert y[1:].reshape(1, 2).T.device.id == 1                 # views may be made from anywhere
    with pytest.raises(ValueError, match="Array device must be same as the current device: array device = 1 while cur"):
        np.exp(y)
    if has_compiler:
        with pytest.raises(ValueError, match="array device = 1 while current = 0"):
            cp.ElementwiseKernel("T x", "T y", "y = x", "f")(y)
    with pytest.raises(RuntimeError, match="invalid device ordinal"), cp.cuda.Device(2):
        pass
    assert cp.cuda.runtime.getDeviceCount() == 2 and cp.cuda.runtime.getDeviceProperties(1)["name"] == b"Emulated GPU 1"


# ---------------------------------------------------------------------- nothing that CuPy lacks

def test_whatever_is_offered_is_in_cupy():
    pytest.importorskip("cupy")
    for name, offered in emulated_cupy.modules().items():
        real = importlib.import_module(name)
        for key, value in vars(offered).items():
            if key.startswith("__") and key != "__version__":
                continue
            assert hasattr(real, key), f"{name}.{key}"
            for attribute in vars(value) if isinstance(value, type) else ():
                assert attribute.startswith("_") or hasattr(getattr(real, key), attribute), f"{name}.{key}.{attribute}"
