"""The particle simulator: its formulas by hand, its noise, its density, and the ideal classifier."""

import dataclasses

import numpy as np
import pytest

from tinygrad_nuc.simulation import (
    ABUNDANCE_RANGE,
    CLASSES,
    KAON,
    MASSES,
    PION,
    VARIABLES,
    Detector,
    log_density,
    log_likelihood_ratio,
    measure,
    sample_momentum,
    simulate,
    simulate_unlabelled,
)
from tinygrad_nuc.simulation.physics import (
    KAON_MASS,
    PION_MASS,
    SPEED_OF_LIGHT,
    beta,
    cherenkov_angle_mrad,
    dedx,
    flight_time_ns,
    mass_squared,
)

NOMINAL = Detector()
SHARP = Detector(time_resolution_ps=1e-6, dedx_resolution=1e-9, angle_resolution_mrad=1e-9)


# --- the formulas -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "p, mass, speed, time, loss, angle",
    [  # worked out with the math module, number by number
        (1.0, PION_MASS, 0.990400, 18.523853, 1.045860, 815.551356),
        (1.0, KAON_MASS, 0.896684, 20.459865, 1.044519, 711.920933),
        (3.5, PION_MASS, 0.999206, 18.360606, 1.213182, 823.816002),
        (3.5, KAON_MASS, 0.990198, 18.527626, 1.044692, 815.359571),
        (6.0, PION_MASS, 0.999730, 18.350988, 1.290956, 824.300962),
        (6.0, KAON_MASS, 0.996632, 18.408021, 1.111645, 821.422104),
    ],
)
def test_physics_by_hand(p, mass, speed, time, loss, angle):
    assert beta(p, mass) == pytest.approx(speed, abs=1e-6)
    assert flight_time_ns(p, mass, 5.5) == pytest.approx(time, abs=1e-6)
    assert dedx(p, mass) == pytest.approx(loss, abs=1e-6)
    assert cherenkov_angle_mrad(p, mass, 1.473) == pytest.approx(angle, abs=1e-5)


def test_mass_squared_inverts_the_flight_time():
    p = np.linspace(0.5, 8, 31)
    for mass in MASSES:
        np.testing.assert_allclose(mass_squared(p, flight_time_ns(p, mass, 5.5), 5.5), mass**2, atol=1e-12)


def test_faster_than_light_gives_negative_mass_squared():
    assert mass_squared(2.0, 5.5 / SPEED_OF_LIGHT - 0.1, 5.5) == pytest.approx(-0.0435, abs=1e-4)


def test_dedx_depends_only_on_beta_gamma_and_has_one_minimum():
    np.testing.assert_allclose(dedx(1.0, PION_MASS), dedx(KAON_MASS / PION_MASS, KAON_MASS), rtol=1e-14)
    beta_gamma = np.geomspace(0.3, 1e4, 2000)
    curve = dedx(beta_gamma, 1.0)
    at = curve.argmin()
    assert beta_gamma[at] == pytest.approx(3.38, abs=0.02) and curve[at] == pytest.approx(0.99497, abs=1e-5)
    assert np.all(np.diff(curve[: at + 1]) < 0) and np.all(np.diff(curve[at:]) > 0)


def test_no_cherenkov_light_below_threshold():
    threshold = KAON_MASS / np.sqrt(1.473**2 - 1)  # β γ at n β = 1
    assert cherenkov_angle_mrad(threshold * 1.000001, KAON_MASS, 1.473) < 2
    with pytest.raises(ValueError, match="no Cherenkov light: n·β = 0.99"):
        cherenkov_angle_mrad(threshold * 0.999, KAON_MASS, 1.473)


def test_expectation_is_relative_to_the_pion():
    p = np.array([1.0, 3.5, 6.0])
    _, pion_ratio, pion_angle = NOMINAL.expectation(p, PION_MASS)
    assert np.all(pion_ratio == 1) and np.all(pion_angle == 0)
    _, kaon_ratio, kaon_angle = NOMINAL.expectation(p, KAON_MASS)
    np.testing.assert_allclose(kaon_ratio, [0.998719, 0.861118, 0.861103], atol=1e-6)
    np.testing.assert_allclose(kaon_angle, [-103.630422, -8.456432, -2.878859], atol=1e-5)


