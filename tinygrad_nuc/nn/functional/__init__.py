"""Layers, activations and losses as plain functions of tensors."""

from ...operations.activations import elu, gelu, leaky_relu, logsigmoid, maxout, relu, sigmoid, silu, softplus
from ...operations.hyperbolic import tanh
from ...operations.padding import pad
from ...operations.softmax import log_softmax, softmax
from ...operations.windows import fold
from ...operations.windows import unfold_images as unfold
from .layers import linear
from .losses import (
    binary_cross_entropy,
    binary_cross_entropy_with_logits,
    cross_entropy,
    l1_loss,
    mse_loss,
    nll_loss,
)
