"""The training loop where something is unusual: stopped from within, gradients that are not finite, parts of a model,
batches of another form, and a rehearsal that leaves no trace.
"""

import numpy as np
import pytest
from trainer_helpers import At, X, line, loader, trainer

import tinygrad_nuc as tn
from tinygrad_nuc import nn, optim
from tinygrad_nuc.training import (
    Callback,
    EarlyStopping,
    LearningRateLogger,
    ModelCheckpoint,
    ProgressBar,
    Trainer,
)
from tinygrad_nuc.utils.data import DataLoader, Dataset, TensorDataset

# ---------------------------------------------------------------------- the end of an epoch, and of the training

def test_a_stop_in_the_middle_of_an_epoch_completes_the_epoch(tmp_path):
    t = trainer(line(0.0), callbacks=[At(lambda t: t.stop("enough"), step=3), ModelCheckpoint(tmp_path)])
    history = t.fit(loader(X, X), loader(X, X), epochs=9)
    assert (len(history), t.epoch, t.step, t.stopped) == (2, 2, 4, "enough") and "validation_loss" in history.rows[1]
    assert tn.load(tmp_path / "last.npz")["trainer"]["epoch"] == 2


@pytest.mark.parametrize(("epochs", "stop_at"), [(2, None), (10, None), (9, 5)])
def test_the_last_state_is_that_of_the_end(tmp_path, epochs, stop_at):
    t = trainer(line(0.0), callbacks=[ModelCheckpoint(tmp_path, every_n_epochs=3), At(lambda t: t.stop("enough"), epoch=stop_at)])
    t.fit(loader(X, X), epochs=epochs)
    assert tn.load(tmp_path / "last.npz")["trainer"]["epoch"] == t.epoch == (stop_at or epochs)


def test_ctrl_c_in_a_validation_ends_the_training_before_the_next_step(ctrl_c, tmp_path):
    press = At(ctrl_c, epoch=1)
    t = trainer(line(0.0), callbacks=[press, ModelCheckpoint(tmp_path)])
    t.fit(loader(X, X), epochs=3)
    assert t.interrupted and (t.epoch, t.step) == (1, 2) and press.interrupted_at == [2]
    t = trainer(line(0.0), callbacks=[At(ctrl_c, epoch=3), ModelCheckpoint(tmp_path)])
    t.fit(loader(X, X), epochs=3, resume="last")
    assert t.epoch == 3 and t.step == 6 and not t.interrupted              # there was nothing left to interrupt


def test_an_interrupted_list_says_what_is_kept(ctrl_c, tmp_path, capsys):
    t = trainer(line(0.0), callbacks=[At(ctrl_c, step=3), ModelCheckpoint(tmp_path)])
    t.fit(list(loader(X, X)), epochs=3)
    assert t.step == 3 and tn.load(tmp_path / "last.npz")["trainer"]["step"] == 2
    assert "last.npz, after epoch 1: only a DataLoader knows its place within one" in capsys.readouterr().err
    t = trainer(line(0.0), callbacks=[At(ctrl_c, step=1), ModelCheckpoint(tmp_path)])
    t.fit(list(loader(X, X)), epochs=3)
    assert "goes on from" not in capsys.readouterr().err                   # last.npz is there, and another run's
    t = trainer(line(0.0), callbacks=[At(ctrl_c, epoch=1), ModelCheckpoint(tmp_path, every_n_epochs=3)])
    t.fit(list(loader(X, X)), epochs=4)
    assert tn.load(tmp_path / "last.npz")["trainer"]["epoch"] == 1 and t.stopped == "interrupted after epoch 1"


def test_every_callback_is_told_of_the_end_also_if_one_fails():
    class Fails(Callback):
        def on_fit_end(self, trainer):
            raise OSError("disk full")

    ended, model = [], line(0.0)
    stop = EarlyStopping(patience=1)
    stop.on_fit_end = lambda trainer: ended.append("stop")
    with pytest.raises(OSError, match="disk full"):
        trainer(model, callbacks=[Fails(), stop]).fit(loader(X, X), loader(X, X), epochs=1)
    assert ended == ["stop"]


def test_the_bar_says_why_it_ended_and_forgets_the_fit_before(capsys):
    bar = ProgressBar(show=True)
    t = trainer(line(0.0), callbacks=[bar, At(lambda t: t.stop("that is enough"), epoch=1)])
    t.fit(loader(X, X), loader(X, X), epochs=5)
    assert "that is enough" in capsys.readouterr().err and bar.measured
    t.fit(loader(X, X), epochs=1)
    assert not bar.measured and "that is enough" not in capsys.readouterr().err


# ---------------------------------------------------------------------- the step

def test_only_what_the_optimizer_trains_is_clipped_and_counts():
    def head_after(body_is_frozen):
        model = nn.Sequential(line(1.0), line(1.0))
        model[0].requires_grad_(not body_is_frozen)
        trainer(model, optimizer=optim.SGD(model[1].parameters(), lr=0.01), clip_grad_norm=0.1).fit(loader(X, 9 * X, 1), epochs=5)
        return model[1].weight.item()
    assert head_after(True) == head_after(False) == pytest.approx(1 + 20 * 0.01 * 0.1, rel=1e-5)


def test_a_gradient_that_is_not_finite_is_an_error_before_the_step():
    model = nn.Sequential(line(1.0), nn.Identity())
    t = trainer(model, loss=lambda p, y: ((p - y) ** 2).mean().sqrt())          # exact from the start: 0/0 in the derivative
    with np.errstate(divide="ignore"), pytest.raises(FloatingPointError, match=r"Trainer: the gradient of 0\.weight in epoch 1, step 1 is infinite or NaN; inside .*debug"):
        t.fit(loader(X, X), epochs=1)
    assert model[0].weight.item() == 1.0 and t.step == 0


