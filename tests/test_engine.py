"""The engine's promises: order, accumulation, memory, recording, and what it refuses."""

import contextvars
import gc
import pickle
import threading
import weakref

import numpy as np
import pytest

import tinygrad_nuc as tn


def leaf(*values, dtype=np.float64):
    return tn.tensor(values[0] if len(values) == 1 else list(values), dtype=dtype, requires_grad=True)


@pytest.fixture
def no_garbage_collector():
    gc.collect()
    gc.disable()
    yield
    gc.enable()


# ---------------------------------------------------------------------- the same value used more than once

SQUARE = [[0.5, -1.2], [0.7, 1.9]]
USES = {
    "x - x": lambda x: x - x,
    "x + x": lambda x: x + x,
    "x * x": lambda x: x * x,
    "x / x": lambda x: x / x,
    "|x| ** |x|": lambda x: abs(x) ** abs(x),
    "x @ x": lambda x: x @ x,
    "x @ x.T": lambda x: x @ x.T,
    "x[0] @ x[0]": lambda x: x[0] @ x[0],
    "x[[0, 0, 1]]": lambda x: x[[0, 0, 1]],
    "x[[0, 0, 1], [1, 1, 0]]": lambda x: x[[0, 0, 1], [1, 1, 0]],
    "where(x > 0, x, x)": lambda x: tn.where(x > 0, x, x),
    "cat([x, x])": lambda x: tn.cat([x, x]) * tn.tensor([[1.0], [2.0], [3.0], [4.0]], dtype=np.float64),
    "stack([x, x * x])": lambda x: tn.stack([x, x * x], dim=1),
    "a value used by two newer ones": lambda x: (lambda y: y * tn.sin(y) + tn.exp(y))(x * x),
}


@pytest.mark.parametrize("use", USES)
def test_a_value_used_twice_receives_both_gradients(use):
    x = leaf(SQUARE)
    assert tn.gradcheck(USES[use], x, eps=1e-6, atol=1e-8, rtol=1e-7)
    assert tn.gradgradcheck(USES[use], x, eps=1e-6, atol=1e-7, rtol=1e-6)


def test_equal_values_share_the_gradient_of_maximum_and_amax():
    x = leaf(2.0, 2.0, 1.0)
    tn.maximum(x, x).sum().backward()
    assert x.grad.tolist() == [1.0, 1.0, 1.0]
    g, = tn.grad(x.amax(), x)
    assert g.tolist() == [0.5, 0.5, 0.0]
    g, = tn.grad(x.max(0).values, x)
    assert g.tolist() == [1.0, 0.0, 0.0]


def test_slopes_at_kinks_follow_the_stated_conventions():
    zero = leaf(0.0)
    for function, slope in ((tn.relu, 0), (abs, 0), (tn.nn.functional.softplus, 0.5), (tn.nn.functional.elu, 1),
                            (lambda x: tn.nn.functional.leaky_relu(x, 0.1), 0.1), (lambda x: x.clamp(0, 1), 1),
                            (lambda x: x ** 0, 0), (lambda x: x ** 1, 1), (lambda x: x ** 2, 0)):
        assert tn.grad(function(zero), zero)[0].item() == slope
    with np.errstate(divide="ignore"):
        assert tn.grad(tn.sqrt(zero), zero)[0].item() == np.inf


def test_the_order_of_the_walk_waits_for_every_use():
    # A walk that visits x's first use before its second would send half of x's gradient on.
    x = leaf(3.0)
    y = x * 1.0
    for _ in range(4):
        y = y + y                                   # 16 paths from y back to x
    y.backward()
    assert x.grad.item() == 16.0


# ---------------------------------------------------------------------- accumulation and repetition

def test_gradients_add_up_over_backward_passes():
    x = leaf(1.0, 2.0)
    (x * 2).sum().backward()
    first = x.grad
    (x * 3).sum().backward()
    assert x.grad.tolist() == [5.0, 5.0]
    assert first.tolist() == [2.0, 2.0], "an earlier gradient that somebody kept must not change"


