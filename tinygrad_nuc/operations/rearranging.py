"""The same values in another order: turned round, shifted along, with their axes in other places."""

from typing import Any

import numpy as np

from ..engine.registry import implements
from ..engine.tensor import Tensor, method
from .axes import along, checked_dim, checked_dims
from .joining import cat
from .shape import Permute, as_sizes, transpose


@method
def flip(input: Tensor, *several: Any, dims: Any = ()) -> Tensor:
    """The values in reverse order along the dimensions `dims`, as a copy (``np.flip(t)`` is a view).

    ``flip(t, (0, 1))``, ``flip(t, dims=(0, 1))`` and ``t.flip(0, 1)`` are the same.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.flip(tn.tensor([[1.0, 2.0], [3.0, 4.0]]), (0, 1))
    tensor([[4., 3.],
            [2., 1.]])
    """
    if not several and dims == ():
        raise TypeError("flip: name the dimensions to reverse; np.flip(t) reverses all")
    return reversed_along("flip", input, as_sizes(several) or dims).clone()


@method
def fliplr(input: Tensor) -> Tensor:
    """The columns in reverse order: `flip` along dimension 1.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.fliplr(tn.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([[2., 1.],
            [4., 3.]])
    """
    return reversed_along("fliplr", input, 1).clone()


@method
def flipud(input: Tensor) -> Tensor:
    """The rows in reverse order: `flip` along dimension 0.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.flipud(tn.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([[3., 4.],
            [1., 2.]])
    """
    return reversed_along("flipud", input, 0).clone()


@method
def rot90(input: Tensor, k: int = 1, dims: tuple[int, int] = (0, 1)) -> Tensor:
    """Turned by k quarter turns in the plane of two dimensions, from the first towards the second.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.rot90(tn.tensor([[1.0, 2.0], [3.0, 4.0]]))
    tensor([[2., 4.],
            [1., 3.]])
    """
    return turned(input, k, dims).clone()


@method
def roll(input: Tensor, shifts: int | tuple[int, ...], dims: int | tuple[int, ...] | None = None) -> Tensor:
    """Shifted by so many places along the dimensions; what leaves at the end comes back at the beginning.

    Without `dims` the flattened values are shifted, and keep their shape.

    Raises
    ------
    ValueError
        If there are not as many `shifts` as `dims`.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.roll(tn.tensor([1.0, 2.0, 3.0]), 1)
    tensor([3., 1., 2.])
    >>> tn.roll(tn.tensor([[1.0, 2.0], [3.0, 4.0]]), (1, 1), (0, 1))
    tensor([[4., 3.],
            [2., 1.]])
    """
    many_shifts = tuple(shifts) if isinstance(shifts, (tuple, list)) else (shifts,)
    if dims is None and len(many_shifts) == 1:
        return rolled(input.reshape(-1), many_shifts, (0,)).reshape(input.shape)
    many_dims = tuple(dims) if isinstance(dims, (tuple, list)) else () if dims is None else (dims,)
    if len(many_shifts) != len(many_dims):
        raise ValueError(f"roll: {len(many_shifts)} shifts do not fit {len(many_dims)} dims; give one for each")
    return rolled(input, many_shifts, tuple(checked_dim("roll", dim, input.ndim) for dim in many_dims))


@method
def movedim(input: Tensor, source: int | tuple[int, ...], destination: int | tuple[int, ...]) -> Tensor:
    """Dimensions moved to other places; the rest keep their order.

    Raises
    ------
    ValueError
        If `source` and `destination` are not equally many, or one of them names a dimension twice.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.movedim(tn.zeros(2, 3, 4), 0, -1).shape
    (3, 4, 2)
    """
    sources, places = (checked_dims("movedim", dims, input.ndim) for dims in (source, destination))
    if len(sources) != len(places):
        raise ValueError(f"movedim: source {source} and destination {destination} must be equally many")
    order = [i for i in range(input.ndim) if i not in sources]
    for place, dim in sorted(zip(places, sources, strict=True)):
        order.insert(place, dim)
    return Permute.apply(input, axes=tuple(order))


@method
@implements(np.moveaxis)
def moveaxis(input: Tensor, source: int | tuple[int, ...], destination: int | tuple[int, ...]) -> Tensor:
    """NumPy's name for `movedim`.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.moveaxis(tn.zeros(2, 3, 4), (0, 1), (1, 2)).shape
    (4, 2, 3)
    """
    return movedim(input, source, destination)


@method
def swapaxes(input: Tensor, axis0: int, axis1: int) -> Tensor:
    """NumPy's name for `transpose`: two dimensions swapped.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.swapaxes(tn.zeros(2, 3, 4), 0, 2).shape
    (4, 3, 2)
    """
    return transpose(input, axis0, axis1)


@method
def swapdims(input: Tensor, dim0: int, dim1: int) -> Tensor:
    """Another name for `transpose`: two dimensions swapped.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.swapdims(tn.zeros(2, 3, 4), 0, 2).shape
    (4, 3, 2)
    """
    return transpose(input, dim0, dim1)


# ---------------------------------------------------------------------- what they are made of

def reversed_along(name: str, x: Tensor, dims: Any) -> Tensor:
    """A view of `x` that runs backwards along `dims`."""
    backwards = checked_dims(name, dims, x.ndim)
    return x[tuple(slice(None, None, -1) if i in backwards else slice(None) for i in range(x.ndim))]


def turned(x: Tensor, k: int, dims: tuple[int, int]) -> Tensor:
    """`x` turned by k quarters: a view."""
    if len(dims) != 2:
        raise ValueError(f"rot90: a plane has two dimensions, not {dims}")
    i, j = checked_dims("rot90", tuple(dims), x.ndim)
    if k % 4 == 0:
        return x[...]
    if k % 4 == 2:
        return reversed_along("rot90", x, (i, j))
    return reversed_along("rot90", x, j if k % 4 == 1 else i).transpose(i, j)


def rolled(x: Tensor, shifts: tuple[int, ...], dims: tuple[int, ...]) -> Tensor:
    """Along each dimension: the last `shift` values first, then the others."""
    y = x.clone()
    for shift, dim in zip(shifts, dims, strict=True):
        if y.shape[dim]:
            cut = -shift % y.shape[dim]
            y = cat([y[along(dim, slice(cut, None))], y[along(dim, slice(cut))]], dim)
    return y


# ---------------------------------------------------------------------- as NumPy calls, with NumPy's conventions

@implements(np.flip)
def _np_flip(m: Tensor, axis: Any = None) -> Tensor:
    return reversed_along("flip", m, axis)


@implements(np.fliplr)
def _np_fliplr(m: Tensor) -> Tensor:
    return reversed_along("fliplr", m, 1)


@implements(np.flipud)
def _np_flipud(m: Tensor) -> Tensor:
    return reversed_along("flipud", m, 0)


@implements(np.rot90)
def _np_rot90(m: Tensor, k: int = 1, axes: Any = (0, 1)) -> Tensor:
    return turned(m, k, axes)


@implements(np.roll)
def _np_roll(a: Tensor, shift: Any, axis: Any = None) -> Tensor:
    if axis is None:
        return _np_roll(a.reshape(-1), shift, 0).reshape(a.shape)
    pairs = [(int(s), checked_dim("roll", int(i), a.ndim)) for s, i in np.broadcast(shift, axis)]
    return rolled(a, tuple(s for s, _ in pairs), tuple(i for _, i in pairs))
