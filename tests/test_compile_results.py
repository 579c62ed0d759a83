"""tn.compile: what a replay returns and leaves behind, what it costs in memory, and how a plan is shown."""

import gc
import re
import tracemalloc

import numpy as np
import pytest
from compile_helpers import FIRST, agree, batches, mlp, training

import tinygrad_nuc as tn
from tinygrad_nuc import nn, optim

F = nn.functional


def trained(size=64, batch=256, count=6):
    """A compiled training step of a middle-sized network that has been replayed, with its network and inputs."""
    tn.manual_seed(0)
    model = nn.Sequential(nn.Linear(20, size), nn.ReLU(), nn.Linear(size, size), nn.Tanh(), nn.Linear(size, 1))
    optimizer = optim.Adam(model.parameters(), lr=1e-3)

    @tn.compile
    def step(x, target):
        optimizer.zero_grad()
        loss = F.mse_loss(model(x), target)
        loss.backward()
        optimizer.step()
        return loss
    x, target = tn.randn(batch, 20), tn.randn(batch, 1)
    for _ in range(count):
        step(x, target)
    assert step.replays == count - FIRST
    return step, model, x, target


# ---- what is returned


def test_results_have_memory_of_their_own_and_no_history():
    w = tn.ones(4, requires_grad=True)
    step = tn.compile(lambda x: (x * w, (x * w).sum(), x))
    seen = [step(tn.full(4, float(i))) for i in range(8)]
    for i, (y, total, x) in enumerate(seen):                    # nobody has written over them
        assert y.tolist() == x.tolist() == [i] * 4 and total.item() == 4 * i
        assert not y.requires_grad and not total.requires_grad and y.is_leaf
    for k, (y, *_) in enumerate(seen):
        assert not any(np.shares_memory(y.data, other.data) for other, *_ in seen[:k])
    seen[-1][0].data[:] = 99
    assert step(tn.ones(4))[0].tolist() == [1] * 4


def test_an_input_or_a_parameter_that_is_returned_is_a_copy():
    w = tn.ones(3, requires_grad=True)
    step = tn.compile(lambda x: (x, w, w.reshape(3, 1), x.T))
    for _ in range(6):
        x = tn.arange(3.0)
        found = step(x)
        for y in found:
            assert not np.shares_memory(y.data, x.data) and not np.shares_memory(y.data, w.data) and not y.requires_grad
        assert [y.tolist() for y in found] == [[0, 1, 2], [1, 1, 1], [[1], [1], [1]], [0, 1, 2]]


def test_inputs_stay_as_they_were():
    step, model, x, target = trained()
    before, array = x.numpy().copy(), x.data
    step(x, target)
    assert x.data is array and (x.data == before).all() and x.grad is None and not x.requires_grad


def test_gradients_lie_in_the_plans_memory_and_are_right_after_each_call():
    step, model, x, target = trained()
    kept, arrays = [p.grad.clone() for p in model.parameters()], [p.grad.data for p in model.parameters()]
    before = {name: value.clone() for name, value in model.state_dict().items()}
    step(x[:, [*range(1, 20), 0]], target)
    same = nn.Sequential(*model)
    after = model.state_dict()
    after = {name: value.clone() for name, value in after.items()}
    found = [p.grad.clone().numpy() for p in model.parameters()]
    model.load_state_dict(before)
    model.zero_grad()
    F.mse_loss(same(x[:, [*range(1, 20), 0]]), target).backward()
    for p, g, old, array in zip(model.parameters(), found, kept, arrays, strict=True):
        np.testing.assert_allclose(g, p.grad.numpy(), rtol=1e-4, atol=1e-7)
        assert (old.numpy() != g).any() and (array == g).all()          # the clone stays, the plan's memory does not
    assert any((after[name].numpy() != before[name].numpy()).any() for name in after)


def test_no_two_gradients_share_memory():
    a, b = (tn.ones(3, dtype=tn.float64, requires_grad=True) for _ in range(2))

    def step(x):
        a.grad = b.grad = None
        loss = ((a + b) * x).sum()
        loss.backward()
        return loss
    step = tn.compile(step)
    for _ in range(6):
        step(tn.arange(3, dtype=tn.float64))
        assert a.grad.tolist() == b.grad.tolist() == [0, 1, 2]
        assert not np.shares_memory(a.grad.data, b.grad.data)
        a.grad.data[:] = 7                                      # what a user does to one is not done to the other


def test_clipping_a_gradient_after_the_call_is_not_undone():
    step, model, x, target = trained()
    norm = nn.utils.clip_grad_norm_(model.parameters(), 1e-3)
    assert norm > 1e-3
    assert nn.utils.clip_grad_norm_(model.parameters(), 1.0).item() == pytest.approx(1e-3, rel=1e-4)


