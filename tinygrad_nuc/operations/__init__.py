"""The table of derivatives, by mathematical topic. Each file begins with its rows, one class each.

In the formulas a is the first argument of a function (its `input`) and b the second (its `other`).

Importing this package fills the registry and gives `Tensor` its methods.
"""

from . import (
    activations,
    arithmetic,
    copying,
    cumulative,
    diagonals,
    einsum,
    exponential,
    floating_point,
    hyperbolic,
    in_place,
    indexing,
    joining,
    likelihood,
    linear_algebra,
    logic,
    masking,
    matrix,
    norms,
    padding,
    picking,
    products,
    rearranging,
    reductions,
    repeating,
    scattering,
    selection,
    shape,
    softmax,
    sorting,
    special,
    splitting,
    trigonometric,
    windows,
)
