"""What optimizers remember: shown, saved, loaded, exchanged with PyTorch, copied."""

import copy
import importlib.util
import pickle

import numpy as np
import pytest
from optim_problem import ALL, loss, name, start, train
from pytorch_cases import NUMBERS
from pytorch_cases.optim import FULL

import tinygrad_nuc as tn
from tinygrad_nuc import nn, optim
from tinygrad_nuc.optim import SGD, Adam, Optimizer, flat


# ---------------------------------------------------------------------- optimizer.state

def test_the_state_of_a_parameter_stays_up_to_date():
    w, b = start()
    optimizer = Adam([w, b], lr=0.1)
    assert dict(optimizer.state) == {}
    train(w, b, optimizer, steps=1)
    state = optimizer.state[w]
    g = w.grad.numpy()
    assert list(state) == ["step", "exp_avg", "exp_avg_sq"] and state["step"] == 1
    np.testing.assert_allclose(state["exp_avg"].numpy(), 0.1 * g, rtol=1e-14)
    np.testing.assert_allclose(state["exp_avg_sq"].numpy(), 0.001 * g * g, rtol=1e-12)
    mean = state["exp_avg"]
    train(w, b, optimizer, steps=1)
    assert optimizer.state[w]["exp_avg"] is mean and optimizer.state[w]["step"] == 2
    np.testing.assert_allclose(mean.numpy(), 0.09 * g + 0.1 * w.grad.numpy(), rtol=1e-13)


def test_the_state_can_be_changed_in_place_or_forgotten_but_not_replaced_in_part():
    w, b = start()
    optimizer = SGD([w, b], lr=1.0, momentum=0.5)

    def step():
        w.grad, b.grad = tn.ones_like(w), tn.ones_like(b)
        before = b.numpy().copy()
        optimizer.step()
        return (before - b.numpy()).round(12).tolist()
    assert step() == [1.0, 1.0] and step() == [1.5, 1.5]
    optimizer.state[b]["momentum_buffer"].zero_()
    assert step() == [1.0, 1.0] and optimizer.state[w]["momentum_buffer"].tolist() == [[1.75, 1.75], [1.75, 1.75]]
    with pytest.raises(TypeError, match="does not support item assignment"):
        optimizer.state[b]["momentum_buffer"] = tn.zeros(2)
    del optimizer.state[b]
    assert step() == [1.0, 1.0] and step() == [1.5, 1.5]
    optimizer.state.clear()
    assert step() == [1.0, 1.0]
    optimizer.state[b] = {"momentum_buffer": tn.tensor([2.0, 4.0])}
    assert step() == [2.0, 3.0]
    optimizer.state = type(optimizer.state)(dict)
    assert step() == [1.0, 1.0]
    plain = SGD([w, b], lr=1.0)
    plain.step()
    plain.state, plain.param_groups[0]["momentum"] = {}, 0.5
    plain.step()
    assert list(plain.state[w]) == ["momentum_buffer"]


# ---------------------------------------------------------------------- state dicts

@pytest.mark.parametrize("cache", [3, 2 ** 16])
@pytest.mark.parametrize(("kind", "settings"), ALL, ids=name)
def test_a_loaded_optimizer_goes_on_to_the_same_bits(kind, settings, cache, monkeypatch):
    monkeypatch.setattr(flat, "CACHE", cache)
    w, b = start()
    optimizer = kind([{"params": [w]}, {"params": [b], "lr": 0.05}], **settings)
    train(w, b, optimizer, steps=3)
    b.grad = None
    optimizer.step()                                                # step counts differ from here on
    saved, values = optimizer.state_dict(), (w.tolist(), b.tolist())
    kept = copy.deepcopy(saved)
    expected = train(w, b, optimizer)
    for i, entry in kept["state"].items():
        assert all(np.array_equal(x, saved["state"][i][key]) for key, x in entry.items()), "later steps leave it alone"
    w, b = (tn.tensor(np.array(x), requires_grad=True) for x in values)
    loaded = kind([{"params": [w]}, {"params": [b]}])
    train(*start(), loaded, steps=1)
    loaded.load_state_dict(saved)
    assert train(w, b, loaded) == expected
    for i, entry in kept["state"].items():
        assert all(np.array_equal(x, saved["state"][i][key]) for key, x in entry.items()), "what was loaded is a copy"
    assert repr(loaded) == repr(optimizer)


def stored():
    with np.load(NUMBERS / "optim.npz") as arrays:
        return {path.removeprefix("remembered/"): a for path, a in arrays.items() if path.startswith("remembered/")}


