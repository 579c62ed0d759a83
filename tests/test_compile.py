"""tn.compile: training steps of every kind leave behind the same numbers as the step as it stands."""

import numpy as np
import pytest
from compile_helpers import agree, assert_same, batches, mlp, run, shown, training
from test_waits import CLASSES, LOSSES, OPTIMIZERS, OUTPUTS, N

import tinygrad_nuc as tn
from tinygrad_nuc import nn, optim

F = nn.functional
STEPS = batches((6, 4), (6, 3))
LOOSE = {"float32": 1e-5, "float64": 1e-10}         # where Adam's square roots, or many steps, make rounding larger


def with_target(target, dtype=np.float64, count=7):
    """Calls with new inputs and this target, shifted along the batch each time."""
    def calls(*things):
        rng = np.random.default_rng(2)
        for i in range(count):
            t = np.roll(target, i, axis=0)
            yield tn.tensor(rng.normal(size=(N, 4)).astype(dtype)), tn.tensor(t.astype(dtype) if t.dtype.kind == "f" else t)
    return calls


@pytest.fixture
def in_double_precision():
    """Weights of losses are float64 as well."""
    tn.set_default_dtype(tn.float64)
    yield
    tn.set_default_dtype(tn.float32)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_with_every_optimizer(loss, optimizer, in_double_precision):
    make_loss, target = LOSSES[loss]

    def make():
        return training(mlp, OPTIMIZERS[optimizer], make_loss())()
    agree(make, with_target(target), LOOSE)


@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_in_float32(loss):
    make_loss, target = LOSSES[loss]

    def make():
        return training(lambda: mlp().float(), lambda p: optim.SGD(p, lr=0.02, momentum=0.9), make_loss())()
    agree(make, with_target(target, np.float32), {"float32": 2e-5})


def test_optimizers_states_are_shown_as_ever():
    def made(how):
        _, seen, _ = run(training(), STEPS, how)
        return [dict(x) for x in seen]
    plain, compiled = made(lambda step: step), made(tn.compile)
    counts = [name for name in plain[-1] if name.endswith("step")]
    assert counts
    for i, (a, b) in enumerate(zip(plain, compiled, strict=True)):
        assert [int(a[name]) for name in counts] == [int(b[name]) for name in counts] == [i + 1] * len(counts)


# ---- optimizers in other ways


def test_two_groups_with_settings_of_their_own():
    def make():
        model = mlp()
        groups = [{"params": model[0].parameters(), "lr": 0.1}, {"params": model[3:].parameters(), "weight_decay": 0.1}]
        optimizer = optim.Adam(groups, lr=0.01)

        def step(x, target):
            optimizer.zero_grad()
            loss = F.mse_loss(model(x), target)
            loss.backward()
            optimizer.step()
            return loss
        return step, model, optimizer

    def calls(model, optimizer):
        for i, inputs in enumerate(STEPS(model)):
            optimizer.param_groups[1]["lr"] = 0.01 * (1 + i)
            yield inputs
    agree(make, calls, LOOSE)


class OwnMomentum(optim.Optimizer):
    """An optimizer as a user would write it, which also counts its steps."""

    def __init__(self, params, lr):
        super().__init__(params, {"lr": lr})

    def change(self, p, g, state, *, lr):
        state["count"] = state.get("count", 0) + 1
        state["mean"] = 0.9 * state.get("mean", 0 * g) + g / (1 + 0.1 * state["count"])
        return -lr * np.tanh(state["mean"]) * np.maximum(abs(p), 0.1)


class OwnElementwise(OwnMomentum):
    elementwise = True


@pytest.mark.parametrize("kind", [OwnMomentum, OwnElementwise])
def test_an_optimizer_of_the_users_own(kind):
    agree(training(optimizer=lambda p: kind(p, lr=0.05)), STEPS)


