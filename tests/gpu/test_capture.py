"""A recorded training step: the same numbers as the ordinary one, and a clear reason where it cannot be recorded."""

import numpy as np
import pytest

import tinygrad_nuc as tn
from tinygrad_nuc import nn, optim
from tinygrad_nuc.cuda import capture

F = nn.functional


def mlp(dropout=0.0):
    return nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Dropout(dropout), nn.Linear(8, 4))


def cnn():
    return nn.Sequential(nn.Conv2d(1, 4, 3, padding=1), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(36, 4))


def batches(n, shape=(3,), size=16):
    rng = np.random.default_rng(5)
    return [(tn.tensor(rng.standard_normal((size, *shape)), tn.float32), tn.tensor(rng.integers(0, 4, size))) for _ in range(n)]


def trained(data, device="cuda", captured=False, model=mlp, optimizer=lambda p: optim.Adam(p, lr=0.01), schedule=True,
            inputs_on="cpu", before_step=lambda model: None):
    """Losses, the state of the model, and the step."""
    tn.manual_seed(0)
    network = model().to(device)
    updates = optimizer(network.parameters())
    falling = optim.lr_scheduler.StepLR(updates, 3, 0.5)

    def step(x, y):
        updates.zero_grad()
        loss = F.cross_entropy(network(x), y)
        loss.backward()
        before_step(network)
        updates.step()
        return loss
    made = capture(step, device=device) if captured else step
    losses = []
    for x, y in data:
        if not captured or inputs_on != "cpu":
            x, y = x.to(device), y.to(device)
        losses.append(made(x, y).item())
        if schedule:
            falling.step()
    return losses, {name: t.numpy() for name, t in network.state_dict().items()}, made, updates


def same(found, expected, rtol=1e-4):
    np.testing.assert_allclose(found[0], expected[0], rtol=rtol, atol=rtol / 10)
    for name, value in expected[1].items():
        np.testing.assert_allclose(found[1][name], value, rtol=rtol, atol=rtol / 10, err_msg=name)


@pytest.mark.parametrize("inputs_on", ["cpu", "cuda"])
@pytest.mark.parametrize("optimizer", [
    lambda p: optim.SGD(p, lr=0.1, momentum=0.9), lambda p: optim.Adam(p, lr=0.01), lambda p: optim.RMSprop(p, lr=0.01)])
def test_a_recorded_run_is_the_ordinary_one(gpu, optimizer, inputs_on):
    data = batches(9)
    here = trained(data, "cpu", optimizer=optimizer)
    eager = trained(data, optimizer=optimizer)
    replayed = trained(data, captured=True, optimizer=optimizer, inputs_on=inputs_on)
    same(eager, here)
    same(replayed, here)
    assert replayed[2].replays == 7 and replayed[2].reason == ""
    assert [g["lr"] for g in replayed[3].param_groups] == [g["lr"] for g in here[3].param_groups]
    steps = [entry.get("step") for entry in replayed[3].state_dict()["state"].values()]
    assert steps == [entry.get("step") for entry in here[3].state_dict()["state"].values()]


def test_a_convolutional_network_with_batch_norm_and_clipped_gradients(gpu):
    data = batches(7, (1, 6, 6))
    options = {"model": cnn, "optimizer": lambda p: optim.SGD(p, lr=0.05),
               "before_step": lambda model: nn.utils.clip_grad_norm_(model.parameters(), 0.5)}
    replayed = trained(data, captured=True, **options)
    same(replayed, trained(data, "cpu", **options), rtol=1e-3)
    assert replayed[2].replays == 5 and replayed[1]["1.num_batches_tracked"] == 7


def test_binary_classes_and_a_learning_rate_set_by_hand(gpu):
    def run(device):
        tn.manual_seed(0)
        model = nn.Linear(2, 1).to(device)
        optimizer = optim.Adam(model.parameters(), lr=0.1)
        @capture
        def step(x, y):
            optimizer.zero_grad()
            loss = F.binary_cross_entropy_with_logits(model(x), y)
            loss.backward()
            optimizer.step()
            return {"loss": loss, "parts": (loss, None)}
        x = tn.randn(8, 2).to(device)
        y = (x.sum(1, keepdim=True) > 0).float()
        losses = []
        for i in range(8):
            optimizer.param_groups[0]["lr"] = 0.1 / (i + 1)
            result = step(x, y)
            losses.append(result["loss"].item())
            assert result["parts"][1] is None
        return losses, step
    there, step = run("cuda")
    np.testing.assert_allclose(there, run("cpu")[0], rtol=1e-5)
    assert step.replays == 6 and not result_of(step).requires_grad


