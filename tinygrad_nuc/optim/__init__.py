"""Optimizers: how gradients change parameters; and schedules of their learning rates."""

from . import in_place_formulas, lr_scheduler
from .adagrad import Adagrad
from .adam import Adam, AdamW
from .optimizer import Optimizer
from .rmsprop import RMSprop
from .sgd import SGD
