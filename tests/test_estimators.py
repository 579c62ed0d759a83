"""The estimators are scikit-learn's in behaviour and, for equal settings, in numbers; and the network inside is ours."""

import pickle
import sys
from unittest import SkipTest

import joblib
import numpy as np
import pytest
import sklearn.neural_network
from sklearn.base import clone
from sklearn.datasets import make_classification, make_multilabel_classification, make_regression
from sklearn.exceptions import ConvergenceWarning, NotFittedError
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import GridSearchCV, HalvingRandomSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.utils.estimator_checks import estimator_checks_generator

import tinygrad_nuc as tn
from tinygrad_nuc import nn
from tinygrad_nuc.estimators import MLPClassifier, MLPRegressor
from tinygrad_nuc.simulation import simulate

N = 90
BINARY = make_classification(N, 6, random_state=0)
SEVERAL = make_classification(N, 6, n_classes=3, n_informative=4, random_state=0)
LABELS = (SEVERAL[0], make_multilabel_classification(N, 6, random_state=0)[1])
NUMBERS = make_regression(N, 6, noise=5, random_state=0)
NUMBERS = (NUMBERS[0], NUMBERS[1] / 100)
VECTORS = make_regression(N, 6, n_targets=3, noise=5, random_state=0)
VECTORS = (VECTORS[0], VECTORS[1] / 100)
COUNTS = (NUMBERS[0], np.random.default_rng(0).poisson(np.exp(NUMBERS[0][:, 0])))
WEIGHT = np.random.default_rng(1).uniform(0, 2, N)
THEIRS = {MLPClassifier: sklearn.neural_network.MLPClassifier, MLPRegressor: sklearn.neural_network.MLPRegressor}

unfinished = pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
pytestmark = pytest.mark.filterwarnings("ignore:Stochastic Optimizer.*:sklearn.exceptions.ConvergenceWarning")


def outputs(estimator, X):
    return estimator.predict_proba(X) if hasattr(estimator, "predict_proba") else estimator.predict(X)


def parameters(estimator):
    return [*estimator.coefs_, *estimator.intercepts_]


def assert_equal(ours, theirs, X, tolerance=1e-12):
    """The same network, reached on the same way."""
    for a, b in zip(parameters(ours), parameters(theirs), strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=tolerance)
    np.testing.assert_allclose(outputs(ours, X), outputs(theirs, X), rtol=tolerance, atol=tolerance)
    assert ours.loss_ == pytest.approx(theirs.loss_, rel=tolerance)
    for name in ("n_iter_", "t_", "n_layers_", "n_outputs_", "out_activation_", "n_features_in_"):
        assert getattr(ours, name) == getattr(theirs, name), name
    if theirs.solver != "lbfgs":
        np.testing.assert_allclose(ours.loss_curve_, theirs.loss_curve_, rtol=tolerance)
        for name in ("best_loss_", "best_validation_score_", "validation_scores_"):
            expected = getattr(theirs, name)
            assert getattr(ours, name) == (None if expected is None else pytest.approx(expected, rel=1e-9)), name


# ---------------------------------------------------------------------- scikit-learn's own checks

@pytest.mark.parametrize(("estimator", "check"), [
    pytest.param(estimator, check, id=f"{type(kind).__name__}-{kind.solver}-{check.func.__name__}-{i}")
    for kind in (MLPClassifier(max_iter=100), MLPRegressor(max_iter=100),
                 MLPClassifier(solver="lbfgs", alpha=1),
                 MLPRegressor(solver="lbfgs"))
    for i, (estimator, check) in enumerate(estimator_checks_generator(kind))])
@unfinished
def test_scikit_learns_checks(estimator, check):
    try:
        check(estimator)
    except SkipTest as reason:
        assert any(absent in str(reason) for absent in ("pandas", "SCIPY_ARRAY_API", "decision_function"))


# ---------------------------------------------------------------------- scikit-learn's numbers

KINDS = {"two classes": (MLPClassifier, *BINARY, {}), "several": (MLPClassifier, *SEVERAL, {}),
         "labels": (MLPClassifier, *LABELS, {}), "number": (MLPRegressor, *NUMBERS, {}), "vector": (MLPRegressor, *VECTORS, {}),
         "counts": (MLPRegressor, *COUNTS, {"loss": "poisson"})}


