"""Modules: attributes find their table, parameters their names, states their way back, and print(model) PyTorch's text.

The stored texts were printed by torch 2.13. What the layers compute is in test_layers.py.
"""

import copy
from collections import OrderedDict

import numpy as np
import pytest

import tinygrad_nuc as tn
from tinygrad_nuc import nn


@pytest.fixture(autouse=True)
def seeded():
    tn.manual_seed(0)


class Net(nn.Module):
    """One of everything: a parameter, a buffer, two layers, a list and a name without a module."""

    def __init__(self):
        super().__init__()
        self.first = nn.Linear(2, 3)
        self.scale = nn.Parameter(tn.ones(1))
        self.rest = nn.ModuleList([nn.Linear(3, 3, bias=False), nn.Tanh()])
        self.absent = None
        self.register_buffer("mean", tn.zeros(3))

    def forward(self, x):
        x = self.first(x)
        for module in self.rest:
            x = module(x)
        return x * self.scale


NAMES = ["scale", "first.weight", "first.bias", "rest.0.weight"]


def values(module):
    return {name: t.numpy().copy() for name, t in module.state_dict().items()}


def assert_same(a, b):
    assert list(a) == list(b)
    assert all(np.array_equal(a[name], b[name]) for name in a)


# --- attributes ---------------------------------------------------------------------------------------


def test_parameters_have_dotted_names_in_order_of_assignment():
    assert [name for name, _ in Net().named_parameters()] == NAMES


def test_modules_have_dotted_names_and_the_outermost_none():
    assert [name for name, _ in Net().named_modules()] == ["", "first", "rest", "rest.0", "rest.1"]


def test_buffers_are_not_parameters():
    assert [name for name, _ in Net().named_buffers()] == ["mean"]


def test_numbers_and_tensors_stay_ordinary_attributes():
    net = Net()
    net.width, net.constant = 3, tn.zeros(2)
    assert [name for name, _ in net.named_parameters()] == NAMES
    assert (net.width, net.constant.tolist()) == (3, [0, 0])


def test_a_new_parameter_takes_the_place_of_the_old_one():
    net, new = Net(), nn.Parameter(tn.zeros(1))
    net.scale = new
    assert net.scale is new
    assert [name for name, _ in net.named_parameters()] == NAMES


def test_a_parameter_set_to_none_is_gone_but_its_name_is_kept():
    layer = nn.Linear(2, 3)
    layer.bias = None
    assert [name for name, _ in layer.named_parameters()] == ["weight"]
    assert layer.bias is None and repr(layer) == "Linear(in_features=2, out_features=3, bias=False)"


def test_a_plain_tensor_cannot_replace_a_parameter():
    with pytest.raises(TypeError, match="Linear.weight is a Parameter: assign another Parameter or None, not a Tensor"):
        nn.Linear(2, 3).weight = tn.zeros(3, 2)


def test_an_ordinary_attribute_can_be_deleted_and_names_of_parameters_are_completed():
    net = Net()
    net.width = 3
    del net.width
    assert not hasattr(net, "width") and {"scale", "first", "mean", "forward"} <= set(dir(net))
    with pytest.raises(AttributeError, match="width"):
        del net.width


def test_a_deleted_module_is_gone():
    model = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 4))
    del model[1].bias
    assert list(model.state_dict()) == ["0.weight", "0.bias", "1.weight"]
    with pytest.raises(AttributeError, match="'Linear' object has no attribute 'bias'"):
        _ = model[1].bias


@pytest.mark.parametrize("value", [lambda: nn.Linear(1, 1), lambda: nn.Parameter(tn.zeros(1))])
def test_forgetting_super_init_says_so(value):
    class Forgetful(nn.Module):
        def __init__(self):
            self.width = 3
            self.layer = value()

    with pytest.raises(AttributeError, match=r"Forgetful.layer: call super\(\).__init__\(\) first"):
        Forgetful()

    class Reading(nn.Module):
        def __init__(self):
            self.names = list(self.parameters())

    with pytest.raises(AttributeError, match=r"Reading._parameters: call super\(\).__init__\(\) first"):
        Reading()


def test_forgetting_forward_says_so():
    with pytest.raises(TypeError, match="Module has no forward method"):
        nn.Module()(1)


def test_a_shared_parameter_is_listed_once_and_saved_under_every_name():
    model = nn.Sequential(nn.Linear(2, 2), nn.Tanh(), nn.Linear(2, 2))
    model[2].weight = model[0].weight
    assert [name for name, _ in model.named_parameters()] == ["0.weight", "0.bias", "2.bias"]
    assert list(model.state_dict()) == ["0.weight", "0.bias", "2.weight", "2.bias"]


