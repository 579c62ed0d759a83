"""Composed NumPy functions: what they do at kinks and with nothing, what they say about bad input, PyTorch's versions of them."""

import warnings

import numpy as np
import pytest
from device_option import UNCHECKED

import tinygrad_nuc as tn
from tinygrad_nuc.operations import pseudo_inverse, sampled, statistics, vectors
from tinygrad_nuc.operations.logic import place_of_out

A = np.array([[0.5, -1.5, 2.0], [1.0, 0.25, -0.75]])
NAN = float("nan")


def leaf(data, dtype=tn.float64):
    return tn.tensor(data, dtype=dtype, requires_grad=True)


def slope(function, x):
    """The derivative of the sum of what a function gives."""
    return tn.grad(function(x).sum(), x)[0].tolist()


# ---------------------------------------------------------------------- kinks, and no values

def test_interp_has_the_slope_to_the_right_at_a_point_and_none_outside():
    x = leaf([-1.0, 0.0, 0.5, 1.0, 3.0, 4.0])
    assert slope(lambda x: np.interp(x, [0.0, 1.0, 3.0], [0.0, 2.0, 3.0]), x) == [0.0, 2.0, 2.0, 0.5, 0.5, 0.0]
    y = np.interp(leaf([NAN, np.inf, -np.inf]), [0.0, 1.0], [5.0, 7.0])
    np.testing.assert_array_equal(y.numpy(), [NAN, 7.0, 5.0])


def test_no_gradient_reaches_nan():
    x = leaf([1.0, NAN, 3.0])
    for function in (np.nansum, np.nanmean, np.nanvar, np.nanstd, np.nanmax, np.nanmin, np.nanprod, np.nancumsum, np.nancumprod):
        found = slope(function, x)
        assert found[1] == 0 and np.isfinite(found).all()


def test_equal_largest_values_share_the_gradient_and_equal_values_have_no_deviation():
    assert slope(np.nanmax, leaf([3.0, NAN, 3.0])) == slope(np.nanmin, leaf([3.0, NAN, 3.0])) == [0.5, 0.0, 0.5]
    assert slope(np.nanstd, leaf([3.0, NAN, 3.0])) == [0.0, 0.0, 0.0]


def test_of_nothing_but_nan_there_is_no_mean():
    x = leaf([[NAN, NAN], [1.0, NAN]])
    for function, expected in ((np.nanmean, 1.0), (np.nanvar, 0.0), (np.nanstd, 0.0), (np.nanmax, 1.0), (np.nanmin, 1.0)):
        np.testing.assert_array_equal(function(x, axis=1).numpy(), [NAN, expected])
    assert np.nansum(x).item() == 1.0 and np.nanprod(x, axis=1).tolist() == [1.0, 1.0]


def test_nan_functions_of_integers():
    x = tn.tensor([[1, 2], [3, 5]])
    for function in (np.nansum, np.nanmean, np.nanvar, np.nanstd, np.nanmax, np.nanmin, np.nanprod, np.nancumsum, np.nancumprod):
        y, expected = function(x), function(x.numpy())
        assert y.dtype == np.asarray(expected).dtype and y.tolist() == pytest.approx(np.asarray(expected).tolist())


def test_the_function_of_a_piece_never_sees_the_other_values():
    x = leaf([-4.0, 4.0])
    with np.errstate(all="raise"):
        assert slope(lambda x: np.piecewise(x, [x > 0], [np.sqrt, lambda x: np.sqrt(-x)]), x) == [-0.25, 0.25]


def test_a_pseudo_inverse_of_a_matrix_of_low_rank():
    a = leaf([[1.0, 2.0], [2.0, 4.0]])
    np.testing.assert_allclose(pseudo_inverse.pinv(a).numpy(), [[0.04, 0.08], [0.08, 0.16]], atol=1e-15)
    assert pseudo_inverse.pinv(tn.tensor([[1.0, 2.0], [2.0, 4.0]])).dtype == np.float32


# ---------------------------------------------------------------------- conventions

def test_cross_takes_the_first_dimension_of_length_three_and_numpys_the_last():
    a, b = np.random.default_rng(0).normal(size=(2, 3, 3))
    np.testing.assert_allclose(vectors.cross(leaf(a), leaf(b)).numpy(), np.cross(a, b, axis=0))
    np.testing.assert_allclose(vectors.linalg_cross(leaf(a), leaf(b)).numpy(), np.cross(a, b))
    np.testing.assert_allclose(leaf(a).cross(leaf(b), dim=-1).numpy(), np.cross(a, b))