@pytest.mark.parametrize("solver", ["adam", "sgd"])
@pytest.mark.parametrize("early", [False, True])
@pytest.mark.parametrize("weight", [None, WEIGHT])
@pytest.mark.parametrize("kind", KINDS)
@unfinished
def test_equal_settings_give_equal_networks(kind, weight, early, solver):
    ours, X, y, settings = KINDS[kind]
    settings = dict(settings, solver=solver, early_stopping=early, hidden_layer_sizes=(7, 4), batch_size=32, max_iter=20,
                    alpha=0.1, random_state=5)
    a, b = (estimator(**settings).fit(X, y, sample_weight=weight) for estimator in (ours, THEIRS[ours]))
    assert_equal(a, b, X)


@pytest.mark.parametrize("settings", [
    {"activation": "tanh"}, {"activation": "logistic"}, {"activation": "identity"}, {"hidden_layer_sizes": ()},
    {"hidden_layer_sizes": 5}, {"shuffle": False}, {"alpha": 0}, {"alpha": 10.0}, {"batch_size": 1, "max_iter": 3},
    {"beta_1": 0.5, "beta_2": 0.9, "epsilon": 0.1}, {"tol": 0.05, "n_iter_no_change": 3, "max_iter": 300},
    {"solver": "sgd", "momentum": 0}, {"solver": "sgd", "momentum": 0.5, "nesterovs_momentum": False},
    {"solver": "sgd", "learning_rate": "invscaling", "power_t": 0.3, "learning_rate_init": 0.5},
    {"solver": "sgd", "learning_rate": "adaptive", "learning_rate_init": 0.1, "tol": 0.02, "n_iter_no_change": 1, "max_iter": 300},
    {"solver": "sgd", "learning_rate": "adaptive", "early_stopping": True, "n_iter_no_change": 2, "max_iter": 300},
], ids=str)
@unfinished
def test_every_setting_means_the_same(settings):
    settings = {"max_iter": 20, "random_state": 5, "hidden_layer_sizes": 8, **settings}
    X, y = BINARY
    a, b = (kind(**settings).fit(X, y) for kind in (MLPClassifier, THEIRS[MLPClassifier]))
    assert_equal(a, b, X)


@unfinished
def test_loss_and_step_from_given_weights():
    X, y = BINARY
    settings = dict(solver="sgd", max_iter=1, shuffle=False, batch_size=N, alpha=1.0, warm_start=True)
    a, b = MLPClassifier(random_state=1, **settings).fit(X, y), THEIRS[MLPClassifier](random_state=2, **settings).fit(X, y)
    before = [p.copy() for p in parameters(b)]
    for ours, theirs in zip(parameters(a), before, strict=True):
        ours[:] = theirs
    a.fit(X, y)
    b.fit(X, y)
    hidden = np.maximum(X @ before[0] + before[2], 0)
    p = 1 / (1 + np.exp(-(hidden @ before[1] + before[3])[:, 0]))
    by_hand = -np.mean(np.log(np.where(y == 1, p, 1 - p))) + (np.sum(before[0] ** 2) + np.sum(before[1] ** 2)) / 2 / N
    assert a.loss_ == pytest.approx(by_hand, abs=1e-10) and b.loss_ == pytest.approx(by_hand, abs=1e-10)
    for ours, theirs in zip(parameters(a), parameters(b), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-14)


@pytest.mark.parametrize("weight", [None, WEIGHT])
@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "vector"])
@unfinished
def test_lbfgs_reaches_the_same_loss(kind, weight):
    ours, X, y, settings = KINDS[kind]
    settings = dict(settings, solver="lbfgs", alpha=1.0, activation="tanh", random_state=5)
    for size, steps, tolerance in ((), 500, 1e-8), (4, 10, 1e-8):       # with a hidden layer, rounding picks the path later on
        a, b = (estimator(hidden_layer_sizes=size, max_iter=steps, **settings).fit(X, y, sample_weight=weight)
                for estimator in (ours, THEIRS[ours]))
        assert a.loss_ == pytest.approx(b.loss_, rel=tolerance) and not hasattr(a, "loss_curve_")


