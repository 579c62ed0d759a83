"""Rectangular cuts: what one does by hand before there is a network.

An event is called signal if every variable lies on the right side of its cuts. Each cut looks at one variable
alone, so a box with sides parallel to the axes is all that cuts can describe: correlations between the
variables are lost on them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


class RectangularCuts:
    """A box low ≤ x ≤ high, tuned on labelled events one side at a time.

    Each side in turn is moved to where most training events are called right, all other sides staying where they
    are, until no move helps. The start is a box without walls. In a first round both classes count the same, however
    many events they have: otherwise "everything is background" would be hard to leave for a rare signal.

    Attributes
    ----------
    low, high : ndarray, shape (k,)
        The box; infinite where a variable is not cut on.

    Examples
    --------
    >>> x = np.array([[0.0, 5.0], [1.0, 7.0], [2.0, 6.0], [3.0, 5.5]])
    >>> cuts = RectangularCuts().fit(x, np.array([0, 0, 1, 1]))
    >>> print(cuts.low, cuts.high)
    [ 1.5 -inf] [inf inf]
    >>> print(cuts.decision_function(x) >= 0)
    [False False  True  True]
    """

    def fit(self, x: NDArray[np.float64], y: NDArray[np.int64]) -> RectangularCuts:
        """Tune the box on events `x` of shape (n, k) with labels `y`, 1 for signal and 0 for background."""
        n, k = x.shape
        walls = {(sign, j): -np.inf for j in range(k) for sign in (+1, -1)}     # the box is sign · x_j ≥ wall
        class_sizes = np.maximum(np.bincount(y, minlength=2), 1)
        for weight in (1 / class_sizes[y], np.full(n, 1 / n)):                  # balanced accuracy, then accuracy
            self._move_walls(walls, x, y, weight)
        self.low = np.array([walls[+1, j] for j in range(k)])
        self.high = np.array([-walls[-1, j] for j in range(k)])
        spread = x.std(axis=0)
        self.scale = np.where(spread > 0, spread, 1.0)
        return self

    @staticmethod
    def _move_walls(walls: dict, x: NDArray, y: NDArray, weight: NDArray) -> None:
        """Move each wall to its best place until the weight of the events called right grows no more."""
        best, improved = -1.0, True
        while improved:
            improved = False
            for sign, j in walls:
                inside = np.all([s * x[:, i] >= w for (s, i), w in walls.items() if (s, i) != (sign, j)], axis=0)
                right, wall = best_wall(sign * x[inside, j], y[inside], weight[inside])
                right += weight[~inside][y[~inside] == 0].sum()                 # background that other walls keep out
                if right > best + 1e-12:                                        # more than rounding
                    best, improved = right, True
                    walls[sign, j] = wall

    def decision_function(self, x: NDArray[np.float64]) -> NDArray[np.float64]:
        """How far inside the box an event is: the distance to the nearest wall, in standard deviations.

        At least 0 inside, negative outside. Other thresholds than 0 move all walls together, which gives the
        cuts a ROC curve.
        """
        depth = np.concatenate([x - self.low, self.high - x], axis=1) / np.tile(self.scale, 2)
        built = np.isfinite(np.concatenate([self.low, self.high]))
        if not built.any():
            return np.zeros(len(x))                                         # no walls: everything is inside
        return depth[:, built].min(axis=1)


def best_wall(x: NDArray[np.float64], y: NDArray[np.int64], weight: NDArray[np.float64]) -> tuple[float, float]:
    """The wall w for which calling x ≥ w signal is right for the largest weight of events, and that weight.

    Walls lie in the middle between neighbouring values; −∞ calls everything signal.

    Examples
    --------
    >>> best_wall(np.array([3.0, 1.0, 2.0]), np.array([1, 0, 1]), np.ones(3))
    (3.0, 1.5)
    """
    if not len(x):
        return 0.0, -np.inf
    order = np.argsort(x, kind="stable")
    x, signal, background = x[order], (weight * y)[order], (weight * (1 - y))[order]
    # With the wall before the i-th value: background below it and signal from it on are right.
    right = np.concatenate([[0], np.cumsum(background)[:-1]]) + np.cumsum(signal[::-1])[::-1]
    possible = np.concatenate([[True], np.diff(x) > 0])                         # never between equal values
    i = int(np.argmax(np.where(possible, right, -1)))
    return float(right[i]), float(-np.inf if i == 0 else (x[i - 1] + x[i]) / 2)
