"""PyTorch, eager, with its default optimizers."""

from collections.abc import Callable
from itertools import cycle
from typing import Any

import numpy as np
import theirs
import torch
from workloads import Workload

from peers.functional import hidden_twice, scalar_chain

VERSION = torch.__version__


def training(w: Workload) -> Callable[[], Any]:
    step, data, _, _ = theirs.training(w, "cpu", capturable=False)
    batches = cycle(data)
    return lambda: step(*next(batches))


def elementwise(w: Workload) -> Callable[[], Any]:
    x = torch.tensor(w.data()[0][0]).requires_grad_()

    def step() -> Any:
        x.grad = None
        y = theirs.chain(x).sum()
        y.backward()
        return y, x.grad

    return step


def scalars(w: Workload) -> Callable[[], Any]:
    x = torch.tensor(w.data()[0][0]).requires_grad_()

    def step() -> Any:
        x.grad = None
        y = scalar_chain(w, x)
        y.backward()
        return y, x.grad

    return step


class Functions:
    """What W9's network is made of."""

    linear, tanh = staticmethod(torch.nn.functional.linear), staticmethod(torch.tanh)


def hessian_vector(w: Workload) -> Callable[[], Any]:
    parameters = [torch.tensor(a) for a in w.weights()]
    x, v = (torch.tensor(a) for a in w.data()[0])
    x.requires_grad_()

    def step() -> Any:
        gradient, = torch.autograd.grad(hidden_twice(Functions, parameters, x).sum(), x, create_graph=True)
        result, = torch.autograd.grad((gradient * v).sum(), x)
        return result

    return step


def to_numpy(value: Any) -> np.ndarray:
    return value.detach().numpy()
