"""The mass of a particle from its four-vector: one line of algebra, and hard for a network (lecture 3: e+p activity).

    python demos/invariant_mass.py                  # half a minute
    python demos/invariant_mass.py --quick          # without the network that is trained longest

m² = E² − |p|², with E, px, py, pz in GeV (c = 1). The lecture asks a network with one hidden layer of sigmoids for m,
on simulated collisions of electrons and protons: 4-10-1, 61 parameters. It comes out no better than a plane: training
stops early, because the first steps find the plane and the next ones find little. With 100 hidden units it is the
same, and the charge as a fifth input helps a little. 2,000 steps of another optimizer (L-BFGS takes all particles at
once, and estimates how the loss bends) reach R² = 0.37, still far from a formula. One reason is in the numbers: inputs
spread over many GeV, and the mass hides in small differences between them. For a typical hadron m² is less than 1 % of
E². A pion of 50 GeV has m² = 0.02 and E² = 2500: the mass is what is left when two large numbers have cancelled to a
part in 100,000. As a check, take hadrons below 1 GeV, where m² is at least 2 % of E²: ten sigmoids reach R² = 0.97.

What to see: the cancellation hits the computer, too. Numbers of 32 bits keep seven digits, so E² − |p|² is off by up
to 1.3e-3 GeV², thousands of times the m² of an electron; the formula m² = (E − p)(E + p) does not bring lost digits
back (in cancellation.png it would lie on float32). It pays to subtract first and round later: the factors E − p and
E + p, computed in float64, may be rounded to 32 bits with no harm. In log(E − p) and log(E + p) little is left to
learn: log m is half their sum, a plane without any network. For m itself a plane reaches R² = 0.92 and ten sigmoids,
which only have to learn the exponential function, 0.999. Physics put into the inputs has done the work.

Try next (answers in docs/exercises.md):
1. Give the logarithms to all final particles, photons and electrons too. What goes wrong?
2. Round E and the momentum to 16 bits before the logarithms. What can the network learn from what is left?
3. Which particles does the network with the charge gain on? Compare its predictions for pions and photons.
"""

# %% Simulated collisions, particle by particle

import warnings
from pathlib import Path

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import GroupShuffleSplit
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler

from tinygrad_nuc import plots
from tinygrad_nuc.estimators import MLPRegressor
from tinygrad_nuc.simulation import Particles, read_collisions
from tinygrad_nuc.utils.demo import Demo

HERE = Path(__file__).parent if "__file__" in globals() else Path("demos")        # a notebook has no __file__
demo = Demo("invariant_mass", __doc__)
demo.option("--data", type=Path, default=HERE / "data" / "ep_collisions.csv.gz", metavar="FILE",
            help="another table of particles (the collisions beside the demos)")
args = demo.arguments()

particles = read_collisions(args.data)
final, hadrons = particles[particles.final], particles[particles.hadron]
demo.say(f"{len(np.unique(particles.event)):,} collisions, {len(final):,} final particles; {len(hadrons):,} hadrons, "
         "those that decayed included")

# %% Cancellation in the computer

def mass_squared(P: np.ndarray) -> np.ndarray:
    """E² − |p|², in the precision of the four-vectors P."""
    return P[:, 0] ** 2 - (P[:, 1:] ** 2).sum(1)


def minus_and_plus(P: np.ndarray) -> np.ndarray:
    """E − p and E + p, whose product is m²."""
    E, p = P[:, 0], np.sqrt((P[:, 1:] ** 2).sum(1))
    return np.column_stack([E - p, E + p])


P = particles.four_vectors
ways = {
    "float32": mass_squared(P.astype(np.float32)),
    "float32, as (E − p)(E + p)": minus_and_plus(P.astype(np.float32)).prod(1),
    "float64": mass_squared(P),
    "subtracted in float64, then float32": minus_and_plus(P).astype(np.float32).prod(1),
}
errors = {name: np.abs(m2 - particles.mass ** 2) for name, m2 in ways.items()}
m_e = 0.000511
for name, error in errors.items():
    demo.say(f"m² by {name}: off by up to {error.max():.1e} GeV², or {error.max() / m_e ** 2:.2g} mₑ²")
demo.expect("largest error of m² in float32 [GeV²]", errors["float32"].max(), 1.5e-3, within=0.5e-3)
demo.expect("the same in float64 [GeV²]: far less than mₑ²", errors["float64"].max(), at_most=0.001 * m_e ** 2)
after = errors["subtracted in float64, then float32"][particles.hadron] / hadrons.mass ** 2
demo.expect("relative error of a hadron's m², rounded after subtracting", after.max(), at_most=2e-7)

# %% Cancellation in the network

def network(hidden: int, **settings: object) -> Pipeline:
    """One hidden layer of sigmoids and a linear output; inputs with mean 0 and width 1."""
    return make_pipeline(StandardScaler(), MLPRegressor(hidden_layer_sizes=hidden, activation="logistic",
                                                        learning_rate_init=0.01, random_state=args.seed, **settings))


