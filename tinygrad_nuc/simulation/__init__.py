"""Simulations with a known truth: pions and kaons in three instruments, neutrino events in a calorimeter, decays.

Reading order: `physics` (the formulas), `detector` (the numbers), `particles` (the events),
`density` (the best possible classifier); then `calorimeter` and `passage`, `decays`,
`collisions` (read from a file).
"""

from .calorimeter import (
    BOTH,
    EVENT_CLASSES,
    SHOWER,
    TRACK,
    Calorimeter,
    NeutrinoEvents,
    neutrino_events,
)
from .collisions import Particles, read_collisions
from .decays import DIMUON_COLUMNS, invariant_mass, simulate_dimuons, two_body_decay
from .density import kaon_probability, log_density, log_likelihood_ratio
from .detector import CLASSES, KAON, MASSES, PION, VARIABLES, Detector
from .particles import (
    ABUNDANCE_RANGE,
    SealedSample,
    measure,
    sample_momentum,
    simulate,
    simulate_unlabelled,
)
from .passage import shower_maximum, shower_profile

__all__ = [
    "ABUNDANCE_RANGE",
    "BOTH",
    "CLASSES",
    "DIMUON_COLUMNS",
    "EVENT_CLASSES",
    "KAON",
    "MASSES",
    "PION",
    "SHOWER",
    "TRACK",
    "VARIABLES",
    "Calorimeter",
    "Detector",
    "NeutrinoEvents",
    "Particles",
    "SealedSample",
    "invariant_mass",
    "kaon_probability",
    "log_density",
    "log_likelihood_ratio",
    "measure",
    "neutrino_events",
    "read_collisions",
    "sample_momentum",
    "shower_maximum",
    "shower_profile",
    "simulate",
    "simulate_dimuons",
    "simulate_unlabelled",
    "two_body_decay",
]
