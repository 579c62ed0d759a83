"""The limit for an engine in NumPy: the same steps with nothing allocated, and as few and as cheap calls as we know.

What is done, in the order of what it buys (benchmarks/README.md has the figures):

- Every array is made beforehand, and every call writes into one (`out`): no page of memory is new in a step.
- The parameters are one array, and so the optimizer is a few long passes (flat.py).
- A small batch is kept as (features, samples) with a row of ones below: then a bias is a column of the weight, and
  costs neither an addition nor a sum. For tall batches BLAS is faster with (samples, features), which outweighs that.
- Hidden values are kept negated, a = −h. A linear layer hands the sign through, n = W a = −z. As a whole number n is
  negative where z is positive, so that `n >> 31` is the mask of ReLU, all bits or none, and `&` applies it: several
  times faster than a maximum of floating-point numbers, which has to look for NaN.
- The step is a list of calls that is made once and replayed.
"""

from collections.abc import Callable
from itertools import cycle
from typing import Any

import numpy as np
from numpy.typing import NDArray
from workloads import CHAIN, SCALARS, Workload

from by_hand import convolution
from by_hand.flat import Calls, Flat, constant, replay
from by_hand.loss_calls import LOSSES, Loss
from by_hand.straightforward import numbers_of

TALL = 64                       # more samples than that are faster as rows
SIGN = np.array(31, np.int32)   # place of the bit that is set in negative numbers


def training(w: Workload) -> Callable[[], Any]:
    if w.kind == "cnn":
        flat, programs = convolution.programs(w)
    elif is_tall(w):
        flat, programs = rows_of_samples(w)
    else:
        flat, programs = columns_of_samples(w)
    batches = cycle(programs)

    def step() -> Any:
        calls, loss = next(batches)
        replay(calls)
        flat.update()
        return loss()

    return step


def is_tall(w: Workload) -> bool:
    return w.batch > TALL and w.widths[-1] == 1


def columns_of_samples(w: Workload) -> tuple[Flat, list[tuple[Calls, Loss]]]:
    """Parameters as (outputs, inputs + 1), values as (inputs + 1, samples): the last row holds −1, negated ones."""
    flat = Flat([(o, i + 1) for i, o in zip(w.widths, w.widths[1:], strict=False)], w)
    given = w.weights()
    for p, weight, bias in zip(flat.parameters, given[::2], given[1::2], strict=True):
        p[:, :-1], p[:, -1] = weight, bias
    size, last = w.batch, len(flat.parameters) - 1
    hidden = [np.full((k + 1, size), -1, np.float32) for k in w.widths[1:-1]]
    outputs = [a[:-1] for a in hidden] + [np.empty((w.widths[-1], size), np.float32)]
    errors = [np.empty((k, size), np.float32) for k in w.widths[1:]]
    work = [np.empty((k, size), np.int32) for k in w.widths[1:-1]]

    programs = []
    for x, y in w.data():
        first = np.full((w.widths[0] + 1, size), -1, np.float32)
        np.negative(x.T, first[:-1])
        values, calls = [first, *hidden], []
        for i, p in enumerate(flat.parameters):
            calls.append((p.dot, (values[i], outputs[i])))
            calls += activate(w.activation, outputs[i], work[i]) if i < last else []
        target = y if w.loss == "cross_entropy" else np.ascontiguousarray(y.T)
        loss_calls, loss = LOSSES[w.loss](outputs[-1], target, errors[-1], flat.scale)
        calls += loss_calls
        for i in range(last, -1, -1):
            calls.append((errors[i].dot, (values[i].T, flat.gradients[i])))
            if i > 0:           # dot would copy the weight without its last column; matmul does not
                calls.append((np.matmul, (flat.parameters[i][:, :-1].T, errors[i], errors[i - 1])))
                calls += activate_backward(w.activation, outputs[i - 1], work[i - 1], errors[i - 1])
        programs.append((calls, loss))
    return flat, programs


