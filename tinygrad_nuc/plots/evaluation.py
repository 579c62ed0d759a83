"""What pictures of a network have in common: asking it for its answers, at the points of a grid."""

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..creation import as_tensor
from ..devices.moving import placed_like
from ..engine import debugging
from ..engine.arrays import get_default_dtype, on_host
from ..engine.generator import get_rng_state, set_rng_state
from ..engine.grad_mode import no_grad
from ..engine.tensor import Tensor, value
from ..inspect.model_summary import as_before
from ..nn.module import Module
from ..utils.arguments import whole_number


@contextmanager
def looked_at(model: Any) -> Iterator[None]:
    """A block that records nothing, and leaves the random numbers and the modes of a module as they were."""
    state = get_rng_state()
    try:
        if isinstance(model, Module):
            with as_before(model), no_grad():
                model.eval()
                yield
        else:
            with no_grad():
                yield
    finally:
        set_rng_state(state)


def answers(who: str, model: Callable, x: NDArray) -> NDArray:
    """What the model says about each row of x, in evaluation mode, as float64: shape (rows, outputs)."""
    if not callable(model):
        raise TypeError(f"{who}: the model is a network or a function of a tensor, not a {type(model).__name__}")
    own = [p for p in model.parameters() if p.dtype.kind == "f"] if isinstance(model, Module) else []
    dtype = own[0].dtype if own else get_default_dtype()
    with looked_at(model):
        y = model(as_tensor(x, dtype, own[0].device if own else None))
    if not isinstance(y, Tensor):
        raise TypeError(f"{who}: the model must return a tensor, not a {type(y).__name__}")
    if y.shape[:1] != (len(x),) or y.ndim > 2:
        raise ValueError(f"{who}: for inputs of shape {x.shape} the model returned shape {y.shape}, which should be "
                         f"({len(x)}, outputs)")
    array = y.cpu().numpy().astype(np.float64).reshape(len(x), -1)
    if not np.isfinite(array).all():
        raise ValueError(f"{who}: the model returned an infinity or a NaN")
    return array


def as_numbers(who: str, name: str, data: Any) -> NDArray:
    """A tensor, array or list as an array of finite float64."""
    array = value(data)
    array = np.asarray(on_host(array) if hasattr(array, "get") and hasattr(array, "device") else array, np.float64)
    if not np.isfinite(array).all():
        raise ValueError(f"{who}: {name} holds an infinity or a NaN")
    return array


def interval(who: str, low: Any, high: Any) -> tuple[float, float]:
    """The ends of a part of the x axis, checked."""
    try:
        ends = float(low), float(high)
    except (TypeError, ValueError):
        ends = (math.nan, math.nan)
    if not (math.isfinite(ends[0]) and math.isfinite(ends[1]) and ends[0] < ends[1]):
        raise ValueError(f"{who}: low must be below high, and both finite numbers, not {low} and {high}")
    return ends


def plane_limits(who: str, low: ArrayLike, high: ArrayLike) -> tuple[NDArray, NDArray]:
    """The corners of a rectangle, each given as one number for both directions or as two."""
    try:
        corners = [np.broadcast_to(as_numbers(who, name, x), 2) for name, x in (("low", low), ("high", high))]
    except (TypeError, ValueError) as error:
        raise ValueError(f"{who}: low and high are finite numbers, or pairs of them, not {low!r} and "
                         f"{high!r}") from error
    if not (corners[0] < corners[1]).all():
        raise ValueError(f"{who}: low must be below high in both directions, not {low!r} and {high!r}")
    return corners[0], corners[1]


def pixel_centres(who: str, low: NDArray, high: NDArray, resolution: int) -> tuple[NDArray, NDArray, NDArray]:
    """x₁ and x₂ of the columns and rows of an image that fills a rectangle, and all points, shape (pixels, 2)."""
    resolution = whole_number(who, "resolution", resolution, least=2)
    shares = (np.arange(resolution) + 0.5) / resolution
    x1, x2 = (low[i] + (high[i] - low[i]) * shares for i in (0, 1))
    return x1, x2, np.stack(np.meshgrid(x1, x2), axis=-1).reshape(-1, 2)


@contextmanager
def other_values(tensors: Mapping[str, Tensor]) -> Iterator[Callable[[Mapping[str, Any]], None]]:
    """A block in which tensors can be given other values, with the function that does so; then they have their own."""
    own = {name: t.data.copy() for name, t in tensors.items()}

    def put(values: Mapping[str, Any]) -> None:
        for name, t in tensors.items():
            new = value(values[name])
            t.data[...] = placed_like(t.data, new if hasattr(new, "dtype") else np.asarray(new))

    with debugging.writable(tensors.values()):
        try:
            yield put
        finally:
            put(own)
