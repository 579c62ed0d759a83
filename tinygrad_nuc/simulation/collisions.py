"""Simulated collisions, particle by particle: reading the file that ``demos/data/make_ep_collisions.py`` makes."""

from __future__ import annotations

import os
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..utils.files import given_path
from ..utils.tables import read_features

__all__ = ["Particles", "read_collisions"]

COLUMNS = ["event", "pdgid", "status", "q", "E", "px", "py", "pz", "m"]


@dataclass(frozen=True, eq=False)
class Particles:
    """The particles of many collisions, one after the other; every array has shape (n,), but for `four_vectors`.

    Attributes
    ----------
    event : ndarray of int64
        Which collision, from 0.
    pdgid : ndarray of int64
        Which particle, by the numbering of the Particle Data Group: 11 is the electron, 22 the photon, 211 the π⁺;
        antiparticles are negative.
    final : ndarray of bool
        Whether it is there in the end; the others are hadrons that decayed.
    charge : ndarray of int64
        In units of the proton's.
    four_vectors : ndarray of float64
        E, px, py and pz in GeV, shape (n, 4).
    mass : ndarray of float64
        In GeV, as the simulation knows it.
    """

    event: NDArray[np.int64]
    pdgid: NDArray[np.int64]
    final: NDArray[np.bool_]
    charge: NDArray[np.int64]
    four_vectors: NDArray[np.float64]
    mass: NDArray[np.float64]

    @property
    def hadron(self) -> NDArray[np.bool_]:
        """Whether it is made of quarks, by its number: leptons, photons and single quarks have numbers below 100.

        Diquarks and nuclei, which no file of this kind holds, would count as hadrons.
        """
        return np.abs(self.pdgid) > 100

    def __len__(self) -> int:
        return len(self.event)

    def __getitem__(self, chosen: NDArray | slice) -> Particles:
        """Some of the particles: of a mask, of indices or of a slice.

        Examples
        --------
        >>> two = Particles(np.array([0, 0]), np.array([11, 22]), np.array([True, True]), np.array([-1, 0]),
        ...                 np.array([[5.0, 0.0, 3.0, 4.0], [1.0, 0.0, 0.0, 1.0]]), np.array([0.000511, 0.0]))
        >>> two[two.charge != 0].pdgid
        array([11])
        """
        return Particles(self.event[chosen], self.pdgid[chosen], self.final[chosen], self.charge[chosen],
                         self.four_vectors[chosen], self.mass[chosen])


def read_collisions(path: str | os.PathLike) -> Particles:
    """Read simulated collisions from a table with the columns event, pdgid, status, q, E, px, py, pz and m.

    Parameters
    ----------
    path : str or os.PathLike
        Such as ``demos/data/ep_collisions.csv.gz``, whose columns the README.md beside it explains; or any other table
        that `tinygrad_nuc.utils.tables.read_features` reads. Energies, momenta and masses are in GeV.

    Returns
    -------
    Particles

    Raises
    ------
    OSError
        When the file is missing or cannot be read.
    ValueError
        When it is damaged, lacks a column, has a number missing, a fraction where only whole numbers make sense, a
        status other than 0 and 1, or a negative event, energy or mass.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "one.csv"
    ...     _ = path.write_text("event,pdgid,status,q,E,px,py,pz,m\\n0,-211,1,-1,0.5,0.48,0,0,0.14\\n")
    ...     particles = read_collisions(path)
    >>> len(particles), particles.charge, particles.hadron, particles.four_vectors
    (1, array([-1]), array([ True]), array([[0.5 , 0.48, 0.  , 0.  ]]))
    """
    path = given_path(path, "read_collisions")
    columns = dict(zip(COLUMNS, read_features(path, names=COLUMNS).features.T, strict=True))
    whole = ("event", "pdgid", "q")
    for name, wrong, right in [
        *((name, columns[name] != np.rint(columns[name]), "a whole number") for name in whole),
        *((name, np.abs(columns[name]) >= 1e15, "below 1e15 in size") for name in whole),       # float64 knows no more
        ("status", ~np.isin(columns["status"], (0, 1)), "1 for a final particle, or 0"),
        *((name, columns[name] < 0, "at least 0") for name in ("event", "E", "m")),
    ]:
        if wrong.any():
            first = int(np.argmax(wrong))
            raise ValueError(f'{path}: row {first + 1}: "{name}" must be {right}, not {columns[name][first]:g}')
    return Particles(
        event=columns["event"].astype(np.int64),
        pdgid=columns["pdgid"].astype(np.int64),
        final=columns["status"] == 1,
        charge=columns["q"].astype(np.int64),
        four_vectors=np.column_stack([columns[name] for name in ("E", "px", "py", "pz")]),
        mass=columns["m"].copy(),
    )
