"""Leaves: since when they require a gradient, and how gradients are stored in them."""

import threading

import numpy as np
import pytest

import tinygrad_nuc as tn


def leaf(*values):
    return tn.tensor(values[0] if len(values) == 1 else list(values), dtype=np.float64, requires_grad=True)


# ---------------------------------------------------------------------- requires_grad switched later

def test_what_did_not_require_a_gradient_then_is_a_constant():
    w, x = leaf(3.0), tn.tensor(2.0, dtype=np.float64)
    y = (x * x) * w + x * w
    x.requires_grad_()
    y.backward(retain_graph=True)
    assert x.grad is None and w.grad.item() == 6.0
    with pytest.raises(RuntimeError, match="do not depend on input 0"):
        tn.grad(y, x)
    (x * w).backward()
    assert x.grad.item() == 3.0


def test_a_graph_recorded_before_a_switch_off_and_on_again_still_counts():
    x = leaf(2.0)
    y = x * x
    x.requires_grad_(False)
    constant = x * leaf(5.0)
    x.requires_grad_(True)
    (y + constant).backward()
    assert x.grad.item() == 4.0
    z = x * x
    x.requires_grad_(False)
    z.backward()
    assert x.grad.item() == 4.0


# ---------------------------------------------------------------------- all or nothing

def test_gradients_are_stored_all_or_none():
    p, q = leaf(1.0, 2.0), leaf(3.0, 4.0)
    q.grad = tn.ones(2).double()
    y = (p * q).sum()
    q.data = tn.ones(2, 1).double().data
    q.grad = None
    q.grad = tn.ones(2, 1).double()
    with pytest.raises((RuntimeError, ValueError)):
        y.backward()
    assert p.grad is None


def test_data_of_what_requires_a_gradient_stays_floating_point():
    x = leaf(1.0, 2.0)
    with pytest.raises(TypeError, match="its data must be floating-point numbers, not int64"):
        x.data = np.array([1, 2])
    assert x.tolist() == [1.0, 2.0] and x.dtype == np.float64


def test_threads_may_add_to_the_same_gradient():
    w = leaf(0.0)

    def work():
        for _ in range(300):
            (w * 1.0).backward()
    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert w.grad.item() == 1200.0


# ---------------------------------------------------------------------- only some inputs

def test_backward_can_be_asked_for_some_inputs_only():
    w, x = leaf(2.0), leaf(3.0)
    middle = w * x
    y = middle * middle
    y.backward(inputs=[middle], retain_graph=True)
    assert w.grad is None and x.grad is None and middle.grad.item() == 12.0
    y.backward(inputs=x)
    assert w.grad is None and x.grad.item() == 24.0


def test_grad_can_give_zeros_for_what_was_not_used():
    x, other = leaf(1.0, 2.0), leaf([[1.0]])
    g, zero = tn.grad((x * x).sum(), [x, other], materialize_grads=True)
    assert g.tolist() == [2.0, 4.0] and zero.tolist() == [[0.0]] and zero.dtype == np.float64
