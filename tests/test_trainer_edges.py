"""The training loop where something is unusual: stopped from within, gradients that are not finite, parts of a model,
batches of another form, resumed with other parts; and what is refused before the first step.
"""

import signal

import numpy as np
import pytest

import tinygrad_nuc as tn
from tinygrad_nuc import nn, optim
from tinygrad_nuc.training import (
    Callback,
    CSVLogger,
    EarlyStopping,
    ModelCheckpoint,
    ProgressBar,
    Trainer,
    accuracy,
    model_card,
)
from tinygrad_nuc.utils.data import DataLoader, Dataset, TensorDataset

X = np.ones((4, 1))


def loader(x, y, batch_size=2, **options):
    return DataLoader(TensorDataset(tn.tensor(x, dtype=tn.float64), tn.tensor(y, dtype=tn.float64)), batch_size, **options)


def line(weight):
    model = nn.Linear(1, 1, bias=False, dtype=tn.float64)
    nn.init.constant_(model.weight, weight)
    return model


def trainer(model, lr=0.1, loss=None, optimizer=None, **options):
    return Trainer(model, loss or nn.MSELoss(), optimizer or optim.SGD(model.parameters(), lr=lr), **options)


class At(Callback):
    """Does something after one step, or after the validation of one epoch."""

    def __init__(self, act, step=None, epoch=None):
        self.act, self.step, self.epoch, self.interrupted_at = act, step, epoch, []

    def on_batch_end(self, trainer, loss):
        if trainer.step == self.step:
            self.act(trainer)

    def on_epoch_end(self, trainer, row):
        if trainer.epoch == self.epoch:
            self.act(trainer)

    def on_interrupt(self, trainer):
        self.interrupted_at.append(trainer.step)


@pytest.fixture
def ctrl_c():
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield lambda trainer: signal.raise_signal(signal.SIGINT)
    signal.signal(signal.SIGINT, before)


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
    from tinygrad_nuc.training import LearningRateLogger
    stop = EarlyStopping("lr", patience=2, mode="max")
    assert len(trainer(line(0.0), callbacks=[LearningRateLogger(), stop]).fit(loader(X, X), epochs=9)) == 3


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


# ---------------------------------------------------------------------- resumed

def checkpointed(folder, callbacks=(), model=None, scheduler=None, interval="epoch", metrics=None, optimizer=None):
    model = model or line(0.0)
    optimizer = optimizer or optim.SGD(model.parameters(), lr=0.1)
    return Trainer(model, nn.MSELoss(), optimizer, callbacks=[*callbacks, ModelCheckpoint(folder)], metrics=metrics,
                   scheduler=scheduler and scheduler(optimizer), scheduler_interval=interval)


def test_two_checkpoints_go_on_as_if_nothing_had_happened(tmp_path):
    def run(name, *parts):
        scores = iter([0.5, 0.9, 0.8, 0.7])
        for epochs in parts:
            t = checkpointed(tmp_path / name, [ModelCheckpoint(tmp_path / name / "by score", "validation_score", "max")],
                             metrics={"score": lambda p, y: next(scores)})
            t.fit(loader(X, X), loader(X, X), epochs=epochs, resume="last")
        return {path.relative_to(tmp_path / name).as_posix(): tn.load(path)["trainer"]["epoch"] for path in (tmp_path / name).rglob("*.npz")}
    expected = {"last.npz": 4, "best.npz": 4, "by score/last.npz": 4, "by score/best.npz": 2}
    assert run("whole", 4) == expected
    for path in (tmp_path / "whole").rglob("*.npz"):
        path.unlink()
    assert run("parts", 2, 4) == expected


