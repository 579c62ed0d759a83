"""Optimizers: twelve updates of a small problem equal PyTorch's (stored numbers), and every setting is obeyed.

The reference numbers were computed with torch 2.13 in float64 on the same problem.
"""

import numpy as np
import pytest

import tinygrad_nuc as tn
from tinygrad_nuc import nn
from tinygrad_nuc.optim import SGD, Adam, Optimizer

A = np.array([[1.0, 2.0], [-0.5, 0.3], [0.7, -1.2]])
TARGET = np.array([[1.0, 0.0], [-1.0, 2.0], [0.5, 0.5]])


def start(dtype=np.float64):
    """Weights and biases of the problem: L = Σ (tanh(A Wᵀ + b) − T)²."""
    w = tn.tensor(np.array([[0.5, -1.0], [2.0, 0.25]], dtype), requires_grad=True)
    b = tn.tensor(np.array([0.1, -0.3], dtype), requires_grad=True)
    return w, b


def loss(w, b):
    error = tn.tanh(tn.tensor(A.astype(w.dtype)) @ w.T + b) - tn.tensor(TARGET.astype(w.dtype))
    return (error * error).sum()


def after_twelve_steps(w, b, optimizer):
    for _ in range(12):
        optimizer.zero_grad()
        loss(w, b).backward()
        optimizer.step()
    return [*w.data.ravel(), *b.data]


PYTORCH = [
    (SGD, {"lr": 0.1},
     [1.351028095277045, 0.1036311066664877, 0.7623920886419904, 1.110142031865099,
      -0.2817533641456443, 1.5262568490858854]),
    (SGD, {"lr": 0.05, "momentum": 0.9},
     [3.5703077867944586, 1.5396599613688764, -0.9195123642380302, 2.177405416935211,
      0.01879201709071984, 3.9162249028217935]),
    (SGD, {"lr": 0.05, "momentum": 0.9, "dampening": 0.3},
     [2.901550747459605, 1.422310682516561, -0.3876403069540644, 1.7790912036678042,
      -0.06698994547024323, 3.2471724850460504]),
    (SGD, {"lr": 0.1, "weight_decay": 0.2},
     [1.2021648435842454, 0.09428542084819053, 0.5073710194754809, 0.9104414297095782,
      -0.2505064394965247, 1.36640292083834]),
    (SGD, {"lr": 0.05, "momentum": 0.8, "dampening": 0.1, "weight_decay": 0.2},
     [2.163232397580065, 0.6951959958763769, -0.4362997819655458, 1.3001777197347708,
      -0.15603076082384132, 2.3947831175317433]),
    (SGD, {"lr": 0.05, "momentum": 0.9, "nesterov": True},
     [3.298061895813661, 1.277604393630741, -0.7508471877300511, 2.1361936653733085,
      -0.15692847796947557, 3.5602135510968664]),
    (SGD, {"lr": 0.05, "momentum": 0.9, "nesterov": True, "weight_decay": 0.1},
     [2.9400738239488735, 1.0608401634675093, -0.9589807684087357, 1.7756998193208982,
      -0.15690158584435324, 3.2230954269884835]),
    (Adam, {},
     [0.5120056887663035, -0.9879768221767855, 1.9879908847694994, 0.2620170321743236,
      0.08813042100565623, -0.2879792151170613]),
    (Adam, {"lr": 0.1},
     [1.604716738116278, 0.013512893290345433, 0.831798098635836, 1.26395026289091,
      0.2621182286757017, 0.9041240190369368]),
    (Adam, {"lr": 0.1, "betas": (0.5, 0.8)},
     [1.4528876001747006, -0.15492385832344163, 0.8875636496370731, 1.0658665243740215,
      -0.07972690900398782, 0.9351244462619238]),
    (Adam, {"lr": 0.1, "eps": 0.1},
     [1.5506048209721748, -0.008160325417560697, 0.8913101118331046, 1.223625433187674,
      0.2775243450174876, 0.8629960126464551]),
    (Adam, {"lr": 0.1, "weight_decay": 0.3},
     [1.5549889997505109, 0.026444893108982834, 0.8245011393955657, 1.1571836293479083,
      0.2280822935277264, 0.9037962068238243]),
]


@pytest.mark.parametrize(("kind", "settings", "expected"), PYTORCH, ids=lambda x: getattr(x, "__name__", None))
def test_twelve_steps_equal_pytorchs(kind, settings, expected):
    w, b = start()
    np.testing.assert_allclose(after_twelve_steps(w, b, kind([w, b], **settings)), expected, rtol=1e-12, atol=1e-12)


def test_groups_with_their_own_settings_equal_pytorchs():
    w, b = start()
    optimizer = SGD([{"params": [w]}, {"params": b, "lr": 0.01, "momentum": 0.5}], lr=0.1, momentum=0.9)
    expected = [5.548552758083969, 2.244937832103053, -2.5797624262462002, -1.8077984526999746,
                0.1030274638860679, 0.41301490935598717]
    np.testing.assert_allclose(after_twelve_steps(w, b, optimizer), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("kind", "settings", "expected"), PYTORCH, ids=lambda x: getattr(x, "__name__", None))
def test_float32_stays_float32(kind, settings, expected):
    w, b = start(np.float32)
    optimizer = kind([w, b], **settings)
    np.testing.assert_allclose(after_twelve_steps(w, b, optimizer), expected, rtol=2e-4, atol=2e-5)
    assert w.dtype == b.dtype == np.float32
    remembered = [x for state in optimizer.state.values() for x in state.values() if isinstance(x, np.ndarray)]
    assert {x.dtype for x in remembered} <= {np.dtype(np.float32)}


@pytest.mark.parametrize("kind", [SGD, Adam])
def test_the_default_learning_rate_is_one_thousandth(kind):
    assert kind(start()).param_groups[0]["lr"] == 1e-3


# --- which parameters move ----------------------------------------------------------------------------


@pytest.mark.parametrize("optimizer", [lambda p: SGD(p, lr=0.1, momentum=0.9, weight_decay=0.1),
                                       lambda p: Adam(p, lr=0.1, weight_decay=0.1)])
def test_a_parameter_without_a_gradient_is_left_alone(optimizer):
    w, b = start()
    b.requires_grad = False                                     # frozen
    optimizer = optimizer([w, b])
    loss(w, b).backward()
    optimizer.step()
    assert np.array_equal(b.data, [0.1, -0.3])
    assert not np.any(w.data == start()[0].data)


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
    np.testing.assert_allclose(shared.weight.data, [[0.5, 0.3], [0.5, 0.3]], rtol=1e-12)


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
    np.testing.assert_allclose(w.data, [0.99, 1.01, 0.99], atol=1e-6)


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
    (lambda w, b: [w.data], TypeError, "a ndarray is not a parameter; pass model.parameters()"),
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


def test_an_optimizer_of_ones_own_needs_only_its_formula():
    class SignDescent(Optimizer):
        def change(self, p, g, state, *, lr):
            return -lr * np.sign(g)

    w = tn.tensor(np.array([1.0, -1.0]), requires_grad=True)
    optimizer = SignDescent([w], {"lr": 0.25})
    (w * w * w).sum().backward()                                # 3 w² = (3, 3)
    optimizer.step()
    assert w.tolist() == [0.75, -1.25]


def test_an_optimizer_without_a_formula_says_so():
    w, b = start()
    loss(w, b).backward()
    with pytest.raises(TypeError, match="Optimizer has no change method"):
        Optimizer([w], {"lr": 0.1}).step()
