"""Clipping and flat vectors of parameters: what tests/pytorch_cases/nn_utils.py does not compare with PyTorch."""

import warnings

import numpy as np
import pytest
from device_guard import GuardArray, waits

import tinygrad_nuc as tn
from tinygrad_nuc import nn
from tinygrad_nuc.nn.utils import clip_grad_norm_, clip_grad_value_, parameters_to_vector, vector_to_parameters


def with_gradients(*gradients, dtype=np.float64, wrap=np.array):
    """A parameter for each of the gradients."""
    parameters = [nn.Parameter(tn.tensor(wrap(np.zeros_like(g, dtype)))) for g in gradients]
    for p, g in zip(parameters, gradients, strict=True):
        p.grad = tn.tensor(wrap(np.array(g, dtype)))
    return parameters


@pytest.mark.parametrize("norm_type", [2, 1, 3.5, np.inf])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("size", [1e-30, 1.0, 1e30])
def test_the_norm_neither_over_nor_underflows(size, dtype, norm_type):
    parameters = with_gradients([3.0 * size, 4.0 * size], [[12.0 * size]], dtype=dtype)
    norm = clip_grad_norm_(parameters, np.inf, norm_type)
    expected = np.linalg.norm([3.0, 4.0, 12.0], norm_type) * size
    assert norm.dtype == dtype and norm.item() == pytest.approx(expected, rel=1e-6)
    assert parameters[0].grad.tolist() == [dtype(3.0 * size), dtype(4.0 * size)]            # infinity only measures
    clip_grad_norm_(parameters, 1.0, norm_type)
    np.testing.assert_allclose([*parameters[0].grad.numpy(), parameters[1].grad.item()],
                               np.array([3.0, 4.0, 12.0]) * size * min(1, 1 / (expected + 1e-6)), rtol=1e-6)


def test_the_gradient_stays_the_same_tensor_and_its_change_is_noticed():
    w = nn.Parameter(tn.tensor([3.0, 4.0]))
    (w * w).sum().backward(create_graph=True)
    gradient = w.grad
    y = gradient * gradient
    clip_grad_norm_(w, 1.0)
    assert w.grad is gradient
    with pytest.raises(RuntimeError, match="changed in place"):
        y.sum().backward()
    w.grad = None


def test_a_norm_of_zero_and_parameters_without_a_gradient():
    parameters = [*with_gradients([0.0, 0.0]), nn.Parameter(tn.ones(2))]
    assert clip_grad_norm_(parameters, 1.0).item() == 0.0 and parameters[0].grad.tolist() == [0.0, 0.0]
    clip_grad_value_(parameters, 1.0)
    assert parameters[1].grad is None
    assert clip_grad_norm_([parameters[1]], 1.0).item() == clip_grad_norm_([], 1.0).item() == 0.0
    assert clip_grad_norm_(with_gradients(np.zeros((0, 3)), [3.0, -4.0]), 1.0).item() == 5.0


def test_every_gradient_keeps_its_dtype():
    parameters = [*with_gradients([3.0], dtype=np.float32), *with_gradients([4.0], dtype=np.float64)]
    assert clip_grad_norm_(parameters, 1.0).item() == 5.0
    assert [p.grad.dtype for p in parameters] == [np.float32, np.float64]


@pytest.mark.parametrize("wrong", [np.nan, np.inf, -np.inf])
def test_what_is_not_finite_is_refused_before_anything_changes(wrong):
    parameters = with_gradients([30.0, 40.0], [[1.0, wrong]])
    with pytest.raises(RuntimeError, match=r"clip_grad_norm_: gradient 1, of shape \(1, 2\), holds a NaN or an infinity"):
        clip_grad_norm_(parameters, 1.0, error_if_nonfinite=True)
    assert parameters[0].grad.tolist() == [30.0, 40.0]
    assert not np.isfinite(clip_grad_norm_(parameters, np.inf).item()) and parameters[0].grad.tolist() == [30.0, 40.0]


def test_finite_gradients_whose_squares_overflow_are_not_refused():
    assert clip_grad_norm_(with_gradients([3e200, 4e200]), 1.0, error_if_nonfinite=True).item() == pytest.approx(5e200)


@pytest.mark.parametrize(("dtype", "large"), [(np.float16, 6e4), (np.float32, 3e38)])
def test_finite_gradients_whose_norm_overflows_are_shortened_and_do_not_vanish(dtype, large):
    parameters = with_gradients([large, -large], dtype=dtype)
    with pytest.raises(RuntimeError, match=f"the gradients are finite, but their norm is too large for {np.dtype(dtype)}$"):
        clip_grad_norm_(parameters, 1.0, error_if_nonfinite=True)
    assert parameters[0].grad.tolist() == [float(dtype(large)), -float(dtype(large))]
    norm = clip_grad_norm_(parameters, 1.0)
    assert norm.item() == np.inf and norm.dtype == parameters[0].grad.dtype == dtype
    np.testing.assert_allclose(parameters[0].grad.numpy().astype(float), np.sqrt([0.5, 0.5]) * [1, -1], rtol=1e-3 if dtype is np.float16 else 1e-6)


