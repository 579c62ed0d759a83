"""Which tracks are kaons, and how many are there? The whole analysis of lecture 1 (particle identification).

    python demos/particle_identification.py                                  # simulated pions and kaons
    python demos/particle_identification.py --data magic04.data --signal g   # the same on a table of yours

Three detectors look at each track; pions and kaons overlap in all of them. Train on labelled events, find out on
events kept back how often the network is right, and then measure what an experiment wants to know: the fraction
of kaons in a sample without labels.

What to see: the network beats cuts made by hand, because it uses how the variables hang together, and comes within
its statistical error of the best classifier that is possible at all. The naive count of kaons is wrong by many
times its error; corrected for the classifier's mistakes it is right, as long as the simulation is.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from sklearn.metrics import confusion_matrix, roc_auc_score, roc_curve
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.tree import DecisionTreeClassifier

import tinygrad_nuc as tn
from tinygrad_nuc import nn, optim, plots
from tinygrad_nuc.analysis import (Abundance, RectangularCuts, count_two_bins, fit_counts, naive_count, template_fit,
                                   toy_pulls)
from tinygrad_nuc.simulation import CLASSES, VARIABLES, Detector, kaon_probability, simulate, simulate_unlabelled
from tinygrad_nuc.training import fit
from tinygrad_nuc.utils.command import (
    Parser,
    Report,
    save_all_or_nothing,
    whole_numbers,
)
from tinygrad_nuc.utils.data import DataLoader, TensorDataset
from tinygrad_nuc.utils.files import save_state
from tinygrad_nuc.utils.tables import read_features, read_table
from tinygrad_nuc.utils.text import text_table

# %% 1. The data: labelled events to learn from, unlabelled ones to measure

@dataclasses.dataclass
class Sample:
    """Labelled events, and what else is known about where they come from."""

    x: np.ndarray                                   # (n, k) measured variables
    y: np.ndarray                                   # (n,) 0 or 1
    variables: list[str]
    classes: tuple[str, str]
    unlabelled: np.ndarray | None = None            # (N, k)
    reveal: Callable[[], float] | None = None       # opens the envelope with the true fraction
    ideal: Callable | None = None                   # x → the best response there can be
    dropped: int = 0                                # rows with invalid cells


def simulated(quick: bool, seeds: list[np.random.SeedSequence]) -> Sample:
    """500,000 labelled events, half and half, and 275,000 of which nobody knows which are kaons."""
    n, n_unlabelled = (20_000, 20_000) if quick else (250_000, 275_000)
    x, y = simulate(n, n, seed=np.random.default_rng(seeds[0]))
    sealed = simulate_unlabelled(n_unlabelled, seed=np.random.default_rng(seeds[1]))
    return Sample(x, y, list(VARIABLES), CLASSES, sealed.features, sealed.reveal, kaon_probability)


def from_file(args: argparse.Namespace) -> Sample:
    """A table of your own; there is no density, so no ideal classifier, and no known fraction."""
    table = read_table(args.data, label=args.label, signal=args.signal, drop_invalid=args.drop_invalid)
    sample = Sample(table.features, table.labels, table.names, table.classes, dropped=table.dropped)
    if args.apply:
        new = read_features(args.apply, names=table.names, label=args.label, drop_invalid=args.drop_invalid)
        sample.unlabelled = new.features
        sample.dropped += new.dropped
    return sample


# %% 2. The network

def build(inputs: int, hidden: list[int]) -> nn.Sequential:
    """Linear and ReLU layers in turn; the last number is the logit ln p/(1 − p) of class 1."""
    layers: list[nn.Module] = []
    for width in hidden:
        layers += [nn.Linear(inputs, width), nn.ReLU()]
        inputs = width
    return nn.Sequential(*layers, nn.Linear(inputs, 1))


def train(model: nn.Module, x: np.ndarray, y: np.ndarray, args: argparse.Namespace) -> tn.training.History:
    """Minimise the binary cross-entropy; a tenth of the training events tells when to stop."""
    parts = train_test_split(x, y, test_size=0.1, stratify=y, random_state=args.seed)
    x_fit, x_stop, y_fit, y_stop = (tn.tensor(part, dtype=tn.float32) for part in parts)
    fit_events = TensorDataset(x_fit, y_fit.unsqueeze(1))
    stop_events = TensorDataset(x_stop, y_stop.unsqueeze(1))
    batch_size = min(256, len(fit_events)) if args.batch_size is None else args.batch_size
    return fit(model, nn.BCEWithLogitsLoss(), optim.Adam(model.parameters(), lr=args.lr),
               DataLoader(fit_events, batch_size, shuffle=True),
               DataLoader(stop_events, min(len(stop_events), 8192)), epochs=args.epochs, patience=8)


def network_response(model: nn.Module, scaler: MinMaxScaler | StandardScaler) -> Callable:
    """x → probability of class 1."""
    def respond(x: np.ndarray) -> np.ndarray:
        with tn.no_grad():
            logit = model(tn.tensor(scaler.transform(x), dtype=tn.float32))
        return tn.sigmoid(logit.double()).numpy()[:, 0]
    return respond


# %% 3. Classifiers side by side

class Classifier:
    """A response to measured variables, and how often it was right on the events kept back."""

    def __init__(self, respond: Callable, x: np.ndarray, y: np.ndarray, threshold: float = 0.5) -> None:
        self.respond, self.threshold = respond, threshold
        self.response = respond(x)
        self.right = (self.response >= threshold) == y
        self.accuracy = self.right.mean()
        self.matrix = confusion_matrix(y, self.response >= threshold, labels=[0, 1])
        self.fpr, self.tpr = self.matrix[:, 1] / self.matrix.sum(axis=1)
        self.auc = roc_auc_score(y, self.response)

    def count(self, response: np.ndarray) -> np.ndarray:
        """How many events are called class 0 and class 1."""
        return np.bincount(response >= self.threshold, minlength=2)


def compare(say: Report, sample: Sample, classifiers: dict[str, Classifier]) -> None:
    """The table of all classifiers, and whether the network is as good as is possible."""
    columns = [f"{true} as {predicted}" for true in sample.classes for predicted in sample.classes]
    say(f"\nOn {len(classifiers['network'].right):,} events kept back ({sample.classes[1]} is the positive class):\n")
    say(text_table(["classifier", "accuracy", "TPR", "FPR", "AUC", *columns],
                   [[name, *(f"{number:.4f}" for number in (c.accuracy, c.tpr, c.fpr, c.auc)), *c.matrix.ravel()]
                    for name, c in classifiers.items()]))
    if "ideal" in classifiers:
        network, ideal = classifiers["network"], classifiers["ideal"]
        error = np.sqrt(np.sum(network.right != ideal.right)) / len(network.right)
        say(f"\nnetwork − ideal: {network.accuracy - ideal.accuracy:+.4f} ± {error:.4f} in accuracy; "
            "more than that error above 0 would mean that it has seen the answers")


# %% 4. The fraction of class 1 in the unlabelled sample

def abundances(c: Classifier, y: np.ndarray, unlabelled: np.ndarray) -> dict[str, Abundance | None]:
    """Three ways to measure it, calibrated on the events kept back; None where a classifier cannot tell."""
    pions, kaons, new = c.response[y == 0], c.response[y == 1], c.respond(unlabelled)
    found: dict[str, Abundance | None] = {"naive count": naive_count(c.count(new)[1], len(new)),
                                          "adjusted count": None, "template fit": None}
    if c.tpr != c.fpr and len(np.unique(c.response)) > 1:
        found["adjusted count"] = count_two_bins(c.count(pions), c.count(kaons), c.count(new))
        found["template fit"] = template_fit(pions, kaons, new)
    return found


def check_uncertainties(say: Report, c: Classifier, y: np.ndarray, f: float, n: int, n_toys: int, seed) -> None:
    """Pulls over many toy experiments, each with calibration and unlabelled counts of its own."""
    say(f"\nAre the uncertainties right? Pulls over {n_toys} toy experiments (mean 0 and width 1 if so):\n")
    rows = []
    for method, estimate, count in (("adjusted count", count_two_bins, c.count),
                                    ("template fit", fit_counts, lambda r: np.histogram(r, np.linspace(0, 1, 21))[0])):
        pions, kaons = c.response[y == 0], c.response[y == 1]
        pulls = toy_pulls(estimate, count(pions), count(kaons), abundance=f, n_pions=len(pions), n_kaons=len(kaons),
                          n_unlabelled=n, n_toys=n_toys, seed=np.random.default_rng(seed))
        rows.append([method, f"{pulls.mean():+.3f}", f"{pulls.std():.3f}"])
    say(text_table(["method", "mean", "width"], rows))


MISMODELLED = {"as simulated": {}, "time resolution 120 ps, not 100": {"time_resolution_ps": 120},
               "angle resolution 5 mrad, not 4": {"angle_resolution_mrad": 5},
               "3 % of kaons decay, not 0.6 %": {"kaon_decay_probability": 0.03}}


def mismodel(say: Report, c: Classifier, y: np.ndarray, n: int, seed) -> None:
    """Measure in detectors that differ from the one simulated for training: an error that no data will show."""
    say("\nWhen the detector is not as simulated (network, true fraction 0.3000):\n")
    rows = []
    for what, change in MISMODELLED.items():
        detector = dataclasses.replace(Detector(), **change)
        real = simulate_unlabelled(n, detector, seed=np.random.default_rng(seed), abundance=0.3)
        found = [a for a in abundances(c, y, real.features).values() if a]
        rows.append([what, *(f"{a} ({a.pull(0.3):+.1f} σ)" for a in found[1:])])
    say(text_table(["experiment", "adjusted count", "template fit"], rows))


# %% 5. Putting it together

def run(args: argparse.Namespace, folder: Path) -> None:
    say, start = Report(), time.perf_counter()
    seeds = np.random.SeedSequence(args.seed).spawn(4)
    tn.manual_seed(args.seed)

    sample = from_file(args) if args.data else simulated(args.quick, seeds)
    n = 0 if sample.unlabelled is None else len(sample.unlabelled)
    background, signal = sample.classes
    say(f"Data: {len(sample.y):,} labelled events ({np.sum(sample.y == 0):,} {background}, "
        f"{np.sum(sample.y == 1):,} {signal}), {len(sample.variables)} variables"
        + (f"; {n:,} without labels" if n else "")
        + (f"; rows with invalid cells dropped: {sample.dropped:,}" if sample.dropped else ""))

    # A quarter is kept back; nothing that follows is tuned on it.
    x, x_test, y, y_test = train_test_split(sample.x, sample.y, test_size=0.25, stratify=sample.y,
                                            random_state=args.seed)
    scaler = (MinMaxScaler() if args.scale == "minmax" else StandardScaler()).fit(x)

    model = build(x.shape[1], args.hidden)
    say(f"Training a network with {sum(p.numel() for p in model.parameters()):,} parameters "
        f"on {len(x):,} events, at most {args.epochs} epochs")
    history = train(model, scaler.transform(x), y, args)
    say(f"Stopped after {len(history.train)} epochs; kept the weights of epoch {history.best_epoch} "
        f"(validation loss {min(history.validation):.4f})")

    cuts = RectangularCuts().fit(x, y)
    tree = DecisionTreeClassifier(max_depth=10, min_samples_leaf=50, random_state=args.seed).fit(x, y)
    classifiers = {"cuts by hand": Classifier(cuts.decision_function, x_test, y_test, threshold=0.0),
                   "decision tree": Classifier(lambda x: tree.predict_proba(x)[:, 1], x_test, y_test),
                   "network": Classifier(network_response(model, scaler), x_test, y_test)}
    if sample.ideal:
        classifiers["ideal"] = Classifier(sample.ideal, x_test, y_test)
    compare(say, sample, classifiers)

    measured, truth = {}, None
    if n:
        measured = {name: abundances(c, y_test, sample.unlabelled) for name, c in classifiers.items()}
        say(f"\nFraction of {signal} in the unlabelled sample:\n")
        say(text_table(["classifier", *measured["network"]],
                       [[name, *(a or "–" for a in found.values())] for name, found in measured.items()]))
    else:
        say(f"\nNo unlabelled sample: --apply FILE measures the fraction of {signal} in one.")
    if sample.reveal:
        network, found = classifiers["network"], measured["network"]
        f, n_toys = found["adjusted count"].value, 300 if args.quick else 1000
        check_uncertainties(say, network, y_test, f, n, n_toys, seeds[2])
        mismodel(say, network, y_test, n, seeds[3])
        truth = sample.reveal()
        say(f"\nThe envelope is opened: the true fraction is {truth:.4f}. With the network,\n")
        say(text_table(["method", "fraction", "pull"], [[m, a, f"{a.pull(truth):+.1f}"] for m, a in found.items()]))

    draw(folder, sample, x_test, y_test, classifiers, history, measured, truth)
    save(folder, args, sample, model, scaler, say)
    print(f"\nPictures, report and weights are in {args.output} ({time.perf_counter() - start:.0f} s).")


def draw(folder, sample, x, y, classifiers, history, measured, truth) -> None:
    """Every picture of the analysis, as PNG."""
    picture, axes = plots.grid(len(sample.variables), width=5)
    for ax, column, name in zip(axes, x.T, sample.variables, strict=True):
        plots.variable_histogram(ax, column, y, name, sample.classes)
    picture.savefig(folder / "variables.png")

    picture, axes = plots.grid(len(classifiers), width=5.5, height=4.2, columns=2)
    for ax, (name, c) in zip(axes, classifiers.items(), strict=True):
        plots.response_histogram(ax, c.response, y, name, sample.classes, c.threshold)
    picture.savefig(folder / "responses.png")

    picture, (ax,) = plots.grid(1, width=7.5, height=6.5)
    plots.roc_curves(ax, {name: (*roc_curve(y, c.response)[:2], c.auc) for name, c in classifiers.items()})
    picture.savefig(folder / "roc.png")

    picture, axes = plots.grid(len(classifiers), width=3.9, height=3.6)
    plots.confusion_matrices(axes, {name: c.matrix for name, c in classifiers.items()}, sample.classes)
    picture.savefig(folder / "confusion_matrices.png")

    picture, (ax,) = plots.grid(1)
    plots.learning_curve(ax, history, "binary cross-entropy")
    picture.savefig(folder / "learning_curve.png")

    if measured:
        picture, (ax,) = plots.grid(1, width=8)
        plots.measurements(ax, {f"{name}: {method}": (a.value, a.uncertainty) for name, found in measured.items()
                                for method, a in found.items() if a}, f"fraction of {sample.classes[1]}", truth)
        picture.savefig(folder / "abundance.png")


def save(folder, args, sample, model, scaler, say) -> None:
    """The trained network, how its inputs are scaled, and the report."""
    save_state(folder / "weights.npz", {name: value.numpy() for name, value in model.state_dict().items()})
    offset, width = (scaler.data_min_, scaler.data_range_) if args.scale == "minmax" else (scaler.mean_, scaler.scale_)
    (folder / "scaler.json").write_text(json.dumps({
        "use": "network input = (variable − offset) / width", "variables": sample.variables, "offset": offset.tolist(),
        "width": np.where(width > 0, width, 1).tolist(), "classes": list(sample.classes), "hidden": args.hidden,
    }, indent=2, ensure_ascii=False), "utf-8")
    (folder / "report.txt").write_text(say.text, "utf-8")


def arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, metavar="FILE",
                        help="a labelled table (CSV, JSON, .npy, .npz, ROOT) instead of the simulation")
    parser.add_argument("--label", help="its label column, by name or number; the last one by default")
    parser.add_argument("--signal", help="the label of the class to look for")
    parser.add_argument("--apply", type=Path, metavar="FILE",
                        help="a table without labels, to measure the fraction of signal in")
    parser.add_argument("--drop-invalid", action="store_true", help="leave out rows with empty, NaN or infinite cells")
    parser.add_argument("--scale", choices=["minmax", "standard"], help="default: minmax, and standard with --data")
    parser.add_argument("--hidden", type=whole_numbers, default=[32, 32], metavar="N,N,...",
                        help="widths of the hidden layers (32,32)")
    parser.add_argument("--epochs", type=int, help="most passes through the training events (60)")
    parser.add_argument("--batch-size", type=int, help="events in one step (256, or all if there are fewer)")
    parser.add_argument("--lr", type=float, default=3e-3, help="learning rate of Adam (0.003)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--output", type=Path, default=Path("output/particle_identification"), metavar="FOLDER")
    parser.add_argument("--quick", action="store_true", help="few events and epochs: a test that everything works")
    args = parser.parse_args(argv)
    if args.apply and not args.data:
        parser.error("--apply needs --data: the simulation brings its own unlabelled sample")
    args.scale = args.scale or ("standard" if args.data else "minmax")
    if args.epochs is None:
        args.epochs = 5 if args.quick else 60
    return args


def main(argv: list[str] | None = None) -> int:
    args = arguments(argv)
    return save_all_or_nothing(args.output, lambda folder: run(args, folder))


if __name__ == "__main__":
    sys.exit(main())
