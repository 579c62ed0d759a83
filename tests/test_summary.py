"""The table of a network's layers: the lectures' numbers of parameters, what is shared, and a model left as it was."""

import numpy as np
import pytest

import tinygrad_nuc as tn
from tinygrad_nuc import nn
from tinygrad_nuc.nn import functional as F


def perceptron(*widths):
    """Linear layers of these widths, with tanh between them."""
    layers = [module for pair in zip(widths[:-1], widths[1:], strict=True) for module in (nn.Linear(*pair), nn.Tanh())]
    return nn.Sequential(*layers[:-1])


@pytest.mark.parametrize(("widths", "parameters"), [        # as counted in the lectures
    ((4, 10, 1), 61), ((1, 3, 1), 10), ((1, 4, 2), 18), ((2, 3, 1), 13), ((1, 3, 3, 1), 22), ((10, 5, 2), 67), ((10, 5, 5, 5, 2), 127),
    ((1, 10, 10, 10, 10, 10, 1), 471), ((784, 512, 512, 10), 669_706)])
def test_how_many_parameters_a_network_has(widths, parameters):
    found = tn.summary(perceptron(*widths), (1, widths[0]))
    assert found.total_params == found.trainable_params == parameters and found.non_trainable_params == 0
    assert sum(layer.parameters for layer in found.layers) == parameters and found.total_param_bytes == 4 * parameters
    assert found.layers[0].output_shapes == found.layers[-1].output_shapes == [(1, widths[-1])]
    assert f"Total params: {parameters:,}\n" in repr(found)


class Everything(nn.Module):
    """A parameter of its own, a frozen layer, shared ones, one that is not called, and two results."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(tn.ones(3))
        self.body = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 3))
        self.again = self.body
        self.frozen = nn.Linear(3, 3).requires_grad_(False)
        self.tied = nn.Linear(3, 4)
        self.tied.weight = self.body[0].weight
        self.unused = nn.Linear(2, 2)

    def forward(self, x):
        x = self.again(self.body(x)) * self.scale
        return self.frozen(x), {"tied": self.tied(x)}


TABLE = """\
layer                                output shape   parameters
Everything             ((7, 3), {'tied': (7, 4)})            3
  (body): Sequential                    (7, 3) ×2            –
    (0): Linear                         (7, 4) ×2           16
    (1): ReLU                           (7, 4) ×2            –
    (2): Linear                         (7, 3) ×2           15
  (again): Sequential                   (7, 3) ×2            –
    (0): Linear                         (7, 4) ×2  (recursive)
    (1): ReLU                           (7, 4) ×2            –
    (2): Linear                         (7, 3) ×2  (recursive)
  (frozen): Linear                         (7, 3)           12
  (tied): Linear                           (7, 4)            4
  (unused): Linear                     not called            6
--------------------------------------------------------------
Total params: 56
Trainable params: 44
Non-trainable params: 12
Params size: 224 bytes"""


def test_the_whole_table():
    model = Everything()
    found = tn.inspect.summary(model, (7, 3))
    assert repr(found) == str(found) == TABLE
    assert found.total_params == sum(p.numel() for p in model.parameters())
    assert (found.trainable_params, found.non_trainable_params) == (44, 12)
    assert [layer.name for layer in found.layers if layer.recursive] == ["again.0", "again.2"]


def test_a_layer_that_gives_several_shapes():
    act = nn.ReLU()
    found = tn.summary(nn.Sequential(nn.Linear(3, 4), act, nn.Linear(4, 2), act), (1, 3))
    assert "  (1): ReLU    (1, 4) … (1, 2) ×2           –\n" in repr(found)


def test_layers_that_a_forward_makes_do_not_disturb():
    class Made(nn.Module):
        def forward(self, x):
            return [nn.Linear(3, 2)(x), None]
    found = tn.summary(Made(), (5, 3))
    assert found.layers[0].output_shapes == [((5, 2), "NoneType")] and found.total_params == 0


# ---------------------------------------------------------------------- inputs

class Records(nn.Module):
    def __init__(self):
        super().__init__()
        self.w = nn.Parameter(tn.ones(1))

    def forward(self, *inputs):
        self.inputs = inputs
        return inputs[0]


@pytest.mark.parametrize(("shape", "dtypes", "expected"), [
    ((2, 3), None, [((2, 3), "float32")]), ([2, 3], None, [((2, 3), "float32")]), ((), None, [((), "float32")]),
    ([(2, 3), (4,)], None, [((2, 3), "float32"), ((4,), "float32")]), (((2, 3),), None, [((2, 3), "float32")]),
    ((2, 3), tn.int64, [((2, 3), "int64")]), ([(2,), (3,)], tn.long, [((2,), "int64"), ((3,), "int64")]),
    ([(2,), (3,)], [tn.int64, tn.float64], [((2,), "int64"), ((3,), "float64")]), ((2,), "bool", [((2,), "bool")]),
])
def test_inputs_of_every_kind(shape, dtypes, expected):
    model = Records()
    tn.summary(model, shape, dtypes)
    assert [(x.shape, str(x.dtype)) for x in model.inputs] == expected
    assert all(not x.data.any() if x.dtype.kind != "f" else (0 < x.data).all() and (x.data < 1).all() for x in model.inputs)


def test_the_input_has_the_models_float_type():
    model = Records().double()
    tn.summary(model, (2,))
    assert model.inputs[0].dtype == np.float64
    found = tn.summary(perceptron(2, 1).double(), (1, 2))
    assert found.total_param_bytes == 24


@pytest.mark.parametrize(("wrong", "kind", "message"), [
    (lambda: tn.summary(nn.Linear(1, 1), 1), TypeError, r"input_shape is a tuple such as \(1, 28 \* 28\), not 1"),
    (lambda: tn.summary(F.relu, (1, 1)), TypeError, "expects a module, not a function"), (lambda: tn.summary(nn.Linear, (1, 1)), TypeError, "expects a module, not a type"),
    (lambda: tn.summary(nn.Linear(2, 1), (-1, 2)), TypeError, r"a shape is a tuple of whole numbers of at least 0, such as .* for a batch of 1, not \(-1, 2\)"),
    (lambda: tn.summary(nn.Linear(2, 1), (None, 2)), TypeError, r"a shape is a tuple .* not \(None, 2\)"), (lambda: tn.summary(nn.Linear(2, 1), (1.0, 2)), TypeError, r"a shape is .* not \(1.0, 2\)"),
    (lambda: tn.summary(Records(), [(1, 2), 3]), TypeError, "a shape is a tuple .* not 3"), (lambda: tn.summary(Records(), (1, 2), "banana"), TypeError, "dtypes are such as tn.int64, not 'banana'"),
    (lambda: tn.summary(Records(), [(1,), (2,)], [tn.int64]), ValueError, "2 inputs need as many dtypes, not 1"),
])
def test_what_does_not_fit_is_refused(wrong, kind, message):
    with pytest.raises(kind, match=f"summary: {message}"):
        wrong()


# ---------------------------------------------------------------------- the model stays as it was

class Random(nn.Module):
    """Draws numbers, remembers in which mode it was called, and may fail."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(2, 2), nn.Sequential(nn.ReLU(), nn.Linear(2, 2)))
        self.fails = False

    def forward(self, x):
        self.modes = [module.training for module in self.modules()]
        self.recorded = (self.layers(x) * tn.rand(2)).requires_grad
        if self.fails:
            return x.reshape(3, 5)
        return x


