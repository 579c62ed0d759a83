"""tn.compile: what cannot be replayed is refused, with the line and what to do; everything is then as it was."""

import random
import re

import numpy as np
import pytest
from compile_helpers import FIRST

import tinygrad_nuc as tn
from tinygrad_nuc import nn, optim

F = nn.functional


class Training:
    """A network, an optimizer, and a step in which something else is done as well."""

    def __init__(self, what):
        tn.manual_seed(0)
        self.what, self.calls = what, 0
        self.model = nn.Sequential(nn.Linear(3, 4), nn.Dropout(0.5), nn.BatchNorm1d(4), nn.Linear(4, 1)).double()
        self.optimizer = optim.Adam(self.model.parameters(), lr=0.01)
        self.schedule = optim.lr_scheduler.StepLR(self.optimizer, 1, 0.5)
        self.kept = tn.zeros(1, dtype=tn.float64)
        self.compiled = tn.compile(self.step)

    def step(self, x):
        self.calls += 1
        self.optimizer.zero_grad()
        loss = self.model(x).square().mean()
        self.what(self, x, loss)
        loss.backward()
        self.optimizer.step()
        return loss

    def call(self, i=0):
        rng = np.random.default_rng(i)
        return self.compiled(tn.tensor(rng.normal(size=(6, 3))))


def branch(t, x, loss):
    if loss > 1:                                                # the line
        x.sum()


def first_of_two(t, x, loss):
    assert loss > -1 and loss < 1e9                             # the line


def as_float(t, x, loss):
    float(loss)                                                 # the line


def as_int(t, x, loss):
    int(loss)                                                   # the line


def printed(t, x, loss):
    print(loss)                                                 # the line


def formatted(t, x, loss):
    f"{loss:.3f}"                                               # the line


def item(t, x, loss):
    loss.item()                                                 # the line


def as_list(t, x, loss):
    x.tolist()                                                  # the line


def to_numpy(t, x, loss):
    np.linalg.eigvalsh(x.detach().numpy().T @ x.numpy()).tolist()               # the line


def as_array(t, x, loss):
    np.asarray(x)                                               # the line


def masked(t, x, loss):
    x[x > 0].sum()                                              # the line


def masked_by_function(t, x, loss):
    tn.masked_select(x, x > 0)                                  # the line


def where_it_is(t, x, loss):
    np.nonzero(x.data > 0)                                      # the line


def a_loop(t, x, loss):
    while x.abs().max() > 1:                                    # the line
        x = 0.5 * x


def index_of_a_list(t, x, loss):
    ["a", "b"][(x.sum() > 0).long()]                            # the line


def scheduled(t, x, loss):
    t.optimizer.step()
    t.schedule.step()


def a_set_learning_rate(t, x, loss):
    t.optimizer.param_groups[0]["lr"] *= 0.5


def numpys_random(t, x, loss):
    x + np.random.normal(size=3)


def numpys_own_generator(t, x, loss):
    t.kept += (x + np.random.default_rng().normal(size=(6, 3))).sum()           # the line


def pythons_random(t, x, loss):
    x * random.random()


def a_counter(t, x, loss):
    with tn.no_grad():
        t.kept += t.calls * x.sum()                             # the line


def a_power_of_a_counter(t, x, loss):
    with tn.no_grad():
        t.kept += (x ** t.calls).sum()                          # the line


def every_other_time(t, x, loss):
    if t.calls % 2:
        with tn.no_grad():
            t.kept += x.sum()                                   # the line


def more_and_more(t, x, loss):
    for _ in range(t.calls):
        with tn.no_grad():
            t.kept += x.sum()                                   # the line


def from_outside(t, x, loss):
    with tn.no_grad():
        t.kept += tn.tensor(t.calls * [1.0] + [0.0]).sum() * x.sum()            # the line


def another_array(t, x, loss):
    with tn.no_grad():
        t.kept += (x * np.full(3, 1.0 * t.calls)).sum()         # the line


def from_the_call_before(t, x, loss):
    with tn.no_grad():
        t.kept += x.sum() + getattr(t, "before", 0)             # the line
    t.before = x.mean()


