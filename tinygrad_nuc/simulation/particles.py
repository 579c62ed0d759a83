"""Simulated pions and kaons: draw a momentum, ask the physics, add the noise, forget the momentum.

    p ~ exp(−p/T) on [low, high]   →   t, dE/dx, θ expected   →   + Gaussian noise   →   three variables

The momentum stays hidden. What is left of it are the *correlations* between the three variables,
which straight cuts miss and a network can learn.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from .detector import KAON, MASSES, PION, Detector
from .physics import mass_squared

__all__ = ["ABUNDANCE_RANGE", "SealedSample", "measure", "sample_momentum", "simulate", "simulate_unlabelled"]

Seed = int | np.random.Generator

ABUNDANCE_RANGE = (0.2, 0.4)  # the hidden kaon fraction of an unlabelled sample is uniform in here


def sample_momentum(n: int, detector: Detector, rng: np.random.Generator) -> NDArray[np.float64]:
    """Draw n momenta from the truncated exponential, by inverting its cumulative distribution.

    ::

        F(p) = (1 − exp(−(p − low)/T)) / (1 − exp(−(high − low)/T)) = u,     u uniform in [0, 1)
        p = low − T ln(1 − u (1 − exp(−(high − low)/T)))

    Parameters
    ----------
    n : int
        How many.
    detector : Detector
        Gives low, high and T.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    ndarray
        Shape (n,), momenta in GeV/c.

    Examples
    --------
    >>> p = sample_momentum(1000, Detector(), np.random.default_rng(0))
    >>> print(p.min() >= 1.0, p.max() <= 6.0, p.mean().round(1))
    True True 2.8
    """
    low, high, T = detector.momentum_low, detector.momentum_high, detector.momentum_slope
    u = rng.random(n)
    # log1p and expm1 keep the digits that 1 − u·(…) loses when T is much larger than the range.
    return low - T * np.log1p(u * np.expm1(-(high - low) / T))


def measure(
    momentum: NDArray[np.float64],
    particle: NDArray[np.int64],
    detector: Detector,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Three noisy measurements of particles whose momentum and kind are known.

    The noise sits where the instruments make it: on the *time*, from which m² follows with a skewed
    distribution whose width grows like p²; relative to the mean on dE/dx; and on the angle.

    Parameters
    ----------
    momentum : ndarray
        Shape (n,), in GeV/c.
    particle : ndarray
        Shape (n,), 0 for what leaves a pion's track, 1 for a kaon's.
    detector : Detector
        Geometry and resolutions.
    rng : numpy.random.Generator
        Source of randomness.

    Returns
    -------
    ndarray
        Shape (n, 3), float64, columns as in `VARIABLES`.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> measure(np.array([1.0, 2.0]), np.array([0, 1]), Detector(), rng).shape
    (2, 3)
    """
    time, ratio, angle = detector.expectation(momentum, np.take(MASSES, particle))
    noise = rng.standard_normal((3, len(momentum)))
    time = time + 1e-3 * detector.time_resolution_ps * noise[0]
    ratio = ratio * (1 + detector.dedx_resolution * noise[1])
    angle = angle + detector.angle_resolution_mrad * noise[2]
    return np.column_stack([mass_squared(momentum, time, detector.flight_path_m), ratio, angle])


def _features(labels: NDArray[np.int64], detector: Detector, rng: np.random.Generator) -> NDArray[np.float64]:
    """Momentum, decays in flight, measurement: (n,) labels → (n, 3) features."""
    momentum = sample_momentum(len(labels), detector, rng)
    decayed = (labels == KAON) & (rng.random(len(labels)) < detector.kaon_decay_probability)
    return measure(momentum, np.where(decayed, PION, labels), detector, rng)


def simulate(
    n_pions: int, n_kaons: int, detector: Detector = Detector(), *, seed: Seed
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Labelled events in random order.

    A kaon that decayed in flight looks like a pion and keeps the label kaon.

    Parameters
    ----------
    n_pions, n_kaons : int
        Exact number of events of each class.
    detector : Detector, optional
        The detector to simulate.
    seed : int or numpy.random.Generator
        The same integer gives the same events. Two samples that should be independent need two
        integers, or one generator passed to both calls.

    Returns
    -------
    features : ndarray
        Shape (n_pions + n_kaons, 3), float64, columns as in `VARIABLES`.
    labels : ndarray
        Shape (n_pions + n_kaons,), int64, 0 for pion and 1 for kaon as in `CLASSES`.

    Raises
    ------
    ValueError
        If a number of events is negative.

    Examples
    --------
    >>> features, labels = simulate(300, 100, seed=0)
    >>> features.shape, labels.shape, int(labels.sum())
    ((400, 3), (400,), 100)
    """
    if n_pions < 0 or n_kaons < 0:
        raise ValueError(f"numbers of events cannot be negative: {n_pions} pions, {n_kaons} kaons")
    rng = np.random.default_rng(seed)
    # Events are independent, so shuffling the labels first is the same as shuffling the events last.
    labels = rng.permutation(np.repeat(np.array([PION, KAON], dtype=np.int64), [n_pions, n_kaons]))
    return _features(labels, detector, rng), labels


@dataclass(frozen=True, eq=False)
class SealedSample:
    """Unlabelled events, and the kaon fraction they were drawn with in a sealed envelope.

    Attributes
    ----------
    features : ndarray
        Shape (n, 3), columns as in `VARIABLES`.
    """

    features: NDArray[np.float64] = field(repr=False)
    _abundance: float = field(repr=False)

    def reveal(self) -> float:
        """Open the envelope: the fraction f from which each event drew its kind.

        This is the parameter of the *population*. The kaons actually in the sample scatter around
        f·n by √(f (1−f) n), and the uncertainty q (1−q)/n of a count already contains that scatter,
        so f is the value that pulls are to be taken against.

        Examples
        --------
        >>> simulate_unlabelled(10, abundance=0.25, seed=0).reveal()
        0.25
        """
        return self._abundance


def simulate_unlabelled(
    n: int, detector: Detector = Detector(), *, seed: Seed, abundance: float | None = None
) -> SealedSample:
    """Events as an experiment records them: no labels, and a kaon fraction nobody knows.

    The fraction f is drawn from the seed, uniformly in `ABUNDANCE_RANGE`, unless given. Then each
    event is a kaon with probability f, independently of the others.

    Parameters
    ----------
    n : int
        Number of events.
    detector : Detector, optional
        The detector that recorded them: not necessarily the one simulated for training.
    seed : int or numpy.random.Generator
        As in `simulate`; take another one than for the training events.
    abundance : float, optional
        Fix the kaon fraction instead of drawing it.

    Returns
    -------
    SealedSample
        ``.features`` of shape (n, 3), and ``.reveal()`` for the true fraction, to be called last.

    Raises
    ------
    ValueError
        If n is negative or the abundance is outside [0, 1].

    Examples
    --------
    >>> sample = simulate_unlabelled(1000, seed=7)
    >>> sample.features.shape, 0.2 <= sample.reveal() <= 0.4
    ((1000, 3), True)
    """
    if n < 0:
        raise ValueError(f"number of events cannot be negative: {n}")
    if abundance is not None and not 0 <= abundance <= 1:
        raise ValueError(f"abundance must be in [0, 1], not {abundance}")
    rng = np.random.default_rng(seed)
    f = rng.uniform(*ABUNDANCE_RANGE) if abundance is None else float(abundance)
    labels = np.where(rng.random(n) < f, KAON, PION).astype(np.int64)
    return SealedSample(_features(labels, detector, rng), f)
