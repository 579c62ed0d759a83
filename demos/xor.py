"""Exclusive or: the smallest problem that needs a hidden layer, and where its weights may start (lectures 1 and 3).

    python demos/xor.py                 # under a minute: pictures, an animation, and the page output/xor/xor.html
    python demos/xor.py --quick         # a few seconds: fewer and larger steps, fewer starts, no animation

Two inputs, two hidden units, one output: ŷ = σ(v·h + c) with h = tanh(W x + b), nine parameters. The loss is the mean
of (ŷ − y)² over the four cases.

What to see: from the start on the slide, all weights 1, this network can never learn, and the slide's curve must be
that of another start. The two hidden units are equal, get equal gradients, and stay equal for ever: two units do the
work of one. That answers "what if all weights start equal?" of lecture 3. Random numbers break the symmetry, but are
no guarantee: of 1,000 networks of four kinds each, 55 % to 87 % learn all four answers, by kind. The others end on a
plateau, where the network gives the same answer to two cases that need 0 and 1, or to three that need 0, 1 and 1: the
best are the means 1/2 and 2/3, with losses of 1/8 and 1/6. On the page one can follow every number of the first
training steps with a pocket calculator: → is the next step.

Try next (answers in docs/exercises.md):
1. Start with all weights 1, but for one hidden weight: 1.01, then 0, then −1. When does it learn?
2. Try --lr 5 --epochs 200 and --lr 50 --epochs 20: as far in all. Where does it stop being the same training?
3. Give the batched network three or eight hidden units. How many of the starts fail then?
"""

# %% The four cases, and a network of nine parameters

import functools

import numpy as np

import tinygrad_nuc as tn
from tinygrad_nuc import nn, optim, plots
from tinygrad_nuc.inspect import Snapshots
from tinygrad_nuc.utils.demo import Demo

demo = Demo("xor", __doc__, seed=8, trains=True)                        # a start that learns; not every seed is one
demo.option("--epochs", type=int, help="training steps on all four cases (10,000; 2,000 with --quick)")
demo.option("--lr", type=float, help="learning rate (0.1; 0.5 with --quick: fewer steps, as far in all)")
args = demo.arguments()
epochs, lr = (2_000, 0.5) if args.quick else (10_000, 0.1)
args.epochs, args.lr = epochs if args.epochs is None else args.epochs, lr if args.lr is None else args.lr
if args.epochs < 1:
    raise ValueError(f"--epochs must be at least 1, not {args.epochs}")

X = tn.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], dtype=tn.float64)
Y = tn.tensor([[0.0], [1.0], [1.0], [0.0]], dtype=tn.float64)


def network() -> nn.Sequential:
    """2-2-1, from PyTorch's usual random start."""
    return nn.Sequential(nn.Linear(2, 2), nn.Tanh(), nn.Linear(2, 1), nn.Sigmoid()).double()


# %% Training: every epoch is one step on all four cases