def test_a_graph_from_before_a_replay_knows_that_its_values_are_gone():
    step, model, x, target = trained()
    old = (model(x) ** 2).mean()
    step(x, target)
    with pytest.raises(RuntimeError, match="changed"):
        old.backward()
    model.zero_grad()
    (model(x) ** 2).mean().backward()                           # a new one is all right


def test_an_ordinary_step_between_replays():
    """By turns, on the same network and optimizer: as if all had been ordinary."""
    def make():
        step, model, optimizer = training()()
        plain.append(step)
        return step, model, optimizer

    def calls(model, optimizer):
        for i, inputs in enumerate(batches((6, 4), (6, 3), count=16)(model)):
            if i > 5 and i % 3 == 0:
                plain[-1](*inputs)
            yield inputs
    plain = []
    agree(make, calls, {"float64": 1e-10}, replays=range(1, 20))


def test_what_eager_code_does_with_gradients_between_replays():
    def make():
        model = mlp()

        def step(x):
            loss = model(x).square().mean()
            loss.backward()
            return loss
        return step, model

    def calls(model):
        for i, inputs in enumerate(batches((6, 4), count=20)(model)):
            if i % 7 == 6:
                model.zero_grad()
            elif i % 3 == 2:
                model[0].weight.grad *= 0.5
            yield inputs
    agree(make, calls, {"float64": 1e-11}, replays=range(1, 20))


# ---- memory


def test_a_replay_allocates_nothing_but_its_results():
    step, model, x, target = trained(batch=4096)
    step(x, target)
    gc.collect()
    tracemalloc.start()
    try:
        for _ in range(3):
            step(x, target)
        tracemalloc.reset_peak()
        before, _ = tracemalloc.get_traced_memory()
        loss = step(x, target)
        after, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert loss.shape == ()
    assert peak - before < 150_000          # NumPy's own buffers, of 8,192 numbers; a layer's values take 1,048,576 bytes
    assert after - before < 1_500


def test_a_plan_needs_less_memory_than_all_its_arrays():
    step, *_ = trained()
    values = 256 * (64 * 4 + 2)                                 # what each layer makes, forward
    assert step.plan.bytes < 4 * (3 * values + 256 * 21 + 4 * 5_633) * 1.2


def test_large_elementwise_chains_need_a_block_each_and_not_an_array():
    def step(x):
        for _ in range(10):
            x = (x.sin() + 0.1) * x.cos()
        return x.sum()
    compiled = tn.compile(step)
    x = tn.rand(1_000_000)
    for _ in range(5):
        found = compiled(x)
    assert found.item() == pytest.approx(step(x).item(), rel=1e-4)
    assert compiled.plan.bytes < 4e6 * 3                        # the input, the result before its sum, and some blocks


# ---- the plan as text


def test_a_plan_is_shown_with_one_line_for_each_call():
    step, *_ = trained()
    head, *lines = str(step.plan).splitlines()
    assert re.fullmatch(r"Plan of \d+ calls, with [\d.]+ kB of memory of its own; replays: 3", head)
    assert str(len(lines)) in head
    form = r" *(\d+) +(\S+) ← (\w+(?:\.\w+)?)\((.*)\) +(.+ (?:float32|int32|bool), [\d.]+ k?B)"
    numbered = [re.fullmatch(form, line) for line in lines]
    assert all(numbered), [line for line, found in zip(lines, numbered, strict=True) if not found]
    assert [int(found[1]) for found in numbered] == list(range(1, len(lines) + 1))
    assert numbered[0][3] == "matmul" and "input0" in numbered[0][4] and "256 × 64 float32, 65.5 kB" in lines[0]
    assert 6 <= sum(found[3] == "matmul" for found in numbered) <= 8      # 3 forward, 3 for weights, 2 for inputs
    assert {"tanh", "sqrt"} <= {found[3] for found in numbered}


def test_blocks_are_shown():
    step = tn.compile(lambda x: (x.sin() * x).exp())
    for _ in range(5):
        step(tn.zeros(300, 400))
    text = str(step.plan)
    blocks, numbers = re.search(r"(\d+) blocks of ([\d,]+) numbers", text).groups()
    assert int(blocks) > 1 and 120_000 / int(blocks) <= int(numbers.replace(",", "")) < 120_000
    assert "300 × 400 float32, 480 kB" in text
    assert step.plan.replays == 2


def test_debug_mode_makes_ordinary_steps():
    step, model, x, target = trained()
    before = step.replays
    with tn.debug():
        step(x, target)
        assert step.replays == before
        with pytest.raises(FloatingPointError):
            step(x * np.inf, target)
    step(x, target)
    assert step.replays == before + 1


def test_a_plan_for_nothing():
    step = tn.compile(lambda: None)
    assert [step() for _ in range(5)] == [None] * 5 and step.replays == 2 and "Plan of 0 calls" in str(step.plan)
