"""Operations that are fused for speed equal what they are made of."""

import numpy as np
import pytest

import tinygrad_nuc as tn
from tinygrad_nuc.nn import functional as F
from tinygrad_nuc.operations.activations import Kept
from tinygrad_nuc.operations.affine import Affine


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("n", "k", "m"), [(200, 10, 100), (7, 5, 1), (1, 3, 4), (3, 0, 2), (0, 3, 2)])
def test_affine_equals_product_and_sum(n, k, m, dtype):
    rng = np.random.default_rng(0)
    arrays = [rng.normal(size=shape).astype(dtype) for shape in ((n, k), (m, k), (m,))]
    seed = rng.normal(size=(n, m)).astype(dtype)
    results = []
    for layer in (Affine.apply, lambda x, W, b: x @ W.T + b):
        inputs = [tn.tensor(a, requires_grad=True) for a in arrays]
        y = layer(*inputs)
        results.append([y, *tn.grad(y, inputs, tn.tensor(seed))])
    for fused, parts in zip(*results, strict=True):
        assert fused.dtype == parts.dtype == dtype
        np.testing.assert_allclose(fused.numpy(), parts.numpy(), rtol=0, atol=1e-12 if dtype == np.float64 else 1e-4)
    np.testing.assert_array_equal(results[0][0].numpy(), F.linear(*map(tn.tensor, arrays)).numpy())


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble])
def test_what_is_not_kept_is_zero_whatever_it_was(dtype):
    a = np.array([1.5, -2.0, np.inf, -np.inf, np.nan, np.inf, -0.0, 5e-324], dtype)
    kept = np.array([True, False, True, False, False, False, True, True])
    y = Kept.apply(a, kept)
    assert y.dtype == dtype
    np.testing.assert_array_equal(y, np.where(kept, a, 0))
    assert Kept.apply(a[:2, None], kept).shape == (2, 8) and Kept.apply(a.reshape(2, 4).T, kept.reshape(2, 4).T).tolist()[1] == [0, 0]


def test_the_slope_behind_a_relu_may_be_infinite_or_a_number():
    x = tn.tensor([-1.0, 4.0], dtype=tn.float64, requires_grad=True)
    with np.errstate(divide="ignore"):
        assert tn.grad(tn.sqrt(tn.relu(x)).sum(), x)[0].tolist() == [0.0, 0.25]
    point = tn.tensor(3.0, requires_grad=True)              # its gradient is a NumPy number, not an array
    slope = tn.grad(tn.relu(point) ** 2, point)[0]
    assert slope.item() == 6.0 and slope.dtype == np.float32
