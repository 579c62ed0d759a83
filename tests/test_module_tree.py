"""Modules inside modules: their names, containers by name, and hooks before and after a forward."""

import numpy as np
import pytest

import tinygrad_nuc as tn
from tinygrad_nuc import nn


class Net(nn.Module):
    """A parameter, a buffer, a list of layers and a name without a module."""

    def __init__(self):
        super().__init__()
        self.scale = nn.Parameter(tn.ones(1))
        self.rest = nn.ModuleList([nn.Linear(3, 3, bias=False), nn.BatchNorm1d(3, affine=False)])
        self.add_module("absent", None)
        self.register_buffer("mean", tn.zeros(3))


# ---------------------------------------------------------------------- names

def test_children_are_what_is_directly_inside():
    net = Net()
    assert [name for name, _ in net.named_children()] == ["rest"] and list(net.children()) == [net.rest]
    shared = nn.ReLU()
    assert [name for name, _ in nn.Sequential(shared, nn.Tanh(), shared).named_children()] == ["0", "1"]


def test_only_what_belongs_to_the_module_itself():
    net = Net()
    assert [name for name, _ in net.named_parameters(recurse=False)] == ["scale"] and list(net.parameters(recurse=False)) == [net.scale]
    assert [name for name, _ in net.named_buffers(recurse=False)] == ["mean"] and list(net.buffers(recurse=False))[0] is net.mean
    assert [name for name, _ in net.named_parameters("net")] == ["net.scale", "net.rest.0.weight"]
    assert [b.shape for b in net.buffers()] == [(3,), (3,), (3,), ()]


def test_a_submodule_by_its_name():
    net = Net()
    assert net.get_submodule("rest.0") is net.rest[0] and net.get_submodule("") is net
    with pytest.raises(AttributeError, match=r"Net has no module 'rest\.7' inside, but rest, rest\.0, rest\.1$"):
        net.get_submodule("rest.7")
    with pytest.raises(AttributeError, match="ReLU has no module 'x' inside, but nothing"):
        nn.ReLU().get_submodule("x")
    shared = nn.Linear(1, 1)
    assert nn.Sequential(shared, shared).get_submodule("1") is shared


@pytest.mark.parametrize(("name", "error", "message"), [("", KeyError, "'' must not be empty"), ("a.b", KeyError, r"'a\.b' must not be empty, or have a dot inside: dots join names"),
                                                        (1, TypeError, "a name is a str, not a int")])
@pytest.mark.parametrize("register", [lambda m, n: m.register_buffer(n, tn.zeros(1)), lambda m, n: m.register_parameter(n, nn.Parameter(tn.zeros(1))),
                                      lambda m, n: m.add_module(n, nn.ReLU())])
def test_names_that_cannot_be_joined_with_dots_are_refused(register, name, error, message):
    module = nn.Module()
    with pytest.raises(error, match=message):
        register(module, name)
    assert not module.state_dict() and not list(module.children())


def test_setattr_refuses_a_dot_too():
    with pytest.raises(KeyError, match="a dot inside"):
        setattr(nn.Module(), "a.b", nn.Parameter(tn.zeros(1)))


def test_a_name_that_means_something_already_is_refused():
    with pytest.raises(KeyError, match="Module has an attribute forward already"):
        nn.Module().register_buffer("forward", tn.zeros(1))
    with pytest.raises(KeyError, match="ModuleDict has an attribute keys already"):
        nn.ModuleDict({"keys": nn.ReLU()})


@pytest.mark.parametrize("thing", [lambda: nn.Linear(1, 1), lambda: nn.Parameter(tn.zeros(1))])
def test_a_module_or_parameter_takes_the_place_of_an_ordinary_attribute_and_of_each_other(thing):
    net, new = Net(), thing()
    net.width = 3
    net.width = net.mean = net.scale = new
    assert net.width is net.mean is net.scale is new
    assert "mean" not in dict(net.named_buffers(recurse=False)) and "width" not in vars(net)


@pytest.mark.parametrize("parts", [[nn.ReLU()], (nn.Parameter(tn.zeros(1)),)])
def test_a_list_of_modules_warns(parts):
    with pytest.warns(UserWarning, match=rf"Module.parts: parameters in a {type(parts).__name__} are not found; use nn\.ModuleList"):
        nn.Module().parts = parts


def test_a_dict_of_modules_warns():
    with pytest.warns(UserWarning, match=r"Module.heads: parameters in a dict are not found; use nn\.ModuleDict"):
        nn.Module().heads = {"energy": nn.Linear(1, 1)}


@pytest.mark.parametrize(("convert", "dtype"), [(nn.Module.half, np.float16), (nn.Module.float, np.float32), (nn.Module.double, np.float64)])
def test_conversion_leaves_whole_numbers(convert, dtype):
    net = convert(Net())
    assert {t.dtype for t in net.state_dict().values()} == {np.dtype(dtype), np.dtype(np.int64)}
    assert net.cpu() is net and net.scale.dtype == dtype


