"""Which tracks are kaons, and how many are there? The whole analysis, from raw variables to a fraction (lecture 1).

    python demos/particle_identification.py                                  # simulated pions and kaons
    python demos/particle_identification.py --data magic04.data --signal g   # the same on a table of yours

Three detectors look at each track; pions and kaons overlap in all of them. A network learns the probability p of a kaon
from labelled events: it minimises the binary cross-entropy −y ln p − (1 − y) ln(1 − p). (p holds in a sample that is
half kaons, as the labelled events are. With a fraction f the odds p/(1 − p) have to be multiplied by f/(1 − f).) Events
kept back tell how often it is right, and TPR (true-positive rate), the share of kaons called kaon, and FPR (false-
positive rate), that of pions. TPR against FPR, for all thresholds of p, is the ROC curve, with an area of AUC under it:
1 at best, 0.5 for guessing.

Then it measures what an experiment wants to know, the fraction f of kaons in a sample without labels. Of all events a
share q = f TPR + (1 − f) FPR is called kaon, the naive count; so f = (q − FPR)/(TPR − FPR), the adjusted count. The
template fit uses the whole histogram of p: it looks for the mixture of the labelled pions' and kaons' histograms that
fits best. A pull is (measured − true)/error: if errors are right, its mean is 0 and its width 1.

What to see: the network beats cuts made by hand, because it uses how the variables hang together, and comes close to
the best classifier that is possible at all (right for 0.9458 of the events; the slide's matrix, of other events, gives
0.9457). The naive count q is biased, and its small error does not know of it. Corrected for the classifier's mistakes
the fraction is right within its error, as long as the detector is as simulated: if not, see domain_shift.py. On the
table magic04.data the network is right for 0.87 of the events, with an AUC of 0.93, like scikit-learn's.

Try next (answers in docs/exercises.md):
1. Is bigger better? Try --hidden 4, 16 and 64,64. What do accuracy and the corrected count lose with a small network?
2. With --hidden 1 the network learns nothing at all, and with --hidden 1 --seed 4 it does. Why?
3. The naive count is right by accident at one fraction. Which one, in terms of TPR and FPR?
"""

# %% 1. The data: labelled events to learn from, unlabelled ones to measure

import json

import numpy as np
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import MinMaxScaler, StandardScaler
from sklearn.tree import DecisionTreeClassifier

import tinygrad_nuc as tn
from tinygrad_nuc import nn, optim, plots
from tinygrad_nuc.analysis import Performance, RectangularCuts, abundance_table, performance_table, pulls_of_methods
from tinygrad_nuc.simulation import CLASSES, VARIABLES, kaon_probability, simulate, simulate_unlabelled
from tinygrad_nuc.training import EarlyStopping, Trainer
from tinygrad_nuc.utils.command import whole_numbers
from tinygrad_nuc.utils.data import DataLoader, TensorDataset
from tinygrad_nuc.utils.demo import Demo
from tinygrad_nuc.utils.table_options import Sample, given_sample, table_options
from tinygrad_nuc.utils.text import text_table

demo = Demo("particle_identification", __doc__, seed=6, trains=True)
table_options(demo.option)
demo.option("--scale", choices=["minmax", "standard"], help="default: minmax, and standard with --data")
demo.option("--hidden", type=whole_numbers, default=[32, 32], metavar="N,N,...", help="widths of hidden layers (32,32)")
demo.option("--epochs", type=int, help="most passes through the training events (60)")
demo.option("--batch-size", type=int, help="events in one step (256, or all if there are fewer)")
demo.option("--lr", type=float, default=3e-3, help="learning rate of Adam (0.003)")
args = demo.arguments()

labelled_seed, sealed_seed, toy_seed = np.random.SeedSequence(args.seed).spawn(3)
sample = given_sample(args)
simulated = sample is None
if simulated:
    n, n_unlabelled = (20_000, 20_000) if args.quick else (250_000, 275_000)
    x, y = simulate(n, n, seed=np.random.default_rng(labelled_seed))
    sealed = simulate_unlabelled(n_unlabelled, seed=np.random.default_rng(sealed_seed))
    sample = Sample(x, y, list(VARIABLES), CLASSES, sealed.features)
