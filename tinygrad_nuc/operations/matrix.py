"""The matrix product."""

import numpy as np

from ..engine.explain import broadcast_clash
from ..engine.operation import Operation, explain
from ..engine.registry import implements
from ..engine.tensor import Tensor, method
from .quick import product, transposed


class MatMul(Operation):
    """y = a b, for matrices (…, n, k) and (…, k, m) with leading dimensions broadcast"""
    def forward(a, b):       return product(a, b)
    def grad_a(g, y, a, b):  return product(g, transposed(b))                  # ∂L/∂a = ∂L/∂y bᵀ
    def grad_b(g, y, a, b):  return product(transposed(a), g)                  # ∂L/∂b = aᵀ ∂L/∂y

    @classmethod
    def would_fit(cls, a, b):
        if inner_length(b) != a.shape[-1]:
            return inner_clash(a.shape, b.shape)
        clash = broadcast_clash(a=a.shape[:-2], b=b.shape[:-2])
        return f"of the leading dimensions, {clash}" if clash else ""


def inner_length(b):
    """How many rows the right operand of a product has: a vector counts as a column."""
    return b.shape[-2] if len(b.shape) > 1 else b.shape[0]


def inner_clash(a, b):
    """The two lengths that a product sums over, marked where they differ, and what would fit."""
    a_text, b_text = (f"    {name}: ({', '.join(map(str, shape))})" for name, shape in (("a", a), ("b", b)))
    b_mark = len(b_text) - 2 if len(b) == 1 else b_text.rindex(",") - 1
    k = b[-2] if len(b) > 1 else b[0]
    message = (f"the lengths that the product sums over differ\n{a_text}\n{'^':>{len(a_text) - 1}}\n{b_text}\n"
               f"{'^':>{b_mark + 1}} the last length of a is {a[-1]}, and the {'second-to-' if len(b) > 1 else ''}last "
               f"of b is {k}; they must be equal")
    if len(b) > 1 and a[-1] == b[-1]:
        return f"{message}; b.transpose(-1, -2), of shape {(*b[:-2], b[-1], b[-2])}, would fit"
    if len(a) > 1 and a[-2] == k:
        return f"{message}; a.transpose(-1, -2), of shape {(*a[:-2], a[-1], a[-2])}, would fit"
    return message


@method
@implements(np.matmul)
def matmul(input: Tensor, other: Tensor) -> Tensor:
    """Matrix product; the operator ``@``.

    Two vectors give their scalar product; a vector to the left of a matrix counts as a row, to the right as a
    column; more than two dimensions are a stack of matrices, broadcast against each other.

    Parameters
    ----------
    input : Tensor, shape (k,) or (…, n, k)
    other : Tensor, shape (k,) or (…, k, m)

    Returns
    -------
    Tensor, shape (…, n, m), without n where `input` is a vector and without m where `other` is one

    Raises
    ------
    ValueError
        If the lengths k differ, the leading dimensions do not broadcast, or an operand is a number.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> a = tn.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> a @ tn.tensor([1.0, -1.0])
    tensor([-1., -1.])
    """
    for x in (input, other):
        if isinstance(x, (list, tuple)):
            raise TypeError(f"MatMul: a {type(x).__name__} is not a tensor; write tn.tensor({x!r:.40})")
    a, b = getattr(input, "shape", ()), getattr(other, "shape", ())
    if not a or not b:
        raise ValueError(f"MatMul: shapes {a} and {b}: a number has no matrix product; use *")
    k = a[-1]
    if inner_length(other) != k:
        raise explain(ValueError(), MatMul, (input, other), {})
    row = input if len(a) > 1 else input.reshape(1, k)
    column = other if len(b) > 1 else other.reshape(k, 1)
    product = MatMul.apply(row, column)
    if len(a) > 1 and len(b) > 1:
        return product
    n, m = a[-2:-1], b[-1:] if len(b) > 1 else ()               # each is () where the operand was a vector
    return product.reshape(*product.shape[:-2], *n, *m)


def product_of(name: str, input: Tensor, other: Tensor, a: int, b: int) -> Tensor:
    """A product of operands with `a` and `b` dimensions, neither more nor fewer."""
    if len(input.shape) != a or len(other.shape) != b:
        raise ValueError(f"{name}: expects {a} and {b} dimensions, not shapes {tuple(input.shape)} and "
                         f"{tuple(other.shape)}; matmul takes any")
    return matmul(input, other)


@method
def mm(input: Tensor, mat2: Tensor) -> Tensor:
    """Product of two matrices; `matmul` takes more kinds of operands.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.mm(tn.ones(2, 3), tn.ones(3, 1))
    tensor([[3.],
            [3.]])
    """
    return product_of("mm", input, mat2, 2, 2)


@method
def mv(input: Tensor, vec: Tensor) -> Tensor:
    """Product of a matrix and a vector.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.mv(tn.ones(2, 3), tn.ones(3))
    tensor([3., 3.])
    """
    return product_of("mv", input, vec, 2, 1)


@method
def bmm(input: Tensor, mat2: Tensor) -> Tensor:
    """Product of two stacks of matrices, of equally many.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.bmm(tn.ones(4, 2, 3), tn.ones(4, 3, 1)).shape
    (4, 2, 1)
    """
    if input.shape[:1] != mat2.shape[:1]:
        raise ValueError(f"bmm: stacks of {input.shape[:1]} and {mat2.shape[:1]} matrices; they must be equally many")
    return product_of("bmm", input, mat2, 3, 3)


@method
def dot(input: Tensor, tensor: Tensor) -> Tensor:
    """Scalar product of two vectors.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.dot(tn.tensor([1.0, 2.0]), tn.tensor([3.0, 4.0]))
    tensor(11.)
    """
    return product_of("dot", input, tensor, 1, 1)
