"""Batch norm and layer norm on the GPU: the kernels against the rules, and the layers against those on the CPU."""

import numpy as np
import pytest

import tinygrad_nuc as tn
from tinygrad_nuc import nn
from tinygrad_nuc.devices.kernels import normalising, registry
from tinygrad_nuc.devices.moving import on_device
from tinygrad_nuc.engine.arrays import on_host
from tinygrad_nuc.operations.normalising import Normalise, moments

TOLERANCE = {np.float32: 3e-5, np.float64: 1e-12}
BATCH, BATCH_OF_IMAGES = (0,), (0, 2, 3)
SHAPES = [                                              # of one number, of less than a block, of several blocks
    ((2, 1), BATCH), ((5, 3), BATCH), ((33, 31), BATCH), ((100, 65), BATCH), ((3, 200), BATCH),
    ((1, 1, 1, 2), BATCH_OF_IMAGES), ((2, 3, 1, 1), BATCH_OF_IMAGES), ((3, 4, 5, 7), BATCH_OF_IMAGES),
    ((5, 2, 17, 13), BATCH_OF_IMAGES), ((7, 3, 50), (0, 2)),
    ((1, 1), (-1,)), ((9,), (-1,)), ((4, 31), (-1,)), ((3, 1000), (-1,)), ((40, 3, 5), (-2, -1)), ((2, 3, 70), (-1,)),
    ((6, 5), (-2, -1))]


def draw(*shape, dtype=np.float32, seed=0):
    return np.random.default_rng(seed).normal(1, 2, shape).astype(dtype)


def there(x):
    return on_device(x, "cuda")


