"""tn.compile: every demo's network, convolutions and other layers, trained for some steps."""

import ast
import functools
from types import SimpleNamespace

import numpy as np
import pytest
from compile_helpers import agree, run
from demo_helpers import DEMOS

import tinygrad_nuc as tn
from tinygrad_nuc import nn, optim

F = nn.functional


@functools.cache
def parts_of(demo):
    """The demo's top-level functions and assignments, by name."""
    found = {}
    for node in ast.parse((DEMOS / f"{demo}.py").read_text("utf-8")).body:
        names = [node.name] if isinstance(node, ast.FunctionDef) else \
            [t.id for t in node.targets if isinstance(t, ast.Name)] if isinstance(node, ast.Assign) else []
        found.update({name: node for name in names})
    return found


def taken(demo, *names, **given):
    """These of the demo's functions and variables, without running anything else of it."""
    space = {"tn": tn, "nn": nn, "np": np, "optim": optim, **given}
    for name in names:
        exec(compile(ast.Module([parts_of(demo)[name]], []), f"{demo}.py", "exec"), space)
    return space[names[-1]]


def called(demo, name, *args, **given):
    return taken(demo, name, **given)(*args)


LOSSES = {"mse": lambda y: F.mse_loss(y, tn.zeros_like(y)), "classes": lambda y: F.cross_entropy(y, tn.arange(len(y)) % y.shape[1]),
          "yes or no": lambda y: F.binary_cross_entropy_with_logits(y, (tn.arange(len(y)) % 2).to(y.dtype).reshape(-1, 1)),
          "directions": lambda y: nn.VonMisesFisherNLLLoss()(y, tn.tensor([[0.0, 0.6, 0.8]] * len(y)))}
