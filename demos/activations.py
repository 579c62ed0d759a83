"""Activation functions: the bend in every neuron, its slope, and where the gradient dies (lecture 1: activations).

    python demos/activations.py

A single neuron sums its inputs, each times a weight, adds a bias, and bends the result: y = f(z), z = w·x + b. In
training, f′(z) is a factor in the gradient of every weight before it: ∂L/∂w = ∂L/∂y · f′(z) · x. Where f′ is 0 a neuron
learns nothing; where it is small in each of many layers, the first ones learn almost nothing (see initialisation.py).

What to see: the dashed slopes. The logistic function's is never above 1/4, and dies on both sides, as that of tanh
does, which reaches 1 at 0. ReLU has slope 1 for all z > 0, and is dead for all z < 0; leaky ReLU never dies; ELU dies
on the left only. Maxout, the largest of several straight lines max(w₁·x + b₁, w₂·x + b₂), learns where to bend, and
with which slopes: ReLU and leaky ReLU are two of its shapes. In the second picture six neurons start where most slopes
are small, and one is 0. The smaller the slope, the longer the way back: 2 steps for maxout, some 50 for leaky ReLU, 100
for ELU, 200 for the logistic function, 1,700 for tanh; ReLU never comes back.

Try next (answers in docs/exercises.md):
1. What is the largest slope of SiLU, z σ(z), and where? Add "SiLU": nn.SiLU() to the functions, and see.
2. What is left of a gradient of 1 behind ten logistic functions, at most, and with z = 2 in each?
3. How many steps would tanh need from z = −7, if r stays the same?
"""

# %% Six functions

import numpy as np

import tinygrad_nuc as tn
from tinygrad_nuc import nn, optim, plots
from tinygrad_nuc.utils.demo import Demo

demo = Demo("activations", __doc__, trains=True)
args = demo.arguments()

maxout = nn.Maxout(1, 1, pieces=2).double()
maxout.linear.load_state_dict({"weight": [[-0.5], [0.8]], "bias": [-1.0, 0.0]})      # max(−0.5 x − 1, 0.8 x)
functions = {"logistic": nn.Sigmoid(), "tanh": nn.Tanh(), "ReLU": nn.ReLU(), "leaky ReLU": nn.LeakyReLU(0.1),
             "ELU": nn.ELU(), "maxout": lambda z: maxout(z.reshape(-1, 1)).reshape(-1)}

# %% The slope of each: by the engine, and by the difference of two values close to each other

z = tn.tensor(np.arange(-7.995, 8, 0.01), requires_grad=True)           # around 0, where ReLU bends, but not at it
h, slopes, differences = 1e-5, {}, {}
for name, f in functions.items():
    slopes[name] = tn.grad(f(z).sum(), z)[0].numpy()
    with tn.no_grad():
        differences[name] = ((f(z + h) - f(z - h)) / (2 * h)).numpy()

# |f′| < 1/100 for logistic′ = 1 / (2 + 2 cosh z) = 1 / (2 cosh z/2)² where |z| > 2 arccosh 5, for tanh′ = 1 / cosh² z
# where |z| > arccosh 10, and for ELU′ = exp z where z < −ln 100; dead is the share of that in −8 < z < 8
largest = {"logistic": 1 / 4, "tanh": 1, "ReLU": 1, "leaky ReLU": 1, "ELU": 1, "maxout": 0.8}
dead = {"logistic": (8 - 2 * np.arccosh(5)) / 8, "tanh": (8 - np.arccosh(10)) / 8, "ReLU": 1 / 2, "leaky ReLU": 0,
        "ELU": (8 - np.log(100)) / 16, "maxout": 0}
for name, slope in slopes.items():
    demo.expect(f"{name}: largest slope", slope.max(), largest[name], within=1e-4)
    demo.expect(f"{name}: share of −8 < z < 8 where |f′| < 1/100", np.mean(abs(slope) < 0.01), dead[name], within=0.002)
