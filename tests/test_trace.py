"""trace and record: the steps are those the engine takes, in their order, with its numbers and the program's lines."""

import inspect
import threading

import numpy as np
import pytest

import tinygrad_nuc as tn
from tinygrad_nuc import nn, optim
from tinygrad_nuc.engine.watching import watchers
from tinygrad_nuc.inspect.stepping.steps import Backward, Forward, Hooked, Start, Store, Update
from tinygrad_nuc.inspect.stepping.trace import excerpt


def line_number(text):
    """Where in this file the line with this text stands."""
    lines, start = inspect.getsourcelines(inspect.currentframe().f_back.f_code)
    return start + next(i for i, line in enumerate(lines) if text in line and "line_number" not in line)


def kinds(trace):
    return "".join(type(step).__name__[0] for step in trace)         # Forward, Start or Store, Backward, Hooked, Update


def last_totals(trace):
    """The gradient of every node at the end, by its label."""
    return {trace.labels[step.to]: step.total for step in trace if isinstance(step, Backward)}


def xor_network(seed=3):
    tn.manual_seed(seed)
    return nn.Sequential(nn.Linear(2, 2), nn.Tanh(), nn.Linear(2, 1), nn.Sigmoid()).double()


# ---------------------------------------------------------------------- the steps

def test_the_steps_of_a_small_program_with_every_number():
    x, w = tn.tensor(3.0), tn.tensor(2.0, requires_grad=True)
    h = x * w
    y = h + w
    trace = tn.inspect.trace(y)
    assert kinds(trace) == "FFSBBB"
    assert [trace.labels[node] for node in trace.nodes] == ["x", "w", "h", "y"]
    multiply, add, start, to_h, to_w, to_w_again = trace
    assert (multiply.node.operation.__name__, multiply.node.value, add.node.value) == ("Multiply", 6.0, 8.0)
    assert add.node.inputs == (multiply.node, trace.nodes[1])
    assert (start.node, start.gradient) == (add.node, 1.0)
    assert [(s.rule_name, s.arriving, s.share, s.total) for s in (to_h, to_w, to_w_again)] == [
        ("Add.grad_a", 1.0, 1.0, 1.0), ("Add.grad_b", 1.0, 1.0, 1.0), ("Multiply.grad_b", 1.0, 3.0, 4.0)]
    assert trace.earlier[to_w_again] == [to_w]
    assert to_w_again.source == "def grad_b(g, y, a, b):  return g * a"
    assert to_w_again.place[0].endswith("arithmetic.py")
    assert "def grad_b" in inspect.getsource(inspect.getmodule(to_w_again.rule)).splitlines()[to_w_again.place[1] - 1]
    assert w.grad is None                                           # nothing was stored
    y.backward()                                                    # and the graph is still there
    assert w.grad.item() == 4.0


def test_broadcasting_is_undone_between_what_the_rule_gives_and_what_arrives():
    b = tn.tensor([1.0, 2.0], requires_grad=True)
    trace = tn.inspect.trace((tn.ones(3, 2) * b).sum())
    step = trace[-1]
    assert step.share.shape == (3, 2) and step.fitted.tolist() == [3.0, 3.0]
    assert "summed over the copies that broadcasting made, to (2,): [3, 3]" in trace.explain(step)


def test_a_networks_gradients_are_those_of_backward():
    model = xor_network()
    x, t = tn.tensor([[0.0, 1.0], [1.0, 1.0]]).double(), tn.tensor([[1.0], [0.0]]).double()
    loss = nn.functional.mse_loss(model(x), t)
    totals = last_totals(tn.inspect.trace(loss))
    loss.backward()
    for name, p in model.named_parameters():
        np.testing.assert_array_equal(totals[f"model.{name}"], p.grad.data)


