"""Where losses come from: minus the logarithm of a probability, and what they make a network answer (lectures 2–5).

    python demos/losses.py

A network that is asked for y should give what was observed a high probability Pr(y | ŷ). The loss is
L = −(1/N) Σ ln Pr(yᵢ | ŷᵢ), with a sum over i from 1 to N, and each kind of y has its density:

    yes or no     Bernoulli          ŷ^y (1 − ŷ)^(1−y)     binary cross-entropy (BCE)
    one of K      categorical        ŷ_y, a softmax        cross-entropy (CE)
    a number      Gauss, σ² = 1/2    exp(−(y − ŷ)²) / √π   mean squared error (MSE) + ½ ln π
    a number      Laplace            exp(−|y − ŷ|) / 2     mean absolute error (MAE) + ln 2
    a direction   von Mises-Fisher   C(κ) exp(κ μ·x)       −κ μ·x − ln C(κ), with C(κ) = κ / (4π sinh κ)

(Any other fixed σ only multiplies the mean squared error.)

What to see: computed from the density, and by the library, all five are equal, up to the constants above. A loss also
decides what is answered where there is more than one truth: the best constant under MSE is the mean, under MAE the
median, which a long tail does not move. And lecture 3's first loss, J = ŷ − y, is none: it has no lowest value.
Training would lower it with every step, for ever, and leave the data far behind. It should be squared, as on the next
slide: then it has a bottom.

Try next (answers in docs/exercises.md):
1. Multiply the largest of the times by 1,000, as if one was noted in the wrong unit. What do mean and median do?
2. Add the Huber loss, F.huber_loss(c.expand(len(t)), t, delta=...), to `ways`. Where does c end for small and large δ?
3. A network answers ŷ = 1 − 1e-9 in float32, and the truth is 0. What do BCE and BCE with logits say?
"""

# %% The same loss twice: from the density, and by the library

import math

import numpy as np

import tinygrad_nuc as tn
from tinygrad_nuc import plots
from tinygrad_nuc.nn import functional as F
from tinygrad_nuc.utils.demo import Demo

demo = Demo("losses", __doc__, trains=True)
demo.option("--steps", type=int, default=3000, help="of gradient descent, for the best constant (3,000)")
args = demo.arguments()
N, K = 100, 5
rng = np.random.default_rng(args.seed)


def compare(name, density, loss):
    """−(1/N) Σ ln Pr, with the probabilities (or densities) of what was observed, and the library's loss."""
    demo.expect(name, loss.item(), -np.log(density).mean(), within=1e-12)


z = rng.normal(size=N)                                      # a network's output before the logistic function
y_hat, y = 1 / (1 + np.exp(-z)), rng.integers(2, size=N)
bce = F.binary_cross_entropy(tn.tensor(y_hat), tn.tensor(y))
with_logits = F.binary_cross_entropy_with_logits(tn.tensor(z), tn.tensor(y))
compare("Bernoulli and BCE", y_hat ** y * (1 - y_hat) ** (1 - y), bce)
compare("Bernoulli and BCE with logits", y_hat ** y * (1 - y_hat) ** (1 - y), with_logits)
slide = -1 / N * sum(y[j] * math.log(y_hat[j]) + (1 - y[j]) * math.log(1 - y_hat[j]) for j in range(N))
demo.expect("BCE, and as lecture 2 writes it", bce.item(), slide, within=1e-12)

z, y = rng.normal(size=(N, K)), rng.integers(K, size=N)
y_hat = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
ce = F.cross_entropy(tn.tensor(z), tn.tensor(y))
compare("categorical and CE", y_hat[np.arange(N), y], ce)
one_hot = np.eye(K)[y]
slide = -1 / N * sum(one_hot[i, k] * math.log(y_hat[i, k]) for i in range(N) for k in range(K))
demo.expect("CE, and as lecture 4 writes it", ce.item(), slide, within=1e-12)

y_hat, y = rng.normal(size=(2, N))                          # a number
mse, mae = F.mse_loss(tn.tensor(y_hat), tn.tensor(y)), F.l1_loss(tn.tensor(y_hat), tn.tensor(y))
gauss = np.exp(-(y - y_hat) ** 2) / math.sqrt(math.pi)
compare("Gauss with σ² = 1/2, and MSE + ½ ln π", gauss, mse + math.log(math.pi) / 2)
compare("Laplace, and MAE + ln 2", np.exp(-abs(y - y_hat)) / 2, mae + math.log(2))
slide = 1 / N * sum((y_hat[j] - y[j]) ** 2 for j in range(N))
demo.expect("MSE, and as lecture 2 writes it", mse.item(), slide, within=1e-12)

# %% Directions


def C(kappa):
    return kappa / (4 * math.pi * np.sinh(kappa))


