"""How large, how deep, how fast? A search for the settings that no gradient finds (lectures 1, 5: hyper-parameters).

    python demos/hyperparameter_search.py                                  # simulated pions and kaons
    python demos/hyperparameter_search.py --data magic04.data --signal g   # the same on a table of yours

Width, depth and learning rate are chosen before the training: by trying. Each trial draws all of them at random, so
that n trials try n learning rates (a grid of as many only a few), and one of n at least is among the best 5 % of all
settings with the probability 1 − 0.95ⁿ: 71 % for 24 trials. Every trial is judged by cross-validation: train on two
thirds, ask the last, three times in turn. The scaler belongs to what is trained. It sits in a pipeline with the
network, so that it never sees the third that judges.

What to see: the learning rate decides: a wide plateau from 0.001 to 0.1, on which width and depth hardly matter. Beyond
it three layers fall down a cliff, one or two down a slope; below it, 15 epochs are too few. The winner's score in the
search is that of the luckiest of many, so it is judged once more, by events kept back from everything; then it may
learn five times longer, and is judged again. It comes near the ideal classifier, which is known here: more search has
next to nothing left to find.

Try next (answers in docs/exercises.md):
1. Fit the scaler on all events before the search. How much does it matter here, and when would it be a disaster?
2. Search over alpha (loguniform(1e-6, 10)) as well. Is it worth a trial?
3. Run it with --trials 6 and three seeds. How far apart are the winners, in settings and on the events kept back?
"""

# %% The events: some to search with, others kept back

import warnings
from pathlib import Path

import numpy as np
from scipy.stats import loguniform
from sklearn.base import clone
from sklearn.exceptions import ConvergenceWarning, FitFailedWarning
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import RandomizedSearchCV, cross_validate, train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from tinygrad_nuc import plots
from tinygrad_nuc.estimators import MLPClassifier
from tinygrad_nuc.simulation import kaon_probability, simulate
from tinygrad_nuc.utils.demo import Demo
from tinygrad_nuc.utils.tables import read_table

demo = Demo("hyperparameter_search", __doc__)
demo.option("--trials", type=int, help="settings to try (24; 8 with --quick)")
demo.option("--data", type=Path, metavar="FILE", help="a labelled table instead of the simulation")
demo.option("--label", help="its label column, by name or number; the last one by default")
demo.option("--signal", help="the label of the class to look for")
args = demo.arguments()
if not args.data and (args.label or args.signal):
    demo.parser.error("--label and --signal need --data: the simulation has labels of its own")
trials = args.trials if args.trials is not None else 8 if args.quick else 24
if trials < 2:
    demo.parser.error(f"--trials must be at least 2, to choose between, not {trials}")

n, epochs, folds = (1_500, 8, 2) if args.quick else (9_000, 15, 3)
if args.data:
    table = read_table(args.data, label=args.label, signal=args.signal)
    if min(np.bincount(table.labels)) < 50:
        raise ValueError(f"{args.data}: needs at least 50 events of each class to search, and to judge by")
    x, x_kept, y, y_kept = train_test_split(table.features, table.labels, test_size=0.25, stratify=table.labels,
                                            random_state=args.seed)
