"""Products, equations, lengths and windows: conventions where a slope is not defined, errors, views, and exact cases."""

import numpy as np
import pytest

import tinygrad_nuc as tn
from tinygrad_nuc.nn import functional as F

A = np.array([[0.5, -1.5, 2.0], [1.0, 0.25, -0.75]])
T = tn.tensor(A)
SQUARE = tn.tensor([[2.0, 1.0], [0.0, 0.0]], dtype=tn.float64)


def leaf(values):
    return tn.tensor(values, dtype=tn.float64, requires_grad=True)


# ---------------------------------------------------------------------- lengths

@pytest.mark.parametrize("p", [1, 2, 3, 1.5, 4, np.inf, "fro"])
def test_the_slope_of_the_length_of_nothing_is_zero(p):
    x = leaf([[0.0, 0.0, 0.0], [3.0, 0.0, -4.0]])
    y = x.norm(p, dim=1)
    g, = tn.grad(y.sum(), x, create_graph=True)
    assert y[0].item() == 0.0 and g.numpy()[0].tolist() == [0.0, 0.0, 0.0]
    assert np.isfinite(g.numpy()).all()
    if p in (2, 3, 4, "fro"):                   # below 2 the second slope of |a|ᵖ at 0 is infinite, or there is none
        h, = tn.grad(g.sum(), x)
        assert h.numpy()[0].tolist() == [0.0, 0.0, 0.0] and np.isfinite(h.numpy()).all()


def test_norms_share_and_count():
    x = leaf([3.0, -3.0, 1.0])
    assert tn.grad(x.norm(np.inf), x)[0].tolist() == [0.5, -0.5, 0.0]
    assert tn.grad(x.norm(1), x)[0].tolist() == [1.0, -1.0, 1.0]
    count = leaf([0.0, 2.0, -1.0]).norm(0)
    assert count.item() == 2.0 and not count.requires_grad
    assert np.isnan(leaf([np.nan, 1.0]).norm().item())
    x = leaf([np.nan, 1.0])
    assert np.isnan(tn.grad(x.norm(), x)[0].numpy()).all(), "a NaN is not hidden"
    assert tn.tensor([3.0, 4.0]).norm().dtype == np.float32


def test_the_spread_of_equal_values_has_slope_zero():
    x = leaf([[2.0, 2.0, 2.0], [1.0, 2.0, 3.0]])
    y = x.std(1)
    assert y.tolist() == [0.0, 1.0]
    np.testing.assert_allclose(tn.grad(y.sum(), x)[0].numpy(), [[0.0, 0.0, 0.0], [-0.5, 0.0, 0.5]], rtol=1e-15)
    assert tn.tensor([1.0, 2.0]).std(unbiased=False).item() == 0.5 and np.std(tn.tensor([1.0, 2.0])).item() == 0.5
    with np.errstate(invalid="ignore"):
        assert np.isnan(leaf([1.0]).std().item())


# ---------------------------------------------------------------------- equations

def test_the_results_are_exact_where_they_can_be():
    a = leaf([[4.0, 2.0], [2.0, 5.0]])
    assert tn.linalg.cholesky(a).tolist() == [[2.0, 0.0], [1.0, 2.0]]
    assert tn.linalg.solve(a, tn.tensor([8.0, 12.0])).tolist() == [1.0, 2.0]
    assert tn.det(a).item() == pytest.approx(16.0) and tn.logdet(a).item() == pytest.approx(np.log(16.0))
    sign, size = tn.linalg.slogdet(tn.tensor([[0.0, 1e200], [1e200, 0.0]], dtype=tn.float64))
    assert sign.item() == -1 and size.item() == pytest.approx(400 * np.log(10))
    assert np.isnan(tn.logdet(tn.tensor([[0.0, 1.0], [1.0, 0.0]])).item())
    assert tn.matrix_power(a, 0).tolist() == [[1.0, 0.0], [0.0, 1.0]] and tn.matrix_power(a, 1) is not a
    assert tn.grad(tn.matrix_power(a, 0).sum(), a)[0].tolist() == [[0.0, 0.0], [0.0, 0.0]]
    g, = tn.grad(tn.linalg.cholesky(a).sum(), a)
    assert g.numpy()[0, 1] == 0.0, "what is above the diagonal is not read"


