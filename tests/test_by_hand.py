"""Every rule writes itself out with its numbers, and a pocket calculator comes to the same result."""

import numpy as np
import pytest
from calculator import calculate, check, unit_of_last_digit
from hypothesis import given
from hypothesis import strategies as st
from operation_samples import SAMPLES

import tinygrad_nuc as tn
from tinygrad_nuc.engine.registry import table
from tinygrad_nuc.inspect.stepping import by_hand
from tinygrad_nuc.inspect.stepping.steps import Backward, Forward, Update
from tinygrad_nuc.inspect.stepping.written import Written, shown, written

OPERATIONS = vars(table)

# What LAPACK computes has no line; a polynomial of eleven terms, or a variance with all its terms, has no room on one.
WITHOUT_LINES = {"Solve", "Inverse", "Determinant", "LogAbsDet", "Cholesky", "PseudoInverse"}
TOO_LONG = {"Erf", "Erfc", "Normalise"}


def lines_of(step):
    return by_hand.of_value(step.node) if isinstance(step, Forward) else by_hand.of_share(step)


@pytest.mark.parametrize("name", OPERATIONS)
@given(data=st.data())
def test_every_line_of_every_operation_agrees_with_a_calculator(name, data):
    operation = OPERATIONS[name]
    arrays, options = data.draw(SAMPLES[operation].strategy)
    dtype = data.draw(st.sampled_from([np.float64, np.float32]))
    arrays = [a.astype(dtype) if getattr(a, "dtype", np.dtype(int)).kind == "f" else a for a in arrays]
    has_rule = [rule is not None for rule in operation.derivatives(len(arrays))]
    inputs = [None if a is None else tn.Tensor(np.array(a), requires_grad=rule)
              for a, rule in zip(arrays, has_rule, strict=True)]
    y = operation.apply(*inputs, **options)
    gradient = np.cos(1.0 + np.arange(y.numel())).reshape(y.shape).astype(y.dtype)
    sizes = [y.numel(), *(x.numel() for x in inputs if x is not None)]
    for step in tn.inspect.trace(y, gradient):
        if isinstance(step, (Forward, Backward)):
            lines, values = lines_of(step), step.node.value if isinstance(step, Forward) else step.fitted
            if lines is None:
                assert name in WITHOUT_LINES or max(sizes) > by_hand.LARGEST
                continue
            assert lines.shape == values.shape
            for line, x in zip(lines.ravel(), values.ravel(), strict=True):
                if " = " in line:
                    check(line)
                    assert float(line.rpartition(" = ")[2].replace("−", "-")) == pytest.approx(x, rel=1e-3, abs=1e-12)
                elif " ≈ " in line:                                 # what rounding has left of large numbers
                    assert abs(calculate(line.partition(" ≈ ")[0]) - x) < 1000 * np.finfo(values.dtype).eps
                elif line:                                          # nothing was done: the number itself
                    assert line == shown(x, 6)
                else:                                               # a sum over all of them has no room
                    assert name in WITHOUT_LINES | TOO_LONG or 8 * max(sizes) > by_hand.LONGEST


@pytest.mark.parametrize("name", sorted(set(OPERATIONS) - WITHOUT_LINES))
def test_every_operation_has_a_sample_that_writes_lines(name):
    found = []

    @given(data=st.data())
    def look(data):
        arrays, options = data.draw(SAMPLES[OPERATIONS[name]].strategy)
        inputs = [None if a is None else tn.Tensor(np.array(a), requires_grad=rule is not None)
                  for a, rule in zip(arrays, OPERATIONS[name].derivatives(len(arrays)), strict=True)]
        y = OPERATIONS[name].apply(*inputs, **options)
        if y.numel():
            steps = tn.inspect.trace(y, np.ones(y.shape, y.dtype))
            found.extend(line for step in steps if isinstance(step, (Forward, Backward))
                         for line in (lines_of(step) if lines_of(step) is not None else np.array([])).ravel() if line)

    look()
    assert found


def test_a_number_writes_down_what_is_done_with_it():
    a, b = written(np.array([2.0, -3.0])), written(np.array([0.5, 4.0]))
    for result, text in (((a + b)[1], "−3 + 4"), ((a - b)[1], "−3 − 4"), ((a * b)[1], "(−3) · 4"),
                         ((a / b)[0], "2 / 0.5"),
                         ((a ** 2)[1], "(−3)^2"), ((-a)[1], "−(−3)"), ((- -a)[1], "−3"), (np.exp(a)[1], "e^(−3)"),
                         (np.abs(a)[1], "|−3|"),
                         (((a + b) * (a - b))[0], "(2 + 0.5) · (2 − 0.5)"), ((a - (a - b))[0], "2 − (2 − 0.5)"),
                         ((a / (a * b))[0], "2 / (2 · 0.5)"), ((a - -b)[0], "2 − (−0.5)"), (np.log(b)[1], "ln(4)"),
                         (np.maximum(a, 0)[1], "max(−3, 0)"), (np.sum(a * b), "2 · 0.5 + (−3) · 4"),
                         ((1 / (1 + np.exp(-b)))[0], "1 / (1 + e^(−0.5))"), (np.sqrt(a * a)[1], "√((−3) · (−3))"),
                         (np.matmul(a[None], b[:, None])[0, 0], "2 · 0.5 + (−3) · 4"), (np.expm1(b)[0], "e^(0.5) − 1"),
                         (2 * np.expm1(b)[0], "2 · (e^(0.5) − 1)"), (np.where(a > 0, a, b)[1], "4")):
        assert str(result) == text
        assert calculate(text) == pytest.approx(float(result), rel=1e-15)


