"""The first demos: the perceptron."""

import numpy as np
from demo_helpers import quick


def test_the_perceptron_learns_and_but_never_exclusive_or():
    found = quick("perceptron")
    assert len(found.paths["and"]) - 1 == 10                        # changes, from 0
    np.testing.assert_array_equal(found.paths["and"][-1], [-2, 2, 1])
    assert len(found.paths["exclusive or"]) > 3000
    assert found.difference < 1e-12
