"""Derivatives worked out on paper and written down in NumPy: nothing clever, a new array for every result.

With z = h W + b the chain rule gives, from dL/dz: dL/dW = hᵀ dL/dz, dL/db = Σ_rows dL/dz, dL/dh = dL/dz Wᵀ. All else
below is the derivative of one function of one variable, or a loss. `dtype` float64 gives the reference for everybody.
"""

from collections.abc import Callable
from itertools import cycle
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray
from workloads import CHAIN, SCALARS, Workload

Arrays = list[NDArray]
BETA1, BETA2, EPSILON, MOMENTUM = 0.9, 0.999, 1e-8, 0.9         # PyTorch's defaults; 0.9 for W5


def numbers_of(w: Workload, dtype: Any = np.float32) -> Arrays:
    """The parameters, copied; weights of linear layers as (inputs, outputs), so that a layer is h @ W + b."""
    return [np.array(a.T if a.ndim == 2 else a, dtype, order="C") for a in w.weights()]


def converted(a: NDArray, dtype: Any) -> NDArray:
    """Data in this precision; class numbers stay whole."""
    return a.astype(dtype) if a.dtype.kind == "f" else a


def training(w: Workload, dtype: Any = np.float32) -> Callable[[], Any]:
    """One training step: loss, derivatives, update."""
    parameters = numbers_of(w, dtype)
    batches = cycle([(converted(x, dtype), converted(y, dtype)) for x, y in w.data()])
    gradients_of = images if w.kind == "cnn" else layers
    update = optimizer(w, parameters)

    def step() -> Any:
        loss, gradients = gradients_of(w, parameters, *next(batches))
        update(gradients)
        return loss

    return step


def layers(w: Workload, parameters: Arrays, x: NDArray, y: NDArray) -> tuple[Any, Arrays]:
    """Loss and gradients of a network of linear layers with an activation in between."""
    weights, biases = parameters[::2], parameters[1::2]
    inputs = [x]                                                # of each layer
    for weight, bias in zip(weights[:-1], biases[:-1], strict=True):
        z = inputs[-1] @ weight + bias
        inputs.append(np.maximum(z, 0) if w.activation == "relu" else np.tanh(z))
    loss, dz = LOSSES[w.loss](inputs[-1] @ weights[-1] + biases[-1], y)

    gradients: Arrays = []
    for i in reversed(range(len(weights))):
        h = inputs[i]
        gradients[:0] = [h.T @ dz, dz.sum(axis=0)]
        if i > 0:                                               # nobody asks for the derivative of the data
            dh = dz @ weights[i].T
            dz = dh * (h > 0) if w.activation == "relu" else dh * (1 - h * h)
    return loss, gradients


def squared_error(z: NDArray, y: NDArray) -> tuple[Any, NDArray]:
    """Of the sigmoid p of z: mean of (p − y)²."""
    p = 1 / (1 + np.exp(-z))
    return np.square(p - y).mean(), 2 / y.size * (p - y) * p * (1 - p)


def binary_cross_entropy(z: NDArray, y: NDArray) -> tuple[Any, NDArray]:
    """Mean of log(1 + eᶻ) − y z, written so that nothing overflows; its derivative is sigmoid(z) − y."""
    loss = np.maximum(z, 0) - y * z + np.log1p(np.exp(-np.abs(z)))
    return loss.mean(), (1 / (1 + np.exp(-z)) - y) / y.size


def cross_entropy(z: NDArray, y: NDArray) -> tuple[Any, NDArray]:
    """Mean of log Σ eᶻ − z_y; its derivative is softmax(z), less one at the true class."""
    rows = np.arange(len(y))
    z = z - z.max(axis=1, keepdims=True)
    exponentials = np.exp(z)
    total = exponentials.sum(axis=1, keepdims=True)
    loss = (np.log(total[:, 0]) - z[rows, y]).mean()
    dz = exponentials / total
    dz[rows, y] -= 1
    return loss, dz / len(y)