@pytest.mark.parametrize("kind", FULL)
def test_pytorchs_state_goes_on_here(kind):
    numbers = {path.removeprefix(kind + "/"): a for path, a in stored().items() if path.startswith(kind + "/")}
    state: dict = {0: {}, 1: {}}
    for path, a in numbers.items():
        if path.startswith("state/"):
            _, i, key = path.split("/")
            state[int(i)][key] = a
    values = numbers["before"]
    w = tn.tensor(values[:4].reshape(2, 2), requires_grad=True)
    b = tn.tensor(values[4:], requires_grad=True)
    optimizer = getattr(optim, kind)([w, b])
    group = {**optimizer.state_dict()["param_groups"][0], **FULL[kind], "foreach": None, "capturable": False,
             "differentiable": False, "fused": None, "params": [0, 1]}
    optimizer.load_state_dict({"state": state, "param_groups": [group]})
    for expected in numbers["after"]:
        np.testing.assert_allclose(train(w, b, optimizer, steps=1), expected, rtol=1e-9, atol=1e-9)


if importlib.util.find_spec("torch"):
    @pytest.mark.parametrize(("kind", "settings"), ALL, ids=name)
    def test_state_dicts_travel_to_pytorch_and_back(kind, settings):
        import torch
        theirs = [torch.tensor(p.numpy(), requires_grad=True) for p in start()]
        ours = start()
        there, here = getattr(torch.optim, kind.__name__)(theirs, **settings), kind(ours, **settings)
        train(*ours, here, steps=3)

        def as_theirs(x):
            return torch.tensor(x.numpy()) if isinstance(x, tn.Tensor) else x
        saved = here.state_dict()
        there.load_state_dict({"state": {i: {key: as_theirs(x) for key, x in entry.items()}
                                         for i, entry in saved["state"].items()}, "param_groups": saved["param_groups"]})
        for p, q in zip(theirs, ours, strict=True):
            p.data = torch.tensor(q.numpy())
        for _ in range(3):
            for p, q in zip(theirs, ours, strict=True):
                p.grad, q.grad = torch.ones_like(p), tn.ones_like(q)
            there.step()
            here.step()
        for p, q in zip(theirs, ours, strict=True):
            np.testing.assert_allclose(q.numpy(), p.detach().numpy(), rtol=1e-9, atol=1e-12)
        again = start()
        back = kind(again)
        back.load_state_dict(there.state_dict())
        for p, q in zip(theirs, again, strict=True):
            q.data = tn.tensor(p.detach().numpy()).data
            q.grad = tn.tensor(p.grad.numpy())
        back.step()
        there.step()
        for p, q in zip(theirs, again, strict=True):
            np.testing.assert_allclose(q.numpy(), p.detach().numpy(), rtol=1e-9, atol=1e-12)


def changed(state, *path, to):
    """A copy of a state dict in which one thing is different."""
    state = copy.deepcopy(state)
    place = state
    for key in path[:-1]:
        place = place[key]
    if to is None:
        del place[path[-1]]
    else:
        place[path[-1]] = to
    return state


@pytest.mark.parametrize(("path", "to", "message"), [
    (("param_groups",), None, "expects what state_dict\\(\\) returns, a dict with 'state' and 'param_groups'"),
    (("param_groups",), [], r"the saved groups have \[\] parameters, and this optimizer's have \[1, 1\]"),
    (("param_groups", 1, "params"), [1, 2], r"the saved groups have \[1, 2\] parameters"),
    (("param_groups", 0, "betas"), None, r"settings of group 0: missing \['betas'\], unexpected \[\]; .* has lr, betas, eps"),
    (("param_groups", 1, "momentum"), 0.9, r"settings of group 1: missing \[\], unexpected \['momentum'\]"),
    (("param_groups", 1, "decoupled_weight_decay"), True, "group 1 has decoupled_weight_decay=True, .* always False"),
    (("state", 2), {}, "parameter 2 is in no group"),
    (("state", 0, "exp_avg"), None, r"parameter 0: missing \['exp_avg'\], unexpected \[\]"),
    (("state", 0, "momentum_buffer"), tn.zeros(2, 2), r"parameter 0: missing \[\], unexpected \['momentum_buffer'\]"),
    (("state", 1, "exp_avg"), tn.zeros(3), r"parameter 1: exp_avg has shape \(3,\), but the parameter has \(2,\)"),
    (("state", 1, "exp_avg"), tn.tensor([1, 2]), "parameter 1: exp_avg is int64, but the parameter is float64"),
    (("state", 1, "step"), 2.5, "parameter 1: step must be a whole number of at least 0, not 2.5"),
    (("state", 1, "step"), -1, "parameter 1: step must be"),
])
def test_a_state_dict_that_does_not_fit_changes_nothing(path, to, message):
    def make(lr):
        w, b = start()
        optimizer = Adam([{"params": [w]}, {"params": [b], "lr": lr}])
        train(w, b, optimizer, steps=2)
        return optimizer
    optimizer = make(0.25)
    before = copy.deepcopy(optimizer.state_dict())
    with pytest.raises(ValueError, match=f"Adam.load_state_dict: {message}"):
        optimizer.load_state_dict(changed(make(0.5).state_dict(), *path, to=to))
    after = optimizer.state_dict()
    assert after["param_groups"] == before["param_groups"]
    assert all(np.array_equal(after["state"][i][key], before["state"][i][key]) for i in before["state"] for key in before["state"][i])


