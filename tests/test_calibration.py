"""Calibration: bins by hand, and probabilities that are right or wrong by a known amount."""

import numpy as np
import pytest

from tinygrad_nuc.analysis import expected_calibration_error, reliability


def test_bins_by_hand():
    curve = reliability([0.0, 0.05, 0.2, 0.95, 1.0], [0, 1, 1, 1, 1], bins=10)
    np.testing.assert_allclose(curve.predicted, [0.025, 0.2, 0.975])
    np.testing.assert_allclose(curve.observed, [0.5, 1.0, 1.0])
    assert curve.events.tolist() == [2, 1, 2]                                   # bins without events are left out
    np.testing.assert_allclose(curve.error, np.sqrt([0.025 * 0.975 / 2, 0.2 * 0.8, 0.975 * 0.025 / 2]))
    assert expected_calibration_error([0.0, 0.05, 0.2, 0.95, 1.0], [0, 1, 1, 1, 1]) == pytest.approx(
        (2 * 0.475 + 0.8 + 2 * 0.025) / 5)


def test_right_probabilities_scatter_within_their_errors():
    rng = np.random.default_rng(0)
    p = rng.random(200_000)
    curve = reliability(p, rng.random(len(p)) < p)
    pulls = (curve.observed - curve.predicted) / curve.error
    assert len(pulls) == 10 and np.abs(pulls).max() < 3.5 and curve.events.sum() == len(p)


def test_wrong_probabilities_are_found_with_true_ones_in_place_of_labels():
    p_true = np.linspace(0.05, 0.85, 1001)
    assert expected_calibration_error(p_true, p_true) == pytest.approx(0, abs=1e-15)
    assert expected_calibration_error(p_true + 0.1, p_true) == pytest.approx(0.1)


@pytest.mark.parametrize(("p", "y", "bins", "message"), [
    ([0.5], [0, 1], 10, r"shapes \(n,\), not \(1,\) and \(2,\)"),
    ([], [], 10, "one entry for each event"),
    ([0.5, 1.2], [0, 1], 10, "p must be from 0 to 1"),
    ([0.5, float("nan")], [0, 1], 10, "p must be from 0 to 1"),
    ([0.5, 0.5], [0, -1], 10, "y must be from 0 to 1"),
    ([0.5, 0.5], [0, 1], 0, "bins must be a whole number of at least 1, not 0"),
    ([0.5, 0.5], [0, 1], 2.5, "bins must be a whole number of at least 1, not 2.5"),
])
def test_what_makes_no_sense_is_refused(p, y, bins, message):
    for function in (reliability, expected_calibration_error):
        with pytest.raises(ValueError, match=message):
            function(p, y, bins)
