"""What the tests in this folder run on: a GPU where there is one, and otherwise the emulated CuPy."""

import emulated_cupy
import gpu_helpers
import pytest

import tinygrad_nuc as tn

ON_A_GPU = tn.cuda.is_available()


@pytest.fixture
def gpu(monkeypatch):
    """CuPy with a GPU behind it, real or emulated, and the library's kernels in use."""
    if ON_A_GPU:
        import cupy
        tn.zeros(1).to("cuda")
        yield cupy
        return
    if not emulated_cupy.has_compiler:
        pytest.skip("no GPU, and no g++ to emulate one")
    for _ in gpu_helpers.start(monkeypatch):
        import cupy
        tn.zeros(1).to("cuda")
        yield cupy
