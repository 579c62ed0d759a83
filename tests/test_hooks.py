"""Hooks on gradients: what they see, what they may replace, and what they must not return."""

import numpy as np
import pytest

import tinygrad_nuc as tn


def leaf(*values):
    return tn.tensor(values[0] if len(values) == 1 else list(values), dtype=np.float64, requires_grad=True)


def test_a_hook_sees_and_replaces_the_complete_gradient():
    x = leaf(1.0, 2.0)
    y = x * 3
    seen = []
    handle = y.register_hook(lambda g: seen.append(g.tolist()))
    y.register_hook(lambda g: g * 10)
    y.retain_grad()
    (y.sum() + (y * y).sum()).backward(retain_graph=True)
    assert seen == [[7.0, 13.0]]                                # both uses have been added up
    assert y.grad.tolist() == [70.0, 130.0] and x.grad.tolist() == [210.0, 390.0]
    handle.remove()
    handle.remove()
    g, = tn.grad(y.sum(), x)
    assert g.tolist() == [30.0, 30.0] and len(seen) == 1


def test_hooks_on_leaves_and_in_recorded_passes():
    x = leaf(2.0)
    x.register_hook(lambda g: -g)
    (x * x).backward()
    (x * x).backward()
    assert x.grad.item() == -8.0                                # each pass is turned round before it is added
    x.grad = None
    x.register_hook(lambda g: g.mul_(2) if not g.requires_grad else g * 2)
    (x * x).backward(create_graph=True)
    assert x.grad.item() == -8.0
    second, = tn.grad(x.grad, x)
    assert second.item() == (-2 * 2) * (-1 * 2)                 # the hooks are differentiated, and act once more


def test_hooks_are_checked():
    with pytest.raises(RuntimeError, match="register_hook: no gradient"):
        tn.ones(2).register_hook(print)
    x = leaf(1.0, 2.0)
    with pytest.raises(TypeError, match="a hook is a function"):
        x.register_hook(3)
    for answer, message in ((tn.ones(2), r"shape \(2,\), float32"), (tn.ones(3).double(), r"shape \(3,\)"), (1.0, "float;")):
        handle = x.register_hook(lambda g, answer=answer: answer)
        with pytest.raises(TypeError, match=f"a hook returned {message}"):
            (x * x).sum().backward()
        assert x.grad is None
        handle.remove()


def test_an_error_in_a_hook_leaves_every_gradient_as_it_was():
    x, y = leaf(1.0, 2.0), leaf(3.0, 4.0)
    (x * y).sum().backward()
    before = x.grad.tolist(), y.grad.tolist()

    def fail(g):
        raise KeyError("a fault in the hook")
    handle = x.register_hook(fail)
    with pytest.raises(KeyError, match="a fault"):
        (x * y).sum().backward()
    assert (x.grad.tolist(), y.grad.tolist()) == before and tn.is_grad_enabled()
    handle.remove()
    (x * y).sum().backward()
    assert x.grad.tolist() == [6.0, 8.0]
