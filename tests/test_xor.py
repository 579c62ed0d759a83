"""XOR, the first network of the lectures: 2 inputs, 2 tanh units, 1 logistic output, loss = ¼ Σ (y − ŷ)².

The chain rule written out by hand for all nine parameters equals autodiff; the start with equal weights never
learns; and of 1,000 random starts, trained together as one batched network, the expected share learns.
TINYGRAD_NUC_THOROUGH=1 trains all four kinds of random start (about 5 s each), otherwise one of them.
"""

import os

import numpy as np
import pytest

import tinygrad_nuc as tn
from tinygrad_nuc import nn, optim

X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
Y = np.array([[0.0], [1.0], [1.0], [0.0]])


def xor_network():
    return nn.Sequential(nn.Linear(2, 2), nn.Tanh(), nn.Linear(2, 1), nn.Sigmoid()).double()


def xor_loss(outputs, y):
    error = y - outputs
    return (error * error).sum() / 4


def train(network, epochs=10_000, lr=0.1):
    x, y = tn.tensor(X), tn.tensor(Y)
    optimizer = optim.SGD(network.parameters(), lr=lr)
    for _ in range(epochs):
        optimizer.zero_grad()
        xor_loss(network(x), y).backward()
        optimizer.step()
    return xor_loss(network(x), y).item()


# --- the chain rule by hand ---------------------------------------------------------------------------


def chain_rule_by_hand(W, b, v, c):
    """h_j = tanh(Σ_i W_ji x_i + b_j), ŷ = σ(Σ_j v_j h_j + c), L = ¼ Σ (y − ŷ)²: ∂L/∂ of all nine, by loops."""
    dW, db, dv, dc = np.zeros((2, 2)), np.zeros(2), np.zeros(2), 0.0
    for x, (y,) in zip(X, Y, strict=True):
        h = np.tanh(W @ x + b)
        y_hat = 1 / (1 + np.exp(-(v @ h + c)))
        dL_dz = -0.5 * (y - y_hat) * y_hat * (1 - y_hat)       # ∂L/∂ŷ · σ′
        dc += dL_dz
        for j in range(2):
            dv[j] += dL_dz * h[j]
            dL_da = dL_dz * v[j] * (1 - h[j] ** 2)             # through v_j and tanh′
            db[j] += dL_da
            for i in range(2):
                dW[j, i] += dL_da * x[i]
    return dW, db, dv, dc


