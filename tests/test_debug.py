"""Debug mode: whose line it was, the first NaN or infinity, locked arrays."""

import gc
import os
import re
import subprocess
import sys
import threading

import numpy as np
import pytest

import tinygrad_nuc as tn
from tinygrad_nuc import nn, optim
from tinygrad_nuc.engine import debugging, origins
from tinygrad_nuc.engine.locks import Locks


def leaf(*values, dtype=np.float64):
    return tn.tensor(values[0] if len(values) == 1 else list(values), dtype=dtype, requires_grad=True)


HERE = re.escape(__file__)


# ---------------------------------------------------------------------- lines

def test_shape_errors_name_the_line_and_where_the_inputs_came_from():
    a, b = leaf([[1.0, 2.0], [3.0, 4.0]]), leaf(1.0, 2.0, 3.0)
    with tn.debug():
        product = a @ a                                                         # the first line
        with pytest.raises(ValueError) as error:
            product + b                                                         # the second line
    assert re.search(rf"a was computed by MatMul at {HERE}:\d+: product = a @ a +# the first line\n"
                     rf"    called at {HERE}:\d+: product \+ b +# the second line", str(error.value))


def test_without_a_line_of_the_users_none_is_named(monkeypatch):
    monkeypatch.setattr(origins, "_OUR_FILES", "")                              # as if every file were the package's own
    with tn.debug():
        y = leaf(1.0) * 2
    assert (origins.user_line(), origins.computed_at(y), origins.called_at()) == ("", "", "called at ")


def test_backward_errors_name_the_line_that_computed_and_the_line_that_changed():
    x = leaf(1.0, 2.0)
    with tn.debug():
        y = (x * x).sum()                                                       # computed
        with tn.no_grad():
            x += 1                                                              # changed
        with pytest.raises(RuntimeError, match=rf"Multiply was computed at {HERE}.*# computed\n +it was changed at {HERE}:\d+: x \+= 1"):
            y.backward()
        z = x * 2                                                               # once
        z.sum().backward()
        with pytest.raises(RuntimeError, match=r"second time(.|\n)*Multiply was computed at .*# once"):
            z.sum().backward()
    z = x * 2
    z.sum().backward()
    with pytest.raises(RuntimeError, match=r"inside `with tn\.debug\(\):` this error names your lines"):
        z.sum().backward()


# ---------------------------------------------------------------------- NaN and infinity

def test_the_first_infinity_forward_is_named():
    x = leaf(1.0, 0.0, 3.0)
    with tn.debug(), pytest.raises(FloatingPointError) as error:
        tn.exp(tn.log(x * 2)).sum()
    assert re.fullmatch(rf"Log gave -inf in 1 of 3 values, first at \[1\]\n    a of shape \(3,\): from 0 to 6\n"
                        rf"    a was computed by Multiply at {HERE}:\d+: (.*)\n    called at {HERE}:\d+: \1\n    \(if infinity is meant here, .*\)", str(error.value))


def test_the_first_nan_backward_is_named():
    x = leaf(0.0, 4.0)
    with tn.debug(inf=False):
        y = (tn.sqrt(x) * tn.tensor([0.0, 1.0], dtype=np.float64)).sum()
        with pytest.raises(FloatingPointError, match=r"Sqrt\.grad_a gave nan in 1 of 2 values, first at \[0\]\n    arriving gradient of "
                                                     rf"shape \(2,\): from 0 to 1\n    a of shape \(2,\): from 0 to 4\n    Sqrt was computed at {HERE}"):
            y.backward()
    assert x.grad is None


def test_infinities_can_be_accepted_and_inputs_are_told_apart():
    with tn.debug(inf=False):
        assert tn.log(leaf(0.0)).item() == -np.inf
        with tn.debug(), pytest.raises(FloatingPointError, match="Log gave -inf in 1 of 1 values\n    a of shape"):
            tn.log(leaf(0.0))
        assert tn.log(leaf(0.0)).item() == -np.inf
    with tn.debug(), pytest.raises(FloatingPointError, match=r"nan in 1 of 2 values(.|\n)*a of shape \(2,\): from 1 to 1, 1 NaN\n    b = 2"):
        tn.tensor([1.0, np.nan]) * 2
    with np.errstate(divide="ignore"):
        assert tn.log(tn.tensor(0.0)).item() == -np.inf
    with tn.debug(), pytest.raises(FloatingPointError, match=r"arrays\[1\] of shape \(1,\): no finite value, 1 infinite"):
        tn.cat([tn.ones(1), tn.tensor([np.inf], dtype=tn.float32)])
    with tn.debug():
        assert tn.argmax(tn.tensor([1, 3, 2])).item() == 1 and (tn.tensor([1, 2]) + 1).tolist() == [2, 3]


def test_debug_mode_decorates_and_ends_with_an_error():
    @tn.debug()
    def risky(x):
        return tn.log(x)
    with pytest.raises(FloatingPointError):
        risky(tn.zeros(1))
    assert not debugging.on and risky.__name__ == "risky"
    seen = []
    with tn.debug():
        thread = threading.Thread(target=lambda: seen.append(hasattr(tn.ones(2) * 2, "origin")))
        thread.start()
        thread.join()
    assert seen == [True]


def test_debug_mode_can_be_on_from_the_start():
    program = "import tinygrad_nuc as tn\ntn.log(tn.zeros(2))"
    for setting, stops in (("1", True), ("0", False), ("", False)):
        result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True,
                                env={**os.environ, "TINYGRAD_NUC_DEBUG": setting})
        assert ("FloatingPointError: Log gave -inf in 2 of 2 values, first at [0]" in result.stderr) == stops


