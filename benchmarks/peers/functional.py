"""What is the same for libraries that are functions on arrays: one network, one chain, one Hessian-vector product.

`library` is any object with the functions used here; weights of linear layers are (inputs, outputs).
"""

from typing import Any

import numpy as np
from workloads import CHAIN, SCALARS, Workload


def network(library: Any, w: Workload, parameters: list[Any], x: Any) -> Any:
    """Scores; `library` has linear and convolution (h, weight, bias), relu(z), tanh(z), pool(h) and flat(h)."""
    activation = library.tanh if w.activation == "tanh" else library.relu
    pairs = list(zip(parameters[::2], parameters[1::2], strict=True))
    for weight, bias in pairs[:-1]:
        if weight.ndim == 4:
            x = library.pool(activation(library.convolution(x, weight, bias)))
        else:
            x = activation(library.linear(x, weight, bias))
    return library.linear(library.flat(x) if w.kind == "cnn" else x, *pairs[-1])


def chain(library: Any, x: Any, number: Any = float) -> Any:
    """W7's operations. `number` makes constants: a library may take Python's numbers for float64, and go on so."""
    h = x
    for name, constant in CHAIN:
        if name in ("mul", "mul_x"):
            h = h * (x if constant is None else number(constant))
        elif name in ("add", "add_x"):
            h = h + (x if constant is None else number(constant))
        elif name == "square":
            h = h * h
        else:
            h = getattr(library, name)(h)
    return h


def scalar_chain(w: Workload, x: Any, number: Any = float) -> Any:
    factor, term = (number(c) for c in SCALARS)
    for _ in range(w.batch // 2):
        x = x * factor
        x = x + term
    return x


def hidden_twice(library: Any, parameters: list[Any], x: Any) -> Any:
    """The network of W9."""
    weight1, bias1, weight2, bias2, weight3, bias3 = parameters
    h = library.tanh(library.linear(x, weight1, bias1))
    return library.linear(library.tanh(library.linear(h, weight2, bias2)), weight3, bias3)


def float32(value: float) -> Any:
    return np.float32(value)
