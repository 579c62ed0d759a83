"""Six optimizers in a narrow valley, and how large a step may be (lectures 1, 2, 4: gradient descent).

    python demos/optimizers.py

A source decays: R(t) = A e^(−λt) is the rate of counts. A and λ are found from a measurement by making the mean square
error L small, from a wrong start on a plateau, where λ hardly matters. Every optimizer knows the gradient g = ∂L/∂θ
only, and does with it:

    gradient descent   θ ← θ − η g
    momentum           v ← β v + g,   θ ← θ − η v            (Nesterov: θ ← θ − η (g + β v))
    Adagrad            s ← s + g²,    θ ← θ − η g/√s         (RMSprop: s a running mean of g²)
    Adam               momentum and RMSprop at once, both corrected for their start from 0

At the bottom of a valley every loss is a parabola. There a step multiplies what is still missing by 1 − ηk, with k the
curvature along each direction: too large a step, η > 2/k_max, and it grows. The best η = 2/(k_min + k_max) leaves the
share (κ − 1)/(κ + 1) a step, κ = k_max/k_min: a long valley costs many steps, whatever η.

What to see: above the limit gradient descent comes near the minimum, and is thrown out again. (It does not fly away
here: farther out the curvature is less, and it keeps jumping from one side of the valley to the other.) Below the limit
it falls into the valley and creeps along. Momentum swings to and fro, and is faster. A learning rate that is ten times
too small is forgiven by momentum, Adagrad and Adam, at the price of time, most cheaply by Adam; one that is ten times
too large by none. RMSprop is not slow: with η = 0.003 it is below 10⁻⁶ after 350 steps, and trembles out again, nearly
to 10⁻³. It divides by the size of g, so its steps do not become small near the minimum: it wants a small η and more
time, or a schedule. (There are no random numbers here: --seed changes nothing.)

Try next (answers in docs/exercises.md):
1. Count time in hours, from a start at 60 per hour. What happens to κ, and to gradient descent?
2. Set momentum to 0.99, and to 0.5. Which is best here, and why does 0.99 draw circles?
3. Start at A = 2.5, λ = 0, and at A = 2, λ = 3. Who still arrives in 1,000 steps?
"""

# %% The problem: two parameters, a valley and a plateau

import numpy as np

import tinygrad_nuc as tn
from tinygrad_nuc import inspect, optim, plots
from tinygrad_nuc.utils.demo import Demo

demo = Demo("optimizers", __doc__, trains=True)
args = demo.arguments()

truth, start = [1.0, 0.1], [2.0, 1.0]                                       # A [1000 counts/s], λ [1/min]
t = tn.linspace(0, 30, 31, dtype=tn.float64)                                # [min]
measured = truth[0] * tn.exp(-truth[1] * t)                                 # without noise: the best loss is 0


def loss_of(theta):
    A, λ = theta
    return ((A * tn.exp(-λ * t) - measured) ** 2).mean()


# %% The loop, the same for all

def train(optimizer, lr, steps, theta=start, **settings):
    """The loss before each step, and where it came by; it ends where the loss becomes infinite."""
    theta = tn.tensor(theta, dtype=tn.float64, requires_grad=True)
    optimizer = optimizer([theta], lr=lr, **settings)
    losses, path = [], inspect.Snapshots()
    for _ in range(steps):
        path.take(theta)
        optimizer.zero_grad()
        loss = loss_of(theta)
        losses.append(loss.item())
        if not loss.item() < 1e6:
            break
        loss.backward()
        optimizer.step()
    return np.array(losses), path


# %% How large may a step be? The curvatures at the bottom say it

bottom = tn.tensor(truth, dtype=tn.float64)
(k_min, k_max), (gentle, steep) = (part.T for part in np.linalg.eigh(tn.func.hessian(loss_of, bottom).numpy()))
limit, κ = 2 / k_max, k_max / k_min
demo.say(f"curvatures at the minimum: {k_min:.3f} and {k_max:.3f}, κ = {κ:.0f}: η must be less than {limit:.4f} here")


def factor(lr, direction):
    """By what one step of gradient descent multiplies a small distance to the minimum."""
    path = train(optim.SGD, lr, 2, truth + 1e-6 * direction)[1]
    before, after = (np.linalg.norm(state["θ₀"] - truth) for state in path)     # Snapshots' name for the first tensor
    return after / before


low, high = 0.0, 10.0
for _ in range(20):                                                         # by halves, to where the factor is 1
    middle = (low + high) / 2
    low, high = (middle, high) if factor(middle, steep) < 1 else (low, middle)
best = 2 / (k_min + k_max)
demo.expect("learning rate from which the distance grows [2/k_max]", low / limit, 1, within=0.005)
demo.expect("factor a step at 1.1 times this limit", factor(1.1 * limit, steep), 1.2, within=0.001)
demo.expect("factor a step at the best learning rate, along and across the valley",
            [factor(best, gentle), factor(best, steep)], np.full(2, (κ - 1) / (κ + 1)), within=0.001)

