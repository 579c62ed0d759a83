"""Pooling: which pixel gets the gradient, what counts as largest, and what is refused.

What the layers compute with every setting is compared with PyTorch in pytorch_cases/images.py.
"""

import numpy as np
import pytest

import tinygrad_nuc as tn
from tinygrad_nuc import nn
from tinygrad_nuc.nn import functional as F

INF, NAN = np.inf, np.nan


def image(rows, requires_grad=False):
    return tn.tensor(np.array([rows], np.float64), requires_grad=requires_grad)


def gradient(y, x, g=None):
    return tn.grad(y, x, tn.ones_like(y) if g is None else tn.tensor(np.array([g])))[0].tolist()[0]


def test_of_equal_pixels_the_first_gets_the_gradient():
    x = image([[1, 2, 2, 0], [2, 2, 2, 2]], requires_grad=True)
    assert gradient(F.max_pool2d(x, 2), x) == [[0, 1, 1, 0], [0, 0, 0, 0]]
    assert gradient(F.max_pool2d(x, 2, stride=1), x) == [[0, 2, 1, 0], [0, 0, 0, 0]]         # the first pixel of two windows
    assert gradient(F.max_pool2d(x, (2, 4)), x) == [[0, 1, 0, 0], [0, 0, 0, 0]]


def test_an_infinite_gradient_reaches_one_pixel_only():
    x = image([[1, 2], [3, 0]], requires_grad=True)
    assert gradient(F.max_pool2d(x, 2), x, [[INF]]) == [[0, 0], [INF, 0]]


def test_padding_is_never_the_largest():
    x = image([[-1, -2], [-3, -4]], requires_grad=True)
    y = F.max_pool2d(x, 2, padding=1)
    assert y.tolist() == [[[-1, -2], [-3, -4]]]
    assert gradient(y, x) == [[1, 1], [1, 1]]
    assert F.max_pool2d(image([[-INF, -INF]]), 2, 1, 1, return_indices=True)[1].tolist() == [[[0, 0, 1], [0, 0, 1]]]


def test_nan_counts_as_largest_and_gets_the_gradient():
    x = image([[1, NAN, 3, 0], [NAN, 9, 1, 2]], requires_grad=True)
    y, where = F.max_pool2d(x, 2, return_indices=True)
    np.testing.assert_array_equal(y.numpy(), [[[NAN, 3]]])
    assert where.tolist() == [[[4, 2]]] and where.dtype == np.int64                        # the last NaN, as in PyTorch
    assert gradient(y, x) == [[0, 0, 1, 0], [1, 0, 0, 0]]


def test_indices_say_where_each_value_comes_from():
    x = tn.tensor(np.random.default_rng(0).normal(size=(2, 3, 6, 7)))
    y, where = nn.MaxPool2d(3, stride=2, padding=1, return_indices=True)(x)
    np.testing.assert_array_equal(np.take_along_axis(x.numpy().reshape(2, 3, 42), where.numpy().reshape(2, 3, -1), 2), y.numpy().reshape(2, 3, -1))
    assert not where.requires_grad


def test_a_change_of_the_image_between_the_passes_is_noticed():
    x = image([[1, 2], [3, 0]], requires_grad=True)
    y = F.max_pool2d(x, 2).sum()
    with tn.no_grad():
        x[0, 0, 0] = 5.0
    with pytest.raises(RuntimeError, match="changed in place"):
        y.backward()


def test_the_mean_of_windows_beside_each_other_is_that_of_the_image():
    x = tn.tensor(np.random.default_rng(0).normal(size=(2, 3, 6, 8)))
    assert F.avg_pool2d(x, (3, 4)).mean().item() == pytest.approx(x.mean().item(), rel=1e-14)


def test_only_pixels_inside_are_averaged_if_padding_does_not_count():
    ones = tn.ones(1, 5, 4)
    assert F.avg_pool2d(ones, 3, 2, 1, ceil_mode=True, count_include_pad=False).tolist() == [[[1, 1, 1]] * 3]
    np.testing.assert_allclose(F.avg_pool2d(ones, 3, 2, 1).numpy(), [np.outer([2, 3, 2], [2, 3]) / 9], rtol=1e-6)


@pytest.mark.parametrize("pool", [F.max_pool2d, F.avg_pool2d])
def test_float32_stays_and_an_empty_batch_stays_empty(pool):
    x = tn.zeros(2, 3, 4, 4, requires_grad=True)
    y = pool(x, 2)
    y.sum().backward()
    assert y.dtype == x.grad.dtype == np.float32
    assert pool(x[:0], 3, 1).shape == (0, 3, 2, 2)


