"""The step of an optimizer as one launch over all its parameters, made from the optimizer's own formula.

``change(p, g, state, …)`` is given symbols, as a rule is, and what it returns and remembers is written into one kernel.
Whatever is computed from settings and the step count alone, such as 1 − β₁ᵗ, is the same for every number: it is
computed on the host, by Python, as on the CPU, and only the result goes to the GPU.
"""

import operator
from collections.abc import Callable
from typing import Any

import numpy as np

from ...engine import accelerator
from ..gpu import import_cupy
from .cuda_text import body
from .elementwise import in_text
from .numbers import Numbers
from .raw import TYPES, RawKernel, ceil_div
from .registry import kernels_in_use
from .tracing import NotElementwise, Symbol, argument, in_order, is_weak

AT_MOST = 64                        # parameters of one launch: a kernel's arguments must stay below 4 kB
FORMULAS = 16                       # of one optimizer: with and without momentum, in the first step and later
THREADS, BLOCKS = 256, 2048         # of one launch; each thread goes on to further numbers if there are more

HEAD = """
// parameter k goes from end[k − 1] to end[k]
struct Tensors { T* p[%(at_most)d]; const T* g[%(at_most)d]; long long end[%(at_most)d]; };
extern "C" __global__ void %(name)s(const Tensors tensors, const T* __restrict__ numbers%(arrays)s, long long size) {
    int k = 0;
    long long threads = gridDim.x * (long long)blockDim.x;
    for (long long i = blockIdx.x * (long long)blockDim.x + threadIdx.x; i < size; i += threads) {
        while (i >= tensors.end[k]) k++;
        long long j = k ? i - tensors.end[k - 1] : i;
        const T p = tensors.p[k][j], g = tensors.g[k][j];
        %(body)s
    }
}
"""
TENSORS = np.dtype([("p", np.uint64, AT_MOST), ("g", np.uint64, AT_MOST), ("end", np.int64, AT_MOST)])

# What Python would do with its own numbers; their results agree with the CPU's to the last bit.
OPERATORS: dict[str, Callable] = {"add": operator.add, "subtract": operator.sub, "multiply": operator.mul,
                                  "divide": operator.truediv, "power": operator.pow, "negative": operator.neg,
                                  "absolute": abs}


def take_step(flat: Any, change: Callable, settings: Callable[[], dict[str, Any]], maximize: bool) -> bool:
    """Make the step of these parameters by one kernel, if they are on a GPU and the formula is one for kernels."""
    first = flat.params[0].data
    if isinstance(first, np.ndarray) or not kernels_in_use() or not isinstance(first, import_cupy().ndarray):
        return False
    if flat.update is None:
        flat.update = Update(flat)
    with first.device:
        return flat.update.step(change, settings, maximize)


