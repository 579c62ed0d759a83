"""Batch and layer normalisation: means and widths, what the running statistics do by hand, and what is refused.

Values, gradients and states are compared with PyTorch's in pytorch_cases/normalisation.py.
"""

import numpy as np
import pytest

import tinygrad_nuc as tn
from tinygrad_nuc import nn
from tinygrad_nuc.nn import functional as F


def draw(*shape, seed=0):
    return tn.tensor(np.random.default_rng(seed).normal(3.0, 2.0, shape))


def statistics(layer):
    return [layer.running_mean.tolist(), layer.running_var.tolist(), layer.num_batches_tracked.item()]


@pytest.mark.parametrize(("layer", "shape", "axes"), [
    (nn.BatchNorm1d(3, eps=0), (50, 3), 0), (nn.BatchNorm1d(3, eps=0), (10, 3, 5), (0, 2)), (nn.BatchNorm2d(3, eps=0), (5, 3, 4, 2), (0, 2, 3)),
    (nn.LayerNorm(8, eps=0), (5, 8), 1), (nn.LayerNorm((3, 4), eps=0), (5, 3, 4), (1, 2)),
])
def test_what_comes_out_has_mean_0_and_variance_1(layer, shape, axes):
    y = layer.double()(draw(*shape)).numpy()
    np.testing.assert_allclose(y.mean(axes), 0, atol=1e-14)
    np.testing.assert_allclose(y.var(axes), 1, rtol=1e-13)


def test_weight_and_bias_choose_another_mean_and_width():
    layer = nn.BatchNorm1d(2, eps=0).double()
    nn.init.constant_(layer.weight, 3)
    nn.init.constant_(layer.bias, -1)
    y = layer(draw(40, 2)).numpy()
    np.testing.assert_allclose([y.mean(0), y.std(0)], [[-1, -1], [3, 3]], rtol=1e-13)


def test_running_statistics_by_hand():
    layer = nn.BatchNorm1d(1, momentum=0.25).double()
    assert statistics(layer) == [[0], [1], 0]
    layer(tn.tensor(np.array([[2.0], [6.0]])))                      # mean 4, unbiased variance 8
    assert statistics(layer) == [[1], [2.75], 1]
    layer(tn.tensor(np.array([[1.0], [2.0], [3.0]])))               # mean 2, unbiased variance 1
    assert statistics(layer) == [[1.25], [0.75 * 2.75 + 0.25], 2]
    layer.reset_running_stats()
    assert statistics(layer) == [[0], [1], 0]


def test_without_momentum_they_are_means_over_all_batches():
    layer, batches = nn.BatchNorm2d(3, momentum=None).double(), [draw(4, 3, 2, 2, seed=i) for i in range(5)]
    for x in batches:
        layer(x)
    np.testing.assert_allclose(layer.running_mean.numpy(), np.mean([x.numpy().mean((0, 2, 3)) for x in batches], 0), rtol=1e-14)
    np.testing.assert_allclose(layer.running_var.numpy(), np.mean([x.numpy().var((0, 2, 3), ddof=1) for x in batches], 0), rtol=1e-14)


def test_evaluation_uses_them_and_leaves_them():
    layer = nn.BatchNorm1d(3, eps=0.5).double()
    layer(draw(20, 3))
    before, x = statistics(layer.eval()), draw(1, 3, seed=1)        # one sample is enough
    expected = (x.numpy() - layer.running_mean.numpy()) / np.sqrt(layer.running_var.numpy() + 0.5)
    np.testing.assert_allclose(layer(x).numpy(), expected, rtol=1e-14)
    assert statistics(layer) == before


def test_without_memory_evaluation_uses_the_batch():
    layer, x = nn.BatchNorm1d(3, track_running_stats=False).double(), draw(5, 3)
    assert np.array_equal(layer(x).numpy(), layer.eval()(x).numpy())
    assert list(layer.state_dict()) == ["weight", "bias"] and layer.running_mean is None