@pytest.mark.parametrize(("settings", "kind", "message"), [
    ({"scheduler": lambda o: optim.lr_scheduler.CosineAnnealingLR(o, 5)}, ValueError, "T_max"),
    ({"scheduler": lambda o: optim.lr_scheduler.StepLR(o, 1), "interval": "step"}, ValueError, "the checkpoint's scheduler_interval is 'epoch', and this trainer's 'step'"),
    ({}, ValueError, "the checkpoint has a scheduler and this trainer has none"),
    ({"scheduler": lambda o: optim.lr_scheduler.StepLR(o, 1), "data": [tuple(tn.ones(2, 1).double() for _ in "xy")]}, TypeError, "knows how far a DataLoader had got, and a list cannot go on from there"),
    ({"scheduler": lambda o: optim.lr_scheduler.StepLR(o, 1), "callbacks": [EarlyStopping("train_loss")]}, ValueError, "the checkpoint's callbacks are"),
])
def test_a_checkpoint_that_does_not_fit_changes_nothing_at_all(tmp_path, settings, kind, message):
    checkpointed(tmp_path, scheduler=lambda o: optim.lr_scheduler.StepLR(o, 1)).fit(loader(X, X), epochs=1)
    settings = dict(settings)
    data = settings.pop("data", loader(X, X, shuffle=True))
    if isinstance(data, DataLoader):
        state = tn.load(tmp_path / "last.npz")
        tn.save({**state, "loaders": [{}, {**data.state_dict(), "position": 1}]}, tmp_path / "last.npz")
    t = checkpointed(tmp_path, **settings)
    with pytest.raises(kind, match=message):
        t.fit(data, epochs=2, resume=tmp_path / "last.npz")
    assert t.model.weight.item() == 0.0 and t.optimizer.param_groups[0]["lr"] == 0.1 and t.epoch == t.step == len(t.history) == 0
    (tmp_path / "last.npz").unlink()
    t.callbacks = [c for c in t.callbacks if not isinstance(c, EarlyStopping)]
    t.fit(data, epochs=1)
    assert t.step == len(data)                                              # no rest of another run's epoch


def test_what_is_refused_after_the_checkpoint_has_been_loaded_changes_nothing_either(ctrl_c, tmp_path):
    checkpointed(tmp_path, [At(ctrl_c, step=3)]).fit(loader(X, X), loader(X, X), epochs=4)
    t, data = checkpointed(tmp_path, [At(ctrl_c)]), loader(X, X)
    with pytest.raises(ValueError, match="mse_loss: the input has shape"):
        t.fit(data, loader(X, X[:, 0]), epochs=4, resume="last")
    assert (t.epoch, t.step, t.model.weight.item(), len(t.history)) == (0, 0, 0.0, 0)
    t.fit(data, epochs=1)
    assert t.step == 2


def test_last_is_the_newest_of_several(ctrl_c, tmp_path):
    def run(press):
        t = trainer(line(0.0), callbacks=[press, ModelCheckpoint(tmp_path / "a", every_n_epochs=10), ModelCheckpoint(tmp_path / "b")])
        t.fit(loader(X, X), epochs=4, resume="last")
        return t

    def power_cut(trainer):
        raise OSError("power cut")
    with pytest.raises(OSError, match="power cut"):
        run(At(power_cut, step=5))
    assert not (tmp_path / "a" / "last.npz").exists()
    steps = []
    press = At(lambda t: None)
    press.on_batch_end = lambda trainer, loss: steps.append(trainer.step)
    assert run(press).history["epoch"] == [1, 2, 3, 4] and steps == [5, 6, 7, 8]


def test_two_checkpoints_in_one_folder_are_refused(tmp_path):
    with pytest.raises(ValueError, match="two ModelCheckpoints have the same folder"):
        trainer(line(0.0), callbacks=[ModelCheckpoint(tmp_path), ModelCheckpoint(tmp_path)]).fit(loader(X, X), epochs=1)


def test_a_refused_checkpoint_leaves_the_order_of_the_validation_data(tmp_path):
    def validation(generator):
        return loader(X, X, 2, shuffle=True, generator=generator)
    checkpointed(tmp_path).fit(loader(X, X), validation(np.random.default_rng(8)), epochs=1)
    state = tn.load(tmp_path / "last.npz")
    tn.save({**state, "loader": {**state["loader"], "batch_size": 4}}, tmp_path / "last.npz")
    generator = np.random.default_rng(9)
    with pytest.raises(ValueError, match="batch_size was 4 and is 2 here"):
        checkpointed(tmp_path).fit(loader(X, X), validation(generator), epochs=2, resume="last")
    assert generator.integers(1000) == np.random.default_rng(9).integers(1000)


def test_an_early_stopped_run_goes_on_with_more_patience(tmp_path):
    def run(patience):
        t = checkpointed(tmp_path, [EarlyStopping(patience=patience)])
        t.fit(loader(X, X), loader(X, 0.7 * X), epochs=12, resume="last")
        return t
    first = run(1)
    assert 2 <= first.epoch < 12 and "not improved" in first.stopped
    assert run(1).epoch == first.epoch                                      # the same patience: nothing more to do
    last = run(20)
    assert last.epoch == 12 and last.stopped is None
    assert last.model.weight.item() == first.model.weight.item()            # the best is still the best


