"""Averages with weights, covariances, and the functions that leave NaN out."""

from typing import Any

import numpy as np

from ..engine.registry import implements
from ..engine.tensor import Tensor, method, value
from .axes import checked_dims, count, takes_axis
from .cumulative import cumsum
from .indexing import to_tensor
from .joining import beside, cat
from .norms import Norm
from .products import cumprod, prod
from .reductions import mean
from .selection import where


@method
def cov(input: Tensor, *, correction: float = 1, fweights: Any = None, aweights: Any = None) -> Tensor:
    """Covariances of the rows, cᵢⱼ = Σₖ wₖ (aᵢₖ − āᵢ)(aⱼₖ − āⱼ) / N, with N = n − correction for n equal weights.

    Parameters
    ----------
    input : Tensor, shape (variables, observations) or (observations,)
        One variable gives a single number, its variance.
    fweights : Tensor of integers, shape (observations,), optional
        How often each observation was made.
    aweights : Tensor, shape (observations,), optional
        Relative weights; N is then Σw − correction · Σw a / Σw, where w is the product of both weights.

    Raises
    ------
    ValueError
        If the input has more than two dimensions.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.tensor([[1.0, 2.0, 3.0], [2.0, 0.0, 1.0]]).cov()
    tensor([[ 1.0000, -0.5000],
            [-0.5000,  1.0000]])
    """
    return covariance(as_rows("cov", input), correction, fweights, aweights)


@method
def corrcoef(input: Tensor) -> Tensor:
    """Correlations of the rows, cᵢⱼ / √(cᵢᵢ cⱼⱼ): from −1 to 1, with 1 on the diagonal.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.tensor([[1.0, 2.0, 3.0], [2.0, 0.0, 1.0]]).corrcoef()
    tensor([[ 1.0000, -0.5000],
            [-0.5000,  1.0000]])
    """
    return correlation(as_rows("corrcoef", input))


@method
@takes_axis
def nansum(input: Tensor, dim: int | tuple[int, ...] | None = None, keepdim: bool = False, *,
           dtype: Any = None) -> Tensor:
    """Sum of the values that are not NaN; 0 if there are none. No gradient passes to NaN.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.tensor([1.0, float("nan"), 2.0]).nansum()
    tensor(3.)
    """
    return np.sum(nan_as(0, input), axis=dim, dtype=dtype, keepdims=keepdim)


@method
@takes_axis
def nanmean(input: Tensor, dim: int | tuple[int, ...] | None = None, keepdim: bool = False, *,
            dtype: Any = None) -> Tensor:
    """Mean of the values that are not NaN; NaN if there are none. No gradient passes to NaN.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.tensor([1.0, float("nan"), 2.0]).nanmean()
    tensor(1.5000)
    """
    x = in_floats(input if dtype is None else input.astype(dtype))
    return nansum(x, dim, keepdim) / how_many(x, dim, keepdim)


# ---------------------------------------------------------------------- what they are made of

def in_floats(x: Any) -> Any:
    """Whole numbers and booleans as float64, so that sums and differences do not run over; floats as they are."""
    return x if x.dtype.kind == "f" else x.astype(np.float64)


def as_rows(name: str, x: Any) -> Any:
    """A vector or a number as the one row of a matrix."""
    if x.ndim > 2:
        raise ValueError(f"{name}: expects a matrix with one variable in each row, not shape {x.shape}")
    return np.reshape(x, (1, -1)) if x.ndim < 2 else x


def covariance(rows: Any, correction: float, fweights: Any, aweights: Any) -> Tensor:
    """The covariances of the rows; a single number for one row."""
    rows = in_floats(rows)
    if fweights is None and aweights is None:
        deviation = rows - mean(rows, 1, True)
        degrees: Any = max(rows.shape[1] - correction, 0)
        return np.squeeze(np.matmul(deviation, deviation.T) / degrees)
    fweights, aweights = (1 if w is None else checked_weights(rows, w) for w in (fweights, aweights))
    weights = fweights * aweights
    total = np.sum(weights)
    deviation = rows - np.sum(rows * weights, axis=1, keepdims=True) / total
    degrees = total - correction * np.sum(weights * aweights) / total
    return np.squeeze(np.matmul(deviation, (deviation * weights).T) / degrees)


def checked_weights(rows: Any, weights: Any) -> Any:
    """One weight for each observation, of the dtype of the observations."""
    weights = beside(rows, weights)
    if weights.shape != (rows.shape[1],):
        raise ValueError(f"cov: {rows.shape[1]} observations need as many weights, and these have shape "
                         f"{weights.shape}")
    return weights if weights.dtype.kind == "f" else weights.astype(rows.dtype)


def correlation(rows: Any) -> Tensor:
    """The correlations of the rows; 1 for a single one."""
    c = covariance(rows, 1, None, None)
    if not c.ndim:
        return c / c
    width = np.sqrt(np.diagonal(c))
    return np.clip(c / width[:, None] / width, -1, 1)           # where rounding leads further


def nan_as(number: float, x: Any) -> Any:
    """The values with a number in the place of NaN, to which no gradient passes."""
    return where(np.isnan(x), number, x) if x.dtype.kind == "f" else x


def how_many(x: Any, axis: Any, keepdims: bool, least: float = 0) -> Any:
    """How many values are not NaN, less `least`; NaN where nothing is left."""
    n = np.sum(~np.isnan(value(x)), axis=axis, keepdims=keepdims, dtype=x.dtype) - least
    return Tensor(np.where(n > 0, n, np.nan))