def test_numpy_computes_on_written_numbers_as_on_others(rng=np.random.default_rng(1)):
    x, y = rng.normal(size=(2, 3, 4))
    a, b = written(x), written(y)
    for function in (lambda a, b: np.hypot(a, b), lambda a, b: np.arctan2(a, b), lambda a, b: np.logaddexp(a, b),
                     lambda a, b: np.remainder(a, b), lambda a, b: np.fmod(a, b), lambda a, b: np.copysign(a, b),
                     lambda a, b: np.minimum(a, b) * np.sign(b), lambda a, b: np.max(a, axis=0) + np.rint(b),
                     lambda a, b: np.where(np.isfinite(a), np.concatenate([a, b])[:3], 0.0),
                     lambda a, b: np.cumsum(a, 1),
                     lambda a, b: np.einsum("ij,kj->ik", a, b), lambda a, b: np.tanh(a.T).reshape(3, 4) - b):
        result = function(a, b)
        expected = function(x, y)
        np.testing.assert_allclose(np.vectorize(float)(np.asarray(result, object)), expected, rtol=1e-14)
        for z, e in zip(np.ravel(result), np.ravel(expected), strict=True):
            assert calculate(z.text(17)) == pytest.approx(e, rel=1e-12)


def test_as_many_digits_are_shown_as_a_calculator_needs():
    difference = Written(1.23456789) - Written(1.2345)
    line = by_hand.line(difference, difference.value)
    assert line == "1.23456789 − 1.2345 = 6.789e−05"
    check(line)
    assert by_hand.line(Written(0.5) * Written(3.0), 1.5) == "0.5 · 3 = 1.5"


def test_what_is_left_of_float32_rounding_is_not_called_equal():
    a, b = np.float32(1) / np.float32(3), np.float32(0.33333)
    expression = Written(float(a)) - Written(float(b)) - Written(3.33e-6)
    assert " ≈ " in by_hand.line(expression, 5e-9, eps=2.0 ** -23)
    assert by_hand.line(expression, 5e-9) == ""                     # in double precision it would be wrong
    assert by_hand.line(Written(2.0) - Written(0.6), 1.6, eps=2.0 ** -23) == ""


def test_infinity_on_the_way_is_not_taken_for_an_error_and_nobody_is_warned():
    with np.errstate(all="ignore"):
        y = 1 / (1 + tn.exp(tn.tensor(800.0, requires_grad=True)))
        steps = tn.inspect.trace(y)
    assert by_hand.of_value(steps[2].node).item() == "1 / inf = 0"
    assert [by_hand.of_value(step.node).item() for step in steps[:2]] == ["", ""]
    line = by_hand.line(1 / (1 + Written(800.0).exp()), 0.0)
    assert line == "1 / (1 + e^(800)) = 0"
    assert float(Written(-1.0) / 0) == -np.inf and np.isnan(float(Written(-1.0).log()))


def test_an_optimizer_of_ones_own_is_not_taken_for_sgd():
    class SGD(tn.optim.Optimizer):
        def __init__(self, params, lr):
            super().__init__(params, {"lr": lr})

        def change(self, p, g, state, *, lr):
            return -2 * lr * g

    w = tn.tensor(2.0, requires_grad=True)
    with tn.inspect.record() as recording:
        ((w - 5.0) ** 2).backward()
        SGD([w], lr=0.125).step()
    update, = (step for step in recording.steps if isinstance(step, Update))
    assert by_hand.of_update(update).item() == "2 + 1.5 = 3.5"


def test_the_calculator_itself_notices_a_wrong_digit():
    check("0.5 · 3 = 1.5")
    check("2 / 3 = 0.666667")
    check("2 / 3 = 0.666666")                   # one unit off is allowed
    for wrong in ("0.5 · 3 = 1.6", "2 / 3 = 0.666665", "2 / 3 = −0.666667", "0.1 − 0.1001 = 0", "1 − 2 = 0"):
        with pytest.raises(AssertionError):
            check(wrong)
    assert unit_of_last_digit("1.25e−07") == pytest.approx(1e-9)


def test_updates_of_plain_sgd_are_written_out_and_others_give_the_change():
    for optimizer, pattern in ((lambda p: tn.optim.SGD(p, lr=0.1), "2 − 0.1 · (−6) = 2.6"),
                               (lambda p: tn.optim.SGD(p, lr=0.1, maximize=True), "2 + 0.1 · (−6) = 1.4"),
                               (lambda p: tn.optim.Adam(p, lr=0.5), "2 + 0.5 = 2.5")):
        w = tn.tensor(2.0, requires_grad=True)
        with tn.inspect.record() as recording:
            ((w - 5.0) ** 2).backward()
            optimizer([w]).step()
        update, = (step for step in recording.steps if isinstance(step, Update))
        line = by_hand.of_update(update).item()
        assert line == pattern
        check(line)


def test_large_arrays_are_not_written_out():
    y = tn.ones(by_hand.LARGEST + 1, requires_grad=True) * 2.0
    step = tn.inspect.trace(y.sum())[0]
    assert by_hand.of_value(step.node) is None
    long = tn.ones(by_hand.LONGEST + 1, requires_grad=True).sum()
    assert by_hand.of_value(tn.inspect.trace(long)[0].node).item() == ""
