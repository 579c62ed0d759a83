"""CuPy and the GPU behind it: whether they are there, and if not, what is missing."""

import sys
import warnings
from importlib import metadata
from typing import Any

from .names import device

_usable: Any = None             # CuPy, once the library's own kernels are installed
_complete: Any = None           # CuPy, once nothing was found to be missing: asking takes 10 ms and more

INSTALL = ('pip install "tinygrad_nuc[cuda12]" or "tinygrad_nuc[cuda13]", whichever version of CUDA `nvidia-smi` shows '
           "in its first lines")


def import_cupy() -> Any:
    """CuPy, if there is a GPU that it can use; the first time, the library's own kernels take their place.

    Raises
    ------
    RuntimeError
        If not: one line that says what is missing.
    """
    global _usable
    cupy = sys.modules.get("cupy")
    if cupy is None or cupy is not _usable:
        missing = why_unavailable()
        if missing:
            raise RuntimeError(missing)
        cupy = _usable = sys.modules["cupy"]
        from .kernels import install
        install()
    return cupy


def ready(where: device) -> Any:
    """CuPy, after a look whether there is such a GPU.

    Raises
    ------
    RuntimeError
        If there is no such device, saying what is missing.
    """
    cupy = import_cupy()
    count = cupy.cuda.runtime.getDeviceCount()
    if where.index is not None and where.index >= count:
        there = "only 'cuda:0'" if count == 1 else f"only 'cuda:0' to 'cuda:{count - 1}'"
        raise RuntimeError(f"there is no device {str(where)!r} here, {there}")
    return cupy


def why_unavailable() -> str:
    """What is missing for the GPU, and how to get it, in one line; "" if nothing is.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> bool(tn.cuda.why_unavailable()) == (not tn.cuda.is_available())
    True
    """
    global _complete
    if _complete is not None and sys.modules.get("cupy") is _complete:
        return ""
    packages = cupy_packages()
    if len(packages) > 1:
        return (f"the packages {' and '.join(packages)} are installed and overwrite each other's files: pip uninstall "
                f"{' '.join(packages)}, then {INSTALL}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            import cupy
    except ModuleNotFoundError as error:
        if error.name in (None, "cupy"):
            return f"a GPU needs CuPy: {INSTALL}"
        return f"CuPy cannot be imported, since the package {error.name} is missing: pip install {error.name}"
    except Exception as error:      # a library of CUDA that is damaged or missing, a CuPy that does not fit NumPy ...
        return (f"CuPy cannot be imported ({last_line(error)}): pip uninstall {' '.join(packages) or 'cupy'}, "
                f"then {INSTALL}")
    try:
        if not cupy.cuda.is_available():
            return f"CuPy is installed, but {why_no_gpu(cupy, packages)}"
    except Exception as error:
        return f"CuPy is installed, but does not find out whether there is a GPU ({last_line(error)})"
    missing = missing_parts(cupy)
    if missing:
        return f"CuPy is installed and finds a GPU, but not {missing}: {how_to_get_parts(packages)}"
    _complete = cupy
    return ""


def why_no_gpu(cupy: Any, packages: list[str]) -> str:
    """Why CuPy finds no GPU."""
    driver, built = (getattr(cupy.cuda.runtime, f"{part}GetVersion")() for part in ("driver", "runtime"))
    if not driver:
        return ("there is no driver for an NVIDIA GPU: `nvidia-smi` shows the GPU where there is one; "
                "get the driver from your system's packages, or from https://www.nvidia.com/drivers")
    if driver // 1000 < built // 1000:          # the same first number is enough
        fitting = {12: ', then pip install "tinygrad_nuc[cuda12]"'}.get(driver // 1000, "")
        return (f"it is made for CUDA {built // 1000}, and the driver here is made for CUDA {driver // 1000}."
                f"{driver % 1000 // 10}: pip uninstall {' '.join(packages) or 'cupy'}{fitting}"
                f"{'; or' if fitting else ', or'} get a newer driver")
    return ("finds no GPU that it can use: `nvidia-smi` shows whether there is one, and the environment variable "
            "CUDA_VISIBLE_DEVICES may hide it")


def missing_parts(cupy: Any) -> str:
    """What CuPy does not find of CUDA's toolkit, without which no kernel is compiled and no matrix multiplied.

    CuPy's packages hold none of it. It is CuPy that is asked, so it looks where it will look later. An answer of
    another kind, from a CuPy made in another way, is no reason to complain.
    """
    missing = []
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            for name, ask in (("NVRTC", lambda: cupy.cuda.nvrtc.getVersion()), ("cuBLAS", lambda: cupy.cuda.cublas)):
                try:
                    ask()
                except (ImportError, RuntimeError):
                    missing.append(name)
            from cuda.pathfinder import find_nvidia_header_directory
            if find_nvidia_header_directory("cudart") is None:
                missing.append("CUDA's headers")
    except Exception:
        return ""
    return " and ".join(", ".join(missing).rsplit(", ", 1))


def how_to_get_parts(packages: list[str]) -> str:
    """How to install those parts of CUDA's toolkit for the package that is CuPy."""
    if packages and packages[0].startswith("cupy-cuda"):
        return f'pip install "{packages[0]}[ctk]"'
    return "install NVIDIA's CUDA toolkit, and name its folder in the environment variable CUDA_PATH"


def cupy_packages() -> list[str]:
    """The installed packages that are CuPy; more than one overwrite each other's files."""
    names = {(x.metadata["Name"] or "").lower().replace("_", "-") for x in metadata.distributions()}
    return sorted(name for name in names if name in ("cupy", "amd-cupy") or name.startswith(("cupy-cuda", "cupy-rocm")))


def last_line(error: Exception) -> str:
    """What an error of many lines comes down to."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip(" =-")]
    return lines[-1] if lines else type(error).__name__
