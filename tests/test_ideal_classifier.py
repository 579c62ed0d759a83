"""The simulator's density, and the classifier that follows from it and that nothing beats."""

import dataclasses

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.tree import DecisionTreeClassifier

from tinygrad_nuc.analysis import adjusted_count
from tinygrad_nuc.simulation import (
    KAON,
    PION,
    Detector,
    kaon_probability,
    log_density,
    log_likelihood_ratio,
    simulate,
    simulate_unlabelled,
)

NOMINAL = Detector()
SHARP = Detector(time_resolution_ps=1e-6, dedx_resolution=1e-9, angle_resolution_mrad=1e-9)


@pytest.fixture(scope="module")
def events():
    return simulate(125_000, 125_000, seed=20)


@pytest.fixture(scope="module")
def ratio(events):
    return log_likelihood_ratio(events[0])


# --- the density --------------------------------------------------------------------------------------


def test_pion_density_integrates_to_one_and_matches_a_histogram(events):
    # For a pion the second and third variable do not depend on p: N(1, 0.1) and N(0, 4) factor out.
    m2 = 0.02 + 0.1 * np.sinh(np.linspace(-5.5, 5.5, 4001))
    at_peak = np.column_stack([m2, np.ones_like(m2), np.zeros_like(m2)])
    pdf = np.exp(log_density(at_peak, PION)) * (np.sqrt(2 * np.pi) * 0.1) * (np.sqrt(2 * np.pi) * 4)
    cdf = np.concatenate([[0], np.cumsum(0.5 * (pdf[1:] + pdf[:-1]) * np.diff(m2))])
    assert cdf[-1] == pytest.approx(1, abs=1e-5)

    x, y = events
    pions = x[y == PION]
    edges = np.interp(np.linspace(0, 1, 101)[1:-1], cdf, m2)
    observed = np.bincount(np.searchsorted(edges, pions[:, 0]), minlength=100)
    chi2 = np.sum((observed - len(pions) / 100) ** 2 / (len(pions) / 100))
    assert chi2 < 99 + 3 * np.sqrt(2 * 99)


def test_kaon_density_integrates_to_one():
    u = np.linspace(-4.7, 4.9, 140)
    m2 = 0.13 + 0.1 * np.sinh(u)  # dense at the masses, reaching out to the tails of high momenta
    dedx_ratio = np.linspace(0.2, 1.8, 30)
    angle = np.arange(-130.0, 22.0, 2.5)
    grid = np.stack(np.meshgrid(m2, dedx_ratio, angle, indexing="ij"), axis=-1)
    pdf = np.exp(log_density(grid.reshape(-1, 3), KAON, n_nodes=64)).reshape(grid.shape[:3])
    over_m2 = np.trapezoid(np.trapezoid(pdf, angle), dedx_ratio)
    integral = np.trapezoid(over_m2 * 0.1 * np.cosh(u), u)
    assert integral == pytest.approx(1, abs=2e-4)


def test_kaon_probability_is_calibrated_in_cells(events, ratio):
    """Among the events of any cell of feature space, Σ P(kaon) kaons are expected."""
    x, y = events
    P = kaon_probability(x)
    np.testing.assert_allclose(P, 1 / (1 + np.exp(-ratio)), rtol=1e-9)
    cell = np.zeros(len(x), dtype=int)
    for column in x.T:
        cell = 8 * cell + np.searchsorted(np.quantile(column, np.arange(1, 8) / 8), column)
    variance = np.bincount(cell, P * (1 - P), minlength=512)
    excess = np.bincount(cell, y - P, minlength=512)
    use = variance > 5
    chi2, n_cells = np.sum(excess[use] ** 2 / variance[use]), use.sum()
    assert n_cells > 200
    assert abs(chi2 - n_cells) < 3 * np.sqrt(2 * n_cells)


def test_decays_mix_the_two_densities(events):
    x = events[0][:2000]
    stable = dataclasses.replace(NOMINAL, kaon_decay_probability=0)
    pion, kaon = (np.exp(log_density(x, particle, stable)) for particle in (PION, KAON))
    np.testing.assert_allclose(np.exp(log_density(x, KAON)), 0.994 * kaon + 0.006 * pion, rtol=1e-10)
    difference = log_density(x, KAON) - log_density(x, PION)
    np.testing.assert_allclose(difference, log_likelihood_ratio(x), atol=1e-11)
    assert np.all(log_likelihood_ratio(x) >= np.log(0.006))
    everything_decays = dataclasses.replace(NOMINAL, kaon_decay_probability=1)
    assert np.all(log_likelihood_ratio(x, everything_decays) == 0)


