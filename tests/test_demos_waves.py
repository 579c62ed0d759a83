"""The wave equation, solved by a network."""

import numpy as np
import pytest
from demo_helpers import quick, run

import tinygrad_nuc as tn


def test_second_derivatives_of_the_exact_solution_fulfil_the_equation():
    found = quick("wave_equation")
    assert found.residual(found.exact, found.x, found.t).abs().max().item() < 1e-11
    x = tn.tensor([[0.5]], dtype=tn.float64, requires_grad=True)
    t = tn.tensor([[0.25]], dtype=tn.float64, requires_grad=True)
    r = found.residual(lambda x, t: x ** 3 * t ** 2, x, t)          # 2 x³ − c² 6 x t²
    assert r.item() == pytest.approx(2 * 0.125 - 6 * 0.5 * 0.0625)


def test_standing_waves_are_right_where_one_knows_them():
    exact = quick("wave_equation").exact
    x = tn.tensor([0.0, 0.25, 0.5, 1.0], dtype=tn.float64)
    np.testing.assert_allclose(exact(x, 0 * x).numpy(), [0, 0.5 ** 0.5, 1, 0], atol=1e-15)
    np.testing.assert_allclose(exact(x, 0 * x + 0.5).numpy(), 0, atol=1e-15)
    np.testing.assert_allclose(exact(x, 0 * x + 1).numpy(), [0, -(0.5 ** 0.5), -1, 0], atol=1e-15)


def test_the_network_finds_the_standing_wave():
    found = quick("wave_equation")
    assert found.errors[0] > 0.9 and found.errors[-1] < 0.05
    centre = tn.tensor([[0.5]], dtype=tn.float64)
    for time, height in ((0.0, 1.0), (0.5, 0.0), (1.0, -1.0)):
        assert found.u(centre, 0 * centre + time).item() == pytest.approx(height, abs=0.1)
    assert list(found.history) == ["equation", "shape at the start", "at rest at the start", "ends"]
    first, last = (sum(values[i] for values in found.history.values()) for i in (0, -1))
    assert last < 1e-2 * first
    assert max(found.equation) / found.equation[0] > 100
    assert (found.exact(found.x, found.t) - found.travelling).abs().max().item() < 1e-12
    exact, network, difference = (ax.collections[0].get_clim() for ax in found.demo.pictures["string.png"].axes[:3])
    assert exact == network and difference[1] == found.apart < 0.1
    assert found.history["equation"][0] < 0.01 < max(found.history["equation"][:60])    # flat at first, then not


def test_the_default_dtype_is_as_before():
    quick("wave_equation")
    assert tn.zeros(1).dtype == tn.float32


def test_no_steps_are_refused():
    with pytest.raises(ValueError, match="--steps must be at least 1, not 0"):
        run("wave_equation", "--quick", "--steps", "0")