def test_lbfgs_descends_the_sum_over_several_outputs():
    """scikit-learn gives it the mean, with the slope of the sum, and the search along lines fails."""
    X, y = VECTORS
    settings = dict(solver="lbfgs", alpha=1.0, activation="tanh", hidden_layer_sizes=8, max_iter=5000, random_state=0)
    ours = MLPRegressor(**settings).fit(X, y)
    with pytest.warns(ConvergenceWarning, match="ABNORMAL"):
        theirs = THEIRS[MLPRegressor](**settings).fit(X, y)

    def total(estimator, shares=1):
        return (np.sum((estimator.predict(X) - y) ** 2) / shares + sum(np.sum(W ** 2) for W in estimator.coefs_)) / 2 / N

    assert total(ours) < total(theirs)
    assert ours.loss_ == pytest.approx(total(ours, shares=3)), "shown as the mean over outputs, as there"


@pytest.mark.parametrize("solver", ["adam", "sgd"])
@pytest.mark.parametrize("kind", KINDS)
def test_partial_fit_goes_on_like_scikit_learns(kind, solver):
    ours, X, y, settings = KINDS[kind]
    classes = {"classes": np.unique(y)} if ours is MLPClassifier and y.ndim == 1 else \
        {"classes": [0, 1, 2, 3, 4]} if ours is MLPClassifier else {}
    a, b = (estimator(hidden_layer_sizes=5, solver=solver, random_state=5, **settings) for estimator in (ours, THEIRS[ours]))
    for i in range(6):
        part = slice(15 * i, 15 * i + 15)
        for estimator in (a, b):
            estimator.partial_fit(X[part], y[part], sample_weight=WEIGHT[part], **classes)
    assert_equal(a, b, X)
    assert a.t_ == N and len(a.loss_curve_) == 6


@unfinished
def test_warm_start_goes_on_like_scikit_learns():
    X, y = SEVERAL
    a, b = (kind(max_iter=3, warm_start=True, random_state=5) for kind in (MLPClassifier, THEIRS[MLPClassifier]))
    for _ in range(3):
        assert_equal(a.fit(X, y), b.fit(X, y), X)
    assert len(a.loss_curve_) == 9 and a.n_iter_ == 3


@unfinished
def test_simulated_kaons_are_found_as_often():
    X, y = simulate(500, 500, seed=0)
    X = StandardScaler().fit_transform(X)
    a, b = (kind(max_iter=30, random_state=0).fit(X[:800], y[:800]) for kind in (MLPClassifier, THEIRS[MLPClassifier]))
    assert a.score(X[800:], y[800:]) == b.score(X[800:], y[800:]) > 0.75


# ---------------------------------------------------------------------- in scikit-learn's company

@unfinished
def test_cross_validation_of_a_pipeline():
    X, y = BINARY
    scores = [cross_val_score(make_pipeline(StandardScaler(), kind(max_iter=30, random_state=0)), 10 * X + 3, y, cv=3)
              for kind in (MLPClassifier, THEIRS[MLPClassifier])]
    assert scores[0].tolist() == scores[1].tolist() and scores[0].mean() > 0.8


@unfinished
def test_a_grid_search_in_two_processes():
    X, y = BINARY
    searches = [GridSearchCV(kind(max_iter=10, random_state=0), {"alpha": [1e-4, 10.0], "hidden_layer_sizes": [(4,), (8, 8)]},
                             cv=2, n_jobs=jobs).fit(X, y)
                for kind, jobs in ((MLPClassifier, 2), (THEIRS[MLPClassifier], 1))]
    ours, theirs = (search.cv_results_["mean_test_score"].tolist() for search in searches)
    assert ours == theirs and searches[0].best_params_ == searches[1].best_params_


@unfinished
def test_a_halving_random_search():
    X, y = NUMBERS
    search = HalvingRandomSearchCV(MLPRegressor(solver="lbfgs", random_state=0), {"alpha": [1e-4, 1.0, 100.0], "activation": ["tanh", "identity"]},
                                   n_candidates=4, factor=2, min_resources=20, cv=2, random_state=0).fit(X, y)
    assert search.best_params_["activation"] == "identity", "the numbers are linear in X"
    assert search.score(X, y) > 0.99


