"""Directions with honest uncertainties: the von Mises-Fisher distribution as a loss (lecture 5: the recipe for losses).

    python demos/directions.py

The recipe: say how the truth is distributed around what the network predicts, and take −ln of this density as the
loss. For numbers with Gaussian errors that is the squared error. Directions lie on a sphere, and there the bell is
p(x) = C(κ) exp(κ μ·x) with C(κ) = κ / (4π sinh κ): around the mean direction μ they scatter by 1/√κ radians to either
side. The network gives a vector v without constraints: its direction is μ, and its length is κ, how far to trust it.

Here three antennas see a signal from somewhere in the sky. The larger the pulse height A (in units of the noise), the
better the direction d that an antenna gives: κ = 2 A². Nobody tells the network. Bayes' rule (if every direction is
equally likely before) says that the best answer is v = Σ 2 A² d, so that we know what it should find.

What to see: nobody gives the network a κ to learn from, only true directions, and yet it learns how wrong it will be,
event by event. If κ is right, then F, the share of directions that should be farther from μ than the truth is, is
uniform between 0 and 1, as a p-value is when the hypothesis is right; it plays the part of a pull, (found − true)/σ.
One κ for all events fails this test: it is too timid for most (rise at 1), and far too bold for the worst (peak at 0).
Only the network's largest κ are too small, by a sixth (with --quick, by two fifths): they are rare, and learned last.
Its directions are nearly as good there as they can be, so it is too timid about them. F of all events together does
not show it: test it in slices, as you would a pull.

Try next (answers in docs/exercises.md):
1. Two antennas with A = 5 contradict each other: d = (1, 0, 0) and (0, 1, 0). What does the network say, and Bayes?
2. In the experiment the noise is larger than in the training: test = events(20_000, 1). Is F still uniform?
3. Train with 1 − μ·x as the loss, which has no κ. Are the directions worse?
"""

# %% The von Mises-Fisher distribution

import numpy as np
from scipy.stats import kstest

import tinygrad_nuc as tn
from tinygrad_nuc import nn, optim, plots
from tinygrad_nuc.utils.demo import Demo

demo = Demo("directions", __doc__, trains=True)
demo.option("--steps", type=int, help="of training (6,000; 1,600 with --quick)")
args = demo.arguments()
rng = np.random.default_rng(args.seed)


def F(c: np.ndarray, kappa: np.ndarray) -> np.ndarray:
    """The share of directions with μ·x < c: (e^(κc) − e^(−κ)) / (e^κ − e^(−κ)), divided by e^κ above and below."""
    return (np.exp(-kappa * (1 - c)) - np.exp(-2 * kappa)) / (1 - np.exp(-2 * kappa))


def scattered(mu: np.ndarray, kappa: np.ndarray) -> np.ndarray:
    """A random direction around each μ: its cosine c solves F(c) = u for a uniform u, and no side is preferred."""
    c = 1 + np.log(rng.uniform(np.exp(-2 * kappa), 1)) / kappa
    aside = np.cross(mu, rng.normal(size=mu.shape))
    aside /= np.linalg.norm(aside, axis=-1, keepdims=True)
    return c[..., None] * mu + np.sqrt(np.maximum(1 - c ** 2, 0))[..., None] * aside


loss_of = nn.VonMisesFisherNLLLoss()
c = np.linspace(-1, 1, 100_001)                                             # μ·x; the sphere has 2π dc at each
for kappa in (0.5, 5.0, 50.0):
    C = kappa / (4 * np.pi * np.sinh(kappa))
    integral = 2 * np.pi * np.trapezoid(C * np.exp(kappa * c), c)
    demo.expect(f"∫ C(κ) exp(κ μ·x) over the sphere, for κ = {kappa:g}", integral, 1, within=1e-6)
    loss = loss_of(tn.tensor([[0.0, 0.0, kappa]]), tn.tensor([[0.0, 0.6, 0.8]])).item()         # μ·x = 0.8
    demo.expect(f"VonMisesFisherNLLLoss, for κ = {kappa:g}", loss, -np.log(C) - 0.8 * kappa, within=1e-4)

# %% Events: three antennas, each with a direction and a pulse height

