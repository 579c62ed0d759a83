"""Optimizers on a small problem, L = Σ (tanh(A Wᵀ + b) − T)²: W and b after each of 14 updates, and what is remembered."""

import numpy as np

A = np.array([[1.0, 2.0], [-0.5, 0.3], [0.7, -1.2]])
TARGET = np.array([[1.0, 0.0], [-1.0, 2.0], [0.5, 0.5]])
UPDATES = 14

SETTINGS = {
    "SGD": [{"lr": 0.1}, {}, {"lr": 0.05, "momentum": 0.9}, {"lr": 0.05, "momentum": 0.9, "dampening": 0.3},
            {"lr": 0.1, "weight_decay": 0.2}, {"lr": 0.05, "momentum": 0.9, "nesterov": True},
            {"lr": 0.05, "momentum": 0.8, "dampening": 0.1, "weight_decay": 0.2},
            {"lr": 0.05, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1},
            {"lr": 0.01, "momentum": 0.5, "weight_decay": 0.1, "maximize": True}],
    "Adam": [{}, {"lr": 0.1}, {"lr": 0.1, "betas": (0.5, 0.8)}, {"lr": 0.1, "eps": 0.1}, {"lr": 0.1, "weight_decay": 0.3},
             {"lr": 0.1, "betas": (0.5, 0.6), "amsgrad": True}, {"lr": 0.1, "weight_decay": 0.3, "maximize": True}],
    "AdamW": [{}, {"lr": 0.1, "weight_decay": 0.3}, {"lr": 0.1, "betas": (0.5, 0.6), "weight_decay": 0.3, "amsgrad": True},
              {"lr": 0.1, "weight_decay": 0.3, "maximize": True}],
    "Adagrad": [{}, {"lr": 0.3}, {"lr": 0.3, "lr_decay": 0.2}, {"lr": 0.3, "initial_accumulator_value": 0.5},
                {"lr": 0.3, "eps": 0.1, "weight_decay": 0.2}, {"lr": 0.1, "weight_decay": 0.2, "maximize": True}],
    "RMSprop": [{}, {"lr": 0.1}, {"lr": 0.1, "alpha": 0.6}, {"lr": 0.1, "eps": 0.1, "weight_decay": 0.2},
                {"lr": 0.05, "momentum": 0.8}, {"lr": 0.05, "centered": True},
                {"lr": 0.02, "momentum": 0.8, "centered": True, "weight_decay": 0.1, "maximize": True}],
}
# All that there is to be remembered, for each class.
FULL = {"SGD": {"lr": 0.05, "momentum": 0.9}, "Adam": {"lr": 0.1, "amsgrad": True}, "AdamW": {"lr": 0.1},
        "Adagrad": {"lr": 0.3}, "RMSprop": {"lr": 0.05, "momentum": 0.8, "centered": True}}


def _start(lib):
    return (lib.tensor([[0.5, -1.0], [2.0, 0.25]]).requires_grad_(), lib.tensor([0.1, -0.3]).requires_grad_())


def _loss(lib, w, b):
    error = (lib.tensor(A) @ w.T + b).tanh() - lib.tensor(TARGET)
    return (error * error).sum()


def _train(lib, w, b, optimizer, updates=range(UPDATES), without=()):
    """The parameters after each update; in updates `without`, b has no gradient."""
    path = []
    for i in updates:
        optimizer.zero_grad()
        _loss(lib, w, b).backward()
        if i in without:
            b.grad = None
        optimizer.step()
        path.append([*w.detach().numpy().ravel(), *b.detach().numpy()])
    return np.array(path)


def _runs(lib, kind):
    paths = []
    for settings in SETTINGS[kind]:
        w, b = _start(lib)
        paths.append(_train(lib, w, b, getattr(lib.optim, kind)([w, b], **settings)))
    return np.array(paths)


def sgd(lib):
    return _runs(lib, "SGD")


def adam(lib):
    return _runs(lib, "Adam")


def adamw(lib):
    return _runs(lib, "AdamW")


def adagrad(lib):
    return _runs(lib, "Adagrad")


def rmsprop(lib):
    return _runs(lib, "RMSprop")


def remembered(lib):
    """State dicts after update 7, in which b had no gradient, and how training goes on from there."""
    answers = {}
    for kind, settings in FULL.items():
        w, b = _start(lib)
        optimizer = getattr(lib.optim, kind)([w, b], **settings)
        before = _train(lib, w, b, optimizer, range(7), without=[6])[-1]
        state = {i: {name: x if np.ndim(x) else float(x) for name, x in entry.items()}
                 for i, entry in optimizer.state_dict()["state"].items()}
        state = _copied(state)
        answers[kind] = {"before": before, "state": state,
                         "after": _train(lib, w, b, optimizer, range(7, UPDATES))}
    return answers


def _copied(state):
    return {i: {name: x.clone() if hasattr(x, "clone") else x for name, x in entry.items()} for i, entry in state.items()}


def missing_gradients(lib):
    """A parameter without a gradient waits, with all that is remembered of it, its step count too."""
    paths = []
    for kind, settings in FULL.items():
        w, b = _start(lib)
        paths.append(_train(lib, w, b, getattr(lib.optim, kind)([w, b], **settings), without=[0, 1, 4, 5, 9]))
    return np.array(paths)


def groups(lib):
    """Settings of one's own for each group, and a group that comes later."""
    w, b = _start(lib)
    optimizer = lib.optim.SGD([{"params": [w]}, {"params": b, "lr": 0.01, "momentum": 0.5}], lr=0.1, momentum=0.9)
    first = _train(lib, w, b, optimizer)
    w, b = _start(lib)
    optimizer = lib.optim.Adam([w], lr=0.1)
    early = _train(lib, w, b, optimizer, range(5))
    optimizer.add_param_group({"params": [b], "lr": 0.3, "betas": (0.5, 0.9)})
    return [first, early, _train(lib, w, b, optimizer), optimizer.state_dict()["param_groups"][1]["params"]]


def numbers_and_transposes(lib):
    """A parameter of no dimensions, one whose array is not contiguous, and a learning rate that changes."""
    paths = []
    for kind, settings in FULL.items():
        scale, w = lib.tensor(3.0).requires_grad_(), lib.tensor([[0.5, -1.0, 0.2], [2.0, 0.25, 1.0]]).requires_grad_()
        w.data = w.data.T
        optimizer = getattr(lib.optim, kind)([scale, w], **settings)
        for i in range(UPDATES):
            optimizer.param_groups[0]["lr"] = 0.1 / (i + 1)
            optimizer.zero_grad()
            ((lib.tensor(A) @ w.T).tanh() * scale).sum().backward()
            optimizer.step()
            paths.append([scale.item(), *w.detach().numpy().ravel()])
    return np.array(paths)


def shown(lib):
    """What print(optimizer) says, but for the settings that only PyTorch has."""
    only_pytorchs = ("foreach", "capturable", "differentiable", "fused", "decoupled_weight_decay")
    texts = []
    for kind, settings in FULL.items():
        w, b = _start(lib)
        optimizer = getattr(lib.optim, kind)([{"params": [w]}, {"params": [b], "lr": 0.5}], **settings)
        texts += [line for line in repr(optimizer).splitlines() if line.strip().split(":")[0] not in only_pytorchs]
    return "\n".join(texts)
