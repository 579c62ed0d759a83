"""JAX: the whole step under jit, old parameters given away; W8 one by one, as jit would unroll it."""

from collections.abc import Callable
from itertools import cycle
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from by_hand.straightforward import BETA1, BETA2, EPSILON, MOMENTUM, numbers_of
from jax import lax
from workloads import Workload

from peers import functional

VERSION = jax.__version__
wait = jax.block_until_ready


class Functions:
    relu, tanh, exp, log1p = (staticmethod(f) for f in (jax.nn.relu, jnp.tanh, jnp.exp, jnp.log1p))
    linear = staticmethod(lambda h, weight, bias: h @ weight + bias)
    flat = staticmethod(lambda h: h.reshape(len(h), -1))
    pool = staticmethod(lambda h: lax.reduce_window(h, -np.inf, lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID"))

    @staticmethod
    def convolution(x: Any, kernel: Any, bias: Any) -> Any:
        layout = ("NCHW", "OIHW", "NCHW")
        return lax.conv_general_dilated(x, kernel, (1, 1), "SAME", dimension_numbers=layout) + bias[:, None, None]


def losses(name: str, z: Any, y: Any) -> Any:
    if name == "mse":
        return jnp.square(jax.nn.sigmoid(z) - y).mean()
    if name == "bce":
        return (jax.nn.softplus(z) - y * z).mean()
    return -jnp.take_along_axis(jax.nn.log_softmax(z), y[:, None], axis=1).mean()


def training(w: Workload) -> Callable[[], Any]:
    parameters = [jnp.array(a) for a in numbers_of(w)]
    batches = cycle([(jnp.array(x), jnp.array(y)) for x, y in w.data()])
    first, second = ([jnp.zeros_like(p) for p in parameters] for _ in range(2))
    state: Any = {"sgd": (), "momentum": (first,), "adam": (first, second, jnp.zeros(()))}[w.optimizer]

    def updated(parameters: list[Any], gradients: list[Any], state: Any) -> tuple[list[Any], Any]:
        if w.optimizer == "sgd":
            return [p - w.lr * g for p, g in zip(parameters, gradients, strict=True)], ()
        if w.optimizer == "momentum":
            velocity = [MOMENTUM * v + g for v, g in zip(state[0], gradients, strict=True)]
            return [p - w.lr * v for p, v in zip(parameters, velocity, strict=True)], (velocity,)
        first, second, t = state
        t = t + 1
        first = [BETA1 * m + (1 - BETA1) * g for m, g in zip(first, gradients, strict=True)]
        second = [BETA2 * v + (1 - BETA2) * g * g for v, g in zip(second, gradients, strict=True)]
        by1, by2 = 1 - BETA1 ** t, 1 - BETA2 ** t
        return [p - w.lr * (m / by1) / (jnp.sqrt(v / by2) + EPSILON)
                for p, m, v in zip(parameters, first, second, strict=True)], (first, second, t)

    def whole_step(parameters: list[Any], state: Any, x: Any, y: Any) -> tuple[list[Any], Any, Any]:
        def loss(parameters: list[Any]) -> Any:
            return losses(w.loss, functional.network(Functions, w, parameters, x), y)
        value, gradients = jax.value_and_grad(loss)(parameters)
        return *updated(parameters, gradients, state), value

    jitted = jax.jit(whole_step, donate_argnums=(0, 1))

    def step() -> Any:
        nonlocal parameters, state
        parameters, state, value = jitted(parameters, state, *next(batches))
        return value

    return step


def elementwise(w: Workload) -> Callable[[], Any]:
    x = jnp.array(w.data()[0][0])
    jitted = jax.jit(jax.value_and_grad(lambda x: functional.chain(Functions, x).sum()))
    return lambda: jitted(x)


def scalars(w: Workload) -> Callable[[], Any]:
    both, x = jax.value_and_grad(lambda x: functional.scalar_chain(w, x)), jnp.float32(1)
    return lambda: both(x)


def hessian_vector(w: Workload) -> Callable[[], Any]:
    parameters, (x, v) = [jnp.array(a) for a in numbers_of(w)], (jnp.array(a) for a in w.data()[0])
    gradient = jax.grad(lambda x: functional.hidden_twice(Functions, parameters, x).sum())
    product = jax.jit(jax.grad(lambda x, v: (gradient(x) * v).sum()))
    return lambda: product(x, v)
