"""DeZero, which expects a name that NumPy no longer has."""

from collections.abc import Callable
from importlib.metadata import version
from itertools import cycle
from types import SimpleNamespace
from typing import Any

import numpy as np

if not hasattr(np, "int"):
    np.int = int                # type: ignore[attr-defined]     # removed in NumPy 1.24

import dezero.functions as F
from by_hand.straightforward import MOMENTUM, numbers_of
from dezero import Parameter, Variable, optimizers
from workloads import Workload

from peers import functional

VERSION = version("dezero")
ONE = np.float32(1)


class Functions:
    relu, tanh, exp, linear = (staticmethod(f) for f in (F.relu, F.tanh, F.exp, F.linear))
    log1p = staticmethod(lambda h: F.log(h + ONE))
    flat = staticmethod(lambda h: F.reshape(h, (len(h), -1)))
    pool = staticmethod(lambda h: F.pooling(h, 2, 2))
    convolution = staticmethod(lambda x, kernel, bias: F.conv2d(x, kernel, bias, 1, 1))


LOSSES = {"mse": lambda z, y: F.mean_squared_error(F.sigmoid(z), y), "bce": F.sigmoid_cross_entropy,
          "cross_entropy": F.softmax_cross_entropy}


def training(w: Workload) -> Callable[[], Any]:
    parameters = [Parameter(a) for a in numbers_of(w)]
    batches = cycle([(Variable(x), Variable(y)) for x, y in w.data()])
    optimizer = {"adam": lambda: optimizers.Adam(w.lr), "sgd": lambda: optimizers.SGD(w.lr),
                 "momentum": lambda: optimizers.MomentumSGD(w.lr, MOMENTUM)}[w.optimizer]()
    optimizer.setup(SimpleNamespace(params=lambda: parameters))

    def step() -> Any:
        x, y = next(batches)
        loss = LOSSES[w.loss](functional.network(Functions, w, parameters, x), y)
        for p in parameters:
            p.cleargrad()
        loss.backward()
        optimizer.update()
        return loss

    return step


def elementwise(w: Workload) -> Callable[[], Any]:
    x = Variable(w.data()[0][0])

    def step() -> Any:
        x.cleargrad()
        y = F.sum(functional.chain(Functions, x, functional.float32))
        y.backward()
        return y, x.grad

    return step


def scalars(w: Workload) -> Callable[[], Any]:
    x = Variable(w.data()[0][0])

    def step() -> Any:
        x.cleargrad()
        y = functional.scalar_chain(w, x, functional.float32)
        y.backward()
        return y, x.grad

    return step


def hessian_vector(w: Workload) -> Callable[[], Any]:
    parameters, (x, v) = [Variable(a) for a in numbers_of(w)], (Variable(a) for a in w.data()[0])

    def step() -> Any:
        x.cleargrad()
        F.sum(functional.hidden_twice(Functions, parameters, x)).backward(create_graph=True)
        gradient = x.grad
        x.cleargrad()
        F.sum(gradient * v).backward()
        return x.grad

    return step


def to_numpy(value: Any) -> np.ndarray:
    return np.asarray(getattr(value, "data", value))
