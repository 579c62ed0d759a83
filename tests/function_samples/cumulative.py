"""Values accumulated along a dimension: sums, products, extremes, differences, integrals."""

import numpy as np
from function_samples import CUBE, SQUARE, A, B, P, sample

import tinygrad_nuc as tn

V = np.array([0.5, -1.5, 2.0, 0.75])
WITH_ZEROS = np.array([[2.0, 0.0, -1.5, 3.0], [0.0, 0.5, 0.0, 2.0], [1.5, -2.0, 0.5, 0.25]])
POINTS = np.array([0.0, 0.5, 2.0, 2.25])


def largest_so_far(a, axis):
    values = np.maximum.accumulate(a, axis)
    own = np.arange(a.shape[axis]).reshape([-1 if i == axis else 1 for i in range(a.ndim)])
    return values, np.maximum.accumulate(np.where(a == values, own, 0), axis)


def smallest_so_far(a, axis):
    values, indices = largest_so_far(-a, axis)
    return -values, indices


CALLS = {
    "np.cumsum": sample(np.cumsum, A),
    "np.cumsum axis": sample(lambda a: np.cumsum(a, axis=1), CUBE),
    "tn.cumsum": sample(lambda a: tn.cumsum(a, -1), CUBE, reference=lambda a: np.cumsum(a, -1)),
    "np.prod": sample(np.prod, SQUARE),
    "np.prod axis": sample(lambda a: np.prod(a, axis=1), CUBE),
    "np.prod axes": sample(lambda a: np.prod(a, axis=(0, -1), keepdims=True), CUBE),
    "np.prod no axes": sample(lambda a: np.prod(a, axis=()), A),
    "np.prod of a number": sample(np.prod, np.array(1.5)),
    "np.prod of nothing": sample(lambda a: np.prod(a, axis=1), np.zeros((2, 0, 3))),
    "np.prod of one": sample(lambda a: np.prod(a, axis=0), A[:1]),
    "np.prod with zeros": sample(lambda a: np.prod(a, axis=1), WITH_ZEROS),
    "tn.prod": sample(lambda a: tn.prod(a, 1, keepdim=True), WITH_ZEROS, reference=lambda a: np.prod(a, 1, keepdims=True)),
    "tn.prod of all": sample(lambda a: a.prod(), A, reference=np.prod),
    "np.cumprod": sample(np.cumprod, A),
    "np.cumprod axis": sample(lambda a: np.cumprod(a, axis=0), CUBE),
    "np.cumprod of nothing": sample(lambda a: np.cumprod(a, axis=1), np.zeros((2, 0))),
    "np.cumprod of one": sample(lambda a: np.cumprod(a, axis=1), A[:, :1]),
    "tn.cumprod": sample(lambda a: tn.cumprod(a, 1), WITH_ZEROS, reference=lambda a: np.cumprod(a, 1)),
    "tn.cummax": sample(lambda a: tn.cummax(a, 2), CUBE, reference=lambda a: largest_so_far(a, 2)),
    "tn.cummin": sample(lambda a: tn.cummin(a, 1), CUBE, reference=lambda a: smallest_so_far(a, 1)),
    "tn.cummax of nothing": sample(lambda a: a.cummax(0), np.zeros((0, 2)), reference=lambda a: (a, a.astype(np.int64))),
    "np.diff": sample(np.diff, CUBE),
    "np.diff twice": sample(lambda a: np.diff(a, 2, axis=1), CUBE),
    "np.diff with ends": sample(lambda a, b: np.diff(a, axis=1, prepend=b, append=a), A, B),
    "np.diff with numbers": sample(lambda a: np.diff(a, axis=0, prepend=0, append=1.5), A),
    "np.diff more than there is": sample(lambda a: np.diff(a, 5), A),
    "np.ediff1d": sample(np.ediff1d, A),
    "np.ediff1d with ends": sample(lambda a, b: np.ediff1d(a, to_begin=b, to_end=[1.0, 2.0]), A, B),
    "tn.diff": sample(lambda a: tn.diff(a, dim=0), CUBE, reference=lambda a: np.diff(a, axis=0)),
    "tn.diff with ends": sample(lambda a, b: a.diff(2, 1, b, b), A, B, reference=lambda a, b: np.diff(a, 2, 1, b, b)),
    "tn.diff not at all": sample(lambda a: tn.diff(a, 0), A, reference=np.copy),
    "np.trapezoid": sample(np.trapezoid, CUBE),
    "np.trapezoid dx": sample(lambda a: np.trapezoid(a, dx=0.25, axis=0), CUBE),
    "np.trapezoid points": sample(lambda a, x: np.trapezoid(a, x), CUBE, POINTS),
    "np.trapezoid points along an axis": sample(lambda a, x: np.trapezoid(a, x, axis=1), CUBE, POINTS[:3]),
    "np.trapezoid points of the same shape": sample(lambda a, x: np.trapezoid(a, x=x, axis=0), A, P),
    "np.trapezoid points in a list": sample(lambda a: np.trapezoid(a, [0, 1, 3]), A),
    "tn.trapezoid": sample(lambda a, x: tn.trapezoid(a, x, dim=-1), CUBE, POINTS, reference=np.trapezoid),
    "tn.trapezoid dx": sample(lambda a: tn.trapezoid(a, dx=2), V, reference=lambda a: np.trapezoid(a, dx=2)),
}
