"""Layers, activations and losses as plain functions of tensors."""

from ...operations.activations import elu, gelu, leaky_relu, logsigmoid, maxout, relu, sigmoid, silu, softplus
from ...operations.hyperbolic import tanh
from ...operations.padding import pad
from ...operations.softmax import log_softmax, softmax
from ...operations.windows import fold
from ...operations.windows import unfold_images as unfold
from .classification import binary_cross_entropy, binary_cross_entropy_with_logits, cross_entropy, kl_div, nll_loss
from .convolution import conv2d
from .directions import von_mises_fisher_nll_loss
from .layers import embedding, linear
from .likelihoods import gaussian_nll_loss, poisson_nll_loss
from .losses import huber_loss, l1_loss, mse_loss, smooth_l1_loss
from .normalisation import batch_norm, layer_norm
from .pooling import avg_pool2d, max_pool2d
from .regularisation import dropout, dropout2d
