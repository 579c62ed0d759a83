"""Values picked by position or condition, put to given places, or taken from diagonals."""

import numpy as np
from function_samples import CUBE, SQUARE, A, B, sample

import tinygrad_nuc as tn

V = np.array([0.5, -1.5, 2.0, 0.75])
NUMBER = np.array(0.7)
COLUMNS = np.array([[0, 2, 2, 1], [1, 1, 0, 0]])                # for A: of other length, some twice
ROWS = np.array([[0, 1, 1]])                                    # for A: shorter than it in the other dimension
THREE = np.array([2, 0, 2])
MASK = np.array([[True, False, True], [False, False, True]])


def put(a, dim, index, source, add=False):
    """scatter and scatter_add, element by element."""
    y = np.copy(a)
    for place in np.ndindex(index.shape):
        target = tuple(index[place] if i == dim else k for i, k in enumerate(place))
        y[target] = source[place] + (y[target] if add else 0)
    return y


def add_rows(a, index, source, alpha=1):
    y = np.copy(a)
    np.add.at(y, index, alpha * source)
    return y


PICKED = {
    "tn.gather": sample(lambda a, i: tn.gather(a, 1, i), A, COLUMNS, reference=lambda a, i: np.take_along_axis(a, i, 1)),
    "tn.gather less": sample(lambda a, i: a.gather(0, i), A, ROWS, reference=lambda a, i: np.take_along_axis(a, i, 0)),
    "tn.gather part of the rows": sample(lambda a, i: a.gather(-1, i), A, COLUMNS[:1], reference=lambda a, i: a[:1][:, i[0]]),
    "tn.gather from a list": sample(lambda a: a.gather(0, [2, 2, 0]), V, reference=lambda a: a[[2, 2, 0]]),
    "tn.gather in three dimensions": sample(lambda a, i: a.gather(2, i), CUBE, np.arange(18).reshape(2, 3, 3) % 4,
                                            reference=lambda a, i: np.take_along_axis(a, i, 2)),
    "np.take_along_axis": sample(lambda a, i: np.take_along_axis(a, i, 1), A, COLUMNS - 1),
    "np.take_along_axis broadcast": sample(lambda a, i: np.take_along_axis(a, i, axis=1), CUBE, np.array([[[0]], [[2]]])),
    "np.take_along_axis flat": sample(lambda a, i: np.take_along_axis(a, i, axis=None), A, np.array([5, 0, 5])),
    "tn.take_along_dim": sample(lambda a, i: tn.take_along_dim(a, i, 1), A, COLUMNS, reference=lambda a, i: np.take_along_axis(a, i, 1)),
    "tn.take_along_dim broadcast": sample(lambda a, i: tn.take_along_dim(a, i, 0), A, np.array([[1], [-2]]),
                                          reference=lambda a, i: np.take_along_axis(a, i, 0)),
    "tn.take_along_dim flat": sample(lambda a, i: tn.take_along_dim(a, i), A, COLUMNS, reference=lambda a, i: a.ravel()[i.ravel()]),
    "np.take": sample(lambda a, i: np.take(a, i), A, COLUMNS),
    "np.take an axis": sample(lambda a, i: np.take(a, i, axis=1), CUBE, COLUMNS - 1),
    "np.take one": sample(lambda a: np.take(a, -1, axis=2), CUBE),
    "np.take none": sample(lambda a, i: np.take(a, i, axis=0), A, np.zeros(0, np.int64)),
    "np.take none from none": sample(lambda a: np.take(a, [], axis=0), np.zeros((0, 2)), reference=np.copy),
    "tn.take": sample(lambda a, i: tn.take(a, i), A, COLUMNS - 2, reference=np.take),
    "tn.index_select": sample(lambda a, i: tn.index_select(a, 1, i), CUBE, THREE, reference=lambda a, i: a[:, i]),
    "tn.index_select one": sample(lambda a: tn.index_select(a, 0, [1]), CUBE, reference=lambda a: a[1:]),
}

PUT = {
    "tn.scatter": sample(lambda a, i, b: tn.scatter(a, 1, i, b), A, np.array([[0, 2], [1, 0]]), B,
                         reference=lambda a, i, b: put(a, 1, i, b)),
    "tn.scatter twice to one place": sample(lambda a, i, b: a.scatter(1, i, b), A, COLUMNS, CUBE[:, 0],
                                            reference=lambda a, i, b: put(a, 1, i, b)),
    "tn.scatter shorter": sample(lambda a, i, b: a.scatter(0, i, b), A, ROWS, B, reference=lambda a, i, b: put(a, 0, i, b)),
    "tn.scatter a number": sample(lambda a, i: a.scatter(1, i, 9.0), A, COLUMNS, reference=lambda a, i: put(a, 1, i, 9 + 0.0 * i)),
    "tn.scatter nothing": sample(lambda a, i: a.scatter(0, i, a), A, np.zeros((0, 3), np.int64), reference=lambda a, i: a),
    "tn.scatter_add": sample(lambda a, i, b: tn.scatter_add(a, 1, i, b), A, COLUMNS, CUBE[:, 0],
                             reference=lambda a, i, b: put(a, 1, i, b, add=True)),
    "tn.scatter_add shorter": sample(lambda a, i, b: a.scatter_add(0, i, b), A, ROWS, B, reference=lambda a, i, b: put(a, 0, i, b, add=True)),
    "tn.index_add": sample(lambda a, i, b: tn.index_add(a, 0, i, b), A, np.array([1, 1, 0]), np.vstack([B, V[:3]]), reference=add_rows),
    "tn.index_add columns": sample(lambda a, i, b: a.index_add(1, i, b, alpha=2), A, THREE, B,
                                   reference=lambda a, i, b: add_rows(a.T, i, b.T, 2).T),
}

