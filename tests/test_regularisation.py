"""Dropout: what is dropped and what is kept, when, and which random numbers decide."""

import math

import numpy as np
import pytest

import tinygrad_nuc as tn
from tinygrad_nuc import nn
from tinygrad_nuc.nn import functional as F


@pytest.fixture(autouse=True)
def seeded():
    tn.manual_seed(0)


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_values_are_dropped_with_probability_p_and_the_mean_stays(p):
    n = 100_000
    y = F.dropout(tn.ones(n).double(), p).numpy()
    assert set(np.unique(y)) == {0, 1 / (1 - p)}
    assert abs(np.mean(y == 0) - p) < 5 * math.sqrt(p * (1 - p) / n)
    assert abs(y.mean() - 1) < 5 * math.sqrt(p / (1 - p) / n)


def test_the_gradient_passes_where_the_value_did():
    x = tn.tensor(np.arange(1.0, 101.0), requires_grad=True)
    y = F.dropout(x, 0.25)
    y.sum().backward()
    np.testing.assert_allclose(x.grad.numpy(), y.numpy() / x.numpy(), rtol=1e-15)
    assert set(np.unique(x.grad.numpy())) == {0, 1 / 0.75}


def test_the_same_seed_drops_the_same_and_the_next_call_something_else():
    layer, x = nn.Dropout(0.5), tn.ones(1000)
    first, second = layer(x), layer(x)
    tn.manual_seed(0)
    assert np.array_equal(layer(x).data, first.data)
    assert 350 < np.sum(first.data != second.data) < 650


def test_nothing_is_dropped_in_evaluation_and_no_random_number_is_used():
    model, x = nn.Sequential(nn.Dropout(0.5), nn.Dropout2d(0.5)), tn.ones(2, 3, 4, 4)
    assert model.eval()(x) is x and F.dropout(x, 0.5, training=False) is x and F.dropout(x, 0.0) is x
    following = tn.rand(3)
    tn.manual_seed(0)
    assert np.array_equal(tn.rand(3).numpy(), following.numpy())
    assert (model.train()(x).numpy() == 0).any()


def test_everything_can_be_dropped():
    x = tn.tensor([1.0, -2.0], requires_grad=True)
    y = nn.Dropout(1)(x)
    y.sum().backward()
    assert y.tolist() == x.grad.tolist() == [0, 0]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_dtype_stays(dtype):
    assert F.dropout(tn.ones(3, dtype=dtype), 0.3).dtype == F.dropout2d(tn.ones(1, 1, 1, 1, dtype=dtype), 0.3).dtype == dtype


def test_dropout2d_drops_whole_channels():
    y = nn.Dropout2d(0.25)(tn.ones(200, 50, 2, 3).double()).numpy()
    assert np.array_equal(y, np.broadcast_to(y[:, :, :1, :1], y.shape))
    assert set(np.unique(y)) == {0, 1 / 0.75}
    assert abs(np.mean(y == 0) - 0.25) < 5 * math.sqrt(0.25 * 0.75 / 10_000)


def test_inplace_changes_no_value():
    x = tn.ones(10)
    y = nn.Dropout(0.5, inplace=True)(x)
    assert (x.numpy() == 1).all() and (y.numpy() != 1).all()


@pytest.mark.parametrize("p", [-0.1, 1.5, math.nan])
@pytest.mark.parametrize("call", [nn.Dropout, nn.Dropout2d, lambda p: F.dropout(tn.ones(3), p), lambda p: F.dropout(tn.ones(3), p, training=False)])
def test_what_is_no_probability_is_refused(call, p):
    with pytest.raises(ValueError, match=f"ropout(2d)?: p is the probability that a value is dropped, from 0 to 1, not {p}"):
        call(p)


@pytest.mark.parametrize(("x", "message"), [(tn.ones(1, 1, 2, 2).long(), r"the input must be of a floating-point type, not int64"), (np.ones((1, 1, 2, 2)), "the input is a ndarray, not a tensor")])
@pytest.mark.parametrize("training", [True, False])
def test_what_cannot_be_scaled_is_refused(x, message, training):
    for name in ("dropout", "dropout2d"):
        with pytest.raises(TypeError, match=f"^{name}: {message}"):
            getattr(F, name)(x, training=training)


def test_dropout2d_refuses_what_are_no_images():
    with pytest.raises(ValueError, match=r"dropout2d: expects images of shape \(N, C, H, W\), not \(3, 4, 4\)"):
        F.dropout2d(tn.ones(3, 4, 4))