def test_a_convolutional_network_with_large_values_is_summarised():
    tn.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(),
                          nn.Linear(36, 10))
    images, labels = tn.randn(16, 1, 8, 8), tn.randint(0, 10, (16,))
    loss = nn.functional.cross_entropy(model(images), labels)
    trace = tn.inspect.trace(loss)
    totals = last_totals(trace)
    loss.backward()
    for name, p in model.named_parameters():
        np.testing.assert_array_equal(totals[f"model.{name}"], p.grad.data)
    text = str(trace)
    assert "Convolution(images, model.0.weight, model.0.bias)" in text and "(16, 4, 6, 6) " in text
    assert all(len(line) < 250 for line in text.splitlines())
    assert "..." in trace.explain(0) and len(trace.explain(0)) < 5000


def test_second_and_third_derivatives_are_traced_like_any_other_result():
    x = tn.tensor(2.0, requires_grad=True)
    value = x ** 4
    for expected in (32.0, 48.0, 48.0):                             # 4x³, 12x², 24x
        value, = tn.grad(value, x, create_graph=True)
        trace = tn.inspect.trace(value)
        assert trace.outputs[0].value == expected
        gradient, = tn.grad(value, x, create_graph=True)
        assert last_totals(trace)["x"] == gradient.item()


def test_several_outputs_and_a_given_gradient():
    x = tn.tensor([1.0, 2.0], requires_grad=True)
    trace = tn.inspect.trace(x * x, [1.0, 10.0])
    assert last_totals(trace)["x"].tolist() == [2.0, 40.0]
    with pytest.raises(ValueError, match="no single gradient"):
        tn.inspect.trace(x * x)


def test_a_pass_from_several_results_is_that_of_their_sum():
    x = tn.tensor(2.0, requires_grad=True)
    with tn.inspect.record() as recording:
        y = x ** 2
        z = y * 3.0
        g, = tn.grad([y, z], [x])
    for trace in (tn.inspect.trace(recording), tn.inspect.trace(y), tn.inspect.trace(z)):
        assert [row.split()[1:3] for row in str(trace).splitlines()[3:]] == [
            ["∂(y", "+"], ["∂(y", "+"], ["∂(y", "+"], ["∂(y", "+"]]
        assert set(trace.top.values()) == {"(y + z)"}
        assert last_totals(trace) == {"y": 4.0, "x": g.item()} and g.item() == 16.0
        assert [trace.labels[node] for node in trace.nodes] == ["x", "y", "z"]


def test_another_gradient_to_start_from_is_not_that_of_the_recorded_pass():
    w = tn.tensor([2.0, 3.0], requires_grad=True)
    with tn.inspect.record():
        y = w * w
        y.backward(tn.tensor([1.0, 1.0]), retain_graph=True)
    assert last_totals(tn.inspect.trace(y))["w"].tolist() == [4.0, 6.0]
    trace = tn.inspect.trace(y, [10.0, 100.0])
    assert last_totals(trace)["w"].tolist() == [40.0, 600.0]
    assert "∂L/∂y  [10, 100]  the start of the backward pass, of L = Σ gradient · result" in str(trace)


def test_steps_come_one_at_a_time_and_by_position():
    trace = tn.inspect.trace(tn.tensor(2.0, requires_grad=True) * 3.0)
    steps = iter(trace)
    assert isinstance(next(steps), Forward) and isinstance(next(steps), Start) and isinstance(next(steps), Backward)
    assert len(trace) == 3 and trace[-1] is trace.steps[2] and trace[:2] == trace.steps[:2]


# ---------------------------------------------------------------------- recording

