"""tinygrad_nuc: reverse-mode automatic differentiation in NumPy, to learn how neural networks learn."""

from importlib import import_module as _import_module
from math import e, inf, nan, pi
from typing import TYPE_CHECKING as _TYPE_CHECKING

from numpy import bool_ as bool
from numpy import float16, float32, float64, int8, int16, int32, int64, uint8
from numpy import float32 as float
from numpy import float64 as double
from numpy import int64 as long

from . import (
    autograd,
    cuda,
    func,
    inspect,
    linalg,
    nn,
    operations,  # fills the table of derivatives and gives Tensor its methods
    optim,
    training,
    utils,
)
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
from .devices.kernels.matmul import get_float32_matmul_precision, set_float32_matmul_precision
from .devices.names import device, get_default_device, set_default_device
from .engine.arrays import get_default_dtype, set_default_dtype
from .engine.debugging import debug, set_debug
from .engine.generator import default_generator, get_rng_state, initial_seed, manual_seed, set_rng_state
from .engine.grad_mode import enable_grad, is_grad_enabled, no_grad, set_grad_enabled
from .engine.operation import Operation
from .engine.tensor import Tensor
from .engine.transforms import grad
from .exchange import from_dlpack
from .inspect import gradcheck, gradgradcheck, summary
from .operations.activations import relu, sigmoid
from .operations.aliases import (
    absolute,
    clip,
    concat,
    divide,
    greater,
    greater_equal,
    less,
    less_equal,
    multiply,
    negative,
    ravel,
    subtract,
)
from .operations.arithmetic import abs, add, div, fmod, mul, neg, positive, pow, reciprocal, remainder, square, sub
from .operations.copying import clone
from .operations.cumulative import cummax, cummin, cumsum, diff, trapezoid
from .operations.diagonals import diag, diag_embed, diagflat, diagonal, trace, tril, triu
from .operations.einsum import einsum, outer, tensordot
from .operations.exponential import exp, exp2, expm1, log, log1p, log2, log10, logaddexp, logaddexp2, sqrt
from .operations.floating_point import copysign, fmax, fmin, nan_to_num
from .operations.hyperbolic import acosh, arccosh, arcsinh, arctanh, asinh, atanh, cosh, sinh, tanh
from .operations.joining import atleast_1d, atleast_2d, atleast_3d, cat, column_stack, dstack, hstack, stack, vstack
from .operations.linear_algebra import det, inverse, logdet, matrix_power
from .operations.logic import (
    all,
    allclose,
    any,
    argmax,
    argmin,
    ceil,
    eq,
    floor,
    ge,
    gt,
    isclose,
    isfinite,
    isnan,
    le,
    logical_and,
    logical_not,
    logical_or,
    logical_xor,
    lt,
    ne,
    round,
    sign,
    trunc,
)
from .operations.masking import masked_fill, masked_select
from .operations.matrix import bmm, dot, matmul, mm, mv
from .operations.norms import norm, std
from .operations.picking import gather, index_select, take, take_along_dim
from .operations.products import cumprod, prod
from .operations.rearranging import flip, fliplr, flipud, moveaxis, movedim, roll, rot90, swapaxes, swapdims
from .operations.reductions import amax, amin, max, mean, min, sum, var
from .operations.repeating import meshgrid, repeat_interleave, tile
from .operations.sampled import vander
from .operations.scattering import index_add, scatter, scatter_add
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
    unflatten,
    unsqueeze,
)
from .operations.softmax import log_softmax, logsumexp, softmax
from .operations.sorting import argsort, kthvalue, median, quantile, sort, topk
from .operations.special import erf, erfc
from .operations.splitting import chunk, dsplit, hsplit, split, tensor_split, unbind, vsplit
from .operations.statistics import corrcoef, cov, nanmean, nansum
from .operations.trigonometric import (
    acos,
    arccos,
    arcsin,
    arctan,
    arctan2,
    asin,
    atan,
    atan2,
    cos,
    deg2rad,
    hypot,
    rad2deg,
    sin,
    sinc,
    tan,
)
from .operations.vectors import cross
from .operations.whole_numbers import floor_divide
from .plan.compiled import compile
from .utils.allocation import keep_freed_memory
from .utils.state_files import load, save

__version__ = "0.1.0"

if _TYPE_CHECKING:
    from . import plots
else:
    def __getattr__(name):
        """`tn.plots` is imported when it is first asked for: matplotlib takes its time."""
        if name == "plots":
            return _import_module(".plots", __name__)
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
