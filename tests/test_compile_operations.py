"""tn.compile: every operation of the registry, and random programs, with their derivatives, replayed on other numbers."""

import numpy as np
import pytest
from compile_helpers import FIRST, assert_same, shown
from hypothesis import given, note, settings
from hypothesis import strategies as st
from operation_samples import elementwise
from random_programs import KINDS, Program, Step, random_program
from test_operations import OPERATIONS, every_operation, leaves, there

import tinygrad_nuc as tn
from tinygrad_nuc.plan import blocks, order

FEW = settings(max_examples=max(5, settings().max_examples // 4))
ELEMENTWISE = """
    sin tanh exp square sigmoid softplus arctan log sqrt erf cosh negative cube scale reciprocal absolute relu clip elu
    add subtract multiply divide power arctan2 hypot maximum minimum""".split()


def with_derivatives(function, twice=True):
    """The function, its first derivatives, and the slopes of their squares."""
    def step(*inputs):
        results = function(*inputs)
        results = results if isinstance(results, (list, tuple)) else [results]
        active = [x for x in inputs if x.requires_grad]
        reached = [y for y in results if y.requires_grad]
        if not active or not reached:
            return results, (), ()
        total = sum(((k + 1) * y).sum() for k, y in enumerate(reached))
        first = tn.grad(total, active, create_graph=True, allow_unused=True)
        if not twice:
            return results, first, ()
        squares = sum((g * g).sum() for g in first if g is not None and g.requires_grad)
        second = tn.grad(squares, active, allow_unused=True) if isinstance(squares, tn.Tensor) and squares.requires_grad else ()
        return results, first, second
    return step


def no_history(results):
    """Compiled results are values alone."""
    return shown([None if x is None else x.detach() for part in results for x in part])


def check(function, recorded, replayed, make, within, twice=True):
    """Record the function on some arrays, and replay it on others."""
    step = with_derivatives(function, twice)
    compiled = tn.compile(step)
    for arrays in [*recorded, *replayed]:
        found, expected = no_history(compiled(*make(arrays))), no_history(step(*make(arrays)))
        assert_same(found, expected, within)
    assert len(recorded) == FIRST and compiled.replays == len(replayed)
    return compiled


def nearby(arrays, i):
    """Other numbers, still where the operation is defined."""
    return [np.array(a) * (1 + 1e-3 * (k + 1) * i) if np.asarray(a).dtype.kind == "f" else a for k, a in enumerate(arrays)]


@FEW
@every_operation
def test_every_operation_and_its_derivatives(operation, arrays, options):
    def function(*inputs):
        y = operation.apply(*inputs, **there(options))
        reached.add(y.operation)
        return y
    reached = set()
    check(function, [arrays, nearby(arrays, 1), arrays], [nearby(arrays, 1), nearby(arrays, -1), arrays],
          lambda some: leaves(operation, some), {"float64": 1e-11})
    assert operation in reached


@FEW
@every_operation
def test_every_operation_in_float32(operation, arrays, options):
    options = {**options, "dtype": np.dtype(np.float32)} if "dtype" in options else options

    def single(some):
        return leaves(operation, [a.astype(np.float32) if a.dtype == np.float64 else a for a in map(np.asarray, some)])
    check(lambda *inputs: operation.apply(*inputs, **there(options)), [arrays, nearby(arrays, 1), arrays],
          [nearby(arrays, 1), arrays], single, {"float32": 1e-3})


@pytest.mark.parametrize("name", [name for name, operation in OPERATIONS.items() if operation in elementwise.SAMPLES])
@settings(max_examples=5)
@given(data=st.data())
def test_elementwise_operations_are_equal_to_the_last_bit(name, data):
    operation = OPERATIONS[name]
    arrays, options = data.draw(elementwise.SAMPLES[operation].strategy)
    step = tn.compile(lambda *inputs: operation.apply(*inputs, **there(options)))
    for i in (0, 1, 0, -1, 1):
        inputs = leaves(operation, nearby(arrays, i))
        y, expected = step(*inputs), operation.apply(*inputs, **there(options))
        assert not y.requires_grad and y.is_leaf
        assert_same(shown(y), shown(expected.detach()), None)
    assert step.replays == 2


def differentiable(arrays):
    return [tn.tensor(np.array(a), requires_grad=True) for a in arrays]


def others(program, i):
    """Other numbers for a program's inputs; where its kinks are does not matter here."""
    rng = np.random.default_rng(i)
    return [x + 0.05 * rng.normal(size=x.shape) for x in program.inputs]


def check_program(program, count=3):
    note(str(program))
    return check(lambda *inputs: program.run(inputs), [program.inputs, others(program, 1), others(program, 2)],
                 [others(program, k) for k in range(3, 3 + count)], differentiable, {"float64": 1e-11})


@settings(max_examples=5 * settings().max_examples)
@given(program=st.integers(0, 2**32 - 1).map(random_program))
def test_random_programs(program):
    check_program(program)


@pytest.mark.parametrize("threads, block, large", [(1, 4, 1), (2, 3, 1), (1, 1, 2), (2, 16, 8)])
@settings(max_examples=2 * settings().max_examples)
@given(program=st.integers(0, 2**32 - 1).map(random_program))
def test_random_programs_block_by_block(threads, block, large, program):
    with pytest.MonkeyPatch.context() as patch:
        in_blocks(patch, threads, block, large)
        check_program(program)


def in_blocks(patch, threads, block, large):
    """Let small arrays be taken for large ones."""
    patch.setattr(order, "LARGE", large)
    patch.setattr(blocks, "BLOCK", block)
    patch.setattr(blocks, "WORTH_A_THREAD", 1)
    patch.setattr(blocks, "threads", lambda: threads)


def large_program(seed, shapes=((300, 200), (200,), (300, 1), (1, 200), (), (60_000,))):
    """Elementwise steps on arrays that do not fit into a block, a sum now and then, and arrays that are spread out."""
    rng = np.random.default_rng(seed)
    inputs = [rng.uniform(-1.5, 1.5, shapes[0]), *(rng.uniform(-1.5, 1.5, shapes[i]) for i in rng.integers(len(shapes), size=3))]
    values, steps = list(inputs), []
    names = [*ELEMENTWISE, "sum", "mean", "var", "softmax", "transpose", "reshape", "repeat", "stack"]
    while len(steps) < 12:
        kind = KINDS[name := names[rng.integers(len(names))]]
        chosen = tuple(int(i) for i in np.minimum(len(values) * rng.beta(2, 1, kind.count), len(values) - 1))
        arrays = [values[i] for i in chosen]
        try:
            size = np.prod(np.broadcast_shapes(*(a.shape for a in arrays)), dtype=float)
            function = kind.make(rng, *arrays) if size <= 120_000 else None
            result = None if function is None else function(*arrays)
        except ValueError:                  # shapes that do not broadcast
            continue
        if result is not None and np.size(result) <= 120_000 and np.max(np.abs(result)) < 5:
            values.append(np.asarray(result))
            steps.append(Step(name, function, chosen))
    return Program(inputs, steps)


@pytest.mark.parametrize("threads", [1, 2])
@settings(max_examples=settings().max_examples // 2)
@given(program=st.integers(0, 2**32 - 1).map(large_program))
def test_large_programs(threads, program):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(blocks, "threads", lambda: threads)
        note(" ".join(step.name for step in program.steps))
        check(lambda *inputs: program.run(inputs), [program.inputs, others(program, 1), others(program, 2)],
              [others(program, 3), others(program, 4)], differentiable, {"float64": 1e-10}, twice=False)     # kinks are near


@pytest.mark.parametrize("function", [
    lambda x: np.concatenate([np.exp(x)] * 3), lambda x: np.concatenate([np.concatenate([2 * x]), x]),
    lambda x: np.concatenate([np.concatenate([2 * x, 3 * x]), np.zeros(2)]), lambda x: np.pad(np.roll(0.7 * x, 1), 1),
    lambda x: np.roll(np.roll(np.cumsum(x), 1), 1), lambda x: np.concatenate([np.concatenate([2 * x, x[:0]]), x]),
    lambda x: np.concatenate([x, np.concatenate([x * x, np.concatenate([np.sin(x), x]), np.cos(x)])]),
    lambda x: [y := np.concatenate([2 * x, x + 1]), np.concatenate([y, y]), np.concatenate([3 * y[:1], y])],
    lambda x: [y := 2 * x, np.concatenate([y, x]), np.concatenate([x, y]), np.stack([y, y]), np.concatenate([y[::-1], y])],
    lambda x: [y := np.exp(x), np.pad(np.flip(y), 1)], lambda x: [y := np.exp(x), np.concatenate([y[::-1], x]), y[::-1]],
    lambda x: np.concatenate([(2 * x)[None], np.sin(x)[None]], axis=1), lambda x: np.concatenate([np.stack([x, 2 * x]).ravel(), 3 * x])])
@pytest.mark.parametrize("n", [1, 3])
def test_ends_of_ends(function, n):
    """What is put end to end is computed there, where nothing speaks against it."""
    arrays = [[np.linspace(0.5, 1.2, n) + 0.1 * i] for i in range(6)]
    check(function, arrays[:3], arrays[3:], differentiable, {"float64": 1e-12})
