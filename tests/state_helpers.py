"""What the tests of tn.save and tn.load share: objects to save, exact comparison, and a bound on memory."""

import math
import tracemalloc

import numpy as np

import tinygrad_nuc as tn


def checkpoint():
    """A training run in the middle: weights, what Adam remembers, the generator, and odd values."""
    rng = np.random.default_rng(3)
    return {
        "model": {
            "fc1.weight": tn.Tensor(rng.normal(size=(4, 3)).astype(np.float32)),
            "bn.num_batches_tracked": tn.tensor(7),
        },
        "optimizer": {
            "state": {0: {"step": 12, "exp_avg": tn.Tensor(rng.normal(size=(4, 3)))}, 1: {}},
            "param_groups": [{"lr": 1e-3, "betas": (0.9, 0.999), "amsgrad": False, "params": [0, 1]}],
        },
        "generator": rng.bit_generator.state,
        "history": [0.1 + 0.2, math.inf, -math.inf, math.nan, -0.0, 5e-324],
        "numbers": (2**53 - 1, -(2**53), 10**400, True, None),
        "note": 'η = 2.1\n"{}" \0 \ud800',
        "": [],
        "empty": ({}, (), tn.zeros(0, 3)),
        "mask": tn.tensor([True, False]),
    }


def state():
    """A flat state dict, with every dtype, odd names and odd layouts."""
    kinds = "? i1 i2 i4 i8 u1 u2 u4 u8 f2 f4 f8".split()
    return {
        **{f"layer.{kind}": tn.Tensor(np.array([[0, 1, 0], [1, 0, 1]], kind)) for kind in kinds},
        "file": tn.tensor(3.5),
        "w.npy": tn.zeros(0, 4),
        "η/µ": tn.Tensor(np.arange(6.0).reshape(2, 3).T),
        "strided": tn.Tensor(np.arange(12.0).reshape(3, 4)[::-1, ::2]),
        "special": tn.Tensor(np.array([np.nan, -0.0, np.inf, 5e-324])),
    }


def same(a, b):
    """Whether two objects are equal to the last bit, in types and order too."""
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return list(a) == list(b) and [type(k) for k in a] == [type(k) for k in b] and all(same(a[k], b[k]) for k in a)
    if isinstance(a, (list, tuple)):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, tn.Tensor):
        return a.dtype == b.dtype and a.shape == b.shape and a.data.tobytes() == b.data.tobytes()
    if isinstance(a, float):
        return repr(a) == repr(b)
    return a == b


def load_within_bounds(path):
    """What tn.load gives for a file, or its ValueError; it may not take more memory than the file's size explains."""
    tracemalloc.start()
    try:
        return tn.load(path)
    except ValueError as error:
        assert str(error).startswith(f"{path}: cannot be loaded: "), error
        return error
    finally:
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert peak < 4 * path.stat().st_size + 1_000_000
