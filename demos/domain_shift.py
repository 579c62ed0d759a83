"""When does the model fail? A detector that is not as simulated, and a network that cannot know (lectures 1, 5).

    python demos/domain_shift.py

A network learns kaons from simulated events and measures their fraction f in data: f = (q − FPR)/(TPR − FPR), where q
is the share called kaon. TPR and FPR, the shares of kaons and of pions called kaon, are the simulation's. If the
detector differs, they are wrong, and so is f: an error that no amount of data makes smaller. That is domain shift.

Three mistakes are tried: a clock worse than believed (120 ps for 100), a worse Cherenkov angle (5 mrad for 4), and
more kaons that decay to something like a pion (3 % for 0.6 %).

What to see: as long as all is as simulated, errors are right: the pulls (measured − true)/error of many toy experiments
have mean 0 and width 1. With a mistake, f is off by three to eight times its error. Two of the mistakes can be noticed
without a single label: the responses fit no mixture of simulated pions and kaons (χ² far above its number of degrees of
freedom), and a second network can tell data from simulation (area under its ROC curve, AUC, above 0.5: guessing is
0.5). The third cannot, by any test of these three variables: here a kaon that decays is measured just like a pion, so
the data look like a sample with fewer kaons. It takes another measurement, such as the kink of the track, to know.
With labels all three show (calibration.png). The grey curve is how far off the network itself is; what counts is the
distance to it. Lost kaons are found where p is near 0: there the share of kaons is 2 points above the prediction.

Try next (answers in docs/exercises.md):
1. Which single variable of the data shows each mistake? Put x[:, j] in place of the response into mixture_chi2.
2. The corrected f assumes the simulated TPR. Which fraction do 3 % decays lead to, on paper? Compare.
3. Train the network on events of all three worse detectors, too. Does that take the bias away?
"""

# %% A network, and how it does on events like those it was trained on

import dataclasses

import numpy as np
from sklearn.preprocessing import StandardScaler

from tinygrad_nuc import plots
from tinygrad_nuc.analysis import (
    Performance,
    area_under_roc,
    count_in_bins,
    count_two_bins,
    expected_calibration_error,
    mixture_chi2,
    quantile_bins,
    reliability,
    toy_pulls,
)
from tinygrad_nuc.estimators import MLPClassifier
from tinygrad_nuc.simulation import Detector, simulate, simulate_unlabelled
from tinygrad_nuc.utils.demo import Demo

demo = Demo("domain_shift", __doc__, seed=1)
args = demo.arguments()
n_train, n_test, n_data, n_told, n_toys = (20_000, 40_000, 120_000, 20_000, 400) if args.quick else (
    187_500, 62_500, 275_000, 62_500, 4000)
train_seed, test_seed, nominal_seed, shift_seed, compare_seed, toy_seed = np.random.SeedSequence(args.seed).spawn(6)


def learn(x, y):
    """x → the probability of class 1, by a network with two hidden layers of 32."""
    scaler = StandardScaler().fit(x)
    network = MLPClassifier((32, 32), learning_rate_init=3e-3, random_state=args.seed)
    for batch_size in ([200] * 4 if args.quick else [500] * 8) + [5000] * 3:        # at last larger ones, less noise
        network.set_params(batch_size=batch_size).partial_fit(scaler.transform(x), y, classes=[0, 1])
    return lambda x: network.predict_proba(scaler.transform(x))[:, 1]


kaon_probability = learn(*simulate(n_train, n_train, seed=np.random.default_rng(train_seed)))
x_test, y_test = simulate(n_test, n_test, seed=np.random.default_rng(test_seed))
as_simulated = Performance(kaon_probability(x_test), y_test)
demo.say(f"on simulated events: {as_simulated}")

# %% As simulated: the error says how far off one is

data = simulate_unlabelled(n_data, seed=np.random.default_rng(nominal_seed), abundance=0.3116).features
f_nominal = as_simulated.abundances(kaon_probability(data))["adjusted count"]
pulls = toy_pulls(count_two_bins, *as_simulated.matrix, abundance=0.3116, n_pions=n_test, n_kaons=n_test,
                  n_unlabelled=n_data, n_toys=n_toys, seed=np.random.default_rng(toy_seed))
demo.expect("adjusted count, for a true 0.3116", f_nominal.value, 0.3116, within=3.5 * f_nominal.uncertainty)
demo.expect("its error", f_nominal.uncertainty, at_most=0.0030 if args.quick else 0.0013)
demo.expect(f"mean pull of {n_toys:,} toys", pulls.mean(), 0, within=3.5 / n_toys**0.5)
demo.expect("their width", pulls.std(), 1, within=3.5 / (2 * n_toys)**0.5)

# %% Not as simulated

detectors = {"as simulated": {}, "σ_t = 120 ps": {"time_resolution_ps": 120},
             "σ_θ = 5 mrad": {"angle_resolution_mrad": 5}, "3 % decays": {"kaon_decay_probability": 0.03}}
