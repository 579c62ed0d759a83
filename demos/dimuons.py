"""Pairs of muons: the mass and the transverse momentum of the Z boson, two targets at once (lecture 3: regression).

    python demos/dimuons.py                                     # pairs that it simulates itself
    python demos/dimuons.py --data Zmumu_Run2011A_masses.csv    # pairs that CMS measured: fetch("cms-dimuon-2011")

The inputs are the four-vectors of two muons, eight numbers in GeV. The targets have formulas:
M² = (E₁ + E₂)² − |p₁ + p₂|², and pT is the length of (px₁ + px₂, py₁ + py₂). A network that is to give both has two
outputs, and the loss is the mean of (ŷ − y)² over pairs and outputs. So that neither target counts more only because
of its unit or spread, each is standardised: y = (target − mean)/width.

What to see: nothing cancels badly here, as it does for single particles (see invariant_mass.py). The two muons fly
apart, and M² is a good part of (E₁ + E₂)²: a half for the typical pair, a twentieth for the most boosted 1 %. Two
layers of ReLUs do well; so do 100 sigmoids if the learning rate is not too small (with --quick they are far from done).
A second output costs next to nothing. But look at the peak: R² = 0.95 sounds almost perfect, and yet the network's peak
is a tenth lower than the true one, and wider. R² compares an error of 1.8 GeV, r.m.s., with the spread of all masses,
8 GeV. The peak is 4.5 GeV wide at half height, and forgives less, though two pairs in three are right within 1 GeV. The
formula is exact. Where there is one, use it. (Reference for the measured file: R² = 0.83 from 100 sigmoids with a small
learning rate, 0.956 from two layers.)

Try next (answers in docs/exercises.md):
1. Take the targets in GeV as they are. Which of the two suffers, and why?
2. Give the network pt, η and φ of each muon in place of px, py, pz and E. Is that easier or harder?
3. Train with simulated pairs and test with measured ones. Does the network notice?
"""

# %% Muons, simulated or measured

from pathlib import Path

import numpy as np

import tinygrad_nuc as tn
from tinygrad_nuc import nn, optim, plots
from tinygrad_nuc.simulation import DIMUON_COLUMNS, invariant_mass, simulate_dimuons
from tinygrad_nuc.utils.data import DataLoader, TensorDataset
from tinygrad_nuc.utils.demo import Demo
from tinygrad_nuc.utils.tables import read_features

demo = Demo("dimuons", __doc__, trains=True)
demo.option("--data", type=Path, metavar="FILE", help="measured pairs with the columns E1, px1, ..., pz2 and M")
demo.option("--epochs", type=int, help="passes through the training pairs (100; 20 with --quick)")
args = demo.arguments()
epochs = args.epochs if args.epochs is not None else 20 if args.quick else 100
if epochs < 1:
    raise ValueError(f"--epochs must be at least 1, not {epochs}")

if args.data:
    columns = read_features(args.data, names=[*DIMUON_COLUMNS, "M"]).features
    X, M = columns[:, :8], columns[:, 8]
else:
    X, M = simulate_dimuons(10_851, seed=args.seed)
pair = X[:, :4] + X[:, 4:]
pT = np.hypot(pair[:, 1], pair[:, 2])
demo.say(f"{len(X):,} {'measured' if args.data else 'simulated'} pairs, median mass {np.median(M):.2f} GeV")
off = np.abs(invariant_mass(pair) - M).max()            # the digits of a file are few: 0.007 GeV in that of CMS
if args.data:
    demo.say(f"largest deviation of the formula from the file's masses: {off:.2g} GeV")
if off > 0.01:
    raise ValueError(f"{args.data}: M must be the mass of the two muons, in GeV; it is off by up to {off:.3g} GeV")

# %% Three quarters to learn from, everything with mean 0 and width 1