class Formula:
    """What `change` does, traced: the results of each number, and of all together.

    Attributes
    ----------
    steps : Symbol
        What is added to p.
    arrays, common : dict
        What is remembered of every number, and of all together; symbols, or Python numbers.
    shared : list of Symbol
        What is the same for every number and a kernel needs: it gets them as ``numbers[k]``.
    """

    def __init__(self, change: Callable, settings: dict[str, Any], arrays: dict[str, Any], common: dict[str, Any],
                 dtype: np.dtype, maximize: bool) -> None:
        # what is remembered may have the name of a setting, or of p or g
        state: dict[str, Any] = {letter: argument(remembered(letter), x.dtype) for letter, x in arrays.items()}
        state |= {letter: weak(remembered(letter), x) for letter, x in common.items()}
        p, g = argument("p", dtype), argument("g", dtype)
        chosen = {name: weak(name, x) for name, x in settings.items()}
        self.steps = change(p, -g if maximize else g, state, **chosen)
        if not isinstance(self.steps, Symbol) or self.steps.is_weak:
            raise NotElementwise("the step is the same for every number")
        self.arrays = {name: x for name, x in state.items() if isinstance(x, Symbol) and not x.is_weak}
        self.common = {name: x for name, x in state.items() if name not in self.arrays}
        if any(isinstance(x, Symbol) and x.dtype is bool for x in self.common.values()):
            raise NotElementwise("a truth value is remembered")
        of_numbers = [x for x in in_order([self.steps, *self.arrays.values()]) if not x.is_weak]
        read = {x.operands[0] for x in of_numbers if x.function == "argument"} - {"p", "g"}
        if not read <= set(map(remembered, self.arrays)):
            raise NotElementwise("something is no longer remembered")
        needed = {id(y): y for x in of_numbers for y in x.operands if isinstance(y, Symbol) and y.is_weak}
        self.shared = list(needed.values())

    def kernel(self, name: str) -> RawKernel:
        """One launch that changes every parameter, and what is remembered of it."""
        places = {id(x): k for k, x in enumerate(self.shared)}
        states = {remembered(letter): f"state{k}" for k, letter in enumerate(self.arrays)}      # it may be any text

        def name_of(x: Symbol) -> str | None:
            if id(x) in places:
                return f"numbers[{places[id(x)]}]"
            if x.function != "argument":
                return None
            return x.operands[0] if x.operands[0] in ("p", "g") else f"{states[x.operands[0]]}[i]"

        results = {f"const T new_{states[remembered(letter)]}": x for letter, x in self.arrays.items()}
        text = body({"const T step": self.steps, **results}, name_of)
        text += "".join(f"\n{state}[i] = new_{state};" for state in states.values()) + "\ntensors.p[k][j] = p + step;"
        arrays = "".join(f", T* {state}" for state in states.values())
        body_text = text.replace("\n", "\n        ")
        return RawKernel(name, HEAD % {"name": name, "at_most": AT_MOST, "arrays": arrays, "body": body_text})

    def evaluate(self, settings: dict[str, Any], common: dict[str, Any]) -> tuple[list[float], dict[str, Any]]:
        """The shared numbers, and what is remembered of all together, by Python: as `change` itself would."""
        given = flattened({**settings, **{remembered(letter): x for letter, x in common.items()}})
        found: dict[int, Any] = {}
        common_symbols = [x for x in self.common.values() if isinstance(x, Symbol)]
        for x in in_order([*self.shared, *common_symbols]):
            if x.function == "argument":
                found[id(x)] = given[x.operands[0]]
            else:
                operands = [found[id(y)] if isinstance(y, Symbol) else y for y in x.operands]
                compute = OPERATORS[x.function] if x.function in OPERATORS else getattr(np, x.function)
                y = compute(*operands)
                found[id(x)] = y.item() if isinstance(y, np.generic) else y
        numbers = [float(found[id(x)]) for x in self.shared]
        return numbers, {name: found[id(x)] if isinstance(x, Symbol) else x for name, x in self.common.items()}


def weak(name: str, x: Any) -> Any:
    """An int or a float as a symbol, a tuple of them as a tuple of symbols; all else, True and False too, as it is."""
    if isinstance(x, tuple):
        return tuple(weak(f"{name}[{i}]", part) for i, part in enumerate(x))
    return argument(name, type(x), known=x != 0) if type(x) in (int, float) else x


def remembered(letter: str) -> str:
    """What an argument is called that is part of the state."""
    return f"state {letter}"


def flattened(settings: dict[str, Any]) -> dict[str, Any]:
    """Settings by the names that `weak` gives them: the parts of tuples instead of the tuples."""
    flat: dict[str, Any] = {}
    for name, x in settings.items():
        flat |= flattened({f"{name}[{i}]": part for i, part in enumerate(x)}) if isinstance(x, tuple) else {name: x}
    return flat


def own_numbers(optimizer: Any) -> dict[str, Any]:
    """The numbers and texts that an optimizer keeps as attributes, which its formula may look at."""
    return {name: x for name, x in vars(optimizer).items()
            if type(x) in (bool, int, float, str) and name != "has_stepped"}


def deciding(settings: dict[str, Any]) -> tuple:
    """What a formula may depend on besides the values of numbers: which of them are 0, and everything else."""
    return tuple((name, type(x), x != 0 if type(x) in (int, float) else x) for name, x in flattened(settings).items())


