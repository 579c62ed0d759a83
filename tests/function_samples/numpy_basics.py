"""The plain operations under their names in NumPy and PyTorch, as functions and as operators."""

import numpy as np
from function_samples import CUBE, A, B, P, sample

import tinygrad_nuc as tn

F = tn.nn.functional

ELEMENTWISE = {       # function: arrays in its domain
    np.exp: (A,), np.expm1: (A,), np.log: (P,), np.log1p: (P,), np.sqrt: (P,), np.sin: (A,), np.cos: (A,), np.tanh: (A,),
    np.absolute: (A,), np.negative: (A,), np.square: (A,), np.add: (A, B), np.subtract: (A, B), np.multiply: (A, B), np.divide: (A, P),
    np.power: (P, B), np.maximum: (A, B), np.minimum: (A, B),
}

NUMPY = {
    **{f"np.{function.__name__}": sample(function, *arrays) for function, arrays in ELEMENTWISE.items()},
    "np.power by a number": sample(lambda a: np.power(a, 3), A),
    "np.power of a number": sample(lambda a: np.power(2, a), A),
    "np.where": sample(lambda a, b: np.where(a > 0, a, b), A, B),
    "np.sum": sample(np.sum, A),
    "np.sum axis": sample(lambda a: np.sum(a, axis=0), A),
    "np.sum keepdims": sample(lambda a: np.sum(a, 1, keepdims=True), A),
    "np.mean": sample(np.mean, A),
    "np.mean axes": sample(lambda a: np.mean(a, axis=(0, 1)), A),
    "np.var": sample(np.var, A),
    "np.var ddof": sample(lambda a: np.var(a, axis=1, ddof=1), A),
    "np.max": sample(np.max, A),
    "np.amax": sample(lambda a: np.amax(a, axis=(0, 2), keepdims=True), CUBE),
    "np.min": sample(np.min, A),
    "np.amin": sample(lambda a: np.amin(a, axis=1), A),
    "np.matmul": sample(np.matmul, A, B.T.copy()),
    "np.matmul vector": sample(np.matmul, A, B[0]),
    "np.linalg.matrix_norm": sample(lambda a: np.linalg.matrix_norm(a, keepdims=True, ord=1), CUBE),
}

SHAPED = {
    "np.reshape": sample(lambda a: np.reshape(a, (3, 2)), A),
    "np.ravel": sample(np.ravel, A),
    "np.transpose": sample(np.transpose, A),
    "np.transpose negative": sample(lambda a: np.transpose(a, (-1, 0)), A),
    "np.swapaxes": sample(lambda a: np.swapaxes(a, 0, 1), A),
    "np.squeeze": sample(lambda a: np.squeeze(a[:, :1], 1), A),
    "np.expand_dims": sample(lambda a: np.expand_dims(a, (0, 2)), A),
    "np.broadcast_to": sample(lambda a: np.broadcast_to(a, (4, 2, 3)), A),
    "np.copy": sample(np.copy, A),
    "np.concatenate": sample(lambda a, b: np.concatenate([a, b], axis=1), A, B),
    "np.concatenate flat": sample(lambda a, b: np.concatenate([a, b], axis=None), A, B),
    "np.stack": sample(lambda a, b: np.stack([a, b]), A, B),
}

OPERATORS = {
    "operator @": sample(lambda a, b: a @ b, A, B.T.copy()),
    "number / tensor": sample(lambda a: 2 / a, P),
    "number - tensor": sample(lambda a: 2 - a, A),
    "number ** tensor": sample(lambda a: 2 ** a, A),
    "abs(tensor)": sample(abs, A),
}

TORCH = {
    "tn.pow": sample(lambda a: tn.pow(a, 3), A, reference=lambda a: a ** 3),
    "tn.pow of two": sample(tn.pow, P, B, reference=np.power),
    "tn.cat": sample(lambda a, b: tn.cat((a, b), 1), A, B, reference=lambda a, b: np.concatenate((a, b), 1)),
    "tn.stack": sample(lambda a, b: tn.stack((a, b), -1), A, B, reference=lambda a, b: np.stack((a, b), -1)),
    "tn.matmul": sample(tn.matmul, A[0], CUBE, reference=np.matmul),
    "tn.max": sample(lambda a: tn.max(a, 1), CUBE, reference=lambda a: (a.max(1), a.argmax(1))),
    "tn.max of two": sample(tn.max, A, B, reference=np.maximum),
    "tn.min": sample(lambda a: tn.min(a, 0, True), CUBE, reference=lambda a: (a.min(0, keepdims=True), a.argmin(0, keepdims=True))),
    "tn.min of all": sample(tn.min, A, reference=np.min),
    "tn.mean": sample(lambda a: tn.mean(a, (0, 2), True), CUBE, reference=lambda a: a.mean((0, 2), keepdims=True)),
    "tn.var": sample(lambda a: tn.var(a, 0), A, reference=lambda a: a.var(0, ddof=1)),
    "tn.expand": sample(lambda a: tn.expand(a, 4, -1, 3), A, reference=lambda a: np.broadcast_to(a, (4, 2, 3))),
    "tn.squeeze": sample(lambda a: tn.squeeze(a[:, :1], 1), A, reference=lambda a: a[:, 0]),
    "tn.unsqueeze": sample(lambda a: tn.unsqueeze(a, -1), A, reference=lambda a: a[..., None]),
    "tn.t": sample(tn.t, A, reference=np.transpose),
    "tn.transpose": sample(lambda a: tn.transpose(a, 0, 2), CUBE, reference=lambda a: a.swapaxes(0, 2)),
    "F.softplus": sample(F.softplus, A, reference=lambda a: np.log1p(np.exp(a))),
    "F.softplus steeper": sample(lambda a: F.softplus(a, 2), A, reference=lambda a: np.log1p(np.exp(2 * a)) / 2),
    "F.linear": sample(F.linear, CUBE.swapaxes(1, 2).copy(), B, A[:, 0], reference=lambda x, w, b: x @ w.T + b),
}

CALLS = {**NUMPY, **SHAPED, **OPERATORS, **TORCH}
