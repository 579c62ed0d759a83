"""The pieces that a ReLU network is made of: straight lines over one input, activation patterns over two."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import ListedColormap
from matplotlib.contour import ContourSet
from matplotlib.image import AxesImage
from matplotlib.lines import Line2D
from numpy.typing import ArrayLike, NDArray

from ..inspect.linear_regions import linear_regions, max_linear_regions
from ..inspect.relu_layers import Affine, taken_apart
from ..utils.arguments import whole_number
from .evaluation import pixel_centres, plane_limits
from .figures import BLUE, ORANGE, axes_or_new, finish_above

MANY_JOINTS = 60                       # with more of them, dots would hide the line
LINE_STYLES = ("-", "--", ":")           # of the units of layers 1, 2, 3, and again from the first


class LinearPieces(NamedTuple):
    """What `linear_pieces` drew."""

    pieces: LineCollection
    joints: Line2D


def linear_pieces(model: Any, low: float, high: float, *, output: int = 0, names: tuple[str, str] = ("x", "y"),
                  ax: Axes | None = None) -> LinearPieces:
    """A ReLU network with one input as the straight pieces that it is made of, coloured in turn, with their joints.

    See `tinygrad_nuc.inspect.linear_regions`, which finds them exactly, for the layers that it follows, and the errors.
    A joint at which this output goes straight on, since only others bend there, is not drawn.

    Parameters
    ----------
    model : Module
    low, high : float
        The interval.
    output : int
        Which of the network's outputs to draw.
    names : (str, str)
        For the axes, with their units.
    ax : Axes, optional
        Where to draw; a figure of its own if not given.

    Returns
    -------
    LinearPieces
        ``pieces``, a LineCollection with one segment for each piece, and ``joints``, a Line2D (without dots where there
        are more than 60).

    Raises
    ------
    ValueError
        If there is no such output, besides the errors of `tinygrad_nuc.inspect.linear_regions`.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> from tinygrad_nuc import plots
    >>> drawn = plots.linear_pieces(tn.nn.ReLU(), -1, 2)
    >>> [piece.tolist() for piece in drawn.pieces.get_segments()]
    [[[-1.0, 0.0], [0.0, 0.0]], [[0.0, 0.0], [2.0, 2.0]]]
    >>> drawn.pieces.axes.get_title()
    '2 linear pieces, at most 2 possible'
    """
    regions = linear_regions(model, low, high)
    outputs = regions.slopes.shape[1]
    output = whole_number("linear_pieces", "output", output, least=0)
    if output >= outputs:
        raise ValueError(f"linear_pieces: there is no output {output}, only {outputs}, counted from 0")
    ax = axes_or_new(ax, 8.0, owner="linear_pieces")

    # a piece of the network may be only a part of one of this output's
    first = np.concatenate([[True], np.diff(regions.slopes[:, output]) != 0]) if outputs > 1 else slice(None)
    slopes, intercepts = regions.slopes[first, output], regions.intercepts[first, output]
    begins = regions.edges[:-1][first]
    ends = np.append(begins[1:], regions.high)
    segments = np.stack([np.stack([x, slopes * x + intercepts], axis=-1) for x in (begins, ends)], axis=1)

    count, joints = len(segments), segments[1:, 0]
    pieces = LineCollection(list(segments), colors=[BLUE, ORANGE], linewidths=3 if count <= MANY_JOINTS else 1)
    ax.add_collection(pieces)
    dots = ax.plot(joints[:, 0], joints[:, 1], linestyle="", marker="o" if len(joints) <= MANY_JOINTS else "",
                   markersize=7, markerfacecolor="white", markeredgecolor="black", markeredgewidth=1.5,
                   label=f"{len(joints):,} joint{'s' * (len(joints) != 1)}")[0]
    ax.margins(x=0.02, y=0.08)
    ax.autoscale_view()
    finish_above(ax, *names, f"{count:,} linear piece{'s' * (count != 1)}, at most {regions.upper_bound:,} possible",
                 int(0 < len(joints) <= MANY_JOINTS))
    return LinearPieces(pieces, dots)


class ActivationRegions(NamedTuple):
    """What `activation_regions` drew, and how many patterns it met."""

    image: AxesImage
    lines: Sequence[ContourSet]
    patterns: int


def activation_regions(model: Any, low: ArrayLike, high: ArrayLike, *, layer: int | None = None, resolution: int = 400,
                       names: tuple[str, str] = ("x₁", "x₂"), ax: Axes | None = None) -> ActivationRegions:
    """The regions of the plane in which the same units of a ReLU network with two inputs are active.

    In each region, which has a colour of its own, the network is one linear function. A line shows where a unit
    switches on or off. Those of the first hidden layer are straight; those of later layers bend where they cross
    earlier ones. Draw ``layer=1``, 2, 3 … beside each other to see how every layer cuts the regions of the one before.

    Parameters
    ----------
    model : Module
        Made of the layers that `tinygrad_nuc.inspect.linear_regions` follows, with two inputs.
    low, high : float or (float, float)
        Corners of the picture.
    layer : int, optional
        Look only at the units of the hidden layers up to this one, counted from 1. All, if not given.
    resolution : int
        Points of the grid in each direction. The count is that of the patterns the grid meets: a region between its
        points is missed.
    names : (str, str)
        For the axes, with their units.
    ax : Axes, optional
        Where to draw; a figure of its own if not given.

    Returns
    -------
    ActivationRegions
        ``image`` (of numbers of regions), ``lines`` (one contour for each unit that switches in the picture) and
        ``patterns``, how many there are.

    Raises
    ------
    ValueError
        If the network has no such layer or not two inputs, `low` is not below `high`, or a weight is not finite.
    TypeError
        If it has a layer of another kind.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> from tinygrad_nuc import nn, plots
    >>> model = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 1))
    >>> _ = model.load_state_dict({"0.weight": [[1.0, 0.0], [0.0, 1.0]], "0.bias": [0.0, 0.0],
    ...                            "2.weight": [[1.0, 1.0]], "2.bias": [0.0]})
    >>> plots.activation_regions(model, -1, 1).patterns                 # the four quadrants
    4
    """
    steps = taken_apart("activation_regions", model, inputs=2)
    hidden = [step for step in steps if not isinstance(step, Affine)]
    if not hidden:
        raise ValueError("activation_regions: the network has no ReLU, so all of the plane is one region")
    layer = len(hidden) if layer is None else whole_number("activation_regions", "layer", layer)
    if layer > len(hidden):
        raise ValueError(f"activation_regions: there is no hidden layer {layer}, only {len(hidden)}, counted from 1")
    corner, opposite = plane_limits("activation_regions", low, high)
    x1, x2, points = pixel_centres("activation_regions", corner, opposite, resolution)
    ax = axes_or_new(ax, 6.0, 6.0, owner="activation_regions")

    bends = pre_activations(steps, points)[:layer]
    patterns = np.packbits(np.concatenate(bends, axis=1) > 0, axis=1)           # eight units to a byte
    number = np.unique(patterns, axis=0, return_inverse=True)[1].reshape(len(x2), len(x1))
    count = int(number.max()) + 1

    # neighbours in the list of patterns are often neighbours in the plane: mixed, so that their colours differ
    colours = np.random.default_rng(0).permutation(np.linspace(0.15, 1.0, count))
    image = ax.imshow(number, origin="lower", extent=(corner[0], opposite[0], corner[1], opposite[1]), aspect="auto",
                      interpolation="nearest", vmin=-0.5, vmax=count - 0.5,
                      cmap=ListedColormap(region_colours(colours)))
    lines = []
    for i, z in enumerate(bends):
        style, thickness = LINE_STYLES[i % 3], max(2.4 - 0.6 * i, 1.2)
        ax.plot([], [], color="black", linestyle=style, linewidth=thickness, label=f"layer {i + 1}")
        lines += [ax.contour(x1, x2, unit.reshape(number.shape), levels=[0.0], colors="black", linestyles=style,
                             linewidths=thickness) for unit in z.T if unit.min() < 0 < unit.max()]
    bound = max_linear_regions([z.shape[1] for z in bends], 2)
    many = f"{bound:,}" if bound < 1e6 else f"{bound:.1e}"
    finish_above(ax, *names, f"{count:,} activation pattern{'s' * (count != 1)}, at most {many} possible", layer)
    return ActivationRegions(image, lines, count)


def pre_activations(steps: list, v: NDArray) -> list[NDArray]:
    """What each ReLU is given, layer by layer, for the inputs v: shape (rows, units)."""
    given = []
    for step in steps:
        if not isinstance(step, Affine):
            given.append(v)
        v = step(v)
    return given


def region_colours(shares: NDArray) -> NDArray:
    """Colours from dark blue over green to yellow, which differ in brightness too, and are light enough for lines."""
    return 0.65 * colormaps["viridis"](shares)[:, :3] + 0.35
