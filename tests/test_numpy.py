"""Tensors among NumPy functions: what records, with NumPy's conventions; what refuses; which dtype comes out."""

import subprocess
import sys

import numpy as np
import pytest

import tinygrad_nuc as tn

A = np.array([[0.5, -1.5, 2.0], [1.0, 0.25, -0.75]])
B = np.array([[1.5, 0.5, -1.0], [2.0, -0.25, 0.5]])

@pytest.mark.parametrize("call", [lambda t: B + t, lambda t: B.T @ t, lambda t: B - t, lambda t: np.where(A > 0, B, t), lambda t: np.add(B, t)])
@pytest.mark.host("NumPy arrays beside tensors")
def test_an_array_beside_a_tensor_lets_it_record(call):
    t = tn.tensor(A, requires_grad=True)
    y, expected = call(t), call(A)
    assert isinstance(y, tn.Tensor) and y.requires_grad and y.dtype == expected.dtype
    np.testing.assert_allclose(y.numpy(), expected, rtol=1e-15, atol=1e-15)
    assert tn.gradcheck(call, [t], atol=1e-7)


@pytest.mark.parametrize(("call", "expected"), [
    (lambda t: t > 0, A > 0), (lambda t: 0 <= t, 0 <= A), (lambda t: t == tn.tensor(B), A == B), (lambda t: t != tn.tensor(A), A != A),
    (np.sign, np.sign(A)), (np.isfinite, np.isfinite(A)), (np.floor, np.floor(A)), (np.argmax, np.argmax(A)),
    (lambda t: np.argmin(t, axis=1), np.argmin(A, axis=1)), (lambda t: np.any(t > 1, axis=0), np.any(A > 1, axis=0)),
    (lambda t: ~(t > 0) & (t < 1) | (t == 2.0), ~(A > 0) & (A < 1) | (A == 2.0)), (np.ones_like, np.ones_like(A)),
])
def test_what_is_constant_almost_everywhere_has_no_history(call, expected):
    y = call(tn.tensor(A, requires_grad=True))
    assert isinstance(y, tn.Tensor) and not y.requires_grad
    np.testing.assert_array_equal(y.numpy(), expected)


@pytest.mark.parametrize(("call", "message"), [
    (lambda t: np.fft.fft(t), r"numpy\.fft\.fft has no derivative here\. The closest: .*np\.cos.*t\.numpy\(\)"),
    (lambda t: np.linalg.svd(t), r"numpy\.linalg\.svd has no derivative here\. The closest: np\.linalg\.pinv"),
    (lambda t: np.copyto(t, 1.0), r"numpy\.copyto has no derivative here\. The closest: .*np\.where.*tn\.no_grad"),
    (lambda t: np.spacing(t), r"numpy\.spacing.*no derivative"),
    (lambda t: np.add.reduce(t), r"numpy\.add\.reduce.*np\.sum"),
    (lambda t: np.exp(t, out=np.zeros(t.shape)), r"numpy\.exp cannot write a Tensor into an array"),
    (lambda t: np.mean(t, where=True), r"numpy\.mean of a Tensor: .*'where'; it takes \(a, axis=None, dtype=None, keepdims=False\)"),
    (lambda t: np.exp(t, where=A > 0), r"numpy\.exp of a Tensor: .*'where'; it takes \(a\)"),
    (lambda t: np.sum(t, out=np.zeros(())), r"numpy\.sum of a Tensor returns a new tensor.*leave out= away.*copy_"),
    (lambda t: np.sum(A, out=t), r"numpy\.sum of a Tensor returns a new tensor.*leave out= away"),
    (lambda t: np.fix(t, t), r"numpy\.fix of a Tensor returns a new tensor"),
    (lambda t: np.argmax(t, 0, np.zeros(3, int)), r"numpy\.argmax of a Tensor returns a new tensor"),
    (lambda t: np.outer(t, [1.0, 2.0]), r"numpy\.outer of a Tensor: .*tn\.tensor\(\.\.\.\) for a list"),
    (lambda t: np.add(t, t, t), r"numpy\.add cannot write"),
    (lambda t: tn.engine.registry.table.Add.apply(t), "Add takes a, b, and was given 1 inputs"),
])
def test_what_has_no_derivative_says_so(call, message):
    with pytest.raises(TypeError, match=message):
        call(tn.tensor(A, requires_grad=True))


