"""The program's own lines, and its names for values, parameters and calls of modules."""

import inspect

from trace_helpers import xor_network

import tinygrad_nuc as tn
from tinygrad_nuc import nn
from tinygrad_nuc.inspect.stepping.steps import Forward


def line_number(text):
    """Where in this file the line with this text stands."""
    lines, start = inspect.getsourcelines(inspect.currentframe().f_back.f_code)
    return start + next(i for i, line in enumerate(lines) if text in line and "line_number" not in line)


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(2, 2)

    def forward(self, x):
        return tn.relu(self.inner(x)) + x


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
    assert f"test_recorded_names.py:{line_number('h = tn.exp(w)')}" in str(trace)


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
