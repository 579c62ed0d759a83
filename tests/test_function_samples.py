"""Every function composed of operations: values beside NumPy's, both derivatives, float32, and its manners on a device."""

import importlib
import pkgutil

import function_samples
import numpy as np
import pytest
from device_guard import GuardArray, waits

import tinygrad_nuc as tn

CALLS = {}
for _module in pkgutil.iter_modules(function_samples.__path__):
    for _name, _call in importlib.import_module(f"function_samples.{_module.name}").CALLS.items():
        assert _name not in CALLS, f"two calls are named {_name}"
        CALLS[_name] = _call

every_call = pytest.mark.parametrize("name", CALLS)


def leaves(arrays, wrap=np.array):
    return [tn.tensor(wrap(a), requires_grad=a.dtype.kind == "f") for a in arrays]


def as_list(results):
    return list(results) if isinstance(results, (tuple, list)) else [results]


def results_and_gradients(call, inputs, create_graph=False):
    """What the call returns, and the gradients of the sum of all of it."""
    ys = [y for y in as_list(call(*inputs)) if y.dtype.kind == "f"]
    active = [x for x in inputs if x.requires_grad]
    return [*ys, *tn.grad(ys, active, [tn.Tensor(np.ones_like(y.data)) for y in ys], create_graph=create_graph)]


@every_call
def test_values_equal_numpys(name):
    call, arrays, reference, _ = CALLS[name]
    found, expected = as_list(call(*leaves(arrays))), as_list((reference or call)(*arrays))
    assert len(found) == len(expected)
    for y, e in zip(found, expected, strict=True):
        assert isinstance(y, tn.Tensor) and y.shape == np.shape(e) and y.dtype == np.asarray(e).dtype
        assert y.requires_grad == (y.dtype.kind == "f")
        np.testing.assert_allclose(y.numpy(), e, rtol=3e-15, atol=3e-15)


@every_call
def test_both_derivatives_equal_central_differences(name):
    call, arrays, *_ = CALLS[name]

    def floats(*x):
        return [y for y in as_list(call(*x)) if y.dtype.kind == "f"]
    assert tn.gradcheck(floats, leaves(arrays), eps=1e-5, atol=1e-8, rtol=1e-7)
    assert tn.gradgradcheck(floats, leaves(arrays), eps=1e-5, atol=1e-7, rtol=1e-6)


@every_call
def test_float32_stays_float32(name):
    call, arrays, *_ = CALLS[name]
    single = [a.astype(np.float32) if a.dtype == np.float64 else a for a in arrays]
    found = results_and_gradients(call, leaves(single))
    for f, e in zip(found, results_and_gradients(call, leaves(arrays)), strict=True):
        assert f.dtype == np.float32
        np.testing.assert_allclose(f.numpy(), e.numpy(), rtol=1e-4, atol=1e-4)


@every_call
def test_on_a_device_nothing_leaves_it(plain_gpu, name):
    call, arrays, *_ = CALLS[name]
    expected = results_and_gradients(call, leaves(arrays))
    for create_graph in (False, True):
        waits.clear()
        found = results_and_gradients(call, leaves(arrays, GuardArray), create_graph)
        assert waits == [] or CALLS[name].waits_on_device
        for f, e in zip(found, expected, strict=True):
            assert isinstance(f.data, GuardArray)
            np.testing.assert_array_equal(f.data.get(), e.data)
