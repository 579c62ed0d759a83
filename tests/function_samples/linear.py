"""Products, linear equations, lengths, windows."""

import numpy as np
from function_samples import CUBE, SQUARE, A, B, P, sample

import tinygrad_nuc as tn
from tinygrad_nuc.nn import functional as F

V, U3 = A[0], B[1]
POSITIVE = SQUARE @ SQUARE.T + 2 * np.eye(3)
STACK = np.stack([SQUARE, SQUARE.T + 1, POSITIVE])
IMAGES = np.random.default_rng(1).permutation(2 * 2 * 5 * 4).reshape(2, 2, 5, 4) / 40.0 - 0.983


def p_norm(a, p, axis=None):
    return np.sum(np.abs(a) ** p, axis=axis) ** (1 / p)


def columns(a, size, dilation=1, padding=0, stride=1):
    """F.unfold, one window at a time."""
    a = np.pad(a, [(0, 0), (0, 0), (padding, padding), (padding, padding)])
    places = [range(0, n - (size - 1) * dilation, stride) for n in a.shape[-2:]]
    windows = [a[:, :, i:i + (size - 1) * dilation + 1:dilation, j:j + (size - 1) * dilation + 1:dilation].reshape(len(a), -1)
               for i in places[0] for j in places[1]]
    return np.stack(windows, -1)


