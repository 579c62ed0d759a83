"""An autoencoder: from an image to two numbers, and back (lectures 2 and 3: unsupervised, self-supervised, generative).

    python demos/autoencoder.py
    python demos/autoencoder.py --latent 8 --unseen 4

Nobody tells this network what it sees: the target is the input itself. An encoder e squeezes the 64 pixels x into a few
numbers z = e(x), the latent space; a decoder d makes pixels of them; and the loss is the mean of (d(e(x)) − x)². What
comes through must say much in few numbers. If encoder and decoder are linear, nothing is better than the principal
components (PCA): the plane that lies best in the data. Bends in the network make a curved surface of it.

What to see: with the same two numbers, the autoencoder comes much closer to the image than PCA. In the latent space,
digits of one kind lie together, some in two or three islands (the ways to write a 1), though nobody has named them.
K-means makes nine clusters, each of the points that are nearest to its centre; named by their main digit, they are
purer than those of PCA. Decode points between the images, and there are images that nobody wrote. And a kind of digit
that was not there in the training comes back badly: a large error is the alarm for what is new, as in a search for
events that no theory has asked for. Its AUC is how often, of a new image and a known one, the new one has the larger
error. PCA gives such an alarm, too; that of the autoencoder is better.

Try next (answers in docs/exercises.md):
1. --latent 8: what happens to both errors, and to the alarm? Why is that not simply better?
2. Which digit is the hardest to notice as new (--unseen 0 … 9)? And the easiest?
3. Take Tanh for ReLU. And then no bends at all, in as many layers: how good can it be?
"""

# %% The data: one kind of digit is kept back

import numpy as np
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.metrics import roc_auc_score

import tinygrad_nuc as tn
from tinygrad_nuc import nn, optim, plots
from tinygrad_nuc.utils.demo import Demo

demo = Demo("autoencoder", __doc__, trains=True)
demo.option("--latent", type=int, default=2, choices=range(2, 17), metavar="K", help="numbers in the middle (2)")
demo.option("--unseen", type=int, default=0, choices=range(10), help="the digit that is kept back (0)")
demo.option("--epochs", type=int, help="passes through the images (300; 80 with --quick)")
args = demo.arguments()
k, epochs = args.latent, (80 if args.quick else 300) if args.epochs is None else args.epochs
if epochs < 1:
    raise ValueError(f"--epochs must be at least 1, not {epochs}")

rng = np.random.default_rng(args.seed)
images, digits = load_digits(return_X_y=True)               # 1,797 images of 8 × 8 pixels
order = rng.permutation(len(images))
images, digits = (images[order] / 16).astype(np.float32), digits[order]
known = digits != args.unseen
train, test, new = images[known][:1200], images[known][1200:], images[~known]
test_digits = digits[known][1200:]
demo.say(f"{len(train):,} images to learn from, {len(test)} others of the same kinds, {len(new)} of the digit "
         f"{args.unseen}\n")

# %% Three ways to k numbers and back

pca = PCA(k, random_state=0).fit(train)

linear = nn.Sequential(nn.Linear(64, k), nn.Linear(k, 64))

encoder = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, k), nn.Tanh())
decoder = nn.Sequential(nn.Linear(k, 32), nn.ReLU(), nn.Linear(32, 64), nn.ReLU(), nn.Linear(64, 64), nn.Sigmoid())
deep = nn.Sequential(encoder, decoder)