@pytest.mark.parametrize("fails", [False, True])
def test_mode_generator_hooks_and_gradients_are_as_before(fails):
    model = Random()
    model.layers[1].eval()
    model.fails = fails
    seen = []
    hook = model.layers.register_forward_hook(lambda module, inputs, y: seen.append(y.shape))
    modes, hooks, state = ([module.training for module in model.modules()], [dict(module._hooks) for module in model.modules()], tn.get_rng_state())
    if fails:
        with pytest.raises(ValueError, match=r"summary: Random failed on an input of shape \(4, 2\): Reshape"):
            tn.summary(model, (4, 2))
    else:
        tn.summary(model, (4, 2))
    assert model.modes == [False] * 6 and not model.recorded and seen == [(4, 2)]
    assert [module.training for module in model.modules()] == modes == [True, True, True, False, False, False]
    assert [dict(module._hooks) for module in model.modules()] == hooks and tn.get_rng_state() == state
    assert all(p.grad is None for p in model.parameters()) and tn.is_grad_enabled()
    hook.remove()


def test_the_layer_that_failed_is_named():
    model = nn.Sequential(nn.Linear(3, 4), nn.Sequential(nn.ReLU(), nn.Linear(5, 2)))
    with pytest.raises(ValueError, match=r"summary: Linear '1\.1' failed on an input of shape \(7, 4\): linear: .*must be 5") as caught:
        tn.summary(model, (7, 3))
    assert isinstance(caught.value.__cause__, ValueError)
    with pytest.raises(ValueError, match=r"summary: Sequential failed on an input of shape \(3,\), \(3,\)"):
        tn.summary(model, [(3,), (3,)])
    with pytest.raises(ValueError, match=r"summary: Linear '0' failed on an input of shape \(7, 3\): .*int64"):
        tn.summary(model, (7, 3), tn.int64)


def test_a_model_that_is_called_in_a_way_of_its_own_and_fails():
    class Own(nn.Module):
        def __call__(self, x):
            return x.reshape(7)
    with pytest.raises(ValueError, match=r"summary: Own failed on an input of shape \(4, 2\): Reshape"):
        tn.summary(Own(), (4, 2))


@pytest.mark.parametrize(("n", "text"), [(0, "0 bytes"), (999, "999 bytes"), (1000, "1.0 kB"), (2_678_824, "2.7 MB"), (7 * 10**9, "7.0 GB"), (2 * 10**16, "20000.0 TB")])
def test_sizes_are_readable(n, text):
    assert tn.inspect.model_summary.readable_bytes(n) == text


def test_class_numbers_for_an_embedding_and_running_means_that_stay():
    model = nn.Sequential(nn.Embedding(5, 3), nn.Flatten(), nn.BatchNorm1d(6), nn.Dropout(0.5), nn.Linear(6, 1))
    model(tn.tensor([[0, 4], [2, 2]]))
    before = {name: t.tolist() for name, t in model.state_dict().items()}
    found = tn.summary(model, (8, 2), tn.int64)
    assert [layer.output_shapes for layer in found.layers[1:]] == [[(8, 2, 3)], [(8, 6)], [(8, 6)], [(8, 6)], [(8, 1)]]
    assert [layer.parameters for layer in found.layers] == [0, 15, 0, 12, 0, 7]
    assert {name: t.tolist() for name, t in model.state_dict().items()} == before and model[2].num_batches_tracked.item() == 1
