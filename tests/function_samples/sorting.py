"""Values in order of size."""

import numpy as np
from function_samples import CUBE, A, sample

import tinygrad_nuc as tn

V = np.array([0.5, -1.5, 2.0, 0.75])


def descending(a, k=None, axis=-1):
    """Values and positions, the largest first."""
    order = np.flip(np.argsort(a, axis), axis)[..., :k]
    return np.take_along_axis(a, order, axis), order


def nth(a, n, axis):
    order = np.argsort(a, axis)
    place = np.take(order, [n], axis)
    return np.take_along_axis(a, place, axis).squeeze(axis), place.squeeze(axis)


def quantile_calls():
    methods = ("linear", "lower", "higher", "nearest", "midpoint")
    return {
        **{f"np.quantile {m}": sample(lambda a, m=m: np.quantile(a, 0.3, axis=1, method=m), CUBE) for m in methods},
        **{f"tn.quantile {m}": sample(lambda a, m=m: tn.quantile(a, 0.3, dim=1, interpolation=m), CUBE,
                                      reference=lambda a, m=m: np.quantile(a, 0.3, axis=1, method=m)) for m in methods},
    }


CALLS = {
    "np.sort": sample(np.sort, CUBE),
    "np.sort an axis": sample(lambda a: np.sort(a, axis=0), CUBE),
    "np.sort flat": sample(lambda a: np.sort(a, axis=None), CUBE),
    "np.sort nothing": sample(np.sort, np.zeros((2, 0))),
    "tn.sort": sample(tn.sort, CUBE, reference=lambda a: (np.sort(a), np.argsort(a))),
    "tn.sort descending": sample(lambda a: a.sort(dim=1, descending=True), CUBE, reference=lambda a: descending(a, axis=1)),
    "tn.argsort": sample(lambda a: [tn.argsort(a, dim=0), a], A, reference=lambda a: [np.argsort(a, 0), a]),
    "tn.topk": sample(lambda a: tn.topk(a, 2), CUBE, reference=lambda a: descending(a, 2)),
    "tn.topk smallest": sample(lambda a: a.topk(3, dim=-1, largest=False), CUBE, reference=lambda a: (np.sort(a)[..., :3], np.argsort(a)[..., :3])),
    "tn.topk none": sample(lambda a: a.topk(0), A, reference=lambda a: (a[:, :0], np.zeros((2, 0), np.int64))),
    "tn.kthvalue": sample(lambda a: tn.kthvalue(a, 2, dim=1), CUBE, reference=lambda a: nth(a, 1, 1)),
    "np.median": sample(np.median, A),
    "np.median odd": sample(np.median, V[:3]),
    "np.median axis": sample(lambda a: np.median(a, axis=1), CUBE),
    "np.median axes": sample(lambda a: np.median(a, axis=(0, 2), keepdims=True), CUBE),
    "tn.median": sample(tn.median, A, reference=lambda a: np.sort(a, None)[2]),
    "tn.median dim": sample(lambda a: tn.median(a, -1), CUBE, reference=lambda a: nth(a, 1, -1)),
    **quantile_calls(),
    "np.quantile of all": sample(lambda a: np.quantile(a, 0.77), CUBE),
    "np.quantile several": sample(lambda a: np.quantile(a, [0, 0.25, 0.5, 0.9, 1], axis=(0, 2), keepdims=True), CUBE),
    "np.quantile a matrix of them": sample(lambda a: np.quantile(a, [[0.1, 0.2], [0.3, 0.4]], axis=0), CUBE),
    "np.percentile": sample(lambda a: np.percentile(a, 30), CUBE),
    "np.percentile several": sample(lambda a: np.percentile(a, (16, 84), axis=2), CUBE),
    "tn.quantile": sample(lambda a: tn.quantile(a, 0.6), CUBE, reference=lambda a: np.quantile(a, 0.6)),
    "tn.quantile several": sample(lambda a: tn.quantile(a, tn.tensor([0.25, 0.5]), dim=2, keepdim=True), CUBE,
                                  reference=lambda a: np.quantile(a, [0.25, 0.5], axis=2, keepdims=True)),
    "tn.quantile on the device": sample(lambda a, q: tn.quantile(a, q), A, np.array([0, 1]), reference=np.quantile, waits_on_device=True),
}