def test_a_shared_weight_adds_up_the_gradients_of_its_uses():
    one, two = nn.Linear(1, 1, bias=False).double(), nn.Linear(1, 1, bias=False).double()
    two.weight = one.weight
    nn.init.constant_(one.weight, 3)
    nn.Sequential(one, two)(tn.tensor(np.array([[5.0]]))).backward()
    assert one.weight.grad.item() == 30                         # d(w² x)/dw = 2 w x


# --- the whole tree -----------------------------------------------------------------------------------


def test_train_and_eval_reach_every_module():
    net = Net()
    assert all(module.training for module in net.modules())
    assert not any(module.training for module in net.eval().modules())
    assert all(module.training for module in net.train().modules())


def test_zero_grad_forgets_every_gradient():
    net = Net()
    net(tn.ones(4, 2)).sum().backward()
    assert all(p.grad is not None for p in net.parameters())
    net.zero_grad()
    assert all(p.grad is None for p in net.parameters())


def test_a_frozen_part_gets_no_gradient():
    net = Net()
    net.first.requires_grad_(False)
    net(tn.ones(4, 2)).sum().backward()
    assert [name for name, p in net.named_parameters() if p.grad is not None] == ["scale", "rest.0.weight"]


def test_double_converts_parameters_buffers_and_gradients():
    net = Net()
    net(tn.ones(4, 2)).sum().backward()
    before = values(net)
    net.double()
    assert {t.dtype for t in net.state_dict().values()} == {np.dtype(np.float64)}
    assert {p.grad.dtype for p in net.parameters()} == {np.dtype(np.float64)}
    assert_same(values(net.float()), before)
    assert net.first.weight.dtype == np.float32


def test_weights_stay_floating_point_numbers():
    with pytest.raises(TypeError, match="Linear.to: weights are floating-point numbers, not int64"):
        nn.Linear(2, 3).to(np.int64)


def test_apply_reaches_the_inner_modules_first():
    seen = []
    Net().apply(lambda module: seen.append(type(module).__name__))
    assert seen == ["Linear", "Linear", "Tanh", "ModuleList", "Net"]


def test_a_deep_copy_has_the_same_values_in_other_arrays():
    net = Net()
    twin = copy.deepcopy(net)
    assert_same(values(twin), values(net))
    nn.init.zeros_(twin.first.weight)
    assert np.all(net.first.weight.numpy() != 0)
    assert [name for name, _ in twin.named_parameters()] == NAMES


def test_a_deep_copy_keeps_shared_parameters_shared():
    layer = nn.Linear(2, 2)
    twin = copy.deepcopy(nn.Sequential(layer, layer))
    assert twin[0].weight is twin[1].weight and twin[0].weight is not layer.weight


# --- state --------------------------------------------------------------------------------------------


def test_a_state_travels_from_one_network_to_another():
    a, b = Net(), Net()
    b.load_state_dict(a.state_dict())
    assert_same(values(a), values(b))
    assert a.first.weight.data is not b.first.weight.data


def test_a_state_is_of_plain_tensors_that_share_memory():
    net = Net()
    state = net.state_dict()
    assert not any(t.requires_grad for t in state.values())
    assert all(np.shares_memory(state[name].data, p.data) for name, p in net.named_parameters())


WRONG = [
    (lambda s: s.pop("first.bias"), KeyError, r"missing \['first.bias'\], unexpected \[\]"),
    (lambda s: s.update(extra=np.zeros(1)), KeyError, r"missing \[\], unexpected \['extra'\]"),
    (lambda s: s.update({"mean": np.zeros(4, np.float32)}), ValueError, r"mean has shape \(4,\).*has \(3,\)"),
    (lambda s: s.update({"rest.0.weight": np.zeros((3, 3), int)}), TypeError, "rest.0.weight is int64.*is float32"),
]


@pytest.mark.parametrize(("spoil", "error", "message"), WRONG)
def test_a_state_that_does_not_fit_changes_nothing(spoil, error, message):
    net, state = Net(), {name: np.full(t.shape, 7, np.float32) for name, t in Net().state_dict().items()}
    spoil(state)
    before = values(net)
    with pytest.raises(error, match=message):
        net.load_state_dict(state)
    assert_same(values(net), before)


