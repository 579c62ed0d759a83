"""Optimizers: which parameters move, in which groups, by how much; what is refused. What they remember: test_optim_state.py.

Every update of every setting is compared with PyTorch's in pytorch_cases/optim.py.
"""

import numpy as np
import pytest
from optim_problem import ALL, loss, name, start, train

import tinygrad_nuc as tn
from tinygrad_nuc import nn
from tinygrad_nuc.optim import SGD, Adagrad, Adam, AdamW, Optimizer, RMSprop, flat


@pytest.mark.parametrize(("kind", "settings"), ALL, ids=name)
def test_float32_stays_float32(kind, settings):
    w, b = start(np.float32)
    optimizer = kind([w, b], **settings)
    precise = start()
    expected = train(*precise, kind(precise, **settings))
    np.testing.assert_allclose(train(w, b, optimizer), expected, rtol=2e-4, atol=2e-5)
    assert w.dtype == b.dtype == np.float32
    assert all(x.dtype == np.float32 for entry in optimizer.state.values() for x in entry.values() if hasattr(x, "dtype"))


@pytest.mark.parametrize(("kind", "lr"), [("SGD", 1e-3), ("Adam", 1e-3), ("AdamW", 1e-3), ("Adagrad", 1e-2), ("RMSprop", 1e-2)])
def test_the_default_learning_rate(kind, lr):
    assert getattr(tn.optim, kind)(start()).param_groups[0]["lr"] == lr


# --- which parameters move ----------------------------------------------------------------------------


@pytest.mark.parametrize("optimizer", [lambda p: SGD(p, lr=0.1, momentum=0.9, weight_decay=0.1),
                                       lambda p: Adam(p, lr=0.1, weight_decay=0.1)])
def test_a_parameter_without_a_gradient_is_left_alone(optimizer):
    w, b = start()
    b.requires_grad = False                                     # frozen
    optimizer = optimizer([w, b])
    loss(w, b).backward()
    optimizer.step()
    assert np.array_equal(b.numpy(), [0.1, -0.3])
    assert not np.any(w.numpy() == start()[0].numpy())


def test_zero_grad_forgets_every_gradient():
    w, b = start()
    loss(w, b).backward()
    SGD([w, b]).zero_grad()
    assert w.grad is None and b.grad is None


def test_a_shared_parameter_takes_one_step():
    shared = nn.Linear(2, 2, bias=False, dtype=np.float64)
    nn.init.ones_(shared.weight)
    model = nn.Sequential(shared, shared)                       # y = W W x
    optimizer = SGD(model.parameters(), lr=0.1)
    model(tn.tensor(np.array([[1.0, 2.0]]))).sum().backward()
    optimizer.step()                                            # ∂Σy/∂W = 1 (Wx)ᵀ + (Wᵀ1) xᵀ = 3 + 2 (1, 2)
    np.testing.assert_allclose(shared.weight.numpy(), [[0.5, 0.3], [0.5, 0.3]], rtol=1e-12)


def test_the_parameters_may_come_from_a_generator():
    layer = nn.Linear(2, 3)
    assert [p.shape for p in SGD(layer.parameters()).param_groups[0]["params"]] == [(3, 2), (3,)]


def test_a_number_can_be_trained():
    w = tn.tensor(np.float64(3.0), requires_grad=True)
    optimizer = SGD([w], lr=0.1, momentum=0.5)
    for _ in range(2):
        optimizer.zero_grad()
        (w * w).backward()
        optimizer.step()                                        # v = 6, w = 2.4; then v = 3 + 4.8, w = 1.62
    assert w.item() == pytest.approx(1.62, rel=1e-12)
    assert w.shape == ()


# --- settings -----------------------------------------------------------------------------------------


def test_the_learning_rate_can_be_changed_on_the_way():
    w = tn.tensor(np.array([1.0]), requires_grad=True)
    optimizer = SGD([w], lr=0.5)
    values = []
    for lr in (0.5, 0.25, 0.0):
        optimizer.param_groups[0]["lr"] = lr
        optimizer.zero_grad()
        w.sum().backward()
        optimizer.step()
        values.append(w.item())
    assert values == [0.5, 0.25, 0.25]


