"""Layers as functions: convolution, pooling, normalisation, dropout, embedding."""

import numpy as np
from function_samples import CUBE, A, sample

import tinygrad_nuc as tn
from tinygrad_nuc.nn import functional as F

IMAGES = np.random.default_rng(1).permutation(2 * 4 * 5 * 4).reshape(2, 4, 5, 4) / 80.0 - 0.983
WEIGHTS = np.random.default_rng(2).permutation(2 * 4 * 2 * 3).reshape(2, 4, 2, 3) / 24.0 - 0.77
BIAS = np.array([0.3, -0.8])
CHANNELS = np.array([0.7, -1.3, 0.2, 1.9]), np.array([-0.4, 0.6, 1.1, 0.1])
MEANS, VARIANCES = np.array([0.1, -0.2, 0.3, 0.5]), np.array([0.5, 1.5, 0.9, 2.0])
ROWS = np.array([[2, 0, 1], [1, 1, 2]])


def convolved(a, w, b, stride=1, before=(0, 0), after=(0, 0), dilation=1):
    """Window by window; `before` and `after` are the zeros added to rows and columns."""
    a = np.pad(a, [(0, 0), (0, 0), *zip(before, after, strict=True)])
    spans = [(n - 1) * dilation + 1 for n in w.shape[2:]]
    rows, columns = (range(0, n - span + 1, stride) for n, span in zip(a.shape[2:], spans, strict=True))
    return np.stack([np.stack([np.einsum("ncpq,ocpq->no", a[:, :, i:i + spans[0]:dilation, j:j + spans[1]:dilation], w)
                               for j in columns], -1) for i in rows], -2) + b[:, None, None]


def pooled(reduce, a, size, stride, padding, dilation=1):
    """Window by window; padding and what lies beyond the end is NaN, which `reduce` leaves out."""
    a = np.pad(a, [(0, 0), (0, 0), (padding, padding + stride), (padding, padding + stride)], constant_values=np.nan)
    span = (size - 1) * dilation + 1
    rows, columns = (range(0, n - padding - stride, stride) for n in a.shape[2:])
    a = np.pad(a, [(0, 0), (0, 0), (0, span), (0, span)], constant_values=np.nan)
    return np.stack([np.stack([reduce(a[:, :, i:i + span:dilation, j:j + span:dilation], axis=(2, 3)) for j in columns], -1)
                     for i in rows], -2)


def normalised(a, axes, eps=1e-5):
    return (a - a.mean(axes, keepdims=True)) / np.sqrt(a.var(axes, keepdims=True) + eps)


def dropped(a, p, *shape):
    """What `dropout` drops after the seed 3."""
    return a * (np.random.default_rng(3).random(shape or a.shape, np.float32) >= p) / (1 - p)


def seeded(function):
    """The function with the same random numbers in every call."""
    def call(*arrays):
        tn.manual_seed(3)
        return function(*arrays)
    return call


