"""What a muon and an electron leave in a calorimeter: a track and a shower, as energies in its bars.

    muon         loses dE/dx per path, with Landau-like fluctuations, and scatters, until it stops or leaves
    electron     starts a shower, with the energy profile dE/dt = E₀ b (bt)^(a−1) e^(−bt) / Γ(a)

Lengths are in cm and energies in MeV; t is the depth in radiation lengths. Formulas: Particle Data Group, Review of
Particle Physics, "Passage of particles through matter".
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .physics import beta, dedx

if TYPE_CHECKING:
    from .calorimeter import Calorimeter

__all__ = ["shower_maximum", "shower_profile"]

MUON_MASS = 0.1056584                   # GeV/c², Particle Data Group
LANDAU_SCALE = 0.1535                   # MeV cm²/g: ξ = 0.1535 · Z/A · density · path / β²
MOYAL_MEAN = np.euler_gamma + np.log(2)
STEPS = 2                               # a muon's steps within a plane
B = 0.5                                 # of the shower's profile; nearly the same in all materials


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
    Fitted from 1 GeV upwards; below, and for single showers, which fluctuate in length too, it is a rough picture.

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

    ⟨dE/dx⟩ is the curve of `physics.dedx`, which is a gas's, scaled to the minimum in polystyrene: within 6 % of
    Bethe's formula with the density effect for 1 < βγ < 10; muons of 0.2 to 1 GeV get as far as there within 4 %.
    Highland's formula is not additive: in steps of 3 cm, the angle after 1 X₀ is 10 % too small, after 10 X₀ 17 %.
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