def test_running_statistics_carry_no_history_and_are_not_trained():
    layer = nn.BatchNorm1d(3)
    x = draw(5, 3).float().requires_grad_()
    layer(x).sum().backward()
    assert not layer.running_mean.requires_grad and layer.running_mean.is_leaf
    assert [name for name, _ in layer.named_parameters()] == ["weight", "bias"]
    assert [name for name, _ in layer.named_buffers()] == ["running_mean", "running_var", "num_batches_tracked"]


def test_the_mean_of_a_batch_passes_its_share_of_the_gradient():
    x = draw(6, 2).requires_grad_()
    (F.batch_norm(x, None, None, training=True)[0] * tn.tensor(np.array([1.0, 2.0]))).sum().backward()
    np.testing.assert_allclose(x.grad.numpy().sum(0), 0, atol=1e-15)                    # y does not change with a shift of x ...
    np.testing.assert_allclose((x.grad.numpy() * (x.numpy() - x.numpy().mean(0))).sum(0), 0, atol=1e-4)   # ... nor with its width, but for eps


def test_the_count_of_batches_stays_a_whole_number():
    layer = nn.BatchNorm1d(2).double()
    layer(draw(3, 2))
    assert layer.num_batches_tracked.dtype == np.int64 and layer.running_var.dtype == np.float64
    other = nn.BatchNorm1d(2)
    other.load_state_dict(layer.state_dict())
    np.testing.assert_allclose(other.running_mean.numpy(), layer.running_mean.numpy(), rtol=1e-6)
    assert other.num_batches_tracked.item() == 1 and other.running_mean.dtype == np.float32


@pytest.mark.parametrize("layer", [nn.BatchNorm1d(4), nn.BatchNorm1d(4, momentum=None), nn.LayerNorm(4)])
def test_float32_stays_float32(layer):
    x = tn.tensor(draw(5, 4).numpy().astype(np.float32), requires_grad=True)
    y = layer(x)
    (y * y * y).sum().backward()
    assert {t.dtype for t in (y, x.grad, *(p.grad for p in layer.parameters()))} == {np.dtype(np.float32)}
    assert getattr(layer, "running_mean", y).dtype == np.float32


@pytest.mark.parametrize("layer", [nn.BatchNorm1d(2), nn.LayerNorm(100)])
def test_float16_is_computed_in_float32(layer):
    """The squares of 300 exceed what float16 can hold."""
    x = tn.tensor(np.random.default_rng(0).normal(0, 300, (50, 2) if isinstance(layer, nn.BatchNorm1d) else (2, 100)).astype(np.float16), requires_grad=True)
    y = layer.half()(x)
    (y * y * y).sum().backward()
    exact = layer.float()(x.detach().float())
    assert y.dtype == x.grad.dtype == np.float16 and np.isfinite(x.grad.numpy()).all()
    np.testing.assert_allclose(y.numpy(), exact.numpy(), rtol=2e-3, atol=1e-3)


def test_evaluation_of_float16_is_in_float32_too():
    layer = nn.BatchNorm1d(2, eps=1e-8).half().eval()
    layer.running_var.copy_(np.array([0, 60_000]))
    np.testing.assert_allclose(layer(tn.tensor(np.array([[1.0, 300.0]], np.float16))).numpy(), [[1e4, 300 / np.sqrt(60_000)]], rtol=1e-3)


def test_means_of_many_batches_of_float16():
    layer = nn.BatchNorm1d(1, momentum=None).half()
    layer.num_batches_tracked.fill_(70_000)
    layer.running_mean.fill_(5)
    layer(tn.tensor(np.array([[5.0], [5.0]], np.float16)))
    assert layer.running_mean.item() == 5 and layer.num_batches_tracked.item() == 70_001


def test_running_statistics_of_float16():
    layer = nn.BatchNorm1d(1, momentum=1.0).half()
    layer(tn.tensor(np.array([[500.0], [700.0]], np.float16)))
    assert statistics(layer) == [[600], [20_000], 1] and layer.running_var.dtype == np.float16


