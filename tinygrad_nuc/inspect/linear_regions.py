"""The straight pieces that a ReLU network with one input is made of, found by following its joints layer by layer."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..utils.arguments import whole_number
from .relu_layers import Affine, taken_apart

# A few units in the last place of float64: what the sums and products of one layer may be wrong by.
ROUNDING = 32 * float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class LinearRegions:
    """A piecewise linear function of one variable: y = slopes[i] · x + intercepts[i] on piece i.

    Attributes
    ----------
    low, high : float
        Where the function was looked at.
    joints : ndarray, shape (count − 1,)
        Where one piece ends and the next begins, in order; all between `low` and `high`.
    slopes, intercepts : ndarray, shape (count, outputs)
        Of each piece, for each output of the network.
    activation_patterns : int
        How many different sets of units are active somewhere between `low` and `high`. It is more than `count` where a
        unit switches on or off without a change of slope: its output weight is 0, say.
    upper_bound : int
        What no network with as many units has more pieces than; see `max_linear_regions`.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> regions = tn.inspect.linear_regions(tn.nn.ReLU(), -2.0, 1.0)
    >>> regions.count, regions.joints.tolist(), regions.slopes.ravel().tolist()
    (2, [0.0], [0.0, 1.0])
    >>> regions([-1.0, 0.5]).ravel().tolist()                   # the function itself
    [0.0, 0.5]
    """

    low: float
    high: float
    joints: NDArray
    slopes: NDArray
    intercepts: NDArray
    activation_patterns: int
    upper_bound: int

    @property
    def count(self) -> int:
        """How many straight pieces there are; neighbours differ in the slope of an output."""
        return len(self.slopes)

    @property
    def edges(self) -> NDArray:
        """`low`, the joints, and `high`: shape (count + 1,)."""
        return np.concatenate([[self.low], self.joints, [self.high]])

    def __call__(self, x: ArrayLike) -> NDArray:
        """y at the points x, shape (points, outputs); outside of `low` and `high` the first or last piece goes on."""
        points = np.asarray(x, np.float64).reshape(-1)
        piece = np.searchsorted(self.joints, points, side="right")
        return self.slopes[piece] * points[:, None] + self.intercepts[piece]

    def __repr__(self) -> str:
        return (f"LinearRegions(count={self.count:,}, from {self.low:g} to {self.high:g}, "
                f"activation_patterns={self.activation_patterns:,}, upper_bound={self.upper_bound:,})")


def linear_regions(model: Any, low: float, high: float) -> LinearRegions:
    """All straight pieces of a ReLU network with one input, between two points.

    Nothing is sampled. On each piece every unit's z is a straight line, so where a unit bends follows from z at the
    ends of the piece, x = x₀ + (x₁ − x₀) z₀ / (z₀ − z₁). There the piece is cut, and the next layer is looked at.

    All is computed in float64, whatever the dtype of the model, in evaluation mode: dropout does nothing. Two
    joints that are no further apart than rounding are one. Neighbouring pieces with the same slopes are one piece too:
    `LinearRegions.count` counts straight pieces, and `LinearRegions.activation_patterns` what the units do.

    Parameters
    ----------
    model : Module
        An ``nn.Sequential`` of Linear, ReLU, LeakyReLU, Identity, ``Flatten()`` and Dropout, also of nested ones, or
        one such layer.
    low, high : float
        The ends of the interval.

    Returns
    -------
    LinearRegions

    Raises
    ------
    TypeError
        If the model has a layer of another kind.
    ValueError
        If it has more than one input, a weight is infinite or NaN, or `low` is not below `high`.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> from tinygrad_nuc import nn
    >>> model = nn.Sequential(nn.Linear(1, 2), nn.ReLU(), nn.Linear(2, 1))
    >>> _ = model.load_state_dict({"0.weight": [[1.0], [1.0]], "0.bias": [0.0, -1.0],
    ...                            "2.weight": [[2.0, -4.0]], "2.bias": [0.0]})
    >>> regions = tn.inspect.linear_regions(model, -1.0, 2.0)
    >>> regions
    LinearRegions(count=3, from -1 to 2, activation_patterns=3, upper_bound=3)
    >>> regions.joints.tolist(), regions.slopes.ravel().tolist(), regions.intercepts.ravel().tolist()
    ([0.0, 1.0], [0.0, 2.0, -2.0], [0.0, 0.0, 4.0])
    """
    ends = np.array([low, high], np.float64)
    if not (np.isfinite(ends).all() and ends[0] < ends[1]):
        raise ValueError(f"linear_regions: low must be below high, and both finite, not {low} and {high}")
    steps = taken_apart("linear_regions", model, inputs=1)

    # The function so far: its values at the edges of the pieces, shape (pieces + 1, units), its slopes on the pieces,
    # (pieces, units), and `slack`: how far rounding may have moved each slope.
    x, values, slopes, slack = ends, ends[:, None].copy(), np.ones((1, 1)), np.zeros((1, 1))
    units = []
    for step in steps:
        if isinstance(step, Affine):
            size = np.abs(step.weight.T)
            slack = ROUNDING * (np.abs(slopes) @ size)
            values = zero_within(ROUNDING * (np.abs(values) @ size + np.abs(step.bias)), step(values))
            slopes = zero_within(slack, slopes @ step.weight.T)
        else:
            units.append(values.shape[1])
            x, values, piece = cut_at_zeros(x, values)
            factor = np.where(values[:-1] + values[1:] > 0, 1.0, step.slope)        # the sign in the middle of a piece
            slopes, slack = slopes[piece] * factor, slack[piece] * np.abs(factor)
            values = step(values)

    intercepts = values[:-1] - slopes * x[:-1, None]
    bends = (np.abs(np.diff(slopes, axis=0)) > slack[:-1] + slack[1:]).any(axis=1)
    first = np.concatenate([[True], bends])                 # the pieces that do not only go on with the one before
    return LinearRegions(float(x[0]), float(x[-1]), x[1:-1][bends], slopes[first], intercepts[first], len(slopes),
                         max_linear_regions(units, 1))


def zero_within(rounding: NDArray, array: NDArray) -> NDArray:
    """The array, with 0 for what only rounding keeps from being 0."""
    return np.where(np.abs(array) > rounding, array, 0.0)


def cut_at_zeros(x: NDArray, z: NDArray) -> tuple[NDArray, NDArray, NDArray]:
    """Cut the pieces between the edges x where a unit's line z passes through 0.

    Parameters
    ----------
    x : ndarray, shape (pieces + 1,)
    z : ndarray, shape (pieces + 1, units)
        The values at the edges.

    Returns
    -------
    (ndarray, ndarray, ndarray)
        x and z at all edges, old and new, and for each new piece the number of the old one in which it lies.
    """
    piece, unit = np.nonzero(np.sign(z[:-1]) * np.sign(z[1:]) < 0)
    share = z[piece, unit] / (z[piece, unit] - z[piece + 1, unit])              # of the way through the piece
    crossing = x[piece] + (x[piece + 1] - x[piece]) * share
    order = np.argsort(crossing, kind="stable")
    piece, unit, share, crossing = piece[order], unit[order], share[order], crossing[order]

    # What is closer to the crossing before, or to an end of its piece, than rounding can tell is no edge of its own.
    closest = ROUNDING * np.abs(x[[0, -1]]).max()
    new = np.minimum(crossing - x[piece], x[piece + 1] - crossing) > closest
    new[1:] &= np.diff(crossing) > closest
    piece, unit, share, crossing = piece[new], unit[new], share[new], crossing[new]

    z_new = (1 - share[:, None]) * z[piece] + share[:, None] * z[piece + 1]
    z_new[np.arange(len(unit)), unit] = 0.0
    return (np.insert(x, piece + 1, crossing), np.insert(z, piece + 1, z_new, axis=0),
            np.sort(np.concatenate([np.arange(len(x) - 1), piece])))


def max_linear_regions(widths: Sequence[int], inputs: int = 1) -> int:
    """What no ReLU network of that shape has more linear regions than.

    Π_l Σ_{j=0}^{d_l} C(n_l, j) with n_l the units of hidden layer l, n_0 the inputs, and d_l = min(n_0, …, n_{l−1}):
    a layer's n units cut a space of d dimensions into at most Σ_{j=0}^{d} C(n, j) parts, and the next layer cuts each
    of them again.

    Some network with one hidden layer reaches it, and so does `folding_network`; in between, it may be too large. It
    holds for leaky ReLUs too. Outputs do not matter.

    Sources: T. Zaslavsky, "Facing up to arrangements", Memoirs of the American Mathematical Society 154, 1975, for one
    layer; G. Montúfar, "Notes on the number of linear regions of deep neural networks", SampTA 2017, for the product.
    The number in Montúfar et al., "On the number of linear regions of deep neural networks", NeurIPS 2014, is another
    one: what some networks have at least.

    Parameters
    ----------
    widths : sequence of int
        The units of each hidden layer.
    inputs : int

    Raises
    ------
    ValueError
        If a width, or the number of inputs, is not a whole number of at least 1.

    Examples
    --------
    >>> from tinygrad_nuc.inspect import max_linear_regions
    >>> [max_linear_regions(*shape) for shape in (([3], 1), ([4], 1), ([3], 2), ([3, 3], 1))]
    [4, 5, 7, 16]
    >>> max_linear_regions([10] * 5, 1)                         # 11⁵
    161051
    """
    dimensions = whole_number("max_linear_regions", "inputs", inputs)
    regions = 1
    for n in widths:
        n = whole_number("max_linear_regions", "each width", n)
        regions *= sum(math.comb(n, j) for j in range(dimensions + 1))
        dimensions = min(dimensions, n)
    return regions
