"""What recording costs: a small network's training step outside of `tn.inspect.record()` and inside of it.

    python benchmarks/recording.py [--before FOLDER] [--rounds 40]

Outside, nothing may be slower than without the recorder. --before names a folder with another version of the package,
such as ``git archive COMMIT tinygrad_nuc | tar x -C FOLDER``: both versions then run in turns, in processes of their
own, and their ratio is printed.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

STEPS = 400


def measure(recorded: bool) -> float:
    """Microseconds for a training step: 10-10-1 with tanh, 32 rows, SGD."""
    import tinygrad_nuc as tn
    from tinygrad_nuc import nn, optim

    tn.manual_seed(0)
    x, y = tn.randn(32, 10), tn.randn(32, 1)
    model = nn.Sequential(nn.Linear(10, 10), nn.Tanh(), nn.Linear(10, 1))
    optimizer = optim.SGD(model.parameters(), lr=0.01)

    def steps(n: int) -> None:
        for _ in range(n):
            loss = nn.functional.mse_loss(model(x), y)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()

    steps(STEPS)                                # everything is warm
    times = []
    for _ in range(5):
        start = time.perf_counter()
        if recorded:
            with tn.inspect.record():
                steps(STEPS)
        else:
            steps(STEPS)
        times.append((time.perf_counter() - start) / STEPS * 1e6)
    return min(times)


def in_process(folder: Path) -> float:
    """`measure` with the package of a folder."""
    environment = {**os.environ, "PYTHONPATH": str(folder), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, __file__, "--here"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=folder, env=environment)
    return float(done.stdout)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--before", type=Path, metavar="FOLDER", help="another version of the package")
    parser.add_argument("--rounds", type=int, default=40, help="pairs of runs")
    parser.add_argument("--here", action="store_true", help="in this process, outside of record: prints microseconds")
    options = parser.parse_args()
    if options.here:
        print(measure(recorded=False))
        return
    outside, inside = measure(recorded=False), measure(recorded=True)
    print(f"outside of record {outside:6.1f} µs, inside {inside:6.1f} µs: × {inside / outside:.2f}")
    if options.before:
        here = Path(__file__).resolve().parents[1]
        pairs = [(in_process(options.before.resolve()), in_process(here)) for _ in range(options.rounds)]
        before, now = (statistics.median(times) for times in zip(*pairs, strict=True))
        ratio = statistics.median(b / a for a, b in pairs)
        print(f"before {before:6.1f} µs, now {now:6.1f} µs: median ratio of {len(pairs)} pairs {ratio:.3f}")


if __name__ == "__main__":
    main()
