"""Initialisation: mean, variance, shape and bounds of what each scheme draws, within 5 standard errors.

With N draws of variance σ² and kurtosis κ, the mean scatters by σ/√N and the variance by σ² √((κ − 1)/N);
κ = 9/5 for a uniform and 3 for a normal distribution, which also tells the two apart.
"""

import math

import numpy as np
import pytest

import tinygrad_nuc as tn
from tinygrad_nuc import nn
from tinygrad_nuc.nn import init

OUT, IN = 200, 300
UNIFORM, NORMAL = 9 / 5, 3.0


def assert_moments(x, mean, std, kurtosis):
    """Mean, variance and kurtosis of the draws `x` (dtype float32 is converted first)."""
    x = np.asarray(x, np.float64).ravel()
    n, z = x.size, (x.ravel() - mean) / std
    assert abs(z.mean()) < 5 / math.sqrt(n)
    assert abs(z.var() - 1) < 5 * math.sqrt((kurtosis - 1) / n)
    eighth = {UNIFORM: 9.0, NORMAL: 105.0}[kurtosis]            # E z⁸
    assert abs(np.mean(z**4) - kurtosis) < 5 * math.sqrt((eighth - kurtosis**2) / n)


def fresh(*shape):
    tn.manual_seed(7)
    return tn.zeros(*(shape or (OUT, IN)))


# --- the schemes --------------------------------------------------------------------------------------


@pytest.mark.parametrize(("fill", "bound"), [
    (lambda w: init.uniform_(w, -2, 2), 2.0),
    (lambda w: init.xavier_uniform_(w), math.sqrt(6 / 500)),
    (lambda w: init.xavier_uniform_(w, gain=5 / 3), 5 / 3 * math.sqrt(6 / 500)),
    (lambda w: init.kaiming_uniform_(w), math.sqrt(6 / 300)),
    (lambda w: init.kaiming_uniform_(w, mode="fan_out"), math.sqrt(6 / 200)),
    (lambda w: init.kaiming_uniform_(w, nonlinearity="linear"), math.sqrt(3 / 300)),
    (lambda w: init.kaiming_uniform_(w, a=2.0), math.sqrt(6 / (1 + 4) / 300)),
], ids=["plain", "xavier", "xavier with gain", "kaiming", "fan-out", "linear", "leaky"])
def test_a_uniform_scheme_fills_its_bounds(fill, bound):
    w = fill(fresh()).numpy()
    assert_moments(w, 0, bound / math.sqrt(3), UNIFORM)
    gap = 20 * bound / w.size                                   # how far the extremes of so many draws stay away
    assert bound - gap < w.max() <= bound * (1 + 1e-6)
    assert bound - gap < -w.min() <= bound * (1 + 1e-6)


@pytest.mark.parametrize(("fill", "mean", "std"), [
    (lambda w: init.normal_(w), 0.0, 1.0),
    (lambda w: init.normal_(w, 3.0, 0.5), 3.0, 0.5),
    (lambda w: init.xavier_normal_(w), 0.0, math.sqrt(2 / 500)),
    (lambda w: init.xavier_normal_(w, gain=2.0), 0.0, 2 * math.sqrt(2 / 500)),
    (lambda w: init.kaiming_normal_(w), 0.0, math.sqrt(2 / 300)),
    (lambda w: init.kaiming_normal_(w, mode="fan_out", nonlinearity="relu"), 0.0, math.sqrt(2 / 200)),
    (lambda w: init.kaiming_normal_(w, nonlinearity="tanh"), 0.0, 5 / 3 / math.sqrt(300)),
    (lambda w: init.kaiming_normal_(w, a=0.5), 0.0, math.sqrt(2 / 1.25 / 300)),
], ids=["plain", "shifted", "xavier", "xavier with gain", "kaiming", "fan-out", "tanh", "leaky"])
def test_a_normal_scheme_has_its_mean_and_width(fill, mean, std):
    assert_moments(fill(fresh()).numpy(), mean, std, NORMAL)


def test_uniform_starts_at_0_to_1():
    w = init.uniform_(fresh()).numpy()
    assert 0 <= w.min() < 1e-3 and 1 - 1e-3 < w.max() < 1
    assert_moments(w, 0.5, math.sqrt(1 / 12), UNIFORM)


@pytest.mark.parametrize(("fill", "value"), [
    (init.zeros_, 0.0), (init.ones_, 1.0), (lambda w: init.constant_(w, -2.5), -2.5)])
def test_a_constant_scheme_fills_every_element(fill, value):
    assert np.array_equal(fill(tn.rand(3, 4)).numpy(), np.full((3, 4), value))


# --- orthogonal matrices ------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(5, 5), (3, 7), (7, 3), (1, 4), (4, 1), (6, 2, 3, 3), (20, 2, 3)])
@pytest.mark.parametrize("gain", [1.0, math.sqrt(2)])
def test_an_orthogonal_matrix_keeps_lengths_but_for_the_gain(shape, gain):
    w = init.orthogonal_(fresh(*shape).double(), gain).numpy().reshape(shape[0], -1)
    product = w @ w.T if w.shape[0] <= w.shape[1] else w.T @ w
    np.testing.assert_allclose(product, gain**2 * np.eye(min(w.shape)), atol=1e-12)


