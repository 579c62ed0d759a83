"""ParameterLogger counts what NumPy counts, loses nothing when bins widen, and goes on where a run is resumed."""

import numpy as np
import pytest
from trainer_helpers import X, checkpointed, line, loader, trainer

import tinygrad_nuc as tn
from tinygrad_nuc import nn
from tinygrad_nuc.training import ModelCheckpoint, ParameterLogger
from tinygrad_nuc.training.parameter_log import GRADIENT_EDGES, norm


def model_with(values, gradient=None):
    model = nn.Linear(len(values), 1, bias=False, dtype=tn.float64)
    with tn.no_grad():
        model.weight.copy_(tn.tensor(values, dtype=tn.float64))
    model.weight.grad = None if gradient is None else tn.tensor([gradient], dtype=tn.float64)
    return model


def logged(*rows):
    log = ParameterLogger()
    for row in rows:
        log.log(model_with(row))
    return log


def test_weights_are_counted_in_bins_of_equal_width():
    w = np.random.default_rng(0).normal(size=1000)
    edges, counts = logged(w).histogram("weight")
    np.testing.assert_array_equal(edges, np.linspace(-4, 4, 65))
    np.testing.assert_array_equal(counts, [np.histogram(w, edges)[0]])


def test_bins_that_widen_are_those_that_wide_bins_would_have_been():
    rng = np.random.default_rng(1)
    rows = [rng.normal(size=500) * 4.0 ** i for i in range(6)]
    edges, counts = logged(*rows).histogram("weight")
    assert edges[-1] > max(np.abs(row).max() for row in rows) >= edges[-1] / 2
    np.testing.assert_array_equal(counts, [np.histogram(row, edges)[0] for row in rows])


def test_values_at_powers_of_two_stay_in_their_bin():
    rows = [0.5, -0.5, 0.0, 0.0], [8.0, 4.0, -8.0, 0.25]
    edges, counts = logged(*rows).histogram("weight")
    assert edges[-1] == 16 and counts.dtype == np.int32
    np.testing.assert_array_equal(counts, [np.histogram(row, edges)[0] for row in rows])


def test_parameters_that_begin_at_zero_get_fine_bins():
    edges, counts = logged([0.0, 0.0], [0.003, -0.001]).histogram("weight")
    assert edges[-1] == 2.0 ** -8 and counts.sum(axis=1).tolist() == [2, 2]


def test_gradients_are_counted_by_their_size():
    log = ParameterLogger()
    log.log(model_with(np.zeros(6), [0.0, 1e-30, -2e-5, 2e-5, 0.5, 1e6]))
    edges, counts = log.histogram("weight", "gradient")
    np.testing.assert_array_equal(edges, GRADIENT_EDGES)
    two, half = np.searchsorted(edges, [2e-5, 0.5]) - 1
    assert {i: n for i, n in enumerate(counts[0]) if n} == {0: 2, two: 2, half: 1, 59: 1}


def test_norms_are_those_of_numpy_and_say_what_is_missing():
    log = ParameterLogger()
    for gradient in (None, [0.0, 0.0], [3.0, 4.0], [np.nan, 1.0], [np.inf, 1.0]):
        log.log(model_with([1.0, -2.0], gradient))
    np.testing.assert_array_equal(log.norms("weight"), [np.sqrt(5)] * 5)
    np.testing.assert_array_equal(log.norms("weight", "gradient"), [np.nan, 0, 5, np.inf, np.inf])
    assert log.histogram("weight", "gradient")[1].sum(axis=1).tolist() == [0, 2, 2, 1, 1]
    assert norm(np.array([3e200, 4e200])) == pytest.approx(5e200) and norm(np.empty(0)) == 0


def test_values_that_are_not_finite_are_in_no_bin():
    edges, counts = logged([1.0, 2.0], [np.nan, 1.0], [np.inf, -1e308]).histogram("weight")
    assert edges[-1] == 4 and counts.sum(axis=1).tolist() == [2, 1, 0]


def test_half_precision_is_added_up_in_full():
    model = nn.Linear(1000, 1, bias=False, dtype=tn.float16)
    nn.init.constant_(model.weight, 100.0)
    log = ParameterLogger()
    log.log(model)
    assert log.norms("weight")[0] == pytest.approx(100 * np.sqrt(1000))


def test_epochs_are_logged_from_the_beginning_with_the_gradient_of_the_last_batch():
    log = ParameterLogger(every_n_epochs=2)
    t = trainer(line(0.0), lr=0.25, callbacks=[log])                    # w → (w + 1) / 2, with the gradient 2 (w − 1)
    t.fit(loader(X, X), epochs=4)
    assert (log.times, log.unit, log.names) == ([0, 2, 4], "epoch", ["weight"])
    np.testing.assert_array_equal(log.norms("weight"), [0, 1 - 2.0 ** -4, 1 - 2.0 ** -8])
    np.testing.assert_array_equal(log.norms("weight", "gradient"), [np.nan, 2 * 2.0 ** -3, 2 * 2.0 ** -7])
    t.fit(loader(X, X), epochs=2)
    assert log.times == [0, 2, 4, 6]                                            # the same training goes on