def result_of(step):
    """What the record of a step returns."""
    record, = step.records.values()
    return record.result["loss"]


def test_dropout_has_new_gaps_in_every_replay(gpu):
    x = tn.ones(50, 40).to("cuda")
    @capture
    def gaps(x):
        return F.dropout(x, 0.5)
    tn.manual_seed(3)
    drawn = [gaps(x).numpy() for _ in range(6)]
    assert gaps.replays == 4
    for a, b in zip(drawn, drawn[1:], strict=False):
        assert 0.4 < (a == b).mean() < 0.6 and abs((b == 0).mean() - 0.5) < 0.06
    tn.manual_seed(3)                                       # the same numbers as in ordinary steps
    for a in drawn:
        np.testing.assert_array_equal(F.dropout(x, 0.5).numpy(), a)


def test_gradients_can_be_looked_at_after_each_replay(gpu):
    w = tn.tensor([1.0, 2.0]).to("cuda").requires_grad_()
    @capture
    def step(x):
        w.grad = None
        (w * x).sum().backward()
    for i in range(5):
        w.grad = None                                       # what was before is of no account
        step(tn.tensor([i, 10.0 * i]).to("cuda"))
        np.testing.assert_array_equal(w.grad.numpy(), [i, 10 * i])
    assert step.replays == 3


def test_a_graph_that_used_older_weights_refuses_its_backward_pass(gpu):
    w = tn.tensor([1.0]).to("cuda").requires_grad_()
    optimizer = optim.SGD([w], lr=0.1)
    @capture
    def step(x):
        optimizer.zero_grad()
        (w * x).sum().backward()
        optimizer.step()
    x = tn.tensor([2.0]).to("cuda")
    for _ in range(3):
        step(x)
    y = (w * w).sum()
    step(x)
    with pytest.raises(RuntimeError, match="was changed in place"):
        y.backward()
    assert w.item() == pytest.approx(1 - 4 * 0.2)


# ---------------------------------------------------------------------- what cannot be recorded

def reason_of(step, *inputs, calls=4):
    """Why the step goes on as an ordinary one; it does so without harm."""
    captured = capture(step)
    for _ in range(calls):
        captured(*inputs)
    assert captured.replays == 0
    return captured.reason


def test_a_step_that_reads_a_value(gpu):
    w = tn.tensor([1.0]).to("cuda").requires_grad_()
    def step(x):
        w.grad = None
        loss = (w * x).sum()
        loss.backward()
        if loss > 0:
            w.grad.neg_()
        return loss
    reason = reason_of(step, tn.tensor([2.0]).to("cuda"))
    assert reason.startswith("it reads a value, for which the GPU would have to be waited for: ")
    assert "test_capture.py" in reason and "if loss > 0:" in reason
    assert w.grad.item() == -2


def test_a_step_that_adds_up_gradients(gpu):
    w = tn.tensor([1.0, 1.0]).to("cuda").requires_grad_()
    x = tn.tensor([2.0, 3.0]).to("cuda")
    reason = reason_of(lambda x: (w * x).sum().backward(), x)
    assert reason == "it adds to the gradient of an earlier step, of a tensor of shape (2,): call zero_grad() in the step"
    np.testing.assert_array_equal(w.grad.numpy(), [8, 12])


def test_a_step_with_its_schedule(gpu):
    w = tn.tensor([1.0]).to("cuda").requires_grad_()
    optimizer = optim.SGD([w], lr=1.0)
    falling = optim.lr_scheduler.ExponentialLR(optimizer, 0.5)
    def step(x):
        optimizer.zero_grad()
        (w * x).sum().backward()
        optimizer.step()
        falling.step()
    reason = reason_of(step, tn.tensor([1.0]).to("cuda"))
    assert reason.startswith("it changes a setting of SGD, which would not be done again")
    assert w.item() == 1 - 1 - 0.5 - 0.25 - 0.125


def test_a_step_that_draws_numbers_on_the_host(gpu):
    w = tn.tensor([1.0]).to("cuda").requires_grad_()
    def step(x):
        w.grad = None
        (w * x * tn.rand(1).to("cuda")).sum().backward()
    gradient = w.grad
    reason = reason_of(step, tn.tensor([1.0]).to("cuda"))
    assert reason.startswith("it cannot be recorded: ")
    assert w.grad is not gradient and 0 < w.grad.item() < 1


