"""tn.cuda: what is there, what is missing, and memory; with an emulated GPU, or CuPys broken in several ways."""

import configparser
import gc
import importlib.metadata
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import emulated_cupy
import numpy as np
import pytest
from gpu_helpers import is_there

import tinygrad_nuc as tn
from tinygrad_nuc import nn, optim
from tinygrad_nuc.devices import gpu, memory, record


def test_what_there_is_to_know_about_a_gpu(two_gpus):
    assert tn.cuda.is_available() and tn.cuda.why_unavailable() == ""
    assert tn.cuda.device_count() == 2 and tn.cuda.current_device() == 0
    assert tn.cuda.get_device_name() == tn.cuda.get_device_name(0) == "Emulated GPU 0"
    assert tn.cuda.get_device_name("cuda:1") == tn.cuda.get_device_name(tn.device("gpu:1")) == "Emulated GPU 1"
    tn.cuda.synchronize()
    free, total = tn.cuda.mem_get_info(1)
    assert 0 < free <= total
    with pytest.raises(RuntimeError, match="there is no device 'cuda:2' here, only 'cuda:0' to 'cuda:1'"):
        tn.cuda.get_device_name(2)
    with pytest.raises(ValueError, match="set_device: 'cpu' is no GPU; give a number, or a name such as 'cuda:0'"):
        tn.cuda.set_device("cpu")


def test_memory_is_counted_and_given_back(one_gpu):
    before, held = tn.cuda.memory_allocated(), tn.cuda.memory_reserved()
    x = tn.zeros(1000, 1000, device="gpu")
    assert tn.cuda.memory_allocated() - before == pytest.approx(4e6, rel=1e-3)
    del x
    assert tn.cuda.memory_allocated() == before and tn.cuda.memory_reserved() - held == pytest.approx(4e6, rel=1e-3)
    tn.cuda.empty_cache()
    assert tn.cuda.memory_reserved() <= held


def pool_of(monkeypatch, size):
    """The memory of a recorded step: its results take 1 MiB, and the rest is for the step alone."""
    pools = [*record.pools(), SimpleNamespace(used_bytes=lambda: 2 ** 20, total_bytes=lambda: size)]
    monkeypatch.setattr(record, "pools", lambda: iter(pools))


def test_the_memory_of_recorded_steps_is_counted_too(one_gpu, monkeypatch):
    x = tn.zeros(1000, 1000, device="gpu")
    used, reserved = tn.cuda.memory_allocated(), tn.cuda.memory_reserved()
    assert used >= x.data.nbytes
    pool_of(monkeypatch, 5 * 2 ** 20)
    pool_of(monkeypatch, 3 * 2 ** 20)
    assert (tn.cuda.memory_allocated() - used, tn.cuda.memory_reserved() - reserved) == (2 * 2 ** 20, 8 * 2 ** 20)
    tn.cuda.empty_cache()
    assert tn.cuda.memory_reserved() >= 8 * 2 ** 20


def test_a_recorded_step_needs_the_memory_of_one_more_step_for_each_shape(one_gpu):
    w = tn.zeros(500, 500, device="gpu")
    step = tn.cuda.capture(lambda x: x @ w)
    reserved = []
    for rows in (1000, 2000):
        x = tn.ones(rows, 500, device="gpu")
        for _ in range(3):
            step(x)
        reserved.append(sum(pool.total_bytes() for pool in record.pools()))
    assert step.replays == 2 and step.reason == "" and reserved[0] >= 1000 * 500 * 4
    assert reserved[1] - reserved[0] >= 2000 * 500 * 4
    assert tn.cuda.memory_reserved() == one_gpu.get_default_memory_pool().total_bytes() + reserved[1]
    before = tn.cuda.memory_reserved()
    del step
    gc.collect()
    assert tn.cuda.memory_reserved() <= before - reserved[1]


