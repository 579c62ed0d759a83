"""The von Mises-Fisher likelihood of directions: beside 50 digits, at κ = 0 and at 10⁶, and what it means."""

import importlib.util

import numpy as np
import pytest
from device_option import UNCHECKED
from scipy.optimize import minimize

import tinygrad_nuc as tn
from tinygrad_nuc import nn
from tinygrad_nuc.nn import functional as F
from tinygrad_nuc.nn.functional.directions import NEAR

loss_of = F.von_mises_fisher_nll_loss
RNG = np.random.default_rng(2)


def unit(vectors):
    return vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)


X = unit(RNG.normal(size=(40, 3)))

# (κ, −ln C(κ) − κ, the mean cosine coth κ − 1/κ, its derivative 1/κ² − 1/sinh² κ), computed with mpmath in 50 digits
EXACT = np.array([
    (0.0001, 2.5309242486359573, 3.3333333311111114e-05, 0.33333333266666665),
    (0.01, 2.521040913580402, 0.0033333111113227495, 0.3333266667724853),
    (0.1, 2.4326903584328714, 0.033311132253989614, 0.332667723388165),
    (0.4999999, 2.072349185186869, 0.16395338200809023, 0.3173056293330165),
    (0.5, 2.072349101582209, 0.16395341373865285, 0.3173056231688307),
    (0.7, 1.9113970564251508, 0.2260502072312008, 0.30304356886444306),
    (1.0, 1.6924636085404865, 0.3130352854993313, 0.27593833903368953),
    (2.0, 1.1262444390235136, 0.537314720727548, 0.1739781701619289),
    (5.0, 0.2283937530148746, 0.8000908039820194, 0.0398183837905981),
    (10.0, -0.4647080286458538, 0.9000000041223073, 0.009999991755385476),
    (30.0, -1.56332031525281, 0.9666666666666667, 0.0011111111111111111),
    (100.0, -2.767293119578746, 0.99, 0.0001),
    (700.0, -4.713203268634059, 0.9985714285714286, 2.040816326530612e-06),
    (1000.0, -5.0698782125727915, 0.999, 1e-06),
    (10000.0, -7.372463305566837, 0.9999, 1e-08),
])


def computed_with_mpmath():
    """More such rows, where mpmath is installed."""
    if importlib.util.find_spec("mpmath"):
        import mpmath
        for kappa in 10.0 ** np.random.default_rng(0).uniform(-4, 4, 40):
            with mpmath.workdps(50):
                k = mpmath.mpf(kappa)
                yield np.array([kappa, mpmath.log(4 * mpmath.pi * mpmath.sinh(k) / k) - k, mpmath.coth(k) - 1 / k,
                                1 / k ** 2 - mpmath.csch(k) ** 2], float)


def directions_near(x, kappa):
    """Mean directions as a trained network predicts them, within about 1/√κ, and for every second x any direction."""
    scatter = np.where(np.arange(len(x)) % 2, 1 / np.sqrt(max(kappa, 1)), 3.0)[:, None]
    return unit(x + scatter * RNG.normal(size=x.shape))


def all_derivatives(v, x):
    """The losses, their gradients and their second derivatives, each row by itself."""
    v = tn.tensor(v, requires_grad=True)
    y = loss_of(v, tn.tensor(x), reduction="none")
    first, = tn.grad(y, v, tn.ones_like(y), create_graph=True)
    second = [tn.grad(first[:, i].sum(), v, retain_graph=True)[0].numpy() for i in range(3)]
    return y.numpy(), first.numpy(), np.stack(second, 1)


def exact_derivatives(v, x, surplus, mean_cosine, slope):
    """The same from −ln C(κ) − κ and the derivatives of −ln C(κ)."""
    v, x = v.astype(np.longdouble), x.astype(np.longdouble)
    kappa = np.sqrt((v * v).sum(-1))
    mu, x = v / kappa[:, None], x / np.sqrt((x * x).sum(-1, keepdims=True))
    along = mu[:, :, None] * mu[:, None, :]
    return (surplus + kappa * ((mu - x) ** 2).sum(-1) / 2, mean_cosine * mu - x,
            slope * along + (mean_cosine / kappa)[:, None, None] * (np.eye(3) - along))


def largest_error(found, exact):
    """The largest difference, relative to the largest element of its row."""
    axes = tuple(range(1, found.ndim))
    return (abs(found - exact).max(axes, keepdims=True) / abs(exact).max(axes, keepdims=True)).max()


