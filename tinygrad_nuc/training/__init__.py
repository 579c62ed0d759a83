"""The training loop."""

from .loop import History, evaluate, fit