signal = sample.classes[1]
demo.say(f"tinygrad_nuc {tn.__version__}: {args.data or 'simulation'}, seed {args.seed}\nData: {sample}")

# %% 2. The network

# A quarter is kept back; nothing that follows is tuned on it, not even the scale of the inputs.
x, x_test, y, y_test = train_test_split(sample.x, sample.y, test_size=0.25, stratify=sample.y, random_state=args.seed)
minmax = (args.scale or ("standard" if args.data else "minmax")) == "minmax"
scaler = (MinMaxScaler() if minmax else StandardScaler()).fit(x)

layers, inputs = [], x.shape[1]
for width in args.hidden:
    layers += [nn.Linear(inputs, width), nn.ReLU()]
    inputs = width
model = nn.Sequential(*layers, nn.Linear(inputs, 1))            # its answer is the logit ln p/(1 − p)

parts = train_test_split(scaler.transform(x), y, test_size=0.1, stratify=y, random_state=args.seed)  # to stop by
x_fit, x_stop, y_fit, y_stop = (tn.tensor(part, dtype=tn.float32) for part in parts)
epochs = (8 if args.quick else 60) if args.epochs is None else args.epochs
batch_size = min(256, len(x_fit)) if args.batch_size is None else args.batch_size
n_parameters = sum(p.numel() for p in model.parameters())
demo.say(f"Training a network with {n_parameters:,} parameters on {len(x):,} events, at most {epochs} epochs")
stopping = EarlyStopping(patience=8)
trainer = Trainer(model, nn.BCEWithLogitsLoss(), optim.Adam(model.parameters(), lr=args.lr), callbacks=[stopping])
history = trainer.fit(DataLoader(TensorDataset(x_fit, y_fit.unsqueeze(1)), batch_size, shuffle=True),
                      DataLoader(TensorDataset(x_stop, y_stop.unsqueeze(1)), min(len(x_stop), 8192)), epochs=epochs)
if trainer.interrupted:
    raise KeyboardInterrupt                                     # the end of everything, not only of the training
demo.say(f"Ended after {len(history)} epochs; kept epoch {history.best_epoch()}, with a loss of {history.best():.4f}")


def network(x):
    """The probability of class 1."""
    with tn.no_grad():
        return tn.sigmoid(model(tn.tensor(scaler.transform(x), dtype=tn.float32)).double()).numpy()[:, 0]

# %% 3. Classifiers side by side

cuts = RectangularCuts().fit(x, y)
tree = DecisionTreeClassifier(max_depth=10, min_samples_leaf=50, random_state=args.seed).fit(x, y)
responses = {"cuts by hand": cuts.decision_function, "decision tree": lambda x: tree.predict_proba(x)[:, 1],
             "network": network} | ({"ideal": kaon_probability} if simulated else {})
classifiers = {name: Performance(respond(x_test), y_test, threshold=0.0 if name == "cuts by hand" else 0.5)
               for name, respond in responses.items()}
demo.say(f"\nOn {len(y_test):,} events kept back:\n\n{performance_table(classifiers, sample.classes)}")
found = classifiers["network"]
if simulated:
    difference, error = found.better_than(classifiers["ideal"])
    demo.say(f"network − ideal: {difference:+.4f} ± {error:.4f} in accuracy (if well above 0, a cheat)")
    wide = 6 if args.quick else 1                               # with 12 times fewer events
    for name, numbers in (("ideal", [0.9458, 0.986]), ("decision tree", [0.9438, 0.9841])):
        c = classifiers[name]
        demo.expect(f"accuracy and AUC, {name}", [c.accuracy, c.auc], numbers, within=0.002 * wide)
    demo.expect("network − ideal, in its error", difference / error if error else 0, at_most=3)
    demo.expect("U/(n₀n₁) and area under the ROC curve", found.auc, roc_auc_score(y_test, found.response), within=1e-9)
    demo.expect("parameters", n_parameters, 1217)
    demo.expect("accuracy and AUC, network", [found.accuracy, found.auc], [0.9440, 0.9846], within=0.002 * wide)
    demo.expect("its confusion matrix, for 125,000 events", found.matrix * (125_000 / len(y_test)),
                [[60003, 2519], [4481, 57997]], within=500 * wide)

