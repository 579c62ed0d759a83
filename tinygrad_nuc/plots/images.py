"""Small pictures beside each other: inputs, mistakes, filters."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.image import AxesImage
from numpy.typing import NDArray

from ..engine.tensor import Tensor
from ..nn.module import Module
from ..utils.arguments import whole_number
from .figures import finish_scale, several_axes_or_new


def images(pictures: Sequence[NDArray] | NDArray, titles: Sequence[str] | None = None, signed: bool = False, *,
           axes: Sequence[Axes] | None = None) -> list[AxesImage]:
    """Draw one picture into each of the axes; axes that are left over stay empty.

    Parameters
    ----------
    pictures : sequence of array or Tensor
        Each of shape (rows, columns), (1, rows, columns), or in colour (rows, columns, 3). Those for which there are
        no axes are left out.
    titles : sequence of str, optional
        One for each picture.
    signed : bool
        Blue below 0, white at 0, red above: for weights. Otherwise the brightest value is black.
    axes : sequence of Axes, optional
        Where to draw; by default in a figure of their own.

    Raises
    ------
    ValueError
        If there are not as many titles as pictures, or an array is no picture.

    Examples
    --------
    >>> from tinygrad_nuc import plots
    >>> picture, axes = plots.grid(2)
    >>> drawn = plots.images(np.eye(3)[None], ["identity"], axes=axes)
    >>> len(drawn), axes[0].get_title(), axes[1].axison
    (1, 'identity', False)
    """
    if titles is not None and len(titles) != len(pictures):
        raise ValueError(f"images: there are {len(pictures)} pictures, and {len(titles)} titles")
    if axes is None and not len(pictures):
        raise ValueError("images: there are no pictures to draw")
    pictures = [as_picture(i, picture) for i, picture in enumerate(pictures)]
    axes = several_axes_or_new(axes, 0 if axes is not None else len(pictures), 1.6, 1.9, min(8, len(pictures)),
                               owner="images")
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


def as_picture(number: int, picture: Any) -> NDArray:
    """Rows and columns, perhaps of three colours."""
    array = picture.detach().cpu().numpy() if isinstance(picture, Tensor) else np.asarray(picture)
    if array.ndim == 3 and len(array) == 1:                 # the one channel that a convolution asks for
        array = array[0]
    if array.ndim < 2 or array.shape[2:] not in ((), (3,)) or not array.size:
        raise ValueError(f"images: picture {number} has shape {array.shape}, not (rows, columns); a single one goes "
                         "into a list")
    return array


def filters(layer_or_weight: Any, shape: tuple[int, int] | None = None, *, most: int = 32,
            axes: Sequence[Axes] | None = None) -> list[AxesImage]:
    """What the units of a first layer look for: the weights as pictures, blue below 0 and red above.

    All have the same scale, so that a unit that has learned nothing looks pale.

    Parameters
    ----------
    layer_or_weight : Module, Tensor or array
        A Linear or Conv2d layer, or its weight: of shape (units, inputs), or (units, channels, rows, columns).
    shape : (rows, columns), optional
        Of the images that a Linear layer is given; by default square ones.
    most : int
        Draw so many filters at most, the first ones.
    axes : sequence of Axes, optional
        Where to draw, one for each filter; by default in a figure of their own, with the scale beside it. With fewer
        axes than filters the rest is left out.

    Returns
    -------
    list of AxesImage
        One for each filter, a convolution's with several channels (k, c): unit k, channel c.

    Raises
    ------
    ValueError
        If the weights do not make images of that shape, or are not finite.
    TypeError
        If there are no weights.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> drawn = tn.plots.filters(tn.nn.Linear(28 * 28, 10))
    >>> len(drawn), drawn[0].get_array().shape
    (10, (28, 28))
    """
    whole_number("filters", "most", most)
    weight = weight_of(layer_or_weight)
    if weight.ndim == 4:
        if shape is not None and tuple(shape) != weight.shape[2:]:
            raise ValueError(f"filters: the filters have shape {weight.shape[2:]}, not {tuple(shape)}")
        names = [f"{k}" if weight.shape[1] == 1 else f"{k}, {c}" for k, c in np.ndindex(weight.shape[:2])]
        pictures = weight.reshape(-1, *weight.shape[2:])
    else:
        names = [f"{k}" for k in range(len(weight))]
        pictures = weight.reshape(-1, *image_shape(weight.shape[1], shape))
    pictures, names = pictures[:most], names[:most]
    own = axes is None
    axes = several_axes_or_new(axes, len(pictures) if own else 0, 1.5, 1.7, min(8, len(pictures)), owner="filters")
    drawn = images(pictures, names, signed=True, axes=axes)
    bound = float(np.abs(pictures).max()) or 1.0
    for image in drawn:
        image.set_clim(-bound, bound)
    if own:
        finish_scale(axes[0].figure.colorbar(drawn[0], ax=list(axes), shrink=0.9, aspect=25), "weight")
    return drawn


def weight_of(layer: Any) -> NDArray:
    """The weights of two or four dimensions of a layer, a Tensor or an array."""
    weight = getattr(layer, "weight", None) if isinstance(layer, Module) else layer
    if isinstance(weight, Tensor):
        weight = weight.detach().cpu().numpy()
    if not isinstance(weight, np.ndarray) or weight.dtype.kind != "f":
        raise TypeError("filters: expects a layer with a weight, such as nn.Linear or nn.Conv2d, or the weight "
                        f"itself, not a {type(layer).__name__}")
    if weight.ndim not in (2, 4) or not weight.size:
        raise ValueError("filters: the weight must have shape (units, inputs) or (units, channels, rows, columns), "
                         f"not {weight.shape}")
    if not np.isfinite(weight).all():
        raise ValueError("filters: some weights are NaN or infinite")
    return weight


def image_shape(inputs: int, shape: tuple[int, int] | None) -> tuple[int, int]:
    """Rows and columns of an image with so many pixels."""
    if shape is None:
        shape = math.isqrt(inputs), math.isqrt(inputs)
    if np.shape(shape) != (2,):
        raise ValueError(f"filters: shape must be (rows, columns), not {shape!r}")
    if math.prod(shape) != inputs:
        advice = "; give the shape=(rows, columns)" if shape[0] == math.isqrt(inputs) else ""
        raise ValueError(f"filters: a unit has {inputs} weights, which make no image of shape {tuple(shape)}{advice}")
    return shape