def test_recorded_training_steps_show_how_a_weight_moves():
    w = tn.tensor(2.0, requires_grad=True)
    optimizer = optim.SGD([w], lr=0.1)
    with tn.inspect.record() as recording:
        for _ in range(3):
            loss = (w - 5.0) ** 2
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    updates = [step for step in recording.steps if isinstance(step, Update)]
    w0 = np.float32(2)
    for step in updates:
        assert step.node.value == w0 and step.gradient == pytest.approx(2 * (w0 - 5))
        assert (step.optimizer, step.settings["lr"]) == ("SGD", 0.1) and "return -lr * g" in step.source
        assert step.after.previous is step.node
        w0 = step.after.value
    assert len(updates) == len(recording.passes) == 3 and w0 == w.data
    assert kinds(tn.inspect.trace(recording)) == "FFSBBSU" * 3
    assert kinds(tn.inspect.trace(loss)) == "FFSBBSU"               # of the last one alone
    assert tn.inspect.trace(loss).outputs[0].value == loss.item()
    assert loss.inputs is None                                      # though its graph is gone


def test_updates_by_hand_are_noticed_too():
    w = tn.tensor([1.0, 2.0], requires_grad=True)
    with tn.inspect.record() as recording:
        (w * w).sum().backward()
        w.data -= 0.5 * w.grad.data
        (w * w).sum().backward()
        with tn.no_grad():
            w -= 0.25
    updates = [step for step in recording.steps if isinstance(step, Update)]
    assert [(u.node.value.tolist(), u.after.value.tolist(), u.optimizer) for u in updates] == [
        ([1.0, 2.0], [0.0, 0.0], ""), ([0.0, 0.0], [-0.25, -0.25], "")]


def test_gradients_that_accumulate_are_stored_on_top_of_each_other():
    w = tn.tensor(3.0, requires_grad=True)
    with tn.inspect.record() as recording:
        for _ in range(2):
            (w * w).backward()
    stores = [step for step in recording.steps if isinstance(step, Store)]
    assert [(s.before, s.after) for s in stores] == [(None, 6.0), (6.0, 12.0)]


def test_hooks_and_clipped_gradients_are_seen():
    w = tn.tensor([3.0, 4.0], requires_grad=True)
    h = w * 1.0
    h.register_hook(lambda g: g * 0.5)
    with tn.inspect.record() as recording:
        (h * h).sum().backward()
        nn.utils.clip_grad_norm_([w], 1.0)
        optim.SGD([w], lr=1.0).step()
    hooked, = (step for step in recording.steps if isinstance(step, Hooked))
    assert hooked.before.tolist() == [6.0, 8.0] and hooked.after.tolist() == [3.0, 4.0]
    store, = (step for step in recording.steps if isinstance(step, Store))
    update, = (step for step in recording.steps if isinstance(step, Update))
    assert store.after.tolist() == [3.0, 4.0]
    np.testing.assert_allclose(update.gradient, [0.6, 0.8], rtol=1e-5)


def test_a_hook_that_only_looks_is_no_step():
    w, seen = tn.tensor([3.0, 4.0], requires_grad=True), []
    w.register_hook(lambda g: seen.append(g.tolist()))
    with tn.inspect.record() as recording:
        (w * w).sum().backward()
    assert seen == [[6.0, 8.0]] and not any(isinstance(step, Hooked) for step in recording.steps)


def test_a_pass_that_a_hook_runs_inside_another_is_told_apart():
    w, v = tn.tensor(2.0, requires_grad=True), tn.tensor(3.0, requires_grad=True)
    h = w * 2.0

    def hook(g):
        with tn.enable_grad():
            inner = v * v
            inner.backward()

    h.register_hook(hook)
    with tn.inspect.record() as recording:
        loss = h * h
        loss.backward()
    trace = tn.inspect.trace(loss)
    assert kinds(trace) == "FFSBBBS" and set(trace.top.values()) == {"loss"}
    assert [trace.labels[node] for node in trace.nodes] == ["w", "h", "loss"]
    whole = tn.inspect.trace(recording)
    assert kinds(whole) == "FFSBBFSBBSBS"
    assert [whole.top[step] for step in whole if isinstance(step, (Backward, Store))] == [
        "loss", "loss", "inner", "inner", "inner", "loss", "loss"]


