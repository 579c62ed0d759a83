"""The bridge to minimizers, and modules as functions of their parameters."""

import numpy as np
import pytest
from scipy.optimize import check_grad, minimize, rosen, rosen_der

import tinygrad_nuc as tn
from tinygrad_nuc import nn
from tinygrad_nuc.func import functional_call, hessian, jacobian, value_and_grad
from tinygrad_nuc.nn import functional as F
from tinygrad_nuc.nn.utils import parameters_to_vector, vector_to_parameters

RNG = np.random.default_rng(1)


def valley(x):
    """Rosenbrock's function, with its minimum 0 at (1, 1, …)."""
    return (100 * (x[1:] - x[:-1] ** 2) ** 2 + (1 - x[:-1]) ** 2).sum()


# ---------------------------------------------------------------------- value and gradient

@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.host("arrays given to value_and_grad, by SciPy")
def test_arrays_give_a_number_and_an_array(dtype):
    x = RNG.normal(size=5).astype(dtype)
    value, gradient = value_and_grad(valley)(x)
    assert type(value) is float and type(gradient) is np.ndarray and gradient.dtype == dtype
    tolerance = 1e-5 if dtype is np.float32 else 1e-13
    assert value == pytest.approx(rosen(x.astype(float)), rel=tolerance)
    np.testing.assert_allclose(gradient, rosen_der(x.astype(float)), rtol=tolerance, atol=tolerance)


def test_tensors_give_tensors():
    x = tn.tensor(RNG.normal(size=5))
    value, gradient = value_and_grad(valley)(x)
    assert isinstance(value, tn.Tensor) and isinstance(gradient, tn.Tensor) and not value.requires_grad and not gradient.requires_grad
    np.testing.assert_allclose(gradient.numpy(), rosen_der(x.numpy()), rtol=1e-13)
    assert x.grad is None


@pytest.mark.host("arrays given to value_and_grad, by SciPy")
def test_scipys_minimizers_take_it_as_it_is():
    f, x0 = value_and_grad(valley), np.array([-1.2, 1.0, -0.5])
    for method in ("L-BFGS-B", "BFGS", "CG", "TNC"):
        result = minimize(f, x0, jac=True, method=method)
        np.testing.assert_allclose(result.x, [1, 1, 1], atol=2e-3, err_msg=method)
    assert x0.tolist() == [-1.2, 1.0, -0.5]
    assert check_grad(lambda x: f(x)[0], lambda x: f(x)[1], x0) < 1e-4


@pytest.mark.host("arrays given to value_and_grad, by SciPy")
def test_other_arguments_are_passed_on():
    def f(x, a, *, power=2):
        return (a * x ** power).sum()
    x = np.array([1.0, 2.0])
    assert value_and_grad(f)(x, 3.0)[1].tolist() == [6.0, 12.0] and value_and_grad(f)(x, 3.0, power=3)[1].tolist() == [9.0, 36.0]
    assert minimize(value_and_grad(lambda x, a: ((x - a) ** 2).sum()), x, args=(np.array([5.0, 7.0]),), jac=True).x == pytest.approx([5, 7])


@pytest.mark.host("arrays given to value_and_grad, by SciPy")
def test_several_arguments():
    def f(a, b):
        return (a * a * b).sum()
    a, b = np.array([1.0, 2.0]), np.array([3.0, 4.0])
    value, (ga, gb) = value_and_grad(f, argnums=(0, 1))(a, b)
    assert (value, ga.tolist(), gb.tolist()) == (19.0, [6.0, 16.0], [1.0, 4.0])
    assert value_and_grad(f, argnums=1)(a, b)[1].tolist() == value_and_grad(f, argnums=-1)(a, b)[1].tolist() == [1.0, 4.0]
    value, (only,) = value_and_grad(f, [0])(a, b)
    assert only.tolist() == [6.0, 16.0]
    value, (ga, gb) = value_and_grad(f, (0, 1))(a, tn.tensor(b))            # of each kind its own
    assert isinstance(value, tn.Tensor) and type(ga) is np.ndarray and isinstance(gb, tn.Tensor)
    value, (_, unused) = value_and_grad(lambda a, b: a.sum(), (0, 1))(a, b)
    assert unused.tolist() == [0.0, 0.0]