@pytest.mark.parametrize("seed", range(10))
def test_autodiff_equals_the_chain_rule_by_hand(seed):
    rng = np.random.default_rng(seed)
    W, b, v, c = rng.normal(0, 2, (2, 2)), rng.normal(0, 2, 2), rng.normal(0, 2, 2), rng.normal()
    network = xor_network()
    network.load_state_dict({"0.weight": W, "0.bias": b, "2.weight": v[None], "2.bias": np.array([c])})
    xor_loss(network(tn.tensor(X)), tn.tensor(Y)).backward()
    dW, db, dv, dc = chain_rule_by_hand(W, b, v, c)
    np.testing.assert_allclose(network[0].weight.grad.data, dW, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(network[0].bias.grad.data, db, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(network[2].weight.grad.data, dv[None], rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(network[2].bias.grad.data, [dc], rtol=1e-12, atol=1e-15)


def test_the_network_has_nine_parameters():
    assert sum(p.numel() for p in xor_network().parameters()) == 9


# --- equal weights ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def equal_start():
    """The start on the slide: all weights 1, biases 0."""
    network = xor_network()
    for layer in (network[0], network[2]):
        nn.init.ones_(layer.weight)
        nn.init.zeros_(layer.bias)
    return train(network, epochs=0), train(network), network


def test_equal_weights_never_learn(equal_start):
    before, after, _ = equal_start
    assert before == pytest.approx(0.26907, abs=5e-6)
    assert after == pytest.approx(0.16833, abs=5e-6)


def test_equal_weights_end_at_the_same_outputs(equal_start):
    outputs = equal_start[2](tn.tensor(X)).data.ravel()
    np.testing.assert_allclose(outputs, [0.042, 0.665, 0.665, 0.669], atol=5e-4)


def test_equal_hidden_units_stay_identical(equal_start):
    hidden, output = equal_start[2][0], equal_start[2][2]
    assert np.array_equal(hidden.weight.data[0], hidden.weight.data[1])
    assert hidden.bias.data[0] == hidden.bias.data[1]
    assert output.weight.data[0, 0] == output.weight.data[0, 1]
    assert not np.array_equal(hidden.weight.data, np.ones((2, 2)))         # they did move


# --- 1,000 random starts as one batched network -------------------------------------------------------


def glorot(rng, shape):
    bound = np.sqrt(6 / (shape[-2] + shape[-1]))
    return rng.uniform(-bound, bound, shape)


SCHEMES = {                                                                # how weights start, and the share solved
    "uniform from 0 to 1": (lambda rng, shape: rng.uniform(0, 1, shape), 0.85),
    "normal": (lambda rng, shape: rng.normal(0, 1, shape), 0.55),
    "Glorot uniform": (glorot, 0.60),
    "uniform from -1 to 1": (lambda rng, shape: rng.uniform(-1, 1, shape), 0.64),
}
RUN = list(SCHEMES) if os.environ.get("TINYGRAD_NUC_THOROUGH") else ["uniform from 0 to 1"]


def batched_starts(draw, starts, dtype):
    """Parameters with a leading dimension that counts the starts; biases 0."""
    rng = np.random.default_rng(1)
    values = (draw(rng, (starts, 2, 2)), np.zeros((starts, 1, 2)), draw(rng, (starts, 2, 1)), np.zeros((starts, 1, 1)))
    return [tn.tensor(value.astype(dtype), requires_grad=True) for value in values]


def batched_outputs(parameters, x):
    W, b, v, c = parameters
    return tn.sigmoid(tn.tanh(x @ W + b) @ v + c)


@pytest.fixture(scope="module", params=RUN)
def thousand(request):
    """(share expected, which starts got all four answers right, their losses) after 10,000 epochs at lr 0.1."""
    draw, expected = SCHEMES[request.param]
    parameters = batched_starts(draw, 1000, np.float32)
    x, y = tn.tensor(X).float(), tn.tensor(Y).float()
    for _ in range(10_000):
        xor_loss(batched_outputs(parameters, x), y).backward()             # a sum over starts: gradients stay apart
        for w in parameters:
            w.data -= 0.1 * w.grad.data
            w.grad = None
    outputs = batched_outputs(parameters, x).data
    solved = ((outputs > 0.5) == (Y > 0.5)).all(axis=(1, 2))
    return expected, solved, ((Y - outputs) ** 2).sum(axis=(1, 2)) / 4


def test_random_starts_solve_xor_as_often_as_expected(thousand):
    expected, solved, _ = thousand
    assert solved.shape == (1000,)
    assert abs(solved.mean() - expected) <= 0.05


def test_a_solved_run_ends_near_0_0012(thousand):
    _, solved, losses = thousand
    assert np.median(losses[solved]) == pytest.approx(0.0012, abs=2e-4)


def test_failures_sit_at_two_plateaus(thousand):
    _, solved, losses = thousand
    distance = np.min(np.abs(losses[~solved, None] - [0.126, 0.168]), axis=1)
    assert np.mean(distance < 0.002) > 0.9


def test_starts_in_one_batch_have_the_gradients_of_single_networks():
    parameters = batched_starts(glorot, 5, np.float64)
    xor_loss(batched_outputs(parameters, tn.tensor(X)), tn.tensor(Y)).backward()
    for i in range(5):
        single = [tn.tensor(w.data[i], requires_grad=True) for w in parameters]
        xor_loss(batched_outputs(single, tn.tensor(X)), tn.tensor(Y)).backward()
        for w, one in zip(parameters, single, strict=True):
            np.testing.assert_allclose(w.grad.data[i], one.grad.data, rtol=1e-12)