def test_validation_data_in_an_order_of_their_own_go_on_too(tmp_path):
    y = np.random.default_rng(0).normal(size=(7, 1))

    def run(folder, *parts):
        for epochs in parts:
            t = checkpointed(tmp_path / folder, [ModelCheckpoint(tmp_path / folder / "more")])
            t.fit(loader(X, X), loader(np.ones((7, 1)), y, 3, shuffle=True, generator=np.random.default_rng(8)), epochs=epochs, resume="last")
        return t.history.rows
    assert run("whole", 3) == run("parts", 1, 2, 3)


def test_fewer_epochs_than_were_made_are_refused(tmp_path):
    checkpointed(tmp_path).fit(loader(X, X), epochs=5)
    t = checkpointed(tmp_path)
    with pytest.raises(ValueError, match="the checkpoint has made 5 epochs already, and epochs=3 are all"):
        t.fit(loader(X, X), epochs=3, resume="last")
    assert (t.epoch, t.step, t.model.weight.item()) == (0, 0, 0.0)


def test_a_part_of_an_epoch_is_not_the_end(ctrl_c, tmp_path):
    checkpointed(tmp_path, [At(ctrl_c, step=5)]).fit(loader(X, X), epochs=4)
    t = checkpointed(tmp_path, [At(ctrl_c)])
    with pytest.raises(ValueError, match="the checkpoint has made 2 epochs and a part of the next already, and epochs=2 are all"):
        t.fit(loader(X, X), epochs=2, resume="last")
    t.fit(loader(X, X), epochs=1)
    assert t.step == 2


def test_the_seed_of_a_run_stays_its_seed(tmp_path):
    tn.manual_seed(1)
    checkpointed(tmp_path).fit(loader(X, X), epochs=1)
    tn.manual_seed(2)
    t = checkpointed(tmp_path)
    t.fit(loader(X, X), epochs=2, resume="last")
    assert t.seed == 1 and "| seed | 1 |" in model_card(t)


# ---------------------------------------------------------------------- refused before the first step

class Rows(Dataset):
    def __len__(self):
        return 4

    def __getitem__(self, i):                                               # has no end
        return tn.ones(1).double(), tn.ones(1).double()


class Duck:
    __len__, __getitem__ = Rows.__len__, Rows.__getitem__


