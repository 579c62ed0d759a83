"""Logistic regression: one neuron tells kaons from pions, in seven steps, and the units of its inputs (lectures 2–4).

    python demos/logistic_regression.py

Two inputs, three parameters: ŷ = 1 / (1 + exp(−(x₁w₁ + x₂w₂ + b))) is the probability of a kaon, for the mass² x₁
from the time of flight and the Cherenkov angle minus the one a pion would have, x₂. The loss is the binary
cross-entropy; ŷ = 1/2 on the straight line x₁w₁ + x₂w₂ + b = 0, the decision boundary.

What to see: the line, and that scikit-learn, which finds it in another way, gives the same three numbers. The loss is a
bowl, as in line_fit.py, and the larger its condition number (steepest over flattest direction), the more steps it
takes. Mass² spreads by 0.2 (GeV/c²)², the angle by 20 mrad: a long valley. Scaled min-max to [0, 1] the inputs are of
one size, but lie far from 0 compared with their spread, so that b and the weights pull together: the bowl is a hundred
times rounder, and still a valley. Standardised, (x − mean) / standard deviation, they are centred too: rounder by
another factor of a hundred. Mean, deviation, least and largest value are those of the training rows alone: the others
shall be new to everything that was learned.

Try next (answers in docs/exercises.md):
1. Give it all three of the detector's variables, features[:, [0, 1, 2]]. How many parameters? Is it better?
2. One training event is wrong: x_train[0, 0] = 1000. What does that do to each of the two ways to scale?
3. Start from w = (3, −3) instead of 0. Does it end at the same line? Would a network with a hidden layer?
"""

# %% Pions and kaons, half of them for training

import numpy as np
from sklearn.linear_model import LogisticRegression

import tinygrad_nuc as tn
from tinygrad_nuc import nn, plots
from tinygrad_nuc.simulation import CLASSES, VARIABLES, simulate
from tinygrad_nuc.utils.demo import Demo

demo = Demo("logistic_regression", __doc__, trains=True)
demo.option("--steps", type=int, default=300, help="of the race between the scalings (300)")
args = demo.arguments()

n = 250 if args.quick else 1000
features, labels = simulate(n, n, seed=args.seed)
x, y = features[:, [0, 2]], labels.astype(float)[:, None]
x_train, x_new, y_train, y_new = x[:n], x[n:], y[:n], y[n:]

mean, deviation = x_train.mean(axis=0), x_train.std(axis=0)
least, largest = x_train.min(axis=0), x_train.max(axis=0)
scalings = {"as they are": lambda x: x, "min-max": lambda x: (x - least) / (largest - least),
            "standardised": lambda x: (x - mean) / deviation}

# %% The seven steps


def curvatures(x):
    """Eigenvalues of XᵀX / 4m, with a column of ones for b: nowhere is the loss more curved than that."""
    X = np.column_stack([np.ones(len(x)), x])
    return np.linalg.eigvalsh(X.T @ X / (4 * len(x)))


def train(x, steps, smallest_gradient=0.0):
    """The model, and its loss at each step; the learning rate is a safe one, 1 / the largest curvature."""
    x, y = tn.tensor(x), tn.tensor(y_train)
    lr = 1 / curvatures(x.numpy())[-1]
    model = nn.Linear(x.shape[1], 1).double()
    for p in model.parameters():
        nn.init.zeros_(p)                                                   # 1. initialise
    losses = []
    for _ in range(steps):                                                  # 6. repeat 2 to 5
        z = model(x)                                                        # 2. predict: ŷ = σ(z)
        loss = nn.functional.binary_cross_entropy_with_logits(z, y)         # 3. the loss
        losses.append(loss.item())
        model.zero_grad()
        loss.backward()                                                     # 4. its gradient
        with tn.no_grad():
            for p in model.parameters():
                p -= lr * p.grad                                            # 5. a step against it
        if max(p.grad.abs().max().item() for p in model.parameters()) < smallest_gradient:
            break                                                           # 7. stop
    return model, losses


scale = scalings["standardised"]
model, losses = train(scale(x_train), 20_000, 1e-8)
summary = tn.summary(model, (1, x.shape[1]))
demo.say(f"{summary}\n\nstopped after {len(losses):,} steps, "
         + ("the most allowed" if len(losses) == 20_000 else "with the gradient below 1e-8"))
demo.expect("parameters of logistic regression with two inputs", summary.total_params, 3)

# %% The same three numbers from scikit-learn

theirs = LogisticRegression(C=np.inf, tol=1e-10, max_iter=10_000).fit(scale(x_train), y_train[:, 0])
ours = np.append(model.weight.numpy(), model.bias.numpy())
demo.expect("w₁, w₂, b, and scikit-learn's", ours, np.append(theirs.coef_, theirs.intercept_), within=5e-5)

z = model(tn.tensor(scale(x_new))).detach().numpy()
accuracy = ((z > 0) == y_new).mean()
demo.expect("accuracy for new events, and scikit-learn's", accuracy, theirs.score(scale(x_new), y_new[:, 0]))
demo.expect("accuracy for new events (guessing: 0.5; the best possible, with a third variable: 0.946)", accuracy,
            at_least=0.85)

# %% The race of the scalings

condition, curves = {}, {}
for name, scaled in scalings.items():
    smallest, *_, steepest = curvatures(scaled(x_train))
    condition[name] = steepest / smallest
    curves[name] = np.array(train(scaled(x_train), args.steps)[1]) - losses[-1]
    demo.say(f"inputs {name}: condition number {condition[name]:,.1f}, "
             f"loss above the lowest after {args.steps} steps: {curves[name][-1]:.1e}")
demo.expect("condition number: as they are, over standardised", condition["as they are"] / condition["standardised"],
            at_least=100)
demo.expect("condition number: min-max, over standardised", condition["min-max"] / condition["standardised"],
            at_least=10)
demo.expect("condition number, standardised", condition["standardised"], at_most=5)
demo.expect("loss above the lowest, standardised over as they are",
            curves["standardised"][-1] / curves["as they are"][-1], at_most=0.1)

# %% The picture: the line, and the race

picture, (left, right) = plots.grid(2, width=6.3, height=5.2)
low, high = np.quantile(x_train, [0.005, 0.995], axis=0)
high[1] += 10
plots.decision_boundary(lambda x: model((x.double() - tn.tensor(mean)) / tn.tensor(deviation)), x_train[:400],
                        y_train[:400], output="logit", classes=CLASSES, names=(VARIABLES[0], VARIABLES[2]), low=low,
                        high=high, ax=left)
for (name, curve), color in zip(curves.items(), ("0.4", plots.ORANGE, plots.BLUE), strict=True):
    right.plot(np.arange(1, args.steps + 1), curve, color=color, linewidth=3, label=f"inputs {name}")
right.set(yscale="log", xlim=(0, args.steps))
plots.finish(right, "step", "cross-entropy above its lowest value", "Standardised inputs are learned soonest")
demo.save(picture, "kaons.png")

demo.finish()
