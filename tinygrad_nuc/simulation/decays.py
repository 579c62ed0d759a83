"""Decays into two particles: the kinematics, and pairs of muons around the Z boson as a detector would see them.

    p* = √((M² − (m₁ + m₂)²)(M² − (m₁ − m₂)²)) / 2M      in the rest frame, in any direction

Units: energies, momenta and masses in GeV (c = 1). Four-vectors are E, px, py, pz in the last dimension.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..utils.arguments import whole_number

__all__ = ["DIMUON_COLUMNS", "invariant_mass", "simulate_dimuons", "two_body_decay"]

Seed = int | np.random.Generator
MUON_MASS = 0.1056584       # GeV, Particle Data Group, as the two that follow
Z_MASS, Z_WIDTH = 91.188, 2.495
MASS_RANGE = (60.0, 120.0)  # GeV
CONTINUUM = 0.15            # share of the pairs with masses like 1/M², for virtual photons (measured ones fall faster)
TYPICAL_PT = 15.0           # GeV: few pairs have a much larger transverse momentum
RESOLUTION = 0.015          # of each muon's momentum
ACCEPTANCE = (10.0, 2.4)    # least transverse momentum of a muon in GeV, and largest |η|
DIMUON_COLUMNS = ["E1", "px1", "py1", "pz1", "E2", "px2", "py2", "pz2"]     # as CMS names them


def invariant_mass(four_vectors: ArrayLike) -> NDArray[np.float64]:
    """m = √(E² − |p|²), with 0 wherever E² is smaller than |p|².

    That may be by rounding, for a massless particle, or because it is no particle's four-vector, which is not checked.

    Parameters
    ----------
    four_vectors : array_like
        Shape (..., 4). For the mass of a pair, add its four-vectors.

    Raises
    ------
    ValueError
        If the last dimension is not 4 long, or these are no numbers.

    Examples
    --------
    >>> print(invariant_mass([5.0, 0.0, 0.0, 4.0]))
    3.0
    """
    p = as_four_vectors("invariant_mass", four_vectors)
    return np.sqrt(np.maximum(p[..., 0] ** 2 - (p[..., 1:] ** 2).sum(-1), 0))


def two_body_decay(parents: ArrayLike, m1: float, m2: float,
                   seed: Seed) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Let each particle decay into two, of masses m₁ and m₂, in a random direction in its rest frame.

    The first one's energy there is E* = (M² + m₁² − m₂²)/2M; with a parent of energy E₀ and momentum p₀ it has

    ::

        E = (E₀ E* + p₀·p*) / M
        p = p* + p₀ (E* + p₀·p* / (E₀ + M)) / M

    and the second has the rest.

    Parameters
    ----------
    parents : array_like
        Four-vectors, shape (n, 4), in GeV.
    m1, m2 : float
        Masses in GeV.
    seed : int or numpy.random.Generator
        The same integer gives the same directions.

    Returns
    -------
    two ndarrays
        Four-vectors, shape (n, 4) each.

    Raises
    ------
    ValueError
        If a mass is negative or not finite, or a parent is not finite, of no positive energy, or lighter than m₁ + m₂.

    Examples
    --------
    >>> muon, antimuon = two_body_decay([[91.2, 0, 0, 0]], 0.1056584, 0.1056584, seed=1)
    >>> print(muon[0, 0].round(6), (muon + antimuon).round(6) + 0.0)
    45.6 [[91.2  0.   0.   0. ]]
    """
    parents = as_four_vectors("two_body_decay", parents)
    if parents.ndim != 2:
        raise ValueError(f"two_body_decay: parents must have shape (n, 4), not {parents.shape}")
    wrong = ~np.isfinite(parents).all(1) | (parents[:, 0] <= 0)
    if wrong.any():
        first_wrong = int(np.argmax(wrong))
        raise ValueError(f"two_body_decay: parents must be finite and of positive energy; number {first_wrong} is "
                         f"{parents[first_wrong].tolist()}")
    M = invariant_mass(parents)
    possible = m1 >= 0 and m2 >= 0 and np.isfinite(m1 + m2) and (M > 0).all() and (M >= m1 + m2).all()
    if not possible:                                    # said in this way, so that a NaN is not possible, either
        lightest = f"{M.min():g} GeV" if len(M) else "none"
        raise ValueError(f"two_body_decay: masses m1 = {m1:g} and m2 = {m2:g} GeV must be finite and at least 0, and "
                         f"together at most that of the lightest parent, {lightest}, which must be above 0")
    rng = generator("two_body_decay", seed)
    momentum = np.sqrt((M ** 2 - (m1 + m2) ** 2) * (M ** 2 - (m1 - m2) ** 2)) / (2 * M)
    cosine, phi = rng.uniform(-1, 1, len(M)), rng.uniform(0, 2 * np.pi, len(M))
    sine = np.sqrt(1 - cosine ** 2)
    p_star = momentum[:, None] * np.column_stack([sine * np.cos(phi), sine * np.sin(phi), cosine])
    E_star = np.hypot(momentum, m1)

    E0, p0 = parents[:, 0], parents[:, 1:]
    along = (p0 * p_star).sum(1)
    E = (E0 * E_star + along) / M
    p = p_star + p0 * ((E_star + along / (E0 + M)) / M)[:, None]
    first = np.column_stack([E, p])
    return first, parents - first


