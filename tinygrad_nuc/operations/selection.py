"""Choosing between values: the gradient goes to the one that was chosen."""

from typing import Any

import numpy as np

from ..engine.arrays import get_default_dtype
from ..engine.operation import Operation
from ..engine.registry import implements
from ..engine.tensor import Tensor, method


class Maximum(Operation, numpy=np.maximum):
    """y = max(a, b), element by element; equal values share the gradient"""
    def forward(a, b):       return np.maximum(a, b)
    def grad_a(g, y, a, b):  return np.where(a == b, g / 2, np.where(a > b, g, 0))
    def grad_b(g, y, a, b):  return np.where(a == b, g / 2, np.where(b > a, g, 0))


class Minimum(Operation, numpy=np.minimum):
    """y = min(a, b), element by element; equal values share the gradient"""
    def forward(a, b):       return np.minimum(a, b)
    def grad_a(g, y, a, b):  return np.where(a == b, g / 2, np.where(a < b, g, 0))
    def grad_b(g, y, a, b):  return np.where(a == b, g / 2, np.where(b < a, g, 0))


class Where(Operation):
    """y = a where the condition holds, otherwise b"""
    def forward(condition, a, b):       return np.where(condition, a, b)
    def grad_a(g, y, condition, a, b):  return np.where(condition, g, 0)
    def grad_b(g, y, condition, a, b):  return np.where(condition, 0, g)


@method
def maximum(input: Tensor, other: Tensor | float) -> Tensor:
    """The larger of two values, element by element; where they are equal, each gets half the gradient.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.maximum(tn.tensor([1.0, 5.0]), tn.tensor([3.0, 4.0]))
    tensor([3., 5.])
    """
    return Maximum.apply(input, other)


@method
def minimum(input: Tensor, other: Tensor | float) -> Tensor:
    """The smaller of two values, element by element; where they are equal, each gets half the gradient.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.minimum(tn.tensor([1.0, 5.0]), tn.tensor([3.0, 4.0]))
    tensor([1., 4.])
    """
    return Minimum.apply(input, other)


@implements(np.where)
def where(condition: Tensor, input: Tensor | float, other: Tensor | float) -> Tensor:
    """`input` where `condition` is true, `other` elsewhere, all three broadcast together.

    A gradient of 0 times an infinite slope is NaN: where the value not taken has an infinite or undefined
    slope, make its argument harmless before the function is applied, as in ``sqrt(where(x > 0, x, 1))``.

    Two Python floats give the default dtype.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> x = tn.tensor([-1.0, 2.0])
    >>> tn.where(x > 0, x, 0.0)
    tensor([0., 2.])
    """
    tensors = [x for x in (input, other) if isinstance(x, Tensor)]
    if isinstance(condition, bool) and tensors:             # CuPy's where takes no Python bool
        condition = np.array(condition, like=tensors[0].data)
    y = Where.apply(condition, input, other)
    from_python = isinstance(input, float) and isinstance(other, float)
    return y.astype(get_default_dtype()) if from_python and isinstance(y, Tensor) else y


@method
def clamp(input: Tensor, min: Tensor | float | None = None, max: Tensor | float | None = None) -> Tensor:
    """The value, but at least `min` and at most `max`. Where the two contradict each other, `max` counts.

    The gradient goes to the input from `min` to `max`, both included, and outside these to the bound, if that is
    a tensor which is differentiated.

    Raises
    ------
    ValueError
        If neither bound is given.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.clamp(tn.tensor([-2.0, 0.5, 3.0]), -1, 1)
    tensor([-1.0000,  0.5000,  1.0000])
    >>> tn.clamp(tn.tensor([-2.0, 0.5, 3.0]), max=tn.tensor([0.0, 0.0, 5.0]))
    tensor([-2.,  0.,  3.])
    """
    if min is None and max is None:
        raise ValueError("clamp: give min, max or both")
    y = input
    if min is not None:
        y = where((y < min) | (min != min), min, y)         # a bound that is NaN makes the result NaN, as in NumPy
    if max is not None:
        y = where((y > max) | (max != max), max, y)
    return y


@implements(np.clip)
def _np_clip(a: Tensor, a_min: Any = None, a_max: Any = None, *, min: Any = None, max: Any = None) -> Tensor:
    return clamp(a, a_min if min is None else min, a_max if max is None else max)