def summed_columns(c, shape, size, padding, stride):
    """F.fold, one window at a time."""
    y = np.zeros((len(c), c.shape[1] // size ** 2, shape[0] + 2 * padding, shape[1] + 2 * padding))
    places = [(i, j) for i in range(0, y.shape[2] - size + 1, stride) for j in range(0, y.shape[3] - size + 1, stride)]
    for k, (i, j) in enumerate(places):
        y[:, :, i:i + size, j:j + size] += c[:, :, k].reshape(len(c), -1, size, size)
    return y[:, :, padding:padding + shape[0], padding:padding + shape[1]]


CALLS = {
    "tn.einsum matrix product": sample(lambda a, b: tn.einsum("ij,kj->ik", a, b), A, B, reference=lambda a, b: a @ b.T),
    "tn.einsum implicit": sample(lambda a, b: tn.einsum("ij,kj", a, b), A, B, reference=lambda a, b: np.einsum("ij,kj", a, b)),
    "tn.einsum trace": sample(lambda a: tn.einsum("ii", a), SQUARE, reference=np.trace),
    "tn.einsum diagonal": sample(lambda a: tn.einsum("ii->i", a), SQUARE, reference=np.diag),
    "tn.einsum diagonal of a cube": sample(lambda a: tn.einsum("iji->j", a), STACK, reference=lambda a: np.einsum("iji->j", a)),
    "tn.einsum thrice": sample(lambda a: tn.einsum("iii->i", a), STACK, reference=lambda a: np.einsum("iii->i", a)),
    "tn.einsum lone letter": sample(lambda a, b: tn.einsum("ij,k->i", a, b), A, V, reference=lambda a, b: np.einsum("ij,k->i", a, b)),
    "tn.einsum dots": sample(lambda a, b: tn.einsum("...ij,...jk->...ik", a, b), CUBE.reshape(2, 3, 4), CUBE.reshape(2, 1, 4, 3)[0],
                             reference=np.matmul),
    "tn.einsum dots summed": sample(lambda a: tn.einsum("...j->j", a), CUBE, reference=lambda a: a.sum((0, 1))),
    "tn.einsum dots implicit": sample(lambda a: tn.einsum("b...a", a), CUBE, reference=lambda a: np.einsum("b...a", a)),
    "tn.einsum length 1": sample(lambda a, b: tn.einsum("ij,ij->i", a, b), A, B[:, :1], reference=lambda a, b: (a * b).sum(1)),
    "tn.einsum length 1 alone": sample(lambda a, b: tn.einsum("ij,ij->j", a, b), A[:1], B, reference=lambda a, b: (a * b).sum(0)),
    "tn.einsum three operands": sample(lambda a, b, c: tn.einsum("ij,kj,kl->il", a, b, c), A, B, P,
                                       reference=lambda a, b, c: a @ b.T @ c),
    "tn.einsum of a list": sample(lambda a, b: tn.einsum("i,i->", [a, b]), V, U3, reference=np.dot),
    "np.einsum": sample(lambda a, b: np.einsum("ij,kj->ki", a, b, optimize=True), A, B),
    "tn.outer": sample(tn.outer, V, U3, reference=np.outer),
    "np.outer": sample(np.outer, A, V),
    "tn.tensordot": sample(tn.tensordot, CUBE, CUBE[0], reference=lambda a, b: np.tensordot(a, b, 2)),
    "tn.tensordot axes": sample(lambda a, b: tn.tensordot(a, b, ([1, -1], [1, 0])), CUBE, CUBE[0].T.copy(),
                                reference=lambda a, b: np.tensordot(a, b, ([1, 2], [1, 0]))),
    "np.tensordot outer": sample(lambda a, b: np.tensordot(a, b, 0), V, U3),
    "np.tensordot axis": sample(lambda a, b: np.tensordot(a, b, (0, 0)), A, B),
    "np.vdot": sample(np.vdot, A, B),
    "np.inner": sample(np.inner, A, B),
    "np.inner with a number": sample(lambda a: np.inner(a, 2.0), A),
    "np.dot vectors": sample(np.dot, V, U3),
    "np.dot": sample(np.dot, A, B.T),
    "np.dot cube": sample(np.dot, A[:, :2] @ A[:2, :3], CUBE.transpose(2, 1, 0)[:2]),
    "np.dot with a number": sample(lambda a: np.dot(2.0, a), A),
    "np.kron": sample(np.kron, A, B),
    "np.kron other ranks": sample(np.kron, CUBE, V),
    "np.linalg.solve": sample(np.linalg.solve, SQUARE, A.T),
    "np.linalg.solve vector": sample(np.linalg.solve, SQUARE, V),
    "tn.linalg.solve stack": sample(tn.linalg.solve, STACK, B.T, reference=np.linalg.solve),
    "np.linalg.inv": sample(np.linalg.inv, STACK),
    "tn.linalg.inv": sample(tn.linalg.inv, SQUARE, reference=np.linalg.inv),
    "tn.inverse": sample(lambda a: a.inverse(), SQUARE, reference=np.linalg.inv),
    "np.linalg.det": sample(np.linalg.det, STACK),
    "tn.det": sample(tn.det, SQUARE, reference=np.linalg.det),
    "tn.linalg.det": sample(tn.linalg.det, SQUARE, reference=np.linalg.det),
    "tn.logdet": sample(tn.logdet, POSITIVE, reference=lambda a: np.log(np.linalg.det(a))),
    "np.linalg.slogdet": sample(lambda a: np.linalg.slogdet(a)[1], STACK),
    "tn.linalg.slogdet": sample(lambda a: tn.linalg.slogdet(a).logabsdet, SQUARE, reference=lambda a: np.linalg.slogdet(a)[1]),
    "np.linalg.cholesky": sample(lambda a: np.linalg.cholesky(a @ np.swapaxes(a, -1, -2)), STACK),
    "tn.linalg.cholesky": sample(lambda a: tn.linalg.cholesky(a @ a.T), SQUARE, reference=lambda a: np.linalg.cholesky(a @ a.T)),
    "np.linalg.matrix_power": sample(lambda a: np.linalg.matrix_power(a, 5), SQUARE),
    "tn.matrix_power negative": sample(lambda a: tn.matrix_power(a, -2), SQUARE, reference=lambda a: np.linalg.matrix_power(a, -2)),
    "tn.linalg.matrix_power one": sample(lambda a: tn.linalg.matrix_power(a, 1), STACK, reference=lambda a: a),
    "tn.matrix_power none": sample(lambda a: tn.matrix_power(a, 0), STACK, reference=lambda a: np.linalg.matrix_power(a, 0)),
    "tn.norm": sample(tn.norm, A, reference=np.linalg.norm),
    "tn.norm of rows": sample(lambda a: a.norm(dim=1, keepdim=True), A, reference=lambda a: np.linalg.norm(a, axis=1, keepdims=True)),
    "tn.norm 1": sample(lambda a: a.norm(1, 0), A, reference=lambda a: np.abs(a).sum(0)),
    "tn.norm inf": sample(lambda a: a.norm(np.inf, (0, 2)), CUBE, reference=lambda a: np.abs(a).max((0, 2))),
    "tn.norm -inf": sample(lambda a: a.norm(-np.inf), A, reference=lambda a: np.abs(a).min()),
    "tn.norm 3": sample(lambda a: a.norm(3, 1), A, reference=lambda a: p_norm(a, 3, 1)),
    "tn.norm 1.5": sample(lambda a: a.norm(1.5), A, reference=lambda a: p_norm(a, 1.5)),
    "np.linalg.norm": sample(np.linalg.norm, CUBE),
    "np.linalg.norm axis": sample(lambda a: np.linalg.norm(a, 3, axis=1), A),
    "np.linalg.norm fro": sample(lambda a: np.linalg.norm(a, "fro"), A),
    "np.linalg.norm matrix 1": sample(lambda a: np.linalg.norm(a, 1), A),
    "np.linalg.norm matrix -1": sample(lambda a: np.linalg.norm(a, -1, (0, 1), True), A),
    "np.linalg.norm matrix inf": sample(lambda a: np.linalg.norm(a, np.inf, (0, 2)), CUBE),
    "tn.linalg.norm": sample(lambda a: tn.linalg.norm(a, -np.inf, (1, 2)), CUBE, reference=lambda a: np.linalg.norm(a, -np.inf, (1, 2))),
    "np.linalg.vector_norm": sample(lambda a: np.linalg.norm(a, 3, axis=1), A),
    "tn.linalg.vector_norm": sample(lambda a: tn.linalg.vector_norm(a, 1), A, reference=lambda a: np.abs(a).sum()),
    "tn.linalg.matrix_norm": sample(tn.linalg.matrix_norm, CUBE, reference=lambda a: np.linalg.norm(a, "fro", (1, 2))),
    "tn.std": sample(tn.std, A, reference=lambda a: a.std(ddof=1)),
    "tn.std axis": sample(lambda a: a.std(1, unbiased=False, keepdim=True), A, reference=lambda a: a.std(1, keepdims=True)),
    "np.std": sample(lambda a: np.std(a, axis=0, ddof=1), A),
    "tn.Tensor.unfold": sample(lambda a: a.unfold(1, 3, 2), IMAGES[0], reference=lambda a: np.stack([a[:, 0:3], a[:, 2:5]], 1).swapaxes(2, 3)),
    "F.unfold": sample(lambda a: F.unfold(a, 2), IMAGES, reference=lambda a: columns(a, 2)),
    "F.unfold with everything": sample(lambda a: F.unfold(a, 2, 2, 1, 2), IMAGES, reference=lambda a: columns(a, 2, 2, 1, 2)),
    "F.unfold one image": sample(lambda a: F.unfold(a, (3, 1)), IMAGES[0],
                                 reference=lambda a: np.stack([a[:, i:i + 3, j].ravel() for i in range(3) for j in range(4)], 1)),
    "F.fold": sample(lambda c: F.fold(c, (4, 3), 2, padding=1, stride=2), CUBE[:, :2, :].repeat(4, 1)[:, :, :1].repeat(6, 2) + np.arange(6) / 9,
                     reference=lambda c: summed_columns(c, (4, 3), 2, 1, 2)),
    "np.lib.stride_tricks.sliding_window_view": sample(lambda a: np.lib.stride_tricks.sliding_window_view(a, 2, 1), A),
    "np.lib.stride_tricks.sliding_window_view all": sample(lambda a: np.lib.stride_tricks.sliding_window_view(a, (2, 2)), A),
}
