"""A linear layer as one operation, and the mask behind a ReLU."""

import numpy as np
from hypothesis import strategies as st
from operation_samples.strategies import Sample, mostly, together, values

from tinygrad_nuc.engine.registry import table as ops


@st.composite
def rows_and_weights(draw):
    n, k, m = (draw(mostly(st.integers(2, 3), st.integers(0, 1))) for _ in range(3))
    return draw(values([(n, k), (m, k), (m,)])), {}


@st.composite
def masks(draw):
    """Numbers, and which of them to keep."""
    shape, = draw(together(1))
    a, kept = draw(values([shape, shape]))
    return [a, kept > 0], {}


SAMPLES = {
    ops.Affine: Sample(rows_and_weights(), lambda x, W, b: np.einsum("nk,mk->nm", x, W) + b),
    ops.Kept: Sample(masks(), lambda a, kept: np.where(kept, a, 0)),
}
