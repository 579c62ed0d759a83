"""Where weights start, and how far a signal and its gradient come (lecture 1: initialisation, vanishing gradient).

    python demos/initialisation.py

A layer makes z = W h and then f(z), from n inputs h, with n × n weights of mean 0 and variance σ². A sum of many random
numbers is normal, with ⟨z²⟩ = n σ² ⟨h²⟩. ReLU keeps half of it, so each layer multiplies the signal ⟨h²⟩ by n σ²/2. On
the way back each layer multiplies the gradient ⟨g²⟩, g = ∂L/∂h, by n σ² ⟨f′(z)²⟩: for ReLU n σ²/2 again. Only
σ² = 2/n (Kaiming He) keeps both. Any other factor, to the power of twenty layers, is next to nothing or astronomical.

What to see: straight lines on a logarithmic scale, on top of the formula. Logistic functions, with Xavier Glorot's
weights of σ² = 1/n, leave less than a quarter of the gradient with each layer, as their slope is 1/4 at most: the
vanishing gradient. Weights that are all 0 or all equal are worse: no signal, or a layer of copies of one unit (see
xor.py). And a story of lecture 1: a network of leaky ReLUs, with weights that the software had chosen for others, did
not do. With the gain that belongs to them, √(2 / (1 + slope²)), it does: always check where your weights start.

Try next (answers in docs/exercises.md):
1. Can larger weights keep the gradient in twenty logistic layers? Try σ² = 16/n, which makes n σ² (1/4)² = 1.
2. Which of the three networks of leaky ReLUs learn with optim.Adam(model.parameters(), 0.001) instead of SGD?
3. How deep may the network with Xavier's weights and gain 1 be, if it shall still learn in 600 steps?
"""

# %% A signal goes through twenty layers, and its gradient comes back

import numpy as np

import tinygrad_nuc as tn
from tinygrad_nuc import nn, optim, plots
from tinygrad_nuc.utils.demo import Demo

demo = Demo("initialisation", __doc__, trains=True)
args = demo.arguments()

n, depth = 256, 20
x, end = tn.randn(100, n, dtype=tn.float64), tn.randn(100, n, dtype=tn.float64)


def sizes(start, f) -> tuple[np.ndarray, np.ndarray]:
    """⟨h²⟩ behind 0, 1, … layers, and ⟨g²⟩ of the gradient g = ∂L/∂h there; at the end it is random, of size 1."""
    h = [x.clone().requires_grad_()]
    for _ in range(depth):
        W = start(tn.zeros(n, n, dtype=tn.float64))
        h.append(f(h[-1] @ W.T))
    g = tn.grad((h[-1] * end).sum(), h)
    return np.array([(v.detach() ** 2).mean().item() for v in h]), np.array([(v ** 2).mean().item() for v in g])


def default(W: tn.Tensor) -> tn.Tensor:
    """PyTorch's: uniform in ±1/√n, which has a variance of 1/3n."""
    return nn.init.uniform_(W, -W.shape[1] ** -0.5, W.shape[1] ** -0.5)


starts = {"normal, σ = 1": (n, nn.init.normal_), "Kaiming": (2, nn.init.kaiming_normal_),       # n σ², and how
          "Xavier": (1, nn.init.xavier_normal_), "uniform ±1/√n": (1 / 3, default)}
relu = {name: sizes(start, tn.relu) for name, (_, start) in starts.items()}
for name, (signal, gradient) in relu.items():
    factor = starts[name][0] / 2
    found = [(signal[-1] / signal[0]) ** (1 / depth), (gradient[0] / gradient[-1]) ** (1 / depth)]
    demo.expect(f"ReLU, {name}: factors per layer of ⟨h²⟩ and ⟨g²⟩, beside n σ²/2", found, [factor, factor],
                within=0.1 * factor)

signal, gradient = sizes(nn.init.zeros_, tn.relu)
demo.expect("all weights 0: ⟨h²⟩ behind the first layer, ⟨g²⟩ before the last", [signal[1], gradient[-2]], [0, 0])
units = tn.relu(x @ nn.init.constant_(tn.zeros(n, n, dtype=tn.float64), 1 / n).T).round(decimals=12)
demo.expect(f"all weights equal: different units of {n}", max(len(np.unique(row)) for row in units.numpy()), 1)

# %% The vanishing gradient: the same formulas with other functions, and the mean over a normal z on a grid

grid = np.linspace(-8, 8, 4001)
share = np.exp(-grid ** 2 / 2) / np.exp(-grid ** 2 / 2).sum()


def theory(v: float, f) -> np.ndarray:
    """⟨g²⟩ behind 0, 1, … layers: ⟨z²⟩ = v ⟨h²⟩, and every layer is a factor v ⟨f′(z)²⟩, with v = n σ²."""
    h2, factors = 1.0, []
    for _ in range(depth):
        z = tn.tensor(np.sqrt(v * h2) * grid, requires_grad=True)
        value = f(z)
        factors.append(v * (share * tn.grad(value.sum(), z)[0].numpy() ** 2).sum())
        h2 = (share * value.detach().numpy() ** 2).sum()
    return np.cumprod([1.0, *factors[::-1]])[::-1]