def test_a_product_that_only_cupy_can_make(gpu):
    a = tn.tensor([[2.0, 0.0], [0.0, 4.0]]).to("cuda")
    reason = reason_of(lambda x: tn.linalg.inv(a * x), tn.tensor(1.0).to("cuda"))
    assert reason.startswith("it cannot be recorded: ")
    assert tn.linalg.inv(a).tolist() == [[0.5, 0], [0, 0.25]]           # and the engine goes on


def test_an_optimizer_without_a_kernel(gpu):
    class Normalised(optim.Optimizer):
        def __init__(self, params):
            super().__init__(params, {})
        def change(self, p, g, state):
            return -g / np.sqrt(np.sum(g * g))
    w = tn.tensor([3.0, 4.0]).to("cuda").requires_grad_()
    optimizer = Normalised([w])
    def step(x):
        optimizer.zero_grad()
        (w * w * x).sum().backward()
        optimizer.step()
    reason = reason_of(step, tn.tensor(1.0).to("cuda"), calls=3)
    assert "the optimizer's formula is not one for a kernel" in reason
    np.testing.assert_allclose(w.numpy(), [3 - 3 * 0.6, 4 - 3 * 0.8], rtol=1e-5)


def test_on_the_cpu_and_in_debug_mode_it_is_an_ordinary_step(gpu):
    assert reason_of(lambda x: x * 2, tn.ones(2)) == "the inputs are on the CPU"
    assert reason_of(lambda: 2) == "there are no tensors among the inputs"
    with tn.debug():
        assert reason_of(lambda x: x * 2, tn.ones(2).to("cuda")) == "debug mode is on, which looks at every value"
    with pytest.raises(TypeError, match="capture: expects a function that makes a training step, not a Tensor"):
        capture(tn.ones(2))
    with pytest.raises(ValueError, match="unknown device 'tpu'"):
        capture(len, device="tpu")


def test_a_reason_that_has_passed_is_no_reason_any_more(gpu):
    step = capture(lambda x: x * 2)
    x = tn.ones(2).to("cuda")
    step(x)
    with tn.debug():
        step(x)
    step(tn.ones(2))
    assert step.reason == "the inputs are on the CPU" and step(tn.ones(3)).tolist() == [2, 2, 2]
    for _ in range(3):
        assert step(x).tolist() == [2, 2]
    assert step.reason == "" and step.replays == 2


# ---------------------------------------------------------------------- shapes that change, memory that moves

def test_every_shape_gets_a_record_of_its_own_up_to_a_number(gpu):
    step = capture(lambda x: x * 2)
    for _ in range(4):
        for n in (5, 3):
            assert step(tn.ones(n).to("cuda")).tolist() == [2.0] * n
    assert step.replays == 4 and len(step.records) == 2 and step.reason == ""
    for n in range(6, 16):
        assert step(tn.ones(n).to("cuda")).tolist() == [2.0] * n
    assert step.reason == "the inputs keep changing: they have come in 8 shapes or numbers already"
    assert step(tn.ones(5).to("cuda") * 3).tolist() == [6.0] * 5 and step.replays == 5


def test_weights_in_other_memory_are_recorded_anew(gpu):
    w = tn.tensor([1.0]).to("cuda").requires_grad_()
    optimizer = optim.SGD([w], lr=1.0)
    @capture
    def step(x):
        optimizer.zero_grad()
        (w * x).sum().backward()
        optimizer.step()
    x = tn.tensor([1.0]).to("cuda")
    for _ in range(4):
        step(x)
    assert step.replays == 2 and w.item() == -3
    w.data = tn.tensor([10.0]).to("cuda").data
    step(x)
    step(x)
    assert w.item() == 8 and step.reason == ""
    optimizer.param_groups[0]["weight_decay"] = 1.0         # another formula
    for _ in range(2):
        step(x)
    assert w.item() == -1                                   # 8 − (1 + 8), and −1 − (1 − 1)
    assert step.replays == 4


def test_a_loaded_state_is_used(gpu):
    data = batches(4)
    _, _, step, optimizer = trained(data, captured=True)
    saved = optimizer.state_dict()
    for x, y in data:
        step(x, y)
    optimizer.load_state_dict(saved)
    step(*data[0])
    step(*data[0])
    assert {entry["step"] for entry in optimizer.state_dict()["state"].values()} == {6}