def test_a_pass_that_fails_does_not_mix_with_the_next():
    w = tn.tensor(2.0, requires_grad=True)
    h = w * 2.0

    def refuse(g):
        raise KeyError("no")

    with tn.inspect.record() as recording:
        failing = h * h
        with h.register_hook(refuse), pytest.raises(KeyError):
            failing.backward()
        loss = (w * 3.0) ** 2
        loss.backward()
    assert len(recording.passes) == 1
    assert kinds(tn.inspect.trace(recording)) == "FFSBB" + "FFSBBS" and kinds(tn.inspect.trace(loss)) == "FFSBBS"
    assert last_totals(tn.inspect.trace(loss))["w"] == w.grad.item() == 36.0


def test_a_pass_that_fails_inside_another_leaves_that_alone():
    w, v = tn.tensor(2.0, requires_grad=True), tn.tensor(3.0, requires_grad=True)
    h = w * 2.0

    def refuse(g):
        raise KeyError("no")

    def hook(g):
        with tn.enable_grad():
            i = v * v
            j = i * v
        with i.register_hook(refuse), pytest.raises(KeyError):
            j.backward()

    h.register_hook(hook)
    with tn.inspect.record() as recording:
        loss = h * h
        loss.backward()
    trace = tn.inspect.trace(loss)
    assert kinds(trace) == "FFSBBBS" and set(trace.top.values()) == {"loss"} and len(recording.passes) == 1
    assert last_totals(trace) == {"h": 8.0, "w": 16.0}


def test_what_the_program_does_to_a_weight_before_the_step_is_not_the_optimizers_work():
    w = tn.tensor(2.0, requires_grad=True)
    with tn.inspect.record() as recording:
        ((w - 5.0) ** 2).backward()
        w.data *= 0.5
        optim.SGD([w], lr=0.1).step()
    updates = [step for step in recording.steps if isinstance(step, Update)]
    assert [(u.optimizer, u.node.value, u.after.value.round(5)) for u in updates] == [
        ("", 2.0, 1.0), ("SGD", 1.0, np.float32(1.6))]


def test_the_programs_lines_are_those_of_the_calls():
    w = tn.tensor(2.0, requires_grad=True)
    with tn.inspect.record():
        h = tn.exp(w)                           # here
        loss = nn.functional.mse_loss(h, tn.tensor(1.0))
        loss.backward()
    trace = tn.inspect.trace(loss)
    lines = [step.node.line for step in trace if isinstance(step, Forward)]
    assert all(line.startswith(f"{__file__}:") for line in lines)
    assert [int(line.split(":")[1]) for line in lines] == \
        [line_number("h = tn.exp(w)")] + [line_number("loss = nn.functional")] * (len(lines) - 1)
    assert lines[0].endswith("h = tn.exp(w)                           # here")
    assert f"test_trace.py:{line_number('h = tn.exp(w)')}" in str(trace)


def test_what_is_typed_in_at_a_prompt_has_lines_too():
    program = "y = x * x\nloss = y + 1.0\nloss.backward()"
    variables = {"x": tn.tensor(2.0, requires_grad=True)}
    with tn.inspect.record():
        exec(compile(program, "<stdin>", "exec"), variables)
    rows = str(tn.inspect.trace(variables["loss"])).splitlines()
    assert rows[1].endswith("Multiply(x, x): 2 · 2 = 4               <stdin>:1") and rows[2].endswith(" <stdin>:2")


def test_without_a_recording_the_text_says_how_to_get_the_lines():
    loss = tn.tensor(2.0, requires_grad=True) * 3.0
    assert "tn.inspect.record()" in tn.inspect.trace(loss).explain(0)
    with tn.debug():                            # debug mode knows them as well
        loss = tn.tensor(2.0, requires_grad=True) * 3.0
    assert "loss = tn.tensor(2.0, requires_grad=True) * 3.0" in tn.inspect.trace(loss).explain(0)


