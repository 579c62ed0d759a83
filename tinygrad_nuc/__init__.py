"""tinygrad_nuc: reverse-mode automatic differentiation in NumPy, to learn how neural networks learn."""

from numpy import bool_ as bool
from numpy import float16, float32, float64, int8, int16, int32, int64, uint8
from numpy import float32 as float
from numpy import float64 as double
from numpy import int64 as long

from . import operations  # fills the table of derivatives and gives Tensor its methods
from . import func, inspect, nn, optim, training, utils
from .creation import (
    arange,
    as_tensor,
    eye,
    from_numpy,
    full,
    linspace,
    ones,
    ones_like,
    rand,
    randint,
    randn,
    randperm,
    tensor,
    zeros,
    zeros_like,
)
from .engine.arrays import get_default_dtype, set_default_dtype
from .engine.debugging import debug
from .engine.generator import default_generator, manual_seed
from .engine.grad_mode import enable_grad, is_grad_enabled, no_grad, set_grad_enabled
from .engine.operation import Operation
from .engine.tensor import Tensor
from .engine.transforms import grad
from .inspect import gradcheck, gradgradcheck
from .operations.activations import relu, sigmoid
from .operations.arithmetic import abs, add, div, mul, neg, pow, square, sub
from .operations.copying import clone
from .operations.exponential import exp, expm1, log, log1p, sqrt
from .operations.joining import cat, stack
from .operations.logic import all, allclose, any, argmax, argmin, ceil, floor, isfinite, isnan, round, sign, trunc
from .operations.matrix import matmul
from .operations.reductions import amax, amin, logsumexp, max, mean, min, sum, var
from .operations.selection import clamp, maximum, minimum, where
from .operations.shape import (
    broadcast_to,
    expand,
    flatten,
    permute,
    reshape,
    squeeze,
    t,
    transpose,
    unsqueeze,
)
from .operations.softmax import log_softmax, softmax
from .operations.trigonometric import cos, sin, tanh

__version__ = "0.1.0"
