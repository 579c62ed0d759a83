"""Products, linear equations, lengths, windows."""

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes
from operation_samples.strategies import SHAPES, Sample, mostly, products, reduction, values

from tinygrad_nuc.engine.registry import table as ops


@st.composite
def square_matrices(draw, columns=False, symmetric=False):
    """Matrices far from singular, alone or in a stack; with right-hand sides whose stack broadcasts against theirs."""
    n = draw(st.integers(1, 3))
    stack = draw(st.sampled_from([(), (2,), (2, 1)]))
    a, = draw(values([(*stack, n, n)]))
    if symmetric:
        return [a @ np.swapaxes(a, -1, -2) + 2 * np.eye(n)], {}
    a = a + draw(st.sampled_from([-4, 4])) * np.eye(n)
    if not columns:
        return [a], {}
    b, = draw(values([(*draw(st.sampled_from([(), (2,), (3, 1, 2)] if stack != (2, 1) else [(), (2,)])), n, draw(mostly(st.integers(1, 2), st.just(0))))]))
    return [a, b], {}


@st.composite
def oblong_matrices(draw):
    """Matrices of full rank, taller than wide or the other way round."""
    shape = (*draw(st.sampled_from([(), (2,)])), draw(st.integers(1, 3)), draw(st.integers(1, 3)))
    a, = draw(values([shape]))
    return [a + 4 * np.eye(*shape[-2:])], {"rcond": 1e-15}


def least_squares(a, rcond):
    """The pseudo-inverse by the normal equations."""
    t = np.swapaxes(a, -1, -2)
    return inverse_by_cofactors(t @ a) @ t if a.shape[-2] >= a.shape[-1] else t @ inverse_by_cofactors(a @ t)


EQUATIONS = ["ij,jk->ik", "ij,jk->kij", "ij,ij->j", "i,i->", "i,j->ji", "ij->ji", "i->i", "bij,bj->bi", "ij,jk,kl->li",
             "ij,i,j->", "i,i,i->i", "abc,cd->dab", ",i->i"]


@st.composite
def einstein_sums(draw):
    equation = draw(st.sampled_from(EQUATIONS))
    terms = equation.split("->")[0].split(",")
    lengths = {letter: draw(st.integers(1, 3)) for letter in sorted(set("".join(terms)))}
    return draw(values([tuple(lengths[letter] for letter in term) for term in terms])), {"equation": equation}


def summed(*arrays, equation):
    """The sum over every index by itself, without NumPy's einsum."""
    terms, result = equation.split("->")[0].split(","), equation.split("->")[1]
    lengths = {letter: n for term, a in zip(terms, arrays, strict=True) for letter, n in zip(term, a.shape, strict=True)}
    y = np.zeros(tuple(lengths[letter] for letter in result))
    for index in np.ndindex(*lengths.values()):
        at = dict(zip(lengths, index, strict=True))
        y[tuple(at[c] for c in result)] += np.prod([a[tuple(at[c] for c in term)] for term, a in zip(terms, arrays, strict=True)])
    return y


@st.composite
def sliding(draw):
    """A shape, and windows of one, two or three axes that fit into it."""
    n = draw(st.integers(1, 2))
    size, stride, dilation = (tuple(draw(st.integers(1, 2)) for _ in range(n)) for _ in range(3))
    shape = tuple((p - 1) * d + 1 + draw(st.integers(0, 3)) for p, d in zip(size, dilation, strict=True))
    return draw(array_shapes(min_dims=0, max_dims=1, max_side=2)), shape, {"size": size, "stride": stride, "dilation": dilation}


@st.composite
def unfolding(draw):
    stack, shape, settings = draw(sliding())
    return draw(values([(*stack, *shape)])), settings


@st.composite
def folding(draw):
    stack, shape, settings = draw(sliding())
    places = tuple((n - (p - 1) * d - 1) // s + 1 for n, p, s, d in zip(shape, *settings.values(), strict=True))
    return draw(values([(*stack, *places, *settings["size"])])), {"shape": shape, **settings}


def windows(a, size, stride, dilation):
    """Every window, one at a time."""
    n = len(size)
    stack, shape = a.shape[:a.ndim - n], a.shape[a.ndim - n:]
    places = tuple((m - (p - 1) * d - 1) // s + 1 for m, p, s, d in zip(shape, size, stride, dilation, strict=True))
    y = np.zeros((*stack, *places, *size))
    for place in np.ndindex(*places):
        for within in np.ndindex(*size):
            at = tuple(i * s + p * d for i, s, p, d in zip(place, stride, within, dilation, strict=True))
            y[(..., *place, *within)] = a[(..., *at)]
    return y


def folded(a, shape, size, stride, dilation):
    """Every window added back, one at a time."""
    n = len(size)
    y = np.zeros((*a.shape[:a.ndim - 2 * n], *shape))
    for place in np.ndindex(*a.shape[a.ndim - 2 * n:a.ndim - n]):
        for within in np.ndindex(*size):
            at = tuple(i * s + p * d for i, s, p, d in zip(place, stride, within, dilation, strict=True))
            y[(..., *at)] += a[(..., *place, *within)]
    return y


def inverse_by_cofactors(a):
    """The inverse of matrices of up to 3 × 3 rows, by the adjugate."""
    n = a.shape[-1]
    y = np.zeros_like(a)
    for i, j in np.ndindex(n, n):
        minor = np.delete(np.delete(a, i, -2), j, -1)
        y[..., j, i] = (-1) ** (i + j) * determinant(minor) / determinant(a)
    return y


def determinant(a):
    """By expansion along the first row."""
    n = a.shape[-1]
    if n == 0:
        return np.ones(a.shape[:-2])
    return sum((-1) ** j * a[..., 0, j] * determinant(np.delete(a[..., 1:, :], j, -1)) for j in range(n))


SAMPLES = {
    ops.MatMul: Sample(products(), lambda a, b: np.einsum("...nk,...km->...nm", a, b)),
    ops.Einsum: Sample(einstein_sums(), summed),
    ops.Solve: Sample(square_matrices(columns=True), lambda a, b: inverse_by_cofactors(a) @ b),
    ops.Inverse: Sample(square_matrices(), inverse_by_cofactors),
    ops.PseudoInverse: Sample(oblong_matrices(), least_squares),
    ops.Determinant: Sample(square_matrices(), determinant),
    ops.LogAbsDet: Sample(square_matrices(), lambda a: np.log(np.abs(determinant(a)))),
    ops.Cholesky: Sample(square_matrices(symmetric=True), np.linalg.cholesky),
    ops.Norm: Sample(reduction(SHAPES), lambda a, axis, keepdims: np.sqrt(np.sum(np.abs(a) ** 2, axis=axis, keepdims=keepdims))),
    ops.Unfold: Sample(unfolding(), windows),
    ops.Fold: Sample(folding(), folded),
}