def test_a_norm_too_large_for_float64_is_refused_on_demand():
    parameters = with_gradients([1e308] * 4)
    with pytest.raises(RuntimeError, match="their norm is too large for float64"):
        clip_grad_norm_(parameters, 1.0, error_if_nonfinite=True)
    assert parameters[0].grad.tolist() == [1e308] * 4


def test_a_half_precision_sum_of_many_gradients():
    parameters = with_gradients(np.full(70_000, 0.01), dtype=np.float16)
    assert clip_grad_norm_(parameters, 1.0).item() == np.float16(0.01 * np.sqrt(70_000))
    np.testing.assert_allclose(parameters[0].grad.numpy().astype(float), 1 / np.sqrt(70_000), rtol=1e-3)


def test_a_generator_that_is_used_up_is_noticed():
    model = nn.Linear(2, 1)
    parameters = model.parameters()
    list(parameters)
    for clip in (clip_grad_norm_, clip_grad_value_):
        with pytest.warns(UserWarning, match=f"{clip.__name__}: there are no parameters; a generator") as caught:
            clip(parameters, 1.0)
        assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        clip_grad_value_([], 1.0)


@pytest.mark.host("has a device of its own")
def test_clipping_on_a_device_waits_for_nothing():
    parameters = with_gradients([3.0, 4.0], [[12.0]], wrap=GuardArray)
    waits.clear()
    norm = clip_grad_norm_(parameters, 1.0)
    clip_grad_value_(parameters, 0.5)
    assert waits == []
    np.testing.assert_allclose([norm.data.get(), *parameters[0].grad.data.get()], [13, 3 / 13, 4 / 13], rtol=1e-6)
    assert parameters[1].grad.data.get().tolist() == [[0.5]]


# ---------------------------------------------------------------------- vectors

def test_there_and_back():
    model = nn.Sequential(nn.Linear(3, 2), nn.Tanh(), nn.Linear(2, 1))
    before = {name: t.clone() for name, t in model.state_dict().items()}
    vector = parameters_to_vector(model.parameters())
    assert vector.tolist() == [x for t in before.values() for x in t.reshape(-1).tolist()]
    vector_to_parameters(tn.zeros(11), model.parameters())
    assert not any(p.numpy().any() for p in model.parameters())
    vector_to_parameters(vector.detach(), model.parameters())
    assert all((model.state_dict()[name] == t).all() for name, t in before.items())


def test_the_parameters_stay_the_same_objects_with_memory_and_dtype_of_their_own():
    model = nn.Linear(2, 1)
    weight, memory, vector = model.weight, model.weight.data, np.array([1.0, 2.0, 3.0])
    vector_to_parameters(vector, model.parameters())
    vector[:] = 7
    assert model.weight is weight and weight.data is memory and weight.dtype == np.float32 and weight.tolist() == [[1.0, 2.0]]
    y = (weight * weight).sum()
    vector_to_parameters(vector, model.parameters())
    with pytest.raises(RuntimeError, match="changed in place"):
        y.backward()


@pytest.mark.parametrize("vector", [tn.zeros(2), tn.zeros(4), tn.zeros(3, 1), tn.tensor(0.0)])
def test_a_vector_of_another_length_is_refused_and_nothing_changes(vector):
    model = nn.Linear(2, 1)
    before = model.weight.tolist()
    with pytest.raises(ValueError, match=r"vector_to_parameters: the parameters have 3 values, and need a vector of shape \(3,\)"):
        vector_to_parameters(vector, model.parameters())
    assert model.weight.tolist() == before


@pytest.mark.parametrize(("wrong", "message"), [
    (lambda p: clip_grad_norm_(p, -1.0), "max_norm must be at least 0, not -1"), (lambda p: clip_grad_norm_(p, np.nan), "max_norm must be at least 0"),
    (lambda p: clip_grad_norm_(p, 1.0, 0), "norm_type must be above 0, not 0"), (lambda p: clip_grad_value_(p, -1), "clip_value must be at least 0"),
])
def test_settings_that_make_no_sense_are_refused(wrong, message):
    parameters = with_gradients([3.0])
    with pytest.raises(ValueError, match=message):
        wrong(parameters)
    assert parameters[0].grad.tolist() == [3.0]
