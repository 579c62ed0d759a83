"""by_hand/straightforward.py, as it is: the yardstick."""

from by_hand.straightforward import elementwise, hessian_vector, scalars, training  # noqa: F401
