"""Gradients kept from exploding, and all parameters as one vector."""

import math
import warnings
from collections.abc import Iterable
from types import GeneratorType
from typing import Any

import numpy as np

from ..engine.arrays import as_array, on_host
from ..engine.grad_mode import no_grad
from ..engine.tensor import Tensor, value
from ..operations.joining import cat


@no_grad()
def clip_grad_norm_(parameters: Tensor | Iterable[Tensor], max_norm: float, norm_type: float = 2.0,
                    error_if_nonfinite: bool = False) -> Tensor:
    """Shorten the gradient, all parameters' together as one vector, to the length `max_norm` if it is longer.

    Every ``grad`` is multiplied in place by the same factor, max_norm / (norm + 1e-6) or 1, so the direction stays.
    Call it between ``backward`` and the optimizer's step.

    Parameters
    ----------
    parameters : Tensor or iterable of Tensor
        Those without a gradient are passed over.
    max_norm : float
        Infinity measures the norm and changes nothing.
    norm_type : float
        p > 0 of the norm (Σ |g|ᵖ)^(1/p); infinity for the largest |g|.
    error_if_nonfinite : bool
        Raise, before anything is changed, if the norm is not finite. Otherwise, as in PyTorch, a NaN in a gradient
        spreads to all gradients, and an infinity makes the finite ones 0 and itself NaN.

    Returns
    -------
    Tensor
        The norm before: worth a plot beside the loss. It is summed up in float64 and returned in the gradients' dtype,
        as infinity where it is too large for that. Finite gradients are clipped rightly also then, except in float64.

    Raises
    ------
    RuntimeError
        With `error_if_nonfinite`, if a gradient holds a NaN or an infinity, or the norm is too large for its dtype.

    Source: R. Pascanu, T. Mikolov and Y. Bengio, "On the difficulty of training recurrent neural networks", ICML 2013.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> w = tn.tensor([0.0, 0.0], requires_grad=True)
    >>> (w * tn.tensor([30.0, 40.0])).sum().backward()
    >>> tn.nn.utils.clip_grad_norm_(w, max_norm=1.0)
    tensor(50.)
    >>> w.grad
    tensor([0.6000, 0.8000])
    """
    if not max_norm >= 0:
        raise ValueError(f"clip_grad_norm_: max_norm must be at least 0, not {max_norm}")
    if not norm_type > 0:
        raise ValueError(f"clip_grad_norm_: norm_type must be above 0, not {norm_type}")
    gradients = gradients_of("clip_grad_norm_", parameters)
    if not gradients:
        return Tensor(0.0)
    norm = norm_of_all([g.data for g in gradients], norm_type)
    with np.errstate(over="ignore"):
        returned = norm.astype(np.result_type(*(g.dtype for g in gradients)))
    if error_if_nonfinite and not on_host(np.isfinite(returned)):
        for i, g in enumerate(gradients):
            if not on_host(np.isfinite(g.data).all()):
                raise RuntimeError(f"clip_grad_norm_: gradient {i}, of shape {g.shape}, holds a NaN or an infinity; "
                                   "inside `with tn.debug():` backward says where the first one arose")
        raise RuntimeError(f"clip_grad_norm_: the gradients are finite, but their norm is too large for "
                           f"{returned.dtype}")
    if max_norm < math.inf:
        with np.errstate(invalid="ignore"):             # 0 · ∞, as said above
            factor = np.minimum(float(max_norm) / (norm + 1e-6), 1)
            for g in gradients:
                g.mul_(Tensor(factor.astype(np.result_type(np.float32, g.dtype))))      # float16 has no 1e-8
    return Tensor(returned)


