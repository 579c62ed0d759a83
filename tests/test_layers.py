"""Linear, Embedding, Maxout and the activations: values and gradients equal formulas written in NumPy here.

Every activation's slope is given as a formula too, so none is compared with itself.
"""

import math

import numpy as np
import pytest
from device_option import UNCHECKED

import tinygrad_nuc as tn
from tinygrad_nuc import nn
from tinygrad_nuc.nn import functional as F


@pytest.fixture(autouse=True)
def seeded():
    tn.manual_seed(0)


def draw(*shape, seed=0):
    return np.random.default_rng(seed).normal(size=shape)


def count(module):
    return sum(p.numel() for p in module.parameters())


# --- Linear -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("leading", [(), (5,), (5, 4), (2, 5, 4)])
def test_linear_is_x_times_w_transposed_plus_b(leading):
    layer, x = nn.Linear(3, 2).double(), draw(*leading, 3)
    expected = np.einsum("...i,oi->...o", x, layer.weight.numpy()) + layer.bias.numpy()
    np.testing.assert_allclose(layer(tn.tensor(x)).numpy(), expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("leading", [(), (5,), (5, 4)])
def test_linears_gradients_are_sums_over_the_samples(leading):
    layer, g = nn.Linear(3, 2).double(), draw(*leading, 2, seed=1)
    x = tn.tensor(draw(*leading, 3), requires_grad=True)
    layer(x).backward(tn.tensor(g))                                        # g is ∂L/∂y
    weight = g.reshape(-1, 2).T @ x.numpy().reshape(-1, 3)
    np.testing.assert_allclose(layer.weight.grad.numpy(), weight, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(layer.bias.grad.numpy(), g.reshape(-1, 2).sum(axis=0), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(x.grad.numpy(), np.einsum("...o,oi->...i", g, layer.weight.numpy()), rtol=1e-12, atol=1e-14)


def test_linear_without_bias_is_a_product():
    layer = nn.Linear(3, 2, bias=False)
    assert layer(tn.zeros(4, 3)).tolist() == [[0, 0]] * 4
    assert layer.bias is None


def test_linear_of_no_samples_gives_none():
    assert nn.Linear(3, 2)(tn.zeros(0, 3)).shape == (0, 2)


def test_two_linear_layers_are_one():
    a, b, x = nn.Linear(3, 4).double(), nn.Linear(4, 2).double(), tn.tensor(draw(5, 3))
    both = F.linear(x, b.weight @ a.weight, b.weight @ a.bias + b.bias)
    np.testing.assert_allclose(b(a(x)).numpy(), both.numpy(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("x", "error", "message"), [
    (np.zeros((4, 3)), TypeError, r"input is float64 and the weights are float32.*\.float\(\) or \.double\(\)"),
    (np.zeros((4, 3), int), TypeError, r"input is int64 and the weights are float32.*\.float\(\)"),
    (np.zeros((4, 5), np.float32), ValueError, r"shape \(4, 5\) does not fit weights of shape \(2, 3\).*must be 3"),
    (np.zeros((), np.float32), ValueError, r"shape \(\) does not fit weights of shape \(2, 3\)"),
])
def test_linear_refuses_an_input_that_does_not_fit(x, error, message):
    with pytest.raises(error, match=f"linear: .*{message}"):
        nn.Linear(3, 2)(tn.tensor(x))


@pytest.mark.parametrize("shape", [(3,), (1,), (), (2, 1)])
def test_linear_refuses_a_bias_that_would_broadcast(shape):
    with pytest.raises(ValueError, match=r"linear: the bias has shape .*, and the weight \(2, 3\); the bias must have shape \(2,\)"):
        F.linear(tn.zeros(4, 3), tn.zeros(2, 3), tn.zeros(shape))


@pytest.mark.parametrize(("weight", "bias", "error", "message"), [
    (tn.zeros(2, 3), tn.zeros(2).double(), TypeError, "linear: the weight is float32 and the bias is float64"),
    (tn.zeros(2, 3), np.zeros(2, np.float32), TypeError, r"linear: the bias is a ndarray, not a tensor: write tn\.tensor\(x\)"),
    (np.zeros((2, 3), np.float32), None, TypeError, "linear: the weight is a ndarray, not a tensor"),
    (tn.zeros(3), None, ValueError, r"linear: weights have the shape \(out_features, in_features\), and these have \(3,\)"),
])
def test_linear_refuses_weights_that_do_not_fit(weight, bias, error, message):
    with pytest.raises(error, match=message):
        F.linear(tn.zeros(4, 3), weight, bias)


@pytest.mark.parametrize("make", [lambda: nn.Linear(3, 2, True, np.float64), lambda: nn.Embedding(3, 2, None, np.float64), lambda: nn.LayerNorm(3, 1e-5, True, True, np.float64),
                                  lambda: nn.BatchNorm1d(3, 1e-5, 0.1, True, True, np.float64), lambda: nn.Conv2d(1, 1, 1, 1, 0, 1, 1, True, "zeros", np.float64)])
def test_the_dtype_is_given_by_name(make):
    """Its place belongs to another argument in PyTorch."""
    with pytest.raises(TypeError, match="positional argument"):
        make()


def test_another_librarys_tensor_is_named_as_such():
    class Tensor:
        __module__ = "torch"
    with pytest.raises(TypeError, match=r"linear: the input is a torch\.Tensor, not a tensor: write tn\.from_dlpack\(x\)"):
        nn.Linear(3, 2)(Tensor())


def test_unflatten_needs_lengths():
    with pytest.raises(TypeError, match="Unflatten: unflattened_size must be a tuple of lengths, not 3"):
        nn.Unflatten(1, 3)


def test_linear_refuses_a_bare_array():
    with pytest.raises(TypeError, match=r"the input is a ndarray, not a tensor: write tn.tensor\(x\)"):
        nn.Linear(3, 2)(np.zeros((4, 3), np.float32))


@pytest.mark.parametrize(("sizes", "message"), [
    ((0, 3), "in_features must be a whole number of at least 1, not 0"),
    ((3, -1), "out_features must be a whole number of at least 1, not -1"),
    ((2.5, 3), "in_features must be a whole number of at least 1, not 2.5"),
])
def test_linear_refuses_sizes_that_cannot_be(sizes, message):
    with pytest.raises(ValueError, match=f"Linear: {message}"):
        nn.Linear(*sizes)


@pytest.mark.parametrize(("make", "dtype"), [
    (lambda: nn.Linear(3, 2), np.float32),
    (lambda: nn.Linear(3, 2, dtype=np.float64), np.float64),
    (lambda: nn.Linear(3, 2).double().float(), np.float32),
])
def test_a_layer_answers_in_the_dtype_of_its_weights(make, dtype):
    layer = make()
    assert layer.weight.dtype == layer.bias.dtype == dtype
    assert layer(tn.zeros(1, 3, dtype=dtype)).dtype == dtype


# --- Embedding ----------------------------------------------------------------------------------------


def test_an_embedding_looks_rows_up_and_adds_the_gradients_of_a_row():
    layer, rows = nn.Embedding(4, 3).double(), np.array([[2, 0, 2], [2, 1, 1]])
    y, g = layer(tn.tensor(rows)), draw(2, 3, 3)
    y.backward(tn.tensor(g))
    assert np.array_equal(y.numpy(), layer.weight.numpy()[rows])
    expected = [sum((g[place] for place in zip(*np.nonzero(rows == row), strict=True)), np.zeros(3)) for row in range(4)]
    np.testing.assert_allclose(layer.weight.grad.numpy(), expected, rtol=1e-14)


def test_the_padding_of_an_embedding_is_zero_and_stays_so():
    layer = nn.Embedding(3, 2, padding_idx=-1)
    assert layer.padding_idx == 2 and layer.weight.tolist()[2] == [0, 0] and (layer.weight.numpy()[:2] != 0).all()
    layer(tn.tensor([0, 2, 2])).sum().backward()
    assert layer.weight.grad.tolist() == [[1, 1], [0, 0], [0, 0]]


@pytest.mark.parametrize(("call", "error", "message"), [
    pytest.param(lambda layer: layer(tn.tensor([0, 3])), IndexError, "embedding: position 3 is out of range; it must lie from 0 to 2", marks=UNCHECKED),
    pytest.param(lambda layer: layer(tn.tensor([-1])), IndexError, "embedding: position -1 is out of range", marks=UNCHECKED),
    (lambda layer: layer(tn.tensor([1.0])), TypeError, "embedding: the index holds positions and must be of an integer type, not float32"),
    (lambda layer: layer(tn.tensor([True])), TypeError, "embedding: .*integer type, not bool"),
    (lambda layer: F.embedding(tn.tensor([0]), tn.zeros(3)), ValueError, r"embedding: the weights are a matrix.*not of shape \(3,\)"),
    (lambda layer: F.embedding(tn.tensor([0]), tn.zeros(3, 2), 3), ValueError, "embedding: padding_idx is a row, from -3 to 2, and not 3"),
    (lambda layer: nn.Embedding(3, 2, padding_idx=-4), ValueError, "Embedding: padding_idx is a row, from -3 to 2, and not -4"),
    (lambda layer: nn.Embedding(0, 2), ValueError, "Embedding: num_embeddings must be a whole number of at least 1, not 0"),
    (lambda layer: nn.Embedding(3, 0), ValueError, "Embedding: embedding_dim must be a whole number of at least 1, not 0"),
])
def test_an_embedding_refuses_what_is_no_row(call, error, message):
    with pytest.raises(error, match=message):
        call(nn.Embedding(3, 2))


# --- parameter counts ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("widths", "parameters"), [
    ((1, 3, 1), 10), ((1, 4, 2), 18), ((2, 3, 1), 13), ((1, 3, 3, 1), 22), ((4, 10, 1), 61), ((2, 2, 1), 9),
    ((1, 10, 10, 10, 10, 10, 1), 471), ((10, 50, 50, 50, 50, 50, 1), 10_801), ((784, 512, 512, 10), 669_706),
])
def test_networks_have_the_parameters_that_the_lectures_count(widths, parameters):
    layers = [nn.Linear(n, m) for n, m in zip(widths, widths[1:], strict=False)]
    assert count(nn.Sequential(*layers)) == parameters


def test_activations_have_no_parameters():
    assert count(nn.Sequential(nn.ReLU(), nn.ELU(), nn.Softmax(dim=1), nn.Identity())) == 0


# --- activations --------------------------------------------------------------------------------------


def sigma(x):
    return 1 / (1 + np.exp(-x))


def phi(x):
    """The probability that a standard normal variable is below x."""
    return np.vectorize(lambda x: math.erfc(-x / math.sqrt(2)) / 2)(x)


def bent(x):
    return np.sqrt(2 / np.pi) * (x + 0.044715 * x ** 3)


def bend(x):
    return np.sqrt(2 / np.pi) * (1 + 3 * 0.044715 * x ** 2)


ACTIVATIONS = [                                                 # module, function, y(x), y′(x)
    (nn.Identity(), None, lambda x: x, np.ones_like),
    (nn.ReLU(), F.relu, lambda x: (x + abs(x)) / 2, lambda x: (x > 0).astype(float)),
    (nn.LeakyReLU(), F.leaky_relu, lambda x: np.where(x > 0, x, x / 100), lambda x: np.where(x > 0, 1, 0.01)),
    (nn.LeakyReLU(0.2), None, lambda x: np.where(x > 0, x, x / 5), lambda x: np.where(x > 0, 1, 0.2)),
    (nn.ELU(), F.elu, lambda x: np.where(x > 0, x, np.exp(x) - 1), lambda x: np.where(x > 0, 1, np.exp(x))),
    (nn.ELU(2.0), None, lambda x: np.where(x > 0, x, 2 * np.exp(x) - 2), lambda x: np.where(x > 0, 1, 2 * np.exp(x))),
    (nn.Sigmoid(), F.sigmoid, sigma, lambda x: np.exp(-x) / (1 + np.exp(-x)) ** 2),
    (nn.Tanh(), F.tanh, lambda x: 1 - 2 / (np.exp(2 * x) + 1), lambda x: 1 / np.cosh(x) ** 2),
    (nn.Softplus(), F.softplus, lambda x: np.log(1 + np.exp(x)), sigma),
    (nn.Softplus(3.0), None, lambda x: np.log(1 + np.exp(3 * x)) / 3, lambda x: sigma(3 * x)),
    (nn.LogSigmoid(), F.logsigmoid, lambda x: -np.log(1 + np.exp(-x)), lambda x: sigma(-x)),
    (nn.SiLU(), F.silu, lambda x: x * sigma(x), lambda x: sigma(x) * (1 + x * sigma(-x))),
    (nn.GELU(), F.gelu, lambda x: x * phi(x), lambda x: phi(x) + x * np.exp(-x * x / 2) / np.sqrt(2 * np.pi)),
    (nn.GELU("tanh"), None, lambda x: x * sigma(2 * bent(x)), lambda x: sigma(2 * bent(x)) * (1 + x * sigma(-2 * bent(x)) * 2 * bend(x))),
    (nn.ReLU(inplace=True), None, lambda x: (x + abs(x)) / 2, lambda x: (x > 0).astype(float)),
]


@pytest.mark.parametrize(("module", "function", "formula", "slope"), ACTIVATIONS, ids=lambda x: repr(x)[:24])
def test_an_activation_and_its_slope_follow_their_formulas(module, function, formula, slope):
    x = tn.tensor(np.linspace(-5, 5, 40).reshape(8, 5), requires_grad=True)     # 0 is not among them
    y = module(x)
    y.sum().backward()
    np.testing.assert_allclose(y.numpy(), formula(x.numpy()), rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(x.grad.numpy(), slope(x.numpy()), rtol=1e-12, atol=1e-14)
    assert function is None or np.array_equal(function(x).numpy(), y.numpy())


@pytest.mark.parametrize("module", [row[0] for row in ACTIVATIONS], ids=lambda x: repr(x)[:24])
def test_an_activation_keeps_float32_and_survives_huge_numbers(module):
    x = tn.tensor([-1e4, -100.0, 0.0, 100.0, 1e4], requires_grad=True)
    y = module(x)
    y.sum().backward()
    assert y.dtype == x.grad.dtype == np.float32
    assert np.isfinite(y.numpy()).all() and np.isfinite(x.grad.numpy()).all()


@pytest.mark.parametrize(("module", "slope"), [
    (nn.ReLU(), 0.0), (nn.LeakyReLU(0.1), 0.1), (nn.ELU(0.5), 0.5), (nn.Sigmoid(), 0.25), (nn.Softplus(), 0.5)])
def test_the_slope_at_zero_is_the_documented_one(module, slope):
    x = tn.tensor(np.zeros(1), requires_grad=True)
    module(x).backward()
    assert x.grad.item() == slope


@pytest.mark.parametrize("dim", [0, 1, -1])
def test_softmax_and_its_logarithm_follow_their_formulas(dim):
    x = draw(4, 3)
    p = np.exp(x) / np.exp(x).sum(axis=dim, keepdims=True)
    np.testing.assert_allclose(nn.Softmax(dim=dim)(tn.tensor(x)).numpy(), p, rtol=1e-12)
    np.testing.assert_allclose(nn.LogSoftmax(dim=dim)(tn.tensor(x)).numpy(), np.log(p), rtol=1e-12)


@pytest.mark.parametrize(("module", "matrix"), [
    (nn.Softmax(dim=0), lambda p: np.diag(p) - np.outer(p, p)),              # ∂pᵢ/∂xⱼ = pᵢ (δᵢⱼ − pⱼ)
    (nn.LogSoftmax(dim=0), lambda p: np.eye(4) - p),                         # ∂ln pᵢ/∂xⱼ = δᵢⱼ − pⱼ
], ids=["softmax", "log-softmax"])
def test_the_slopes_of_softmax_follow_their_formulas(module, matrix):
    x, g = tn.tensor(draw(4), requires_grad=True), draw(4, seed=1)
    module(x).backward(tn.tensor(g))
    p = np.exp(x.numpy()) / np.exp(x.numpy()).sum()
    np.testing.assert_allclose(x.grad.numpy(), g @ matrix(p), rtol=1e-12, atol=1e-15)


# --- Maxout -------------------------------------------------------------------------------------------


def set_maxout(maxout, weights, biases):
    """Give the k-th straight line of each output its weights (out, pieces, in) and biases (out, pieces)."""
    maxout.linear.weight.data = tn.tensor(weights).reshape(maxout.linear.weight.shape).data
    maxout.linear.bias.data = tn.tensor(biases).reshape(maxout.linear.bias.shape).data


@pytest.mark.parametrize("pieces", [1, 2, 5])
def test_maxout_is_the_largest_of_its_straight_lines(pieces):
    maxout, x = nn.Maxout(3, 2, pieces), draw(7, 3)
    weights, biases = draw(2, pieces, 3, seed=1), draw(2, pieces, seed=2)
    set_maxout(maxout, weights, biases)
    lines = np.einsum("ni,oki->nok", x, weights) + biases
    np.testing.assert_allclose(maxout(tn.tensor(x)).numpy(), lines.max(axis=2), rtol=1e-12, atol=1e-14)


def test_maxout_can_become_the_absolute_value():
    maxout = nn.Maxout(1, 1)
    set_maxout(maxout, np.array([1.0, -1.0]), np.zeros(2))
    x = tn.tensor(np.array([[-2.0], [0.5]]), requires_grad=True)
    y = maxout(x)
    y.sum().backward()
    assert y.tolist() == [[2.0], [0.5]]
    assert x.grad.tolist() == [[-1.0], [1.0]]


def test_only_the_winning_line_of_a_maxout_learns():
    maxout = nn.Maxout(1, 1, pieces=3)
    set_maxout(maxout, np.array([1.0, -1.0, 0.0]), np.array([0.0, 0.0, -5.0]))
    maxout(tn.tensor(np.array([[-2.0], [0.5], [4.0]]))).sum().backward()
    assert maxout.linear.weight.grad.tolist() == [[4.5], [-2.0], [0.0]]      # 0.5 + 4 for the first line
    assert maxout.linear.bias.grad.tolist() == [2.0, 1.0, 0.0]


def test_maxout_has_the_parameters_of_all_its_lines():
    assert count(nn.Maxout(3, 2, pieces=4)) == 4 * (3 * 2 + 2)


@pytest.mark.parametrize(("sizes", "name"), [((3, 0), "out_features"), ((3, 2, 0), "pieces")])
def test_maxout_refuses_sizes_that_cannot_be(sizes, name):
    with pytest.raises(ValueError, match=f"Maxout: {name} must be a whole number of at least 1, not 0"):
        nn.Maxout(*sizes)
