"""Convolution and pooling."""

import numpy as np

from . import fill, numbers, values_and_gradients, whole_numbers

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


def conv2d(lib):
    return _gradients(lib, lib.nn.Conv2d(2, 3, 3), IMAGES)


def conv2d_with_everything(lib):
    return _gradients(lib, lib.nn.Conv2d(2, 4, (2, 3), stride=(2, 1), padding=(1, 2), dilation=(1, 2), groups=2), IMAGES)


def conv2d_each_channel_by_itself(lib):
    return _gradients(lib, lib.nn.Conv2d(2, 2, 3, padding=1, groups=2, bias=False), IMAGES)


def conv2d_same(lib):
    return [_gradients(lib, lib.nn.Conv2d(2, 2, (2, 3), padding="same", dilation=2), IMAGES), _gradients(lib, lib.nn.Conv2d(2, 2, 3, padding="valid"), IMAGES)]


def conv2d_of_one_image(lib):
    return _gradients(lib, lib.nn.Conv2d(2, 2, 1, stride=3), IMAGES[0])


def conv2d_of_no_images(lib):
    return _gradients(lib, lib.nn.Conv2d(2, 2, 3), IMAGES[:0])


def conv2d_second_derivatives(lib):
    layer = fill(lib, lib.nn.Conv2d(2, 2, (2, 3), stride=(1, 2), padding=1))
    return _curvature(lib, layer, numbers(1, 2, 3, 4), weights=list(layer.parameters()))


def max_pool2d(lib):
    pool = lib.nn.functional.max_pool2d
    ties = whole_numbers(1, 2, 7, 6, below=3).astype(float)
    broken = np.where(whole_numbers(1, 2, 7, 6, below=4) == 0, np.nan, ties)
    empty = np.full((1, 4, 4), -np.inf)
    return {
        "beside each other": values_and_gradients(lib, lambda x: pool(x, 2), IMAGES),
        "overlapping": values_and_gradients(lib, lambda x: pool(x, 3, stride=1), ties),
        "padded": values_and_gradients(lib, lambda x: pool(x, (2, 3), (2, 1), (1, 1)), ties),
        "dilated": values_and_gradients(lib, lambda x: pool(x, 2, 2, 1, 2), ties),
        "to the end": values_and_gradients(lib, lambda x: pool(x, 3, 2, 1, ceil_mode=True), ties),
        "to the end and beyond": values_and_gradients(lib, lambda x: pool(x, (2, 1), (4, 5), ceil_mode=True), ties[0]),
        "indices": [pool(lib.tensor(a), 3, 2, 1, 1, True, return_indices=True) for a in (ties, broken, ties[0], empty)],
        "second derivatives": _curvature(lib, lambda x: pool(x, 2), IMAGES),
        "layer": lib.nn.MaxPool2d(3, 2, 1, return_indices=True, ceil_mode=True)(lib.tensor(ties)),
    }


def avg_pool2d(lib):
    pool = lib.nn.functional.avg_pool2d
    return {
        "beside each other": values_and_gradients(lib, lambda x: pool(x, 2), IMAGES),
        "padded": values_and_gradients(lib, lambda x: pool(x, (2, 3), (2, 1), (1, 1)), IMAGES),
        "inside": values_and_gradients(lib, lambda x: pool(x, 3, 2, 1, True, False), IMAGES),
        "to the end": values_and_gradients(lib, lambda x: pool(x, 3, 2, 1, True), IMAGES[0]),
        "divided": values_and_gradients(lib, lambda x: pool(x, 3, 2, 1, True, divisor_override=-4), IMAGES),
        "layer": lib.nn.AvgPool2d(3, 2, 1, True, False)(lib.tensor(IMAGES)),
    }


def pooling_of_images_smaller_than_a_window(lib):
    F = lib.nn.functional
    return [values_and_gradients(lib, lambda x, pool=pool, n=n, s=s, p=p: pool(x, n, s, p, ceil_mode=True), IMAGES[:, :, :3, :2])
            for pool in (F.max_pool2d, F.avg_pool2d) for n, s, p in ((3, 2, 0), (4, 3, 1), (4, 5, 0), (5, 4, 2), ((3, 4), (1, 3), 0), (2, 3, 1), (3, 7, 1))]
