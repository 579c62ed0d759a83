"""Neutrino events in a segmented calorimeter: a track, a shower, or both from one vertex, seen from two sides.

The detector is a stack of planes of scintillator bars. The bars of every second plane stand upright and measure x,
those between them lie flat and measure y. So an event gives two pictures, x–z and y–z. What is simulated is the rough
outline of the physics, with no interaction of the neutrino:

    muon         loses dE/dx per path, with Landau-like fluctuations, and scatters, until it stops or leaves
    electron     starts a shower, with the energy profile dE/dt = E₀ b (bt)^(a−1) e^(−bt) / Γ(a)

Lengths are in cm and energies in MeV; t is the depth in radiation lengths. Formulas: Particle Data Group, Review of
Particle Physics, "Passage of particles through matter".
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .physics import beta, dedx

__all__ = ["BOTH", "EVENT_CLASSES", "SHOWER", "TRACK", "Calorimeter", "NeutrinoEvents", "neutrino_events",
           "shower_maximum", "shower_profile"]

TRACK, SHOWER, BOTH = 0, 1, 2
EVENT_CLASSES = ("track", "shower", "both")

MUON_MASS = 0.1056584                   # GeV/c², Particle Data Group
SCALE_ENERGY = 21.2                     # MeV, of multiple scattering: Molière radius = X₀ · 21.2 MeV / E_c
LANDAU_SCALE = 0.1535                   # MeV cm²/g: ξ = 0.1535 · Z/A · density · path / β²
MOYAL_MEAN = np.euler_gamma + np.log(2)
STEPS = 2                               # a muon's steps within a plane
B = 0.5                                 # of the shower's profile; nearly the same in all materials


@dataclass(frozen=True)
class Calorimeter:
    """A stack of scintillator planes that show x and y in turn, as numbers with units.

    The material is close to polystyrene. The bars are of about the size of the NOvA experiment's, which has 100 times
    as many.

    Parameters
    ----------
    cells : int
        Bars in a plane: rows of each picture.
    planes : int
        Planes of each view: columns of each picture. The stack has twice as many.
    cell_cm, plane_cm : float
        Width of a bar, and thickness of a plane.
    dedx_mev_cm : float
        Mean dE/dx of a particle of minimum ionisation.
    radiation_length_cm : float
        X₀: after it, an electron has radiated all but 1/e of its energy.
    critical_energy_mev : float
        E_c, at which an electron loses as much by ionisation as by radiation.
    z_over_a, density : float
        For the width of the Landau distribution; the density in g/cm³.
    piece_mev : float
        A shower of energy E₀ arrives in a Poisson-distributed number of pieces, whose energies are exponentially
        distributed around this mean; that makes its resolution σ/E = √(2 · piece / E₀): 10 % at 1 GeV.
    noise_mev, threshold_mev : float
        Gaussian noise of each bar; what is below the threshold is not read out, and 0.

    Raises
    ------
    ValueError
        If a number makes no physical sense; the message names it.

    Examples
    --------
    >>> calorimeter = Calorimeter()
    >>> calorimeter.width_cm, calorimeter.length_cm
    (128.0, 384.0)
    >>> round(calorimeter.moliere_radius_cm, 1)         # 90 % of a shower's energy is within
    9.4
    """

    cells: int = 32
    planes: int = 32
    cell_cm: float = 4.0
    plane_cm: float = 6.0
    dedx_mev_cm: float = 2.05
    radiation_length_cm: float = 41.3
    critical_energy_mev: float = 93.0
    z_over_a: float = 0.54
    density: float = 1.06
    piece_mev: float = 5.0
    noise_mev: float = 0.5
    threshold_mev: float = 2.0

    def __post_init__(self) -> None:
        for name in ("cells", "planes"):
            if not isinstance(getattr(self, name), (int, np.integer)) or getattr(self, name) < 1:
                raise ValueError(f"Calorimeter: {name} must be a positive whole number, not {getattr(self, name)!r}")
        for name in ("cell_cm", "plane_cm", "dedx_mev_cm", "radiation_length_cm", "critical_energy_mev", "z_over_a",
                     "density", "piece_mev"):
            if not 0 < getattr(self, name) < np.inf:                    # written so that NaN fails too
                raise ValueError(f"Calorimeter: {name} must be positive and finite, not {getattr(self, name)}")
        for name in ("noise_mev", "threshold_mev"):
            if not 0 <= getattr(self, name) < np.inf:
                raise ValueError(f"Calorimeter: {name} must be finite and not negative, not {getattr(self, name)}")

    @property
    def width_cm(self) -> float:
        """In x and in y, both from −width/2 to width/2."""
        return self.cells * self.cell_cm

    @property
    def length_cm(self) -> float:
        """In z, from 0."""
        return 2 * self.planes * self.plane_cm

    @property
    def moliere_radius_cm(self) -> float:
        """R_M = X₀ · 21.2 MeV / E_c: around a shower's axis, 90 % of its energy is within."""
        return self.radiation_length_cm * SCALE_ENERGY / self.critical_energy_mev


