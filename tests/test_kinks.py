"""Slopes where calculus gives none, or an infinite one: kinks, ties, singular points, infinities and NaN."""

import math

import numpy as np
import pytest

import tinygrad_nuc as tn
from tinygrad_nuc.operations.activations import elu, gelu, leaky_relu, logsigmoid, maxout, silu, softplus
from tinygrad_nuc.operations.arithmetic import positive
from tinygrad_nuc.operations.floating_point import copysign, fmax, fmin, nan_to_num

INF, NAN = math.inf, math.nan


def leaves(points, dtype=np.float64):
    return [tn.tensor(np.array(p, dtype), requires_grad=True) for p in points]


def ones(y):
    return tn.tensor(np.ones_like(y.data))


def maximum_of_pairs(a):
    return maxout(a, 2)


SLOPES = [      # (function, its arguments, the derivative in each of them)
    (tn.relu, [0.0], [0.0]), (lambda a: leaky_relu(a, 0.1), [0.0], [0.1]), (lambda a: elu(a, 0.5), [0.0], [0.5]),
    (np.abs, [[-0.0, 0.0]], [[0.0, 0.0]]), (np.fabs, [0.0], [0.0]), (gelu, [0.0], [0.5]), (silu, [0.0], [0.5]),
    # ties: equal values share
    (np.maximum, [3.0, 3.0], [0.5, 0.5]), (np.minimum, [3.0, 3.0], [0.5, 0.5]), (lambda a: np.max(a, 0), [[[2.0, 3.0], [2.0, 1.0]]], [[[0.5, 1.0], [0.5, 0.0]]]),
    (lambda a: np.min(a, 0), [[[2.0, 1.0], [2.0, 3.0]]], [[[0.5, 1.0], [0.5, 0.0]]]), (maximum_of_pairs, [[2.0, 2.0, 1.0, 3.0]], [[0.5, 0.5, 0.0, 1.0]]),
    (fmax, [[1.0, 1.0, 2.0], [1.0, 2.0, 1.0]], [[0.5, 0.0, 1.0], [0.5, 1.0, 0.0]]),
    (fmin, [[1.0, 1.0, 2.0], [1.0, 2.0, 1.0]], [[0.5, 1.0, 0.0], [0.5, 0.0, 1.0]]),
    # NaN: the other one, or none
    (fmax, [[NAN, 1.0, NAN], [2.0, NAN, NAN]], [[0.0, 1.0, 0.0], [1.0, 0.0, 1.0]]),
    (fmin, [[NAN, 1.0, NAN], [2.0, NAN, NAN]], [[0.0, 1.0, 0.0], [1.0, 0.0, 1.0]]),
    (nan_to_num, [[NAN, INF, -INF, 3.0]], [[0.0, 0.0, 0.0, 1.0]]),
    # bounds: included, and then themselves
    (lambda a: tn.clamp(a, -1, 1), [[-2.0, -1.0, 0.0, 1.0, 2.0]], [[0.0, 1.0, 1.0, 1.0, 0.0]]),
    (tn.clamp, [[0.0, 1.0, 2.0, 3.0, 4.0], [1.0] * 5, [3.0] * 5], [[0.0, 1.0, 1.0, 1.0, 0.0], [1.0, 0.0, 0.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0, 1.0]]),
    (tn.clamp, [[1.0, 5.0, 9.0], 6.0, 3.0], [[0.0, 0.0, 0.0], 0.0, 3.0]),               # contradicting bounds: the upper one counts
    (np.clip, [[1.0, 5.0, 9.0], 2.0, 6.0], [[0.0, 1.0, 0.0], 1.0, 1.0]),
    # a corner of the plane, a cut along it, a jump
    (np.hypot, [0.0, 0.0], [0.0, 0.0]), (np.hypot, [0.0, -2.0], [0.0, -1.0]), (np.hypot, [5e-324, 0.0], [1.0, 0.0]),
    (np.arctan2, [0.0, 0.0], [0.0, 0.0]), (np.arctan2, [0.0, -2.0], [-0.5, 0.0]), (np.arctan2, [[-0.0, 0.0], [-0.0, -0.0]], [[0.0, 0.0], [0.0, 0.0]]),
    (copysign, [[0.0, -0.0, -2.0, 2.0], [-1.0]], [[0.0, 0.0, 1.0, -1.0], None]), (copysign, [[-3.0, 3.0], [0.0]], [[-1.0, 1.0], None]),
    (np.remainder, [4.0, 2.0], [1.0, -2.0]), (np.remainder, [-7.0, 4.0], [1.0, 2.0]), (np.fmod, [-4.0, 2.0], [1.0, 2.0]), (np.fmod, [-7.0, 4.0], [1.0, 1.0]),
    (np.sinc, [0.0], [0.0]), (np.linalg.norm, [[0.0, 0.0]], [[0.0, 0.0]]),
    # powers of zero: only the first has a slope
    (np.power, [[0.0, 0.0, 0.0], [0.0, 1.0, 2.0]], [[0.0, 1.0, 0.0], [0.0, 0.0, 0.0]]),
    # infinite slopes, as in calculus
    (np.sqrt, [0.0], [INF]), (np.cbrt, [[0.0, -0.0]], [[INF, INF]]), (np.log, [0.0], [INF]), (np.log2, [0.0], [INF]), (np.log1p, [-1.0], [INF]),
    (np.arcsin, [[-1.0, 1.0]], [[INF, INF]]), (np.arccos, [[-1.0, 1.0]], [[-INF, -INF]]), (np.arccosh, [1.0], [INF]), (np.arctanh, [[-1.0, 1.0]], [[INF, INF]]),
    # limits at infinity
    (tn.sigmoid, [[-INF, INF]], [[0.0, 0.0]]), (softplus, [[-INF, INF]], [[0.0, 1.0]]), (logsigmoid, [[-INF, INF]], [[1.0, 0.0]]),
    (np.tanh, [[-INF, INF]], [[0.0, 0.0]]), (np.arctan, [[-INF, INF]], [[0.0, 0.0]]), (np.exp, [-INF], [0.0]), (np.log, [INF], [0.0]),
    (np.logaddexp, [[INF, -INF, INF, 0.0, 1e308], [INF, -INF, 0.0, -INF, -1e308]], [[0.5, 0.5, 1.0, 1.0, 1.0], [0.5, 0.5, 0.0, 0.0, 0.0]]),
    (np.logaddexp2, [[INF, -INF, INF, 1e308], [INF, -INF, 0.0, -1e308]], [[0.5, 0.5, 1.0, 1.0], [0.5, 0.5, 0.0, 0.0]]),
    (lambda a: tn.softmax(a, 0) * tn.tensor([1.0, 2.0]), [[INF, 0.0]], [[0.0, 0.0]]), (lambda a: tn.log_softmax(a, 0)[0], [[0.0, -INF]], [[0.0, 0.0]]),
    (lambda a: tn.logsumexp(a, 0), [[0.0, -INF, 0.0]], [[0.5, 0.0, 0.5]]), (lambda a: tn.logsumexp(a, 0), [[INF, 1e4]], [[1.0, 0.0]]),
    (lambda a: tn.logsumexp(a, 0), [[-INF, -INF]], [[0.0, 0.0]]), (lambda a: tn.logsumexp(a, 0), [[1e17, 1e17]], [[0.5, 0.5]]),
]


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize(("function", "points", "expected"), SLOPES)
def test_slopes_that_are_a_convention_or_a_limit(function, points, expected, dtype):
    if dtype is np.float32:                         # the same conventions, with that type's own huge and tiny numbers
        points = [np.clip(p, -INF, INF) * np.where(np.abs(p) > 1e300, np.where(np.isinf(p), 1, 1e-270), 1) for p in points]
        points = [np.where(p == 5e-324, 1e-45, p) for p in points]
    inputs = leaves(points, dtype)
    with np.errstate(divide="ignore"):              # NumPy's warning about an infinite slope
        y = function(*inputs)
        found = tn.grad(y, [x for x, e in zip(inputs, expected, strict=True) if e is not None], ones(y))
    for g, e in zip(found, [e for e in expected if e is not None], strict=True):
        assert g.dtype == dtype
        np.testing.assert_allclose(g.numpy(), e, rtol=1e-6)


