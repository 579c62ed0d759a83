"""Batch and layer normalisation, over several batches and in evaluation."""

from . import fill, numbers, values_and_gradients

IMAGES = numbers(2, 2, 5, 4)


def _curvature(lib, function, *arrays, weights=()):
    """y, the gradients of Σ y³, and the gradients of the sum of their squares."""
    inputs = [lib.tensor(a).requires_grad_() for a in arrays]
    sources = [*inputs, *weights]
    y = function(*inputs)
    first = lib.autograd.grad((y * y * y).sum(), sources, create_graph=True)
    second = lib.autograd.grad(sum((g * g).sum() for g in first), sources)
    return [y, *first, *second]


def _gradients(lib, layer, *arrays):
    layer = fill(lib, layer)
    return values_and_gradients(lib, layer, *arrays, weights=list(layer.parameters()))


def batch_norm(lib):
    batch_norm, mean, var = lib.nn.functional.batch_norm, numbers(2), numbers(2, low=0.5)
    running = lib.tensor(mean), lib.tensor(var)
    return {
        "training": values_and_gradients(lib, lambda x, w, b: batch_norm(x, *running, w, b, True, 0.3, 0.01), IMAGES, numbers(2), numbers(2, seed=1)),
        "running": running,
        "evaluation": values_and_gradients(lib, lambda x, w, b: batch_norm(x, *running, w, b), IMAGES, numbers(2), numbers(2, seed=1)),
        "without weights": values_and_gradients(lib, lambda x: batch_norm(x, None, None, training=True), IMAGES[:, :, 0, 0]),
        "second derivatives": _curvature(lib, lambda x, w, b: batch_norm(x, None, None, w, b, True), numbers(3, 2, 2), numbers(2), numbers(2, seed=1)),
    }


def _trained(lib, layer, shape):
    """After three batches: outputs and gradients of the last one, the state, and an output in evaluation."""
    layer = fill(lib, layer)
    for seed in range(3):
        layer.zero_grad()
        last = values_and_gradients(lib, layer, numbers(*shape, seed=seed, high=seed + 1.0), weights=list(layer.parameters()))
    return [*last, layer.state_dict(), layer.eval()(lib.tensor(numbers(*shape)))]


def batch_norm_layers(lib):
    return {
        "of vectors": _trained(lib, lib.nn.BatchNorm1d(3), (5, 3)),
        "of series": _trained(lib, lib.nn.BatchNorm1d(3, eps=0.1, momentum=0.5), (2, 3, 4)),
        "of images": _trained(lib, lib.nn.BatchNorm2d(3), (2, 3, 2, 2)),
        "mean of all batches": _trained(lib, lib.nn.BatchNorm2d(3, momentum=None), (2, 3, 2, 2)),
        "without weights": _trained(lib, lib.nn.BatchNorm1d(3, affine=False), (5, 3)),
        "without bias": _trained(lib, lib.nn.BatchNorm1d(3, bias=False), (5, 3)),
        "without memory": _trained(lib, lib.nn.BatchNorm1d(3, track_running_stats=False), (5, 3)),
        "as made": lib.nn.BatchNorm2d(2).state_dict(),
    }


def layer_norm(lib):
    return {
        "last": _gradients(lib, lib.nn.LayerNorm(4), IMAGES[0]),
        "two": _gradients(lib, lib.nn.LayerNorm((5, 4), eps=0.1), IMAGES),
        "without bias": _gradients(lib, lib.nn.LayerNorm([4], bias=False), IMAGES[0, 0]),
        "without weights": _gradients(lib, lib.nn.LayerNorm(4, elementwise_affine=False), IMAGES[0, 0]),
        "second derivatives": _curvature(lib, lambda x, w, b: lib.nn.functional.layer_norm(x, (3,), w, b), numbers(2, 3), numbers(3), numbers(3, seed=1)),
        "as made": lib.nn.LayerNorm((1, 2)).state_dict(),
    }
