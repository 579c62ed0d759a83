"""The quicker ways give what plain NumPy gives, in forward and backward passes, and in any dtype."""

import gc
import weakref

import numpy as np
import pytest

import tinygrad_nuc as tn
from tinygrad_nuc.engine.ownership import belongs_to
from tinygrad_nuc.engine.registry import table
from tinygrad_nuc.operations import quick
from tinygrad_nuc.optim import SGD, Adam, in_place


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_products_and_sums_are_those_of_numpy(dtype):
    rng = np.random.default_rng(1)
    a, b = rng.normal(size=(7, 5)).astype(dtype), rng.normal(size=(5, 3)).astype(dtype)
    stack = rng.normal(size=(2, 7, 5)).astype(dtype)
    close = {"rtol": 8 * np.finfo(dtype).eps, "atol": 8 * np.finfo(dtype).eps}
    np.testing.assert_allclose(quick.product(a, b), np.matmul(a, b), **close)
    np.testing.assert_allclose(quick.product(stack, b), np.matmul(stack, b), **close)
    np.testing.assert_allclose(quick.sum_of_rows(a), np.sum(a, axis=0), **close)
    np.testing.assert_allclose(quick.sum_of_rows(a[::2, ::-1]), np.sum(a[::2, ::-1], axis=0), **close)
    assert quick.product(a, b).dtype == quick.sum_of_rows(a).dtype == dtype
    np.testing.assert_array_equal(quick.transposed(stack), np.swapaxes(stack, 1, 2))
    np.testing.assert_array_equal(quick.transposed(a), a.T)


@pytest.mark.parametrize("shape", [(1, 1, 1), (4, 2, 1), (1, 5, 3), (3, 1, 4), (33, 16, 5)])
def test_products_are_those_of_matmul_bit_for_bit(shape):
    n, k, m = shape
    rng = np.random.default_rng(2)
    a, b = rng.normal(size=(n, k)), rng.normal(size=(k, m))
    spaced = rng.normal(size=(k, 2 * m))[:, ::2]
    for x, y in [(a, b), (a, np.asfortranarray(b)), (np.asfortranarray(a), b), (a, a.T), (a, spaced)]:
        np.testing.assert_array_equal(quick.product(x, y), np.matmul(x, y))


def test_sums_of_no_rows_and_of_values_that_are_no_numbers():
    np.testing.assert_array_equal(quick.sum_of_rows(np.zeros((0, 3), np.float32)), np.zeros(3))
    np.testing.assert_array_equal(quick.sum_of_rows(np.array([[np.inf, 1.0], [2.0, np.nan]])), [np.inf, np.nan])


@pytest.mark.parametrize("few", [0, 10 ** 6])
@pytest.mark.parametrize(("a", "shape"), [(np.float32(2), (3, 4)), (np.arange(3.0).reshape(3, 1), (2, 3, 4)),
                                          (np.arange(4), (3, 4)), (np.array(1.5), ()), (np.zeros((1, 0)), (5, 0))])
def test_spreading_is_broadcasting(a, shape, few, monkeypatch):
    monkeypatch.setattr(quick, "FEW", few)
    y, expected = quick.spread(a, shape), np.broadcast_to(a, shape)
    np.testing.assert_array_equal(y, expected)
    assert y.dtype == expected.dtype and y.shape == shape


# ---------------------------------------------------------------------- gradients that are taken over

def test_only_what_nobody_else_knows_belongs_to_a_table():
    array = np.ones(3)
    arrays = {"known": array, "view": array[1:], "own": np.ones(3), "number": np.float32(1), "owns a view": np.ones(3)}
    view = arrays["owns a view"][:2]
    assert [key for key in arrays if belongs_to(arrays, key)] == ["own"]
    del view
    assert belongs_to(arrays, "owns a view")


def test_a_rule_may_keep_what_it_returns():
    kept = np.ones(3)

    class KeepsItsGradient(tn.Operation):
        """y = a"""
        def forward(a):       return a.copy()
        def grad_a(g, y, a):  return kept
    del table.KeepsItsGradient                  # the tests of all operations need not know it
    x = tn.tensor(np.zeros(3), requires_grad=True)
    y = KeepsItsGradient.apply(x) + KeepsItsGradient.apply(x)
    y.backward(tn.ones(3, dtype=np.float64))
    assert x.grad.tolist() == [2.0, 2.0, 2.0] and kept.tolist() == [1.0, 1.0, 1.0]
    x.grad.data[0] = 5
    z = KeepsItsGradient.apply(x)
    x.grad = None
    z.backward(tn.ones(3, dtype=np.float64))
    x.grad.data[:] = 7
    assert kept.tolist() == [1.0, 1.0, 1.0]