@pytest.mark.parametrize(("call", "kind", "message"), [
    (lambda: tn.linalg.solve(T, T), ValueError, r"Solve\(a of shape \(2, 3\).*a must be a square matrix"),
    (lambda: tn.linalg.solve(T[:, :2], T.T), ValueError, r"b must have as many rows as a, 2, and its shape is \(3, 2\)"),
    (lambda: tn.linalg.solve(SQUARE, T), np.linalg.LinAlgError, r"Solve.*Singular"),
    (lambda: tn.linalg.inv(SQUARE), ValueError, r"Inverse\(a of shape \(2, 2\)\): Singular"),
    (lambda: tn.linalg.inv(T), ValueError, r"Inverse.*square matrix.*\(2, 3\)"), (lambda: tn.det(T), ValueError, "Determinant.*square"),
    (lambda: tn.logdet(T), ValueError, "LogAbsDet.*square"), (lambda: tn.linalg.cholesky(T), ValueError, "Cholesky.*square"),
    (lambda: tn.linalg.cholesky(SQUARE), ValueError, "Cholesky.*not positive definite"),
    (lambda: tn.matrix_power(T, 2), ValueError, "matrix_power.*square"), (lambda: tn.matrix_power(SQUARE, 0.5), TypeError, "whole number"),
    (lambda: T.norm("nuc"), ValueError, "norm: p must be a number or 'fro', not 'nuc'"),
    (lambda: np.linalg.norm(T, 2), ValueError, "matrix norm 2 needs singular values"), (lambda: np.linalg.norm(T, "fro", 1), ValueError, "one axis makes vectors"),
    (lambda: np.linalg.norm(tn.zeros(2, 2, 2), 1), ValueError, "give one axis for vectors or two for matrices"),
    (lambda: tn.outer(T, T), ValueError, r"outer: expects two vectors, not shapes \(2, 3\)"),
    (lambda: tn.mm(T, T[0]), ValueError, r"mm: expects 2 and 2 dimensions, not shapes \(2, 3\) and \(3,\); matmul takes any"),
    (lambda: tn.bmm(tn.ones(4, 2, 3), tn.ones(2, 3, 1)), ValueError, r"bmm: stacks of \(4,\) and \(2,\) matrices; they must be equally many"),
    (lambda: tn.tensordot(T, T, 1), ValueError, r"tensordot: axes \(1,\) of shape \(2, 3\) and \(0,\) of \(2, 3\) must have the same lengths"),
    (lambda: tn.tensordot(T, T, 3), ValueError, "tensordot: cannot sum over 3 axes"),
    (lambda: tn.einsum("ij,jk->ik", T), ValueError, "has 2 terms, for 1 operands"),
    (lambda: tn.einsum("ij,jk->ik", T, T), ValueError, r"'j' is 3 in one operand and 2 in another; the shapes are \(2, 3\), \(2, 3\)"),
    (lambda: tn.einsum("ijk->i", T), ValueError, r"the term 'ijk' of 'ijk->i' must name each of the 2 axes.*\(2, 3\)"),
    (lambda: tn.einsum("i1->i", T), ValueError, "the term 'i1'"), (lambda: tn.einsum("ij->ik", T), ValueError, "'k' in the result"),
    (lambda: tn.einsum("ij->ii", T), ValueError, "'i' in the result of 'ij->ii'.*once"),
    (lambda: tn.einsum("...i,...i->...", T, tn.zeros(3, 3)), ValueError, r"'\.\.\.' is 2 in one operand and 3 in another"),
    (lambda: np.einsum(T, [0, 1]), TypeError, "give the equation as a text"),
    (lambda: T.unfold(2, 1, 1), IndexError, "unfold: dimension 2"), (lambda: T.unfold(1, 4, 1), ValueError, "spans 4 does not fit into an axis of length 3"),
    (lambda: T.unfold(1, 2, 0), ValueError, "at least 1, not 2, 0, 1"), (lambda: F.unfold(T, 2), ValueError, r"unfold: expects images.*\(2, 3\)"),
    (lambda: F.unfold(tn.zeros(1, 1, 3, 3), (1, 2, 3)), ValueError, "one number or two"), (lambda: F.unfold(tn.zeros(1, 3, 3), 4), ValueError, "spans 4"),
    (lambda: F.fold(tn.zeros(3), 2, 2), ValueError, "fold: expects shape"),
    (lambda: F.fold(tn.zeros(5, 4), (3, 3), 2), ValueError, r"fold: the last dimensions of \(5, 4\) must be a multiple of 4.*and 4, the number of windows in \(3, 3\)"),
    (lambda: F.fold(tn.zeros(4, 3), (3, 3), 2), ValueError, "and 4, the number of windows"),
    (lambda: np.lib.stride_tricks.sliding_window_view(T, (1, 2), 1), ValueError, "1 axes need as many window lengths, not 2"),
])
def test_what_does_not_fit_is_explained(call, kind, message):
    with pytest.raises(kind, match=message):
        call()


