"""Many parameters in one array: every one moves as it would alone, whatever happens to it between steps."""

import numpy as np
import pytest
from device_guard import GuardArray, waits
from optim_problem import ALL, name, start, train
from pytorch_cases.optim import A

import tinygrad_nuc as tn
from tinygrad_nuc import nn
from tinygrad_nuc.optim import SGD, Adam, flat


def mixed():
    """Parameters of all sorts, with gradients that depend on the step."""
    rng = np.random.default_rng(5)
    arrays = [rng.normal(size=shape) for shape in [(3,), (), (2, 3), (1,), (5, 2), (0,), (4, 1, 3), (7, 11), (60,), (2,)]]
    arrays[4] = arrays[4].T                                             # not contiguous
    arrays[7] = np.asfortranarray(arrays[7])
    arrays[2], arrays[8] = arrays[2].astype(np.float32), arrays[8].astype(np.float32)
    return [tn.tensor(array, requires_grad=True) for array in arrays]


def give_gradients(params, step):
    rng = np.random.default_rng([7, step])
    for i, p in enumerate(params):
        gradient = rng.normal(size=p.shape)
        p.grad = None if step and (step * i) % 4 == 3 else tn.tensor(np.asarray(gradient).astype(p.dtype))


@pytest.mark.parametrize("cache", [4, 20, 2 ** 16])
@pytest.mark.parametrize(("kind", "settings"), ALL, ids=name)
def test_joined_parameters_move_as_each_would_alone(kind, settings, cache, monkeypatch):
    monkeypatch.setattr(flat, "CACHE", cache)

    class OneByOne(kind):
        elementwise = False
    OneByOne.__name__ = kind.__name__
    together, alone = mixed(), mixed()
    optimizers = kind(together, **settings), OneByOne(alone, **settings)
    for step in range(9):
        for params, optimizer in zip((together, alone), optimizers, strict=True):
            give_gradients(params, step)
            optimizer.step()
        for p, q in zip(together, alone, strict=True):
            assert p.numpy().tobytes() == q.numpy().tobytes()
    a, b = (optimizer.state_dict()["state"] for optimizer in optimizers)
    assert a.keys() == b.keys() and (len(a) == len(together) or not a)
    for i in a:
        assert list(a[i]) == list(b[i])
        assert all(np.array_equal(a[i][key], b[i][key]) for key in a[i])


class Counting(SGD):
    """Notes what the formula is given at a time."""
    def __init__(self, params, **settings):
        super().__init__(params, **settings)
        self.calls = []

    def change(self, p, g, state, **settings):
        self.calls.append(p.shape)
        return super().change(p, g, state, **settings)


@pytest.mark.host("parts that fit into a CPU's cache")
def test_the_formula_is_evaluated_once_for_all_layers_and_in_parts_for_a_large_one():
    def shapes(*params):
        optimizer = Counting(params)
        for p in params:
            p.grad = tn.ones_like(p)
        optimizer.step()
        assert all((p.numpy() == -1e-3).all() for p in params)
        return optimizer.calls
    zeros = [tn.zeros(5, 2, requires_grad=True) for _ in range(50)]
    assert shapes(*zeros) == [(500,)]
    assert shapes(*[tn.zeros(2, dtype=dtype, requires_grad=True) for dtype in 2 * [np.float32, np.float64]]) == [(4,), (4,)]
    assert shapes(tn.zeros(3, 2, requires_grad=True)) == [(3, 2)]
    small, large = [tn.zeros(300, requires_grad=True) for _ in range(2)], tn.zeros(300, 1000, requires_grad=True)
    assert shapes(small[0], large, small[1]) == [(600,), *4 * [(65, 1000)], (40, 1000)]
    assert shapes(tn.zeros(3, 70_000, requires_grad=True)) == 3 * [(1, 70_000)]
    assert shapes(*[tn.zeros(40_000, requires_grad=True) for _ in range(5)]) == [(80_000,), (80_000,), (40_000,)]


@pytest.mark.host("the memory of a NumPy array, shared")
def test_parameters_keep_their_own_arrays():
    array = np.ones(3)
    shared, other = tn.from_numpy(array).requires_grad_(), tn.zeros(2, dtype=tn.float64, requires_grad=True)
    arrays = shared.numpy(), other.numpy()
    optimizer = SGD([shared, other], lr=0.5)
    (shared.sum() + other.sum()).backward()
    optimizer.step()
    assert shared.data is arrays[0] and other.data is arrays[1]
    assert array.tolist() == [0.5, 0.5, 0.5] and other.tolist() == [-0.5, -0.5]


@pytest.mark.host("the memory of a NumPy array, shared")
def test_two_parameters_with_the_same_memory_both_move_it():
    array = np.zeros(2)
    a, b = (tn.Tensor(array, requires_grad=True) for _ in range(2))
    a.grad, b.grad = tn.ones(2).double(), tn.ones(2).double() * 10
    SGD([a, b], lr=1.0).step()
    assert array.tolist() == [-11.0, -11.0]


def test_a_parameter_may_get_another_array():
    w, b = start()
    optimizer = SGD([w, b], lr=0.5, momentum=0.5)
    for value in (1.0, 3.0):
        w.data, b.data = tn.full((2, 2), value, tn.float64).data, tn.full((2,), value, tn.float64).data
        w.grad, b.grad = tn.tensor(np.ones((2, 2))), tn.tensor(np.ones(2))
        optimizer.step()
    assert w.tolist() == [[2.25, 2.25], [2.25, 2.25]] and b.tolist() == [2.25, 2.25]    # 3 − 0.5 · (0.5 · 1 + 1)
    w.data = w.data.T[::-1]                                                             # still of the same shape
    optimizer.step()
    assert w.tolist() == [[1.375, 1.375], [1.375, 1.375]]                               # − 0.5 · (0.5 · 1.5 + 1)


