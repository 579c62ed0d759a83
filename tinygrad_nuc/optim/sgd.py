"""Gradient descent, with momentum."""

from collections.abc import Iterable
from typing import Any

from .optimizer import Optimizer


class SGD(Optimizer):
    """Stochastic gradient descent, with momentum, weight decay and Nesterov's variant, as in PyTorch.

    With gradient g and velocity v, each step does::

        g ← g + weight_decay · p
        v ← momentum · v + (1 − dampening) · g          (v = g in the first step)
        p ← p − lr · v                                  (plain)
        p ← p − lr · (g + momentum · v)                 (Nesterov)

    Parameters
    ----------
    params : iterable of Tensor, or of dict
    lr : float
        Learning rate.
    momentum, dampening, weight_decay : float
    nesterov : bool
    maximize : bool
        Climb instead of descending: g ← −g at first.

    Source: Sutskever et al., "On the importance of initialization and momentum in deep learning", ICML 2013.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> w = tn.tensor([1.0], requires_grad=True)
    >>> optimizer = tn.optim.SGD([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()
    >>> w
    tensor([0.8000], requires_grad=True)
    """

    elementwise = True
    state_names = {"v": "momentum_buffer"}
    sometimes = ("momentum_buffer",)

    def __init__(self, params: Iterable, lr: float = 1e-3, momentum: float = 0, dampening: float = 0,
                 weight_decay: float = 0, nesterov: bool = False, *, maximize: bool = False) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum, "dampening": dampening,
                                  "weight_decay": weight_decay, "nesterov": nesterov, "maximize": maximize})

    def check(self, **settings: Any) -> None:
        super().check(**settings)
        if settings["nesterov"] and (settings["momentum"] == 0 or settings["dampening"] != 0):
            raise ValueError("SGD: nesterov needs a momentum above 0 and a dampening of 0")

    def change(self, p: Any, g: Any, state: dict[str, Any], *, lr: float, momentum: float, dampening: float,  # type: ignore[override]
               weight_decay: float, nesterov: bool) -> Any:
        if weight_decay:
            g = g + weight_decay * p
        if momentum:
            v = state["v"] = momentum * state["v"] + (1 - dampening) * g if "v" in state else g
            g = g + momentum * v if nesterov else v
        return -lr * g
