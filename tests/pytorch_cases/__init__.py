"""Cases in which the same lines, run with PyTorch and with this library, must give the same numbers.

Each public function in a file here takes the library, `lib`: the module torch, or `OURS`, which has the same names. It
returns tensors, or lists or dicts of them. Both libraries make float64 tensors from Python's floats meanwhile.
"""

import importlib
import inspect
import pkgutil
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import numpy as np

import tinygrad_nuc as tn

NUMBERS = Path(__file__).parent.with_name("pytorch_numbers")      # what PyTorch answered, one file for each file here

OURS = SimpleNamespace(nn=tn.nn, optim=tn.optim, tensor=tn.tensor, zeros=tn.zeros, float64=tn.float64,
                       float32=tn.float32, no_grad=tn.no_grad, autograd=tn.autograd, func=tn.func)


def numbers(*shape, seed=0, low=-2.0, high=2.0):
    """An array of reproducible values without a pattern."""
    return np.random.default_rng([seed, *shape]).uniform(low, high, shape)


def whole_numbers(*shape, below, seed=0):
    return np.random.default_rng([seed, below, *shape]).integers(0, below, shape)


def fill(lib, module, seed=0):
    """Give every weight of a module, of either library, values that both draw alike."""
    with lib.no_grad():
        for i, value in enumerate(module.state_dict().values()):
            if len(value.shape):                # not the count of batches in a batch norm
                value.copy_(lib.tensor(numbers(*value.shape, seed=seed + i, low=0.1, high=1.0)))
    return module


def values_and_gradients(lib, function, *arrays, weights=()):
    """y = function(x, …), and the gradients of Σ y² towards the floating-point inputs and the given weights."""
    inputs = [lib.tensor(a) for a in arrays]
    sources = [x.requires_grad_() for x, a in zip(inputs, arrays, strict=True) if a.dtype.kind == "f"]
    y = function(*inputs)
    (y * y).sum().backward()
    return [y, *(source.grad for source in (*sources, *weights))]


def all_cases():
    """{"layers.conv2d": function …}, from every file of this folder."""
    cases = {}
    for file in pkgutil.iter_modules(__path__):
        module = importlib.import_module(f"{__name__}.{file.name}")
        for name, function in vars(module).items():
            if inspect.isfunction(function) and function.__module__ == module.__name__ and not name.startswith("_"):
                cases[f"{file.name}.{name}"] = function
    return cases


def run(case, lib):
    """What a case returns, as {path: array}."""
    with float64_by_default(lib):
        return dict(flat(case(lib), ""))


def flat(result, path):
    if isinstance(result, dict):
        for name, part in result.items():
            yield from flat(part, f"{path}/{name}")
    elif isinstance(result, (list, tuple)):
        for i, part in enumerate(result):
            yield from flat(part, f"{path}/{i}")
    elif result is None:
        yield path, np.array("None")
    else:
        yield path, np.array(result.detach().numpy() if hasattr(result, "detach") else result)


@contextmanager
def float64_by_default(lib):
    set_default = tn.set_default_dtype if lib is OURS else lib.set_default_dtype
    set_default(lib.float64)
    try:
        yield
    finally:
        set_default(lib.float32)
