"""The gradient check itself: it passes what is right, and names what is wrong."""

import numpy as np
import pytest

import tinygrad_nuc as tn


def leaf(*values, dtype=np.float64):
    return tn.tensor(values[0] if len(values) == 1 else list(values), dtype=dtype, requires_grad=True)


@pytest.fixture
def faulty():
    """Two operations with mistakes, which leave the registry again after the test."""
    class HalfSlope(tn.Operation):
        """y = a² with the factor 2 missing in its derivative"""
        def forward(a):       return a * a
        def grad_a(g, y, a):  return g * a

    class CutOff(tn.Operation):
        """y = a³ with a derivative that cannot be differentiated again"""
        def forward(a):       return a ** 3
        def grad_a(g, y, a):  return g * 3 * getattr(a, "data" if isinstance(a, tn.Tensor) else "real") ** 2
    yield HalfSlope, CutOff
    del tn.engine.registry.table.HalfSlope, tn.engine.registry.table.CutOff


def test_gradcheck_finds_a_wrong_derivative_and_names_it(faulty):
    with pytest.raises(tn.inspect.GradcheckError, match=r"input 0, element \[1\].* says 2, .*difference 4 \(2 of 2"):
        tn.gradcheck(lambda a: faulty[0].apply(a).sum(), leaf(1.0, 2.0))


def test_gradgradcheck_finds_a_wrong_second_derivative(faulty):
    x = leaf(1.0, 2.0)
    assert tn.gradcheck(faulty[1].apply, x)
    with pytest.raises(tn.inspect.GradcheckError, match="input 0"):
        tn.gradgradcheck(faulty[1].apply, x)


def test_gradcheck_wants_float64_and_something_to_check():
    with pytest.raises(TypeError, match="input 0 is float32"):
        tn.gradcheck(tn.exp, leaf(1.0, dtype=np.float32))
    with pytest.raises(ValueError, match="no input"):
        tn.gradcheck(tn.exp, tn.ones(2))


def test_gradcheck_checks_a_model_where_it_is():
    model = tn.nn.Sequential(tn.nn.Linear(3, 4), tn.nn.Tanh(), tn.nn.Linear(4, 1)).double()
    x = tn.tensor(np.random.default_rng(0).normal(size=(5, 3)))
    before = [p.numpy().copy() for p in model.parameters()]
    assert tn.gradcheck(lambda *_: (model(x) ** 2).mean(), list(model.parameters()))
    for b, p in zip(before, model.parameters(), strict=True):
        np.testing.assert_array_equal(b, p.numpy())