@unfinished
def test_a_clone_has_the_settings_and_nothing_else():
    fitted = MLPClassifier(hidden_layer_sizes=(3, 2), alpha=0.5, max_iter=2).fit(*BINARY)
    twin = clone(fitted)
    assert twin.get_params() == fitted.get_params() and not hasattr(twin, "model_") and not hasattr(twin, "coefs_")
    with pytest.raises(NotFittedError):
        twin.predict(BINARY[0])
    assert {**MLPRegressor().get_params()} == THEIRS[MLPRegressor]().get_params()
    assert {**MLPClassifier().get_params()} == THEIRS[MLPClassifier]().get_params()


@pytest.mark.parametrize("store", [
    lambda estimator, path: pickle.loads(pickle.dumps(estimator)),
    lambda estimator, path: joblib.dump(estimator, path) and joblib.load(path)])
def test_what_is_loaded_goes_on_where_the_other_stopped(store, tmp_path):
    X, y = BINARY
    a = MLPClassifier(random_state=0).partial_fit(X, y, classes=[0, 1]).partial_fit(X, y)
    b = store(a, tmp_path / "classifier.joblib")
    np.testing.assert_array_equal(a.predict_proba(X), b.predict_proba(X))
    for estimator in (a, b):
        estimator.partial_fit(X, y)
    for p, q in zip(parameters(a), parameters(b), strict=True):
        np.testing.assert_array_equal(p, q)
    assert a.loss_curve_ == b.loss_curve_ and len(b.loss_curve_) == 3
    assert all(p.grad is None for p in b.model_.parameters())


# ---------------------------------------------------------------------- chance, types

@pytest.mark.parametrize("solver", ["adam", "lbfgs"])
@unfinished
def test_random_state_alone_decides(solver):
    X, y = BINARY

    def fitted(seed=7, **settings):
        return MLPClassifier(solver=solver, max_iter=5, random_state=seed, **settings).fit(X, y).coefs_[0]

    tn.manual_seed(1)
    before = tn.default_generator().bit_generator.state
    first = fitted()
    assert tn.default_generator().bit_generator.state == before, "the library's generator is left alone"
    tn.manual_seed(2)
    np.testing.assert_array_equal(fitted(), first)
    np.testing.assert_array_equal(fitted(np.random.RandomState(7)), first)
    assert (fitted(8) != first).any()
    default = tn.get_default_dtype()
    try:
        tn.set_default_dtype(tn.float64 if default == tn.float32 else tn.float32)
        np.testing.assert_array_equal(fitted(), first)
    finally:
        tn.set_default_dtype(default)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("solver", ["adam", "sgd", "lbfgs"])
@unfinished
def test_numbers_keep_their_type(solver, dtype):
    X, y = BINARY
    classifier = MLPClassifier(solver=solver, max_iter=5, random_state=0).fit(X.astype(dtype), y)
    regressor = MLPRegressor(solver=solver, max_iter=5, random_state=0).fit(X.astype(dtype), y)
    for estimator in (classifier, regressor):
        assert {p.dtype for p in estimator.model_.parameters()} == {np.dtype(dtype)}
        assert outputs(estimator, X.astype(dtype)).dtype == outputs(estimator, X).dtype == dtype
    double = MLPClassifier(solver=solver, max_iter=5, random_state=0).fit(X, y)
    np.testing.assert_allclose(classifier.predict_proba(X), double.predict_proba(X), atol=1e-5)
    if solver != "lbfgs":
        classifier.partial_fit(X, y)
        assert classifier.coefs_[0].dtype == dtype, "the network keeps its type, whatever comes later"


# ---------------------------------------------------------------------- the network inside

@unfinished
def test_the_network_can_be_looked_at():
    X, y = SEVERAL
    estimator = MLPClassifier((4, 3), "tanh", max_iter=5, random_state=0).fit(X, y)
    assert isinstance(estimator.model_, nn.Sequential)
    assert repr(estimator.model_) == repr(nn.Sequential(nn.Linear(6, 4), nn.Tanh(), nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 3)))
    np.testing.assert_allclose(tn.softmax(estimator.model_(tn.tensor(X)), dim=1).detach().numpy(), estimator.predict_proba(X), rtol=1e-12)
    assert [W.shape for W in estimator.coefs_] == [(6, 4), (4, 3), (3, 3)] and [b.shape for b in estimator.intercepts_] == [(4,), (3,), (3,)]
    estimator.coefs_[-1][:] = 0
    estimator.intercepts_[-1][:] = np.log([0.2, 0.3, 0.5])
    np.testing.assert_allclose(estimator.predict_proba(X[:1]), [[0.2, 0.3, 0.5]], rtol=1e-12)
    with pytest.raises(TypeError, match="assignment"):
        estimator.coefs_[0] = np.zeros((6, 4))