def test_names_come_from_the_programs_variables_and_modules():
    model, other = xor_network(), nn.Linear(1, 1).double()
    inputs = tn.tensor([[0.0, 1.0]]).double()
    with tn.inspect.record():
        answer = other(model(inputs))
        loss = (answer ** 2).sum()
        loss.backward()
    trace = tn.inspect.trace(loss)
    labels = [trace.labels[node] for node in trace.nodes]
    assert {"inputs", "answer", "loss", "model.0.weight", "model.2.bias", "other.weight"} <= set(labels)
    assert len(labels) == len(set(labels))
    assert [label for label in labels if label.startswith("v")] == [f"v{i + 1}" for i in range(5)]


def test_a_name_that_is_used_again_is_numbered():
    h = tn.tensor(0.5, requires_grad=True)
    with tn.inspect.record():
        for _ in range(3):
            h = tn.sin(h)
        h.backward()
    trace = tn.inspect.trace(h)
    assert [trace.labels[node] for node in trace.nodes] == ["h", "h (2)", "h (3)", "h (4)"]


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(2, 2)

    def forward(self, x):
        return tn.relu(self.inner(x)) + x


def test_variables_name_what_they_hold_rather_than_a_functions_arguments():
    def double(x):
        inside = x * 1.0
        return inside + x

    data = tn.tensor(3.0, requires_grad=True)
    with tn.inspect.record():
        h = double(data)
        loss = double(h)
        loss.backward()
    trace = tn.inspect.trace(loss)
    assert [trace.labels[node] for node in trace.nodes] == ["data", "inside", "h", "inside (2)", "loss"]


def test_what_is_in_lists_and_in_objects_of_the_programs_own_has_a_name_too():
    class Model:
        def __init__(self):
            self.w, self.layer = tn.tensor([2.0], requires_grad=True), nn.Linear(1, 1)

        def run(self, x):
            return self.layer(x * self.w)

    model, weights, by_name = Model(), [tn.tensor(1.0, requires_grad=True)], {"b": tn.tensor(3.0, requires_grad=True)}
    with tn.inspect.record():
        y = model.run(weights[0]) + by_name["b"]
        y.backward()
    labels = tn.inspect.trace(y).labels.values()
    assert {label for label in labels if not label.startswith("v")} == {
        "x", "w", "layer.weight", "layer.bias", "by_name['b']", "y"}


def test_a_parameter_that_replaces_another_gets_its_name():
    layer = nn.Linear(1, 1)
    x = tn.ones(1, 1)
    with tn.inspect.record() as recording:
        for i in range(3):
            y = layer(x).sum()
            y.backward()
            layer.weight = nn.Parameter(tn.tensor([[float(i)]]))
    labels = tn.inspect.trace(recording).labels
    values = {label: node.value.item() for node, label in labels.items() if label.startswith("layer.weight (")}
    assert values == {"layer.weight (2)": 0.0, "layer.weight (3)": 1.0}


def test_a_variable_called_like_an_automatic_name_keeps_it():
    v1 = tn.tensor(2.0, requires_grad=True)
    y = tn.sin(v1 * 3.0) + 1.0
    trace = tn.inspect.trace(y)
    assert [trace.labels[node] for node in trace.nodes] == ["v1", "v2", "v3", "y"]


def test_the_calls_of_modules_are_told_apart_also_when_one_is_called_twice():
    block = Block()
    with tn.inspect.record():
        y = block(block(tn.ones(1, 2)) * 2.0).sum()
        y.backward()
    trace = tn.inspect.trace(y)
    forward = [step.node for step in trace if isinstance(step, Forward)]
    chains = [[] for _ in forward]
    for chain, node in zip(chains, forward, strict=True):
        call = node.call
        while call is not None:
            chain.insert(0, call)
            call = call.parent
    assert [[(c.module, c.path) for c in chain] for chain in chains] == [
        [("Block", "block"), ("Linear", "block.inner")], [("Block", "block")], [("Block", "block")], [],
        [("Block", "block"), ("Linear", "block.inner")], [("Block", "block")], [("Block", "block")], []]
    assert chains[0][0] is chains[1][0] is chains[2][0]
    assert chains[4][0] is chains[6][0] is not chains[0][0]
    assert trace.labels[forward[0].parents[1]] == "block.inner.weight"


