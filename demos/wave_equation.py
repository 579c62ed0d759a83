"""A network that solves the wave equation, taught by the equation alone (beyond the lectures: lecture 4's title page).

    python demos/wave_equation.py               # a string with two modes, half a minute
    python demos/wave_equation.py --quick       # one mode, a few seconds

A string of length 1 with fixed ends is plucked and let go: ∂²u/∂t² = c² ∂²u/∂x², with c = 1. The network is u(x, t)
itself, two inputs and one output. No solution is shown to it. The loss says what a solution must fulfil:

    L = mean (u_tt − c² u_xx)²  +  w mean (u(x, 0) − f(x))²  +  w/10 mean u_t(x, 0)²  +  w mean (u(0, t)² + u(1, t)²)

the equation at random points, the shape at the start, at rest at the start, and the ends. w = 300 (10 with --quick)
makes the shape and the ends count as much as the equation, whose terms are of the size (nπ)² u. The derivatives of u
are not differences, they are exact: tn.grad of the output with respect to the inputs, and tn.grad of that again. Then
backward goes through all of it to the weights: a third derivative.

What to see: the untrained network fulfils the equation almost perfectly: it is nearly flat, like a string that nobody
plucked. The shape at the start and the fixed ends force it away. Then the equation's part of the loss rises a
thousandfold and more, and that of rest rises, too, before all fall together. The answer comes within 1 % of the exact
one, a sum of standing waves. (For this string, finite differences are faster and better; but here the same ten lines
take another equation, or measured values and an unknown c.)

Try next (answers in docs/exercises.md):
1. Leave out the third term (at rest at the start). Is there still only one solution?
2. Ask the trained network for times after the last one it was trained for. What does it know of them?
3. Make c a parameter that is trained, too, and give it a few values of the exact solution: can it find c?
"""

# %% The exact solution: standing waves

import numpy as np
from matplotlib.ticker import MaxNLocator

import tinygrad_nuc as tn
from tinygrad_nuc import nn, plots
from tinygrad_nuc.estimators.lbfgs import minimise
from tinygrad_nuc.utils.demo import Demo

demo = Demo("wave_equation", __doc__, trains=True)
demo.option("--steps", type=int, help="most steps of L-BFGS (2,000; 150 with --quick)")
args = demo.arguments()
steps = args.steps if args.steps is not None else 150 if args.quick else 2000
if steps < 1:
    raise ValueError(f"--steps must be at least 1, not {steps}")

c, w = 1.0, 10 if args.quick else 300
modes = {1: 1.0} if args.quick else {1: 1.0, 2: 0.5}    # number of half waves: amplitude


def exact(x: tn.Tensor, t: tn.Tensor) -> tn.Tensor:
    """Each mode goes up and down with its own frequency, u = Σ a sin(nπx) cos(nπct)."""
    return sum(a * tn.sin(n * np.pi * x) * tn.cos(n * np.pi * c * t) for n, a in modes.items())


# %% What a solution must fulfil

def residual(u: object, x: tn.Tensor, t: tn.Tensor) -> tn.Tensor:
    """u_tt − c² u_xx, by differentiating twice."""
    u_x, u_t = tn.grad(u(x, t).sum(), (x, t), create_graph=True)        # the sum has each point's own derivatives
    u_xx, = tn.grad(u_x.sum(), x, create_graph=True)
    u_tt, = tn.grad(u_t.sum(), t, create_graph=True)
    return u_tt - c ** 2 * u_xx


n = 200 if args.quick else 400
x, t = tn.rand(2, n, 1, dtype=tn.float64)                               # inside, up to t = 1
along = tn.linspace(0, 1, 60, dtype=tn.float64).unsqueeze(1)            # the string, or the time, from 0 to 1
zero = tn.zeros_like(along)
x_start, t_start = along, tn.zeros_like(along)                          # the whole string, at t = 0
x_ends, t_ends = tn.cat([zero, zero + 1]), tn.cat([along, along])       # both ends, at all times
for coordinate in (x, t, t_start):                                      # what is differentiated with respect to
    coordinate.requires_grad_()