def test_memory_does_not_grow(gpu):
    data = batches(3)
    tn.manual_seed(0)
    model = mlp().to("cuda")
    optimizer = optim.Adam(model.parameters())
    @capture
    def step(x, y):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss
    for x, y in data * 2:
        step(x.to("cuda"), y.to("cuda"))
    used, reserved = tn.cuda.memory_allocated(), tn.cuda.memory_reserved()
    steps = 90 if tn.cuda.get_device_name().startswith("Emulated") else 10_000
    for i in range(steps):
        x, y = data[i % 3]
        step(x.to("cuda"), y.to("cuda"))
    assert tn.cuda.memory_allocated() == used and tn.cuda.memory_reserved() == reserved
    assert step.replays == 4 + steps


def test_a_batch_is_not_overwritten_before_the_gpu_has_fetched_it(gpu):
    step = capture(lambda x: x.clone(), device="cuda")
    batch = tn.zeros(3)
    for i in range(12):
        batch.fill_(i)
        assert step(batch).tolist() == [i] * 3
    assert step.replays == 10


def test_without_cublas_it_is_an_ordinary_step(gpu, monkeypatch):
    from tinygrad_nuc.devices.kernels import matmul
    def missing(name):
        raise OSError(f"{name}: cannot open shared object file")
    monkeypatch.setattr(matmul, "_library", None)
    monkeypatch.setattr(matmul.ctypes, "CDLL", missing)
    reason = reason_of(lambda x: x @ x, tn.ones(2, 2).to("cuda"))
    assert reason.startswith("cuBLAS cannot be called directly: libcublas.so.") and "cannot open" in reason


# ---------------------------------------------------------------------- what only looks at the second sight as if it could go wrong

def stepping(make_optimizer=lambda p: optim.SGD(p, lr=1.0), start=(1.0,)):
    """A weight, its optimizer, and one ordinary step: w ← w − x with SGD."""
    w = tn.tensor(list(start)).to("cuda").requires_grad_()
    optimizer = make_optimizer([w])
    def step(x):
        optimizer.zero_grad()
        (w * x).sum().backward()
        optimizer.step()
    return w, optimizer, step


def test_an_optimizer_that_steps_twice(gpu):
    def run(captured):
        w, optimizer, once = stepping(lambda p: optim.Adam(p, lr=0.1), (1.0, 2.0))
        def twice(x):
            once(x)
            once(x * x)
        step = capture(twice) if captured else twice
        for i in range(6):
            step(tn.tensor([0.5 + i, -2.0]).to("cuda"))
        return w.numpy(), step
    (here, _), (replayed, step) = run(False), run(True)
    np.testing.assert_allclose(replayed, here, rtol=1e-6)
    assert step.replays == 4


def test_two_kinds_of_inputs_with_weights_of_their_own(gpu):
    (a, _, step_a), (b, _, step_b) = stepping(), stepping()
    step = capture(lambda x, first: step_a(x) if first else step_b(x))
    x = tn.tensor([1.0]).to("cuda")
    for _ in range(4):
        step(x, True)
        step(x * 2, False)
    assert (a.item(), b.item(), step.replays) == (-3, -7, 4) and a.grad.item() == 1 and b.grad.item() == 2


def test_an_interrupted_rehearsal_is_repeated(gpu):
    w, _, once = stepping()
    interrupted = [True]
    def step(x):
        if w.item.__self__ is w and interrupted and step.count == 2:
            interrupted.clear()
            raise KeyboardInterrupt
        once(x)
    step.count = 0
    captured = capture(step)
    x = tn.tensor([1.0]).to("cuda")
    for i in range(6):
        step.count = i + 1
        try:
            captured(x)
        except KeyboardInterrupt:
            assert i == 1
    assert w.item() == 1 - 5 and captured.replays == 3 and captured.reason == ""


def test_an_interrupted_record_leaves_everything_as_it_was(gpu):
    w, _, once = stepping()
    calls = []
    def step(x):
        calls.append(None)
        once(x)
        if len(calls) == 3:
            raise KeyboardInterrupt
    captured = capture(step)
    x = tn.tensor([1.0]).to("cuda")
    captured(x)
    captured(x)
    gradient = w.grad
    with pytest.raises(KeyboardInterrupt):
        captured(x)
    assert w.item() == -1 and w.grad is gradient
    for _ in range(3):
        captured(x)
    assert w.item() == -4 and captured.replays == 3 and captured.reason == ""


