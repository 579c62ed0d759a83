"""A network too large for its events, and four remedies (lectures 1, 2, 3: early stopping, dropout, learning curves).

    python demos/regularisation.py

A network of 17,153 parameters learns to tell kaons from pions from 300 events. It can learn them by heart, noise and
all. The validation loss, of events that it is not trained on, tells when that begins. What helps:

    early stopping   keep the weights of the epoch with the least validation loss
    dropout          in training, each hidden unit is 0 with probability p (here 0.5), and else divided by 1 − p
    weight decay     θ ← θ − η λ θ in each step (η = 0.003, λ = 1): weights that the loss does not need fade away
    more events      there is less noise to learn

What to see: the training loss falls on and on. The validation loss turns after a few epochs: from there the network
grows surer and surer, also where it is wrong. Each remedy gives a lower test loss; none goes below that of the ideal
classifier, which is known here. (The training loss with dropout is that of a network of which half is off. And lecture
1 stops where the gap between the two losses is least. It is least before any training: what should be least is the
validation loss itself.)

Try next (answers in docs/exercises.md):
1. Train on 3,000 events for as many epochs (--events 3000). Are the remedies still needed?
2. Make the network small, 3-4-1. Does it overfit as well?
3. Try dropout with p = 0.9, and weight decay with λ = 30. Can there be too much?
"""

# %% Events to learn from, to validate with, and to judge by

import numpy as np

import tinygrad_nuc as tn
from tinygrad_nuc import nn, optim, plots
from tinygrad_nuc.simulation import log_likelihood_ratio, simulate
from tinygrad_nuc.training import EarlyStopping, Trainer, accuracy
from tinygrad_nuc.utils.data import DataLoader, TensorDataset
from tinygrad_nuc.utils.demo import Demo

demo = Demo("regularisation", __doc__, trains=True)
demo.option("--events", type=int, default=300, help="events to train on (300)")
args = demo.arguments()
if args.events < 100:
    demo.parser.error(f"--events must be at least 100, not {args.events}")
epochs = 40 if args.quick else 100

rng = np.random.default_rng(args.seed)
x, d = simulate(5 * args.events, 5 * args.events, seed=rng)                 # ten times as many, for the last remedy
few = slice(args.events)
mean, width = x[few].mean(axis=0), x[few].std(axis=0)


def loader(x, d, **how):
    """Batches of events, with inputs of mean 0 and width 1."""
    return DataLoader(TensorDataset(tn.tensor((x - mean) / width).float(), tn.tensor(d[:, None]).float()), **how)


validation = loader(*simulate(2_000, 2_000, seed=rng), batch_size=4_000)
x_test, d_test = simulate(10_000, 10_000, seed=rng)
test = loader(x_test, d_test, batch_size=20_000)
loss_of = nn.BCEWithLogitsLoss()
ideal_loss = loss_of(tn.tensor(log_likelihood_ratio(x_test)), tn.tensor(d_test).double()).item()

# %% The same network, the same start, with one remedy each

def train(name, dropout=0.0, weight_decay=0.0, events=few, epochs=epochs, callbacks=()):
    """A trainer after the training; of the last epoch's weights, unless a callback brings back others."""
    tn.manual_seed(args.seed)
    model = nn.Sequential(nn.Linear(3, 128), nn.ReLU(), nn.Dropout(dropout),
                          nn.Linear(128, 128), nn.ReLU(), nn.Dropout(dropout), nn.Linear(128, 1))
    optimizer = optim.AdamW(model.parameters(), lr=3e-3, weight_decay=weight_decay)
    trainer = Trainer(model, loss_of, optimizer, metrics={"accuracy": accuracy}, callbacks=callbacks, progress=False)
    trainer.fit(loader(x[events], d[events], batch_size=32, shuffle=True), validation, epochs=epochs)
    found[name] = trainer.evaluate(test)
    demo.say(f"{name:15} {len(trainer.history):3} epochs, last training loss {trainer.history['train_loss'][-1]:.3f}, "
             f"test loss {found[name]['loss']:.3f}, accuracy {found[name]['accuracy']:.4f}")
    return trainer


found = {}
stopping = EarlyStopping(patience=epochs * 2 // 3)                          # long, to see what comes after the best
runs = {
    "no remedy": train("no remedy"),
    "early stopping": train("early stopping", callbacks=[stopping]),
    "dropout": train("dropout", dropout=0.5),
    "weight decay": train("weight decay", weight_decay=1.0),
    "ten times the events": train("ten times the events", events=slice(None), epochs=epochs // 10),     # as many steps
}
demo.say(f"the best there can be: test loss {ideal_loss:.3f}")
parameters = sum(p.numel() for p in runs["no remedy"].model.parameters())
demo.expect("parameters", parameters, 3 * 128 + 128 + 128 * 128 + 128 + 128 + 1)
measured = runs["no remedy"].history["validation_loss"]
demo.expect("no remedy: last validation loss over the least", measured[-1] / min(measured), at_least=1.05)
for name in list(runs)[1:]:
    demo.expect(f"{name}: test loss over that without remedy", found[name]["loss"] / found["no remedy"]["loss"],
                at_most=1)
demo.expect("lowest test loss over the ideal one", min(f["loss"] for f in found.values()) / ideal_loss, at_least=0.98)

# %% Pictures

picture, (left, right) = plots.grid(2, width=6.2, height=5.2)
plots.learning_curve(runs["early stopping"].history, "cross-entropy", early_stopping=stopping, ax=left)
colors = (plots.ORANGE, plots.BLUE, *plots.PALETTE[:3])
for (name, trainer), color in zip(runs.items(), colors, strict=True):
    events = 10 * args.events if name == "ten times the events" else args.events
    step = np.array(trainer.history["epoch"]) * -(-events // 32)            # an epoch's steps, its last batch smaller
    losses = trainer.history["validation_loss"]
    if name == "early stopping":                                            # the same curve, and where it is stopped
        best = stopping.best_epoch - 1
        right.plot(step[best], losses[best], "o", color=color, markersize=11, zorder=5, label=name)
    else:
        right.plot(step, losses, color=color, linewidth=2, label=name)
right.axhline(ideal_loss, color="0.4", linestyle="--", label="ideal classifier")
right.set_ylim(0.1, 1.3 * max(max(trainer.history["validation_loss"]) for trainer in runs.values()))
plots.finish(right, "step", "validation cross-entropy", "Remedies", ncols=2, loc="upper center")
demo.save(picture, "learning_curves.png")

picture, (ax,) = plots.grid(1, width=9, height=4)
bars = ax.barh(list(found), [f["loss"] for f in found.values()], color=colors)
ax.bar_label(bars, fmt="%.3f", fontsize=12, padding=4)
ax.axvline(ideal_loss, color="black", linestyle="--", label=f"ideal classifier: {ideal_loss:.3f}")
ax.margins(x=0.12)                                                         # room for the numbers
ax.invert_yaxis()
plots.finish(ax, "test cross-entropy", "", "What each remedy is worth", loc="lower right")
demo.save(picture, "remedies.png")

demo.finish()