def test_without_a_gpu_nothing_fails_that_only_asks(no_gpu):
    assert not tn.cuda.is_available() and tn.cuda.device_count() == 0
    assert tn.cuda.memory_allocated() == tn.cuda.memory_reserved() == 0
    tn.cuda.empty_cache()
    for ask in (tn.cuda.current_device, tn.cuda.get_device_name, tn.cuda.synchronize, tn.cuda.mem_get_info,
                lambda: tn.cuda.set_device(0)):
        with pytest.raises(RuntimeError, match="a GPU needs CuPy"):
            ask()


# ---------------------------------------------------------------------- what is missing, and how to get it

def runtime(driver, built=13020):
    return SimpleNamespace(driverGetVersion=lambda: driver, runtimeGetVersion=lambda: built)


def broken(driver, built=13020):
    return SimpleNamespace(cuda=SimpleNamespace(is_available=lambda: False, runtime=runtime(driver, built)))


def only(monkeypatch, cupy, packages=("cupy-cuda13x",)):
    """This is the CuPy here, out of these packages."""
    monkeypatch.setitem(sys.modules, "cupy", cupy)
    monkeypatch.setattr(gpu, "_usable", None)
    found = [SimpleNamespace(metadata={"Name": name}) for name in ("numpy", *packages)]
    monkeypatch.setattr(importlib.metadata, "distributions", lambda: iter(found))


@pytest.mark.parametrize("cupy, packages, words", [
    (None, (), 'a GPU needs CuPy: pip install "tinygrad_nuc[cuda12]" or "tinygrad_nuc[cuda13]", whichever version of '
     "CUDA `nvidia-smi` shows"),
    (broken(0), ("cupy-cuda13x",), "CuPy is installed, but there is no driver for an NVIDIA GPU"),
    (broken(12040), ("cupy-cuda13x",), "CuPy is installed, but it is made for CUDA 13, and the driver here is made for "
     'CUDA 12.4: pip uninstall cupy-cuda13x, then pip install "tinygrad_nuc[cuda12]"; or get a newer driver'),
    (broken(11080, 12000), ("cupy-cuda12x",), "the driver here is made for CUDA 11.8: pip uninstall cupy-cuda12x, or "
     "get a newer driver"),
    (broken(13000), ("cupy-cuda13x",), "CuPy is installed, but finds no GPU that it can use: `nvidia-smi` shows"),
    (SimpleNamespace(cuda=SimpleNamespace(is_available=lambda: False)), ("cupy",), "does not find out whether there"),
    (broken(13000), ("cupy-cuda12x", "Cupy_CUDA13x"), "the packages cupy-cuda12x and cupy-cuda13x are installed and "
     "overwrite each other's files: pip uninstall cupy-cuda12x cupy-cuda13x, then pip install \"tinygrad_nuc[cuda12]\"")])
def test_one_line_says_what_is_missing(monkeypatch, cupy, packages, words):
    only(monkeypatch, cupy, packages)
    reason = tn.cuda.why_unavailable()
    assert words in reason and "\n" not in reason and not tn.cuda.is_available()
    model = nn.Linear(1, 1)
    for ask in (lambda: tn.zeros(1).to("cuda"), lambda: model.to("gpu"), lambda: tn.set_default_device("gpu"),
                lambda: tn.ones(1, device="gpu")):
        with pytest.raises(RuntimeError) as caught:
            ask()
        assert str(caught.value) == reason
    assert isinstance(model.weight.data, np.ndarray) and tn.zeros(1).tolist() == [0]


def with_parts(nvrtc=None, cublas=None):
    """A CuPy with a GPU; of NVRTC and cuBLAS there is either None, which is found, or an error."""
    def version():
        if nvrtc:
            raise nvrtc
        return 13, 0

    class Cuda(SimpleNamespace):
        @property
        def cublas(self):
            if cublas:
                raise cublas
    return SimpleNamespace(cuda=Cuda(is_available=lambda: True, nvrtc=SimpleNamespace(getVersion=version)))


