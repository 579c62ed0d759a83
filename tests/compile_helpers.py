"""The same step as it stands and compiled, call by call: what it returns and all that it leaves behind must agree."""

import numpy as np

import tinygrad_nuc as tn
from tinygrad_nuc import nn, optim

WITHIN = {"float32": 1e-6, "float64": 1e-12}
FIRST = 3                                       # calls before the first replay: an ordinary one, and two records


def shown(thing, name=""):
    """(name, array) of every number in it, copied: values, gradients, buffers, and what optimizers remember."""
    if isinstance(thing, tn.Tensor):
        grad = shown(thing.grad, f"{name}.grad") if thing.is_leaf and thing.grad is not None else []
        return [(name, thing.detach().numpy().copy()), *grad]
    if isinstance(thing, nn.Module):
        parts = [*thing.named_parameters(), *thing.named_buffers()]
        return [x for key, part in parts for x in shown(part, f"{name}{key}")]
    if isinstance(thing, optim.Optimizer):
        return shown(thing.state_dict(), type(thing).__name__)
    if isinstance(thing, dict):
        return [x for key, part in thing.items() for x in shown(part, f"{name}.{key}")]
    if isinstance(thing, (list, tuple)):
        return [x for i, part in enumerate(thing) for x in shown(part, f"{name}[{i}]")]
    return [(name, thing if thing is None or isinstance(thing, str) else np.array(thing))]


def run(make, calls, how=lambda step: step, seed=0):
    """The step, and what is there after every call.

    `make` returns a step and whatever it works on; `calls`, given the latter, yields the inputs of one call after
    another, and may do something in between.
    """
    tn.manual_seed(seed)
    step, *things = make()
    step, seen = how(step), []
    for inputs in calls(*things):
        result = step(*inputs)
        seen.append([*shown(result, "result"), *shown([x for x in inputs if isinstance(x, tn.Tensor)], "input"),
                     *(x for thing in things for x in shown(thing))])
    return step, seen, tn.rand(3, dtype=tn.float64)


def assert_same(found, expected, within=WITHIN):
    """The same names, dtypes and shapes, and numbers within a part of the largest one of each array (0.01 at least)."""
    assert [name for name, _ in found] == [name for name, _ in expected]
    for (name, a), (_, b) in zip(found, expected, strict=True):
        if b is None or isinstance(b, str):
            assert a == b, name
            continue
        assert (a.dtype, a.shape) == (b.dtype, b.shape), name
        share = (within or {}).get(b.dtype.name, 0)
        atol = share * np.max(np.abs(b), initial=0.01) if share else 0
        np.testing.assert_allclose(a, b, rtol=share, atol=atol, err_msg=name)


def agree(make, calls, within=WITHIN, replays=None, seed=0):
    """Run the step as it stands and compiled; returns the compiled one. `within` None: to the last bit.

    It must have been replayed `replays` times: all calls but the first three by default, or within a range.
    """
    plain, expected, after = run(make, calls, seed=seed)
    compiled, found, after_compiled = run(make, calls, tn.compile, seed)
    assert len(found) == len(expected) > FIRST
    for i, (a, b) in enumerate(zip(found, expected, strict=True)):
        try:
            assert_same(a, b, within)
        except AssertionError as error:
            raise AssertionError(f"call {i} ({compiled.replays} replays in all): {error}") from error
    assert after.tolist() == after_compiled.tolist()            # the generator stands where it would
    expected = len(found) - FIRST if replays is None else replays
    assert compiled.replays in expected if isinstance(expected, range) else compiled.replays == expected
    return compiled


def batches(*shapes, count=7, dtype=np.float64, seed=1):
    """Calls with new normal numbers of these shapes each time."""
    def calls(*things):
        rng = np.random.default_rng(seed)
        for _ in range(count):
            yield tuple(tn.tensor(rng.normal(size=shape).astype(dtype)) for shape in shapes)
    return calls


def mlp(inputs=4, outputs=3, hidden=5):
    """A small network in float64; no bias before BatchNorm, whose gradient would be nothing but rounding."""
    return nn.Sequential(nn.Linear(inputs, hidden, bias=False), nn.BatchNorm1d(hidden), nn.Tanh(), nn.Linear(hidden, hidden),
                         nn.SiLU(), nn.Linear(hidden, outputs)).double()


def training(model=mlp, optimizer=lambda p: optim.Adam(p, lr=0.01), loss_of=nn.functional.mse_loss, between=lambda model: None):
    """What makes a training step, the network and the optimizer."""
    def make():
        network = model()
        updates = optimizer(network.parameters())

        def step(x, target):
            updates.zero_grad()
            loss = loss_of(network(x), target)
            loss.backward()
            between(network)
            updates.step()
            return loss
        return step, network, updates
    return make
