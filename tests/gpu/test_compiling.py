"""tn.compile of a step on a GPU: it is recorded there, by tinygrad_nuc.cuda.capture."""

import numpy as np
import pytest

import tinygrad_nuc as tn
from tinygrad_nuc import nn, optim

F = nn.functional


def trained(device, compiled, count=8):
    """Losses, parameters, and the step."""
    tn.manual_seed(0)
    model = nn.Sequential(nn.Linear(3, 8), nn.ReLU(), nn.Linear(8, 4)).to(device)
    optimizer = optim.Adam(model.parameters(), lr=0.01)

    def step(x, target):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x), target)
        loss.backward()
        optimizer.step()
        return loss
    made = tn.compile(step) if compiled else step
    rng, losses = np.random.default_rng(5), []
    for _ in range(count):
        x, target = tn.tensor(rng.normal(size=(16, 3)), dtype=tn.float32), tn.tensor(rng.integers(0, 4, 16))
        losses.append(made(x.to(device), target.to(device)).item())
    return losses, [p.detach().numpy() for p in model.parameters()], made


def test_a_step_on_a_gpu_is_captured(gpu):
    here, there, eager = trained("cpu", False), trained("cuda", True), trained("cuda", False)
    for found in (there, eager):
        np.testing.assert_allclose(found[0], here[0], rtol=1e-4)
        for a, b in zip(found[1], here[1], strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-5)
    step = there[2]
    assert isinstance(step.captured, type(tn.cuda.capture(lambda: None)))
    assert step.captured.replays == 6 and step.captured.reason == "" and step.plan is None


def test_the_same_step_may_come_on_both(gpu):
    step = tn.compile(lambda x: (x * 2).sum())
    for i in range(6):
        assert step(tn.full(3, float(i))).item() == 6 * i
        assert step(tn.full(3, float(i)).to("cuda")).item() == 6 * i
    assert step.replays == 3 and step.captured.replays == 4


def test_a_step_that_cannot_be_captured_goes_on_as_an_ordinary_one(gpu):
    step = tn.compile(lambda x: x.sum() if x.sum() > 0 else -x.sum())
    for i in range(1, 6):
        assert step(tn.full(3, float(-i)).to("cuda")).item() == 3 * i
    assert step.captured.replays == 0 and step.captured.reason


def test_other_inputs_are_refused_there_too(gpu):
    with pytest.raises(TypeError, match="compile: an input is a list"):
        tn.compile(lambda x, y: x)(tn.ones(2).to("cuda"), [1])
