"""Nobody should use a network for what it was not made for: its card, each heading filled (lecture 3: model cards).

    python demos/model_card.py

A model card is the page that goes with a trained network. Nine headings say what it is, what for, on what it was
trained and tested, how good it is, on what that depends, whom it could harm, and where it fails. What the run knows
(architecture, optimizer, data, losses) is filled in by tn.training.model_card, which asks its author for the rest. What
the performance depends on has to be measured: here, on the momentum p and on a detector that is not as simulated.

What to see: the accuracy over all momenta hides what matters. It is the mean Σ w_k a_k of the accuracies a_k in regions
of p, weighted with the share w_k of particles there: below 2 GeV/c nearly all tracks are told right, above 5 GeV/c
more than one in five is not. The best classifier that is blind to p (ideal for the whole spectrum, not for each region:
there a network may by chance be above it) is hardly better, so no other network with these three inputs helps much.
Knowing p, or only the region, would (exercise 1). The card says for which momenta to use it.

Try next (answers in docs/exercises.md):
1. The momentum is hidden from the network. If it were known (as a fourth input), which regions would gain?
2. A user has particles of 1 to 3 GeV/c only. Which numbers of the card are theirs, and which are not?
3. Which further factor would you measure before an experiment relies on this network?
"""

# %% The network of the main job, with a shorter training

import dataclasses
import re

import numpy as np

import tinygrad_nuc as tn
from tinygrad_nuc import nn, optim, plots
from tinygrad_nuc.analysis import Performance
from tinygrad_nuc.simulation import VARIABLES, Detector, kaon_probability, simulate, simulate_unlabelled
from tinygrad_nuc.training import EarlyStopping, Trainer, accuracy, model_card
from tinygrad_nuc.utils.data import DataLoader, TensorDataset
from tinygrad_nuc.utils.demo import Demo

demo = Demo("model_card", __doc__, trains=True)
args = demo.arguments()
n_train, n_test, epochs = (20_000, 10_000, 10) if args.quick else (150_000, 50_000, 20)
streams = iter(np.random.default_rng(args.seed).spawn(20))

x, y = simulate(n_train, n_train, seed=next(streams))
low, high = x.min(axis=0), x.max(axis=0)


def scaled(x):                                              # from 0 to 1 in the training events
    return tn.tensor((x - low) / (high - low), dtype=tn.float32)


def response(x):                                            # the probability of a kaon, in a sample that is half kaons
    with tn.no_grad():
        return tn.sigmoid(model(scaled(x)).double()).numpy()[:, 0]


def events(x, y):
    return TensorDataset(scaled(x), tn.tensor(y[:, None], dtype=tn.float32))


model = nn.Sequential(nn.Linear(3, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, 1))
trainer = Trainer(model, nn.BCEWithLogitsLoss(), optim.Adam(model.parameters(), lr=3e-3),
                  metrics={"accuracy": accuracy}, callbacks=[EarlyStopping(patience=5)])
trainer.fit(DataLoader(events(x, y), 256, shuffle=True),
            DataLoader(events(*simulate(n_test, n_test, seed=next(streams))), 8192), epochs=epochs)
if trainer.interrupted:
    raise KeyboardInterrupt

# %% What it depends on, measured

x_test, y_test = simulate(n_test, n_test, seed=next(streams))
overall = Performance(response(x_test), y_test)
results = {"accuracy": f"{overall.accuracy:.4f} ± {overall.accuracy_error:.4f}",
           "kaons called kaon (TPR)": f"{overall.tpr:.4f}", "pions called kaon (FPR)": f"{overall.fpr:.4f}",
           "area under the ROC curve": f"{overall.auc:.4f}"}

borders = [1, 2, 3, 4, 5, 6]                                # of the regions of p, in GeV/c
T = Detector().momentum_slope
regions, blind, knowing, share = [], [], [], []
for p_low, p_high in zip(borders, borders[1:], strict=False):
    there = dataclasses.replace(Detector(), momentum_low=p_low, momentum_high=p_high)
    x_there, y_there = simulate(n_test, n_test, there, seed=next(streams))
    regions.append(Performance(response(x_there), y_there))
    blind.append(Performance(kaon_probability(x_there), y_there))       # best for the whole spectrum, as blind to p
    knowing.append(Performance(kaon_probability(x_there, there), y_there))          # best for particles of this region
    share.append(np.exp(-p_low / T) - np.exp(-p_high / T))              # of the momentum spectrum exp(−p/T)
    results[f"accuracy, {p_low} to {p_high} GeV/c"] = f"{regions[-1].accuracy:.4f} ± {regions[-1].accuracy_error:.4f}"
share = np.array(share) / sum(share)

shifts, shift_seed = {}, next(streams).bit_generator.seed_seq
for what, change in {"as simulated": {}, "time resolution 120 ps": {"time_resolution_ps": 120},
                     "angle resolution 5 mrad": {"angle_resolution_mrad": 5},
                     "3 % of kaons decay": {"kaon_decay_probability": 0.03}}.items():
    data = simulate_unlabelled(4 * n_test, dataclasses.replace(Detector(), **change),
                               seed=np.random.default_rng(shift_seed), abundance=0.3)
    shifts[what] = overall.abundances(response(data.features))["adjusted count"]
    results[f"kaon fraction for a true 0.3000, {what}"] = shifts[what]