def test_steps_are_logged_and_gradients_after_clipping():
    log = ParameterLogger(every_n_steps=3)
    trainer(line(0.0), lr=0.25, callbacks=[log], clip_grad_norm=0.125).fit(loader(X, X, batch_size=1), epochs=2)
    assert (log.times, log.unit) == ([0, 3, 6], "step")
    np.testing.assert_allclose(log.norms("weight", "gradient")[1:], 0.125, rtol=1e-5)


def test_another_training_begins_anew():
    log = ParameterLogger()
    for _ in range(2):
        trainer(line(0.0), callbacks=[log]).fit(loader(X, X), epochs=1)
        assert log.times == [0, 1]


@pytest.mark.parametrize("options", [{}, {"every_n_steps": 1}])
def test_a_resumed_run_has_the_log_of_one_that_never_stopped(tmp_path, options):
    def run(folder, *parts):
        for epochs in parts:
            log = ParameterLogger(**options)
            checkpointed(folder, [log]).fit(loader(X, X, shuffle=True), epochs=epochs, resume="last")
        return log
    whole, parts = run(tmp_path / "whole", 5), run(tmp_path / "parts", 2, 5)
    assert whole.times == parts.times and len(whole.times) == (11 if options else 6)
    for what in ("weight", "gradient"):
        for ours, theirs in zip(parts.histogram("weight", what), whole.histogram("weight", what), strict=True):
            np.testing.assert_array_equal(ours, theirs)
        np.testing.assert_array_equal(parts.norms("weight", what), whole.norms("weight", what))


def test_a_log_by_another_unit_is_refused_and_nothing_changes(tmp_path):
    checkpointed(tmp_path, [ParameterLogger()]).fit(loader(X, X), epochs=1)
    log = ParameterLogger(every_n_steps=1)
    t = checkpointed(tmp_path, [log])
    with pytest.raises(ValueError, match="ParameterLogger: the checkpoint's log is by epoch, and this one by step"):
        t.fit(loader(X, X), epochs=2, resume="last")
    assert (t.step, t.model.weight.item(), log.times, log.names) == (0, 0.0, [], [])


def test_a_log_without_a_trainer_counts_its_calls(tmp_path):
    log = ParameterLogger()
    log.log(line(1.0))
    log.log(line(2.0), time=10)
    log.log(line(4.0))
    assert log.times == [1, 10, 11] and log.norms("weight").tolist() == [1, 2, 4]
    tn.save(log.state_dict(), tmp_path / "log.npz")
    copy = ParameterLogger()
    copy.load_state_dict(tn.load(tmp_path / "log.npz"))
    copy.log(line(8.0))
    assert copy.norms("weight").tolist() == [1, 2, 4, 8] and log.times == [1, 10, 11]
    np.testing.assert_array_equal(copy.histogram("weight")[1].sum(axis=1), [1, 1, 1, 1])


def test_what_cannot_be_logged_is_refused_and_nothing_is_logged():
    log = logged([1.0])
    for model, options, kind, message in (
            (nn.Linear(1, 1), {}, ValueError,
             "the parameters are weight, bias, and those logged before weight: it takes one logger for each model"),
            (model_with([1.0]), {"time": 1}, ValueError, "epoch 1 is not later than 1, which was logged before"),
            (model_with([1.0]), {"time": -1}, ValueError, "time must be a whole number of at least 0"),
            ({"weight": 1}, {}, TypeError, "expects a Module, not a dict")):
        with pytest.raises(kind, match=f"ParameterLogger: {message}"):
            log.log(model, **options)
    assert log.times == [1] and len(log.norms("weight")) == 1
    with pytest.raises(ValueError, match="histogram: what must be 'weight' or 'gradient', not 'bias'"):
        log.histogram("weight", "bias")
    with pytest.raises(ValueError, match="norms: 'bias' was not logged; there are weight"):
        log.norms("bias")
    with pytest.raises(ValueError, match="ParameterLogger: every_n_steps must be a whole number"):
        ParameterLogger(every_n_steps=0)


def test_logging_changes_no_parameter_gradient_or_random_number(tmp_path):
    def run(callbacks):
        tn.manual_seed(5)
        model = nn.Sequential(nn.Linear(1, 4, dtype=tn.float64), nn.Dropout(0.5), nn.Linear(4, 1, dtype=tn.float64))
        trainer(model, callbacks=callbacks).fit(loader(X, X, shuffle=True), epochs=3)
        return [p.numpy().tolist() for p in model.parameters()]
    assert run([ParameterLogger(every_n_steps=1), ModelCheckpoint(tmp_path)]) == run([])
