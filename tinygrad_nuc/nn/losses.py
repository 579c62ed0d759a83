"""Losses as modules: ``loss = nn.MSELoss()``, then ``loss(prediction, target)``."""

from collections.abc import Callable
from typing import Any

from ..creation import as_tensor
from ..engine.tensor import Tensor
from . import functional as F
from .module import Module


class Loss(Module):
    """A loss function with its reduction: 'mean', 'sum' or 'none' (one value for each element)."""

    function: Callable                      # called as type(self).function: self.function would be a method, given self
    reductions: tuple[str, ...] = ("mean", "sum", "none")

    def __init__(self, *given: Any, reduction: str = "mean") -> None:
        super().__init__()
        name = type(self).__name__
        if any(isinstance(x, Tensor) for x in (*given, reduction)):
            raise TypeError(f"{name} is made first and called then: loss = nn.{name}(), loss(prediction, target)")
        if given:                           # where PyTorch has size_average and reduce, which it gave up long ago
            raise TypeError(f"{name}: give reduction, and what else there is, by name: nn.{name}(reduction='sum')")
        if reduction not in self.reductions:
            *others, last = map(repr, self.reductions)
            raise ValueError(f"{name}: reduction must be {', '.join(others)} or {last}, not {reduction!r}")
        self.reduction = reduction

    def forward(self, input: Tensor, target: Any) -> Tensor:
        return type(self).function(input, target, reduction=self.reduction)


class WeightedLoss(Loss):
    """A loss with a weight, which is part of the state dict where it is given."""

    def __init__(self, weight: Any, *given: Any, reduction: str) -> None:
        super().__init__(*given, reduction=reduction)
        self.register_buffer("weight", None if weight is None else as_tensor(weight))

    def forward(self, input: Tensor, target: Any) -> Tensor:
        return type(self).function(input, target, self.weight, reduction=self.reduction)


# ---------------------------------------------------------------------- distances

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


class HuberLoss(Loss):
    """Squared near 0, and a straight line beyond ±δ; see `tinygrad_nuc.nn.functional.huber_loss`.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.nn.HuberLoss(delta=2.0)(tn.tensor([1.0, 10.0]), tn.tensor([0.0, 0.0]))
    tensor(9.2500)
    """

    def __init__(self, reduction: str = "mean", delta: float = 1.0) -> None:
        super().__init__(reduction=reduction)
        self.delta = delta

    def forward(self, input: Tensor, target: Any) -> Tensor:
        return F.huber_loss(input, target, self.reduction, self.delta)


class SmoothL1Loss(Loss):
    """Absolute error, rounded off between −β and β; see `tinygrad_nuc.nn.functional.smooth_l1_loss`.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.nn.SmoothL1Loss(beta=2.0)(tn.tensor([1.0, 10.0]), tn.tensor([0.0, 0.0]))
    tensor(4.6250)
    """

    def __init__(self, *given: Any, reduction: str = "mean", beta: float = 1.0) -> None:
        super().__init__(*given, reduction=reduction)
        self.beta = beta

    def forward(self, input: Tensor, target: Any) -> Tensor:
        return F.smooth_l1_loss(input, target, reduction=self.reduction, beta=self.beta)


# ---------------------------------------------------------------------- likelihoods of measurements

class GaussianNLLLoss(Loss):
    """Negative log-likelihood of numbers with a variance each; see `tinygrad_nuc.nn.functional.gaussian_nll_loss`.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> mu, var = tn.tensor([1.0, 2.0]), tn.tensor([0.25, 1.0])
    >>> tn.nn.GaussianNLLLoss()(mu, tn.tensor([1.5, 2.0]), var)
    tensor(-0.0966)
    """

    def __init__(self, *given: Any, full: bool = False, eps: float = 1e-6, reduction: str = "mean") -> None:
        super().__init__(*given, reduction=reduction)
        self.full, self.eps = full, eps

    def forward(self, input: Tensor, target: Any, var: Any) -> Tensor:              # type: ignore[override]
        return F.gaussian_nll_loss(input, target, var, self.full, self.eps, self.reduction)


class PoissonNLLLoss(Loss):
    """Negative log-likelihood of counts; see `tinygrad_nuc.nn.functional.poisson_nll_loss`.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.nn.PoissonNLLLoss(log_input=False)(tn.tensor([2.0, 5.0]), tn.tensor([3, 5]))
    tensor(-1.5633)
    """

    def __init__(self, log_input: bool = True, full: bool = False, *given: Any, eps: float = 1e-8,
                 reduction: str = "mean") -> None:
        # nn.PoissonNLLLoss(prediction, target) lands in log_input and full, and is refused as with the other losses
        misplaced = [x for x in (log_input, full) if isinstance(x, Tensor)]
        super().__init__(*misplaced, *given, reduction=reduction)
        self.log_input, self.full, self.eps = log_input, full, eps

    def forward(self, input: Tensor, target: Any) -> Tensor:
        return F.poisson_nll_loss(input, target, self.log_input, self.full, eps=self.eps, reduction=self.reduction)


