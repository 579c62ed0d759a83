"""The detector: its geometry, its resolutions, and the momentum spectrum it sees."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .physics import (
    KAON_MASS,
    PION_MASS,
    SPEED_OF_LIGHT,
    beta,
    cherenkov_angle_mrad,
    dedx,
    flight_time_ns,
)

__all__ = ["CLASSES", "KAON", "MASSES", "PION", "VARIABLES", "Detector"]

PION, KAON = 0, 1
CLASSES = ("pion", "kaon")
MASSES = (PION_MASS, KAON_MASS)  # GeV/c², in the order of CLASSES
VARIABLES = (
    "mass² from time of flight [(GeV/c²)²]",
    "dE/dx over pion expectation",
    "Cherenkov angle − pion expectation [mrad]",
)


@dataclass(frozen=True)
class Detector:
    """A small particle-identification detector, as numbers with units.

    Three instruments look at each track: a time-of-flight wall, a gas chamber that measures dE/dx,
    and a quartz Cherenkov counter. The detector is frozen: a *mismodelled* one is a changed copy,
    ``dataclasses.replace(detector, time_resolution_ps=120)``.

    Parameters
    ----------
    flight_path_m : float
        L, from start to stop counter, in m.
    time_resolution_ps : float
        σ_t of the time of flight, Gaussian, in ps.
    dedx_resolution : float
        σ of the measured dE/dx over its own mean, Gaussian, dimensionless.
    refractive_index : float
        n of the Cherenkov radiator (fused quartz).
    angle_resolution_mrad : float
        σ_θ of the Cherenkov angle, Gaussian, in mrad.
    kaon_decay_probability : float
        Fraction of kaons that decay in flight before the instruments and leave the track of a pion.
        They are still *labelled* kaons, so no classifier can find them. Many more decay within L (with
        cτ = 3.71 m, 1 − exp(−L m/(p cτ)) is a fifth at 3 GeV/c), but those are assumed to be rejected
        by their kinked tracks, independently of p.
    momentum_low, momentum_high : float
        Range of the momentum p, in GeV/c.
    momentum_slope : float
        T of the momentum spectrum exp(−p/T) within this range, in GeV/c; the same for both classes.

    Raises
    ------
    ValueError
        If a number makes no physical sense; the message names it.

    Examples
    --------
    >>> import dataclasses
    >>> nominal = Detector()
    >>> worse_clock = dataclasses.replace(nominal, time_resolution_ps=120)
    >>> worse_clock.time_resolution_ps, worse_clock.flight_path_m
    (120, 5.5)
    """

    flight_path_m: float = 5.5
    time_resolution_ps: float = 100.0
    dedx_resolution: float = 0.10
    refractive_index: float = 1.473
    angle_resolution_mrad: float = 4.0
    kaon_decay_probability: float = 0.006
    momentum_low: float = 1.0
    momentum_high: float = 6.0
    momentum_slope: float = 2.5

    def __post_init__(self) -> None:
        positive = (
            "flight_path_m",
            "time_resolution_ps",
            "dedx_resolution",
            "refractive_index",
            "angle_resolution_mrad",
            "momentum_low",
            "momentum_slope",
        )
        for name in positive:
            if not 0 < getattr(self, name) < np.inf:  # written so that NaN fails too
                raise ValueError(f"{name} must be positive and finite, not {getattr(self, name)}")
        if not 0 <= self.kaon_decay_probability <= 1:
            raise ValueError(f"kaon_decay_probability must be in [0, 1], not {self.kaon_decay_probability}")
        if not self.momentum_low < self.momentum_high < np.inf:
            raise ValueError(
                f"momentum_low must be below momentum_high, not {self.momentum_low} and {self.momentum_high}"
            )
        n_beta = self.refractive_index * float(beta(self.momentum_low, KAON_MASS))
        if n_beta <= 1:
            raise ValueError(
                f"kaons of {self.momentum_low} GeV/c make no Cherenkov light: n·β = {n_beta:.4f} is not "
                "above 1; raise refractive_index or momentum_low"
            )
        light_ps = 1e3 * self.flight_path_m / SPEED_OF_LIGHT
        if light_ps < 8 * self.time_resolution_ps:
            # Below this, noise could make a flight time negative, and m² would no longer fix t.
            raise ValueError(
                f"flight_path_m = {self.flight_path_m} takes light {light_ps:.0f} ps, less than 8 times "
                f"time_resolution_ps = {self.time_resolution_ps}"
            )

    def expectation(
        self, momentum: NDArray[np.float64], mass: NDArray[np.float64] | float
    ) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64]]:
        """What a perfect detector would read for a particle of this momentum and mass.

        Parameters
        ----------
        momentum : ndarray
            p in GeV/c.
        mass : ndarray or float
            m in GeV/c²; it broadcasts with the momentum.

        Returns
        -------
        time_ns, dedx_ratio, angle_mrad : ndarray
            Time of flight in ns; dE/dx over that of a pion of the same momentum; Cherenkov angle
            minus that of a pion of the same momentum, in mrad.

        Examples
        --------
        Near 1 GeV/c the two dE/dx curves cross: there this instrument alone sees no difference.

        >>> time, ratio, angle = Detector().expectation(np.array([1.0, 3.0]), KAON_MASS)
        >>> print(np.round(time, 2), np.round(ratio, 3), np.round(angle, 1))
        [20.46 18.59] [0.999 0.864] [-103.6  -11.5]
        """
        return (
            flight_time_ns(momentum, mass, self.flight_path_m),
            dedx(momentum, mass) / dedx(momentum, PION_MASS),
            cherenkov_angle_mrad(momentum, mass, self.refractive_index)
            - cherenkov_angle_mrad(momentum, PION_MASS, self.refractive_index),
        )
