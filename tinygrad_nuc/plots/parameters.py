"""Weights and gradients: how they are spread as training goes on, and how long the gradient is in every layer."""

import math

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator, NullFormatter, NullLocator
from numpy.typing import NDArray

from ..nn.module import Module
from ..training.parameter_log import BINS_PER_DECADE, ParameterLogger
from .figures import BLUE, ORANGE, PALETTE, axes_or_new, finish, finish_above, finish_scale

MOST_TIMES = 6                          # lines in one picture that can still be told apart


def histograms_over_time(log: ParameterLogger, name: str, what: str = "weight", *, ax: Axes | None = None) -> QuadMesh:
    """How a parameter, or its gradient, is spread at each time: a heat map, every column of which is a histogram.

    Parameters
    ----------
    log : ParameterLogger
    name : str
        Of the parameter, such as "0.weight": one of ``log.names``.
    what : {"weight", "gradient"}
        The parameter's values, or the size |g| of its gradient on a logarithmic scale. There the row "0" holds the
        gradients below 10⁻¹², most of which are exactly 0, as those of dead units are; its colour may be off the scale.
    ax : Axes, optional
        Where to draw; by default in a figure of its own.

    Returns
    -------
    QuadMesh
        The share of the values in each bin, shape (bins, times); empty bins are masked.

    Raises
    ------
    ValueError
        If nothing of the name was logged, or no gradient, or `what` is something else.
    TypeError
        If `log` is no ParameterLogger.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> model, log = tn.nn.Linear(50, 20), tn.training.ParameterLogger()
    >>> for step in range(10):
    ...     model.weight.data *= 1.1
    ...     log.log(model)
    >>> mesh = tn.plots.histograms_over_time(log, "weight")
    >>> mesh.get_array().sum(axis=0).round(6).tolist() == [1] * 10
    True
    """
    if not isinstance(log, ParameterLogger):
        raise TypeError(f"histograms_over_time: expects a ParameterLogger, not a {type(log).__name__}")
    edges, counts = log.histogram(name, what)
    logged = counts.sum(axis=1) > 0
    if not logged.any():
        raise ValueError(f"histograms_over_time: no {what} of {name!r} was logged")
    ax = axes_or_new(ax, 7.2, 4.8, owner="histograms_over_time")
    times, counts = np.array(log.times)[logged], counts[logged]
    share = (counts / counts.sum(axis=1, keepdims=True)).T
    if what == "gradient":
        edges, share, brightest = gradient_rows(ax, edges, share)
    else:
        first, last = occupied(share)
        edges, share = edges[first:last + 2], share[first:last + 1]
        brightest = share.max()
    mesh = ax.pcolormesh(column_borders(times), edges, np.ma.masked_equal(share, 0), cmap="Blues", vmin=0,
                         vmax=brightest)
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    extend = "max" if share.max() > brightest else "neither"
    finish_scale(ax.figure.colorbar(mesh, ax=ax, extend=extend, aspect=25), "share in each bin")
    finish(ax, log.unit, "value" if what == "weight" else "size of the gradient", name, legend=False)
    return mesh


def occupied(share: NDArray) -> tuple[int, int]:
    """The first and the last row that is not empty at all times."""
    rows = np.flatnonzero(share.any(axis=1))
    return int(rows[0]), int(rows[-1])


