"""Losses of probabilities: of two classes, of several, and of one distribution against another."""

import operator
from typing import Any

import numpy as np

from ...engine.tensor import Tensor
from ...operations.activations import softplus
from ...operations.exponential import exp, log
from ...operations.indexing import take_along
from ...operations.likelihood import BinaryCrossEntropy, BinaryCrossEntropyWithLogits, CrossEntropy
from ...operations.selection import where
from ...operations.softmax import log_softmax
from .checks import require_tensor
from .loss_parts import (
    beside,
    fitting_weight,
    matching,
    of_same_dtype,
    reduced,
    require_not_negative,
    require_number,
    require_one_device,
    require_probability,
)


def binary_cross_entropy(input: Tensor, target: Any, weight: Any = None, *, reduction: str = "mean") -> Tensor:
    """−(t ln p + (1 − t) ln(1 − p)) of probabilities p; prefer `binary_cross_entropy_with_logits`.

    The logarithms are bounded at −100, as in PyTorch.

    Parameters
    ----------
    input, target : Tensor, of equal shapes
        From 0 to 1.
    weight : Tensor, optional
        Multiplies each element; it may broadcast. The mean divides by the number of elements, not by Σ w.
    reduction : {"mean", "sum", "none"}

    Raises
    ------
    ValueError
        If the shapes differ, or (looked at on the CPU only) a value does not lie from 0 to 1.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.nn.functional.binary_cross_entropy(tn.tensor([0.8, 0.4]), tn.tensor([1.0, 0.0]))
    tensor(0.3670)
    """
    target = matching("binary_cross_entropy", input, target)
    for name, x in (("input", input), ("target", target)):
        require_probability("binary_cross_entropy", name, x)
    loss = BinaryCrossEntropy.apply(input, target)
    if weight is not None:
        loss = loss * fitting_weight("binary_cross_entropy", input, "weight", weight)
    return reduced("binary_cross_entropy", loss, reduction)


def binary_cross_entropy_with_logits(input: Tensor, target: Any, weight: Any = None, *, reduction: str = "mean",
                                     pos_weight: Any = None) -> Tensor:
    """−(t ln σ(x) + (1 − t) ln σ(−x)), computed as t ln(1 + e⁻ˣ) + (1 − t) ln(1 + eˣ).

    Finite and exact for any x: the slope of a confident wrong answer stays σ(x) − t.

    Parameters
    ----------
    input : Tensor
        Scores (logits) x.
    target : Tensor of the same shape
        From 0 to 1.
    weight : Tensor, optional
        Multiplies each element; it may broadcast. The mean divides by the number of elements, not by Σ w.
    reduction : {"mean", "sum", "none"}
    pos_weight : Tensor, optional
        Multiplies the first term, that of the signal; it may broadcast. With a signal that is n times rarer than the
        background, n makes both count the same.

    Raises
    ------
    ValueError
        If the shapes differ, or (looked at on the CPU only) a target does not lie from 0 to 1.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> F = tn.nn.functional
    >>> F.binary_cross_entropy_with_logits(tn.tensor([0.0, 1e4]), tn.tensor([1.0, 0.0]), reduction="none")
    tensor([6.9315e-01, 1.0000e+04])
    """
    name = "binary_cross_entropy_with_logits"
    target = matching(name, input, target)
    require_probability(name, "target", target)
    if pos_weight is None:
        loss = BinaryCrossEntropyWithLogits.apply(input, target)
    else:
        signal = target * softplus(-input) * fitting_weight(name, input, "pos_weight", pos_weight)
        loss = signal + (1 - target) * softplus(input)
    if weight is not None:
        loss = loss * fitting_weight(name, input, "weight", weight)
    return reduced(name, loss, reduction)


def nll_loss(input: Tensor, target: Any, weight: Any = None, *, ignore_index: int = -100,
             reduction: str = "mean") -> Tensor:
    """−wₜ ln pₜ: the negative log-probability of the right class.

    Parameters
    ----------
    input : Tensor, shape (C,) or (N, C, …)
        Log-probabilities of C classes.
    target : Tensor of integers, shape () or (N, …)
        The right classes, from 0 to C − 1.
    weight : Tensor, shape (C,), optional
        What each class counts; the mean is then Σ loss / Σ wₜ.
    ignore_index : int
        A label that is none: where the target has it, the loss is 0, and the mean leaves it out. Where that leaves
        nothing, the mean is NaN, with a gradient of 0.
    reduction : {"mean", "sum", "none"}

    Raises
    ------
    ValueError
        If the shapes do not fit, or (looked at on the CPU only) a label is neither a class nor `ignore_index`.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> log_p = tn.tensor([[-0.1, -2.3], [-0.7, -0.7]])
    >>> tn.nn.functional.nll_loss(log_p, tn.tensor([1, -100])), tn.nn.functional.nll_loss(log_p, tn.tensor([1, 0]))
    (tensor(2.3000), tensor(1.5000))
    """
    dim = class_dimension("nll_loss", input)
    loss, total = of_labels("nll_loss", input, target, weight, ignore_index, dim)
    return reduced("nll_loss", loss, reduction, total)