@pytest.mark.parametrize("pool", [F.max_pool2d, F.avg_pool2d])
@pytest.mark.parametrize(("x", "settings", "kind", "message"), [
    (tn.zeros(4, 4), {"kernel_size": 2}, ValueError, r"images of shape \(N, C, H, W\) or \(C, H, W\), not \(4, 4\)"),
    (tn.zeros(1, 4, 4), {"kernel_size": 5}, ValueError, "spans 5 × 5 pixels does not fit into an image of 4 × 4 with padding"),
    (tn.zeros(1, 4, 4), {"kernel_size": 0}, ValueError, "kernel_size must be a whole number of at least 1"),
    (tn.zeros(1, 4, 4), {"kernel_size": 2, "stride": 0}, ValueError, "stride must be a whole number of at least 1"),
    (tn.zeros(1, 4, 4), {"kernel_size": 3, "padding": 2}, ValueError, r"padding 2 is too much for windows of 3 × 3 pixels.*\(1, 4, 4\).*half"),
    (tn.zeros(1, 4, 4), {"kernel_size": 2, "padding": "same"}, ValueError, "padding must be a whole number of at least 0"),
    (tn.zeros(1, 4, 4).long(), {"kernel_size": 2}, TypeError, r"floating-point type, not int64: write x.float\(\)"),
    (np.zeros((1, 4, 4)), {"kernel_size": 2}, TypeError, r"ndarray, not a tensor: write tn.tensor\(x\)"),
])
def test_what_cannot_be_pooled_is_refused(pool, x, settings, kind, message):
    with pytest.raises(kind, match=f"^{pool.__name__}: .*{message}"):
        pool(x, **settings)


@pytest.mark.parametrize("pool", [F.max_pool2d, F.avg_pool2d])
def test_with_ceil_mode_an_image_may_be_a_little_smaller_than_a_window(pool):
    assert pool(tn.tensor([[[3.0, 1.0], [2.0, 2.0]]]), 3, 2, ceil_mode=True).tolist() == [[[3.0 if pool is F.max_pool2d else 2.0]]]
    with pytest.raises(ValueError, match=f"{pool.__name__}: a window that spans 4 × 4 pixels does not fit"):
        pool(tn.zeros(1, 2, 2), 4, 2, ceil_mode=True)


@pytest.mark.parametrize(("n", "places"), [(4, 2), (5, 3), (6, 3), (7, 4)])
def test_ceil_mode_adds_a_window_only_where_pixels_are_left(n, places):
    assert F.max_pool2d(tn.zeros(1, n, n), 2, ceil_mode=True).shape == F.avg_pool2d(tn.zeros(1, n, n), 2, ceil_mode=True).shape == (1, places, places)


def test_a_mean_in_float16_needs_no_sum_in_float16():
    y = F.avg_pool2d(tn.tensor(np.full((1, 8, 8), 3000, np.float16)), 8)
    assert y.dtype == np.float16 and y.tolist() == [[[3000.0]]]


@pytest.mark.parametrize("layer", [nn.MaxPool2d, nn.AvgPool2d])
@pytest.mark.parametrize(("settings", "message"), [({"kernel_size": 0}, "kernel_size must be a whole number of at least 1"), ({"kernel_size": (2, 2, 2)}, "kernel_size"),
                                                   ({"kernel_size": 2, "stride": 0}, "stride must be"), ({"kernel_size": 2, "padding": -1}, "padding must be a whole number of at least 0")])
def test_a_layer_that_can_pool_nothing_is_refused_when_it_is_made(layer, settings, message):
    with pytest.raises(ValueError, match=f"^{layer.__name__}: {message}"):
        layer(**settings)


def test_the_settings_of_a_layer_reach_the_function():
    x = tn.tensor(np.random.default_rng(0).normal(size=(2, 3, 7, 7)))
    np.testing.assert_array_equal(nn.MaxPool2d(2, 2, 1, 2)(x).numpy(), F.max_pool2d(x, 2, 2, 1, 2).numpy())
    np.testing.assert_array_equal(nn.AvgPool2d(2, 2, 1, divisor_override=3)(x).numpy(), F.avg_pool2d(x, 2, 2, 1, divisor_override=3).numpy())
    assert nn.MaxPool2d(2, 2, 1, 2)(x).shape == (2, 3, 4, 4)


def test_a_window_without_any_pixel_and_a_division_by_zero_are_refused():
    with pytest.raises(ValueError, match="max_pool2d: .*every window has a pixel of the image"):
        F.max_pool2d(tn.zeros(1, 1, 1), 2, padding=1, dilation=2)
    with pytest.raises(ValueError, match="avg_pool2d: divisor_override must not be 0"):
        F.avg_pool2d(tn.zeros(1, 4, 4), 2, divisor_override=0)
