"""Debug mode: whose line it was, the first NaN or infinity, locked arrays; and why a gradient is missing."""

import gc
import os
import re
import subprocess
import sys
import threading
import time

import numpy as np
import pytest

import tinygrad_nuc as tn
from tinygrad_nuc import nn, optim
from tinygrad_nuc.engine import debugging, origins
from tinygrad_nuc.engine.locks import Locks
from tinygrad_nuc.inspect import why_no_gradient


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


def test_many_views_of_a_locked_array_cost_no_more_than_one_each():
    X, w = tn.tensor(np.ones((2000, 2))), leaf(1.0, 2.0)
    with tn.debug():
        loss = sum((row @ w for row in X), start=leaf(0.0))
        start = time.perf_counter()
        loss.backward()
        assert time.perf_counter() - start < 10, "was 80 s when every release looked at every view"
    assert w.grad.tolist() == [2000.0, 2000.0] and not debugging._locks.waiting


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


# ---------------------------------------------------------------------- why is there no gradient?

def test_reasons_that_a_tensor_knows_by_itself():
    x = leaf(1.0, 2.0)
    assert why_no_gradient(tn.tensor([1, 2])).startswith("integer: this tensor holds int64")
    assert why_no_gradient(x.detach()).startswith("detached here: ")
    with tn.no_grad():
        assert why_no_gradient(x * 2).startswith("recorded under no_grad: ")
    assert why_no_gradient(tn.ones(2)).startswith("it does not require a gradient")
    assert why_no_gradient(x).startswith("no backward pass has reached this tensor")
    y = x * 2
    y.sum().backward()
    assert "only leaves keep their gradient" in why_no_gradient(y)
    assert why_no_gradient(x).startswith("there is a gradient")
    x.grad = tn.zeros(2).double()
    assert "zero everywhere" in why_no_gradient(x) and "tn.debug()" in why_no_gradient(x)
    with pytest.raises(TypeError, match="expects a tensor, not a float"):
        why_no_gradient(1.0)


def test_the_cut_on_the_way_is_found():
    with tn.debug():
        w, v = leaf(1.0, 2.0), leaf(3.0, 4.0)
        hidden = tn.tanh(w * 2).detach()                                        # cut by hand
        with tn.no_grad():
            offset = w.sum()                                                    # cut by a block
        (hidden * v + offset).sum().backward()
        answer = why_no_gradient(w)
        assert re.match(rf"not reached: the way from the loss is cut here,\n    (computed under no_grad at {HERE}.*# cut by a block\n    )?"
                        rf"detached at {HERE}.*# cut by hand", answer) and "# cut by a block" in answer
        assert why_no_gradient(v).startswith("there is a gradient")
        v.grad = None
        assert "set to None afterwards" in why_no_gradient(v)
        assert re.match(rf"detached here at {HERE}", why_no_gradient(hidden))


def test_only_cuts_that_hide_the_tensor_are_named():
    w, v = leaf(1.0), leaf(2.0)
    with tn.debug():
        hidden = (w * 2).detach()                                               # cuts w off
        other = (v * 3).detach()                                                # cuts v off
        (hidden * other * leaf(1.0)).backward()
        assert "# cuts w off" in why_no_gradient(w) and "# cuts v off" not in why_no_gradient(w)


def test_what_the_last_pass_was_and_what_came_of_it_is_told():
    with tn.debug():
        assert why_no_gradient(leaf(1.0)).startswith("not reached: in debug mode, no operation has used this tensor.")
        x, other = leaf(1.0), leaf(2.0)
        y = x * 2                                                               # used, and then nothing
        assert re.match(rf"not reached: backward\(\) has not been called since this tensor was used at {HERE}.*# used, and", why_no_gradient(x))
        (other * 3).backward()
        assert "was not computed from this one" in why_no_gradient(x) and ".item(), comparisons" in why_no_gradient(x)
        tn.grad(y, x)
        assert why_no_gradient(x).startswith("the last pass was one of tn.grad, which returns gradients and stores none")
        y = x * 2
        handle = x.register_hook(lambda g: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            y.backward()
        assert why_no_gradient(x).startswith("the last backward pass ended with an error before anything was stored")
        handle.remove()
        late = tn.tensor(2.0, dtype=np.float64)
        y = x * late
        late.requires_grad_()
        y.backward()
        assert "it began to require one only after that" in why_no_gradient(late)
    assert why_no_gradient(leaf(1.0)).startswith("no backward pass has reached")


def test_a_hook_that_makes_a_gradient_zero_is_named():
    x = leaf(1.0, 2.0)
    with tn.debug():
        y = x * 2                                                               # gets a hook
        y.register_hook(lambda g: g * 0)
        y.sum().backward()
    assert re.search(rf"a hook made it zero, on a tensor of shape \(2,\)\n    Multiply was computed at {HERE}.*# gets a hook", why_no_gradient(x))


def test_an_error_inside_a_derivative_names_the_derivative():
    a = leaf([[1.0, 2.0], [2.0, 4.0]])
    with tn.debug():
        y = tn.linalg.inv(a * 0 + tn.eye(2).double()).sum()
        with tn.debug(), pytest.raises(FloatingPointError) as error:
            tn.sqrt(leaf(0.0)).backward(create_graph=True)                      # a derivative that is recorded itself
    assert y.requires_grad and re.match(rf"in the derivative Sqrt\.grad_a; Sqrt was computed at {HERE}.*# a derivative", error.value.__notes__[0])


def test_debug_mode_decorates_bare_and_generators_and_can_stay_on():
    @tn.debug
    def bare():
        return debugging.on

    @tn.debug()
    def pieces():
        yield debugging.on
    assert bare() and list(pieces()) == [True] and not debugging.on
    generator = pieces()
    assert next(generator) and not debugging.on
    tn.set_debug(True)
    tn.set_debug(True)
    with tn.debug():
        pass
    assert debugging.on
    tn.set_debug(False)
    tn.set_debug(False)
    assert not debugging.on
    with pytest.raises(TypeError, match="coroutine"):
        @tn.debug
        async def later():
            pass


def test_dead_relus_and_other_zeros_are_found():
    model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1))
    with tn.no_grad():
        model[0].bias.fill_(-100.0)
    for _ in range(2):                                                          # the second pass is judged anew
        with tn.debug():
            model.zero_grad()
            model(tn.ones(4, 2)).sum().backward()                               # through a dead layer
    answer = why_no_gradient(model[0].weight)
    assert re.search(rf"Relu was computed at {HERE}.*# through a dead layer\n    a of shape \(4, 3\): from -\d+(\.\d+)? to -\d+", answer)
    assert answer.endswith("it is dead for this batch.")
    assert why_no_gradient(model[2].bias).startswith("there is a gradient")
    x = leaf(1.0, 5.0)
    with tn.debug():
        (x.clamp(2, 3) * 0).sum().backward()
    assert re.search("the gradient became zero here,\n    Multiply was computed", why_no_gradient(x))
    with tn.debug():
        x.grad = None
        (x * 2).backward(tn.zeros(2).double())
    assert "the gradient that backward started from" in why_no_gradient(x)


def test_a_zero_by_one_use_and_a_gradient_by_another():
    x = leaf(1.0, 2.0)
    with tn.debug():
        ((x * 0).sum() + (x * 3).sum()).backward()
        assert why_no_gradient(x).startswith("there is a gradient")
        x.grad = None
        ((x * 3).sum() + (x * 0).sum()).backward()
    assert x.origin.zero_because == ""