LOSSES = {"mse": squared_error, "bce": binary_cross_entropy, "cross_entropy": cross_entropy}


def optimizer(w: Workload, parameters: Arrays) -> Callable[[Arrays], None]:
    """update(gradients) changes the parameters, one array after the other."""
    first, second = ([np.zeros_like(p) for p in parameters] for _ in range(2))
    t = 0

    def sgd(gradients: Arrays) -> None:
        for p, g in zip(parameters, gradients, strict=True):
            p -= w.lr * g

    def momentum(gradients: Arrays) -> None:
        for p, g, velocity in zip(parameters, gradients, first, strict=True):
            velocity *= MOMENTUM
            velocity += g
            p -= w.lr * velocity

    def adam(gradients: Arrays) -> None:
        nonlocal t
        t += 1
        for p, g, m, v in zip(parameters, gradients, first, second, strict=True):
            m *= BETA1
            m += (1 - BETA1) * g
            v *= BETA2
            v += (1 - BETA2) * g * g
            m_hat, v_hat = m / (1 - BETA1 ** t), v / (1 - BETA2 ** t)
            p -= w.lr * m_hat / (np.sqrt(v_hat) + EPSILON)

    return {"sgd": sgd, "momentum": momentum, "adam": adam}[w.optimizer]


def images(w: Workload, parameters: Arrays, x: NDArray, y: NDArray) -> tuple[Any, Arrays]:
    """Loss and gradients of conv 3 × 3, ReLU, pool 2 × 2, twice, and a linear layer."""
    kernel1, bias1, kernel2, bias2, weight, bias = parameters
    z1, columns1 = convolved(x, kernel1, bias1)
    h1 = np.maximum(z1, 0)
    p1 = pooled(h1)
    z2, columns2 = convolved(p1, kernel2, bias2)
    h2 = np.maximum(z2, 0)
    p2 = pooled(h2)
    flat = p2.reshape(len(x), -1)
    loss, dz = cross_entropy(flat @ weight + bias, y)

    dp2 = (dz @ weight.T).reshape(p2.shape)
    dz2 = unpooled(dp2, h2, p2) * (h2 > 0)
    dkernel2, dbias2, dcolumns = convolution_gradients(dz2, columns2, kernel2)
    dz1 = unpooled(folded(dcolumns, p1.shape), h1, p1) * (h1 > 0)
    dkernel1, dbias1, _ = convolution_gradients(dz1, columns1, kernel1, of_input=False)
    return loss, [dkernel1, dbias1, dkernel2, dbias2, flat.T @ dz, dz.sum(axis=0)]


def convolved(x: NDArray, kernel: NDArray, bias: NDArray) -> tuple[NDArray, NDArray]:
    """A convolution is a matrix product: a row for each place, a column for each number that its window shows."""
    n, channels, height, width = x.shape
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
    windows = sliding_window_view(padded, (3, 3), axis=(2, 3)).transpose(0, 2, 3, 1, 4, 5)
    columns = windows.reshape(n * height * width, channels * 9)
    z = columns @ kernel.reshape(len(kernel), -1).T + bias
    return z.reshape(n, height, width, -1).transpose(0, 3, 1, 2), columns


def convolution_gradients(dz: NDArray, columns: NDArray, kernel: NDArray,
                          of_input: bool = True) -> tuple[NDArray, NDArray, NDArray | None]:
    """Of a matrix product: dL/d kernel, dL/d bias, and dL/d columns where it is asked for."""
    rows = dz.transpose(0, 2, 3, 1).reshape(-1, len(kernel))
    dcolumns = rows @ kernel.reshape(len(kernel), -1) if of_input else None
    return (rows.T @ columns).reshape(kernel.shape), rows.sum(axis=0), dcolumns


