"""The loss as a landscape: over two parameters, or over a plane through the space of all of them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize
from matplotlib.contour import ContourSet
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike, NDArray

from ..engine.tensor import Tensor
from ..inspect.snapshots import named_parameters
from ..utils.arguments import whole_number
from .directions import Directions, flat, parted, path_directions, path_points, random_directions
from .evaluation import looked_at, other_values, plane_limits
from .figures import ORANGE, axes_or_new, finish_above, finish_scale

MANY_POINTS = 60                        # with more of them on a path, dots would hide the line
LEVELS = 20


class LossSurface(NamedTuple):
    """What `loss_surface` drew: the landscape, the path or the point of the model, and the numbers.

    Attributes
    ----------
    surface : ContourSet
    path : Line2D
    first, second : ndarray, shape (resolution,)
        The coordinates along the two axes.
    loss : ndarray, shape (resolution, resolution)
        ``loss[j, i]`` is the one at ``first[i]``, ``second[j]``.
    """

    surface: ContourSet
    path: Line2D
    first: NDArray
    second: NDArray
    loss: NDArray


def loss_surface(loss_of: Callable, model: Any, *, directions: Directions | None = None,
                 path: Sequence[Mapping[str, Any]] | None = None, low: ArrayLike | None = None,
                 high: ArrayLike | None = None, names: tuple[str, str] | None = None, resolution: int = 51,
                 colorbar: bool = True, ax: Axes | None = None) -> LossSurface:
    """The loss around a model, as a landscape over two directions, and the path of an optimizer through it.

    A model with exactly two numbers to train has the landscape over these themselves, L(θ₀, θ₁). Any other one has a
    slice, L(θ* + α d + β e), with θ* the last snapshot of the path, or the model as it is, and d and e

    - the `directions` given, as they are,
    - otherwise, with a path, its principal components (`path_directions`): in random directions, next to nothing of it
      would be seen. The path is projected onto the plane;
    - otherwise, random directions with filter normalisation, d_ij ← d_ij / ‖d_ij‖ · ‖w_ij‖ (`random_directions`).

    The loss is computed resolution² times, in evaluation mode and without recording. Afterwards the parameters are
    what they were to the last bit, also after an error. Contours are equally spaced in ln L where the loss is above 0
    and its largest value more than 30 times its smallest, and otherwise in L.

    Source: H. Li et al., "Visualizing the loss landscape of neural nets", NeurIPS 2018, arXiv:1712.09913.

    Parameters
    ----------
    loss_of : function
        Of `model`; returns the loss over all of the data, a tensor with one number.
    model : Module, Tensor, or list of Tensor
        Whose parameters are varied: those of a Module that require a gradient, or the tensors themselves.
    directions : Directions, optional
        Such as ``plots.random_directions(model, seed=1)``.
    path : Snapshots, or sequence of state dicts, optional
        See `tinygrad_nuc.inspect.Snapshots`.
    low, high : float or (float, float), optional
        Corners of the picture: values of the two parameters, or of α and β. By default what the path needs and a
        quarter more on each side. Without a path, α and β from −1 to 1, and of two parameters their values ± 1, or
        ± their size where that is more.
    names : (str, str), optional
        For the axes.
    resolution : int
        Points of the grid in each direction.
    colorbar : bool
        Whether to show the scale of the loss beside the picture.
    ax : Axes, optional
        Where to draw; a figure of its own if not given.

    Returns
    -------
    LossSurface

    Raises
    ------
    ValueError
        If a path or directions do not fit the model, if `low` is not below `high`, or if the loss is nowhere finite.
    TypeError
        If `loss_of` does not return one number.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> from tinygrad_nuc import plots
    >>> x = tn.tensor([[0.0], [1.0]])
    >>> line = tn.nn.Linear(1, 1)
    >>> drawn = plots.loss_surface(lambda line: tn.nn.functional.mse_loss(line(x), 2 * x + 1), line, low=(0, 0),
    ...                            high=(4, 2), resolution=5)
    >>> j, i = np.unravel_index(drawn.loss.argmin(), drawn.loss.shape)
    >>> float(drawn.first[i]), float(drawn.second[j]), drawn.surface.axes.get_xlabel()
    (2.0, 1.0, 'weight')
    """
    who = "loss_surface"
    tensors = named_parameters(who, model)
    shapes = {name: t.shape for name, t in tensors.items()}
    resolution = whole_number(who, "resolution", resolution, least=2)
    points = None if path is None else path_points(who, path, shapes)
    now = flat(who, "the model", tensors, shapes)
    if directions is not None and not isinstance(directions, Directions):
        raise TypeError(f"{who}: directions are plots.Directions(first, second), not a {type(directions).__name__}")
    themselves = directions is None and len(now) == 2
    if themselves:
        origin, basis = np.zeros(2), np.eye(2)
        own = [name if np.prod(shape) == 1 else f"{name}[{i}]" for name, shape in shapes.items()
               for i in range(int(np.prod(shape)))]
        labels = ("θ₀", "θ₁") if isinstance(model, Tensor) else (own[0], own[1])
    else:
        origin = now if points is None else points[-1]
        if directions is None:
            directions = random_directions(model) if path is None else path_directions(model, path)
        basis = np.stack([flat(who, "the first direction", directions.first, shapes),
                          flat(who, "the second direction", directions.second, shapes)], axis=1)
        if np.linalg.matrix_rank(basis) < 2:
            raise ValueError(f"{who}: the two directions must not be parallel, or 0")
        labels = directions.names
    track = np.linalg.lstsq(basis, ((now[None] if points is None else points) - origin).T)[0].T    # in the plane

    if path is not None:
        size = np.ptp(track, axis=0)
        margin = np.where(size > 0, size / 4, 1.0)
    else:
        margin = np.maximum(1.0, np.abs(track[0]))
    corner, opposite = plane_limits(who, track.min(axis=0) - margin if low is None else low,
                                    track.max(axis=0) + margin if high is None else high)
    first, second = (np.linspace(corner[i], opposite[i], resolution) for i in (0, 1))
    ax = axes_or_new(ax, 7.6, 5.6, owner=who)

    loss = np.empty((resolution, resolution))
    with looked_at(model), other_values(tensors) as put, np.errstate(all="ignore"):
        for j, i in np.ndindex(loss.shape):
            put(parted(origin + basis @ [first[i], second[j]], shapes))
            loss[j, i] = one_number(who, loss_of(model))
    if not np.isfinite(loss).any():
        raise ValueError(f"{who}: the loss is infinite or NaN everywhere in the picture; choose other low and high")

    surface = landscape(ax, first, second, np.ma.masked_invalid(loss), colorbar)
    way = ax.plot(*track.T, color=ORANGE, linewidth=2.5, marker="o" if len(track) <= MANY_POINTS else "", markersize=5,
                  markeredgecolor="white", label="path" if path is not None else "")[0]
    if path is not None:
        ax.plot(*track[0], color=ORANGE, marker="s", markersize=10, markeredgecolor="white", linestyle="",
                label="start")
    ax.plot(*track[-1], color=ORANGE, marker="*", markersize=18, markeredgecolor="white", linestyle="",
            label="the model" if path is None else "end")
    ax.set(xlim=first[[0, -1]], ylim=second[[0, -1]])
    ax.locator_params(nbins=6)                              # more numbers would touch each other
    x_name, y_name = labels if names is None else names
    finish_above(ax, x_name, y_name, "Loss surface" if themselves else "Slice of the loss surface",
                 1 if path is None else 3)
    return LossSurface(surface, way, first, second, loss)


def landscape(ax: Axes, first: NDArray, second: NDArray, loss: Any, colorbar: bool) -> ContourSet:
    """Filled contours with thin lines between them, and the scale beside."""
    lowest, highest = float(loss.min()), float(loss.max())
    is_flat = highest - lowest <= 1e-12 * abs(highest)      # but for rounding
    norm: Normalize
    if is_flat:
        space = max(0.5, 1e-6 * abs(highest))
        lowest, highest = lowest - space, highest + space
    if not is_flat and lowest > 0 and highest > 30 * lowest:
        levels, norm = np.geomspace(lowest, highest, LEVELS), LogNorm(lowest, highest)
    else:
        levels, norm = np.linspace(lowest, highest, LEVELS), Normalize(lowest, highest)
    levels[0], levels[-1] = lowest, highest                 # to the last digit, so that no corner stays empty
    surface = ax.contourf(first, second, loss, levels=levels, norm=norm, cmap="Blues")
    if not is_flat:
        ax.contour(first, second, loss, levels=levels[1:-1], colors="0.35", linewidths=0.6)
    if colorbar:
        bar = ax.figure.colorbar(surface, ax=ax)
        bar.set_ticks(list(levels[::3]), labels=[f"{level:.3g}" for level in levels[::3]])
        bar.minorticks_off()
        finish_scale(bar, "loss")
    return surface


def one_number(who: str, loss: Any) -> float:
    """What a loss function returned, as a number."""
    if not isinstance(loss, Tensor) or loss.numel() != 1:
        given = f"of shape {loss.shape}" if isinstance(loss, Tensor) else type(loss).__name__
        raise TypeError(f"{who}: loss_of must return a tensor with one number, not {given}")
    return float(loss.item())