CALLS = {
    "F.conv2d": sample(F.conv2d, IMAGES, WEIGHTS, BIAS, reference=convolved),
    "F.conv2d with everything": sample(lambda a, w, b: F.conv2d(a, w, b, 2, (2, 1), 2), IMAGES, WEIGHTS, BIAS,
                                       reference=lambda a, w, b: convolved(a, w, b, 2, (2, 1), (2, 1), 2)),
    "F.conv2d same": sample(lambda a, w, b: F.conv2d(a, w, b, padding="same"), IMAGES, WEIGHTS, BIAS,
                            reference=lambda a, w, b: convolved(a, w, b, 1, (0, 1), (1, 1))),
    "F.conv2d valid": sample(lambda a, w: F.conv2d(a, w, padding="valid"), IMAGES, WEIGHTS, reference=lambda a, w: convolved(a, w, 0 * BIAS)),
    "F.conv2d groups": sample(lambda a, w, b: F.conv2d(a, w, b, groups=2), IMAGES, WEIGHTS[:, :2], BIAS,
                              reference=lambda a, w, b: np.concatenate([convolved(a[:, :2], w[:1], b[:1]), convolved(a[:, 2:], w[1:], b[1:])], 1)),
    "F.conv2d one image": sample(lambda a, w, b: F.conv2d(a, w, b), IMAGES[0], WEIGHTS, BIAS,
                                 reference=lambda a, w, b: convolved(a[None], w, b)[0]),
    "F.max_pool2d": sample(lambda a: F.max_pool2d(a, 2), IMAGES, reference=lambda a: pooled(np.nanmax, a[:, :, :4], 2, 2, 0)),
    "F.max_pool2d with everything": sample(lambda a: F.max_pool2d(a, 2, 2, 1, 2, ceil_mode=True), IMAGES,
                                           reference=lambda a: pooled(np.nanmax, a, 2, 2, 1, 2)[:, :, :3, :3]),
    "F.max_pool2d overlapping": sample(lambda a: F.max_pool2d(a, (2, 2), (1, 1)), IMAGES[0],
                                       reference=lambda a: pooled(np.nanmax, a[None], 2, 1, 0)[0, :, :4, :3]),
    "F.avg_pool2d": sample(lambda a: F.avg_pool2d(a, 2), IMAGES, reference=lambda a: pooled(np.nanmean, a[:, :, :4], 2, 2, 0)),
    "F.avg_pool2d inside": sample(lambda a: F.avg_pool2d(a, 3, 2, 1, ceil_mode=True, count_include_pad=False), IMAGES,
                                  reference=lambda a: pooled(np.nanmean, a, 3, 2, 1)[:, :, :3, :3]),
    "F.avg_pool2d divided": sample(lambda a: F.avg_pool2d(a, 3, 2, 1, divisor_override=5), IMAGES[0],
                                   reference=lambda a: pooled(np.nansum, a[None], 3, 2, 1)[0, :, :3, :2] / 5),
    "F.batch_norm training": sample(lambda a, w, b: F.batch_norm(a, None, None, w, b, training=True), IMAGES, *CHANNELS,
                                    reference=lambda a, w, b: normalised(a, (0, 2, 3)) * w[:, None, None] + b[:, None, None]),
    "F.batch_norm of vectors": sample(lambda a: F.batch_norm(a, None, None, training=True, eps=0.1), IMAGES[:, :, 0, 0],
                                      reference=lambda a: normalised(a, 0, 0.1)),
    "F.batch_norm evaluation": sample(lambda a, w, b, m, v: F.batch_norm(a, m, v, w, b), CUBE.reshape(2, 4, 3), *CHANNELS, MEANS, VARIANCES,
                                      reference=lambda a, w, b, m, v: (a - m[:, None]) / np.sqrt(v[:, None] + 1e-5) * w[:, None] + b[:, None]),
    "F.layer_norm": sample(lambda a, w, b: F.layer_norm(a, 4, w, b), CUBE, *CHANNELS, reference=lambda a, w, b: normalised(a, -1) * w + b),
    "F.layer_norm two dimensions": sample(lambda a: F.layer_norm(a, (3, 4), eps=0.1), CUBE, reference=lambda a: normalised(a, (1, 2), 0.1)),
    "F.dropout": sample(seeded(lambda a: F.dropout(a, 0.4)), A, reference=lambda a: dropped(a, 0.4)),
    "F.dropout everything": sample(lambda a: F.dropout(a, 1.0), A, reference=np.zeros_like),
    "F.dropout nothing": sample(lambda a: F.dropout(a, 0.4, training=False) * 1, A, reference=np.copy),
    "F.dropout2d": sample(seeded(F.dropout2d), IMAGES, reference=lambda a: dropped(a, 0.5, 2, 4, 1, 1)),
    "F.embedding": sample(lambda w, i: F.embedding(i, w), A.T, ROWS, reference=lambda w, i: w[i]),
}