def folded(dcolumns: NDArray, shape: tuple[int, ...]) -> NDArray:
    """The derivative of taking windows: each number gets what all windows that show it have to say."""
    n, channels, height, width = shape
    windows = dcolumns.reshape(n, height, width, channels, 3, 3)
    padded = np.zeros((n, channels, height + 2, width + 2), dcolumns.dtype)
    for i in range(3):
        for j in range(3):
            padded[:, :, i:i + height, j:j + width] += windows[..., i, j].transpose(0, 3, 1, 2)
    return padded[:, :, 1:-1, 1:-1]


def pooled(h: NDArray) -> NDArray:
    n, channels, height, width = h.shape
    return h.reshape(n, channels, height // 2, 2, width // 2, 2).max(axis=(3, 5))


def unpooled(dp: NDArray, h: NDArray, p: NDArray) -> NDArray:
    """The derivative goes where the largest was found."""
    def spread(a: NDArray) -> NDArray:
        return a.repeat(2, axis=2).repeat(2, axis=3)
    return spread(dp) * (h == spread(p))


def elementwise(w: Workload, dtype: Any = np.float32) -> Callable[[], Any]:
    """Twenty operations, their sum, and its gradient; every value is kept for the way back."""
    x = converted(w.data()[0][0], dtype)
    forward = {"mul": lambda h, c: h * c, "add": lambda h, c: h + c, "add_x": lambda h, c: h + x,
               "mul_x": lambda h, c: h * x, "square": lambda h, c: h * h, "tanh": lambda h, c: np.tanh(h),
               "exp": lambda h, c: np.exp(h), "log1p": lambda h, c: np.log1p(h)}

    def step() -> Any:
        values = [x]
        for name, constant in CHAIN:
            values.append(forward[name](values[-1], constant))
        g, dx = np.ones_like(x), np.zeros_like(x)
        for (name, constant), h, result in zip(CHAIN[::-1], values[-2::-1], values[::-1], strict=False):
            if name == "mul":
                g = g * constant
            elif name == "tanh":
                g = g * (1 - result * result)
            elif name == "exp":
                g = g * result
            elif name == "log1p":
                g = g / (1 + h)
            elif name == "square":
                g = g * (2 * h)
            elif name == "add_x":
                dx = dx + g
            elif name == "mul_x":
                dx, g = dx + g * h, g * x
        return values[-1].sum(), dx + g

    return step


def scalars(w: Workload, dtype: Any = np.float32) -> Callable[[], Any]:
    """y = x · a + b · …, with every value kept as an engine would, and dy/dx = a^(n/2) multiplied out."""
    factor, term = SCALARS

    def step() -> Any:
        x = dtype(1)
        values = [x]
        for _ in range(w.batch // 2):
            x = x * factor
            values.append(x)
            x = x + term
            values.append(x)
        g = dtype(1)
        for _ in range(w.batch // 2):
            g = g * factor
        return x, g

    return step


def hessian_vector(w: Workload, dtype: Any = np.float32) -> Callable[[], Any]:
    """H v for the Hessian H of Σ f(x): dots are derivatives along v, of the values and then of the derivatives."""
    weight1, bias1, weight2, bias2, weight3, _ = numbers_of(w, dtype)
    x, v = (converted(a, dtype) for a in w.data()[0])

    def step() -> Any:
        h1 = np.tanh(x @ weight1 + bias1)
        h2 = np.tanh(h1 @ weight2 + bias2)
        slope1, slope2 = 1 - h1 * h1, 1 - h2 * h2
        h1_dot = (v @ weight1) * slope1
        h2_dot = (h1_dot @ weight2) * slope2
        dz2 = weight3.T * slope2                                    # the gradient's way back …
        dh1 = dz2 @ weight2.T
        dz2_dot = weight3.T * (-2 * h2 * h2_dot)                    # … and how it changes along v
        dz1_dot = (dz2_dot @ weight2.T) * slope1 + dh1 * (-2 * h1 * h1_dot)
        return dz1_dot @ weight1.T

    return step
