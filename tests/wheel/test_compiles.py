"""Every kernel of the library is text that NVIDIA's compiler takes, for GPUs of several kinds; none of them is run."""

import re
from pathlib import Path

import cupy_assembly
import numpy as np
import nvrtc
import pytest
from kernels_here import (
    FLOATS,
    OTHERS,
    as_function,
    fused_kernels,
    raw_kernels,
    step_kernels,
    structured_dtypes,
    writers,
)

import tinygrad_nuc as tn
from tinygrad_nuc.devices.kernels.raw import TYPES, RawKernel

pytestmark = pytest.mark.skipif(bool(nvrtc.MISSING), reason=nvrtc.MISSING)
every_gpu = pytest.mark.parametrize("gpu", nvrtc.GPUS)
every_type = pytest.mark.parametrize("letter", TYPES)
REGISTERS, THREADS_AT_MOST = 65536, 1024                        # of a multiprocessor; of a block


def check(sources, gpu):
    """Compile all of these; each has its place in the result, and none needs more room than the registers offer."""
    found = nvrtc.compiled(nvrtc.unit(sources), gpu)
    assert found.keys() == sources.keys()
    assert [name for name, use in found.items() if use["spilled"]] == []
    return found


# ---------------------------------------------------------------------- written by hand

@every_gpu
@every_type
def test_kernels_written_by_hand_compile(letter, gpu):
    sources = {name: kernel.source(letter) for name, kernel in raw_kernels().items()}
    assert len(sources) >= 13
    for name, use in check(sources, gpu).items():
        assert use["stack"] == 0, name                          # no array of a thread lies in slow memory
        assert use["registers"] * THREADS_AT_MOST <= REGISTERS, name        # so it starts with blocks of any size


def test_kernels_are_made_in_known_places_only():
    """A new place that makes kernels on its own would escape the tests here."""
    def files_with(pattern):
        return {path.name for path in Path(tn.__file__).parent.rglob("*.py")
                if re.search(pattern, path.read_text(), re.MULTILINE)}
    assert files_with(r"\.ElementwiseKernel\(") == {"elementwise.py", "numbers.py"}
    assert files_with(r"\.RawKernel\(") == {"raw.py"}
    assert files_with(r"\.(RawModule|ReductionKernel|fuse)\(") == set()
    assert files_with(r"^ .*[^.\w]RawKernel\(") == {"updates.py"}              # the others stand in their modules


def layout_checks(text, dtypes):
    """Every struct in a kernel's text, as the NumPy dtype with the same names has it."""
    lines = []
    for struct, fields in re.findall(r"struct (\w+) \{(.*?)\};", text, re.DOTALL):
        names = re.findall(r"(\w+)(?:\[\d+\])?\s*[,;]", fields)
        dtype, = (d for d in dtypes if list(d.names) == names)  # there is one, with the fields in this order
        lines.append(f'static_assert(sizeof({struct}) == {dtype.itemsize}, "size of {struct}");')
        for name in names:
            part, offset = dtype.fields[name][:2]
            lines += [f'static_assert(__builtin_offsetof({struct}, {name}) == {offset}, "place of {struct}.{name}");',
                      f'static_assert(sizeof({struct}::{name}) == {part.itemsize}, "size of {struct}.{name}");']
    return lines


def with_layouts(letter, dtypes):
    steps = step_kernels(FLOATS[TYPES[letter]])
    some = {**raw_kernels(), **dict([*steps.items()][:1])}
    lines = {name: layout_checks(kernel.text, dtypes) for name, kernel in some.items()}
    assert {"columns", "images", "largest"} < {name for name in lines if lines[name]}
    return {name: "\n".join([kernel.source(letter), *lines[name]]) for name, kernel in some.items()}


@every_gpu
@every_type
def test_numpy_and_the_gpu_lay_out_structs_alike(letter, gpu):
    check(with_layouts(letter, structured_dtypes()), gpu)


def test_another_layout_would_be_noticed():
    wrong = [np.dtype({"names": d.names, "formats": [d[name] for name in d.names],
                       "offsets": [8 + d.fields[name][1] for name in d.names]}) for d in structured_dtypes()]
    with pytest.raises(nvrtc.compiler.CompileException, match="place of Windows.images"):
        nvrtc.compiled(nvrtc.unit(with_layouts("f", wrong)), "90")


@pytest.mark.parametrize("text, words", [
    ("y[0] = missing;", r'broken\(2\): error: identifier "missing" is undefined'), ("y[0] = 1", "expected a"),
    ("y[0] = log(n);", r"more than one instance of overloaded function \"log\""), ("return 1;", "return value"),
    ("y[0] = __shfl_xor(1, 1);", "__shfl_xor")])
def test_a_kernel_with_an_error_does_not_compile(text, words):
    kernels_ = {"good": raw_kernels()["softmax"],
                "broken": RawKernel("broken", f'extern "C" __global__ void broken(T* y, long long n) {{ {text}\n}}')}
    with pytest.raises(nvrtc.compiler.CompileException, match=words):
        nvrtc.compiled(nvrtc.unit({name: kernel.source("f") for name, kernel in kernels_.items()}), "90")


# ---------------------------------------------------------------------- made from rules

@every_gpu
@pytest.mark.parametrize("dtype", FLOATS)
def test_kernels_made_from_rules_compile(dtype, gpu):
    made = fused_kernels(FLOATS[dtype], OTHERS if gpu == "90" else ())      # those with other types once: it takes long
    assert len(made) >= (300 if gpu == "90" else 50)
    check({name: as_function(name, kernel) for name, (kernel, _) in made.items()}, gpu)


@pytest.mark.skipif(bool(cupy_assembly.MISSING), reason=cupy_assembly.MISSING)
@pytest.mark.parametrize("ndim, contiguous", [(1, True), (3, False)])
@pytest.mark.parametrize("dtype", FLOATS)
def test_they_compile_as_cupy_writes_them_down(dtype, ndim, contiguous):
    made = fused_kernels(FLOATS[dtype], (float,))               # arrays, and Python numbers beside them
    assert len(made) >= 50
    check({name: cupy_assembly.text(kernel, name, kinds, ndim, contiguous) for name, (kernel, kinds) in made.items()},
          "90")


# ---------------------------------------------------------------------- numbers from the host, and optimizers

@every_gpu
def test_kernels_that_write_numbers_compile(gpu):
    check({name: as_function(name, kernel) for name, kernel in writers().items()}, gpu)


@pytest.mark.skipif(bool(cupy_assembly.MISSING), reason=cupy_assembly.MISSING)
def test_kernels_that_write_numbers_compile_as_cupy_writes_them_down():
    kinds = {"float32": float, "float64": float, "int64": int}
    check({name: cupy_assembly.text(kernel, name, [kinds[name.split("_")[-1]]] * len(kernel.in_params), 1, True)
           for name, kernel in writers().items()}, "90")


@every_gpu
@every_type
def test_kernels_of_every_optimizer_compile(letter, gpu):
    steps = step_kernels(FLOATS[TYPES[letter]])
    assert {name.split("_")[0] for name in steps} == {"SGD", "Adam", "AdamW", "RMSprop", "Adagrad"} and len(steps) > 50
    for name, use in check({name: kernel.source(letter) for name, kernel in steps.items()}, gpu).items():
        assert use["stack"] == 0, name                          # the pointers to 64 parameters stay where arguments are
