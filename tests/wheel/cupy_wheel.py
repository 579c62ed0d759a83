"""CuPy itself: the tests in this folder need it, but no GPU; where it is not installed, they are skipped."""

import pytest

try:
    import cupy
except ImportError as error:
    pytest.skip(f"no CuPy here ({error}): pip install cupy-cuda13x nvidia-cuda-nvrtc nvidia-cuda-runtime",
                allow_module_level=True)

__all__ = ["cupy"]