def cross_entropy(input: Tensor, target: Any, weight: Any = None, *, ignore_index: int = -100, reduction: str = "mean",
                  label_smoothing: float = 0.0) -> Tensor:
    """−ln softmax(x)ₜ: the negative log-likelihood of a categorical distribution, from scores x.

    Parameters
    ----------
    input : Tensor, shape (C,) or (N, C, …)
        Scores (logits) of C classes.
    target : Tensor
        Either the right classes as integers, shape () or (N, …), or probabilities of the shape of `input`.
    weight : Tensor, shape (C,), optional
        What each class counts. With class numbers the mean divides by the sum of their weights, with probabilities by
        their number, as in PyTorch.
    ignore_index : int
        As for `nll_loss`; for class numbers only.
    reduction : {"mean", "sum", "none"}
    label_smoothing : float
        ε, from 0 to 1: the target becomes (1 − ε) times itself plus ε/C for every class, which keeps a network from
        making its scores ever larger.

    Raises
    ------
    ValueError
        If the shapes do not fit, or (looked at on the CPU only) a label is neither a class nor `ignore_index`; on a GPU
        the loss is then NaN.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> x = tn.tensor([[2.0, 0.0], [0.0, 0.0]])
    >>> tn.nn.functional.cross_entropy(x, tn.tensor([0, 1])), tn.nn.functional.cross_entropy(x, tn.tensor([0, -100]))
    (tensor(0.4100), tensor(0.1269))
    """
    smoothing = require_number("cross_entropy", "label_smoothing", label_smoothing)
    if smoothing > 1:
        raise ValueError(f"cross_entropy: label_smoothing must be at most 1, not {smoothing}")
    dim = class_dimension("cross_entropy", input)
    target = beside(input, target)
    if target.dtype.kind in "iub" and weight is None and not smoothing:
        kept = checked_labels("cross_entropy", input, target, ignore_index, dim)
        loss = CrossEntropy.apply(input, target, axis=dim, ignored=operator.index(ignore_index))
        return reduced("cross_entropy", loss, reduction, np.sum(kept, dtype=input.dtype))
    log_p = log_softmax(input, dim)
    if target.dtype.kind in "iub":
        loss, total = of_labels("cross_entropy", log_p, target, weight, ignore_index, dim, smoothing)
        return reduced("cross_entropy", loss, reduction, total)

    if target.shape != input.shape:
        raise ValueError(f"cross_entropy: the input has shape {input.shape} and the target {target.shape}; a target of "
                         f"{target.dtype} holds probabilities and needs the same shape (for class numbers: .long())")
    target = matching("cross_entropy", input, target)
    if ignore_index >= 0:
        raise ValueError(f"cross_entropy: ignore_index={ignore_index} is for class numbers, and the target holds "
                         "probabilities; set the rows to be left out to 0")
    if smoothing:
        target = (1 - smoothing) * target + smoothing / input.shape[dim]
    impossible = (target == 0) & (log_p == -np.inf)         # 0 · ∞ is 0 here, not NaN
    loss = -(target * where(impossible, 0.0, log_p))
    if weight is not None:
        loss = loss * class_weights("cross_entropy", input, weight, dim)
    return reduced("cross_entropy", loss.sum(dim), reduction)


