"""tn.compile: which inputs it takes, compiled steps within and after others, and what is not refused."""

import numpy as np
import pytest
from compile_helpers import FIRST, shown

import tinygrad_nuc as tn


@pytest.mark.parametrize("given, hint", [
    (np.ones(3), r"an input is a ndarray; give tn\.tensor\(array\)"), ([1.0, 2.0], "an input is a list; give tensors and numbers"),
    ((tn.ones(1),), "an input is a tuple"), ({"x": 1}, "an input is a dict"), (1j, "an input is a complex")])
def test_inputs_of_other_kinds_are_refused(given, hint):
    calls = []
    step = tn.compile(lambda x: calls.append(x))
    with pytest.raises(TypeError, match=f"compile: .*{hint}"):
        step(given)
    assert calls == []


def test_what_is_no_function_is_refused():
    for x in (3, tn.ones(1), "step", None):
        with pytest.raises(TypeError, match=f"compile: expects a function that makes a training step, not a {type(x).__name__}"):
            tn.compile(x)


def test_inputs_that_keep_changing_are_refused():
    step = tn.compile(lambda x, n: (x * n).sum())
    for n in range(8):
        assert step(tn.ones(2), n).item() == 2 * n
    with pytest.raises(RuntimeError, match="compile: the inputs keep changing: they have come in 8 shapes or numbers already. "
                                           "Give numbers that change as tensors, and leave out a last batch that is smaller"):
        step(tn.ones(2), 8)
    for _ in range(4):
        assert step(tn.ones(2), 3).item() == 6                  # the others are still served
    assert step.replays == 2


def test_one_compiled_step_after_another_is_no_nesting():
    first, second = tn.compile(lambda x: x + 1), tn.compile(lambda x: 2 * x)
    for i in range(6):
        assert second(first(tn.tensor([float(i)]))).item() == 2 * (i + 1)
    assert first.replays == second.replays == 3


@pytest.mark.parametrize("before", [0, 1, 2, 5])
def test_a_compiled_step_within_another_is_part_of_it(before):
    """As if it were an ordinary function, also if it has a plan already."""
    w = tn.full(3, 2.0, requires_grad=True)
    within = tn.compile(lambda x: x * w)
    for _ in range(before):
        within(tn.ones(3))

    @tn.compile
    def outer(x):
        w.grad = None
        within(x + 1).sum().backward()
        return within(x) + w.grad
    for i in range(7):
        if i == 5:
            with tn.no_grad():
                w.fill_(3.0)
        x = tn.full(3, float(i))
        assert outer(x).tolist() == [(3 if i >= 5 else 2) * i + i + 1] * 3 and w.grad.tolist() == [i + 1] * 3
    assert outer.replays == 4 and within.replays == max(0, before - FIRST)
    assert within(tn.ones(3)).tolist() == [3, 3, 3] and type(w.data) is np.ndarray


def test_what_is_the_same_every_time_is_not_refused():
    table, scale = np.arange(12.0).reshape(4, 3), 0.5

    def step(x):
        y = scale * (x + table) if x.shape == (4, 3) and len(x) == 4 and x.dtype == tn.float64 else None
        assert x.ndim == 2 and x.numel() == 12 and not y.requires_grad
        return y[1:, [0, 2]], tn.where(y > 1, y, 0 * y), y.sum().clamp(min=1), y[tn.tensor([0, 0])], y.argmax()
    compiled = tn.compile(step)
    for i in range(6):
        x = tn.tensor(np.sin(np.arange(12.0) + i).reshape(4, 3))
        for (_, a), (_, b) in zip(shown(compiled(x)), shown(step(x)), strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-14)
    assert compiled.replays == 3


def test_tensors_that_the_user_keeps_are_ordinary():
    """Whatever the step has shown to the program around it, in whichever call, holds numbers afterwards."""
    w, seen = tn.ones(3, requires_grad=True), []

    @tn.compile
    def step(x):
        w.grad = None
        y = x * w
        y.retain_grad()
        y.sum().backward()
        kept = [y, y.detach(), y.detach()[1:], tn.Tensor(y.data), tn.zeros_like(y), y.grad, w.grad, tn.ones_like(x), x]
        seen.append(kept)
        return y
    for i in range(6):
        assert step(tn.full(3, float(i))).tolist() == [i] * 3
    assert len(seen) == FIRST and step.replays == 3
    for i, kept in enumerate(seen):
        assert [type(t.data) for t in kept] == [np.ndarray] * len(kept), i
        assert [t.tolist()[-1] for t in kept[:5]] == [i, i, i, i, 0]
    assert w.grad.tolist() == [5] * 3
