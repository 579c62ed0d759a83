"""Operations that treat every element by itself."""

import numpy as np
from hypothesis import strategies as st
from operation_samples.strategies import Sample, elementwise

from tinygrad_nuc.engine.registry import table as ops


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


SAMPLES = {
    ops.Add: Sample(elementwise(2), np.add),
    ops.Subtract: Sample(elementwise(2), np.subtract),
    ops.Multiply: Sample(elementwise(2), np.multiply),
    ops.Divide: Sample(elementwise(2, 0.5, 2.0), np.true_divide),
    ops.Negative: Sample(elementwise(), np.negative),
    ops.Absolute: Sample(elementwise(), np.abs),
    ops.ConstantPower: Sample(elementwise(1, 0.5, 2.0, n=st.sampled_from([-1, 0, 0.5, 1, 2, 3])), lambda a, n: np.exp(n * np.log(a))),
    ops.Power: Sample(elementwise(2, 0.5, 2.0), np.power),
    ops.Exp: Sample(elementwise(), np.exp),
    ops.Expm1: Sample(elementwise(), np.expm1),
    ops.Log: Sample(elementwise(1, 0.5, 2.0), np.log),
    ops.Log1p: Sample(elementwise(1, -0.5, 2.0), np.log1p),
    ops.Sqrt: Sample(elementwise(1, 0.5, 2.0), np.sqrt),
    ops.Sin: Sample(elementwise(), np.sin),
    ops.Cos: Sample(elementwise(), np.cos),
    ops.Tanh: Sample(elementwise(), np.tanh),
    ops.Relu: Sample(elementwise(), lambda a: np.where(a > 0, a, 0)),
    ops.LeakyRelu: Sample(elementwise(slope=st.floats(0, 0.5)), lambda a, slope: np.maximum(a, 0) + slope * np.minimum(a, 0)),
    ops.Elu: Sample(elementwise(alpha=st.floats(0.5, 2)), lambda a, alpha: np.maximum(a, 0) + alpha * (np.exp(np.minimum(a, 0)) - 1)),
    ops.Sigmoid: Sample(elementwise(), sigmoid),
    ops.Softplus: Sample(elementwise(), lambda a: np.log(1 + np.exp(a))),
    ops.Maximum: Sample(elementwise(2), np.maximum),
    ops.Minimum: Sample(elementwise(2), np.minimum),
    ops.Where: Sample(elementwise(3, condition=True), np.where),
    ops.Clamp: Sample(elementwise(low=st.just(-1.0) | st.none(), high=st.just(1.0)), lambda a, low, high: np.clip(a, low, high)),
    ops.Clone: Sample(elementwise(), np.copy),
    ops.Cast: Sample(elementwise(dtype=st.just(np.dtype(np.float64))), lambda a, dtype: a),
    ops.BinaryCrossEntropy: Sample(elementwise(2, 0.1, 0.9), lambda p, t: -np.log(p) * t - np.log1p(-p) * (1 - t)),
}
