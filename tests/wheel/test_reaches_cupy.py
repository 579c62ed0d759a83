"""Every call that the library makes on arrays of a device is one that CuPy has, with these types and these keywords.

First everything runs on the emulated GPU, and what is called is written down. Then CuPy itself is asked, call by call:
on a machine without a GPU it stops at the first thing that it wants of CUDA, and by then it has accepted the call.
"""

import contextlib
import inspect
import itertools
import re
import sys

import numpy as np
import pytest
from cupy_wheel import cupy

if cupy.cuda.is_available():
    pytest.skip("there is a GPU here, on which the tests in tests/gpu run: what is proven here is proven there",
                allow_module_level=True)

import gpu_helpers
import test_devices
import test_function_samples
import test_operations
import test_waits
import without_kernels
from device_guard import GuardArray
from kernels_here import samples
from phantoms import objection, phantom
from recorded_calls import Array, Call, Recorder, frozen
from test_function_samples import results_and_gradients
from test_operations import first_derivatives, on_device

import tinygrad_nuc as tn
from tinygrad_nuc.engine.registry import table

DTYPES = np.float32, np.float64


@contextlib.contextmanager
def recording(kernels):
    """A recorder of what happens on the emulated GPU: by rules as they stand, or by what stands around kernels."""
    with pytest.MonkeyPatch.context() as patch:
        start = contextlib.contextmanager(gpu_helpers.start)
        with start(patch, kernels=kernels) as emulated, np.errstate(all="ignore"):
            if kernels:
                for kind in (without_kernels.ElementwiseKernel, without_kernels.RawKernel):
                    patch.setattr(sys.modules["cupy"], kind.__name__, kind)
            tn.zeros(1).to("cuda")
            with Recorder().running(emulated) as recorder:
                yield recorder


def of_dtype(arrays, dtype):
    return [x.astype(dtype) if x.dtype == np.float64 else x for x in map(np.asarray, arrays)]


def operations(recorder):
    """Every operation: its rule, its derivatives, and theirs."""
    for name, operation in vars(table).items():
        recorder.sample = name
        for (arrays, chosen), dtype in itertools.product(samples(operation), DTYPES):
            chosen = {**chosen, "dtype": np.dtype(dtype)} if "dtype" in chosen else chosen
            for create_graph in (False, True):
                leaves = test_operations.leaves(operation, of_dtype(arrays, dtype), GuardArray)
                with contextlib.suppress(np.linalg.LinAlgError):
                    first_derivatives(operation, leaves, on_device(chosen), create_graph)


def functions(recorder):
    """Every function that is composed of operations."""
    for name, (call, arrays, *_) in test_function_samples.CALLS.items():
        recorder.sample = name
        for dtype, create_graph in itertools.product(DTYPES, (False, True)):
            with contextlib.suppress(np.linalg.LinAlgError):        # of what a kernel did not compute
                leaves = test_function_samples.leaves(of_dtype(arrays, dtype), GuardArray)
                results_and_gradients(call, leaves, create_graph)


def training(recorder):
    """Steps with every loss, optimizer, way to clip and layer; indices, copies and the like: as other tests do it."""
    for module in (test_waits, test_devices):
        for name, test in vars(module).items():
            recorder.sample = name
            if not name.startswith("test_"):
                continue
            needed = set(inspect.signature(test).parameters)
            fixtures = {"one_gpu", "plain_gpu", "any_gpu"} & needed
            for values in parameters(test) if fixtures else ():
                if values.keys() | fixtures == needed:          # it asks for no other fixtures
                    # what such a test finds is its own affair, and wrong without kernels
                    with contextlib.suppress(AssertionError, FloatingPointError):
                        test(**values, **dict.fromkeys(fixtures, sys.modules["cupy"]))


def parameters(test):
    """Every combination of what `pytest.mark.parametrize` gives to a test."""
    sets = []
    for mark in getattr(test, "pytestmark", []):
        names = [name.strip() for name in mark.args[0].split(",")]
        sets.append([dict(zip(names, values if len(names) > 1 else [values], strict=True)) for values in mark.args[1]])
    for chosen in itertools.product(*sets):
        yield {name: value for part in chosen for name, value in part.items()}


@pytest.mark.parametrize("kernels", [False, True])
@pytest.mark.parametrize("run, at_least", [(operations, 1000), (functions, 1500), (training, 250)])
def test_cupy_takes_every_call(run, at_least, kernels):
    with recording(kernels) as recorder:
        run(recorder)
    assert len(recorder.calls) >= at_least
    refused = [f"{call}: {reason} ({where})" for call, where in recorder.calls.values() if (reason := objection(call))]
    assert not refused, "\n".join(["CuPy refuses", *refused])


# ---------------------------------------------------------------------- that a refusal is noticed

X = Array((3, 4), np.dtype(np.float32), (16, 4))
I = Array((2,), np.dtype(np.int64), (8,))                       # noqa: E741


def call(kind, function, *args, method="__call__", dtypes=(np.dtype(np.float32),), **options):
    return Call(kind, function, method, args, options, dtypes)


@pytest.mark.parametrize("asked, words", [
    (call("ufunc", np.vecdot, X, X), "CuPy has no ufunc vecdot"),
    (call("ufunc", np.maximum, X, method="reduce"), "NotImplementedError"),
    (call("ufunc", np.add, X, (I,), X, method="at"), "NumPy refuses it"),
    (call("ufunc", np.exp, X, where=True), "CuPy|where"),
    (call("ufunc", np.exp, I), "CuPy gives float64, NumPy float32"),
    (call("method", "__and__", X, X, method="bitwise_and"), "no loop for float32, float32"),
    (call("function", np.block, [X, X]), "no implementation|TypeError"),
    (call("function", np.sum, X, initial=0.0), "unexpected keyword argument 'initial'"),
    (call("function", np.where, False, X, X), "'bool' object has no attribute 'astype'"),
    (call("function", np.ascontiguousarray, X), "TypeError"),
    (call("method", "no_method", X), "AttributeError"),
    (call("attribute", "no_attribute", X), "AttributeError"),
    (call("method", "__getitem__", X, (0, 1, 2)), "IndexError"),
    (call("cupy", "empty", (2, 3), "no type"), "TypeError")])
def test_what_cupy_lacks_is_noticed(asked, words):
    assert re.search(words, objection(asked))


@pytest.mark.parametrize("asked", [
    call("ufunc", np.exp, X),
    call("ufunc", np.add, Array((12,), np.dtype(np.float32), (4,)), I, I, method="at"),
    call("function", np.sum, X, axis=0),
    call("function", np.arange, 3, like=X),
    call("method", "__add__", X, 2.0, method="add"),
    call("method", "__matmul__", X, X, method="matmul"),
    call("method", "__getitem__", X, (I,)),
    call("method", "reshape", X, -1),
    call("attribute", "T", X),
    call("cupy", "empty", (2, 3), np.float32)])
def test_what_cupy_has_is_let_through(asked):
    assert objection(asked) == ""


def test_phantoms_lie_in_memory_as_the_arrays_do():
    a = GuardArray(np.zeros((3, 4), np.float32)[::-1, ::2])
    x = phantom(frozen(a))
    assert (x.shape, x.dtype, x.strides) == (a.shape, a.dtype, a.strides) and isinstance(x, cupy.ndarray)
