"""L-BFGS: a quasi-Newton method that takes all data at once. SciPy's, with a network's parameters in one vector."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import scipy.optimize

from ..devices.moving import placed_like
from ..engine.arrays import on_host
from ..nn import Module


def minimise(model: Module, differentiate: Callable[[], float], *, max_iter: int, max_fun: int, tol: float,
             after_each: Callable[[float], None]) -> Any:
    """Change the parameters of `model` until no slope of the loss is steeper than `tol`; return SciPy's report.

    Parameters
    ----------
    model : Module
        Best in double precision, since the search along a line compares losses that differ by little.
    differentiate : function
        Fills in the gradients, and returns the loss.
    max_iter, max_fun : int
        Most iterations, and most evaluations of the loss.
    after_each : function of a loss
        Called after each iteration.

    Source: D. C. Liu and J. Nocedal, "On the limited memory BFGS method for large scale optimization", Mathematical
    Programming 45, 1989.
    """
    parameters = list(model.parameters())
    ends = np.cumsum([p.numel() for p in parameters])

    def set_parameters(values: np.ndarray) -> None:
        for p, part in zip(parameters, np.split(values, ends[:-1]), strict=True):
            p.data[:] = placed_like(p.data, part.reshape(p.shape))

    def joined(arrays: Iterable[Any]) -> np.ndarray:
        """SciPy's vector: in the computer's memory, wherever the model computes."""
        return on_host(np.concatenate([array.ravel() for array in arrays]))

    def loss_and_gradient(values: np.ndarray) -> tuple[float, np.ndarray]:
        set_parameters(values)
        model.zero_grad()
        loss = differentiate()
        return loss, joined(p.grad.data for p in parameters)

    report = scipy.optimize.minimize(
        loss_and_gradient, joined(p.data for p in parameters), method="L-BFGS-B", jac=True,
        callback=lambda intermediate_result: after_each(intermediate_result.fun),
        options={"maxiter": max_iter, "maxfun": max_fun, "gtol": tol})
    set_parameters(report.x)
    return report
