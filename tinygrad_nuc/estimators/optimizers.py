"""Adam and SGD as scikit-learn writes them; they differ from PyTorch's in where eps and the learning rate enter."""

import math
from typing import Any

from .. import optim


class Adam(optim.Adam):
    """Adam with `eps` next to √v, whose bias is corrected afterwards: −lr · m̂ / (√v̂ + eps / √(1 − β₂ᵗ))."""

    def change(self, p: Any, g: Any, state: dict[str, Any], *, betas: tuple[float, float], eps: float,  # type: ignore[override]
               **settings: Any) -> Any:
        t = state.get("t", 0) + 1
        return super().change(p, g, state, betas=betas, eps=eps / math.sqrt(1 - betas[1] ** t), **settings)


class SGD(optim.SGD):
    """Gradient descent with a velocity that holds the learning rate, so that a new one takes effect little by little.

    Each step does::

        v ← momentum · v − lr · g
        p ← p + v                                   (plain)
        p ← p + momentum · v − lr · g               (Nesterov)
    """

    def change(self, p: Any, g: Any, state: dict[str, Any], *, lr: float, momentum: float,  # type: ignore[override]
               nesterov: bool, **settings: Any) -> Any:
        v = state["v"] = momentum * state.get("v", 0) - lr * g
        return momentum * v - lr * g if nesterov else v
