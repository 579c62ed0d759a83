"""Moving between devices, with the device guard in the part of CuPy."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest
from device_guard import GuardArray

import tinygrad_nuc as tn
from tinygrad_nuc import nn, optim
from tinygrad_nuc.training import EarlyStopping, ModelCheckpoint, Trainer, accuracy
from tinygrad_nuc.utils.data import DataLoader, TensorDataset


class Device:
    def __init__(self, number): self.number = number
    def __enter__(self): CHOSEN.append(self.number)
    def __exit__(self, *error): pass


CHOSEN = []


@pytest.fixture
def two_gpus(monkeypatch):
    cuda = SimpleNamespace(is_available=lambda: True, Device=Device, runtime=SimpleNamespace(getDeviceCount=lambda: 2))
    monkeypatch.setitem(sys.modules, "cupy", SimpleNamespace(cuda=cuda, asarray=lambda a: GuardArray(getattr(a, "_host", a))))
    CHOSEN.clear()


def test_there_and_back(two_gpus):
    t = tn.tensor([1.0, 2.0])
    there = t.to("cuda")
    assert isinstance(there.data, GuardArray) and there.dtype == np.float32
    assert isinstance(t.to("cuda:1").data, GuardArray) and isinstance(t.cuda().data, GuardArray) and CHOSEN == [0, 1, 0]
    assert there.cpu().tolist() == there.to("cpu").tolist() == [1.0, 2.0] and isinstance(there.cpu().data, np.ndarray)
    assert t.to("cpu") is t and t.cpu() is t


def test_a_model_moves_with_its_buffers_and_gradients(two_gpus):
    model = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    model(tn.ones(4, 2) * tn.arange(4).float().unsqueeze(1)).sum().backward()
    weight = model[0].weight
    assert model.to("cuda") is model and model[0].weight is weight
    assert all(isinstance(t.data, GuardArray) for t in model.state_dict().values())
    assert all(isinstance(p.grad.data, GuardArray) for p in model.parameters())
    model.to("cpu")
    assert all(isinstance(t.data, np.ndarray) for t in model.state_dict().values())


def test_a_trainer_moves_the_model_and_every_batch(two_gpus):
    def run(device):
        tn.manual_seed(3)
        x = tn.randn(12, 2)
        data = DataLoader(TensorDataset(x, (x.sum(1, keepdim=True) > 0).float()), batch_size=4, shuffle=True)
        model = nn.Sequential(nn.Linear(2, 4), nn.Tanh(), nn.Linear(4, 1))
        trainer = Trainer(model, nn.BCEWithLogitsLoss(), optim.Adam(model.parameters(), lr=0.1), device=device,
                          metrics={"accuracy": accuracy}, clip_grad_norm=1.0, callbacks=[EarlyStopping()])
        return trainer.fit(data, data, epochs=3).rows, model, trainer.predict(data)
    (here, _, _), (there, model, predicted) = run(None), run("cuda")
    assert there == here and isinstance(predicted.data, GuardArray)
    assert all(isinstance(p.data, GuardArray) for p in model.parameters())


@pytest.mark.parametrize("first", [None, "cuda"])
@pytest.mark.parametrize("second", [None, "cuda"])
def test_a_run_may_be_resumed_on_another_device(two_gpus, tmp_path, first, second):
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


def test_what_is_recorded_is_not_moved(two_gpus):
    t = tn.tensor([1.0], requires_grad=True)
    with pytest.raises(RuntimeError, match=r"to\('cuda'\): a tensor that requires a gradient has to be where it is needed"):
        t.to("cuda")
    assert t.to("cpu") is t
    with tn.no_grad():
        assert isinstance(t.to("cuda").data, GuardArray)


def test_without_a_gpu_the_error_says_what_is_missing(monkeypatch):
    monkeypatch.setitem(sys.modules, "cupy", None)
    with pytest.raises(RuntimeError, match=r'a GPU needs CuPy: pip install "tinygrad_nuc\[cuda12\]"'):
        tn.zeros(1).to("cuda")
    monkeypatch.setitem(sys.modules, "cupy", SimpleNamespace(cuda=SimpleNamespace(is_available=lambda: False)))
    model = nn.Linear(1, 1)
    with pytest.raises(RuntimeError, match="CuPy is installed, but finds no GPU"):
        model.to("gpu")
    assert isinstance(model.weight.data, np.ndarray)


def test_devices_that_are_not_there(two_gpus):
    with pytest.raises(RuntimeError, match="there is no device 'cuda:2' here, only 2 of its kind"):
        tn.zeros(1).to("cuda:2")


@pytest.mark.parametrize("name", ["cpu:1", "cuda:x", "cuda:", "cuda:-1", "gpu:0:1", "cpu:"])
def test_names_of_no_device_are_refused(two_gpus, name):
    model = nn.Linear(1, 1)
    for move in (tn.zeros(1).to, model.to, lambda x: Trainer(model, nn.MSELoss(), optim.SGD(model.parameters()), device=x)):
        with pytest.raises(ValueError, match=f"unknown device '{name}'; there are 'cpu', 'cuda' and, with several GPUs, 'cuda:0'"):
            move(name)
    assert CHOSEN == []


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
