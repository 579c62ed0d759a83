"""How many events in a step? Noise against cost (lecture 1: batch size).

    python demos/batch_size.py

Each step uses the mean gradient of a batch of m events, θ ← θ − η · (1/m) Σ ∇L(θ, xᵢ). It is right on average, for any
m, and its noise falls as 1/√m, like that of every mean. Halving it costs four times the work. (The slide says that a
small batch gives large bias and variance. The bias is 0 for every m: only the variance is larger.)

What to see: with equal work, five looks at each event, large batches make too few steps and are not done; the very
small ones are done, but tremble about the minimum. With equally many steps a larger batch is better, up to m = 64 or
so; above it, only the price rises. (A training ends wherever its trembling is at the last step. So the losses after
equally many steps are means over the last hundred.) In between, near m = 16 or 32, is what the lecture recommends: here
it tells kaons from pions nearly as well as is possible at all.

Try next (answers in docs/exercises.md):
1. Multiply η by m/32 for the larger batches (0.2 · 8 for m = 256). How far does this bring them?
2. Multiply η by 1/10 for m = 2 and 4, with the same number of epochs. Why does the trembling end?
3. Measure the noise at the end of a training instead of before it. What has changed, and what has not?
"""

# %% Pions and kaons, and the best loss there can be

import numpy as np

import tinygrad_nuc as tn
from tinygrad_nuc import nn, optim, plots
from tinygrad_nuc.simulation import log_likelihood_ratio, simulate
from tinygrad_nuc.training import accuracy
from tinygrad_nuc.utils.demo import Demo

demo = Demo("batch_size", __doc__, trains=True)
args = demo.arguments()

η = 0.2
n, epochs, updates = (4_000, 3, 200) if args.quick else (20_000, 5, 1_000)
rng = np.random.default_rng(args.seed)
x, d = simulate(n // 2, n // 2, seed=rng)
x_test, d_test = simulate(10_000, 10_000, seed=rng)
mean, width = x.mean(axis=0), x.std(axis=0)                                 # of the training events only
events, answers = tn.tensor((x - mean) / width).float(), tn.tensor(d[:, None]).float()
test_events, test_answers = tn.tensor((x_test - mean) / width).float(), tn.tensor(d_test[:, None]).float()
loss_of = nn.BCEWithLogitsLoss()

ideal = tn.tensor(log_likelihood_ratio(x_test)[:, None]).float()            # the logit that no network beats
ideal_loss, ideal_accuracy = loss_of(ideal, test_answers).item(), accuracy(ideal, test_answers)


def network():
    """3-16-1, always from the same weights."""
    tn.manual_seed(args.seed)
    return nn.Sequential(nn.Linear(3, 16), nn.ReLU(), nn.Linear(16, 1))


# %% The noise of the gradient

model = network()
weights = list(model.parameters())


def gradient(batch):
    """All numbers of the mean gradient over these events, in one vector."""
    model.zero_grad()
    loss_of(model(events[batch]), answers[batch]).backward()
    return np.concatenate([p.grad.numpy().ravel() for p in weights])


exact = gradient(np.arange(n))
m_noise = np.array([1, 4, 16, 64, 256, 1024])
drawn = [[gradient(rng.integers(n, size=m)) for _ in range(300)] for m in m_noise]
noise = np.array([np.sqrt(((np.array(g) - exact) ** 2).sum(axis=1).mean()) for g in drawn])
slope, _ = np.polyfit(np.log(m_noise), np.log(noise), 1)
demo.say(f"length of the exact gradient: {np.linalg.norm(exact):.3f}; noise of batches of {m_noise}: {noise.round(3)}")
demo.expect("power of m with which the noise goes", slope, -0.5, within=0.03)

# %% The training

def train(m, steps, last=1):
    """Test loss and accuracy after so many steps with batches of m events: their means over the last of the steps."""
    model = network()
    optimizer = optim.SGD(model.parameters(), lr=η)
    rng = np.random.default_rng(args.seed)
    order = np.concatenate([rng.permutation(n) for _ in range(-(-steps * m // n))])         # epoch after epoch
    found = []
    for step in range(steps):
        batch = order[step * m:(step + 1) * m]
        optimizer.zero_grad()
        loss_of(model(events[batch]), answers[batch]).backward()
        optimizer.step()
        if step >= steps - last:
            with tn.no_grad():
                logit = model(test_events)
            found.append((loss_of(logit, test_answers).item(), accuracy(logit, test_answers)))
    return np.mean(found, axis=0)


sizes = np.array([4, 32, 256, 2048] if args.quick else [2, 4, 8, 16, 32, 64, 256, 1024, 4096])
equal_work = np.array([train(m, max(1, epochs * n // m)) for m in sizes])
equal_steps = np.array([train(m, updates, last=updates // 10) for m in sizes])
for m, (loss, right), (loss_steps, right_steps) in zip(sizes, equal_work, equal_steps, strict=True):
    demo.say(f"m = {m:5}: {epochs} epochs, {epochs * n // m:6,} steps: loss {loss:.4f}, accuracy {right:.4f};   "
             f"{updates:,} steps: {loss_steps:.4f}, {right_steps:.4f}")
demo.say(f"the best there can be: loss {ideal_loss:.4f}, accuracy {ideal_accuracy:.4f}")

good = list(sizes).index(32)
demo.expect("accuracy with m = 32 less the ideal one", equal_work[good, 1] - ideal_accuracy,
            at_least=-0.02 if args.quick else -0.006, at_most=0.003)
demo.expect(f"equal work: loss with m = {sizes[-1]:,} over that with m = 32", equal_work[-1, 0] / equal_work[good, 0],
            at_least=1.5)
demo.expect(f"equal steps: loss with m = {sizes[-1]:,} over that with m = {sizes[0]}",
            equal_steps[-1, 0] / equal_steps[0, 0], at_most=1.03)
if 64 in sizes:
    demo.expect(f"equal steps: loss with m = {sizes[-1]:,} over that with m = 64",
                equal_steps[-1, 0] / equal_steps[list(sizes).index(64), 0], 1, within=0.02)

# %% The picture

picture, (left, right) = plots.grid(2, width=6.2, height=5)
left.loglog(m_noise, noise, "o", color=plots.BLUE, markersize=9, label="measured, 300 batches each")
left.loglog(m_noise, noise[0] / np.sqrt(m_noise), color="0.4", label="noise of one event / √m")
left.axhline(np.linalg.norm(exact), color=plots.ORANGE, linestyle="--", label="length of the exact gradient")
plots.finish(left, "batch size m [events]", "noise √⟨|g − exact g|²⟩", "Noise of the gradient", loc="lower left")
right.semilogx(sizes, equal_work[:, 0], "o-", color=plots.BLUE, label=f"{epochs} epochs")
right.semilogx(sizes, equal_steps[:, 0], "s-", color=plots.ORANGE, label=f"{updates:,} steps")
right.axhline(ideal_loss, color="0.4", linestyle="--", label="ideal classifier")
right.axvspan(16, 32, color="0.9", zorder=0, label="m = 16 to 32")
plots.finish(right, "batch size m [events]", "cross-entropy on test events", "After equal work, and equal steps",
             loc=(0.42, 0.7))
demo.save(picture, "batch_size.png")

demo.finish()
