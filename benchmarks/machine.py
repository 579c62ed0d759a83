"""On what machine, with what versions and threads: without that a time says nothing."""

import os
import platform
import re
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import numpy as np
import ours
import theirs

import tinygrad_nuc as tn

ROOT = Path(__file__).resolve().parents[1]
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_CORETYPE", "CUPY_TF32",
           "NVIDIA_TF32_OVERRIDE")


def answer(*command: str) -> str:
    """What a program prints; empty if there is none or it fails."""
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return ""


def cpu() -> dict[str, Any]:
    """Its name, how many of them this process may use, and their memory."""
    name = platform.processor() or platform.machine()
    if Path("/proc/cpuinfo").exists():
        text = Path("/proc/cpuinfo").read_text()
        found = dict(re.findall(r"^([^\n\t:]+)\t*: (.+)$", text, re.MULTILINE))
        name = found.get("model name", "").strip() or name
        if not re.search("[A-Za-z]{3}", name.replace("unknown", "")):
            name = f"{found.get('vendor_id', '')} family {found.get('cpu family', '?')}".strip()
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    try:
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, ValueError, OSError):
        memory = None
    return {"name": name, "usable_cores": usable, "memory_bytes": memory}


def gpu() -> dict[str, Any] | None:
    """Name, driver and memory; None if there is none."""
    if ours.why_no_gpu():
        return None
    import cupy
    runtime = cupy.cuda.runtime
    return {"name": str(tn.cuda.get_device_name()), "memory_bytes": int(runtime.memGetInfo()[1]),
            "driver": answer("nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader") or None,
            "cuda_of_the_driver": runtime.driverGetVersion(), "cuda_of_cupy": runtime.runtimeGetVersion()}


def versions() -> dict[str, Any]:
    found: dict[str, Any] = {"python": platform.python_version(), "numpy": np.__version__,
                             "tinygrad_nuc": tn.__version__, "tinygrad_nuc_commit": None, "cupy": None, "torch": None}
    if commit := answer("git", "-C", str(ROOT), "rev-parse", "HEAD"):
        changed = answer("git", "-C", str(ROOT), "status", "--porcelain", "--untracked-files=no")
        found["tinygrad_nuc_commit"] = commit + (" with changes" if changed else "")
    for package in ("cupy-cuda13x", "cupy-cuda12x", "cupy"):
        try:
            found["cupy"] = f"{package} {version(package)}"
            break
        except PackageNotFoundError:
            continue
    blas = np.show_config(mode="dicts").get("Build Dependencies", {}).get("blas", {})
    found["blas_of_numpy"] = f"{blas.get('name', '?')} {blas.get('version', '?')}"
    if theirs.torch is not None:
        found["torch"] = theirs.torch.__version__
        if not theirs.why_no_gpu():
            found |= {"cuda_of_torch": theirs.torch.version.cuda, "cudnn": theirs.torch.backends.cudnn.version()}
    return found


def threads() -> dict[str, Any]:
    found: dict[str, Any] = {name: os.environ.get(name) for name in THREADS}
    if theirs.torch is not None:
        found["torch"] = theirs.torch.get_num_threads()
    return found


def describe(without_gpu: bool = False) -> dict[str, Any]:
    return {"system": f"{platform.system()} {platform.machine()}", "cpu": cpu(), "gpu": None if without_gpu else gpu()}


def short_name(machine: dict[str, Any]) -> str:
    """For the name of a file: that of the GPU, or of the CPU if there is none."""
    name = (machine["gpu"] or machine["cpu"])["name"]
    return re.sub(r"[^a-z0-9]+", "-", re.sub(r"\(.*?\)|NVIDIA|Processor|CPU|@.*", "", name).lower()).strip("-")
