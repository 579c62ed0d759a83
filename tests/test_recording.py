"""What is recorded and what is not, and that changes in place never give a wrong gradient."""

import contextvars
import threading

import numpy as np
import pytest

import tinygrad_nuc as tn


def leaf(*values, dtype=np.float64):
    return tn.tensor(values[0] if len(values) == 1 else list(values), dtype=dtype, requires_grad=True)


# ---------------------------------------------------------------------- recording

def test_no_grad_records_nothing_and_nests():
    x = leaf(1.0)
    with tn.no_grad():
        assert not (x * 2).requires_grad
        with tn.enable_grad():
            assert (x * 2).requires_grad
        assert not (x * 2).requires_grad
    assert (x * 2).requires_grad


def test_no_grad_ends_with_an_error_and_decorates():
    x = leaf(1.0)
    with pytest.raises(ZeroDivisionError), tn.no_grad():
        raise ZeroDivisionError
    assert tn.is_grad_enabled()

    @tn.no_grad()
    def double(t):
        return t * 2
    assert not double(x).requires_grad and tn.is_grad_enabled()


def test_one_threads_no_grad_is_not_anothers():
    seen = {}
    with tn.no_grad():
        thread = threading.Thread(target=lambda: seen.update(other=tn.is_grad_enabled()))
        thread.start()
        thread.join()
    assert seen == {"other": True}
    assert contextvars.copy_context().run(tn.is_grad_enabled)


def test_detach_cuts_history_and_shares_memory():
    x = leaf(1.0, 2.0)
    y = (x * x).detach()
    assert not y.requires_grad and y.is_leaf
    assert np.shares_memory(x.detach().data, x.data)


@pytest.mark.parametrize("data", [[1, 2], [True, False]])
def test_only_floats_can_require_a_gradient(data):
    with pytest.raises(TypeError, match=r"floating-point.*\.float\(\)"):
        tn.tensor(data, requires_grad=True)
    with pytest.raises(TypeError, match="floating-point"):
        tn.tensor(data).requires_grad_()


# ---------------------------------------------------------------------- changes in place

def test_a_changed_input_is_noticed():
    x = leaf(1.0, 2.0)
    y = (x * x).sum()
    with tn.no_grad():
        x += 1
    with pytest.raises(RuntimeError, match="Multiply.*changed in place"):
        y.backward()
    assert x.grad is None


def test_a_change_through_a_view_or_a_detached_twin_is_noticed():
    for change in (lambda x: x.detach().zero_(), lambda x: x.reshape(2, 1).zero_(), lambda x: x[:1].fill_(7)):
        x = leaf(1.0, 2.0)
        y = tn.exp(x).sum() * (x * x).sum()
        with tn.no_grad():
            change(x)
        with pytest.raises(RuntimeError, match="changed in place"):
            y.backward()


def test_a_changed_result_is_noticed():
    x = leaf(1.0, 2.0)
    y = tn.exp(x)
    with tn.no_grad():
        y *= 2
    with pytest.raises(RuntimeError, match="Exp: its result was changed"):
        y.sum().backward()


def test_a_change_before_use_is_fine():
    x = leaf(1.0, 2.0)
    with tn.no_grad():
        x *= 3
    (x * x).sum().backward()
    assert x.grad.tolist() == [6.0, 12.0]


def test_parameters_cannot_be_changed_while_recording():
    x = leaf(1.0, 2.0)
    for change in (lambda: x.__iadd__(1), lambda: x.zero_(), lambda: x.__setitem__(0, 5.0), lambda: x.uniform_()):
        with pytest.raises(RuntimeError, match="no_grad"):
            change()
    assert x.tolist() == [1.0, 2.0]


def test_augmented_assignment_of_a_result_makes_a_new_tensor():
    x = leaf(1.0, 2.0)
    total = tn.tensor(0.0, dtype=np.float64)
    kept = total
    total += x.sum()
    total *= 2
    total.backward()
    assert x.grad.tolist() == [2.0, 2.0] and kept.item() == 0.0


def test_updates_as_on_the_slides_work():
    w = leaf(1.0, 2.0)
    (w * w).sum().backward()
    w.data -= 0.1 * w.grad.data
    np.testing.assert_allclose(w.data, [0.8, 1.6])
    with tn.no_grad():
        w -= 0.1 * w.grad
    np.testing.assert_allclose(w.data, [0.6, 1.2])
    assert w.requires_grad and w.is_leaf
    with pytest.raises(TypeError, match=r"w\.grad\.data"):
        w.data -= 0.1 * w.grad
    with pytest.raises(TypeError, match=r"\.data"):
        w.data = w.data - 0.1 * w.grad


def test_in_place_shapes_and_kinds_are_checked_before_writing():
    t = tn.tensor([1, 2, 3])
    with pytest.raises(ValueError, match=r"\(2,\).*\(3,\)"):
        t.copy_(tn.tensor([1, 2]))
    with pytest.raises(TypeError, match="float"):
        t += 0.5
    with pytest.raises(ValueError, match=r"__setitem__"):
        t[:2] = tn.tensor([1, 2, 3])
    assert t.tolist() == [1, 2, 3]
    t[t > 1] = 0
    assert t.tolist() == [1, 0, 0]


def test_positions_are_kept_as_they_were():
    x = leaf([[1.0, 5.0], [7.0, 3.0]])
    values, positions = x.max(dim=1)
    positions.fill_(0)
    values.sum().backward()
    assert x.grad.tolist() == [[0.0, 1.0], [1.0, 0.0]]

    x, chosen = leaf(1.0, 2.0, 3.0), [0, 1]
    y = x[chosen]
    chosen[0] = 2
    y.sum().backward()
    assert x.grad.tolist() == [1.0, 1.0, 0.0]


def test_an_element_is_a_view_whatever_the_kind_of_number():
    x = tn.zeros(3)
    for i in (0, np.int64(1), tn.tensor(2)):
        x[i].fill_(5)
    assert x.tolist() == [5.0, 5.0, 5.0]


def test_recording_is_switched_by_block_statement_and_decorator():
    x = leaf(1.0)

    @tn.no_grad
    def bare(t):
        return t * 2
    assert not bare(x).requires_grad and tn.is_grad_enabled()
    block = tn.no_grad()
    with block, tn.enable_grad(), block:
        assert not (x * 2).requires_grad
    assert tn.is_grad_enabled()
    tn.set_grad_enabled(False)
    assert not (x * 2).requires_grad
    tn.set_grad_enabled(True)

    @tn.set_grad_enabled(False)
    def off(t):
        return t * 2
    assert tn.is_grad_enabled() and not off(x).requires_grad and tn.is_grad_enabled()
    with pytest.raises(TypeError, match="generator"):
        @tn.no_grad()
        def pieces():
            yield 1
