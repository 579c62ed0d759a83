"""record: training steps, updates, hooks, passes in passes: everything that happens is a step, told of whom it is."""


import numpy as np
import pytest
from trace_helpers import kinds, last_totals

import tinygrad_nuc as tn
from tinygrad_nuc import nn, optim
from tinygrad_nuc.inspect.stepping.page_data import page_data
from tinygrad_nuc.inspect.stepping.player import traces_of
from tinygrad_nuc.inspect.stepping.steps import Backward, Hooked, Store, Update
from tinygrad_nuc.inspect.stepping.trace import excerpt


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
    assert len(updates) == len(recording.passes) == 3 and w0 == w.numpy()
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
    moving = [trace.labels[u.node] for trace in (first, second) for u in trace if isinstance(u, Update)]
    assert moving == ["a", "b", "a", "b"]
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


def test_a_grad_that_a_hook_has_changed_during_the_pass_is_added_to():
    w = tn.tensor(2.0, requires_grad=True)
    h, inner = w * 5.0, w * 3.0
    h.register_hook(lambda g: inner.backward())
    with tn.inspect.record() as recording:
        (h * 1.0).backward()
    assert [(s.before, s.after) for s in recording.steps if isinstance(s, Store)] == [(None, 3.0), (3.0, 8.0)]
    assert w.grad.item() == 8.0


def updates_of(recording):
    """For each pass: which weights move, from what, to what; the page tells the same."""
    traces = traces_of(recording)
    found = [[(trace.labels[u.node], u.node.value.item(), u.after.value.item()) for u in trace if isinstance(u, Update)]
             for trace in traces]
    data = page_data(traces, "")
    assert [[data["graphs"][r["graph"]]["nodes"][s["node"]]["label"] for s in r["steps"] if s["kind"] == "update"]
            for r in data["rounds"]] == [[name for name, *_ in updates] for updates in found]
    return found


def test_one_optimizer_step_after_two_losses_belongs_to_both():
    a, b = (tn.tensor(x, requires_grad=True, dtype="float64") for x in (2.0, 4.0))
    with tn.inspect.record() as recording:
        (a * a).backward()
        (b * b).backward()
        optim.SGD([a, b], lr=0.25).step()
    assert updates_of(recording) == [[("a", 2.0, 1.0)], [("b", 4.0, 2.0)]]


def test_a_weight_that_changes_twice_before_it_is_used_again():
    w = tn.tensor(2.0, requires_grad=True, dtype="float64")
    with tn.inspect.record() as recording:
        for _ in range(2):
            loss = w * w
            loss.backward()
            optim.SGD([w], lr=0.25).step()
            optim.SGD([w], lr=0.125).step()
            with tn.no_grad():
                w -= 0.25
            w.grad = None
    assert updates_of(recording) == [[("w", 2.0, 1.0), ("w", 1.0, 0.5), ("w", 0.5, 0.25)],
                                     [("w", 0.25, 0.125), ("w", 0.125, 0.0625), ("w", 0.0625, -0.1875)]]
    assert kinds(tn.inspect.trace(loss)) == "FSBBSUUU"


def test_an_update_after_a_pass_that_failed_belongs_to_the_one_before():
    w = tn.tensor(2.0, requires_grad=True)
    with tn.inspect.record() as recording:
        (w * w).backward()
        y = w * 3.0
        y.register_hook(lambda g: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            y.backward()
        optim.SGD([w], lr=0.25).step()
    assert updates_of(recording) == [[("w", 2.0, 1.0)]]


def test_a_result_that_is_given_twice_starts_with_both_gradients():
    x = tn.tensor(2.0, requires_grad=True)
    with tn.inspect.record() as recording:
        y = x * x
        g, = tn.grad([y, y], [x])
    trace = tn.inspect.trace(recording)
    assert kinds(trace) == "FSBB" and trace[1].gradient == 2.0 and trace.top[trace[1]] == "L"
    assert last_totals(trace) == {"x": g.item()} and g.item() == 8.0
    assert tn.inspect.draw(recording).written_on(1) == ["y = Multiply", "4", "∇ 2"]
