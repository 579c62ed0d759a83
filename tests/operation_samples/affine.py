"""A linear layer as one operation, normalisation, the mask behind a ReLU, and the cross-entropy of class numbers."""

import numpy as np
from hypothesis import strategies as st
from operation_samples.strategies import Sample, elementwise, mostly, together, values

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


@st.composite
def channels(draw):
    """Numbers, and the axes over which to normalise them: all but the second as in batch norm, or the last ones."""
    shape = draw(mostly(st.sampled_from([(4, 3), (3, 2, 2), (2, 2, 3)]), st.sampled_from([(3,), (4, 1), (0, 3, 2)])))
    batch = len(shape) > 1 and shape[0] and draw(st.booleans())
    axes = (0, *range(2, len(shape))) if batch else tuple(range(-draw(st.integers(1, len(shape[1:]) or 1)), 0))
    return draw(values([shape])), {"axes": axes, "eps": draw(st.sampled_from([0.1, 1]))}


@st.composite
def scores_and_labels(draw):
    """Scores with the classes along one axis, and a class number for each row, or one to ignore."""
    shape = draw(mostly(st.sampled_from([(4, 3), (3, 4), (2, 3, 2)]), st.sampled_from([(3,), (1, 1), (1, 4)])))
    axis = draw(st.integers(0, len(shape) - 1))
    rest = shape[:axis] + shape[axis + 1:]
    x, = draw(values([shape]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    t = rng.integers(-1, shape[axis], rest)
    return [x, np.asarray(t)], {"axis": axis, "ignored": -1}


def cross_entropy(x, t, axis, ignored):
    x = np.moveaxis(x, axis, -1)
    y = np.zeros(t.shape)
    for i in np.ndindex(t.shape):
        if t[i] != ignored:
            y[i] = -np.log(np.exp(x[i][t[i]]) / np.exp(x[i]).sum())
    return y


SAMPLES = {
    ops.CrossEntropy: Sample(scores_and_labels(), cross_entropy),
    ops.BinaryCrossEntropyWithLogits: Sample(
        elementwise(2), lambda x, t: -t * np.log(1 / (1 + np.exp(-x))) - (1 - t) * np.log(1 - 1 / (1 + np.exp(-x)))),
    ops.Normalise: Sample(
        channels(), lambda x, axes, eps: (x - x.mean(axes, keepdims=True)) / np.sqrt(x.var(axes, keepdims=True) + eps)),
    ops.Affine: Sample(rows_and_weights(), lambda x, W, b: np.einsum("nk,mk->nm", x, W) + b),
    ops.Kept: Sample(masks(), lambda a, kept: np.where(kept, a, 0)),
}