@pytest.mark.host("metrics are computed on the host")
def test_batches_of_another_form():
    class Named(Trainer):
        def parted(self, batch):
            return (batch["x"],), batch["y"]

    model = line(0.0)
    batches = [{"x": tn.ones(3, 1).double(), "y": tn.ones(3, 1).double()}, {"x": tn.ones(1, 1).double(), "y": 3 * tn.ones(1, 1).double()}]
    t = Named(model, nn.MSELoss(), optim.SGD(model.parameters(), lr=1e-9), metrics={"mean": lambda p, y: y.mean()})
    history = t.fit(batches, batches, epochs=1)
    assert history.rows[0]["train_loss"] == pytest.approx((3 * 1 + 9) / 4) and history["validation_mean"] == [1.5]
    assert t.predict(batches).shape == (4, 1)


def test_a_dict_as_input_counts_its_samples_and_not_its_keys():
    class OfDict(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = line(0.0)

        def forward(self, parts):
            return self.inner(parts["a"] + parts["b"] + parts["c"])

    class Whole(Trainer):
        def parted(self, batch):
            return (batch,), batch["y"]

    def batch(n, y):
        return {"a": tn.ones(n, 1).double(), "b": tn.ones(n, 1).double(), "c": tn.ones(n, 1).double(), "y": y * tn.ones(n, 1).double()}
    model = OfDict()
    t = Whole(model, nn.MSELoss(), optim.SGD(model.parameters(), lr=1e-12))
    assert t.fit([batch(4, 2.0), batch(1, 4.0)], epochs=1)["train_loss"] == [pytest.approx((4 * 4 + 16) / 5)]


def test_a_batch_without_a_gradient_for_the_optimizer_is_a_step_without_effect():
    class Heads(nn.Module):
        def __init__(self):
            super().__init__()
            self.a, self.b = line(0.0), line(0.5)

        def forward(self, x):
            return self.a(x)
    model = Heads()
    t = trainer(model, optimizer=optim.SGD(model.b.parameters(), lr=0.1), clip_grad_norm=1.0, clip_grad_value=1.0)
    t.fit(loader(X, X), epochs=1)
    assert t.step == 2 and model.b.weight.item() == 0.5


def test_the_learning_rate_can_be_gone_by():
    stop = EarlyStopping("lr", patience=2, mode="max")
    assert len(trainer(line(0.0), callbacks=[LearningRateLogger(), stop]).fit(loader(X, X), epochs=9)) == 3


def test_a_group_that_is_added_on_the_way_has_its_learning_rate_logged():
    model = nn.Sequential(line(1.0), line(1.0))
    thaw = At(lambda t: t.optimizer.add_param_group({"params": model[0].parameters(), "lr": 0.25}), epoch=1)
    history = trainer(model, optimizer=optim.SGD(model[1].parameters(), lr=0.1), callbacks=[LearningRateLogger(), thaw]).fit(loader(X, X), epochs=2)
    assert (history["lr"], history["lr_0"], history["lr_1"]) == ([0.1, None], [None, 0.1], [None, 0.25])


def test_a_loader_that_changes_its_batches_is_not_rehearsed():
    class Converting(DataLoader):
        def __iter__(self):
            for x, y in super().__iter__():
                yield x.double(), y.double()
    data = Converting(TensorDataset(tn.ones(4, 1), tn.ones(4, 1)), 2)
    assert len(trainer(line(0.0)).fit(data, data, epochs=1)) == 1


def test_a_schedule_that_fails_leaves_the_count_of_steps_right():
    class Fails(optim.lr_scheduler.LRScheduler):
        def get_lr(self):
            if self.last_epoch == 3:
                raise RuntimeError("no more")
            return self.base_lrs

    model = line(0.0)
    optimizer = optim.SGD(model.parameters(), lr=0.1)
    t = trainer(model, optimizer=optimizer, scheduler=Fails(optimizer), scheduler_interval="step")
    with pytest.raises(RuntimeError, match="no more"):
        t.fit(loader(X, X), epochs=5)
    assert t.step == 3 and model.weight.item() == pytest.approx(1 - 0.8 ** 3)


# ---------------------------------------------------------------------- around the loop

def test_callbacks_may_come_from_any_iterable():
    told = []
    t = trainer(line(0.0), callbacks=iter([At(lambda t: told.append(t.step), step=2)]))
    t.fit(loader(X, X), epochs=2)
    assert told == [2]


def test_the_rehearsal_changes_nothing():
    def run(validation):
        tn.manual_seed(3)
        model = nn.Sequential(nn.Linear(1, 2), nn.BatchNorm1d(2), nn.Dropout(0.5), nn.Linear(2, 1)).double()
        trainer(model).fit(loader(np.arange(6.0)[:, None], np.ones((6, 1)), 3, shuffle=True), validation, epochs=1)
        return [t.tolist() for t in model.state_dict().values()], tn.rand(1).item()

    class Noisy(Dataset):
        def __len__(self):
            return 4

        def __getitem__(self, i):
            return tn.rand(1).double(), tn.ones(1).double()
    assert run(None)[0] == run(DataLoader(Noisy(), 2))[0]
    assert run(None) == run(list(loader(X, X)))


def test_the_rehearsal_leaves_buffers_as_they_are():
    class Counting(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = line(0.0)
            self.register_buffer("calls", tn.zeros(()))

        def forward(self, x):
            self.calls.add_(1)
            return self.inner(x)
    model = Counting()
    trainer(model).fit(loader(X, X), loader(X, X), epochs=1)
    assert model.calls.item() == 4
