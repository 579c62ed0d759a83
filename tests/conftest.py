"""Hypothesis profiles (derandomised by default, TINYGRAD_NUC_THOROUGH=1 for long runs), and shared fixtures."""

import os
import signal

import pytest
from device_option import (  # noqa: F401    pytest's hooks for --device
    pytest_addoption,
    pytest_collection_modifyitems,
    pytest_configure,
    pytest_runtest_call,
    pytest_runtest_protocol,
    pytest_terminal_summary,
)
from gpu_helpers import any_gpu, no_gpu, one_gpu, plain_gpu, two_gpus  # noqa: F401    fixtures
from hypothesis import HealthCheck, settings

SLOW_IS_FINE = [HealthCheck.too_slow, HealthCheck.data_too_large]
settings.register_profile("default", derandomize=True, deadline=None, max_examples=20,
                          suppress_health_check=SLOW_IS_FINE)
settings.register_profile("thorough", deadline=None, max_examples=500, suppress_health_check=SLOW_IS_FINE)
settings.load_profile("thorough" if os.environ.get("TINYGRAD_NUC_THOROUGH") else "default")


@pytest.fixture
def write(tmp_path):
    """Writes text or bytes to a file and returns its path."""

    def write(content, name="table.csv"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write


@pytest.fixture
def ctrl_c():
    """A callback's way to press Ctrl-C, which raises KeyboardInterrupt also where a shell started the tests with it ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield lambda trainer: signal.raise_signal(signal.SIGINT)
    signal.signal(signal.SIGINT, before)