def test_adams_first_step_has_the_length_of_the_learning_rate():
    w = tn.tensor(np.array([1.0, 1.0, 1.0]), requires_grad=True)
    optimizer = Adam([w], lr=0.01)
    (w * tn.tensor(np.array([1e-3, -1.0, 1e6]))).sum().backward()
    optimizer.step()
    np.testing.assert_allclose(w.numpy(), [0.99, 1.01, 0.99], atol=1e-6)


def test_a_step_between_forward_and_backward_is_refused():
    w, b = start()
    value = loss(w, b)
    value.backward(retain_graph=True)
    SGD([w, b], lr=0.1).step()
    with pytest.raises(RuntimeError, match="changed in place"):
        value.backward()


@pytest.mark.parametrize(("kind", "settings", "message"), [
    (SGD, {"lr": -0.1}, "SGD: lr must be a finite number of at least 0, not -0.1"),
    (SGD, {"lr": float("nan")}, "SGD: lr must be a finite number"),
    (Adam, {"lr": float("inf")}, "Adam: lr must be a finite number"),
    (SGD, {"momentum": -0.9}, "SGD: momentum must be"),
    (Adam, {"weight_decay": -1}, "Adam: weight_decay must be"),
    (Adam, {"eps": -1e-8}, "Adam: eps must be"),
    (Adam, {"betas": (0.9, 1.0)}, r"Adam: betas must be two numbers .*not \(0.9, 1.0\)"),
    (Adam, {"betas": (-0.1, 0.9)}, "Adam: betas must be two numbers"),
    (Adam, {"betas": (0.9,)}, "Adam: betas must be two numbers"),
    (AdamW, {"betas": (0.9, 1.0)}, "AdamW: betas must be two numbers"),
    (Adagrad, {"lr_decay": -0.1}, "Adagrad: lr_decay must be"),
    (Adagrad, {"initial_accumulator_value": -1}, "Adagrad: initial_accumulator_value must be"),
    (RMSprop, {"alpha": 1.0}, "RMSprop: alpha must be a number from 0 up to but not including 1, not 1.0"),
    (RMSprop, {"alpha": -0.1}, "RMSprop: alpha must be"),
    (RMSprop, {"momentum": float("nan")}, "RMSprop: momentum must be"),
    (SGD, {"lr": "fast"}, "SGD: lr must be a finite number of at least 0, not 'fast'"),
    (SGD, {"lr": True}, "SGD: lr must be a finite number of at least 0, not True"),
    (SGD, {"nesterov": "no", "momentum": 0.9}, "SGD: nesterov must be True or False, not 'no'"),
    (SGD, {"maximize": 1}, "SGD: maximize must be True or False, not 1"),
    (Adam, {"amsgrad": "yes"}, "Adam: amsgrad must be True or False, not 'yes'"),
    (Adam, {"betas": ("a", "b")}, r"Adam: betas must be two numbers .*not \('a', 'b'\)"),
    (Adam, {"betas": (False, 0.9)}, "Adam: betas must be two numbers"),
    (RMSprop, {"alpha": False}, "RMSprop: alpha must be a number"),
    (RMSprop, {"centered": None}, "RMSprop: centered must be True or False, not None"),
    (SGD, {"nesterov": True}, "SGD: nesterov needs a momentum"),
    (SGD, {"nesterov": True, "momentum": 0.9, "dampening": 0.1}, "SGD: nesterov needs .*dampening of 0"),
])
def test_settings_that_make_no_sense_are_refused(kind, settings, message):
    with pytest.raises(ValueError, match=message):
        kind(start(), **settings)


@pytest.mark.parametrize("kind", [SGD, Adam])
@pytest.mark.parametrize(("params", "error", "message"), [
    (lambda w, b: [], ValueError, "there are no parameters to train"),
    (lambda w, b: [w, w], ValueError, r"a parameter of shape \(2, 2\) was given twice"),
    (lambda w, b: [{"params": [w]}, {"params": [b, w]}], ValueError, ".* was given twice"),
    (lambda w, b: [w * 2], ValueError, r"a tensor of shape \(2, 2\) was computed from others"),
    (lambda w, b: [w.numpy()], TypeError, "a ndarray is not a parameter; pass model.parameters()"),
    (lambda w, b: nn.Linear(1, 1).named_parameters(), TypeError, "a tuple is not a parameter"),
])
def test_parameters_that_cannot_be_trained_are_refused(kind, params, error, message):
    with pytest.raises(error, match=f"{kind.__name__}: {message}"):
        kind(params(*start()))


