"""Functions and methods follow PyTorch's conventions, agree with each other, and explain what does not fit."""

import copy
import inspect
import pickle

import numpy as np
import pytest

import tinygrad_nuc as tn
from tinygrad_nuc import nn

A = np.array([[0.5, -1.5, 2.0], [1.0, 0.25, -0.75]])
T = tn.tensor(A)


# ---------------------------------------------------------------------- conventions

def test_variance_is_unbiased_unless_asked_otherwise():
    assert T.var().item() == pytest.approx(A.var(ddof=1)) and T.var(correction=0).item() == pytest.approx(A.var())
    assert T.var(unbiased=False).item() == pytest.approx(A.var())
    np.testing.assert_allclose(T.var(dim=1, keepdim=True).numpy(), A.var(axis=1, ddof=1, keepdims=True))


def test_largest_and_smallest_values():
    assert T.max().item() == 2.0 and T.min().item() == -1.5
    values, indices = T.max(dim=0)
    assert values.tolist() == [1.0, 0.25, 2.0] and indices.tolist() == [1, 1, 0]
    assert T.min(1, keepdim=True).values.shape == (2, 1) and T.min(-1).indices.tolist() == [1, 2]
    assert tn.max(T, tn.zeros(3).double()).tolist() == np.maximum(A, 0).tolist()
    assert tn.min(T, T * 0).tolist() == np.minimum(A, 0).tolist()
    assert T.amax((0, 1)).item() == 2.0 and T.argmax().item() == 2 and T.argmin(axis=1).tolist() == [1, 2]


def test_either_word_for_an_axis():
    for word in ("dim", "axis"):
        np.testing.assert_allclose(T.sum(**{word: 0}).numpy(), A.sum(0))
        np.testing.assert_allclose(tn.softmax(T, **{word: 1}).numpy().sum(1), 1)
    np.testing.assert_allclose(T.mean(1, keepdims=True).numpy(), T.mean(1, keepdim=True).numpy())
    with pytest.raises(TypeError, match="dim or axis, not both"):
        T.sum(dim=0, axis=0)


@pytest.mark.parametrize(("result", "shape"), [
    (T.reshape(3, -1), (3, 2)), (T.reshape((6,)), (6,)), (T.view(1, 6), (1, 6)), (T.flatten(), (6,)),
    (tn.zeros(2, 3, 4, 5).flatten(1, 2), (2, 12, 5)), (tn.tensor(1.0).flatten(), (1,)), (T.T, (3, 2)), (T.t(), (3, 2)),
    (T.unsqueeze(-1), (2, 3, 1)), (T.unsqueeze(0).squeeze(), (2, 3)), (tn.zeros(1, 2, 1).squeeze(0), (2, 1)),
    (tn.zeros(2, 3).squeeze(0), (2, 3)), (tn.zeros(2, 3, 4).permute(-1, 0, 1), (4, 2, 3)),
    (tn.zeros(2, 3, 4).transpose(0, -1), (4, 3, 2)), (tn.ones(3, 1).expand(-1, 4), (3, 4)), (tn.ones(2).expand(3, 2), (3, 2)),
    (tn.stack([T, T], dim=-1), (2, 3, 2)), (tn.cat([T, T], dim=-1), (2, 6)), (tn.eye(2, 3), (2, 3)),
    (tn.zeros(()), ()), (tn.full((2, 1), 3), (2, 1)), (T[None, ..., 0], (1, 2)), (T[:, [0, 0]], (2, 2)), (T[[]], (0, 3)),
])
def test_shapes(result, shape):
    assert result.shape == shape


MATMUL = [((3,), (3,)), ((2, 3), (3,)), ((2,), (2, 3)), ((2, 3), (3, 4)), ((5, 2, 3), (3, 4)), ((2, 3), (5, 3, 4)),
          ((5, 2, 3), (5, 3, 4)), ((5, 1, 2, 3), (6, 3, 4)), ((3,), (5, 3, 2)), ((5, 2, 3), (3,)), ((0, 3), (3, 2)), ((2, 0), (0, 2))]


