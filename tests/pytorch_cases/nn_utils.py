"""Clipped gradients, all parameters as one vector, and a module called with other parameters."""

import numpy as np

from . import fill, numbers


def _gradients(lib, scale=1.0):
    """Three parameters with gradients, and one without."""
    parameters = [lib.tensor(numbers(*shape, seed=i), requires_grad=True) for i, shape in enumerate([(3, 2), (4,), ()])]
    for i, p in enumerate(parameters):
        (p * lib.tensor(scale * numbers(*p.shape, seed=10 + i))).sum().backward()
    return [*parameters, lib.tensor(numbers(2), requires_grad=True)]


def clip_grad_norm(lib):
    results = []
    for norm_type in (2.0, 1.0, 3.0, float("inf")):
        for max_norm in (0.0, 0.5, 100.0):
            parameters = _gradients(lib)
            results.append([lib.nn.utils.clip_grad_norm_(parameters, max_norm, norm_type), *(p.grad for p in parameters)])
    one = _gradients(lib)[0]
    return [*results, lib.nn.utils.clip_grad_norm_(one, 1.0), one.grad, lib.nn.utils.clip_grad_norm_([_gradients(lib)[-1]], 1.0)]


def clip_grad_norm_of_what_is_not_finite(lib):
    results = []
    for wrong in (float("nan"), float("inf")):
        parameters = _gradients(lib)
        parameters[1].grad[2] = wrong
        results.append([lib.nn.utils.clip_grad_norm_(parameters, 1.0), *(p.grad for p in parameters)])
    return results


def clip_grad_value(lib):
    parameters = _gradients(lib)
    lib.nn.utils.clip_grad_value_(parameters, 0.5)
    one = _gradients(lib)[0]
    lib.nn.utils.clip_grad_value_(one, 0.1)
    return [*(p.grad for p in parameters), one.grad]


def vectors(lib):
    model = fill(lib, lib.nn.Sequential(lib.nn.Linear(3, 2), lib.nn.Tanh(), lib.nn.Linear(2, 1)))
    vector = lib.nn.utils.parameters_to_vector(model.parameters())
    (vector ** 3).sum().backward()
    gradients = [p.grad for p in model.parameters()]
    lib.nn.utils.vector_to_parameters(lib.tensor(numbers(11, seed=5)), model.parameters())
    return [vector, gradients, model.state_dict(), model(lib.tensor(numbers(4, 3)))]


def functional_call(lib):
    nn, x = lib.nn, lib.tensor(numbers(4, 3))
    model = fill(lib, nn.Sequential(nn.Linear(3, 2), nn.Tanh(), nn.Linear(2, 1)))
    weights = {"0.weight": lib.tensor(numbers(2, 3), requires_grad=True), "2.bias": lib.tensor(numbers(1), requires_grad=True)}
    y = lib.func.functional_call(model, weights, (x,))
    first = lib.autograd.grad((y * y).sum(), list(weights.values()), create_graph=True)
    second = lib.autograd.grad(sum((g * g).sum() for g in first), list(weights.values()))
    parts = lib.func.functional_call(model, ({"0.weight": weights["0.weight"]}, {"2.bias": weights["2.bias"]}), x)
    return [y, first, second, parts, model(x), model.state_dict()]


def functional_call_of_shared_weights(lib):
    nn = lib.nn
    model = fill(lib, nn.Sequential(nn.Linear(2, 2), nn.Tanh(), nn.Linear(2, 2)))
    model[2].weight = model[0].weight
    x = lib.tensor(numbers(3, 2))
    w = lib.tensor(np.array([[0.5, -1.0], [2.0, 0.25]]))
    return [lib.func.functional_call(model, {"0.weight": w}, x), lib.func.functional_call(model, {"2.weight": w}, x), model(x)]
