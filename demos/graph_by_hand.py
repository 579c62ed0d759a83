"""Derivatives by hand and by the engine: the graph of ŷ = x₁w₁ + x₂w₂, and the nine of a network (lectures 1 and 3).

    python demos/graph_by_hand.py       # open output/graph_by_hand/steps.html in a browser: → is the next step

A computation is a graph: values flow forward, and derivatives flow back. Each edge carries one factor, and the chain
rule multiplies them along the way, here with q₁ = x₁w₁, q₂ = x₂w₂, ŷ = q₁ + q₂ and J = (ŷ − y)²:
∂J/∂w₁ = ∂J/∂ŷ · ∂ŷ/∂q₁ · ∂q₁/∂w₁ = 2(ŷ − y) · 1 · x₁.

What to see: three ways to a derivative agree: by hand, by the difference (J(w + h) − J(w − h)) / 2h, and by the
engine. So do they for the network that shall learn "exclusive or": two inputs, two hidden units with tanh, one output
with the logistic function, L = ¼ Σ (y − ŷ)².

One sign is easily lost. The slides of lecture 1 write 2(y − ŷ) for the derivative of (y − ŷ)²; it should be −2(y − ŷ),
since ŷ enters with a minus. Taken literally, training climbs instead of descending: from all weights 1 to a loss of
0.50, where every answer is 1, and from many random starts to 0.75, where three of four answers are wrong. There all
answers are near 0 or 1, where the logistic function is flat: no gradient is left to climb on.

Try next (answers in docs/exercises.md):
1. Let both inputs share one weight: w2 = w1. What is its gradient, and in which step of the trace does it arise?
2. Change h from 1e-5 to 1e-1 and to 1e-13. Why is neither better?
3. Turn the sign of the hidden layer's gradients alone, as if only the second slide were wrong. Does the loss tell?
"""

# %% The graph of lecture 3, with numbers on it

import numpy as np

import tinygrad_nuc as tn
from tinygrad_nuc import plots
from tinygrad_nuc.utils.demo import Demo

demo = Demo("graph_by_hand", __doc__)
demo.option("--epochs", type=int, default=10_000, help="of the training with the right and the lost sign (10,000)")
args = demo.arguments()

x, w, target = np.array([2.0, -1.0]), np.array([0.5, 1.5]), 1.0
x1, x2, y = (tn.tensor(value, dtype=tn.float64) for value in (*x, target))
w1, w2 = (tn.tensor(value, dtype=tn.float64, requires_grad=True) for value in w)

with tn.inspect.record() as recording:
    q1 = x1 * w1
    q2 = x2 * w2
    y_hat = q1 + q2
    J = (y_hat - y) ** 2
    J.backward()

demo.say(str(tn.inspect.trace(recording)) + "\n")
tn.inspect.player(recording, demo.path("steps.html"), title="ŷ = x₁w₁ + x₂w₂, forward and back")
tn.inspect.draw(recording).save(demo.path("graph.svg"))
picture, (ax,) = plots.grid(1, width=10, height=8)
plots.computational_graph(recording, ax=ax)
ax.set_title("ŷ = x₁w₁ + x₂w₂, J = (ŷ − y)²: values in blue, gradients ∇ in brown", fontsize=15)
demo.save(picture, "graph.png")

# %% Three ways to ∂J/∂w

dJ_dy_hat = 2 * (x[0] * w[0] + x[1] * w[1] - target)        # 2(ŷ − y)
by_hand = [dJ_dy_hat * 1 * x[0], dJ_dy_hat * 1 * x[1]]      # · ∂ŷ/∂q · ∂q/∂w


def difference(f, w, h=1e-5):
    """(f(w + h) − f(w − h)) / 2h, for one number of `w` after the other."""
    slopes = np.empty_like(w)
    for i in np.ndindex(w.shape):
        step = np.zeros_like(w)
        step[i] = h
        slopes[i] = (f(w + step) - f(w - step)) / (2 * h)
    return slopes


measured = difference(lambda w: (x @ w - target) ** 2, w)
demo.expect("∂J/∂w₁ and ∂J/∂w₂ by the engine, and by hand", [w1.grad.item(), w2.grad.item()], by_hand)
demo.expect("∂J/∂w₁ and ∂J/∂w₂ by differences, and by hand", measured, by_hand, within=1e-8)

# %% The nine parameters of lecture 1

X = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
Y = np.array([[0.0], [1.0], [1.0], [0.0]])                  # exclusive or


