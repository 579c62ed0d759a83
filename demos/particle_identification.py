"""Which tracks are kaons, and how many are there? The whole analysis of lecture 1 (particle identification).

    python demos/particle_identification.py                                  # simulated pions and kaons
    python demos/particle_identification.py --data magic04.data --signal g   # the same on a table of yours

Three detectors look at each track; pions and kaons overlap in all of them. Train on labelled events, find out on
events kept back how often the network is right, and then measure what an experiment wants to know: the fraction
of kaons in a sample without labels.

What to see: the network beats cuts made by hand, because it uses how the variables hang together, and comes close to
the best classifier that is possible at all. Counting what it calls kaons gives a biased fraction, with a small error
that does not know of the bias. Corrected for the classifier's mistakes the fraction is right within its error, as long
as the detector is as simulated.
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
from sklearn.metrics import confusion_matrix, roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.tree import DecisionTreeClassifier

import tinygrad_nuc as tn
from tinygrad_nuc import nn, optim, plots
from tinygrad_nuc.analysis import Abundance, RectangularCuts, all_abundances, pulls_of_methods
from tinygrad_nuc.simulation import CLASSES, VARIABLES, Detector, kaon_probability, simulate, simulate_unlabelled
from tinygrad_nuc.training import EarlyStopping, Trainer
from tinygrad_nuc.utils.command import Parser, Report, save_all_or_nothing, whole_numbers
from tinygrad_nuc.utils.data import DataLoader, TensorDataset
from tinygrad_nuc.utils.tables import Features, Table, read_features, read_table
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


def simulated(quick: bool, labelled_seed: np.random.SeedSequence, sealed_seed: np.random.SeedSequence) -> Sample:
    """500,000 labelled events, half and half, and 275,000 of which nobody knows which are kaons."""
    n, n_unlabelled = (20_000, 20_000) if quick else (250_000, 275_000)
    x, y = simulate(n, n, seed=np.random.default_rng(labelled_seed))
    sealed = simulate_unlabelled(n_unlabelled, seed=np.random.default_rng(sealed_seed))
    return Sample(x, y, list(VARIABLES), CLASSES, sealed.features, sealed.reveal, kaon_probability)


def from_file(args: argparse.Namespace) -> Sample:
    """A table of your own; there is no density, so no ideal classifier, and no known fraction."""
    table = read_table(args.data, label=args.label, signal=args.signal, drop_invalid=args.drop_invalid)
    sample = Sample(table.features, table.labels, table.names, table.classes, dropped=table.dropped)
    refuse_huge_values(args.data, table)
    if args.apply:
        new = read_features(args.apply, names=table.names, label=args.label, drop_invalid=args.drop_invalid)
        refuse_huge_values(args.apply, new)
        sample.unlabelled = new.features
        sample.dropped += new.dropped
    if min(np.bincount(sample.y)) < 20:
        raise ValueError(f"{args.data}: needs at least 20 events of each class to train, to stop and to be judged by")
    return sample


def refuse_huge_values(path: Path, table: Table | Features) -> None:
    """The network computes in float32, which ends near 3e38."""
    for name, column in zip(table.names, table.features.T, strict=True):
        if np.abs(column).max(initial=0) > 1e30:
            raise ValueError(f"{path}: {name} has values up to {np.abs(column).max():.3g}, too large for float32")


# %% 2. The network

def build(inputs: int, hidden: list[int]) -> nn.Sequential:
    """Linear and ReLU layers in turn; the last number is the logit ln p/(1 − p) of class 1."""
    layers: list[nn.Module] = []
    for width in hidden:
        layers += [nn.Linear(inputs, width), nn.ReLU()]
        inputs = width
    return nn.Sequential(*layers, nn.Linear(inputs, 1))


def train(model: nn.Module, x: np.ndarray, y: np.ndarray, args: argparse.Namespace
          ) -> tuple[tn.training.History, EarlyStopping]:
    """Minimise the binary cross-entropy; a tenth of the training events tells when to stop."""
    parts = train_test_split(x, y, test_size=0.1, stratify=y, random_state=args.seed)
    x_fit, x_stop, y_fit, y_stop = (tn.tensor(part, dtype=tn.float32) for part in parts)
    fit_events = TensorDataset(x_fit, y_fit.unsqueeze(1))
    stop_events = TensorDataset(x_stop, y_stop.unsqueeze(1))
    batch_size = min(256, len(fit_events)) if args.batch_size is None else args.batch_size
    stopping = EarlyStopping(patience=8)
    trainer = Trainer(model, nn.BCEWithLogitsLoss(), optim.Adam(model.parameters(), lr=args.lr), callbacks=[stopping])
    trainer.fit(DataLoader(fit_events, batch_size, shuffle=True), DataLoader(stop_events, min(len(stop_events), 8192)),
                epochs=args.epochs)
    if trainer.interrupted:
        raise KeyboardInterrupt
    return trainer.history, stopping


def network_response(model: nn.Module, scaler: MinMaxScaler | StandardScaler) -> Callable:
    """x → probability of class 1."""
    def respond(x: np.ndarray) -> np.ndarray:
        model.eval()
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


def compare(say: Report, sample: Sample, classifiers: dict[str, Classifier]) -> None:
    """The table of all classifiers, and whether the network is as good as is possible."""
    background, signal = sample.classes
    columns = [f"{true} as {predicted}" for true in sample.classes for predicted in sample.classes]
    say(f"\nOn {len(classifiers['network'].right):,} events kept back:\n")
    say(text_table(["classifier", "accuracy", "TPR", "FPR", "AUC", *columns],
                   [[name, *(f"{number:.4f}" for number in (c.accuracy, c.tpr, c.fpr, c.auc)), *c.matrix.ravel()]
                    for name, c in classifiers.items()]))
    say(f"TPR: share of {signal} called {signal}. FPR: share of {background} called {signal}. "
        "AUC: area under the ROC curve, 1 at best.")
    if "ideal" in classifiers:
        network, ideal = classifiers["network"], classifiers["ideal"]
        difference = network.accuracy - ideal.accuracy
        error = np.sqrt(np.sum(network.right != ideal.right)) / len(network.right)
        say(f"network − ideal: {difference:+.4f} ± {error:.4f} in accuracy. "
            "Several times that error above 0 would mean that the network has seen the answers.")


# %% 4. The fraction of class 1 in the unlabelled sample

def abundances(c: Classifier, y: np.ndarray, unlabelled: np.ndarray) -> dict[str, Abundance | None]:
    """Three ways to measure it, calibrated on the events kept back."""
    return all_abundances(c.response[y == 0], c.response[y == 1], c.respond(unlabelled), c.threshold)


def measure(say: Report, sample: Sample, classifiers: dict[str, Classifier], y: np.ndarray) -> dict[str, dict]:
    """The table of abundances, by classifier and method."""
    measured = {name: abundances(c, y, sample.unlabelled) for name, c in classifiers.items()}
    say(f"\nFraction of {sample.classes[1]} in the unlabelled sample:\n")
    say(text_table(["classifier", *measured["network"]],
                   [[name, *(a or "–" for a in found.values())] for name, found in measured.items()]))
    c = classifiers["network"]
    say("Each ± is one standard deviation and holds the sizes of the samples, but no difference between simulation and "
        "experiment.\nAll rows use the same events, so they fluctuate together. "
        + (f"The network's naive count is right by accident where the fraction is {c.fpr / (c.fpr + 1 - c.tpr):.2f}."
           if c.fpr + 1 - c.tpr > 0 else ""))
    if any(a and not 0 <= a.value <= 1 for found in measured.values() for a in found.values()):
        say("A fraction outside [0, 1] by more than its error means that the sample is unlike the labelled events.")
    return measured


def check_uncertainties(say: Report, c: Classifier, y: np.ndarray, f: float, n: int, n_toys: int, seed) -> None:
    """Pulls over many toy experiments, each with new calibration and unlabelled counts."""
    pulls = pulls_of_methods(c.response[y == 0], c.response[y == 1], abundance=f, n_unlabelled=n, n_toys=n_toys,
                             seed=seed)
    say(f"\nAre the errors right? Pulls (measured − true)/error of {n_toys} toy experiments; 0 and 1 if so:\n")
    say(text_table(["method", "mean", "width"], [[m, f"{p.mean():+.3f}", f"{p.std():.3f}"] for m, p in pulls.items()]))


MISMODELLED = {"as simulated": {}, "time resolution 120 ps, not 100": {"time_resolution_ps": 120},
               "angle resolution 5 mrad, not 4": {"angle_resolution_mrad": 5},
               "3 % of kaons decay, not 0.6 %": {"kaon_decay_probability": 0.03}}


def mismodel(say: Report, c: Classifier, y: np.ndarray, n: int, seed) -> None:
    """Measure in detectors that differ from the one simulated for training: an error that no data will show."""
    say("\nWhen the detector is not as simulated (network, true fraction 0.3000, same random numbers in each row):\n")
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
    labelled_seed, sealed_seed, toy_seed, shift_seed = np.random.SeedSequence(args.seed).spawn(4)
    tn.manual_seed(args.seed)

    sample = from_file(args) if args.data else simulated(args.quick, labelled_seed, sealed_seed)
    n = 0 if sample.unlabelled is None else len(sample.unlabelled)
    background, signal = sample.classes
    say(f"tinygrad_nuc {tn.__version__}: {args.data or 'simulation'}, seed {args.seed}, {args.scale} scaling, "
        f"hidden layers {args.hidden}, learning rate {args.lr}, {'quick' if args.quick else 'full'}")
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
    history, stopping = train(model, scaler.transform(x), y, args)
    reason = "the limit" if len(history) == args.epochs else "no improvement"
    say(f"Stopped after {len(history)} epochs ({reason}); kept the weights of epoch {history.best_epoch()}, "
        f"with a binary cross-entropy of {history.best():.4f} on the tenth held out for this")

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
        measured = measure(say, sample, classifiers, y_test)
    else:
        say(f"\nNo unlabelled sample: --apply FILE measures the fraction of {signal} in one.")
    if sample.reveal:
        network, found = classifiers["network"], measured["network"]
        if found["adjusted count"]:
            f, n_toys = found["adjusted count"].value, 300 if args.quick else 1000
            check_uncertainties(say, network, y_test, f, n, n_toys, toy_seed)
            mismodel(say, network, y_test, n, shift_seed)
        else:
            say("\nThe network calls everything the same, so it cannot measure anything: train it longer.")
        truth = sample.reveal()
        say(f"\nThe envelope is opened: the true fraction is {truth:.4f}. With the network,\n")
        say(text_table(["method", "fraction", "pull"],
                       [[m, a, f"{a.pull(truth):+.1f}" if a.uncertainty else "–"] for m, a in found.items() if a]))

    draw(folder, sample, x_test, y_test, classifiers, history, stopping, measured, truth)
    save(folder, args, sample, model, scaler, say)
    print(f"\nPictures, report and weights are in {args.output} ({time.perf_counter() - start:.0f} s).")


def draw(folder, sample, x, y, classifiers, history, stopping, measured, truth) -> None:
    """Every picture of the analysis, as PNG."""
    picture, axes = plots.grid(len(sample.variables), width=5)
    for ax, column, name in zip(axes, x.T, sample.variables, strict=True):
        plots.variable_histogram(column, y, name, sample.classes, ax=ax)
    picture.savefig(folder / "variables.png")

    picture, axes = plots.grid(len(classifiers), width=5.5, height=4.2, columns=2)
    for ax, (name, c) in zip(axes, classifiers.items(), strict=True):
        plots.response_histogram(c.response, y, name, sample.classes, c.threshold,
                                 "distance to the nearest cut [σ]" if name == "cuts by hand" else "response", ax=ax)
    picture.savefig(folder / "responses.png")

    picture, (whole, corner) = plots.grid(2, width=6.5, height=6)
    curves = {name: (c.response, y) for name, c in classifiers.items()}
    plots.roc_curves(curves, ax=whole)
    plots.roc_curves(curves, corner=0.3, ax=corner)
    picture.savefig(folder / "roc.png")

    picture, axes = plots.grid(len(classifiers), width=3.9, height=3.6)
    plots.confusion_matrices({name: c.matrix for name, c in classifiers.items()}, sample.classes, axes=axes)
    picture.savefig(folder / "confusion_matrices.png")

    picture, (ax,) = plots.grid(1)
    plots.learning_curve(history, "binary cross-entropy", early_stopping=stopping, ax=ax)
    picture.savefig(folder / "learning_curve.png")

    if measured:
        picture, (ax,) = plots.grid(1, width=8)
        values = {f"{name}: {method}": (a.value, a.uncertainty)
                  for name, found in measured.items() for method, a in found.items() if a}
        plots.measurements(values, f"{sample.classes[1]} fraction in the unlabelled sample", truth, ax=ax)
        picture.savefig(folder / "abundance.png")


def save(folder, args, sample, model, scaler, say) -> None:
    """The trained network, how its inputs are scaled, and the report."""
    tn.save(model.state_dict(), folder / "weights.npz")
    offset, width = (scaler.data_min_, 1 / scaler.scale_) if args.scale == "minmax" else (scaler.mean_, scaler.scale_)
    (folder / "scaler.json").write_text(json.dumps({
        "use": "input = (variable − offset) / width, into Linear and ReLU layers in turn, with weights.npz",
        "variables": sample.variables, "offset": offset.tolist(),
        "width": width.tolist(), "classes": list(sample.classes), "hidden": args.hidden,
    }, indent=2, ensure_ascii=False), "utf-8")
    (folder / "report.txt").write_text(say.text, "utf-8")


def arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = Parser(description=__doc__)
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
    parser.add_argument("--seed", type=int, default=6)
    parser.add_argument("--output", type=Path, default=Path("output/particle_identification"), metavar="FOLDER")
    parser.add_argument("--quick", action="store_true", help="few epochs, few simulated events: does it work?")
    args = parser.parse_args(argv)
    for option in ("label", "signal", "apply", "drop_invalid"):
        if getattr(args, option) and not args.data:
            parser.error(f"--{option.replace('_', '-')} needs --data: the simulation has labels and samples of its own")
    if not 0 <= args.seed < 2 ** 32:
        parser.error(f"--seed must be a whole number from 0 to {2 ** 32 - 1}, not {args.seed}")
    args.scale = args.scale or ("standard" if args.data else "minmax")
    if args.epochs is None:
        args.epochs = 5 if args.quick else 60
    return args


def main(argv: list[str] | None = None) -> int:
    args = arguments(argv)
    return save_all_or_nothing(args.output, lambda folder: run(args, folder), args.debug)


if __name__ == "__main__":
    sys.exit(main())
