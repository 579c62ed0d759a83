"""All demos, in the order of the course: do they run, and does every number come out?

    python demos/run_all.py --quick             # all of them, small: is everything in place before the lecture?
    python demos/run_all.py                     # in full, with all pictures
    python demos/run_all.py xor digits          # only these

Each demo runs in a process of its own and leaves its pictures and its report in a folder of its own, such as
output/xor, and what it printed beside that, in output/xor.log. A table at the end says what ran, for how long, and how
many numbers were as expected; the exit status is 0 if all went well.
"""

import argparse
import os
import re
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from tinygrad_nuc.utils.command import Parser
from tinygrad_nuc.utils.text import text_table

COURSE = (
    "perceptron", "graph_by_hand", "line_fit", "losses", "logistic_regression", "xor",
    "activations", "initialisation", "linear_regions", "approximation",
    "optimizers", "batch_size", "overfitting", "regularisation", "class_codes",
    "particle_identification", "uncertainty", "domain_shift", "hyperparameter_search", "model_card", "ranks",
    "invariant_mass", "dimuons", "autoencoder", "digits", "neutrino_events", "directions", "wave_equation",
)


@dataclass
class Result:
    """How one demo ended."""

    name: str
    status: int
    seconds: float
    printed: str

    @property
    def numbers(self) -> str:
        """How many of its numbers were as expected."""
        good, bad = (len(re.findall(rf"^{mark} ", self.printed, re.MULTILINE)) for mark in "✓✗")
        return f"{good} of {good + bad}"


def run(name: str, args: argparse.Namespace, environment: dict[str, str]) -> Result:
    """Run one demo as a user would; what it prints goes to a log beside its results."""
    script, start = Path(__file__).with_name(f"{name}.py"), time.perf_counter()
    command = [sys.executable, str(script), "--output", str(args.output / name), *(["--quick"] if args.quick else [])]
    done = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False)
    printed = done.stdout.decode("utf-8", "replace")
    (args.output / f"{name}.log").write_text(printed, "utf-8")
    return Result(name, done.returncode, time.perf_counter() - start, printed)


def main(argv: list[str] | None = None) -> int:
    parser = Parser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="DEMO", help="only these (all)")
    parser.add_argument("--quick", action="store_true", help="the short form of each")
    parser.add_argument("--jobs", type=int, default=min(2, os.cpu_count() or 1), help="how many run at a time (2)")
    parser.add_argument("--output", type=Path, default=Path("output"), metavar="FOLDER")
    args = parser.parse_args(argv)
    unknown = [name for name in args.names if name not in COURSE]
    if unknown:
        parser.error(f"there is no demo {unknown[0]!r}; there are {', '.join(COURSE)}")
    if args.jobs < 1:
        parser.error(f"--jobs must be at least 1, not {args.jobs}")
    names = [name for name in COURSE if name in args.names or not args.names]

    threads = str(max((os.cpu_count() or 1) // args.jobs, 1))       # of each; they would only wait for each other
    environment = {**os.environ, "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS") or threads,
                   "PYTHONIOENCODING": "utf-8"}
    args.output.mkdir(parents=True, exist_ok=True)
    start, results = time.perf_counter(), {}
    with ThreadPoolExecutor(args.jobs) as pool:
        running = [pool.submit(run, name, args, environment) for name in names]
        try:
            for done in as_completed(running):
                result = results[done.result().name] = done.result()
                print(f"[{len(results):2}/{len(names)}] {result.name}: {'ok' if result.status == 0 else 'FAILED'}, "
                      f"{result.seconds:.1f} s", flush=True)
                if result.status:
                    print(*("    " + line for line in result.printed.splitlines()[-5:]), sep="\n", flush=True)
        except KeyboardInterrupt:                                   # the demos have had it too
            pool.shutdown(cancel_futures=True)
            print("interrupted", file=sys.stderr)
            return 130

    print("\n" + text_table(["demo", "numbers as expected", "time [s]", ""],
                            [[r.name, r.numbers, f"{r.seconds:.1f}", "" if r.status == 0 else "FAILED"]
                             for r in (results[name] for name in names)]))
    failed = sum(r.status != 0 for r in results.values())
    print(f"\n{len(names) - failed} of {len(names)} demos ran as they should, in {time.perf_counter() - start:.0f} s. "
          f"Pictures, reports and logs: {args.output}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
