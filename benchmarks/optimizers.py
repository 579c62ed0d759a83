"""One step of an optimizer: the same 10,000 numbers in 2, 20 or 200 tensors, and 6.3 million in 6.

    python benchmarks/optimizers.py [--repeats 50]

"one by one" evaluates the same formula for each tensor by itself, as it stands in the textbook; "step" is
optimizer.step(), which evaluates it for all small tensors together, and for large ones in parts that fit into the
processor's cache. Both end at the same numbers, to the last bit.
"""

import argparse
import time
from collections import defaultdict
from collections.abc import Callable

import numpy as np

import tinygrad_nuc as tn

LAYERS = {
    "10,000 in 2": [(5_000,)] * 2,
    "10,000 in 20": [(500,)] * 20,
    "10,000 in 200": [(50,)] * 200,
    "6.3 million in 6": [(2048, 1024), (2048,), (2048, 2048), (2048,), (10, 2048), (10,)],
}
OPTIMIZERS = {
    "Adam": lambda params: tn.optim.Adam(params),
    "SGD, momentum": lambda params: tn.optim.SGD(params, momentum=0.9),
}


def parameters(shapes: list[tuple[int, ...]]) -> list[tn.Tensor]:
    """With values and gradients."""
    tn.manual_seed(1)
    params = [tn.randn(*shape, requires_grad=True) for shape in shapes]
    for p in params:
        p.grad = tn.randn(*p.shape)
    return params


def one_by_one(optimizer: tn.optim.Optimizer) -> Callable[[], None]:
    """A step as it would be without any joining."""
    states: dict = defaultdict(dict)

    def step() -> None:
        for group in optimizer.param_groups:
            settings = optimizer.settings_of(group)
            settings.pop("maximize")
            for p in group["params"]:
                p.data += optimizer.change(p.data, p.grad.data, states[p], **settings)
    return step


def fastest(steps: list[Callable[[], None]], repeats: int) -> list[float]:
    """Microseconds of each, in turns, so that whatever else the computer does meets all of them."""
    times = np.empty((repeats, len(steps)))
    for row in times:
        for i, step in enumerate(steps):
            start = time.perf_counter()
            step()
            row[i] = time.perf_counter() - start
    return list(times[2:].min(axis=0) * 1e6)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--repeats", type=int, default=50)
    options = parser.parse_args()
    print("optimizer       numbers            one by one (µs)   step (µs)   ratio")
    for name, make in OPTIMIZERS.items():
        for layers, shapes in LAYERS.items():
            plain, joined = parameters(shapes), parameters(shapes)
            each, together = fastest([one_by_one(make(plain)), make(joined).step], options.repeats)
            assert all(np.array_equal(p.data, q.data) for p, q in zip(plain, joined, strict=True))
            print(f"{name:14}  {layers:16}  {each:16.0f}   {together:9.0f}   {each / together:5.2f}", flush=True)


if __name__ == "__main__":
    main()