class VonMisesFisherNLLLoss(Loss):
    """Negative log-likelihood of directions; see `tinygrad_nuc.nn.functional.von_mises_fisher_nll_loss`.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> v = tn.tensor([[0.0, 0.0, 20.0]])               # predicted: along z, within about 1/√20 radians
    >>> tn.nn.VonMisesFisherNLLLoss()(v, tn.tensor([[0.0, 0.6, 0.8]]))
    tensor(2.8421)
    """

    def forward(self, input: Tensor, target: Any, kappa: Any = None) -> Tensor:     # type: ignore[override]
        return F.von_mises_fisher_nll_loss(input, target, kappa, reduction=self.reduction)


# ---------------------------------------------------------------------- classification

class BCELoss(WeightedLoss):
    """Binary cross-entropy of probabilities; see `tinygrad_nuc.nn.functional.binary_cross_entropy`.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.nn.BCELoss()(tn.tensor([0.5]), tn.tensor([1.0]))
    tensor(0.6931)
    """

    function = F.binary_cross_entropy

    def __init__(self, weight: Any = None, *given: Any, reduction: str = "mean") -> None:
        super().__init__(weight, *given, reduction=reduction)


class BCEWithLogitsLoss(WeightedLoss):
    """Binary cross-entropy of logits; see `tinygrad_nuc.nn.functional.binary_cross_entropy_with_logits`.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.nn.BCEWithLogitsLoss()(tn.tensor([0.0]), tn.tensor([1.0]))
    tensor(0.6931)
    """

    def __init__(self, weight: Any = None, *given: Any, reduction: str = "mean", pos_weight: Any = None) -> None:
        super().__init__(weight, *given, reduction=reduction)
        self.register_buffer("pos_weight", None if pos_weight is None else as_tensor(pos_weight))

    def forward(self, input: Tensor, target: Any) -> Tensor:
        return F.binary_cross_entropy_with_logits(input, target, self.weight, reduction=self.reduction,
                                                  pos_weight=self.pos_weight)


class NLLLoss(WeightedLoss):
    """Negative log-likelihood of log-probabilities; see `tinygrad_nuc.nn.functional.nll_loss`.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.nn.NLLLoss()(tn.tensor([[-0.1, -2.3]]), tn.tensor([0]))
    tensor(0.1000)
    """

    def __init__(self, weight: Any = None, *given: Any, ignore_index: int = -100, reduction: str = "mean") -> None:
        super().__init__(weight, *given, reduction=reduction)
        self.ignore_index = ignore_index

    def forward(self, input: Tensor, target: Any) -> Tensor:
        return F.nll_loss(input, target, self.weight, ignore_index=self.ignore_index, reduction=self.reduction)


class CrossEntropyLoss(WeightedLoss):
    """Cross-entropy of scores for several classes; see `tinygrad_nuc.nn.functional.cross_entropy`.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.nn.CrossEntropyLoss()(tn.tensor([[0.0, 0.0]]), tn.tensor([1]))
    tensor(0.6931)
    """

    def __init__(self, weight: Any = None, *given: Any, ignore_index: int = -100, reduction: str = "mean",
                 label_smoothing: float = 0.0) -> None:
        super().__init__(weight, *given, reduction=reduction)
        self.ignore_index, self.label_smoothing = ignore_index, label_smoothing

    def forward(self, input: Tensor, target: Any) -> Tensor:
        return F.cross_entropy(input, target, self.weight, ignore_index=self.ignore_index, reduction=self.reduction,
                               label_smoothing=self.label_smoothing)


class KLDivLoss(Loss):
    """Kullback-Leibler divergence; see `tinygrad_nuc.nn.functional.kl_div`.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> log_p, t = tn.tensor([[0.5, 0.5]]).log(), tn.tensor([[0.75, 0.25]])
    >>> tn.nn.KLDivLoss(reduction="batchmean")(log_p, t)
    tensor(0.1308)
    """

    reductions = ("mean", "sum", "none", "batchmean")

    def __init__(self, *given: Any, reduction: str = "mean", log_target: bool = False) -> None:
        super().__init__(*given, reduction=reduction)
        self.log_target = log_target

    def forward(self, input: Tensor, target: Any) -> Tensor:
        return F.kl_div(input, target, reduction=self.reduction, log_target=self.log_target)