def simulate_dimuons(n: int, *, seed: Seed) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Pairs of muons with masses from 60 to 120 GeV, as in proton-proton collisions: mostly from Z bosons.

    Simple on purpose. The peak, its width and the median pT are near measured ones; the tails are not: there are fewer
    pairs of large pT and of small mass. The Z boson's mass M follows a Breit-Wigner curve (not relativistic) of
    91.19 GeV and width 2.5 GeV, and 15 % of the pairs have masses like 1/M² instead; the pair's transverse momentum
    exceeds pT with probability (1 + pT²/a²)^(−3/2), a = 15 GeV; its rapidity is uniform; it decays to all directions
    alike. Each momentum is measured to 1.5 %, and a pair is seen if both muons have pt > 10 GeV and \\|η\\| < 2.4.

    Parameters
    ----------
    n : int
        Pairs that are seen.
    seed : int or numpy.random.Generator
        The same integer gives the same pairs.

    Returns
    -------
    four_vectors : ndarray
        Shape (n, 8), in GeV, columns as in `DIMUON_COLUMNS`: as measured.
    mass : ndarray
        Shape (n,), in GeV: that of the measured four-vectors, from 60 to 120.

    Raises
    ------
    ValueError
        If n is not a whole number of at least 0, or the seed is neither a whole number nor a generator.

    Examples
    --------
    >>> four_vectors, mass = simulate_dimuons(1000, seed=1)
    >>> four_vectors.shape, f"{np.median(mass):.0f} GeV"
    ((1000, 8), '91 GeV')
    """
    n = whole_number("simulate_dimuons", "n", n, least=0)
    rng = generator("simulate_dimuons", seed)
    seen, found = [np.empty((0, 8))], 0
    while found < n:
        pairs = measured_pairs(2 * (n - found) + 100, rng)
        seen.append(pairs)
        found += len(pairs)
    pairs = np.concatenate(seen)[:n]
    return pairs, invariant_mass(pairs[:, :4] + pairs[:, 4:])


def measured_pairs(n: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Those of n pairs that are seen, shape (at most n, 8)."""
    low, high = MASS_RANGE
    u = rng.random(n)
    edges = np.arctan((np.array([low, high]) - Z_MASS) / (Z_WIDTH / 2))
    Z = Z_MASS + Z_WIDTH / 2 * np.tan(edges[0] + u * (edges[1] - edges[0]))
    photon = 1 / (1 / low - u * (1 / low - 1 / high))
    M = np.where(rng.random(n) < CONTINUUM, photon, Z)
    pT = TYPICAL_PT * np.sqrt((1 - rng.random(n)) ** (-2 / 3) - 1)
    phi, y = rng.uniform(0, 2 * np.pi, n), rng.uniform(-ACCEPTANCE[1], ACCEPTANCE[1], n)
    mT = np.hypot(M, pT)                                # E² − pz² = M² + pT²
    parents = np.column_stack([mT * np.cosh(y), pT * np.cos(phi), pT * np.sin(phi), mT * np.sinh(y)])

    muons = [measured(p, rng) for p in two_body_decay(parents, MUON_MASS, MUON_MASS, rng)]
    M = invariant_mass(muons[0] + muons[1])
    accepted = (M >= low) & (M <= high)
    for p in muons:
        pt = np.hypot(p[:, 1], p[:, 2])
        accepted &= (pt > ACCEPTANCE[0]) & (np.abs(np.arcsinh(p[:, 3] / pt)) < ACCEPTANCE[1])
    return np.hstack(muons)[accepted]


def measured(muon: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """The four-vector with a momentum of finite resolution, and the energy that belongs to it."""
    p = muon[:, 1:] * (1 + RESOLUTION * rng.standard_normal((len(muon), 1)))
    return np.column_stack([np.sqrt((p ** 2).sum(1) + MUON_MASS ** 2), p])


def as_four_vectors(who: str, four_vectors: ArrayLike) -> NDArray[np.float64]:
    """An array of float64 whose last dimension is 4."""
    try:
        p = np.asarray(four_vectors, np.float64)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{who}: four-vectors must be numbers, E, px, py, pz in the last dimension: {error}") from None
    if p.shape[-1:] != (4,):
        raise ValueError(f"{who}: four-vectors have E, px, py, pz in the last dimension, which is 4 long; shape "
                         f"{p.shape} does not fit")
    return p


def generator(who: str, seed: Seed) -> np.random.Generator:
    """The generator itself, or a new one of this seed."""
    if isinstance(seed, np.random.Generator):
        return seed
    if not isinstance(seed, (int, np.integer)) or isinstance(seed, bool) or seed < 0:
        raise ValueError(f"{who}: seed must be a whole number of at least 0, or a numpy.random.Generator, not {seed!r}")
    return np.random.default_rng(seed)