def test_a_buffer_a_mask_and_a_frozen_weight_that_are_replaced(gpu):
    w, optimizer, _ = stepping()
    around = {"mask": tn.tensor([1.0]).to("cuda"), "frozen": tn.tensor([2.0]).to("cuda")}
    @capture
    def step(x):
        optimizer.zero_grad()
        (w * around["frozen"] * around["mask"] * x).sum().backward()
        optimizer.step()
    x = tn.tensor([1.0]).to("cuda")
    for _ in range(4):
        step(x)
    assert w.item() == 1 - 4 * 2 and step.replays == 2
    around["frozen"].data = tn.tensor([3.0]).to("cuda").data            # other memory: recorded anew
    for _ in range(2):
        step(x)
    assert w.item() == -7 - 2 * 3 and step.replays == 3
    around["frozen"].requires_grad_()                                   # from here on it gets a gradient as well
    step(x)
    step(x)
    assert around["frozen"].grad is not None and step.reason.startswith("it adds to the gradient of an earlier step") or step.replays == 4


def test_switches_are_noticed(gpu):
    w, optimizer, once = stepping()
    step = capture(once)
    x = tn.tensor([1.0]).to("cuda")
    for _ in range(3):
        step(x)
    other = tn.tensor([5.0]).to("cuda").requires_grad_()
    optimizer.add_param_group({"params": [other], "lr": 0.5})
    for _ in range(3):
        step(x)
    assert step.replays == 3
    tn.set_float32_matmul_precision("high")
    try:
        step(x)
        assert step.replays == 3
    finally:
        tn.set_float32_matmul_precision("highest")


def test_a_value_carried_from_step_to_step(gpu):
    state = [tn.zeros(2).to("cuda")]
    def step(x):
        state[0] = state[0] + x
        return state[0]
    captured = capture(step)
    for i in range(5):
        assert captured(tn.ones(2).to("cuda")).tolist() == [i + 1.0] * 2
    assert captured.reason.startswith("it goes on from a value that the step before has computed, of shape (2,)")


def test_a_state_loaded_just_before_the_record(gpu):
    w, optimizer, once = stepping(lambda p: optim.Adam(p, lr=0.1))
    step = capture(once)
    x = tn.tensor([1.0]).to("cuda")
    step(x)
    step(x)
    saved = optimizer.state_dict()
    optimizer.load_state_dict(saved)
    for _ in range(4):
        step(x)
    here, on_cpu, ordinary = tn.tensor([1.0]).requires_grad_(), None, None
    on_cpu = optim.Adam([here], lr=0.1)
    for _ in range(6):
        here.grad = tn.tensor([1.0])
        on_cpu.step()
    np.testing.assert_allclose(w.numpy(), here.numpy(), rtol=1e-6)
    assert step.replays == 3 and optimizer.state[w]["step"] == 6 and ordinary is None


@pytest.mark.parametrize("inputs, kind", [(([1.0],), "list"), (({"x": 1},), "dict"), ((np.ones(2),), "ndarray")])
def test_inputs_of_other_kinds(gpu, inputs, kind):
    step = capture(lambda x, y: y * 2)
    assert step(*inputs, tn.ones(2).to("cuda")).tolist() == [2, 2]
    assert step.reason == f"an input is a {kind}: give tensors and numbers"


def test_a_captured_step_in_another_one(gpu):
    w, _, once = stepping()
    inner = capture(once)
    outer = capture(lambda x: inner(x))
    x = tn.tensor([1.0]).to("cuda")
    for _ in range(6):
        outer(x)
    assert w.item() == 1 - 6


def test_clipping_and_joining_many_tensors(gpu):
    model = nn.Sequential(*[nn.Linear(2, 2) for _ in range(6)]).to("cuda")
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    @capture
    def step(x):
        optimizer.zero_grad()
        y = tn.cat([model(x) for _ in range(9)], 1) + tn.stack([x[:, 0]] * 18, 1)
        y.sum().backward()
        norm = nn.utils.clip_grad_norm_(model.parameters(), 0.1)
        optimizer.step()
        return norm
    norms = [step(tn.ones(3, 2).to("cuda")).item() for _ in range(5)]
    assert step.reason == "" and step.replays == 3 and all(n > 0.1 for n in norms)
