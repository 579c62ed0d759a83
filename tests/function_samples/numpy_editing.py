"""Values put in, taken out, put together from blocks; functions applied part by part; whole parts and rests."""

import numpy as np
from function_samples import CUBE, A, B, P, sample

V = np.array([0.5, -1.5, 2.0, 0.75])
NUMBER = np.array(0.7)
MASK = np.array([True, False, True])

BLOCKS = {
    "np.block": sample(lambda a, b, c: np.block([[a, b], [c, 7.0]]), A, B[:, :1], V[:3]),
    "np.block of a list": sample(lambda a, b: np.block([a, 2.0, b]), V, A[0]),
    "np.block of lists in lists": sample(lambda a, b: np.block([[[a]], [[b]]]), A, B),
    "np.block of one": sample(lambda a: np.block(a), A),
    "np.broadcast_arrays": sample(lambda a, b, c: np.broadcast_arrays(a, b, c), A, B[:, :1], NUMBER),
    "np.rollaxis": sample(lambda a: np.rollaxis(a, 2), CUBE),
    "np.rollaxis start": sample(lambda a: np.rollaxis(a, 0, 3), CUBE),
    "np.rollaxis backwards": sample(lambda a: np.rollaxis(a, -1, 1), CUBE),
    "np.rollaxis before the last": sample(lambda a: np.rollaxis(a, 0, -1), CUBE),
    "np.fft.fftshift": sample(np.fft.fftshift, CUBE),
    "np.fft.fftshift axes": sample(lambda a: np.fft.fftshift(a, axes=1), CUBE),
    "np.fft.ifftshift": sample(np.fft.ifftshift, CUBE),
}

EDITED = {
    "np.delete": sample(lambda a: np.delete(a, 1), A),
    "np.delete axis": sample(lambda a: np.delete(a, [0, -1], axis=2), CUBE),
    "np.delete slice": sample(lambda a: np.delete(a, slice(1, 3), axis=2), CUBE),
    "np.delete positions": sample(lambda a, i: np.delete(a, i, axis=1), CUBE, np.array([2, 0])),
    "np.insert": sample(lambda a, b: np.insert(a, 1, b), A, NUMBER),
    "np.insert several at one place": sample(lambda a, b: np.insert(a, 1, b, axis=1), A, B[:, 0]),
    "np.insert a row": sample(lambda a, b: np.insert(a, 2, b, axis=0), A, B[0]),
    "np.insert at places": sample(lambda a, b: np.insert(a, [0, 2, 2], b, axis=1), A, B),
    "np.insert numbers": sample(lambda a: np.insert(a, [3, 1], [7.5, 8.5]), V),
    "np.insert at a slice": sample(lambda a: np.insert(a, slice(0, 3), 1), V),
    "np.insert a matrix at one place": sample(lambda a, b: np.insert(a, 1, b, axis=0), A, B),
    "np.resize": sample(lambda a: np.resize(a, (3, 5)), A),
    "np.resize shorter": sample(lambda a: np.resize(a, 4), A),
    "np.ix_": sample(lambda a, b, m: np.ix_(a, b, m), V, A[0], MASK),
    "np.unique": sample(np.unique, A),
    "np.unique and where": sample(lambda a: np.unique(a, return_index=True, return_inverse=True, return_counts=True), CUBE),
    "np.partition": sample(lambda a: np.partition(a, 1, axis=1), CUBE, reference=lambda a: np.sort(a, axis=1)),
    "np.partition flat": sample(lambda a: np.partition(a, (0, 3), axis=None), A, reference=lambda a: np.sort(a, axis=None)),
}

PARTS = {
    "np.piecewise": sample(lambda a: np.piecewise(a, [a < 0, a >= 0.9], [np.square, lambda x: 2 * x]), A),
    "np.piecewise otherwise": sample(lambda a: np.piecewise(a, [a < 0, a >= 0.9], [np.square, 3.0, np.exp]), A),
    "np.piecewise where the other has no slope": sample(lambda a: np.piecewise(a, [a > 0], [np.sqrt, lambda x: -x]), A),
    "np.piecewise overlapping": sample(lambda a: np.piecewise(a, [a < 0.9, a < 0], [np.exp, np.sin]), A),
    "np.piecewise arguments": sample(lambda a, b: np.piecewise(a, [a < 0, a > 0], [lambda x, y, n: y * x ** n, 0], b, n=3), A, NUMBER),
    "np.piecewise of a number": sample(lambda a: np.piecewise(a, [a < 0, a >= 0], [np.square, np.exp]), NUMBER),
    "np.piecewise never": sample(lambda a: np.piecewise(a, [a > 9], [np.log, np.square]), A),
    "np.apply_along_axis": sample(lambda a: np.apply_along_axis(np.prod, 1, a), CUBE),
    "np.apply_along_axis to vectors": sample(lambda a: np.apply_along_axis(lambda v: np.cumsum(v)[:2], 1, a), CUBE),
    "np.apply_along_axis to matrices": sample(lambda a: np.apply_along_axis(lambda v, k: np.diag(v, k), 0, a, 1), A),
    "np.apply_over_axes": sample(lambda a: np.apply_over_axes(np.sum, a, [0, -1]), CUBE),
}

NUMBERS = {
    "np.divmod": sample(lambda a, b: np.divmod(a, b)[1], A, P + 0.13),
    "np.modf": sample(lambda a: np.modf(a)[0], CUBE),
    "np.ldexp": sample(np.ldexp, A, np.array([3, -2, 0], np.int8)),
    "np.ldexp by a number": sample(lambda a: np.ldexp(a, 2), A),
    "np.conjugate": sample(np.conjugate, A),
    "np.real": sample(np.real, A),
    "np.real_if_close": sample(np.real_if_close, A),
    "np.full_like": sample(lambda a, b: np.full_like(a, b) * a, A, NUMBER),
    "np.full_like shape": sample(lambda a, b: np.full_like(a, b, shape=(2, 3)) + a, A, B[0]),
    "np.sum of a block": sample(lambda a: np.sum(np.block([[a], [a * a]]), axis=0), A),
}

CALLS = {**BLOCKS, **EDITED, **PARTS, **NUMBERS}