@pytest.mark.parametrize(("a", "b"), MATMUL)
def test_matrix_products_of_every_kind(a, b):
    rng = np.random.default_rng(0)
    x, y = (tn.tensor(rng.normal(size=shape), requires_grad=True) for shape in (a, b))
    expected = np.matmul(x.numpy(), y.numpy())
    assert (x @ y).shape == expected.shape
    np.testing.assert_allclose((x @ y).numpy(), expected, rtol=1e-13, atol=1e-13)
    if expected.size:
        assert tn.gradcheck(tn.matmul, [x, y], atol=1e-7) and tn.gradgradcheck(tn.matmul, [x, y], atol=1e-6)


def test_losses_of_extreme_logits_are_finite():
    x = tn.tensor([-1e4, -30.0, 0.0, 30.0, 1e4], requires_grad=True)
    for y in (tn.sigmoid(x), nn.functional.softplus(x), tn.log_softmax(x, 0), tn.softmax(x, 0), x.logsumexp(0)):
        assert np.isfinite(y.numpy()).all()
        assert np.isfinite(tn.grad(y.sum(), x)[0].numpy()).all()


def test_the_slope_of_a_sigmoid_far_out_is_right():
    x = tn.tensor([40.0, -40.0], dtype=tn.float64, requires_grad=True)
    np.testing.assert_allclose(tn.grad(tn.sigmoid(x).sum(), x)[0].numpy(), np.exp(-40.0), rtol=1e-14)


def test_logsumexp_of_nothing_likely():
    x = tn.tensor([[-np.inf, -np.inf], [0.0, -np.inf]], dtype=tn.float64, requires_grad=True)
    y = x.logsumexp(1)
    assert y.tolist() == [-np.inf, 0.0]
    assert tn.grad(y.sum(), x)[0].tolist() == [[0.0, 0.0], [1.0, 0.0]]


def test_powers_at_zero():
    a, b = (tn.tensor([0.0, 2.0, 0.0], dtype=tn.float64, requires_grad=True),
            tn.tensor([0.0, 0.0, 2.0], dtype=tn.float64, requires_grad=True))
    ga, gb = tn.grad((a ** b).sum(), [a, b], create_graph=True)
    assert ga.tolist() == [0.0, 0.0, 0.0] and gb.tolist() == [0.0, np.log(2.0), 0.0]
    for first in (ga, gb):          # ∂²(aᵇ)/∂a∂b = aᵇ⁻¹ (1 + b ln a), the same either way
        other = b if first is ga else a
        assert tn.grad(first[1], other, retain_graph=True)[0][1].item() == 0.5


# ---------------------------------------------------------------------- a Python object like others

def test_a_tensor_reads_like_a_number_or_a_list():
    t = tn.tensor([1.0, 2.5])
    assert len(t) == 2 and [x.item() for x in t] == [1.0, 2.5] and t.tolist() == [1.0, 2.5]
    assert float(t[1]) == 2.5 and int(tn.tensor(3)) == 3 and f"{t[1]:.1f}" == "2.5" and [10, 20][tn.tensor(1)] == 20
    assert bool(tn.tensor(1.0)) and t.size() == (2,) and t.size(0) == t.numel() == 2 and t.dim() == 1
    assert (t == None) is False and (t != "text") is True                                    # noqa: E711
    assert {t: "a"}[t] == "a" and t in [t]
    y = tn.tensor(2.0, requires_grad=True) * 3
    assert y.grad_fn is tn.engine.registry.table.Multiply and t.grad_fn is None             # PyTorch's name
    cut = tn.tensor([1.7, -1.7, 0.0])
    assert (cut.long().tolist(), cut.long().dtype, cut.int().tolist(), cut.int().dtype) == ([1, -1, 0], np.int64, [1, -1, 0], np.int32)
    assert cut.bool().tolist() == [True, True, False] and cut.double().dtype == np.float64


