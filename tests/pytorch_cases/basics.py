"""A linear layer and its gradients: the shape of every case here."""

from . import fill, numbers, values_and_gradients


def linear(lib):
    layer = fill(lib, lib.nn.Linear(3, 2))
    return values_and_gradients(lib, layer, numbers(5, 3), weights=layer.parameters())
