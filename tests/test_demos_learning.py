"""The demos about learning well: what the lectures' numbers and simple theory say must come out."""

import numpy as np
import pytest
from demo_helpers import quick, run


def test_gradient_descent_has_the_limit_that_the_curvature_sets():
    found = quick("optimizers")
    t = np.arange(31.0)
    jacobian = np.stack([np.exp(-0.1 * t), -t * np.exp(-0.1 * t)])          # of A exp(−λt) at A = 1, λ = 0.1
    k_min, k_max = np.linalg.eigvalsh(2 / 31 * jacobian @ jacobian.T)       # no residuals, so this is the Hessian
    assert [found.k_min, found.k_max] == pytest.approx([k_min, k_max], rel=1e-12)
    assert found.low == pytest.approx(2 / k_max, rel=1e-3)
    assert found.factor(0.5 / k_max, found.steep) == pytest.approx(0.5, abs=1e-3)


def test_too_large_a_step_comes_near_the_minimum_and_leaves_it_again():
    found = quick("optimizers")
    losses, _ = found.train(found.optim.SGD, 1.15 * found.limit, 500)
    assert losses.min() < 1e-6 and losses[-1] > 1e-4


def test_all_six_optimizers_arrive_and_momentum_is_faster():
    found = quick("optimizers")
    assert len(found.fastest) == 6
    for name, (losses, path) in found.fastest.items():
        assert losses[-1] < 1e-6, name
        np.testing.assert_allclose(path[-1]["θ₀"], [1.0, 0.1], atol=3e-3, err_msg=name)
        np.testing.assert_array_equal(path[0]["θ₀"], [2.0, 1.0])
    assert found.quickest["momentum"] < 0.5 * found.quickest["gradient descent"]
    assert found.quickest["Adam"] < 0.5 * found.quickest["gradient descent"]
    assert found.rates[found.arrivals["Adam"].argmin()] == pytest.approx(0.1) and found.tenth == 168
    assert "arrives with 1 of 5 η, from 0.1 to 0.1" in found.printed


def test_a_step_that_is_below_once_has_not_arrived():
    found = quick("optimizers")
    assert found.arrival(np.array([1, 1e-7, 1, 1e-7, 1e-7])) == 3
    assert found.arrival(np.array([1, 1e-7, 1e-5])) == found.arrival(np.array([np.inf])) == np.inf
    losses, _ = found.train(found.optim.RMSprop, 0.003, 1_000)
    assert np.flatnonzero(losses < 1e-6)[0] == 350 and 1e-4 < losses[350:].max() < 1e-3


def test_the_noise_of_a_gradient_falls_with_the_root_of_the_batch():
    found = quick("batch_size")
    assert found.slope == pytest.approx(-0.5, abs=0.03)
    assert found.noise[0] / found.noise[3] == pytest.approx(8, rel=0.15)    # m = 1 and m = 64
    mean = np.mean(found.drawn[-1], axis=0)
    assert np.linalg.norm(mean - found.exact) < 0.01                        # right on average: no bias


def test_a_medium_batch_is_near_the_ideal_classifier():
    found = quick("batch_size")
    assert found.ideal_accuracy == pytest.approx(0.9458, abs=0.005)
    assert -0.02 < found.equal_work[found.good, 1] - found.ideal_accuracy < 0.003
    assert found.equal_work[-1, 0] > 1.5 * found.equal_work[found.good, 0] > 1.5 * found.ideal_loss
    once, several = found.train(256, 30), found.train(256, 30, last=3)
    np.testing.assert_allclose(several, np.mean([found.train(256, steps) for steps in (28, 29, 30)], axis=0), rtol=1e-6)
    assert once[0] < several[0]


def test_each_parameter_of_a_polynomial_takes_its_share_of_the_noise():
    found = quick("overfitting")
    assert found.mean_validation.argmin() == 3
    assert found.mean_training[3] == pytest.approx(0.03, rel=0.05)          # 0.2² (1 − 4/16)
    assert found.mean_validation[3] == pytest.approx(0.05, rel=0.05)
    assert found.mean_training[15] < 1e-20
    assert found.mean_validation[15] == pytest.approx(0.08, rel=0.05)
    assert (np.diff(found.mean_training) < 0).all() and (np.diff(found.mean_validation[3:]) > 0).all()


def test_too_few_parameters_add_their_bias():
    found = quick("overfitting")
    truth = np.polynomial.legendre.legval(np.linspace(-0.95, 0.95, 16), [1.0, 0.4, 0.6, -0.5])
    np.testing.assert_allclose(found.bias2[0], truth.var())                 # a constant describes nothing but the mean
    np.testing.assert_allclose(found.bias2[3:], 0, atol=1e-20)
    np.testing.assert_allclose(found.mean_training[0], truth.var() + 0.04 * 15 / 16, rtol=0.02)
    np.testing.assert_allclose(found.mean_validation[0], truth.var() + 0.04 * 17 / 16, rtol=0.02)


