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

    Each side in turn is moved to where the accuracy on the training events is best, all other sides staying
    where they are, until no move helps. The start is a box without walls.

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
        k = x.shape[1]
        self.low, self.high = np.full(k, -np.inf), np.full(k, np.inf)
        spread = x.std(axis=0)
        self.scale = np.where(spread > 0, spread, 1.0)
        sides = [(sign, j) for j in range(k) for sign in (+1, -1)]         # +1: from below, −1: from above
        walls = {side: -np.inf for side in sides}                           # sign · x ≥ wall
        best, improved = -1, True
        while improved:
            improved = False
            for sign, j in sides:
                inside = np.all([s * x[:, i] >= w for (s, i), w in walls.items() if (s, i) != (sign, j)], axis=0)
                correct, wall = best_wall(sign * x[inside, j], y[inside])
                correct += int(np.sum(y[~inside] == 0))                     # background that other walls keep out
                if correct > best:
                    best, improved = correct, True
                    walls[sign, j] = wall
        for (sign, j), wall in walls.items():
            if sign > 0:
                self.low[j] = wall
            else:
                self.high[j] = -wall
        return self

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


def best_wall(x: NDArray[np.float64], y: NDArray[np.int64]) -> tuple[int, float]:
    """The wall w for which calling x ≥ w signal is right most often, and how often it is.

    Walls lie in the middle between neighbouring values; −∞ calls everything signal.

    Examples
    --------
    >>> best_wall(np.array([3.0, 1.0, 2.0]), np.array([1, 0, 1]))
    (3, 1.5)
    """
    if not len(x):
        return 0, -np.inf
    order = np.argsort(x, kind="stable")
    x, y = x[order], y[order]
    # With the wall before the i-th value: background below it and signal from it on are right.
    correct = np.concatenate([[0], np.cumsum(1 - y)]) + np.concatenate([np.cumsum(y[::-1])[::-1], [0]])
    possible = np.concatenate([[True], np.diff(x) > 0, [False]])            # never between equal values
    i = int(np.argmax(np.where(possible, correct, -1)))
    return int(correct[i]), float(-np.inf if i == 0 else (x[i - 1] + x[i]) / 2)
