"""Convolution: beside the same made of windows and one matrix product, at its borders, and what it refuses.

What the layer computes with every setting is compared with PyTorch in pytorch_cases/images.py.
"""

import math

import numpy as np
import pytest

import tinygrad_nuc as tn
from tinygrad_nuc import nn
from tinygrad_nuc.nn import functional as F


def draw(*shape, seed=0):
    return tn.tensor(np.random.default_rng(seed).normal(size=shape), requires_grad=True)


def composite(images, weight, bias, stride=1, padding=0, dilation=1):
    """The windows as columns, times the filters as rows: what `conv2d` computes, of operations with rules of their own."""
    columns = F.unfold(images, weight.shape[2:], dilation, padding, stride)
    places = [(n + 2 * padding - dilation * (p - 1) - 1) // stride + 1 for n, p in zip(images.shape[2:], weight.shape[2:], strict=True)]
    y = weight.reshape(len(weight), -1) @ columns + bias.reshape(-1, 1)
    return y.reshape(len(images), len(weight), *places)


@pytest.mark.parametrize("settings", [{}, {"stride": 2}, {"padding": 1}, {"dilation": 2}, {"stride": 3, "padding": 2, "dilation": 2}])
def test_convolution_equals_windows_times_weights_to_the_second_derivative(settings):
    inputs = draw(2, 3, 6, 7), draw(4, 3, 2, 3, seed=1), draw(4, seed=2)
    results = []
    for convolve in (F.conv2d, composite):
        y = convolve(*inputs, **settings)
        first = tn.grad((y * y * y).sum(), inputs, create_graph=True)
        second = tn.grad(sum((g * g).sum() for g in first), inputs)
        results.append([y, *first, *second])
    for found, expected in zip(*results, strict=True):
        np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=1e-11, atol=1e-11 * abs(expected.numpy()).max())


def test_only_what_is_asked_for_is_differentiated():
    layer = nn.Conv2d(1, 2, 3)
    y = layer(tn.zeros(1, 1, 4, 4))
    assert [x.shape for x, _ in y.receivers] == [(2, 1, 3, 3), (2,)]            # not the images


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_dtype_of_the_weights_stays(dtype):
    layer = nn.Conv2d(2, 3, 3, padding=1, dtype=dtype)
    x = tn.zeros(4, 2, 5, 5, dtype=dtype, requires_grad=True)
    y = layer(x)
    y.sum().backward()
    assert y.dtype == x.grad.dtype == layer.weight.grad.dtype == layer.bias.grad.dtype == dtype


def test_a_pattern_is_found_where_it_is():
    pattern = np.random.default_rng(0).normal(size=(3, 3))
    image = np.zeros((8, 9))
    image[4:7, 2:5] = pattern
    y = F.conv2d(tn.tensor(image[None, None]), tn.tensor(pattern[None, None])).numpy()[0, 0]
    assert np.unravel_index(y.argmax(), y.shape) == (4, 2) and y[4, 2] == pytest.approx((pattern ** 2).sum())


def test_same_padding_keeps_the_size_of_an_image_and_adds_an_odd_pixel_at_the_end():
    image, last = tn.tensor([[[1.0, 2.0, 3.0]]]), tn.tensor([[[[0.0, 1.0]]]])
    assert F.conv2d(image, last, padding="same").tolist() == [[[2.0, 3.0, 0.0]]]
    for size, dilation in ((1, 1), (2, 1), (3, 2), (4, 3)):
        assert nn.Conv2d(1, 1, size, padding="same", dilation=dilation)(tn.zeros(1, 9, 8)).shape == (1, 9, 8)


def test_windows_that_lie_in_the_padding_see_only_zeros():
    layer = nn.Conv2d(1, 2, 1, padding=1)
    y = layer(tn.ones(1, 1, 1, 1)).numpy()[0]
    assert y[:, 0].T.tolist() == [layer.bias.tolist()] * 3                      # the first row is all padding
    np.testing.assert_allclose(y[:, 1, 1], layer.weight.numpy()[:, 0, 0, 0] + layer.bias.numpy(), rtol=1e-6)


def test_a_filter_much_larger_than_the_image():
    layer = nn.Conv2d(1, 1, 6, padding=3, bias=False)
    y = layer(tn.ones(1, 1, 1))
    assert y.tolist() == [layer.weight.numpy()[0, 0, 3:1:-1, 3:1:-1].tolist()]


FITTING = tn.zeros(2, 3, 5, 4)