# %% 4. The fraction in the unlabelled sample

measured, truth = {}, None
if sample.unlabelled is None:
    demo.say(f"\nNo unlabelled sample: --apply FILE measures the {signal} fraction in one.")
else:
    measured = {name: c.abundances(responses[name](sample.unlabelled)) for name, c in classifiers.items()}
    demo.say(f"\nThe {signal} fraction in the unlabelled sample:\n\n{abundance_table(measured)}\nThe network's "
             f"naive count is right by accident where the fraction is {found.accidental_fraction:.2f}.")
if simulated:
    truth = sealed.reveal()
    demo.say(f"\nThe envelope is opened: the true fraction is {truth:.4f}. With the network,\n\n" + text_table(
        ["method", "fraction", "pull"], [[method, f, f"{f.pull(truth):+.1f}" if f.uncertainty else "–"]
                                         for method, f in measured["network"].items() if f]))
    if measured["network"]["adjusted count"] is None:
        demo.say("The network calls everything the same, so it cannot measure anything: try another --seed, or a wider "
                 "--hidden.")
    else:
        n_toys = 300 if args.quick else 1000
        pulls = pulls_of_methods(found.response[y_test == 0], found.response[y_test == 1], abundance=truth,
                                 n_unlabelled=len(sealed.features), n_toys=n_toys, seed=toy_seed)
        demo.say(f"Are the errors right? Pulls of {n_toys} toy experiments, (measured − true)/error, of both methods:")
        demo.expect("mean", [p.mean() for p in pulls.values()], [0, 0], within=4 / n_toys**0.5)
        demo.expect("width", [p.std() for p in pulls.values()], [1, 1], within=4 / (2 * n_toys)**0.5)
        demo.expect("pull here", [measured["network"][method].pull(truth) for method in pulls], [0, 0], within=4)
        errors = np.array([measured["network"][method].uncertainty for method in pulls])
        demo.expect("errors of both methods, for 125,000 labelled events", errors * (len(y_test) / 125_000)**0.5,
                    [0.0012, 0.0010], within=0.0005 if args.quick else 0.0002)

# %% 5. Pictures, and the network for others to use

demo.save(plots.variable_histograms(x_test, y_test, sample.variables, sample.classes), "variables.png")
labels = {"cuts by hand": "distance to the nearest cut [σ]"}
demo.save(plots.response_histograms(classifiers, sample.classes, labels), "responses.png")
demo.save(plots.roc_curves_and_corner(classifiers), "roc.png")
demo.save(plots.confusion_matrices({name: c.matrix for name, c in classifiers.items()}, sample.classes,
                                   axes=plots.grid(len(classifiers), 3.2, 3.4)[1]), "confusion_matrices.png")
demo.save(plots.learning_curve(history, "binary cross-entropy", early_stopping=stopping), "learning_curve.png")
if measured:
    values = {f"{name}: {how}": (f.value, f.uncertainty) for name in measured for how, f in measured[name].items() if f}
    picture, (ax,) = plots.grid(1, width=8)
    plots.measurements(values, f"{signal} fraction in the unlabelled sample", truth, ax=ax)
    ax.set_ylabel("classifier: method", fontsize=13)
    picture.suptitle("The same fraction, measured in every way", fontsize=15)
    demo.save(picture, "abundance.png")

tn.save(model.state_dict(), demo.path("weights.npz"))
offset, width = (scaler.data_min_, 1 / scaler.scale_) if minmax else (scaler.mean_, scaler.scale_)
demo.path("scaler.json").write_text(json.dumps({
    "use": "input = (variable − offset) / width, into Linear and ReLU layers in turn, with weights.npz",
    "variables": sample.variables, "offset": offset.tolist(), "width": width.tolist(), "classes": list(sample.classes),
    "hidden": args.hidden}, indent=2, ensure_ascii=False), "utf-8")
demo.finish()