def test_it_composes():
    x = tn.tensor(RNG.normal(size=3))
    np.testing.assert_allclose(jacobian(lambda x: value_and_grad(valley)(x)[1], x).numpy(), hessian(valley, x).numpy(), rtol=1e-13)
    w = tn.tensor(2.0, requires_grad=True)
    value, gradient = value_and_grad(lambda x: (w * x ** 2).sum())(x)
    gradient.sum().backward()
    assert value.requires_grad and w.grad.item() == pytest.approx(2 * x.numpy().sum())


@pytest.mark.host("arrays given to value_and_grad, by SciPy")
def test_an_array_takes_no_history_along():
    w = tn.tensor(2.0, requires_grad=True)
    assert type(value_and_grad(lambda x: (w * x ** 2).sum())(RNG.normal(size=3))[0]) is float


@pytest.mark.host("arrays given to value_and_grad, by SciPy")
def test_the_array_is_not_kept_and_the_gradient_is_its_own():
    seen = []
    def f(x):
        seen.append(x)
        return (x * x).sum()
    x = np.array([1.0, 2.0])
    first = value_and_grad(f)(x)[1]
    x[:] = 9
    assert seen[0].tolist() == [1.0, 2.0] and first.tolist() == [2.0, 4.0]
    value_and_grad(f)(x)
    assert first.tolist() == [2.0, 4.0] and first.flags.writeable and first.flags.owndata


@pytest.mark.host("arrays given to value_and_grad, by SciPy")
def test_it_works_where_recording_is_off():
    with tn.no_grad():
        assert value_and_grad(valley)(np.ones(2) * 2)[1].tolist() == rosen_der(np.ones(2) * 2).tolist()


A = np.array([1.0, 2.0])


@pytest.mark.parametrize(("wrong", "kind", "message"), [
    (lambda: value_and_grad(3), TypeError, "expects a function, not a int"),
    (lambda: value_and_grad(lambda x: x * 2)(A), ValueError, r"the function must return one number, not \(2,\)"),
    (lambda: value_and_grad(lambda x: (x.sum(), x.sum()))(A), ValueError, "the function must return one number"),
    (lambda: value_and_grad(lambda x: x.sum().item())(A), TypeError, "the function must return a tensor or several, not a float"),
    (lambda: value_and_grad(lambda x: tn.tensor(x.numpy()).sum())(A), RuntimeError, "does not depend on its argument.*the way is cut"),
    (lambda: value_and_grad(lambda x: (x.detach() * nn.Parameter(tn.ones(2))).sum())(A), RuntimeError, "does not depend on its argument"),
    (lambda: value_and_grad(valley)(np.array([1, 2])), TypeError, "input 0 is int64"), (lambda: value_and_grad(valley)([1.0, 2.0]), TypeError, "input 0 is list"),
    *((lambda n=n: value_and_grad(valley, n), ValueError, rf"argnums={text} names no argument") for n, text in (((), r"\(\)"), ([], r"\[\]"))),
    (lambda: value_and_grad(valley, 1)(A), TypeError, "argnums=1 must be positions of different arguments.*called with 1 by position"),
    (lambda: value_and_grad(valley, (0, -1))(A), TypeError, r"argnums=\(0, -1\) must be positions of different arguments"),
])
@pytest.mark.host("arrays given to value_and_grad, by SciPy")
def test_errors_say_what_is_wrong(wrong, kind, message):
    with pytest.raises(kind, match=f"value_and_grad: .*{message}"):
        wrong()


# ---------------------------------------------------------------------- modules as functions

def network():
    tn.manual_seed(0)
    return nn.Sequential(nn.Linear(1, 5), nn.Tanh(), nn.Linear(5, 1)).double()


@pytest.mark.host("arrays given to value_and_grad, by SciPy")
def test_a_network_fitted_by_scipy_reaches_the_bottom():
    model, x = network(), tn.linspace(-1, 1, 40, dtype=tn.float64).unsqueeze(1)
    y = np.sin(3 * x)
    shapes = {name: p.shape for name, p in model.named_parameters()}

    def loss(theta):
        parts = theta.split([int(np.prod(shape)) for shape in shapes.values()])
        weights = {name: part.reshape(shape) for (name, shape), part in zip(shapes.items(), parts, strict=True)}
        return F.mse_loss(functional_call(model, weights, x), y)

    theta0 = parameters_to_vector(model.parameters()).numpy()
    value, gradient = value_and_grad(loss)(theta0)
    direct = F.mse_loss(model(x), y)
    direct.backward()
    assert value == direct.item()
    np.testing.assert_allclose(gradient, parameters_to_vector(p.grad for p in model.parameters()).numpy(), rtol=1e-12, atol=1e-15)

    result = minimize(value_and_grad(loss), theta0, jac=True, method="L-BFGS-B", options={"maxiter": 2000, "ftol": 1e-15, "gtol": 1e-9})
    assert parameters_to_vector(model.parameters()).tolist() == theta0.tolist()
    vector_to_parameters(result.x, model.parameters())
    assert F.mse_loss(model(x), y).item() == result.fun < 1e-6


