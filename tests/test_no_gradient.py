"""Why is there no gradient? What a tensor knows by itself, and what debug mode remembers."""

import re

import numpy as np
import pytest

import tinygrad_nuc as tn
from tinygrad_nuc import nn
from tinygrad_nuc.engine import debugging
from tinygrad_nuc.inspect import why_no_gradient


def leaf(*values):
    return tn.tensor(values[0] if len(values) == 1 else list(values), dtype=np.float64, requires_grad=True)


HERE = re.escape(__file__)


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


@pytest.mark.host("on a GPU, no values are told in a message, since it would have to wait")
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
