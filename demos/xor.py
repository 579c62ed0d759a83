"""Exclusive or: the smallest problem that needs a hidden layer, and a page to follow its training by hand (lecture 1).

    python demos/xor.py                 # half a minute: pictures, an animation, and the page output/xor/xor.html
    python demos/xor.py --quick         # a few seconds: shorter training, no animation

Two inputs, two hidden units with tanh, one output with the logistic function: nine parameters. The loss is the mean of
(ŷ − y)² over the four cases.

What to see: from the start that the lecture suggests, all weights 1, the network stalls for ever, since its two
hidden units are equal and get equal gradients; from random numbers it often learns all four answers (with 12 of the
seeds 0 to 19). On the page one can follow every number of the first training steps with a pocket calculator: → is the
next step.
"""

from __future__ import annotations

import argparse
import functools
import sys
from pathlib import Path

import numpy as np

import tinygrad_nuc as tn
from tinygrad_nuc import nn, optim, plots
from tinygrad_nuc.inspect import Snapshots
from tinygrad_nuc.utils.command import Parser, Report, save_all_or_nothing

X = tn.tensor([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], dtype=tn.float64)
Y = tn.tensor([[0.0], [1.0], [1.0], [0.0]], dtype=tn.float64)

# %% 1. The network


def network() -> nn.Sequential:
    """2-2-1, from PyTorch's usual random start."""
    return nn.Sequential(nn.Linear(2, 2), nn.Tanh(), nn.Linear(2, 1), nn.Sigmoid()).double()


def all_ones(model: nn.Sequential) -> nn.Sequential:
    """The lecture's start: weights 1, biases 0."""
    for name, p in model.named_parameters():
        nn.init.constant_(p, 1.0 if name.endswith("weight") else 0.0)
    return model


# %% 2. Training

def train(model: nn.Sequential, epochs: int, lr: float, snapshots: Snapshots | None = None) -> list[float]:
    """Every epoch is one step on all four cases; the loss before each."""
    optimizer = optim.SGD(model.parameters(), lr=lr)
    losses = []
    for epoch in range(epochs):
        loss = nn.functional.mse_loss(model(X), Y)
        optimizer.zero_grad()
        loss.backward()
        losses.append(loss.item())
        if snapshots is not None and epoch % max(epochs // 40, 1) == 0:
            snapshots.take(model, epoch)
        optimizer.step()
    return losses


# %% 3. The first steps, one case at a time, to be followed by hand

def step_through(model: nn.Sequential, lr: float, path: Path) -> None:
    """Record one training step for each of the four cases, and write the page that plays them."""
    optimizer = optim.SGD(model.parameters(), lr=lr)
    with tn.inspect.record() as recording:
        for i in (1, 2, 3, 0):                  # (0, 1) first: of (0, 0) the first weights learn nothing
            x, y = X[i:i + 1], Y[i:i + 1]
            y_hat = model(x)
            loss = ((y_hat - y) ** 2).sum()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    tn.inspect.player(recording, path, title="Exclusive or: four training steps of a 2-2-1 network")


# %% 4. All of it

def run(args: argparse.Namespace, folder: Path) -> None:
    say = Report()
    tn.manual_seed(args.seed)
    start = network().state_dict()

    slide = all_ones(network())
    stalled = train(slide, args.epochs, args.lr)
    say(f"all weights 1:  loss {stalled[0]:.5f} → {stalled[-1]:.5f}, answers {answers(slide)}: the two hidden units "
        "stay equal")

    model, snapshots = network(), Snapshots()
    model.load_state_dict(start)
    losses = train(model, args.epochs, args.lr, snapshots)
    solved = bool(((model(X) > 0.5).numpy() == (Y.numpy() > 0.5)).all())
    say(f"random start {args.seed}: loss {losses[0]:.5f} → {losses[-1]:.5f}, answers {answers(model)}: "
        + ("all four are right" if solved else "not solved; from some starts it is not. Try another --seed"))

    draw_losses({"all weights 1": stalled, f"random start {args.seed}": losses}, folder / "losses.png")
    boundary = functools.partial(plots.decision_boundary, x=X, y=Y, output="probability", classes=("0", "1"),
                                 low=[-0.5, -0.5], high=[1.5, 1.5])
    boundary(model).image.figure.savefig(folder / "boundary.png")
    if not args.quick:
        film = plots.animate(functools.partial(boundary, resolution=80, colorbar=False), model, snapshots)
        film.save(folder / "training.gif")

    model.load_state_dict(start)
    step_through(model, args.lr, folder / "xor.html")
    x, y = X[1:2], Y[1:2]
    y_hat = model(x)
    loss = ((y_hat - y) ** 2).sum()
    tn.inspect.draw(loss).save(folder / "graph.svg")
    (folder / "report.txt").write_text(say.text, "utf-8")


def answers(model: nn.Sequential) -> str:
    """What the network says to 00, 01, 10 and 11."""
    return np.array2string(model(X).numpy().ravel(), precision=3, separator=", ")


def draw_losses(curves: dict[str, list[float]], path: Path) -> None:
    """Loss against epoch, for each start."""
    picture, (ax,) = plots.grid(1)
    for (name, losses), color in zip(curves.items(), ("#D55E00", "#0072B2"), strict=True):
        ax.plot(np.arange(len(losses)), losses, label=name, color=color, linewidth=2)
    ax.set_yscale("log")
    ax.set_xlabel("epoch", fontsize=13)
    ax.set_ylabel("mean of (ŷ − y)²", fontsize=13)
    ax.set_title("Exclusive or, from two starts", fontsize=14)
    ax.legend(fontsize=12)
    picture.savefig(path)


def arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = Parser(description=__doc__)
    parser.add_argument("--epochs", type=int, help="training steps on all four cases (10,000; 3,000 with --quick)")
    parser.add_argument("--lr", type=float, help="learning rate (0.1; 0.5 with --quick)")
    parser.add_argument("--seed", type=int, default=8)
    parser.add_argument("--output", type=Path, default=Path("output/xor"), metavar="FOLDER")
    parser.add_argument("--quick", action="store_true",
                        help="shorter training with a larger learning rate, no animation")
    args = parser.parse_args(argv)
    args.epochs = (3_000 if args.quick else 10_000) if args.epochs is None else args.epochs
    args.lr = (0.5 if args.quick else 0.1) if args.lr is None else args.lr
    if args.epochs < 1:
        parser.error(f"--epochs must be at least 1, not {args.epochs}")
    return args


def main(argv: list[str] | None = None) -> int:
    args = arguments(argv)
    status = save_all_or_nothing(args.output, lambda folder: run(args, folder), args.debug)
    if status == 0:
        print(f"open {args.output / 'xor.html'} in a browser, and press → for the next step")
    return status


if __name__ == "__main__":
    sys.exit(main())
