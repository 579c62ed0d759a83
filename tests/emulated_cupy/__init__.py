"""A CuPy for machines without a GPU: kernels, memory, streams and graphs that give CuPy's numbers and refusals.

    def test_something(emulated_cuda): ...          # after `from emulated_cupy import emulated_cuda`
    uninstall = emulated_cupy.install(devices=2)    # without pytest

Arrays are device_guard's GuardArray; `waits` and `uploads` log what crosses between host and device. Kernels are
compiled by g++ (`has_compiler`) and run on the host's memory. `memory_limit` is what a device has, in bytes. What is
not private (`_`) is in CuPy too; what the library does not use of CuPy is not here.
"""

import sys
from importlib.machinery import ModuleSpec
from types import ModuleType

import device_guard
import numpy as np
import pytest
from device_guard import GuardArray, uploads, waits

from . import creation, streams
from .compiling import CompileException, has_compiler
from .cublas import HANDLE, Cublas
from .elementwise import ElementwiseKernel
from .graphs import CUDARuntimeError, Graph
from .machine import Machine
from .memory import DeviceMemory, MemoryPool, OutOfMemoryError, PinnedMemoryPool, running
from .raw_kernel import RawKernel

memory_limit = None                             # bytes, or None: as many as there are
VERSION = "14.2.0"


def install(monkeypatch=None, devices=1):
    """Put the emulated cupy and cupyx in the place of any others; returns a function that takes them away again."""
    patch = pytest.MonkeyPatch() if monkeypatch is None else monkeypatch
    for name in [name for name in sys.modules if name.partition(".")[0] in ("cupy", "cupyx", "cupy_backends")]:
        patch.delitem(sys.modules, name)
    for name, module in modules().items():
        patch.setitem(sys.modules, name, module)
    patch.setattr(device_guard, "machine", Machine(streams.Stream.null, devices))
    patch.setattr(sys.modules[__name__], "memory_limit", None)
    waits.clear()
    uploads.clear()
    return patch.undo


@pytest.fixture
def emulated_cuda(monkeypatch):
    """The emulated cupy with one device, for one test."""
    install(monkeypatch)
    return sys.modules["cupy"]


@pytest.fixture
def two_emulated_gpus(monkeypatch):
    """The emulated cupy with two devices, for one test."""
    install(monkeypatch, devices=2)
    return sys.modules["cupy"]


def modules():
    """Every module that the emulator offers, by name."""
    runtime = module("cupy.cuda.runtime", CUDARuntimeError=CUDARuntimeError, getDeviceCount=lambda: running().devices,
                     getDeviceProperties=properties, runtimeGetVersion=lambda: 13000, driverGetVersion=lambda: 13000,
                     getDevice=lambda: running().current, memGetInfo=lambda: streams.Device().mem_info)
    memory = module("cupy.cuda.memory", OutOfMemoryError=OutOfMemoryError, MemoryPool=MemoryPool)
    compiler = module("cupy.cuda.compiler", CompileException=CompileException)
    device = module("cupy.cuda.device", Device=streams.Device, get_cublas_handle=lambda: HANDLE)
    graph = module("cupy.cuda.graph", Graph=Graph)
    stream = module("cupy.cuda.stream", Stream=streams.Stream, Event=streams.Event)
    cuda = module("cupy.cuda", runtime=runtime, memory=memory, compiler=compiler, device=device, graph=graph,
                  stream=stream, Device=streams.Device, Stream=streams.Stream, Event=streams.Event,
                  MemoryPool=MemoryPool, Memory=DeviceMemory,
                  MemoryPointer=lambda memory, offset: memory, get_elapsed_time=streams.get_elapsed_time, is_available=lambda: True,
                  get_current_stream=streams.get_current_stream,
                  using_allocator=lambda allocator=None: running().using_allocator(allocator))
    makers = "asarray asnumpy empty zeros ones full arange".split()
    cupy = module("cupy", __version__=VERSION, ndarray=GuardArray, cuda=cuda, ElementwiseKernel=ElementwiseKernel,
                  RawKernel=RawKernel, matmul=creation.on_device(np.matmul),
                  get_default_memory_pool=lambda: running().default_pool,
                  get_default_pinned_memory_pool=lambda: PinnedMemoryPool(),
                  **{name: getattr(creation, name) for name in makers})
    cupyx = module("cupyx", empty_pinned=creation.empty_pinned)
    return {m.__name__: m for m in (cupy, cupyx, cuda, runtime, memory, compiler, device, graph, stream)}


def module(name, **contents):
    made = ModuleType(name)
    made.__spec__ = ModuleSpec(name, None)
    if name == "cupy" or name == "cupy.cuda":
        made.__path__ = []                      # a package: `import cupy.cuda` and `from cupy.cuda import memory` work
    for key, value in contents.items():
        setattr(made, key, value)
    return made


def properties(number):
    if not 0 <= number < running().devices:
        raise CUDARuntimeError("cudaErrorInvalidDevice: invalid device ordinal")
    return {"name": f"Emulated GPU {number}".encode(), "totalGlobalMem": streams.Device(number).mem_info[1],
            "major": 9, "minor": 0, "multiProcessorCount": 132}
