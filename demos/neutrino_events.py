"""Neutrino events in a calorimeter: a network that looks at pictures (lecture 5: NOvA; lecture 3: choices of a CNN).

    python demos/neutrino_events.py
    python demos/neutrino_events.py --filters 16 --filter-size 3 --layers 3

A neutrino is seen only by what it makes: a muon neutrino makes a muon, which leaves a track; an electron neutrino
makes an electron, which starts a shower; and a π⁰ made along with a muon gives both, since its photons start showers.
NOvA tells them apart to see ν_μ turn into ν_e. The events are simulated, roughly: no other hadrons, and the π⁰'s
shower is like an electron's. The detector, of planes of scintillator bars, sees each event from two sides, x–z and
y–z. The two views are channels of one picture, like the colours of a photograph. They share only z, so that real
experiments rather have a network for each view, and join them behind.

A convolution slides small filters over the picture and gives a map for each: out = bias + Σ weight · in, over k × k
pixels of all channels below. The same filter looks everywhere, so a track need not be learned anew at every place. Of
a side of n pixels ⌊(n + 2p − k)/s⌋ + 1 are left with padding p (zeros around it) and stride s (the filter's step). A
layer has filters × (channels · k² + 1) weights. Pooling then keeps the largest of 2 × 2 pixels.

What to see: from the same data, a plain network with more weights learns the training events by heart, and names only
three of four new ones. A linear model does no better (four epochs are too few for it; trained to the end, and held
back by a penalty, it comes to 76 %). What the CNN has ahead is that one filter looks everywhere. Cuts come first,
though (lecture 1): three numbers made by hand tell more than the plain network finds, and, of 1,000 events (--quick),
more than the CNN. The CNN errs where you would: it misses short muons that go the shower's way, and finds a track in
the long core of a strong shower. The saliency |∂ logit / ∂ pixel| says to which pixels the answer is most sensitive (a
logit is a number before the softmax; a pixel is ln(1 + E/MeV)): around the vertex, and somewhat more on the particles
than beside them. (The stripes come from the pooling, whose gradient goes to the first of equal pixels.)

Try next (answers in docs/exercises.md):
1. Filters of 3 × 3 pixels instead of 5 × 5: how many weights, and how good? And with a third layer of them?
2. Leave out the logarithm: feed the network the energies themselves, divided by 20 MeV. What happens?
3. Black out one view (x[:, 1] = 0) before training. How much did the second view tell?
"""

# %% The events

import numpy as np
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import confusion_matrix

import tinygrad_nuc as tn
from tinygrad_nuc import nn, optim, plots
from tinygrad_nuc.simulation import EVENT_CLASSES, Calorimeter, neutrino_events
from tinygrad_nuc.training import Trainer, accuracy
from tinygrad_nuc.utils.data import DataLoader, TensorDataset
from tinygrad_nuc.utils.demo import Demo

demo = Demo("neutrino_events", __doc__, trains=True)
demo.option("--filters", type=int, default=8, help="of the first layer; twice as many in each further one (8)")
demo.option("--filter-size", type=int, default=5, help="k: pixels on a side of each filter (5)")
demo.option("--stride", type=int, default=1, help="s: pixels from one place of a filter to the next (1)")
demo.option("--pooling", type=int, default=2, help="keep the largest of so many by so many pixels; 1: all (2)")
demo.option("--layers", type=int, default=2, choices=range(1, 6), help="of convolution (2)")
demo.option("--events", type=int, help="to learn from (12,000; 1,000 with --quick)")
demo.option("--epochs", type=int, default=4, help="passes through the training events (4)")
args = demo.arguments()

n_train, n_test = (1000, 500) if args.quick else (12_000, 3000)
n_train = n_train if args.events is None else args.events
if n_train < 1:
    raise ValueError(f"--events must be at least 1, not {n_train}")
detector = Calorimeter()
events = neutrino_events(n_train + n_test, detector, seed=args.seed)
x = tn.tensor(np.log1p(events.images))      # from the threshold, 2 MeV, to 100: the logarithm shows both
y = tn.tensor(events.labels)
learn, test = TensorDataset(x[:n_train], y[:n_train]), TensorDataset(x[n_train:], y[n_train:])
demo.say(f"{n_train:,} events to learn from and {n_test:,} to be judged by; pictures of shape {tuple(x.shape[1:])}\n")

# %% Three networks

