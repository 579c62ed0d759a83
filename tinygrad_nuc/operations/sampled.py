"""Functions known at points: ranges of points, interpolation, slopes, convolution, polynomials, continuous angles."""

import math
from typing import Any

import numpy as np

from ..engine.registry import implements
from ..engine.tensor import Tensor, method, value
from .axes import along, checked_dim, checked_dims
from .cumulative import diff
from .indexing import to_tensor
from .joining import beside, cat, stack
from .selection import where
from .statistics import in_floats
from .windows import Unfold


@method
@implements(np.vander)
def vander(x: Tensor, N: int | None = None, increasing: bool = False) -> Tensor:
    """Powers of the values of a vector, one row for each: xⁿ⁻¹ … x 1, or 1 x … xⁿ⁻¹ if `increasing`.

    Parameters
    ----------
    N : int, optional
        How many powers; as many as values if it is not given.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.tensor([1.0, 2.0, 3.0]).vander(2)
    tensor([[1., 1.],
            [2., 1.],
            [3., 1.]])
    """
    if x.ndim != 1:
        raise ValueError(f"vander: expects a vector, not shape {x.shape}")
    x = x if x.dtype.kind == "f" else x.astype(np.promote_types(x.dtype, int))
    n = x.shape[0] if N is None else N
    if n < 1:
        return Tensor(np.zeros_like(x.data, shape=(x.shape[0], 0)))
    powers = [Tensor(np.ones_like(x.data))]
    while len(powers) < n:
        powers.append(powers[-1] * x)
    return stack(powers if increasing else powers[::-1], -1)


# ---------------------------------------------------------------------- what they are made of

def vector(name: str, other: Any, x: Any) -> Any:
    """`x`, which may be a list or a number beside the Tensor `other`, as a vector."""
    x = beside(other, x) if hasattr(other, "dtype") else x
    if x.ndim > 1:
        raise ValueError(f"{name}: expects a vector, not shape {tuple(x.shape)}")
    return np.reshape(x, (-1,))


def slopes(f: Tensor, spacing: Any, axis: int, edge_order: int) -> Tensor:
    """The derivative along one axis: of the parabola through three neighbours, at the middle one.

    At both ends it is that of the same parabola (edge_order 2), or of the straight line through two points.
    """
    n = f.shape[axis]
    if n < edge_order + 1:
        raise ValueError(f"gradient: axis {axis} of shape {f.shape} has too few points; edge_order {edge_order} needs "
                         f"{edge_order + 1}")
    x = in_floats(beside(f, spacing))
    if x.ndim > 1 or (x.ndim == 1 and x.shape != (n,)):
        raise ValueError(f"gradient: the spacing along axis {axis} is a number or the {n} coordinates, not of shape "
                         f"{x.shape}")
    width = np.broadcast_to(diff(to_tensor(x)) if x.ndim else x, (n - 1,))
    width = np.reshape(width, [-1 if i == axis else 1 for i in range(f.ndim)])
    slope = diff(f, 1, axis) / width
    head, tail, first, last = (along(axis, part) for part in (slice(-1), slice(1, None), slice(1), slice(-1, None)))
    bend = diff(slope, 1, axis) / (width[head] + width[tail])           # half the second derivative
    start, end = slope[first], slope[last]
    if edge_order == 2:
        start, end = start - width[first] * bend[first], end + width[last] * bend[last]
    return cat([start, slope[head] + width[head] * bend, end], axis)