def gradient_rows(ax: Axes, edges: NDArray, share: NDArray) -> tuple[NDArray, NDArray, float]:
    """The decades that occur, with a row "0" below them; and the largest share in any other row."""
    zeros, sizes = share[:1], share.copy()
    sizes[0] = 0                                            # the lowest bin is that row
    brightest = float(sizes.max()) or 1.0
    first, last = occupied(sizes) if sizes.any() else (0, 0)
    begin, end = (BINS_PER_DECADE * decade for decade in (first // BINS_PER_DECADE, last // BINS_PER_DECADE + 1))
    edges, sizes = edges[begin:end + 1], sizes[begin:end]
    decades = (end - begin) // BINS_PER_DECADE
    ax.set_yscale("log")
    ax.yaxis.set_minor_locator(NullLocator())
    ax.set_yticks(edges[::BINS_PER_DECADE * math.ceil(decades / 8)])
    if zeros.any():
        floor = edges[0] / 10 ** (0.1 * decades)            # a tenth of the height: room for its letter
        ax.text(-0.015, math.sqrt(floor * edges[0]), "0", transform=ax.get_yaxis_transform(), ha="right", va="center",
                fontsize=12)
        edges, sizes = np.append(floor, edges), np.concatenate([zeros, sizes])
    return edges, sizes, brightest


def column_borders(times: NDArray) -> NDArray:
    """Where one time's column ends and the next begins: half-way."""
    if len(times) == 1:
        return times[0] + np.array([-0.5, 0.5])
    middle = (times[1:] + times[:-1]) / 2
    return np.concatenate([[2 * times[0] - middle[0]], middle, [2 * times[-1] - middle[-1]]])


def gradient_norms(model_or_log: Module | ParameterLogger, label: str = "", *, ax: Axes | None = None) -> list[Line2D]:
    """The norm of the gradient in every layer, from the input to the output, on a logarithmic scale.

    ‖g‖ = √Σ gᵢ² over all parameters of a layer. Where it falls by a factor with every layer towards the input, the
    gradient vanishes, and the first layers learn nothing. The scale has whole decades: a factor of 2 is not much.

    Parameters
    ----------
    model_or_log : Module or ParameterLogger
        A model after ``backward()``, or the log of a training: a line for each of its times, of six at most, the
        later the darker.
    label : str
        For the legend, to compare several in the same axes.
    ax : Axes, optional
        Where to draw; by default in a figure of its own.

    Returns
    -------
    list of Line2D
        Against the number of the layer. One whose gradient is exactly 0 is a triangle at the lower edge, and one
        whose gradient is NaN or infinite a triangle at the upper edge.

    Raises
    ------
    ValueError
        If there are no gradients.
    TypeError
        If it is neither a Module nor a ParameterLogger.

    Source: Hochreiter, "Untersuchungen zu dynamischen neuronalen Netzen", 1991; Glorot and Bengio, "Understanding the
    difficulty of training deep feedforward neural networks", AISTATS 2010.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> model = tn.nn.Sequential(tn.nn.Linear(1, 1, bias=False), tn.nn.Linear(1, 1, bias=False))
    >>> for p, value in zip(model.parameters(), (4.0, 0.5)):
    ...     _ = tn.nn.init.constant_(p, value)
    >>> model(tn.tensor([[3.0]])).backward()
    >>> tn.plots.gradient_norms(model)[0].get_ydata().tolist()              # w₁ x and x w₀
    [1.5, 12.0]
    """
    log, times = with_gradients(model_or_log)
    norms = norms_by_layer(log, times)
    ax = axes_or_new(ax, owner="gradient_norms")
    name_layers(ax, list(norms))
    layer = np.arange(1, len(norms) + 1)
    lines = []
    for i, time, colour in zip(times, np.array(list(norms.values())).T, colours_for(ax, len(times)), strict=True):
        when = f"{log.unit} {log.times[i]}" if log is model_or_log else ""
        text = ", ".join(part for part in (label, when) if part)
        lines += ax.plot(layer, np.where((time > 0) & (time < np.inf), time, np.nan), "o-", color=colour,
                         linewidth=2.5, label=text or "_")
        for edge, marker, there in ((0.02, "v", time == 0), (0.98, "^", time == np.inf)):
            if there.any():
                ax.plot(layer[there], np.full(there.sum(), edge), marker, color=colour, markersize=9, label="_",
                        transform=ax.get_xaxis_transform())
    ax.set_yscale("log")
    whole_decades(ax)
    ax.grid(color="0.9")
    finish_above(ax, "layer, from the input to the output", "norm of the gradient", "Gradient in every layer",
                 sum(not str(line.get_label()).startswith("_") for line in ax.lines))
    return lines


def whole_decades(ax: Axes) -> None:
    """Limits at powers of ten around all lines, so that what differs by little looks so."""
    values = np.concatenate([np.asarray(line.get_ydata()) for line in ax.lines if line.get_linestyle() == "-"])
    known = np.log10(values[(values > 0) & (values < np.inf)])
    if known.size:
        ax.set_ylim(10.0 ** np.floor(known.min() - 0.05), 10.0 ** np.ceil(known.max() + 0.05))
    ax.yaxis.set_minor_formatter(NullFormatter())


def with_gradients(source: Module | ParameterLogger) -> tuple[ParameterLogger, list[int]]:
    """A log, if need be of the model as it is now, and which of its times to draw: of those that have gradients."""
    if isinstance(source, Module):
        log = ParameterLogger()
        log.log(source)
    elif isinstance(source, ParameterLogger):
        log = source
    else:
        raise TypeError(f"gradient_norms: expects a Module or a ParameterLogger, not a {type(source).__name__}")
    known = [i for i in range(len(log.times))
             if any(not np.isnan(log.norms(name, "gradient")[i]) for name in log.names)]
    if not known:
        raise ValueError("gradient_norms: there are no gradients: call backward() on a loss first")
    return log, [known[i] for i in np.unique(np.linspace(0, len(known) - 1, MOST_TIMES).astype(int))]


def norms_by_layer(log: ParameterLogger, times: list[int]) -> dict[str, NDArray]:
    """√Σ ‖g‖² over the parameters of each layer, at these times; NaN where none of them has a gradient."""
    parts: dict[str, list[NDArray]] = {}
    for name in log.names:
        parts.setdefault(name.rpartition(".")[0] or name, []).append(log.norms(name, "gradient")[times])
    # hypot: the square of 1e-170 is 0
    norms = {layer: np.hypot.reduce(np.where(np.isnan(of_each), 0.0, of_each)) for layer, of_each in parts.items()}
    return {layer: np.where(np.isnan(parts[layer]).all(axis=0), np.nan, norm) for layer, norm in norms.items()}


def name_layers(ax: Axes, layers: list[str]) -> None:
    """The layers' names below, or their numbers where lines with other names are there already."""
    places = range(1, len(layers) + 1)
    before = [text.get_text() for text in ax.get_xticklabels()] if ax.lines else layers
    if before == layers:
        ax.set_xticks(places, layers, rotation=60 if len("".join(layers)) > 50 else 0)
    else:
        most = max(len(before), len(layers))
        ax.set_xticks(range(1, most + 1), [str(i) for i in range(1, most + 1)])


def colours_for(ax: Axes, n: int) -> list:
    """A colour of its own for a single line; from light to dark for several."""
    if n == 1:
        fresh = [c for c in (BLUE, ORANGE, *PALETTE) if all(line.get_color() != c for line in ax.lines)]
        return [(fresh or [BLUE])[0]]
    return list(colormaps["Blues"](np.linspace(0.35, 1.0, n)))