def test_float32_stays_float32_beside_python_numbers_and_lists():
    x = leaf([0.5, 1.5, 0.25], tn.float32)
    for y in (np.interp(x, [0, 1, 2], [0.0, 0.5, 3.0]), np.gradient(x, [0.0, 1.0, 2.5]), np.convolve(x, [1.0, 2.0]), np.polyval([2.0, 1.0], x),
              np.linspace(0, x, 3), np.average(x, weights=[1.0, 2.0, 1.0]), np.cov(x, aweights=[1.0, 2.0, 1.0]),
              np.histogram([0, 1, 2], [0.0, 1.0, 2.0], weights=x, density=True)[0],
              np.cross(x, [1.0, 0.0, 0.0]), np.unwrap(x), np.full_like(x, 2), np.divmod(x, 0.5)[1], x // 0.5):
        assert y.dtype == np.float32


@pytest.mark.parametrize("call", [
    lambda a, b: np.average(a, weights=b), lambda a, b: np.average(a, axis=0, weights=b, returned=True)[1],
    lambda a, b: np.average(b, axis=0), lambda a, b: np.interp(a, b, a[::-1]), lambda a, b: np.interp([7.5, 30.0], b, a),
    lambda a, b: np.gradient(a), lambda a, b: np.gradient(a, b), lambda a, b: np.gradient(a, edge_order=2),
    lambda a, b: np.cov(a, b), lambda a, b: np.cov(a, aweights=b), lambda a, b: np.corrcoef(a, b),
    lambda a, b: np.nanmean(a), lambda a, b: np.nanvar(a), lambda a, b: np.nansum(a), lambda a, b: np.nanprod(a),
    lambda a, b: np.vander(b, 4), lambda a, b: np.linspace(a, b, 3),
])
@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int64, np.uint64])
def test_whole_numbers_do_not_run_over(call, dtype):
    a, b = np.array([120, 5, 70, 3], dtype), np.array([2, 10, 20, 100], dtype)
    found, expected = call(tn.tensor(a), tn.tensor(b)), call(a, b)
    assert found.dtype == expected.dtype
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-14)


@pytest.mark.parametrize("function", [np.nanvar, np.nanstd, np.nanmean, np.nansum, np.nanprod])
def test_the_third_argument_of_reductions_is_numpys_dtype(function):
    x = np.array([[0.1, NAN, 0.3], [1.5, 2.0, 0.7]], np.float32)
    y = function(tn.tensor(x), 1, np.float64)
    assert y.dtype == np.float64
    np.testing.assert_allclose(y.numpy(), function(x.astype(np.float64), 1), rtol=1e-14)
    with pytest.raises(TypeError, match=f"numpy.{function.__name__} of a Tensor: too many positional arguments"):
        function(tn.tensor(x), 1, np.float64, None, False)


def test_fix_of_a_tensor_warns_of_nothing():
    with warnings.catch_warnings(action="error"):
        assert np.fix(tn.tensor([-1.5, 1.5])).tolist() == [-1.0, 1.0]