# --- the events ---------------------------------------------------------------------------------------


def test_momentum_follows_the_truncated_exponential():
    n, T = 200_000, NOMINAL.momentum_slope
    p = np.sort(sample_momentum(n, NOMINAL, np.random.default_rng(1)))
    assert p[0] >= 1 and p[-1] <= 6
    cdf = np.expm1(-(p - 1) / T) / np.expm1(-5 / T)
    steps = np.arange(n + 1) / n
    distance = max(np.max(steps[1:] - cdf), np.max(cdf - steps[:-1]))
    assert distance * np.sqrt(n) < 1.63  # Kolmogorov: exceeded by chance once in a hundred
    mean = 1 + T - 5 * np.exp(-5 / T) / -np.expm1(-5 / T)
    assert p.mean() == pytest.approx(mean, abs=4 * p.std() / np.sqrt(n))


def test_flat_spectrum_is_the_limit_of_a_large_slope():
    p = sample_momentum(50_000, Detector(momentum_slope=1e12), np.random.default_rng(2))
    assert p.mean() == pytest.approx(3.5, abs=0.03) and p.var() == pytest.approx(25 / 12, rel=0.02)


def test_noise_has_the_documented_widths():
    n, p = 200_000, 2.0
    x = measure(np.full(n, p), np.full(n, KAON), NOMINAL, np.random.default_rng(3))
    noise = SPEED_OF_LIGHT * 0.100 / 5.5  # σ_t over the flight time of light
    t, mean_ratio, mean_angle = NOMINAL.expectation(np.array(p), KAON_MASS)
    stretch = SPEED_OF_LIGHT * t / 5.5
    # m² = p² (c²t²/L² − 1) with Gaussian t: E = m² + p² noise², Var = p⁴ (4 stretch² noise² + 2 noise⁴)
    means = [KAON_MASS**2 + p**2 * noise**2, mean_ratio, mean_angle]
    widths = [p**2 * np.sqrt(4 * stretch**2 * noise**2 + 2 * noise**4), 0.10 * mean_ratio, 4.0]
    assert np.all(np.abs(x.mean(axis=0) - means) < 4 * np.array(widths) / np.sqrt(n))
    np.testing.assert_allclose(x.std(axis=0), widths, rtol=0.01)
    assert np.all(np.abs(np.corrcoef(x.T) - np.eye(3)) < 0.01)  # independent once p is known


def test_perfect_detector_shows_the_masses():
    x, y = simulate(500, 500, dataclasses.replace(SHARP, kaon_decay_probability=0), seed=4)
    np.testing.assert_allclose(x[:, 0], np.square(MASSES)[y], atol=1e-8)
    np.testing.assert_allclose(x[y == PION, 1:], [[1, 0]] * 500, atol=1e-7)
    assert np.all(x[y == KAON, 2] < -2.8)


def test_decayed_kaons_look_like_pions_and_keep_their_label():
    n = 100_000
    x, y = simulate(0, n, dataclasses.replace(SHARP, kaon_decay_probability=0.3), seed=5)
    assert np.all(y == KAON)
    like_pion = np.abs(x[:, 0] - PION_MASS**2) < 1e-6
    assert like_pion.mean() == pytest.approx(0.3, abs=4 * np.sqrt(0.3 * 0.7 / n))
    np.testing.assert_allclose(x[~like_pion, 0], KAON_MASS**2, atol=1e-6)


def test_shapes_types_and_counts():
    x, y = simulate(30, 12, seed=0)
    assert x.shape == (42, len(VARIABLES)) and x.dtype == np.float64
    assert y.shape == (42,) and y.dtype == np.int64 and np.bincount(y).tolist() == [30, 12]
    assert CLASSES == ("pion", "kaon") and np.any(np.diff(y) < 0)  # shuffled
    assert simulate(0, 0, seed=0)[0].shape == (0, 3)


