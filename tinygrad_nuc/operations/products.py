"""Products of many values. Their slopes are the products of the other values: right also where some are 0."""

from typing import Any

import numpy as np

from ..engine.operation import Operation
from ..engine.registry import implements
from ..engine.tensor import Tensor, method
from .axes import along, checked_dim, checked_dims, joined_last, restored, takes_axis
from .joining import cat


class Prod(Operation):
    """y = Π a along the last axis"""
    def forward(a):
        return np.prod(a, axis=-1)

    def grad_a(g, y, a):                                    # y / a, and without a division where a is 0
        zero = a == 0
        return g[..., None] * np.where(zero, product_of_others(a), y[..., None] / np.where(zero, 1, a))


def product_of_others(a):
    """For each value along the last axis, the product of all others: those of the other pairs times its partner."""
    n = a.shape[-1]
    if n < 2:
        return np.ones_like(a)
    if n % 2:
        a = np.concatenate([a, np.ones_like(a[..., :1])], axis=-1)
    left, right = a[..., 0::2], a[..., 1::2]
    other_pairs = product_of_others(left * right)
    both = np.stack([other_pairs * right, other_pairs * left], axis=-1)
    return np.reshape(both, a.shape)[..., :n]


@method
@takes_axis
def prod(input: Tensor, dim: int | tuple[int, ...] | None = None, keepdim: bool = False, *,
         dtype: Any = None) -> Tensor:
    """Product over one axis, several, or all; 1 over none. The derivative is the product of the other values.

    Integers and booleans are multiplied as NumPy does it, as int64.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> x = tn.tensor([2.0, 0.0, 3.0], requires_grad=True)
    >>> x.prod().backward()
    >>> x.grad
    tensor([0., 6., 0.])
    """
    x = input if dtype is None else input.astype(dtype)
    axes = checked_dims("prod", dim, x.ndim)
    if x.dtype.kind != "f":
        return Tensor(np.prod(x.data, axis=axes, keepdims=keepdim))
    y = Prod.apply(joined_last(x, axes))
    return restored(y, x, axes) if keepdim else y


@method
@takes_axis
def cumprod(input: Tensor, dim: int, *, dtype: Any = None) -> Tensor:
    """Products of the first, the first two, … of all values along `dim`.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.cumprod(tn.tensor([1.0, 2.0, 3.0]), dim=0)
    tensor([1., 2., 6.])
    """
    x = input if dtype is None else input.astype(dtype)
    dim = checked_dim("cumprod", dim, x.ndim)
    if x.dtype.kind != "f":
        return Tensor(np.cumprod(x.data, axis=dim))
    values = [x[along(dim, slice(i, i + 1))] for i in range(x.shape[dim])]
    for i in range(1, len(values)):
        values[i] = values[i - 1] * values[i]               # one step after another, so that zeros need no special care
    return cat(values, dim) if values else x.clone()


# ---------------------------------------------------------------------- as NumPy calls, with NumPy's conventions

@implements(np.prod)
def _np_prod(a: Tensor, axis: Any = None, dtype: Any = None, keepdims: bool = False) -> Tensor:
    return prod(a, axis, keepdims, dtype=dtype)


@implements(np.cumprod)
def _np_cumprod(a: Tensor, axis: int | None = None, dtype: Any = None) -> Tensor:
    return cumprod(a.reshape(-1), 0, dtype=dtype) if axis is None else cumprod(a, axis, dtype=dtype)
