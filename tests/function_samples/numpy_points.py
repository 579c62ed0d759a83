"""Functions known at points: ranges, interpolation, slopes, convolution, polynomials, angles."""

import numpy as np
from function_samples import CUBE, A, B, sample

from tinygrad_nuc.operations import sampled

V = np.array([0.5, -1.5, 2.0, 0.75])
START, STOP = np.array(0.3), np.array(1.7)
POINTS, VALUES = np.array([-1.0, 0.1, 0.6, 2.1]), np.array([0.4, -0.3, 1.5, 0.2])
WANTED = np.array([[-2.0, -0.4, 0.3], [0.55, 1.9, 3.0]])
ANGLES = np.array([[0.1, 2.8, -2.9, -0.3, 3.0], [3.1, -3.1, 0.2, 2.9, -2.8]])

RANGES = {
    "np.linspace": sample(lambda a, b: np.linspace(a, b, 5), START, STOP),
    "np.linspace of vectors": sample(lambda a, b: np.linspace(a, b, 4, axis=1), A, B),
    "np.linspace without its end": sample(lambda a: np.linspace(0, a, 4, endpoint=False), STOP),
    "np.linspace one point": sample(lambda a, b: np.linspace(a, b, 1) + 0 * b, START, STOP),
}

LINES = {
    "np.interp": sample(np.interp, WANTED, POINTS, VALUES),
    "np.interp in an array": sample(lambda x: np.interp(x, POINTS.tolist(), VALUES.tolist()), WANTED),
    "np.interp values": sample(lambda fp: np.interp([-2.0, 0.2, 0.3, 5.0], [0.0, 0.3, 2.0, 4.0], fp), VALUES),
    "np.interp at points": sample(lambda x, fp: np.interp(np.concatenate([x, x]), [-1.5, 0.5, 0.75, 2.0], fp)[:4] + x, np.sort(V) + 1e-3, VALUES),
    "np.interp outside": sample(lambda x, fp: np.interp(x, POINTS.tolist(), fp, left=7.5, right=fp[1]), WANTED, VALUES),
    "np.interp a number": sample(lambda x: np.interp(x, [0.0, 1.0], [3.0, 5.0]), START),
    "np.interp one point": sample(lambda x, fp: np.interp(x, [0.0], fp) + x, WANTED, VALUES[:1]),
    "np.gradient": sample(np.gradient, CUBE),
    "np.gradient of a vector": sample(np.gradient, V),
    "np.gradient spacing": sample(lambda a: np.gradient(a, 0.5, axis=-1), CUBE),
    "np.gradient spacings": sample(lambda a: np.gradient(a, 0.5, 2.0), B),
    "np.gradient recorded spacing": sample(lambda a, h: np.gradient(a, h, axis=1), B, STOP),
    "np.gradient coordinates": sample(lambda a, x: np.gradient(a, x, axis=2), CUBE, POINTS),
    "np.gradient coordinates, both ends": sample(lambda a, x: np.gradient(a, x, axis=2, edge_order=2), CUBE, POINTS),
    "np.gradient both ends": sample(lambda a: np.gradient(a, edge_order=2, axis=1), CUBE),
    "np.gradient two points": sample(lambda a: np.gradient(a, 0.1, axis=0), A),
    "np.gradient of an array": sample(lambda x: np.gradient(VALUES.tolist(), x), POINTS),
    "np.trapezoid of np.gradient": sample(lambda a, x: np.trapezoid(np.gradient(a, x), x), V, POINTS),
    "np.convolve": sample(np.convolve, V, VALUES[:3]),
    **{f"np.convolve {mode} {n}": sample(lambda a, b, mode=mode: np.convolve(a, b, mode), V, ANGLES[0, :n])
       for mode in ("full", "same", "valid") for n in (1, 2, 3, 4, 5)},
    **{f"np.correlate {mode} {n}": sample(lambda a, b, mode=mode: np.correlate(a, b, mode), V, ANGLES[0, :n])
       for mode in ("full", "same", "valid") for n in (1, 2, 3, 4, 5)},
    "np.correlate": sample(np.correlate, ANGLES[0], V),
    "np.convolve with a list": sample(lambda a: np.convolve([0.5, 1.0, 0.5], a, "same"), V),
}

POWERS = {
    "np.polyval": sample(np.polyval, VALUES, WANTED),
    "np.polyval by a list": sample(lambda x: np.polyval([2, 0.5, -1], x), WANTED),
    "np.polyval at numbers": sample(lambda p: np.polyval(p, [0.5, 2.0]), VALUES),
    "np.vander": sample(np.vander, VALUES),
    "np.vander increasing": sample(lambda x: np.vander(x, 3, increasing=True), np.append(VALUES, 0.0)),
    "tn.vander": sample(lambda x: sampled.vander(x, 3), VALUES, reference=lambda x: np.vander(x, 3)),
    "np.unwrap": sample(np.unwrap, ANGLES),
    "np.unwrap axis": sample(lambda a: np.unwrap(a, axis=0), ANGLES),
    "np.unwrap period": sample(lambda a: np.unwrap(a, 1.5, period=2), ANGLES),
}

CALLS = {**RANGES, **LINES, **POWERS}
