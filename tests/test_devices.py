"""Devices: their names, what is made on them, and what moves between them; with an emulated GPU."""

import copy
import pickle

import numpy as np
import pytest
from device_guard import GuardArray, uploads
from gpu_helpers import is_there

import tinygrad_nuc as tn
from tinygrad_nuc import nn, optim
from tinygrad_nuc.training import EarlyStopping, ModelCheckpoint, Trainer, accuracy
from tinygrad_nuc.utils.data import DataLoader, TensorDataset

# ---------------------------------------------------------------------- names

@pytest.mark.parametrize("given, text, shown", [
    (("cpu",), "cpu", "device(type='cpu')"), (("cpu:0",), "cpu:0", "device(type='cpu', index=0)"),
    (("cuda",), "cuda", "device(type='cuda')"), (("gpu",), "cuda", "device(type='cuda')"),
    (("gpu:2",), "cuda:2", "device(type='cuda', index=2)"), (("cuda", 1), "cuda:1", "device(type='cuda', index=1)"),
    ((1,), "cuda:1", "device(type='cuda', index=1)"), ((np.int64(3),), "cuda:3", "device(type='cuda', index=3)")])
def test_a_device_is_called_as_in_pytorch(given, text, shown):
    device = tn.device(*given)
    assert (str(device), repr(device)) == (text, shown)
    assert device == tn.device(device) == tn.device(text) and hash(device) == hash(tn.device(text))


def test_devices_without_a_number_and_texts_are_not_equal_to_those_with_one():
    assert tn.device("cuda") != tn.device("cuda:0") and tn.device("cpu") != "cpu"
    with pytest.raises(AttributeError):
        tn.device("cpu").type = "cuda"


@pytest.mark.parametrize("given, kind, words", [
    (("tpu",), ValueError, "unknown device 'tpu'; there are 'cpu', 'cuda' and"), (("cuda:",), ValueError, "unknown device"),
    ((-1,), ValueError, "unknown device"), ((None,), TypeError, "a device has a name, such as 'cpu' or 'cuda', and None is none"),
    ((True,), TypeError, "True is none"), (("cuda:1", 0), ValueError, "there is no device 'cuda:1' with the number 0"),
    (("cpu", 1), ValueError, "there is no device 'cpu' with the number 1"), (("cuda", -1), ValueError, "number -1"),
    (("cuda", 0.5), ValueError, "number 0.5")])
def test_what_is_no_device_is_refused(given, kind, words):
    with pytest.raises(kind, match=words):
        tn.device(*given)


# ---------------------------------------------------------------------- the default device

MAKERS = [lambda **o: tn.tensor([1.5, 2.0], **o), lambda **o: tn.zeros(2, **o), lambda **o: tn.ones(2, **o), lambda **o: tn.eye(2, **o),
          lambda **o: tn.full((2,), 0.5, **o), lambda **o: tn.arange(3, **o), lambda **o: tn.linspace(0, 1, 3, **o),
          lambda **o: tn.rand(3, **o), lambda **o: tn.randn(3, **o), lambda **o: tn.randint(0, 9, (3,), **o),
          lambda **o: tn.randperm(5, **o), lambda **o: tn.as_tensor(np.arange(3.0), **o), lambda **o: tn.as_tensor([1, 2], **o)]


@pytest.mark.parametrize("make", MAKERS)
def test_what_is_made_goes_where_it_is_told_or_to_the_default_device(one_gpu, make):
    def made(**options):
        tn.manual_seed(5)
        return make(**options)
    here = made()
    assert here.device == tn.device("cpu") and not here.is_cuda
    there = made(device="cuda")
    with tn.device("gpu"):
        inside, outside = made(), made(device="cpu")
    assert there.is_cuda and inside.is_cuda and str(inside.device) == "cuda:0" and not outside.is_cuda
    for x in (there, inside, outside):
        assert x.dtype == here.dtype and x.tolist() == here.tolist()            # the same random numbers too
    assert not made().is_cuda


def test_blocks_nest_and_end_with_errors(one_gpu):
    gpu, cpu = tn.device("gpu"), tn.device("cpu")
    with gpu, cpu, gpu, gpu:
        assert tn.get_default_device() is gpu
    assert tn.get_default_device() == cpu
    with pytest.raises(KeyError), gpu:
        with cpu:
            assert not tn.zeros(1).is_cuda
        assert tn.zeros(1).is_cuda
        raise KeyError
    assert not tn.zeros(1).is_cuda
    tn.set_default_device("cuda")
    with cpu:
        tn.set_default_device("gpu")
        assert tn.zeros(1).is_cuda
        tn.set_default_device(None)
        assert not tn.zeros(1).is_cuda
    assert tn.zeros(1).is_cuda
    tn.set_default_device("cpu")
    assert not tn.zeros(1).is_cuda