def test_backward_frees_the_graph_and_says_so_the_second_time():
    x = leaf(2.0)
    y = x * x
    y.backward()
    with pytest.raises(RuntimeError, match="second time.*retain_graph=True"):
        y.backward()
    assert x.grad.item() == 4.0


def test_retained_graphs_can_be_walked_again():
    x = leaf(2.0)
    y = x * x
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad.item() == 8.0


def test_backward_from_a_vector_needs_its_gradient():
    x = leaf(1.0, 2.0)
    with pytest.raises(ValueError, match=r"shape \(2,\).*\.sum\(\)"):
        (x * x).backward()
    with pytest.raises(ValueError, match=r"\(3,\).*\(2,\)"):
        (x * x).backward(tn.ones(3))
    (x * x).backward(tn.tensor([1.0, 10.0], dtype=np.float64))
    assert x.grad.tolist() == [2.0, 40.0]


def test_backward_without_history_is_an_error():
    with pytest.raises(RuntimeError, match="no history"):
        (tn.ones(1) * 2).backward()


def test_an_intermediate_value_can_keep_its_gradient():
    x = leaf(2.0)
    y = x * x
    y.retain_grad()
    (y * 3).backward()
    assert y.grad.item() == 3.0 and x.grad.item() == 12.0


# ---------------------------------------------------------------------- grad and higher orders

def test_third_derivative_of_sine():
    x = leaf(0.7)
    y = tn.sin(x)
    for expected in (np.cos(0.7), -np.sin(0.7), -np.cos(0.7), np.sin(0.7)):
        y, = tn.grad(y, x, create_graph=True)
        assert y.item() == pytest.approx(expected, rel=1e-15)


def test_grad_leaves_grad_alone_and_visits_only_the_way_to_its_inputs():
    w, x = leaf(2.0), leaf(3.0)
    middle = w * x
    y = middle * middle + tn.exp(w)
    g, = tn.grad(y, middle, retain_graph=True)
    assert g.item() == 12.0
    gw, gx = tn.grad(y, [w, x])
    assert (gw.item(), gx.item()) == (pytest.approx(36 + np.exp(2.0)), 24.0)
    assert w.grad is None and x.grad is None


def test_grad_of_several_outputs_adds_them():
    x = leaf(2.0)
    g, = tn.grad([x * x, x * 5], x, [tn.tensor(1.0, dtype=np.float64), tn.tensor(2.0, dtype=np.float64)])
    assert g.item() == 14.0


def test_unused_inputs_are_an_error_or_none():
    x, unused = leaf(2.0), leaf(1.0)
    with pytest.raises(RuntimeError, match="do not depend on input 1"):
        tn.grad(x * x, [x, unused])
    assert tn.grad(x * x, [x, unused], allow_unused=True)[1] is None


def test_create_graph_gradients_do_not_share_memory():
    a, b = leaf(1.0), leaf(2.0)
    (a + b).backward(create_graph=True)
    assert a.grad is not b.grad and not np.shares_memory(a.grad.data, b.grad.data)


# ---------------------------------------------------------------------- depth and memory

def test_a_chain_of_100_000_operations():
    x = tn.tensor(1.0, dtype=np.float64, requires_grad=True)
    y = x
    for _ in range(50_000):
        y = y * 1.00001 + 0.00001
    y.backward()
    assert x.grad.item() == pytest.approx(1.00001 ** 50_000, rel=1e-9)


def test_a_long_chain_that_is_never_walked_is_freed_without_recursion(no_garbage_collector):
    x = leaf(1.0)
    y = x
    for _ in range(100_000):
        y = -y
    watch = weakref.ref(y)
    del y
    assert watch() is None


@pytest.mark.parametrize("finish", [lambda y: None, lambda y: y.backward(), lambda y: y.backward(retain_graph=True)])
def test_nothing_of_a_graph_survives_its_last_reference(no_garbage_collector, finish):
    x = leaf(1.0, 2.0)
    middle = x * x
    inner = tn.exp(middle)
    y = inner.sum()
    watched = [weakref.ref(t) for t in (middle, inner, y)]
    finish(y)
    del middle, inner, y
    assert [w() for w in watched] == [None, None, None]