def agree(found, expected):
    assert found.shape == expected.shape and found.dtype == expected.dtype
    tolerance = TOLERANCE[expected.dtype.type]
    np.testing.assert_allclose(on_host(found), expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape, axes", SHAPES)
def test_the_kernels_give_what_the_rules_give(gpu, shape, axes, dtype):
    x, g = draw(*shape, dtype=dtype), draw(*shape, dtype=dtype, seed=1)
    y, known = Normalise.forward(x, axes=axes, eps=0.01), moments(x, axes)
    assert normalising.seen(there(x), axes) is not None
    found = registry.version_of(moments)(there(x), axes)
    for here, on_gpu in zip(known, found, strict=True):
        agree(on_gpu, here)
    slopes = Normalise.grad_x(g, y, x, axes=axes, eps=0.01)
    for given in ({}, {"known": found}):
        agree(registry.version_of(Normalise.forward)(there(x), axes=axes, eps=0.01, **given), y)
        agree(registry.version_of(Normalise.grad_x)(there(g), there(y), there(x), axes=axes, eps=0.01, **given), slopes)


@pytest.mark.parametrize("shape, axes", [((40_000, 3), BATCH), ((50_000, 1), BATCH), ((30, 2, 40, 30), BATCH_OF_IMAGES), ((50_000,), (-1,))])
def test_many_numbers_of_few_channels_are_shared_by_many_blocks(gpu, shape, axes):
    x, g = draw(*shape, dtype=np.float64), draw(*shape, dtype=np.float64, seed=1)
    assert normalising.is_shared(normalising.seen(there(x), axes))
    known = moments(x, axes)
    found = registry.version_of(moments)(there(x), axes)
    for here, on_gpu in zip(known, found, strict=True):
        np.testing.assert_allclose(on_host(on_gpu), here, rtol=1e-11)
    y, slopes = Normalise.forward(x, axes=axes, eps=0.01), Normalise.grad_x(g, Normalise.forward(x, axes=axes, eps=0.01), x, axes=axes, eps=0.01)
    np.testing.assert_allclose(on_host(registry.version_of(Normalise.forward)(there(x), axes=axes, eps=0.01)), y, rtol=1e-9, atol=1e-11)
    on_gpu = registry.version_of(Normalise.grad_x)(there(g), there(y), there(x), axes=axes, eps=0.01, known=found)
    np.testing.assert_allclose(on_host(on_gpu), slopes, rtol=1e-8, atol=1e-10)


def test_few_numbers_are_one_launch(gpu):
    for shape, axes in SHAPES:
        assert not normalising.is_shared(normalising.seen(there(draw(*shape)), axes))


@pytest.mark.parametrize("x, axes", [
    (draw(6, 4).T, BATCH), (draw(4, 3).astype(np.float16), BATCH), (draw(0, 3), (-1,)), (draw(2, 3, 4), (1,))])
def test_for_other_arrays_the_rules_run_as_they_stand(gpu, x, axes):
    """Turned ones, other numbers, none at all, or channels that lie apart."""
    on_gpu = there(x.copy()) if x.flags.c_contiguous else there(x.T.copy()).T
    assert normalising.seen(on_gpu, axes) is None
    y = Normalise.forward(x, axes=axes, eps=0.1)
    found = registry.version_of(Normalise.forward)(on_gpu, axes=axes, eps=0.1)
    np.testing.assert_allclose(on_host(found), y, rtol=1e-2 if x.dtype == np.float16 else 1e-5, atol=1e-3)


def test_a_large_mean_costs_no_more_digits_than_on_the_cpu(gpu):
    x = draw(5000, 3) + np.float32(1e4)
    exact = moments(x.astype(np.float64), BATCH)
    for found, here, right in zip(registry.version_of(moments)(there(x), BATCH), moments(x, BATCH), exact, strict=True):
        assert (np.abs(on_host(found) - right) <= np.abs(here - right) + 1e-6 * right).all()


def test_a_constant_channel_and_nan(gpu):
    x = np.array([[2, np.nan, 1], [2, 0, 3]], np.float32)
    y = on_host(registry.version_of(Normalise.forward)(there(x), axes=BATCH, eps=1e-5))
    np.testing.assert_allclose(y, [[0, np.nan, -1], [0, np.nan, 1]], rtol=1e-5)
    with np.errstate(invalid="ignore"):
        assert np.isnan(on_host(registry.version_of(Normalise.forward)(there(x), axes=BATCH, eps=0.0))[:, 0]).all()


@pytest.mark.parametrize("make, shape", [
    (lambda: nn.BatchNorm1d(5), (70, 5)), (lambda: nn.BatchNorm1d(5, affine=False), (6, 5, 3)),
    (lambda: nn.BatchNorm2d(4, momentum=None), (3, 4, 6, 5)), (lambda: nn.LayerNorm(33), (7, 33)),
    (lambda: nn.LayerNorm((3, 4)), (5, 3, 4))])
def test_layers_are_those_of_the_cpu(gpu, make, shape):
    """Results, gradients, second derivatives, and what is remembered."""
    found = []
    for device in ("cpu", "cuda"):
        layer = make().double().to(device)
        x = tn.tensor(draw(*shape, dtype=np.float64)).to(device).requires_grad_()
        y = layer(x)
        inputs = [x, *layer.parameters()]
        first = tn.grad((y * y * y).sum(), inputs, create_graph=True)
        second, = tn.grad((first[0] * first[0]).sum(), x)
        found.append([t.detach().cpu().numpy() for t in (y, *first, second, *layer.state_dict().values())])
    for here, on_gpu in zip(*found, strict=True):
        np.testing.assert_allclose(on_gpu, here, rtol=1e-9, atol=1e-9)


def test_a_layer_takes_one_kernel_for_its_moments_one_forward_and_one_backward(gpu, monkeypatch):
    launched = []
    for name in ("MOMENTS", "NORMALISE", "GRADIENT"):
        def launch(*arguments, kernel=getattr(normalising, name)):
            launched.append(kernel.name)
            kernel(*arguments)
        monkeypatch.setattr(normalising, name, launch)
    for layer, shape in ((nn.BatchNorm2d(3), (2, 3, 4, 4)), (nn.LayerNorm(5), (4, 5))):
        launched.clear()
        (layer.to("cuda")(tn.randn(*shape).to("cuda").requires_grad_()) ** 2).sum().backward()
        assert launched == ["moments", "normalise", "normalise_grad"]
