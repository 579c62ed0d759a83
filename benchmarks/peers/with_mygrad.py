"""MyGrad without its guard of memory, which makes it faster; it has no optimizer and takes that of NumPy by hand."""

from collections.abc import Callable
from importlib.metadata import version
from itertools import cycle
from typing import Any

import mygrad
import numpy as np
from by_hand.straightforward import numbers_of, optimizer
from mygrad.nnet.activations import relu, sigmoid
from mygrad.nnet.layers import conv_nd, max_pool
from mygrad.nnet.losses import softmax_crossentropy
from workloads import Workload

from peers import functional

VERSION = version("mygrad")
mygrad.turn_memory_guarding_off()


class Functions:
    relu, tanh, exp, log1p = (staticmethod(f) for f in (relu, mygrad.tanh, mygrad.exp, mygrad.log1p))
    linear = staticmethod(lambda h, weight, bias: mygrad.matmul(h, weight) + bias)
    flat = staticmethod(lambda h: h.reshape(len(h), -1))
    pool = staticmethod(lambda h: max_pool(h, (2, 2), 2))
    convolution = staticmethod(lambda x, kernel, bias: conv_nd(x, kernel, stride=1, padding=1)
                               + bias.reshape(1, -1, 1, 1))


LOSSES = {"mse": lambda z, y: mygrad.mean((sigmoid(z) - y) ** 2),
          "bce": lambda z, y: mygrad.mean(mygrad.logaddexp(np.float32(0), z) - z * y),
          "cross_entropy": softmax_crossentropy}


def training(w: Workload) -> Callable[[], Any]:
    parameters = [mygrad.tensor(a) for a in numbers_of(w)]
    batches, update = cycle(w.data()), optimizer(w, [p.data for p in parameters])

    def step() -> Any:
        x, y = next(batches)
        loss = LOSSES[w.loss](functional.network(Functions, w, parameters, x), y)
        loss.backward()
        update([p.grad for p in parameters])
        return loss

    return step


def elementwise(w: Workload) -> Callable[[], Any]:
    x = mygrad.tensor(w.data()[0][0])

    def step() -> Any:
        y = functional.chain(Functions, x, functional.float32).sum()
        y.backward()
        return y, x.grad

    return step


def scalars(w: Workload) -> Callable[[], Any]:
    x = mygrad.tensor(w.data()[0][0])

    def step() -> Any:
        y = functional.scalar_chain(w, x, functional.float32)
        y.backward()
        return y, x.grad

    return step


def hessian_vector(w: Workload) -> Callable[[], Any]:
    raise NotImplementedError("it has no second derivatives")


def to_numpy(value: Any) -> np.ndarray:
    return value.data if isinstance(value, mygrad.Tensor) else np.asarray(value)