def events(n: int, per_amplitude: float = 2.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """What is measured, shape (n, 12); the true direction; and the best possible v."""
    x = rng.normal(size=(n, 3))
    x /= np.linalg.norm(x, axis=1, keepdims=True)                           # everywhere in the sky
    A = np.exp(rng.uniform(np.log(0.5), np.log(5), (n, 3)))
    kappa = per_amplitude * A ** 2                                          # 0.5 to 50: from 80° to 8°
    d = scattered(np.repeat(x[:, None], 3, axis=1), kappa)
    ideal = (kappa[..., None] * d).sum(axis=1)                              # Bayes: densities are multiplied
    return np.concatenate([d, A[..., None]], axis=2).reshape(n, 12), x, ideal


# %% Training: a new sample at every step

model = nn.Sequential(nn.Linear(12, 64), nn.ReLU(), nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 3))
steps, losses = (1600 if args.quick else 6000) if args.steps is None else args.steps, []
if steps < 1:
    raise ValueError(f"--steps must be at least 1, not {steps}")
optimizer = optim.Adam(model.parameters())
schedule = optim.lr_scheduler.OneCycleLR(optimizer, max_lr=5e-3, total_steps=steps)
for _ in range(steps):
    measured, x, _ = events(256)
    loss = loss_of(model(tn.tensor(measured).float()), tn.tensor(x).float())
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    schedule.step()
    losses.append(loss.item())

# %% Is κ right?

test, x, ideal = events(20_000)
with tn.no_grad():
    v = model(tn.tensor(test).float()).double().numpy()
kappa, best = np.linalg.norm(v, axis=1), np.linalg.norm(ideal, axis=1)
c = (v * x).sum(axis=1) / kappa
found_loss, best_loss = (loss_of(tn.tensor(vectors), tn.tensor(x)).item() for vectors in (v, ideal))
angle, best_angle = (np.degrees(np.median(np.arccos(cosine))) for cosine in (c, (ideal * x).sum(axis=1) / best))
demo.say(f"\nmedian angle to the truth: {angle:.2f}°; with Bayes' rule {best_angle:.2f}°")
demo.expect("loss above the best possible one", found_loss - best_loss, at_most=0.15 if args.quick else 0.05)
demo.expect("median of κ over the best possible κ", np.median(kappa / best), 1, within=0.2 if args.quick else 0.1)

mean = c.mean()
one = np.full(len(c), mean * (3 - mean ** 2) / (1 - mean ** 2))             # solves coth κ − 1/κ = mean, roughly


def distance(u: np.ndarray) -> float:
    """Kolmogorov and Smirnov: the largest difference between the shares below each value, and uniform ones."""
    return float(kstest(u, "uniform").statistic)


for low, high in ((0, 10), (10, 30), (30, 60), (60, np.inf)):
    part = (low < best) & (best <= high)
    demo.say(f"best possible κ from {low} to {high}: {part.sum():,} events, median of κ over it "
             f"{np.median(kappa[part] / best[part]):.2f}, distance of F {distance(F(c[part], kappa[part])):.3f}")
demo.expect("median of κ over the best possible κ, where this is above 60", np.median((kappa / best)[best > 60]), 1,
            within=0.5 if args.quick else 0.25)
demo.expect("distance of F from uniform, κ of each event", distance(F(c, kappa)), at_most=0.06 if args.quick else 0.03)
demo.expect("distance of F from uniform, one κ for all", distance(F(c, one)), at_least=0.1)

# %% The picture

picture, (left, middle, right) = plots.grid(3, width=4.25, height=4.4)
smooth = max(steps // 60, 1)
left.plot(np.arange(steps // smooth) * smooth, np.reshape(losses[:steps // smooth * smooth], (-1, smooth)).mean(1),
          color=plots.BLUE, label="network")
left.axhline(best_loss, color="black", linestyle=":", label="best possible")
plots.finish(left, "step", "loss, −ln p(truth)", "Training")

middle.hexbin(best, kappa, xscale="log", yscale="log", gridsize=40, bins="log", mincnt=1, cmap="Blues")
middle.plot([0.3, 150], [0.3, 150], color=plots.ORANGE, linewidth=2, label="equal")
plots.finish(middle, "best possible κ (Bayes' rule)", "κ of the network", "Its certainty", loc="upper left")

for values, color, label in ((F(c, kappa), plots.BLUE, "κ of each event"), (F(c, one), plots.ORANGE, "one κ for all")):
    right.hist(values, bins=25, range=(0, 1), density=True, histtype="step", linewidth=2.5, color=color, label=label)
right.axhline(1, color="black", linestyle=":")
right.set_ylim(0, None)
plots.finish(right, "F: share that is farther from μ", "density", "Is it honest?", loc="upper left")
demo.save(picture, "directions.png")

demo.finish()
