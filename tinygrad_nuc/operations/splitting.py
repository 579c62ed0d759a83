"""One tensor to several: pieces next to each other along a dimension, all of them views."""

from collections.abc import Sequence
from itertools import accumulate
from typing import Any

import numpy as np

from ..engine.arrays import on_host
from ..engine.registry import implements
from ..engine.tensor import Tensor, method, value
from .axes import along, checked_dim


@method
def split(tensor: Tensor, split_size_or_sections: int | Sequence[int], dim: int = 0) -> tuple[Tensor, ...]:
    """Pieces of one length (the last may be shorter), or of the lengths in a list.

    ``np.split`` takes something else: how many pieces, or where to cut.

    Raises
    ------
    ValueError
        If a length is negative, the one length is 0, or the lengths in the list do not add up.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.split(tn.arange(5), 2)
    (tensor([0, 1]), tensor([2, 3]), tensor([4]))
    >>> tn.split(tn.arange(5), [1, 4])
    (tensor([0]), tensor([1, 2, 3, 4]))
    """
    dim = checked_dim("split", dim, tensor.ndim)
    n = tensor.shape[dim]
    if isinstance(split_size_or_sections, int):
        size = split_size_or_sections
        if size < 0 or (size == 0 and n):
            raise ValueError(f"split: pieces must have a positive length, not {size}")
        return pieces(tensor, list(range(size, n, size)) if n else [], dim)
    lengths = list(split_size_or_sections)
    if sum(lengths) != n or any(length < 0 for length in lengths):
        raise ValueError(f"split: the lengths {lengths} do not add up to {n}, the length of dimension {dim}")
    return pieces(tensor, list(accumulate(lengths))[:-1], dim) if lengths else ()


@method
def chunk(input: Tensor, chunks: int, dim: int = 0) -> tuple[Tensor, ...]:
    """At most `chunks` pieces, all of the same length except the last; `tensor_split` gives exactly so many.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.chunk(tn.arange(5), 4)
    (tensor([0, 1]), tensor([2, 3]), tensor([4]))
    """
    dim = checked_dim("chunk", dim, input.ndim)
    if chunks < 1:
        raise ValueError(f"chunk: needs a positive number of pieces, not {chunks}")
    n = input.shape[dim]
    size = -(-n // chunks)                      # rounded up
    return split(input, size, dim) if n else pieces(input, [0] * (chunks - 1), dim)


@method
def tensor_split(input: Tensor, indices_or_sections: Any, dim: int = 0) -> tuple[Tensor, ...]:
    """So many pieces, the first of them longer by one where they cannot be equal; or cut at the positions in a list.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.tensor_split(tn.arange(5), 3)
    (tensor([0, 1]), tensor([2, 3]), tensor([4]))
    >>> tn.tensor_split(tn.arange(5), [1, 3])
    (tensor([0]), tensor([1, 2]), tensor([3, 4]))
    """
    return cut("tensor_split", input, indices_or_sections, dim)


@method
def hsplit(input: Tensor, indices_or_sections: Any) -> tuple[Tensor, ...]:
    """Equal pieces next to each other, or cut at positions: along dimension 1, or 0 of a vector.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.hsplit(tn.tensor([[1.0, 2.0], [3.0, 4.0]]), 2)[0]
    tensor([[1.],
            [3.]])
    """
    return cut("hsplit", input, indices_or_sections, 0 if input.ndim == 1 else 1, least_ndim=1, equal=True)


@method
def vsplit(input: Tensor, indices_or_sections: Any) -> tuple[Tensor, ...]:
    """Equal pieces one above the other, or cut at positions: along dimension 0 of two or more.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.vsplit(tn.tensor([[1.0, 2.0], [3.0, 4.0]]), 2)
    (tensor([[1., 2.]]), tensor([[3., 4.]]))
    """
    return cut("vsplit", input, indices_or_sections, 0, least_ndim=2, equal=True)


@method
def dsplit(input: Tensor, indices_or_sections: Any) -> tuple[Tensor, ...]:
    """Equal pieces one behind the other, or cut at positions: along dimension 2.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> [piece.shape for piece in tn.dsplit(tn.zeros(1, 2, 4), [1])]
    [(1, 2, 1), (1, 2, 3)]
    """
    return cut("dsplit", input, indices_or_sections, 2, least_ndim=3, equal=True)


@method
def unbind(input: Tensor, dim: int = 0) -> tuple[Tensor, ...]:
    """Every slice along a dimension, which the slices themselves no longer have: the opposite of `stack`.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.unbind(tn.tensor([[1.0, 2.0], [3.0, 4.0]]), dim=1)
    (tensor([1., 3.]), tensor([2., 4.]))
    """
    dim = checked_dim("unbind", dim, input.ndim)
    return tuple(input[along(dim, i)] for i in range(input.shape[dim]))


# ---------------------------------------------------------------------- what they are made of

def pieces(x: Tensor, cuts: list[int], dim: int) -> tuple[Tensor, ...]:
    """From the beginning to the first cut, from there to the next, …, from the last cut to the end."""
    n = x.shape[dim]
    return tuple(x[along(dim, slice(start, end))] for start, end in zip([0, *cuts], [*cuts, n], strict=True))


def cut(name: str, x: Tensor, indices_or_sections: Any, dim: int, least_ndim: int = 1,
        equal: bool = False) -> tuple[Tensor, ...]:
    """So many pieces (equal ones, if that is asked for), or cut at the positions in a list."""
    if x.ndim < least_ndim:
        raise ValueError(f"{name}: needs at least {least_ndim} dimensions, and the tensor has shape {x.shape}")
    dim = checked_dim(name, dim, x.ndim)
    sections = value(indices_or_sections)
    if hasattr(sections, "dtype"):
        sections = on_host(sections).tolist()
    if not isinstance(sections, int):
        return pieces(x, list(sections), dim)
    n = x.shape[dim]
    if sections < 1:
        raise ValueError(f"{name}: needs a positive number of pieces, not {sections}")
    if equal and n % sections:
        raise ValueError(f"{name}: {n}, the length of dimension {dim}, is not divisible by {sections}; "
                         "tn.tensor_split makes pieces that differ by one")
    lengths = [n // sections + (i < n % sections) for i in range(sections)]
    return pieces(x, list(accumulate(lengths))[:-1], dim)


# ---------------------------------------------------------------------- as NumPy calls, with NumPy's conventions

@implements(np.split)
def _np_split(ary: Tensor, indices_or_sections: Any, axis: int = 0) -> list[Tensor]:
    return list(cut("split", ary, indices_or_sections, axis, equal=True))


@implements(np.array_split)
def _np_array_split(ary: Tensor, indices_or_sections: Any, axis: int = 0) -> list[Tensor]:
    return list(cut("array_split", ary, indices_or_sections, axis))


@implements(np.hsplit)
def _np_hsplit(ary: Tensor, indices_or_sections: Any) -> list[Tensor]:
    return list(hsplit(ary, indices_or_sections))


@implements(np.vsplit)
def _np_vsplit(ary: Tensor, indices_or_sections: Any) -> list[Tensor]:
    return list(vsplit(ary, indices_or_sections))


@implements(np.dsplit)
def _np_dsplit(ary: Tensor, indices_or_sections: Any) -> list[Tensor]:
    return list(dsplit(ary, indices_or_sections))


if hasattr(np, "unstack"):                      # since NumPy 2.1
    @implements(np.unstack)
    def _np_unstack(x: Tensor, /, *, axis: int = 0) -> tuple[Tensor, ...]:
        return unbind(x, axis)
