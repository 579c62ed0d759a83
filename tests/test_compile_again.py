"""tn.compile: what changes between calls is looked up in each replay, or makes a new plan by itself."""

import numpy as np
import pytest
from compile_helpers import FIRST, agree, batches, mlp, run, shown, training

import tinygrad_nuc as tn
from tinygrad_nuc import nn, optim

F = nn.functional
LOOSE = {"float32": 1e-5, "float64": 1e-10}


def changing(change, count=16, every=5):
    """Calls with new inputs; before each `every`-th of them something is changed."""
    def calls(*things):
        for i, inputs in enumerate(batches((6, 4), (6, 3), count=count)(*things)):
            if i and i % every == 0:
                change(i // every, *things)
            yield inputs
    return calls


# ---- settings


@pytest.mark.parametrize("schedule", [
    lambda o: optim.lr_scheduler.CosineAnnealingLR(o, 40), lambda o: optim.lr_scheduler.StepLR(o, 7, 0.5),
    lambda o: optim.lr_scheduler.OneCycleLR(o, max_lr=0.05, total_steps=110)])
@pytest.mark.parametrize("kind", ["SGD", "Adam"])
def test_a_schedule_over_a_hundred_replays(kind, schedule):
    def make():
        step, model, optimizer = training(optimizer=lambda p: getattr(optim, kind)(p, lr=0.02))()
        falling.append(schedule(optimizer))
        return step, model, optimizer

    def calls(model, optimizer):
        for inputs in batches((6, 4), (6, 3), count=103)(model):
            yield inputs
            rates.append(optimizer.param_groups[0]["lr"])
            falling[-1].step()
    rates, falling = [], []
    agree(make, calls, {"float64": 1e-8}, replays=100)
    assert rates[:103] == rates[103:] and len(set(rates)) > 10


def test_adams_count_is_that_of_its_steps():
    step, model, optimizer = training()()
    step = tn.compile(step)
    for i, inputs in enumerate(batches((6, 4), (6, 3), count=40)()):
        step(*inputs)
        assert {entry["step"] for entry in optimizer.state_dict()["state"].values()} == {i + 1}
        assert {entry["step"] for entry in optimizer.state.values()} == {i + 1}
    assert step.replays == 40 - FIRST


@pytest.mark.parametrize("kind, settings", [
    ("SGD", {"lr": 0.1, "weight_decay": 0.1, "momentum": 0.5}), ("SGD", {"weight_decay": 0.1}), ("SGD", {"momentum": 0.9}),
    ("Adam", {"betas": (0.8, 0.99)}), ("Adam", {"weight_decay": 0.1}), ("Adam", {"eps": 1e-3}), ("Adam", {"amsgrad": True}),
    ("AdamW", {"weight_decay": 0.0}), ("RMSprop", {"alpha": 0.5, "momentum": 0.9}), ("RMSprop", {"centered": True}),
    ("Adagrad", {"lr_decay": 0.1}), ("SGD", {"maximize": True})])
def test_settings_changed_by_hand(kind, settings):
    def change(i, model, optimizer):
        before = optimizer.defaults
        for name, value in settings.items():
            optimizer.param_groups[0][name] = value if i % 2 else before[name]
    agree(training(optimizer=lambda p: getattr(optim, kind)(p, lr=0.02)), changing(change), LOOSE, replays=range(1, 20))


# ---- other tensors, other modes


def test_inputs_of_other_shapes_and_dtypes_have_plans_of_their_own():
    def make():
        model = mlp().eval()

        def step(x):
            for p in model.parameters():
                p.grad = None
            x = x.double()
            loss = (model(x) * x.sum()).square().mean()
            loss.backward()
            return loss
        return step, model

    def calls(model):
        rng = np.random.default_rng(0)
        for i in range(24):
            x = rng.normal(size=((2, 4), (3, 4), (2, 4), (1, 4))[i % 4])
            yield tn.tensor(x.astype((np.float64, np.float64, np.float32, np.float64)[i % 4])),
    step = agree(make, calls, replays=24 - 4 * FIRST)
    assert len(step.plans) == 4


def test_inputs_that_require_gradients_now_and_then():
    def make():
        w = tn.ones(3, dtype=tn.float64)

        def step(x):
            y = (w * x).square().sum()
            return tn.grad(y, x)[0] if x.requires_grad else y
        return step, w

    def calls(w):
        for i in range(12):
            yield (tn.arange(3, dtype=tn.float64) + i).requires_grad_(i % 2 == 1),
    agree(make, calls, replays=6)


def test_train_and_eval():
    def make():
        model = nn.Sequential(nn.Linear(4, 5), nn.BatchNorm1d(5), nn.Dropout(0.5), nn.Linear(5, 3)).double()

        def step(x):
            for p in model.parameters():
                p.grad = None
            loss = model(x).square().mean()
            loss.backward()
            return loss
        return step, model

    def calls(model):
        for i, inputs in enumerate(batches((6, 4), count=25)(model)):
            if i % 5 == 0:
                model.train(i % 2 == 0)
            yield inputs
    agree(make, calls, replays=range(25 - 5 * FIRST, 25 - 2 * FIRST + 1))


def test_running_statistics_and_their_count():
    def make():
        model = nn.Sequential(nn.BatchNorm1d(4), nn.Linear(4, 3), nn.BatchNorm1d(3, momentum=None)).double()
        optimizer = optim.SGD(model.parameters(), lr=0.01)

        def step(x):
            optimizer.zero_grad()
            loss = (model(x) - 1).square().mean()
            loss.backward()
            optimizer.step()
            return loss
        return step, model, optimizer
    step, seen, _ = run(make, batches((6, 4), count=9), tn.compile)
    for layer in (0, 2):
        assert [dict(x)[f"{layer}.num_batches_tracked"] for x in seen] == list(range(1, 10))
    agree(make, batches((6, 4), count=9), {"float64": 1e-10})


@pytest.mark.parametrize("replace", [
    lambda i, model, o: setattr(model[0].weight, "data", model[0].weight.data * 0.5),
    lambda i, model, o: model.load_state_dict({name: (0.5 * x).to(x.dtype) for name, x in model.state_dict().items()}),
    lambda i, model, o: o.load_state_dict(o.state_dict()),
    lambda i, model, o: model[0].weight.data.__imul__(0.5),
    lambda i, model, o: [o.state.pop(p) for p in list(o.state)],
    lambda i, model, o: o.state.clear(),
    lambda i, model, o: [setattr(p, "grad", None) for p in model.parameters()],
    lambda i, model, o: model.requires_grad_(i % 2 == 0) and model[-1].requires_grad_(True),
    lambda i, model, o: model[0].register_buffer("unused", tn.ones(1, dtype=tn.float64)),
])
def test_what_is_replaced_between_calls(replace):
    agree(training(), changing(replace, every=6, count=20), LOOSE, replays=range(1, 20))


def test_parameters_changed_in_place_are_no_news():
    def change(i, model, optimizer):
        with tn.no_grad():
            for p in model.parameters():
                p.mul_(0.9)
    agree(training(), changing(change), LOOSE, replays=16 - FIRST)


def test_a_checkpoint_goes_back():
    def calls(model, optimizer):
        for i, inputs in enumerate(batches((6, 4), (6, 3), count=21)(model)):
            if i == 7:
                kept = {name: x.clone() for name, x in model.state_dict().items()}, optimizer.state_dict()
            if i == 14:
                model.load_state_dict(kept[0])
                optimizer.load_state_dict(kept[1])
            yield inputs
    step = agree(training(), calls, LOOSE, replays=range(1, 20))
    assert step.replays >= 21 - 2 * FIRST


def test_two_optimizers_by_turns_and_a_layer_that_is_added():
    def make():
        model = mlp()
        ours = [optim.Adam(model.parameters(), lr=0.01)]

        def step(x, target):
            ours[0].zero_grad()
            loss = F.mse_loss(model(x), target)
            loss.backward()
            ours[0].step()
            return loss
        return step, model, ours[0]

    def calls(model, optimizer):
        for i, inputs in enumerate(batches((6, 4), (6, 3), count=14)(model)):
            if i == 7:
                optimizer.add_param_group({"params": [tn.ones(2, dtype=tn.float64, requires_grad=True)], "lr": 1.0})
            yield inputs
    agree(make, calls, LOOSE, replays=range(1, 20))


def test_without_gradients_and_with_them():
    def make():
        model = mlp().eval()

        def step(x):
            y = model(x)
            return y, tn.tensor(1.0 if y.requires_grad else 0.0)
        return step, model

    def calls(model):
        for i, inputs in enumerate(batches((6, 4), count=12)(model)):
            with tn.set_grad_enabled(i % 2 == 0):
                yield inputs
    agree(make, calls, replays=12 - 2 * FIRST)


# ---- random numbers


@pytest.mark.parametrize("layers", [
    lambda: [nn.Dropout(0.3)], lambda: [nn.Dropout(0.3), nn.Linear(4, 4), nn.Dropout(0.7)],
    lambda: [nn.Dropout(0.0), nn.Dropout(1.0)]])
def test_dropout_draws_as_the_step_would(layers):
    def make():
        model = nn.Sequential(*layers(), nn.Linear(4, 3)).double()

        def step(x, target):
            for p in model.parameters():
                p.grad = None
            y = model(x)
            loss = F.mse_loss(y, target)
            loss.backward()
            return y, loss
        return step, model

    def calls(model):
        for i, inputs in enumerate(batches((50, 4), (50, 3), count=12)(model)):
            if i % 4 == 0:
                tn.manual_seed(i % 8)
            yield inputs
    agree(make, calls)


def test_masks_are_new_ones_in_each_replay():
    step = tn.compile(lambda x: F.dropout(x, 0.5))
    tn.manual_seed(3)
    masks = [step(tn.ones(40, 50)).numpy() for _ in range(6)]
    tn.manual_seed(3)
    expected = [F.dropout(tn.ones(40, 50), 0.5).numpy() for _ in range(6)]
    assert step.replays == 3
    np.testing.assert_array_equal(masks, expected)
    assert all((a != b).any() for a, b in zip(masks, masks[1:], strict=False))
    assert set(np.unique(masks)) == {0, 2}


@pytest.mark.parametrize("draw", [
    lambda x: tn.randn(5, 3), lambda x: tn.rand(5, 3), lambda x: tn.randint(0, 10, (5, 3)), lambda x: tn.randperm(5),
    lambda x: x[tn.randperm(5)], lambda x: x + 0.1 * tn.randn(5, 3, dtype=tn.float64),
    lambda x: (tn.rand(5, 3) < x.sigmoid()).double(),
    lambda x: x * nn.init.normal_(tn.zeros(5, 3, dtype=tn.float64)), lambda x: tn.default_generator().uniform(size=(5, 3)) * x])
def test_draws_within_the_step(draw):
    def calls():
        for i, inputs in enumerate(batches((5, 3), count=9)()):
            if i == 6:
                tn.manual_seed(1)
            yield inputs
    agree(lambda: (lambda x: (draw(x), x.square()),), calls, None)


def test_draws_that_nobody_uses_are_made_all_the_same():
    def step(x):
        tn.rand(7)
        return x + tn.rand(3, dtype=tn.float64)
    agree(lambda: (step,), batches((3,)), None)


def test_a_large_dropout_block_by_block():
    def step(x):
        return (F.dropout(x.tanh(), 0.25) * x + 1).square()
    agree(lambda: (step,), batches((300, 200), count=5), None)


def test_shown_helpers_see_everything():
    model = nn.Sequential(nn.Linear(2, 1), nn.BatchNorm1d(1))
    model(tn.ones(3, 2)).sum().backward()
    names = [name for name, _ in shown(model)]
    assert {"0.weight", "0.weight.grad", "1.running_mean", "1.num_batches_tracked"} <= set(names) and len(names) == 11
