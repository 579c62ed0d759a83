"""Neutrino events in a segmented calorimeter: a track, a shower, or both from one vertex, seen from two sides.

The detector is a stack of planes of scintillator bars. The bars of every second plane stand upright and measure x,
those between them lie flat and measure y. So an event gives two pictures, x–z and y–z. What is simulated is the rough
outline: one muon, one electron, or both, with energies and directions drawn independently. How they pass through the
detector is in `passage`. Both together stand for a muon with a π⁰, whose photons start showers: no neutrino makes a
muon and an electron.

Left out: the neutrino's interaction (cross-section, kinematics), protons, pions and the nucleus's debris, the two
separate photons of a π⁰, the decay electron of a stopped muon (up to 53 MeV), light collection, and the track of a
shower's first centimetres (the profile begins at 0; a real electron begins with 2 MeV/cm).

Lengths are in cm and energies in MeV.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from .passage import add_showers, add_tracks, read_out

__all__ = ["BOTH", "EVENT_CLASSES", "SHOWER", "TRACK", "Calorimeter", "NeutrinoEvents", "neutrino_events"]

TRACK, SHOWER, BOTH = 0, 1, 2
EVENT_CLASSES = ("track", "shower", "both")

SCALE_ENERGY = 21.2                     # MeV, of multiple scattering: Molière radius = X₀ · 21.2 MeV / E_c


@dataclass(frozen=True)
class Calorimeter:
    """A stack of scintillator planes that show x and y in turn, as numbers with units.

    The material is close to polystyrene. The bars are as wide and thick as those of the NOvA experiment's far detector,
    which has 344,064 of them, 15.5 m long; here are 2,048, of 1.28 m.

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
        E_c (Rossi's definition): the energy that an electron would lose by ionisation in one X₀.
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