MASKED = {
    "tn.masked_fill": sample(lambda a, m: tn.masked_fill(a, m, 7.0), A, MASK, reference=lambda a, m: np.where(m, 7.0, a)),
    "tn.masked_fill by a tensor": sample(lambda a, m, x: a.masked_fill(m, x), A, MASK[0], NUMBER, reference=lambda a, m, x: np.where(m, x, a)),
    "tn.masked_select": sample(lambda a, m: tn.masked_select(a, m), A, MASK, reference=lambda a, m: a[m], waits_on_device=True),
    "tn.masked_select broadcast": sample(lambda a, m: a.masked_select(m), A, MASK[0], reference=lambda a, m: a[:, m].ravel(), waits_on_device=True),
    "np.compress": sample(lambda m, a: np.compress(m, a, axis=1), MASK[0], A, waits_on_device=True),
    "np.compress flat, by a list": sample(lambda a: np.compress([False, True, True, False, True], a), A, waits_on_device=True),
    "np.extract": sample(lambda m, a: np.extract(m, a), MASK, A, waits_on_device=True),
    "np.choose": sample(lambda i, a, b: np.choose(i, [a, b, 3.0]), np.array([[0, 1, 2], [2, 1, 0]]), A, B),
    "np.choose broadcast": sample(lambda i, a: np.choose(i, [a]), np.zeros((2, 1), np.int64), V),
    "np.choose rows": sample(np.choose, np.array([1, 0, 1]), A),
    "np.select": sample(lambda a, b: np.select([a > 1.5, b > 0], [a, b * b]), A, B),
    "np.select default": sample(lambda a, b, c: np.select([a > 1.5, a > 0.4], [2.0, b * a], default=c), A, B, NUMBER),
}

DIAGONAL = {
    **{f"np.diagonal {offset}": sample(lambda a, k=offset: np.diagonal(a, k), A) for offset in (-5, -2, -1, 0, 1, 2, 3, 9)},
    "np.diagonal of other axes": sample(lambda a: np.diagonal(a, 1, axis1=2, axis2=0), CUBE),
    "np.diag of a vector": sample(np.diag, V),
    "np.diag below": sample(lambda a: np.diag(a, -2), V),
    "np.diag of a matrix": sample(lambda a: np.diag(a, k=1), A),
    "np.diagflat": sample(lambda a: np.diagflat(a, 1), A),
    "np.trace": sample(np.trace, SQUARE),
    "np.trace of a cube": sample(lambda a: np.trace(a, -1, 1, 2), CUBE),
    **{f"np.tril {k}": sample(lambda a, k=k: np.tril(a, k), CUBE) for k in (-1, 0, 1)},
    **{f"np.triu {k}": sample(lambda a, k=k: np.triu(a, k), CUBE) for k in (-1, 0, 1)},
    "tn.diagonal": sample(lambda a: tn.diagonal(a, -1, 1, 2), CUBE, reference=lambda a: np.diagonal(a, -1, 1, 2)),
    "tn.diag": sample(lambda a: tn.diag(a, 1), V, reference=lambda a: np.diag(a, 1)),
    "tn.diag of a matrix": sample(lambda a: a.diag(-1), A, reference=lambda a: np.diag(a, -1)),
    "tn.diag_embed": sample(tn.diag_embed, A, reference=lambda a: a[:, :, None] * np.eye(3)),
    "tn.diag_embed above": sample(lambda a: a.diag_embed(1), A, reference=lambda a: np.stack([np.diag(row, 1) for row in a])),
    "tn.diag_embed at the front": sample(lambda a: a.diag_embed(-1, 0, 2), A, reference=lambda a: np.stack([np.diag(row, -1) for row in a], 1)),
    "tn.diag_embed the other way": sample(lambda a: a.diag_embed(1, -1, -2), A, reference=lambda a: np.stack([np.diag(row, -1) for row in a])),
    "tn.diagflat": sample(lambda a: tn.diagflat(a, -1), A, reference=lambda a: np.diagflat(a, -1)),
    "tn.trace": sample(tn.trace, A, reference=np.trace),
    "tn.tril": sample(lambda a: tn.tril(a, 1), A, reference=lambda a: np.tril(a, 1)),
    "tn.triu": sample(lambda a: tn.triu(a, -1), SQUARE, reference=lambda a: np.triu(a, -1)),
}

CALLS = {**PICKED, **PUT, **MASKED, **DIAGONAL}