def slid_along(a: Any, v: Any, mode: str) -> Tensor:
    """yₙ = Σₖ aₙ₊ₖ vₖ for a vector v that is not longer than a, with zeros around a as the mode says."""
    m = v.shape[0]
    if mode not in ("full", "same", "valid"):
        raise ValueError(f"convolve: mode must be 'full', 'same' or 'valid', not {mode!r}")
    if not m:
        raise ValueError("convolve: there are no values in one of the vectors")
    before, after = {"full": (m - 1, m - 1), "same": (m // 2, m - 1 - m // 2), "valid": (0, 0)}[mode]
    windows = Unfold.apply(np.pad(a, (before, after)), size=(m,), stride=(1,), dilation=(1,))
    return np.matmul(windows, v)


# ---------------------------------------------------------------------- as NumPy calls, with NumPy's conventions

@implements(np.linspace)
def _np_linspace(start: Any, stop: Any, num: int = 50, endpoint: bool = True, *, axis: int = 0) -> Tensor:
    if num < 0:
        raise ValueError(f"linspace: the number of points must not be negative, and is {num}")
    start, stop = beside(stop, start) if hasattr(stop, "dtype") else start, beside(start, stop)
    dtype = np.result_type(start.dtype, stop.dtype)
    whole = max(num - 1 if endpoint else num, 1)
    parts = np.arange(num, like=value(start)).astype(dtype if dtype.kind == "f" else np.float64) / whole
    way = Tensor(np.reshape(parts, (-1, *(1 for _ in np.broadcast_shapes(start.shape, stop.shape)))))
    return np.moveaxis((1 - way) * start + way * stop, 0, axis)         # exact at both ends


@implements(np.interp)
def _np_interp(x: Any, xp: Any, fp: Any, left: Any = None, right: Any = None) -> Tensor:
    """Straight lines between the points (xp, fp); constant outside, unless `left` and `right` say what.

    At a point the slope is that of the line to its right, at the last one of the line to its left.
    """
    one = next(a for a in (x, xp, fp, left, right) if isinstance(a, Tensor))
    x, xp, fp = beside(one, x), vector("interp", one, xp), vector("interp", one, fp)
    x, xp, fp = (in_floats(to_tensor(a)) for a in (x, xp, fp))
    shape, n = x.shape, xp.shape[0]
    if n == 0 or fp.shape != (n,):
        raise ValueError(f"interp: needs as many values as points, and at least one, not shapes {fp.shape} and "
                         f"{xp.shape}")
    x = x.reshape(-1)
    if n > 1:
        k = np.clip(np.searchsorted(xp.data, x.data, side="right") - 1, 0, n - 2)
        y = fp[k] + (x - xp[k]) * ((fp[k + 1] - fp[k]) / (xp[k + 1] - xp[k]))
    else:
        y = fp[0] + np.zeros_like(x)
    y = where(x < xp[0], fp[0] if left is None else left, y)
    return where(x > xp[-1], fp[-1] if right is None else right, y).reshape(shape)


@implements(np.gradient)
def _np_gradient(f: Any, *varargs: Any, axis: Any = None, edge_order: int = 1) -> Any:
    if edge_order not in (1, 2):
        raise ValueError(f"gradient: edge_order must be 1 or 2, not {edge_order}")
    if not hasattr(f, "dtype"):
        f = beside(next(h for h in varargs if isinstance(h, Tensor)), f)
    f = in_floats(to_tensor(f))
    axes = checked_dims("gradient", axis, f.ndim)
    spacings = varargs or (1.0,)
    if len(spacings) == 1:
        spacings = spacings * len(axes)
    if len(spacings) != len(axes):
        raise TypeError(f"numpy.gradient of a Tensor: {len(axes)} axes need one spacing, or as many, not "
                        f"{len(spacings)}")
    found = tuple(slopes(f, h, i, edge_order) for h, i in zip(spacings, axes, strict=True))
    return found[0] if len(found) == 1 else found


@implements(np.convolve)
def _np_convolve(a: Any, v: Any, mode: str = "full") -> Tensor:
    a, v = vector("convolve", v, a), vector("convolve", a, v)
    return slid_along(v, a[::-1], mode) if v.shape > a.shape else slid_along(a, v[::-1], mode)


@implements(np.correlate)
def _np_correlate(a: Any, v: Any, mode: str = "valid") -> Tensor:
    a, v = vector("correlate", v, a), vector("correlate", a, v)
    return slid_along(v, a, mode)[::-1] if v.shape > a.shape else slid_along(a, v, mode)


@implements(np.polyval)
def _np_polyval(p: Any, x: Any) -> Tensor:
    x = beside(p, x) if hasattr(p, "dtype") else x
    y = np.zeros_like(x)
    for coefficient in p:                       # the highest power first
        y = y * x + coefficient
    return y


@implements(np.unwrap)
def _np_unwrap(p: Tensor, discont: float | None = None, axis: int = -1, *, period: float = 2 * math.pi) -> Tensor:
    """The angles with whole periods added where they jump; that number of periods is taken as constant."""
    axis = checked_dim("unwrap", axis, p.ndim)
    turns = np.rint((np.unwrap(p.data, discont, axis, period=period) - p.data) / period)
    return p + Tensor(turns) * period
