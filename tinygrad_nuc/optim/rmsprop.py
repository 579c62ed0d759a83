"""RMSprop: steps divided by the recent size of each gradient."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from .optimizer import Optimizer
from .saving import is_number


class RMSprop(Optimizer):
    """Each parameter's step divided by the root of the running mean square of its gradients.

    With gradient g, running mean square v, running mean ḡ and velocity u, each step does::

        g ← g + weight_decay · p
        v ← alpha · v + (1 − alpha) · g²
        σ = √v                                                                          (plain)
        ḡ ← alpha · ḡ + (1 − alpha) · g,    σ = √(v − ḡ²)                               (centered)
        u ← momentum · u + g / (σ + eps)
        p ← p − lr · u

    Parameters
    ----------
    params : iterable of Tensor, or of dict
    lr : float
        Learning rate.
    alpha : float
        How slowly the running means forget.
    eps : float
        Keeps the division finite.
    weight_decay, momentum : float
    centered : bool
        Divide by the standard deviation of the gradients instead.
    maximize : bool
        Climb instead of descending: g ← −g at first.

    Source: Hinton, Srivastava and Swersky, "Neural networks for machine learning", lecture 6e, 2012.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> w = tn.tensor([1.0], requires_grad=True)
    >>> optimizer = tn.optim.RMSprop([w], lr=0.1, alpha=0.75)
    >>> (w * w).sum().backward()
    >>> optimizer.step()                # v = 0.25 · 2², so the step is 0.1 · 2/√1
    >>> w
    tensor([0.8000], requires_grad=True)
    """

    elementwise = True
    state_names = {"t": "step", "v": "square_avg", "u": "momentum_buffer", "g_mean": "grad_avg"}
    sometimes = ("momentum_buffer", "grad_avg")

    def __init__(self, params: Iterable, lr: float = 1e-2, alpha: float = 0.99, eps: float = 1e-8,
                 weight_decay: float = 0, momentum: float = 0, centered: bool = False, *,
                 maximize: bool = False) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum, "alpha": alpha, "eps": eps, "centered": centered,
                                  "weight_decay": weight_decay, "maximize": maximize})

    def check(self, **settings: Any) -> None:
        super().check(**settings)
        alpha = settings["alpha"]
        if not is_number(alpha, below=1):
            raise ValueError(f"RMSprop: alpha must be a number from 0 up to but not including 1, not {alpha!r}")

    def change(self, p: Any, g: Any, state: dict[str, Any], *, lr: float, alpha: float, eps: float,  # type: ignore[override]
               weight_decay: float, momentum: float, centered: bool) -> Any:
        if weight_decay:
            g = g + weight_decay * p
        state["t"] = state.get("t", 0) + 1
        square = v = state["v"] = alpha * state.get("v", 0) + (1 - alpha) * g * g
        if centered:
            g_mean = state["g_mean"] = alpha * state.get("g_mean", 0) + (1 - alpha) * g
            square = np.maximum(v - g_mean * g_mean, 0)         # rounding could take it below 0
        u = g / (np.sqrt(square) + eps)
        if momentum:
            u = state["u"] = momentum * state.get("u", 0) + u
        return -lr * u