def test_a_group_is_checked_like_the_defaults():
    w, b = start()
    with pytest.raises(ValueError, match="lr must be"):
        SGD([{"params": [w]}, {"params": [b], "lr": -1}], lr=0.1)
    with pytest.raises(ValueError, match="SGD: a group has 'params' and any of lr, .*; this one has 'params', 'rate'"):
        SGD([{"params": [w], "rate": 1}])


def test_numpys_numbers_and_answers_are_settings():
    group = SGD(start(), lr=np.float32(0.5), momentum=np.float64(0.9), nesterov=np.bool_(True)).param_groups[0]
    assert (group["lr"], group["momentum"], group["nesterov"]) == (0.5, 0.9, True) and type(group["nesterov"]) is bool
    Adam(start(), betas=[np.float32(0.9), np.float32(0.99)])


def test_numpys_numbers_as_settings_promote_nothing():
    w, b = start(np.float32)
    optimizer = Adam([{"params": [w, b], "lr": np.float64(0.1)}], betas=(np.float64(0.5), np.float32(0.75)))
    optimizer.param_groups[0]["weight_decay"] = np.float64(0.1)
    train(w, b, optimizer, steps=2)
    assert optimizer.state[w]["exp_avg"].dtype == optimizer.state[w]["exp_avg_sq"].dtype == w.dtype == np.float32
    assert optimizer.param_groups[0]["betas"] == (0.5, 0.75) and type(optimizer.param_groups[0]["lr"]) is float


def test_one_number_may_be_a_whole_group():
    w = tn.tensor(np.float64(3.0), requires_grad=True)
    optimizer = SGD([{"params": w}], lr=0.5)
    (w * w).backward()
    optimizer.step()
    assert w.item() == 0.0


def test_a_constant_gradient_has_no_spread_but_a_finite_step():
    w = tn.tensor([1.0], requires_grad=True)                    # rounding makes v a little less than ḡ²
    optimizer = RMSprop([w], lr=1e-12, alpha=0.5, centered=True)
    for _ in range(40):
        w.grad = tn.tensor([0.39743589743589747])
        optimizer.step()
    state = optimizer.state[w]
    assert np.isfinite(w.item()) and state["square_avg"].item() < state["grad_avg"].item() ** 2


def test_a_centered_rmsprop_takes_the_new_mean():
    w = tn.tensor([0.0], requires_grad=True, dtype=tn.float64)
    w.grad = tn.tensor([4.0], dtype=tn.float64)
    RMSprop([w], lr=1.0, alpha=0.5, eps=0, centered=True).step()
    # v = 0.5 · 16 = 8 and ḡ = 0.5 · 4 = 2, so σ = √(8 − 4) = 2; with the old mean, 0, it would be √8
    assert w.item() == pytest.approx(-2, rel=1e-12)
    lines = RMSprop.__doc__.splitlines()
    centered = next(line for line in lines if line.endswith("(centered)"))
    assert centered.index("ḡ ←") < centered.index("σ =")


def test_a_closure_computes_the_loss_first():
    w = tn.tensor([2.0], requires_grad=True)
    optimizer = SGD([w], lr=0.25)

    def closure():
        optimizer.zero_grad()
        loss = (w * w).sum()
        loss.backward()
        return loss
    with tn.no_grad():
        assert optimizer.step(closure).item() == 4.0
    assert w.item() == 1.0 and optimizer.step() is None and w.item() == 0.0


# --- optimizers of one's own --------------------------------------------------------------------------


def test_an_optimizer_of_ones_own_needs_only_its_formula():
    class SignDescent(Optimizer):
        def change(self, p, g, state, *, lr):
            return -lr * np.sign(g)

    w = tn.tensor(np.array([1.0, -1.0]), requires_grad=True)
    optimizer = SignDescent([w], {"lr": 0.25})
    (w * w * w).sum().backward()                                # 3 w² = (3, 3)
    optimizer.step()
    assert w.tolist() == [0.75, -1.25]


