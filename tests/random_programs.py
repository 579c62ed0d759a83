"""Random programs: graphs of 5 to 30 operations that share, broadcast, pick and repeat values.

A program is a list of steps, each a function of earlier values. It is built by running it on arrays: a step whose result
is not finite, large, or near a kink is drawn anew. The same steps then run on Tensors.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

import tinygrad_nuc as tn
from tinygrad_nuc.engine.registry import table as ops

SHAPES = [(), (1,), (3,), (2, 1), (1, 3), (2, 3), (2, 2, 3)]


class Step(NamedTuple):
    name: str
    function: Callable                      # of arrays or of Tensors
    inputs: tuple[int, ...]                 # positions of earlier values


class Kind(NamedTuple):
    """A kind of step: `make(rng, *arrays)` gives its function, or None if these arrays do not suit it."""

    make: Callable
    count: int = 1
    margin: Callable | None = None          # of the arrays: how far the nearest kink is


def plain(function, count=1, margin=None):
    return Kind(lambda rng, *arrays: function, count, margin)


def an_axis(rng, a):
    return int(rng.integers(-a.ndim, a.ndim)) if a.ndim else None


def along_an_axis(function, margin=None):
    def make(rng, a):
        axis = an_axis(rng, a)
        keepdims = bool(rng.integers(2))
        return None if axis is None else lambda x: function(x, axis=axis, keepdims=keepdims)
    return Kind(make, 1, margin)


def gap(a):
    """The smallest difference between two of the values."""
    return np.min(np.diff(np.sort(np.ravel(a)))) if a.size > 1 else np.inf


def picking(rng, a):
    """A slice, a reversed axis, repeated positions, or a new axis."""
    if not a.ndim:
        return lambda x: x[None]
    n = a.shape[0]
    positions = rng.integers(-n, n, size=rng.integers(1, 5))
    index = [(slice(None, None, -1),), (positions,), (Ellipsis, None), (int(positions[0]),), (slice(int(rng.integers(n)), None),),
             (rng.permutation(n), Ellipsis, None)][rng.integers(6)]
    return lambda x: x[index]


def reshaping(rng, a):
    shape = [(-1,), (*a.shape, 1), a.shape[::-1], (1, -1)][rng.integers(4)]
    return lambda x: np.reshape(x, shape)


def transposing(rng, a):
    axes = tuple(int(i) for i in rng.permutation(a.ndim))
    return lambda x: np.transpose(x, axes)


def repeating(rng, a):
    shape = (int(rng.integers(1, 3)), *a.shape)
    return lambda x: np.broadcast_to(x, shape)


def joining(rng, a, b):
    if a.ndim == 0 or a.ndim != b.ndim or a.shape[1:] != b.shape[1:]:
        return None
    return lambda x, y: np.concatenate([x, y, x])


def stacking(rng, a, b):
    return (lambda x, y: np.stack([y, x], axis=-1)) if a.shape == b.shape else None


def beside(x, array):
    """The array where `x` is: a tensor on the device, say."""
    return tn.as_tensor(array, device=x.device) if isinstance(x, tn.Tensor) else array


def choosing(rng, a, b):
    try:
        mask = rng.integers(2, size=np.broadcast_shapes(a.shape, b.shape)) == 1
    except ValueError:
        return None
    return lambda x, y: np.where(beside(x, mask), x, y)


def multiplying(rng, a, b):
    return np.matmul if a.ndim and b.ndim and a.shape[-1] == b.shape[-2 if b.ndim > 1 else -1] else None


def summing_products(rng, a, b):
    return (lambda x, y: np.einsum("...i,...i->...", x, y)) if a.ndim and b.ndim and a.shape[-1] == b.shape[-1] else None


KINDS = {
    "sin": plain(np.sin), "tanh": plain(np.tanh), "exp": plain(lambda x: np.exp(x / 4)), "square": plain(np.square),
    "sigmoid": plain(ops.Sigmoid.apply), "softplus": plain(ops.Softplus.apply), "arctan": plain(np.arctan),
    "log": plain(lambda x: np.log(x * x + 0.5)), "sqrt": plain(lambda x: np.sqrt(x * x + 0.2)), "erf": plain(ops.Erf.apply),
    "cosh": plain(lambda x: np.cosh(x / 4)), "negative": plain(np.negative), "cube": plain(lambda x: (x / 3) ** 3),
    "scale": plain(lambda x: 0.7 * x - 0.2), "reciprocal": plain(lambda x: 1 / (1.5 + np.sin(x))),
    "absolute": plain(np.absolute, 1, lambda a: np.min(np.abs(a))), "relu": plain(ops.Relu.apply, 1, lambda a: np.min(np.abs(a))),
    "clip": plain(lambda x: np.clip(x, -0.5, 0.8), 1, lambda a: min(np.min(np.abs(a + 0.5)), np.min(np.abs(a - 0.8)))),
    "elu": plain(lambda x: ops.Elu.apply(x, alpha=0.8), 1, lambda a: np.min(np.abs(a))),
    "add": plain(np.add, 2), "subtract": plain(np.subtract, 2), "multiply": plain(np.multiply, 2),
    "divide": plain(lambda x, y: x / (1 + y * y), 2), "power": plain(lambda x, y: (x * x + 0.5) ** np.tanh(y), 2),
    "arctan2": plain(np.arctan2, 2, lambda a, b: np.min(np.hypot(a, b))), "hypot": plain(np.hypot, 2, lambda a, b: np.min(np.hypot(a, b))),
    "maximum": plain(np.maximum, 2, lambda a, b: np.min(np.abs(a - b))), "minimum": plain(np.minimum, 2, lambda a, b: np.min(np.abs(a - b))),
    "where": Kind(choosing, 2), "matmul": Kind(multiplying, 2), "einsum": Kind(summing_products, 2),
    "concatenate": Kind(joining, 2), "stack": Kind(stacking, 2),
    "sum": along_an_axis(np.sum), "mean": along_an_axis(np.mean), "var": along_an_axis(np.var), "prod": along_an_axis(np.prod),
    "max": along_an_axis(np.max, gap), "min": along_an_axis(np.min, gap), "logsumexp": along_an_axis(ops.LogSumExp.apply),
    "softmax": Kind(lambda rng, a: (lambda x: ops.Softmax.apply(x, axis=-1)) if a.ndim else None),
    "norm": Kind(lambda rng, a: np.linalg.norm, 1, lambda a: np.sqrt(np.sum(a * a))),
    "cumsum": Kind(lambda rng, a: (lambda x: np.cumsum(x, axis=-1)) if a.ndim else None),
    "sort": Kind(lambda rng, a: (lambda x: np.sort(x, axis=-1)) if a.ndim else None, 1, gap),
    "pad": Kind(lambda rng, a: (lambda x: np.pad(x, 1)) if a.ndim == 1 else None), "flip": plain(np.flip),
    "pick": Kind(picking), "reshape": Kind(reshaping), "transpose": Kind(transposing), "repeat": Kind(repeating),
    "roll": plain(lambda x: np.roll(x, 1)),
}


class Program(NamedTuple):
    inputs: list[np.ndarray]
    steps: list[Step]

    def run(self, inputs):
        """The values that nothing else was computed from."""
        values = list(inputs)
        for step in self.steps:
            values.append(step.function(*(values[i] for i in step.inputs)))
        used = {i for step in self.steps for i in step.inputs}
        return [value for i, value in enumerate(values) if i not in used and i >= len(inputs)]

    def __str__(self):
        names = [f"x{i}" for i in range(len(self.inputs))]
        lines = [f"{name} = {x.tolist()}" for name, x in zip(names, self.inputs, strict=True)]
        for step in self.steps:
            names.append(f"v{len(names)}")
            lines.append(f"{names[-1]} = {step.name}({', '.join(names[i] for i in step.inputs)})")
        return "\n".join(lines)


def random_program(seed, least=5, most=30):
    """A program of `least` to `most` steps; the same seed gives the same one."""
    rng = np.random.default_rng(seed)
    inputs = [rng.uniform(-1.5, 1.5, SHAPES[rng.integers(len(SHAPES))]) for _ in range(rng.integers(1, 4))]
    values, steps = list(inputs), []
    names = list(KINDS)
    wanted = int(rng.integers(least, most + 1))
    while len(steps) < wanted:
        name = names[rng.integers(len(names))]
        kind = KINDS[name]
        # newer values are taken more often, so that programs grow deep, older ones again and again, so that they share
        chosen = tuple(int(i) for i in np.minimum(len(values) * rng.beta(2, 1, kind.count), len(values) - 1))
        arrays = [values[i] for i in chosen]
        try:
            near = kind.margin is not None and kind.margin(*arrays) < 0.02
            function = None if near else kind.make(rng, *arrays)
            result = None if function is None else function(*arrays)
        except ValueError:                  # shapes that do not broadcast
            continue
        if result is not None and 0 < np.size(result) <= 40 and np.max(np.abs(result)) < 5:
            values.append(np.asarray(result))
            steps.append(Step(name, function, chosen))
    return Program(inputs, steps)
