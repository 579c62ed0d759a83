"""How sure can one be of a network's answer? An ensemble and dropout, beside the truth (lectures 1, 5: uncertainty).

    python demos/uncertainty.py

A network says "kaon, with probability 0.8". Is that so, and how far off may it be? Here it can be known: the
simulation's density gives the true probability p* of each event, in a sample that is half kaons (as all are here). Two
questions are asked of every answer p:

calibration: of the events with p near 0.8, are 80 % kaons? The mean difference is ECE = Σ (n_k/n) |observed_k − p_k|,
over bins k of p with n_k events and mean p_k (here observed_k is the mean p* in the bin, which does not fluctuate).
spread: many networks that might as well have been trained give many answers, with mean p̄ and standard deviation σ.
Is |p̄ − p*| as large as σ says? For Gaussian errors σ covers 68 % of the events. With few events they are not Gaussian:
many p̄ lie near 0 or 1, where the networks agree and are wrong together. So coverage stays below, even where spread and
error agree on average.

Three ways to many networks: other random starts; other starts, each with events of its own, drawn from the training
events with replacement (bootstrap); or one network, with dropout left on when it is asked.

What to see: trained on few events, one network is much too sure of itself, and the mean of several networks is better.
Other starts alone disagree too little: they have all learned the same accidents of the same events. With a bootstrap
the spread has about the size of the error, within a factor 2. With many events σ then covers 40 to 85 % of them,
depending on the seed, that is, on the events there were to learn from; 68 % would be right. Dropout costs one training
only, but much of its spread is set by its rate: too little with few events, and with many it shrinks more slowly. None
of them knows of a mistake that all networks share: see domain_shift.py.

Try next (answers in docs/exercises.md):
1. --members 2, and --members 30: what do more networks help, the mean or the spread?
2. --dropout 0.1 and 0.4: which rate covers 68 %? Would you have known without p*?
3. --steps 1500: networks that are trained for longer on few events. Watch the calibration of the single network.
"""

# %% Events, and the true probability of each

import numpy as np

import tinygrad_nuc as tn
from tinygrad_nuc import nn, plots
from tinygrad_nuc.analysis import expected_calibration_error, reliability
from tinygrad_nuc.simulation import kaon_probability, simulate
from tinygrad_nuc.utils.demo import Demo
from tinygrad_nuc.utils.text import text_table

demo = Demo("uncertainty", __doc__, trains=True)
demo.option("--members", type=int, help="networks in an ensemble (10)")
demo.option("--dropout", type=float, default=0.2, help="share of the hidden units that are dropped (0.2)")
demo.option("--steps", type=int, help="of the optimizer, for each network (300)")
args = demo.arguments()
members = args.members if args.members is not None else 5 if args.quick else 10
steps = args.steps if args.steps is not None else 150 if args.quick else 300
if members < 2 or steps < 1:
    demo.parser.error("--members must be at least 2 (one has no spread), --steps at least 1")
sizes = [200, 1600] if args.quick else [100, 400, 1600, 6400]
rng = np.random.default_rng(args.seed)

x, y = simulate(3200, 3200, seed=rng)
x_test, y_test = simulate(5000, 5000, seed=rng)
p_true = kaon_probability(x_test)
open_question = (0.1 < p_true) & (p_true < 0.9)         # elsewhere everybody is sure, and right
mean, width = x[:sizes[0]].mean(0), x[:sizes[0]].std(0)
demo.expect("ECE of the true probabilities", expected_calibration_error(p_true, y_test), at_most=0.012)

# %% A network, and many

def train(x, y, dropout=0.0):
    """A network that minimises the binary cross-entropy, in steps on at most 400 events each."""
    model = nn.Sequential(nn.Linear(3, 32), nn.ReLU(), nn.Dropout(dropout), nn.Linear(32, 32), nn.ReLU(),
                          nn.Dropout(dropout), nn.Linear(32, 1))
    optimizer = tn.optim.Adam(model.parameters(), lr=0.01)
    inputs, target = tn.tensor((x - mean) / width, dtype=tn.float32), tn.tensor(y[:, None], dtype=tn.float32)
    for _ in range(steps):
        batch = rng.choice(len(x), min(len(x), 400), replace=False)
        optimizer.zero_grad()
        nn.functional.binary_cross_entropy_with_logits(model(inputs[batch]), target[batch]).backward()
        optimizer.step()
    return model


def answer(model):
    """The probability of a kaon for each test event."""
    with tn.no_grad():
        return tn.sigmoid(model(tn.tensor((x_test - mean) / width, dtype=tn.float32))).numpy()[:, 0]


def other_starts(x, y):
    return [answer(train(x, y).eval()) for _ in range(members)]


