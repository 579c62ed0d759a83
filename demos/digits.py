"""Which digit is this? A network learns to read handwriting (lectures 3 and 5; lecture 2: the beginner course).

    python demos/digits.py                          # 1,797 images of 8 × 8 pixels, which come with scikit-learn
    python demos/digits.py --model cnn              # a small convolutional network
    python demos/digits.py --download               # the 70,000 of the well-known collection, 28 × 28 pixels (11 MB)
    python demos/digits.py --data FOLDER            # the same four idx files, or others in their form, of yours

The network gives ten numbers z, and softmax makes probabilities of them: p_k = exp(z_k) / Σ exp(z_j). The loss is the
cross-entropy −ln p_right. Three models: "mlp", pixels-128-10 (784-128-10 with large images), in which every pixel is
an input; "cnn", with filters of 3 × 3 pixels; and "course", pixels-512-512-10 trained by plain SGD with learning rate
0.001, as in the beginners' course that lecture 2 recommends: larger than the others, and the last to learn.

What to see: the accuracy rises long before the loss is small: it counts only which number is the largest. For the first
epochs the validation loss is below the training loss, which is a mean over an epoch in which the network still got
better; then the gap opens. With large images the first layer of "mlp" has learned strokes and holes, which nobody told
it about (unit 12 has learned nothing: its ReLU is dead). Some of the mistakes you would make too, and many not: look.

Try next (answers in docs/exercises.md):
1. --model course: how far does it come? And with --lr 0.1?
2. Move every test image by one pixel (np.roll) before the network reads it. Which model suffers more?
3. Shuffle the pixels, in all images in the same way. Which model does not care, and why?
"""

# %% The data

from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.metrics import confusion_matrix
from sklearn.model_selection import train_test_split

import tinygrad_nuc as tn
from tinygrad_nuc import nn, optim, plots
from tinygrad_nuc.training import CSVLogger, LearningRateLogger, ModelCheckpoint, Trainer, accuracy, model_card
from tinygrad_nuc.utils.data import DataLoader, TensorDataset, fetch, read_idx_folder
from tinygrad_nuc.utils.demo import Demo

demo = Demo("digits", __doc__, trains=True)
demo.option("--model", choices=["mlp", "cnn", "course"], default="mlp")
demo.option("--data", type=Path, metavar="FOLDER", help="four idx files, instead of scikit-learn's images")
demo.option("--download", action="store_true", help="the well-known collection: fetched once, and kept")
demo.option("--epochs", type=int, help="passes through the training images (5, 3 for the CNN; more of small ones)")
demo.option("--batch-size", type=int, help="images in one step (128, 64 for the CNN and the course, 32 small ones)")
demo.option("--lr", type=float, help="largest learning rate of Adam (0.005), or that of the course's SGD (0.001)")
demo.option("--checkpoints", type=Path, metavar="FOLDER",
            help="keep checkpoints there, and go on from the last one that these very settings left")
args = demo.arguments()
WELL_KNOWN_ONES = 6742                              # images of a 1 among the collection's 60,000
if args.quick + bool(args.data) + args.download > 1:
    demo.parser.error("--quick and --download have data of their own: give one of --quick, --data and --download")

small = not (args.data or args.download)
if small:
    x, y = load_digits(return_X_y=True)
    x, x_test, y, y_test = train_test_split(x.reshape(-1, 8, 8).astype(np.float32) / 16, y, test_size=0.25,
                                            random_state=args.seed, stratify=y)
else:
    x, y, x_test, y_test = read_idx_folder(fetch("mnist") if args.download else args.data)
well_known = small or (y == 1).sum() == WELL_KNOWN_ONES
x, x_check, y, y_check = train_test_split(x, y, test_size=1 / 12, random_state=args.seed, stratify=y)
side = x.shape[1]

# Epochs, batch size and learning rate. On small images the course makes about as many steps as on the large ones.
usual = {"mlp": (5, 128, 5e-3), "cnn": (3, 64, 5e-3), "course": (5, 64, 1e-3)}[args.model]
if small:
    usual = (40 if args.quick else 240, 64, 1e-3) if args.model == "course" else (10 if args.quick else 30, 32, 5e-3)
given = (args.epochs, args.batch_size, args.lr)
epochs, batch_size, lr = (u if g is None else g for g, u in zip(given, usual, strict=True))
demo.say(f"{len(y):,} images of {side} × {side} pixels to learn from, {len(y_check):,} to watch the training by "
         f"(one is {1 / len(y_check):.1g} of the accuracy), {len(y_test):,} to be judged by\n")


def loader(images: np.ndarray, labels: np.ndarray, size: int = 1000, shuffle: bool = False) -> DataLoader:
    """Batches of images of shape (n, 1, rows, columns): one channel, grey."""
    return DataLoader(TensorDataset(tn.tensor(images[:, None]), tn.tensor(labels)), min(size, len(labels)), shuffle)


# %% Three networks