def test_an_orthogonal_matrix_of_float32_is_one_to_its_precision():
    w = init.orthogonal_(fresh(30, 20))
    assert w.dtype == np.float32
    np.testing.assert_allclose(w.numpy().T @ w.numpy(), np.eye(20), atol=1e-6)
    assert np.array_equal(w.numpy(), init.orthogonal_(fresh(30, 20)).numpy())


@pytest.mark.parametrize("shape", [(2, 2), (3, 4)])
def test_orthogonal_matrices_have_no_preferred_direction(shape):
    """Of the trace t of such a matrix, n × m, E t = 0 and E t² = n / m; with the signs that LAPACK gives, one of them fails."""
    tn.manual_seed(7)
    n, expected = 2000, shape[0] / shape[1]
    traces = np.array([np.trace(init.orthogonal_(tn.zeros(*shape)).numpy()) for _ in range(n)])
    assert abs(traces.mean()) < 5 * math.sqrt(expected / n)
    assert abs(np.mean(traces**2) - expected) < 5 * np.std(traces**2) / math.sqrt(n)


def test_nothing_can_be_orthogonal_too():
    assert init.orthogonal_(tn.zeros(0, 3)).shape == (0, 3)


# --- what the schemes have in common ------------------------------------------------------------------


def test_fans_of_a_filter_count_its_pixels():
    assert init.fans(tn.zeros(16, 3, 5, 5)) == (3 * 25, 16 * 25)


def test_kaiming_counts_the_pixels_of_a_filter():
    assert_moments(init.kaiming_normal_(fresh(64, 32, 3, 3)).numpy(), 0, math.sqrt(2 / (32 * 9)), NORMAL)


@pytest.mark.parametrize(("nonlinearity", "param", "gain"), [
    ("linear", None, 1.0),
    ("sigmoid", None, 1.0),
    ("tanh", None, 1.6666666666666667),
    ("relu", None, 1.4142135623730951),
    ("leaky_relu", None, 1.4141428569978354),
    ("leaky_relu", 0.2, 1.3867504905630728),
    ("leaky_relu", 1, 1.0),
    ("selu", None, 0.75),
])
def test_gains_are_pytorchs(nonlinearity, param, gain):
    assert init.calculate_gain(nonlinearity, param) == pytest.approx(gain, rel=1e-15)


def test_kaiming_keeps_the_size_of_a_relu_signal_through_twenty_layers():
    tn.manual_seed(7)
    x = tn.randn(200, 400)
    for _ in range(20):
        x = tn.relu(x @ init.kaiming_normal_(tn.zeros(400, 400), nonlinearity="relu").T)
    assert 0.1 < np.mean(x.numpy()**2) < 10                        # 1 times e^±0.5; a gain of 1 would give 1e-6


# --- where they write ---------------------------------------------------------------------------------