def headers(monkeypatch, folder):
    """What CuPy's finder of headers answers, or no such finder for an error."""
    finder = None if isinstance(folder, Exception) else \
        SimpleNamespace(find_nvidia_header_directory=lambda name: {"cudart": folder}[name])
    monkeypatch.setitem(sys.modules, "cuda", SimpleNamespace(pathfinder=finder, __path__=[]))
    monkeypatch.setitem(sys.modules, "cuda.pathfinder", finder)


NO_NVRTC = RuntimeError("Failure finding libnvrtc.so.13\n  listdir")
NO_CUBLAS = ImportError("Failure finding libcublasLt")


@pytest.mark.parametrize("nvrtc, cublas, folder, packages, words", [
    (NO_NVRTC, NO_CUBLAS, None, ("cupy-cuda13x",), "NVRTC, cuBLAS and CUDA's headers: pip install "
     '"cupy-cuda13x[ctk]"'),
    (NO_NVRTC, NO_CUBLAS, "/include", ("cupy-cuda12x",), 'NVRTC and cuBLAS: pip install "cupy-cuda12x[ctk]"'),
    (NO_NVRTC, None, "/include", ("cupy-cuda12x",), 'NVRTC: pip install "cupy-cuda12x[ctk]"'),
    (None, NO_CUBLAS, "/include", ("cupy-cuda13x",), 'cuBLAS: pip install "cupy-cuda13x[ctk]"'),
    (None, None, None, ("cupy",), "CUDA's headers: install NVIDIA's CUDA toolkit, and name its folder in the "
     "environment variable CUDA_PATH")])
def test_parts_of_cuda_that_are_missing_are_named(monkeypatch, nvrtc, cublas, folder, packages, words):
    only(monkeypatch, with_parts(nvrtc, cublas), packages)
    headers(monkeypatch, folder)
    assert tn.cuda.why_unavailable() == f"CuPy is installed and finds a GPU, but not {words}"
    assert not tn.cuda.is_available() and tn.cuda.memory_reserved() == 0
    with pytest.raises(RuntimeError, match="CuPy is installed and finds a GPU, but not"):
        tn.zeros(1).to("cuda")


@pytest.mark.parametrize("cupy, folder", [
    (with_parts(), "/include"), (with_parts(NO_NVRTC, NO_CUBLAS), ImportError("no finder")),
    (with_parts(ZeroDivisionError("of another kind")), None),
    (SimpleNamespace(cuda=SimpleNamespace(is_available=lambda: True)), None)])
def test_a_cupy_with_all_parts_or_made_in_another_way_is_no_reason_to_complain(monkeypatch, cupy, folder):
    only(monkeypatch, cupy)
    headers(monkeypatch, folder)
    assert tn.cuda.why_unavailable() == "" and tn.cuda.is_available()


def test_it_is_asked_until_there_is_a_gpu_and_then_no_more(monkeypatch):
    asked, answer = [], []
    cupy = broken(13000)
    cupy.cuda.is_available = lambda: asked.append(1) or bool(answer)
    only(monkeypatch, cupy)
    assert not tn.cuda.is_available() and not tn.cuda.is_available() and len(asked) == 2
    answer.append("now it is there")
    assert all(tn.cuda.is_available() for _ in range(5)) and tn.cuda.why_unavailable() == "" and len(asked) == 3
    only(monkeypatch, broken(0))                # another CuPy is asked anew
    assert "there is no driver" in tn.cuda.why_unavailable()
    monkeypatch.setitem(sys.modules, "cupy", None)
    assert not tn.cuda.is_available()


def test_the_extras_bring_cuda_too():
    settings = configparser.ConfigParser(interpolation=None)
    settings.read(Path(__file__).parents[1] / "setup.cfg", "utf-8")
    extras = settings["options.extras_require"]
    assert [extras[f"cuda{n}"].strip() for n in (12, 13)] == [f"cupy-cuda{n}x[ctk] >= 14" for n in (12, 13)]


