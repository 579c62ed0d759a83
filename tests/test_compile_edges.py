"""tn.compile: unusual inputs, large parameters, states of the user's own, several threads."""

import numpy as np
import pytest
from compile_helpers import FIRST, agree, batches
from test_waits import OPTIMIZERS

import tinygrad_nuc as tn
from tinygrad_nuc import nn, optim
from tinygrad_nuc.plan import blocks, order

F = nn.functional


def function(step):
    """A step that keeps nothing."""
    return lambda: (step,)


# ---- inputs


def test_inputs_of_every_kind():
    def step(x, n, mask, none, empty):
        return tn.where(mask, x, n.double()), x[n], x * mask, mask.any(), (~mask).sum(), empty.sum(), tn.cat([empty, empty]), n % 2

    def calls():
        rng = np.random.default_rng(0)
        for _ in range(7):
            yield (tn.tensor(rng.normal(size=(5, 3))), tn.tensor(rng.integers(0, 5, 3)),
                   tn.tensor(rng.integers(0, 2, (5, 3)) == 1), None, tn.zeros(0, 3))
    agree(function(step), calls, {"float64": 1e-14})


def test_inputs_that_lie_otherwise_in_memory():
    def step(x, y):
        return x @ y, (x + y.T).sum(0), x.reshape(-1), y.T.reshape(-1)

    def calls():
        rng = np.random.default_rng(0)
        for i in range(8):
            x, y = (tn.tensor(rng.normal(size=(6, 8))) for _ in range(2))
            x = tn.tensor(rng.normal(size=(4, 3))) if i % 2 else x[:4, ::3]
            yield x, y[1:4, :4] if i % 3 else tn.tensor(rng.normal(size=(4, 3))).T
    agree(function(step), calls)


def test_numbers_without_dimensions():
    def step(x, y):
        return x * y + 1, x.exp() if x.ndim == 0 else x, tn.stack([x, y]).sum(), (x - y).abs().sqrt()
    agree(function(step), batches((), ()))


def test_the_same_tensor_twice_is_refused():
    step = tn.compile(lambda x, y: x * y + x)
    x = tn.ones(3)
    with pytest.raises(ValueError, match="compile: the same tensor is given twice; give it once, or a clone"):
        step(x, x)
    assert [step(x, x.clone()).tolist() for _ in range(5)] == [[2, 2, 2]] * 5 and step.replays == 2


def test_a_parameter_as_an_input():
    def make():
        w = tn.ones(3, dtype=tn.float64, requires_grad=True)
        optimizer = optim.SGD([w], lr=0.1)

        def step(x):
            optimizer.zero_grad()
            loss = (w * x.detach()).square().sum()
            loss.backward()
            optimizer.step()
            return loss
        return step, w, optimizer
    agree(make, lambda w, optimizer: iter([(w,)] * 7), replays=range(8))


def test_complicated_indices_and_assignments():
    rows = tn.tensor([2, 0, 2])

    def step(x, n):
        y = x.clone()
        y[1:] = x[:-1] * 2
        y[:, 0] = 1.0
        y[rows, n] = x[0, n]
        return y, y[rows], y[..., None, -1], y[n, 1:3], y[2][1], y.take_along_dim(n[:, None], 1)

    def calls():
        rng = np.random.default_rng(0)
        for _ in range(7):
            yield tn.tensor(rng.normal(size=(3, 4))), tn.tensor(rng.permutation(3))
    agree(function(step), calls, None)


def test_a_sum_that_is_written_into_a_new_tensor():
    def step(x):
        total, kept = tn.zeros(3, dtype=tn.float64), tn.ones_like(x)
        with tn.no_grad():
            total += x.sum(0)
            kept[1] = x[0]
        return total, kept
    agree(function(step), batches((4, 3)))


# ---- states of the user's own


def test_moving_averages_of_weights_and_inputs():
    def make():
        model = nn.Linear(4, 2).double()
        average = [p.detach().clone() for p in model.parameters()]
        seen = tn.zeros(4, dtype=tn.float64)
        optimizer = optim.Adam(model.parameters(), lr=0.01)

        def step(x):
            optimizer.zero_grad()
            loss = model(x - seen).square().mean()
            loss.backward()
            optimizer.step()
            with tn.no_grad():
                for a, p in zip(average, model.parameters(), strict=True):
                    a.mul_(0.9).add_(0.1 * p)
                seen.copy_(0.5 * seen + 0.5 * x.mean(0))
            return loss
        return step, model, *average, seen, optimizer
    agree(make, batches((6, 4), count=9), {"float64": 1e-10})


class Counting(nn.Module):
    """A layer with buffers of its own that it changes."""

    def __init__(self):
        super().__init__()
        self.register_buffer("total", tn.zeros(4, dtype=tn.float64))
        self.register_buffer("calls", tn.tensor(0))
        self.scale = nn.Parameter(tn.ones(4, dtype=tn.float64))

    def forward(self, x):
        with tn.no_grad():
            self.total += x.sum(0)
            self.calls += 1
        return x * self.scale / (1 + self.total.square())


