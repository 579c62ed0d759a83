"""Operations that reduce, rearrange and pick."""

import numpy as np
from operation_samples.strategies import (
    ALONG,
    NOT_EMPTY,
    WITH_AXES,
    Sample,
    add_at,
    adding_at,
    broadcasting,
    factors,
    indexing,
    joining,
    permuting,
    reduction,
    reshaping,
)

from tinygrad_nuc.engine.registry import table as ops


def softmax(a, axis):
    return np.exp(a) / np.exp(a).sum(axis, keepdims=True)


def sums_so_far(a, axis):
    return np.stack([a.take(range(i + 1), axis).sum(axis) for i in range(a.shape[axis])], axis) if a.size else a


def product(a):
    y = np.ones(a.shape[:-1])
    for i in range(a.shape[-1]):
        y = y * a[..., i]
    return y


SAMPLES = {
    ops.Sum: Sample(reduction(), np.sum),
    ops.Amax: Sample(reduction(NOT_EMPTY), np.max),
    ops.Amin: Sample(reduction(NOT_EMPTY), np.min),
    ops.LogSumExp: Sample(reduction(NOT_EMPTY), lambda a, axis, keepdims: np.log(np.sum(np.exp(a), axis=axis, keepdims=keepdims))),
    ops.Softmax: Sample(reduction(ALONG, one=True, keepdims=False), softmax),
    ops.LogSoftmax: Sample(reduction(ALONG, one=True, keepdims=False), lambda a, axis: np.log(softmax(a, axis))),
    ops.Cumsum: Sample(reduction(WITH_AXES, one=True, keepdims=False), sums_so_far),
    ops.Reshape: Sample(reshaping(), lambda a, shape: np.array(a.ravel().tolist()).reshape(shape)),
    ops.Permute: Sample(permuting(), lambda a, axes: np.einsum(a, range(a.ndim), [i % a.ndim for i in axes])),
    ops.BroadcastTo: Sample(broadcasting(), lambda a, shape: a * np.ones(shape)),
    ops.Index: Sample(indexing(), lambda a, index: a[index]),
    ops.IndexAdd: Sample(adding_at(), add_at),
    ops.Concatenate: Sample(joining(), lambda *arrays, axis, starts: np.concatenate(arrays, axis)),
    ops.Prod: Sample(factors(), product),
}