def test_small_probabilities_are_not_rounded_to_zero():
    X = np.array([[-1.0], [1.0]])
    estimator = MLPClassifier((), random_state=0).partial_fit(X, [0, 1], classes=[0, 1])
    estimator.coefs_[0][:], estimator.intercepts_[0][:] = 100, 0
    np.testing.assert_allclose(estimator.predict_proba(X), [[1, np.exp(-100)], [np.exp(-100), 1]], rtol=1e-12)
    np.testing.assert_allclose(estimator.predict_log_proba(X)[[0, 1], [1, 0]], -100, rtol=1e-12)
    estimator.coefs_[0][:] = 1000
    assert estimator.predict_log_proba(X).tolist() == [[0, -np.inf], [-np.inf, 0]], "without a warning"


@unfinished
def test_classes_keep_their_names():
    X, y = SEVERAL
    names = np.array(["electron", "muon", "tau"])
    estimator = MLPClassifier(solver="lbfgs", random_state=0, max_iter=30).fit(X, names[y])
    assert estimator.classes_.tolist() == names.tolist() and set(estimator.predict(X)) == set(names)
    assert estimator.score(X, names[y]) > 0.8 and estimator.predict_proba(X).shape == (N, 3)
    labels = MLPClassifier(solver="lbfgs", random_state=0, max_iter=30).fit(*LABELS)
    assert labels.predict(X).shape == labels.predict_proba(X).shape == (N, 5) and set(np.unique(labels.predict(X))) == {0, 1}


# ---------------------------------------------------------------------- how the training goes

@unfinished
def test_what_is_printed(capsys):
    for settings in ({"early_stopping": True}, {"solver": "sgd", "learning_rate": "adaptive", "tol": 1.0, "n_iter_no_change": 1}, {"solver": "lbfgs"}):
        MLPClassifier(verbose=True, max_iter=4, random_state=0, **settings).fit(*BINARY)
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("Iteration 1, loss = 0.") and lines[1].startswith("Validation score: 0.")
    assert any(line.endswith("Learning rate 0.0002 from now on.") for line in lines) and lines[-1].startswith("loss = 0.")


def test_the_training_says_when_it_has_not_converged():
    for solver, message in (("adam", "within max_iter=2 epochs"), ("sgd", "within max_iter=2 epochs"), ("lbfgs", "after 2 iterations")):
        with pytest.warns(ConvergenceWarning, match=message) as caught:
            MLPClassifier(solver=solver, max_iter=2, random_state=0).fit(*BINARY)
        assert caught[0].filename == __file__, "the warning points at the user's line"
    MLPClassifier(tol=10.0, max_iter=50).fit(*BINARY)                   # no progress at all: it stops, and needs no warning
    with pytest.warns(UserWarning, match="batch_size=1000 is more than the 90 samples") as caught:
        MLPClassifier(batch_size=1000, tol=10.0).fit(*BINARY)
    assert caught[0].filename == __file__


class Interrupted(MLPClassifier):
    """Somebody presses Ctrl-C in the third epoch."""

    def _losses(self, z, y):
        if self.n_iter_ == 2:
            raise KeyboardInterrupt
        return super()._losses(z, y)


@pytest.mark.parametrize("early", [False, True])
def test_an_interrupted_fit_leaves_a_network_to_use(early):
    with pytest.warns(UserWarning, match="adam: the training was interrupted"):
        estimator = Interrupted(early_stopping=early, random_state=0).fit(*BINARY)
    assert estimator.n_iter_ == len(estimator.loss_curve_) == 2 and estimator.score(*BINARY) > 0.3


