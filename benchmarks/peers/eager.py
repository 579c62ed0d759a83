"""tinygrad_nuc, operation after operation."""

from collections.abc import Callable
from itertools import cycle
from typing import Any

import numpy as np
import ours
from workloads import Workload

import tinygrad_nuc as tn
from peers.functional import hidden_twice, scalar_chain

VERSION = tn.__version__


def as_it_is(step: Callable) -> Callable:
    """compiled.py has tn.compile in its place."""
    return step


def training(w: Workload, prepared: Callable = as_it_is) -> Callable[[], Any]:
    step, data, _ = ours.training(w, "cpu")
    step, batches = prepared(step), cycle(data)
    return lambda: step(*next(batches))


def elementwise(w: Workload, prepared: Callable = as_it_is) -> Callable[[], Any]:
    x = tn.tensor(w.data()[0][0], requires_grad=True)

    def value_and_gradient(x: tn.Tensor) -> tuple[tn.Tensor, tn.Tensor]:
        y = ours.chain(x).sum()
        gradient, = tn.grad(y, [x])
        return y.detach(), gradient

    step = prepared(value_and_gradient)
    return lambda: step(x)


def scalars(w: Workload) -> Callable[[], Any]:
    x = tn.tensor(w.data()[0][0], requires_grad=True)

    def step() -> Any:
        x.grad = None
        y = scalar_chain(w, x)
        y.backward()
        return y, x.grad

    return step


class Functions:
    """What W9's network is made of."""

    linear, tanh = staticmethod(tn.nn.functional.linear), staticmethod(tn.tanh)


def hessian_vector(w: Workload, prepared: Callable = as_it_is) -> Callable[[], Any]:
    parameters = [tn.tensor(a) for a in w.weights()]
    x, v = (tn.tensor(a) for a in w.data()[0])
    x.requires_grad_()

    def product(x: tn.Tensor, v: tn.Tensor) -> tn.Tensor:
        gradient, = tn.grad(hidden_twice(Functions, parameters, x).sum(), [x], create_graph=True)
        result, = tn.grad((gradient * v).sum(), [x])
        return result

    step = prepared(product)
    return lambda: step(x, v)


def to_numpy(value: Any) -> np.ndarray:
    return value.detach().numpy() if isinstance(value, tn.Tensor) else np.asarray(value)
