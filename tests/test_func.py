"""Derivatives of functions: closed forms, one or several arguments, composed with each other, and what they keep."""

import numpy as np
import pytest

import tinygrad_nuc as tn
from tinygrad_nuc.func import hessian, hvp, jacobian, jvp, vjp

RNG = np.random.default_rng(3)
X, V, W = (tn.tensor(RNG.normal(size=4)) for _ in range(3))
M = tn.tensor(RNG.normal(size=(3, 4)))


def close(found, expected, tolerance=1e-13):
    assert isinstance(found, tn.Tensor)
    np.testing.assert_allclose(found.numpy(), expected.numpy() if isinstance(expected, tn.Tensor) else expected,
                               rtol=tolerance, atol=tolerance)


# ---------------------------------------------------------------------- closed forms

def test_products_with_the_jacobian_of_a_linear_map():
    u = tn.tensor(RNG.normal(size=3))
    y, left = vjp(lambda x: M @ x, X, u)
    close(y, M.numpy() @ X.numpy())
    close(left, u.numpy() @ M.numpy())
    y, right = jvp(lambda x: M @ x, X, V)
    close(y, M.numpy() @ X.numpy())
    close(right, M.numpy() @ V.numpy())
    close(jacobian(lambda x: M @ x, X), M)


def test_several_arguments_and_outputs():
    a, b = tn.tensor([1.0, 2.0], dtype=tn.float64), tn.tensor(3.0, dtype=tn.float64)
    def f(a, b):
        return a * b, (a * a).sum() + b
    (y, s), (ga, gb) = vjp(f, (a, b), (tn.tensor([1.0, 10.0]), tn.tensor(100.0)))
    assert (y.tolist(), s.item(), ga.tolist(), gb.item()) == ([3.0, 6.0], 8.0, [203.0, 430.0], 121.0)
    (y, s), (dy, ds) = jvp(f, (a, b), (tn.tensor([1.0, 10.0]), tn.tensor(100.0)))
    assert (dy.tolist(), ds.item()) == ([103.0, 230.0], 142.0)
    (ya, yb), (sa, sb) = jacobian(f, (a, b))
    assert ya.tolist() == [[3.0, 0.0], [0.0, 3.0]] and yb.tolist() == [1.0, 2.0]
    assert sa.tolist() == [2.0, 4.0] and sb.item() == 1.0
    (haa, hab), (hba, hbb) = hessian(lambda a, b: (a * a).sum() * b * b, (a, b))
    assert haa.tolist() == [[18.0, 0.0], [0.0, 18.0]] and hbb.item() == 10.0
    assert hab.tolist() == hba.tolist() == [12.0, 24.0]
    value, (ha, hb) = hvp(lambda a, b: (a * a).sum() * b * b, (a, b), (tn.tensor([1.0, 0.0]), tn.tensor(1.0)))
    assert (value.item(), ha.tolist(), hb.item()) == (45.0, [30.0, 24.0], 22.0)
    only, = jacobian(lambda a: a * a, (a,))
    assert only.tolist() == [[2.0, 0.0], [0.0, 4.0]]            # a sequence of one argument gives a sequence of one


def test_shapes_of_a_jacobian():
    j = jacobian(lambda x: x.reshape(2, 2).sum(0, keepdim=True), X)
    assert j.shape == (1, 2, 4)
    np.testing.assert_array_equal(j.numpy(), [[[1, 0, 1, 0], [0, 1, 0, 1]]])
    assert jacobian(lambda x: x[:0], X).shape == (0, 4) and jacobian(lambda x: x.sum(), X).shape == (4,)
    assert jacobian(lambda x: M * x.sum(), tn.tensor(1.0)).shape == (3, 4)


def test_a_hessian_of_a_quadratic_form_and_of_a_linear_function():
    A = RNG.normal(size=(4, 4))
    close(hessian(lambda x: x @ tn.tensor(A) @ x, X), A + A.T)
    close(hvp(lambda x: x @ tn.tensor(A) @ x, X, V)[1], (A + A.T) @ V.numpy())
    close(hessian(lambda x: x.sum(), X), np.zeros((4, 4)))
    close(hvp(lambda x: x.sum(), X, V)[1], np.zeros(4))
    close(jvp(lambda x: V, X, V)[1], np.zeros(4))
    close(vjp(lambda x: V, X, V)[1], np.zeros(4))