class Update:
    """The step of one `Flat` on a GPU: the kernels for its formula, and the numbers that they read."""

    def __init__(self, flat: Any) -> None:
        self.flat = flat
        self.made: dict[tuple, tuple[Formula, RawKernel, Numbers] | None] = {}

    def step(self, change: Callable, settings: Callable[[], dict[str, Any]], maximize: bool) -> bool:
        """Launch the kernel of this step; False if there is none, and nothing has been done."""
        flat = self.flat
        values = [p.data for p in flat.params]
        key = self.key(change, settings(), maximize)
        try:
            made = self.made[key] if key in self.made else self.make(change, settings, maximize)
        except TypeError:                               # something is remembered that is no key of a dictionary
            return False
        if len(self.made) < FORMULAS:
            self.made[key] = made
        if made is None or not all(x.flags.c_contiguous for x in values):
            return False
        formula, kernel, numbers = made
        gradients = [x if x.flags.c_contiguous else np.copy(x, order="C") for x in (p.grad.data for p in flat.params)]
        # what this step begins to remember gets its memory now, and what it no longer remembers loses it
        flat.arrays = {letter: flat.arrays[letter] if letter in flat.arrays else self.room()
                       for letter in formula.arrays}
        remembered = [x.reshape(-1) for x in flat.arrays.values()]
        read = numbers.prepare()
        first = 0
        for start in range(0, len(values), AT_MOST):
            some = slice(start, start + AT_MOST)
            sizes = [x.size for x in values[some]]
            end = first + sum(sizes)
            if end > first:
                blocks = min(BLOCKS, ceil_div(end - first, THREADS))
                kernel(values[0].dtype, (blocks,), (THREADS,), (tensors(values[some], gradients[some], sizes), read,
                                                                *(x[first:end] for x in remembered), end - first))
            first = end
        return True

    def key(self, change: Callable, settings: dict[str, Any], maximize: bool) -> tuple:
        """What decides which formula it is."""
        own = tuple(own_numbers(change.__self__).items())                               # type: ignore[attr-defined]
        return (deciding(settings), deciding(self.flat.common), tuple(self.flat.arrays), maximize, own)

    def make(self, change: Callable, settings: Callable[[], dict[str, Any]], maximize: bool) \
            -> tuple[Formula, RawKernel, Numbers] | None:
        """The formula, its kernel and its numbers; None if a kernel cannot compute it."""
        flat, dtype = self.flat, self.flat.params[0].dtype
        optimizer = change.__self__                                     # type: ignore[attr-defined]
        before = own_numbers(optimizer)
        if (dtype.char not in TYPES or any(x.dtype != dtype for x in flat.arrays.values())
                or len(self.made) >= FORMULAS):         # it is another one at every step
            return None
        recorded = self.key(change, settings(), maximize)
        try:
            formula = Formula(change, settings(), flat.arrays, flat.common, dtype, maximize)
            if any(x.dtype != dtype for x in (formula.steps, *formula.arrays.values())):
                return None
            kernel = formula.kernel(in_text(f"{type(optimizer).__name__}_step"))
        except (NotElementwise, TypeError, ValueError):
            return None
        finally:
            counts = own_numbers(optimizer) != before   # a formula that counts its calls has to be called at every step
            vars(optimizer).update(before)
        if counts:
            return None

        def decide() -> list[float]:            # the numbers of this step; what is remembered of all together goes on
            shared, flat.common = formula.evaluate(settings(), flat.common)
            flat.show()
            return shared

        def still() -> bool:
            return flat.fits(optimizer.state) and self.key(change, settings(), maximize) == recorded
        return formula, kernel, Numbers(len(formula.shared), decide, still, dtype)

    def room(self) -> Any:
        """An array for what is remembered of every number."""
        if accelerator.recording is not None:
            raise accelerator.NotRehearsed("the optimizer begins to remember something")
        params = self.flat.params
        shape = params[0].shape if len(params) == 1 else (sum(p.numel() for p in params),)
        # not zeros: the formula writes it before anything reads it
        return np.empty_like(params[0].data, shape=shape, order="C")


def tensors(values: list, gradients: list, sizes: list[int]) -> Any:
    """The kernel's struct: where parameters and gradients begin, and where each one ends among all."""
    struct = np.zeros(1, TENSORS)
    struct["p"][0, :len(values)] = [x.data.ptr for x in values]
    struct["g"][0, :len(values)] = [x.data.ptr for x in gradients]
    struct["end"][0, :len(values)] = np.cumsum(sizes)
    return struct