error = max(abs(slopes[name] - differences[name]).max() for name in functions)
demo.expect("largest difference of f′ from (f(z + h) − f(z − h)) / 2h, of all six", error, at_most=1e-9)

# %% A single neuron, and its gradient by the chain rule

x, w, b = (tn.tensor(v, dtype=tn.float64) for v in ([0.5, -1.0, 2.0], [0.4, 0.3, -0.2], 0.1))
w.requires_grad_()
y = tn.tanh(w @ x + b)
((y - 1) ** 2).backward()                                               # L = (y − 1)²
by_hand = 2 * (y.item() - 1) * (1 - y.item() ** 2) * x.numpy()          # ∂L/∂y · f′(z) · x, as tanh′ = 1 − tanh²
demo.expect("∂L/∂w of a tanh neuron", w.grad.numpy(), by_hand, within=1e-12)

# %% One that starts far on the left, at z = −5, and shall learn to answer 1: when is its loss below 1/8?

r, losses, steps = 0.2, {}, {}
for name, f in functions.items():
    w, b = (tn.tensor([value], dtype=tn.float64, requires_grad=True) for value in (1.0, -6.0))
    optimizer = optim.SGD([w, b], lr=r)
    losses[name] = []
    for _ in range(2000):
        loss = ((f(w * 1.0 + b) - 1) ** 2).sum()                        # the input is always 1
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses[name].append(loss.item())
    steps[name] = int(np.argmax(np.array(losses[name]) < 1 / 8)) if losses[name][-1] < 1 / 8 else None
demo.say("steps until the loss is below 1/8: " + ", ".join(f"{name} {n or 'never'}" for name, n in steps.items()))
demo.expect("ReLU: loss at the start and at the end", [losses["ReLU"][0], losses["ReLU"][-1]], [1, 1])
demo.expect("leaky ReLU and maxout: steps", [steps["leaky ReLU"], steps["maxout"]], at_most=80)

# w and b change by −r ∂L/∂z each, so dz/dt = −2r · 2 (y − 1) f′(z), and the number of steps is ∫ dz / 4r (1 − y) f′(z)
way = tn.tensor(np.linspace(-5, 5, 100_001), requires_grad=True)
for name in ("ELU", "logistic", "tanh"):
    y = functions[name](way)
    slope, y = tn.grad(y.sum(), way)[0].numpy(), y.detach().numpy()
    until = (1 - y) ** 2 > 1 / 8
    time = np.trapezoid(1 / (4 * r * (1 - y) * slope)[until], way.detach().numpy()[until])
    demo.expect(f"{name}: steps, beside the integral", steps[name], time, within=0.06 * time)

# %% Pictures

picture, axes = plots.grid(6, width=4.2, height=3.5, columns=3)
for ax, (name, f) in zip(axes, functions.items(), strict=True):
    plots.activation_functions({name: f}, low=-6, high=6, ax=ax)
    ax.set(title=name, xlabel="z", ylabel="f(z), f ′(z)", ylim=(-1.3, 4.0))
    ax.get_legend().remove()                                            # one for all
axes[0].legend([*axes[0].lines][:2], ["f", "f ′"], fontsize=12)
demo.save(picture, "activations.png")

picture, (ax,) = plots.grid(1, 7.6)
looks = zip(("-", "--", "-", "-.", "--", ":"), (plots.BLUE, plots.ORANGE, *plots.PALETTE), strict=False)
for (name, path), (style, color) in zip(losses.items(), looks, strict=True):
    ax.plot(range(1, 2001), path, style, color=color, linewidth=6 if name == "ReLU" else 3, label=name,
            zorder=1 if name == "ReLU" else 2)
ax.set(xscale="log", xlim=(1, 2000), ylim=(-0.1, 6.0))
plots.finish(ax, "step of gradient descent", "loss (y − 1)²", "Six neurons that start at z = −5", ncols=3,
             loc="upper center")
demo.save(picture, "dead_neuron.png")

demo.finish()