side, channels, layers = detector.cells, 2, []
for layer in range(args.layers):
    filters = args.filters * 2 ** layer
    layers += [nn.Conv2d(channels, filters, args.filter_size, args.stride, padding=args.filter_size // 2), nn.ReLU()]
    side = (side + 2 * (args.filter_size // 2) - args.filter_size) // args.stride + 1
    if args.pooling > 1:
        layers.append(nn.MaxPool2d(args.pooling))
        side = (side - args.pooling) // args.pooling + 1
    channels = filters
    if side < 1:
        raise ValueError(f"after layer {layer + 1} nothing is left of the picture: fewer --layers, or less --pooling")

models = {"linear model": nn.Sequential(nn.Flatten(), nn.Linear(x[0].numel(), 3)),
          "plain network": nn.Sequential(nn.Flatten(), nn.Linear(x[0].numel(), 64), nn.ReLU(), nn.Linear(64, 3)),
          "CNN": nn.Sequential(*layers, nn.Flatten(), nn.Linear(channels * side ** 2, 32), nn.ReLU(), nn.Linear(32, 3))}
cnn = models["CNN"]
demo.say(f"{tn.summary(cnn, (64, *x.shape[1:]))}\n")
demo.expect("weights of the first layer: filters × (2 k² + 1)", sum(p.numel() for p in cnn[0].parameters()),
            args.filters * (2 * args.filter_size ** 2 + 1))

# %% Training: a learning rate that grows for a third of the time, up to 0.005, and then shrinks to almost nothing

score, histories = {}, {}
for name, model in models.items():
    batches = DataLoader(learn, batch_size=min(32 if args.quick else 64, n_train), shuffle=True)
    optimizer = optim.Adam(model.parameters())
    schedule = optim.lr_scheduler.OneCycleLR(optimizer, max_lr=5e-3, total_steps=args.epochs * len(batches))
    trainer = Trainer(model, nn.CrossEntropyLoss(), optimizer, scheduler=schedule, scheduler_interval="step",
                      metrics={"accuracy": accuracy})
    # The test events may be looked at after each epoch, since nothing is chosen by what is seen there
    histories[name] = trainer.fit(batches, DataLoader(test, batch_size=500), epochs=args.epochs)
    score[name], learned = histories[name]["validation_accuracy"][-1], trainer.evaluate(batches)["accuracy"]
    demo.say(f"{name}, {sum(p.numel() for p in model.parameters()):,} weights: {score[name]:.1%} of the test events "
             f"are named rightly, {learned:.1%} of those in training")

E = events.images
by_hand = np.column_stack([E.sum((1, 2, 3)), (E > 0).sum((1, 2, 3)), E.max((1, 2, 3))])      # total, bars hit, largest
trees = HistGradientBoostingClassifier(max_iter=50, early_stopping=False)
trees.fit(by_hand[:n_train], events.labels[:n_train])
score["cuts"] = trees.score(by_hand[n_train:], events.labels[n_train:])
demo.say(f"cuts in three numbers (energy, bars hit, largest bar), found by boosted trees: {score['cuts']:.1%}")

demo.expect("accuracy of the CNN on events it has not seen", score["CNN"], at_least=0.7 if args.quick else 0.95)
for name in ("plain network",) if args.quick else ("plain network", "cuts"):
    demo.expect(f"what it has ahead of the {name}", score["CNN"] - score[name], at_least=0.1)
logits = trainer.predict(DataLoader(test, batch_size=500)).numpy()
named, truth = logits.argmax(1), events.labels[n_train:]
matrix = confusion_matrix(truth, named, labels=range(3))

# %% Where does it look? The gradient of the answer with respect to the picture

def saliency(picture: tn.Tensor, k: int) -> np.ndarray:
    """|∂ logit k / ∂ pixel|, of shape (2, cells, planes): one backward pass, to the input and not to the weights."""
    pixels = picture.unsqueeze(0).detach().requires_grad_()
    cnn(pixels)[0, k].backward()
    return np.abs(pixels.grad.numpy()[0])


cnn.eval()
first_right = [i for k in range(3) for i in np.flatnonzero((truth == k) & (named == k))[:1]]
was, read_as = np.unravel_index((matrix - np.diag(matrix.diagonal())).argmax(), matrix.shape)
mistakes = np.flatnonzero((truth == was) & (named == read_as) & (truth != named))           # of the commonest kind
chosen = [*first_right, *mistakes[:1]]
maps = [saliency(x[n_train + i], int(named[i])) for i in chosen]

# %% Pictures

picture, axes = plots.grid(4 * len(chosen), width=3.15, height=2.5)
extent = (0, detector.length_cm / 100, -detector.width_cm / 200, detector.width_cm / 200)
shown = {"origin": "lower", "aspect": "auto", "extent": extent, "vmin": 0}
for row, (i, where) in enumerate(zip(chosen, maps, strict=True)):
    said = EVENT_CLASSES[named[i]]
    title = said if truth[i] == named[i] else f"{EVENT_CLASSES[truth[i]]}, read as {said}"
    for view in (0, 1):
        energy, gradient = axes[4 * row + view], axes[4 * row + 2 + view]
        energy.imshow(events.images[n_train + i, view], cmap="Greys", vmax=40, **shown)
        gradient.imshow(where[view], cmap="Reds", vmax=where.max(), **shown)
        plots.finish(energy, "z [m]", f"{'xy'[view]} [m]", title, legend=False)
        plots.finish(gradient, "z [m]", f"{'xy'[view]} [m]", f"saliency of “{said}”", legend=False)
picture.suptitle("Energies (black: 40 MeV and more), and where the answer is most sensitive (red)", fontsize=15)
demo.save(picture, "events.png")

picture, (left, right) = plots.grid(2, width=6.0, height=4.8)
plots.confusion_matrices({f"CNN: {score['CNN']:.1%} right": matrix}, EVENT_CLASSES, axes=[left])
for color, (name, history) in zip((plots.PALETTE[2], plots.ORANGE, plots.BLUE), histories.items(), strict=True):
    right.plot(history["epoch"], history["validation_accuracy"], "o-", color=color, label=name)
right.axhline(score["cuts"], color="black", linestyle=":", label="cuts in three numbers")
right.set(ylim=(0, 1), xticks=history["epoch"])
plots.finish(right, "epoch", "accuracy on test events", "The same data", loc="lower right")
demo.save(picture, "accuracy.png")

demo.finish()
