"""Products of vectors, the array API's names, least squares."""

import numpy as np
from function_samples import CUBE, SQUARE, A, B, P, sample

from tinygrad_nuc.operations import pseudo_inverse, vectors

V, W = np.array([0.5, -1.5, 2.0, 0.75]), np.array([1.25, -0.25, 0.3])
STACK = np.stack([SQUARE, SQUARE.T + 1])
TALL = np.vstack([SQUARE[:, :2], [[0.4, -0.3]]])
POOR = np.outer(V, W)                                            # of rank 1, on which a change in W or V keeps it

CALLS = {
    "np.cross": sample(np.cross, A, B),
    "np.cross broadcast": sample(np.cross, A, W),
    "np.cross axes": sample(lambda a, b: np.cross(a, b, axisa=0, axisb=1, axisc=0), A.T.copy(), B),
    "np.cross axis": sample(lambda a, b: np.cross(a, b, axis=1), CUBE, CUBE[:, ::-1] + 0.4),
    "np.cross with a list": sample(lambda a: np.cross([1.0, 2.0, -0.5], a), A),
    "np.linalg.cross": sample(lambda a, b: np.linalg.cross(a, b, axis=0), A.T.copy(), B.T.copy()),
    "tn.cross": sample(vectors.cross, A.T.copy(), B.T.copy(), reference=lambda a, b: np.cross(a, b, axis=0)),
    "tn.cross dim": sample(lambda a, b: a.cross(b, dim=1), A, B, reference=np.cross),
    "tn.linalg.cross": sample(vectors.linalg_cross, A, W, reference=np.cross),
    "np.vecdot": sample(np.vecdot, CUBE, V),
    "np.vecdot axis": sample(lambda a, b: np.vecdot(a, b, axis=0), A, B),
    "np.linalg.vecdot": sample(lambda a, b: np.linalg.vecdot(a, b, axis=0), A, B),
    "tn.linalg.vecdot": sample(lambda a, b: vectors.vecdot(a, b, dim=1), A, B, reference=lambda a, b: (a * b).sum(1)),
    "np.linalg.multi_dot": sample(lambda a, b, c: np.linalg.multi_dot([a, b, c]), A, SQUARE, P.T.copy()),
    "np.linalg.multi_dot four": sample(lambda a, b, c, d: np.linalg.multi_dot([a, b, c, d]), W, SQUARE, B.T.copy(), B),
    "np.linalg.multi_dot vectors": sample(lambda a, b, c: np.linalg.multi_dot([a, b, c]), W, SQUARE, W),
    "tn.linalg.multi_dot": sample(lambda a, b: vectors.multi_dot([a, b]), A, W, reference=np.matmul),
    "np.linalg.matmul": sample(np.linalg.matmul, CUBE, CUBE.swapaxes(1, 2).copy()),
    "np.linalg.outer": sample(np.linalg.outer, V, W),
    "np.linalg.tensordot": sample(lambda a, b: np.linalg.tensordot(a, b, axes=([0], [0])), A, B),
    "np.matrix_transpose": sample(np.matrix_transpose, CUBE),
    "np.linalg.matrix_transpose": sample(np.linalg.matrix_transpose, CUBE),
    "np.linalg.diagonal": sample(lambda a: np.linalg.diagonal(a, offset=-1), CUBE),
    "np.linalg.trace": sample(lambda a: np.linalg.trace(a, offset=1), STACK),
    "np.astype": sample(lambda a: np.astype(a, a.dtype), A),
    "np.linalg.pinv": sample(np.linalg.pinv, TALL),
    "np.linalg.pinv of rank one": sample(lambda v, w: np.linalg.pinv(v[:, None] * w, rcond=1e-6), V, W),
    "np.linalg.pinv stack": sample(lambda a: np.linalg.pinv(a, rtol=1e-6), np.stack([A, B])),
    "tn.linalg.pinv": sample(pseudo_inverse.pinv, TALL, reference=np.linalg.pinv),
    "least squares": sample(lambda a, b: np.linalg.pinv(a) @ b, TALL, V, reference=lambda a, b: np.linalg.lstsq(a, b)[0]),
}
if hasattr(np, "matvec"):                       # since NumPy 2.2
    CALLS |= {
        "np.matvec": sample(np.matvec, CUBE, V),
        "np.vecmat": sample(np.vecmat, W, CUBE),
    }
if hasattr(np, "cumulative_sum"):               # since NumPy 2.1
    CALLS |= {
        "np.cumulative_sum": sample(np.cumulative_sum, V),
        "np.cumulative_sum from 0": sample(lambda a: np.cumulative_sum(a, axis=1, include_initial=True), CUBE),
        "np.cumulative_prod": sample(lambda a: np.cumulative_prod(a, axis=-1), CUBE),
        "np.cumulative_prod from 1": sample(lambda a: np.cumulative_prod(a, axis=0, include_initial=True), A),
    }
