"""What --device=guard notices, and how it says that there is no GPU; the run itself is in the README's commands."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from device_option import DEVICE_FILES, Strays

import tinygrad_nuc as tn
from tinygrad_nuc.engine.watching import watchers

ROOT = Path(__file__).parent.parent


@pytest.fixture
def strays(plain_gpu):
    tn.set_default_device("cuda")
    watcher = Strays()
    watchers.append(watcher)
    yield watcher
    watchers.remove(watcher)


def test_what_stays_on_the_device_is_looked_at_and_passes(strays):
    layer = tn.nn.BatchNorm1d(2)
    optimizer = tn.optim.Adam(layer.parameters())
    (layer(tn.randn(5, 2)) ** 2).sum().backward()
    optimizer.step()
    strays.called(layer)
    assert strays.found == [] and strays.shown > 30


def test_a_result_on_the_host_is_noticed_unless_it_is_there_on_purpose(strays):
    x = tn.from_numpy(np.ones(2))
    with pytest.raises(AssertionError, match="the result of Multiply is not on the device, but a ndarray"):
        x * 2
    with tn.device("cpu"):
        assert (x * 2).tolist() == [2.0, 2.0]
    assert len(strays.found) == 1


def test_gradients_states_and_buffers_on_the_host_are_noticed(strays):
    layer = tn.nn.BatchNorm1d(2)
    optimizer = tn.optim.SGD(layer.parameters(), momentum=0.9)
    layer(tn.randn(5, 2)).sum().backward()
    optimizer.step()
    on_host = tn.from_numpy(np.ones(2, np.float32))
    optimizer.state[layer.bias] = {"momentum_buffer": on_host}
    with pytest.raises(AssertionError, match="an optimizer's momentum_buffer is not on the device"):
        strays.updated(optimizer)
    layer.running_mean = on_host
    with pytest.raises(AssertionError, match=r"BatchNorm1d\.running_mean is not on the device"):
        strays.called(layer)
    x = tn.zeros(2, requires_grad=True)
    x._grad = on_host
    strays.leaves.add(x)
    with pytest.raises(AssertionError, match="a stored gradient is not on the device"):
        strays.ended(stored=True)


def test_every_file_that_takes_part_is_there():
    assert all((ROOT / file).is_file() for file in DEVICE_FILES) and len(set(DEVICE_FILES)) == len(DEVICE_FILES)


@pytest.mark.skipif(tn.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_one_line_says_so():
    run = subprocess.run([sys.executable, "-m", "pytest", "--device=cuda", "-p", "no:cacheprovider"], cwd=ROOT, capture_output=True, text=True)
    line, = (line for line in run.stderr.splitlines() if line)
    assert run.returncode == 4 and line.startswith("ERROR: --device=cuda: ")