def test_a_scheme_fills_the_tensor_it_is_given_and_returns_it():
    w = nn.Parameter(tn.zeros(3, 4))
    array = w.data
    assert init.xavier_uniform_(w) is w
    assert w.data is array and np.all(w.numpy() != 0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_scheme_keeps_the_dtype_and_the_requirement_of_a_gradient(dtype):
    w = nn.Parameter(np.zeros((3, 4), dtype))
    init.kaiming_uniform_(w)
    assert w.dtype == dtype
    assert w.requires_grad and w.is_leaf


@pytest.mark.parametrize(("call", "message"), [
    (lambda: init.xavier_normal_(tn.zeros(3)), r"at least 2 dimensions, not shape \(3,\)"),
    (lambda: init.orthogonal_(tn.zeros(3)), r"orthogonal_: a matrix needs at least 2 dimensions, not shape \(3,\)"),
    (lambda: init.kaiming_uniform_(tn.zeros(3)), "at least 2 dimensions"),
    (lambda: init.kaiming_normal_(tn.zeros(3, 3), mode="fan_avg"), "mode must be 'fan_in' or 'fan_out', not 'fan_avg'"),
    (lambda: init.kaiming_normal_(tn.zeros(3, 3), nonlinearity="swish"), "unknown nonlinearity 'swish'"),
    (lambda: init.calculate_gain("swish"), "unknown nonlinearity 'swish'; choose one of linear, conv1d, conv2d, conv3d, sigmoid, tanh"),
])
def test_what_cannot_be_is_refused(call, message):
    with pytest.raises(ValueError, match=message):
        call()


@pytest.mark.parametrize("fill", [init.xavier_uniform_, init.xavier_normal_, init.kaiming_uniform_, init.kaiming_normal_, init.orthogonal_, init.uniform_])
@pytest.mark.parametrize("shape", [(3, 0), (0, 3), (0, 0)])
def test_what_is_empty_stays_so(fill, shape):
    w = tn.zeros(*shape)
    assert fill(w) is w and w.shape == shape


def test_orthogonal_needs_floats():
    with pytest.raises(TypeError, match="orthogonal_: the tensor must be of a floating-point type, not int64"):
        init.orthogonal_(tn.zeros(2, 2).long())


@pytest.mark.parametrize(("name", "param", "gain"), [("conv2d", None, 1.0), ("linear", None, 1.0), ("sigmoid", None, 1.0), ("selu", None, 0.75), ("leaky_relu", 0, math.sqrt(2)),
                                                     ("leaky_relu", None, math.sqrt(2 / 1.0001)), ("relu", None, math.sqrt(2)), ("tanh", None, 5 / 3)])
def test_gains(name, param, gain):
    assert init.calculate_gain(name, param) == pytest.approx(gain, rel=1e-15)


@pytest.mark.parametrize(("low", "high"), [(1, 0), (0, np.inf), (np.nan, 1), (0, 1e39), (-1e39, 0)])
def test_bounds_that_make_no_interval_are_refused(low, high):
    w = tn.ones(3)
    with pytest.raises(ValueError, match=r"uniform numbers of float32 need low ≤ high, both at most 3\.40282e\+38 in size, not"):
        init.uniform_(w, low, high)
    assert w.tolist() == [1, 1, 1]


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_uniform_numbers_stay_below_the_upper_bound(dtype, monkeypatch):
    """Of 1,000 numbers in float16, some round up to 1; that float64 rounds is rarer, and forced here."""
    tn.manual_seed(0)
    x = tn.zeros(100_000, dtype=dtype).uniform_(-1, 1)
    assert x.max().item() < 1 and x.min().item() >= -1 and x.dtype == dtype
    assert tn.rand(100_000, dtype=dtype).max().item() < 1
    from tinygrad_nuc.engine import generator

    class Highest:
        uniform = staticmethod(lambda low, high, shape: np.full(shape, np.nextafter(np.float64(high), 0) if dtype is not np.float64 else high))
    monkeypatch.setattr(generator, "_generator", Highest)
    assert tn.rand(2, dtype=dtype).tolist() == [float(np.nextafter(dtype(1), dtype(0)))] * 2
    assert tn.zeros(1, dtype=dtype).uniform_(3, 3).item() == 3


# --- layers -------------------------------------------------------------------------------------------


def test_weights_and_biases_of_linear_fill_one_over_root_fan_in():
    tn.manual_seed(7)
    layer = nn.Linear(25, 4000)
    assert_moments(layer.weight.numpy(), 0, 0.2 / math.sqrt(3), UNIFORM)
    assert_moments(layer.bias.numpy(), 0, 0.2 / math.sqrt(3), UNIFORM)
    assert 0.1998 < abs(layer.weight.numpy()).max() <= 0.2 * (1 + 1e-6)
    assert 0.199 < abs(layer.bias.numpy()).max() <= 0.2 * (1 + 1e-6)


@pytest.mark.parametrize("groups", [1, 2])
def test_weights_and_biases_of_a_convolution_fill_one_over_root_fan_in(groups):
    tn.manual_seed(7)
    layer = nn.Conv2d(10 * groups, 2000, (2, 5), groups=groups)                # 100 values in a window
    assert_moments(layer.weight.numpy(), 0, 0.1 / math.sqrt(3), UNIFORM)
    assert_moments(layer.bias.numpy(), 0, 0.1 / math.sqrt(3), UNIFORM)
    assert 0.0999 < abs(layer.weight.numpy()).max() <= 0.1 * (1 + 1e-6)
    assert 0.099 < abs(layer.bias.numpy()).max() <= 0.1 * (1 + 1e-6)


def test_an_embedding_starts_normal_and_a_normalisation_as_the_identity():
    tn.manual_seed(7)
    assert_moments(nn.Embedding(300, 200).weight.numpy(), 0, 1, NORMAL)
    for layer in (nn.BatchNorm1d(3), nn.BatchNorm2d(3), nn.LayerNorm(3)):
        assert layer.weight.tolist() == [1, 1, 1] and layer.bias.tolist() == [0, 0, 0]


def test_reset_parameters_draws_new_numbers_in_the_same_arrays():
    layer = nn.Linear(3, 4)
    weight, before = layer.weight.data, layer.weight.numpy().copy()
    layer.reset_parameters()
    assert layer.weight.data is weight
    assert not np.any(layer.weight.numpy() == before)


def weights_from(seed):
    tn.manual_seed(seed)
    model = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Maxout(4, 2))
    return np.concatenate([p.numpy().ravel() for p in model.parameters()])


def test_the_same_seed_gives_the_same_weights():
    assert np.array_equal(weights_from(1), weights_from(1))


def test_another_seed_gives_other_weights():
    assert not np.any(weights_from(1) == weights_from(2))