def test_another_thread_has_a_default_device_of_its_own(one_gpu):
    from concurrent.futures import ThreadPoolExecutor
    with tn.device("gpu"), ThreadPoolExecutor(1) as pool:
        assert pool.submit(tn.get_default_device).result() == tn.device("cpu")


def test_tensors_stay_where_they_are(one_gpu):
    there, here = tn.ones(2, device="gpu"), tn.ones(2)
    for x in (tn.tensor(there), tn.as_tensor(there), tn.tensor(there.data), tn.zeros_like(there), tn.ones_like(there),
              tn.nn.Parameter(there)):
        assert x.is_cuda
    with tn.device("gpu"):
        assert not tn.tensor(here).is_cuda and not tn.zeros_like(here).is_cuda and not nn.Parameter(here).is_cuda
        assert not tn.from_numpy(np.zeros(2)).is_cuda
    assert tn.as_tensor(there, device="cpu").tolist() == [1, 1]


@pytest.mark.parametrize("layer", [lambda: nn.Linear(3, 2), lambda: nn.Conv2d(1, 2, 3), lambda: nn.BatchNorm1d(3),
                                   lambda: nn.LayerNorm(3), lambda: nn.Embedding(4, 3),
                                   lambda: nn.BCEWithLogitsLoss(pos_weight=[2.0]), lambda: nn.CrossEntropyLoss(weight=[1.0, 2.0])])
def test_the_same_seed_gives_the_same_layer_on_both_devices(one_gpu, layer):
    tn.manual_seed(7)
    here = layer()
    tn.manual_seed(7)
    with tn.device("gpu"):
        there = layer()
    states = there.state_dict(), here.state_dict()
    assert list(states[0]) == list(states[1]) and all(map(is_there, states[0].values()))
    for a, b in zip(*(state.values() for state in states), strict=True):
        assert a.dtype == b.dtype and a.tolist() == b.tolist()


@pytest.mark.parametrize("init", ["uniform_", "normal_", "ones_", "xavier_uniform_", "kaiming_normal_", "orthogonal_"])
def test_weights_start_as_on_the_cpu(one_gpu, init):
    found = []
    for device in ("cpu", "gpu"):
        tn.manual_seed(2)
        w = tn.zeros(4, 3, device=device)
        assert getattr(nn.init, init)(w) is w and is_there(w) == (device == "gpu")
        found.append(w.tolist())
    assert found[0] == found[1]


def test_a_device_that_is_not_there_is_noticed_when_it_is_needed(no_gpu):
    device = tn.device("gpu")
    with pytest.raises(RuntimeError, match="a GPU needs CuPy"), device:
        pass
    with pytest.raises(RuntimeError, match="a GPU needs CuPy"):
        tn.set_default_device("gpu")
    with pytest.raises(RuntimeError, match="a GPU needs CuPy"):
        tn.zeros(2, device="cuda")
    assert tn.get_default_device() == tn.device("cpu") and tn.zeros(2).tolist() == [0, 0]


# ---------------------------------------------------------------------- tensors

def test_there_and_back(two_gpus):
    t = tn.tensor([1.0, 2.0])
    there = t.to("cuda")
    assert isinstance(there.data, GuardArray) and there.dtype == np.float32
    assert is_there(t.to("cuda:1")) and is_there(t.cuda())
    assert [str(x.device) for x in (there, t.to("cuda:1"), t.cuda(), t.cuda(1), t.to(tn.device("gpu", 1)))] == \
        ["cuda:0", "cuda:1", "cuda:0", "cuda:1", "cuda:1"]
    assert there.to("cuda") is there.to("gpu:0") is there and there.to("cuda:1").to("cuda:0").tolist() == [1.0, 2.0]
    assert there.cpu().tolist() == there.to("cpu").tolist() == [1.0, 2.0] and isinstance(there.cpu().data, np.ndarray)
    assert t.to("cpu") is t and t.cpu() is t