def learn(autoencoder: nn.Sequential, epochs: int, lr: float, batch_size: int = 40) -> None:
    """The usual loop; only that the target is the input."""
    optimizer = optim.Adam(autoencoder.parameters())
    schedule = optim.lr_scheduler.OneCycleLR(optimizer, max_lr=lr, total_steps=epochs * (len(train) // batch_size))
    for _ in range(epochs):
        for batch in rng.permutation(len(train)).reshape(-1, batch_size):
            x = tn.tensor(train[batch])
            loss = ((autoencoder(x) - x) ** 2).mean()
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            schedule.step()


def through(autoencoder: nn.Sequential, x: np.ndarray) -> np.ndarray:
    with tn.no_grad():
        return autoencoder(tn.tensor(x)).numpy()


learn(linear, max(epochs, 100), lr=0.05)
learn(deep, epochs, lr=0.004)
back = {"PCA": lambda x: pca.inverse_transform(pca.transform(x)), "linear autoencoder": lambda x: through(linear, x),
        "autoencoder": lambda x: through(deep, x)}

# %% How close do they come, and what does the error say?

def error(name: str, x: np.ndarray) -> np.ndarray:
    """The mean of (d(e(x)) − x)² of each image."""
    return ((back[name](x) - x) ** 2).mean(axis=1)


is_new = np.repeat([0, 1], [len(test), len(new)])
errors = {name: error(name, np.concatenate([test, new])) for name in back}
area = {name: roc_auc_score(is_new, errors[name]) for name in back}
for name in back:
    demo.say(f"{name}: error {error(name, train).mean():.4f} in training, {error(name, test).mean():.4f} for other "
             f"images, {error(name, new).mean():.4f} for new ones; AUC of the alarm {area[name]:.3f}")
demo.expect("error of the linear autoencoder in training, over that of PCA",
            error("linear autoencoder", train).mean() / error("PCA", train).mean(), 1, within=0.002)
demo.expect("error of the autoencoder for other images, over that of PCA",
            errors["autoencoder"][is_new == 0].mean() / errors["PCA"][is_new == 0].mean(), at_most=0.8)
demo.expect(f"AUC of the alarm for the digit {args.unseen}", area["autoencoder"], at_least=0.9)
demo.expect("AUC of the alarm, ahead of PCA's", area["autoencoder"] - area["PCA"], at_least=0.05)

# %% Clusters

z_test, pure = through(encoder, test), {}
for name, points in (("PCA", pca.transform(test)), ("autoencoder", z_test)):
    cluster = KMeans(9, n_init=10, random_state=0).fit_predict(points)
    pure[name] = sum(np.bincount(test_digits[cluster == c]).max() for c in range(9)) / len(test)
    demo.say(f"nine clusters in the latent space of the {name}: {pure[name]:.1%} show the main digit of their cluster")
demo.expect("share of images in a cluster of their own kind, ahead of PCA's", pure["autoencoder"] - pure["PCA"],
            at_least=0.05)

# %% The latent space, and images that nobody wrote

picture, (left, right) = plots.grid(2, width=6.2, height=6.0)
middle = np.median(z_test, axis=0)
for digit, color in zip(range(10), 2 * (plots.BLUE, plots.ORANGE, *plots.PALETTE[:3]), strict=True):
    left.scatter(*z_test[test_digits == digit][:, :2].T, s=60, marker=f"${digit}$", color=color, linewidth=0.3)
low, high = z_test.min(axis=0) - 0.06, z_test.max(axis=0) + 0.06
left.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]))
plots.finish(left, "z₁", "z₂", f"Where {len(test)} images lie", legend=False)

n = 13
z1, z2 = (np.linspace(a, b, 2 * n + 1)[1::2] for a, b in zip(low[:2], high[:2], strict=True))    # n × n fields
places = np.tile(middle, (n * n, 1)).astype(np.float32)
places[:, 0], places[:, 1] = np.tile(z1, n), np.repeat(z2[::-1], n)
made = np.pad(through(decoder, places).reshape(n, n, 8, 8), ((0, 0), (0, 0), (1, 1), (1, 1)))
made = made.transpose(0, 2, 1, 3).reshape(10 * n, 10 * n)
right.imshow(made, cmap="Greys", extent=(low[0], high[0], low[1], high[1]), aspect="auto")
plots.finish(right, "z₁", "z₂", "What the decoder makes of the same places", legend=False)
demo.save(picture, "latent.png")

# %% What comes back

picture, (left, right) = plots.grid(2, width=6.4, height=4.0)
left.get_gridspec().set_width_ratios([1.7, 1])
shown = np.concatenate([test[:5], new[:5]])
rows = {"image": shown, "PCA": back["PCA"](shown), "autoencoder": back["autoencoder"](shown)}
montage = np.concatenate([np.pad(x.reshape(-1, 8, 8), ((0, 0), (1, 1), (1, 1))).transpose(1, 0, 2).reshape(10, -1)
                          for x in rows.values()])
left.imshow(montage, cmap="Greys", vmin=0, vmax=1)
left.axvline(49.5, color="black")
left.set(xticks=[24.5, 74.5], xticklabels=["of known kinds", "new"], yticks=[4.5, 14.5, 24.5], yticklabels=list(rows))
plots.finish(left, "", "", f"Through {k} numbers and back", legend=False)
plots.variable_histogram(errors["autoencoder"], is_new, "error of the image that comes back",
                         ("known kinds", f"new: the digit {args.unseen}"), ax=right)
right.set_ylabel(right.get_ylabel().replace("events", "images"))
right.set_title(f"The alarm: AUC {area['autoencoder']:.3f} (PCA {area['PCA']:.3f})", fontsize=14)
demo.save(picture, "new.png")

demo.finish()
