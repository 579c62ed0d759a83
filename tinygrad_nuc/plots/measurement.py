"""Measured values with their uncertainties."""

from collections.abc import Mapping
from typing import Any

from matplotlib.axes import Axes

from .figures import BLUE, ORANGE, axes_or_new, finish


def measurements(values: Mapping[str, tuple[float, float]], quantity: str, truth: float | None = None, *,
                 ax: Axes | None = None) -> list[Any]:
    """One line for each way of measuring the same quantity, with error bars and the truth where it is known.

    Parameters
    ----------
    values : mapping from name to (value, one standard deviation)
    quantity : str
        For the axis, with its unit if it has one.
    truth : float, optional
        Where it is known.
    ax : Axes, optional
        Where to draw; by default in a figure of its own.

    Returns
    -------
    list of ErrorbarContainer and Line2D
        The points with their errors, and the truth if there is one.

    Raises
    ------
    ValueError
        If there are no values, or an uncertainty is negative.
    TypeError
        If `values` is no mapping.

    Examples
    --------
    >>> from tinygrad_nuc import plots
    >>> bars = plots.measurements({"naive": (0.33, 0.01), "adjusted": (0.30, 0.02)}, "fraction", truth=0.3)
    >>> bars[0].lines[0].get_xdata().tolist()
    [0.33, 0.3]
    """
    if not isinstance(values, Mapping):
        raise TypeError("measurements: values must be a dict such as {\"counting\": (0.33, 0.01)}, not a "
                        f"{type(values).__name__}")
    if not values:
        raise ValueError("measurements: there are no values to draw")
    negative = [name for name, (_, error) in values.items() if error < 0]
    if negative:
        raise ValueError(f"measurements: the uncertainty of {negative[0]!r} is {values[negative[0]][1]}, below 0")
    ax = axes_or_new(ax, owner="measurements")
    x, errors = zip(*values.values(), strict=True)
    drawn: list[Any] = [ax.errorbar(x, range(len(x)), xerr=errors, fmt="o", color=BLUE, capsize=4,
                                    label="measured ± 1 σ")]
    if truth is not None:
        drawn.append(ax.axvline(truth, color=ORANGE, linestyle="--", label=f"truth {truth:.4f}"))
    ax.set_yticks(range(len(x)), values)
    ax.set_ylim(len(x) - 0.5, -0.5)
    finish(ax, quantity, "", loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
    return drawn
