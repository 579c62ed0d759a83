"""Numbers brought to mean 0 and variance 1: what batch norm and layer norm have in common."""

import numpy as np

from ..engine.operation import Operation
from ..engine.tensor import Tensor


class Normalise(Operation):
    """y = (x − μ) / √(σ² + eps), with mean μ and variance σ² of x over the axes

    Whoever has computed the `moments` of x already gives them as `known`. They are numbers without a history, so a
    rule that is itself recorded, for second derivatives, computes them again from x.
    """
    def forward(x, *, axes, eps, known=None):
        mean, variance = known or moments(x, axes)
        return (x - mean) / np.sqrt(variance + eps)

    def grad_x(g, y, x, *, axes, eps, known=None):                      # (g − ⟨g⟩ − y ⟨g y⟩) / √(σ² + eps)
        _, variance = moments(x, axes) if known is None or isinstance(x, Tensor) else known
        mean_g, mean_gy = (np.mean(a, axis=axes, keepdims=True) for a in (g, g * y))
        return (g - mean_g - y * mean_gy) / np.sqrt(variance + eps)


def moments(x, axes):
    """Mean μ and variance σ² = ⟨(x − μ)²⟩ over the axes, which stay as axes of length 1."""
    mean = np.mean(x, axis=axes, keepdims=True)
    deviation = x - mean                        # ⟨x²⟩ − μ² would lose its digits where μ is large
    return mean, np.mean(deviation * deviation, axis=axes, keepdims=True)