vanishing = {}
for name, f, start in (("ReLU, Kaiming", tn.relu, "Kaiming"), ("tanh, Xavier", tn.tanh, "Xavier"),
                       ("logistic, Xavier", tn.sigmoid, "Xavier")):
    v, draw = starts[start]
    g, predicted = np.sqrt(sizes(draw, f)[1]), np.sqrt(theory(v, f))
    vanishing[name] = g, predicted
    demo.expect(f"{name}: factor per layer of the gradient", (g[0] / g[-1]) ** (1 / depth),
                predicted[0] ** (1 / depth), within=0.03)
demo.expect("logistic: largest factor of one layer", (g[:-1] / g[1:]).max(), at_most=0.25)

# %% The story: thirty layers of leaky ReLUs shall tell the inside of a circle from its outside

slope, deep, width = 0.01, 30, 32
many, steps, lr = (128, 100, 0.02) if args.quick else (256, 600, 0.01)
gain = nn.init.calculate_gain("leaky_relu", slope)
demo.expect("gain of a leaky ReLU with slope 0.01", gain, (2 / (1 + slope ** 2)) ** 0.5, within=1e-12)
points = tn.randn(many, 2)
inside = ((points ** 2).sum(1, keepdim=True) < 1.39).float()                            # about half of them
p = inside.mean().item()
guessing = -p * np.log(p) - (1 - p) * np.log(1 - p)                                     # the best without looking
losses = {}
for name, draw in {"uniform ±1/√n": default, "Xavier, gain 1": nn.init.xavier_uniform_,
                   f"Xavier, gain {gain:.2f}": lambda W: nn.init.xavier_uniform_(W, gain)}.items():
    hidden = [part for _ in range(deep - 1) for part in (nn.Linear(width, width), nn.LeakyReLU(slope))]
    model = nn.Sequential(nn.Linear(2, width), nn.LeakyReLU(slope), *hidden, nn.Linear(width, 1))
    for parameter, values in model.named_parameters():
        if parameter.endswith("weight"):
            draw(values)
        else:
            nn.init.zeros_(values)
    optimizer = optim.SGD(model.parameters(), lr)
    losses[name] = []
    for _ in range(steps):
        loss = nn.functional.binary_cross_entropy_with_logits(model(points), inside)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses[name].append(loss.item())
    accuracy = ((model(points) > 0) == (inside > 0)).float().mean().item()
    if draw in (default, nn.init.xavier_uniform_):
        demo.expect(f"{name}: loss at the end, no better than guessing", losses[name][-1], guessing, within=0.03)
    else:
        demo.expect(f"{name}: share of the points told right", accuracy, at_least=0.85 if args.quick else 0.97)

# %% Pictures

picture, axes = plots.grid(2, 6.2)
for ax, what, values in zip(axes, ("signal √⟨h²⟩", "gradient √⟨g²⟩"), zip(*relu.values(), strict=True), strict=True):
    for (name, (v, _)), measured, color in zip(starts.items(), values, (plots.ORANGE, plots.BLUE, *plots.PALETTE)):
        layers = np.arange(depth + 1)
        ax.plot(layers, np.sqrt(measured), "o", color=color, label=name)
        ax.plot(layers, (v / 2) ** (0.5 * (layers if what[0] == "s" else depth - layers)), "--", color=color)
    ax.set(yscale="log", ylim=(1e-10, 1e34), xticks=range(0, 21, 5))
    plots.finish(ax, "layer", what, "Layers of 256 ReLUs, dashed: theory", ncols=2, loc="upper center")
demo.save(picture, "schemes.png")

picture, (left, right) = plots.grid(2, 6.2)
for (name, (g, predicted)), color in zip(vanishing.items(), (plots.BLUE, plots.PALETTE[0], plots.ORANGE), strict=True):
    left.plot(g, "o", color=color, label=name)
    left.plot(predicted, "--", color=color)
left.set(yscale="log", xticks=range(0, 21, 5))
plots.finish(left, "layer", "gradient √⟨g²⟩", "Vanishing gradient, dashed: theory", loc="lower right")
looks = zip((plots.ORANGE, plots.PALETTE[-1], plots.BLUE), ("-", "--", "-"), strict=True)
for (name, path), (color, style) in zip(losses.items(), looks, strict=True):
    right.plot(path, style, color=color, linewidth=5 if color == plots.ORANGE else 2.5, label=name)
right.axhline(guessing, color="0.4", linestyle=":", label="guessing")
right.set(ylim=(0, 1.2))
plots.finish(right, "step of gradient descent", "mean cross-entropy", "Thirty layers of leaky ReLUs", ncols=2,
             loc="upper center")
demo.save(picture, "vanishing_gradient.png")

demo.finish()