def test_statistics_that_are_no_longer_tracked_stay():
    layer = nn.BatchNorm1d(3).double()
    layer(draw(5, 3))
    before, layer.track_running_stats = statistics(layer), False
    x = draw(7, 3, seed=1)
    np.testing.assert_allclose(layer(x).numpy().mean(0), 0, atol=1e-14)                  # of the batch ...
    assert statistics(layer) == before
    expected = (x.numpy() - layer.running_mean.numpy()) / np.sqrt(layer.running_var.numpy() + 1e-5)
    np.testing.assert_allclose(layer.eval()(x).numpy(), expected, rtol=1e-13)            # ... and in evaluation those of before


def test_a_layer_without_a_count_of_batches_trains():
    layer = nn.BatchNorm1d(1, momentum=0.25).double()
    layer.num_batches_tracked = None
    layer(tn.tensor(np.array([[2.0], [6.0]])))
    assert layer.running_mean.tolist() == [1]


@pytest.mark.parametrize("missing", ["running_mean", "running_var"])
def test_evaluation_without_one_of_the_statistics_is_refused(missing):
    layer = nn.BatchNorm1d(3).eval()
    setattr(layer, missing, None)
    with pytest.raises(ValueError, match="running_mean and running_var are needed both"):
        layer(tn.zeros(2, 3))


def test_a_momentum_that_is_no_number_changes_nothing():
    mean, var = tn.zeros(3), tn.ones(3)
    with pytest.raises(TypeError):
        F.batch_norm(draw(5, 3).float(), mean, var, training=True, momentum=None)
    assert mean.tolist() == [0] * 3 and var.tolist() == [1] * 3


def test_new_parameters_are_those_of_a_new_layer():
    for layer, x in ((nn.BatchNorm1d(3), draw(5, 3)), (nn.LayerNorm(3), draw(5, 3))):
        before = {name: t.tolist() for name, t in layer.state_dict().items()}
        layer(x.float()).sum().backward()
        nn.init.normal_(layer.weight)
        nn.init.normal_(layer.bias)
        layer.reset_parameters()
        assert {name: t.tolist() for name, t in layer.state_dict().items()} == before


def test_the_length_of_layer_norm_may_be_a_number_of_numpy():
    assert np.array_equal(F.layer_norm(draw(2, 3), np.int64(3)).numpy(), F.layer_norm(draw(2, 3), (3,)).numpy())


def test_layer_norm_treats_every_sample_by_itself():
    layer, x = nn.LayerNorm((3, 2)), draw(5, 3, 2).float()
    np.testing.assert_allclose(layer(x[1:2]).numpy(), layer(x).numpy()[1:2], rtol=1e-6)
    assert np.array_equal(layer.eval()(x).numpy(), layer.train()(x).numpy())


# --- what is refused, and then changes nothing --------------------------------------------------------


@pytest.mark.parametrize(("layer", "x", "kind", "message"), [
    (nn.BatchNorm1d(3), tn.zeros(1, 3), ValueError, r"batch_norm: expected more than 1 value per channel when training.*\(1, 3\).*model.eval\(\)"),
    (nn.BatchNorm2d(3), tn.zeros(1, 3, 1, 1), ValueError, r"batch_norm: expected more than 1 value per channel"),
    (nn.BatchNorm2d(3), tn.zeros(0, 3, 2, 2), ValueError, r"batch_norm: expected more than 1 value per channel"),
    (nn.BatchNorm1d(3), tn.zeros(5, 2), ValueError, r"BatchNorm1d: expects an input of shape \(N, 3\) or \(N, 3, L\), not \(5, 2\)"),
    (nn.BatchNorm1d(3), tn.zeros(5, 3, 2, 2), ValueError, r"BatchNorm1d: .*not \(5, 3, 2, 2\)"),
    (nn.BatchNorm2d(3), tn.zeros(5, 3, 2), ValueError, r"BatchNorm2d: expects an input of shape \(N, 3, H, W\), not \(5, 3, 2\)"),
    (nn.BatchNorm1d(3), tn.zeros(5, 3).double(), TypeError, r"batch_norm: the input is float64 and the running_mean is float32.*model\.double\(\)"),
    (nn.BatchNorm1d(3, affine=False), tn.zeros(5, 3).double(), TypeError, "batch_norm: the input is float64"),
    (nn.BatchNorm1d(3), tn.zeros(5, 3).long(), TypeError, r"BatchNorm1d: the input must be of a floating-point type, not int64"),
    (nn.BatchNorm1d(3), np.zeros((5, 3)), TypeError, r"BatchNorm1d: the input is a ndarray, not a tensor"),
    (nn.BatchNorm1d(3, momentum=None), tn.zeros(1, 3), ValueError, "expected more than 1 value"),
])
def test_a_forward_that_fails_leaves_the_running_statistics(layer, x, kind, message):
    before = statistics(layer)
    with pytest.raises(kind, match=message):
        layer(x)
    assert statistics(layer) == before