def test_seeds():
    a, b, c = (simulate(100, 100, seed=s) for s in (7, 7, 8))
    np.testing.assert_array_equal(a[0], b[0])
    np.testing.assert_array_equal(a[1], b[1])
    assert not np.any(a[0] == c[0])
    np.testing.assert_array_equal(a[0], simulate(100, 100, seed=np.random.default_rng(7))[0])
    rng = np.random.default_rng(7)
    simulate(100, 100, seed=rng)
    assert not np.any(simulate(100, 100, seed=rng)[0] == a[0])  # a generator moves on


def test_unlabelled_sample_is_sealed():
    sample = simulate_unlabelled(5000, seed=9)
    assert repr(sample) == "SealedSample()" and sample.features.shape == (5000, 3)
    assert sample.reveal() == simulate_unlabelled(5000, seed=9).reveal()
    truths = np.array([simulate_unlabelled(1, seed=s).reveal() for s in range(2000)])
    low, high = ABUNDANCE_RANGE
    assert truths.min() >= low and truths.max() <= high
    assert truths.mean() == pytest.approx(0.3, abs=0.006)
    assert truths.std() == pytest.approx(0.2 / np.sqrt(12), rel=0.05)


def test_kaons_of_the_unlabelled_sample_are_binomial():
    sharp = dataclasses.replace(SHARP, kaon_decay_probability=0)
    rng = np.random.default_rng(10)
    samples = [simulate_unlabelled(1000, sharp, seed=rng, abundance=0.3) for _ in range(500)]
    kaons = [np.sum(sample.features[:, 0] > 0.1) for sample in samples]
    assert np.mean(kaons) == pytest.approx(300, abs=4 * np.sqrt(210 / 500))
    assert np.var(kaons) == pytest.approx(210, rel=0.25)


# --- errors -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changed, message",
    [({name: bad}, f"{name} must be positive and finite, not {bad}")
     for name in ("flight_path_m", "time_resolution_ps", "dedx_resolution", "refractive_index",
                  "angle_resolution_mrad", "momentum_low", "momentum_slope")
     for bad in (0, -1.0, float("nan"), float("inf"))]
    + [
        ({"kaon_decay_probability": -0.1}, r"must be in \[0, 1\], not -0.1"),
        ({"kaon_decay_probability": 1.1}, r"must be in \[0, 1\], not 1.1"),
        ({"momentum_high": 1.0}, "momentum_low must be below momentum_high, not 1.0 and 1.0"),
        ({"momentum_high": float("nan")}, "momentum_low must be below"),
        ({"refractive_index": 1.1}, r"kaons of 1.0 GeV/c make no Cherenkov light: n·β = 0.9864"),
        ({"momentum_low": 0.4}, "no Cherenkov light"),
        ({"time_resolution_ps": 3000}, "takes light 18346 ps, less than 8 times time_resolution_ps = 3000"),
    ],
)  # fmt: skip
def test_impossible_detectors(changed, message):
    with pytest.raises(ValueError, match=message):
        dataclasses.replace(NOMINAL, **changed)


def test_detector_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        NOMINAL.flight_path_m = 3.0  # type: ignore[misc]


def test_impossible_requests():
    with pytest.raises(ValueError, match="cannot be negative: -1 pions, 5 kaons"):
        simulate(-1, 5, seed=0)
    with pytest.raises(ValueError, match="cannot be negative: -3"):
        simulate_unlabelled(-3, seed=0)
    with pytest.raises(ValueError, match=r"abundance must be in \[0, 1\], not 1.5"):
        simulate_unlabelled(3, seed=0, abundance=1.5)
    with pytest.raises(ValueError, match=r"features must have shape \(n, 3\), not \(3,\)"):
        log_likelihood_ratio(np.zeros(3))
    with pytest.raises(ValueError, match="features contain NaN or infinity"):
        log_likelihood_ratio(np.array([[0.1, np.nan, 0.0]]))
    with pytest.raises(ValueError, match=r"particle must be 0 \(pion\) or 1 \(kaon\), not 2"):
        log_density(np.zeros((1, 3)), 2)
