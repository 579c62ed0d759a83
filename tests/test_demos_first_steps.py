"""The first demos: the perceptron, derivatives by hand, a straight line, losses, logistic regression."""

import numpy as np
import pytest
from demo_helpers import quick


def test_the_perceptron_learns_and_but_never_exclusive_or():
    found = quick("perceptron")
    assert len(found.paths["and"]) - 1 == 10                        # changes, from 0
    np.testing.assert_array_equal(found.paths["and"][-1], [-2, 2, 1])
    assert len(found.paths["exclusive or"]) > 3000
    assert found.difference < 1e-12


def test_derivatives_of_the_graph_by_hand_and_by_the_engine():
    found = quick("graph_by_hand")
    assert (found.w1.grad.item(), found.w2.grad.item()) == (-6, 3)              # 2(ŷ − y) x = 2 · (−1.5) · (2, −1)
    assert "Multiply.grad_b: (−3) · 2 = −6" in found.printed
    assert {p.name for p in found.folder.iterdir() if p.name[0] != "."} == {
        "graph.png", "graph.svg", "report.txt", "sign.png", "steps.html"}
    assert "∇ −6" in (found.folder / "graph.svg").read_text("utf-8")


def test_nine_derivatives_by_hand():
    found = quick("graph_by_hand")
    assert found.by_hand.shape == found.by_engine.shape == (9,)
    np.testing.assert_allclose(found.by_hand, found.by_engine, rtol=0, atol=1e-12)
    np.testing.assert_allclose(found.measured, found.by_engine, rtol=0, atol=1e-9)
    assert abs(found.by_engine).max() > 0.01                        # and they are not 0


def test_with_the_sign_of_the_slide_the_loss_climbs():
    found = quick("graph_by_hand")
    assert found.right[0] == pytest.approx(0.26907, abs=5e-6) and found.right[-1] == pytest.approx(0.16833, abs=5e-6)
    assert found.literal[-1] == pytest.approx(0.49966, abs=5e-6) and (np.diff(found.literal) > 0).all()
    np.testing.assert_allclose(np.unique(found.climbs[-1].round(2)), [0.5, 0.75])
    assert 0.25 < found.share < 0.8                                 # of normal starts, 0.58 of 400


def test_the_textbooks_line():
    found = quick("line_fit")
    np.testing.assert_allclose(found.batch[-1], [4.21509616, 2.77011339], rtol=0, atol=5e-9)
    np.testing.assert_allclose(found.best, [4.21509616, 2.77011339], rtol=0, atol=5e-9)
    assert len(found.batch) == 1001


def test_learning_rates_schedules_and_units_of_the_line():
    found = quick("line_fit")
    assert found.limit == pytest.approx(0.48424, abs=1e-4)          # 2 over the largest curvature
    assert found.below < 1e-3 and found.above > 1e3
    assert found.curvature[1] / found.curvature[0] == pytest.approx(12.168, abs=1e-3)
    np.testing.assert_allclose(found.scaled, [2, 2], rtol=1e-12)    # the same in every direction: one step is enough
    assert found.rest(found.falling) < 0.1 < 0.2 < found.rest(found.constant)


def test_losses_are_negative_log_likelihoods():
    found = quick("losses")
    p, q = found.one_hot[0], found.C(2.0)
    assert p.sum() == 1 and q == pytest.approx(2 / (4 * np.pi * 3.626860407847019), rel=1e-14)         # sinh 2
    assert found.mse.item() == pytest.approx(((found.y_hat - found.y) ** 2).sum() / 100, rel=1e-13)
    for name in ("Bernoulli and BCE", "categorical and CE", "Gauss with σ² = 1/2, and MSE + ½ ln π",
                 "Laplace, and MAE + ln 2", "von Mises-Fisher and its loss", "BCE, and as lecture 2 writes it",
                 "MSE, and as lecture 2 writes it"):
        assert f"✓ {name}: " in found.printed


def test_the_best_constants_are_mean_and_median_and_one_loss_has_none():
    found = quick("losses")
    times = found.t.numpy()
    assert times.mean() == pytest.approx(2.2, abs=0.3) and np.median(times) == pytest.approx(2.2 * np.log(2), abs=0.2)
    assert found.ways["MSE"][-1] == pytest.approx(times.mean(), abs=1e-6)
    assert found.ways["MAE"][-1] == pytest.approx(np.median(times), abs=1e-3)
    steps = np.diff(found.runaway)
    np.testing.assert_allclose(steps, -0.5 * 0.997 ** np.arange(3000), rtol=1e-9)       # the gradient is 1 everywhere


def test_logistic_regression_has_three_parameters_and_scikit_learns_line():
    found = quick("logistic_regression")
    assert found.summary.total_params == 3
    np.testing.assert_allclose(found.ours, np.append(found.theirs.coef_, found.theirs.intercept_), rtol=0, atol=5e-5)
    assert found.ours[1] < -1 < 1 < found.ours[0]                   # kaons: a large mass², a small Cherenkov angle
    assert 0.85 < found.accuracy < 0.95


def test_scalings_know_the_training_rows_alone_and_make_the_valley_short():
    found = quick("logistic_regression")
    scaled = found.scale(found.x_train)
    np.testing.assert_allclose(scaled.mean(axis=0), 0, atol=1e-12)
    np.testing.assert_allclose(scaled.std(axis=0), 1, rtol=1e-12)
    assert abs(found.scale(found.x_new).mean(axis=0)).min() > 1e-3
    assert found.scalings["min-max"](found.x_train).min() == 0 and found.scalings["min-max"](found.x_train).max() == 1
    assert found.condition["standardised"] < 5 < 50 < found.condition["min-max"] < found.condition["as they are"]
    assert found.curves["standardised"][-1] < 0.02 < 0.1 < found.curves["as they are"][-1]
