"""tn.compile: gradients in every way that a step may ask for them, and what is done with them."""

import numpy as np
from compile_helpers import agree, assert_same, batches, mlp, run

import tinygrad_nuc as tn
from tinygrad_nuc import nn, optim

F = nn.functional
STEPS = batches((6, 4), (6, 3))
LOOSE = {"float32": 1e-5, "float64": 1e-10}         # where Adam's square roots, or many steps, make rounding larger


def test_parameters_without_a_gradient_and_frozen_ones():
    def make():
        model = mlp()
        unused = tn.ones(3, dtype=tn.float64, requires_grad=True)
        model[3].weight.requires_grad_(False)
        optimizer = optim.Adam([*model.parameters(), unused], lr=0.01)

        def step(x, target):
            optimizer.zero_grad()
            loss = F.mse_loss(model(x), target)
            loss.backward()
            optimizer.step()
            return loss
        return step, model, optimizer, unused

    def calls(model, optimizer, unused):
        for i, inputs in enumerate(batches((6, 4), (6, 3), count=15)(model)):
            if i in (5, 10):
                model[3].weight.requires_grad_(i == 5)
            yield inputs
    agree(make, calls, LOOSE, replays=range(15 - 3 * 3, 15 - 2 * 3 + 1))


def test_several_losses_and_a_tied_weight():
    def make():
        w = tn.randn(4, 4, dtype=tn.float64).requires_grad_()
        optimizer = optim.AdamW([w], lr=0.02)

        def step(x):
            optimizer.zero_grad()
            hidden = (x @ w).tanh()
            first, second = (hidden @ w.T - x).square().mean(), w.square().sum()
            first.backward()
            (0.1 * second).backward()
            optimizer.step()
            return first, second, [hidden]
        return step, w, optimizer
    agree(make, batches((6, 4)))


def test_gradient_descent_by_hand():
    def make():
        model = mlp()

        def step(x, target):
            for p in model.parameters():
                p.grad = None
            loss = F.mse_loss(model(x), target)
            loss.backward()
            with tn.no_grad():
                for p in model.parameters():
                    p -= 0.1 * p.grad
            return loss
        return step, model
    agree(make, STEPS)


def test_gradients_from_tn_grad_and_a_penalty_on_them():
    def make():
        model = nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 1)).double()
        optimizer = optim.SGD(model.parameters(), lr=0.1)

        def step(x):
            x.requires_grad_()
            slope, = tn.grad(model(x).sum(), x, create_graph=True)
            loss = (slope.norm(dim=1) - 1).square().mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            return loss, slope
        return step, model, optimizer
    agree(make, batches((6, 4)))


def test_gradients_add_up_over_calls():
    def make():
        model = nn.Linear(4, 3).double()

        def step(x):
            loss = model(x).square().mean()
            loss.backward()
            return loss
        return step, model
    agree(make, batches((6, 4), count=9))


def test_gradients_that_add_up_are_forgotten_now_and_then():
    def make():
        model = nn.Linear(4, 3).double()
        optimizer = optim.SGD(model.parameters(), lr=0.1)

        def step(x):
            loss = model(x).square().mean()
            loss.backward()
            return loss
        return step, model, optimizer

    def calls(model, optimizer):
        for i, inputs in enumerate(batches((6, 4), count=20)(model)):
            yield inputs
            if i % 4 == 3:
                optimizer.step()
                optimizer.zero_grad(set_to_none=False)
    agree(make, calls, replays=range(13, 18))


def test_zero_grad_that_keeps_zeros():
    def make():
        model = mlp()
        optimizer = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)

        def step(x, target):
            optimizer.zero_grad(set_to_none=False)
            loss = F.mse_loss(model(x), target)
            loss.backward()
            optimizer.step()
            return loss
        return step, model, optimizer
    agree(make, STEPS)


def test_gradients_of_inputs_that_require_one():
    def make():
        w = tn.randn(3, dtype=tn.float64).requires_grad_()

        def step(x, y):
            w.grad = None
            loss = (w * x.sin() * y).sum()
            loss.backward()
            return loss
        return step, w

    def calls(w):
        for x, y in batches((2, 3), (3,))(w):
            yield x.requires_grad_(), y
    agree(make, calls)


