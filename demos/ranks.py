"""Many computers, one network: every rank learns from its share of the data (lecture 1: distributed training).

    python demos/ranks.py                                       # four ranks, played one after the other by one process
    mpiexec -n 4 python -m mpi4py demos/ranks.py --mpi          # four processes, with the extra "ranks"

A rank is one of several processes, called by its number. Each has the same network, and its own part of every batch.
It computes the gradient on its part; the ranks add up their gradients and divide by their number (an "all-reduce"),
and everyone takes the same step. The loss is a mean, so the mean of the ranks' gradients, of parts of equal size,
*is* the gradient of the whole batch:

    ∇L = 1/R Σ ∇L_r,   L_r the mean over the m/R events of rank r.

What to see: many ranks end with the weights that one alone would have, up to the order in which numbers are added. What
travels is as large as the network, however large the batch: the larger the part of each rank, the less of its time
should go into waiting for the others (which is not measured here).

Try next (answers in docs/exercises.md):
1. Give the ranks parts of different size, without weights. What is learned then?
2. Let everyone start from weights of their own. Does it still work?
3. Eight times as many ranks with the same part each make a batch eight times as large. What else has to change?
"""

# %% Who am I, and how many are we?

import sys

import numpy as np

import tinygrad_nuc as tn
from tinygrad_nuc import nn, optim, plots
from tinygrad_nuc.simulation import simulate
from tinygrad_nuc.utils.demo import Demo

demo = Demo("ranks", __doc__)
demo.option("--mpi", action="store_true", help="one process for each rank, started by mpiexec")
if "--mpi" in sys.argv:                                     # asked here, since only the first rank reads the command
    from mpi4py import MPI
    everyone = MPI.COMM_WORLD
    here, ranks = [everyone.rank], everyone.size            # this process is one of the ranks
else:
    everyone, here, ranks = None, [0, 1, 2, 3], 4           # this process plays them all
first = 0 in here
args = demo.arguments() if first else None                  # the first rank speaks for all
if everyone:
    args = everyone.bcast(args)

# %% The data and the network, the same everywhere

part, steps = 64, 100 if args.quick else 1000               # events of one rank in one batch
x, y = simulate(20_000, 20_000, seed=args.seed)
x = tn.tensor((x - x.mean(0)) / x.std(0))                   # float64: differences are to be tiny
y = tn.tensor(y[:, None].astype(float))
loss_of = nn.BCEWithLogitsLoss()


def start() -> tuple[nn.Module, optim.Optimizer]:
    """A network and its optimizer; the same seed makes the same weights on all ranks."""
    tn.manual_seed(args.seed)
    model = nn.Sequential(nn.Linear(3, 32), nn.ReLU(), nn.Linear(32, 1)).double()
    return model, optim.Adam(model.parameters(), lr=3e-3)


batches = np.random.default_rng(args.seed).integers(0, len(x), (steps, ranks, part))        # which events, for whom

# %% Many ranks

model, optimizer = start()
losses = []
for batch in batches:
    optimizer.zero_grad()
    loss = 0.0
    for rank in here:
        L_r = loss_of(model(x[batch[rank]]), y[batch[rank]])
        L_r.backward()                                      # adds to .grad what is there from other ranks
        loss += L_r.item()
    for p in model.parameters():
        if everyone:
            everyone.Allreduce(MPI.IN_PLACE, p.grad.data)   # the sum of all ranks' gradients, for everyone
        p.grad.data /= ranks
    optimizer.step()
    losses.append((everyone.allreduce(loss) if everyone else loss) / ranks)

# %% One alone, with the whole batch

alone, optimizer = start()
alone_losses = []
for batch in batches:
    whole = batch.ravel()
    L = loss_of(alone(x[whole]), y[whole])
    optimizer.zero_grad()
    L.backward()
    optimizer.step()
    alone_losses.append(L.item())

difference = max((p - q).abs().max().item() for p, q in zip(model.parameters(), alone.parameters(), strict=True))
if everyone:
    difference = max(everyone.allgather(difference))        # the furthest of all
if not first:
    sys.exit()                                              # the first rank tells the result
size = sum(p.numel() for p in model.parameters())
demo.say(f"{ranks} ranks, {part} events each in a batch, {steps:,} steps: the loss falls from {losses[0]:.3f} to "
         f"{np.mean(losses[-50:]):.3f}")
demo.say(f"Each step, {size} gradients of 8 bytes travel: {size * 8:,} bytes, whatever the batch")
demo.expect("largest difference between the weights of many ranks and of one alone", difference, at_most=1e-10)
demo.expect("largest difference between their losses", np.abs(np.subtract(losses, alone_losses)).max(), at_most=1e-10)

# %% The picture

picture, (ax,) = plots.grid(1, width=8)
ax.plot(alone_losses, color=plots.ORANGE, linewidth=4, alpha=0.5, label=f"one alone, batches of {ranks * part}")
ax.plot(losses, color=plots.BLUE, linewidth=1.2, label=f"{ranks} ranks, {part} events each")
plots.finish(ax, "step", "binary cross-entropy", "Many ranks learn what one alone would")
demo.save(picture, "losses.png")

demo.finish()
