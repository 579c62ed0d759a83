"""One hidden layer follows any curve, if it is wide enough: universal approximation in one dimension (lecture 5).

    python demos/approximation.py

A ReLU network with one input and n hidden units is made of straight pieces, with a joint where a unit switches on. A
straight line over a piece of length h misses a curve y(t) by h² |y″|/√720 (root mean square, y″ being the same all over
the piece). So n equal pieces of an interval T miss it by √⟨y″²⟩ (T/n)²/√720. The best choice, for large n, is to have
them as dense as |y″|^(2/5), which makes (∫|y″|^(2/5) dt)^(5/2) / √(720 T) / n². Twice as many units, a quarter of the
error: it becomes as small as one likes.

What to see: a damped oscillation, and how joints gather where it bends. With the joints at given places the best output
weights are a matter of linear algebra (least squares), and the errors come down on the two formulas. That is the
theorem: such weights exist. Gradient descent has to find them. It moves the joints, and with 4 or 8 units does better
than either choice. With 32 and 64 it stays above even the equal pieces that it started from: neighbouring units say
nearly the same, so the valley is long (demos/optimizers.py). (No random numbers: --seed changes nothing.)

Try next (answers in docs/exercises.md):
1. Let learning begin from PyTorch's own random weights. What is different?
2. With the two formulas: how many units for an error of 10⁻⁶ cm?
3. Take a curve with a jump, y = 1 for t > 1. By how much do twice as many equal pieces reduce the error now?
"""

# %% The curve, and how strongly it bends: its second derivative, by differentiating twice

import numpy as np

import tinygrad_nuc as tn
from tinygrad_nuc import nn, optim, plots
from tinygrad_nuc.utils.demo import Demo

demo = Demo("approximation", __doc__, trains=True)
args = demo.arguments()


def curve(t: tn.Tensor) -> tn.Tensor:
    """A damped oscillation, in cm, with t in s."""
    return tn.exp(-t) * tn.cos(2 * np.pi * t)


T = 2.0
t = tn.linspace(0, T, 4001, dtype=tn.float64, requires_grad=True)
y = curve(t)
(slope,) = tn.grad(y.sum(), t, create_graph=True)
(bend,) = tn.grad(slope.sum(), t)
t, y, bend = t.detach().numpy(), y.detach().numpy(), bend.numpy()
equal = np.sqrt(np.trapezoid(bend ** 2, t) / T) * T ** 2 / np.sqrt(720)             # times 1/n²
share = np.cumsum(np.abs(bend) ** 0.4) / np.sum(np.abs(bend) ** 0.4)                # of the joints, to the left of t
best = np.trapezoid(np.abs(bend) ** 0.4, t) ** 2.5 / np.sqrt(720 * T)
demo.say(f"error of n pieces: {equal:.3f} cm / n² if they are equal, {best:.3f} cm / n² at best")

# %% Joints at given places, and the best weights behind them by linear algebra

def network(joints: np.ndarray) -> nn.Sequential:
    """1-n-1, with ReLUs that switch on at the joints, and 0 behind them so far.

    All units look to the right, so the first joint is at t = 0, or the curve would begin flat: n units make n pieces.
    Learning may move it inside: then n + 1.
    """
    model = nn.Sequential(nn.Linear(1, len(joints)), nn.ReLU(), nn.Linear(len(joints), 1)).double()
    with tn.no_grad():
        model[0].weight.fill_(8.0)                         # h is of the size of 10; Adam moves a joint by lr/8 s a step
        model[0].bias.copy_(tn.tensor(-8 * joints))                                  # z = 8 (t − joint)
        model[2].weight.fill_(0.0)
        model[2].bias.fill_(0.0)
    return model


def error(model: nn.Sequential) -> float:
    return float(np.sqrt(np.mean((model(tn.tensor(t[:, None])).detach().numpy()[:, 0] - y) ** 2)))


def solved(model: nn.Sequential) -> nn.Sequential:
    """The output is h·v + c: linear in v and c, so least squares finds the best."""
    with tn.no_grad():
        h = model[:2](tn.tensor(t[:, None])).numpy()
        *v, c = np.linalg.lstsq(np.column_stack([h, np.ones(len(t))]), y, rcond=None)[0]
        model[2].weight.copy_(tn.tensor(np.array([v])))
        model[2].bias.fill_(c)
    return model


sizes = [2, 4, 8, 16, 32, 64, 128, 256]
errors = {"equal pieces": [error(solved(network(T * np.arange(n) / n))) for n in sizes],
          "pieces as the curve bends": [error(solved(network(np.interp(np.arange(n) / n, share, t)))) for n in sizes]}
for (name, found), factor in zip(errors.items(), (equal, best), strict=True):
    demo.expect(f"{name}: error · n² of 256 units [cm]", found[-1] * 256 ** 2, factor, within=0.04 * factor)
    demo.expect(f"{name}: 128 units, error over that of 256", found[-2] / found[-1], 4, within=0.2)

# %% Gradient descent from equal pieces: the joints move

steps = 1500 if args.quick else 4000
learned = {n: network(T * np.arange(n) / n) for n in (sizes[:4] if args.quick else sizes[:6])}
x, target = (tn.tensor(values[::20, None]) for values in (t, y))                    # every 20th point: 201
for model in learned.values():
    optimizer = optim.Adam(model.parameters(), 0.01)
    scheduler = optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)
    for _ in range(steps):
        loss = nn.functional.mse_loss(model(x), target)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        scheduler.step()
errors["learned"] = [error(model) for model in learned.values()]
demo.say("learned: " + ", ".join(f"{n} units {e:.4f} cm" for n, e in zip(learned, errors["learned"], strict=True)))
falls = np.array(errors["learned"][:-1]) / errors["learned"][1:]
demo.expect("learned: error over that of twice as many units", falls, at_least=1)
formulas = np.minimum(errors["equal pieces"], errors["pieces as the curve bends"])
demo.expect("learned with 4 and with 8 units: error over that of the better choice",
            [errors["learned"][i] / formulas[i] for i in (1, 2)], at_most=0.7)
if 64 in learned:
    demo.expect("learned with 64 units: error over that of the equal pieces it started from",
                errors["learned"][5] / errors["equal pieces"][5], at_least=2)

# %% Pictures

picture, axes = plots.grid(4, 6.2, 4.2, columns=2)
for ax, n in zip(axes, (2, 4, 8, 16), strict=True):
    plots.linear_pieces(learned[n], 0, T, names=("t [s]", "y [cm]"), ax=ax)
    ax.plot(t, y, color="0.6", linewidth=6, zorder=0)
    ax.set(ylim=(-0.9, 1.2))
demo.save(picture, "joints.png")

picture, (ax,) = plots.grid(1, 7.6, 5.2)
colors = (plots.PALETTE[0], plots.ORANGE, plots.BLUE)
for (name, found), color, style in zip(errors.items(), colors, "s^o", strict=True):
    ax.plot(sizes[:len(found)], found, style, color=color, markersize=8, label=name,
            linestyle="-" if name == "learned" else "")
for factor, color in zip((equal, best), colors, strict=False):
    ax.plot(sizes, factor / np.array(sizes) ** 2, "--", color=color)
ax.set(xscale="log", yscale="log", xticks=sizes, xticklabels=sizes)
ax.minorticks_off()
plots.finish(ax, "hidden units n", "root mean square error [cm]",
             "Twice as many units, a quarter of the error (dashed);\nlearning falls behind")
demo.save(picture, "errors.png")

demo.finish()