@pytest.mark.parametrize(("wrong", "kind", "message"), [
    (lambda: len(tn.tensor(1.0)), TypeError, "no length"), (lambda: bool(T), ValueError, r"\(2, 3\).*\.any\(\)"),
    (lambda: T.item(), ValueError, r"\(2, 3\)"), (lambda: float(T), ValueError, "one element"),
    (lambda: iter(tn.tensor(1.0)).__next__(), TypeError, "no length"),
])
def test_what_a_tensor_cannot_be(wrong, kind, message):
    with pytest.raises(kind, match=message):
        wrong()


@pytest.mark.parametrize(("t", "text"), [
    (tn.tensor([1.0, 2.0]), "tensor([1., 2.])"), (tn.tensor(0.5), "tensor(0.5000)"), (tn.tensor([1, 2]), "tensor([1, 2])"),
    (tn.tensor([True, False]), "tensor([ True, False])"), (tn.tensor(0.5, dtype=np.float64), "tensor(0.5000, dtype=float64)"),
    (tn.tensor([]), "tensor([])"), (tn.zeros(0, 3), "tensor([], shape=(0, 3))"),
    (tn.tensor(1.0, requires_grad=True) * 2, "tensor(2., grad_fn=<Multiply>)"),
    (tn.tensor([float("nan"), float("inf")]), "tensor([nan, inf])"), (tn.arange(2000)[:1], "tensor([0])"),
])
@pytest.mark.host("how a tensor on the host is shown")
def test_repr(t, text):
    assert repr(t) == text


@pytest.mark.host("how a tensor on the host is shown")
def test_long_tensors_are_shown_in_part():
    assert repr(tn.arange(5000)) == "tensor([   0,    1,    2, ..., 4997, 4998, 4999], shape=(5000,))"


def test_leaves_can_be_pickled():
    x = tn.tensor([1.0, 2.0], requires_grad=True)
    y = pickle.loads(pickle.dumps(x))
    assert y.tolist() == [1.0, 2.0] and y.requires_grad


def test_a_leaf_pickled_late_is_fresh_where_it_is_loaded():
    x = tn.tensor([1.0], requires_grad=True)
    for _ in range(5):
        x.data -= 0.1
    y = pickle.loads(pickle.dumps(x))
    assert y.changes is None or y.changes.last == 0
    assert x.sum(dim=[0]).item() == pytest.approx(0.5)


def test_layers_in_a_plain_list_are_noticed():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = [nn.Linear(1, 1)]
    with pytest.warns(UserWarning, match="Net.layers.*ModuleList"):
        Net()


def test_copies_of_leaves():
    w = nn.Parameter(tn.tensor([1.0, 2.0]))
    (w * w).sum().backward()
    twin = copy.deepcopy(w)
    assert isinstance(twin, nn.Parameter) and twin.grad.tolist() == [2.0, 4.0]
    twin.data += 1
    assert w.tolist() == [1.0, 2.0]
    with pytest.raises(TypeError, match="only leaves"):
        copy.deepcopy(w * 2)
    shallow = copy.copy(w)
    y = (w * w).sum()
    with tn.no_grad():
        shallow.zero_()
    with pytest.raises(RuntimeError, match="changed in place"):
        y.backward()


# ---------------------------------------------------------------------- errors that name operation, shapes, and what fits

