"""Measuring an abundance: formulas by hand, likelihood maxima by brute force, pulls by toys."""

import numpy as np
import pytest

from tinygrad_nuc.analysis import (
    Abundance,
    adjusted_count,
    count_two_bins,
    fit_counts,
    naive_count,
    quantile_bins,
    template_fit,
)

# Share of a realistic response in ten bins, pions and kaons.
PION_SHAPE = np.array([0.30, 0.25, 0.20, 0.12, 0.06, 0.03, 0.02, 0.01, 0.006, 0.004])
KAON_SHAPE = np.array([0.004, 0.006, 0.01, 0.02, 0.03, 0.05, 0.08, 0.15, 0.25, 0.40])


def log_likelihood(f, pions, kaons, unlabelled):
    share = f * kaons / kaons.sum() + (1 - f) * pions / pions.sum()
    if np.any(share < 0):
        return -np.inf  # not a probability
    filled = unlabelled > 0
    return np.sum(unlabelled[filled] * np.log(share[filled]))


# --- the result ---------------------------------------------------------------------------------------


def test_abundance_combines_its_uncertainties():
    f = Abundance(0.30, statistical=0.03, calibration=0.04)
    assert f.uncertainty == pytest.approx(0.05)
    assert f.pull(0.40) == pytest.approx(-2)
    assert str(f) == "0.3000 ± 0.0500"
    with pytest.raises(ValueError, match="a pull needs an uncertainty above zero"):
        Abundance(0.3, statistical=0.0).pull(0.3)


# --- counting -----------------------------------------------------------------------------------------


def test_naive_count_by_hand():
    f = naive_count(36, 100)
    assert (f.value, f.calibration) == (0.36, 0.0)
    assert f.statistical == pytest.approx(0.048)  # √(0.36 · 0.64 / 100)


def test_naive_count_is_biased_and_adjusted_count_is_not():
    TPR, FPR, truth = 0.93, 0.04, 0.30
    q = truth * TPR + (1 - truth) * FPR  # 0.307
    assert naive_count(307_000, 1_000_000).value == pytest.approx(q)
    f = adjusted_count(307_000, 1_000_000, kaons_called=930, n_kaons=1000, pions_called=40, n_pions=1000)
    assert f.value == pytest.approx(truth, abs=1e-12)


def test_adjusted_count_by_hand():
    f = adjusted_count(30, 100, kaons_called=90, n_kaons=100, pions_called=10, n_pions=100)
    assert f.value == pytest.approx(0.25)  # (0.3 − 0.1) / (0.9 − 0.1)
    assert f.statistical == pytest.approx(np.sqrt(0.3 * 0.7 / 100) / 0.8)
    assert f.calibration == pytest.approx(np.sqrt(0.25**2 * 0.0009 + 0.75**2 * 0.0009) / 0.8)
    assert f.uncertainty == pytest.approx(np.sqrt(0.0021 + 0.0625 * 0.0009 + 0.5625 * 0.0009) / 0.8)


def test_adjusted_count_does_not_depend_on_which_class_is_called():
    a = adjusted_count(30, 100, kaons_called=90, n_kaons=100, pions_called=10, n_pions=100)
    b = adjusted_count(70, 100, kaons_called=10, n_kaons=100, pions_called=90, n_pions=100)
    assert (a.value, a.uncertainty) == pytest.approx((b.value, b.uncertainty))


def test_adjusted_count_keeps_values_outside_0_to_1():
    calibration = {"kaons_called": 90, "n_kaons": 100, "pions_called": 10, "n_pions": 100}
    assert adjusted_count(5, 100, **calibration).value == pytest.approx(-0.0625)
    assert adjusted_count(95, 100, **calibration).value == pytest.approx(1.0625)


@pytest.mark.parametrize(
    "changed, message",
    [
        ({"n_called": 0, "n_total": 0}, "unlabelled sample: there are no events"),
        ({"kaons_called": 0, "n_kaons": 0}, "calibration kaons: there are no events"),
        ({"pions_called": 0, "n_pions": 0}, "calibration pions: there are no events"),
        ({"n_called": 101}, "unlabelled sample: cannot call 101 of 100 events kaons"),
        ({"kaons_called": -1}, "calibration kaons: cannot call -1 of 100"),
        ({"pions_called": 200}, "calibration pions: cannot call 200 of 100"),
        ({"pions_called": 90}, "TPR = FPR = 0.9: the classifier does not tell"),
    ],
)
def test_counting_errors(changed, message):
    arguments = dict(n_called=30, n_total=100, kaons_called=90, n_kaons=100, pions_called=10, n_pions=100)
    with pytest.raises(ValueError, match=message):
        adjusted_count(**{**arguments, **changed})