def test_to_takes_a_dtype_a_device_both_or_a_tensor(one_gpu):
    t = tn.tensor([1.5, 2.0])
    for there in (t.to("gpu", tn.float64), t.to(tn.ones(1, dtype=tn.float64, device="gpu"))):
        assert there.is_cuda and there.dtype == np.float64 and there.tolist() == [1.5, 2.0]
    assert t.to(tn.ones(1)) is t
    with pytest.raises(TypeError, match="to: a device comes before a dtype"):
        t.to(tn.float64, "cuda")


def test_what_python_asks_of_a_tensor_is_answered_from_the_device(one_gpu):
    t, number = tn.tensor([[1.0, 2.5]], device="gpu"), tn.tensor(3, device="gpu")
    assert repr(t) == "tensor([[1.0000, 2.5000]], device='cuda:0')" == str(t) == f"{t}"
    assert repr(t.double().requires_grad_()) == \
        "tensor([[1.0000, 2.5000]], device='cuda:0', dtype=float64, requires_grad=True)"
    assert repr(nn.Parameter(t)) == "Parameter containing:\n" + repr(t)[:-1] + ", requires_grad=True)"
    assert t.tolist() == [[1.0, 2.5]] and number.item() == int(number) == float(number) == 3 and bool(number)
    assert f"{number:03d}" == "003" and [10, 20, 30, 40][number] == 40 and len(t) == 1 and t.numel() == 2
    assert isinstance(t.numpy(), np.ndarray) and t.numpy().tolist() == [[1.0, 2.5]] and t.cpu().is_cuda is False
    assert [x.tolist() for x in t[0]] == [1.0, 2.5]


@pytest.mark.parametrize("array_of", [np.asarray, np.array, lambda t: np.add(np.ones(2), np.asarray(t))])
def test_numpy_does_not_get_a_device_tensor_without_being_asked(one_gpu, array_of):
    with pytest.raises(TypeError, match=r"this tensor is on a GPU, .* write t.numpy\(\) for a copy"):
        array_of(tn.ones(2, device="gpu"))


@pytest.mark.parametrize("twin_of", [copy.copy, copy.deepcopy])
def test_copies_stay_on_the_device(one_gpu, twin_of):
    t = tn.ones(2, device="gpu", requires_grad=True)
    (t * 3).sum().backward()
    twin = twin_of(t)
    assert twin.is_cuda and twin.tolist() == [1, 1] and twin.grad.is_cuda and twin.grad.tolist() == [3, 3]


def test_a_pickle_holds_numbers_of_the_host_and_comes_back_there(one_gpu, monkeypatch):
    model = nn.Linear(2, 1).to("gpu")
    data = pickle.dumps(model)
    assert b"GuardArray" not in data and b"cupy" not in data
    twin = pickle.loads(data)
    assert not twin.weight.is_cuda and twin.weight.tolist() == model.weight.tolist()


def test_indices_may_be_tensors_arrays_and_lists_of_either_side(one_gpu):
    x = tn.arange(12, device="gpu").reshape(4, 3)
    wanted = [[9, 10, 11], [0, 1, 2]]
    for index in ([3, 0], np.array([3, 0]), tn.tensor([3, 0]), tn.tensor([3, 0], device="gpu")):
        assert is_there(x[index]) and x[index].tolist() == wanted
    for index in (1, np.int64(1), tn.tensor(1), tn.tensor(1, device="gpu"), -3):
        assert x[index].tolist() == [3, 4, 5]
    assert x[:, [2]].tolist() == [[2], [5], [8], [11]] and x[x > 9].tolist() == [10, 11]
    assert x[np.array([True, False, False, True])].shape == (2, 3)
    with pytest.raises(TypeError, match=r"t\[index\]: the index is on cuda:0, and the tensor on cpu: write index.cpu\(\)"):
        tn.arange(3)[tn.tensor([0], device="gpu")]
    w = tn.ones(3, device="gpu", requires_grad=True)
    w[[0, 0, 2]].sum().backward()
    assert is_there(w.grad) and w.grad.tolist() == [2, 0, 1]


def test_writing_into_a_tensor_moves_what_is_written(one_gpu):
    t = tn.zeros(4, device="gpu")
    t[0], t[1], t[2:] = 1, tn.tensor(2.0), [3.0, 4.0]
    assert is_there(t) and t.tolist() == [1, 2, 3, 4]
    t[[0, 1]] = np.array([5.0, 6.0])
    assert t.tolist() == [5, 6, 3, 4]
    assert t.copy_(tn.ones(4)).tolist() == [1, 1, 1, 1] and t.copy_([1, 2, 3, 4]).tolist() == [1, 2, 3, 4]
    assert tn.zeros(4).copy_(t).tolist() == [1, 2, 3, 4] and t.fill_(7).tolist() == [7] * 4 and is_there(t.zero_())
    t += 1
    t *= tn.tensor([2.0], device="gpu")
    assert t.tolist() == [2] * 4 and is_there(t)