@pytest.mark.parametrize(("wrong", "kind", "message"), [
    (lambda: T + tn.zeros(4), ValueError, r"Add\(a of shape \(2, 3\), b of shape \(4,\)\)(.|\n)*a: \(2, 3\)\n    b: \(   4\)\n           \^ .*equal, or one of them 1"),
    (lambda: T @ T, ValueError, r"MatMul.*\n    a: \(2, 3\)\n           \^\n    b: \(2, 3\)\n        \^ .*is 3, and.*is 2.*b.transpose\(-1, -2\), of shape \(3, 2\)"),
    (lambda: tn.zeros(5, 3) - tn.zeros(5), ValueError, r"b\.unsqueeze\(-1\), of shape \(5, 1\), would fit"),
    (lambda: tn.zeros(5, 12) * tn.zeros(12, 1, 4), ValueError, r"a: \(    5, 12\)\n    b: \(12, 1,  4\)\n                \^"),
    (lambda: tn.zeros(3, 2) @ tn.zeros(3), ValueError, r"    b: \(3\)\n        \^.*a\.transpose\(-1, -2\), of shape \(2, 3\)"),
    (lambda: T @ 2, ValueError, r"MatMul.*use \*"),
    (lambda: tn.zeros(2, 3, 4) @ tn.zeros(5, 4, 6), ValueError, r"MatMul\(a of shape \(2, 3, 4\).*leading(.|\n)*a: \(2\)\n    b: \(5\)\n        \^"),
    (lambda: T.reshape(4, 2), ValueError, r"Reshape\(a of shape \(2, 3\).*6 values.*\(4, 2\)"),
    (lambda: T.expand(2, 4), ValueError, r"BroadcastTo\(a of shape \(2, 3\).*\(2, 4\)"),
    (lambda: T.sum(2), IndexError, r"Sum\(a of shape \(2, 3\), axis=2"),
    (lambda: T.max(2), IndexError, "max: dimension 2.*from -2 to 1"),
    (lambda: tn.tensor(1.0).max(0), IndexError, "no dimensions"),
    (lambda: T[2], IndexError, r"Index\(a of shape \(2, 3\).*out of bounds"),
    (lambda: T.unsqueeze(4), IndexError, "unsqueeze: dimension 4"), (lambda: T.transpose(0, 2), IndexError, "transpose: dimension 2"),
    (lambda: tn.zeros(1, 1, 1).t(), ValueError, r"t: expects a matrix.*\(1, 1, 1\)"),
    (lambda: T.flatten(1, 0), ValueError, "flatten: start_dim 1 comes after end_dim 0"),
    (lambda: tn.cat([T, tn.zeros(2, 4)]), ValueError, r"Concatenate\(arrays\[0\] of shape \(2, 3\), arrays\[1\] of shape \(2, 4\).*axis 0"),
    (lambda: tn.cat([T, tn.zeros(3)]), ValueError, "same number of dimensions"),
    (lambda: tn.cat([tn.tensor(1.0)]), ValueError, "use stack"), (lambda: tn.cat([]), ValueError, "at least one"),
    (lambda: tn.cat([T, 2.0]), TypeError, "element 1 is a float"),
    (lambda: tn.stack([T, T.T]), ValueError, r"stack.*\(2, 3\), \(3, 2\)"), (lambda: T.clamp(), ValueError, "clamp"),
    (lambda: nn.functional.leaky_relu(T, T), TypeError, "LeakyRelu: slope.*cannot be a Tensor"),
    (lambda: nn.Linear(4, 1)(T), TypeError, r"float64.*float32.*\.float\(\)"),
    (lambda: nn.Linear(4, 1).double()(T), ValueError, r"linear.*\(2, 3\).*\(1, 4\).*must be 4"),
    (lambda: nn.functional.mse_loss(T, T[0]), ValueError, r"mse_loss.*\(2, 3\).*\(3,\)"),
    (lambda: nn.functional.mse_loss(T[:, :1], T[:, 0]), ValueError, r"mse_loss.*unsqueeze\(-1\)"),
    (lambda: T.retain_grad(), RuntimeError, "retain_grad"), (lambda: T.max((0, 1)), TypeError, "amax"),
    (lambda: T @ [1.0, 2.0, 3.0], TypeError, r"MatMul: a list.*tn\.tensor"), (lambda: T.argmax(3), IndexError, "argmax: dimension 3"),
    (lambda: tn.stack([T, T], 5), IndexError, "stack: dimension 5"), (lambda: tn.zeros(0).reshape(0, -1), ValueError, "any length"),
    (lambda: f"{T:.2f}", ValueError, "one element"), (lambda: tn.grad(3.0, T), TypeError, "not a float"),
    (lambda: nn.Sequential(nn.ReLU), TypeError, r"ReLU\(\)"), (lambda: nn.Sequential([nn.ReLU()]), TypeError, r"\*layers"),
    (lambda: nn.MSELoss(T, T), TypeError, r"nn\.MSELoss\(\)"), (lambda: tn.optim.SGD(nn.ReLU()), TypeError, r"model\.parameters\(\)"),
    (lambda: nn.Linear(1, 1).register_parameter("w", 3), TypeError, "w must be a Parameter"),
    (lambda: nn.Linear(1, 1).register_buffer("weight", T), KeyError, "weight already"),
    (lambda: setattr(tn.tensor([1.0]), "grad", np.ones(1)), TypeError, r"tn\.tensor\(g\)"),
    (lambda: setattr(tn.tensor([1.0]), "grad", tn.ones(2)), ValueError, r"\(1,\), not \(2,\)"),
    (lambda: setattr(tn.tensor([1.0]), "grad", tn.ones(1).double()), TypeError, "dtype float32, not float64"),
    (lambda: setattr(T.clone().requires_grad_() * 2, "requires_grad", False), RuntimeError, r"only be switched off on leaves; use \.detach\(\)"),
    (lambda: tn.where(T > 0, tn.zeros(2, 4), tn.zeros(2)), ValueError, r"Where\((.|\n)*condition: \(2, 3\)\n +a: \(2, 4\)\n +b: \(   2\)\n +\^ they must be equal, or one of them 1$"),
    (lambda: tn.grad(T.clone().requires_grad_() * 2, T, [T, T]), ValueError, "grad: 1 outputs need as many grad_outputs, not 2"),
    (lambda: tn.grad((T.clone().requires_grad_() * 2).sum(), T), RuntimeError, r"grad: input 0, of shape \(2, 3\), does not require a gradient"),
    (lambda: tn.from_numpy([1.0]), TypeError, "from_numpy: expects a numpy.ndarray, not list"), (lambda: tn.arange(3).uniform_(), TypeError, "uniform_: .*floating-point type, not int64"),
    (lambda: T.rot90(1, (0, 1, 0)), ValueError, r"rot90: a plane has two dimensions, not \(0, 1, 0\)"), (lambda: T.cross(T.T), ValueError, "cross"),
])
def test_errors_say_what_is_wrong_and_what_would_fit(wrong, kind, message):
    with pytest.raises(kind, match=message):
        wrong()


