"""More copies of the same values; each of them passes its gradient back to the value, where they add up."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..engine.arrays import on_host
from ..engine.registry import implements
from ..engine.tensor import Tensor, method, value
from .axes import along, checked_dim
from .shape import as_sizes


@method
def tile(input: Tensor, *several: Any, dims: Any = ()) -> Tensor:
    """The whole tensor `dims[i]` times after itself along dimension i; missing counts at the front are 1.

    ``tile(t, (2, 3))``, ``tile(t, dims=(2, 3))`` and ``t.tile(2, 3)`` are the same.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.tile(tn.tensor([1.0, 2.0]), (2, 2))
    tensor([[1., 2., 1., 2.],
            [1., 2., 1., 2.]])
    """
    return tiled("tile", input, as_sizes(several) or tuple(dims))


@method
def repeat(self: Tensor, *sizes: Any) -> Tensor:
    """`tile`, with a count for every dimension (what NumPy calls ``repeat`` is `repeat_interleave`).

    Raises
    ------
    ValueError
        If there are fewer counts than dimensions.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.tensor([1.0, 2.0]).repeat(2, 1)
    tensor([[1., 2.],
            [1., 2.]])
    """
    sizes = as_sizes(sizes)
    if len(sizes) < self.ndim:
        raise ValueError(f"repeat: the shape {self.shape} needs a count for each dimension, and {sizes} are fewer")
    return tiled("repeat", self, sizes)


@method
def repeat_interleave(input: Tensor, repeats: Any, dim: int | None = None) -> Tensor:
    """Every value `repeats` times before the next one, along `dim` or flattened.

    Parameters
    ----------
    repeats : int, or a list or tensor of integers
        The same count for all, or one for each value along the dimension.
    dim : int, optional
        The flattened values if it is not given.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.repeat_interleave(tn.tensor([1.0, 2.0]), 2)
    tensor([1., 1., 2., 2.])
    >>> tn.repeat_interleave(tn.tensor([[1.0, 2.0]]), [3, 1], dim=1)
    tensor([[1., 1., 1., 2.]])
    """
    if dim is None:
        input, dim = input.reshape(-1), 0
    dim = checked_dim("repeat_interleave", dim, input.ndim)
    n = input.shape[dim]
    counts = value(repeats)
    if hasattr(counts, "dtype"):
        counts = on_host(counts).tolist()                # the shape of the result depends on them: a device has to wait
    counts = [counts] if isinstance(counts, int) else list(counts)
    if any(count < 0 for count in counts) or len(counts) not in (1, n):
        raise ValueError(f"repeat_interleave: repeats must be one count or {n}, one for each value along dimension "
                         f"{dim}, none of them negative, and not {counts}")
    if len(counts) != 1:
        return input[along(dim, np.repeat(np.arange(n, like=value(input)), counts))]
    copies = input.unsqueeze(dim + 1).broadcast_to((*input.shape[:dim + 1], *counts, *input.shape[dim + 1:]))
    return copies.clone().reshape(*input.shape[:dim], n * counts[0], *input.shape[dim + 1:])


def meshgrid(*tensors: Any, indexing: str = "ij") -> tuple[Tensor, ...]:
    """The coordinates of all points of a grid: the i-th result holds the i-th coordinate of each point.

    Parameters
    ----------
    *tensors : Tensor
        Vectors of the coordinates along each dimension (numbers count as vectors of length 1), or a list of them.
    indexing : str
        "ij": the i-th vector runs along dimension i. "xy": along the first two the other way round, as in a picture.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> x, y = tn.meshgrid(tn.tensor([1.0, 2.0]), tn.tensor([3.0, 4.0]))
    >>> x
    tensor([[1., 1.],
            [2., 2.]])
    >>> y
    tensor([[3., 4.],
            [3., 4.]])
    """
    return grid(as_sizes(tensors), indexing, sparse=False)


# ---------------------------------------------------------------------- what they are made of

def tiled(name: str, x: Tensor, counts: tuple[int, ...]) -> Tensor:
    """An axis of n values is n = 1 · n; the 1 is repeated, and the two are joined again."""
    if any(not hasattr(count, "__index__") or count < 0 for count in counts):
        raise ValueError(f"{name}: a tensor cannot be repeated {counts} times")
    counts = (1,) * (x.ndim - len(counts)) + counts
    shape = (1,) * (len(counts) - x.ndim) + x.shape
    pairs = list(zip(counts, shape, strict=True))
    blocks = x.reshape([length for n in shape for length in (1, n)])
    copies = blocks.broadcast_to([length for pair in pairs for length in pair])
    return copies.clone().reshape([r * n for r, n in pairs])


def grid(vectors: Sequence, indexing: str, sparse: bool) -> tuple[Any, ...]:
    """Each vector along a dimension of its own, and (unless sparse) repeated along all others."""
    if indexing not in ("ij", "xy"):
        raise ValueError(f"meshgrid: indexing must be 'ij' or 'xy', not {indexing!r}")
    if any(x.ndim > 1 for x in vectors):
        raise ValueError(f"meshgrid: expects vectors, and these have shapes {[x.shape for x in vectors]}")
    places = list(range(len(vectors)))
    if indexing == "xy":
        places[:2] = reversed(places[:2])
    axes = [np.reshape(x, [-1 if i == place else 1 for i in range(len(vectors))])
            for x, place in zip(vectors, places, strict=True)]
    shape = np.broadcast_shapes(*(x.shape for x in axes))
    return tuple(x if sparse else np.broadcast_to(x, shape) for x in axes)


# ---------------------------------------------------------------------- as NumPy calls, with NumPy's conventions

@implements(np.tile)
def _np_tile(A: Tensor, reps: Any) -> Tensor:
    return tiled("tile", A, tuple(np.atleast_1d(reps).tolist()))


@implements(np.repeat)
def _np_repeat(a: Tensor, repeats: Any, axis: int | None = None) -> Tensor:
    return repeat_interleave(a, repeats, axis)


@implements(np.meshgrid)
def _np_meshgrid(*xi: Any, copy: bool = True, sparse: bool = False, indexing: str = "xy") -> tuple[Any, ...]:
    axes = grid([np.reshape(x, (-1,)) for x in xi], indexing, sparse)
    return tuple(np.copy(x) for x in axes) if copy else axes