def test_what_was_computed_before_the_recording_is_caught_up_with():
    w = tn.tensor(2.0, requires_grad=True)
    h = w * w
    with tn.inspect.record():
        loss = h + 1.0
        loss.backward()
    trace = tn.inspect.trace(loss)
    assert kinds(trace) == "FFSBBBS" and trace[0].node.line == "" and trace[1].node.line
    assert w.grad.item() == 4.0


def test_a_function_is_run_and_traced():
    w = tn.tensor(2.0, requires_grad=True)
    trace = tn.inspect.trace(lambda: w ** 3)
    assert last_totals(trace)["w"] == 12.0 and trace[0].node.line and w.grad is None


def test_backward_with_inputs_stores_only_theirs():
    a, b = tn.tensor(2.0, requires_grad=True), tn.tensor(3.0, requires_grad=True)
    with tn.inspect.record() as recording:
        (a * b).backward(inputs=[a])
    assert [step.after for step in recording.steps if isinstance(step, Store)] == [3.0]


def test_everything_that_gets_a_gradient_is_stored():
    w = tn.tensor(2.0, requires_grad=True)
    with tn.inspect.record() as recording:
        loss = w * 3.0
        loss.retain_grad()
        loss.backward()                         # of the result itself
        h = w * w
        (h * h).backward(inputs=[h])            # of a result that is asked for
        w.backward()                            # of a leaf, from itself
    stores = [step for step in recording.steps if isinstance(step, Store)]
    assert [(s.node.name, s.before, s.after) for s in stores] == [
        ("loss", None, 1.0), ("w", None, 3.0), ("h", None, 8.0), ("w", 3.0, 4.0)]


def test_retained_gradients_of_results_are_stored_too():
    w = tn.tensor(2.0, requires_grad=True)
    with tn.inspect.record() as recording:
        h = w * 3.0
        h.retain_grad()
        (h * h).backward()
    assert [step.after for step in recording.steps if isinstance(step, Store)] == [12.0, 36.0]


# ---------------------------------------------------------------------- what it leaves alone

def test_tracing_changes_nothing():
    model = xor_network()
    loss = model(tn.tensor([[0.0, 1.0]]).double()).sum()
    loss.backward(retain_graph=True)
    before = [p.grad.data.copy() for p in model.parameters()]
    state = tn.get_rng_state()
    tn.inspect.trace(loss), tn.inspect.draw(loss)
    for p, g in zip(model.parameters(), before, strict=True):
        np.testing.assert_array_equal(p.grad.data, g)
    assert repr(tn.get_rng_state()) == repr(state)
    loss.backward()


def test_nobody_watches_outside_of_the_block_also_after_an_error():
    assert watchers == []
    with pytest.raises(ZeroDivisionError), tn.inspect.record() as recording:
        w = tn.tensor(2.0, requires_grad=True) * 2.0
        assert watchers == [recording]
        1 / 0
    assert watchers == []
    w * 3.0
    assert len(recording.steps) == 1


def test_a_trace_inside_of_a_recording_is_not_recorded():
    w = tn.tensor(2.0, requires_grad=True)
    with tn.inspect.record() as recording:
        loss = w * w
        first = tn.inspect.trace(loss)
        loss.backward()
    assert len(recording.passes) == 1 and kinds(first) == "FSBB"
    assert kinds(tn.inspect.trace(loss)) == "FSBBS"


def test_a_trace_of_something_else_is_not_recorded_either():
    w = tn.tensor(2.0, requires_grad=True)
    earlier = w * w
    with tn.inspect.record() as outer, tn.inspect.record() as inner:
        loss = w * 3.0
        tn.inspect.trace(earlier)
        tn.inspect.trace(lambda: w * w * w)
        assert set(watchers) == {outer, inner}
        loss.backward()
    for recording in (outer, inner):
        assert kinds(recording.steps) == "FSBS" and len(recording.passes) == 1
    assert kinds(tn.inspect.trace(loss)) == "FSBS"


