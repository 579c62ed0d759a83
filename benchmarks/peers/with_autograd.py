"""autograd; it has no optimizer and takes that of NumPy by hand."""

from collections.abc import Callable
from importlib.metadata import version
from itertools import cycle
from typing import Any

import autograd.numpy as anp
import numpy as np
from autograd import grad, value_and_grad
from autograd.scipy.signal import convolve
from autograd.scipy.special import logsumexp
from by_hand.straightforward import numbers_of, optimizer
from workloads import Workload

from peers import functional

VERSION = version("autograd")
ZERO = np.float32(0)


class Functions:
    tanh, exp, log1p = anp.tanh, anp.exp, anp.log1p
    relu = staticmethod(lambda z: anp.maximum(z, ZERO))
    linear = staticmethod(lambda h, weight, bias: anp.dot(h, weight) + bias)
    flat = staticmethod(lambda h: anp.reshape(h, (len(h), -1)))

    @staticmethod
    def convolution(x: Any, kernel: Any, bias: Any) -> Any:
        """A true convolution turns the kernel round."""
        x = anp.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)), "constant")
        z = convolve(x, kernel[:, :, ::-1, ::-1], axes=([2, 3], [2, 3]), dot_axes=([1], [1]), mode="valid")
        return z + anp.reshape(bias, (1, -1, 1, 1))

    @staticmethod
    def pool(h: Any) -> Any:
        n, channels, height, width = h.shape
        blocks = anp.reshape(h, (n, channels, height // 2, 2, width // 2, 2))
        return anp.max(anp.max(blocks, axis=5), axis=3)


LOSSES = {"mse": lambda z, y: anp.mean((0.5 * (1 + anp.tanh(0.5 * z)) - y) ** 2),
          "bce": lambda z, y: anp.mean(anp.logaddexp(ZERO, z) - z * y),
          "cross_entropy": lambda z, y: anp.mean(logsumexp(z, axis=1) - z[np.arange(len(y)), y])}


def training(w: Workload) -> Callable[[], Any]:
    parameters = numbers_of(w)
    batches, update = cycle(w.data()), optimizer(w, parameters)
    both = value_and_grad(lambda parameters, x, y: LOSSES[w.loss](functional.network(Functions, w, parameters, x), y))

    def step() -> Any:
        loss, gradients = both(parameters, *next(batches))
        update(gradients)
        return loss

    return step


def elementwise(w: Workload) -> Callable[[], Any]:
    x, both = w.data()[0][0], value_and_grad(lambda x: anp.sum(functional.chain(Functions, x)))
    return lambda: both(x)


def scalars(w: Workload) -> Callable[[], Any]:
    """On Python's own numbers, which is what autograd is fastest with."""
    both = value_and_grad(lambda x: functional.scalar_chain(w, x))
    return lambda: both(1.0)


def hessian_vector(w: Workload) -> Callable[[], Any]:
    parameters, (x, v) = numbers_of(w), w.data()[0]
    gradient = grad(lambda x: anp.sum(functional.hidden_twice(Functions, parameters, x)))
    product = grad(lambda x: anp.sum(gradient(x) * v))
    return lambda: product(x)
