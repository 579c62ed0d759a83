"""Too simple, right, too flexible: a polynomial through noise (lectures 1, 2, 3: overfitting, validation).

    python demos/overfitting.py

An angular distribution is a sum of Legendre polynomials, dσ/dΩ = Σ a_l P_l(cos θ), here up to l = 3. It is measured at
N = 16 angles, each with the error σ, and fitted with polynomials of degree 0 to 15, that is p = degree + 1 parameters.
The validation data are a second measurement at the same angles, which no fit has seen. From the true degree on,

    training error ⟨(fit − y)²⟩ = σ² (1 − p/N),        validation error = σ² (1 + p/N)

on average over many experiments: p/N parameters for each measured number take this share of the noise out of the data
that they are fitted to, and carry the same share into every prediction. (The first is χ² = N − p, in other words.) Too
few parameters add to both the square of what no such polynomial can describe: the bias. σ² p/N is the variance.

What to see: a better fit is not a better law. The training error falls all the way to 0, where the curve goes
through every point. The validation error falls as long as there is something to learn, is least at the true
degree, and rises again. Too simple, or high bias: both are large, and alike. Too flexible, or high variance: they go
apart. (Degree 15 leaves the frame of its picture; the report says how far.)

Try next (answers in docs/exercises.md):
1. Take N = 160 angles (--angles 160). What becomes of degree 15?
2. Validate at angles in between (cos θ + 0.05). Which degrees change?
3. In one experiment, how often is the degree with the least validation error the true one?
"""

# %% The truth, and a measurement of it

import numpy as np
from numpy.polynomial.legendre import legval, legvander

from tinygrad_nuc import plots
from tinygrad_nuc.utils.demo import Demo

demo = Demo("overfitting", __doc__, seed=3)
demo.option("--angles", type=int, default=16, help="angles that are measured, N, at least 16 (16)")
args = demo.arguments()
if args.angles < 16:
    demo.parser.error(f"--angles must be at least 16, one for each parameter, not {args.angles}")

a = np.array([1.0, 0.4, 0.6, -0.5])                                         # a₀ … a₃ [mb/sr]
σ = 0.2                                                                     # [mb/sr]
N = args.angles
experiments = 2_000 if args.quick else 20_000
rng = np.random.default_rng(args.seed)
cos_θ = np.linspace(-0.95, 0.95, N)
y = legval(cos_θ, a) + σ * rng.standard_normal((experiments, N))            # a row for each experiment
y_validation = legval(cos_θ, a) + σ * rng.standard_normal((experiments, N))

# %% Fits of every degree

def fit(y, degree):
    """The coefficients with the least squares, for each row of y."""
    return np.linalg.lstsq(legvander(cos_θ, degree), y.T)[0].T


degrees = np.arange(16)
training, validation = np.empty((2, len(degrees), experiments))
for degree in degrees:
    curve = fit(y, degree) @ legvander(cos_θ, degree).T
    training[degree] = ((curve - y) ** 2).mean(axis=1)
    validation[degree] = ((curve - y_validation) ** 2).mean(axis=1)

mean_training, mean_validation = training.mean(axis=1), validation.mean(axis=1)
for degree in degrees:
    demo.say(f"degree {degree:2}: training {mean_training[degree]:.4f}, "
             f"validation {mean_validation[degree]:.4f} (mb/sr)²")

# %% What they should be

p = degrees + 1
enough = degrees >= 3
demo.expect("degree with the least validation error", mean_validation.argmin(), 3)
demo.expect("training errors from the true degree on, in units of σ²", mean_training[enough] / σ ** 2,
            1 - p[enough] / N, within=0.05 if args.quick else 0.01)
demo.expect("validation errors from the true degree on, in units of σ²", mean_validation[enough] / σ ** 2,
            1 + p[enough] / N, within=0.1 if args.quick else 0.02)
truth = legval(cos_θ, a)
bias2 = np.array([((fit(truth[None], degree) @ legvander(cos_θ, degree).T - truth) ** 2).mean() for degree in degrees])
theory = np.array([σ ** 2 * (1 - p / N) + bias2, σ ** 2 * (1 + p / N) + bias2])
demo.expect("too simple, degrees 0 to 2: training error over σ² (1 − p/N) + bias²", mean_training[:3] / theory[0, :3],
            np.ones(3), within=0.05 if args.quick else 0.01)
demo.expect("too simple, degrees 0 to 2: validation error over σ² (1 + p/N) + bias²",
            mean_validation[:3] / theory[1, :3], np.ones(3), within=0.05 if args.quick else 0.01)
demo.say(f"the experiment in the picture finds degree {validation.argmin(axis=0)[0]}; of {experiments:,}, "
         f"{(validation.argmin(axis=0) == 3).mean():.0%} find 3, and {(training.argmin(axis=0) == 15).mean():.0%} "
         "would find 15 by the training error")

# %% Picture: three fits

fine = np.linspace(-1, 1, 400)
picture, axes = plots.grid(3, width=4.2, height=4.8)
for ax, degree, title in zip(axes, (1, 3, 15), ("too simple", "right", "too flexible"), strict=True):
    ax.plot(fine, legval(fine, a), color="0.5", linestyle="--", label="truth")
    ax.plot(fine, legval(fine, fit(y[:1], degree)[0]), color=plots.BLUE, linewidth=2, label="fit")
    ax.errorbar(cos_θ, y[0], σ, fmt="o", color="black", markersize=4, label="training")
    ax.errorbar(cos_θ, y_validation[0], σ, fmt="s", color=plots.ORANGE, markersize=5, label="validation")
    ax.set_ylim(-0.6, 3.4)
    plots.finish(ax, "cos θ", "dσ/dΩ [mb/sr]", f"Degree {degree}: {title}", legend=degree < 15, ncols=2,
                 loc="upper center")
demo.save(picture, "fits.png")
wild = legval(fine, fit(y[:1], 15)[0])
demo.say(f"degree 15 in the picture goes from {wild.min():.0f} to {wild.max():.0f} mb/sr")

# %% Picture: the errors against the degree

picture, (ax,) = plots.grid(1, width=8.4, height=5.2)
ax.plot(degrees, mean_training, "o", color=plots.BLUE, markersize=8, label="training")
ax.plot(degrees, mean_validation, "s", color=plots.ORANGE, markersize=8, label="validation")
ax.plot(degrees, theory[0], color=plots.BLUE, label="σ² (1 − p/N) + bias²")
ax.plot(degrees, theory[1], color=plots.ORANGE, label="σ² (1 + p/N) + bias²")
ax.axhline(σ ** 2, color="0.4", linestyle="--", label="noise σ²")
ax.axvspan(2.6, 3.4, color="0.9", zorder=0, label="true degree")
ax.set(ylim=(0, 0.25), xticks=degrees)
plots.finish(ax, "degree", "mean square error [(mb/sr)²]", f"Mean of {experiments:,} experiments", ncols=2,
             loc="upper right")
demo.save(picture, "degrees.png")

demo.finish()