@pytest.mark.parametrize(
    "detector, accuracy",
    [
        (NOMINAL, 1e-11),
        (Detector(time_resolution_ps=50, dedx_resolution=0.05, angle_resolution_mrad=2), 1e-8),
    ],
)
def test_momentum_integral_has_converged(events, detector, accuracy):
    x = events[0][:4000]
    difference = log_likelihood_ratio(x, detector, n_nodes=256) - log_likelihood_ratio(x, detector)
    assert np.max(np.abs(difference)) < accuracy


def test_chunks_do_not_matter(events, ratio):
    x = events[0]
    np.testing.assert_allclose(log_likelihood_ratio(x[2040:2060]), ratio[2040:2060], rtol=1e-12)
    assert log_likelihood_ratio(x[:0]).shape == (0,)


@pytest.mark.parametrize("decay", [0.0, 0.006, 1.0])
def test_finite_for_outliers(decay):
    far = np.array(
        [[-50, 1, 0], [-36, 1, 0], [1e6, 1, 0], [0, 1e5, 0], [0, -1e5, 0], [0, 1, 1e6], [0, 1, -1e6]], float
    )
    detector = dataclasses.replace(NOMINAL, kaon_decay_probability=decay)
    assert np.all(np.isfinite(log_likelihood_ratio(far, detector)))
    P = kaon_probability(far, detector)
    assert np.all((0 <= P) & (P <= 1))


# --- the ideal classifier -----------------------------------------------------------------------------


def test_ideal_reaches_the_reference(events, ratio):
    y = events[1]
    accuracy = np.mean((ratio >= 0) == y)
    assert accuracy == pytest.approx(0.9458, abs=0.0015)  # three standard deviations of 250,000 events
    assert roc_auc_score(y, ratio) == pytest.approx(0.9861, abs=0.0008)
    assert np.mean(ratio[y == KAON] >= 0) == pytest.approx(0.9326, abs=0.003)
    assert np.mean(ratio[y == PION] >= 0) == pytest.approx(0.0415, abs=0.003)


def test_ideal_beats_every_alternative(events, ratio):
    x, y = events
    train, held_back = slice(0, 100_000), slice(100_000, None)
    scaled = (x - x[train].mean(axis=0)) / x[train].std(axis=0)
    ideal = np.mean((ratio[held_back] >= 0) == y[held_back])

    def straight_cut(column):
        cuts = np.quantile(x[train, column], np.linspace(0.02, 0.98, 49))
        above = [np.mean((x[train, column] > cut) == y[train]) for cut in cuts]
        best = np.argmax(np.abs(np.array(above) - 0.5))
        called = (x[held_back, column] > cuts[best]) == (above[best] > 0.5)
        return np.mean(called == y[held_back])

    def learned(model):
        return model.fit(scaled[train], y[train]).score(scaled[held_back], y[held_back])

    assert straight_cut(0) == pytest.approx(0.888, abs=0.004)
    assert straight_cut(1) == pytest.approx(0.720, abs=0.004)
    assert straight_cut(2) == pytest.approx(0.880, abs=0.004)
    linear = max(learned(LogisticRegression()), learned(LinearDiscriminantAnalysis()))
    assert linear < ideal - 0.005
    tree = learned(DecisionTreeClassifier(max_depth=10, min_samples_leaf=50, random_state=0))
    assert ideal - 0.01 < tree < ideal - 0.001
    # The strongest learner comes close, and no closer than statistics allows.
    boosting = learned(HistGradientBoostingClassifier(random_state=0, max_iter=60))
    assert ideal - 0.004 < boosting < ideal + 0.0007


def test_mismodelling_moves_the_abundance(events, ratio):
    """Calibrated on the nominal detector, applied to another one: a bias that no statistics cures."""
    y = events[1]
    calibration = dict(
        kaons_called=np.sum(ratio[y == KAON] >= 0),
        n_kaons=np.sum(y == KAON),
        pions_called=np.sum(ratio[y == PION] >= 0),
        n_pions=np.sum(y == PION),
    )

    def measured(**changed):
        detector = dataclasses.replace(NOMINAL, **changed)
        r = log_likelihood_ratio(simulate_unlabelled(250_000, detector, seed=31, abundance=0.3).features)
        return adjusted_count(np.sum(r >= 0), len(r), **calibration)

    nominal = measured()
    assert abs(nominal.pull(0.3)) < 2
    # The same seed gives the same noise in units of σ, so most of the fluctuation cancels in the shifts.
    assert measured(time_resolution_ps=120).value - nominal.value == pytest.approx(0.0045, abs=0.0006)
    assert measured(angle_resolution_mrad=5).value - nominal.value == pytest.approx(0.0086, abs=0.0006)
    fewer = 0.3 * (0.970 / 0.994 - 1)  # the classifier sees only the kaons that survive
    assert measured(kaon_decay_probability=0.03).value - nominal.value == pytest.approx(fewer, abs=0.0006)
