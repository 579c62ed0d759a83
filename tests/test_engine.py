"""The engine's promises: every use counts, gradients add up, any order of derivative, nothing survives."""

import gc
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
    y = x * x
    with pytest.raises(RuntimeError, match="do not depend"):
        tn.grad(y, unused)
    assert tn.grad(y, x)[0].item() == 4.0, "the mistake must not have cost the graph"


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


def test_a_graph_that_was_freed_is_not_taken_for_unused():
    x = leaf(2.0)
    y = x * x
    (y * 1).backward()
    with pytest.raises(RuntimeError, match="second time"):
        tn.grad(y * 2, [x, y], allow_unused=True)
    assert tn.grad(y * 2, y)[0].item() == 2.0


def test_the_chain_rule_by_hand_through_an_intermediate_value():
    x = leaf(2.0)
    h = x * x
    dz, = tn.grad(tn.sin(h), h)
    h.backward(dz)
    assert x.grad.item() == pytest.approx(np.cos(4.0) * 4.0)


def test_every_gradient_has_a_buffer_of_its_own():
    x = leaf(1.0, 2.0)
    for create_graph in (False, True):
        first, second = tn.grad((x * x).sum(), [x, x], create_graph=create_graph)
        assert first is not second and not np.shares_memory(first.data, second.data)


def test_reading_the_gradient_of_a_result_explains_itself():
    x = leaf(2.0)
    y = x * x
    with pytest.warns(UserWarning, match="Multiply.*retain_grad"):
        assert y.grad is None


@pytest.mark.parametrize("bend", [tn.relu, lambda x: tn.maximum(x, 0), lambda x: x.clamp(min=0), lambda x: tn.where(x > 0, x, 0.0)])
def test_a_bend_keeps_an_infinite_slope_behind_it_out(bend):
    x = leaf(-1.0, 4.0)
    with np.errstate(divide="ignore"):
        assert tn.grad(tn.sqrt(bend(x)).sum(), x)[0].tolist() == [0.0, 0.25]


def test_an_input_that_only_decides_is_not_reached():
    x, condition = leaf(1.0, 2.0), leaf(1.0, 0.0)
    y = tn.engine.registry.table.Where.apply(condition, x, x * 2)
    assert tn.grad(y.sum(), [x, condition], retain_graph=True, allow_unused=True)[1] is None
    with pytest.raises(RuntimeError, match="do not depend on input 1"):
        tn.grad(y.sum(), [x, condition])
    assert tn.grad(y.sum(), x)[0].tolist() == [1.0, 2.0], "the refusal came before anything was freed"
