"""The same values in another arrangement."""

import numpy as np

from function_samples import CUBE, sample

import tinygrad_nuc as tn

CALLS = {
    "tn.flatten": sample(lambda a: tn.flatten(a, 1), CUBE, reference=lambda a: a.reshape(2, 12)),
}