def test_older_versions_of_pytorch_write_none_for_nothing():
    optimizer = SGD(start(), momentum=0.5)
    saved = optimizer.state_dict()
    optimizer.load_state_dict({**saved, "state": {0: {"momentum_buffer": None}, 1: {"momentum_buffer": tn.tensor([2.0, 4.0])}}})
    w, b = optimizer.param_groups[0]["params"]
    assert optimizer.state[w] == {} and optimizer.state[b]["momentum_buffer"].tolist() == [2.0, 4.0]
    train(w, b, optimizer, steps=1)
    assert np.array_equal(optimizer.state[w]["momentum_buffer"], w.grad)


def test_settings_in_a_state_dict_are_checked_as_always():
    optimizer = Adam(start())
    with pytest.raises(ValueError, match="Adam: lr must be a finite number of at least 0, not -1"):
        optimizer.load_state_dict(changed(optimizer.state_dict(), "param_groups", 0, "lr", to=-1))
    with pytest.raises(ValueError, match=r"AdamW.load_state_dict: group 0 has decoupled_weight_decay=False, and here it is always True"):
        optim.AdamW(start()).load_state_dict(optimizer.state_dict())
    with pytest.raises(ValueError, match=r"SGD.load_state_dict: settings of group 0: missing \['momentum', .*unexpected \['betas', "):
        SGD(start()).load_state_dict(optimizer.state_dict())


def test_a_state_dict_may_be_in_another_dtype_and_come_from_a_file(tmp_path):
    w, b = start(np.float32)
    optimizer = Adam([w, b], lr=0.1, betas=(0.5, 0.75))
    train(w, b, optimizer, steps=2)
    tn.save(optimizer.state_dict(), tmp_path / "optimizer.npz")
    loaded = Adam(start())
    loaded.load_state_dict(tn.load(tmp_path / "optimizer.npz"))
    (own, _), entry = loaded.state, loaded.state_dict()["state"][0]
    assert own.dtype == entry["exp_avg"].dtype == np.float64 and entry["step"] == 2
    assert np.array_equal(entry["exp_avg"], optimizer.state[w]["exp_avg"]) and repr(loaded) == repr(optimizer)
    as_json = changed(optimizer.state_dict(), "param_groups", 0, "betas", to=[0.5, 0.75])
    loaded.load_state_dict(as_json)
    assert loaded.param_groups[0]["betas"] == (0.5, 0.75)


def test_what_an_optimizer_of_ones_own_remembers_is_saved_as_it_is():
    class Own(Optimizer):
        def change(self, p, g, state):
            state["seen"] = [*state.get("seen", []), float(g.sum())]
            state["last"] = tn.tensor([1, 2, 3]).data
            state["g"] = g * 2
            return -g

    w, b = start()
    one = Own([w, b], {})
    loss(w, b).backward()
    one.step()
    saved = one.state_dict()
    two = Own([w, b], {})
    two.load_state_dict(saved)
    saved["state"][0]["seen"].append(0.0)
    two.step()
    assert two.state[b]["seen"] == 2 * [b.grad.sum().item()] and len(two.state[w]["seen"]) == 2
    assert two.state[b]["last"].dtype == np.int64 and two.state[w]["g"].shape == (2, 2)


# ---------------------------------------------------------------------- copies

@pytest.mark.parametrize("copied", [copy.deepcopy, pytest.param(lambda x: pickle.loads(pickle.dumps(x)), marks=pytest.mark.host(
    "a pickle holds arrays of the host"))], ids=["deepcopy", "pickle"])
@pytest.mark.parametrize("kind", FULL)
def test_a_model_and_its_optimizer_can_be_copied_together(kind, copied):
    model = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1)).double()
    optimizer = getattr(optim, kind)(model.parameters(), **FULL[kind])
    x = tn.tensor(np.arange(8.0).reshape(4, 2))

    def steps(model, optimizer):
        for _ in range(3):
            optimizer.zero_grad()
            (model(x) ** 2).sum().backward()
            optimizer.step()
        return [p.tolist() for p in model.parameters()]
    steps(model, optimizer)
    twin, its_optimizer = copied((model, optimizer))
    before = [p.tolist() for p in model.parameters()]
    after = steps(twin, its_optimizer)
    assert [p.tolist() for p in model.parameters()] == before, "the copies share nothing with the originals"
    assert steps(model, optimizer) == after != before
    assert its_optimizer.state[twin[0].weight].keys() == optimizer.state[model[0].weight].keys()


def test_a_schedule_leaves_notes_that_are_shown_and_saved():
    optimizer = SGD(start(), lr=0.5)
    optim.lr_scheduler.ExponentialLR(optimizer, 0.5)
    assert "    initial_lr: 0.5\n" in repr(optimizer)
    other = SGD(start(), lr=0.25)
    other.load_state_dict(optimizer.state_dict())
    assert other.param_groups[0]["initial_lr"] == 0.5
    assert SGD([{"params": start(), "initial_lr": 0.125}]).param_groups[0]["initial_lr"] == 0.125
