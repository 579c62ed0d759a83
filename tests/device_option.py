"""``python -m pytest --device=guard``: the engine's tests once more, with every tensor on a device.

``guard`` is the emulated CuPy without the library's own kernels: NumPy's rules themselves, on arrays that refuse to
leave their device. ``cuda`` is a GPU, with kernels. Either is the default device of every test, and a watcher sees to
it that nothing comes back: results, gradients, states of optimizers, parameters and buffers. Without files,
`DEVICE_FILES` are run. A test about the computer's memory has the marker ``host``, with the reason, and is left out; in
one that does something there on purpose, ``with tn.device("cpu")`` says so.
"""

import sys
from collections import Counter

import device_guard
import emulated_cupy
import numpy as np
import pytest
from device_guard import down, up, uploads, waits
from emulated_cupy import streams
from emulated_cupy.machine import DEVICE_ANSWERS, Machine, reads_values, spoil
from hypothesis import Phase, settings

import tinygrad_nuc as tn
from tinygrad_nuc.devices import kernels
from tinygrad_nuc.engine.watching import Watcher, watchers

DEVICE_FILES = tuple(f"tests/test_{name}.py" for name in """
    engine operations function_samples linear rearranging kinks edges accuracy hooks leaves func gradcheck
    value_and_grad functions recording numpy numpy_coverage numpy_functions losses every_loss layers nn nn_utils
    module_tree normalisation pooling convolution regularisation init optim flat optim_state lr_scheduler trainer
    trainer_edges trainer_refusals resuming checkpoint random_programs affine directions pytorch summary history
    parameter_log no_gradient recorded_steps trace linear_regions goodness calibration
    """.split())
OWN_DEVICES = {"one_gpu", "plain_gpu", "two_gpus", "any_gpu", "no_gpu"}        # fixtures of gpu_helpers
MARKER = "host(reason): about the computer's memory, so left out with --device=guard and --device=cuda"
UNCHECKED = pytest.mark.host("on a GPU, values are not checked, since it would have to wait")

counted = pytest.StashKey[Counter]()


class Quick(Machine):
    """The emulated GPU without counting memory, which would take most of the time."""

    capture = None

    def memory_of(self, host): return None

    def run(self, function, args, options=None, written=()):
        name, options = getattr(function, "__name__", ""), options or {}
        if reads_values(name, args, options):
            self.wait(name)
        hosts, host_options = down(args), down(options)         # host arrays are refused here
        with np.errstate(all="ignore"):         # a GPU does not warn
            result = function(*hosts, **host_options)
        if function is np.empty_like:
            spoil(result)
        if written:
            return None
        return up(np.asarray(result) if name in DEVICE_ANSWERS else result)


class Strays(Watcher):
    """Who has seen what is not on the device, unless the test is at work on the CPU on purpose."""

    def __init__(self):
        self.found, self.leaves, self.shown = [], set(), 0

    def check(self, what, x):
        """Refuse an array, or a tensor, that is not on the device."""
        array = x.data if isinstance(x, tn.Tensor) else x
        if tn.get_default_device().type == "cpu" or not hasattr(array, "dtype"):
            return
        self.shown += 1
        if not isinstance(array, sys.modules["cupy"].ndarray):
            self.found.append(f"{what} is not on the device, but a {type(array).__name__}")
            raise AssertionError(self.found[-1])

    def computed(self, y, operation, inputs):
        self.check(f"the result of {operation.__name__}", y)

    def hooked(self, x, before, after):
        self.check("the gradient after hooks", after)

    def sent(self, y, x, derivative, g, share, fitted, total):
        self.check(f"the gradient that {y.operation.__name__} gets", g)
        self.check(f"the gradient that {y.operation.__name__} sends", share)
        self.check(f"the gradient that {y.operation.__name__} sends, fitted", fitted)
        self.check(f"the sum of what {y.operation.__name__} and others send", total)
        if x.operation is None or x.retains_grad:
            self.leaves.add(x)

    def ended(self, stored):
        if stored:
            for x in self.leaves:
                if x.grad is not None:
                    self.check("a stored gradient", x.grad)
            self.leaves.clear()

    def updated(self, optimizer):
        for p in (p for group in optimizer.param_groups for p in group["params"]):
            self.check("a parameter after a step", p)
            if p.grad is not None:
                self.check("the gradient of a parameter after a step", p.grad)
            for name, x in optimizer.state.get(p, {}).items():
                self.check(f"an optimizer's {name}", x)

    def called(self, module):
        for name, x in [*module._parameters.items(), *module._buffers.items()]:
            if x is not None:
                self.check(f"{type(module).__name__}.{name}", x)


strays = Strays()


def chosen(config):
    """The value of ``--device``, or None."""
    return config.getoption("--device", default=None)


def pytest_addoption(parser):
    parser.addoption("--device", choices=["guard", "cuda"], default=None,
                     help="run the engine's tests with every tensor on an emulated GPU, or on a real one")


def pytest_configure(config):
    config.addinivalue_line("markers", MARKER)
    if not chosen(config):
        return
    if chosen(config) == "guard":
        emulated_cupy.install()
        device_guard.machine = Quick(streams.Stream.null)
        kernels.install = lambda: None
    elif missing := tn.cuda.why_unavailable():
        raise pytest.UsageError(f"--device=cuda: {missing}")
    tn.set_default_device("cuda")               # for what test files make when they are imported
    if config.args_source is not config.ArgsSource.ARGS:
        config.args = [str(config.rootpath / file) for file in DEVICE_FILES]
    settings.register_profile("device", settings(), max_examples=5, phases=[Phase.explicit, Phase.generate])
    settings.load_profile("device")

    call = tn.nn.Module.__call__

    def called(self, *inputs, **options):
        result = call(self, *inputs, **options)
        if strays in watchers:
            strays.called(self)
        return result
    tn.nn.Module.__call__ = called


def pytest_collection_modifyitems(config, items):
    """Leave out what is about the host."""
    if not chosen(config):
        return
    for item in items:
        if OWN_DEVICES.intersection(item.fixturenames):
            item.add_marker(pytest.mark.host("has a device of its own"))
    left_out = [item for item in items if item.get_closest_marker("host")]
    config.stash[counted] = Counter(item.get_closest_marker("host").args[0] for item in left_out)
    items[:] = [item for item in items if not item.get_closest_marker("host")]
    config.hook.pytest_deselected(items=left_out)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item, nextitem):
    """The device is the default one, whatever the test before has done."""
    if chosen(item.config):
        tn.set_default_device("cuda")
        waits.clear()
        uploads.clear()
    return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item):
    """Watch the test itself; what was refused within a ``try`` counts too."""
    if not chosen(item.config):
        return (yield)
    strays.__init__()
    watchers.append(strays)
    try:
        result = yield
    finally:
        watchers.remove(strays)
    assert not strays.found, strays.found
    return result


def pytest_terminal_summary(terminalreporter, config):
    if chosen(config):
        terminalreporter.section(f"left out with --device={chosen(config)}")
        for reason, count in sorted(config.stash.get(counted, {}).items()):
            terminalreporter.line(f"{count:5}  {reason}")