def train(model: nn.Sequential, epochs: int, lr: float, snapshots: Snapshots) -> list[float]:
    """The loss before each epoch."""
    optimizer = optim.SGD(model.parameters(), lr=lr)
    losses = []
    for epoch in range(epochs):
        loss = nn.functional.mse_loss(model(X), Y)
        optimizer.zero_grad()
        loss.backward()
        losses.append(loss.item())
        if epoch % max(epochs // 40, 1) == 0:
            snapshots.take(model, f"epoch {epoch:,}")
        optimizer.step()
    return losses


model, slide, film = network(), network(), Snapshots()
for name, p in slide.named_parameters():                                # the slide's start: weights 1, biases 0
    nn.init.constant_(p, 1.0 if name.endswith("weight") else 0.0)
curves = {"all weights 1": train(slide, args.epochs, args.lr, Snapshots()),
          f"random start {args.seed}": train(model, args.epochs, args.lr, film)}
answers = {"all weights 1": slide(X).numpy().ravel(), f"random start {args.seed}": model(X).numpy().ravel()}
for name, losses in curves.items():
    right = int(((answers[name] > 0.5) == (Y.numpy().ravel() > 0.5)).sum())
    demo.say(f"{name}: loss {losses[0]:.5f} → {losses[-1]:.5f}, {right} of 4 answers right: {answers[name].round(3)}")

# %% Many starts at once: the first dimension counts networks, which share no weight, so one sum of losses trains all

starts = 250 if args.quick else 1000
uniform = functools.partial(nn.init.uniform_, a=-1.0, b=1.0)
schemes = {"normal": nn.init.normal_, "uniform ±1": uniform, "uniform 0 to 1": nn.init.uniform_,
           "Glorot uniform": lambda w: uniform(w) * (6 / (w.shape[1] + w.shape[2])) ** 0.5}      # √(6 / (in + out))
W, v = (tn.cat([draw(tn.zeros(starts, 2, units)) for draw in schemes.values()]).requires_grad_() for units in (2, 1))
b, c = (tn.zeros(len(W), 1, units, requires_grad=True) for units in (2, 1))
optimizer = optim.SGD([W, b, v, c], lr=args.lr)
x, y = X.float(), Y.float()
for _ in range(args.epochs):
    y_hats = tn.sigmoid(tn.tanh(x @ W + b) @ v + c)                     # shape (networks, 4, 1)
    optimizer.zero_grad()
    ((y_hats - y) ** 2).mean((1, 2)).sum().backward()
    optimizer.step()

ends = ((y_hats - y) ** 2).mean((1, 2)).detach().numpy().reshape(len(schemes), starts)
solved = ((y_hats > 0.5) == (y > 0.5)).all((1, 2)).numpy().reshape(len(schemes), starts)
demo.say(f"{starts} starts of each kind, {args.epochs:,} epochs with learning rate {args.lr:g}, biases from 0")

# %% Beside the numbers of the lecture, which belong to training as long as its own

# The expected shares are those of 1,000 starts, too: almost 3 standard deviations of the difference
plateaus, tolerance = np.array([0.126, 0.168]), 0.1 if args.quick else 0.06
if args.epochs * args.lr == 1000:
    demo.expect("all weights 1: loss before and after", [curves["all weights 1"][i] for i in (0, -1)],
                [0.26907, 0.16833], within=1e-5)
    demo.expect("all weights 1: answers", answers["all weights 1"], [0.042, 0.665, 0.665, 0.669], within=6e-4)
    for name, learned, expected in zip(schemes, solved, (0.55, 0.64, 0.85, 0.60), strict=True):
        demo.expect(f"share of the starts “{name}” that learn", learned.mean(), expected, within=tolerance)
    if solved.any():
        demo.expect("loss at the end of a run that learned, median", np.median(ends[solved]), 0.0012, within=1e-4)
    away = np.abs(ends[~solved, None] - plateaus).min(axis=1)
    demo.expect("share of the other runs whose loss is 0.126 or 0.168 (± 0.002)", np.mean(away < 0.002), at_least=0.9)
else:
    demo.say("The lecture's numbers belong to learning rate · epochs = 1,000, so nothing is compared with them")

# %% Pictures: losses and shares, the two answers in the plane, and training as a film

picture, (left, right) = plots.grid(2, 6.2)
for (name, losses), color in zip(curves.items(), (plots.ORANGE, plots.BLUE), strict=True):
    left.plot(losses, label=name, color=color, linewidth=2.5)
left.set_yscale("log")
plots.finish(left, "epoch", "mean of (ŷ − y)²", "Exclusive or, from two starts")
sixth = ~solved & (ends > plateaus.mean())
kinds = {"learned": (solved, plots.BLUE), "loss 1/8": (~solved & ~sixth, "#E69F00"), "loss 1/6": (sixth, plots.ORANGE)}
begin = np.zeros(len(schemes))
for name, (which, color) in kinds.items():
    share = 100 * which.mean(axis=1)
    right.barh(list(schemes), share, left=begin, color=color, edgecolor="white", label=name)
    begin += share
right.set(xlim=(0, 100), ylim=(-0.5, 4.3))                              # with room for the legend
plots.finish(right, "share of the starts [%]", "first weights", f"What becomes of {starts:,} starts", ncols=3,
             loc="upper center")
demo.save(picture, "losses.png")

boundary = functools.partial(plots.decision_boundary, x=X, y=Y, output="probability", classes=("0", "1"),
                             low=[-0.5, -0.5], high=[1.5, 1.5])
demo.save(boundary(model).image, "boundary.png")
if not args.quick:
    frame = functools.partial(boundary, resolution=80, colorbar=False)
    plots.animate(frame, model, film).save(demo.path("training.gif"))

# %% The graph, and the page: a step for each case, (0, 1) first, since of (0, 0) the first weights learn nothing

model.load_state_dict(film[0])
y_hat = model(X[1:2])
loss = ((y_hat - Y[1:2]) ** 2).sum()
tn.inspect.draw(loss).save(demo.path("graph.svg"))
optimizer = optim.SGD(model.parameters(), lr=args.lr)
with tn.inspect.record() as recording:
    for i in (1, 2, 3, 0):
        x, y = X[i:i + 1], Y[i:i + 1]
        y_hat = model(x)
        loss = ((y_hat - y) ** 2).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
tn.inspect.player(recording, demo.path("xor.html"), title="Exclusive or: four training steps of a 2-2-1 network")

demo.finish()
print(f"open {args.output / 'xor.html'} in a browser, and press → for the next step")
