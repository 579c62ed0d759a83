"""Products summed over any indices, in Einstein's notation, and the products that are special cases of it."""

import string
from typing import Any

import numpy as np

from ..engine.operation import Operation
from ..engine.registry import implements
from ..engine.tensor import Tensor, method
from .axes import checked_dim


class Einsum(Operation):
    """y = the product of the arrays, summed over the letters that the result lacks: ``ij,jk->ik`` is Σⱼ aᵢⱼ bⱼₖ

    Each letter of an array also stands in another one or in the result, once; `einsum` sees to that.
    """
    may_be_view = True
    def forward(*arrays, equation):
        return np.einsum(equation, *arrays, optimize=True)

    def grad_arrays(i, g, y, *arrays, equation):        # the array and the result change places
        terms, result = parts_of(equation)
        swapped = [*terms[:i], result, *terms[i + 1:]]
        return np.einsum(f"{','.join(swapped)}->{terms[i]}", *arrays[:i], g, *arrays[i + 1:])


def parts_of(equation):
    """``"ij,jk->ik"`` as (["ij", "jk"], "ik")."""
    terms, result = equation.split("->")
    return terms.split(","), result


def einsum(equation: str, *operands: Tensor) -> Tensor:
    """Sum of products in Einstein's notation: letters name axes, and those missing in the result are summed over.

    Without ``->`` the result has the letters that occur once, in alphabetical order. A letter twice in one term takes
    the diagonal; ``...`` stands for further axes, which are broadcast.

    Parameters
    ----------
    equation : str
        For instance ``"ij,jk->ik"``, the matrix product Σⱼ aᵢⱼ bⱼₖ.
    *operands : Tensor
        One for each term of the equation.

    Raises
    ------
    ValueError
        If the equation does not suit the operands, naming the term or the letter.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> a = tn.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> tn.einsum("ij,j->i", a, tn.tensor([1.0, -1.0]))
    tensor([-1., -1.])
    >>> tn.einsum("ii", a), tn.einsum("ij->j", a)           # the trace, the sums of the columns
    (tensor(5.), tensor([4., 6.]))
    """
    if len(operands) == 1 and isinstance(operands[0], (list, tuple)):
        operands = tuple(operands[0])
    terms, result = explicit(equation, [tuple(x.shape) for x in operands])
    simpler: list[tuple[str, Any]] = []
    for i, (term, x) in enumerate(zip(terms, operands, strict=True)):
        for letter in term:
            while term.count(letter) > 1:
                term, x = take_diagonal(term, x, letter)
        elsewhere = set(result).union(*(terms[k] for k in range(len(terms)) if k != i))
        lone = tuple(axis for axis, letter in enumerate(term) if letter not in elsewhere)
        if lone:
            x = np.sum(x, axis=lone)
            term = "".join(letter for letter in term if letter in elsewhere)
        simpler.append((term, x))
    terms = [term for term, _ in simpler]
    return Einsum.apply(*match_lengths(terms, [x for _, x in simpler]), equation=f"{','.join(terms)}->{result}")


def explicit(equation: str, shapes: list[tuple[int, ...]]) -> tuple[list[str], str]:
    """The terms and the result in letters only, checked against the shapes of the operands."""
    left, arrow, result = equation.replace(" ", "").partition("->")
    terms = left.split(",")
    if len(terms) != len(shapes):
        raise ValueError(f"einsum: {equation!r} has {len(terms)} terms, for {len(shapes)} operands")
    free = [letter for letter in string.ascii_letters if letter not in equation]
    further = 0                                             # how many axes ... stands for, at most
    for term, shape in zip(terms, shapes, strict=True):
        named = len(term.replace("...", ""))
        fits = named <= len(shape) if "..." in term else named == len(shape)
        if not fits or not all(c in string.ascii_letters for c in term.replace("...", "", 1)):
            raise ValueError(f"einsum: the term {term!r} of {equation!r} must name each of the {len(shape)} axes of "
                             f"an operand of shape {shape} by a letter, or leave some to '...'")
        further = max(further, len(shape) - named if "..." in term else 0)
    dots = "".join(free[:further])
    terms = [term.replace("...", dots[further - (len(shape) - len(term) + 3):])
             for term, shape in zip(terms, shapes, strict=True)]
    if arrow:
        result = result.replace("...", dots)
        wrong = [c for c in result if result.count(c) > 1 or not any(c in term for term in terms)]
        if wrong:
            raise ValueError(f"einsum: {wrong[0]!r} in the result of {equation!r} must be an axis of an operand, and "
                             "stand there once")
    else:
        together = "".join(terms)
        result = dots + "".join(sorted(c for c in set(together) if together.count(c) == 1 and c not in dots))
    lengths: dict[str, int] = {}
    for term, shape in zip(terms, shapes, strict=True):
        for letter, n in zip(term, shape, strict=True):
            if n != 1 and lengths.setdefault(letter, n) != n:
                name = repr(letter) if letter in equation else "'...'"
                raise ValueError(f"einsum: in {equation!r}, {name} is {lengths[letter]} in one operand and {n} in "
                                 f"another; the shapes are {', '.join(map(str, shapes))}")
    return terms, result