def test_nothing_turns_a_recorded_tensor_into_an_array_silently():
    t = tn.tensor(A, requires_grad=True)
    for convert in (np.asarray, np.array):
        with pytest.raises(RuntimeError, match=r"t\.numpy\(\)"):
            convert(t)
    np.testing.assert_array_equal(t.numpy(), A)
    np.testing.assert_array_equal(np.asarray(t.detach().cpu()), A)


# ---------------------------------------------------------------------- dtypes

SINGLE = tn.tensor([1.0, 2.0])


@pytest.mark.parametrize("number", [2, 2.0, True, np.float64(2.0), np.int64(2), np.float32(2.0)])
def test_a_number_never_promotes(number):
    for y in (SINGLE + number, number * SINGLE, SINGLE / number, SINGLE ** number, number ** SINGLE, number - SINGLE,
              tn.maximum(SINGLE, number), tn.where(SINGLE > 1, SINGLE, number), SINGLE.clamp(0, number)):
        assert y.dtype == np.float32


def test_two_arrays_promote_as_in_numpy():
    assert (SINGLE * tn.tensor([1.0, 2.0], dtype=tn.float64)).dtype == np.float64
    assert (SINGLE * tn.tensor([1, 2])).dtype == (np.float32([1]) * np.int64([1])).dtype
    assert (tn.tensor([1, 2]) / 2).dtype == np.float64


def test_what_python_numbers_become():
    assert [tn.tensor(x).dtype for x in (1.5, [1, 2], True, [1, 2.5])] == [np.float32, np.int64, np.bool_, np.float32]
    assert tn.tensor(np.zeros(2)).dtype == np.float64 and tn.tensor(np.float64(1)).dtype == np.float64
    assert tn.tensor([1, 2], dtype=tn.float32).dtype == np.float32
    try:
        tn.set_default_dtype(tn.float64)
        assert tn.tensor(1.5).dtype == tn.zeros(2).dtype == tn.randn(2).dtype == tn.nn.Linear(1, 1).weight.dtype == np.float64
    finally:
        tn.set_default_dtype(tn.float32)
    with pytest.raises(TypeError, match="floating-point"):
        tn.set_default_dtype(tn.int64)


@pytest.mark.parametrize("data", ["text", [1, "a"], None, object(), [1 + 2j]])
def test_what_is_no_number_is_refused(data):
    with pytest.raises(TypeError, match="floating-point numbers, integers or booleans"):
        tn.tensor(data)


def test_tensors_in_lists_are_not_converted_silently():
    with pytest.raises(TypeError, match=r"tn\.stack"):
        tn.tensor([tn.tensor(1.0), tn.tensor(2.0)])
    with pytest.raises(TypeError, match="already"):
        tn.Tensor(SINGLE)
    with pytest.raises(TypeError, match=r"Add: a list.*tn\.tensor"):
        SINGLE + [1.0, 2.0]


@pytest.mark.host("the memory of a NumPy array, shared")
def test_a_tensor_is_a_copy_and_as_tensor_is_not():
    a = np.zeros(2)
    copied, shared = tn.tensor(a), tn.as_tensor(a)
    a[0] = 1
    assert copied.tolist() == [0, 0] and shared.tolist() == [1, 0]
    assert tn.as_tensor(shared) is shared


# ---------------------------------------------------------------------- the package

def test_importing_stays_light():
    heavy = ["matplotlib", "sklearn", "scipy", "cupy", "torch", "pandas", "hypothesis"]
    code = f"import sys, tinygrad_nuc; print([name for name in {heavy} if name in sys.modules])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "[]"