def network(name: str, side: int) -> nn.Sequential:
    if name == "cnn":                               # it need not learn a digit anew at every place
        return nn.Sequential(nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
                             nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
                             nn.Flatten(), nn.Linear(32 * (side // 4) ** 2, 64), nn.ReLU(), nn.Linear(64, 10))
    if name == "mlp":
        return nn.Sequential(nn.Flatten(), nn.Linear(side * side, 128), nn.ReLU(), nn.Linear(128, 10))
    return nn.Sequential(nn.Flatten(), nn.Linear(side * side, 512), nn.ReLU(), nn.Linear(512, 512), nn.ReLU(),
                         nn.Linear(512, 10))


sizes = [sum(p.numel() for p in network(name, 28).parameters()) for name in ("mlp", "course")]
demo.expect("parameters with large images: 784-128-10, and the course's 784-512-512-10", sizes, [101_770, 669_706])
model = network(args.model, side)
demo.say(f"\n{tn.summary(model, (batch_size, 1, side, side))}\n")

# %% Training: Adam's steps grow for a third of the time, and then shrink to almost nothing; the course's stay the same

batches, schedule = loader(x, y, batch_size, shuffle=True), None
if args.model == "course":
    optimizer: optim.Optimizer = optim.SGD(model.parameters(), lr=lr)
else:
    optimizer = optim.Adam(model.parameters())
    schedule = optim.lr_scheduler.OneCycleLR(optimizer, max_lr=lr, total_steps=epochs * len(batches))
callbacks = [LearningRateLogger(), CSVLogger(demo.path("history.csv"))]
if args.checkpoints:
    # another seed judges by other images, and another length has another schedule: each run has its own place
    name = f"{args.model}-{side}px-epochs-{epochs}-batch-{batch_size}-lr-{lr:g}-seed-{args.seed}"
    callbacks.append(ModelCheckpoint(args.checkpoints / name, every_n_steps=200))
trainer = Trainer(model, nn.CrossEntropyLoss(), optimizer, scheduler=schedule, scheduler_interval="step",
                  metrics={"accuracy": accuracy}, callbacks=callbacks)
trainer.fit(batches, loader(x_check, y_check), epochs=epochs, resume="last" if args.checkpoints else None)
if trainer.interrupted:
    raise KeyboardInterrupt
demo.say(f"{trainer.history}\n")

# %% How good is it?

prediction = trainer.predict(loader(x_test, y_test)).softmax(1).numpy()
read = prediction.argmax(1)
right = float((read == y_test).mean())
error = np.sqrt(right * (1 - right) / len(y_test))
demo.say(f"Of the {len(y_test):,} images that no part of the training saw, {right:.4f} ± {error:.4f} are read rightly.")
if well_known and given == (None, None, None):
    least = {"mlp": 0.94, "cnn": 0.94, "course": 0.3 if args.quick else 0.75} if small else \
        {"mlp": 0.97, "cnn": 0.98, "course": 0.6}
    demo.expect("share of test images read rightly", right, at_least=least[args.model])
tn.save(model.state_dict(), demo.path("weights.npz"))
model_card(trainer, demo.path("model_card.md"), name=f"Handwritten digits, {args.model}", results={"accuracy": right},
           notes={"Intended use": "To show how a network learns to read digits; not for reading anybody's post."})

# %% Pictures

picture, (left, middle) = plots.grid(2, width=6.2)
plots.learning_curve(trainer.history, "cross-entropy", ax=left)
middle.plot(trainer.history["epoch"], trainer.history["validation_accuracy"], "s-", markersize=4, color=plots.ORANGE)
plots.finish(middle, "epoch", "accuracy on validation images", f"Validation (test in the end: {right:.1%})",
             legend=False)
middle.xaxis.get_major_locator().set_params(integer=True, min_n_ticks=1)
demo.save(picture, "history.png")

matrix = confusion_matrix(y_test, read, labels=range(10))
demo.save(plots.confusion_matrices({"Which digits are taken for which?": matrix}, "0123456789"), "confusion_matrix.png")

wrong = np.flatnonzero(read != y_test)
worst = wrong[np.argsort(-prediction[wrong, read[wrong]])][:32]                         # those it was surest of
picture, axes = plots.grid(max(len(worst), 1), width=1.4, height=1.7, columns=8)
plots.images(x_test[worst], [f"{y_test[i]} read as {read[i]}" for i in worst], axes=axes)
picture.suptitle("Mistakes", fontsize=14)
demo.save(picture, "mistakes.png")

first = next(layer for layer in model if hasattr(layer, "weight"))
drawn = plots.filters(first)
for image in drawn:
    image.axes.set_title(f"unit {image.axes.get_title()}", fontsize=11)
drawn[0].figure.suptitle("What the first layer looks for (red: ink counts for it, blue: against it; "
                         f"{len(drawn)} of {len(first.weight)} units)", fontsize=14)
demo.save(drawn, "first_layer.png")

demo.finish()
