"""The training loop: what it records, when it stops, which weights it keeps, what it leaves as it was."""

import csv
import math
import signal
import threading

import numpy as np
import pytest
from trainer_helpers import X, line, loader, trainer

import tinygrad_nuc as tn
from tinygrad_nuc import nn, optim
from tinygrad_nuc.training import (
    Callback,
    CSVLogger,
    EarlyStopping,
    History,
    LearningRateLogger,
    ProgressBar,
    Trainer,
    accuracy,
    model_card,
)
from tinygrad_nuc.utils.data import DataLoader, TensorDataset

# --- what is recorded ---------------------------------------------------------------------------------


def test_the_losses_of_each_epoch_are_means_over_samples():
    model = line(0.0)
    history = trainer(model, 0.25).fit(loader(X[:3], X[:3]), loader(X[:3], 2 * X[:3]), epochs=1)
    # Two batches: w = 0 has loss 1, its gradient −2 moves w to 0.5; then one sample with loss 0.25 moves w to 0.75.
    assert history.rows == [{"epoch": 1, "train_loss": pytest.approx((2 * 1 + 1 * 0.25) / 3),
                             "validation_loss": pytest.approx(1.25 ** 2)}]
    assert model.weight.item() == 0.75


def test_without_validation_data_there_are_no_such_columns():
    assert trainer(line(0.0)).fit(loader(X, X), epochs=3).columns == ["epoch", "train_loss"]


def test_metrics_are_computed_once_from_all_predictions():
    calls = []

    def largest_error(prediction, target):
        calls.append(prediction.shape)
        return abs(prediction.numpy() - target.numpy()).max()

    t = trainer(line(0.5), 0.0, metrics={"largest_error": largest_error})
    history = t.fit(loader(X, X), loader(X[:3], np.array([[0.5], [2.0], [0.25]])), epochs=2)
    assert history["validation_largest_error"] == [1.5, 1.5] and calls == [(3, 1), (3, 1)]
    assert t.evaluate(loader(X, X)) == {"loss": 0.25, "largest_error": 0.5}


def test_another_call_goes_on_with_the_epochs():
    model = line(0.0)
    t = trainer(model)
    t.fit(loader(X, X), epochs=2)
    assert t.fit(loader(X, X), epochs=3)["epoch"] == [1, 2, 3, 4, 5] and t.step == 10
    assert model.weight.item() == pytest.approx(1 - 0.8 ** 10)


def test_predictions_are_those_of_evaluation_mode():
    model = nn.Sequential(line(2.0), nn.Dropout(0.9))
    assert trainer(model).predict(loader(X[:3], X[:3])).tolist() == [[2.0], [2.0], [2.0]]
    assert model.training and model[1].training


