"""Adagrad: steps that shrink where gradients have been large."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from .optimizer import Optimizer


class Adagrad(Optimizer):
    """Each parameter's step divided by the size of all its gradients so far.

    With gradient g, sum of squares s and step count t, each step does::

        g ← g + weight_decay · p
        s ← s + g²
        p ← p − lr / (1 + (t − 1) · lr_decay) · g / (√s + eps)

    Parameters
    ----------
    params : iterable of Tensor, or of dict
    lr : float
        Learning rate: the size of the first step.
    lr_decay : float
        How fast the learning rate falls with t.
    weight_decay : float
    initial_accumulator_value : float
        What s is before the first step.
    eps : float
        Keeps the division finite.
    maximize : bool
        Climb instead of descending: g ← −g at first.

    Source: Duchi, Hazan and Singer, "Adaptive subgradient methods for online learning and stochastic optimization",
    Journal of Machine Learning Research 12 (2011).

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> w = tn.tensor([2.0], requires_grad=True)
    >>> optimizer = tn.optim.Adagrad([w], lr=0.5)
    >>> for _ in range(2):
    ...     w.grad = tn.tensor([3.0])
    ...     optimizer.step()            # 2 − 0.5 · 3/√9 = 1.5, and 1.5 − 0.5 · 3/√18
    ...     print(w)
    tensor([1.5000], requires_grad=True)
    tensor([1.1464], requires_grad=True)
    """

    elementwise = True
    state_names = {"t": "step", "s": "sum"}

    def __init__(self, params: Iterable, lr: float = 1e-2, lr_decay: float = 0, weight_decay: float = 0,
                 initial_accumulator_value: float = 0, eps: float = 1e-10, *, maximize: bool = False) -> None:
        super().__init__(params, {"lr": lr, "lr_decay": lr_decay, "eps": eps, "weight_decay": weight_decay,
                                  "initial_accumulator_value": initial_accumulator_value, "maximize": maximize})

    def change(self, p: Any, g: Any, state: dict[str, Any], *, lr: float, lr_decay: float, eps: float,  # type: ignore[override]
               weight_decay: float, initial_accumulator_value: float) -> Any:
        if weight_decay:
            g = g + weight_decay * p
        t = state["t"] = state.get("t", 0) + 1
        s = state["s"] = state.get("s", initial_accumulator_value) + g * g
        return -lr / (1 + (t - 1) * lr_decay) * g / (np.sqrt(s) + eps)
