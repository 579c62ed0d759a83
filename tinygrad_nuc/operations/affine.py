"""A linear layer's formula as one operation."""

import numpy as np

from ..engine.operation import Operation


class Affine(Operation):
    """y = x Wᵀ + b, for each row x"""
    def forward(x, W, b):       return np.matmul(x, np.transpose(W)) + b

    def grad_x(g, y, x, W, b):                                          # ∂L/∂x = ∂L/∂y W
        return g * W if W.shape[0] == 1 else np.matmul(g, W)            # of one output: BLAS takes twice the time

    def grad_W(g, y, x, W, b):  return np.matmul(np.transpose(g), x)    # ∂L/∂W = (∂L/∂y)ᵀ x
    def grad_b(g, y, x, W, b):  return np.sum(g, axis=0)                # ∂L/∂b = Σ ∂L/∂y over the rows
