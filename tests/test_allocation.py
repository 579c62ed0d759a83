"""Freed memory is kept where the C library is glibc, and nothing happens elsewhere."""

import platform
import subprocess
import sys

import pytest

import tinygrad_nuc as tn
from tinygrad_nuc.utils import allocation

# A fresh process: how many pages it is given anew while arrays of 4 MB come and go.
PROGRAM = """
import resource, sys
import numpy as np
import tinygrad_nuc as tn
done = tn.keep_freed_memory() if sys.argv[1] == "keep" else None
def faults():
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt
x = np.ones(10 ** 6, np.float32)
def work(times):
    for _ in range(times):
        y, z = x + 1, x * 2
work(5)
before = faults()
work(20)
print(done, faults() - before)
"""


def run(mode):
    done, faults = subprocess.run([sys.executable, "-c", PROGRAM, mode], capture_output=True, text=True,
                                  check=True).stdout.split()
    return done, int(faults)


@pytest.mark.skipif(platform.libc_ver()[0] != "glibc", reason="only glibc has these thresholds")
def test_arrays_that_come_and_go_ask_for_no_new_pages():
    done, faults = run("keep")
    assert done == "True"
    assert faults < 200                         # of 40 arrays of 977 pages each


class Library:
    """A C library that notes what it is asked for."""

    def __init__(self, answer):
        self.asked = []
        self.answer = answer

    def gnu_get_libc_version(self):
        return b"2.36"

    def mallopt(self, *setting):
        self.asked.append(setting)
        return self.answer


def test_both_thresholds_are_raised(monkeypatch):
    library = Library(1)
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(allocation.ctypes, "CDLL", lambda name: library)
    assert tn.keep_freed_memory() is True
    assert library.asked == [(-3, 32 << 20), (-1, 1 << 30)]


def test_a_library_that_refuses_is_told(monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(allocation.ctypes, "CDLL", lambda name: Library(0))
    assert tn.keep_freed_memory() is False


@pytest.mark.parametrize("system", ["darwin", "win32"])
def test_other_systems_are_left_alone(system, monkeypatch):
    monkeypatch.setattr(sys, "platform", system)
    monkeypatch.setattr(allocation.ctypes, "CDLL", lambda name: pytest.fail("another system's library was loaded"))
    assert tn.keep_freed_memory() is False


def test_another_c_library_is_left_alone(monkeypatch):
    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(allocation.ctypes, "CDLL", lambda name: object())       # musl: no gnu_get_libc_version
    assert tn.keep_freed_memory() is False
