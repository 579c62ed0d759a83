"""The problem that the tests of the optimizers share, and every optimizer with all kinds of settings."""

import numpy as np
from pytorch_cases.optim import SETTINGS, A, TARGET

import tinygrad_nuc as tn

ALL = [(getattr(tn.optim, kind), settings) for kind, several in SETTINGS.items() for settings in several]


def start(dtype=np.float64):
    """Weights and biases of the problem: L = Σ (tanh(A Wᵀ + b) − T)²."""
    w = tn.tensor(np.array([[0.5, -1.0], [2.0, 0.25]], dtype), requires_grad=True)
    b = tn.tensor(np.array([0.1, -0.3], dtype), requires_grad=True)
    return w, b


def loss(w, b):
    error = tn.tanh(tn.tensor(A.astype(w.dtype)) @ w.T + b) - tn.tensor(TARGET.astype(w.dtype))
    return (error * error).sum()


def train(w, b, optimizer, steps=12):
    for _ in range(steps):
        optimizer.zero_grad()
        loss(w, b).backward()
        optimizer.step()
    return [*w.numpy().ravel(), *b.numpy()]


def name(x):
    """What a parameter of a test is called."""
    return getattr(x, "__name__", None)
