"""Two-body decays, and simulated pairs of muons."""

import numpy as np
import pytest

from tinygrad_nuc.simulation.decays import (
    MUON_MASS,
    invariant_mass,
    measured_pairs,
    simulate_dimuons,
    two_body_decay,
)

rng = np.random.default_rng(0)


def parents(n, mass):
    p = rng.normal(0, 50, (n, 3))
    return np.column_stack([np.sqrt((p ** 2).sum(1) + mass ** 2), p])


def test_the_mass_of_four_vectors():
    np.testing.assert_array_equal(invariant_mass([[5, 0, 3, 0], [13, 3, 4, 12], [1, 0, 0, 1]]), [4, 0, 0])
    assert invariant_mass([1, 0, 0, 1.0000001]) == 0                # and no NaN
    with pytest.raises(ValueError, match=r"invariant_mass: four-vectors have E, px, py, pz .* shape \(2, 3\) does not"):
        invariant_mass(np.zeros((2, 3)))
    with pytest.raises(ValueError, match="invariant_mass: four-vectors must be numbers, E, px, py, pz in the last dim"):
        invariant_mass(["a", 0, 0, 0])
    assert invariant_mass([1, 0, 0, 5]) == 0                        # as the docstring says


@pytest.mark.parametrize(("M", "m1", "m2"), [(91.188, MUON_MASS, MUON_MASS), (0.493677, 0.13957, 0.13498),
                                             (1.0, 0.0, 0.0), (1.1157, 0.93827, 0.13957)])
def test_a_decay_conserves_four_momentum_and_gives_masses(M, m1, m2):
    P = parents(500, M)
    first, second = two_body_decay(P, m1, m2, seed=1)
    np.testing.assert_allclose(first + second, P, rtol=1e-12, atol=1e-11)
    for p, m in ((first, m1), (second, m2)):
        np.testing.assert_allclose(p[:, 0] ** 2 - (p[:, 1:] ** 2).sum(1), m ** 2, atol=1e-9 * P[:, 0].max() ** 2 / M)


def test_in_the_rest_frame_both_have_the_momentum_of_the_formula_and_any_direction():
    first, second = two_body_decay(np.tile([0.493677, 0, 0, 0], (20_000, 1)), 0.13957, 0.13498, seed=2)
    np.testing.assert_allclose(np.linalg.norm(first[:, 1:], axis=1), 0.20514, atol=1e-5)     # kaon to two pions
    direction = first[:, 1:] / 0.20514
    np.testing.assert_allclose(direction.mean(0), 0, atol=4 / np.sqrt(3 * 20_000))
    np.testing.assert_allclose(direction.T @ direction / 20_000, np.eye(3) / 3, atol=0.01)
    np.testing.assert_allclose(second[:, 1:], -first[:, 1:], atol=1e-15)


def test_a_boost_by_hand():
    """Along z with γ = 5/4 and βγ = 3/4: E = γ E* + βγ p_z*, and p_z = γ p_z* + βγ E*."""
    rest, moving = (two_body_decay([P], 0.3, 0.2, seed=3)[0][0] for P in ([4, 0, 0, 0], [5, 0, 0, 3]))
    E, px, py, pz = rest
    np.testing.assert_allclose(moving, [5 / 4 * E + 3 / 4 * pz, px, py, 5 / 4 * pz + 3 / 4 * E], rtol=1e-14)


def test_what_cannot_decay_is_refused():
    for masses in ((0.6, 0.6), (-0.1, 0.5), (0.5, -0.1)):
        with pytest.raises(ValueError, match="two_body_decay: masses m1 = .* lightest parent, 1 GeV"):
            two_body_decay([[2, 0, 0, 1], [1, 0, 0, 0]], *masses, seed=1)
    with pytest.raises(ValueError, match="which must be above 0"):
        two_body_decay([[1, 0, 0, 1]], 0, 0, seed=1)
    with pytest.raises(ValueError, match=r"parents must have shape \(n, 4\), not \(4,\)"):
        two_body_decay([1, 0, 0, 0], 0, 0, seed=1)
    for m1, m2 in ((np.nan, 0), (0, np.nan), (0, np.inf)):
        with pytest.raises(ValueError, match="two_body_decay: masses m1 = .* must be finite and at least 0"):
            two_body_decay([[2, 0, 0, 1]], m1, m2, seed=1)
    for parent in ([np.nan, 0, 0, 0], [91.2, 0, np.inf, 0], [np.inf, 0, 0, 0], [-91.2, 0, 0, 0], [-91.2, 3, 0, 0]):
        with pytest.raises(ValueError, match="two_body_decay: parents must be finite and of positive energy; number 1"):
            two_body_decay([[2, 0, 0, 1], parent], 0, 0, seed=1)
    assert two_body_decay(np.empty((0, 4)), 0.1, 0.1, seed=1)[0].shape == (0, 4)


def test_pairs_of_muons_are_as_the_docstring_says():
    X, M = simulate_dimuons(20_000, seed=5)
    assert X.shape == (20_000, 8) and M.shape == (20_000,)
    np.testing.assert_allclose(invariant_mass(X[:, :4] + X[:, 4:]), M, rtol=1e-12)
    assert 60 <= M.min() and M.max() <= 120
    assert np.median(M) == pytest.approx(91.0, abs=0.2)
    assert np.mean((M > 81) & (M < 101)) == pytest.approx(0.86, abs=0.02)
    for p in (X[:, :4], X[:, 4:]):
        pt = np.hypot(p[:, 1], p[:, 2])
        assert pt.min() > 10 and np.abs(np.arcsinh(p[:, 3] / pt)).max() < 2.4
        np.testing.assert_allclose(invariant_mass(p), MUON_MASS, atol=1e-3)
        assert np.abs(p[:, 1:3].mean(0)).max() < 1                  # no direction around the beam is preferred


def test_the_same_seed_gives_the_same_pairs():
    np.testing.assert_array_equal(simulate_dimuons(50, seed=1)[0], simulate_dimuons(50, seed=1)[0])
    assert (simulate_dimuons(50, seed=1)[1] != simulate_dimuons(50, seed=2)[1]).any()
    assert simulate_dimuons(0, seed=1)[0].shape == (0, 8)
    generator = np.random.default_rng(1)
    first, again = (simulate_dimuons(5, seed=generator)[1] for _ in range(2))
    assert (first != again).all()


@pytest.mark.parametrize("n", [-1, 2.5, "a", True])
def test_a_number_of_pairs_that_cannot_be_is_refused(n):
    with pytest.raises(ValueError, match="simulate_dimuons: n must be a whole number of at least 0, not "):
        simulate_dimuons(n, seed=1)


@pytest.mark.parametrize("seed", [-1, 1.5, "x", None, True])
def test_a_seed_that_cannot_be_is_refused(seed):
    with pytest.raises(ValueError, match="simulate_dimuons: seed must be a whole number of at least 0, or a numpy"):
        simulate_dimuons(3, seed=seed)
    with pytest.raises(ValueError, match="two_body_decay: seed must be a whole number of at least 0, or a numpy"):
        two_body_decay([[2, 0, 0, 1]], 0, 0, seed=seed)


def test_most_pairs_are_seen():
    assert 0.6 < len(measured_pairs(10_000, np.random.default_rng(3))) / 10_000 < 0.8
