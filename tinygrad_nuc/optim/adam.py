"""Adam: steps scaled by the recent size of each gradient."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from .optimizer import Optimizer


class Adam(Optimizer):
    """Adaptive moment estimation.

    With gradient g, running mean m, running mean square v and step count t, each step does::

        g ← g + weight_decay · p
        m ← β₁ m + (1 − β₁) g
        v ← β₂ v + (1 − β₂) g²
        p ← p − lr · m̂ / (√v̂ + eps),    m̂ = m / (1 − β₁ᵗ),  v̂ = v / (1 − β₂ᵗ)

    Parameters
    ----------
    params : iterable of Tensor, or of dict
    lr : float
        Learning rate: about the size of each step.
    betas : (float, float)
        β₁ and β₂: how slowly the running means forget.
    eps : float
        Keeps the division finite.
    weight_decay : float

    Source: Kingma and Ba, "Adam: a method for stochastic optimization", ICLR 2015.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> w = tn.tensor([1.0], requires_grad=True)
    >>> optimizer = tn.optim.Adam([w], lr=0.1)
    >>> (w * w).sum().backward()
    >>> optimizer.step()                # the first step has the length lr, whatever the gradient
    >>> w
    tensor([0.9000], requires_grad=True)
    """

    def __init__(self, params: Iterable, lr: float = 1e-3, betas: tuple[float, float] = (0.9, 0.999),
                 eps: float = 1e-8, weight_decay: float = 0) -> None:
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay})

    def check(self, **settings: Any) -> None:
        super().check(**settings)
        betas = settings["betas"]
        if not (isinstance(betas, (tuple, list)) and len(betas) == 2 and all(0 <= beta < 1 for beta in betas)):
            raise ValueError(f"Adam: betas must be two numbers from 0 up to but not including 1, not {betas}")

    def change(self, p: Any, g: Any, state: dict[str, Any], *, lr: float, betas: tuple[float, float],  # type: ignore[override]
               eps: float, weight_decay: float) -> Any:
        if not state:
            state.update(t=0, m=np.zeros_like(p), v=np.zeros_like(p))
        if weight_decay:
            g = g + weight_decay * p
        beta1, beta2 = betas
        t = state["t"] + 1
        m = beta1 * state["m"] + (1 - beta1) * g
        v = beta2 * state["v"] + (1 - beta2) * g * g
        state.update(t=t, m=m, v=v)
        m_hat = m / (1 - beta1 ** t)
        v_hat = v / (1 - beta2 ** t)
        return -lr * m_hat / (np.sqrt(v_hat) + eps)