# ---------------------------------------------------------------------- tensors on two devices

def clash(*names):
    return "the inputs are on different devices: " + ".*".join(names)


@pytest.mark.parametrize("operation", [lambda x, y: x + y, lambda x, y: tn.matmul(x, y), lambda x, y: tn.cat([x, y]),
                                       lambda x, y: tn.where(x > 0, x, y), lambda x, y: np.maximum(x, y), lambda x, y: x < y])
@pytest.mark.parametrize("swapped", [False, True])
def test_an_operation_on_two_devices_names_both_and_says_how_to_move(any_gpu, operation, swapped):
    here, there = tn.ones(2, 2), tn.ones(2, 2, device="gpu")
    with pytest.raises(TypeError, match=r"on different devices: .* is on (cpu|cuda:0), .* is on (cpu|cuda:0).*; move them to "
                                        r"one, as with .*\.to\('cuda:0'\)"):
        operation(*((there, here) if swapped else (here, there)))


def test_an_array_for_a_model_on_a_gpu(any_gpu):
    model = nn.Sequential(nn.Linear(2, 1)).to("gpu")
    with pytest.raises(TypeError, match="linear: the input is a ndarray, not a tensor"):
        model(np.ones((3, 2), np.float32))
    with pytest.raises(TypeError, match=r"x is on cpu, W is on cuda:0, b is on cuda:0; .*x.to\('cuda:0'\)"):
        model(tn.ones(3, 2))
    assert is_there(model(tn.ones(3, 2, device="gpu")))


@pytest.mark.parametrize("loss, target", [
    (nn.MSELoss(), tn.ones(2, 3)), (nn.BCEWithLogitsLoss(), tn.ones(2, 3)), (nn.CrossEntropyLoss(), tn.tensor([0, 1])),
    (nn.CrossEntropyLoss(), tn.ones(2, 3)), (nn.NLLLoss(), tn.tensor([0, 1])), (nn.KLDivLoss(), tn.ones(2, 3))])
def test_a_loss_with_its_target_elsewhere_names_both(any_gpu, loss, target):
    with pytest.raises(TypeError, match=clash("input is on cuda:0", "target is on cpu", r"target.to\('cuda:0'\)")):
        loss(tn.ones(2, 3, device="gpu"), target)
    with pytest.raises(TypeError, match=clash("input is on cpu", "target is on cuda:0", r"input.to\('cuda:0'\)")):
        loss(tn.ones(2, 3), target.to("gpu"))


def test_positions_on_the_wrong_device(any_gpu):
    table = nn.Embedding(3, 2).to("gpu")
    with pytest.raises(TypeError, match="the inputs are on different devices: input is on cuda:0, index is on cpu"):
        table(tn.tensor([0, 1]))
    assert table(tn.tensor([0, 1], device="gpu")).shape == (2, 2)


def test_tensors_of_two_gpus(two_gpus):
    a, b = tn.ones(2, device="cuda:0"), tn.ones(2, device="cuda:1")
    with pytest.raises((TypeError, ValueError), match="a is on cuda:0, b is on cuda:1"):
        a + b


def test_a_gpu_with_a_number_is_in_use_inside_its_block(two_gpus):
    with tn.device("cuda:1"):
        assert tn.cuda.current_device() == 1 and str(tn.zeros(1, device="cuda").device) == "cuda:1"
        with tn.device("cpu"):
            assert tn.cuda.current_device() == 1
        with tn.device("cuda:0"):
            assert tn.cuda.current_device() == 0
        model = nn.Linear(2, 1)
        model(tn.ones(3, 2)).sum().backward()
        assert str(model.weight.grad.device) == "cuda:1"
    assert tn.cuda.current_device() == 0
    tn.cuda.set_device(1)
    assert str(tn.ones(1).cuda().device) == "cuda:1"
    tn.cuda.set_device("cuda:0")
    tn.set_default_device("cuda:1")
    assert tn.cuda.current_device() == 1
    tn.set_default_device("cpu")
    tn.cuda.set_device(0)


# ---------------------------------------------------------------------- models and training