@dataclass(frozen=True, eq=False)
class NeutrinoEvents:
    """Pictures and truth of n events.

    Attributes
    ----------
    images : ndarray of float32, shape (n, 2, cells, planes)
        Energies in MeV: the views x–z and y–z, with x or y along the rows and z along the columns.
    labels : ndarray of int64, shape (n,)
        0 track, 1 shower, 2 both, as in `EVENT_CLASSES`.
    track_energy, shower_energy : ndarray, shape (n,)
        Kinetic energy of the muon, and energy of the electron, in MeV; 0 where there is none.
    vertex : ndarray, shape (n, 3)
        Where both begin, in cm.
    track_slope, shower_slope : ndarray, shape (n, 2)
        dx/dz and dy/dz at the vertex.
    """

    images: NDArray[np.float32] = field(repr=False)
    labels: NDArray[np.int64] = field(repr=False)
    track_energy: NDArray[np.float64] = field(repr=False)
    shower_energy: NDArray[np.float64] = field(repr=False)
    vertex: NDArray[np.float64] = field(repr=False)
    track_slope: NDArray[np.float64] = field(repr=False)
    shower_slope: NDArray[np.float64] = field(repr=False)


def neutrino_events(n: int, calorimeter: Calorimeter = Calorimeter(), *, seed: int | np.random.Generator,
                    track_energy: tuple[float, float] = (200.0, 1000.0),
                    shower_energy: tuple[float, float] = (200.0, 1500.0)) -> NeutrinoEvents:
    """Events of all three classes in random order, as many of each (up to one).

    Vertices are within the first eighth of the length and the middle half of the width; both slopes of each particle
    are Gaussian with σ = 0.2. Energies are uniform within their limits, the same for all classes.

    Parameters
    ----------
    n : int
        Number of events.
    calorimeter : Calorimeter, optional
    seed : int or numpy.random.Generator
        The same integer gives the same events; a generator goes on.
    track_energy, shower_energy : (float, float)
        Least and greatest kinetic energy of muons, and energy of electrons, in MeV.

    Returns
    -------
    NeutrinoEvents

    Raises
    ------
    ValueError
        If n is negative, or the limits of an energy are none; an electron must have more energy than the critical one,
        below which there is no shower.

    Examples
    --------
    >>> events = neutrino_events(300, seed=1)
    >>> events.images.shape, np.bincount(events.labels).tolist()
    ((300, 2, 32, 32), [100, 100, 100])
    """
    if n < 0:
        raise ValueError(f"neutrino_events: the number of events cannot be negative: {n}")
    for name, (low, high), least in (("track_energy", track_energy, 0.0),
                                     ("shower_energy", shower_energy, calorimeter.critical_energy_mev * np.exp(0.5))):
        if not least < low <= high < np.inf:
            raise ValueError(f"neutrino_events: {name} must be (least, greatest) in MeV, above {least:.0f}, "
                             f"not {(low, high)}")
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(n, dtype=np.int64) % 3)
    E_track = np.where(labels != SHOWER, rng.uniform(*track_energy, n), 0)
    E_shower = np.where(labels != TRACK, rng.uniform(*shower_energy, n), 0)
    vertex = rng.uniform(size=(n, 3)) * [calorimeter.width_cm / 2, calorimeter.width_cm / 2, calorimeter.length_cm / 8]
    vertex[:, :2] -= calorimeter.width_cm / 4
    slopes = rng.normal(0, 0.2, (2, n, 2))

    images = np.zeros((n, 2, calorimeter.cells, calorimeter.planes), np.float32)
    add_tracks(images, np.flatnonzero(E_track), E_track, vertex, slopes[0], calorimeter, rng)
    add_showers(images, np.flatnonzero(E_shower), E_shower, vertex, slopes[1], calorimeter, rng)
    read_out(images, calorimeter, rng)
    return NeutrinoEvents(images, labels, E_track, E_shower, vertex, slopes[0], slopes[1])