def test_two_networks_against_each_other():
    def make():
        generator, judge = nn.Linear(2, 3).double(), nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1)).double()
        first, second = optim.Adam(judge.parameters(), lr=0.01), optim.SGD(generator.parameters(), lr=0.1, momentum=0.5)

        def step(noise, real):
            first.zero_grad()
            fake = generator(noise)
            one = F.binary_cross_entropy_with_logits(judge(real), tn.ones(6, 1, dtype=tn.float64))
            zero = F.binary_cross_entropy_with_logits(judge(fake.detach()), tn.zeros(6, 1, dtype=tn.float64))
            (one + zero).backward()
            first.step()
            second.zero_grad()
            fooled = F.binary_cross_entropy_with_logits(judge(fake), tn.ones(6, 1, dtype=tn.float64))
            fooled.backward()
            second.step()
            return {"judge": one + zero, "generator": (fooled, fake)}
        return step, generator, judge, first, second
    agree(make, batches((6, 2), (6, 3)))


@pytest.mark.parametrize("clip", [lambda p: nn.utils.clip_grad_norm_(p, 0.1), lambda p: nn.utils.clip_grad_norm_(p, 0.1, 1.0),
                                  lambda p: nn.utils.clip_grad_norm_(p, 0.1, np.inf), lambda p: nn.utils.clip_grad_value_(p, 0.01)])
def test_clipped_gradients(clip):
    agree(training(between=lambda model: clip(model.parameters())), STEPS, LOOSE)


def test_the_norm_that_clipping_returns():
    def make():
        w = tn.tensor([3.0, 4.0], dtype=tn.float64, requires_grad=True)

        def step(x):
            w.grad = None
            (w * x).sum().backward()
            return nn.utils.clip_grad_norm_([w], 1.0)
        return step, w

    def calls(w):
        for i in range(6):
            yield tn.tensor([0.6 * i, 0.8 * i], dtype=tn.float64),
    agree(make, calls)


# ---- other steps


def test_classes_as_input_and_an_embedding():
    def make():
        model = nn.Sequential(nn.Embedding(OUTPUTS, 5, padding_idx=1), nn.Linear(5, OUTPUTS)).double()
        optimizer = optim.Adam(model.parameters(), lr=0.01)

        def step(x, target):
            optimizer.zero_grad()
            loss = F.cross_entropy(model(x), target)
            loss.backward()
            optimizer.step()
            return loss, model(x).argmax(1), (model(x).argmax(1) == target).double().mean()
        return step, model, optimizer

    def calls(*things):
        for i in range(8):
            yield tn.tensor(np.roll(CLASSES, i)), tn.tensor(np.roll(CLASSES, 2 * i))
    agree(make, calls, LOOSE)


def test_steps_without_a_tensor_among_the_inputs_and_with_plain_settings():
    def make():
        w = tn.randn(3, dtype=tn.float64).requires_grad_()
        optimizer = optim.SGD([w], lr=0.1)

        def step(power, name, flag, nothing):
            optimizer.zero_grad()
            loss = (abs(w) ** power).sum() if flag and name == "sum" and nothing is None else (w * w).mean()
            loss.backward()
            optimizer.step()
            return loss
        return step, w, optimizer

    def calls(*things):
        for flag in (True, False):
            for _ in range(6):
                yield 3, "sum", flag, None
    agree(make, calls, replays=6)


def test_what_is_returned_may_nest_and_need_not_be_a_tensor():
    def make():
        def step(x):
            return {"a": (x + 1, [x.sum(), None]), "text": "same", "number": 3, "array": (2 * x).data.sum()}
        return step,

    def calls():
        for i in range(5):
            yield tn.arange(3.0) + i,
    agree(make, calls, None)
    assert tn.compile(lambda x: None)(tn.ones(1)) is None


def test_the_decorator_keeps_name_and_text():
    @tn.compile
    def step(x):
        """One step."""
        return x + 1
    assert (step.__name__, step.__doc__, step.replays, step.plan) == ("step", "One step.", 0, None)
    for i in range(5):
        assert step(tn.tensor([1.0 * i])).item() == i + 1
    assert step.replays == step.plan.replays == 2 and repr(step) == "Compiled(step, replays=2)"
    assert_same(shown(step(tn.ones(1))), shown(tn.tensor([2.0])))
