"""Values replaced or picked by conditions."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..engine.registry import implements
from ..engine.tensor import Tensor, method, value
from .indexing import to_tensor
from .picking import taken
from .selection import where


@method
def masked_fill(input: Tensor, mask: Any, value: Tensor | float) -> Tensor:
    """`value` where the mask is true, the input elsewhere; the gradient of what was replaced is 0.

    Parameters
    ----------
    mask : Tensor of booleans
        Broadcast together with `input`.
    value : float, or a Tensor with a single number
        In the dtype of `input`.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> x = tn.tensor([1.0, 2.0, 3.0])
    >>> tn.masked_fill(x, x > 1.5, float("-inf"))
    tensor([  1., -inf, -inf])
    """
    require_mask("masked_fill", mask)
    if np.ndim(value):
        raise ValueError(f"masked_fill: the value is a single number, not of shape {np.shape(value)}; use where")
    return where(mask, value, input).to(input.dtype)


@method
def masked_select(input: Tensor, mask: Any) -> Tensor:
    """The values where the mask is true, as a vector; `input` and `mask` are broadcast together.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> x = tn.tensor([[1.0, 2.0], [3.0, 4.0]])
    >>> tn.masked_select(x, x > 1.5)
    tensor([2., 3., 4.])
    """
    require_mask("masked_select", mask)
    shape = np.broadcast_shapes(input.shape, mask.shape)
    return np.broadcast_to(input, shape)[np.broadcast_to(value(mask), shape)]


def require_mask(name: str, mask: Any) -> None:
    if getattr(mask, "dtype", None) != np.bool_:
        raise TypeError(f"{name}: the mask is a tensor of booleans, such as x > 0, not {describe_kind(mask)}")


def describe_kind(x: Any) -> str:
    return f"of {x.dtype}" if hasattr(x, "dtype") else f"a {type(x).__name__}"


# ---------------------------------------------------------------------- as NumPy calls, with NumPy's conventions

@implements(np.compress)
def _np_compress(condition: Any, a: Tensor, axis: int | None = None) -> Tensor:
    if np.ndim(condition) != 1:
        raise ValueError(f"compress: the condition is a vector, and this one has shape {np.shape(condition)}")
    return taken(to_tensor(a), true_positions(condition, a), axis)


@implements(np.extract)
def _np_extract(condition: Any, arr: Tensor) -> Tensor:
    return taken(to_tensor(arr), true_positions(condition, arr), None)


def true_positions(condition: Any, a: Any) -> Any:
    """Where the flattened condition is true."""
    condition = value(condition)
    return np.flatnonzero(condition if hasattr(condition, "dtype") else np.array(condition, like=value(a)))


@implements(np.choose)
def _np_choose(a: Any, choices: Sequence) -> Tensor:
    array = value(a)
    if type(array) is np.ndarray and array.size and not 0 <= array.min() <= array.max() < len(choices):
        raise ValueError(f"choose: choices are numbered from 0 to {len(choices) - 1}, and the values run from "
                         f"{array.min()} to {array.max()}")
    y = choices[0]
    for i, choice in enumerate(choices):        # the first one too, for the sake of its shape
        y = where(a == i, choice, y)
    return y


@implements(np.select)
def _np_select(condlist: Sequence, choicelist: Sequence, default: Any = 0) -> Tensor:
    if len(condlist) != len(choicelist) or not len(condlist):
        raise ValueError(f"select: {len(condlist)} conditions do not fit {len(choicelist)} choices; give as many, and "
                         "at least one")
    y = default
    for condition, choice in reversed(list(zip(condlist, choicelist, strict=True))):
        require_mask("select", condition)
        y = where(condition, choice, y)         # an earlier condition comes later, and so goes before
    return y