f = exact(x_start, t_start).detach()
demo.expect("largest |u_tt − c² u_xx| of the exact solution", residual(exact, x, t).abs().max().item(), at_most=1e-11)
travelling = (exact(x - c * t, 0 * t) + exact(x + c * t, 0 * t)) / 2    # d'Alembert: half of it to either side
demo.say("standing waves and two that travel differ by at most "
         f"{(exact(x, t) - travelling).abs().max().item():.0e}: they are the same")

# %% The network, and its loss

width = 20 if args.quick else 30
model = nn.Sequential(nn.Linear(2, width), nn.Tanh(), nn.Linear(width, width), nn.Tanh(), nn.Linear(width, 1))
model.double()                                          # what is differentiated three times needs the digits


def u(x: tn.Tensor, t: tn.Tensor) -> tn.Tensor:
    """The network as a function of place and time."""
    return model(tn.cat([x, t], dim=1))


history: dict[str, list[float]] = {"equation": [], "shape at the start": [], "at rest at the start": [], "ends": []}


def differentiate() -> float:
    """The loss, with its slope for each weight in .grad."""
    u_start = u(x_start, t_start)
    velocity, = tn.grad(u_start.sum(), t_start, create_graph=True)
    parts = [(residual(u, x, t) ** 2).mean(), w * ((u_start - f) ** 2).mean(), w / 10 * (velocity ** 2).mean(),
             2 * w * (u(x_ends, t_ends) ** 2).mean()]
    loss = sum(parts)
    loss.backward()
    for name, part in zip(history, parts, strict=True):
        history[name].append(part.item())
    return loss.item()


# %% Training

# L-BFGS is an optimizer that takes all points at once, estimates from the last few slopes how the loss bends, and so
# steps farther than gradient descent. A step may compute the loss more than once, and loss.png counts these.
times = tn.linspace(0, 1, 51, dtype=tn.float64)
X, T = (grid.reshape(-1, 1) for grid in tn.meshgrid(times, times, indexing="ij"))
U = exact(X, T)


def error() -> float:
    """Relative L2 error over the whole rectangle, |u − exact| / |exact|."""
    with tn.no_grad():
        return ((u(X, T) - U).norm() / U.norm()).item()


errors = [error()]
minimise(model, differentiate, max_iter=steps, max_fun=2 * steps, tol=1e-8,
         after_each=lambda loss: errors.append(error()))
for step in range(0, len(errors), max(1, steps // 10)):
    demo.say(f"step {step}: relative error {errors[step]:.4f}")
equation = history["equation"]
demo.say(f"equation's part of the loss: {equation[0]:.2g} at first, up to {max(equation):.2g}, then {equation[-1]:.1g}")
demo.expect("how far the equation's part rises", max(equation) / equation[0], at_least=100)
demo.expect("relative L2 error in the end", errors[-1], at_most=0.05 if args.quick else 0.02)

# %% The pictures

with tn.no_grad():
    found = u(X, T)
picture, axes = plots.grid(3, width=4.25, height=4.2)
highest, apart = max(U.abs().max().item(), found.abs().max().item()), (found - U).abs().max().item()
for ax, name, values, largest in zip(axes, ("exact u", "network u", "network − exact"), (U, found, found - U),
                                     (highest, highest, apart), strict=True):
    image = ax.pcolormesh(times.numpy(), times.numpy(), values.reshape(51, 51).numpy(), cmap="PuOr", vmin=-largest,
                          vmax=largest, shading="gouraud")
    scale = picture.colorbar(image, ax=ax, location="bottom", ticks=MaxNLocator(4))
    plots.finish_scale(scale, "[amplitude of the first mode]")
    plots.finish(ax, "time c t / length", "place x / length", name, legend=False)
demo.save(picture, "string.png")

picture, (ax,) = plots.grid(1, width=9.0, height=5.0)
for (name, values), color in zip(history.items(), (plots.BLUE, plots.ORANGE, *plots.PALETTE), strict=False):
    ax.semilogy(values, color=color, linewidth=1.2, label=name)
plots.finish(ax, "times the loss was computed", "part of the loss", "What is still wrong", loc="upper right")
demo.save(picture, "loss.png")

demo.finish()