HINTS = {
    branch: "tn.where", first_of_two: "tn.where", as_float: "after the step", as_int: "after the step", printed: "after the step",
    formatted: "after the step", item: "after the step", as_list: "after the step", to_numpy: "after the step",
    as_array: "after the step",
    masked: "tn.where", masked_by_function: "tn.where", where_it_is: "tn.where", a_loop: "tn.where", index_of_a_list: "tn.where",
    numpys_random: "use tn.rand, tn.randn", pythons_random: "use tn.rand, tn.randn",
    numpys_own_generator: "other numbers than in the call before", a_counter: "give it to the step, as a tensor",
    a_power_of_a_counter: "to the step|where it computed", every_other_time: "in one call and not in the other|where it computed",
    more_and_more: "in one call and not in the other|where it computed", another_array: "give it to the step, as a tensor",
    from_outside: "to the step", from_the_call_before: "must be among its inputs|give it to the step, as a tensor",
    scheduled: "let the schedule make its step after this one", a_set_learning_rate: "changes a setting of Adam, which a replay would not do"}
WITHOUT_A_LINE = {numpys_random, pythons_random, scheduled, a_set_learning_rate}


def line_of(function):
    """Where the function says ``# the line``."""
    with open(__file__, encoding="utf-8") as file:
        lines = file.read().split("\n")
    start = function.__code__.co_firstlineno
    return next(i for i in range(start, len(lines)) if lines[i - 1].endswith("# the line"))


def tensors_of(training):
    optimizer = training.optimizer
    found = [*training.model.parameters(), *training.model.buffers(), training.kept, *(p.grad for p in training.model.parameters())]
    return [*found, *(x for entry in optimizer.state.values() for x in entry.values() if isinstance(x, tn.Tensor))]


@pytest.mark.parametrize("what", HINTS, ids=lambda what: what.__name__)
def test_a_refusal_names_the_line_and_what_to_do(what, capsys):
    training = Training(what)
    with pytest.raises(RuntimeError) as error:
        for i in range(6):
            training.call(i)
    message = str(error.value)
    assert message.startswith("compile: ") and re.search(HINTS[what], message), message
    if what not in WITHOUT_A_LINE:
        assert f"{__file__}:{line_of(what)}" in message, message
    assert training.compiled.replays == 0 and training.calls <= FIRST + 1


@pytest.mark.parametrize("what", HINTS, ids=lambda what: what.__name__)
def test_after_a_refusal_everything_is_ordinary_again(what, capsys):
    training = Training(what)
    with pytest.raises(RuntimeError):
        for i in range(6):
            training.call(i)
    assert all(t is None or type(t.data) is np.ndarray for t in tensors_of(training))
    assert isinstance(tn.default_generator(), np.random.Generator)
    assert type(tn.rand(3).data) is np.ndarray and np.isfinite(tn.randn(3).numpy()).all()
    training.what = lambda *args: None                          # and an ordinary step is made as ever
    before = training.model[0].weight.numpy().copy()
    loss = training.step(tn.ones(6, 3, dtype=tn.float64))
    assert np.isfinite(loss.item()) and (training.model[0].weight.numpy() != before).any()
    again = Training(training.what)                             # as is another compiled one
    for i in range(5):
        again.call(i)
    assert again.compiled.replays == 2


def test_an_error_of_the_users_own_passes_through():
    def fails(t, x, loss):
        if t.calls == 2:
            raise KeyError("mine")
    training = Training(fails)
    training.call()
    with pytest.raises(KeyError, match="mine"):
        training.call()
    assert all(t is None or type(t.data) is np.ndarray for t in tensors_of(training))
    for i in range(6):
        training.call(i)
    assert training.compiled.replays >= 3


def test_an_error_while_recording_leaves_no_gradients_behind():
    def late(t, x, loss):
        if t.calls >= 2:
            loss.backward()
            float(loss)
    training = Training(late)
    training.call()
    with pytest.raises(RuntimeError, match="compile: "):
        training.call(1)
    assert all(type(t.data) is np.ndarray for t in tensors_of(training) if t is not None)
    F.mse_loss(training.model(tn.ones(6, 3, dtype=tn.float64)), tn.zeros(6, 1, dtype=tn.float64)).backward()


def test_a_refused_step_is_refused_again():
    training = Training(item)
    training.call()
    for _ in range(3):
        with pytest.raises(RuntimeError, match="needs to know a value"):
            training.call()
    assert training.compiled.replays == 0
