"""Dropout, embedding, flattening, smooth activations, a small network, and what layers print."""

from . import fill, numbers, values_and_gradients, whole_numbers

IMAGES = numbers(2, 2, 5, 4)


def _gradients(lib, layer, *arrays):
    layer = fill(lib, layer)
    return values_and_gradients(lib, layer, *arrays, weights=list(layer.parameters()))


def dropout_that_is_certain(lib):
    F, x = lib.nn.functional, lib.tensor(IMAGES[0])
    return [F.dropout(x, 1.0), F.dropout(x, 0.0), F.dropout(x, 0.5, training=False), F.dropout2d(lib.tensor(IMAGES), 1.0),
            lib.nn.Dropout(0.5).eval()(x), lib.nn.Dropout2d().eval()(lib.tensor(IMAGES))]


def embedding(lib):
    rows = whole_numbers(3, 4, below=5)
    return {
        "gradient": _gradients(lib, lib.nn.Embedding(5, 3), rows),
        "padding": _gradients(lib, lib.nn.Embedding(5, 3, padding_idx=1), rows),
        "padding from the end": _gradients(lib, lib.nn.Embedding(5, 3, padding_idx=-2), rows[0]),
        "one": _gradients(lib, lib.nn.Embedding(5, 3), rows[0, 0]),
        "as made": lib.nn.Embedding(4, 2, padding_idx=3).state_dict()["weight"][3],
    }


def flatten_and_unflatten(lib):
    x = lib.tensor(numbers(2, 3, 4))
    return [lib.nn.Flatten()(x), lib.nn.Flatten(0, 1)(x), lib.nn.Unflatten(2, (2, 2))(x), lib.nn.Unflatten(-1, [2, -1])(x)]


def activations(lib):
    x = numbers(3, 5, low=-6, high=6)
    return {repr(layer): values_and_gradients(lib, layer, x)
            for layer in (lib.nn.GELU(), lib.nn.GELU("tanh"), lib.nn.SiLU(), lib.nn.LogSigmoid())}


def network(lib):
    """A small network on images: its state after four steps."""
    nn = lib.nn
    model = nn.Sequential(nn.Conv2d(1, 3, 3, padding=1), nn.BatchNorm2d(3), nn.ReLU(), nn.MaxPool2d(2),
                          nn.Conv2d(3, 4, 3), nn.LayerNorm([2, 1]), nn.GELU(), nn.Flatten(), nn.Linear(8, 3))
    fill(lib, model)
    optimizer = lib.optim.SGD(model.parameters(), lr=0.05, momentum=0.5)
    losses = []
    for step in range(4):
        x, y = lib.tensor(numbers(5, 1, 8, 6, seed=step)), lib.tensor(whole_numbers(5, below=3, seed=step))
        loss = nn.functional.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss)
    return {"losses": losses, "state": model.state_dict(), "evaluated": model.eval()(lib.tensor(numbers(2, 1, 8, 6)))}


def reprs(lib):
    nn = lib.nn
    return [repr(layer) for layer in (
        nn.Conv2d(1, 2, 3), nn.Conv2d(2, 4, (3, 5), stride=2, padding=(1, 2), dilation=2, groups=2, bias=False), nn.Conv2d(1, 2, 3, padding="same"),
        nn.Conv2d(1, 2, 3, padding="valid", dilation=(1, 2)), nn.MaxPool2d(2), nn.MaxPool2d((2, 3), 1, 1, 2, ceil_mode=True), nn.AvgPool2d(2),
        nn.AvgPool2d((2, 3), (1, 2), 1, True, False, 3), nn.BatchNorm1d(3), nn.BatchNorm2d(3, 1e-3, None, False, False), nn.BatchNorm1d(3, bias=False),
        nn.LayerNorm(3), nn.LayerNorm((2, 3), 1e-3, False), nn.LayerNorm([2, 3], bias=False), nn.Dropout(), nn.Dropout2d(0.3, True),
        nn.Embedding(3, 2), nn.Embedding(3, 2, padding_idx=-1), nn.Flatten(), nn.Flatten(0, 2), nn.Unflatten(1, (2, 3)), nn.GELU(), nn.GELU("tanh"),
        nn.SiLU(), nn.SiLU(True), nn.LogSigmoid(), nn.ReLU(inplace=True), nn.LeakyReLU(0.2, True), nn.ELU(inplace=True),
        nn.Sequential(nn.Conv2d(1, 4, 5), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(9, 2)))]