P, every, logs = final.four_vectors, hadrons.four_vectors, np.log(minus_and_plus(hadrons.four_vectors))
slow = hadrons[every[:, 0] < 1]
long = {"solver": "lbfgs", "tol": 1e-7}                 # each step with all particles
RAW, LOGS = "hadrons, 4-10-1 of E, px, py, pz", "hadrons, 2-10-1 of log(E − p), log(E + p)"
experiments = {                                         # inputs, of which particles, and what learns their mass
    "final particles, a plane": (P, final, LinearRegression()),
    "final particles, 4-10-1": (P, final, network(10)),
    "final particles, 4-100-1": (P, final, network(100)),
    "final particles, 5-10-1 with the charge": (np.column_stack([P, final.charge]), final, network(10)),
    RAW: (every, hadrons, network(10)),
    "hadrons below 1 GeV, 4-10-1, 1,000 steps": (slow.four_vectors, slow, network(10, max_iter=1000, **long)),
    "hadrons, a plane of log(E − p), log(E + p)": (logs, hadrons, LinearRegression()),
    LOGS: (logs, hadrons, network(10)),
}
if not args.quick:
    experiments["final particles, 4-10-1, 2,000 steps"] = (P, final, network(10, max_iter=2000, **long))

R2, held_back = {}, {}
for name, (X, of, model) in experiments.items():        # a quarter of the collisions is held back
    train, test = next(GroupShuffleSplit(test_size=0.25, random_state=args.seed).split(X, groups=of.event))
    with warnings.catch_warnings(action="ignore", category=ConvergenceWarning):     # the slope is not zero by then
        model.fit(X[train], of.mass[train])
    R2[name] = model.score(X[test], of.mass[test])
    held_back[name] = of.mass[test], model.predict(X[test])
    demo.say(f"{name}: R² = {R2[name]:.4f}")

small = experiments["final particles, 4-10-1"][-1][-1].model_
demo.expect("trainable parameters of 4-10-1", sum(p.numel() for p in small.parameters()), 61)
demo.expect("R² of 4-10-1", R2["final particles, 4-10-1"], 0.28, within=0.05)
demo.expect("R² with 100 hidden units", R2["final particles, 4-100-1"], 0.28, within=0.1)
demo.expect("R² with the charge", R2["final particles, 5-10-1 with the charge"], 0.36, within=0.07)
demo.expect("R² for all hadrons", R2[RAW], at_most=0.4)
demo.expect("R² for hadrons below 1 GeV", R2["hadrons below 1 GeV, 4-10-1, 1,000 steps"], at_least=0.9)
half = LinearRegression().fit(logs, np.log(hadrons.mass)).coef_
demo.expect("log m is half of log(E − p) + log(E + p): the slopes of a plane", half, [0.5, 0.5], within=1e-6)
demo.expect("R² of a plane for m", R2["hadrons, a plane of log(E − p), log(E + p)"], 0.93, within=0.03)
demo.expect("R² for all hadrons, with logarithms (reference 0.991)", R2[LOGS], at_least=0.991)
if not args.quick:
    demo.expect("R² after 2,000 steps of L-BFGS: better, and far from a formula",
                R2["final particles, 4-10-1, 2,000 steps"], at_least=0.3, at_most=0.6)

# %% The pictures

picture, axes = plots.grid(2, width=6.0, height=5.2)
for ax, name in zip(axes, (RAW, LOGS), strict=True):
    true, found = held_back[name]
    ax.plot([0, 2.6], [0, 2.6], color="grey", linestyle="--", label="right")
    ax.scatter(true, found, s=6, alpha=0.3, color=plots.BLUE, rasterized=True, label="a hadron")
    ax.set(xlim=(0, 2.6), ylim=(0, 2.6))                # the heaviest hadrons here contain a charm quark
    plots.finish(ax, "true mass [GeV]", "predicted mass [GeV]", name, loc="upper left", markerscale=3)
demo.save(picture, "predicted.png")

picture, (ax,) = plots.grid(1, width=9.0, height=5.6)
colors = {"float32": plots.ORANGE, "subtracted in float64, then float32": plots.PALETTE[0], "float64": plots.BLUE}
for name, color in colors.items():
    seen = errors[name] > 0                             # a logarithmic axis has no place for zero
    ax.scatter(particles.four_vectors[seen, 0], errors[name][seen], s=5, alpha=0.4, color=color, rasterized=True,
               label=name)
for name, mass in (("m²(π)", 0.13957), ("m²(e)", m_e)):
    ax.axhline(mass ** 2, color="black", linestyle=":")
    ax.text(0.012, mass ** 2 * 1.4, name, fontsize=12)
ax.set(xscale="log", yscale="log", xlim=(0.01, 100), ylim=(1e-16, 1e3))
plots.finish(ax, "energy [GeV]", "error of m² [GeV²]", "What rounding does", loc="upper left", markerscale=3)
demo.save(picture, "cancellation.png")

demo.finish()
