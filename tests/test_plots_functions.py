"""Activation functions are drawn with the derivatives that autograd gives."""

import numpy as np
import pytest

import tinygrad_nuc as tn
from tinygrad_nuc import nn, plots

X = np.linspace(-4, 4, 801)

# f and f′ as mathematics has them
FORMULAS = {
    "relu": (np.maximum(X, 0), X > 0),
    "leaky_relu": (np.where(X > 0, X, 0.01 * X), np.where(X > 0, 1, 0.01)),
    "elu": (np.where(X > 0, X, np.exp(X) - 1), np.where(X > 0, 1, np.exp(X))),
    "sigmoid": (1 / (1 + np.exp(-X)), np.exp(-X) / (1 + np.exp(-X)) ** 2),
    "logsigmoid": (-np.log(1 + np.exp(-X)), 1 / (1 + np.exp(X))),
    "tanh": (np.tanh(X), 1 - np.tanh(X) ** 2),
    "softplus": (np.log(1 + np.exp(X)), 1 / (1 + np.exp(-X))),
}


def test_functions_by_name_and_their_derivatives_are_the_formulas():
    lines = plots.activation_functions(list(FORMULAS))
    for (name, (f, slope)), value, derivative in zip(FORMULAS.items(), lines[::2], lines[1::2], strict=True):
        np.testing.assert_array_equal(value.get_xdata(), X)
        np.testing.assert_allclose(value.get_ydata(), f, atol=1e-14, err_msg=name)
        np.testing.assert_allclose(derivative.get_ydata(), slope, atol=1e-14, err_msg=name)
        assert value.get_color() == derivative.get_color()
        assert (value.get_linestyle(), derivative.get_linestyle()) == ("-", "--")
    ax = lines[0].axes
    assert [text.get_text() for text in ax.get_legend().get_texts()] == [*FORMULAS, "derivative"]
    assert ax.get_xlim() == (-4, 4) and ax.get_xlabel() == "input x" and ax.get_ylabel() == "f(x),  f ′(x)"
    assert len({line.get_color() for line in lines}) == 7


@pytest.mark.parametrize("name", plots.functions.NAMES)
def test_every_name_is_drawn(name):
    value, _ = plots.activation_functions(name)
    np.testing.assert_allclose(value.get_ydata()[::100], getattr(nn.functional, name)(tn.tensor(X[::100])).numpy())


def test_modules_and_functions_have_their_own_names():
    def bump(x):
        return (-x ** 2).exp()

    module = nn.Sequential(nn.LeakyReLU(0.2), nn.Dropout(0.5))
    lines = plots.activation_functions([nn.ELU(0.5), bump, tn.sin], -1, 1)
    assert [line.get_label() for line in lines[::2]] == ["ELU(alpha=0.5)", "bump", "sin"]
    assert lines[0].get_ydata()[0] == pytest.approx(0.5 * np.expm1(-1))
    assert lines[3].get_ydata()[0] == pytest.approx(2 / np.e)
    state = tn.get_rng_state()
    f, slope = plots.activation_functions({"leaky": module}, -1, 1)             # without dropout, and left in training
    assert (f.get_ydata()[0], slope.get_ydata()[0]) == (-0.2, 0.2) and module.training and module[1].training
    plots.activation_functions(lambda x: x + 0 * tn.rand(1, dtype=tn.float64))
    assert tn.get_rng_state() == state


def test_a_pole_is_no_error():
    f, slope = plots.activation_functions({"ln": tn.log}, -4, 4)
    assert np.isnan(f.get_ydata()[:400]).all() and f.get_ydata()[400] == -np.inf
    np.testing.assert_allclose(slope.get_ydata()[401:], 1 / X[401:])
    assert np.isnan(slope.get_ydata()[:400]).all()          # and not 1 / x
    f.figure.draw_without_rendering()


class Swish(nn.Module):
    def __init__(self):
        super().__init__()
        self.beta = nn.Parameter(tn.tensor(2.0))

    def forward(self, x):
        return x * (self.beta * x).sigmoid()


def test_parameters_of_a_module_keep_their_gradient():
    module = Swish()
    module.beta.grad = tn.tensor(7.0)
    with tn.no_grad():
        f, slope = plots.activation_functions({"swish": module}, 0, 1)
    assert f.get_ydata()[-1] == pytest.approx(1 / (1 + np.exp(-2)), rel=1e-6)
    assert slope.get_ydata()[0] == pytest.approx(0.5) and module.beta.grad.item() == 7.0


def test_a_step_has_no_slope():
    f, slope = plots.activation_functions({"step": lambda x: (x > 0).double()}, -1, 1)
    assert f.get_ydata()[[0, -1]].tolist() == [0, 1] and not slope.get_ydata().any()


@pytest.mark.parametrize(("functions", "options", "kind", "message"), [
    ("rellu", {}, ValueError, "'rellu' is not known; there are relu, leaky_relu"),
    ([], {}, ValueError, "there are no functions to draw"),
    (3, {}, TypeError, "expects names, modules or functions of a Tensor, not a int"),
    ("relu", {"low": 1, "high": 1}, ValueError, "low must be below high, and both finite numbers, not 1 and 1"),
    ("relu", {"high": float("inf")}, ValueError, "low must be below high"),
    ("relu", {"low": "a"}, ValueError, "low must be below high, and both finite numbers, not a and 4.0"),
    ([lambda x: x, lambda x: x ** 2], {}, ValueError, "same name, of <lambda>, <lambda>; give a dict"),
    ([nn.Tanh(), nn.ReLU], {}, TypeError, r"ReLU is a class; make one, ReLU\(\.\.\.\)"),
    (nn.Softmax(dim=0), {}, ValueError, r"Softmax\(dim=0\) does not treat each number by itself"),
    (tn.sum, {}, ValueError, r"sum must give one number for each, and gave shape \(\)"),
    (lambda x: x.numpy(), {}, ValueError, "gave a ndarray"),
])
def test_what_is_no_activation_function_is_refused(functions, options, kind, message):
    with pytest.raises(kind, match=f"activation_functions: .*{message}"):
        plots.activation_functions(functions, **options)
