"""Functions of one number, and their derivatives."""

from collections.abc import Callable, Iterable, Mapping
from itertools import cycle
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from numpy.typing import NDArray

from ..devices.moving import placed, placed_like
from ..engine.arrays import on_host
from ..engine.grad_mode import enable_grad
from ..engine.tensor import Tensor
from ..engine.transforms import grad
from ..nn import functional
from ..nn.module import Module
from .evaluation import interval, looked_at
from .figures import BLUE, ORANGE, PALETTE, axes_or_new, finish

NAMES = ("relu", "leaky_relu", "elu", "silu", "gelu", "softplus", "sigmoid", "logsigmoid", "tanh")
POINTS = 801                            # an odd number: 0, where many have their kink, is the one in the middle


def activation_functions(functions: Any, low: float = -4.0, high: float = 4.0, *, ax: Axes | None = None
                         ) -> list[Line2D]:
    """Each function f(x) as a line, and its derivative f′(x), which autograd computes, dashed in the same colour.

    Parameters
    ----------
    functions : str, Module, function, or several of these
        Names as in `tinygrad_nuc.nn.functional`, such as "relu"; modules such as ``nn.ELU(0.5)``; functions of a
        Tensor. Several come as a list, or as a dict with the names for the legend.
    low, high : float
        The range of x.
    ax : Axes, optional
        Where to draw; by default in a figure of its own.

    Returns
    -------
    list of Line2D
        f and f′ of the first function, of the second, and so on.

    Raises
    ------
    ValueError
        If a name is not known, two functions have the same name, ``low < high`` does not hold, or a function does not
        treat each number by itself.
    TypeError
        If something is no function.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> f, slope = tn.plots.activation_functions("tanh", -1, 1)
    >>> float(f.get_ydata()[400]), float(slope.get_ydata()[400])     # tanh 0, and 1 − tanh² 0
    (0.0, 1.0)

    Maxout is the largest of several straight lines, which are learned; with two lines, for instance:

    >>> maxout = lambda x: tn.maximum(-0.5 * x - 1, 0.8 * x)
    >>> lines = tn.plots.activation_functions({"maxout": maxout, "leaky ReLU": tn.nn.LeakyReLU(0.1)})
    >>> [line.get_label() for line in lines[::2]]
    ['maxout', 'leaky ReLU']
    """
    named = by_name(functions)
    low, high = interval("activation_functions", low, high)
    x = np.linspace(low, high, POINTS)
    values = {name: value_and_slope(name, function, x) for name, function in named.items()}
    ax = axes_or_new(ax, owner="activation_functions")
    lines: list[Line2D] = []
    for (name, (y, slope)), colour in zip(values.items(), cycle((BLUE, ORANGE, *PALETTE))):
        lines += ax.plot(x, y, color=colour, linewidth=2.5, label=name)
        lines += ax.plot(x, slope, color=colour, linewidth=2, linestyle="--", label=f"derivative of {name}")
    ax.set_xlim(low, high)
    ax.grid(color="0.9")
    dashed = Line2D([], [], color="0.3", linewidth=2, linestyle="--", label="derivative")
    finish(ax, "input x", "f(x),  f ′(x)", "Activation functions and their derivatives", handles=[*lines[::2], dashed])
    return lines


def by_name(functions: Any) -> dict[str, Callable]:
    """Functions with names for the legend."""
    if isinstance(functions, Mapping):
        named = {str(name): checked(function) for name, function in functions.items()}
    else:
        several = isinstance(functions, Iterable) and not isinstance(functions, (str, Module))
        listed = list(functions) if several else [functions]
        named = {name_of(function): checked(function) for function in listed}
        if len(named) < len(listed):
            raise ValueError("activation_functions: some functions have the same name, of "
                             f"{', '.join(map(name_of, listed))}; give a dict with a name for each")
    if not named:
        raise ValueError("activation_functions: there are no functions to draw")
    return named


def name_of(function: Any) -> str:
    """What the legend says."""
    if isinstance(function, (str, Module)):
        return str(function)
    return getattr(function, "__name__", type(function).__name__)


def checked(function: Any) -> Callable:
    """The function itself, or the one of that name."""
    if isinstance(function, str):
        if function not in NAMES:
            raise ValueError(f"activation_functions: {function!r} is not known; there are {', '.join(NAMES)}")
        return getattr(functional, function)
    if isinstance(function, type):
        raise TypeError(f"activation_functions: {function.__name__} is a class; make one, {function.__name__}(...)")
    if not callable(function):
        raise TypeError("activation_functions: expects names, modules or functions of a Tensor, not a "
                        f"{type(function).__name__}")
    return function


def value_and_slope(name: str, function: Callable, points: NDArray) -> tuple[NDArray, NDArray]:
    """f(x) and f′(x) in float64, or in the float type of a module's parameters if it has any."""
    if isinstance(function, Module):
        own = next(function.parameters(), None)
        points = points if own is None else placed_like(own.data, points.astype(own.dtype))
    else:
        points = placed(points)
    with looked_at(function), np.errstate(divide="ignore", invalid="ignore"):       # a line ends at a pole
        y, slope = derived(name, function, points)
    return y, np.where(np.isnan(y), np.nan, slope)


def derived(name: str, function: Callable, points: Any) -> tuple[NDArray, NDArray]:
    """f(x) and f′(x): the sum over all points has the slopes of each of them as its gradient."""
    with enable_grad():
        x = Tensor(points, requires_grad=True)
        y = function(x)
        alone = function(Tensor(points[:1]))
        if not isinstance(y, Tensor) or y.shape != x.shape:
            what = f"shape {y.shape}" if isinstance(y, Tensor) else f"a {type(y).__name__}"
            raise ValueError(f"activation_functions: {name} must give one number for each, and gave {what} for an "
                             f"input of shape {x.shape}")
        if not np.allclose(on_host(alone.data), on_host(y.data[:1]), equal_nan=True):
            raise ValueError(f"activation_functions: {name} does not treat each number by itself: what it gives for "
                             "one depends on the others")
        slope = grad(y.sum(), [x], allow_unused=True)[0] if y.requires_grad else None      # None: it is constant
    slopes = np.zeros(len(points)) if slope is None else on_host(slope.data).astype(np.float64)
    return on_host(y.data).astype(np.float64), slopes