def test_an_interrupted_lbfgs_has_the_type_it_should():
    class InterruptedAtOnce(MLPClassifier):
        def _losses(self, z, y): raise KeyboardInterrupt
    estimator = InterruptedAtOnce(solver="lbfgs")
    with pytest.raises(KeyboardInterrupt):
        estimator.fit(BINARY[0].astype(np.float32), BINARY[1])
    assert estimator.coefs_[0].dtype == np.float32


@unfinished
def test_early_stopping_keeps_the_best_weights():
    X, y = NUMBERS
    estimator = MLPRegressor(solver="sgd", learning_rate_init=0.3, early_stopping=True, validation_fraction=0.3, max_iter=30,
                             n_iter_no_change=30, random_state=3).fit(X, y)
    scores = estimator.validation_scores_
    assert estimator.best_validation_score_ == max(scores) > scores[-1] and len(scores) == estimator.n_iter_
    again = MLPRegressor(solver="sgd", learning_rate_init=0.3, early_stopping=True, validation_fraction=0.3,
                         max_iter=1 + int(np.argmax(scores)), random_state=3).fit(X, y)
    np.testing.assert_array_equal(again.coefs_[0], estimator.coefs_[0])


@unfinished
def test_samples_without_weight_do_not_count():
    X, y = BINARY
    weight = np.where(np.arange(N) < 40, 1.0, 0.0)
    settings = dict(shuffle=False, batch_size=20, max_iter=5, random_state=0)       # batches 3 to 5 weigh nothing
    a, b = MLPClassifier(**settings).fit(X, y, sample_weight=weight), MLPClassifier(**settings).fit(X[:40], y[:40])
    for p, q in zip(parameters(a), parameters(b), strict=True):
        np.testing.assert_array_equal(p, q)


# ---------------------------------------------------------------------- what is refused

X, Y = BINARY


@pytest.mark.parametrize(("settings", "message"), [
    *[({name: wrong}, f"{name} must be .*, not {wrong!r}") for name, wrong in [
        ("hidden_layer_sizes", 0), ("hidden_layer_sizes", "100"), ("activation", "gelu"), ("solver", "newton"), ("alpha", -1),
        ("alpha", np.inf), ("batch_size", 0), ("batch_size", "all"), ("learning_rate", 0.1), ("learning_rate_init", 0), ("power_t", -1),
        ("max_iter", 0), ("max_iter", 2.5), ("shuffle", 2), ("tol", -1), ("verbose", "yes"), ("warm_start", 2), ("momentum", 1.5),
        ("nesterovs_momentum", 2), ("early_stopping", 2), ("validation_fraction", 1.0), ("beta_1", 1.0), ("beta_2", -0.1),
        ("epsilon", 0.0), ("n_iter_no_change", 0), ("max_fun", 0), ("loss", "huber")]],
    ({"hidden_layer_sizes": (3, 0)}, r"hidden_layer_sizes must be .*, not \(3, 0\)"), ({"random_state": "x"}, "'x' cannot be used to seed"),
])
def test_settings_that_make_no_sense(settings, message):
    estimator = MLPRegressor(**settings)
    with pytest.raises(ValueError, match=message):
        estimator.fit(X, Y)
    assert not hasattr(estimator, "model_")


@pytest.mark.parametrize(("kind", "given", "message"), [
    (MLPClassifier, {"X": X[0]}, "Expected 2D array"), (MLPClassifier, {"X": np.where(X > 1, np.nan, X)}, "contains NaN"),
    (MLPClassifier, {"y": Y[:-1]}, "inconsistent numbers of samples"), (MLPClassifier, {"y": X[:, 0]}, "continuous"),
    (MLPRegressor, {"y": np.where(Y, np.inf, 0)}, "contains infinity"), (MLPClassifier, {"sample_weight": WEIGHT[:-1]}, r"shape \(89,\).*90 samples"),
    (MLPClassifier, {"sample_weight": 0 * WEIGHT}, "adds up to 0"), (MLPClassifier, {"sample_weight": -WEIGHT}, "must be above zero"),
    (lambda: MLPRegressor("poisson"), {"y": Y - 1}, "y of at least 0, and this has -1"),
])
@unfinished
def test_data_that_do_not_fit_are_refused_before_the_old_network_is_lost(kind, given, message):
    estimator = kind().set_params(max_iter=2, random_state=0).fit(X, Y)
    before, old = outputs(estimator, X), estimator.model_
    with pytest.raises(ValueError, match=message):
        estimator.fit(**{"X": X, "y": Y, **given})
    assert estimator.model_ is old
    np.testing.assert_array_equal(outputs(estimator, X), before)


