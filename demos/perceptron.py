"""The perceptron of 1958: one neuron that learns from its mistakes, and what it can never learn (lecture 2).

    python demos/perceptron.py

The neuron says 1 where w·x > 0, and 0 elsewhere, on the line too. After each wrong answer, and only then, its weights
change: w ← w + r (d − y) x, with the right answer d and the learning rate r. The first input is always 1, so that the
line w·x = 0 need not go through the origin (the slide has a bias b for that, but its rule does not change it; it
should).

What to see: "and" is learned after ten mistakes, for good. "Exclusive or" never is: no straight line parts its
answers, and the weights walk in a circle, each round from line to line to line to line. More layers do not help as
long as they are only linear: two of them are one. What helps is a bend between them, see xor.py.

Try next (answers in docs/exercises.md):
1. Teach it "or", and "not both". Which of the 16 functions of two inputs can it learn?
2. Change r from 1 to 0.01. Why is the number of mistakes the same?
3. Leave out the constant input. What happens to "and"?
"""

# %% Two tables of right answers

import numpy as np

import tinygrad_nuc as tn
from tinygrad_nuc import nn, plots
from tinygrad_nuc.utils.demo import Demo

demo = Demo("perceptron", __doc__)
demo.option("--rounds", type=int, default=1000, help="most passes through the four cases (1,000)")
args = demo.arguments()

x = np.array([[1, 0, 0], [1, 0, 1], [1, 1, 0], [1, 1, 1]])          # x₀ = 1
answers = {"and": np.array([0, 0, 0, 1]), "exclusive or": np.array([0, 1, 1, 0])}

# %% The rule

def learn(d: np.ndarray, r: float = 1.0) -> list[np.ndarray]:
    """The weights from the start to the last change; they end with a round without a mistake, or with patience."""
    w = np.zeros(3)
    path = [w]
    for _ in range(args.rounds):
        mistakes = 0
        for x_i, d_i in zip(x, d, strict=True):
            y_i = int(w @ x_i > 0)
            if y_i != d_i:
                w = w + r * (d_i - y_i) * x_i
                path.append(w)
                mistakes += 1
        if mistakes == 0:
            break
    return path


paths = {name: learn(d) for name, d in answers.items()}
for name, path in paths.items():
    right = int(((x @ path[-1] > 0) == answers[name]).sum())
    demo.say(f"{name}: {len(path) - 1:,} changes, then w = {path[-1]}, {right} of 4 answers are right")

w = paths["and"][-1]
demo.expect("answers to 00, 01, 10 and 11 after learning “and”", (x @ w > 0).astype(int), [0, 0, 0, 1])
demo.expect("changes until “and” is learned", len(paths["and"]) - 1, 10)
circle = paths["exclusive or"][-5:]
demo.expect("“exclusive or”: change of w in the last round, of four changes", circle[-1] - circle[0], [0, 0, 0])

# %% Two linear layers are one

first, second = nn.Linear(3, 5).double(), nn.Linear(5, 2).double()
one = nn.Linear(3, 2).double()
with tn.no_grad():
    one.weight.copy_(second.weight @ first.weight)                          # S′ = W₂ (W₁ S + b₁) + b₂
    one.bias.copy_(second.weight @ first.bias + second.bias)
    points = tn.randn(1000, 3, dtype=tn.float64)
    difference = (second(first(points)) - one(points)).abs().max().item()
demo.expect("largest difference between two linear layers and their product", difference, at_most=1e-12)

# %% The picture: the last line of each, and those between which “exclusive or” goes round

picture, axes = plots.grid(len(answers), width=5.6, height=5.2, columns=2)
for ax, (name, d) in zip(axes, answers.items(), strict=True):
    w = paths[name][-1]
    ground = np.linspace(-0.5, 1.5, 300)
    x1, x2 = np.meshgrid(ground, ground)
    ax.contourf(x1, x2, w[0] + w[1] * x1 + w[2] * x2 > 0, levels=[-0.5, 0.5, 1.5], colors=["#CFE3F2", "#F7D9C4"])
    for value, color, marker in ((0, plots.BLUE, "o"), (1, plots.ORANGE, "s")):
        ax.scatter(*x[d == value, 1:].T, s=180, color=color, marker=marker, edgecolor="white", label=f"answer {value}")
    if name == "exclusive or":                                              # and the other lines of the last round
        for other in circle[1:-1]:
            ax.contour(x1, x2, other[0] + other[1] * x1 + other[2] * x2, levels=[0], colors="0.35", linestyles="--")
    ax.set(aspect="equal", xticks=[0, 1], yticks=[0, 1])
    plots.finish(ax, "x₁", "x₂", f"“{name}” after {len(paths[name]) - 1:,} changes", loc="upper right")
demo.save(picture, "lines.png")

demo.finish()
