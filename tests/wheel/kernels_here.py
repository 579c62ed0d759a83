"""All the kernels of the library, found by themselves: as the text that the compiler of a GPU gets."""

import contextlib
import importlib
import itertools
import pkgutil
import re
from functools import cache

import numpy as np
from cupy_wheel import cupy
from hypothesis import Phase, given, settings
from operation_samples import SAMPLES

import tinygrad_nuc as tn
from tinygrad_nuc.devices import kernels
from tinygrad_nuc.devices.kernels import elementwise, numbers, registry, updates
from tinygrad_nuc.devices.kernels.elementwise import Fused
from tinygrad_nuc.devices.kernels.raw import RawKernel
from tinygrad_nuc.engine.registry import table

MODULES = [importlib.import_module(f"{kernels.__name__}.{module.name}")
           for module in pkgutil.iter_modules(kernels.__path__)]
FLOATS = {"float": np.dtype(np.float32), "double": np.dtype(np.float64)}
# what stands beside floating-point numbers, in an array or as a Python number
OTHERS = (np.dtype(np.bool_), np.dtype(np.int32), np.dtype(np.int64), bool, int, float)
C = {"float32": "float", "float64": "double", "int32": "int", "int64": "long long", "bool": "bool"}


# ---------------------------------------------------------------------- written by hand

def raw_kernels():
    """Every RawKernel that stands in a module of the package, by name."""
    found = {id(x): x for module in MODULES for x in vars(module).values() if isinstance(x, RawKernel)}
    by_name = {kernel.name: kernel for kernel in found.values()}
    assert len(by_name) == len(found), "two kernels of one name"
    return by_name


def structured_dtypes():
    """Every NumPy dtype with fields that stands in a module of the package."""
    return [x for module in MODULES for x in vars(module).values() if isinstance(x, np.dtype) and x.names]


# ---------------------------------------------------------------------- made from rules

@cache
def samples(operation, count=8):
    """Some samples of an operation, the same ones every time."""
    drawn = []

    @settings(max_examples=count, derandomize=True, database=None, deadline=None, phases=[Phase.generate])
    @given(SAMPLES[operation].strategy)
    def draw(sample):
        drawn.append(sample)
    draw()
    return drawn


def rules():
    """Every rule of every operation, the types it is tried with ("f" for floating-point arrays), and the settings."""
    for name, operation in vars(table).items():
        if operation.takes_many:
            continue
        for arrays, chosen in samples(operation):
            tried = ["f" if np.asarray(a).dtype.kind == "f" else np.asarray(a).dtype for a in arrays]
            yield f"{name}_forward", operation.forward, tried, chosen
            for argument in operation.arguments:
                if hasattr(operation, f"grad_{argument}"):
                    yield f"{name}_grad_{argument}", getattr(operation, f"grad_{argument}"), ["f", "f", *tried], chosen


@cache
def fused_kernels(dtype, others=()):
    """The kernels that `Fused` makes for arrays of a dtype, and with one argument that is one of `others` instead.

    Returns
    -------
    dict
        For each name, which says the rule, its arguments' types and its settings, CuPy's ElementwiseKernel, and the
        types of the arguments that it takes.
    """
    made = {}
    with cupy_without_gpu(elementwise):
        for name, rule, tried, chosen in rules():
            if rule in registry.by_hand:                        # where that one refuses, the rule itself runs
                continue
            fused = Fused(registry.plainer.get(rule, rule))
            for kinds in combinations(dtype, tried, others, 2 if "_grad_" in name else 0):
                parts = [name, *(getattr(kind, "name", None) or kind.__name__ for kind in kinds),
                         *(type(x).__name__ if type(x) is float else repr(x) for x in chosen.values())]
                key = re.sub(r"\W+", "_", "_".join(parts))
                if key not in made:
                    kernel = (fused.make(kinds, chosen) or [None])[0]
                    given = dict(zip(fused.names, kinds, strict=True), **{name: type(x) for name, x in chosen.items()})
                    given = {elementwise.in_text(name): kind for name, kind in given.items()}
                    made[key] = kernel and (kernel, [given[p.name] for p in kernel.in_params])
    return {key: kernel for key, kernel in made.items() if kernel is not None}