def test_a_layer_of_the_users_own():
    def make():
        model = Counting()

        def step(x):
            model.scale.grad = None
            loss = model(x).square().sum() + model(2 * x).sum()
            loss.backward()
            return loss
        return step, model
    agree(make, batches((6, 4), count=9))


def test_a_closure_and_a_recorded_backward_pass():
    def make():
        w = tn.randn(4, dtype=tn.float64).requires_grad_()
        optimizer = optim.SGD([w], lr=0.05)

        def step(x):
            def closure():
                optimizer.zero_grad()
                loss = (x @ w).tanh().square().sum()
                loss.backward(retain_graph=True)
                return loss
            loss = optimizer.step(closure)
            w.grad = None
            (x @ w).square().sum().backward(create_graph=True)
            slope = w.grad.square().sum()
            w.grad = None
            slope.backward()
            return loss, slope
        return step, w, optimizer
    agree(make, batches((6, 4)))


def test_gradients_of_values_that_are_kept():
    def step(x, w):
        y = (x * w).tanh()
        y.retain_grad()
        y.square().sum().backward()
        return y.grad, y

    def calls():
        for x, w in batches((3, 2), (2,))():
            yield x, w.requires_grad_()
    agree(function(step), calls)


# ---- large ones


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_large_parameters_with_every_optimizer(name, threads, monkeypatch):
    """Weights that an optimizer goes through in parts (more than 65,536 numbers), beside small ones."""
    monkeypatch.setattr(blocks, "threads", lambda: threads)

    def make():
        model = nn.Sequential(nn.Linear(3, 500), nn.Tanh(), nn.Linear(500, 160), nn.Tanh(), nn.Linear(160, 1)).double()
        optimizer = OPTIMIZERS[name](model.parameters())

        def step(x):
            optimizer.zero_grad()
            loss = (model(x) - 1).square().mean()
            loss.backward()
            optimizer.step()
            return loss
        return step, model, optimizer
    agree(make, batches((40, 3), count=6), {"float64": 1e-8})


@pytest.mark.parametrize("threads, shape", [(1, (1000, 100)), (2, (1000, 100)), (2, (1_000_000,)), (2, (7, 100_003)),
                                            (2, (2, 3, 50_000)), (1, (1, 100_000))])
def test_large_chains(threads, shape, monkeypatch):
    monkeypatch.setattr(blocks, "threads", lambda: threads)
    w = tn.tensor(np.linspace(0.5, 1.5, shape[-1]), requires_grad=True)

    def step(x):
        w.grad = None
        y = x
        for _ in range(3):
            y = (y * w).sin() + 0.1 * tn.where(y > 0, y, 0.5 * y)
        loss = (y * y).sum()
        loss.backward()
        return loss, y, w.grad.clone()
    agree(lambda: (step, w), batches(shape, count=5), {"float64": 1e-10})


def test_blocks_with_everything_in_blocks(monkeypatch):
    """A training step of which even the smallest array is worked through in parts, on two threads."""
    monkeypatch.setattr(order, "LARGE", 1)
    monkeypatch.setattr(blocks, "BLOCK", 2)
    monkeypatch.setattr(blocks, "WORTH_A_THREAD", 1)
    monkeypatch.setattr(blocks, "threads", lambda: 2)
    for optimizer in OPTIMIZERS.values():
        def make(optimizer=optimizer):
            model = nn.Sequential(nn.Linear(4, 5, bias=False), nn.BatchNorm1d(5), nn.Dropout(0.3), nn.ReLU(),
                                  nn.Linear(5, 3)).double()
            updates = optimizer(model.parameters())

            def step(x, target):
                updates.zero_grad()
                loss = F.cross_entropy(model(x), target.softmax(1))
                loss.backward()
                nn.utils.clip_grad_norm_(model.parameters(), 1.0)
                updates.step()
                return loss
            return step, model, updates
        agree(make, batches((6, 4), (6, 3)), {"float64": 1e-9})


def test_two_threads_find_the_same_as_one(monkeypatch):
    def step(x):
        return ((x.sin() * x).exp() - x).abs().sqrt()
    x, found = tn.rand(700, 500), []
    for threads in (1, 2):
        monkeypatch.setattr(blocks, "threads", lambda threads=threads: threads)
        compiled = tn.compile(step)
        found.append([compiled(x * i).numpy() for i in range(6)])
        assert compiled.replays == 6 - FIRST
    np.testing.assert_array_equal(*found)
    for i, y in enumerate(found[0]):
        np.testing.assert_array_equal(y, step(x * i).numpy())


def test_a_warning_on_another_thread(monkeypatch):
    monkeypatch.setattr(blocks, "threads", lambda: 2)
    compiled = tn.compile(lambda x: (x + 1).log() + (x + 2).log())
    for _ in range(5):
        compiled(tn.ones(700, 500))
    x = tn.ones(700, 500)
    x.data[-1, -1] = -1.5
    with pytest.warns(RuntimeWarning, match="invalid value"):
        y = compiled(x)
    assert np.isnan(y.numpy()[-1, -1]) and np.isnan(y.numpy()).sum() == 1