def loss_and_gradients(W, b, v, c):
    """By hand: h = tanh(XW + b), ŷ = σ(hv + c), L = ¼ Σ (Y − ŷ)². Or of many networks, one behind the other.

    `.mT` is the transpose of the last two dimensions, those of each network's matrices.
    """
    h = np.tanh(X @ W + b)
    y_hat = 1 / (1 + np.exp(-(h @ v + c)))
    L = ((Y - y_hat) ** 2).sum((-2, -1)) / 4
    dL_dz = 1 / 4 * -2 * (Y - y_hat) * y_hat * (1 - y_hat)  # σ′ = σ(1 − σ)
    dL_da = dL_dz @ v.mT * (1 - h ** 2)                     # tanh′ = 1 − tanh²
    return L, [X.T @ dL_da, dL_da.sum(-2, keepdims=True), h.mT @ dL_dz, dL_dz.sum(-2, keepdims=True)]


def flat(parts):
    return np.concatenate([np.ravel(part) for part in parts])


def parted(nine):
    return nine[:4].reshape(2, 2), nine[4:6].reshape(1, 2), nine[6:8].reshape(2, 1), nine[8:].reshape(1, 1)


nine = np.random.default_rng(args.seed).normal(size=9)
W, b, v, c = (tn.tensor(part, requires_grad=True) for part in parted(nine))
L = ((tn.tensor(Y) - tn.sigmoid(tn.tanh(tn.tensor(X) @ W + b) @ v + c)) ** 2).sum() / 4
L.backward()

by_hand = flat(loss_and_gradients(*parted(nine))[1])
by_engine = flat([p.grad.numpy() for p in (W, b, v, c)])
measured = difference(lambda nine: loss_and_gradients(*parted(nine))[0], nine)
demo.say("\n∂L/∂          by hand      difference          engine")
for name, *three in zip("W₀₀ W₀₁ W₁₀ W₁₁ b₀ b₁ v₀ v₁ c".split(), by_hand, measured, by_engine, strict=True):
    demo.say(f"{name:5}" + "".join(f"{number:16.12f}" for number in three))
demo.expect("largest difference between hand and engine", abs(by_hand - by_engine).max(), at_most=1e-12)
demo.expect("largest difference between hand and differences", abs(by_hand - measured).max(), at_most=1e-9)

# %% The lost sign


def train(parameters, sign, lr=0.1):
    """The loss at each step of θ ← θ − lr · sign · ∂L/∂θ: sign 1 is right, −1 takes the slide literally."""
    losses = []
    for _ in range(args.epochs + 1):
        L, gradients = loss_and_gradients(*parameters)
        losses.append(L)
        parameters = [p - lr * sign * g for p, g in zip(parameters, gradients, strict=True)]
    return np.array(losses)


ones = np.ones((2, 2)), np.zeros((1, 2)), np.ones((2, 1)), np.zeros((1, 1))
starts = 20 if args.quick else 200
rng = np.random.default_rng(args.seed)
random = [rng.normal(size=(starts, 2, 2)), np.zeros((starts, 1, 2)),
          rng.normal(size=(starts, 2, 1)), np.zeros((starts, 1, 1))]
right, literal, climbs = train(ones, 1), train(ones, -1), train(random, -1)
share = np.mean(climbs[-1] > 0.7)
demo.say(f"\nWith the lost sign, {share:.0%} of {starts} random starts climb to 0.75, the others to 0.50.")
demo.expect("all weights 1: loss before training", right[0], 0.26907, within=5e-6)
demo.expect("all weights 1, right sign: loss at the end", right[-1], 0.16833, within=5e-6)
demo.expect("all weights 1, lost sign: loss at the end", literal[-1], 0.5, within=1e-3)
demo.expect("lost sign: largest distance of a random start's last loss from 0.50 or 0.75",
            np.abs(climbs[-1][:, None] - [0.50, 0.75]).min(axis=1).max(), at_most=0.01)
demo.expect("lost sign: share of the random starts that end at 0.75", share, at_least=0.2)

# %% The picture: down, and up

picture, (ax,) = plots.grid(1, width=8)
epochs = np.arange(1, args.epochs + 2)
ax.plot(epochs, climbs[:, :12], color="0.75", linewidth=1.5, label=["lost sign, 12 random starts", *[""] * 11])
ax.plot(epochs, literal, color=plots.ORANGE, linewidth=3, label="lost sign, all weights 1")
ax.plot(epochs, right, color=plots.BLUE, linewidth=3, label="right sign, all weights 1")
ax.set(xscale="log", xlim=(1, args.epochs), ylim=(0, 1), yticks=[0, 0.25, 0.5, 0.75, 1])
plots.finish(ax, "epoch", "loss ¼ Σ (y − ŷ)²", "One sign decides whether training learns", loc="upper left")
demo.save(picture, "sign.png")

demo.finish()
