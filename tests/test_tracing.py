"""Formulas written down by symbols: their dtypes are NumPy's, and what is not elementwise is refused."""

import numpy as np
import pytest

from tinygrad_nuc.devices.kernels.cuda_text import body, number
from tinygrad_nuc.devices.kernels.tracing import NotElementwise, Symbol, argument, in_order
from tinygrad_nuc.engine.registry import table

F32, F64, BOOL, I64, I32 = map(np.dtype, (np.float32, np.float64, np.bool_, np.int64, np.int32))


def text(formula, **dtypes):
    symbols = {name: argument(name, dtype) for name, dtype in dtypes.items()}
    y = formula(**symbols)
    return body({"y": y}, lambda x: x.operands[0] if x.function == "argument" else None)


@pytest.mark.parametrize("formula", [
    lambda a, b: a + b, lambda a, b: a * 2, lambda a, b: a * 2.5, lambda a, b: 3 - b, lambda a, b: a / b, lambda a, b: np.exp(b),
    lambda a, b: np.where(a > 0, a, 0), lambda a, b: np.where(a > 0, 1, b), lambda a, b: np.where(b > 0, True, a), lambda a, b: np.clip(a, 0, 1),
    lambda a, b: np.maximum(a, 0.5), lambda a, b: (a > b) & (b != 0), lambda a, b: a.astype(np.float64) + b, lambda a, b: np.isnan(a) | (a == b),
    lambda a, b: -a + abs(b), lambda a, b: np.sign(a) * b, lambda a, b: np.power(a, 2), lambda a, b: a ** b, lambda a, b: np.hypot(a, b)])
@pytest.mark.parametrize("first", [F32, F64, I64, I32, BOOL])
@pytest.mark.parametrize("second", [F32, F64, I64])
def test_results_have_the_dtype_that_numpy_gives(formula, first, second):
    a, b = np.ones(2, first), np.ones(2, second)
    try:
        expected = formula(a, b).dtype
    except TypeError:
        expected = None
    try:
        found = formula(argument("a", first), argument("b", second)).dtype
    except (NotElementwise, TypeError):
        found = "refused"
    assert found == (expected or "refused") or found == "refused" and expected not in (F32, F64, BOOL, I64, I32)


def test_python_numbers_promote_nothing_and_are_computed_among_themselves():
    a, t, lr = argument("a", F32), argument("t", int, True), argument("lr", float, True)
    rate = -lr / (1 - 0.9 ** (t + 1))
    assert rate.is_weak and rate.dtype is float and (t + 1).dtype is int and (rate * a).dtype == F32
    assert (t > 3).dtype is bool and not (rate * a).is_weak
    assert [x.function for x in in_order([rate * a], lambda x: x is rate)] == ["divide", "argument", "multiply"]


@pytest.mark.parametrize("formula, what", [
    (lambda a: np.sum(a), "sum"), (lambda a: a.shape, "an array's shape"), (lambda a: a @ a, "matmul.__call__"), (lambda a: np.add.reduce(a), "add.reduce"),
    (lambda a: a if a > 0 else -a, "a branch on a value"), (lambda a: a + np.ones(3), "add of a ndarray"), (lambda a: np.exp(a, where=a > 0), "exp.__call__"),
    (lambda a: a.astype(np.float16), "astype gives float16"), (lambda a: np.reshape(a, (3,)), "reshape"), (lambda a: np.frexp(a), "frexp.__call__")])
def test_what_is_not_elementwise_is_refused(formula, what):
    with pytest.raises(NotElementwise) as error:
        formula(argument("a", F32))
    assert str(error.value) == what


def test_the_text_of_a_formula():
    assert text(lambda a, b: a * b + a * 0.1, a=F32, b=F64) == "\n".join([
        "const double t0 = (double)a * b;", "const float t1 = a * 0.10000000149011612f;", "const double t2 = t0 + (double)t1;", "y = t2;"])
    assert text(lambda a: np.where(a > 0, a, -1), a=F32) == "\n".join([
        "const bool t0 = a > 0.0f;", "const float t1 = t0 ? a : (-1.0f);", "y = t1;"])
    shared = text(lambda a: np.exp(a) * np.exp(a), a=F32)
    assert shared.count("exp(") == 2                            # two calls are two; one symbol used twice is computed once:
    e = np.exp(argument("a", F32))
    assert body({"y": e * e}, lambda x: "a" if x.function == "argument" else None).count("exp(") == 1


@pytest.mark.parametrize("x, dtype, expected", [
    (0.1, F32, "0.10000000149011612f"), (0.1, F64, "0.1"), (-2, F64, "(-2.0)"), (3, I64, "(long long)3"), (True, BOOL, "(bool)1"),
    (np.inf, F32, "(float)(1.0 / 0.0)"), (-np.inf, F64, "(double)(-1.0 / 0.0)"), (np.nan, F32, "(float)(0.0 / 0.0)"), (1e-45, F32, "1.401298464324817e-45f")])
def test_constants_to_their_last_digit(x, dtype, expected):
    assert number(x, dtype) == expected


def test_whole_numbers_and_truth_values_have_expressions_of_their_own():
    assert "a || b" in text(lambda a, b: a + b, a=BOOL, b=BOOL) and "!a" in text(lambda a: ~a, a=BOOL)
    assert "a < 0 ? -a : a" in text(lambda a: abs(a), a=I64) and "y = a" not in text(lambda a: np.isnan(a * 1.0), a=I64)
    with pytest.raises(NotElementwise, match="power of whole numbers"):
        text(lambda a: a ** 2, a=I64)
    with pytest.raises(NotElementwise, match="invert"):
        text(lambda a: ~a, a=I64)


def test_a_rule_writes_down_its_formula():
    a = argument("a", F32)
    assert repr(table.Softplus.forward(a)) == "add(maximum(a, 0), log1p(exp(negative(absolute(a)))))"
    assert isinstance(table.Sigmoid.grad_a(argument("g", F32), argument("y", F32), a), Symbol)
