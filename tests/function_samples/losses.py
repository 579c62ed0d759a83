"""Losses that PyTorch does not call so."""

import numpy as np
from function_samples import A, P, sample

import tinygrad_nuc as tn

CALLS = {
    "F.kl_div": sample(lambda a, t: tn.nn.functional.kl_div(a, t, reduction="none"), A, P, reference=lambda a, t: t * (np.log(t) - a)),
}
