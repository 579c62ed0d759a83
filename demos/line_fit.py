"""A straight line by gradient descent: seven steps, the learning rate, single points, units (lectures 3, 4 and 5).

    python demos/line_fit.py

The model is ŷ = θ₀ + θ₁x = Xθ, with a column of ones in X. Its loss, the mean squared error L = (1/m) Σ (ŷ − y)², is
a bowl with the gradient (2/m) Xᵀ(Xθ − y). Gradient descent walks down: θ ← θ − η ∂L/∂θ, with the learning rate η.

What to see: the walk ends at the least-squares line, to eight digits. Small η: many steps; large η: each step goes too
far, and beyond η = 2/λ, with the largest eigenvalue λ of the bowl's curvature (2/m) XᵀX, ever farther. Gradients of
single points are cheap and noisy: the walk comes to rest only if η gets smaller on the way (a schedule). And units
matter: with x standardised, the bowl is round, and one step with η = 1/2 is enough (θ₀ is then the mean of y, and θ₁
the slope for one standard deviation of x).

Three details on the slides. Lecture 3 writes (1/N) Σ from 0 to N: those are N + 1 terms; it should be from 1 to N. One
of its updates has + η; it should be − η, as on its other slide: plus climbs. Lecture 5 takes the sum of the squares,
not their mean: gradient Σ (2r, 2xr), with r = ŷ − y. That is m times as long, so η has to be m times as small.

Try next (answers in docs/exercises.md):
1. Which η needs the fewest steps? Try `--lr` between 0.1 and 0.5. Can you say it beforehand, from both eigenvalues?
2. Let x be in millimetres instead of metres: x *= 1000, after y. What happens, and how small must η be now?
3. Give single points other constant η, from 0.01 to 0.2. How does the distance from the best line depend on it?
"""

# %% The data: 100 points around y = 4 + 3x

import numpy as np

import tinygrad_nuc as tn
from tinygrad_nuc import plots
from tinygrad_nuc.utils.demo import Demo

demo = Demo("line_fit", __doc__, trains=True)
demo.option("--lr", type=float, default=0.1, help="learning rate η (0.1)")
demo.option("--steps", type=int, default=1000, help="of batch gradient descent (1,000)")
args = demo.arguments()

m = 100
textbook = np.random.RandomState(42)                        # these points, whatever --seed says
x = 2 * textbook.rand(m)
y = 4 + 3 * x + textbook.randn(m)
X = np.column_stack([np.ones(m), x])

# %% The seven steps of lecture 4


def descend(X, theta, lr, steps):
    """The way of batch gradient descent, from the start on."""
    path = [theta]                                          # 1. initialise
    for _ in range(steps):
        y_hat = X @ theta                                   # 2. predict
        r = y_hat - y                                       # 3. the loss is mean(r²)
        gradient = 2 / m * X.T @ r                          # 4. differentiate it
        theta = theta - lr * gradient                       # 5. step
        path.append(theta)                                  # 6. repeat
    return np.array(path)                                   # 7. stop


def loss(theta):
    return ((X @ theta - y) ** 2).mean()


start = np.array([5.0, -3.5])
batch = descend(X, start, args.lr, args.steps)
best = np.linalg.lstsq(X, y)[0]
away = np.linalg.norm(batch - best, axis=1)
arrived = f"after {np.argmax(away <= 1e-6)} steps" if away[-1] <= 1e-6 else "never"
demo.say(f"θ = {batch[-1, 0]:.8f}, {batch[-1, 1]:.8f}, within 1e-6 of the best line {arrived}")
demo.expect("θ", batch[-1], [4.21509616, 2.77011339], within=5e-9)
demo.expect("its distance from least squares", away[-1], at_most=1e-8)

# %% The gradient again: by the engine, and of the sum of lecture 5

theta = tn.tensor(start, requires_grad=True)
((tn.tensor(X) @ theta - tn.tensor(y)) ** 2).mean().backward()
r = X @ start - y
demo.expect("∂L/∂θ at the start by the engine, and by the formula", theta.grad.numpy(), 2 / m * X.T @ r, within=1e-12)