def test_a_model_moves_with_its_buffers_and_gradients(one_gpu):
    model = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    model(tn.ones(4, 2) * tn.arange(4).float().unsqueeze(1)).sum().backward()
    weight = model[0].weight
    assert model.to("cuda") is model and model[0].weight is weight
    assert all(isinstance(t.data, GuardArray) for t in model.state_dict().values())
    assert all(isinstance(p.grad.data, GuardArray) for p in model.parameters())
    model.to("cpu")
    assert all(isinstance(t.data, np.ndarray) for t in model.state_dict().values())


def test_a_trainer_moves_the_model_and_every_batch(any_gpu):
    def run(device):
        tn.manual_seed(3)
        x = tn.randn(12, 2)
        data = DataLoader(TensorDataset(x, (x.sum(1, keepdim=True) > 0).float()), batch_size=4, shuffle=True)
        model = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 1))
        trainer = Trainer(model, nn.BCEWithLogitsLoss(), optim.Adam(model.parameters(), lr=0.1), device=device,
                          metrics={"accuracy": accuracy}, clip_grad_norm=1.0, callbacks=[EarlyStopping()])
        return trainer.fit(data, data, epochs=3).rows, model, trainer.predict(data)
    (here, _, _), (there, model, predicted) = run(None), run("cuda")
    for a, b in zip(there, here, strict=True):
        assert a == pytest.approx(b, rel=1e-6)
    assert isinstance(predicted.data, GuardArray)
    assert all(isinstance(p.data, GuardArray) for p in model.parameters())


@pytest.mark.parametrize("first", [None, "cuda"])
@pytest.mark.parametrize("second", [None, "cuda"])
def test_a_run_may_be_resumed_on_another_device(one_gpu, tmp_path, first, second):
    def run(device, epochs):
        tn.manual_seed(3)
        x = tn.randn(12, 2)
        data = DataLoader(TensorDataset(x, 2 * x), batch_size=4, shuffle=True)
        model = nn.Linear(2, 2)
        Trainer(model, nn.MSELoss(), optim.Adam(model.parameters(), lr=0.1), device=device,
                callbacks=[ModelCheckpoint(tmp_path)]).fit(data, epochs=epochs, resume="last")
        return model.to("cpu").weight.tolist()
    run(first, 2)
    resumed = run(second, 4)
    (tmp_path / "last.npz").unlink()
    assert resumed == run(None, 4)


def test_what_is_recorded_is_not_moved(one_gpu):
    t = tn.tensor([1.0], requires_grad=True)
    with pytest.raises(RuntimeError, match=r"to\('cuda'\): a tensor that requires a gradient has to be where it is needed"):
        t.to("cuda")
    assert t.to("cpu") is t
    with tn.no_grad():
        assert isinstance(t.to("cuda").data, GuardArray)


def test_devices_that_are_not_there(two_gpus):
    with pytest.raises(RuntimeError, match="there is no device 'cuda:2' here, only 'cuda:0' to 'cuda:1'"):
        tn.zeros(1).to("cuda:2")
    model = nn.Linear(1, 1)
    with pytest.raises(RuntimeError, match="there is no device 'cuda:7' here"):
        model.to("cuda:7")
    assert isinstance(model.weight.data, np.ndarray)


@pytest.mark.parametrize("name", ["cpu:1", "cuda:x", "cuda:", "cuda:-1", "gpu:0:1", "cpu:"])
def test_names_of_no_device_are_refused(two_gpus, name):
    model = nn.Linear(1, 1)
    for move in (tn.zeros(1).to, model.to, lambda x: Trainer(model, nn.MSELoss(), optim.SGD(model.parameters()), device=x)):
        with pytest.raises(ValueError, match=f"unknown device '{name}'; there are 'cpu', 'cuda' and, with several GPUs, 'cuda:0'"):
            move(name)
    assert not uploads


def test_what_is_neither_a_device_nor_a_dtype_is_refused():
    model = nn.Linear(1, 1)
    for move in (tn.zeros(1).to, model.to, lambda x: Trainer(model, nn.MSELoss(), optim.SGD(model.parameters()), device=x)):
        with pytest.raises(TypeError, match=r"(Linear\.)?to: unknown device or dtype 'tpu'; there are the devices 'cpu', 'cuda'"):
            move("tpu")


def test_the_computers_memory_is_also_cpu_0(two_gpus):
    t, model = tn.zeros(1), nn.Linear(1, 1)
    weight = model.weight.data
    assert t.to("cpu:0") is t and model.to("cpu:0").weight.data is weight
    assert isinstance(t.to("cuda:0").to("cpu:0").data, np.ndarray)
