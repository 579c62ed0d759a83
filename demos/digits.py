"""Which digit is this? A network learns to read handwriting (lectures 3 and 5).

    python demos/digits.py                          # 784-128-10, five epochs: about 97 % right
    python demos/digits.py --model cnn              # a small convolutional network: about 98.8 % after three epochs
    python demos/digits.py --quick                  # 8 × 8 pixels, from scikit-learn: nothing is downloaded

The 70,000 images are downloaded once (11 MB) and kept; --data FOLDER takes them from files of yours in the idx format.

What to see: the loss falls at once, long before the network is good; the gap between training and validation opens; the
first layer of the plain network has learned strokes and holes, which nobody told it about; and most of the mistakes are
ones that you would make too.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from sklearn.datasets import load_digits
from sklearn.metrics import confusion_matrix
from sklearn.model_selection import train_test_split

import tinygrad_nuc as tn
from tinygrad_nuc import nn, optim, plots
from tinygrad_nuc.training import CSVLogger, LearningRateLogger, ModelCheckpoint, Trainer, accuracy, model_card
from tinygrad_nuc.utils.command import Parser, Report, save_all_or_nothing
from tinygrad_nuc.utils.data import DataLoader, TensorDataset, fetch, read_idx

# %% 1. The data

@dataclass
class Digits:
    """Images with values from 0 to 1, and which digits they show."""

    images: np.ndarray                          # (n, rows, columns) float32
    labels: np.ndarray                          # (n,) 0 … 9


def from_idx(folder: Path) -> tuple[Digits, Digits]:
    """60,000 images to learn from and 10,000 to be judged by, from the four files of the collection."""
    def part(name: str) -> Digits:
        images = read_idx(found(folder, f"{name}-images-idx3-ubyte"))
        labels = read_idx(found(folder, f"{name}-labels-idx1-ubyte"))
        if images.ndim != 3 or labels.shape != images.shape[:1] or not len(labels) or labels.max() > 9:
            raise ValueError(f"{folder}: {name} has images of shape {images.shape} and labels of shape {labels.shape}; "
                             "expected are as many labels, from 0 to 9, as images")
        return Digits(images.astype(np.float32) / 255, labels.astype(np.int64))
    return part("train"), part("t10k")


def found(folder: Path, name: str) -> Path:
    """The file of this name, packed or not; some collections put "mnist-" before it."""
    for candidate in (name, f"{name}.gz", f"mnist-{name}", f"mnist-{name}.gz"):
        if (folder / candidate).exists():
            return folder / candidate
    raise FileNotFoundError(f"{folder}: there is no {name}, with or without .gz")


def small(seed: int) -> tuple[Digits, Digits]:
    """1,797 images of 8 × 8 pixels that come with scikit-learn."""
    digits = load_digits()
    x, x_test, y, y_test = train_test_split(digits.images / 16, digits.target, test_size=0.25, random_state=seed,
                                            stratify=digits.target)
    return Digits(x.astype(np.float32), y), Digits(x_test.astype(np.float32), y_test)


# %% 2. The networks

def plain(side: int) -> nn.Sequential:
    """Every pixel is an input; 128 hidden units."""
    return nn.Sequential(nn.Flatten(), nn.Linear(side * side, 128), nn.ReLU(), nn.Linear(128, 10))


def convolutional(side: int) -> nn.Sequential:
    """Two layers of 3 × 3 filters, each followed by pooling: it need not learn a digit anew at every place."""
    last = side // 4
    return nn.Sequential(
        nn.Conv2d(1, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(16, 32, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(32 * last * last, 64), nn.ReLU(), nn.Linear(64, 10))


# %% 3. Training

def loader(digits: Digits, batch_size: int, shuffle: bool = False) -> DataLoader:
    """Batches of images of shape (n, 1, rows, columns): one channel, grey."""
    data = TensorDataset(tn.tensor(digits.images[:, None]), tn.tensor(digits.labels))
    return DataLoader(data, min(batch_size, len(digits.labels)), shuffle)


def train(model: nn.Module, learn: Digits, check: Digits, args: argparse.Namespace, folder: Path) -> Trainer:
    """Adam on the cross-entropy; its steps grow for a third of the time, and then shrink to almost nothing."""
    batches = loader(learn, args.batch_size, shuffle=True)
    optimizer = optim.Adam(model.parameters())
    schedule = optim.lr_scheduler.OneCycleLR(optimizer, max_lr=args.lr, total_steps=args.epochs * len(batches))
    callbacks = [LearningRateLogger(), CSVLogger(folder / "history.csv")]
    if args.checkpoints:
        # another seed judges by other images, and another length has another schedule: each run has its own place
        name = (f"{args.model}-{learn.images.shape[1]}px-epochs-{args.epochs}-batch-{args.batch_size}-lr-{args.lr:g}-"
                f"seed-{args.seed}")
        callbacks.append(ModelCheckpoint(args.checkpoints / name, every_n_steps=200))
    trainer = Trainer(model, nn.CrossEntropyLoss(), optimizer, scheduler=schedule, scheduler_interval="step",
                      metrics={"accuracy": accuracy}, callbacks=callbacks)
    trainer.fit(batches, loader(check, 1000), epochs=args.epochs, resume="last" if args.checkpoints else None)
    if trainer.interrupted:
        raise KeyboardInterrupt
    return trainer


# %% 4. Putting it together

def run(args: argparse.Namespace, folder: Path) -> None:
    say, start = Report(), time.perf_counter()
    tn.manual_seed(args.seed)
    learn, test = small(args.seed) if args.quick else from_idx(args.data or fetch("mnist"))
    parts = train_test_split(learn.images, learn.labels, test_size=1 / 12, random_state=args.seed,
                             stratify=learn.labels)
    learn, check = Digits(parts[0], parts[2]), Digits(parts[1], parts[3])
    side = learn.images.shape[1]
    say(f"tinygrad_nuc {tn.__version__}: seed {args.seed}, Adam with learning rates up to {args.lr}, "
        f"batches of {args.batch_size}")
    say(f"{len(learn.labels):,} images of {side} × {side} pixels to learn from, {len(check.labels):,} to watch the "
        f"training by, {len(test.labels):,} to be judged by\n")

    model = {"mlp": plain, "cnn": convolutional}[args.model](side)
    say(str(tn.summary(model, (args.batch_size, 1, side, side))) + "\n")
    trainer = train(model, learn, check, args, folder)
    say(str(trainer.history))

    prediction = trainer.predict(loader(test, 1000)).softmax(1).numpy()
    chosen = prediction.argmax(1)
    right = (chosen == test.labels).mean()
    error = np.sqrt(right * (1 - right) / len(test.labels))
    say(f"\nOf the {len(test.labels):,} images that no part of the training saw, {right:.4f} ± {error:.4f} are read "
        "rightly.")

    draw(folder, model, trainer, test, prediction)
    tn.save(model.state_dict(), folder / "weights.npz")
    model_card(trainer, folder / "model_card.md", name=f"Handwritten digits, {args.model}", results={"accuracy": right},
               notes={"Intended use": "To show how a network learns to read digits; not for reading anybody's post."})
    (folder / "report.txt").write_text(say.text, "utf-8")
    print(f"\nPictures, report, model card and weights are in {args.output} ({time.perf_counter() - start:.0f} s).")


def draw(folder: Path, model: nn.Sequential, trainer: Trainer, test: Digits, prediction: np.ndarray) -> None:
    """Every picture of the demo, as PNG."""
    trainer.history.plot(folder / "history.png")
    chosen, names = prediction.argmax(1), [str(digit) for digit in range(10)]

    matrix = confusion_matrix(test.labels, chosen, labels=range(10))
    (drawn,) = plots.confusion_matrices({"digits": matrix}, names)
    drawn.figure.savefig(folder / "confusion_matrix.png")

    wrong = np.flatnonzero(chosen != test.labels)
    worst = wrong[np.argsort(-prediction[wrong, chosen[wrong]])][:32]           # those it was surest of
    picture, axes = plots.grid(max(len(worst), 1), width=1.4, height=1.7, columns=8)
    plots.images(test.images[worst], [f"{test.labels[i]} read as {chosen[i]}" for i in worst], axes=axes)
    picture.savefig(folder / "mistakes.png")

    first = next(layer for layer in model if hasattr(layer, "weight"))
    plots.filters(first)[0].figure.savefig(folder / "first_layer.png")


def arguments(argv: list[str] | None) -> argparse.Namespace:
    parser = Parser(description=__doc__)
    parser.add_argument("--model", choices=["mlp", "cnn"], default="mlp")
    parser.add_argument("--data", type=Path, metavar="FOLDER", help="the four idx files, instead of downloading them")
    parser.add_argument("--epochs", type=int, help="passes through the training images (5, and 3 for the CNN)")
    parser.add_argument("--batch-size", type=int, help="images in one step (128, 64 for the CNN, 32 with --quick)")
    parser.add_argument("--lr", type=float, default=5e-3, help="largest learning rate of Adam (0.005)")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--checkpoints", type=Path, metavar="FOLDER",
                        help="keep checkpoints there, and go on from the last one that these very settings left")
    parser.add_argument("--output", type=Path, default=Path("output/digits"), metavar="FOLDER")
    parser.add_argument("--quick", action="store_true", help="small images that come with scikit-learn")
    args = parser.parse_args(argv)
    if args.quick and args.data:
        parser.error("--quick has data of its own: give either --quick or --data")
    if not 0 <= args.seed < 2 ** 32:
        parser.error(f"--seed must be a whole number from 0 to {2 ** 32 - 1}, not {args.seed}")
    if args.epochs is None:
        args.epochs = 10 if args.quick else {"mlp": 5, "cnn": 3}[args.model]
    if args.batch_size is None:
        args.batch_size = 32 if args.quick else {"mlp": 128, "cnn": 64}[args.model]
    return args


def main(argv: list[str] | None = None) -> int:
    args = arguments(argv)
    return save_all_or_nothing(args.output, lambda folder: run(args, folder), args.debug)


if __name__ == "__main__":
    sys.exit(main())
