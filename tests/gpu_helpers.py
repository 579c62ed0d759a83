"""A GPU for tests on machines that have none: the emulated CuPy, with or without the library's own kernels."""

import sys

import emulated_cupy
import pytest
from device_guard import GuardArray, uploads, waits

import tinygrad_nuc as tn
from tinygrad_nuc.devices import gpu
from tinygrad_nuc.devices.kernels import matmul
from tinygrad_nuc.engine import accelerator


def start(monkeypatch, devices=1, kernels=True):
    """An emulated GPU, or several, until the test is over."""
    for module, name in ((accelerator, "version_of"), (accelerator, "take_step"), (gpu, "_usable")):
        monkeypatch.setattr(module, name, None)
    emulated_cupy.install(monkeypatch, devices)
    monkeypatch.setattr(matmul, "_library", emulated_cupy.Cublas())
    monkeypatch.setattr(matmul, "_workspaces", {})
    if not kernels:
        monkeypatch.setattr("tinygrad_nuc.devices.kernels.install", lambda: None)
    before = tn.get_default_device()
    yield sys.modules["cupy"]
    tn.set_default_device(before)


@pytest.fixture
def one_gpu(monkeypatch):
    yield from start(monkeypatch)


@pytest.fixture
def plain_gpu(monkeypatch):
    """Without the library's own kernels."""
    yield from start(monkeypatch, kernels=False)


@pytest.fixture
def two_gpus(monkeypatch):
    yield from start(monkeypatch, devices=2)


@pytest.fixture(params=["kernels", "rules"])
def any_gpu(monkeypatch, request):
    """First with the library's own kernels, then with the rules alone."""
    yield from start(monkeypatch, kernels=request.param == "kernels")


@pytest.fixture
def no_gpu(monkeypatch):
    """No CuPy, whatever is installed."""
    monkeypatch.setitem(sys.modules, "cupy", None)
    monkeypatch.setattr(gpu, "_usable", None)
    monkeypatch.setattr(gpu, "cupy_packages", list)


def is_there(x):
    """Whether a tensor or array is on the device."""
    return isinstance(x.data if isinstance(x, tn.Tensor) else x, GuardArray)


def quiet():
    """Forget all waits and uploads so far."""
    waits.clear()
    uploads.clear()
