"""Products of many values, multiplied pair by pair.

Nothing is divided, so that derivatives of every order are right at zeros too: ∂(a b c)/∂a = b c, whatever a is.
"""

from typing import Any

import numpy as np

from ..engine.registry import implements
from ..engine.tensor import Tensor, method
from .axes import along, checked_dim, checked_dims, joined_last, restored, takes_axis
from .joining import cat


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
    factors = joined_last(x, axes)
    while factors.shape[-1] > 1:
        n = factors.shape[-1]
        pairs = factors[..., 0:n - 1:2] * factors[..., 1:n:2]
        factors = cat([pairs, factors[..., n - 1:]], -1) if n % 2 else pairs
    y = factors[..., 0].clone() if factors.shape[-1] else factors.sum(-1) + 1
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
    y, reach = x.clone(), 1
    while reach < x.shape[dim]:                 # yᵢ is the product of the last 1, 2, 4, … values up to its own
        y = cat([y[along(dim, slice(reach))], y[along(dim, slice(reach, None))] * y[along(dim, slice(-reach))]], dim)
        reach *= 2
    return y


# ---------------------------------------------------------------------- as NumPy calls, with NumPy's conventions

@implements(np.prod)
def _np_prod(a: Tensor, axis: Any = None, dtype: Any = None, keepdims: bool = False) -> Tensor:
    return prod(a, axis, keepdims, dtype=dtype)


@implements(np.cumprod)
def _np_cumprod(a: Tensor, axis: int | None = None, dtype: Any = None) -> Tensor:
    return cumprod(a.reshape(-1), 0, dtype=dtype) if axis is None else cumprod(a, axis, dtype=dtype)
