"""benchmarks/by_hand and benchmarks/peers: everybody computes the same numbers, and the derivatives are right."""

import importlib
import sys
import tracemalloc
from dataclasses import replace
from importlib.util import find_spec
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

import tinygrad_nuc as tn

sys.path.append(str(Path(__file__).parents[1] / "benchmarks"))

from by_hand import convolution, optimised, straightforward
from by_hand.flat import CHUNK, Flat, replay
from peers import ENGINES, KINDS, numpy_blocked
from workloads import NAMED, ON_CPUS, Workload

MLP = Workload("", "", "mlp", (3, 6, 5, 1), 7, loss="bce", compared=6, lr=0.01)
SMALL = {
    "xor": ON_CPUS["W1"],
    "bce, Adam": MLP,
    "tanh, SGD": replace(MLP, activation="tanh", optimizer="sgd", lr=0.1),
    "tall": replace(MLP, batch=optimised.TALL + 3),
    "tall, tanh, momentum": replace(MLP, batch=optimised.TALL + 3, activation="tanh", optimizer="momentum"),
    "classes, momentum": replace(MLP, widths=(4, 8, 3), loss="cross_entropy", optimizer="momentum", lr=0.1),
    "one layer": replace(MLP, widths=(4, 3), loss="cross_entropy"),
    "several chunks": replace(MLP, widths=(200, 180, 3), loss="cross_entropy", lr=1e-3),
    "images": replace(ON_CPUS["W6"], batch=3, compared=4),
    "elementwise": replace(ON_CPUS["W7"], batch=1000, compared=2),
    "scalars": replace(ON_CPUS["W8"], batch=100),
    "product": ON_CPUS["W9"],
}
TRAINING = {name: w for name, w in SMALL.items() if w.kind in ("mlp", "cnn")}


def run(module, w, *precision):
    """The results of each step, flat: [loss, …], or value and gradient."""
    step = getattr(module, KINDS[w.kind])(w, *precision)
    to_numpy = getattr(module, "to_numpy", np.asarray)
    found = []
    for _ in range(w.compared):
        result = step()
        parts = result if isinstance(result, tuple) else (result,)
        found.append(np.concatenate([np.ravel(to_numpy(part)) for part in parts]).astype(np.float64))
    return np.array(found)


@pytest.mark.parametrize("w", SMALL.values(), ids=SMALL)
def test_by_hand_and_ours_agree(w):
    expected = run(straightforward, w, np.float64)
    assert len(expected) == w.compared
    if w.kind in ("mlp", "cnn"):
        assert len(np.unique(expected)) == w.compared           # every step changes the loss
    for name in ("numpy", "numpy-optimised", "ours") + (("compiled",) if hasattr(tn, "compile") else ()):
        if name == "compiled" and w.kind == "scalars":
            continue
        found = run(importlib.import_module(f"peers.{ENGINES[name].module}"), w)
        np.testing.assert_allclose(found, expected, rtol=2e-5, atol=2e-6 * np.abs(expected).max(), err_msg=name)


@pytest.mark.parametrize("name", ["pytorch", "jax", "mygrad", "autograd", "dezero", "scikit-learn"])
@pytest.mark.filterwarnings("default")                          # of their own past and future
def test_other_engines_agree_where_they_are_installed(name, monkeypatch):
    if not find_spec({"pytorch": "torch", "scikit-learn": "sklearn"}.get(name, name)):
        pytest.skip(f"{name} is not installed")
    monkeypatch.setattr(np, "int", int, raising=False)          # DeZero expects it
    module = importlib.import_module(f"peers.{ENGINES[name].module}")
    compared = 0
    for w in SMALL.values():
        if hasattr(module, KINDS[w.kind]):
            try:
                found = run(module, w)
            except NotImplementedError:
                continue
            expected = run(straightforward, w, np.float64)
            # scikit-learn and DeZero add Adam's epsilon before the correction of the averages
            np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4 * np.abs(expected).max())
            compared += 1
    assert compared >= 6


def loss_of(w, parameters, x, y):
    return (straightforward.images if w.kind == "cnn" else straightforward.layers)(w, parameters, x, y)


@pytest.mark.parametrize("w", TRAINING.values(), ids=TRAINING)
def test_gradients_by_differences(w):
    w = replace(w, batch=min(w.batch, 5)) if w.loss != "mse" else w
    parameters, rng = straightforward.numbers_of(w, np.float64), np.random.default_rng(2)
    x, y = (straightforward.converted(a, np.float64) for a in w.data()[0])
    _, gradients = loss_of(w, parameters, x, y)
    step = 1e-6
    for p, gradient in zip(parameters, gradients, strict=True):
        assert gradient.shape == p.shape
        for place in rng.choice(p.size, size=min(p.size, 4), replace=False):
            at = np.unravel_index(place, p.shape)
            losses = []
            for sign in (1, -1):
                p[at] += sign * step
                losses.append(loss_of(w, parameters, x, y)[0])
                p[at] -= sign * step
            assert gradient[at] == pytest.approx((losses[0] - losses[1]) / (2 * step), rel=1e-4, abs=1e-8)