cosine, weight = np.polynomial.legendre.leggauss(200)       # ∫ dΩ = 2π ∫ d cos α
for kappa in (0.1, 1.0, 10.0, 100.0):
    total = 2 * math.pi * (weight * C(kappa) * np.exp(kappa * cosine)).sum()
    demo.expect(f"von Mises-Fisher with κ = {kappa:g}: integral over the sphere", total, 1, within=1e-12)

mu, x = (v / np.linalg.norm(v, axis=-1, keepdims=True) for v in rng.normal(size=(2, N, 3)))
kappa = rng.uniform(0.1, 20, size=N)
compare("von Mises-Fisher and its loss", C(kappa) * np.exp(kappa * (mu * x).sum(axis=1)),
        F.von_mises_fisher_nll_loss(tn.tensor(kappa[:, None] * mu), tn.tensor(x)))

# %% The best constant: decay times of muons, which live 2.2 µs on average

t = tn.tensor(rng.exponential(2.2, size=1001))


def best_constant(loss):
    """The way of c from 6 µs downhill; the learning rate falls, since the slope of |c − t| does not."""
    c = tn.tensor(6.0, dtype=tn.float64, requires_grad=True)
    way = [c.item()]
    for step in range(args.steps):
        c.grad = None
        loss(c).backward()
        with tn.no_grad():
            c -= 0.5 * 0.997 ** step * c.grad
        way.append(c.item())
    return way


ways = {"MSE": best_constant(lambda c: ((c - t) ** 2).mean()), "MAE": best_constant(lambda c: (c - t).abs().mean()),
        "J = ŷ − y": best_constant(lambda c: (c - t).mean())}
demo.expect("MSE: best constant, and mean [µs]", ways["MSE"][-1], t.mean().item(), within=1e-6)
demo.expect("MAE: best constant, and median [µs]", ways["MAE"][-1], t.median().item(), within=1e-3)
runaway = ways["J = ŷ − y"]
demo.say(f"J = ŷ − y: after {args.steps:,} steps the constant is {runaway[-1]:.0f} µs, below all {len(t)} times; "
         "only the falling learning rate has held it")
slopes = []
for constant in (6.0, 0.0, -1000.0):
    c = tn.tensor(constant, dtype=tn.float64, requires_grad=True)
    slopes.append(tn.grad((c - t).mean(), c)[0].item())
demo.expect("J = ŷ − y: its slope at 6, 0 and −1,000 µs: it goes down for ever", slopes, [1, 1, 1], within=1e-12)

# %% Pictures: each density with its loss, and each loss with its constant

picture, axes = plots.grid(3, width=4.2, height=4)
r = np.linspace(-3, 3, 301)
axes[0].plot(r, r ** 2, color=plots.BLUE, linewidth=3, label="Gauss: r²")
axes[0].plot(r, abs(r), color=plots.ORANGE, linewidth=3, label="Laplace: |r|")
plots.finish(axes[0], "r = ŷ − y", "loss", "A number", loc="upper center")
p = np.linspace(0.002, 0.998, 300)
axes[1].plot(p, -np.log(p), color=plots.ORANGE, linewidth=3, label="y = 1: −ln ŷ")
axes[1].plot(p, -np.log(1 - p), color=plots.BLUE, linewidth=3, label="y = 0: −ln(1 − ŷ)")
plots.finish(axes[1], "ŷ", "loss", "Yes or no", loc="upper center")
angle = np.linspace(0, 180, 361)
for kappa, color in zip((0.1, 1, 10, 50), plots.PALETTE, strict=False):
    loss = -np.log(C(kappa)) - kappa * np.cos(np.radians(angle))
    axes[2].plot(angle, loss, color=color, linewidth=3, label=f"κ = {kappa:g}")
axes[2].set(ylim=(-4, 9), xticks=[0, 45, 90, 135, 180])
plots.finish(axes[2], "angle between μ and x [°]", "loss", "A direction", loc="lower right", ncols=2)
demo.save(picture, "likelihoods.png")

picture, (left, right) = plots.grid(2, width=6.2, height=4.8)
left.hist(t.numpy(), bins=40, range=(0, 14), color="0.8")
c = np.linspace(-4, 8, 241)[:, None]
for (name, way), d, color in zip(ways.items(), ((c - t.numpy()) ** 2, abs(c - t.numpy()), c - t.numpy()),
                                 (plots.BLUE, plots.ORANGE, "0.4"), strict=True):
    right.plot(c, d.mean(axis=1), color=color, linewidth=3, label=name)
    if way is not runaway:
        left.axvline(way[-1], color=color, linewidth=3, label=f"best under {name}: {way[-1]:.2f} µs")
        right.plot(way[-1], d.mean(axis=1)[abs(c[:, 0] - way[-1]).argmin()], "o", color=color, markersize=10)
right.set(xlim=(-4, 8), ylim=(-6, 16))
plots.finish(left, "decay time t [µs]", "decays", "Mean and median")
plots.finish(right, "constant answer ŷ [µs]", "loss (MSE: [µs²], others: [µs])", "Two have a bottom, one has none")
demo.save(picture, "constants.png")

demo.finish()