class Sum(nn.Module):
    """Two inputs."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(tn.zeros(1, dtype=tn.float64))

    def forward(self, a, b):
        return self.weight * (a + b)


def test_several_inputs_and_lone_inputs():
    a, b = tn.tensor(X), tn.tensor(2 * X)
    model = Sum()
    trainer(model, 0.05).fit(DataLoader(TensorDataset(a, b, 6 * a), batch_size=4), epochs=100)
    assert model.weight.item() == pytest.approx(2.0)                    # 2 · (1 + 2) = 6
    for data in (TensorDataset(a), [a[i] for i in range(4)]):           # each input is its own target
        data = data if isinstance(data, list) else DataLoader(data, batch_size=4)
        model = line(0.0)
        trainer(model, 0.25).fit(data, epochs=50)
        assert model.weight.item() == pytest.approx(1.0)


def test_the_loss_of_a_batch_can_be_ones_own():
    class Penalised(Trainer):
        def loss_of(self, prediction, target):
            return super().loss_of(prediction, target) + (self.model.weight ** 2).sum()

    model = line(0.0)
    history = Penalised(model, nn.MSELoss(), optim.SGD(model.parameters(), lr=0.1)).fit(loader(X, X), loader(X, X), epochs=50)
    assert model.weight.item() == pytest.approx(0.5)                    # (w − 1)² + w² is least at ½
    assert history.rows[-1]["validation_loss"] == pytest.approx(0.5)


# --- the step -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("options", "weight"), [
    ({}, 2.0), ({"clip_grad_norm": 0.5}, 0.5), ({"clip_grad_value": 0.25}, 0.25),
    ({"clip_grad_norm": 3.0, "clip_grad_value": 9.0}, 2.0)])
def test_gradients_are_clipped(options, weight):
    model = line(0.0)
    trainer(model, 1.0, **options).fit(loader(X, X, 4), epochs=1)       # the gradient at w = 0 is −2
    assert model.weight.item() == pytest.approx(weight, rel=1e-5)


def test_a_schedule_moves_after_every_epoch_or_every_step():
    for interval, expected in (("epoch", [0.8, 0.4, 0.2]), ("step", [0.4, 0.1, 0.025])):
        model = line(0.0)
        optimizer = optim.SGD(model.parameters(), lr=0.8)
        history = trainer(model, optimizer=optimizer, scheduler=optim.lr_scheduler.ExponentialLR(optimizer, 0.5),
                          scheduler_interval=interval, callbacks=[LearningRateLogger()]).fit(loader(X, X), epochs=3)
        assert history["lr"] == pytest.approx(expected)                 # the rate of the epoch's last step


def test_a_plateau_is_told_the_validation_loss():
    model = line(1.0)
    optimizer = optim.SGD(model.parameters(), lr=0.5)
    schedule = optim.lr_scheduler.ReduceLROnPlateau(optimizer, patience=0, factor=0.1)
    history = trainer(model, optimizer=optimizer, scheduler=schedule, callbacks=[LearningRateLogger()]).fit(
        loader(X, X), loader(X, 2 * X), epochs=4)                       # the validation loss stays 1
    assert history["lr"] == pytest.approx([0.5, 0.5, 0.05, 0.005])


def test_groups_have_columns_of_their_own():
    model = nn.Sequential(line(0.0), line(1.0))
    optimizer = optim.SGD([{"params": model[0].parameters()}, {"params": model[1].parameters(), "lr": 0.01}], lr=0.1)
    history = trainer(model, optimizer=optimizer, callbacks=[LearningRateLogger()]).fit(loader(X, X), epochs=1)
    assert (history["lr_0"], history["lr_1"]) == ([0.1], [0.01])


def test_a_diverging_loss_is_an_error_before_it_spoils_the_weights():
    model = line(0.0)
    with pytest.raises(FloatingPointError, match="Trainer: the loss in epoch 1, step 2 is inf; a smaller learning rate"):
        trainer(model, 1e200).fit(loader(X, X), epochs=9)
    assert np.isfinite(model.weight.numpy()).all() and model.training
    with pytest.raises(FloatingPointError, match="the validation loss of epoch 1 is inf"):
        trainer(line(0.0)).fit(loader(X, X), loader(X, X * 1e200), epochs=9)


# --- stopping -----------------------------------------------------------------------------------------


def test_training_stops_when_nothing_improves_and_keeps_the_best_weights():
    model, best_at = line(0.0), 0.8                       # training pulls w to 1, validation is best at 0.8
    t = trainer(model, 0.05, callbacks=[EarlyStopping(patience=3)])
    history = t.fit(loader(X, X), loader(X, best_at * X), epochs=1000)
    assert len(history) == history.best_epoch() + 3
    assert t.stopped == f"validation_loss has not improved since epoch {history.best_epoch()}"
    assert abs(model.weight.item() - best_at) == pytest.approx(math.sqrt(history.best()))
    assert t.evaluate(loader(X, best_at * X))["loss"] == pytest.approx(min(history["validation_loss"]))


@pytest.mark.parametrize(("options", "epochs"), [({"min_delta": 0.2}, 4), ({"min_delta": 0.0}, 30), ({"patience": 9, "min_delta": 0.2}, 11)])
def test_small_improvements_may_not_count(options, epochs):
    model = line(0.0)                   # losses after the epochs: 0.41, 0.168, 0.069 …: the second improves by 0.24
    stop = EarlyStopping(**{"patience": 2, **options}, restore_best_weights=False)
    history = trainer(model, 0.1, callbacks=[stop]).fit(loader(X, X), loader(X, X), epochs=30)
    assert len(history) == epochs
    assert model.weight.item() == pytest.approx(1 - 0.8 ** (2 * epochs))        # the last weights, not the best


def test_the_highest_may_be_best():
    model = line(0.0)
    stop = EarlyStopping("validation_closeness", patience=1, mode="max")
    history = trainer(model, 0.1, callbacks=[stop], metrics={"closeness": lambda p, t: -abs(p.numpy() - 0.5).max()}).fit(
        loader(X, X), loader(X, X), epochs=30)
    assert len(history) == history.best_epoch("validation_closeness", "max") + 1 == 3


def test_a_failure_leaves_the_best_weights():
    class Failing(optim.SGD):
        steps = 0

        def step(self):
            super().step()
            self.steps += 1
            if self.steps == 5:
                raise KeyboardInterrupt                     # a second Ctrl-C, say

    model = line(0.0)
    with pytest.raises(KeyboardInterrupt):
        trainer(model, optimizer=Failing(model.parameters(), lr=0.05), callbacks=[EarlyStopping()]).fit(
            loader(X, X), loader(X, X), epochs=9)
    assert model.weight.item() == pytest.approx(1 - 0.9 ** 4)         # after two whole epochs of two batches


def test_a_second_fit_looks_for_a_new_best():
    model, stop = line(0.0), EarlyStopping(patience=2)
    t = trainer(model, callbacks=[stop])
    t.fit(loader(X, X), loader(X, X), epochs=4)
    t.fit(loader(X, 2 * X), loader(X, 2 * X), epochs=4)
    assert stop.best_epoch == 8 and model.weight.item() == pytest.approx(2 - (2 - (1 - 0.8 ** 8)) * 0.8 ** 8)


class PressCtrlC(Callback):
    """At one step, once or twice."""

    def __init__(self, step, times=1):
        self.step, self.times, self.told = step, times, []

    def on_batch_end(self, trainer, loss):
        if trainer.step == self.step:
            for _ in range(self.times):
                signal.raise_signal(signal.SIGINT)

    def on_interrupt(self, trainer):
        self.told.append(trainer.step)


def test_where_ctrl_c_is_ignored_it_stays_so(ctrl_c):
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    t = trainer(line(0.0), callbacks=[PressCtrlC(3)])
    assert len(t.fit(loader(X, X), epochs=4)) == 4 and not t.interrupted


def test_ctrl_c_ends_the_training_after_the_step(ctrl_c, capsys):
    before, model, press = signal.getsignal(signal.SIGINT), line(0.0), PressCtrlC(3)
    t = trainer(model, callbacks=[press])
    history = t.fit(loader(X, X), epochs=9)
    assert t.interrupted and t.stopped == "interrupted in epoch 2, after step 3" and press.told == [3]
    assert len(history) == 1 and model.weight.item() == pytest.approx(1 - 0.8 ** 3)
    assert "press Ctrl-C again" in capsys.readouterr().err and signal.getsignal(signal.SIGINT) is before
    t.fit(loader(X, X), epochs=1)
    assert not t.interrupted and t.stopped is None and len(history) == 2


def test_a_second_ctrl_c_ends_it_at_once(ctrl_c):
    before, t = signal.getsignal(signal.SIGINT), trainer(line(0.0), callbacks=[PressCtrlC(3, times=2)])
    with pytest.raises(KeyboardInterrupt):
        t.fit(loader(X, X), epochs=9)
    assert t.step == 3 and signal.getsignal(signal.SIGINT) is before


def test_a_column_that_comes_too_late_to_go_by():
    class Purity(Callback):
        columns = ("purity",)

        def on_epoch_end(self, trainer, row):
            row["purity"] = 1 / trainer.epoch
    assert len(trainer(line(0.0), callbacks=[Purity(), EarlyStopping("purity", patience=1, mode="max")]).fit(loader(X, X), epochs=9)) == 2
    model = line(0.0)
    with pytest.raises(ValueError, match="EarlyStopping: there is no 'purity' to go by, only train_loss; .*earlier in the list a callback"):
        trainer(model, callbacks=[EarlyStopping("purity"), Purity()]).fit(loader(X, X), epochs=1)
    assert model.weight.item() == 0.0
    Purity.on_epoch_end = Callback.on_epoch_end
    with pytest.raises(KeyError, match="EarlyStopping: there is no 'purity' to go by; this epoch measured epoch, train_loss"):
        trainer(line(0.0), callbacks=[Purity(), EarlyStopping("purity")]).fit(loader(X, X), epochs=1)


def test_training_in_another_thread():
    model, found = line(0.0), []
    thread = threading.Thread(target=lambda: found.append(len(trainer(model).fit(loader(X, X), epochs=2))))
    thread.start()
    thread.join()
    assert found == [2]


# --- modes --------------------------------------------------------------------------------------------


class Modes(nn.Module):
    """Notes the mode in which each part was called."""

    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(1, 1, dtype=tn.float64)
        self.seen = set()

    def forward(self, x):
        self.seen.add((self.training, self.inner.training, tn.is_grad_enabled()))
        return self.inner(x)


@pytest.mark.parametrize("training", [True, False])
def test_modes_are_switched_and_restored(training):
    model = Modes().train(training)
    trainer(model).fit(loader(X, X), loader(X, X), epochs=1)
    assert model.seen == {(True, True, True), (False, False, False)}
    assert model.training is model.inner.training is training


def test_a_part_that_was_frozen_stays_frozen():
    model = Modes()
    model.inner.eval()
    trainer(model).fit(loader(X, X), loader(X, X), epochs=1)
    assert (True, False, True) in model.seen and model.training and not model.inner.training


def test_the_same_seed_gives_the_same_run():
    def run():
        tn.manual_seed(7)
        model = nn.Sequential(nn.Linear(1, 4), nn.Tanh(), nn.Dropout(0.2), nn.Linear(4, 1)).double()
        data = loader(np.linspace(-1, 1, 20)[:, None], np.linspace(0, 1, 20)[:, None], 3, shuffle=True)
        history = trainer(model, optimizer=optim.Adam(model.parameters(), lr=0.01)).fit(data, data, epochs=3)
        return history.rows, [p.tolist() for p in model.parameters()]
    assert run() == run()


# --- callbacks ----------------------------------------------------------------------------------------


def test_callbacks_are_called_when_their_names_say():
    class Notes(Callback):
        def __init__(self): self.seen = []
        def before_fit(self, t): self.seen.append("before")
        def on_fit_start(self, t): self.seen.append("start")
        def on_batch_end(self, t, loss): self.seen.append(round(loss, 4))
        def on_epoch_end(self, t, row): self.seen.append(row["epoch"])
        def on_fit_end(self, t): self.seen.append("end")

    notes = Notes()
    trainer(line(0.0), 0.25, callbacks=[notes]).fit(loader(X, X), epochs=2)
    assert notes.seen == ["before", "start", 1.0, 0.25, 1, 0.0625, 0.0156, 2, "end"]


def test_the_table_in_the_file_is_the_history(tmp_path):
    path = tmp_path / "history.csv"

    class Extra(Callback):
        def on_epoch_end(self, t, row):
            if row["epoch"] == 2:
                row["extra"] = 0.5

    history = trainer(line(0.0), callbacks=[CSVLogger(path), LearningRateLogger(), Extra()]).fit(
        loader(X, X), loader(X, X), epochs=3)
    with open(path) as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["epoch", "train_loss", "validation_loss", "lr", "extra"]
    assert [float(row["train_loss"]) for row in rows] == history["train_loss"]
    assert [row["extra"] for row in rows] == ["", "0.5", ""] and history["extra"] == [None, 0.5, None]
    with pytest.raises(FileNotFoundError, match="CSVLogger: there is no folder"):
        trainer(line(0.0), callbacks=[CSVLogger(tmp_path / "none" / "history.csv")]).fit(loader(X, X), epochs=1)


def test_the_bar_shows_what_is_measured(capsys):
    trainer(line(0.0), progress=True).fit(loader(X, X), loader(X, X), epochs=2)
    shown = capsys.readouterr().err
    assert "epoch=2" in shown and "loss=" in shown and "validation_loss=0." in shown and "4/4" in shown
    for quiet in ({"progress": False}, {"callbacks": [ProgressBar(show=False)]}, {}):       # {}: this is no terminal
        trainer(line(0.0), **quiet).fit(loader(X, X), epochs=1)
        assert capsys.readouterr() == ("", "")


# --- history ------------------------------------------------------------------------------------------


def test_history_answers_questions():
    history = History([{"epoch": 1, "train_loss": 3.0, "validation_auc": 0.7}, {"epoch": 2, "train_loss": float("nan")},
                       {"epoch": 3, "train_loss": 2.0, "validation_auc": 0.6}])
    assert history.best_epoch() == 3 and history.best() == 2.0
    assert history.best_epoch("validation_auc", "max") == 1 and history.best("validation_auc", "max") == 0.7
    assert len(history) == 3 and [row["epoch"] for row in history] == [1, 2, 3]
    with pytest.raises(KeyError, match="'loss' was not measured; there are epoch, train_loss, validation_auc"):
        history["loss"]
    with pytest.raises(ValueError, match="no epoch with a train_loss has been completed"):
        History().best_epoch()


def test_history_can_be_saved_and_is_small(tmp_path):
    rows = [{"epoch": 1, "train_loss": 0.1 + 0.2, "note": "begun"}, {"epoch": 2, "train_loss": 1e-300, "extra": float("nan")}]
    history = History()
    tn.save(History(rows).state_dict(), tmp_path / "a.npz")
    history.load_state_dict(tn.load(tmp_path / "a.npz"))
    assert repr(history.rows) == repr(rows) and type(history.rows[0]["epoch"]) is int
    long = History([{"epoch": i, "train_loss": 1 / i} for i in range(1, 100_001)])
    tn.save(long.state_dict(), tmp_path / "b.npz")
    history.load_state_dict(tn.load(tmp_path / "b.npz"))
    assert history.rows == long.rows and (tmp_path / "b.npz").stat().st_size < 17 * 100_000
    history.load_state_dict(History().state_dict())
    assert history.rows == []


def test_history_draws_itself(tmp_path):
    history = History([{"epoch": 1, "train_loss": 3.0, "validation_loss": 2.0, "validation_auc": 0.7, "lr": 0.1},
                       {"epoch": 2, "train_loss": 2.0, "validation_loss": 2.5, "validation_auc": 0.6, "lr": 0.1}])
    axes = history.plot(tmp_path / "history.png")
    assert [ax.get_ylabel() for ax in axes] == ["loss", "auc", "lr"]
    assert [list(line.get_ydata()) for line in axes[0].lines[:2]] == [[3.0, 2.0], [2.0, 2.5]]
    assert list(axes[1].lines[0].get_ydata()) == [0.7, 0.6]
    assert (tmp_path / "history.png").read_bytes().startswith(b"\x89PNG")
    assert len(history.plot()) == 3
    with pytest.raises(ValueError, match="plot: no epoch has been completed"):
        History().plot()


# --- accuracy -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(("prediction", "target", "options", "expected"), [
    ([[0.1, 0.9], [0.8, 0.2], [0.4, 0.6], [1.0, 0.0]], [1, 0, 0, 0], {}, 0.75),
    ([[1.0], [-1.0], [2.0]], [[1.0], [1.0], [1.0]], {}, 2 / 3),
    ([0.4, 0.6], [0, 1], {"threshold": 0.5}, 1.0),
])
def test_accuracy_is_the_share_of_right_answers(prediction, target, options, expected):
    assert accuracy(tn.tensor(prediction), tn.tensor(target), **options) == pytest.approx(expected)


def test_accuracy_refuses_shapes_that_would_broadcast():
    with pytest.raises(ValueError, match=r"predictions of shape \(3, 1\) need a target of shape \(3, 1\), not \(3,\)"):
        accuracy(tn.zeros(3, 1), tn.zeros(3))
    with pytest.raises(ValueError, match=r"shape \(3, 2\) need a target of shape \(3,\), not \(3, 2\)"):
        accuracy(tn.zeros(3, 2), tn.zeros(3, 2))


# --- model card ---------------------------------------------------------------------------------------


def test_a_model_card_holds_what_the_run_knows(tmp_path):
    tn.manual_seed(41)
    model = nn.Sequential(nn.Linear(2, 3), nn.Tanh(), nn.Linear(3, 1)).double()
    model[0].requires_grad_(False)
    data = loader(np.ones((6, 2)), np.ones((6, 1)))
    t = trainer(model, metrics={"accuracy": accuracy}, callbacks=[EarlyStopping(patience=9)])
    t.fit(data, data, epochs=3)
    card = model_card(t, tmp_path / "card.md", name="A test", results={"AUC": 0.98765}, notes={"Factors": "None known."})
    assert (tmp_path / "card.md").read_text() == card
    headings = [line.removeprefix("## ") for line in card.splitlines() if line.startswith("## ")]
    assert headings == ["Model details", "Intended use", "Factors", "Metrics", "Evaluation data", "Training data",
                        "Quantitative analyses", "Ethical considerations", "Caveats and recommendations"]
    for known in ("# Model card: A test\n", "(0): Linear(in_features=2, out_features=3, bias=True)",
                  "13, of which 4 trainable (float64)", "SGD (lr 0.1, ", "3 epochs, 9 steps", "| seed | 41 |", "MSELoss()",
                  "6 samples of (2,) float64, (1,) float64, in batches of 2.", "epoch 3 (last)", "| AUC | 0.9877 |",
                  "| validation_accuracy |", "## Factors\n\nNone known.\n", f"NumPy {np.__version__}"):
        assert known in card, known
    assert card.count("*To be filled in:") == 8


def test_a_card_without_a_run_or_with_an_unknown_heading_is_refused():
    t = trainer(line(0.0))
    with pytest.raises(ValueError, match="has not completed an epoch"):
        model_card(t)
    t.fit(loader(X, X), epochs=1)
    with pytest.raises(ValueError, match="model_card: Licence is none of the headings Model details, "):
        model_card(t, notes={"Licence": "MIT"})
    card = model_card(t)
    assert "No data were used for validation." in card and "1 epochs" not in card
    plain = trainer(line(0.0))
    plain.fit(list(loader(X, X)), epochs=2)
    assert "Batches from a list." in model_card(plain)


# --- what is refused ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("wrong", "kind", "message"), [
    (lambda m, o: Trainer(print, nn.MSELoss(), o), TypeError, "the model must be a Module, not a builtin"),
    (lambda m, o: Trainer(m, "mse", o), TypeError, "the loss must be a function"),
    (lambda m, o: Trainer(m, nn.MSELoss(), optim.SGD), TypeError, "the optimizer must be one of tn.optim"),
    (lambda m, o: Trainer(line(0.0), nn.MSELoss(), o), ValueError, "the optimizer trains none of this model's parameters"),
    (lambda m, o: Trainer(m, nn.MSELoss(), o, scheduler=optim.lr_scheduler.StepLR(optim.SGD(m.parameters()), 1)), ValueError,
     "the scheduler belongs to another optimizer"),
    (lambda m, o: Trainer(m, nn.MSELoss(), o, scheduler_interval="batch"), ValueError, "must be 'epoch' or 'step'"),
    (lambda m, o: Trainer(m, nn.MSELoss(), o, clip_grad_norm=0), ValueError, "clip_grad_norm must be above 0, not 0"),
    (lambda m, o: Trainer(m, nn.MSELoss(), o, callbacks=[print]), TypeError, "is not a Callback"),
    (lambda m, o: Trainer(m, nn.MSELoss(), o).fit(loader(X, X), epochs=0), ValueError, "epochs must be a whole number"),
    (lambda m, o: Trainer(m, nn.MSELoss(), o).fit([], epochs=1), ValueError, "there are no training batches"),
    (lambda m, o: Trainer(m, nn.MSELoss(), o).evaluate([]), ValueError, "there is nothing to evaluate"),
    (lambda m, o: EarlyStopping(patience=0), ValueError, "EarlyStopping: patience must be a whole number of at least 1, not 0"),
    (lambda m, o: Trainer(m, nn.MSELoss(), o, callbacks=[EarlyStopping()]).fit(loader(X, X), epochs=1), ValueError,
     "EarlyStopping: goes by 'validation_loss', so fit needs validation data"),
])
def test_what_cannot_work_is_refused_with_the_reason(wrong, kind, message):
    model = line(0.5)
    with pytest.raises(kind, match=message):
        wrong(model, optim.SGD(model.parameters()))
    assert model.weight.item() == 0.5