def shower_maximum(energy_mev: ArrayLike, critical_energy_mev: float) -> NDArray[np.float64]:
    """Depth of the maximum of an electron's shower, t_max = ln(E₀/E_c) − 1/2, in radiation lengths.

    Parameters
    ----------
    energy_mev : array_like
        E₀.
    critical_energy_mev : float
        E_c of the material.

    Examples
    --------
    >>> print(shower_maximum([930, 1860], 93).round(2))         # twice the energy: ln 2 deeper
    [1.8 2.5]
    """
    return np.log(np.asarray(energy_mev, dtype=np.float64) / critical_energy_mev) - 0.5


def shower_profile(t: ArrayLike, energy_mev: float, critical_energy_mev: float) -> NDArray[np.float64]:
    """Mean energy that an electron's shower leaves per radiation length: dE/dt = E₀ b (bt)^(a−1) e^(−bt) / Γ(a).

    With b = 0.5, and a = 1 + b t_max, so that the maximum is at t_max = ln(E₀/E_c) − 1/2.

    Parameters
    ----------
    t : array_like
        Depth in radiation lengths, not negative.
    energy_mev, critical_energy_mev : float
        E₀ and E_c.

    Returns
    -------
    ndarray
        In MeV per radiation length.

    References
    ----------
    E. Longo and I. Sestili, "Monte Carlo calculation of photon-initiated electromagnetic showers in lead glass",
    Nucl. Instrum. Methods 128 (1975) 283; the form and its a and b as in the Review of Particle Physics.

    Examples
    --------
    >>> t = np.linspace(0, 40, 4001)
    >>> dE_dt = shower_profile(t, 1000, 93)
    >>> round(float(t[dE_dt.argmax()]), 2), round(float(np.trapezoid(dE_dt, t)))
    (1.88, 1000)
    """
    a = 1 + B * float(shower_maximum(energy_mev, critical_energy_mev))
    bt = B * np.asarray(t, dtype=np.float64)
    return energy_mev * B * bt ** (a - 1) * np.exp(-bt) / math.gamma(a)


def add_tracks(images: NDArray, event: NDArray, energy: NDArray, vertex: NDArray, slope: NDArray,
               calorimeter: Calorimeter, rng: np.random.Generator) -> None:
    """Take muons through the stack, half a plane at a step, and add what they lose to the pictures of their events.

    Along a path s a muon of momentum p loses Δ = ⟨dE/dx⟩ s + ξ (λ − ⟨λ⟩), with λ from Moyal's approximation of
    Landau's distribution, which is that of −ln Z² for a normal Z, and ξ = 0.1535 MeV cm²/g · Z/A · ρ s / β². Scattering
    adds angles of θ₀ = 13.6 MeV / (β p) · √(s/X₀) (1 + 0.038 ln(s/X₀)) to its slopes (Highland's formula).
    """
    T, position, slope = energy[event], vertex[event], slope[event]
    dz = calorimeter.plane_cm / STEPS
    while len(event):
        s = dz * np.sqrt(1 + (slope ** 2).sum(axis=1))
        p = np.sqrt(T * (T + 2000 * MUON_MASS)) / 1000                                      # GeV/c
        speed = beta(p, MUON_MASS)
        mean = calorimeter.dedx_mev_cm * dedx(p, MUON_MASS) * s
        xi = LANDAU_SCALE * calorimeter.z_over_a * calorimeter.density * s / speed ** 2
        moyal = -np.log(rng.standard_normal(len(event)) ** 2)
        loss = np.clip(mean + xi * (moyal - MOYAL_MEAN), 0, T)                  # where it is T, the muon stops
        forward = np.column_stack([slope * dz, np.full(len(event), dz)])
        deposit(images, event, position + forward / 2, loss, calorimeter)

        depth = s / calorimeter.radiation_length_cm
        theta = 0.0136 / (speed * p) * np.sqrt(depth) * (1 + 0.038 * np.log(depth))
        slope = slope + theta[:, None] * rng.standard_normal(slope.shape)
        T, position = T - loss, position + forward
        on = (T > 0) & (position[:, 2] < calorimeter.length_cm)
        event, T, position, slope = event[on], T[on], position[on], slope[on]


