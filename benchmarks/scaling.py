"""How the cost of a step grows with the batch, the width, the depth and the length of a chain.

Costs are per sample or per operation: where a curve is flat, twice the work takes twice as long; where it falls, it is
the engine's own cost for each operation that is shared by more and more numbers.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import rounds
from workloads import ON_CPUS, Workload

ENGINES = ("ours", "compiled", "numpy", "numpy-optimised", "pytorch", "jax")    # what is asked for, of these
LIMIT = "numpy-optimised"                                       # drawn as the line that none can be below
ROUNDS, SECONDS = 5, 0.1


@dataclass(frozen=True)
class Curve:
    name: str
    title: str
    axis: str
    cost: str                       # what the time of a step is divided by
    sizes: tuple[int, ...]
    quick: tuple[int, ...]
    without: tuple[str, ...] = ()

    def workload(self, size: int) -> Workload:
        if self.name == "chain":
            return replace(ON_CPUS["W8"], name=f"chain-{size}", batch=size)
        if self.name == "batch":
            return replace(ON_CPUS["W2"], name=f"batch-{size}", batch=size, batches=1, compared=5)
        widths = (size, size, size, 10) if self.name == "width" else (64,) * (size + 1) + (10,)
        return Workload(f"{self.name}-{size}", self.title, "mlp", widths, 128 if self.name == "width" else 32,
                        lr=1e-4, batches=1, compared=5)

    def units(self, size: int) -> int:
        """Samples or operations in a step; a layer counts as one operation."""
        return {"chain": size, "batch": size, "width": 128, "depth": size + 1}[self.name]


CURVES = {c.name: c for c in (
    Curve("batch", "3-64-64-1, Adam", "batch size", "sample", tuple(4 ** k for k in range(8)), (4, 32)),
    Curve("width", "width-width-width-10, batch 128, Adam", "width", "sample", tuple(2 ** k for k in range(4, 12)),
          (8, 16)),
    Curve("depth", "layers of 64 with ReLU, batch 32, Adam", "hidden layers", "layer", tuple(2 ** k for k in range(7)),
          (1, 3)),
    Curve("chain", "chain of operations on one number", "operations", "operation", tuple(10 ** k for k in range(1, 6)),
          (10, 100), without=("compiled", "jax")))}


def measured(quick: bool, engines: Sequence[str], how: rounds.How) -> Iterator[dict[str, Any]]:
    """Point after point."""
    how = replace(how, rounds=min(how.rounds, ROUNDS), seconds=min(how.seconds, SECONDS))
    for curve in CURVES.values():
        takes_part = [name for name in ENGINES if name in engines and name not in curve.without]
        for size in curve.quick if quick else curve.sizes:
            found = rounds.measure(curve.workload(size), takes_part, how)
            yield {"curve": curve.name, "size": size, "units": curve.units(size)} | found