SGD, STEP = optim.SGD, optim.lr_scheduler.StepLR
REFUSED = {
    "metrics in a list": (lambda m, o: Trainer(m, nn.MSELoss(), o, metrics=[accuracy]), TypeError, "metrics must be functions by name.* not a list"),
    "a number as metric": (lambda m, o: Trainer(m, nn.MSELoss(), o, metrics={"a": 0.5}), TypeError, "the metric 'a' must be a function of .* not 0.5"),
    "the name loss": (lambda m, o: Trainer(m, nn.MSELoss(), o, metrics={"loss": accuracy}), ValueError, "a metric cannot have the name 'loss'"),
    "a name as schedule": (lambda m, o: Trainer(m, nn.MSELoss(), o, scheduler="cosine"), TypeError, "must be one of tn.optim.lr_scheduler, .* not 'cosine'"),
    "a class as schedule": (lambda m, o: Trainer(m, nn.MSELoss(), o, scheduler=STEP), TypeError, "must be one of tn.optim.lr_scheduler"),
    "a lone callback": (lambda m, o: Trainer(m, nn.MSELoss(), o, callbacks=EarlyStopping()), TypeError, "callbacks must be a list, not a EarlyStopping"),
    "a callback's class": (lambda m, o: Trainer(m, nn.MSELoss(), o, callbacks=[EarlyStopping]), TypeError, "is not a Callback"),
    "a text as bound": (lambda m, o: Trainer(m, nn.MSELoss(), o, clip_grad_norm="1"), TypeError, "clip_grad_norm must be a number, not '1'"),
    "plateau and step": (lambda m, o: Trainer(m, nn.MSELoss(), o, scheduler=optim.lr_scheduler.ReduceLROnPlateau(o), scheduler_interval="step"), ValueError, "ReduceLROnPlateau goes by the loss of an epoch"),
    "patience in a text": (lambda m, o: EarlyStopping(patience="5"), ValueError, "patience must be a whole number of at least 1, not '5'"),
    "half a patience": (lambda m, o: EarlyStopping(patience=2.5), ValueError, "patience must be a whole number of at least 1, not 2.5"),
    "min_delta": (lambda m, o: EarlyStopping(min_delta=-1), ValueError, "min_delta must be at least 0, not -1"),
    "no monitor": (lambda m, o: EarlyStopping(None), TypeError, "EarlyStopping: monitor is the name of a column of the history, not a NoneType"),
    "no steps": (lambda m, o: ModelCheckpoint(".", every_n_steps=0), ValueError, "every_n_steps must be a whole number of at least 1, not 0"),
    "epochs=True": (lambda m, o: Trainer(m, nn.MSELoss(), o).fit(loader(X, X), epochs=True), ValueError, "epochs must be a whole number"),
    "a misspelt column": (lambda m, o: Trainer(m, nn.MSELoss(), o, callbacks=[EarlyStopping("val_loss")]).fit(loader(X, X), loader(X, X), epochs=1), ValueError,
                          "EarlyStopping: there is no 'val_loss' to go by, only validation_loss, train_loss;"),
    "a column of the training": (lambda m, o: Trainer(m, nn.MSELoss(), o, callbacks=[EarlyStopping("train_los")]).fit(loader(X, X), epochs=1), ValueError, "no 'train_los' to go by, only train_loss;"),
    "no data": (lambda m, o: Trainer(m, nn.MSELoss(), o).fit(None, epochs=1), TypeError, "train must be a DataLoader, or a list of batches, not a NoneType"),
    "a tensor": (lambda m, o: Trainer(m, nn.MSELoss(), o).fit(tn.tensor(X), epochs=1), TypeError, r"train is one Tensor, and not batches.*DataLoader\(TensorDataset"),
    "an array": (lambda m, o: Trainer(m, nn.MSELoss(), o).predict(X), TypeError, "the loader is one ndarray, and not batches"),
    "a data set": (lambda m, o: Trainer(m, nn.MSELoss(), o).fit(TensorDataset(tn.tensor(X), tn.tensor(X)), epochs=1), TypeError, r"train is a data set, TensorDataset, and not batches.*DataLoader\(data"),
    "a data set without end": (lambda m, o: Trainer(m, nn.MSELoss(), o).evaluate(Rows()), TypeError, "the loader is a data set, Rows, and not batches"),
    "what is like a data set": (lambda m, o: Trainer(m, nn.MSELoss(), o).fit(loader(X, X), Duck(), epochs=1), TypeError, "validation is a data set, Duck, and not batches"),
    "a generator": (lambda m, o: Trainer(m, nn.MSELoss(), o).fit((b for b in loader(X, X)), epochs=2), TypeError, "train is a generator, which is used up after one pass: give a DataLoader"),
    "nothing to validate": (lambda m, o: Trainer(m, nn.MSELoss(), o).fit(loader(X, X), [], epochs=1), ValueError, "there are no validation batches"),
    "validation of another shape": (lambda m, o: Trainer(m, nn.MSELoss(), o).fit(loader(X, X), loader(X, X[:, 0]), epochs=1), ValueError, "mse_loss: the input has shape"),
    "a list that does not fit": (lambda m, o: Trainer(m, nn.MSELoss(), o).fit(loader(X, X), [(tn.ones(1, 1).double(), tn.ones(1).double())], epochs=1), ValueError, "mse_loss: the input has shape"),
    "a pair": (lambda m, o: Trainer(m, nn.MSELoss(), o).fit(loader(X, X), (tn.tensor(X), tn.tensor(X)), epochs=1), TypeError, "validation must be a DataLoader, or a list of batches, not a tuple"),
    "a dict as batch": (lambda m, o: Trainer(m, nn.MSELoss(), o).fit([{"x": tn.tensor(X)}], epochs=1), TypeError, "a batch is a dict, .* overrides Trainer.parted"),
    "parts not apart": (lambda m, o: NotApart(m, nn.MSELoss(), o).fit(loader(X, X), epochs=1), TypeError, r"parted must give a tuple of inputs, and the target: \(x,\), y and not x, y"),
    "arrays": (lambda m, o: Trainer(m, nn.MSELoss(), o).fit([(X, X)], epochs=1), TypeError, r"a batch must have a tensor .*numpy.ndarray, numpy.ndarray: write tn.tensor\(x\)"),
    "losses": (lambda m, o: Trainer(m, nn.MSELoss(reduction="none"), o).fit(loader(X, X), epochs=1), TypeError, r"the loss of a batch must be a tensor with one number, not of shape \(2, 1\)"),
    "a number": (lambda m, o: Trainer(m, lambda p, y: 0.5, o).fit(loader(X, X), epochs=1), TypeError, "the loss of a batch must be a tensor with one number, not float"),
    "a short schedule": (lambda m, o: Trainer(m, nn.MSELoss(), o, scheduler=optim.lr_scheduler.OneCycleLR(o, 0.1, total_steps=5), scheduler_interval="step").fit(loader(X, X), epochs=3), ValueError,
                         r"OneCycleLR has 5 of its 5 steps left, and this training would make 6: .*total_steps=epochs \* len\(loader\)"),
    "a short schedule of epochs": (lambda m, o: Trainer(m, nn.MSELoss(), o, scheduler=optim.lr_scheduler.OneCycleLR(o, 0.1, total_steps=2)).fit(loader(X, X), epochs=3), ValueError, "would make 3"),
    "a schedule of steps": (lambda m, o: Trainer(m, nn.MSELoss(), o, scheduler=optim.lr_scheduler.OneCycleLR(o, 0.1, total_steps=6)).fit(loader(X, X), epochs=3), ValueError,
                            'OneCycleLR has 6 steps, as many as there are batches in 3 epochs: give scheduler_interval="step"'),
    "nothing to predict": (lambda m, o: Trainer(m, nn.MSELoss(), o).predict([]), ValueError, "there is nothing to predict"),
    "several predictions": (lambda m, o: Trainer(nn.Sequential(m, Pair()), nn.MSELoss(), o).predict(loader(X, X)), TypeError, "metrics and predict need one tensor for each batch, .* a tuple"),
}