def take_diagonal(term: str, x: Any, letter: str) -> tuple[str, Any]:
    """The diagonal of the first two axes with this letter, as the last axis."""
    first = term.index(letter)
    second = term.index(letter, first + 1)
    x = np.diagonal(x, axis1=first, axis2=second)
    return term[:first] + term[first + 1:second] + term[second + 1:] + letter, x


def match_lengths(terms: list[str], operands: list) -> list:
    """The operands with every letter's axis at its full length: an axis of length 1 is repeated."""
    lengths: dict[str, int] = {}
    for term, x in zip(terms, operands, strict=True):
        for letter, n in zip(term, x.shape, strict=True):
            lengths[letter] = n if lengths.get(letter, 1) == 1 else lengths[letter]
    return [np.broadcast_to(x, tuple(lengths[letter] for letter in term))
            for term, x in zip(terms, operands, strict=True)]


@method
def outer(input: Tensor, vec2: Tensor) -> Tensor:
    """Outer product of two vectors, yᵢⱼ = aᵢ bⱼ.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.outer(tn.tensor([1.0, 2.0]), tn.tensor([3.0, 4.0]))
    tensor([[3., 4.],
            [6., 8.]])
    """
    if len(input.shape) != 1 or len(vec2.shape) != 1:
        raise ValueError(f"outer: expects two vectors, not shapes {tuple(input.shape)} and {tuple(vec2.shape)}")
    return input[:, None] * vec2[None, :]


def tensordot(a: Tensor, b: Tensor, dims: Any = 2) -> Tensor:
    """Product of two tensors, summed over some axes of each.

    Parameters
    ----------
    dims : int or two sequences of int
        How many of the last axes of `a` and the first of `b` to sum over, or which of each.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.tensordot(tn.ones(2, 3, 4), tn.ones(3, 4, 5)).shape
    (2, 5)
    """
    if isinstance(dims, int):
        if not 0 <= dims <= min(len(a.shape), len(b.shape)):
            raise ValueError(f"tensordot: cannot sum over {dims} axes of shapes {tuple(a.shape)} and {tuple(b.shape)}")
        dims = (range(len(a.shape) - dims, len(a.shape)), range(dims))
    of_a, of_b = ([checked_dim("tensordot", int(i), x.ndim) for i in np.atleast_1d(np.array(axes, int))]
                  for x, axes in zip((a, b), dims, strict=True))
    if [a.shape[i] for i in of_a] != [b.shape[i] for i in of_b]:
        raise ValueError(f"tensordot: axes {tuple(of_a)} of shape {tuple(a.shape)} and {tuple(of_b)} of "
                         f"{tuple(b.shape)} must have the same lengths")
    letters = iter(string.ascii_letters)
    in_a = [next(letters) for _ in a.shape]
    in_b = [next(letters) for _ in b.shape]
    for i, j in zip(of_a, of_b, strict=True):
        in_b[j] = in_a[i]
    kept = [c for c in in_a if c not in in_b] + [c for c in in_b if c not in in_a]
    return einsum(f"{''.join(in_a)},{''.join(in_b)}->{''.join(kept)}", a, b)


# ---------------------------------------------------------------------- as NumPy calls, with NumPy's conventions

@implements(np.einsum)
def _np_einsum(subscripts: str, *operands: Tensor, optimize: Any = False) -> Tensor:
    if not isinstance(subscripts, str):
        raise TypeError("numpy.einsum of a Tensor: give the equation as a text, such as 'ij,jk->ik'")
    return einsum(subscripts, *operands)


@implements(np.tensordot)
def _np_tensordot(a: Tensor, b: Tensor, axes: Any = 2) -> Tensor:
    return tensordot(a, b, axes)


@implements(np.outer)
def _np_outer(a: Tensor, b: Tensor) -> Tensor:
    return outer(a.reshape(-1), b.reshape(-1))


@implements(np.vdot)
def _np_vdot(a: Tensor, b: Tensor) -> Tensor:
    return np.matmul(a.reshape(-1), b.reshape(-1))


@implements(np.inner)
def _np_inner(a: Tensor, b: Tensor) -> Tensor:
    if not np.ndim(a) or not np.ndim(b):
        return a * b
    return tensordot(a, b, ([-1], [-1]))


@implements(np.dot)
def _np_dot(a: Tensor, b: Tensor) -> Tensor:
    if not np.ndim(a) or not np.ndim(b):
        return a * b
    return tensordot(a, b, ([-1], [-2 if b.ndim > 1 else -1]))


@implements(np.kron)
def _np_kron(a: Any, b: Any) -> Tensor:
    ndim = max(np.ndim(a), np.ndim(b))
    a, b = (np.reshape(x, (1,) * (ndim - np.ndim(x)) + tuple(np.shape(x))) for x in (a, b))
    lengths = tuple(n * m for n, m in zip(a.shape, b.shape, strict=True))
    a = np.expand_dims(a, tuple(range(1, 2 * ndim, 2)))
    b = np.expand_dims(b, tuple(range(0, 2 * ndim, 2)))
    return (a * b).reshape(lengths)
