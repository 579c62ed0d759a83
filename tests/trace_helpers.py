"""What the tests of recordings and traces share."""

import tinygrad_nuc as tn
from tinygrad_nuc import nn
from tinygrad_nuc.inspect.stepping.steps import Backward


def kinds(trace):
    return "".join(type(step).__name__[0] for step in trace)         # Forward, Start or Store, Backward, Hooked, Update


def last_totals(trace):
    """The gradient of every node at the end, by its label."""
    return {trace.labels[step.to]: step.total for step in trace if isinstance(step, Backward)}


def xor_network(seed=3):
    tn.manual_seed(seed)
    return nn.Sequential(nn.Linear(2, 2), nn.Tanh(), nn.Linear(2, 1), nn.Sigmoid()).double()