@pytest.mark.parametrize(("call", "kind", "message"), [
    (lambda c: c(tn.zeros(2, 4, 5, 4)), ValueError, r"input of shape \(2, 4, 5, 4\) does not fit weights of shape \(2, 3, 3, 3\).*\(N, 3, H, W\), or \(3, H, W\) for one"),
    (lambda c: c(tn.zeros(5, 4)), ValueError, r"input of shape \(5, 4\) does not fit"),
    (lambda c: c(tn.zeros(1, 2, 3, 5, 4)), ValueError, r"input of shape \(1, 2, 3, 5, 4\) does not fit"),
    (lambda c: c(tn.zeros(2, 3, 5, 2)), ValueError, "window that spans 3 × 3 pixels does not fit into an image of 5 × 2 with padding"),
    (lambda c: c(FITTING.double()), TypeError, r"input is float64 and the weights are float32.*\.float\(\) or \.double\(\)"),
    (lambda c: c(FITTING.long()), TypeError, "input is int64 and the weights are float32"),
    (lambda c: c(FITTING.data), TypeError, r"input is a \w+, not a tensor: write tn.tensor\(x\)"),
    (lambda c: F.conv2d(FITTING, c.weight, tn.zeros(3)), ValueError, r"bias has shape \(3,\), and the weight \(2, 3, 3, 3\); the bias must have shape \(2,\)"),
    (lambda c: F.conv2d(FITTING, c.weight, tn.zeros(2).double()), TypeError, "the weight is float32 and the bias is float64"),
    (lambda c: F.conv2d(FITTING, c.weight, [0.0, 0.0]), TypeError, "the bias is a list, not a tensor"),
    (lambda c: F.conv2d(FITTING, c.weight.data), TypeError, r"the weight is a \w+, not a tensor"),
    (lambda c: F.conv2d(FITTING, c.weight, groups=0), ValueError, "out_channels a multiple of groups = 0"),
    (lambda c: F.conv2d(FITTING, c.weight[0]), ValueError, r"weights have the shape \(out_channels, in_channels / groups, rows, columns\).*\(3, 3, 3\)"),
    (lambda c: F.conv2d(FITTING, c.weight, groups=3), ValueError, r"out_channels a multiple of groups = 3.*\(2, 3, 3, 3\)"),
    (lambda c: F.conv2d(FITTING, c.weight, stride=0), ValueError, "stride must be a whole number of at least 1, or two of them.* not 0"),
    (lambda c: F.conv2d(FITTING, c.weight, dilation=(1, 2.5)), ValueError, r"dilation must be a whole number.* not \(1, 2.5\)"),
    (lambda c: F.conv2d(FITTING, c.weight, padding=-1), ValueError, "padding must be a whole number of at least 0.* not -1"),
    (lambda c: F.conv2d(FITTING, c.weight, stride=2, padding="same"), ValueError, r"padding='same' needs a stride of 1, not \(2, 2\)"),
    (lambda c: F.conv2d(FITTING, c.weight, padding="half"), ValueError, "padding must be a number, two, 'same' or 'valid', not 'half'"),
])
def test_what_does_not_fit_is_refused(call, kind, message):
    with pytest.raises(kind, match=f"^conv2d: .*{message}"):
        call(nn.Conv2d(3, 2, 3))


def test_images_without_their_one_channel_are_told_how_to_get_it():
    with pytest.raises(ValueError, match=r"conv2d: .*\(64, 28, 28\).*x.unsqueeze\(1\) has one channel for each image"):
        nn.Conv2d(1, 16, 3)(tn.zeros(64, 28, 28))


@pytest.mark.parametrize(("make", "message"), [
    (lambda: nn.Conv2d(0, 1, 3), "in_channels must be a whole number of at least 1, not 0"),
    (lambda: nn.Conv2d(1, 2.5, 3), "out_channels must be a whole number of at least 1, not 2.5"),
    (lambda: nn.Conv2d(1, 1, (3, 3, 3)), r"kernel_size must be a whole number of at least 1, or two of them.*\(3, 3, 3\)"),
    (lambda: nn.Conv2d(1, 1, 3, stride=-1), "stride must be"), (lambda: nn.Conv2d(1, 1, 3, dilation=0), "dilation must be"),
    (lambda: nn.Conv2d(1, 1, 3, padding=-1), "padding must be"), (lambda: nn.Conv2d(1, 1, 3, padding="half"), "padding must be a number"),
    (lambda: nn.Conv2d(1, 1, 3, padding="same", stride=2), "padding='same' needs a stride of 1"),
    (lambda: nn.Conv2d(4, 3, 3, groups=2), "groups must divide in_channels and out_channels, and 2 does not divide 4 and 3"),
    (lambda: nn.Conv2d(3, 4, 3, groups=2), "groups must divide"), (lambda: nn.Conv2d(1, 1, 3, groups=0), "groups must be a whole number"),
    (lambda: nn.Conv2d(1, 1, 3, padding_mode="reflect"), r"padding_mode 'reflect' is not to be had; pad the images first, with F.pad"),
])
def test_a_layer_that_cannot_be_is_refused_when_it_is_made(make, message):
    with pytest.raises(ValueError, match=f"^Conv2d: {message}"):
        make()


def test_a_layer_has_as_many_weights_as_its_filters_have_pixels():
    count = {settings: sum(p.numel() for p in nn.Conv2d(4, 6, (3, 5), groups=groups, bias=bias).parameters())
             for settings in [(1, True), (1, False), (2, True)] for groups, bias in [settings]}
    assert count == {(1, True): 6 * 4 * 15 + 6, (1, False): 6 * 4 * 15, (2, True): 6 * 2 * 15 + 6}
    assert math.prod(nn.Conv2d(4, 6, (3, 5), groups=2).weight.shape) == 6 * 2 * 15
