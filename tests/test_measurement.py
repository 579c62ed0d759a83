"""The whole measurement: simulated samples, response, abundance, and whether its uncertainty is right."""

import numpy as np
import pytest

from tinygrad_nuc.analysis import (
    count_two_bins,
    fit_counts,
    naive_count,
    quantile_bins,
    template_fit,
    toy_pulls,
)
from tinygrad_nuc.simulation import log_likelihood_ratio, simulate, simulate_unlabelled

# Share of a realistic response in ten bins, pions and kaons.

@pytest.fixture(scope="module")
def measurement():
    """62,500 + 62,500 calibration events and 275,000 unlabelled ones, response = ideal classifier."""
    x, y = simulate(62_500, 62_500, seed=40)
    sample = simulate_unlabelled(275_000, seed=41, abundance=0.3116)
    response = log_likelihood_ratio(x)
    return response[y == 0], response[y == 1], log_likelihood_ratio(sample.features), sample.reveal()


def test_measurement_finds_the_sealed_abundance(measurement):
    *responses, truth = measurement
    called = [np.array([np.sum(r < 0), np.sum(r >= 0)]) for r in responses]
    counted, fitted = count_two_bins(*called), template_fit(*responses)
    assert abs(counted.pull(truth)) < 2.5 and abs(fitted.pull(truth)) < 2.5
    assert counted.uncertainty == pytest.approx(0.0012, abs=0.00005)
    assert fitted.statistical == pytest.approx(0.00096, abs=0.00002)
    assert fitted.uncertainty == pytest.approx(0.0011, abs=0.00003)
    assert abs(naive_count(called[2][1], called[2].sum()).pull(truth)) > 5


def test_more_bins_use_more_information(measurement):
    uncertainty = [template_fit(*measurement[:3], bins=bins).uncertainty for bins in (2, 4, 8, 16, 32)]
    assert np.all(np.diff(uncertainty) < 0)


def shapes(pion, kaon, bins):
    edges = quantile_bins(pion, kaon, bins)
    return [np.histogram(r, bins=np.clip(edges, -1e9, 1e9))[0] for r in (pion, kaon)]


@pytest.mark.parametrize("n_calibration, n_unlabelled, bins", [(62_500, 275_000, 20), (2000, 10_000, 8)])
@pytest.mark.parametrize("abundance", [0.05, 0.3])
def test_pulls(measurement, n_calibration, n_unlabelled, bins, abundance):
    pion, kaon = measurement[:2]
    two = [np.array([np.sum(r < 0), np.sum(r >= 0)]) for r in (pion, kaon)]
    sizes = dict(n_pions=n_calibration, n_kaons=n_calibration, n_unlabelled=n_unlabelled)
    for estimate, (pion_shape, kaon_shape) in ((count_two_bins, two), (fit_counts, shapes(pion, kaon, bins))):
        pulls = toy_pulls(
            estimate, pion_shape, kaon_shape, abundance=abundance, n_toys=1000, seed=42, **sizes
        )
        assert abs(pulls.mean()) < 0.12
        assert 0.93 < pulls.std() < 1.07


def test_too_many_bins_shift_the_fit_as_documented(measurement):
    pion_shape, kaon_shape = shapes(*measurement[:2], bins=40)
    b, s, f, n, N = pion_shape / pion_shape.sum(), kaon_shape / kaon_shape.sum(), 0.05, 2000, 10_000
    p = f * s + (1 - f) * b
    fit = fit_counts(n * b, n * s, N * p)
    shift = (1 - 2 * f) * np.sum(N * s * b / p**2) / n * fit.statistical**2
    assert shift / fit.uncertainty == pytest.approx(0.22, abs=0.02)
    pulls = toy_pulls(
        fit_counts, b, s, abundance=f, n_pions=n, n_kaons=n, n_unlabelled=N, n_toys=3000, seed=43
    )
    assert pulls.mean() == pytest.approx(shift / fit.uncertainty, abs=0.06)


def test_naive_pulls_are_far_off():
    pulls = toy_pulls(
        lambda pions, kaons, unlabelled: naive_count(unlabelled[1], unlabelled.sum()),
        [0.96, 0.04], [0.07, 0.93], abundance=0.2, n_pions=1, n_kaons=1, n_unlabelled=100_000, seed=0,
    )  # fmt: skip
    assert pulls.shape == (300,) and pulls.mean() > 10


PION_SHAPE, KAON_SHAPE = [0.6, 0.25, 0.1, 0.05], [0.02, 0.08, 0.3, 0.6]          # share of each response bin


def test_toy_pulls_are_reproducible_and_refuse_nonsense():
    sizes = dict(n_pions=1000, n_kaons=1000, n_unlabelled=3000)
    a, b = (
        toy_pulls(fit_counts, PION_SHAPE, KAON_SHAPE, abundance=0.3, n_toys=5, seed=seed, **sizes)
        for seed in (6, np.random.default_rng(6))
    )
    np.testing.assert_array_equal(a, b)
    with pytest.raises(ValueError, match="need the same bins"):
        toy_pulls(fit_counts, PION_SHAPE, KAON_SHAPE[:3], abundance=0.3, seed=0, **sizes)
    with pytest.raises(ValueError, match=r"abundance must be in \[0, 1\], not -0.1"):
        toy_pulls(fit_counts, PION_SHAPE, KAON_SHAPE, abundance=-0.1, seed=0, **sizes)
