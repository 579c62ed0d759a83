"""Adam: steps scaled by the recent size of each gradient; and AdamW."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from .optimizer import Optimizer
from .saving import is_number, plain


class Adam(Optimizer):
    """Adaptive moment estimation.

    With gradient g, running mean m, running mean square v and step count t, each step does::

        g ← g + weight_decay · p
        m ← β₁ m + (1 − β₁) g
        v ← β₂ v + (1 − β₂) g²
        p ← p − lr · m̂ / (√v̂ + eps),    m̂ = m / (1 − β₁ᵗ),  v̂ = v / (1 − β₂ᵗ)

    With `amsgrad` the largest v so far takes the place of v in v̂, so that steps never grow again.

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
    amsgrad : bool
    maximize : bool
        Climb instead of descending: g ← −g at first.

    Source: Kingma and Ba, "Adam: a method for stochastic optimization", ICLR 2015; for `amsgrad` Reddi, Kale and
    Kumar, "On the convergence of Adam and beyond", ICLR 2018.

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

    elementwise = True
    state_names = {"t": "step", "m": "exp_avg", "v": "exp_avg_sq", "v_max": "max_exp_avg_sq"}
    sometimes = ("max_exp_avg_sq",)
    fixed = {"decoupled_weight_decay": False}

    def __init__(self, params: Iterable, lr: float = 1e-3, betas: tuple[float, float] = (0.9, 0.999),
                 eps: float = 1e-8, weight_decay: float = 0, amsgrad: bool = False, *,
                 maximize: bool = False) -> None:
        super().__init__(params, {"lr": lr, "betas": betas, "eps": eps, "weight_decay": weight_decay,
                                  "amsgrad": amsgrad, "maximize": maximize})

    def check(self, **settings: Any) -> None:
        super().check(**settings)
        betas = settings["betas"]
        if not (isinstance(betas, (tuple, list)) and len(betas) == 2
                and all(is_number(plain(beta), below=1) for beta in betas)):
            raise ValueError(f"{type(self).__name__}: betas must be two numbers from 0 up to but not including 1, "
                             f"not {betas}")

    def change(self, p: Any, g: Any, state: dict[str, Any], *, lr: float, betas: tuple[float, float],  # type: ignore[override]
               eps: float, weight_decay: float, amsgrad: bool) -> Any:
        if weight_decay:
            g = g + weight_decay * p
        beta1, beta2 = betas
        t = state["t"] = state.get("t", 0) + 1
        m = state["m"] = beta1 * state.get("m", 0) + (1 - beta1) * g
        v = state["v"] = beta2 * state.get("v", 0) + (1 - beta2) * g * g
        if amsgrad:
            v = state["v_max"] = np.maximum(v, state.get("v_max", v))
        m_hat = m / (1 - beta1 ** t)
        v_hat = v / (1 - beta2 ** t)
        return -lr * m_hat / (np.sqrt(v_hat) + eps)


class AdamW(Adam):
    """Adam with decoupled weight decay: parameters shrink at one rate, whatever the size of their gradients.

    With m̂ and v̂ of the gradient alone, as in `Adam` without weight decay, each step does::

        p ← p − lr · weight_decay · p − lr · m̂ / (√v̂ + eps)

    Parameters
    ----------
    params : iterable of Tensor, or of dict
    lr, betas, eps, amsgrad, maximize
        As in `Adam`.
    weight_decay : float

    Source: Loshchilov and Hutter, "Decoupled weight decay regularization", ICLR 2019.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> w = tn.tensor([1.0, 2.0], requires_grad=True)
    >>> optimizer = tn.optim.AdamW([w], lr=0.1, weight_decay=0.5)
    >>> w.grad = tn.tensor([0.0, 1.0])
    >>> optimizer.step()                # 1 − 0.1 · 0.5 · 1, and 2 − 0.1 · 0.5 · 2 − 0.1
    >>> w
    tensor([0.9500, 1.8000], requires_grad=True)
    """

    fixed = {"decoupled_weight_decay": True}

    def __init__(self, params: Iterable, lr: float = 1e-3, betas: tuple[float, float] = (0.9, 0.999),
                 eps: float = 1e-8, weight_decay: float = 1e-2, amsgrad: bool = False, *,
                 maximize: bool = False) -> None:
        super().__init__(params, lr, betas, eps, weight_decay, amsgrad, maximize=maximize)

    def change(self, p: Any, g: Any, state: dict[str, Any], *, lr: float, weight_decay: float,  # type: ignore[override]
               **settings: Any) -> Any:
        return super().change(p, g, state, lr=lr, weight_decay=0, **settings) - lr * weight_decay * p
