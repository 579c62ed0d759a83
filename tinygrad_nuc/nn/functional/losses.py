"""Losses as plain functions of tensors."""

from typing import Any

from ...creation import as_tensor
from ...engine.tensor import Tensor
from ...operations.activations import softplus
from ...operations.indexing import take_along
from ...operations.likelihood import BinaryCrossEntropy
from ...operations.softmax import log_softmax


def mse_loss(input: Tensor, target: Any, *, reduction: str = "mean") -> Tensor:
    """Squared error (x − t)², averaged: the negative log-likelihood of a normal distribution of fixed width.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.nn.functional.mse_loss(tn.tensor([1.0, 2.0]), tn.tensor([0.0, 0.0]))
    tensor(2.5000)
    """
    difference = input - matching("mse_loss", input, target)
    return reduced("mse_loss", difference * difference, reduction)


def l1_loss(input: Tensor, target: Any, *, reduction: str = "mean") -> Tensor:
    """Absolute error |x − t|, averaged; its best constant is the median.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.nn.functional.l1_loss(tn.tensor([1.0, 2.0]), tn.tensor([0.0, 0.0]))
    tensor(1.5000)
    """
    return reduced("l1_loss", abs(input - matching("l1_loss", input, target)), reduction)


def binary_cross_entropy(input: Tensor, target: Any, *, reduction: str = "mean") -> Tensor:
    """−(t ln p + (1 − t) ln(1 − p)) of probabilities p; prefer `binary_cross_entropy_with_logits`.

    The logarithms are bounded at −100, as in PyTorch.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.nn.functional.binary_cross_entropy(tn.tensor([0.8, 0.4]), tn.tensor([1.0, 0.0]))
    tensor(0.3670)
    """
    target = matching("binary_cross_entropy", input, target)
    for name, x in (("input", input), ("target", target)):
        require_probability("binary_cross_entropy", name, x)
    return reduced("binary_cross_entropy", BinaryCrossEntropy.apply(input, target), reduction)


def binary_cross_entropy_with_logits(input: Tensor, target: Any, *, reduction: str = "mean") -> Tensor:
    """−(t ln σ(x) + (1 − t) ln σ(−x)), computed as t ln(1 + e⁻ˣ) + (1 − t) ln(1 + eˣ).

    Finite and exact for any x: the slope of a confident wrong answer stays σ(x) − t.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> F = tn.nn.functional
    >>> F.binary_cross_entropy_with_logits(tn.tensor([0.0, 1e4]), tn.tensor([1.0, 0.0]), reduction="none")
    tensor([6.9315e-01, 1.0000e+04])
    """
    target = matching("binary_cross_entropy_with_logits", input, target)
    require_probability("binary_cross_entropy_with_logits", "target", target)
    loss = target * softplus(-input) + (1 - target) * softplus(input)
    return reduced("binary_cross_entropy_with_logits", loss, reduction)


def nll_loss(input: Tensor, target: Any, *, reduction: str = "mean") -> Tensor:
    """−ln pₜ: the negative log-probability of the right class.

    Parameters
    ----------
    input : Tensor, shape (C,) or (N, C, …)
        Log-probabilities of C classes.
    target : Tensor of integers, shape () or (N, …)
        The right classes, from 0 to C − 1.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.nn.functional.nll_loss(tn.tensor([[-0.1, -2.3]]), tn.tensor([1]))
    tensor(2.3000)
    """
    target = as_tensor(target)
    dim = 0 if input.ndim == 1 else 1
    expected = input.shape[:dim] + input.shape[dim + 1:]
    if not input.ndim or target.shape != expected:
        raise ValueError(f"nll_loss: scores of shape {input.shape} need one class number for each row, of shape "
                         f"{expected}, and the target has shape {target.shape}")
    if target.dtype.kind not in "iu":
        raise TypeError(f"nll_loss: the target holds class numbers and must be of an integer type, not {target.dtype}")
    classes = input.shape[dim]
    if target.numel() and not (0 <= target.data.min() and target.data.max() < classes):
        raise ValueError(f"nll_loss: class numbers must lie from 0 to {classes - 1}, and the target has values from "
                         f"{target.data.min()} to {target.data.max()}")
    chosen = take_along(input, target.unsqueeze(dim), dim).squeeze(dim)
    return reduced("nll_loss", -chosen, reduction)


def cross_entropy(input: Tensor, target: Any, *, reduction: str = "mean") -> Tensor:
    """−ln softmax(x)ₜ: the negative log-likelihood of a categorical distribution, from scores x.

    Parameters
    ----------
    input : Tensor, shape (C,) or (N, C, …)
        Scores (logits) of C classes.
    target : Tensor
        Either the right classes as integers, shape () or (N, …), or probabilities of the shape of `input`.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.nn.functional.cross_entropy(tn.tensor([[2.0, 0.0], [0.0, 0.0]]), tn.tensor([0, 1]))
    tensor(0.4100)
    """
    target = as_tensor(target)
    log_p = log_softmax(input, 0 if input.ndim == 1 else 1)
    if target.dtype.kind in "iub":
        return nll_loss(log_p, target, reduction=reduction)
    if target.shape != input.shape:
        raise ValueError(f"cross_entropy: the input has shape {input.shape} and the target {target.shape}; a target of "
                         f"{target.dtype} holds probabilities and needs the same shape (for class numbers: .long())")
    target = matching("cross_entropy", input, target)
    loss = -(target * log_p).sum(0 if input.ndim == 1 else 1)
    return reduced("cross_entropy", loss, reduction)


def matching(name: str, input: Tensor, target: Any) -> Tensor:
    """The target as a tensor like `input`; integers and booleans are converted, anything else must fit."""
    target = as_tensor(target)
    if target.shape != input.shape:
        hint = ("; add or remove the last dimension with unsqueeze(-1) or squeeze(-1)"
                if input.numel() == target.numel() else "")
        raise ValueError(f"{name}: the input has shape {input.shape} and the target {target.shape}; "
                         f"they must be equal{hint}")
    if target.dtype.kind in "iub":
        return target.to(input.dtype)
    if target.dtype != input.dtype:
        raise TypeError(f"{name}: the input is {input.dtype} and the target {target.dtype}; "
                        "convert one with .float() or .double()")
    return target


def require_probability(name: str, which: str, x: Tensor) -> None:
    """Refuse values outside [0, 1] (NaN included)."""
    if x.numel() and not (x.data.min() >= 0 and x.data.max() <= 1):
        raise ValueError(f"{name}: the {which} must lie from 0 to 1, and has values from {x.data.min():g} "
                         f"to {x.data.max():g}")


def reduced(name: str, loss: Tensor, reduction: str) -> Tensor:
    """The mean, the sum, or every element of the loss."""
    if reduction == "mean":
        return loss.mean()
    if reduction == "sum":
        return loss.sum()
    if reduction == "none":
        return loss
    raise ValueError(f"{name}: reduction must be 'mean', 'sum' or 'none', not {reduction!r}")