def test_the_module_is_as_before_also_after_an_error():
    model = network()
    own = dict(model.named_parameters())
    with pytest.raises(ValueError, match="linear"):
        functional_call(model, {"0.weight": tn.zeros(5, 1).double()}, tn.zeros(4, 3).double())
    functional_call(model, {"0.weight": tn.zeros(5, 1).double()}, tn.zeros(4, 1).double())
    assert dict(model.named_parameters()).keys() == own.keys()
    assert all(p is own[name] for name, p in model.named_parameters()) and all(type(p) is nn.Parameter for p in model.parameters())


def test_gradients_go_to_the_given_tensors_only():
    model, w = network(), tn.ones(5, 1).double().requires_grad_()
    functional_call(model, {"0.weight": w * 2}, (tn.ones(4, 1).double(),)).sum().backward()
    assert w.grad.shape == (5, 1) and model[0].weight.grad is None and model[2].weight.grad is not None


def test_buffers_keyword_arguments_and_no_arguments():
    class Scaled(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("scale", tn.tensor(2.0))
            self.register_buffer("calls", tn.tensor(0))

        def forward(self, x=1.0, shift=0.0):
            self.calls += 1
            return self.scale * x + shift

    model = Scaled()
    given = tn.tensor(10)
    assert functional_call(model, {"scale": tn.tensor(5.0), "calls": given}).item() == 5.0
    assert functional_call(model, {"scale": tn.tensor(5.0)}, 3.0, {"shift": 1.0}).item() == 16.0
    assert model().item() == 2.0 and given.item() == 11 and model.calls.item() == 2


def test_a_batch_norm_moves_the_running_statistics_that_are_given_and_otherwise_its_own():
    model, x, mean = nn.BatchNorm1d(1), tn.tensor([[2.0], [4.0]]), tn.zeros(1)
    functional_call(model, {"running_mean": mean}, x)
    assert mean.item() == pytest.approx(0.3) and model.running_mean.item() == 0.0
    assert model.running_var.item() == pytest.approx(0.9 + 0.1 * 2) and model.num_batches_tracked.item() == 1


def test_a_shared_parameter_is_replaced_under_all_its_names():
    shared = nn.Linear(2, 2, bias=False)
    model = nn.Sequential(shared, nn.ReLU(), shared)
    x, w = tn.ones(1, 2), 2 * tn.eye(2)
    for name in ("0.weight", "2.weight"):
        assert functional_call(model, {name: w}, x).tolist() == [[4.0, 4.0]]
    assert functional_call(model, {"0.weight": w, "2.weight": w}, x).tolist() == [[4.0, 4.0]]
    with pytest.raises(ValueError, match="2.weight is shared with another name, which was given another value"):
        functional_call(model, {"0.weight": w, "2.weight": w * 1}, x)


@pytest.mark.parametrize(("given", "kind", "message"), [
    ({"1.weight": tn.zeros(1)}, KeyError, "Sequential has no parameter or buffer 1.weight, but 0.weight, 0.bias, 2.weight, 2.bias"),
    ({"0.weight": tn.zeros(1, 5)}, ValueError, r"0.weight has shape \(1, 5\), and that of Sequential \(5, 1\)"),
    ({"0.bias": np.zeros(5)}, TypeError, "0.bias must be a tensor, not a ndarray"), ({"0.bias": None}, TypeError, "0.bias must be a tensor"),
    (({"0.bias": tn.zeros(5)}, {"0.bias": tn.zeros(5)}), ValueError, "0.bias is given twice"),
])
def test_what_does_not_fit_is_refused(given, kind, message):
    with pytest.raises(kind, match=f"functional_call: {message}"):
        functional_call(network(), given, tn.zeros(1, 1))
