"""Every operation in the registry: its values, both derivatives, dtypes, shapes, buffers, and its manners on a device."""

import inspect

import numpy as np
import pytest
from device_guard import GuardArray, waits
from hypothesis import given, settings
from hypothesis import strategies as st
from operation_samples import SAMPLES

import tinygrad_nuc as tn
from tinygrad_nuc.engine.registry import table

OPERATIONS = vars(table)


def every_operation(test):
    """Parametrise over the registry, and draw samples for the operation at hand."""
    @pytest.mark.parametrize("name", OPERATIONS)
    @given(data=st.data())
    def run(name, data):
        operation = OPERATIONS[name]
        arrays, options = data.draw(SAMPLES[operation].strategy)
        test(operation, arrays, options)
    run.__doc__, run.check = test.__doc__, test         # the check by itself, for tests/mutate.py
    return run


def differentiable(operation, i):
    """Whether the operation has a derivative in its i-th input."""
    return operation.derivatives(i + 1)[i] is not None


def leaves(operation, arrays, wrap=np.array):
    return [tn.tensor(wrap(a), requires_grad=differentiable(operation, i)) for i, a in enumerate(arrays)]


def there(options):
    """Arrays among the settings (indices) are where new tensors are made: on the host, without --device."""
    def move(x):
        return tn.tensor(x).data if isinstance(x, np.ndarray) else tuple(map(move, x)) if isinstance(x, tuple) else x
    return {name: move(value) for name, value in options.items()}


def first_derivatives(operation, inputs, options, create_graph=False):
    y = operation.apply(*inputs, **there(options))
    active = [x for x in inputs if x.requires_grad]
    ones = tn.Tensor(np.ones_like(y.data))
    return y, tn.grad(y, active, ones, create_graph=create_graph)


def assert_same(operation, a, b):
    """Equal to the last bit; but in which order BLAS sums the products of an einsum depends on where they lie in memory."""
    tolerance = 1e-13 if operation is table.Einsum else 0
    np.testing.assert_allclose(a, b, rtol=tolerance, atol=tolerance)


def test_the_samples_cover_the_registry_exactly():
    assert set(SAMPLES) == set(OPERATIONS.values())


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_states_its_formula_and_can_be_differentiated(name):
    operation = OPERATIONS[name]
    assert inspect.getdoc(operation) and ("=" in operation.__doc__)
    assert any(differentiable(operation, i) for i in range(len(operation.arguments)))


@every_operation
def test_values_equal_numpy(operation, arrays, options):
    expected = SAMPLES[operation].reference(*arrays, **options)
    y = operation.apply(*leaves(operation, arrays), **there(options))
    assert y.shape == expected.shape and y.dtype == np.float64
    np.testing.assert_allclose(y.numpy(), expected, rtol=1e-13, atol=1e-13)
    assert y.operation is operation and y.requires_grad


@pytest.mark.host("arrays without a tensor")
@every_operation
def test_arrays_give_arrays(operation, arrays, options):
    y = operation.apply(*arrays, **options)
    assert not isinstance(y, tn.Tensor)
    np.testing.assert_allclose(y, SAMPLES[operation].reference(*arrays, **options), rtol=1e-13, atol=1e-13)


@every_operation
def test_first_derivative_equals_central_differences(operation, arrays, options):
    assert tn.gradcheck(lambda *x: operation.apply(*x, **there(options)), leaves(operation, arrays),
                        eps=1e-5, atol=1e-8, rtol=1e-7)


@settings(max_examples=settings().max_examples // 2)
@every_operation
def test_second_derivative_equals_central_differences(operation, arrays, options):
    assert tn.gradgradcheck(lambda *x: operation.apply(*x, **there(options)), leaves(operation, arrays),
                            eps=1e-5, atol=1e-7, rtol=1e-6)


@every_operation
def test_recording_the_backward_pass_does_not_change_it(operation, arrays, options):
    _, plain = first_derivatives(operation, leaves(operation, arrays), options)
    _, recorded = first_derivatives(operation, leaves(operation, arrays), options, create_graph=True)
    for p, r in zip(plain, recorded, strict=True):
        assert_same(operation, p.numpy(), r.numpy())


@every_operation
def test_float32_stays_float32(operation, arrays, options):
    options = {**options, "dtype": np.dtype(np.float32)} if "dtype" in options else options
    single = [a.astype(np.float32) if a.dtype == np.float64 else a for a in arrays]
    inputs = leaves(operation, single)
    y, gradients = first_derivatives(operation, inputs, options)
    assert y.dtype == np.float32
    _, expected = first_derivatives(operation, leaves(operation, arrays), options)
    for x, g, e in zip([x for x in inputs if x.requires_grad], gradients, expected, strict=True):
        assert (g.shape, g.dtype) == (x.shape, np.float32)
        np.testing.assert_allclose(g.numpy(), e.numpy(), rtol=1e-4, atol=1e-4)


@every_operation
def test_gradients_have_the_dtype_of_their_tensor_when_inputs_differ(operation, arrays, options):
    mixed = [a.astype(np.float32) if i == 0 and a.dtype == np.float64 else a for i, a in enumerate(arrays)]
    inputs = leaves(operation, mixed)
    _, gradients = first_derivatives(operation, inputs, options)
    for x, g in zip([x for x in inputs if x.requires_grad], gradients, strict=True):
        assert (g.shape, g.dtype) == (x.shape, x.dtype)


@every_operation
def test_no_two_tensors_share_a_buffer(operation, arrays, options):
    inputs = leaves(operation, arrays)
    y = operation.apply(*inputs, **there(options))
    seed = tn.ones_like(y)
    y.backward(seed)
    buffers = [x.grad.data for x in inputs if x.requires_grad] + [seed.data, y.data]
    for i, a in enumerate(buffers):
        for b in buffers[:i]:
            assert not np.shares_memory(a, b)
        for x in inputs:
            assert a is y.data or not np.shares_memory(a, x.data)


def on_device(options):
    """Arrays among the settings (indices) are on the device as well."""
    def move(x):
        return GuardArray(x) if isinstance(x, np.ndarray) else tuple(map(move, x)) if isinstance(x, tuple) else x
    return {name: move(value) for name, value in options.items()}


@pytest.mark.host("has a device of its own")
@every_operation
def test_on_a_device_nothing_leaves_it(operation, arrays, options):
    expected_y, expected = first_derivatives(operation, leaves(operation, arrays), options)
    waits.clear()
    y, gradients = first_derivatives(operation, leaves(operation, arrays, GuardArray), on_device(options))
    _, recorded = first_derivatives(operation, leaves(operation, arrays, GuardArray), on_device(options), True)
    assert waits == []
    for device, host in zip([y, *gradients, *recorded], [expected_y, *expected, *expected], strict=True):
        assert isinstance(device.data, GuardArray)
        assert_same(operation, device.data.get(), host.data)