def combinations(dtype, tried, others, first):
    """Types of arguments as they may occur: one of them, from `first` on, is another one, if any array is left then."""
    usual = tuple(dtype if kind == "f" else kind for kind in tried)
    yield usual
    for k, other in itertools.product(range(first, len(usual)), others):
        kinds = (*usual[:k], other, *usual[k + 1:])
        if any(isinstance(kind, np.dtype) for kind in kinds[first:]):
            yield kinds


class cupy_without_gpu:
    """For a module of kernels, the real CuPy, which makes kernels also where it has nothing to run them on."""

    def __init__(self, module):
        self.module, self.before = module, module.import_cupy

    def __enter__(self):
        self.module.import_cupy = lambda: cupy

    def __exit__(self, *error):
        self.module.import_cupy = self.before


def as_function(name, kernel):
    """An ElementwiseKernel as a plain kernel of CUDA, where CuPy would add its own way through memory."""
    def pointer(p, const):
        return f"{const}{C[str(p.dtype)]}* {p.name}{'' if p.raw else '_'}"

    def element(p, const):
        return "" if p.raw else f"{const}{C[str(p.dtype)]} &{p.name} = {p.name}_[i];\n"
    parameters = [*(pointer(p, "const ") for p in kernel.in_params), *(pointer(p, "") for p in kernel.out_params),
                  "long long n"]
    elements = [*(element(p, "const ") for p in kernel.in_params), *(element(p, "") for p in kernel.out_params)]
    return f"""extern "C" __global__ void {name}({", ".join(parameters)}) {{
long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x;
if (i >= n) return;
{"".join(elements)}
#line 1 "{name}"
{kernel.operation};
}}"""


def writers():
    """The kernels that write numbers of the host, by name: of several lengths, as `Numbers` uses them."""
    with cupy_without_gpu(numbers):
        return {f"write_{n}_{dtype}": numbers.writer(n, dtype) for n in (1, 2, 7) for dtype in ("float32", "float64", "int64")}


# ---------------------------------------------------------------------- made from the formulas of optimizers

def optimizers():
    """Every optimizer of the library, with every choice of settings: numbers that are 0 or not, and whole or not."""
    for name, kind in vars(tn.optim).items():
        if isinstance(kind, type) and issubclass(kind, tn.optim.Optimizer) and kind is not tn.optim.Optimizer:
            defaults = kind([tn.ones(1)]).defaults
            for values in ([0.0, 0.5], [0], [1]):
                choices = [[False, True] if isinstance(x, bool) else values if isinstance(x, (int, float)) else [x]
                           for x in defaults.values()]
                for chosen in itertools.product(*choices):
                    with contextlib.suppress(ValueError):           # nesterov without momentum, say
                        yield name, kind([tn.ones(1)], **dict(zip(defaults, chosen, strict=True)))


@cache
def step_kernels(dtype):
    """The kernel of every optimizer's step, for every branch of its formula: the first step, and those after it."""
    made = {}
    for name, optimizer in optimizers():
        group, = optimizer.param_groups
        chosen, maximize = optimizer.settings_of_change(group), group["maximize"]
        arrays, common, seen = {}, {}, []
        while (branch := (set(arrays), updates.deciding(common))) not in seen:
            seen.append(branch)
            formula = updates.Formula(optimizer.change, chosen, arrays, common, dtype, maximize)
            _, common = formula.evaluate(chosen, common)
            arrays = formula.arrays
            text = formula.kernel("step").text
            made.setdefault(text, (f"{name}_step_{len(made)}", formula))
    return {name: formula.kernel(name) for name, formula in made.values()}
