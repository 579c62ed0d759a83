"""The programs whose pages are tested in a browser, and the fixtures that give the tests a page of each."""

import pytest
from browser_helpers import chromium

import tinygrad_nuc as tn
from tinygrad_nuc import nn
from tinygrad_nuc.inspect import player, record
from tinygrad_nuc.inspect.stepping.drawn_graph import Graph
from tinygrad_nuc.inspect.stepping.runs import box_runs


def xor():
    """Four training steps of a small network, one point each."""
    tn.manual_seed(3)
    model = nn.Sequential(nn.Linear(2, 2), nn.Tanh(), nn.Linear(2, 1), nn.Sigmoid())
    optimizer = tn.optim.SGD(model.parameters(), lr=0.1)
    X, T = tn.tensor([[0.0, 1.0], [1.0, 0.0], [1.0, 1.0], [0.5, 1.0]]), tn.tensor([[1.0], [1.0], [0.0], [1.0]])
    with record() as recording:
        for i in range(4):
            x, t = X[i:i + 1], T[i:i + 1]
            y = model(x)
            loss = nn.functional.mse_loss(y, t)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return recording


def cnn():
    """Two training steps of a convolutional network."""
    tn.manual_seed(4)
    cnn = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
                        nn.Linear(36, 10))
    optimizer = tn.optim.Adam(cnn.parameters())
    images, labels = tn.randn(8, 1, 8, 8), tn.randint(0, 10, (8,))
    with record() as recording:
        for _ in range(2):
            loss = nn.functional.cross_entropy(cnn(images), labels)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return recording


def flat(repeats):
    """A graph without modules, of 3 · repeats + 2 nodes."""
    with record() as recording:
        a = tn.ones(3, requires_grad=True)
        y = a
        for _ in range(repeats):
            y = tn.sin(y) + a * 0.5
        y.sum().backward()
    return recording


def twice():
    """Two backward passes over one graph, with a hook, and without the program's lines."""
    w = tn.tensor(2.0, requires_grad=True)
    y = w * w
    y.register_hook(lambda g: g * 10)
    with record() as recording:
        loss = y + w
        loss.backward(retain_graph=True)
        loss.backward()
    return recording


PROGRAMS = {"xor": xor, "cnn": cnn, "2000": lambda: flat(666), "3000": lambda: flat(1000), "twice": twice}


@pytest.fixture(scope="module")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """For each program its recording, and the page that was made of it, once."""
    made, folder = {}, tmp_path_factory.mktemp("pages")

    def page(name):
        if name not in made:
            recording = PROGRAMS[name]()
            made[name] = recording, player(recording, folder / f"{name}.html", name.upper())
        return made[name]

    return page


def drawn(trace):
    """The graph that the page draws."""
    behind = set().union(*(y.behind() for y in trace.outputs))
    graph = Graph([node for node in trace.nodes if node in behind])
    box_runs(graph, trace.labels)
    return graph