def test_the_product_by_differences():
    w = replace(ON_CPUS["W9"], batch=2)
    x, v = (a.astype(np.float64) for a in w.data()[0])
    weight1, bias1, weight2, bias2, weight3, bias3 = straightforward.numbers_of(w, np.float64)

    def f(x):
        return (np.tanh(np.tanh(x @ weight1 + bias1) @ weight2 + bias2) @ weight3 + bias3).sum()

    found, step = straightforward.hessian_vector(w, np.float64)(), 1e-4
    for at in np.ndindex(x.shape):
        unit = np.zeros_like(x)
        unit[at] = step
        expected = sum(a * b * f(x + a * step * v + b * unit) for a in (1, -1) for b in (1, -1)) / (4 * step ** 2)
        assert found[at] == pytest.approx(expected, rel=1e-4, abs=1e-6)


def test_elementwise_and_scalars_by_differences():
    w = replace(ON_CPUS["W7"], batch=5)
    x = w.data()[0][0]
    _, gradient = straightforward.elementwise(w, np.float64)()
    h = 1e-6
    for i in range(len(x)):
        values = []
        for sign in (1, -1):
            moved = x.astype(np.float64)
            moved[i] += sign * h
            values.append(sum(np.ravel(ours_chain(moved))))
        assert gradient[i] == pytest.approx((values[0] - values[1]) / (2 * h), rel=1e-6)
    value, derivative = straightforward.scalars(replace(ON_CPUS["W8"], batch=4), np.float64)()
    assert value == (1.0001 + 0.0001) * 1.0001 + 0.0001 and derivative == 1.0001 ** 2


def ours_chain(x):
    import ours
    return ours.chain(tn.tensor(x)).numpy()


@pytest.mark.parametrize("name", ["bce, Adam", "tall", "classes, momentum", "images"])
def test_gradients_without_allocation_are_the_same(name):
    w = SMALL[name]
    make = (convolution.programs if w.kind == "cnn" else
            optimised.rows_of_samples if optimised.is_tall(w) else optimised.columns_of_samples)
    flat, programs = make(w)
    parameters = straightforward.numbers_of(w)
    for (calls, loss), (x, y) in zip(programs, w.data(), strict=True):
        replay(calls)                                           # and no update
        expected, gradients = loss_of(w, parameters, x, y)
        assert loss() == pytest.approx(expected, rel=1e-5)
        if optimised.is_tall(w):
            found = flat.gradients
        else:                                                   # weight and bias side by side
            pairs = zip(flat.gradients, gradients[::2], strict=True)
            found = [part for both, g in pairs
                     for part in (both[:, :-1].reshape(g.T.shape if g.ndim == 2 else g.shape), both[:, -1])]
            found = [part.T if part.ndim == 2 else part for part in found]
        for own, g in zip(found, gradients, strict=True):
            np.testing.assert_allclose(own, flat.scale * g, rtol=1e-4, atol=1e-6 * np.abs(g).max())


@pytest.mark.parametrize("w", [replace(MLP, widths=(3, 64, 64, 1), batch=512),
                               replace(MLP, widths=(3, 64, 64, 1), batch=2048),
                               replace(MLP, widths=(64, 64, 10), batch=512, loss="cross_entropy", optimizer="momentum"),
                               replace(ON_CPUS["W6"], batch=8), replace(ON_CPUS["W7"], batch=100_000),
                               replace(ON_CPUS["W9"], batch=1024)])
def test_a_step_of_the_optimised_form_makes_no_array(w):
    """NumPy itself takes buffers of 8192 numbers for the operands of a call, where they are not all alike."""
    def peak(module):
        step = getattr(module, KINDS[w.kind])(w)
        step()
        tracemalloc.start()
        step()
        found = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return found
    assert peak(optimised) < 3.1 * 4 * 8192 < 250_000 < peak(straightforward)


def test_flat_parameters_are_views_that_begin_with_a_line_of_the_cache():
    flat = Flat([(3, 5), (7,)], MLP)
    assert [p.shape for p in flat.parameters] == [(3, 5), (7,)] and len(flat.p) == 32
    assert all(a.ctypes.data % 64 == 0 for a in (*flat.parameters, *flat.gradients, flat.m, flat.v))
    flat.p[16:23] = 2
    assert (flat.parameters[1] == 2).all() and (flat.parameters[0] == 0).all()
    assert len(Flat([(CHUNK + 16,)], MLP).calls) == 2 * len(flat.calls)


def test_blocks_give_the_same(monkeypatch):
    w = replace(ON_CPUS["W7"], batch=1000)
    total, gradient = optimised.elementwise(w)()
    monkeypatch.setattr(numpy_blocked, "BLOCK", 300)            # three blocks, and a smaller one
    blocked_total, blocked_gradient = numpy_blocked.elementwise(w)()
    assert (blocked_gradient == gradient).all() and blocked_total == pytest.approx(float(total), rel=1e-6)


def test_the_two_workloads_for_cpus_alone():
    assert list(ON_CPUS) == [f"W{i}" for i in range(1, 10)] and {"W8", "W9"}.isdisjoint(NAMED)
    assert [a.shape for a in ON_CPUS["W9"].data()[0]] == [(32, 3), (32, 3)]
    assert ON_CPUS["W8"].data()[0][0] == 1 and ON_CPUS["W8"].weight_shapes == []
    assert list(islice((len(w.data()) for w in ON_CPUS.values()), 6)) == [1, 4, 2, 4, 2, 2]
