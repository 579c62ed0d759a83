"""A chain of up to a million operations, forward and backward: time for each operation, and the memory at the peak.

    python benchmarks/chain.py [--operations 1000 10000 100000 1000000] [--repeats 5]

No recursion, so the depth is limited by memory alone; and the time for each operation should not grow with the depth.
Each length runs in a process of its own, so that its peak memory is its own too.
"""

import argparse
import gc
import resource
import statistics
import subprocess
import sys
import time

import numpy as np

import tinygrad_nuc as tn


def chain(n: int) -> float:
    """Seconds for y = f(f(… f(x))) with n operations, and dy/dx, which is checked against the closed form."""
    x = tn.tensor(0.5, dtype=tn.float64, requires_grad=True)
    gc.collect()
    start = time.perf_counter()
    y = x
    for _ in range(n // 2):
        y = y * 0.999
        y = y + 0.001
    y.backward()
    seconds = time.perf_counter() - start
    assert np.isclose(x.grad.item(), 0.999 ** (n // 2), rtol=1e-9)
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--operations", type=int, nargs="+", default=[1_000, 10_000, 100_000, 1_000_000])
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--here", action="store_true", help="in this process: prints seconds and megabytes")
    options = parser.parse_args()
    if options.here:
        chain(1_000)                            # everything is imported and warm
        seconds = statistics.median(chain(options.operations[0]) for _ in range(options.repeats))
        print(seconds, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
        return

    print("operations   µs each   × the first   peak memory")
    first = None
    for n in options.operations:
        command = [sys.executable, __file__, "--here", "--operations", str(n), "--repeats", str(options.repeats)]
        answer = subprocess.run(command, capture_output=True, text=True, check=True).stdout
        seconds, megabytes = map(float, answer.split())
        each = seconds / n * 1e6
        first = first or each
        print(f"{n:10,}   {each:7.2f}   {each / first:11.2f}   {megabytes:8.0f} MB", flush=True)


if __name__ == "__main__":
    main()