def test_second_derivatives_leave_nothing_behind(no_garbage_collector):
    x = leaf(1.0, 2.0)
    y = (x ** 3).sum()
    g, = tn.grad(y, x, create_graph=True)
    tn.grad(g.sum(), x)
    watched = [weakref.ref(t) for t in (y, g)]
    del y, g
    assert [w() for w in watched] == [None, None]


def test_values_are_let_go_while_the_walk_passes():
    x = leaf(1.0)
    y = tn.exp(x * 2)
    inner = weakref.ref(y.inputs[0])
    y.backward()
    assert inner() is None and y.inputs is None


# ---------------------------------------------------------------------- recording

def test_no_grad_records_nothing_and_nests():
    x = leaf(1.0)
    with tn.no_grad():
        assert not (x * 2).requires_grad
        with tn.enable_grad():
            assert (x * 2).requires_grad
        assert not (x * 2).requires_grad
    assert (x * 2).requires_grad


def test_no_grad_ends_with_an_error_and_decorates():
    x = leaf(1.0)
    with pytest.raises(ZeroDivisionError), tn.no_grad():
        raise ZeroDivisionError
    assert tn.is_grad_enabled()

    @tn.no_grad()
    def double(t):
        return t * 2
    assert not double(x).requires_grad and tn.is_grad_enabled()


def test_one_threads_no_grad_is_not_anothers():
    seen = {}
    with tn.no_grad():
        thread = threading.Thread(target=lambda: seen.update(other=tn.is_grad_enabled()))
        thread.start()
        thread.join()
    assert seen == {"other": True}
    assert contextvars.copy_context().run(tn.is_grad_enabled)


def test_detach_cuts_history_and_shares_memory():
    x = leaf(1.0, 2.0)
    y = (x * x).detach()
    assert not y.requires_grad and y.is_leaf
    assert np.shares_memory(x.detach().data, x.data)


@pytest.mark.parametrize("data", [[1, 2], [True, False]])
def test_only_floats_can_require_a_gradient(data):
    with pytest.raises(TypeError, match=r"floating-point.*\.float\(\)"):
        tn.tensor(data, requires_grad=True)
    with pytest.raises(TypeError, match="floating-point"):
        tn.tensor(data).requires_grad_()


# ---------------------------------------------------------------------- changes in place

def test_a_changed_input_is_noticed():
    x = leaf(1.0, 2.0)
    y = (x * x).sum()
    with tn.no_grad():
        x += 1
    with pytest.raises(RuntimeError, match="Multiply.*changed in place"):
        y.backward()
    assert x.grad is None


def test_a_change_through_a_view_or_a_detached_twin_is_noticed():
    for change in (lambda x: x.detach().zero_(), lambda x: x.reshape(2, 1).zero_(), lambda x: x[:1].fill_(7)):
        x = leaf(1.0, 2.0)
        y = tn.exp(x).sum() * (x * x).sum()
        with tn.no_grad():
            change(x)
        with pytest.raises(RuntimeError, match="changed in place"):
            y.backward()


def test_a_changed_result_is_noticed():
    x = leaf(1.0, 2.0)
    y = tn.exp(x)
    with tn.no_grad():
        y *= 2
    with pytest.raises(RuntimeError, match="Exp: its result was changed"):
        y.sum().backward()


def test_a_change_before_use_is_fine():
    x = leaf(1.0, 2.0)
    with tn.no_grad():
        x *= 3
    (x * x).sum().backward()
    assert x.grad.tolist() == [6.0, 12.0]


def test_parameters_cannot_be_changed_while_recording():
    x = leaf(1.0, 2.0)
    for change in (lambda: x.__iadd__(1), lambda: x.zero_(), lambda: x.__setitem__(0, 5.0), lambda: x.uniform_()):
        with pytest.raises(RuntimeError, match="no_grad"):
            change()
    assert x.tolist() == [1.0, 2.0]