def test_remedies_against_overfitting_help():
    found = quick("regularisation")
    assert found.parameters == 17_153
    loss = {name: measured["loss"] for name, measured in found.found.items()}
    assert len(loss) == 5 and max(loss, key=loss.get) == "no remedy"
    assert min(loss.values()) > 0.98 * found.ideal_loss
    history = found.runs["early stopping"].history
    assert found.stopping.best_epoch == history.best_epoch() < len(history)
    marks = [line.get_label() for line in found.left.lines]
    assert f"best validation loss: epoch {found.stopping.best_epoch}" in marks
    drawn = {line.get_label(): line.get_xydata() for line in found.right.lines}
    assert set(loss) < set(drawn) and drawn["no remedy"][-1, 0] == 40 * 10          # epochs of ten steps
    assert drawn["ten times the events"][:, 0].tolist() == [94, 188, 282, 376]
    assert drawn["early stopping"].tolist() == [[10 * stopped, history["validation_loss"][stopped - 1]]
                                                for stopped in [found.stopping.best_epoch]]
    assert [bar.get_width() for bar in found.bars] == list(loss.values())


def test_a_class_without_order_wants_a_one_hot_code():
    found = quick("class_codes")
    assert found.error_of_line(found.one_hot) == pytest.approx(0.1, abs=0.01)
    assert found.errors["one-hot, linear"][-1] == pytest.approx(0.1, abs=0.01)
    assert found.errors["ordered, linear"][-1] > 0.5
    assert len(found.numberings) == 40_320 and found.explained.mean() == pytest.approx(1 / 7, abs=1e-12)


def test_an_embedding_is_a_one_hot_code_times_a_matrix():
    found = quick("class_codes")
    np.testing.assert_allclose(found.rows.numpy(), found.product.numpy(), rtol=0, atol=1e-12)


def test_gradient_descent_wants_inputs_of_one_scale():
    found = quick("class_codes")
    assert found.descents["standardised"][-1] == pytest.approx(0.1, abs=0.01)
    assert found.descents["min–max"][-1] == pytest.approx(0.1, abs=0.01)
    assert 0.5 < found.descents["x in mm"][-1] == pytest.approx(found.descents["x in mm"][1], abs=1e-3)


def test_the_search_judges_with_events_that_its_scaler_has_not_seen():
    found = quick("hyperparameter_search")
    assert found.seen == [750, 750]                                         # of 1,500, in two folds
    np.testing.assert_allclose(found.refits["test_score"].mean(), found.search.best_score_, rtol=0, atol=1e-12)
    assert found.winner[0].n_samples_seen_ == 1_500


def test_the_winner_of_the_search_is_near_the_ideal_classifier():
    found = quick("hyperparameter_search")
    assert len(found.scores) == 8 and found.search.best_score_ == found.scores.max()
    folds = np.array([found.tried[f"split{i}_test_score"] for i in range(2)])
    np.testing.assert_allclose(found.spread, folds.std(axis=0, ddof=1) / np.sqrt(2), atol=1e-12)
    ranking = [line.split(" units")[0].strip() for line in found.printed.splitlines() if " units, " in line]
    assert ranking[0] == found.names[found.search.best_index_]
    assert found.ideal.mean() == pytest.approx(0.9458, abs=0.003)
    assert -0.03 < found.right.mean() - found.ideal.mean() < 4 * found.error


def test_a_search_on_a_table_of_ones_own(tmp_path):
    rng = np.random.default_rng(1)
    x = rng.normal(size=(600, 2))
    label = np.where(x[:, 0] * x[:, 1] > 0, "gamma", "hadron")
    rows = [f"{a:.4f},{b:.4f},{name}" for (a, b), name in zip(x, label, strict=True)]
    (tmp_path / "showers.csv").write_text("\n".join(["length,width,class", *rows]), "utf-8")
    found = run("hyperparameter_search", "--quick", "--data", str(tmp_path / "showers.csv"), "--signal", "gamma")
    assert len(found.y) == 450 and len(found.y_kept) == 150
    assert found.right.mean() > 0.8
    assert "ideal" not in found.printed.split("events kept back")[1]


@pytest.mark.parametrize("name, options, message", [
    ("hyperparameter_search", ["--signal", "g"], "need --data"),
    ("hyperparameter_search", ["--trials", "1"], "at least 2"),
    ("overfitting", ["--angles", "15"], "at least 16"),
    ("regularisation", ["--events", "99"], "at least 100"),
])
def test_options_that_make_no_sense_are_refused_in_one_line(name, options, message, capsys):
    with pytest.raises(SystemExit) as refused:
        run(name, *options)
    assert refused.value.code == 2
    error = capsys.readouterr().err
    assert error.startswith("error: ") and message in error and error.count("\n") == 1