def test_a_faulty_new_operation_is_told_what_is_wrong():
    with pytest.raises(TypeError, match=r"Broken\.grad_b: forward has no array argument"):
        class Broken(tn.Operation):
            def forward(a): return a
            def grad_b(g, y, a): return g
    with pytest.raises(TypeError, match=r"Broken\.grad_a must take \(g, y, a, axis\)"):
        class Broken(tn.Operation):                                                          # noqa: F811
            def forward(a, *, axis): return a
            def grad_a(g, a): return g
    with pytest.raises(TypeError, match="Multiply exists already"):
        class Multiply(tn.Operation):
            def forward(a): return a
    with pytest.raises(TypeError, match="a method settings would hide what every tensor keeps"):
        @tn.engine.tensor.method
        def settings(input): return input

    class WrongShape(tn.Operation):
        def forward(a): return a * 2
        def grad_a(g, y, a): return g[:1, :2]
    try:
        with pytest.raises(TypeError, match=r"WrongShape\.grad_a returned shape \(1, 2\) for an argument of shape \(2, 3\)"):
            WrongShape.apply(T.clone().requires_grad_()).sum().backward()
    finally:
        del tn.engine.registry.table.WrongShape


# ---------------------------------------------------------------------- documentation

def public_names():
    for where, module in {"tn": tn, "nn": nn, "func": tn.func, "linalg": tn.linalg, "F": nn.functional, "init": nn.init, "optim": tn.optim, "inspect": tn.inspect,
                          "training": tn.training, "data": tn.utils.data}.items():
        for name in dir(module):
            thing = getattr(module, name)
            if not name.startswith("_") and callable(thing) and (getattr(thing, "__module__", "") or "").startswith("tinygrad_nuc"):
                yield pytest.param(thing, id=f"{where}.{name}")


@pytest.mark.parametrize("thing", list(public_names()))
def test_every_public_name_is_documented_with_an_example(thing):
    assert ">>> " in (inspect.getdoc(thing) or "")