IMPORT_ERROR = r"raise ImportError('\n====\nFailed to import CuPy.\n\nOriginal error:\n  ImportError: libcuda.so.1\n====\n')"
WARNS = "import warnings\nwarnings.warn('several of me')\nfrom types import SimpleNamespace\n"


@pytest.mark.parametrize("text, words", [
    (IMPORT_ERROR, "CuPy cannot be imported (ImportError: libcuda.so.1): pip uninstall cupy-cuda12x, then pip install"),
    ("import not_to_be_found", "since the package not_to_be_found is missing: pip install not_to_be_found"),
    (WARNS + "cuda = SimpleNamespace(is_available=lambda: 1 / 0)", "whether there is a GPU (division by zero)")])
def test_a_cupy_that_cannot_be_imported(monkeypatch, tmp_path, text, words):
    only(monkeypatch, None, ("cupy-cuda12x",))
    monkeypatch.delitem(sys.modules, "cupy")
    (tmp_path / "cupy.py").write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    assert words in tn.cuda.why_unavailable() and not tn.cuda.is_available()
    sys.modules.pop("cupy", None)


def test_importing_the_library_does_not_import_cupy():
    code = ("import sys, tinygrad_nuc as tn; tn.nn.Linear(2, 1)(tn.ones(1, 2)).sum().backward(); "
            "assert 'cupy' not in sys.modules")
    subprocess.run([sys.executable, "-c", code], check=True)


# ---------------------------------------------------------------------- a memory that is full

def test_out_of_memory_says_how_much_and_what_to_do(one_gpu, monkeypatch):
    held = tn.zeros(1000, 1000, device="gpu")
    monkeypatch.setattr(emulated_cupy, "memory_limit", 8_000_000)
    with pytest.raises(tn.cuda.OutOfMemoryError, match="out of memory: 7.6 MiB asked for on cuda:0; tensors hold 3.8 MiB "
                       "of the 3.8 MiB that this program has reserved, .* are free.*smaller batch.*no_grad.*del.*"
                       "empty_cache") as caught:
        tn.zeros(2000, 1000, device="gpu")
    assert isinstance(caught.value, MemoryError) and isinstance(caught.value, RuntimeError)
    assert held.sum().item() == 0 and tn.ones(10, device="gpu").sum().item() == 10          # all goes on


def test_out_of_memory_names_what_recorded_steps_hold(one_gpu, monkeypatch):
    held = tn.zeros(1000, 1000, device="gpu")
    monkeypatch.setattr(emulated_cupy, "memory_limit", 8_000_000)
    pool_of(monkeypatch, 3 * 2 ** 20)
    with pytest.raises(tn.cuda.OutOfMemoryError, match=r"tensors hold 4.8 MiB of the 6.8 MiB that this program has "
                       r"reserved \(3.0 MiB of these by recorded steps, as long as they are kept\), .* are free"):
        tn.zeros(2000, 1000, device="gpu")
    assert is_there(held)


def test_a_step_that_does_not_fit_leaves_the_engine_usable(one_gpu, monkeypatch):
    model = nn.Linear(100, 100).to("gpu")
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    before = model.weight.tolist()
    x = tn.ones(5000, 100, device="gpu")
    monkeypatch.setattr(emulated_cupy, "memory_limit", tn.cuda.memory_reserved() + 1_000_000)
    with pytest.raises(tn.cuda.OutOfMemoryError, match="asked for on cuda:0"):
        model(x).sum().backward()
    assert all(p.grad is None for p in model.parameters()) and model.weight.tolist() == before
    model(x[:100]).sum().backward()
    optimizer.step()
    assert is_there(model.weight) and model.weight.tolist() != before


def test_only_a_full_gpu_is_explained(one_gpu):
    assert memory.explained(ValueError("other")) is None and memory.explained(MemoryError("of the computer")) is None
    assert memory.explained(tn.cuda.OutOfMemoryError("once")) is None
