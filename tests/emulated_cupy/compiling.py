"""Device code made into a library that ctypes can call, by the C++ compiler of this computer."""

import atexit
import ctypes
import hashlib
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

FLAGS = ("-O1", "-fPIC", "-std=c++20", "-fno-strict-aliasing", "-fwrapv", "-fno-gnu-unique", "-w")
HEADER = Path(__file__).with_name("device_code.hpp")
has_compiler = shutil.which("g++") is not None


class CompileException(Exception):
    """Device code that the compiler refuses (cupy.cuda.compiler.CompileException)."""


@cache
def folder():
    """A folder for this process, with the header compiled once for all kernels."""
    path = Path(tempfile.mkdtemp(prefix="emulated_cupy_"))
    atexit.register(shutil.rmtree, path, ignore_errors=True)
    shutil.copy(HEADER, path)
    run_compiler("-x", "c++-header", path / HEADER.name)
    return path


def run_compiler(*arguments):
    done = subprocess.run(["g++", *FLAGS, *arguments], capture_output=True, text=True)
    if done.returncode:
        raise CompileException(done.stderr)


@cache
def compiled(source):
    """The library of this C++ text.

    Raises
    ------
    RuntimeError
        Without a compiler.
    CompileException
        If the compiler refuses the text.
    """
    if not has_compiler:
        raise RuntimeError("the emulated CuPy runs kernels with g++, which is not installed here")
    text = folder() / f"kernel_{hashlib.sha256(source.encode()).hexdigest()[:24]}.cpp"
    text.write_text(f'#include "{HEADER.name}"\n{source}')
    library = text.with_suffix(".so")
    run_compiler("-shared", "-o", library, text)
    return ctypes.CDLL(str(library))
