"""Detector simulations with a known truth: pions and kaons in three instruments.

Reading order: `physics` (the formulas), `detector` (the numbers), `particles` (the events),
`density` (the best possible classifier).
"""

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
    "CLASSES",
    "KAON",
    "MASSES",
    "PION",
    "VARIABLES",
    "Detector",
    "SealedSample",
    "kaon_probability",
    "log_density",
    "log_likelihood_ratio",
    "measure",
    "sample_momentum",
    "simulate",
    "simulate_unlabelled",
]