SECOND = [      # (function, its arguments, the second derivatives, summed over each pair of arguments)
    (np.sinc, [0.0], [-math.pi ** 2 / 3]), (np.hypot, [3.0, 4.0], [4 / 125, -3 / 125]), (np.hypot, [0.0, 2.0], [0.5, 0.0]),
    (np.hypot, [0.0, 0.0], [0.0, 0.0]),                                     # no direction, so none of its changes
    (np.linalg.norm, [[0.0, 0.0]], [[0.0, 0.0]]), (np.linalg.norm, [[3.0, 0.0, 4.0]], [[0.032, 0.2, -0.024]]), (np.power, [2.0, 0.0], [0.5, 0.5 + math.log(2) ** 2]),
    (np.arctan2, [0.0, 2.0], [-0.25, -0.25]), (np.logaddexp, [1.0, 1.0], [0.0, 0.0]), (lambda a: np.logaddexp(a, 1.0), [1.0], [0.25]),
    (lambda a: np.logaddexp(a, 0.0), [[INF, -INF]], [[0.0, 0.0]]), (softplus, [0.0], [0.25]), (tn.sigmoid, [0.0], [0.0]), (gelu, [0.0], [math.sqrt(2 / math.pi)]), (silu, [0.0], [0.5]),
    (lambda a: tn.clamp(a, 0, 1) ** 2, [[-1.0, 0.0, 0.5, 1.0, 2.0]], [[0.0, 2.0, 2.0, 2.0, 0.0]]), (np.reciprocal, [-2.0], [-0.25]),
    (lambda a: tn.logsumexp(a, 0), [[-INF, -INF]], [[0.0, 0.0]]), (np.exp2, [0.0], [math.log(2) ** 2]), (np.tan, [0.0], [0.0]),
]


