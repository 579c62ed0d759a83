"""Detector simulations with a known truth: pions and kaons in three instruments, neutrino events in a calorimeter.

Reading order: `physics` (the formulas), `detector` (the numbers), `particles` (the events),
`density` (the best possible classifier); then `calorimeter`.
"""

from .calorimeter import (
    BOTH,
    EVENT_CLASSES,
    SHOWER,
    TRACK,
    Calorimeter,
    NeutrinoEvents,
    neutrino_events,
    shower_maximum,
    shower_profile,
)
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

__all__ = [
    "ABUNDANCE_RANGE",
    "BOTH",
    "CLASSES",
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
    "SealedSample",
    "kaon_probability",
    "log_density",
    "log_likelihood_ratio",
    "measure",
    "neutrino_events",
    "sample_momentum",
    "shower_maximum",
    "shower_profile",
    "simulate",
    "simulate_unlabelled",
]