def test_a_module_moves_to_the_named_gpu(monkeypatch):
    moved = []
    monkeypatch.setattr(nn.Module, "to", lambda self, target: moved.append(target) or self)
    model = nn.ReLU()
    assert model.cuda() is model.cuda(2) is model and [*map(str, moved)] == ["cuda", "cuda:2"]


# ---------------------------------------------------------------------- containers

def test_modules_by_name():
    heads = nn.ModuleDict({"energy": nn.Linear(8, 1), "direction": nn.Linear(8, 3)})
    assert [*heads] == [*heads.keys()] == ["energy", "direction"] and len(heads) == 2 and "energy" in heads and "mass" not in heads
    assert [*heads.values()] == [heads["energy"], heads["direction"]] and dict(heads.items()) == {name: heads[name] for name in heads}
    assert [name for name, _ in heads.named_parameters()] == ["energy.weight", "energy.bias", "direction.weight", "direction.bias"]
    new = nn.Linear(8, 2)
    heads.update([("energy", new), ("flavour", nn.Linear(8, 3))])
    assert heads["energy"] is new and [*heads] == ["energy", "direction", "flavour"]
    assert heads.pop("energy") is new and "energy" not in heads
    del heads["flavour"]
    assert str(heads) == "ModuleDict(\n  (direction): Linear(in_features=8, out_features=3, bias=True)\n)"      # as PyTorch prints it
    assert heads.eval() is heads and not heads["direction"].training


def test_a_sequential_grows_and_replaces():
    model = nn.Sequential(nn.Linear(1, 2)).extend([nn.ReLU(), nn.Linear(2, 1)])
    model[1] = nn.Tanh()
    assert [type(m).__name__ for m in model] == ["Linear", "Tanh", "Linear"] and list(dict(model.named_children())) == ["0", "1", "2"]


@pytest.mark.parametrize("wrong", [lambda: nn.ModuleDict({"relu": tn.relu}), lambda: nn.ModuleList([nn.ReLU()]).__setitem__(0, tn.relu),
                                   lambda: nn.Sequential(nn.ReLU()).__setitem__(0, tn.relu)])
def test_containers_refuse_what_is_no_module(wrong):
    with pytest.raises(TypeError, match="^(ModuleDict|ModuleList|Sequential): a function is not a Module"):
        wrong()


# ---------------------------------------------------------------------- hooks

def test_a_hook_replaces_the_output_and_the_next_one_sees_it():
    layer, seen = nn.Identity(), []
    first = layer.register_forward_hook(lambda module, inputs, y: y * 10)
    layer.register_forward_hook(lambda module, inputs, y: seen.append((module, inputs[0].tolist(), y.tolist())))
    assert layer(tn.ones(2)).tolist() == [10, 10] and seen == [(layer, [1, 1], [10, 10])]
    first.remove()
    assert layer(tn.ones(2)).tolist() == [1, 1]


def test_a_hook_before_replaces_one_input_or_all():
    class Difference(nn.Module):
        def forward(self, x, y):
            return x - y
    module = Difference()
    with module.register_forward_pre_hook(lambda module, inputs: inputs[::-1]):
        assert module(tn.tensor(3.0), tn.tensor(1.0)).item() == -2
    assert module(tn.tensor(3.0), tn.tensor(1.0)).item() == 2
    layer = nn.Identity()
    layer.register_forward_pre_hook(lambda module, inputs: inputs[0] + 1)
    layer.register_forward_pre_hook(lambda module, inputs: None)
    after = []
    layer.register_forward_hook(lambda module, inputs, y: after.append(inputs[0].item()))
    assert layer(tn.tensor(1.0)).item() == 2 and after == [2]


@pytest.mark.parametrize("kind", ["register_forward_hook", "register_forward_pre_hook"])
def test_a_hook_may_take_itself_away(kind):
    layer, calls = nn.Identity(), []

    def once(*arguments):
        calls.append(len(arguments))
        handle.remove()
    handle = getattr(layer, kind)(once)
    getattr(layer, kind)(lambda *arguments: calls.append("second"))
    layer(tn.ones(1)), layer(tn.ones(1))
    assert calls == [3 if kind == "register_forward_hook" else 2, "second", "second"]


@pytest.mark.parametrize("kind", ["register_forward_hook", "register_forward_pre_hook"])
def test_a_hook_that_is_no_function_is_refused(kind):
    layer = nn.Identity()
    with pytest.raises(TypeError, match=f"{kind}: a hook is a function, not a int"):
        getattr(layer, kind)(3)
    assert layer(tn.ones(1)).item() == 1


def test_calling_a_module_without_super_init_says_so():
    class Forgetful(nn.Module):
        def __init__(self):
            self.width = 3

        def forward(self, x):
            return x
    for use in (lambda m: m(tn.ones(1)), lambda m: m.state_dict(), lambda m: m.register_forward_hook(print), lambda m: m.eval(), repr):
        with pytest.raises(AttributeError, match=r"Forgetful\._\w+: call super\(\).__init__\(\) first"):
            use(Forgetful())
