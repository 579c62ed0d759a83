"""trace: the steps are those the engine takes, in their order, with its numbers."""

import inspect

import numpy as np
import pytest
from trace_helpers import kinds, last_totals, xor_network

import tinygrad_nuc as tn
from tinygrad_nuc import nn, optim
from tinygrad_nuc.inspect.stepping.page_data import page_data
from tinygrad_nuc.inspect.stepping.steps import Backward, Forward, Start


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
    assert (trace.use[to_w], trace.use[to_w_again]) == (0, 1) and trace.before == {to_w_again: 1.0}
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
        np.testing.assert_array_equal(totals[f"model.{name}"], p.grad.numpy())


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
        np.testing.assert_array_equal(totals[f"model.{name}"], p.grad.numpy())
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
    trace = tn.inspect.trace(x * x, tn.tensor([1.0, 10.0]))
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


def test_what_a_pass_began_with_is_part_of_the_sum():
    x = tn.tensor(2.0, requires_grad=True)
    with tn.inspect.record() as recording:
        y = x ** 2
        z = y * 3.0
        tn.grad([y, z], [x])
    trace = tn.inspect.trace(recording)
    to_y, to_x = trace[4:]
    assert trace.before == {to_y: 1.0} and trace.use == {to_y: 0, to_x: 0}
    assert str(trace).splitlines()[5].endswith("Multiply.grad_a: 1 · 3 = 3, added to 1")
    assert trace.explain(to_y).endswith("added to 1, which the pass began with: 4")
    step = page_data([trace], "")["rounds"][0]["steps"][4]
    assert (step["begun"]["text"], step["sumhand"], step["total"]["text"]) == ("1", [["", "1 + 3 = 4"]], "4")


def test_another_gradient_to_start_from_is_not_that_of_the_recorded_pass():
    w = tn.tensor([2.0, 3.0], requires_grad=True)
    with tn.inspect.record():
        y = w * w
        y.backward(tn.tensor([1.0, 1.0]), retain_graph=True)
    assert last_totals(tn.inspect.trace(y))["w"].tolist() == [4.0, 6.0]
    trace = tn.inspect.trace(y, tn.tensor([10.0, 100.0]))
    assert last_totals(trace)["w"].tolist() == [40.0, 600.0]
    assert "∂L/∂y  [10, 100]  the start of the backward pass, of L = Σ gradient · result" in str(trace)


def test_steps_come_one_at_a_time_and_by_position():
    trace = tn.inspect.trace(tn.tensor(2.0, requires_grad=True) * 3.0)
    steps = iter(trace)
    assert isinstance(next(steps), Forward) and isinstance(next(steps), Start) and isinstance(next(steps), Backward)
    assert len(trace) == 3 and trace[-1] is trace.steps[2] and trace[:2] == trace.steps[:2]


def test_a_function_is_run_and_traced():
    w = tn.tensor(2.0, requires_grad=True)
    trace = tn.inspect.trace(lambda: w ** 3)
    assert last_totals(trace)["w"] == 12.0 and trace[0].node.line and w.grad is None


def test_what_was_computed_before_the_recording_is_caught_up_with():
    w = tn.tensor(2.0, requires_grad=True)
    h = w * w
    with tn.inspect.record():
        loss = h + 1.0
        loss.backward()
    trace = tn.inspect.trace(loss)
    assert kinds(trace) == "FFSBBBS" and trace[0].node.line == "" and trace[1].node.line
    assert w.grad.item() == 4.0


def test_a_debugger_shows_a_step_in_one_line_however_large_the_graph():
    x = tn.tensor(1.0, requires_grad=True)
    with tn.inspect.record() as recording:
        for _ in range(2000):
            x = x * x
    assert repr(recording.steps[-1]) == "Forward(node=<Node x = Multiply: 1.0>)"
    assert repr(recording.steps[0].node.parents[0]) == "<Node x: 1.0>"


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
    assert texts[2:] == ["1 the start of the backward pass", "−6 ConstantPower.grad_a: 1 · 2 · (−3) = −6",
                         "−6 Subtract.grad_a: −6", "−6 stored", "2.6 SGD(lr=0.1): 2 − 0.1 · (−6) = 2.6"]


def test_a_notebook_gets_a_table_in_which_names_cannot_be_markup():
    w = tn.tensor(2.0, requires_grad=True)
    trace = tn.inspect.trace(w * 3.0)
    trace.labels[trace.nodes[0]] = "<b>w</b>"
    page = trace._repr_html_()
    assert page.count("<tr>") == len(trace) + 1 and "<b>" not in page and "&lt;b&gt;w" in page


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
    with pytest.raises(ValueError, match="a gradient goes with a result; the passes of a recording have run"):
        tn.inspect.trace(recording, 2.0)
