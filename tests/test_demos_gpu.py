"""Demos on a GPU: the same numbers come out, and what they train is there."""

import pytest
from demo_helpers import quick, run
from device_guard import uploads, waits
from gpu_helpers import is_there

import tinygrad_nuc as tn


@pytest.mark.parametrize("name", ["line_fit", "particle_identification", "regularisation", "digits"])
def test_a_demo_finds_the_same_numbers_on_a_gpu(plain_gpu, name):
    here = quick(name)
    there = run(name, "--quick", "--device", "gpu")
    assert there.demo.compared == here.demo.compared > 0 and not there.demo.missed
    assert there.printed.startswith("On the GPU: Emulated GPU 0\n")
    models = [x for x in vars(there).values() if isinstance(x, tn.nn.Module)]
    assert uploads and waits and all(is_there(p) for model in models for p in model.parameters())



def test_a_demo_without_a_gpu_ends_in_one_line(no_gpu, capsys):
    with pytest.raises(SystemExit, match="2"):
        run("line_fit", "--quick", "--device", "gpu")
    assert capsys.readouterr().err.startswith("error: --device gpu: a GPU needs CuPy: pip install")
