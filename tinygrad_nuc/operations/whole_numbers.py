"""Numbers as a whole part and a rest, and tensors filled with one number."""

from typing import Any

import numpy as np

from ..engine.registry import implements
from ..engine.tensor import Tensor, method, value
from .arithmetic import Remainder
from .indexing import to_tensor
from .joining import beside
from .logic import of_values
from .selection import where


@method
def floor_divide(input: Tensor, other: Tensor | float) -> Tensor:
    """⌊a / b⌋, the largest whole number that is not above a / b; the operator ``//``. Without a gradient.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.tensor([7.0, -7.0]) // 2
    tensor([ 3., -4.])
    """
    return of_values(np.floor_divide)(input, other)


@method
def __floordiv__(self: Tensor, other: Any) -> Tensor:
    return floor_divide(self, other)


@method
def __rfloordiv__(self: Tensor, other: Any) -> Tensor:
    return floor_divide(other, self)


# ---------------------------------------------------------------------- as NumPy calls, with NumPy's conventions

@implements(np.divmod)
def _np_divmod(x1: Any, x2: Any) -> tuple[Tensor, Tensor]:
    """⌊a / b⌋ without a gradient, and the remainder."""
    return floor_divide(x1, x2), Remainder.apply(x1, x2)


@implements(np.modf)
def _np_modf(x: Tensor) -> tuple[Tensor, Tensor]:
    """The rest, with slope 1, and the whole number next to x in the direction of 0, without a gradient."""
    whole = Tensor(np.trunc(x.data))
    infinite = Tensor(np.isinf(x.data))         # ∞ − ∞ would be NaN
    return where(infinite, 0, x - where(infinite, 0, whole)), whole


@implements(np.ldexp)
def _np_ldexp(x1: Any, x2: Any) -> Tensor:
    """x₁ · 2^x₂ for a whole number x₂."""
    x1 = to_tensor(beside(x2, x1) if hasattr(x2, "dtype") else x1)
    return x1 * Tensor(np.ldexp(np.ones_like(x1.data), value(x2)))


@implements(np.conjugate)
def _np_conjugate(x: Tensor) -> Tensor:
    return x.clone()                            # of a real number, in memory of its own as NumPy's result


@implements(np.real, np.real_if_close)
def _np_real(val: Tensor) -> Tensor:
    return val[...]                             # a view, as NumPy's


@implements(np.full_like)
def _np_full_like(a: Any, fill_value: Any, dtype: Any = None, *, shape: Any = None) -> Tensor:
    """The gradient goes to the number that fills it."""
    shape = value(a).shape if shape is None else tuple(int(n) for n in np.atleast_1d(shape))
    fill = fill_value if isinstance(fill_value, Tensor) else Tensor(np.array(fill_value, like=value(a)))
    return fill.astype(dtype or a.dtype).broadcast_to(shape).clone()
