"""Losses as modules: ``loss = nn.MSELoss()``, then ``loss(prediction, target)``."""

from collections.abc import Callable
from typing import Any

from ..engine.tensor import Tensor
from . import functional as F
from .module import Module


class Loss(Module):
    """A loss function with its reduction: 'mean', 'sum' or 'none' (one value for each element)."""

    function: Callable

    def __init__(self, *given: Any, reduction: str = "mean") -> None:
        super().__init__()
        if given:
            name = type(self).__name__
            raise TypeError(f"{name} is made first and called then: loss = nn.{name}(), loss(prediction, target)")
        if reduction not in ("mean", "sum", "none"):
            raise ValueError(f"{type(self).__name__}: reduction must be 'mean', 'sum' or 'none', not {reduction!r}")
        self.reduction = reduction

    def forward(self, input: Tensor, target: Any) -> Tensor:
        return type(self).function(input, target, reduction=self.reduction)


class MSELoss(Loss):
    """Squared error (x − t)²; see `tinygrad_nuc.nn.functional.mse_loss`.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.nn.MSELoss()(tn.tensor([1.0, 2.0]), tn.tensor([0.0, 0.0]))
    tensor(2.5000)
    """

    function = F.mse_loss


class L1Loss(Loss):
    """Absolute error |x − t|; see `tinygrad_nuc.nn.functional.l1_loss`.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.nn.L1Loss(reduction="sum")(tn.tensor([1.0, 2.0]), tn.tensor([0.0, 0.0]))
    tensor(3.)
    """

    function = F.l1_loss


class BCELoss(Loss):
    """Binary cross-entropy of probabilities; see `tinygrad_nuc.nn.functional.binary_cross_entropy`.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.nn.BCELoss()(tn.tensor([0.5]), tn.tensor([1.0]))
    tensor(0.6931)
    """

    function = F.binary_cross_entropy


class BCEWithLogitsLoss(Loss):
    """Binary cross-entropy of logits; see `tinygrad_nuc.nn.functional.binary_cross_entropy_with_logits`.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.nn.BCEWithLogitsLoss()(tn.tensor([0.0]), tn.tensor([1.0]))
    tensor(0.6931)
    """

    function = F.binary_cross_entropy_with_logits


class NLLLoss(Loss):
    """Negative log-likelihood of log-probabilities; see `tinygrad_nuc.nn.functional.nll_loss`.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.nn.NLLLoss()(tn.tensor([[-0.1, -2.3]]), tn.tensor([0]))
    tensor(0.1000)
    """

    function = F.nll_loss


class CrossEntropyLoss(Loss):
    """Cross-entropy of scores for several classes; see `tinygrad_nuc.nn.functional.cross_entropy`.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.nn.CrossEntropyLoss()(tn.tensor([[0.0, 0.0]]), tn.tensor([1]))
    tensor(0.6931)
    """

    function = F.cross_entropy
