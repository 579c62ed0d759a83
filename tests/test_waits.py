"""A training step on a GPU asks it for nothing and stays there: every loss, every optimizer, and what comes between."""

import numpy as np
import pytest
from device_guard import uploads, waits
from gpu_helpers import is_there, quiet

import tinygrad_nuc as tn
from tinygrad_nuc import nn, optim
from tinygrad_nuc.nn import functional as F
from tinygrad_nuc.training import Trainer
from tinygrad_nuc.utils.data import DataLoader, TensorDataset

N, INPUTS, OUTPUTS = 6, 4, 3
RNG = np.random.default_rng(8)
ANY, SHARES = RNG.normal(size=(N, OUTPUTS)), RNG.uniform(0.1, 0.9, (N, OUTPUTS))
DIRECTIONS = ANY / np.linalg.norm(ANY, axis=1, keepdims=True)
CLASSES = RNG.integers(0, OUTPUTS, N)
DISTRIBUTIONS = SHARES / SHARES.sum(1, keepdims=True)
WEIGHTS = [0.5, 1.0, 2.0]

LOSSES = {      # a loss, and the target that it is given
    "MSELoss": (lambda: nn.MSELoss(), ANY), "L1Loss": (lambda: nn.L1Loss(), ANY), "HuberLoss": (lambda: nn.HuberLoss(), ANY),
    "SmoothL1Loss": (lambda: nn.SmoothL1Loss(), ANY), "PoissonNLLLoss": (lambda: nn.PoissonNLLLoss(full=True), 4 * SHARES),
    "VonMisesFisherNLLLoss": (lambda: nn.VonMisesFisherNLLLoss(), DIRECTIONS),
    "GaussianNLLLoss": (lambda: lambda y, t: nn.GaussianNLLLoss(full=True)(y, t, (y * y).detach() + 1), ANY),
    "BCELoss": (lambda: lambda y, t: nn.BCELoss()(y.sigmoid(), t), SHARES),
    "BCEWithLogitsLoss": (lambda: nn.BCEWithLogitsLoss(), SHARES),
    "BCEWithLogitsLoss, weighted": (lambda: nn.BCEWithLogitsLoss(pos_weight=WEIGHTS), SHARES),
    "KLDivLoss": (lambda: lambda y, t: nn.KLDivLoss(reduction="batchmean")(F.log_softmax(y, 1), t), DISTRIBUTIONS),
    "NLLLoss": (lambda: (lambda loss: lambda y, t: loss(F.log_softmax(y, 1), t))(nn.NLLLoss(weight=WEIGHTS)), CLASSES),
    "CrossEntropyLoss": (lambda: nn.CrossEntropyLoss(), CLASSES),
    "CrossEntropyLoss, weighted": (lambda: nn.CrossEntropyLoss(weight=WEIGHTS, label_smoothing=0.1), CLASSES),
    "CrossEntropyLoss of shares": (lambda: nn.CrossEntropyLoss(label_smoothing=0.1), DISTRIBUTIONS)}

OPTIMIZERS = {
    "SGD": lambda p: optim.SGD(p, lr=0.05), "SGD, all": lambda p: optim.SGD(p, lr=0.05, momentum=0.9, nesterov=True, weight_decay=0.01),
    "Adam": lambda p: optim.Adam(p, lr=0.05), "Adam, amsgrad": lambda p: optim.Adam(p, lr=0.05, amsgrad=True, maximize=True),
    "AdamW": lambda p: optim.AdamW(p, lr=0.05), "RMSprop": lambda p: optim.RMSprop(p, lr=0.05),
    "RMSprop, all": lambda p: optim.RMSprop(p, lr=0.05, momentum=0.9, centered=True, weight_decay=0.01),
    "Adagrad": lambda p: optim.Adagrad(p, lr=0.05, lr_decay=0.1)}


def network():
    return nn.Sequential(nn.Linear(INPUTS, 5), nn.BatchNorm1d(5), nn.Tanh(), nn.Linear(5, 5), nn.ReLU(), nn.Linear(5, OUTPUTS))


def there(array):
    return tn.tensor(array.astype(np.float32) if array.dtype.kind == "f" else array, device="gpu")


def all_there(model, optimizer=None, *others):
    """Whether every value, gradient, buffer and part of an optimizer's state is on the device."""
    tensors = [*model.parameters(), *model.buffers(), *(p.grad for p in model.parameters()), *others]
    if optimizer is not None:
        tensors += [x for entry in optimizer.state.values() for x in entry.values() if isinstance(x, tn.Tensor)]
    return all(map(is_there, tensors))


def steps(model, loss, optimizer, x, target, between=lambda: None, after=lambda: None, count=3):
    """Some training steps, of which none but the first, which may have to get ready, may wait or move anything."""
    for i in range(count):
        if i == 1:
            quiet()
        optimizer.zero_grad()
        y = model(x)
        found = loss(y, target)
        found.backward()
        between()
        optimizer.step()
        after()
    assert waits == [] and uploads == [] and all_there(model, optimizer, y, found)
    return found


