"""Parts of a tensor taken out, functions applied part by part, remainders, and names that only NumPy has."""

import numpy as np
from function_samples import CUBE, A, B, P, sample

NUMBER = np.array(0.7)

PARTS = {
    "np.delete": sample(lambda a: np.delete(a, 1), A),
    "np.delete axis": sample(lambda a: np.delete(a, [0, -1], axis=2), CUBE),
    "np.delete slice": sample(lambda a: np.delete(a, slice(1, 3), axis=2), CUBE),
    "np.delete positions": sample(lambda a, i: np.delete(a, i, axis=1), CUBE, np.array([2, 0])),
    "np.unique": sample(np.unique, A, waits_on_device=True),
    "np.unique and where": sample(lambda a: np.unique(a, return_index=True, return_inverse=True, return_counts=True), CUBE, waits_on_device=True),
    "np.piecewise": sample(lambda a: np.piecewise(a, [a < 0, a >= 0.9], [np.square, lambda x: 2 * x]), A, waits_on_device=True),
    "np.piecewise otherwise": sample(lambda a: np.piecewise(a, [a < 0, a >= 0.9], [np.square, 3.0, np.exp]), A, waits_on_device=True),
    "np.piecewise where the other has no slope": sample(lambda a: np.piecewise(a, [a > 0], [np.sqrt, lambda x: -x]), A, waits_on_device=True),
    "np.piecewise overlapping": sample(lambda a: np.piecewise(a, [a < 0.9, a < 0], [np.exp, np.sin]), A, waits_on_device=True),
    "np.piecewise arguments": sample(lambda a, b: np.piecewise(a, [a < 0, a > 0], [lambda x, y, n: y * x ** n, 0], b, n=3), A, NUMBER, waits_on_device=True),
    "np.piecewise of a number": sample(lambda a: np.piecewise(a, [a < 0, a >= 0], [np.square, np.exp]), NUMBER, waits_on_device=True),
    "np.piecewise never": sample(lambda a: np.piecewise(a, [a > 9], [np.log, np.square]), A, waits_on_device=True),
    "np.apply_along_axis": sample(lambda a: np.apply_along_axis(np.prod, 1, a), CUBE),
    "np.apply_along_axis to vectors": sample(lambda a: np.apply_along_axis(lambda v: np.cumsum(v)[:2], 1, a), CUBE),
    "np.apply_along_axis to matrices": sample(lambda a: np.apply_along_axis(lambda v, k: np.diag(v, k), 0, a, 1), A),
}

NAMES = {
    "np.broadcast_arrays": sample(lambda a, b, c: np.broadcast_arrays(a, b, c), A, B[:, :1], NUMBER),
    "np.divmod": sample(lambda a, b: np.divmod(a, b)[1], A, P + 0.13),
    "np.conjugate": sample(np.conjugate, A),
    "np.real": sample(np.real, A),
    "np.real_if_close": sample(np.real_if_close, A),
    "np.full_like": sample(lambda a, b: np.full_like(a, b) * a, A, NUMBER),
    "np.full_like shape": sample(lambda a, b: np.full_like(a, b, shape=(2, 3)) + a, A, B[0]),
}

CALLS = {**PARTS, **NAMES}