def kl_div(input: Tensor, target: Any, *, reduction: str = "mean", log_target: bool = False) -> Tensor:
    """t (ln t − ln p): summed over the outcomes, the Kullback-Leibler divergence of a prediction p from t.

    Where t is 0 the loss is 0, and so is its slope, also for p = 0. A prediction that is NaN gives NaN.

    Parameters
    ----------
    input : Tensor
        Log-probabilities ln p, as `log_softmax` gives.
    target : Tensor of the same shape
        Probabilities t, or their logarithms.
    reduction : {"mean", "sum", "none", "batchmean"}
        "batchmean" divides the sum by the length of the first dimension, and so gives the mean divergence of the rows.
        "mean", the default as in PyTorch, divides by the number of all elements.
    log_target : bool
        Whether `target` is ln t.

    Raises
    ------
    ValueError
        If the shapes differ, or a t is negative (looked at on the CPU only).

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> p, t = tn.tensor([[0.5, 0.5]]), tn.tensor([[0.75, 0.25]])
    >>> tn.nn.functional.kl_div(p.log(), t, reduction="batchmean")
    tensor(0.1308)
    """
    target = matching("kl_div", input, target)
    if not log_target:
        require_not_negative("kl_div", "target", target)
    t = exp(target) if log_target else target
    possible = t > 0                                        # elsewhere no logarithm is taken, and no ∞ multiplied by 0
    log_t = where(possible, target, 0.0) if log_target else log(where(possible, t, 1.0))
    loss = t * (log_t - where(possible | np.isnan(input), input, 0.0))      # but no NaN is hidden
    if reduction == "batchmean":
        if not input.ndim:
            raise ValueError("kl_div: reduction 'batchmean' needs a first dimension to average over")
        return loss.sum() / input.shape[0]
    return reduced("kl_div", loss, reduction)


# ---------------------------------------------------------------------- class numbers

def class_dimension(name: str, input: Tensor) -> int:
    """The dimension in which the classes lie: the first of one row (C,), and the second of many (N, C, …)."""
    require_tensor(name, "input", input)
    if not input.ndim:
        raise ValueError(f"{name}: the input needs a number for each class, in shape (C,) or (N, C, …), "
                         "and is one number, of shape ()")
    return 0 if input.ndim == 1 else 1


def of_labels(name: str, log_p: Tensor, target: Any, weight: Any, ignore_index: int, dim: int,
              smoothing: float = 0.0) -> tuple[Tensor, Any]:
    """The loss of each label, and what all labels count together: the number of those not ignored, or their weights."""
    target = beside(log_p, target)
    kept = checked_labels(name, log_p, target, ignore_index, dim)
    labels = Tensor(np.where(kept, target.data, 0))
    loss = -where(kept, take_along(log_p, labels.unsqueeze(dim), dim).squeeze(dim), 0.0)
    total: Any = np.sum(kept, dtype=log_p.dtype)
    if weight is not None:
        weight = class_weights(name, log_p, weight, dim)
        own = where(kept, weight.reshape(-1)[labels], 0.0)
        loss, total = loss * own, own.sum()
    if smoothing:                                           # a little of each class
        every = log_p if weight is None else log_p * weight
        loss = (1 - smoothing) * loss - smoothing * where(kept, every.mean(dim), 0.0)
    return loss, total


def checked_labels(name: str, log_p: Tensor, target: Tensor, ignore_index: int, dim: int) -> Any:
    """Which of the class numbers are not to be ignored; all of those must be classes."""
    require_one_device(name, log_p, "target", target)
    expected = log_p.shape[:dim] + log_p.shape[dim + 1:]
    if target.shape != expected:
        raise ValueError(f"{name}: scores of shape {log_p.shape} need one class number for each row, of shape "
                         f"{expected}, and the target has shape {target.shape}")
    if target.dtype.kind not in "iu":
        raise TypeError(f"{name}: the target holds class numbers and must be of an integer type, not {target.dtype}")
    kept = target.data != operator.index(ignore_index)
    classes = log_p.shape[dim]
    found = target.data[kept] if type(target.data) is np.ndarray else None
    if found is not None and found.size and not (0 <= found.min() and found.max() < classes):
        raise ValueError(f"{name}: class numbers must lie from 0 to {classes - 1}, and the target has values from "
                         f"{found.min()} to {found.max()} (only ignore_index={ignore_index} is passed over)")
    return kept


def class_weights(name: str, input: Tensor, weight: Any, dim: int) -> Tensor:
    """The weights of the classes, in a shape that broadcasts along dimension `dim` of the input."""
    weight = of_same_dtype(name, input, "weight", weight)
    if weight.shape != (input.shape[dim],):
        raise ValueError(f"{name}: scores of shape {input.shape} need one weight for each class, of shape "
                         f"{(input.shape[dim],)}, and the weight has shape {weight.shape}")
    return weight.reshape([-1 if i == dim else 1 for i in range(input.ndim)])
