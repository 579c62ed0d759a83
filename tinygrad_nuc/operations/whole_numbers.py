"""Numbers as a whole part and a rest."""

from typing import Any

import numpy as np

from ..engine.registry import implements
from ..engine.tensor import Tensor, method
from .arithmetic import Remainder
from .logic import of_values


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


@implements(np.fix)
@of_values
def fix(x: Any, out: None = None) -> Any:
    """An older name of np.trunc; np.fix itself gives a DeprecationWarning from NumPy 2.5 on."""
    return np.trunc(x)