targets = np.column_stack([M, pT])
order = np.random.default_rng(args.seed).permutation(len(X))
train, test = np.split(order, [3 * len(X) // 4])


def standardised(values: np.ndarray) -> tn.Tensor:
    """Mean 0 and width 1 for the training pairs, in each column."""
    return tn.tensor((values - values[train].mean(0)) / values[train].std(0)).float()


x, y = standardised(X), standardised(targets)

# %% Two networks, with one output or two

def learn(model: nn.Sequential, lr: float) -> np.ndarray:
    """Train on as many targets as the model has outputs; return the predictions for the test pairs, in GeV."""
    outputs = model[-1].out_features
    batches = DataLoader(TensorDataset(x[train], y[train, :outputs]), batch_size=100, shuffle=True)
    optimizer = optim.Adam(model.parameters(), lr=lr)
    schedule = optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=epochs)
    for _ in range(epochs):
        for x_batch, y_batch in batches:
            loss = ((model(x_batch) - y_batch) ** 2).mean()         # over pairs, and over outputs
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
        schedule.step()
    with tn.no_grad():
        standard = model(x[test]).numpy()
    return standard * targets[train, :outputs].std(0) + targets[train, :outputs].mean(0)


def two_layers(outputs: int) -> nn.Sequential:
    """Eight inputs and two hidden layers of 64 ReLUs."""
    return nn.Sequential(nn.Linear(8, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, outputs))


def sigmoids() -> nn.Sequential:
    """Eight inputs, one hidden layer of 100 sigmoids, one output."""
    return nn.Sequential(nn.Linear(8, 100), nn.Sigmoid(), nn.Linear(100, 1))


predictions = {
    "100 sigmoids, M": learn(sigmoids(), lr=0.02),
    "64-64 ReLUs, M": learn(two_layers(1), lr=0.003),
    "64-64 ReLUs, M and pT": learn(two_layers(2), lr=0.003),
    "100 sigmoids, M, small learning rate": learn(sigmoids(), lr=0.001),
}
R2 = {}
for name, found in predictions.items():
    wanted = targets[test, :found.shape[1]]
    R2[name] = 1 - ((found - wanted) ** 2).sum(0) / ((wanted - wanted.mean(0)) ** 2).sum(0)
    error = (found - wanted).std(0)
    for target, r, e in zip(("M", "pT"), R2[name], error, strict=False):
        demo.say(f"{name}: R² of {target} = {r:.3f}, error {e:.1f} GeV")

least, around = (0.83, 0.03) if epochs >= 100 else (0.5, 0.15)      # less is expected of a short training
demo.expect("R² of M from 100 sigmoids", R2["100 sigmoids, M"][0], at_least=least)
demo.expect("R² of M from 64-64 ReLUs (reference 0.956)", R2["64-64 ReLUs, M"][0], 0.956, within=around)
demo.expect("R² of M with pT as a second target", R2["64-64 ReLUs, M and pT"][0], 0.956, within=around)
demo.expect("R² of pT", R2["64-64 ReLUs, M and pT"][1], at_least=0.97)

# %% The peak, which R² says little of

def half_width(m: np.ndarray) -> float:
    """Of the masses from 81 to 101 GeV: half of the interval that holds the middle 68 %."""
    low, high = np.quantile(m[(m > 81) & (m < 101)], [0.16, 0.84])
    return (high - low) / 2


found = predictions["64-64 ReLUs, M and pT"]
widths = half_width(M[test]), half_width(found[:, 0])
within_1 = np.mean(np.abs(found[:, 0] - M[test])[(M[test] > 86) & (M[test] < 96)] < 1)
demo.say(f"half-width of the peak: formula {widths[0]:.2f} GeV, network {widths[1]:.2f} GeV; "
         f"{100 * within_1:.0f} % of the pairs at 86 to 96 GeV are right within 1 GeV")
demo.expect("width of the network's peak, over that of the true one", widths[1] / widths[0], at_least=1.02)

# %% The picture

picture, axes = plots.grid(2, width=6.2, height=5.2)
bins = np.linspace(60, 120, 61)
axes[0].hist(M[test], bins, color=plots.BLUE, alpha=0.35, label="formula")
axes[0].hist(found[:, 0], bins, color=plots.ORANGE, histtype="step", linewidth=2, label="network")
axes[0].set_xlim(60, 120)
plots.finish(axes[0], "mass of the pair M [GeV]", "pairs per GeV", "The Z boson, and its blur", loc="upper left")
limit = np.quantile(pT, 0.99)
axes[1].plot([0, limit], [0, limit], color="grey", linestyle="--", label="right")
axes[1].scatter(pT[test], found[:, 1], s=6, alpha=0.4, color=plots.ORANGE, rasterized=True, label="a pair")
axes[1].set(xlim=(0, limit), ylim=(0, limit))
plots.finish(axes[1], "pT of the pair [GeV]", "predicted pT [GeV]", "Second output", loc="upper left", markerscale=2)
demo.save(picture, "muons.png")

demo.finish()