@pytest.mark.parametrize("row", [*EXACT, *computed_with_mpmath()], ids=lambda row: f"{row[0]:g}")
def test_values_and_both_derivatives_beside_exact_ones(row):
    v = row[0] * directions_near(X, row[0])
    value, gradient, hessian = exact_derivatives(v, X, *row[1:])
    found = all_derivatives(v, X)
    np.testing.assert_allclose(found[0], value.astype(float), rtol=1e-12, atol=1e-14)
    assert largest_error(found[1], gradient) < 1e-13
    assert largest_error(found[2], hessian) < 3e-14

    y, first, second = all_derivatives(v.astype(np.float32), X.astype(np.float32))
    assert y.dtype == first.dtype == second.dtype == np.float32
    exact = exact_derivatives(v.astype(np.float32), X.astype(np.float32), *row[1:])
    np.testing.assert_allclose(y, exact[0].astype(float), rtol=1e-5, atol=1e-6)
    assert largest_error(first, exact[1]) < 3e-5
    assert largest_error(second, exact[2]) < 2e-5


# ---------------------------------------------------------------------- the ends, and the seam

def test_where_nothing_is_predicted_the_gradient_is_minus_the_direction():
    y, gradient, hessian = all_derivatives(np.zeros_like(X), X)
    np.testing.assert_allclose(y, np.log(4 * np.pi), rtol=1e-15)                    # all directions are equally likely
    np.testing.assert_allclose(gradient, -X, rtol=1e-15)
    np.testing.assert_allclose(hessian, np.broadcast_to(np.eye(3) / 3, (40, 3, 3)), rtol=1e-15)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kappa", [1e-30, 1e-12, 1e-4, 1e4, 1e6, 1e9])
def test_nothing_overflows(kappa, dtype):
    mu = directions_near(X, kappa)
    y, gradient, hessian = all_derivatives((kappa * mu).astype(dtype), X.astype(dtype))
    np.testing.assert_allclose(y, np.log(2 * np.pi / kappa) + kappa * ((mu - X) ** 2).sum(1) / 2 if kappa > 1 else np.log(4 * np.pi),
                               rtol=3e-4 if dtype is np.float32 else 1e-7, atol=1e-4)
    assert np.isfinite(gradient).all() and np.isfinite(hessian).all()


def test_the_series_and_the_formula_meet():
    mu = unit(RNG.normal(size=(40, 3)))
    for below, above in zip(all_derivatives(NEAR * (1 - 1e-13) * mu, X), all_derivatives(NEAR * (1 + 1e-13) * mu, X), strict=True):
        assert largest_error(above[:, None], below[:, None]) < 2e-12


def test_the_third_derivative_too():
    x = tn.tensor(X[:1])
    for kappa in (0.0, 0.3, 0.7, 20.0):
        v = tn.tensor(kappa * directions_near(X[:1], kappa), requires_grad=True)
        assert tn.gradgradcheck(lambda v: tn.grad(loss_of(v, x), v, create_graph=True)[0], v, eps=1e-5, atol=1e-7, rtol=1e-6)    # noqa: B023


# ---------------------------------------------------------------------- a concentration of its own

@pytest.mark.parametrize("shape", [(40,), (40, 1)])
def test_with_kappa_only_the_direction_of_the_input_counts(shape):
    mu, kappa = unit(RNG.normal(size=(40, 3))), np.exp(RNG.uniform(-4, 5, 40))
    expected = loss_of(tn.tensor(kappa[:, None] * mu), tn.tensor(X), reduction="none")
    for length in (1.0, 1e-3, 50.0):
        found = loss_of(tn.tensor(length * mu), tn.tensor(X), tn.tensor(kappa.reshape(shape)), reduction="none")
        np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=1e-12)


@pytest.mark.parametrize("kappa", [0.0, 0.25, 3.0, 1e4])
def test_one_kappa_for_all(kappa):
    mu = directions_near(X, kappa)
    expected = loss_of(tn.tensor(kappa * mu), tn.tensor(X)).item()
    for one in (kappa, np.float64(kappa), tn.tensor(kappa, dtype=tn.float64)):
        assert loss_of(tn.tensor(mu), tn.tensor(X), one).item() == pytest.approx(expected, rel=1e-12)
    k = tn.tensor(kappa, dtype=tn.float64, requires_grad=True)
    loss_of(tn.tensor(mu), tn.tensor(X), k).backward()
    mean_cosine = 1 / np.tanh(kappa) - 1 / kappa if kappa else 0.0
    assert k.grad.item() == pytest.approx(mean_cosine - (mu * X).sum(1).mean(), rel=1e-9)


def test_a_direction_that_is_not_there_gives_no_nan():
    v = tn.zeros(1, 3, requires_grad=True)
    loss_of(v, tn.tensor([[0.0, 0.0, 1.0]]), 2.0).backward()
    assert v.grad.tolist() == [[0.0, 0.0, -2.0]]


# ---------------------------------------------------------------------- what it means

@pytest.mark.parametrize("kappa", [0.0, 0.1, 0.6, 5.0, 200.0])
def test_the_density_integrates_to_one(kappa):
    cosines, weights = np.polynomial.legendre.leggauss(200)
    x = np.stack([np.sqrt(1 - cosines ** 2), 0 * cosines, cosines], 1)
    v = np.broadcast_to([0.0, 0.0, kappa], x.shape)
    density = np.exp(-loss_of(tn.tensor(v.copy()), tn.tensor(x), reduction="none").numpy())
    assert 2 * np.pi * (weights * density).sum() == pytest.approx(1, rel=1e-11)