def add_showers(images: NDArray, event: NDArray, energy: NDArray, vertex: NDArray, slope: NDArray,
                calorimeter: Calorimeter, rng: np.random.Generator) -> None:
    """Cut showers into pieces of energy, place them at random, and add them to the pictures of their events.

    Their depth t follows the profile of `shower_profile`, which is a gamma distribution; their distance r from the axis
    follows f(r) = 2 r R² / (r² + R²)² with R = R_M/3, which puts 90 % of the energy within R_M.

    References
    ----------
    G. Grindhammer, M. Rudowicz, S. Peters, "The fast simulation of electromagnetic and hadronic showers", Nucl.
    Instrum. Methods A 290 (1990) 469 (the radial form).
    """
    pieces = rng.poisson(energy[event] / calorimeter.piece_mev)
    a = 1 + B * shower_maximum(energy[event], calorimeter.critical_energy_mev)
    event, a = np.repeat(event, pieces), np.repeat(a, pieces)
    along = rng.gamma(a, 1 / B) * calorimeter.radiation_length_cm
    u, phi = rng.random(len(event)), rng.uniform(0, 2 * np.pi, len(event))
    r = calorimeter.moliere_radius_cm / 3 * np.sqrt(u / (1 - u))            # a share u of the energy is within r
    direction = np.column_stack([slope, np.ones(len(slope))])
    direction /= np.linalg.norm(direction, axis=1, keepdims=True)
    position = vertex[event] + along[:, None] * direction[event]
    position[:, 0] += r * np.cos(phi)
    position[:, 1] += r * np.sin(phi)
    deposit(images, event, position, rng.exponential(calorimeter.piece_mev, len(event)), calorimeter)


def deposit(images: NDArray, event: NDArray, position: NDArray, energy: NDArray, calorimeter: Calorimeter) -> None:
    """Add energies to the bars at these places; what is outside is lost. Even planes measure x, odd ones y."""
    x, y, z = position.T
    half = calorimeter.width_cm / 2
    inside = (abs(x) < half) & (abs(y) < half) & (z >= 0) & (z < calorimeter.length_cm)
    plane = (z[inside] / calorimeter.plane_cm).astype(np.int64)
    view = plane % 2
    across = np.where(view == 0, x[inside], y[inside])
    cell = ((across + half) / calorimeter.cell_cm).astype(np.int64)
    # "clip": rounding may put an energy at the very edge into a bar that is not there
    place = np.ravel_multi_index((event[inside], view, cell, plane // 2), images.shape, mode="clip")
    np.add.at(images.reshape(-1), place, energy[inside].astype(np.float32))


def read_out(images: NDArray, calorimeter: Calorimeter, rng: np.random.Generator) -> None:
    """Add noise to every bar, and set what is then below the threshold to 0."""
    if calorimeter.noise_mev:
        images += np.float32(calorimeter.noise_mev) * rng.standard_normal(images.shape, dtype=np.float32)
    images[images < calorimeter.threshold_mev] = 0