NETWORKS = {        # how it is made, the shape of an input, and a loss
    "approximation": (lambda: called("approximation", "network", np.linspace(0, 1, 8, endpoint=False)), (1,), "mse"),
    "autoencoder, linear": (lambda: taken("autoencoder", "linear", k=2), (64,), "mse"),
    "autoencoder": (lambda: taken("autoencoder", "encoder", "decoder", "deep", k=2), (64,), "mse"),
    "batch_size": (lambda: called("batch_size", "network", args=SimpleNamespace(seed=0)), (3,), "yes or no"),
    "class_codes": (lambda: nn.Sequential(nn.Linear(2, 32), nn.ReLU(), nn.Linear(32, 1)).double(), (2,), "mse"),
    "digits, mlp": (lambda: called("digits", "network", "mlp", 8), (1, 8, 8), "classes"),
    "digits, cnn": (lambda: called("digits", "network", "cnn", 8), (1, 8, 8), "classes"),
    "digits, course": (lambda: called("digits", "network", "course", 8), (1, 8, 8), "classes"),
    "dimuons, ReLUs": (lambda: called("dimuons", "two_layers", 2), (8,), "mse"),
    "dimuons, sigmoids": (lambda: called("dimuons", "sigmoids"), (8,), "mse"),
    "directions": (lambda: taken("directions", "model"), (12,), "directions"),
    "linear_regions": (lambda: called("linear_regions", "network", 2, 10, 10, 1), (2,), "mse"),
    "model_card": (lambda: taken("model_card", "model"), (3,), "yes or no"),
    "neutrino_events": (lambda: nn.Sequential(nn.Conv2d(2, 8, 5, 1, padding=2), nn.ReLU(), nn.MaxPool2d(2),
                                              nn.Conv2d(8, 16, 5, 1, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
                                              nn.Linear(256, 32), nn.ReLU(), nn.Linear(32, 3)), (2, 16, 16), "classes"),
    "ranks": (lambda: called("ranks", "start", args=SimpleNamespace(seed=0))[0], (3,), "yes or no"),
    "wave_equation": (lambda: taken("wave_equation", "model", width=20).double(), (2,), "mse"),
    "xor": (lambda: called("xor", "network"), (2,), "mse")}
WITHIN = {"float32": 1e-4, "float64": 1e-9}


def inputs_of(shape, dtype, count=6, size=9):
    def calls(*things):
        rng = np.random.default_rng(0)
        for _ in range(count):
            yield tn.tensor(rng.normal(size=(size, *shape)), dtype=dtype),
    return calls


def training(make, loss_of, optimizer=lambda p: optim.Adam(p, lr=1e-3)):
    def made():
        model = make()
        updates = optimizer(model.parameters())

        def step(x):
            updates.zero_grad()
            loss = loss_of(model(x))
            loss.backward()
            updates.step()
            return loss
        return step, model, updates
    return made


@pytest.mark.parametrize("name", NETWORKS)
def test_a_demos_network(name):
    make, shape, loss = NETWORKS[name]
    dtype = next(make().parameters()).dtype
    agree(training(lambda: make().double() if loss != "directions" else make(), LOSSES[loss]),
          inputs_of(shape, tn.float64 if loss != "directions" else dtype), {"float32": 1e-3, "float64": 1e-8})


@pytest.mark.parametrize("name", NETWORKS)
def test_a_demos_network_in_its_own_dtype(name):
    """With plain gradient descent, where rounding does not grow."""
    make, shape, loss = NETWORKS[name]
    dtype = next(make().parameters()).dtype
    agree(training(make, LOSSES[loss], lambda p: optim.SGD(p, lr=1e-3, momentum=0.5)), inputs_of(shape, dtype), WITHIN)


def test_every_network_of_the_demos_is_here():
    def makes_one(path):
        nodes = ast.walk(ast.parse(path.read_text("utf-8")))
        return any(isinstance(node, ast.Call) and ast.unparse(node.func) in ("nn.Sequential", "nn.Conv2d") for node in nodes)
    made = {path.stem for path in DEMOS.glob("*.py") if makes_one(path)}
    # those that are put together from layers that are here, in loops or with numbers of their own
    elsewhere = {"initialisation", "particle_identification", "regularisation", "uncertainty", "losses", "pictures", "activations"}
    assert made - elsewhere <= {name.split(",")[0] for name in NETWORKS}
    assert len(made) >= 12


def test_deep_networks_with_leaky_relus_and_with_dropout():
    def deep():
        hidden = [part for _ in range(9) for part in (nn.Linear(8, 8), nn.LeakyReLU(0.01))]
        return nn.Sequential(nn.Linear(2, 8), *hidden, nn.Dropout(0.2), nn.Linear(8, 1)).double()
    agree(training(deep, LOSSES["yes or no"]), inputs_of((2,), tn.float64), {"float64": 1e-8})


@pytest.mark.parametrize("layers, shape", [
    (lambda: [nn.Conv2d(2, 4, 3, stride=2, padding=1, dilation=2, groups=2), nn.BatchNorm2d(4), nn.GELU(), nn.AvgPool2d(2),
              nn.Flatten(), nn.Linear(4, 3)], (2, 8, 8)),
    (lambda: [nn.Conv2d(1, 3, 1, bias=False), nn.ELU(), nn.MaxPool2d(3, stride=1, padding=1), nn.Flatten(),
              nn.Linear(75, 3)], (1, 5, 5)),
    (lambda: [nn.LayerNorm(4), nn.Linear(4, 3), nn.Softplus(), nn.LogSigmoid()], (4,)),
    (lambda: [nn.Unflatten(1, (2, 3)), nn.Linear(3, 3), nn.Softmax(2), nn.Flatten(), nn.LogSoftmax(1)], (6,))])
def test_other_layers(layers, shape):
    make = training(lambda: nn.Sequential(*layers()).double(), LOSSES["mse"], lambda p: optim.SGD(p, lr=0.01))
    agree(make, inputs_of(shape, tn.float64), {"float64": 1e-10})


def test_the_wave_equation_with_its_slopes():
    """Third derivatives: the equation's second ones, and the slope of the loss."""
    def make():
        model = taken("wave_equation", "model", width=8).double()
        optimizer = optim.Adam(model.parameters(), lr=1e-3)

        def u(x, t):
            return model(tn.cat([x, t], dim=1))

        def step(x, t):
            y = u(x, t)
            u_x, u_t = tn.grad(y.sum(), [x, t], create_graph=True)
            u_xx, = tn.grad(u_x.sum(), x, create_graph=True)
            u_tt, = tn.grad(u_t.sum(), t, create_graph=True)
            optimizer.zero_grad()
            loss = (u_tt - u_xx).square().mean() + y.square().mean()
            loss.backward()
            optimizer.step()
            return loss, u_tt
        return step, model, optimizer

    def calls(*things):
        rng = np.random.default_rng(0)
        for _ in range(6):
            yield tuple(tn.tensor(rng.uniform(size=(5, 1)), requires_grad=True) for _ in range(2))
    agree(make, calls, {"float64": 1e-8})


@pytest.mark.parametrize("optimizer, settings", [
    (optim.SGD, {}), (optim.SGD, {"momentum": 0.9, "nesterov": True}), (optim.Adagrad, {}), (optim.RMSprop, {}), (optim.Adam, {})])
def test_two_parameters_of_a_decay(optimizer, settings):
    """The demo of the optimizers."""
    t = tn.linspace(0, 30, 31, dtype=tn.float64)
    measured = tn.exp(-0.1 * t)

    def make():
        theta = tn.tensor([2.0, 1.0], dtype=tn.float64, requires_grad=True)
        updates = optimizer([theta], lr=0.01, **settings)

        def step():
            updates.zero_grad()
            A, rate = theta
            loss = ((A * tn.exp(-rate * t) - measured) ** 2).mean()
            loss.backward()
            updates.step()
            return loss
        return step, theta, updates
    compiled = agree(make, lambda *things: iter([()] * 60), {"float64": 1e-10})
    losses = [dict(x)["result"] for x in run(make, lambda *things: iter([()] * 60), tn.compile)[1]]
    assert losses[-1] < losses[0] and compiled.replays == 57


def test_a_hessian_vector_product_and_a_jacobian():
    model = nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 1)).double()

    def make():
        def step(x, v):
            y = model(x).square().sum()
            g, = tn.grad(y, x, create_graph=True)
            Hv, = tn.grad((g * v).sum(), x)
            return y, g, Hv
        return step,

    def calls():
        rng = np.random.default_rng(0)
        for _ in range(6):
            yield tn.tensor(rng.normal(size=(4, 3)), requires_grad=True), tn.tensor(rng.normal(size=(4, 3)))
    agree(make, calls)