def test_third_derivatives_in_closed_form():
    def third(f, x):
        return hessian(lambda x: jacobian(f, x).sum(), x)
    x = tn.tensor([0.3, -1.2], dtype=tn.float64)
    close(third(lambda x: tn.sin(x).sum(), x), np.diag(-np.cos(x.numpy())))
    close(third(lambda x: tn.exp(2 * x).sum(), x), np.diag(8 * np.exp(2 * x.numpy())))
    close(third(lambda x: (x ** 5).sum(), x), np.diag(60 * x.numpy() ** 2))
    close(third(lambda x: (1 / x).sum(), x), np.diag(-6 / x.numpy() ** 4))
    y = x[0]
    for order in range(1, 6):                                   # five derivatives, nested
        f = tn.sin
        for _ in range(order):
            f = (lambda g: lambda t: jacobian(g, t))(f)
        close(f(y), np.sin(y.numpy() + order * np.pi / 2))


def test_third_derivatives_of_a_small_network():
    weights, offsets, out = (tn.tensor(RNG.normal(size=n)) for n in (5, 5, 5))
    def network(x):
        return (out * tn.tanh(weights * x + offsets)).sum()
    x = tn.tensor(0.4, dtype=tn.float64)
    t = np.tanh(weights.numpy() * 0.4 + offsets.numpy())
    first, second, thirds = 1 - t ** 2, -2 * t * (1 - t ** 2), (6 * t ** 2 - 2) * (1 - t ** 2)     # of tanh
    w, v = weights.numpy(), out.numpy()
    close(jacobian(network, x), (v * w * first).sum())
    close(hessian(network, x), (v * w ** 2 * second).sum())
    close(jacobian(lambda x: hessian(network, x), x), (v * w ** 3 * thirds).sum())
    close(jvp(lambda x: hvp(network, x)[1], x)[1], (v * w ** 3 * thirds).sum())
    close(vjp(lambda x: jvp(lambda x: jvp(network, x)[1], x)[1], x)[1], (v * w ** 3 * thirds).sum())


# ---------------------------------------------------------------------- each in terms of the others

def f(x):
    return tn.sin(x * x[0]) * tn.exp(-x.sum())


def test_products_agree_with_the_whole_matrix():
    J = jacobian(f, X)
    close(jvp(f, X, V)[1], J.numpy() @ V.numpy())
    close(vjp(f, X, V)[1], V.numpy() @ J.numpy())
    H = hessian(lambda x: f(x).sum(), X)
    close(hvp(lambda x: f(x).sum(), X, V)[1], H.numpy() @ V.numpy())
    close(H, H.T)


def test_transforms_compose():
    s = lambda x: (f(x) * V).sum()                                                           # noqa: E731
    H = hessian(s, X).numpy()
    close(jacobian(lambda x: jacobian(s, x), X), H)
    close(jacobian(lambda x: vjp(s, x)[1], X), H)
    close(jacobian(lambda x: jvp(s, x, V)[1], X), H @ V.numpy())
    close(jvp(lambda x: vjp(s, x)[1], X, V)[1], H @ V.numpy())
    close(vjp(lambda x: jvp(s, x, V)[1], X)[1], H @ V.numpy())
    T = jacobian(lambda x: hessian(s, x), X).numpy()                                           # third derivatives
    close(hessian(lambda x: jvp(s, x, V)[1], X), T @ V.numpy(), 1e-12)
    close(jacobian(lambda x: hvp(s, x, V)[1], X), T @ V.numpy(), 1e-12)
    close(hvp(lambda x: hvp(s, x, V)[1] @ W, X, V)[1], jacobian(lambda x: hessian(lambda x: jvp(s, x, W)[1], x) @ V, X) @ V, 1e-12)


# ---------------------------------------------------------------------- histories

def test_results_are_plain_unless_somebody_outside_can_ask():
    for result in (vjp(f, X, V), jvp(f, X, V), hvp(lambda x: f(x).sum(), X, V), (jacobian(f, X), hessian(lambda x: f(x).sum(), X))):
        assert not any(r.requires_grad for r in result)
    assert not X.requires_grad and X.grad is None