def test_a_trace_is_not_what_debug_mode_tells_of():
    a, b = tn.tensor(1.0, requires_grad=True), tn.tensor(1.0, requires_grad=True)
    with tn.debug():
        (b * 2.0).backward()
        y = a * 3.0
        before = tn.inspect.why_no_gradient(a)
        tn.inspect.trace(y)
        assert tn.inspect.why_no_gradient(a) == before and "has not been called since" in str(before)
        with pytest.raises(FloatingPointError, match="Log gave -inf"):
            tn.inspect.trace(lambda: tn.log(a - 1.0))               # a program that runs now is watched as any other


def test_recordings_that_are_kept_are_known_and_others_let_go():
    w = tn.tensor(2.0, requires_grad=True)
    losses, kept = [], []
    for i in range(3):
        with tn.inspect.record() as recording:
            losses.append(w * w)
            losses[-1].backward()
        kept += [recording] if i != 1 else []
    del recording
    assert [kinds(tn.inspect.trace(losses[i])) for i in (0, 2)] == ["FSBBS"] * 2
    with pytest.raises(RuntimeError, match="freed by its backward pass"):
        tn.inspect.trace(losses[1])
    with tn.inspect.record() as outer:
        a = w * w
        with tn.inspect.record() as inner:
            b = a + w
        a.backward()
    assert len(outer.passes) == 1 and inner.passes == []
    assert kinds(tn.inspect.trace(a)) == "FSBBS" and "test_trace.py" in str(tn.inspect.trace(a)) and b.inputs


def test_other_threads_are_not_recorded():
    w = tn.tensor(2.0, requires_grad=True)
    with tn.inspect.record() as recording:
        thread = threading.Thread(target=lambda: (w * w).backward())
        thread.start()
        thread.join()
    assert recording.steps == []


def test_a_recording_belongs_to_the_thread_that_enters_it():
    w, recording = tn.tensor(2.0, requires_grad=True), tn.inspect.record()

    def work():
        with recording:
            (w * w).backward()

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert kinds(recording.steps) == "FSBBS"


def test_a_recording_and_debug_mode_work_together():
    w = tn.tensor([1.0, 0.0], requires_grad=True)
    with tn.inspect.record() as recording, tn.debug():
        with pytest.raises(FloatingPointError, match="Sqrt.grad_a gave inf"):
            tn.sqrt(w).sum().backward()
        (w * w).sum().backward()
    assert len(recording.passes) == 1
    assert watchers == []


def test_values_are_those_of_the_moment():
    w = tn.tensor([1.0], requires_grad=True)
    with tn.inspect.record():
        loss = (w * 2.0).sum()
        loss.backward()
    with tn.no_grad():
        w.fill_(100.0)
    assert tn.inspect.trace(loss)[0].node.inputs[0].value.tolist() == [1.0]


def test_plain_arrays_are_copied_too():
    w, x = tn.tensor([2.0, 3.0], requires_grad=True), np.array([1.0, 2.0], np.float32)
    with tn.inspect.record():
        y = (w * x).sum()
        y.backward()
    x[:] = 7.0
    text = tn.inspect.trace(y).explain(0)
    assert "    b = [1, 2]\n" in text and "[1]  3 · 2 = 6" in text
    assert "Multiply(w, [1, 2])" in str(tn.inspect.trace(y))


def test_a_debugger_shows_a_step_in_one_line_however_large_the_graph():
    x = tn.tensor(1.0, requires_grad=True)
    with tn.inspect.record() as recording:
        for _ in range(2000):
            x = x * x
    assert repr(recording.steps[-1]) == "Forward(node=<Node x = Multiply: 1.0>)"
    assert repr(recording.steps[0].node.parents[0]) == "<Node x: 1.0>"