def test_augmented_assignment_of_a_result_makes_a_new_tensor():
    x = leaf(1.0, 2.0)
    total = tn.tensor(0.0, dtype=np.float64)
    kept = total
    total += x.sum()
    total *= 2
    total.backward()
    assert x.grad.tolist() == [2.0, 2.0] and kept.item() == 0.0


def test_updates_as_on_the_slides_work():
    w = leaf(1.0, 2.0)
    (w * w).sum().backward()
    w.data -= 0.1 * w.grad.data
    np.testing.assert_allclose(w.data, [0.8, 1.6])
    with tn.no_grad():
        w -= 0.1 * w.grad
    np.testing.assert_allclose(w.data, [0.6, 1.2])
    assert w.requires_grad and w.is_leaf
    with pytest.raises(TypeError, match=r"w\.grad\.data"):
        w.data -= 0.1 * w.grad
    with pytest.raises(TypeError, match=r"\.data"):
        w.data = w.data - 0.1 * w.grad


def test_in_place_shapes_and_kinds_are_checked_before_writing():
    t = tn.tensor([1, 2, 3])
    with pytest.raises(ValueError, match=r"\(2,\).*\(3,\)"):
        t.copy_(tn.tensor([1, 2]))
    with pytest.raises(TypeError, match="float"):
        t += 0.5
    with pytest.raises(ValueError, match=r"__setitem__"):
        t[:2] = tn.tensor([1, 2, 3])
    assert t.tolist() == [1, 2, 3]
    t[t > 1] = 0
    assert t.tolist() == [1, 0, 0]


# ---------------------------------------------------------------------- gradcheck itself

@pytest.fixture
def faulty():
    """Two operations with mistakes, which leave the registry again after the test."""
    class HalfSlope(tn.Operation):
        """y = a² with the factor 2 missing in its derivative"""
        def forward(a):       return a * a
        def grad_a(g, y, a):  return g * a

    class CutOff(tn.Operation):
        """y = a³ with a derivative that cannot be differentiated again"""
        def forward(a):       return a ** 3
        def grad_a(g, y, a):  return g * 3 * getattr(a, "data" if isinstance(a, tn.Tensor) else "real") ** 2
    yield HalfSlope, CutOff
    del tn.engine.registry.operations.HalfSlope, tn.engine.registry.operations.CutOff


def test_gradcheck_finds_a_wrong_derivative_and_names_it(faulty):
    with pytest.raises(tn.inspect.GradcheckError, match=r"input 0, element \[1\].* says 2, .*difference 4 \(2 of 2"):
        tn.gradcheck(lambda a: faulty[0].apply(a).sum(), leaf(1.0, 2.0))


def test_gradgradcheck_finds_a_wrong_second_derivative(faulty):
    x = leaf(1.0, 2.0)
    assert tn.gradcheck(faulty[1].apply, x)
    with pytest.raises(tn.inspect.GradcheckError, match="input 0"):
        tn.gradgradcheck(faulty[1].apply, x)


def test_gradcheck_wants_float64_and_something_to_check():
    with pytest.raises(TypeError, match="input 0 is float32"):
        tn.gradcheck(tn.exp, leaf(1.0, dtype=np.float32))
    with pytest.raises(ValueError, match="no input"):
        tn.gradcheck(tn.exp, tn.ones(2))


def test_gradcheck_checks_a_model_where_it_is():
    model = tn.nn.Sequential(tn.nn.Linear(3, 4), tn.nn.Tanh(), tn.nn.Linear(4, 1)).double()
    x = tn.tensor(np.random.default_rng(0).normal(size=(5, 3)))
    before = [p.data.copy() for p in model.parameters()]
    assert tn.gradcheck(lambda *_: (model(x) ** 2).mean(), list(model.parameters()))
    for b, p in zip(before, model.parameters(), strict=True):
        np.testing.assert_array_equal(b, p.data)


def test_leaves_can_be_pickled():
    x = leaf(1.0, 2.0)
    y = pickle.loads(pickle.dumps(x))
    assert y.tolist() == [1.0, 2.0] and y.requires_grad