def test_results_can_be_differentiated_by_inputs_vectors_and_what_the_function_uses():
    x, v, w = (tn.tensor(t.numpy(), requires_grad=True) for t in (X, V, W))
    assert tn.gradcheck(lambda x, v: vjp(f, x, v), [x, v]) and tn.gradcheck(lambda x, v: jvp(f, x, v), [x, v])
    assert tn.gradcheck(lambda x: jacobian(f, x), x)
    for result in (jacobian(lambda x: x * x * w, X), jvp(lambda x: x * x * w, X, V)[1], vjp(lambda x: x * x * w, X, V)[1],
                   hessian(lambda x: (x * x * w).sum(), X), hvp(lambda x: (x * x * w).sum(), X, V)[1]):
        assert result.requires_grad and w in tn.engine.backward.between([result], {w})
    g, = tn.grad(jacobian(lambda x: x * w, X).sum(), w)                                     # Σ ∂(xᵢwᵢ)/∂xᵢ = Σ wᵢ
    assert g.tolist() == [1.0] * 4
    y, _ = vjp(lambda x: (x * w).sum(), x)
    y.backward()
    assert x.grad.tolist() == w.tolist() and w.grad.tolist() == x.tolist()


def test_transforms_work_inside_no_grad_and_then_keep_nothing():
    x = tn.tensor(X.numpy(), requires_grad=True)
    with tn.no_grad():
        results = [jacobian(f, x), *jvp(f, x, V), *hvp(lambda x: f(x).sum(), x, V), *vjp(f, x, V)]
    close(results[0], jacobian(f, X))
    assert not any(r.requires_grad for r in results) and x.grad is None


def test_a_training_step_through_a_transform():
    # the penalty |∂y/∂x|² of a network trains its weights
    model = tn.nn.Sequential(tn.nn.Linear(4, 3), tn.nn.Tanh(), tn.nn.Linear(3, 1)).double()
    penalty = (jacobian(lambda x: model(x).sum(), X) ** 2).sum()
    penalty.backward()
    assert model[0].weight.grad.shape == (3, 4) and not X.requires_grad
    for p in model.parameters():
        if p.grad is not None:
            p.data = p.data - 1e-3 * p.grad.data
    assert (jacobian(lambda x: model(x).sum(), X) ** 2).sum().item() < penalty.item()


def test_histories_can_be_dropped():
    x = tn.tensor(X.numpy(), requires_grad=True)
    results = [jacobian(f, x, create_graph=False), *jvp(f, x, V, create_graph=False), *vjp(f, x, V, create_graph=False),
               hessian(lambda x: f(x).sum(), x, create_graph=False), *hvp(lambda x: f(x).sum(), x, V, create_graph=False)]
    assert not any(r.requires_grad for r in results)
    assert jacobian(f, x, create_graph=True).requires_grad and tn.autograd.functional.jacobian is jacobian


def test_outputs_that_do_not_change_have_zero_derivatives():
    x = tn.tensor([3.0, 1.0, 2.0], dtype=tn.float64)
    (values, positions), (dv, dp) = jvp(tn.sort, x, tn.tensor([1.0, 10.0, 100.0]))
    assert positions.tolist() == [1, 2, 0] and dv.tolist() == [10.0, 100.0, 1.0] and dp.tolist() == [0, 0, 0]
    (by_value, by_position) = jacobian(tn.sort, x)
    assert by_value.tolist() == [[0, 1, 0], [0, 0, 1], [1, 0, 0]] and by_position.numpy().sum() == 0
    same, twice = jvp(lambda x: (x, x), x, x)[1]
    assert same.tolist() == twice.tolist() == x.tolist()


# ---------------------------------------------------------------------- errors

@pytest.mark.parametrize(("call", "kind", "message"), [
    (lambda: vjp(f, X), ValueError, "vjp: give v, of the shape of each output"),
    (lambda: jvp(f, X), ValueError, "jvp: give v, of the shape of each input"),
    (lambda: jvp(f, X, V[:2]), ValueError, r"jvp: v for input 0 has shape \(2,\); it must have \(4,\)"),
    (lambda: vjp(lambda x: (x, x), X, V), ValueError, "vjp: 2 outputs need as many vectors, not 1"),
    (lambda: hessian(f, X), ValueError, r"hessian: the function must return one number, not \(4,\)"),
    (lambda: hvp(lambda x: (x[0], x[1]), X, V), ValueError, r"hvp: the function must return one number, not \(\), \(\)"),
    (lambda: jacobian(f, tn.tensor([1, 2])), TypeError, "jacobian: input 0 is int64"),
    (lambda: jacobian(f, 3.0), TypeError, "jacobian: input 0 is float"),
    (lambda: jacobian(lambda x: 3.0, X), TypeError, "jacobian: the function must return a tensor or several, not a float"),
])
def test_what_does_not_fit_is_explained(call, kind, message):
    with pytest.raises(kind, match=message):
        call()