def test_hooks_on_leaves_values_and_layers():
    def make():
        model, w = mlp(), tn.ones(3, dtype=tn.float64).requires_grad_()
        w.register_hook(lambda g: 2 * g)
        optimizer = optim.SGD([*model.parameters(), w], lr=0.05)

        def step(x, target):
            optimizer.zero_grad()
            y = model(x)
            y.register_hook(lambda g: g.clamp(-0.1, 0.1))
            loss = F.mse_loss(y * w, target)
            loss.backward()
            optimizer.step()
            return loss
        return step, model, w, optimizer
    agree(make, STEPS)


def test_an_input_that_is_changed_in_place():
    def make():
        w = tn.randn(4, dtype=tn.float64).requires_grad_()

        def step(x, state):
            with tn.no_grad():
                x *= 2
                state += x.mean()
            w.grad = None
            (w * x + state).square().sum().backward()
        return step, w
    agree(make, batches((6, 4), (4,)))


class Several:
    """Several compiled steps on the same network: the first input says which."""

    def __init__(self, how, *steps):
        self.steps = [how(step) for step in steps]

    def __call__(self, which, *inputs):
        return self.steps[which](*inputs)

    replays = property(lambda self: sum(step.replays for step in self.steps))


def several_agree(make, calls, least):
    """The steps that `make` returns in a list, all as they stand, and all compiled."""
    seen = []
    for how in (lambda step: step, tn.compile):
        together, found, _ = run(make, calls, lambda steps, how=how: Several(how, *steps))
        seen.append(found)
    for a, b in zip(*seen, strict=True):
        assert_same(b, a, LOOSE)
    assert together.replays >= least


def test_two_steps_and_an_evaluation_on_one_network_by_turns():
    def make():
        model = mlp()
        first, second = optim.Adam(model.parameters(), lr=0.01), optim.SGD(model.parameters(), lr=0.1, momentum=0.9)

        def training(x, target):
            first.zero_grad()
            loss = F.mse_loss(model.train()(x), target)
            loss.backward()
            first.step()
            return loss

        def pulling(x, target):
            for optimizer in (second, first):
                second.zero_grad()
                loss = F.l1_loss(model(x), target)
                loss.backward()
                optimizer.step()
            return loss

        def looking(x, target):
            with tn.no_grad():
                return F.mse_loss(model(x), target)
        return [training, pulling, looking], model, first, second

    def calls(*things):
        for i, inputs in enumerate(batches((6, 4), (6, 3), count=24)(*things)):
            yield i % 3, *inputs
    several_agree(make, calls, 3 * 4)


def test_adding_up_and_stepping_are_steps_of_their_own():
    def make():
        model = mlp()
        optimizer = optim.AdamW(model.parameters(), lr=0.01)

        def add(x, target):
            loss = F.mse_loss(model(x), target) / 3
            loss.backward()
            return loss

        def update(x, target):
            norm = nn.utils.clip_grad_norm_(model.parameters(), 0.5)
            optimizer.step()
            optimizer.zero_grad(set_to_none=False)
            return norm
        return [add, update], model, optimizer

    def calls(*things):
        for i, inputs in enumerate(batches((6, 4), (6, 3), count=32)(*things)):
            yield int(i % 4 == 3), *inputs
    several_agree(make, calls, 26)


def test_equal_gradients_have_memory_of_their_own_and_may_be_changed():
    ps = [tn.ones(4, requires_grad=True) for _ in range(4)]
    qs = [tn.ones(3, requires_grad=True) for _ in range(3)]         # whose gradients are the same in every step
    optimizer = optim.SGD([*ps, *qs], lr=0.0)

    @tn.compile
    def step(x):
        optimizer.zero_grad()
        loss = (sum(ps[1:], ps[0]) * x).sum() + sum(q.sum() for q in qs)
        loss.backward()
        return loss
    for i in range(1, 8):
        step(tn.tensor([1.0, 2.0, 3.0, 4.0]) * i)
        assert [p.grad.tolist() for p in ps] == [[i, 2 * i, 3 * i, 4 * i]] * 4
        assert [q.grad.tolist() for q in qs] == [[1, 1, 1]] * 3
        leaves = [*ps, *qs]
        assert not any(np.shares_memory(a.grad.data, b.grad.data) for a in leaves for b in leaves if a is not b)
        ps[0].grad.mul_(0.5)
        qs[0].grad.mul_(0.5)
    assert step.replays == 4