def test_a_nan_that_debug_mode_finds_leaves_the_running_statistics():
    layer = nn.BatchNorm1d(1)
    with tn.debug(), np.errstate(over="ignore", invalid="ignore"), pytest.raises(FloatingPointError):
        layer(tn.tensor([[3e38], [-3e38]]))                         # their squares overflow
    assert statistics(layer) == [[0], [1], 0]


@pytest.mark.parametrize(("call", "kind", "message"), [
    (lambda x: F.batch_norm(x, None, None), ValueError, "batch_norm: outside of training, running_mean and running_var are needed"),
    (lambda x: F.batch_norm(x[0], None, None, training=True), ValueError, r"batch_norm: expects an input of shape \(N, C, …\), not \(3,\)"),
    (lambda x: F.batch_norm(x, tn.zeros(2), tn.ones(3), training=True), ValueError, r"the running_mean has shape \(2,\), and the input \(5, 3\); the running_mean must have shape \(3,\)"),
    (lambda x: F.batch_norm(x, None, None, tn.ones(2), training=True), ValueError, r"weight has shape \(2,\)"),
    (lambda x: F.batch_norm(x, None, None, np.ones(3, np.float32), training=True), TypeError, r"the weight is a ndarray, not a tensor"),
    (lambda x: F.batch_norm(x, tn.zeros(3), None, training=True), ValueError, "running_mean and running_var are needed both, or none of them"),
    (lambda x: F.batch_norm(x, None, None, training=True, eps=-1e-5), ValueError, "batch_norm: eps must be at least 0, not -1e-05"),
    (lambda x: F.layer_norm(x, 3, eps=float("nan")), ValueError, "layer_norm: eps must be at least 0, not nan"),
    (lambda x: F.layer_norm(x, 5), ValueError, r"layer_norm: an input of shape \(5, 3\) must end in the dimensions \(5,\)"),
    (lambda x: F.layer_norm(x, (5, 3, 1)), ValueError, r"must end in the dimensions \(5, 3, 1\)"),
    (lambda x: F.layer_norm(x, ()), ValueError, r"must end in the dimensions \(\)"),
    (lambda x: F.layer_norm(x, 3, tn.ones(5)), ValueError, r"layer_norm: the weight has shape \(5,\), and the input \(5, 3\); the weight must have shape \(3,\)"),
    (lambda x: F.layer_norm(x, 3, tn.ones(3).double()), TypeError, "layer_norm: the input is float32 and the weight is float64"),
    (lambda x: F.layer_norm(x.long(), 3), TypeError, "layer_norm: the input must be of a floating-point type, not int64"),
    (lambda x: nn.LayerNorm(0), ValueError, "LayerNorm: normalized_shape must be a whole number of at least 1, not 0"),
    (lambda x: nn.LayerNorm((3, 2.5)), ValueError, "normalized_shape must be a whole number of at least 1, not 2.5"),
    (lambda x: nn.BatchNorm1d(0), ValueError, "BatchNorm1d: num_features must be a whole number of at least 1, not 0"),
])
def test_what_does_not_fit_is_refused(call, kind, message):
    with pytest.raises(kind, match=message):
        call(tn.zeros(5, 3))