@pytest.mark.parametrize(("function", "points", "expected"), SECOND)
def test_second_derivatives_at_special_points(function, points, expected):
    inputs = leaves(points)
    y = function(*inputs)
    first = tn.grad(y, inputs, ones(y), create_graph=True)
    found = tn.grad(first, inputs, [ones(g) for g in first])
    for g, e in zip(found, expected, strict=True):
        np.testing.assert_allclose(g.numpy(), e, rtol=1e-14, atol=1e-16)


def test_second_derivatives_of_lengths_and_angles_are_zero_at_the_origin():
    for function in (np.hypot, np.arctan2, lambda a, b: tn.stack([a, b]).norm()):
        for h in sum(tn.func.hessian(function, leaves([0.0, 0.0])), ()):
            assert h.item() == 0.0


# ---------------------------------------------------------------------- values

T = tn.tensor([-2.0, 0.5, 3.0])


@pytest.mark.parametrize(("result", "expected"), [
    (T.clamp(0), [0.0, 0.5, 3.0]), (T.clamp(max=1), [-2.0, 0.5, 1.0]), (T.clamp(tn.tensor([0.0, 1.0, 1.0]), tn.tensor(np.float32([5, 5, 2]))), [0.0, 1.0, 2.0]),
    (T.clamp(2, 1), [1.0, 1.0, 1.0]), (T.clamp(min=NAN), [NAN] * 3), (T.clamp(tn.tensor([NAN, 0.0, 0.0]), 1), [NAN, 0.5, 1.0]),
    (tn.clamp(tn.tensor([NAN, INF, -INF]), -1, 1), [NAN, 1.0, -1.0]), (tn.tensor([1, 5]).clamp(2, 4), [2, 4]),
    (tn.tensor(0.5).clamp(tn.tensor([0.0, 1.0])), [0.5, 1.0]), (np.clip(T, None, 1.0), [-2.0, 0.5, 1.0]), (np.clip(T, a_min=T * 0, a_max=None), [0.0, 0.5, 3.0]),
    (nan_to_num(tn.tensor([NAN, INF, -INF, 1.0])), [0.0, np.finfo(np.float32).max, np.finfo(np.float32).min, 1.0]),
    (np.nan_to_num(tn.tensor([NAN, INF, -INF]), nan=1.0, posinf=2.0, neginf=3.0), [1.0, 2.0, 3.0]), (nan_to_num(tn.tensor([1, 2])), [1, 2]),
    (fmax(tn.tensor([NAN, NAN, 1.0]), tn.tensor([NAN, 1.0, NAN])), [NAN, 1.0, 1.0]), (np.fmin(2.0, tn.tensor([NAN, 1.0, 3.0])), [2.0, 1.0, 2.0]),
    (T % 2, [0.0, 0.5, 1.0]), (T % -2, [0.0, -1.5, -1.0]), (5 % tn.tensor([3.0, -3.0]), [2.0, -1.0]), (+T, [-2.0, 0.5, 3.0]),
    (tn.Tensor.fmod(T, 2), [-0.0, 0.5, 1.0]), (np.float_power(tn.tensor([1, 2]), -1), [1.0, 0.5]), (np.float_power(T, 2), [4.0, 0.25, 9.0]),
    (maxout(tn.tensor([[1.0, 2.0], [4.0, 3.0]]), 2, dim=0), [[4.0, 3.0]]), (maxout(tn.zeros(0, 4), 2), np.zeros((0, 2))),
    (tn.softmax(tn.tensor([INF, 0.0, 1e38]), 0), [1.0, 0.0, 0.0]), (tn.softmax(tn.tensor([INF, INF]), 0), [0.5, 0.5]),
    (tn.log_softmax(tn.tensor([INF, 0.0]), 0), [0.0, -INF]), (tn.log_softmax(tn.tensor([0.0, -INF]), 0), [0.0, -INF]),
    (tn.softmax(tn.tensor([-INF, -INF]), 0), [NAN, NAN]), (tn.softmax(tn.tensor([3e38, -3e38]), 0), [1.0, 0.0]),
    (tn.logsumexp(tn.tensor([INF, 1e3]), 0), INF), (tn.logsumexp(tn.tensor([3e38, -3e38]), 0), np.float32(3e38)),
])
def test_values_at_bounds_and_infinities(result, expected):
    np.testing.assert_array_equal(result.numpy(), expected)


def test_a_positive_tensor_is_itself_and_numpys_a_copy():
    assert positive(T) is T and +T is T
    assert not np.shares_memory(np.positive(T).data, T.data)
    assert np.float_power(T, 2).dtype == np.float32 and np.float_power(tn.tensor([1, 2]), 2).dtype == np.float64


@pytest.mark.parametrize(("wrong", "kind", "message"), [
    (lambda: maxout(tn.zeros(2, 5), 2), ValueError, r"maxout.*\(2, 5\) has 5 values along dimension 1.*groups of 2"),
    (lambda: maxout(tn.zeros(2, 5), 0), ValueError, "groups of 0"), (lambda: maxout(tn.zeros(2, 5), 5, dim=2), IndexError, "maxout: dimension 2"),
    (lambda: gelu(T, "erf"), ValueError, 'gelu.*"none" or "tanh".*erf'), (lambda: T.clamp([0.0, 1.0, 2.0]), TypeError, r"list.*tn\.tensor"),
    (lambda: np.nan_to_num(T, copy=False), TypeError, "cannot write"),
])
def test_errors_say_what_would_fit(wrong, kind, message):
    with pytest.raises(kind, match=message):
        wrong()
