"""Classes are not numbers: one-hot codes, embeddings, and inputs of one scale (lecture 3: normalisation, encoding).

    python demos/class_codes.py

Light runs along a bar of scintillator with the speed v, and a cable brings the signal: it arrives after t = x/v + τ_k.
Every one of K = 8 modules has a cable of its own, so the delay τ_k says nothing about τ_{k+1}: the module's number k is
a name, without order. Two ways of giving it to a linear model that predicts t:

    ordered    the number k itself:             t̂ = w x + c k + b             the delays must lie on a line
    one-hot    1 in place k, and 0 elsewhere:   t̂ = w x + c₀ h₀ + … + c₇ h₇     a number for each module

(No bias in the second: the c_k take its place.)
(The slide writes 2 → [0 1], counting classes from 1; from 0 it is 1 → [0 1].) An embedding, a table with a vector
for each class, is a one-hot code times the matrix of its rows: only faster.

What to see: the ordered code misses by the width of the delays, the one-hot code by the clock's noise σ alone. Give the
modules other numbers, and the first model answers differently, although nothing has changed in the detector. A network
of 129 numbers can bend around the ordered code, if its start is lucky; with the right code 9 numbers do it sooner. And
with x in mm, 2,000 beside 0 and 1, gradient descent finds the speed in one step, and the delays never: the step that is
safe for x is a ten-millionth of what they need.

Try next (answers in docs/exercises.md):
1. Months: lecture 3 has them among the classes without order. What do they have, and which two numbers would say it?
2. One event says x = 2,000,000 mm, a broken digit. What becomes of the others in min–max scaling?
3. Drop the module altogether. Which error do you expect, and does the ordered code beat it by much?
"""

# %% The bars

from itertools import permutations

import numpy as np

import tinygrad_nuc as tn
from tinygrad_nuc import nn, optim, plots
from tinygrad_nuc.utils.demo import Demo

demo = Demo("class_codes", __doc__, trains=True)
args = demo.arguments()
steps = 600 if args.quick else 3_000

rng = np.random.default_rng(args.seed)
K, n, v, σ = 8, 4_000, 150.0, 0.1                                           # modules, events, mm/ns, ns
τ = rng.normal(0, 1.5, K)                                                   # [ns]
k = rng.integers(K, size=2 * n)
x = rng.uniform(0, 2_000, 2 * n)                                            # [mm]
t = x / v + τ[k] + rng.normal(0, σ, 2 * n)                                  # [ns]
train, test = slice(n), slice(n, None)

# %% Normalisation, from the training events only

standard = (x - x[train].mean()) / x[train].std()
min_max = (x - x[train].min()) / (x[train].max() - x[train].min())
demo.expect("standardised test events: mean and width", [standard[test].mean(), standard[test].std()], [0, 1],
            within=0.09)                                                    # the training's own are exact
demo.expect("min–max, test events: least and largest", [min_max[test].min(), min_max[test].max()], [0, 1], within=0.005)
demo.say(f"test events beyond the least and largest of the training: {((min_max[test] - 0.5) ** 2 > 0.25).sum()}")

# %% Two codes, and the least squares of each

one_hot = np.eye(K)[k]                                                      # row k of the unit matrix


def error_of_line(code):
    """The error of the linear model with this code on the test events [ns]."""
    inputs = np.column_stack([standard, code])
    w = np.linalg.lstsq(inputs[train], t[train])[0]
    return np.sqrt(((inputs[test] @ w - t[test]) ** 2).mean())


line = np.polyval(np.polyfit(np.arange(K), τ, 1), np.arange(K))             # the best one through the delays
missed = np.sqrt(((τ - line) ** 2).mean())
demo.expect("ordered code: error of the linear model [√(σ² + what the line misses²)]",
            error_of_line(np.column_stack([k, np.ones(2 * n)])) / np.sqrt(σ ** 2 + missed ** 2), 1, within=0.06)
demo.expect("one-hot code: error of the linear model [ns]", error_of_line(one_hot), σ, within=0.01)

# %% Other numbers for the same modules: all 8! of them

numberings = np.array(list(permutations(range(K))))
z, z_τ = numberings - numberings.mean(axis=1, keepdims=True), τ - τ.mean()
explained = (z @ z_τ) ** 2 / ((z ** 2).sum(axis=1) * (z_τ ** 2).sum())      # r² of delay and number
demo.say(f"of the delays' variance a line explains {explained.min():.0%} to {explained.max():.0%}, "
         f"by the numbering; there are {len(z):,}")
demo.expect("mean share that it explains [always 1/(K − 1): a theorem]", explained.mean(), 1 / 7, within=1e-9)
demo.expect("one-hot code, numbered backwards: change of the error [ns]",
            error_of_line(np.eye(K)[K - 1 - k]) - error_of_line(one_hot), 0, within=1e-9)

