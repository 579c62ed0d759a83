"""Recording and tracing leave the program, other threads and other watchers alone."""

import threading

import numpy as np
import pytest
from device_guard import GuardArray
from trace_helpers import kinds, xor_network

import tinygrad_nuc as tn
from tinygrad_nuc.engine.watching import watchers


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
    assert kinds(tn.inspect.trace(a)) == "FSBBS" and "test_recording_apart.py" in str(tn.inspect.trace(a)) and b.inputs


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


def test_frames_of_the_program_are_let_go():
    with tn.inspect.record() as recording:
        xor_network()(tn.tensor([[0.0, 1.0]]).double()).sum().backward()
    assert recording.calls == [] and recording.running == []


def test_a_program_on_a_device_is_recorded_in_the_computers_memory():
    w = tn.Tensor(GuardArray(np.array([2.0, 3.0])), requires_grad=True)
    with tn.inspect.record() as recording:
        loss = tn.tanh(w * tn.Tensor(GuardArray(np.array([1.0, -1.0])))).sum()
        loss.backward()
        with tn.no_grad():
            w -= 0.5 * w.grad
    trace = tn.inspect.trace(loss)
    assert all(type(node.value) is np.ndarray for node in trace.nodes)
    slope = 1 - np.tanh([2.0, -3.0]) ** 2
    np.testing.assert_allclose(recording.steps[-1].gradient, slope * [1.0, -1.0], rtol=1e-12)
    np.testing.assert_allclose(recording.steps[-1].after.value, [2.0, 3.0] - 0.5 * slope * [1.0, -1.0], rtol=1e-12)
    assert "tanh(2) = 0.964028" in str(trace) and "Tanh" in tn.inspect.draw(loss).svg
