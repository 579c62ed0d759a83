"""Products of matrices and vectors under names of their own, and second names."""

import numpy as np
from function_samples import CUBE, A, B, sample

import tinygrad_nuc as tn

CALLS = {
    "tn.mm": sample(lambda a, b: tn.mm(a, b.T), A, B, reference=lambda a, b: a @ b.T),
    "tn.mv": sample(lambda a, b: a.mv(b[0]), A, B, reference=lambda a, b: a @ b[0]),
    "tn.bmm": sample(lambda a: tn.bmm(a, a.transpose(1, 2)), CUBE, reference=lambda a: a @ a.swapaxes(1, 2)),
    "tn.ravel": sample(tn.ravel, A, reference=np.ravel),
    "tn.concat": sample(lambda a, b: tn.concat([a, b], dim=1), A, B, reference=lambda a, b: np.concatenate([a, b], 1)),
    "tn.clip": sample(lambda a: a.clip(-1.2, 1.2), A, reference=lambda a: np.clip(a, -1.2, 1.2)),
    "tn.absolute": sample(lambda a: a.absolute(), A, reference=np.abs),
    "tn.multiply": sample(lambda a, b: a.multiply(b), A, B, reference=np.multiply),
    "tn.subtract": sample(lambda a, b: a.subtract(b), A, B, reference=np.subtract),
    "tn.divide": sample(lambda a, b: a.divide(b), A, B, reference=np.divide),
    "tn.negative": sample(lambda a: a.negative(), A, reference=np.negative),
    "tn.where": sample(lambda a, b: tn.where(a > b, a, b * b), A, B, reference=lambda a, b: np.where(a > b, a, b * b)),
    "tn.dot": sample(lambda a, b: tn.dot(a[0], b[1]), A, B, reference=lambda a, b: np.dot(a[0], b[1])),
}