def test_every_loss_and_optimizer_is_here():
    ours = {name for name, thing in vars(nn).items() if isinstance(thing, type) and name.endswith("Loss")}
    assert ours == {name.split(",")[0].split()[0] for name in LOSSES}
    kinds = {name for name, thing in vars(optim).items() if isinstance(thing, type) and issubclass(thing, optim.Optimizer)}
    assert kinds - {"Optimizer"} == {name.split(",")[0] for name in OPTIMIZERS}


@pytest.mark.parametrize("name", LOSSES)
def test_no_loss_waits(any_gpu, name):
    make, target = LOSSES[name]
    tn.manual_seed(4)
    with tn.device("gpu"):
        loss, model = make(), network()
        found = steps(model, loss, optim.SGD(model.parameters(), lr=0.05), there(ANY @ np.ones((OUTPUTS, INPUTS))), there(target))
    tn.manual_seed(4)
    loss, model = make(), network()                                 # and the CPU finds the same
    optimizer = optim.SGD(model.parameters(), lr=0.05)
    x, target = there(ANY @ np.ones((OUTPUTS, INPUTS))).cpu(), there(target).cpu()
    for _ in range(3):
        optimizer.zero_grad()
        expected = loss(model(x), target)
        expected.backward()
        optimizer.step()
    assert found.item() == pytest.approx(expected.item(), rel=1e-4)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_no_optimizer_waits(any_gpu, name):
    model = network().to("gpu")
    optimizer = OPTIMIZERS[name](model.parameters())
    schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, 10)
    steps(model, nn.MSELoss(), optimizer, there(ANY @ np.ones((OUTPUTS, INPUTS))), there(ANY), after=schedule.step)


@pytest.mark.parametrize("clip", [lambda p: nn.utils.clip_grad_norm_(p, 0.1), lambda p: nn.utils.clip_grad_norm_(p, 0.1, 1.0),
                                  lambda p: nn.utils.clip_grad_norm_(p, 0.1, np.inf), lambda p: nn.utils.clip_grad_value_(p, 0.01)])
def test_no_clipping_waits(any_gpu, clip):
    model = network().to("gpu")
    steps(model, nn.MSELoss(), optim.Adam(model.parameters()), there(ANY @ np.ones((OUTPUTS, INPUTS))), there(ANY),
          between=lambda: clip(model.parameters()))


@pytest.mark.parametrize("layers", [
    lambda: [nn.BatchNorm1d(INPUTS, momentum=None)], lambda: [nn.LayerNorm(INPUTS)], lambda: [nn.GELU(), nn.SiLU(), nn.Softplus()],
    lambda: [nn.LeakyReLU(), nn.ELU(), nn.Sigmoid(), nn.LogSigmoid(), nn.Softmax(1)],
    lambda: [nn.Unflatten(1, (1, 2, 2)), nn.Conv2d(1, 2, 2, padding=1), nn.BatchNorm2d(2), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(2, 4)],
    lambda: [nn.Unflatten(1, (1, 2, 2)), nn.Conv2d(1, 4, 1), nn.AvgPool2d(2), nn.Flatten()]])
def test_no_layer_waits(any_gpu, layers):
    with tn.device("gpu"):
        model = nn.Sequential(*layers(), nn.Linear(INPUTS, OUTPUTS))
    steps(model, nn.MSELoss(), optim.SGD(model.parameters(), lr=0.01), there(ANY @ np.ones((OUTPUTS, INPUTS))), there(ANY))


def test_no_embedding_waits(any_gpu):
    model = nn.Sequential(nn.Embedding(OUTPUTS, 5, padding_idx=1), nn.Linear(5, OUTPUTS)).to("gpu")
    steps(model, nn.MSELoss(), optim.SGD(model.parameters(), lr=0.1), there(CLASSES), there(ANY))


def test_only_batches_are_moved(any_gpu):
    model = network().to("gpu")
    optimizer = optim.Adam(model.parameters())
    x, t = tn.tensor((ANY @ np.ones((OUTPUTS, INPUTS))).astype(np.float32)), tn.tensor(ANY.astype(np.float32))
    quiet()
    batches = 0
    for a, b in DataLoader(TensorDataset(x, t), batch_size=2):
        optimizer.zero_grad()
        nn.MSELoss()(model(a.to("gpu")), b.to("gpu")).backward()
        optimizer.step()
        batches += 1
    assert batches == 3 and len(uploads) == 2 * batches and waits == []


def test_evaluation_does_not_wait_either(any_gpu):
    model = network().to("gpu").eval()
    x = there(ANY @ np.ones((OUTPUTS, INPUTS)))
    quiet()
    with tn.no_grad():
        y = model(x)
        loss = nn.MSELoss()(y, there(ANY))
    assert waits == [] and is_there(y) and is_there(loss)
    assert loss.item() > 0 and len(waits) == 1


def test_a_trainer_waits_twice_in_a_step(any_gpu):
    model = network().to("gpu")
    x, t = there(ANY @ np.ones((OUTPUTS, INPUTS))), there(ANY)
    trainer = Trainer(model, nn.MSELoss(), optim.Adam(model.parameters()), clip_grad_norm=1.0)
    trainer.fit([(x, t)], epochs=1)
    quiet()
    trainer.fit([(x, t)] * 5, epochs=1)
    assert len(waits) == 2 * 5 and uploads == [] and all_there(model, trainer.optimizer)
