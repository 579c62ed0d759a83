"""Edges: small integers, too few values, Python floats, and roads that PyTorch users take."""

import numpy as np
import pytest

import tinygrad_nuc as tn
from tinygrad_nuc import nn

T = tn.tensor(np.array([[0.5, -1.5, 2.0], [1.0, 0.25, -0.75]]))


def test_the_variance_of_too_few_values_is_not_a_number():
    with np.errstate(invalid="ignore", divide="ignore"):
        for y in (tn.zeros(0).var(), tn.zeros(1).var(), np.var(tn.zeros(1), ddof=2)):
            assert np.isnan(y.item())
        assert tn.tensor([1.0, 2.0]).var(correction=3).item() == np.inf


def test_sums_and_differences_take_a_factor():
    a, b = tn.tensor([1.0, 2.0], requires_grad=True), tn.tensor([3.0, 4.0], requires_grad=True)
    tn.add(a, b, alpha=10).sum().backward()
    assert tn.add(a, b, alpha=10).tolist() == [31.0, 42.0] and b.grad.tolist() == [10.0, 10.0]
    assert a.sub(b, alpha=2).tolist() == [-5.0, -6.0] and tn.ones(2).add_(b.detach(), alpha=-0.5).tolist() == [-0.5, -1.0]


def test_small_integers_do_not_wrap_around():
    u, b = tn.tensor(np.array([200, 100], np.uint8)), tn.tensor([True, False])
    assert np.linalg.norm(u).item() == pytest.approx(np.hypot(200, 100)) and tn.norm(tn.tensor([4 * 10**9, 3 * 10**9])).item() == 5e9
    assert u.norm(1).item() == 300.0 and u.sigmoid().tolist() == [1.0, 1.0] and tn.erf(u).tolist() == [1.0, 1.0]
    assert tn.erfc(b).tolist() == pytest.approx([0.15729920705028513, 1.0]) and tn.softmax(u, 0).tolist() == pytest.approx([1.0, np.exp(-100)])
    assert nn.functional.softplus(u).tolist() == [200.0, 100.0] and u.logsumexp(0).item() == 200.0
    assert tn.log_softmax(b, 0).tolist() == pytest.approx([-0.31326168751822286, -1.3132616875182228])
    x = tn.tensor([2.0, 3.0], requires_grad=True)
    assert tn.grad((x ** tn.tensor(np.array([0, 3], np.uint8))).sum(), x)[0].tolist() == [0.0, 27.0]
    assert tn.grad((x ** b).sum(), x)[0].tolist() == [1.0, 0.0]


def test_a_choice_between_python_floats_has_the_default_dtype():
    assert tn.where(T > 0, 1.0, 0.0).dtype == np.float32 and np.where(T > 0, T, 0.0).dtype == np.float64


def test_the_usual_roads_around_torch_names():
    assert T.half().dtype == np.float16 and T.to(T.device) is T and tn.softmax(tn.zeros(2, 0), 1).shape == (2, 0) and tn.linalg.norm(T, dim=1).shape == (2,)
    with pytest.raises(TypeError, match="flip: name the dimensions"):
        tn.flip(T)
    with pytest.raises(IndexError, match="sliding_window_view: dimension 5"):
        np.lib.stride_tricks.sliding_window_view(T, 2, axis=5)
    assert np.var(T, 0, np.float32).dtype == np.float32 and np.std(T, 0, None).shape == (3,)
    a = tn.tensor([1.0, 2.0], requires_grad=True)
    alpha = tn.tensor(1.0, requires_grad=True)
    tn.add(tn.ones(2), a.detach(), alpha=alpha).sum().backward()
    assert alpha.grad.item() == 3.0


def test_half_norms_have_slope_zero_at_zero_elements():
    x = tn.tensor([1.0, 0.0], dtype=tn.float64, requires_grad=True)
    assert x.norm(0.5).item() == 1.0 and tn.grad(x.norm(0.5), x)[0].tolist() == [1.0, 0.0]
