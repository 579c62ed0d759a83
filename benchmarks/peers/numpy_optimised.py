"""by_hand/optimised.py, as it is: the limit."""

from by_hand.optimised import elementwise, hessian_vector, scalars, training  # noqa: F401
