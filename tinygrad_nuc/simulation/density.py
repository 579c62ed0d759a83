"""The probability density of an event, and from it the best classifier there can be.

Given the momentum p, the three measurements are independent Gaussians (in time, dE/dx and angle).
The momentum is hidden, so it is integrated out:

    p(x | particle) = ∫ dp  p(p) · N(t(m², p); t₀, σ_t) |dt/dm²| · N(r; r₀, σ r₀) · N(θ; θ₀, σ_θ)

with the expectations t₀, r₀, θ₀ of `Detector.expectation`, and t(m², p) = L/c · √(1 + m²/p²), so that
|dt/dm²| = (L/c)² / (2 p² t).

Neyman and Pearson (1933): at any false-positive rate no classifier finds more kaons than a cut on the
likelihood ratio p(x | kaon) / p(x | pion). A network can come close to it. One that beats it by more
than the statistical error has seen the answers.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .detector import CLASSES, MASSES, PION, Detector
from .physics import SPEED_OF_LIGHT

__all__ = ["kaon_probability", "log_density", "log_likelihood_ratio"]

CHUNK = 2048  # events at a time: the (CHUNK, n_nodes) work arrays then stay within the processor's cache


def _momentum_quadrature(detector: Detector, n_nodes: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Nodes p and weights w with Σ w g(p) = ∫ dp p(p) g(p) for a smooth function g.

    Gauss-Legendre in u = ln p: the integrand is sharpest at low p, and nodes even in u are dense there.
    """
    low, high, T = detector.momentum_low, detector.momentum_high, detector.momentum_slope
    x, w = np.polynomial.legendre.leggauss(n_nodes)
    half_width = 0.5 * np.log(high / low)
    p = np.sqrt(low * high) * np.exp(half_width * x)
    spectrum = np.exp(-(p - low) / T) / (-T * np.expm1(-(high - low) / T))
    return p, w * half_width * p * spectrum  # dp = p du


def _log_densities_without_decay(
    features: NDArray[np.float64], detector: Detector, n_nodes: int
) -> NDArray[np.float64]:
    """ln p(x | particle that keeps its track), shape (n, 2), columns as in CLASSES."""
    features = np.asarray(features, dtype=np.float64)
    if features.ndim != 2 or features.shape[1] != 3:
        raise ValueError(f"features must have shape (n, 3), not {features.shape}")
    if not np.all(np.isfinite(features)):
        raise ValueError("features contain NaN or infinity")

    p, weight = _momentum_quadrature(detector, n_nodes)
    expected = [detector.expectation(p, mass) for mass in MASSES]
    light_ns = detector.flight_path_m / SPEED_OF_LIGHT
    sigma_t, sigma_angle = 1e-3 * detector.time_resolution_ps, detector.angle_resolution_mrad

    result = np.empty((len(features), len(MASSES)))
    for start in range(0, len(features), CHUNK):
        rows = slice(start, start + CHUNK)
        m2, ratio, angle = (column[:, None] for column in features[rows].T)  # (chunk, 1) against (n_nodes,)
        # No time gives m² ≤ −p². Such a point, L/(c σ_t) ≈ 180 σ away, gets t ≈ 0 and stays finite.
        t = light_ns * np.sqrt(np.maximum(1 + m2 / p**2, 1e-12))
        jacobian = light_ns**2 / (2 * p**2 * t)
        for particle, (t0, ratio0, angle0) in enumerate(expected):
            sigma_ratio = detector.dedx_resolution * ratio0
            exponent = -0.5 * (
                ((t - t0) / sigma_t) ** 2
                + ((ratio - ratio0) / sigma_ratio) ** 2
                + ((angle - angle0) / sigma_angle) ** 2
            )
            # ln Σ w e^a = a_max + ln Σ w e^(a − a_max): the largest term is 1, so nothing underflows to ln 0.
            largest = exponent.max(axis=1, keepdims=True)
            height = weight / ((2 * np.pi) ** 1.5 * sigma_t * sigma_ratio * sigma_angle)
            total = np.sum(height * jacobian * np.exp(exponent - largest), axis=1)
            result[rows, particle] = largest[:, 0] + np.log(total)
    return result


