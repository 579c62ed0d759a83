"""Optimizers: how gradients change parameters."""

from .adam import Adam
from .optimizer import Optimizer
from .sgd import SGD
