"""Directions in the space of all parameters, along which a loss is looked at."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..engine.tensor import Tensor
from ..inspect.snapshots import named_parameters
from .evaluation import as_numbers


class Directions(NamedTuple):
    """Two directions, each an array for every parameter by its name, and what to call the steps along them."""

    first: Mapping[str, NDArray]
    second: Mapping[str, NDArray]
    names: tuple[str, str] = ("α", "β")


def random_directions(model: Any, seed: int = 0) -> Directions:
    """Two random directions with filter normalisation, so that pictures of different networks can be compared.

    d is normally distributed, and then d_ij ← d_ij / ‖d_ij‖ · ‖w_ij‖ for each filter j of layer i: a row of the weight
    of a Linear, all weights of one output channel of a Conv2d. So a step of 1 is as large as the weights themselves,
    whatever their scale, which a ReLU network can change without changing its answers. Biases, and whatever else has
    one dimension, have d = 0.

    Source: H. Li et al., "Visualizing the loss landscape of neural nets", NeurIPS 2018, arXiv:1712.09913.

    Parameters
    ----------
    model : Module, or list of Tensor
    seed : int
        Of random numbers of their own: those of `tinygrad_nuc.manual_seed` are not touched.

    Raises
    ------
    ValueError
        If no parameter has two dimensions.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> from tinygrad_nuc import plots
    >>> model = tn.nn.Linear(3, 2)
    >>> d = plots.random_directions(model).first
    >>> bool(np.allclose(np.linalg.norm(d["weight"], axis=1), np.linalg.norm(model.weight.data, axis=1)))
    True
    >>> d["bias"].tolist()
    [0.0, 0.0]
    """
    rng = np.random.default_rng(seed)
    weights = {name: as_numbers("random_directions", name, t)
               for name, t in named_parameters("random_directions", model).items()}
    if all(w.ndim < 2 for w in weights.values()):
        raise ValueError("random_directions: no parameter has rows to normalise; give directions of your own")

    def one() -> dict[str, NDArray]:
        return {name: filter_normalised(rng.standard_normal(w.shape), w) for name, w in weights.items()}

    return Directions(one(), one(), ("step α along random direction 1 [‖w‖]", "step β along random direction 2 [‖w‖]"))


def filter_normalised(d: NDArray, w: NDArray) -> NDArray:
    """d with the length of w, filter by filter; 0 where there are no filters."""
    if w.ndim < 2:
        return np.zeros(w.shape)
    within = tuple(range(1, w.ndim))
    return d / np.sqrt((d ** 2).sum(axis=within, keepdims=True)) * np.sqrt((w ** 2).sum(axis=within, keepdims=True))


def path_directions(model: Any, path: Sequence[Mapping[str, Any]]) -> Directions:
    """The two directions in which the parameters moved most during training: principal components of the path.

    With θ_0 … θ_n the snapshots and θ̄ their mean, they are the first two right singular vectors of the matrix of rows
    θ_i − θ̄, each of length 1. The names say what share of the path's variance is along each, σ_k² / Σ σ².

    Source: H. Li et al., "Visualizing the loss landscape of neural nets", NeurIPS 2018, section 7.

    Parameters
    ----------
    model : Module, or list of Tensor
        Its parameters that require a gradient count, and buffers do not.
    path : Snapshots, or sequence of state dicts
        At least three, of the moments of a training.

    Raises
    ------
    ValueError
        If there are too few, they do not fit the model, or all lie on one straight line.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> from tinygrad_nuc import plots
    >>> path = [{"weight": [[3.0, 0.0]]}, {"weight": [[0.0, 1.0]]}, {"weight": [[-3.0, 0.0]]}]
    >>> plots.path_directions(tn.nn.Linear(2, 1, bias=False), path).names
    ('principal component 1 (96.4 % of the variance)', 'principal component 2 (3.6 % of the variance)')
    """
    who = "path_directions"
    shapes = {name: t.shape for name, t in named_parameters(who, model).items()}
    points = path_points(who, path, shapes)
    if len(points) < 3:
        raise ValueError(f"{who}: a plane through a path needs at least 3 snapshots, not {len(points)}")
    sigma, components = np.linalg.svd(points - points.mean(axis=0), full_matrices=False)[1:]
    if len(sigma) < 2 or sigma[1] <= 1e-7 * sigma[0]:       # float32 has no more digits
        raise ValueError(f"{who}: all snapshots lie on one straight line, so there is no second direction")
    shares = sigma ** 2 / (sigma ** 2).sum()
    names = [f"principal component {k + 1} ({shares[k]:.1%} of the variance)".replace("%", " %") for k in (0, 1)]
    return Directions(parted(components[0], shapes), parted(components[1], shapes), (names[0], names[1]))


def path_points(who: str, path: Any, shapes: Mapping[str, tuple[int, ...]]) -> NDArray:
    """Each snapshot of a path as one vector of the parameters of these names: (snapshots, numbers)."""
    if isinstance(path, Mapping) or not isinstance(path, Sequence) or not all(isinstance(s, Mapping) for s in path):
        raise TypeError(f"{who}: a path is a list of state dicts, or tn.inspect.Snapshots, not a {type(path).__name__}")
    if not len(path):
        raise ValueError(f"{who}: the path is empty")
    name = next(iter(shapes))
    held = [t.data if isinstance(t, Tensor) else t for t in (state.get(name) for state in path)]
    if any(isinstance(a, np.ndarray) and isinstance(b, np.ndarray) and np.shares_memory(a, b)
           for a, b in zip(held, held[1:])):
        raise ValueError(f"{who}: the snapshots are one and the same array: a state dict shares the memory of its "
                         "model, so copy it at each step, as tn.inspect.Snapshots does")
    return np.stack([flat(who, f"snapshot {i}", state, shapes) for i, state in enumerate(path)])


def flat(who: str, what: str, values: Mapping[str, Any], shapes: Mapping[str, tuple[int, ...]]) -> NDArray:
    """The values of these names one after another in one vector, checked."""
    missing = [name for name in shapes if name not in values]
    if missing:
        raise ValueError(f"{who}: {what} lacks {', '.join(missing)}")
    arrays = {name: as_numbers(who, f"{what}, {name},", values[name]) for name in shapes}
    for name, a in arrays.items():
        if a.shape != shapes[name]:
            raise ValueError(f"{who}: {what} has {name} of shape {a.shape}, and the model of {shapes[name]}")
    return np.concatenate([a.ravel() for a in arrays.values()])


def parted(vector: NDArray, shapes: Mapping[str, tuple[int, ...]]) -> dict[str, NDArray]:
    """The reverse of `flat`."""
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes.values()])
    return {name: part.reshape(shape) for (name, shape), part
            in zip(shapes.items(), np.split(vector, ends[:-1]), strict=True)}