def rows_of_samples(w: Workload) -> tuple[Flat, list[tuple[Calls, Loss]]]:
    """Parameters as weight (inputs, outputs) and bias, values as (samples, inputs)."""
    given = numbers_of(w)
    flat = Flat([a.shape for a in given], w)
    for p, values in zip(flat.parameters, given, strict=True):
        p[...] = values
    weights, biases, gradients = flat.parameters[::2], flat.parameters[1::2], flat.gradients
    size, last = w.batch, len(weights) - 1
    outputs, errors = ([np.empty((size, k), np.float32) for k in w.widths[1:]] for _ in range(2))
    work = [np.empty((size, k), np.int32) for k in w.widths[1:-1]]
    minus_ones = np.full(size, -1, np.float32)

    programs = []
    for x, y in w.data():
        values, calls = [-x, *outputs[:-1]], []
        for i in range(last + 1):
            calls += [(values[i].dot, (weights[i], outputs[i])), (np.subtract, (outputs[i], biases[i], outputs[i]))]
            calls += activate(w.activation, outputs[i], work[i]) if i < last else []
        loss_calls, loss = LOSSES[w.loss](outputs[-1], y, errors[-1], flat.scale)
        calls += loss_calls
        for i in range(last, -1, -1):
            calls += [(values[i].T.dot, (errors[i], gradients[2 * i])),
                      (minus_ones.dot, (errors[i], gradients[2 * i + 1]))]
            if i > 0:
                calls.append((errors[i].dot, (weights[i].T, errors[i - 1])))
                calls += activate_backward(w.activation, outputs[i - 1], work[i - 1], errors[i - 1])
        programs.append((calls, loss))
    return flat, programs


def activate(name: str, n: NDArray, work: NDArray) -> Calls:
    """In place. For ReLU `work` keeps the mask."""
    if name == "tanh":
        return [(np.tanh, (n, n))]                              # tanh(−z) = −tanh(z): negated, as it should be
    bits = n.view(np.int32)
    return [(np.right_shift, (bits, SIGN, work)), (np.bitwise_and, (bits, work, bits))]


def activate_backward(name: str, a: NDArray, work: NDArray, error: NDArray) -> Calls:
    """From the derivative of an activation's result to that of its argument, in place."""
    if name == "tanh":                                          # error · (1 − a²) = error − a² · error
        square = work.view(np.float32)
        return [(np.multiply, (a, a, square)), (np.multiply, (square, error, square)),
                (np.subtract, (error, square, error))]
    bits = error.view(np.int32)
    return [(np.bitwise_and, (bits, work, bits))]


def elementwise(w: Workload) -> Callable[[], Any]:
    x = w.data()[0][0]
    dx = np.empty_like(x)
    calls, result = chain_calls(x, dx, lambda: np.empty_like(x))

    def step() -> Any:
        replay(calls)
        return result.sum(), dx

    return step


