"""Rectangular cuts: the best wall against trying every wall, boxes, responses, ties."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tinygrad_nuc.analysis import RectangularCuts
from tinygrad_nuc.analysis.cuts import best_wall
from tinygrad_nuc.simulation import simulate


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 1)), min_size=1, max_size=12))
def test_the_best_wall_is_the_best_of_all_walls(events):
    x, y = np.array([e[0] for e in events], float), np.array([e[1] for e in events])
    weight = np.where(y == 1, 3.0, 1.0)
    right, wall = best_wall(x, y, weight)
    assert right == np.sum(weight[(x >= wall) == y])
    assert right >= max(np.sum(weight[(x >= w) == y]) for w in [-np.inf, *(x + 0.5)] if np.any(x >= w))


def test_without_events_there_is_no_wall():
    assert best_wall(np.zeros(0), np.zeros(0, int), np.zeros(0)) == (0.0, -np.inf)


def test_a_box_is_found():
    rng = np.random.default_rng(0)
    x = rng.uniform(-1, 1, (20_000, 3))
    inside = (x[:, 0] > -0.5) & (x[:, 0] < 0.4) & (x[:, 1] > 0.1)
    cuts = RectangularCuts().fit(x, inside.astype(int))
    np.testing.assert_allclose(cuts.low, [-0.5, 0.1, -np.inf], atol=0.01)
    np.testing.assert_allclose(cuts.high, [0.4, np.inf, np.inf], atol=0.01)
    assert np.mean((cuts.decision_function(x) >= 0) == inside) > 0.999


def test_the_response_is_the_distance_to_the_nearest_wall_in_standard_deviations():
    x = np.array([[0.0], [1.0], [2.0], [5.0]])
    cuts = RectangularCuts().fit(x, np.array([0, 0, 1, 1]))
    assert cuts.low.tolist() == [1.5] and cuts.high.tolist() == [np.inf]
    np.testing.assert_allclose(cuts.decision_function(x), (x[:, 0] - 1.5) / x.std())


def test_inseparable_classes_get_no_wall_and_constant_variables_no_trouble():
    cuts = RectangularCuts().fit(np.ones((6, 2)), np.array([1, 1, 1, 1, 0, 0]))
    assert cuts.decision_function(np.ones((3, 2))).tolist() == [0, 0, 0]        # everything is called signal


def test_cuts_on_the_simulation():
    x, y = simulate(20_000, 20_000, seed=5)
    cuts = RectangularCuts().fit(x[:30_000], y[:30_000])
    accuracy = np.mean((cuts.decision_function(x[30_000:]) >= 0) == y[30_000:])
    assert accuracy == pytest.approx(0.911, abs=0.009)                          # 3 standard errors of 10,000 events
    assert cuts.low[0] == pytest.approx(0.09, abs=0.03)                         # between the two masses squared
