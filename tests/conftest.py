"""Hypothesis profiles (derandomised by default, TINYGRAD_NUC_THOROUGH=1 for long runs), and shared fixtures."""

import os

import pytest
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