def chain_calls(x: NDArray, dx: NDArray, new: Callable[[], NDArray]) -> tuple[Calls, NDArray]:
    """The twenty operations and their way back, and where the last result will be; `new()` makes an array."""
    by_input, by_result = {"square", "log1p", "mul_x"}, {"tanh", "exp"}     # what a derivative is made from
    calls: Calls = []
    inputs, results, h, may_go = [], [], x, False
    for name, c in CHAIN:
        result = h if may_go and name not in by_input else new()            # in place where nobody needs what was there
        arguments: tuple = {"mul": (h, c), "add": (h, c), "mul_x": (h, x), "add_x": (h, x)}.get(name, (h,))
        arguments = tuple(constant(a) if isinstance(a, float) else a for a in arguments)
        calls.append((getattr(np, {"mul": "multiply", "mul_x": "multiply", "add_x": "add"}.get(name, name)),
                      (*arguments, result)))
        inputs.append(h)
        results.append(result)
        h, may_go = result, name not in by_result
    g, work, one, two = new(), new(), constant(1), constant(2)
    calls += [(np.copyto, (dx, inputs[-1])), (np.copyto, (g, x))]           # the last: h · x, of which the sum is taken
    for (name, c), h, result in reversed(list(zip(CHAIN, inputs, results, strict=True))[:-1]):
        if name == "mul":
            calls.append((np.multiply, (g, constant(c), g)))
        elif name == "tanh":                                                # g · (1 − tanh²)
            calls += [(np.square, (result, work)), (np.subtract, (one, work, work)), (np.multiply, (g, work, g))]
        elif name == "exp":
            calls.append((np.multiply, (g, result, g)))
        elif name == "log1p":                                               # g / (1 + h)
            calls += [(np.add, (h, one, work)), (np.divide, (g, work, g))]
        elif name == "square":                                              # g · 2 h
            calls += [(np.multiply, (g, h, g)), (np.multiply, (g, two, g))]
        elif name == "add_x":
            calls.append((np.add, (dx, g, dx)))
        elif name == "mul_x":
            calls += [(np.multiply, (g, h, work)), (np.add, (dx, work, dx)), (np.multiply, (g, x, g))]
    calls.append((np.add, (dx, g, dx)))
    return calls, results[-1]


def scalars(w: Workload) -> Callable[[], Any]:
    """Python's own numbers: there is no cheaper arithmetic without a compiler. Every value is kept."""
    factor, term = SCALARS

    def step() -> Any:
        x, values = 1.0, []
        for _ in range(w.batch // 2):
            x = x * factor
            values.append(x)
            x = x + term
            values.append(x)
        g = 1.0
        for _ in range(w.batch // 2):
            g = g * factor
        return x, g

    return step


def hessian_vector(w: Workload) -> Callable[[], Any]:
    """As in straightforward.py, with values and their derivatives along v one above the other: one product for both."""
    weight1, bias1, weight2, bias2, weight3, _ = numbers_of(w)
    x, v = w.data()[0]
    n, width = w.batch, w.widths[1]
    both_x = np.zeros((2 * n, x.shape[1] + 1), np.float32)      # a last column of ones above, of zeros below
    both_x[:n, :-1], both_x[:n, -1], both_x[n:, :-1] = x, 1, v
    both_weight1 = np.vstack([weight1, bias1])
    both_h1, both_h2, both_dz2, both_dh1 = (np.empty((2 * n, width), np.float32) for _ in range(4))
    (h1, h1_dot), (h2, h2_dot), (dz2, dz2_dot), (dh1, dh1_dot) = ((a[:n], a[n:]) for a in
                                                                  (both_h1, both_h2, both_dz2, both_dh1))
    slope1, slope2, work, dz1_dot = (np.empty((n, width), np.float32) for _ in range(4))
    result, one, row3 = np.empty_like(x), constant(1), weight3.ravel()
    calls: Calls = [
        (both_x.dot, (both_weight1, both_h1)), (np.tanh, (h1, h1)),
        (np.multiply, (h1, h1, slope1)), (np.subtract, (one, slope1, slope1)), (np.multiply, (h1_dot, slope1, h1_dot)),
        (both_h1.dot, (weight2, both_h2)), (np.add, (h2, bias2, h2)), (np.tanh, (h2, h2)),
        (np.multiply, (h2, h2, slope2)), (np.subtract, (one, slope2, slope2)), (np.multiply, (h2_dot, slope2, h2_dot)),
        (np.multiply, (slope2, row3, dz2)),
        (np.multiply, (h2, h2_dot, work)), (np.multiply, (work, -2 * row3, dz2_dot)),
        (both_dz2.dot, (weight2.T, both_dh1)),
        (np.multiply, (dh1_dot, slope1, dz1_dot)), (np.multiply, (h1, h1_dot, work)),
        (np.multiply, (work, constant(-2), work)), (np.multiply, (work, dh1, work)), (np.add, (dz1_dot, work, dz1_dot)),
        (dz1_dot.dot, (weight1.T, result))]

    def step() -> Any:
        replay(calls)
        return result

    return step
