"""The formulas of the most used optimizers once more, in memory that is there already: for speed alone.

The operations are those of `SGD.change` and `Adam.change`, in the same order: so are the results, bit for bit.
"""

from typing import Any

import numpy as np

from .adam import Adam
from .in_place import computes
from .sgd import SGD


@computes(SGD.change)
def sgd(p: Any, g: Any, arrays: dict[str, Any], common: dict[str, Any], step: Any, spare: Any, *, lr: float,
        momentum: float, dampening: float, weight_decay: float, nesterov: bool) -> Any:
    if nesterov or (momentum and "v" not in arrays):
        return NotImplemented
    if weight_decay:
        g = np.add(g, np.multiply(weight_decay, p, spare), spare)
    if momentum:
        v = arrays["v"]
        np.multiply(momentum, v, v)
        np.add(v, np.multiply(1 - dampening, g, spare) if dampening else g, v)
        g = v
    np.multiply(-lr, g, step)
    return None


@computes(Adam.change)
def adam(p: Any, g: Any, arrays: dict[str, Any], common: dict[str, Any], step: Any, spare: Any, *, lr: float,
         betas: tuple[float, float], eps: float, weight_decay: float, amsgrad: bool) -> Any:
    if amsgrad or weight_decay or "m" not in arrays:
        return NotImplemented
    (beta1, beta2), m, v = betas, arrays["m"], arrays["v"]
    t = common["t"] + 1
    np.multiply(beta1, m, m)
    np.add(m, np.multiply(1 - beta1, g, step), m)
    np.multiply(beta2, v, v)
    np.multiply(1 - beta2, g, spare)
    np.add(v, np.multiply(spare, g, spare), v)
    np.divide(v, 1 - beta2 ** t, spare)                     # v̂
    np.add(np.sqrt(spare, spare), eps, spare)               # √v̂ + eps
    np.divide(m, 1 - beta1 ** t, step)                      # m̂
    np.divide(np.multiply(-lr, step, step), spare, step)
    common["t"] = t
    return None
