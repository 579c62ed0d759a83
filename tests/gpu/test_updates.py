"""Optimizers on the GPU: one launch for all parameters, and the same numbers as on the CPU."""

import numpy as np
import pytest

import tinygrad_nuc as tn
from tinygrad_nuc import nn, optim
from tinygrad_nuc.devices.kernels.updates import Formula

EVERY = {
    "SGD": lambda p: optim.SGD(p, lr=0.1),
    "SGD weight decay": lambda p: optim.SGD(p, lr=0.1, weight_decay=0.1),
    "SGD momentum": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, dampening=0.3),
    "SGD Nesterov": lambda p: optim.SGD(p, lr=0.1, momentum=0.9, nesterov=True, maximize=True),
    "Adam": lambda p: optim.Adam(p, lr=0.01),
    "Adam amsgrad": lambda p: optim.Adam(p, lr=0.01, amsgrad=True, weight_decay=0.1),
    "AdamW": lambda p: optim.AdamW(p, lr=0.01, betas=(0.8, 0.9)),
    "RMSprop": lambda p: optim.RMSprop(p, lr=0.01),
    "RMSprop centered": lambda p: optim.RMSprop(p, lr=0.01, momentum=0.9, centered=True),
    "Adagrad": lambda p: optim.Adagrad(p, lr=0.1, lr_decay=0.1, initial_accumulator_value=0.5),
}


def parameters(device, dtype, shapes=((3, 4), (4,), (), (2, 0), (300, 300))):
    """A few of different shapes, one of them large; and what their gradients are in each of five steps."""
    rng = np.random.default_rng(1)
    params = [tn.tensor(rng.standard_normal(shape), dtype).to(device).requires_grad_() for shape in shapes]
    gradients = [[tn.tensor(rng.standard_normal(shape), dtype).to(device) for shape in shapes] for _ in range(5)]
    return params, gradients


def run(make, device, dtype, change_lr=False):
    params, gradients = parameters(device, dtype)
    optimizer = make(params)
    for i, step in enumerate(gradients):
        for p, g in zip(params, step, strict=True):
            p.grad = g
        if change_lr and i == 2:
            optimizer.param_groups[0]["lr"] = 0.5
        optimizer.step()
    return params, optimizer


def remembered(optimizer):
    return [{name: x.numpy() if isinstance(x, tn.Tensor) else x for name, x in entry.items()}
            for entry in optimizer.state_dict()["state"].values()]


@pytest.mark.parametrize("dtype, rtol", [(np.float32, 1e-4), (np.float64, 1e-11)])
@pytest.mark.parametrize("name", EVERY)
def test_every_optimizer_makes_the_steps_of_the_cpu(gpu, name, dtype, rtol):
    (here, on_cpu), (there, on_gpu) = (run(EVERY[name], device, dtype, change_lr=True) for device in ("cpu", "cuda"))
    for a, b in zip(here, there, strict=True):
        np.testing.assert_allclose(b.numpy(), a.numpy(), rtol=rtol, atol=rtol / 10)
        assert b.is_cuda and b.dtype == dtype
    for a, b in zip(remembered(on_cpu), remembered(on_gpu), strict=True):
        assert list(a) == list(b)
        for part in a:
            if isinstance(a[part], int):
                assert a[part] == b[part] == 5
            else:
                np.testing.assert_allclose(b[part], a[part], rtol=rtol, atol=rtol / 10)
                assert on_gpu.state[there[0]][part].is_cuda
    flats = [flat for group in on_gpu.flats.values() for flat in group]
    assert len(flats) == 1 and all(made is not None for made in flats[0].update.made.values())     # by kernels alone


@pytest.mark.parametrize("name", ["Adam", "SGD momentum"])
def test_a_state_moves_between_devices(gpu, name):
    params, optimizer = run(EVERY[name], "cuda", np.float32)
    twin, _ = parameters("cpu", np.float32)
    on_cpu = EVERY[name](twin)
    on_cpu.load_state_dict(optimizer.state_dict())
    with tn.no_grad():
        for p, q in zip(params, twin, strict=True):
            q.copy_(p.cpu())
    for side in (params, twin):
        for p in side:
            p.grad = tn.ones_like(p)
    optimizer.step()
    on_cpu.step()
    for p, q in zip(params, twin, strict=True):
        np.testing.assert_allclose(p.numpy(), q.numpy(), rtol=1e-5, atol=1e-6)
    back, _ = parameters("cuda", np.float32)
    again = EVERY[name](back)
    again.load_state_dict(on_cpu.state_dict())
    for p, q in zip(back, twin, strict=True):
        p.grad = tn.ones_like(p)
        q.grad = tn.ones_like(q)
        with tn.no_grad():
            p.copy_(q)
    again.step()
    on_cpu.step()
    for p, q in zip(back, twin, strict=True):
        np.testing.assert_allclose(p.numpy(), q.numpy(), rtol=1e-5, atol=1e-6)


def test_more_parameters_than_one_launch_takes(gpu):
    found = []
    for device in ("cpu", "cuda"):
        rng = np.random.default_rng(2)
        params = [tn.tensor(rng.standard_normal(3), np.float32).to(device).requires_grad_() for _ in range(150)]
        optimizer = optim.Adam(params, lr=0.1)
        for _ in range(3):
            for p in params:
                p.grad = tn.tensor(rng.standard_normal(3), np.float32).to(device)
            optimizer.step()
        found.append(np.stack([p.numpy() for p in params]))
    np.testing.assert_allclose(found[1], found[0], rtol=1e-5)