def test_a_whole_division_has_no_gradient():
    x = leaf([7.0, -7.0])
    assert (x // 2).tolist() == [3.0, -4.0] and (7 // tn.tensor([2, -2])).tolist() == [3, -4]
    assert not (x // 2).requires_grad and x.floor_divide(2).tolist() == [3.0, -4.0]


def test_correlations_of_one_variable_and_with_itself():
    assert statistics.corrcoef(leaf([1.0, 2.0, 4.0])).item() == 1.0
    x = np.array([0.1, 0.7, 0.3])
    assert np.abs(np.corrcoef(leaf(x), leaf(3 * x)).numpy()).max() <= 1


def test_the_mean_of_whole_numbers_knows_no_nan():
    assert statistics.nanmean(tn.tensor([[1, 2], [4, 8]]), dim=0).tolist() == [2.5, 5.0]


def test_where_out_stands_among_the_arguments():
    assert place_of_out(np.argmax) == 2 and place_of_out(np.argsort) is None
    assert place_of_out(dict) is None           # in C, without a signature, as some functions of older NumPys are


# ---------------------------------------------------------------------- bad input

V = tn.tensor([1.0, 2.0, 3.0])
M = tn.tensor(A)


@pytest.mark.parametrize(("call", "error", "message"), [
    (lambda: M.unsqueeze(0).cov(), ValueError, r"cov: expects a matrix.*\(1, 2, 3\)"),
    (lambda: np.cov(M, aweights=[1.0, 2.0]), ValueError, r"cov: 3 observations need as many weights.*\(2,\)"),
    (lambda: np.average(M, weights=V), ValueError, r"average: weights of shape \(3,\) do not fit.*\(2, 3\)"),
    (lambda: np.average(M, axis=0, weights=V), ValueError, r"average: weights of shape \(3,\).*axis 0"),
    (lambda: np.histogram(V, 3, weights=M), ValueError, r"histogram: .*\(3,\).*need as many weights.*\(6,\)"),
    pytest.param(lambda: np.bincount(tn.tensor([0, -1]), weights=V[:2]), IndexError, "bincount: position -1 is out of range", marks=UNCHECKED),
    (lambda: np.bincount(tn.tensor([0, 1]), weights=V), ValueError, r"bincount: .*equal length.*\(2,\) and \(3,\)"),
    (lambda: np.bincount(V, weights=V), TypeError, "bincount: .*integer type"),
    (lambda: tn.zeros(2).cross(tn.zeros(2)), ValueError, r"cross: none of the dimensions of \(2,\) has length 3"),
    (lambda: np.cross(tn.zeros(2), tn.zeros(2)), ValueError, r"cross: vectors have three components.*\(2,\)"),
    (lambda: np.linalg.vecdot(V, M.T), ValueError, "MatMul"),
    (lambda: vectors.multi_dot([M]), ValueError, "multi_dot: expects two or more matrices"),
    (lambda: vectors.multi_dot([M, V, M]), ValueError, r"multi_dot: .*\[\(2, 3\), \(3,\), \(2, 3\)\]"),
    (lambda: vectors.multi_dot([tn.zeros(2, 2, 3), V]), ValueError, r"multi_dot: .*\(2, 2, 3\)"),
    (lambda: np.matrix_transpose(V), ValueError, r"matrix_transpose: expects matrices.*\(3,\)"),
    (lambda: pseudo_inverse.pinv(V), ValueError, r"PseudoInverse.*expects a matrix.*\(3,\)"),
    (lambda: sampled.vander(M), ValueError, r"vander: expects a vector, not shape \(2, 3\)"),
    (lambda: np.interp(V, [0.0, 1.0], V), ValueError, r"interp: needs as many values as points.*\(3,\) and \(2,\)"),
    (lambda: np.interp(V, M, V), ValueError, r"interp: expects a vector, not shape \(2, 3\)"),
    (lambda: np.gradient(V, [0.0, 1.0]), ValueError, r"gradient: .*the 3 coordinates, not of shape \(2,\)"),
    (lambda: np.gradient(V[:1]), ValueError, r"gradient: axis 0 of shape \(1,\) has too few points.*needs 2"),
    (lambda: np.gradient(M, 1.0, 2.0, 3.0), TypeError, r"numpy\.gradient of a Tensor: 2 axes"),
    (lambda: np.gradient(V, edge_order=3), ValueError, "gradient: edge_order must be 1 or 2"),
    (lambda: np.convolve(V, V, "wide"), ValueError, "convolve: mode must be 'full', 'same' or 'valid', not 'wide'"),
    (lambda: np.convolve(V, M), ValueError, r"convolve: expects a vector, not shape \(2, 3\)"),
    (lambda: np.convolve(V, V[:0]), ValueError, "convolve: there are no values"),
    (lambda: np.linspace(V, 1.0, -1), ValueError, "linspace: the number of points must not be negative"),
    (lambda: np.linspace(V, 1.0, retstep=True), TypeError, r"numpy\.linspace of a Tensor: .*'retstep'"),
    (lambda: np.piecewise(V, [V > 1], []), ValueError, "piecewise: 1 conditions need as many functions, or one more, not 0"),
    (lambda: np.apply_along_axis(np.sum, 0, tn.zeros(2, 0)), ValueError, r"apply_along_axis: shape \(2, 0\)"),
    (lambda: np.delete(V, 7), IndexError, "out of bounds"),
])
def test_bad_input_is_explained(call, error, message):
    with pytest.raises(error, match=message):
        call()
