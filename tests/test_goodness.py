"""The χ² of a mixture: distributed as it should be, and large where no mixture fits."""

import numpy as np
import pytest

from tinygrad_nuc.analysis import fit_counts, mixture_chi2

PION_SHAPE = np.array([0.40, 0.25, 0.15, 0.10, 0.06, 0.04])
KAON_SHAPE = PION_SHAPE[::-1]


def test_the_formula_by_hand():
    pions, kaons, n = np.array([700, 200, 100]), np.array([100, 300, 600]), np.array([500, 260, 240])
    f = fit_counts(pions, kaons, n).value
    s, b, N = kaons / 1000, pions / 1000, 1000
    p = f * s + (1 - f) * b
    expected = np.sum((n - N * p) ** 2 / (N * p + N**2 * (f**2 * s + (1 - f) ** 2 * b) / 1000))
    assert mixture_chi2(pions, kaons, n) == (pytest.approx(expected), 1)


@pytest.mark.parametrize("calibration", [2_000, 1_000_000])         # as large as the data's own fluctuations, or not
def test_chi2_has_the_mean_and_width_of_its_degrees_of_freedom(calibration):
    rng = np.random.default_rng(0)
    mixture = 0.3 * KAON_SHAPE + 0.7 * PION_SHAPE
    chi2 = []
    for _ in range(1000):
        counts = (rng.multinomial(n, shape) for n, shape in (
            (calibration, PION_SHAPE), (calibration, KAON_SHAPE), (3_000, mixture)))
        value, degrees = mixture_chi2(*counts)
        chi2.append(value)
        assert degrees == 4
    assert np.mean(chi2) == pytest.approx(4, abs=4 * np.sqrt(8 / 1000))
    assert np.std(chi2) == pytest.approx(np.sqrt(8), rel=0.15)


def test_what_is_no_mixture_stands_out():
    n = np.array([2000, 1500, 1500, 1500, 1500, 2000])
    assert mixture_chi2(100_000 * PION_SHAPE, 100_000 * KAON_SHAPE, 5_000 * (PION_SHAPE + KAON_SHAPE))[0] < 1e-9
    assert mixture_chi2(100_000 * PION_SHAPE, 100_000 * KAON_SHAPE, n)[0] > 100


def test_bins_that_are_empty_everywhere_do_not_count():
    pions, kaons, n = [70, 20, 0, 10], [10, 30, 0, 60], [50, 26, 0, 24]
    assert mixture_chi2(pions, kaons, n) == mixture_chi2(*([c[0], c[1], c[3]] for c in (pions, kaons, n)))


def test_at_the_border_bins_of_the_other_class_tell_f_and_are_left_out():
    assert mixture_chi2([900, 100, 0], [0, 10, 90], [0, 10, 90]) == (pytest.approx(0), 1)          # f = 1
    chi2, degrees = mixture_chi2([0, 10, 90], [900, 100, 0], [0, 30, 70])                           # f = 0
    variance = 100 * np.array([0.1, 0.9]) * (1 + 100 / 100)
    assert (chi2, degrees) == (pytest.approx(np.sum(np.array([20, -20]) ** 2 / variance)), 1)
    rng, kaons = np.random.default_rng(0), np.array([0, 0, 0.3, 0.3, 0.2, 0.2])
    found = [mixture_chi2([500, 300, 50, 50, 50, 50], rng.multinomial(2000, kaons), rng.multinomial(2000, kaons))
             for _ in range(500)]
    assert {degrees for _, degrees in found} == {3}
    assert np.mean([chi2 for chi2, _ in found]) == pytest.approx(3, abs=4 * np.sqrt(6 / 500))


def test_one_bin_that_is_left_compares_nothing():
    with pytest.raises(ValueError, match="all events are in one bin, with f = 1"):
        mixture_chi2([5, 5, 0], [0, 0, 9], [0, 0, 4])


def test_two_bins_are_too_few():
    with pytest.raises(ValueError, match="needs at least 3 bins with events, not 2"):
        mixture_chi2([9, 1], [1, 9], [5, 5])
