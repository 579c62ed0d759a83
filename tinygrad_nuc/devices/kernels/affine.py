"""A linear layer: its products by cuBLAS, the bias added in place, and the bias's gradient by a sum of its own."""

from typing import Any

import numpy as np

from ...operations.affine import Affine
from .matmul import product
from .registry import computes
from .sums import sum_over_rows


@computes(Affine.forward)
def affine(x: Any, W: Any, b: Any) -> Any:
    y = product(x, np.transpose(W))
    y += b
    return y


@computes(Affine.grad_x)
def affine_grad_x(g: Any, y: Any, x: Any, W: Any, b: Any) -> Any:
    return product(g, W)


@computes(Affine.grad_W)
def affine_grad_W(g: Any, y: Any, x: Any, W: Any, b: Any) -> Any:
    return product(np.transpose(g), x)


@computes(Affine.grad_b)
def affine_grad_b(g: Any, y: Any, x: Any, W: Any, b: Any) -> Any:
    return sum_over_rows(g)