def test_a_loose_state_loads_what_it_has():
    net = Net()
    weight = net.first.weight.numpy().copy()
    net.load_state_dict({"scale": np.array([4.0]), "extra": np.zeros(1)}, strict=False)
    assert net.scale.item() == 4 and net.scale.dtype == np.float32
    assert np.array_equal(net.first.weight.numpy(), weight)


# --- containers and print(model) ----------------------------------------------------------------------


def test_sequential_chains_its_modules_and_gives_them_by_index():
    model = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1))
    x = tn.randn(4, 2)
    expected = model[2](tn.tanh(model[0](x)))
    assert np.array_equal(model(x).numpy(), expected.numpy())
    assert (len(model), model[-1], list(model)[1]) == (3, model[2], model[1])
    assert model.append(nn.ReLU()) is model and isinstance(model[3], nn.ReLU)
    np.testing.assert_array_equal(model(x).numpy(), np.maximum(expected.numpy(), 0))


def test_sequential_takes_names_and_a_slice_keeps_them():
    model = nn.Sequential(OrderedDict(hidden=nn.Linear(2, 3), bend=nn.ReLU(), output=nn.Linear(3, 1)))
    assert list(model[1:].state_dict()) == ["output.weight", "output.bias"]
    assert model.hidden is model[0] and model[1:][1] is model.output


def test_module_list_grows_slices_and_replaces():
    layers = nn.ModuleList([nn.Linear(1, 2)]).append(nn.Linear(2, 3)).extend([nn.Linear(3, 4)])
    layers[-1] = nn.Linear(3, 5)
    assert [layer.out_features for layer in layers] == [2, 3, 5]
    assert [name for name, _ in layers[1:].named_parameters()] == ["0.weight", "0.bias", "1.weight", "1.bias"]


@pytest.mark.parametrize("make", [lambda: nn.Sequential(nn.Linear(1, 1), tn.relu), lambda: nn.ModuleList([tn.relu])])
def test_containers_refuse_what_is_no_module(make):
    with pytest.raises(TypeError, match="function is not a Module|is a function, not a Module"):
        make()


class Named(nn.Module):
    def __init__(self, **modules):
        super().__init__()
        for name, module in modules.items():
            setattr(self, name, module)

    def extra_repr(self):
        return "width=3"


def blocks():
    return nn.ModuleList(nn.Sequential(nn.Linear(2, 2), nn.ELU()) for _ in range(2))


PRINTED_BY_PYTORCH = [
    (nn.Sequential, "Sequential()"), (nn.ModuleList, "ModuleList()"), (Named, "Named(width=3)"),
    (lambda: nn.Linear(3, 4, bias=False), "Linear(in_features=3, out_features=4, bias=False)"),
    (lambda: nn.LeakyReLU(0.2), "LeakyReLU(negative_slope=0.2)"), (nn.ELU, "ELU(alpha=1.0)"), (nn.ReLU, "ReLU()"),
    (lambda: nn.Softmax(dim=1), "Softmax(dim=1)"), (lambda: nn.LogSoftmax(-1), "LogSoftmax(dim=-1)"),
    (nn.Softplus, "Softplus(beta=1.0, threshold=20.0)"), (lambda: nn.Identity(7), "Identity()"),
    (lambda: nn.CrossEntropyLoss(reduction="sum"), "CrossEntropyLoss()"),
    (lambda: nn.Sequential(nn.Linear(1, 2), nn.ReLU(), nn.Tanh())[1:], "Sequential(\n  (1): ReLU()\n  (2): Tanh()\n)"),
    (lambda: nn.ModuleList([nn.Linear(4, 4), nn.Linear(4, 4), nn.Linear(4, 4), nn.Tanh(), nn.Linear(4, 2)]),
     "ModuleList(\n  (0-2): 3 x Linear(in_features=4, out_features=4, bias=True)\n  (3): Tanh()\n"
     "  (4): Linear(in_features=4, out_features=2, bias=True)\n)"),
    (lambda: Named(blocks=blocks(), loss=nn.MSELoss()),
     "Named(\n  width=3\n  (blocks): ModuleList(\n    (0-1): 2 x Sequential(\n"
     "      (0): Linear(in_features=2, out_features=2, bias=True)\n      (1): ELU(alpha=1.0)\n    )\n  )\n"
     "  (loss): MSELoss()\n)"),
]


@pytest.mark.parametrize(("make", "text"), PRINTED_BY_PYTORCH)
def test_print_gives_pytorchs_text(make, text):
    assert str(make()) == text