else:
    rng = np.random.default_rng(args.seed)
    x, y = simulate(n // 2, n // 2, seed=rng)
    x_kept, y_kept = simulate(50_000, 50_000, seed=rng)

# %% The search

pipeline = make_pipeline(StandardScaler(), MLPClassifier(batch_size=128, max_iter=epochs, random_state=args.seed))
sizes = [(width,) * depth for width in (4, 8, 16, 32, 64) for depth in (1, 2, 3)]
settings = {"mlpclassifier__hidden_layer_sizes": sizes,
            "mlpclassifier__learning_rate_init": loguniform(1e-4, 1)}
search = RandomizedSearchCV(pipeline, settings, n_iter=trials, cv=folds, random_state=args.seed, error_score=0.0)
with warnings.catch_warnings():
    warnings.simplefilter("ignore", ConvergenceWarning)                     # all trials have the same few epochs, and
    warnings.simplefilter("ignore", FitFailedWarning)                       # one that explodes counts as 0
    search.fit(x, y)
    refits = cross_validate(search.best_estimator_, x, y, cv=folds, return_estimator=True)  # to look into their scalers
    longer = {"mlpclassifier__max_iter": 5 * epochs, "mlpclassifier__early_stopping": True}
    winner = clone(search.best_estimator_).set_params(**longer).fit(x, y)   # and the best of them may learn on

tried = search.cv_results_
layers = list(tried["param_mlpclassifier__hidden_layer_sizes"])
rates = np.array(tried["param_mlpclassifier__learning_rate_init"], float)
scores = tried["mean_test_score"]
spread = tried["std_test_score"] / np.sqrt(folds - 1)                       # of the mean: their std has ddof = 0
names = ["-".join(map(str, units)) for units in layers]
for i in np.argsort(-scores, kind="stable"):                                # ties: the first trial first
    demo.say(f"{names[i]:>9} units, learning rate {rates[i]:.4f}: accuracy {scores[i]:.5f} ± {spread[i]:.5f}")

# %% What the winner is worth

seen = [int(estimator[0].n_samples_seen_) for estimator in refits["estimator"]]
demo.expect("events seen by the scaler of each fold, as a share", np.array(seen) / len(y),
            np.full(folds, 1 - 1 / folds), within=1e-3)
demo.expect("best less worst accuracy of the trials", scores.max() - scores.min(), at_least=0.02)
plateau = (rates > 1e-3) & (rates < 0.1)
if plateau.any() and not (args.data or args.quick):                         # with --quick it is narrower
    demo.expect("least accuracy on the plateau, 0.001 < η < 0.1, less the best", scores[plateau].min() - scores.max(),
                at_least=-0.02)
probability = winner.predict_proba(x_kept)[:, 1]
right = (probability >= 0.5) == y_kept
demo.say(f"best: {names[search.best_index_]}, in the search {search.best_score_:.5f}; on {len(y_kept):,} events kept "
         f"back {search.best_estimator_.score(x_kept, y_kept):.4f}, after up to five times as many epochs "
         f"{right.mean():.4f} ± {right.std() / np.sqrt(len(right)):.4f}, AUC {roc_auc_score(y_kept, probability):.4f}")
if args.data:
    always_the_same = max(y_kept.mean(), 1 - y_kept.mean())
    demo.expect("accuracy less that of calling all the same", right.mean() - always_the_same, at_least=0.0)
else:
    ideal = (kaon_probability(x_kept) >= 0.5) == y_kept
    error = np.sqrt((right != ideal).sum()) / len(right)                    # of the difference: only where they differ
    demo.expect("accuracy of the ideal classifier on the events kept back", ideal.mean(), 0.9458, within=0.003)
    demo.say(f"the best network less the ideal classifier: {right.mean() - ideal.mean():+.4f} ± {error:.4f}")
    demo.expect("accuracy of the best network less the ideal one", right.mean() - ideal.mean(),
                at_least=-0.03 if args.quick else -0.005, at_most=4 * error)

# %% The picture

picture, (left, right_side) = plots.grid(2, width=6.2, height=5)
weights = [sum(i * o for i, o in zip((x.shape[1], *units), (*units, 1), strict=True)) for units in layers]
depths = np.array([len(units) for units in layers])
for depth, color, marker in zip((1, 2, 3), (plots.BLUE, plots.ORANGE, plots.PALETTE[0]), "os^", strict=True):
    for ax, values in ((left, rates), (right_side, np.array(weights))):
        chosen = depths == depth
        if chosen.any():
            ax.errorbar(values[chosen], 1 - scores[chosen], spread[chosen], fmt=marker, color=color, markersize=8,
                        label=f"{depth} hidden layer{'s' if depth > 1 else ''}")
for ax, name, title in ((left, "learning rate", "The learning rate"), (right_side, "number of weights", "The size")):
    if not args.data:
        ax.axhline(1 - ideal.mean(), color="0.4", linestyle="--", label="ideal classifier")
    ax.set(xscale="log", yscale="log", ylim=(0.8 * (1 - scores.max()), max(0.7, 1.2 * (1 - scores.min()))))
    ax.set_yticks([0.05, 0.1, 0.2, 0.5], ["5", "10", "20", "50"])
    ax.minorticks_off()
    plots.finish(ax, name, "wrong answers in cross-validation [%]", title, legend=False)
picture.legend(*left.get_legend_handles_labels(), fontsize=12, frameon=False, ncols=4, loc="outside upper center")
demo.save(picture, "search.png")

demo.finish()