def test_an_optimizer_of_ones_own_becomes_a_kernel_too(gpu):
    class Lion(optim.Optimizer):
        elementwise = True
        def __init__(self, params, lr, betas=(0.9, 0.99)):
            super().__init__(params, {"lr": lr, "betas": betas})
        def change(self, p, g, state, *, lr, betas):
            m = state.get("m", 0)
            state["m"] = betas[1] * m + (1 - betas[1]) * g
            return -lr * np.sign(betas[0] * m + (1 - betas[0]) * g)
    (here, _), (there, optimizer) = (run(lambda p: Lion(p, 0.01), device, np.float32) for device in ("cpu", "cuda"))
    for a, b in zip(here, there, strict=True):
        np.testing.assert_allclose(b.numpy(), a.numpy(), rtol=1e-5)
    assert all(made is not None for flats in optimizer.flats.values() for flat in flats for made in flat.update.made.values())


def test_a_formula_that_is_not_elementwise_runs_as_it_stands(gpu):
    class Normalised(optim.Optimizer):
        def __init__(self, params, lr):
            super().__init__(params, {"lr": lr})
        def change(self, p, g, state, *, lr):
            return -lr * g / (np.sqrt(np.sum(g * g)) + 1e-8)
    (here, _), (there, _) = (run(lambda p: Normalised(p, 0.1), device, np.float32) for device in ("cpu", "cuda"))
    for a, b in zip(here, there, strict=True):
        np.testing.assert_allclose(b.numpy(), a.numpy(), rtol=1e-5, atol=1e-6)


def test_what_is_the_same_for_every_number_is_computed_by_python():
    optimizer = optim.Adam([tn.tensor([1.0], requires_grad=True)], lr=0.1, betas=(0.9, 0.999))
    settings = {"lr": 0.1, "betas": (0.9, 0.999), "eps": 1e-8, "weight_decay": 0, "amsgrad": False}
    single = np.zeros(1, np.float32)
    formula = Formula(optimizer.change, settings, {"m": single, "v": single}, {"t": 7}, np.dtype(np.float32), False)
    shared, common = formula.evaluate(settings, {"t": 7})
    assert common == {"t": 8} and sorted(formula.arrays) == ["m", "v"]
    assert {-0.1, 0.9, 1 - 0.9, 0.999, 1 - 0.999, 1 - 0.9 ** 8, 1 - 0.999 ** 8, 1e-8} == set(shared)


def test_a_layer_that_gets_no_gradient_is_left_alone(gpu):
    model = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1)).to("cuda")
    for p in model[0].parameters():
        p.requires_grad_(False)
    before = [p.numpy().copy() for p in model.parameters()]
    optimizer = optim.Adam(model.parameters(), lr=0.1)
    model(tn.ones(4, 2).to("cuda")).sum().backward()
    optimizer.step()
    changed = [not np.array_equal(a, p.numpy()) for a, p in zip(before, model.parameters(), strict=True)]
    assert changed == [False, False, True, True]


class OfOnesOwn(optim.Optimizer):
    elementwise = True

    def __init__(self, params, formula, **settings):
        super().__init__(params, settings)
        self.formula, self.n = formula, 0

    def change(self, p, g, state, **settings):
        return self.formula(self, p, g, state, **settings)


def named_like_a_setting(self, p, g, state, *, lr):
    state["lr"] = state.get("lr", 0) + 1
    state["p"] = 0.5 * state.get("p", 0) + g
    return -lr * state["lr"] * state["p"]


def nested_settings(self, p, g, state, *, rates):
    (a, b), c = rates
    return -a * g - b * p * c


def counting_its_calls(self, p, g, state):
    self.n += 1
    return -0.1 * self.n * g


def looking_at_a_list(self, p, g, state):
    state["seen"] = [*state.get("seen", []), 1]
    return -0.1 * len(state["seen"]) * g


def with_a_function_of_the_count(self, p, g, state):
    state["t"] = state.get("t", 0) + 1
    state["rate"] = np.sqrt(state["t"] + 0.0)
    return -0.1 / np.sqrt(state["t"]) * g


@pytest.mark.parametrize("formula, settings", [
    (named_like_a_setting, {"lr": 0.1}), (nested_settings, {"rates": ((0.1, 0.2), 0.3)}), (looking_at_a_list, {}),
    (with_a_function_of_the_count, {})])
def test_formulas_that_are_easily_taken_for_others(gpu, formula, settings):
    (here, _), (there, optimizer) = (run(lambda p: OfOnesOwn(p, formula, **settings), device, np.float64) for device in ("cpu", "cuda"))
    for a, b in zip(here, there, strict=True):
        np.testing.assert_allclose(b.numpy(), a.numpy(), rtol=1e-12)


def halving(self, p, g, state):
    return -0.5 ** self.n * g


@pytest.mark.parametrize("formula", [halving, counting_its_calls])
def test_a_number_of_the_optimizers_own_that_changes(gpu, formula):
    found = []
    for device in ("cpu", "cuda"):
        params, gradients = parameters(device, np.float64, ((3,),))
        optimizer = OfOnesOwn(params, formula)
        for i in range(20):
            if formula is halving:
                optimizer.n = i
            params[0].grad = gradients[i % 5][0]
            optimizer.step()
        found.append(params[0].numpy())
    np.testing.assert_allclose(found[1], found[0], rtol=1e-12)
