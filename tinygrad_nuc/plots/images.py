"""Small pictures beside each other: inputs, mistakes, filters."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.image import AxesImage
from numpy.typing import NDArray


def images(axes: Sequence[Axes], pictures: Sequence[NDArray], titles: Sequence[str] | None = None,
           signed: bool = False) -> list[AxesImage]:
    """Draw one array of shape (rows, columns) into each of the axes; axes that are left over stay empty.

    Parameters
    ----------
    titles : sequence of str, optional
        One for each picture.
    signed : bool
        Blue below 0, white at 0, red above: for weights. Otherwise the brightest value is black.

    Examples
    --------
    >>> from tinygrad_nuc import plots
    >>> picture, axes = plots.grid(2)
    >>> drawn = plots.images(axes, np.eye(3)[None], ["identity"])
    >>> len(drawn), axes[0].get_title(), axes[1].axison
    (1, 'identity', False)
    """
    for ax in axes:
        ax.set_axis_off()
    drawn = []
    for i, (ax, picture) in enumerate(zip(axes, pictures, strict=False)):
        bound = float(np.abs(picture).max()) or 1.0
        drawn.append(ax.imshow(picture, cmap="RdBu_r" if signed else "Greys", vmin=-bound if signed else None,
                               vmax=bound if signed else None))
        if titles is not None:
            ax.set_title(titles[i], fontsize=11)
    return drawn