def test_a_derivative_that_needs_the_inverse_says_so_where_there_is_none():
    a = leaf([[1.0, 2.0], [2.0, 4.0]])
    y = tn.det(a)
    assert y.item() == 0.0
    with pytest.raises(np.linalg.LinAlgError, match=r"Inverse\(a of shape \(2, 2\)\): Singular") as error:
        y.backward()
    assert error.value.__notes__ == ["in the derivative Determinant.grad_a"]
    assert a.grad is None


# ---------------------------------------------------------------------- windows and views

def test_windows_are_views_and_overlap_adds_up():
    x = tn.arange(6).double()
    windows = x.unfold(0, 3, 1)
    assert np.shares_memory(windows.data, x.data) and windows.shape == (4, 3)
    x.requires_grad_()
    x.unfold(0, 3, 1).sum().backward()
    assert x.grad.tolist() == [1.0, 2.0, 3.0, 3.0, 2.0, 1.0]
    image = tn.ones(1, 1, 4, 4).double()
    assert F.fold(F.unfold(image, 3, padding=1), (4, 4), 3, padding=1)[0, 0].tolist() == [[4, 6, 6, 4], [6, 9, 9, 6], [6, 9, 9, 6], [4, 6, 6, 4]]
    assert F.fold(F.unfold(image, 2, stride=2), (4, 4), 2, stride=2).tolist() == image.tolist()


def test_a_change_is_noted_by_a_window_and_by_a_transposed_einsum():
    x = leaf(np.ones((3, 3)))
    for view in (lambda x: x.unfold(0, 2, 1), lambda x: tn.einsum("ij->ji", x)):
        y = (view(x) * 2).sum()
        with tn.no_grad():
            x += 1
        with pytest.raises(RuntimeError, match="changed in place"):
            y.backward()


def test_a_convolution_is_windows_times_weights():
    rng = np.random.default_rng(5)
    images, kernels = (tn.tensor(rng.normal(size=shape), requires_grad=True) for shape in ((2, 3, 5, 4), (2, 3, 3, 2)))

    def convolve(images, kernels):
        return (kernels.reshape(2, -1) @ F.unfold(images, (3, 2))).reshape(2, 2, 3, 3)

    expected = np.zeros((2, 2, 3, 3))
    for i, j in np.ndindex(3, 3):
        expected[:, :, i, j] = np.einsum("nchw,kchw->nk", images.numpy()[:, :, i:i + 3, j:j + 2], kernels.numpy())
    np.testing.assert_allclose(convolve(images, kernels).numpy(), expected, rtol=1e-13, atol=1e-13)
    assert tn.gradcheck(convolve, [images, kernels]) and tn.gradgradcheck(convolve, [images, kernels], atol=1e-4)
