"""A network of straight pieces, taken apart: which matrices it multiplies by, and where its slopes change."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..nn.activations import Identity, LeakyReLU, ReLU
from ..nn.containers import Sequential
from ..nn.flatten import Flatten
from ..nn.layers import Linear
from ..nn.module import Module
from ..nn.regularisation import Dropout

KNOWN = "Sequential, Linear, ReLU, LeakyReLU, Identity, Flatten() and Dropout"


@dataclass(frozen=True)
class Affine:
    """z = v Wᵀ + b, in float64.

    Attributes
    ----------
    weight : ndarray, shape (out_features, in_features)
    bias : ndarray, shape (out_features,)
    """

    weight: NDArray
    bias: NDArray

    def __call__(self, v: NDArray) -> NDArray:
        return v @ self.weight.T + self.bias


@dataclass(frozen=True)
class Bend:
    """y = z above 0, otherwise `slope` · z: a ReLU where the slope is 0, a leaky one elsewhere."""

    slope: float

    def __call__(self, z: NDArray) -> NDArray:
        return np.where(z > 0, z, self.slope * z)


def taken_apart(who: str, model: Any, inputs: int) -> list[Affine | Bend]:
    """What a network does to its input in evaluation mode, as a list of `Affine` and `Bend`.

    Parameters
    ----------
    who : str
        The function that asks, for the messages.
    inputs : int
        How many inputs that function needs.

    Raises
    ------
    TypeError
        If the model has a layer of another kind.
    ValueError
        If it has another number of inputs, its layers do not fit one another, or a weight is infinite or NaN.

    Examples
    --------
    >>> from tinygrad_nuc import nn
    >>> model = nn.Sequential(nn.Linear(1, 3), nn.ReLU(), nn.Dropout(0.1), nn.Linear(3, 1))
    >>> [type(step).__name__ for step in taken_apart("example", model, inputs=1)]
    ['Affine', 'Bend', 'Affine']
    """
    steps: list[Affine | Bend] = []
    width = inputs
    for name, layer in parts(who, "", model):
        if isinstance(layer, Linear):
            weight, bias = numbers(who, f"{name}weight", layer.weight), np.zeros(len(layer.weight))
            if layer.bias is not None:
                bias = numbers(who, f"{name}bias", layer.bias)
            if weight.shape[1] != width:
                plural = "s" * (inputs > 1)
                raise ValueError(f"{who}: needs a network with {inputs} input{plural}, not {weight.shape[1]}"
                                 if not steps else
                                 f"{who}: {name}weight takes {weight.shape[1]} numbers, and is given {width}")
            width = len(weight)
            steps.append(Affine(weight, bias))
        elif isinstance(layer, (ReLU, LeakyReLU)):
            steps.append(Bend(float(getattr(layer, "negative_slope", 0.0))))
    return steps


def parts(who: str, name: str, module: Any) -> list[tuple[str, Module]]:
    """(name with a dot at its end, layer) in the order in which the layers are called."""
    kind = type(module).__name__
    if not isinstance(module, Module):
        raise TypeError(f"{who}: expects a network, not a {kind}")
    forward = type(module).forward
    if forward is Sequential.forward:
        return [part for child, layer in module._modules.items() for part in parts(who, f"{name}{child}.", layer)]
    same_rows = isinstance(module, Flatten) and module.start_dim == 1           # leaves (samples, numbers) as it is
    known = (Linear.forward, ReLU.forward, LeakyReLU.forward, Identity.forward, Dropout.forward)
    if forward not in known and not same_rows:
        inside = f" ({name.removesuffix('.')})" if name else ""
        raise TypeError(f"{who}: follows {KNOWN}, one after another, and knows nothing of {kind}{inside}")
    return [(name, module)]


def numbers(who: str, name: str, tensor: Any) -> NDArray:
    """The values of a parameter in float64 and in the computer's memory, all finite."""
    values = tensor.detach().cpu().numpy().astype(np.float64)
    if not np.isfinite(values).all():
        raise ValueError(f"{who}: {name} holds an infinity or a NaN")
    return values