reference = dict(zip(detectors, [0.3000, 0.3041, 0.3092, 0.2931], strict=True))         # another network, ± 0.0012
pions, kaons = (as_simulated.response[y_test == k] for k in (0, 1))
edges = quantile_bins(pions, kaons, 20)
measured, chi2, auc, curves, ece = {}, {}, {}, {}, {}
demo.say("\nA true fraction of 0.3000, the same random numbers in each row (so the rows fluctuate together):")
for name, change in detectors.items():
    real = dataclasses.replace(Detector(), **change)
    data = simulate_unlabelled(n_data, real, seed=np.random.default_rng(shift_seed), abundance=0.3).features
    response = kaon_probability(data)
    measured[name] = f = as_simulated.abundances(response)["adjusted count"]

    # Without labels: do the responses fit a mixture of the simulated ones?
    chi2[name], degrees = mixture_chi2(*(count_in_bins(r, edges) for r in (pions, kaons, response)))

    # And can a second network tell data from simulated events, with as many kaons as measured?
    n_kaons = round(n_told * f.value)
    alike = simulate(n_told - n_kaons, n_kaons, seed=np.random.default_rng(compare_seed))[0]
    both, is_data = np.concatenate([alike, data[:n_told]]), np.repeat([0, 1], n_told)
    half = np.random.default_rng(args.seed).permutation(2 * n_told) < n_told
    data_probability = learn(both[half], is_data[half])
    auc[name] = area_under_roc(data_probability(both[~half]), is_data[~half])

    # With labels, which an experiment has not: are the probabilities right, in a half-and-half sample as in training?
    x_real, y_real = simulate(2 * n_test, 2 * n_test, real, seed=np.random.default_rng(test_seed))
    p = kaon_probability(x_real)
    curves[name], ece[name] = reliability(p, y_real), expected_calibration_error(p, y_real)
    demo.say(f"{name:12}  {f}  {f.pull(0.3):+5.1f} σ   χ² {chi2[name]:3.0f} of {degrees}   AUC {auc[name]:.3f}   "
             f"ECE {ece[name]:.4f}")

sigma = measured["as simulated"].uncertainty
for name, fraction in reference.items():
    demo.expect(f"adjusted count, {name}", measured[name].value, fraction, within=3.5 * np.hypot(sigma, 0.0012))
moved = {name: measured[name].value - measured["as simulated"].value for name in list(detectors)[1:]}
demo.expect("how far each mistake moves it", list(moved.values()), [0.0041, 0.0092, -0.0069],
            within=0.005 if args.quick else 0.003)
demo.expect("that, in errors", [abs(m) / sigma for m in moved.values()], at_least=1 if args.quick else 2.5, at_most=9)
noticed = {name: (chi2[name] - degrees) / (2 * degrees)**0.5 for name in detectors}
for names, chi2_limits, auc_limits in (
        (["as simulated", "3 % decays"], {"at_most": 4}, {"expected": [0.5, 0.5], "within": 2.5 / n_told**0.5}),
        (["σ_t = 120 ps", "σ_θ = 5 mrad"], {"at_least": 2 if args.quick else 8}, {"at_least": 0.51})):
    demo.expect(f"(χ² − k)/√(2k), k = {degrees}, {names[0]} and {names[1]}", [noticed[n] for n in names], **chi2_limits)
    demo.expect("AUC of data against simulation, the same", [auc[name] for name in names], **auc_limits)
demo.expect("calibration error, 3 % decays / as simulated", ece["3 % decays"] / ece["as simulated"], at_least=1.5)

# %% Pictures: the bias, what notices it, and what becomes of the probabilities

picture, (left, right) = plots.grid(2, width=6.2, height=4.4)
values = {name: (f.value, f.uncertainty) for name, f in measured.items()}
plots.measurements(values, "kaon fraction, adjusted count", truth=0.3, ax=left)
right.barh(list(chi2), list(chi2.values()), height=0.5, color=plots.BLUE, label="found")
right.axvline(degrees, color=plots.ORANGE, linestyle="--", label=f"expected, {degrees} ± {(2 * degrees)**0.5:.0f}")
right.invert_yaxis()
left.locator_params(axis="x", nbins=5)
plots.finish(right, "χ² of the best mixture", "detector", loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2)
picture.suptitle("What a wrong simulation does, and what notices it", fontsize=15)
left.set_ylabel("detector", fontsize=13)
demo.save(picture, "bias.png")

picture, (ax,) = plots.grid(1, width=8, height=5.6)
for (name, curve), color in zip(curves.items(), ("0.5", *plots.PALETTE), strict=False):
    ax.errorbar(curve.predicted, curve.observed - curve.predicted, curve.error, fmt="o-", color=color, label=name)
ax.axhline(0, color="black", linewidth=1)
ax.set_ylim(top=ax.get_ylim()[1] + 0.25 * np.ptp(ax.get_ylim()))           # room for the legend
plots.finish(ax, "predicted probability of a kaon", "share of kaons − prediction", "Are the probabilities right?",
             loc="upper left", ncols=2)
demo.save(picture, "calibration.png")

demo.finish()