@pytest.mark.parametrize(("change", "data", "message"), [
    ({"hidden_layer_sizes": 7}, BINARY, r"want another one:(.|\n)*out_features=100(.|\n)*out_features=7"), ({"activation": "tanh"}, BINARY, "ReLU(.|\n)*Tanh"),
    ({}, SEVERAL, r"for the classes \[0 1\], and y has \[0 1 2\]"), ({}, (X, 0 * Y), r"for the classes \[0 1\], and y has \[0\]"), ({}, (X[:, 1:], Y), "5 features"),
])
@unfinished
def test_a_warm_start_needs_the_network_that_is_there(change, data, message):
    estimator = MLPClassifier(warm_start=True, max_iter=2, random_state=0).fit(*BINARY).set_params(**change)
    before = estimator.coefs_[0].copy()
    with pytest.raises(ValueError, match=message):
        estimator.fit(*data)
    np.testing.assert_array_equal(estimator.coefs_[0], before)
    assert estimator.classes_.tolist() == [0, 1] and estimator.n_features_in_ == 6


@unfinished
def test_what_partial_fit_cannot_do():
    with pytest.raises(ValueError, match="classes must be passed on the first call"):
        MLPClassifier().partial_fit(X, Y)
    with pytest.raises(ValueError, match="does not support early_stopping"):
        MLPRegressor(early_stopping=True).partial_fit(X, Y)
    estimator = MLPClassifier().partial_fit(X[:1], Y[:1], classes=[0, 1])
    with pytest.raises(ValueError, match=r"classes=\[0, 1, 2\] are not those of the first call, \[0 1\]"):
        estimator.partial_fit(X, Y, classes=[0, 1, 2])
    with pytest.raises(ValueError, match=r"for the classes \[0 1\], and y has \[0 1 2\]"):
        estimator.partial_fit(*SEVERAL)
    assert not hasattr(MLPClassifier(solver="lbfgs"), "partial_fit") and hasattr(MLPRegressor(), "partial_fit")
    with pytest.raises(AttributeError, match="partial_fit"):
        MLPRegressor(solver="lbfgs").partial_fit(X, Y)
    with pytest.raises(ValueError, match="less than 2"):
        MLPClassifier(early_stopping=True, validation_fraction=0.01, solver="sgd").fit(*SEVERAL)


def test_weights_that_run_away_are_an_error():
    with pytest.raises(ValueError, match="not finite.*learning_rate_init"):
        MLPRegressor(solver="sgd", learning_rate_init=1e6, max_iter=50).fit(*NUMBERS)


@unfinished
def test_another_fit_begins_anew_whatever_came_before():
    X, y = BINARY
    estimator = MLPClassifier(random_state=0, max_iter=3).fit(X, y)
    estimator.set_params(solver="lbfgs").fit(X, y)
    assert not hasattr(estimator, "loss_curve_")
    estimator.set_params(solver="sgd").partial_fit(X, y)                # with an optimizer of its own, not that of the first fit
    assert len(estimator.loss_curve_) == 1 and estimator.best_loss_ == estimator.loss_
    estimator.set_params(early_stopping=True, warm_start=True).fit(X, y)
    assert estimator.best_loss_ is None and len(estimator.validation_scores_) == estimator.n_iter_ == 3
    estimator.set_params(early_stopping=False, warm_start=False)
    fresh = MLPClassifier(random_state=0, max_iter=3, solver="sgd").fit(X, y)
    np.testing.assert_array_equal(estimator.fit(X, y).coefs_[0], fresh.coefs_[0])


def test_without_scikit_learn(monkeypatch):
    monkeypatch.setitem(sys.modules, "sklearn.utils.validation", None)
    monkeypatch.delitem(sys.modules, "tinygrad_nuc.estimators")
    with pytest.raises(ImportError, match=r'scikit-learn, version 1.6 or newer: pip install "tinygrad_nuc\[demos\]"'):
        import tinygrad_nuc.estimators  # noqa: F401
