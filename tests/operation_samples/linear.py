"""Matrix products, linear equations, windows."""

import numpy as np
from operation_samples.strategies import Sample, products

from tinygrad_nuc.engine.registry import table as ops

SAMPLES = {
    ops.MatMul: Sample(products(), lambda a, b: np.einsum("...nk,...km->...nm", a, b)),
}