def test_frames_of_the_program_are_let_go():
    with tn.inspect.record() as recording:
        xor_network()(tn.tensor([[0.0, 1.0]]).double()).sum().backward()
    assert recording.calls == [] and recording.running == []


# ---------------------------------------------------------------------- text

def test_the_table_shows_every_step_with_its_calculation():
    w = tn.tensor(2.0, requires_grad=True)
    with tn.inspect.record():
        loss = (w - 5.0) ** 2
        loss.backward()
        optim.SGD([w], lr=0.1).step()
    rows = [line.split(maxsplit=2) for line in str(tn.inspect.trace(loss)).splitlines()]
    assert [row[1] for row in rows] == ["what", "v1", "loss", "∂loss/∂loss", "∂loss/∂v1", "∂loss/∂w", "w.grad", "w"]
    texts = [" ".join(row[2].split()) for row in rows[1:]]
    assert texts[0].startswith("−3 Subtract(w, 5): 2 − 5 = −3 test_trace.py:")
    assert texts[1].startswith("9 ConstantPower(v1): (−3)^2 = 9 test_trace.py:")
    assert texts[2:] == ["1 the start of the backward pass", "−6 ConstantPower.grad_a: 1 · 2 · (−3)^1 = −6",
                         "−6 Subtract.grad_a: −6", "−6 stored", "2.6 SGD(lr=0.1): 2 − 0.1 · (−6) = 2.6"]


def test_a_notebook_gets_a_table_in_which_names_cannot_be_markup():
    w = tn.tensor(2.0, requires_grad=True)
    trace = tn.inspect.trace(w * 3.0)
    trace.labels[trace.nodes[0]] = "<b>w</b>"
    page = trace._repr_html_()
    assert page.count("<tr>") == len(trace) + 1 and "<b>" not in page and "&lt;b&gt;w" in page


# ---------------------------------------------------------------------- refusals

def test_refusals_say_what_to_do():
    w = tn.tensor(2.0, requires_grad=True)
    with pytest.raises(RuntimeError, match="it is a leaf"):
        tn.inspect.trace(w)
    with pytest.raises(TypeError, match="expects a result .a Tensor., a recording or a function, not a float"):
        tn.inspect.trace(2.0)
    loss = w * w
    loss.backward()
    with pytest.raises(RuntimeError, match=r"freed by its backward pass.*`with tn.inspect.record\(\):`"):
        tn.inspect.trace(loss)
    with tn.inspect.record() as recording:
        pass
    with pytest.raises(RuntimeError, match="nothing was recorded"):
        tn.inspect.trace(recording)


def test_an_update_belongs_to_the_pass_before_it_also_if_nothing_moves():
    a, b = tn.tensor(1.0, requires_grad=True), tn.tensor(2.0, requires_grad=True)
    optimizer = optim.SGD([a, b], lr=0.1)
    with tn.inspect.record() as recording:
        for x in (0.0, 1.0):
            loss = a * x + b
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    first, second = (excerpt(recording, part.outputs, [part]) for part in recording.passes)
    assert [trace.labels[u.node] for trace in (first, second) for u in trace if isinstance(u, Update)] == ["a", "b", "a", "b"]
    assert kinds(first) == kinds(second) == "FFSBBBSSUU"
    still, moved = (next(u for u in trace if isinstance(u, Update)) for trace in (first, second))
    assert (still.node.value, still.gradient, still.after.value) == (1.0, 0.0, 1.0)
    assert moved.node is still.after and moved.after.value == pytest.approx(0.9)


def test_two_passes_over_one_graph_are_told_apart():
    w = tn.tensor(2.0, requires_grad=True)
    with tn.inspect.record() as recording:
        loss = w * w
        loss.backward(retain_graph=True)
        loss.backward()
    stores = [[s.after for s in excerpt(recording, part.outputs, [part]) if isinstance(s, Store)]
              for part in recording.passes]
    assert stores == [[4.0], [8.0]]