@pytest.mark.host("arrays given to value_and_grad, by SciPy")
def test_the_best_vector_points_along_the_mean_and_its_length_tells_the_scatter():
    x = tn.tensor(unit(np.array([1.0, -2.0, 2.0]) / 3 + 0.2 * RNG.normal(size=(500, 3))))
    mean = x.numpy().mean(0)
    result = minimize(tn.func.value_and_grad(lambda v: loss_of(v.expand(500, 3), x)), np.zeros(3), jac=True, method="BFGS", tol=1e-9)
    kappa = np.linalg.norm(result.x)
    np.testing.assert_allclose(result.x / kappa, unit(mean), rtol=1e-6)
    assert 1 / np.tanh(kappa) - 1 / kappa == pytest.approx(np.linalg.norm(mean), rel=1e-7)
    assert kappa == pytest.approx(1 / 0.2 ** 2, rel=0.2)


def test_the_module():
    v, x = tn.tensor(3 * RNG.normal(size=(40, 3))), tn.tensor(X)
    for reduction in ("mean", "sum", "none"):
        np.testing.assert_array_equal(nn.VonMisesFisherNLLLoss(reduction=reduction)(v, x).numpy(), loss_of(v, x, reduction=reduction).numpy())
    assert nn.VonMisesFisherNLLLoss()(v, x, 2.0).item() == loss_of(v, x, 2.0).item()
    for kappa in (None, 2.0, tn.tensor(np.arange(40.0).reshape(5, 8)), tn.tensor(np.arange(40.0).reshape(5, 8, 1))):
        flat = kappa.reshape(40) if isinstance(kappa, tn.Tensor) else kappa
        found = loss_of(v.reshape(5, 8, 3), x.reshape(5, 8, 3), kappa, reduction="none")
        np.testing.assert_array_equal(found.numpy(), loss_of(v, x, flat, reduction="none").numpy().reshape(5, 8))


# ---------------------------------------------------------------------- what does not fit

def test_directions_that_rounding_has_made_a_little_too_long_or_short():
    rounded = np.round(X, 4)
    for kappa in (0.3, 5.0):
        v = tn.tensor(kappa * directions_near(X, kappa))
        np.testing.assert_allclose(loss_of(v, tn.tensor(rounded)).item(), loss_of(v, tn.tensor(unit(rounded))).item(), rtol=1e-14)


V, Z = tn.ones(2, 3), tn.tensor([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0]])


@pytest.mark.parametrize(("wrong", "kind", "message"), [
    pytest.param(lambda: loss_of(V, V), ValueError, r"the targets must be directions, vectors of length 1, and one has length 1\.73205; divide them by x\.norm", marks=UNCHECKED),
    pytest.param(lambda: loss_of(V, 0 * Z), ValueError, "one has length 0;", marks=UNCHECKED), pytest.param(lambda: loss_of(V, Z * float("nan")), ValueError, "one has length nan;", marks=UNCHECKED),
    pytest.param(lambda: loss_of(V, tn.tensor([[0.0, 0.0, 1.0], [0.0, 0.0, 1.01]])), ValueError, "one has length 1.01", marks=UNCHECKED),
    (lambda: loss_of(tn.ones(2, 2), tn.ones(2, 2)), ValueError, r"three components in the last dimension, and the shape is \(2, 2\)"),
    (lambda: loss_of(tn.tensor(1.0), tn.tensor(1.0)), ValueError, r"the shape is \(\)"),
    (lambda: loss_of(V, Z[0]), ValueError, r"the input has shape \(2, 3\) and the target \(3,\)"),
    (lambda: loss_of(V, Z.double()), TypeError, r"the input is float32 and the target float64.*\.float\(\)"),
    (lambda: loss_of(V, Z, -1.0), ValueError, "kappa must be at least 0, not -1"), pytest.param(lambda: loss_of(V, Z, tn.tensor([1.0, -2.0])), ValueError, "the kappa must not be negative.*-2", marks=UNCHECKED),
    (lambda: loss_of(V, Z, tn.ones(3)), ValueError, r"a kappa of shape \(3,\) does not fit vectors of shape \(2, 3\).*\(2,\) or \(2, 1\)"),
    (lambda: loss_of(V, Z, tn.ones(2).double()), TypeError, "the input is float32 and the kappa float64"), (lambda: loss_of(V, Z, reduction="all"), ValueError, "reduction must be"),
])
def test_errors_say_what_would_fit(wrong, kind, message):
    with pytest.raises(kind, match=f"von_mises_fisher_nll_loss: .*{message}"):
        wrong()