class NotApart(Trainer):
    def parted(self, batch):
        return tuple(batch)


class Pair(nn.Module):
    def forward(self, x):
        return x, x


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_work_is_refused_with_the_reason(case):
    wrong, kind, message = REFUSED[case]
    model = line(0.5)
    with pytest.raises(kind, match=message):
        wrong(model, optim.SGD(model.parameters(), lr=0.1, momentum=0.9))
    assert model.weight.item() == 0.5


def test_a_full_schedule_is_enough():
    for interval, steps in (("step", 6), ("epoch", 3)):
        model = line(0.0)
        optimizer = optim.SGD(model.parameters(), lr=0.1, momentum=0.9)
        schedule = optim.lr_scheduler.OneCycleLR(optimizer, 0.1, total_steps=steps)
        assert len(trainer(model, optimizer=optimizer, scheduler=schedule, scheduler_interval=interval).fit(loader(X, X), epochs=3)) == 3


def test_files_that_cannot_be_written(tmp_path):
    (tmp_path / "a file").touch()
    (tmp_path / "a folder").mkdir()
    for callback, kind, message in ((CSVLogger(tmp_path / "a folder"), IsADirectoryError, "CSVLogger: .*a folder is a folder"),
                                    (CSVLogger(tmp_path / "none" / "x.csv"), FileNotFoundError, "CSVLogger: there is no folder .*none"),
                                    (ModelCheckpoint(tmp_path / "a file" / "x"), OSError, "a file"),
                                    (ModelCheckpoint("/proc/self"), OSError, "ModelCheckpoint: cannot write into the folder /proc/self: "),
                                    (CSVLogger("/proc/self/x.csv"), OSError, "CSVLogger: cannot write into the folder /proc/self: ")):
        model = line(0.5)
        with pytest.raises(kind, match=message):
            trainer(model, callbacks=[callback]).fit(loader(X, X), epochs=1)
        assert model.weight.item() == 0.5
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a file", "a folder"] and not list((tmp_path / "a folder").iterdir())


def test_a_metric_that_fails_is_named():
    for metric in (lambda p, y: p - y, lambda p, y: 1 / 0):
        with pytest.raises((ValueError, TypeError, RuntimeError, ZeroDivisionError)) as caught:
            trainer(line(0.5), metrics={"purity": metric}).evaluate(loader(X, X))
        assert caught.value.__notes__ == ["Trainer: that was in the metric 'purity'"]


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

    class Noisy(Rows):
        def __getitem__(self, i):
            tn.rand(1)
            return super().__getitem__(i)
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
