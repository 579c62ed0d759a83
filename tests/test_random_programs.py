"""Random programs: first and second derivatives against central differences, and Jv against vᵀJ."""

from collections import Counter

import numpy as np
from hypothesis import assume, given, note, settings
from hypothesis import strategies as st
from random_programs import KINDS, beside, random_program

import tinygrad_nuc as tn

HOW_MANY = min(2000, 10 * settings().max_examples)
STEP = 1e-3
programs = st.integers(0, 2**32 - 1).map(random_program)


def weights(arrays, seed):
    rng = np.random.default_rng(seed)
    return [rng.uniform(0.5, 1.5, np.shape(a)) * rng.choice([-1, 1], np.shape(a)) for a in arrays]


def slope(f, inputs, direction):
    """df(x + t·direction)/dt at t = 0 by differences of fourth order; None where two steps disagree: too curved, or a kink."""
    def at(t):
        return f([x + t * d for x, d in zip(inputs, direction, strict=True)])

    def difference(h):
        return (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h)
    fine, coarse = difference(STEP / 2), difference(STEP)
    return fine if np.allclose(fine, coarse, rtol=1e-7, atol=1e-8) else None


def flat(tensors):
    return np.concatenate([np.ravel(t.numpy()) for t in tensors])


@settings(max_examples=HOW_MANY)
@given(program=programs, seed=st.integers(0, 1000))
def test_derivatives_of_random_programs(program, seed):
    note(str(program))
    w = weights(program.run(program.inputs), seed)

    def total(arrays):
        return sum(np.sum(y * beside(y, k)) for y, k in zip(program.run(arrays), w, strict=True))

    def gradient(arrays, **options):
        x = [tn.tensor(np.array(a), requires_grad=True) for a in arrays]
        return x, tn.grad(total(x), x, allow_unused=True, **options)

    x, first = gradient(program.inputs, create_graph=True)
    used = [i for i, g in enumerate(first) if g is not None]
    for i in used:                                              # ∂/∂x, element by element
        for index in np.ndindex(x[i].shape):
            unit = [np.zeros_like(a) for a in program.inputs]
            unit[i][index] = 1
            measured = slope(total, program.inputs, unit)
            assume(measured is not None)
            np.testing.assert_allclose(first[i].numpy()[index], measured, rtol=1e-6, atol=1e-7)
    for i in set(range(len(x))) - set(used):                    # an input that no gradient reached changes nothing
        assert total([a + 0.1 if k == i else a for k, a in enumerate(program.inputs)]) == total(program.inputs)

    direction = weights(program.inputs, seed + 1)               # H · direction
    measured = slope(lambda arrays: flat([gradient(arrays)[1][i] for i in used]), program.inputs, direction)
    assume(measured is not None)
    along = sum((first[i] * tn.tensor(direction[i])).sum() for i in used)
    second = tn.grad(along, [x[i] for i in used], allow_unused=True) if along.requires_grad else [None] * len(used)
    found = flat([tn.zeros_like(x[i]) if h is None else h for i, h in zip(used, second, strict=True)])
    np.testing.assert_allclose(found, measured, rtol=1e-5, atol=1e-6)


@settings(max_examples=HOW_MANY)
@given(program=programs, seed=st.integers(0, 1000))
def test_jvp_and_vjp_of_random_programs_agree(program, seed):
    note(str(program))
    x = [tn.tensor(a) for a in program.inputs]
    v = [tn.tensor(a) for a in weights(program.inputs, seed)]
    u = [tn.tensor(a) for a in weights(program.run(program.inputs), seed + 1)]
    outputs, forward = tn.func.jvp(lambda *x: program.run(x), x, v)
    _, back = tn.func.vjp(lambda *x: program.run(x), x, u)
    for y, array in zip(outputs, program.run(program.inputs), strict=True):
        np.testing.assert_allclose(y.numpy(), array, rtol=1e-12, atol=1e-12)
    left = sum(float(np.sum(a.numpy() * b.numpy())) for a, b in zip(u, forward, strict=True))            # u · (J v)
    right = sum(float(np.sum(a.numpy() * b.numpy())) for a, b in zip(back, v, strict=True))              # (uᵀ J) · v
    size = sum(float(np.sum(np.abs(a.numpy() * b.numpy()))) for a, b in zip(back, v, strict=True))
    assert abs(left - right) <= 1e-11 * (1 + size)


def test_programs_use_every_kind_of_step_and_share_values():
    drawn = [random_program(seed) for seed in range(200)]
    assert {len(p.steps) for p in drawn} >= set(range(5, 31))
    assert {step.name for p in drawn for step in p.steps} == set(KINDS)
    shared = [max(Counter(i for step in p.steps for i in step.inputs).values()) for p in drawn]
    assert np.mean(shared) > 2.5
    assert str(random_program(7)) == str(random_program(7))