def test_gradients_that_were_given_retained_or_seen_by_hooks_are_not_written_to():
    given, seen = tn.tensor([1.0, 2.0]), []
    x = tn.tensor([3.0, 4.0], requires_grad=True)
    y = x + 0
    y.retain_grad()
    handle = y.register_hook(lambda g: seen.append(g))
    (y + x).backward(given)                     # x receives the same array from both
    assert x.grad.tolist() == [2.0, 4.0]
    assert given.tolist() == y.grad.tolist() == seen[0].tolist() == [1.0, 2.0]
    x.grad.data[:] = -1
    assert given.tolist() == y.grad.tolist() == seen[0].tolist() == [1.0, 2.0]
    handle.remove()


def test_the_same_gradient_asked_for_twice_has_two_buffers():
    x = tn.tensor([3.0, 4.0], requires_grad=True)
    a, b = tn.grad((x * x).sum(), [x, x])
    assert a.tolist() == b.tolist() == [6.0, 8.0] and not np.may_share_memory(a.data, b.data)


def test_values_of_a_graph_are_let_go_when_it_is_freed():
    x = tn.tensor([3.0, 4.0], requires_grad=True)
    h = x * 2
    y = h.tanh()
    known = weakref.ref(h.data)
    del h
    y.backward(tn.ones(2))
    gc.collect()
    assert known() is None and y.values is None and y.inputs is None


# ---------------------------------------------------------------------- optimizers in place

SHAPES = {"several small": [(3, 4), (4,), (), (2, 1)], "one large": [(70, 9)], "both": [(70, 9), (9,), (5, 5)]}


@pytest.mark.parametrize("shapes", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("kind", "settings"), [
    (SGD, {"lr": 0.1}), (SGD, {"lr": 0.1, "momentum": 0.9}), (SGD, {"lr": 0.1, "momentum": 0.9, "dampening": 0.5}),
    (SGD, {"lr": 0.1, "momentum": 0.9, "weight_decay": 0.01}), (SGD, {"lr": 0.1, "weight_decay": 0.01}),
    (SGD, {"lr": 0.1, "momentum": 0.9, "nesterov": True}), (Adam, {"lr": 0.1}),
    (Adam, {"lr": 0.1, "betas": (0.5, 0.7), "eps": 1e-3}), (Adam, {"lr": 0.1, "weight_decay": 0.01}),
    (Adam, {"lr": 0.1, "amsgrad": True}), (Adam, {"lr": 0.1, "maximize": True})])
def test_a_step_in_place_is_the_formula_bit_for_bit(kind, settings, shapes, dtype, monkeypatch):
    monkeypatch.setattr("tinygrad_nuc.optim.flat.CACHE", 200)

    def run(steps=5):
        rng = np.random.default_rng(3)
        params = [tn.tensor(rng.normal(size=shape).astype(dtype), requires_grad=True) for shape in shapes]
        optimizer = kind(params, **settings)
        for step in range(steps):
            for p in params:
                p.grad = tn.tensor(np.asarray(rng.normal(size=p.shape)).astype(dtype))
            if step == 3:
                optimizer.param_groups[0]["lr"] = 0.05
            optimizer.step()
        return [p.data for p in params], optimizer.state_dict()["state"]
    found, state = run()
    monkeypatch.setattr(in_place, "formulas", {})
    monkeypatch.setattr("tinygrad_nuc.optim.flat.formulas", {})
    expected, expected_state = run()
    for p, q in zip(found, expected, strict=True):
        assert p.tobytes() == q.tobytes()
    for i in expected_state:
        assert list(state[i]) == list(expected_state[i])
        assert all(np.array_equal(state[i][key], expected_state[i][key]) for key in state[i])


def test_an_optimizer_of_your_own_uses_its_own_formula():
    class Half(SGD):
        def change(self, p, g, state, **settings):
            return super().change(p, g, state, **settings) / 2
    w = tn.tensor([1.0], requires_grad=True)
    w.grad = tn.tensor([1.0])
    Half([w], lr=0.5).step()
    assert w.tolist() == [0.75]