def test_naive_count_errors():
    with pytest.raises(ValueError, match="there are no events"):
        naive_count(0, 0)
    with pytest.raises(ValueError, match="cannot call 5 of 4"):
        naive_count(5, 4)


# --- the fit ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("f", [0.02, 0.3, 0.5, 0.97])
def test_two_bins_are_the_adjusted_count(f):
    pions, kaons = np.array([9600, 400]), np.array([350, 4650])
    called = f * 0.93 + (1 - f) * 0.04
    unlabelled = np.array([1 - called, called]) * 20_000
    fit, counted = fit_counts(pions, kaons, unlabelled), count_two_bins(pions, kaons, unlabelled)
    assert fit.value == pytest.approx(counted.value, abs=1e-10)
    assert fit.statistical == pytest.approx(counted.statistical, rel=1e-8)
    assert fit.calibration == pytest.approx(counted.calibration, rel=1e-8)


def test_two_bins_are_the_adjusted_count_outside_0_to_1():
    pions, kaons = np.array([90, 10]), np.array([10, 90])
    for called in (3, 5, 95, 99):
        unlabelled = np.array([100 - called, called])
        assert fit_counts(pions, kaons, unlabelled).value == pytest.approx(
            count_two_bins(pions, kaons, unlabelled).value, abs=1e-9
        )


def test_fit_finds_the_maximum_whatever_the_counts():
    rng = np.random.default_rng(0)
    for _ in range(300):
        bins = rng.integers(2, 30)
        b, s = rng.dirichlet(np.full(bins, 0.5), size=2)
        pions, kaons = rng.multinomial(2000, b) + 1, rng.multinomial(500, s) + 1
        truth = rng.uniform()
        unlabelled = rng.multinomial(rng.integers(1, 3000), truth * s + (1 - truth) * b)
        fit = fit_counts(pions, kaons, unlabelled)
        grid = np.linspace(0, 1, 41)
        best = max(log_likelihood(f, pions, kaons, unlabelled) for f in grid)
        reached = log_likelihood(fit.value, pions, kaons, unlabelled)
        assert reached >= best - 1e-8
        for f in (fit.value - 1e-4, fit.value + 1e-4):
            assert log_likelihood(f, pions, kaons, unlabelled) <= reached + 1e-9


def test_statistical_uncertainty_is_the_curvature():
    pions, kaons = 1e5 * PION_SHAPE, 1e5 * KAON_SHAPE
    unlabelled = np.random.default_rng(1).multinomial(5000, 0.3 * KAON_SHAPE + 0.7 * PION_SHAPE)
    fit, h = fit_counts(pions, kaons, unlabelled), 1e-4
    left, middle, right = (log_likelihood(fit.value + k * h, pions, kaons, unlabelled) for k in (-1, 0, 1))
    assert fit.statistical == pytest.approx((-(left - 2 * middle + right) / h**2) ** -0.5, rel=1e-4)


def test_calibration_uncertainty_is_the_scatter_with_redrawn_templates():
    unlabelled = 20_000 * (0.3 * KAON_SHAPE + 0.7 * PION_SHAPE)
    rng = np.random.default_rng(2)
    for n_pions, n_kaons in ((1000, 30_000), (30_000, 1000)):  # each template in turn is the poor one
        fits = [
            fit_counts(b, s, unlabelled).value
            for b, s in zip(
                rng.multinomial(n_pions, PION_SHAPE, 2000),
                rng.multinomial(n_kaons, KAON_SHAPE, 2000),
                strict=True,
            )
        ]
        predicted = fit_counts(n_pions * PION_SHAPE, n_kaons * KAON_SHAPE, unlabelled).calibration
        assert np.std(fits) == pytest.approx(predicted, rel=0.06)


