"""Losses that grow with the distance between prediction and target."""

from typing import Any

from ...engine.tensor import Tensor
from ...operations.selection import clamp
from .loss_parts import equal_weight, matching, reduced, require_number


def mse_loss(input: Tensor, target: Any, *, reduction: str = "mean", weight: Any = None) -> Tensor:
    """Squared error (x − t)², averaged: the negative log-likelihood of a normal distribution of fixed width.

    Parameters
    ----------
    input, target : Tensor, of equal shapes
    reduction : {"mean", "sum", "none"}
        "none" gives the loss of each element.
    weight : Tensor of the same shape, optional
        Multiplies each element; the mean is then Σ w (x − t)² / Σ w.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> x, t = tn.tensor([1.0, 2.0]), tn.tensor([0.0, 0.0])
    >>> tn.nn.functional.mse_loss(x, t), tn.nn.functional.mse_loss(x, t, weight=tn.tensor([3.0, 1.0]))
    (tensor(2.5000), tensor(1.7500))
    """
    difference = input - matching("mse_loss", input, target)
    return of_pairs("mse_loss", input, difference * difference, reduction, weight)


def l1_loss(input: Tensor, target: Any, *, reduction: str = "mean", weight: Any = None) -> Tensor:
    """Absolute error |x − t|, averaged; its best constant is the median.

    Parameters as for `mse_loss`.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.nn.functional.l1_loss(tn.tensor([1.0, 2.0]), tn.tensor([0.0, 0.0]))
    tensor(1.5000)
    """
    return of_pairs("l1_loss", input, abs(input - matching("l1_loss", input, target)), reduction, weight)


def huber_loss(input: Tensor, target: Any, reduction: str = "mean", delta: float = 1.0, weight: Any = None) -> Tensor:
    """d²/2 of the difference d = x − t where |d| ≤ δ, and δ (|d| − δ/2) beyond: outliers pull no harder than δ.

    Parameters
    ----------
    input, target : Tensor, of equal shapes
    reduction : {"mean", "sum", "none"}
    delta : float
        δ > 0, where the parabola becomes a straight line; the slope is that of both there.
    weight : Tensor of the same shape, optional
        Multiplies each element. The mean divides by the number of elements, and not by Σ w as that of `mse_loss` does
        (PyTorch differs between the two in the same way).

    Source: P. J. Huber, "Robust estimation of a location parameter", Ann. Math. Statist. 35 (1964) 73.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> x = tn.tensor([0.5, 10.0], requires_grad=True)
    >>> loss = tn.nn.functional.huber_loss(x, tn.zeros(2), reduction="none")
    >>> loss.sum().backward()
    >>> loss.detach(), x.grad
    (tensor([0.1250, 9.5000]), tensor([0.5000, 1.0000]))
    """
    delta = require_number("huber_loss", "delta", delta, above=0)
    loss = parabola_then_line(input - matching("huber_loss", input, target), delta)
    if weight is not None:
        loss = loss * equal_weight("huber_loss", input, weight)
    return reduced("huber_loss", loss, reduction)


def smooth_l1_loss(input: Tensor, target: Any, *, reduction: str = "mean", beta: float = 1.0) -> Tensor:
    """d²/(2β) of the difference d = x − t where |d| ≤ β, and |d| − β/2 beyond: the `huber_loss` with δ = β, over β.

    Parameters
    ----------
    input, target : Tensor, of equal shapes
    reduction : {"mean", "sum", "none"}
    beta : float
        β ≥ 0; 0 gives `l1_loss`.

    Source: R. Girshick, "Fast R-CNN", ICCV 2015.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.nn.functional.smooth_l1_loss(tn.tensor([0.5, 10.0]), tn.zeros(2), beta=2.0, reduction="none")
    tensor([0.0625, 9.0000])
    """
    beta = require_number("smooth_l1_loss", "beta", beta)
    difference = input - matching("smooth_l1_loss", input, target)
    loss = parabola_then_line(difference, beta) / beta if beta else abs(difference)
    return reduced("smooth_l1_loss", loss, reduction)


def parabola_then_line(d: Tensor, delta: float) -> Tensor:
    """With c = d, but between −δ and δ, both pieces are c (d − c/2); and nothing is squared that might overflow."""
    c = clamp(d, -delta, delta)
    return c * (d - c / 2)


def of_pairs(name: str, input: Tensor, loss: Tensor, reduction: str, weight: Any) -> Tensor:
    """The reduced loss of pairs, each with its weight if there are any."""
    if weight is None:
        return reduced(name, loss, reduction)
    weight = equal_weight(name, input, weight)
    return reduced(name, loss * weight, reduction, weight.sum())
