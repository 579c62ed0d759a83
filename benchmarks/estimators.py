"""MLPClassifier here and in scikit-learn with equal settings: accuracy, epochs, and seconds to fit.

    python benchmarks/estimators.py magic04.data [--signal g]
    python benchmarks/estimators.py                     # simulated pions and kaons

A quarter of the events is kept back for the accuracy; variables are standardised on the others. Each seed splits
and trains anew. For the seconds, short fits alternate many times, so that both meet the same machine, with each
number of BLAS threads; on a machine with other work the fastest of them tell most.
"""

import argparse
import statistics
import time
import warnings
from typing import Any

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier as Theirs
from sklearn.preprocessing import StandardScaler
from threadpoolctl import threadpool_limits

from tinygrad_nuc.estimators import MLPClassifier as Ours
from tinygrad_nuc.simulation import simulate
from tinygrad_nuc.utils.tables import read_table


def fit(estimator: Any, x: np.ndarray, y: np.ndarray) -> float:
    """Train; returns the seconds it took."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)         # both may run until the last epoch
        start = time.perf_counter()
        estimator.fit(x, y)
        return time.perf_counter() - start


def split(x: np.ndarray, y: np.ndarray, seed: int) -> tuple[np.ndarray, ...]:
    """x and y to train with, x and y to test with."""
    x_train, x_test, y_train, y_test = train_test_split(x, y, test_size=0.25, stratify=y, random_state=seed)
    scaler = StandardScaler().fit(x_train)
    return scaler.transform(x_train), y_train, scaler.transform(x_test), y_test


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", nargs="?", help="a table with labels; simulated events if not given")
    parser.add_argument("--signal", default="g", help="the signal's label in the table")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--epochs", type=int, default=10, help="of the fits that are timed")
    parser.add_argument("--repeats", type=int, default=15)
    options = parser.parse_args()
    if options.data:
        table = read_table(options.data, signal=options.signal)
        x, y = table.features, table.labels
    else:
        x, y = simulate(10_000, 10_000, seed=0)

    print("seed   accuracy           epochs\n       theirs   ours      theirs   ours")
    for seed in range(options.seeds):
        x_train, y_train, x_test, y_test = split(x, y, seed)
        theirs, ours = (kind(random_state=seed) for kind in (Theirs, Ours))
        for estimator in (theirs, ours):
            fit(estimator, x_train, y_train)
        a, b = (estimator.score(x_test, y_test) for estimator in (theirs, ours))
        print(f"{seed:4}   {a:.4f}   {b:.4f}    {theirs.n_iter_:6} {ours.n_iter_:6}", flush=True)

    x_train, y_train, _, _ = split(x, y, 0)
    print(f"\nthreads   seconds for {options.epochs} epochs: fastest        median of {options.repeats}")
    print("                  theirs   ours  ratio   theirs   ours  ratio")
    for threads in options.threads:
        with threadpool_limits(threads):
            seconds = [[fit(kind(random_state=0, max_iter=options.epochs), x_train, y_train) for kind in (Theirs, Ours)]
                       for _ in range(options.repeats)]
        text = ""
        for summary in (min, statistics.median):
            a, b = (summary(column) for column in zip(*seconds, strict=True))
            text += f"   {a:6.3f} {b:6.3f} {b / a:6.2f}"
        print(f"{threads:7}        {text}", flush=True)


if __name__ == "__main__":
    main()
