"""Which of its kernels NumPy's OpenBLAS has chosen for this CPU: without that a matrix product's time says nothing."""

import ctypes
import re
from pathlib import Path

NAMES = ("scipy_openblas_get_corename64_", "scipy_openblas_get_corename", "openblas_get_corename64_",
         "openblas_get_corename")


def kernels() -> str | None:
    """For instance "SkylakeX"; None where it cannot be read. Looks at the libraries that this process has loaded."""
    import numpy  # noqa: F401                  # loads it
    try:
        mapped = Path("/proc/self/maps").read_text()
    except OSError:
        return None
    for path in sorted(set(re.findall(r"/\S*openblas\S*\.so\S*", mapped))):
        library = ctypes.CDLL(path)
        for name in NAMES:
            if hasattr(library, name):
                function = getattr(library, name)
                function.restype = ctypes.c_char_p
                return function().decode()
    return None
