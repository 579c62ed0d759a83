"""Operations that treat every element by itself."""

import math

import numpy as np
from hypothesis import strategies as st
from operation_samples.strategies import Sample, elementwise, mostly

from tinygrad_nuc.engine.registry import table as ops


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def away_from_jumps(sample):
    """Whether no a/b is near a whole number, where a remainder jumps."""
    (a, b), _ = sample
    return np.all(np.abs(a / b - np.rint(a / b)) > 1e-3)


SAMPLES = {
    ops.Add: Sample(elementwise(2), np.add),
    ops.Subtract: Sample(elementwise(2), np.subtract),
    ops.Multiply: Sample(elementwise(2), np.multiply),
    ops.Divide: Sample(elementwise(2, 0.5, 2.0), np.true_divide),
    ops.Negative: Sample(elementwise(), np.negative),
    ops.Absolute: Sample(elementwise(), np.abs),
    ops.ConstantPower: Sample(elementwise(1, 0.5, 2.0, n=st.sampled_from([-1, 0, 0.5, 1, 2, 3])), lambda a, n: np.exp(n * np.log(a))),
    ops.Power: Sample(elementwise(2, 0.5, 2.0), np.power),
    ops.Remainder: Sample(elementwise(2, 0.5, 2.0).filter(away_from_jumps), lambda a, b: a - b * np.floor(a / b)),
    ops.Fmod: Sample(elementwise(2, 0.5, 2.0).filter(away_from_jumps), lambda a, b: a - b * np.trunc(a / b)),
    ops.Copysign: Sample(elementwise(2), lambda a, b: np.abs(a) * np.where(b > 0, 1, -1)),
    ops.Exp: Sample(elementwise(), np.exp),
    ops.Expm1: Sample(elementwise(), np.expm1),
    ops.Log: Sample(elementwise(1, 0.5, 2.0), np.log),
    ops.Log1p: Sample(elementwise(1, -0.5, 2.0), np.log1p),
    ops.Exp2: Sample(elementwise(), lambda a: np.power(2.0, a)),
    ops.Log2: Sample(elementwise(1, 0.5, 2.0), lambda a: np.log(a) / np.log(2)),
    ops.Log10: Sample(elementwise(1, 0.5, 2.0), lambda a: np.log(a) / np.log(10)),
    ops.Logaddexp: Sample(elementwise(2), lambda a, b: np.log(np.exp(a) + np.exp(b))),
    ops.Sqrt: Sample(elementwise(1, 0.5, 2.0), np.sqrt),
    ops.Cbrt: Sample(elementwise(1, 0.5, 2.0), lambda a: a ** (1 / 3)),
    ops.Erf: Sample(elementwise(), lambda a: np.reshape([math.erf(x) for x in a.ravel()], a.shape)),
    ops.Erfc: Sample(elementwise(), lambda a: np.reshape([math.erfc(x) for x in a.ravel()], a.shape)),
    ops.Sin: Sample(elementwise(), np.sin),
    ops.Cos: Sample(elementwise(), np.cos),
    ops.Tan: Sample(elementwise(1, -1.3, 1.3), lambda a: np.sin(a) / np.cos(a)),
    ops.Arcsin: Sample(elementwise(1, -0.9, 0.9), np.arcsin),
    ops.Arccos: Sample(elementwise(1, -0.9, 0.9), np.arccos),
    ops.Arctan: Sample(elementwise(), np.arctan),
    ops.Arctan2: Sample(elementwise(2, 0.3, 2.0), lambda a, b: np.angle(b + 1j * a)),
    ops.Hypot: Sample(elementwise(2, 0.3, 2.0), lambda a, b: np.sqrt(a * a + b * b)),
    ops.Sinc: Sample(elementwise(), lambda a: np.sin(np.pi * a) / (np.pi * a)),
    ops.Sinh: Sample(elementwise(), lambda a: (np.exp(a) - np.exp(-a)) / 2),
    ops.Cosh: Sample(elementwise(), lambda a: (np.exp(a) + np.exp(-a)) / 2),
    ops.Tanh: Sample(elementwise(), np.tanh),
    ops.Arcsinh: Sample(elementwise(), lambda a: np.log(a + np.sqrt(a * a + 1))),
    ops.Arccosh: Sample(elementwise(1, 1.2, 3.0), lambda a: np.log(a + np.sqrt(a * a - 1))),
    ops.Arctanh: Sample(elementwise(1, -0.9, 0.9), lambda a: np.log((1 + a) / (1 - a)) / 2),
    ops.Relu: Sample(elementwise(), lambda a: np.where(a > 0, a, 0)),
    ops.LeakyRelu: Sample(elementwise(slope=mostly(st.sampled_from([-0.3, 0.2]), st.floats(-0.5, 0.5))), lambda a, slope: np.maximum(a, 0) + slope * np.minimum(a, 0)),
    ops.Elu: Sample(elementwise(alpha=mostly(st.sampled_from([-0.4, 0.5]), st.floats(-2, 2))), lambda a, alpha: np.maximum(a, 0) + alpha * (np.exp(np.minimum(a, 0)) - 1)),
    ops.Sigmoid: Sample(elementwise(), sigmoid),
    ops.Softplus: Sample(elementwise(), lambda a: np.log(1 + np.exp(a))),
    ops.Maximum: Sample(elementwise(2), np.maximum),
    ops.Minimum: Sample(elementwise(2), np.minimum),
    ops.Where: Sample(elementwise(3, condition=True), np.where),
    ops.Clone: Sample(elementwise(), np.copy),
    ops.Cast: Sample(elementwise(dtype=st.just(np.dtype(np.float64))), lambda a, dtype: a),
    ops.BinaryCrossEntropy: Sample(elementwise(2, 0.1, 0.9), lambda p, t: -np.log(p) * t - np.log1p(-p) * (1 - t)),
}