theta.grad = None
((tn.tensor(X) @ theta - tn.tensor(y)) ** 2).sum().backward()
demo.expect("∂/∂θ of the sum, and Σ (2r, 2xr)", theta.grad.numpy(), [(2 * r).sum(), (2 * x * r).sum()], within=1e-9)
summed = descend(X, start, m * args.lr, 10)
demo.say(f"With the η of the mean, the sum explodes: loss {loss(start):.1f} → {loss(summed[-1]):.1e} in 10 steps.")
up = descend(X, start, -0.1, 10)
demo.expect("loss after 10 steps with + η, over that at the start", loss(up[-1]) / loss(start), at_least=10)

# %% Too small, right, too large

curvature = np.linalg.eigvalsh(2 / m * X.T @ X)             # along the valley, and across
limit = 2 / curvature[1]
demo.say(f"\nCurvatures {curvature[0]:.3f} and {curvature[1]:.3f}: gradient descent needs η < {limit:.3g}.")
below, above = (abs(descend(X, start, factor * limit, 1000)[-1] - best).max() for factor in (0.99, 1.01))
demo.expect("distance from the best line after 1,000 steps, η 1 % below that", below, at_most=1e-3)
demo.expect("distance from the best line after 1,000 steps, η 1 % above that", above, at_least=1e3)

picture, axes = plots.grid(3, width=4.2, height=4)
for ax, lr, verdict in zip(axes, (0.02, 0.1, 0.5), ("too small", "good", "too large"), strict=True):
    ax.plot(x, y, "o", color="0.6", markersize=4, label="data")
    for step, theta_t in enumerate(descend(X, np.zeros(2), lr, 10)):
        ax.plot([0, 2], [theta_t[0], theta_t[0] + 2 * theta_t[1]], color=plots.ORANGE if step == 0 else plots.BLUE,
                linestyle="--" if step == 0 else "-", linewidth=2 if step == 0 else 1.2,
                label={0: "start", 1: "10 steps"}.get(step))
    ax.set(xlim=(0, 2), ylim=(-1, 16))
    plots.finish(ax, "x", "y", f"η = {lr}: {verdict}", legend=lr < 0.1, loc="upper left")
demo.save(picture, "learning_rates.png")

# %% One point at a time, with a schedule

rng = np.random.default_rng(args.seed)


def stochastic(theta, schedule, epochs=50):
    """The way of stochastic gradient descent: each step asks a single point."""
    path = [theta]
    for t, i in enumerate(rng.integers(m, size=epochs * m)):
        theta = theta - schedule(t) * 2 * X[i] * (X[i] @ theta - y[i])
        path.append(theta)
    return np.array(path)


def rest(path):
    """How far it still goes to and fro: the mean distance from the best line in the last 1,000 steps."""
    return np.linalg.norm(path[-1000:] - best, axis=1).mean()


falling = stochastic(start, lambda t: 5 / (t + 50))
constant = stochastic(start, lambda t: 0.1)
demo.expect("single points, η falling as 5/(t + 50): distance from the best line", rest(falling), at_most=0.2)
demo.expect("single points, η = 0.1: its distance over that", rest(constant) / rest(falling), at_least=2)

# %% Units: a long valley, or a round bowl

Z = np.column_stack([np.ones(m), (x - x.mean()) / x.std()])
scaled = np.linalg.eigvalsh(2 / m * Z.T @ Z)
demo.expect("condition number, x as it is", curvature[1] / curvature[0], at_least=5)
demo.expect("condition number, x standardised", scaled[1] / scaled[0], 1, within=1e-12)
one_step = descend(Z, start, 0.5, 1)
demo.expect("x standardised: θ after one step with η = 1/2", one_step[-1], np.linalg.lstsq(Z, y)[0], within=1e-12)

picture, axes = plots.grid(2, width=6.3, height=5.6)
axes[0].plot(*falling.T, color="black", linewidth=1, label="single points, η falls", zorder=1.9)
for ax, points, way, name in ((axes[0], X, batch, "x as it is"), (axes[1], Z, one_step, "x standardised")):
    points, target = tn.tensor(points), tn.tensor(y)
    drawn = plots.loss_surface(lambda theta: ((points @ theta - target) ** 2).mean(), theta, low=(0, -5), high=(10, 5),
                               path=[{"θ₀": theta_t} for theta_t in way], colorbar=False, ax=ax)
    drawn.path.set_label(f"all points, {len(way) - 1:,} step{'s' if len(way) > 2 else ''}")
    plots.finish(ax, "θ₀", "θ₁", f"Loss surface, {name}", loc="upper right")
demo.save(picture, "surface.png")

demo.finish()