class NormalisedDescent(Optimizer):
    """Steps of the length lr · 0.5ᵗ for each parameter, against the gradient and the one before."""
    def __init__(self, params, lr):
        super().__init__(params, {"lr": lr})

    def change(self, p, g, state, *, lr):
        t = state["t"] = state.get("t", -1) + 1
        direction = g + state.get("last", 0)
        state["last"] = g
        state["lengths"] = np.append(state.get("lengths", np.zeros_like(g, shape=0)), np.linalg.norm(direction))
        return -lr * 0.5 ** t * direction / np.linalg.norm(direction)


@pytest.mark.parametrize("cache", [1, 2 ** 16])
def test_a_formula_that_looks_at_whole_parameters_gets_each_one_in_its_shape(cache, monkeypatch):
    monkeypatch.setattr(flat, "CACHE", cache)
    w, b = start()
    optimizer = NormalisedDescent([w, b], lr=1.0)
    for gradient in (3.0, 5.0):
        w.grad, b.grad = tn.tensor([[gradient, 0.0], [0.0, 4.0]]).double(), tn.tensor([0.0, gradient]).double()
        optimizer.step()                                        # w: (3, 4)/5, then (8, 8)/√128 /2
    np.testing.assert_allclose(w.numpy(), [[0.5 - 0.6 - 8 ** 0.5 / 8, -1], [2, 0.25 - 0.8 - 8 ** 0.5 / 8]], rtol=1e-12)
    np.testing.assert_allclose(b.numpy(), [0.1, -1.8], rtol=1e-12)
    assert optimizer.state[w]["t"] == 1 and optimizer.state[b]["last"].tolist() == [0.0, 5.0]
    assert isinstance(optimizer.state[w]["lengths"], tn.Tensor)
    np.testing.assert_allclose(optimizer.state[w]["lengths"].numpy(), [5.0, 128 ** 0.5])


def test_what_a_formula_takes_out_of_its_state_is_forgotten():
    class Impatient(Optimizer):
        elementwise = True

        def change(self, p, g, state):
            if state.get("steps", 0) == 2:
                state.clear()
                return np.zeros_like(g)
            state["steps"], state["sum"] = state.get("steps", 0) + 1, state.get("sum", 0) + g
            return -state["sum"]

    w, b = start()
    optimizer = Impatient([w, b], {})
    for remembered in (["steps", "sum"], ["steps", "sum"], [], ["steps", "sum"]):
        w.grad, b.grad = tn.ones_like(w), tn.ones_like(b)
        optimizer.step()                                        # 1, 2, 0, and again 1
        assert list(optimizer.state[b]) == remembered
    np.testing.assert_allclose(b.numpy(), [-3.9, -4.3])
    assert optimizer.state[b]["steps"] == 1 and optimizer.state[b]["sum"].tolist() == [1.0, 1.0]


def test_an_optimizer_may_do_its_own_step_as_in_pytorch():
    class Momentum(Optimizer):
        def __init__(self, params, lr):
            super().__init__(params, {"lr": lr})

        def step(self):
            for group in self.param_groups:
                for p in group["params"]:
                    state = self.state[p]
                    if len(state) == 0:
                        state["v"] = tn.zeros_like(p)
                    state["v"] = 0.5 * state["v"] + p.grad
                    p.data -= group["lr"] * state["v"].data

    w, b = start()
    optimizer = Momentum([w, b], lr=1.0)
    for _ in range(2):
        w.grad, b.grad = tn.ones_like(w), tn.ones_like(b)
        optimizer.step()
    np.testing.assert_allclose(b.numpy(), [0.1 - 2.5, -0.3 - 2.5])
    assert optimizer.state_dict()["state"][1]["v"].tolist() == [1.5, 1.5]


def test_an_optimizer_without_a_formula_says_so():
    w, b = start()
    loss(w, b).backward()
    with pytest.raises(TypeError, match="Optimizer has no change method"):
        Optimizer([w], {"lr": 0.1}).step()