def bootstrap(x, y):
    draws = [rng.integers(0, len(x), len(x)) for _ in range(members)]
    return [answer(train(x[draw], y[draw]).eval()) for draw in draws]


def dropout_left_on(x, y):
    model = train(x, y, args.dropout).train()           # not eval(): every answer drops other units
    return [answer(model) for _ in range(50)]

# %% From few events to many

methods = {"other starts": other_starts, "bootstrap": bootstrap, "dropout left on": dropout_left_on}
answers = {(n, name): np.array(method(x[:n], y[:n])) for n in sizes for name, method in methods.items()}
error, spread, coverage, ece, ece_of_one = {}, {}, {}, {}, {}
for key, p in answers.items():
    difference, sigma = np.abs(p.mean(0) - p_true)[open_question], p.std(0, ddof=1)[open_question]
    error[key], spread[key] = np.sqrt(np.mean(difference**2)), np.sqrt(np.mean(sigma**2))
    coverage[key] = np.mean(difference < sigma)
    ece[key] = expected_calibration_error(p.mean(0), p_true)
    ece_of_one[key] = np.mean([expected_calibration_error(one, p_true) for one in p])
demo.say("\nError, spread and coverage are of the events with a true probability between 0.1 and 0.9.\n"
         "ECE of one: of a single network; with dropout left on, of one answer with units dropped.\n\n" + text_table(
    ["events", "ECE of one", "of the mean", "error", "spread", "|p̄ − p*| < σ"],
    [[f"{n:5,}  {name}", *(f"{numbers[n, name]:.3f}" for numbers in (ece_of_one, ece, error, spread)),
      f"{coverage[n, name]:.0%}"] for n, name in answers]) + "\n")

few, many = sizes[0], sizes[-1]
ratio = {name: spread[few, name] / error[few, name] for name in methods}
demo.expect("spread / error with few events, other starts", ratio["other starts"], at_most=0.8)
demo.expect("spread / error with few events, bootstrap", ratio["bootstrap"], at_least=0.6, at_most=1.8)
demo.expect("spread / error with many events, bootstrap", spread[many, "bootstrap"] / error[many, "bootstrap"],
            at_least=0.4, at_most=2.5)
demo.expect("coverage gained by the bootstrap", coverage[few, "bootstrap"] - coverage[few, "other starts"],
            at_least=0.02)
demo.expect("ECE of the mean / ECE of one, bootstrap", ece[few, "bootstrap"] / ece_of_one[few, "bootstrap"],
            at_most=0.95)
demo.expect("error, many events / few", error[many, "bootstrap"] / error[few, "bootstrap"], at_most=0.7)

# %% Pictures: can the answers be believed, and does their spread say how far off they are?

colors = dict(zip(methods, plots.PALETTE, strict=False))
picture, axes = plots.grid(2, width=6.2, height=5.6)
for ax, n in zip(axes, (few, many), strict=True):
    ax.plot([0, 1], [0, 1], color="0.7", linestyle="--", label="as it should be")
    curve = reliability(answers[n, "other starts"][0], p_true)
    ax.plot(curve.predicted, curve.observed, "o:", color="black", label="one network")
    for name, color in colors.items():
        curve = reliability(answers[n, name].mean(0), p_true)
        ax.plot(curve.predicted, curve.observed, "o-", color=color, label="mean, " + name)
    ax.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    plots.finish(ax, "predicted probability of a kaon", "share of kaons (mean p*)", f"{n:,} training events",
                 loc="upper left", legend=n == few)
demo.save(picture, "calibration.png")

picture, (left, right) = plots.grid(2, width=6.2, height=5.6)
for name, color in colors.items():
    left.loglog(sizes, [error[n, name] for n in sizes], "o-", color=color, label=f"error, {name}")
    left.loglog(sizes, [spread[n, name] for n in sizes], "s--", color=color, label=f"spread, {name}")
    right.semilogx(sizes, [100 * coverage[n, name] for n in sizes], "o-", color=color, label=name)
right.axhline(68, color="0.6", linestyle="--", label="as it should be")
right.set_ylim(0, 100)
left.set(ylim=(0.012, 0.5), yticks=[0.02, 0.05, 0.1, 0.2, 0.4], yticklabels=["0.02", "0.05", "0.1", "0.2", "0.4"])
for ax in (left, right):
    ax.set(xticks=sizes, xticklabels=[f"{n:,}" for n in sizes])
    ax.minorticks_off()
plots.finish(left, "training events", "error |p̄ − p*| and spread σ (rms)", "How far off, and apart?", loc="lower left")
plots.finish(right, "training events", "events with |p̄ − p*| < σ [%]", "Does σ cover the error?", loc="lower right")
demo.save(picture, "spread.png")

demo.finish()