# ---------------------------------------------------------------------- locks

def test_a_raw_write_to_a_recorded_array_is_caught_until_the_graph_is_freed():
    x = leaf(1.0, 2.0)
    with tn.debug():
        x.data[0] = 3.0
        y = tn.exp(x)
        for array in (x.data, y.data):
            with pytest.raises(ValueError, match="read-only"):
                array[0] = 5.0
        y.sum().backward()
        x.data[0] = y.data[0] = 5.0
        z = tn.exp(x)
        del z                                                                   # a graph that nobody knows any more
        gc.collect()
        x.data[0] = 6.0
        kept = tn.exp(x)
    x.data[0] = 7.0                                                             # the block has ended
    assert kept.requires_grad


def test_views_are_locked_and_unlocked_with_what_they_look_into():
    x = leaf(1.0, 2.0)
    with tn.debug():
        y = tn.exp(x)
        view = x[:1]                                                            # of an array that is locked already
        z = view * 2
        y.sum().backward()
        with pytest.raises(ValueError, match="read-only"):
            view.data[0] = 3.0
        z.sum().backward()
        view.data[0] = 3.0
    assert x.tolist() == [3.0, 2.0]
    fixed = np.ones(2)
    fixed.flags.writeable = False
    for array in (fixed, fixed[:], np.broadcast_to(np.ones(1), 2)):
        with tn.debug():
            (tn.as_tensor(array) * x).sum().backward()
        assert not array.flags.writeable, "what was read-only before stays so"


def test_a_view_that_waits_may_be_locked_again():
    class Result:
        pass
    locks, first, second, third = Locks(), Result(), Result(), Result()
    whole = np.ones(3)
    view = whole[:1]
    locks.lock(first, [whole])
    locks.lock(second, [view])
    locks.release(second)                                                       # the view waits for the whole array ...
    locks.lock(third, [view])                                                   # ... and is needed again
    locks.release(first)
    assert whole.flags.writeable and not view.flags.writeable
    locks.release(third)
    assert view.flags.writeable and not locks.held and not locks.waiting


def test_debug_mode_leaves_every_array_as_writable_as_it_was():
    w = leaf(1.0, 2.0, 3.0)
    early = w[:2]
    with tn.debug():
        kept = w * leaf(1.0, 1.0, 1.0)                                          # locks w
        with tn.no_grad():
            early.add_(1)                                                       # a view from before
            late = w[1:]                                                        # a view of a locked array, not recorded
            late.add_(1)
        wide = w.expand(2, 3)
        (wide * wide).sum().backward()
    assert kept.requires_grad and w.tolist() == [2.0, 4.0, 4.0]
    with tn.no_grad():
        early.add_(1)
        late.add_(1)
        assert w.tolist() == [3.0, 6.0, 5.0]
        with pytest.raises(ValueError, match="add_: this tensor shows one value in several places"):
            wide.add_(1)
    foreign = np.frombuffer(bytearray(16), np.float64)                          # memory that is not NumPy's
    with tn.debug():
        (tn.as_tensor(foreign) * leaf(1.0, 2.0)).sum().backward()
    assert foreign.flags.writeable


def test_many_views_of_a_locked_array_are_unlocked_once_each(monkeypatch):
    unlocked = []
    monkeypatch.setattr(Locks, "unlock", lambda self, array, original=Locks.unlock: (unlocked.append(1), original(self, array)))
    X, w = tn.tensor(np.ones((300, 2))), leaf(1.0, 2.0)
    with tn.debug():
        loss = sum((row @ w for row in X), start=leaf(0.0))
        loss.backward()
    assert w.grad.tolist() == [300.0, 300.0] and not debugging._locks.waiting
    assert len(unlocked) < 20 * 300, "every release looked at every view"


def test_the_gradient_check_runs_in_debug_mode():
    x = leaf(1.0, 2.0)
    with tn.debug():
        y = (x ** 2).sum()
        assert tn.gradcheck(lambda x: (x ** 3).sum(), x)
    assert y.requires_grad and x.tolist() == [1.0, 2.0]


def test_changes_through_the_engine_are_not_raw():
    model = nn.Linear(2, 1)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    with tn.debug():
        kept = model(tn.ones(3, 2)).sum()                                       # a graph that stays alive
        for _ in range(3):
            optimizer.zero_grad()
            model(tn.ones(3, 2)).sum().backward()
            optimizer.step()
        with tn.no_grad():
            model.weight.zero_()
            model.weight[0, :1] += 1.0
        with pytest.raises(ValueError, match="read-only"):
            model.weight.data[0, 0] = 1.0
        with pytest.raises(RuntimeError, match="changed in place"):
            kept.backward()
    assert model.weight.tolist() == [[1.0, 0.0]]


def test_when_it_is_off_nothing_is_remembered():
    x = leaf(1.0)
    y = x * 2
    assert not hasattr(y, "origin") and not hasattr(x, "origin") and x.data.flags.writeable


def test_debug_mode_lets_the_past_go(monkeypatch):
    monkeypatch.setattr(origins, "HISTORY", 10)
    with tn.debug():
        average = tn.tensor(0.0, dtype=np.float64)
        for _ in range(50):
            average = 0.9 * average
        length, trace = 0, average.origin
        while trace.inputs:
            length, trace = length + 1, trace.inputs[0]
    assert length == 10