# %% The race: each with the learning rate that brings it below L = 10⁻⁶ for good first

kinds = {"gradient descent": (optim.SGD, {}), "momentum": (optim.SGD, {"momentum": 0.9}),
         "Nesterov": (optim.SGD, {"momentum": 0.9, "nesterov": True}), "Adagrad": (optim.Adagrad, {}),
         "RMSprop": (optim.RMSprop, {}), "Adam": (optim.Adam, {})}
rates, steps = (np.geomspace(0.1 ** 2.5, 0.1 ** 0.5, 5), 400) if args.quick else (np.geomspace(1e-3, 1, 31), 1000)


def arrival(losses):
    """The step from which on the loss stays below 10⁻⁶."""
    above = np.flatnonzero(~(losses < 1e-6))
    return above[-1] + 1 if losses[-1] < 1e-6 else np.inf


sweep = {name: [train(kind, lr, steps, **settings) for lr in rates] for name, (kind, settings) in kinds.items()}
arrivals = {name: np.array([arrival(losses) for losses, _ in runs]) for name, runs in sweep.items()}
fastest = {name: sweep[name][found.argmin()] for name, found in arrivals.items()}
for name, found in arrivals.items():
    works = rates[np.isfinite(found)]
    demo.say(f"{name}: {found.min():.0f} steps with η = {rates[found.argmin()]:.3g}; arrives with {len(works)} of "
             f"{len(rates)} η, from {works[0]:.3g} to {works[-1]:.3g}" if len(works) else
             f"{name}: does not arrive within {steps:,} steps with any η")
    demo.expect(f"A and λ found by {name}", fastest[name][1][-1]["θ₀"], truth, within=0.003)
quickest = {name: float(found.min()) for name, found in arrivals.items()}
if np.isfinite(quickest["gradient descent"]):                               # else there is nothing to compare with
    demo.expect("steps of momentum, as a share of those of gradient descent",
                quickest["momentum"] / quickest["gradient descent"], at_most=0.5)
    tenth = arrival(train(optim.Adam, rates[arrivals["Adam"].argmin()] / 10, steps)[0])
    demo.expect(f"Adam with a tenth of its best η, {tenth:.0f} steps: as a share of gradient descent's with its best η",
                tenth / quickest["gradient descent"], at_most=1)

# %% Picture: too small, right, too large

colors = dict(zip(kinds, (plots.ORANGE, plots.BLUE, *plots.PALETTE[:2], "#000000", plots.PALETTE[2]), strict=True))
picture, (left, right) = plots.grid(2, width=6.2, height=5)
for lr, color in ((0.01, plots.PALETTE[3]), (0.1, plots.ORANGE), (0.15, "0.4")):
    left.plot(train(optim.SGD, lr, 500)[0], color=color, linewidth=2, label=f"η = {lr} = {lr / limit:.2f} · 2/k_max")
left.set_yscale("log")
left.set_ylim(1e-9, 1e3)
plots.finish(left, "step", "loss L [(1000 counts/s)²]", "Gradient descent", loc="upper right")
for (name, found), marker in zip(arrivals.items(), "osD^vP", strict=True):
    right.plot(rates, found, color=colors[name], marker=marker, label=name)
right.axvline(limit, ymax=0.72, color=colors["gradient descent"], linestyle="--", label="2/k_max")
right.set(xscale="log", yscale="log", ylim=(50, 6000))
plots.finish(right, "learning rate η", "steps until L stays < 10⁻⁶", "The sweep", ncols=2, loc="upper center")
demo.save(picture, "learning_rates.png")

# %% Picture: their paths

picture, (left, right) = plots.grid(2, width=6.2, height=5.6)
plots.loss_surface(loss_of, bottom, low=(0.4, -0.1), high=(2.3, 1.1), resolution=41 if args.quick else 101,
                   colorbar=False, ax=left)
left.get_legend().remove()
for name, (losses, path) in fastest.items():
    left.plot(*np.stack([state["θ₀"] for state in path]).T, color=colors[name], linewidth=2)
    right.plot(losses, color=colors[name], linewidth=2, label=name)
left.plot(*truth, "*", color="white", markeredgecolor="black", markersize=18, zorder=9)
right.set(xscale="log", yscale="log", xlim=(1, steps), ylim=(1e-9, 1e3))
plots.finish(left, "A [1000 counts/s]", "λ [1/min]", "Paths into the valley (light: small loss)", legend=False)
plots.finish(right, "step", "loss L [(1000 counts/s)²]", "Each at its best learning rate", ncols=2, loc="upper right")
demo.save(picture, "race.png")

demo.finish()
