"""Functions that treat every element by itself: NumPy's names, PyTorch's names, activations."""

import math

import numpy as np

from function_samples import CUBE, A, B, P, U, sample

import tinygrad_nuc as tn
from tinygrad_nuc.operations import activations, arithmetic, exponential, floating_point, hyperbolic, special, trigonometric


def sigmoid(a):
    return 1 / (1 + np.exp(-a))


def normal_probability(a):
    return np.reshape([math.erfc(-x / math.sqrt(2)) / 2 for x in a.ravel()], a.shape)


SIGNS = np.array([-3, 2, -1], np.int8)         # integers, since no gradient passes to them; short ones promote no float32
NUMPY = {       # function: arrays in its domain
    np.tan: (U,), np.arcsin: (U,), np.arccos: (U,), np.arctan: (A,), np.sinh: (A,), np.cosh: (A,), np.arcsinh: (A,), np.arccosh: (P + 1,), np.arctanh: (U,),
    np.exp2: (A,), np.log2: (P,), np.log10: (P,), np.cbrt: (P,), np.sinc: (A,), np.reciprocal: (P,), np.positive: (A,), np.fabs: (A,), np.deg2rad: (A,),
    np.rad2deg: (A,), np.radians: (A,), np.degrees: (A,), np.nan_to_num: (A,), np.arctan2: (A, B), np.hypot: (A, B), np.logaddexp: (A, B),
    np.logaddexp2: (A, B), np.fmod: (A, B + 0.13), np.remainder: (A, B + 0.13), np.float_power: (P, B), np.copysign: (A, SIGNS), np.fmax: (A, B), np.fmin: (A, B),
}

TORCH = {       # name in PyTorch: (the module it is in, NumPy's function)
    "tan": (trigonometric, np.tan), "asin": (trigonometric, np.arcsin), "acos": (trigonometric, np.arccos), "atan": (trigonometric, np.arctan),
    "atan2": (trigonometric, np.arctan2), "hypot": (trigonometric, np.hypot), "sinc": (trigonometric, np.sinc),
    "deg2rad": (trigonometric, np.deg2rad), "rad2deg": (trigonometric, np.rad2deg), "arcsin": (trigonometric, np.arcsin),
    "arccos": (trigonometric, np.arccos), "arctan": (trigonometric, np.arctan), "arctan2": (trigonometric, np.arctan2),
    "sinh": (hyperbolic, np.sinh), "cosh": (hyperbolic, np.cosh), "asinh": (hyperbolic, np.arcsinh), "acosh": (hyperbolic, np.arccosh),
    "atanh": (hyperbolic, np.arctanh), "arcsinh": (hyperbolic, np.arcsinh), "arccosh": (hyperbolic, np.arccosh), "arctanh": (hyperbolic, np.arctanh),
    "exp2": (exponential, np.exp2), "log2": (exponential, np.log2), "log10": (exponential, np.log10), "logaddexp": (exponential, np.logaddexp),
    "logaddexp2": (exponential, np.logaddexp2), "reciprocal": (arithmetic, np.reciprocal), "positive": (arithmetic, np.positive),
    "fmod": (arithmetic, np.fmod), "remainder": (arithmetic, np.remainder), "copysign": (floating_point, np.copysign),
    "fmax": (floating_point, np.fmax), "fmin": (floating_point, np.fmin), "nan_to_num": (floating_point, np.nan_to_num),
}


def by_name(name, module, function):
    """PyTorch's function, and NumPy's on the same arrays."""
    return sample(getattr(module, name), *NUMPY[function], reference=function)


CALLS = {
    **{f"np.{function.__name__}": sample(function, *arrays) for function, arrays in NUMPY.items()},
    **{f"tn.{name}": by_name(name, *entry) for name, entry in TORCH.items()},
    "tn.erf": sample(special.erf, A, reference=lambda a: np.vectorize(math.erf)(a)),
    "tn.erfc": sample(special.erfc, A, reference=lambda a: np.vectorize(math.erfc)(a)),
    "np.arctan2 with a number": sample(lambda a: np.arctan2(a, -2.0), A), "np.hypot with a number": sample(lambda a: np.hypot(3.0, a), A),
    "np.logaddexp with a number": sample(lambda a: np.logaddexp(0.0, a), A), "np.fmax with a number": sample(lambda a: np.fmax(a, 0.3), A),
    "operator %": sample(lambda a: a % 0.7, A), "number % tensor": sample(lambda a: 5.2 % a, P), "operator +": sample(lambda a: +a, A),
    "np.sinc near 0": sample(np.sinc, U * 1e-2), "np.fmod negative": sample(lambda a: np.fmod(a, -0.7), A),
    "tn.clamp by numbers": sample(lambda a: tn.clamp(a, -1, 0.7), A, reference=lambda a: np.clip(a, -1, 0.7)),
    "tn.clamp from below": sample(lambda a: tn.clamp(a, 0.3), A, reference=lambda a: np.maximum(a, 0.3)),
    "tn.clamp by tensors": sample(tn.clamp, CUBE, CUBE[0] - 1.1, CUBE[0, 0] + 0.3, reference=np.clip),
    "np.clip": sample(lambda a: np.clip(a, -1, 0.7), A), "np.clip by tensors": sample(np.clip, A, B - 0.6, B + 0.6),
    "np.clip one side": sample(lambda a, b: np.clip(a, None, b), A, B),
    "F.silu": sample(activations.silu, A, reference=lambda a: a * sigmoid(a)),
    "F.logsigmoid": sample(activations.logsigmoid, A, reference=lambda a: np.log(sigmoid(a))),
    "F.gelu": sample(activations.gelu, A, reference=lambda a: a * normal_probability(a)),
    "F.gelu tanh": sample(lambda a: activations.gelu(a, approximate="tanh"), A,
                          reference=lambda a: 0.5 * a * (1 + np.tanh(math.sqrt(2 / math.pi) * (a + 0.044715 * a ** 3)))),
    "F.maxout": sample(lambda a: activations.maxout(a, 2), CUBE, reference=lambda a: a.reshape(2, 3, 2, 2).max(-1)),
    "F.maxout dim": sample(lambda a: activations.maxout(a, 3, dim=1), CUBE, reference=lambda a: a.max(1, keepdims=True)),
}