def norm_of_all(arrays: list[Any], p: float) -> Any:
    """(Σ |a|ᵖ)^(1/p) over the elements of all arrays, in float64.

    Only the powers have the arrays' dtype, or float32 where that is float16. They are those of a/largest, so that none
    of them over- or underflows.
    """
    largest = np.max(in_a_row([np.max(np.absolute(a)) if a.size else np.zeros_like(a, shape=()) for a in arrays]))
    if math.isinf(p):
        return largest.astype(np.float64)
    at_least_float32 = np.result_type(np.float32, *(a.dtype for a in arrays))
    unit = np.where((largest > 0) & (largest < np.inf), largest, 1).astype(at_least_float32)
    powers = in_a_row([np.sum(np.absolute(a / unit) ** float(p), dtype=np.float64) for a in arrays])
    with np.errstate(over="ignore"):
        return np.sum(powers) ** (1 / p) * unit


def in_a_row(numbers: list[Any]) -> Any:
    """Numbers as a vector: where they are, since to stack many of them CuPy asks the computer's memory."""
    row = np.empty_like(numbers[0], np.result_type(*(x.dtype for x in numbers)), shape=(len(numbers),))
    for i, x in enumerate(numbers):
        row[i] = x
    return row


@no_grad()
def clip_grad_value_(parameters: Tensor | Iterable[Tensor], clip_value: float) -> None:
    """Bring every element of the gradients, in place, into the range from −clip_value to clip_value.

    Unlike `clip_grad_norm_` this turns the gradient's direction.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> w = tn.tensor([0.0, 0.0], requires_grad=True)
    >>> (w * tn.tensor([30.0, -0.5])).sum().backward()
    >>> tn.nn.utils.clip_grad_value_(w, 1.0)
    >>> w.grad
    tensor([ 1.0000, -0.5000])
    """
    if not clip_value >= 0:
        raise ValueError(f"clip_grad_value_: clip_value must be at least 0, not {clip_value}")
    for g in gradients_of("clip_grad_value_", parameters):
        g.clamp_(-float(clip_value), float(clip_value))


def gradients_of(name: str, parameters: Tensor | Iterable[Tensor]) -> list[Tensor]:
    """The gradients there are. A generator that has been used up is noticed: nothing would be clipped."""
    listed = [parameters] if isinstance(parameters, Tensor) else list(parameters)
    if not listed and isinstance(parameters, GeneratorType):
        warnings.warn(f"{name}: there are no parameters; a generator such as model.parameters() can be used once only, "
                      "so ask for it again", stacklevel=4)
    return [p.grad for p in listed if p.grad is not None]


def parameters_to_vector(parameters: Iterable[Tensor]) -> Tensor:
    """All parameters one after the other, as one vector; it passes its gradient on to them.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> model = tn.nn.Linear(2, 1)
    >>> tn.nn.utils.parameters_to_vector(model.parameters()).shape
    (3,)
    """
    return cat([p.reshape(-1) for p in parameters])


def vector_to_parameters(vec: Any, parameters: Iterable[Tensor]) -> None:
    """Copy a vector into the parameters, piece by piece: the reverse of `parameters_to_vector`.

    The parameters keep their memory and dtype (in PyTorch they become views of the vector).

    Parameters
    ----------
    vec : Tensor or array
        With as many values as the parameters have together.

    Raises
    ------
    ValueError
        If it has more or fewer, or is not a vector; no parameter is changed then.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> model = tn.nn.Linear(2, 1)
    >>> tn.nn.utils.vector_to_parameters(tn.tensor([1.0, 2.0, 3.0]), model.parameters())
    >>> model.weight.tolist(), model.bias.tolist()
    ([[1.0, 2.0]], [3.0])
    """
    listed, array = list(parameters), as_array(value(vec))
    n = sum(p.numel() for p in listed)
    if array.shape != (n,):
        raise ValueError(f"vector_to_parameters: the parameters have {n} values, and need a vector of shape {(n,)}, "
                         f"not {array.shape}")
    with no_grad():
        start = 0
        for p in listed:
            p.copy_(Tensor(array[start:start + p.numel()].reshape(p.shape)))
            start += p.numel()