def deviation_without_nan(a: Any, axis: Any, dtype: Any) -> Any:
    """a − ā, and 0 for NaN."""
    a = in_floats(a if dtype is None else a.astype(dtype))
    return a, where(np.isnan(a), 0, a - nanmean(a, axis, True))


# ---------------------------------------------------------------------- as NumPy calls, with NumPy's conventions

@implements(np.average)
def _np_average(a: Any, axis: Any = None, weights: Any = None, returned: bool = False, *,
                keepdims: bool = False) -> Any:
    if weights is None:
        y = mean(in_floats(a), axis, keepdims)
        return (y, Tensor(np.full_like(y.data, count(a, axis)))) if returned else y
    a, weights = in_floats(a if hasattr(a, "dtype") else beside(weights, a)), beside(a, weights)
    axes = checked_dims("average", axis, a.ndim)
    if weights.shape != a.shape:
        if axis is None or weights.shape != tuple(a.shape[i] for i in axes):
            raise ValueError(f"average: weights of shape {weights.shape} do not fit values of shape {a.shape} along "
                             f"axis {axis}; give one weight for each value, or for each place along the axis")
        weights = np.transpose(weights, tuple(int(i) for i in np.argsort(axes)))
        weights = np.reshape(weights, [n if i in axes else 1 for i, n in enumerate(a.shape)])
    weights = weights if weights.dtype.kind == "f" else weights.astype(a.dtype)
    total = np.sum(weights, axis=axes, keepdims=keepdims)
    y = np.sum(a * weights, axis=axes, keepdims=keepdims) / total
    return (y, np.copy(np.broadcast_to(to_tensor(total), y.shape))) if returned else y


@implements(np.cov)
def _np_cov(m: Any, y: Any = None, rowvar: bool = True, bias: bool = False, ddof: float | None = None,
            fweights: Any = None, aweights: Any = None) -> Tensor:
    rows = _np_rows("cov", m, y, rowvar)
    return covariance(rows, (0 if bias else 1) if ddof is None else ddof, fweights, aweights)


@implements(np.corrcoef)
def _np_corrcoef(x: Any, y: Any = None, rowvar: bool = True) -> Tensor:
    return correlation(_np_rows("corrcoef", x, y, rowvar))


def _np_rows(name: str, m: Any, y: Any, rowvar: bool) -> Any:
    """The variables of both, one in each row."""
    parts: list = [m] if y is None else [beside(y, m) if hasattr(y, "dtype") else m, beside(m, y)]
    parts = [as_rows(name, x).T if not rowvar and x.ndim == 2 else as_rows(name, x) for x in parts]
    return cat(parts) if len(parts) > 1 else parts[0]


@implements(np.ptp)
def _np_ptp(a: Tensor, axis: Any = None, *, keepdims: bool = False) -> Tensor:
    return np.max(a, axis=axis, keepdims=keepdims) - np.min(a, axis=axis, keepdims=keepdims)


@implements(np.nansum)
def _np_nansum(a: Tensor, axis: Any = None, dtype: Any = None, *, keepdims: bool = False) -> Tensor:
    return nansum(a, axis, keepdims, dtype=dtype)


@implements(np.nanmean)
def _np_nanmean(a: Tensor, axis: Any = None, dtype: Any = None, *, keepdims: bool = False) -> Tensor:
    return nanmean(a, axis, keepdims, dtype=dtype)


@implements(np.nanvar)
def _np_nanvar(a: Tensor, axis: Any = None, dtype: Any = None, *, ddof: float = 0, keepdims: bool = False) -> Tensor:
    a, deviation = deviation_without_nan(a, axis, dtype)
    return np.sum(deviation * deviation, axis=axis, keepdims=keepdims) / how_many(a, axis, keepdims, ddof)


@implements(np.nanstd)
def _np_nanstd(a: Tensor, axis: Any = None, dtype: Any = None, *, ddof: float = 0, keepdims: bool = False) -> Tensor:
    a, deviation = deviation_without_nan(a, axis, dtype)
    return Norm.apply(deviation, axis=axis, keepdims=keepdims) / np.sqrt(how_many(a, axis, keepdims, ddof))


@implements(np.nanmax)
def _np_nanmax(a: Tensor, axis: Any = None, *, keepdims: bool = False) -> Tensor:
    y = np.max(nan_as(-np.inf, a), axis=axis, keepdims=keepdims)
    return where(np.all(np.isnan(a), axis=axis, keepdims=keepdims), np.nan, y) if a.dtype.kind == "f" else y


@implements(np.nanmin)
def _np_nanmin(a: Tensor, axis: Any = None, *, keepdims: bool = False) -> Tensor:
    y = np.min(nan_as(np.inf, a), axis=axis, keepdims=keepdims)
    return where(np.all(np.isnan(a), axis=axis, keepdims=keepdims), np.nan, y) if a.dtype.kind == "f" else y


@implements(np.nanprod)
def _np_nanprod(a: Tensor, axis: Any = None, dtype: Any = None, *, keepdims: bool = False) -> Tensor:
    return prod(nan_as(1, a), axis, keepdims, dtype=dtype)


@implements(np.nancumsum)
def _np_nancumsum(a: Tensor, axis: int | None = None, dtype: Any = None) -> Tensor:
    x = nan_as(0, a)
    return cumsum(x.reshape(-1), 0, dtype=dtype) if axis is None else cumsum(x, axis, dtype=dtype)


@implements(np.nancumprod)
def _np_nancumprod(a: Tensor, axis: int | None = None, dtype: Any = None) -> Tensor:
    x = nan_as(1, a)
    return cumprod(x.reshape(-1), 0, dtype=dtype) if axis is None else cumprod(x, axis, dtype=dtype)
