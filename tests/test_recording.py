"""What is recorded and what is not, and that changes in place never give a wrong gradient."""

import contextvars
import threading

import numpy as np
import pytest

import tinygrad_nuc as tn
from tinygrad_nuc.operations.in_place import IN_PLACE


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
    np.testing.assert_allclose(w.numpy(), [0.8, 1.6])
    with tn.no_grad():
        w -= 0.1 * w.grad
    np.testing.assert_allclose(w.numpy(), [0.6, 1.2])
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
    with pytest.raises(ValueError, match=r"t\[index\] = values: values of shape \(3,\) do not fit into shape \(2,\)"):
        t[:2] = tn.tensor([1, 2, 3])
    assert t.tolist() == [1, 2, 3]
    t[t > 1] = 0
    assert t.tolist() == [1, 0, 0]
    rows, kept = tn.zeros(2, 3), tn.tensor([5, 6, 7])
    rows[0] = tn.ones(1, 3)                                     # a batch of one, as NumPy takes it
    twin = kept
    kept %= 4
    kept &= 3
    kept //= 2
    assert rows.tolist() == [[1, 1, 1], [0, 0, 0]] and twin is kept and twin.tolist() == [0, 1, 1]


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
    assert off.__name__ == "off"


def test_a_decorated_generator_switches_only_its_own_pieces():
    x = leaf(1.0)
    seen = []

    @tn.no_grad()
    def pieces(n):
        try:
            for i in range(n):
                seen.append((yield (x * i).requires_grad))
                assert not tn.is_grad_enabled()
        except KeyError:
            yield tn.is_grad_enabled()
        finally:
            seen.append(tn.is_grad_enabled())
        return "done"

    items = []
    for item in pieces(2):
        items.append(item)
        assert tn.is_grad_enabled()
    assert items == [False, False] and seen == [None, None, False]

    generator = pieces(3)
    assert next(generator) is False and generator.send("sent") is False and "sent" in seen
    assert generator.throw(KeyError()) is False and tn.is_grad_enabled()
    with pytest.raises(StopIteration) as end:
        next(generator)
    assert end.value.value == "done"
    generator = pieces(3)
    next(generator)
    generator.close()
    assert tn.is_grad_enabled() and seen[-1] is False

    def undecorated():
        with tn.no_grad():
            yield
    generator = undecorated()
    next(generator)
    assert not tn.is_grad_enabled(), "as documented: the block of an undecorated generator reaches outside"
    generator.close()
    assert tn.is_grad_enabled()
    with pytest.raises(TypeError, match="later: a coroutine"):
        @tn.no_grad()
        async def later():
            pass

@pytest.mark.parametrize("name", IN_PLACE)
def test_every_method_in_place_does_what_its_twin_does(name):
    arguments = {"add": (2,), "sub": (2,), "mul": (3,), "div": (4,), "pow": (2,), "clamp": (0.3, 0.6),
                 "masked_fill": (tn.tensor([True, False, True]), 9.0)}.get(name, ())
    t = tn.tensor([0.25, 0.5, 0.75], dtype=tn.float64)
    memory, before = t.data, t.clone()
    expected = getattr(before, name)(*arguments)
    result = getattr(t, f"{name}_")(*arguments)
    assert result is t and t.data is memory and t.tolist() == expected.tolist() and t.changes.last > 0
    w = leaf(0.25, 0.5, 0.75)
    with pytest.raises(RuntimeError, match=f"^{name}_: .*no_grad"):
        getattr(w, f"{name}_")(*arguments)
    y = w * 2
    with pytest.raises(RuntimeError, match="no_grad"):
        getattr(y, f"{name}_")(*arguments)
    with tn.no_grad():
        getattr(w, f"{name}_")(*arguments)
    assert w.requires_grad and w.tolist() == expected.tolist()


def test_methods_in_place_keep_the_kind_of_number():
    t = tn.tensor([1, 4])
    with pytest.raises(TypeError, match="sqrt_: the result is float64 and does not fit into a tensor of int64"):
        t.sqrt_()
    assert t.mul_(2).tolist() == [2, 8] and t.dtype == np.int64
    x = tn.ones(2)
    assert x.add_(tn.ones(2).double()).dtype == np.float32
    with pytest.raises(ValueError, match=r"add_: values of shape \(2, 2\) do not fit into shape \(2,\)"):
        x.add_(tn.ones(2, 2))
    with pytest.raises(RuntimeError, match="add_: the value requires a gradient"):
        x.add_(leaf(1.0, 2.0))
    assert x.tolist() == [2.0, 2.0]


# ---------------------------------------------------------------------- views

def test_views_share_memory_and_their_changes():
    x = leaf(1.0, 2.0, 3.0, 4.0)
    with tn.no_grad():
        for view in (x[1:], x.reshape(2, 2), x.reshape(2, 2).T, x[None], tn.broadcast_to(x, (3, 4)), x.detach()):
            assert np.shares_memory(view.data, x.data)
    y = (x * x).sum()
    with tn.no_grad():
        x.reshape(2, 2).T[0] = 7.0                              # a view of a view of a view
    assert x.tolist() == [7.0, 2.0, 7.0, 4.0]
    with pytest.raises(RuntimeError, match="changed in place"):
        y.backward()


def test_a_view_of_a_freed_graph_has_its_value_but_no_way_back():
    x = leaf(1.0, 2.0)
    y = x * x
    y.sum().backward()
    view = y[0]
    assert view.item() == 1.0 and x.grad.tolist() == [2.0, 4.0]
    with pytest.raises(RuntimeError, match="Multiply a second time"):
        view.backward()
    assert x.grad.tolist() == [2.0, 4.0]
    assert (view.detach() * x[0]).requires_grad