def _log_mixture(
    log_pion: NDArray[np.float64], log_kaon: NDArray[np.float64], d: float
) -> NDArray[np.float64]:
    """ln((1−d) p_kaon + d p_pion), also for d = 0 and d = 1."""
    with np.errstate(divide="ignore"):  # ln 0 = −inf is what logaddexp needs to leave a term out
        return np.logaddexp(np.log1p(-d) + log_kaon, np.log(d) + log_pion)


def log_density(
    features: NDArray[np.float64], particle: int, detector: Detector = Detector(), *, n_nodes: int = 128
) -> NDArray[np.float64]:
    """ln p(x | particle), the logarithm of the density the simulation draws from.

    For a kaon that decays with probability d it is the mixture ln((1−d) p_kaon(x) + d p_pion(x)).

    Parameters
    ----------
    features : ndarray
        Shape (n, 3), columns as in `VARIABLES`.
    particle : int
        0 for pion, 1 for kaon.
    detector : Detector, optional
        The detector that recorded the events.
    n_nodes : int, optional
        Nodes of the integral over the momentum. 128 give more digits than anyone needs (1e-9) for
        resolutions down to half the default ones (1e-2 at a quarter); double until nothing moves.

    Returns
    -------
    ndarray
        Shape (n,); the density's unit is 1 / ((GeV/c²)² mrad).

    Raises
    ------
    ValueError
        If the features have another shape or are not finite, or the particle is unknown.

    Examples
    --------
    At the place of a slow kaon the kaon density is larger, by far:

    >>> x = np.array([[0.244, 1.16, -102.0]])
    >>> bool(log_density(x, 1) > log_density(x, 0) + 100)
    True
    """
    if particle not in range(len(CLASSES)):
        raise ValueError(f"particle must be 0 (pion) or 1 (kaon), not {particle}")
    log_pion, log_kaon = _log_densities_without_decay(features, detector, n_nodes).T
    if particle == PION:
        return log_pion
    return _log_mixture(log_pion, log_kaon, detector.kaon_decay_probability)


def log_likelihood_ratio(
    features: NDArray[np.float64], detector: Detector = Detector(), *, n_nodes: int = 128
) -> NDArray[np.float64]:
    """ln (p(x | kaon) / p(x | pion)): the ideal classifier, by Neyman and Pearson.

    Positive where a kaon is the more likely. Because a fraction d of the kaons decays and looks like
    a pion, it never falls below ln d: no event is certainly a pion.

    Parameters
    ----------
    features, detector, n_nodes
        As in `log_density`.

    Returns
    -------
    ndarray
        Shape (n,). Finite for every finite input.

    Raises
    ------
    ValueError
        As in `log_density`.

    Examples
    --------
    >>> x = np.array([[0.244, 0.78, -12.0], [0.019, 1.0, 0.0]])   # like a kaon, like a pion
    >>> print(log_likelihood_ratio(x) > 0)
    [ True False]
    """
    log_pion, log_kaon = _log_densities_without_decay(features, detector, n_nodes).T
    return _log_mixture(log_pion, log_kaon, detector.kaon_decay_probability) - log_pion


def kaon_probability(
    features: NDArray[np.float64], detector: Detector = Detector(), *, n_nodes: int = 128
) -> NDArray[np.float64]:
    """Probability that an event is a kaon when pions and kaons are equally frequent.

    By Bayes' rule p(kaon | x) = p(x | kaon) / (p(x | kaon) + p(x | pion)) = σ(r), the logistic
    function of the log likelihood ratio r. It is what a network trained with cross-entropy on equal
    numbers of both classes approaches.

    Parameters
    ----------
    features, detector, n_nodes
        As in `log_density`.

    Returns
    -------
    ndarray
        Shape (n,), in [0, 1].

    Raises
    ------
    ValueError
        As in `log_density`.

    Examples
    --------
    >>> x = np.array([[0.244, 0.78, -12.0], [0.019, 1.0, 0.0]])   # like a kaon, like a pion
    >>> print(kaon_probability(x) > 0.5)
    [ True False]
    """
    r = log_likelihood_ratio(features, detector, n_nodes=n_nodes)
    return 0.5 * (1 + np.tanh(0.5 * r))  # the logistic function, written so that exp cannot overflow