# %% Learned in steps: 9 numbers with the right code, or 129 with the wrong one; and an embedding

def learn(model, inputs):
    """The error on test events after each step [ns]."""
    optimizer = optim.Adam(model.parameters(), lr=0.05)
    inputs, target = tn.tensor(inputs), tn.tensor(t[:, None])
    errors = []
    for _ in range(steps):
        optimizer.zero_grad()
        ((model(inputs[train]) - target[train]) ** 2).mean().backward()
        optimizer.step()
        with tn.no_grad():
            errors.append(((model(inputs[test]) - target[test]) ** 2).mean().item() ** 0.5)
    return errors


numbers = np.column_stack([standard, (k - k[train].mean()) / k[train].std()])
errors = {
    "ordered, linear": learn(nn.Linear(2, 1).double(), numbers),
    "ordered, network": learn(nn.Sequential(nn.Linear(2, 32), nn.ReLU(), nn.Linear(32, 1)).double(), numbers),
    "one-hot, linear": learn(nn.Linear(1 + K, 1, bias=False).double(), np.column_stack([standard, one_hot]))}
near = {name: next((i for i, error in enumerate(found) if error < 2 * σ), steps) for name, found in errors.items()}
for name, found in errors.items():
    demo.say(f"{name}: error {min(found):.3f} ns at best, {found[-1]:.3f} after {steps:,} steps; "
             + (f"below 2 σ after {near[name]:,}" if near[name] < steps else "never below 2 σ"))
demo.expect("one-hot code, linear: error at the end [ns]", errors["one-hot, linear"][-1], σ, within=0.01)
demo.expect("ordered code, linear: error at the end [ns]", errors["ordered, linear"][-1], at_least=5 * σ)
demo.expect("steps to below 2 σ: network with ordered code over line with one-hot code (at least, if it never arrives)",
            near["ordered, network"] / near["one-hot, linear"], at_least=1.5)

table = nn.Embedding(K, 3).double()
rows, product = table(tn.tensor(k)), tn.tensor(one_hot) @ table.weight
demo.expect("embedding − one-hot code times its matrix", (rows - product).abs().max().item(), at_most=1e-12)

# %% Raw, min–max, standardised: plain gradient descent, each with half the largest step, 1/k_max

descents = {}
for name, column in {"x in mm": x, "min–max": min_max, "standardised": standard}.items():
    inputs = np.column_stack([column, one_hot])
    k_min, *_, k_max = np.linalg.eigvalsh(2 / n * inputs[train].T @ inputs[train])      # curvatures of the loss
    w, descents[name] = np.zeros(1 + K), []
    for _ in range(200):
        residual = inputs @ w - t
        descents[name].append(np.sqrt((residual[test] ** 2).mean()))
        w = w - 1 / k_max * (2 / n * inputs[train].T @ residual[train])
    demo.say(f"{name}: κ = k_max/k_min = {k_max / k_min:,.0f}, error after 200 steps {descents[name][-1]:.3f} ns")
demo.expect("error after 200 steps, min–max and standardised [ns]",
            [descents["min–max"][-1], descents["standardised"][-1]], [σ, σ], within=0.01)
demo.expect("error after 200 steps, x in mm [ns]", descents["x in mm"][-1], at_least=5 * σ)

# %% The picture

picture, axes = plots.grid(3, width=4.25, height=5)
axes[0].plot(range(K), τ, "o", color="black", markersize=9, label="truth")
axes[0].plot(range(K), line, color=plots.ORANGE, linewidth=2, label="ordered: a line")
modules = np.array([(t - x / v)[train][k[train] == i].mean() for i in range(K)])
axes[0].plot(range(K), modules, "_", color=plots.BLUE, markersize=24, markeredgewidth=3, label="one-hot: each its own")
axes[0].set(xlim=(-0.6, K - 0.4), ylim=(τ.min() - 0.5, τ.max() + 0.6 * np.ptp(τ)))
plots.finish(axes[0], "number of the module", "delay τ [ns]", "What each code can say", loc="upper center")
for (name, found), color in zip(errors.items(), (plots.ORANGE, plots.PALETTE[1], plots.BLUE), strict=True):
    axes[1].loglog(range(1, steps + 1), found, color=color, linewidth=2, label=name)
for (name, found), color in zip(descents.items(), (plots.PALETTE[0], plots.PALETTE[2], plots.PALETTE[4]), strict=True):
    axes[2].semilogy(found, color=color, linewidth=2, label=name)
for ax, title in zip(axes[1:], ("Codes (Adam)", "Normalisation (gradient descent)"), strict=True):
    ax.axhline(σ, color="0.4", linestyle="--", label="σ")
    ax.set_ylim(0.07, 200)
    plots.finish(ax, "step", "error on test events [ns]", title, loc="upper right")
demo.save(picture, "codes.png")

demo.finish()
