"""For every operation: inputs to try it on, and what NumPy says the result is.

An operation that is not in `SAMPLES` fails the suite (test_operations.py). A sample is (arrays, settings).
"""

from . import affine, arrays, convolution, elementwise, linear

SAMPLES = {**affine.SAMPLES, **elementwise.SAMPLES, **arrays.SAMPLES, **linear.SAMPLES, **convolution.SAMPLES}