bias = max(abs(f.value - shifts["as simulated"].value) for f in shifts.values())
sigma = shifts["as simulated"].uncertainty

# %% The card

accuracies, of_blind, of_knowing = (np.array([r.accuracy for r in found]) for found in (regions, blind, knowing))
doubtful = borders[np.argmax(accuracies < 0.9)]
notes = {
    "Model details": "Made for a course on neural networks by its demonstration model_card.py; the same seed gives the "
        "same network. MIT licence. Cite it by the name of the software and its version, above.\n\nInputs, in this "
        f"order: {'; '.join(VARIABLES)}. Each is scaled as x → (x − low)/(high − low), low = {low.round(4).tolist()}, "
        f"high = {high.round(4).tolist()}. Output: the logit ln p/(1 − p) of the probability p of a kaon, in a sample "
        "that is half kaons.",
    "Intended use": "To learn how a measurement with a classifier goes, from simulated events to a fraction of kaons. "
        "Its users are students. It must not be used for data of any real detector: it knows none.",
    "Factors": f"Momentum, from {borders[0]} to {borders[-1]} GeV/c; time resolution, angle resolution and decays in "
        "flight that differ from the simulation. All of them were examined, see the quantitative analyses. Not "
        "examined: the dE/dx resolution, the refractive index, another momentum spectrum, particles of other kinds, "
        "the angle of the track, background.",
    "Metrics": "Accuracy, TPR and FPR at a threshold of 0.5, where both mistakes cost the same; the area under the ROC "
        "curve, for those who choose another. The fraction of kaons is the adjusted count, (q − FPR)/(TPR − FPR); q "
        "is the share called kaon. Every ± is one standard deviation, of the sizes of the samples alone.",
    "Evaluation data": f"The samples above decided when to stop the training, so they are not independent. For the "
        f"numbers on independent data, {2 * n_test:,} further simulated events, half pions and half kaons; as many in "
        f"each region of momentum; and {4 * n_test:,} without labels, 30 % kaons, for each fraction. Apart from the "
        "differences named, they come from the same simulation as the training data.",
    "Training data": f"{2 * n_train:,} simulated events, half pions and half kaons, from tinygrad_nuc.simulation with "
        "its default detector. The simulation gives the labels; a kaon that decays in flight keeps its label. Each "
        "input is scaled to the range from 0 to 1 of the training events.",
    "Quantitative analyses": f"The accuracy falls from {accuracies[0]:.3f} in the lowest region of momentum to "
        f"{accuracies[-1]:.3f} in the highest. The largest systematic error of a kaon fraction, among the differences "
        f"examined, is {bias:.4f}: {bias / sigma:.1f} times its statistical error.",
    "Ethical considerations": "No data of people were used. Training takes some ten seconds of one processor core, at "
        "20 W less than 0.1 Wh, and a million answers take less.",
    "Caveats and recommendations": "A mismodelled detector biases the fraction of kaons, and no error above knows of "
        "it. Before use, compare the responses to data with a mixture of simulated ones; more decays than simulated "
        f"cannot be seen even so. Above {doubtful} GeV/c do not rely on single tracks. What is neither pion nor kaon "
        "gets an answer, too: a meaningless one.",
}
card = model_card(trainer, demo.path("model_card.md"), name="Kaons from pions", results=results, notes=notes)
demo.say(card)
on_card = re.search(r"parameters \| ([\d,]+)", card)[1]
demo.expect("parameters, as the card says", int(on_card.replace(",", "")), 1217)
demo.expect("accuracy", overall.accuracy, 0.9440, within=0.012 if args.quick else 0.003)
demo.expect("accuracy below 2 GeV/c", accuracies[0], at_least=0.98 - 0.01 * args.quick)
demo.expect("accuracy above 5 GeV/c", accuracies[-1], at_most=0.80)
demo.expect("blind to p − network, the same", of_blind[-1] - accuracies[-1], at_least=-0.01,
            at_most=0.03 + 0.05 * args.quick)
demo.expect("knowing the region − network", of_knowing - accuracies, at_least=-0.002 - 0.003 * args.quick)
demo.expect("knowing the region − blind to p, above 5 GeV/c", of_knowing[-1] - of_blind[-1], at_least=0.03)
demo.expect("mean accuracy of the regions, by their shares", share @ accuracies, overall.accuracy,
            within=4 * overall.accuracy_error)
demo.expect("systematic error / statistical error", bias / sigma, at_least=1 if args.quick else 2.5)

# %% The picture that belongs to it

picture, (ax,) = plots.grid(1, width=8, height=5.2)
for name, found, form, color in (("network", regions, "o", plots.BLUE), ("ideal, blind to p", blind, "x", plots.ORANGE),
                                 ("ideal, knows the region", knowing, "^", plots.PALETTE[0])):
    percent, error = 100 * np.array([(r.accuracy, r.accuracy_error) for r in found]).T
    ax.errorbar(np.add(borders[:-1], 0.5), percent, error, 0.5, fmt=form, color=color, markersize=9, label=name)
ax.axhline(100 * overall.accuracy, color="0.5", linestyle="--", label="network, all momenta")
plots.finish(ax, "momentum [GeV/c]", "tracks told right [%]", "On what the performance depends", loc="lower left")
demo.save(picture, "momentum.png")
demo.finish()
