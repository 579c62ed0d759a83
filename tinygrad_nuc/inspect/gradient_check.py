"""Gradient check: the slope that the engine computes beside the slope that a small step measures.

The central difference (f(x + h) − f(x − h)) / 2h misses the derivative by about h² f‴/6, and rounding adds
about 1e-16 |f| / h. In float64 with h near 1e-6 both are tiny; in float32 no h makes them so.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from ..devices.moving import placed_like
from ..engine import debugging
from ..engine.arrays import on_host
from ..engine.backward import as_sequence
from ..engine.tensor import Tensor
from ..engine.transforms import grad


class GradcheckError(RuntimeError):
    """A derivative differs from the central difference.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> x = tn.tensor([3.0], dtype=tn.float64, requires_grad=True)
    >>> tn.gradcheck(lambda x: (x * x.detach()).sum(), x)       # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    tinygrad_nuc.inspect.gradient_check.GradcheckError: input 0, element [0]: the engine says 3, the difference 6 (...)
    """


def gradcheck(func: Callable, inputs: Tensor | Sequence[Any], *, eps: float = 1e-6, atol: float = 1e-5,
              rtol: float = 1e-3) -> bool:
    """Compare the derivatives of `func` with central differences, element by element.

    Parameters
    ----------
    func : function
        Of `inputs`; returns a tensor or several. It must give the same result each time.
    inputs : Tensor or sequence
        Those that require a gradient are checked; they must be float64. They are changed by `eps` and restored,
        so that parameters of a model can be checked where they are.
    eps : float
        Step h, relative to values above 1.
    atol, rtol : float
        Largest difference allowed: atol + rtol · |central difference|.

    Returns
    -------
    bool
        True; a difference is an error.

    Raises
    ------
    GradcheckError
        Naming the input, the element and both numbers where they differ most.
    TypeError
        If an input to be checked is not float64.
    ValueError
        If no input requires a gradient.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> x = tn.tensor([0.5, 2.0], dtype=tn.float64, requires_grad=True)
    >>> tn.gradcheck(lambda x: (x ** 3).sum(), x)
    True
    """
    inputs = as_sequence(inputs)
    checked = [(i, x) for i, x in enumerate(inputs) if isinstance(x, Tensor) and x.requires_grad]
    if not checked:
        raise ValueError("gradcheck: no input requires a gradient")
    for i, x in checked:
        if x.dtype != np.float64:
            raise TypeError(f"gradcheck: input {i} is {x.dtype}, too few digits for a difference; use .double()")

    weights = [placed_like(y.data, projection(y.shape)) for y in as_sequence(func(*inputs))]

    def total() -> Tensor:
        """Σ w · y: one number in which every output counts with a weight of its own."""
        parts = [(y * w).sum() for y, w in zip(as_sequence(func(*inputs)), weights, strict=True)]
        return sum(parts[1:], parts[0])

    result = total()
    slopes = grad(result, [x for _, x in checked], allow_unused=True) if result.requires_grad else [None] * len(checked)
    for (i, x), slope in zip(checked, slopes, strict=True):
        engine = np.zeros(x.shape) if slope is None else on_host(slope.data)
        with debugging.writable([x]):
            measured = central_difference(lambda: total().item(), x.data, eps)
        compare(i, engine, measured, atol, rtol, weighted=any(w.size > 1 for w in weights))
    return True


def gradgradcheck(func: Callable, inputs: Tensor | Sequence[Any], *, eps: float = 1e-6, atol: float = 1e-5,
                  rtol: float = 1e-3) -> bool:
    """Compare second derivatives with central differences of first ones; arguments and errors as `gradcheck`.

    What is differentiated a second time is ∂(Σ v · y)/∂x, in x and in the arriving gradient v.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> x = tn.tensor([0.5, 2.0], dtype=tn.float64, requires_grad=True)
    >>> tn.gradgradcheck(lambda x: x ** 3, x)
    True
    """
    inputs = as_sequence(inputs)
    active = [x for x in inputs if isinstance(x, Tensor) and x.requires_grad]
    arriving = [Tensor(placed_like(y.data, projection(y.shape)), requires_grad=True)
                for y in as_sequence(func(*inputs))]

    def first_derivatives(*arguments: Any) -> list[Tensor]:
        outputs = as_sequence(func(*arguments[:len(inputs)]))
        found = grad(outputs, active, arriving, create_graph=True, allow_unused=True)
        return [g for g in found if g is not None]

    return gradcheck(first_derivatives, [*inputs, *arriving], eps=eps, atol=atol, rtol=rtol)


def projection(shape: tuple[int, ...]) -> np.ndarray:
    """Weights of both signs, all different, so that errors of two elements cannot cancel; 1 for a single number."""
    if not shape:
        return np.ones(())
    return np.random.default_rng(1).uniform(0.5, 1.5, shape) * np.resize([1.0, -1.0], shape)


def central_difference(f: Callable[[], float], x: Any, eps: float) -> np.ndarray:
    """(f(x + h) − f(x − h)) / 2h for each element of `x`, which is changed and restored."""
    slope = np.zeros(x.shape, x.dtype)
    for index in np.ndindex(x.shape):
        value = float(on_host(x[index]))
        h = eps * max(1.0, abs(value))
        try:
            x[index] = value + h
            above = f()
            x[index] = value - h
            below = f()
        finally:
            x[index] = value
        slope[index] = (above - below) / (2 * h)
    return slope


def compare(i: int, engine: np.ndarray, measured: np.ndarray, atol: float, rtol: float, weighted: bool) -> None:
    """Raise with both numbers where they differ most beyond what is allowed."""
    excess = np.abs(engine - measured) - (atol + rtol * np.abs(measured))
    bad = ~(excess <= 0)                                # NaN is bad too
    if bad.any():
        worst = np.unravel_index(np.argmax(np.where(np.isnan(excess), np.inf, excess)), excess.shape)
        element = f", element [{', '.join(map(str, worst))}]" if worst else ""
        raise GradcheckError(f"input {i}{element}: the engine says {engine[worst]:.8g}, the difference "
                             f"{measured[worst]:.8g} ({bad.sum()} of {bad.size} elements disagree)"
                             + ("; both are slopes of one number, the outputs added up with weights of the check's own"
                                if weighted else ""))
