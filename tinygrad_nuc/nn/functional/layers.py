"""Layers as plain functions of tensors and weights."""

import math
from typing import Any

from ...engine.tensor import Tensor
from ...operations.affine import Affine
from ...operations.indexing import Index, checked_positions
from ...operations.selection import where
from .checks import require_dtype_of, require_fit


def linear(input: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
    """y = x Wᵀ + b.

    Parameters
    ----------
    input : Tensor, shape (…, in_features)
    weight : Tensor, shape (out_features, in_features)
    bias : Tensor, shape (out_features,), optional

    Raises
    ------
    TypeError
        If one of them is not a tensor, or of another dtype than the others.
    ValueError
        If the weights are not a matrix, the last dimension of `input` is not in_features, or the bias is not of shape
        (out_features,).

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.nn.functional.linear(tn.ones(1, 2), tn.tensor([[1.0, 2.0]]), tn.tensor([0.5]))
    tensor([[3.5000]])
    """
    if fit(input, weight, bias):
        return Affine.apply(input, weight, bias)
    refuse_misfits(input, weight, bias)
    rows = input if input.ndim == 2 else input.reshape(math.prod(input.shape[:-1]), input.shape[-1])
    y = rows @ weight.T if bias is None else Affine.apply(rows, weight, bias)
    return y if input.ndim == 2 else y.reshape(*input.shape[:-1], weight.shape[0])


def fit(input: Any, weight: Any, bias: Any) -> bool:
    """Whether rows of a matrix, weights and a bias fit each other: mostly they do, and need no other look."""
    if not (isinstance(input, Tensor) and isinstance(weight, Tensor) and isinstance(bias, Tensor)):
        return False
    x, W, b = input.data, weight.data, bias.data
    return (x.ndim == W.ndim == 2 and x.shape[1] == W.shape[1] and b.shape == W.shape[:1]
            and x.dtype == W.dtype == b.dtype)


def refuse_misfits(input: Any, weight: Any, bias: Any) -> None:
    """An error that says which of them does not fit, if one does not."""
    require_dtype_of("linear", input, weight)
    if weight.ndim != 2:
        raise ValueError(f"linear: weights have the shape (out_features, in_features), and these have {weight.shape}")
    if not input.ndim or input.shape[-1] != weight.shape[-1]:
        raise ValueError(f"linear: the input of shape {input.shape} does not fit weights of shape {weight.shape}; "
                         f"its last dimension must be {weight.shape[-1]}")
    require_fit("linear", weight, "bias", bias, weight.shape[:1], "weight")


def embedding(input: Tensor, weight: Tensor, padding_idx: int | None = None) -> Tensor:
    """Row `input` of a table of vectors, one for each word, particle, or other thing that is one of a kind.

    A vector that is looked up several times gets the sum of the gradients.

    Parameters
    ----------
    input : Tensor of integers, any shape
        Which row, from 0.
    weight : Tensor, shape (number of rows, dimension)
    padding_idx : int, optional
        A row to which no gradient passes: for what only fills a list up. A negative one counts from the end.

    Returns
    -------
    Tensor, shape (*input.shape, dimension)

    Raises
    ------
    TypeError
        If `input` does not hold integers.
    IndexError
        If there is no such row (checked on the CPU).
    ValueError
        If the weights are not a matrix.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> table = tn.tensor([[0.0, 0.0], [1.0, 2.0], [3.0, 4.0]])
    >>> tn.nn.functional.embedding(tn.tensor([2, 1, 2]), table)
    tensor([[3., 4.],
            [1., 2.],
            [3., 4.]])
    """
    if weight.ndim != 2:
        raise ValueError(f"embedding: the weights are a matrix with a vector in each row, not of shape {weight.shape}")
    rows = checked_positions("embedding", input, weight, weight.shape[0])
    y = Index.apply(weight, index=rows)
    if padding_idx is None:
        return y
    padding = rows == checked_row("embedding", padding_idx, weight.shape[0])
    return where(padding[..., None], y.detach(), y)


def checked_row(name: str, padding_idx: int, rows: int) -> int:
    """`padding_idx` counted from 0, refused if there is no such row."""
    if not -rows <= padding_idx < rows:
        raise ValueError(f"{name}: padding_idx is a row, from {-rows} to {rows - 1}, and not {padding_idx}")
    return padding_idx % rows