def test_fit_with_empty_bins():
    # Bin 0 is empty everywhere, bin 1 in the kaon template, bin 3 in the pion template, bin 2 in the sample.
    fit = fit_counts([0, 50, 50, 0], [0, 0, 40, 60], [0, 70, 0, 30])
    # L = 70 ln(0.5 (1 − f)) + 30 ln(0.6 f) has its maximum at f = 0.3.
    assert fit.value == pytest.approx(0.3)
    assert fit.statistical == pytest.approx(np.sqrt(0.3 * 0.7 / 100))


def test_fit_stops_where_a_share_would_turn_negative():
    assert fit_counts([50, 50], [0, 100], [0, 10]).value == pytest.approx(1)
    assert fit_counts([50, 50], [10, 90], [10, 0]).value == pytest.approx(-1.25)


@pytest.mark.parametrize(
    "pions, kaons, unlabelled, message",
    [
        ([1, 2], [1, 2, 3], [1, 2], "need the same bins"),
        ([[1, 2]], [[2, 1]], [[1, 1]], "need the same bins"),
        ([-1, 2], [1, 2], [1, 2], "pion_counts contain a negative number"),
        ([1, 2], [1, np.nan], [1, 2], "kaon_counts contain a negative number or NaN"),
        ([1, 2], [2, 1], [0, 0], "unlabelled_counts are all zero"),
        ([0, 0], [2, 1], [1, 1], "pion_counts are all zero"),
        ([1, 2, 0], [2, 1, 0], [1, 1, 1], "both templates are empty: take wider bins"),
        ([1, 2], [2, 4], [1, 1], "the templates agree wherever there are unlabelled events"),
        ([1, 2, 1], [2, 1, 1], [0, 0, 9], "the templates agree wherever"),
    ],
)
def test_fit_errors(pions, kaons, unlabelled, message):
    with pytest.raises(ValueError, match=message):
        fit_counts(pions, kaons, unlabelled)


# --- responses ----------------------------------------------------------------------------------------


def test_bins_are_equally_full():
    rng = np.random.default_rng(3)
    pions, kaons = rng.normal(0, 1, 4000), rng.normal(2, 1, 1000)  # unequal samples, equal weights
    edges = quantile_bins(pions, kaons, 20)
    assert len(edges) == 21 and np.all(np.diff(edges) > 0)
    inside = [np.histogram(r, bins=np.clip(edges, -99, 99))[0] / len(r) for r in (pions, kaons)]
    np.testing.assert_allclose((inside[0] + inside[1]) / 2, 1 / 20, atol=1e-3)


def test_bins_of_a_discrete_response():
    leaves = np.array([0.0, 0.1, 0.5, 0.9, 1.0])
    rng = np.random.default_rng(4)
    pions, kaons = rng.choice(leaves, 1000, p=PION_SHAPE[:5] / 0.93), rng.choice(leaves[1:], 1000)
    edges = quantile_bins(pions, kaons, 40)
    assert edges.tolist() == [-np.inf, 0.1, 0.5, 0.9, 1.0, np.inf]
    unlabelled = np.concatenate([rng.choice(pions, 7000), rng.choice(kaons, 3000), [-5.0, 7.0]])
    assert abs(template_fit(pions, kaons, unlabelled).pull(0.3)) < 3


def test_template_fit_does_not_change_under_a_monotonic_map():
    rng = np.random.default_rng(5)
    samples = rng.normal(0, 1, 3000), rng.normal(2, 1, 3000), rng.normal(0.6, 1.3, 5000)
    assert template_fit(*samples) == template_fit(*(np.exp(s) for s in samples))


def test_template_fit_errors():
    good = np.linspace(0, 1, 50)
    for position, name in enumerate(("pion", "kaon", "unlabelled")):
        with pytest.raises(ValueError, match=f"response_{name} is empty"):
            template_fit(*(np.array([]) if i == position else good for i in range(3)))
        with pytest.raises(ValueError, match=f"response_{name} contains NaN"):
            template_fit(*(np.array([0.1, np.nan]) if i == position else good for i in range(3)))
    with pytest.raises(ValueError, match="at least 2 bins, not 1"):
        template_fit(good, good**2, good, bins=1)
    with pytest.raises(ValueError, match="the templates agree"):
        template_fit(np.ones(9), np.ones(9), np.ones(9))
