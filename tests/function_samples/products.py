"""Products of matrices and vectors under names of their own."""

import numpy as np
from function_samples import CUBE, A, B, sample

import tinygrad_nuc as tn

CALLS = {
    "tn.mm": sample(lambda a, b: tn.mm(a, b.T), A, B, reference=lambda a, b: a @ b.T),
    "tn.mv": sample(lambda a, b: a.mv(b[0]), A, B, reference=lambda a, b: a @ b[0]),
    "tn.bmm": sample(lambda a: tn.bmm(a, a.transpose(1, 2)), CUBE, reference=lambda a: a @ a.swapaxes(1, 2)),
    "tn.dot": sample(lambda a, b: tn.dot(a[0], b[1]), A, B, reference=lambda a, b: np.dot(a[0], b[1])),
}