@pytest.mark.parametrize(("kind", "settings"), ALL, ids=name)
def test_what_is_remembered_follows_the_dtype(kind, settings):
    model = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
    optimizer = kind(model.parameters(), **settings)

    def steps():
        for _ in range(3):
            optimizer.zero_grad()
            (model(tn.tensor(A.astype(model[0].weight.dtype))) ** 2).sum().backward()
            optimizer.step()
    for convert in (model.double, model.float):
        steps()
        before = optimizer.state_dict()["state"]
        convert()
        optimizer.zero_grad()
        model(tn.tensor(A.astype(model[0].weight.dtype))).sum().backward()
        step = optimizer.state_dict()["state"]
        assert all(np.array_equal(step[i][key], before[i][key]) for i in before for key in before[i])
        steps()
        dtype = model[0].weight.dtype
        assert {x.dtype for entry in optimizer.state.values() for x in entry.values() if isinstance(x, tn.Tensor)} <= {dtype}
        assert all(entry.get("step", 6) in (6, 12) for entry in optimizer.state.values())
        assert all(np.isfinite(p.numpy()).all() for p in model.parameters())


def test_another_shape_is_refused_where_something_is_remembered():
    w, b = start()
    plain, adam = SGD([w, b]), Adam([w, b])
    for optimizer in (plain, adam):
        train(w, b, optimizer, steps=1)
    w.grad = None
    w.data = tn.ones(3, 2, dtype=tn.float64).data
    w.grad = tn.tensor(np.ones((3, 2)))
    before = b.tolist()
    with pytest.raises(ValueError, match=r"Adam: a parameter of shape \(2, 2\) now has shape \(3, 2\).* or `del optimizer.state\[p\]`"):
        adam.step()
    assert b.tolist() == before
    plain.step()
    del adam.state[w]
    adam.step()
    assert adam.state[w]["step"] == 1 and adam.state[b]["step"] == 2 and adam.state[w]["exp_avg"].shape == (3, 2)


def test_groups_may_be_changed_by_hand():
    w, b = start()
    optimizer = SGD([w], lr=1.0)
    train(w, b, optimizer, steps=1)
    w.grad, b.grad = tn.zeros_like(w), tn.ones_like(b)
    optimizer.param_groups[0]["params"].append(b)
    optimizer.step()
    np.testing.assert_allclose(b.numpy(), [-0.9, -1.3])
    optimizer.param_groups[0]["params"] = [w]
    optimizer.step()
    np.testing.assert_allclose(b.numpy(), [-0.9, -1.3])


def test_two_optimizers_of_one_parameter_remember_separately():
    w = tn.tensor([1.0], dtype=tn.float64, requires_grad=True)
    one, two = SGD([w], lr=0.1, momentum=0.5), Adam([w], lr=0.1)
    w.grad = tn.tensor([2.0], dtype=tn.float64)
    one.step()                              # 1 − 0.1 · 2
    two.step()                              # − 0.1
    one.step()                              # − 0.1 · (1 + 2)
    assert w.item() == pytest.approx(0.4, rel=1e-8)
    assert (list(one.state[w]), list(two.state[w])) == (["momentum_buffer"], ["step", "exp_avg", "exp_avg_sq"])


@pytest.mark.parametrize(("kind", "settings"), ALL, ids=name)
@pytest.mark.host("has a device of its own")
def test_a_step_stays_on_its_device_without_waiting(kind, settings):
    def run(wrap):
        params = [tn.Tensor(wrap(p.numpy()), requires_grad=True) for p in mixed()]
        optimizer = kind(params, **settings)
        for step in range(4):
            give_gradients(host := mixed(), step)
            for p, q in zip(params, host, strict=True):
                p.grad = None if q.grad is None else tn.Tensor(wrap(q.grad.numpy()))
            optimizer.step()
        return params, optimizer
    waits.clear()
    params, optimizer = run(GuardArray)
    assert waits == []
    for p, q in zip(params, run(np.asarray)[0], strict=True):
        assert np.array_equal(p.data.get(), q.data)
    assert all(isinstance(x.data, GuardArray) for entry in optimizer.state.values() for x in entry.values() if isinstance(x, tn.Tensor))


def test_what_is_remembered_follows_the_device(one_gpu):
    def run(*wraps):
        params = mixed()
        optimizer = Adam(params, lr=0.1)
        for step, wrap in enumerate(wraps):
            for p in params:
                p.grad, p.data = None, getattr(p.data, "_host", p.data)
            give_gradients(params, step)
            for p in params:
                p.data = wrap(p.data)
                p.grad = None if p.grad is None else tn.Tensor(wrap(p.grad.numpy()))
            optimizer.step()
            for p in params:
                assert all(type(x.data) is type(p.data) for x in optimizer.state[p].values() if isinstance(x, tn.Tensor))
        return params
    for p, q in zip(run(np.asarray, GuardArray, np.asarray), run(np.asarray, np.asarray, np.asarray), strict=True):
        assert np.array_equal(p.numpy(), q.numpy())
