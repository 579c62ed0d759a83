"""What a Trainer refuses before the first step, with the reason."""

import pytest
from trainer_helpers import X, line, loader, trainer

import tinygrad_nuc as tn
from tinygrad_nuc import nn, optim
from tinygrad_nuc.training import (
    CSVLogger,
    EarlyStopping,
    ModelCheckpoint,
    Trainer,
    accuracy,
)
from tinygrad_nuc.utils.data import Dataset, TensorDataset


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


@pytest.mark.host("metrics are computed on the host")
def test_a_metric_that_fails_is_named():
    for metric in (lambda p, y: p - y, lambda p, y: 1 / 0):
        with pytest.raises((ValueError, TypeError, RuntimeError, ZeroDivisionError)) as caught:
            trainer(line(0.5), metrics={"purity": metric}).evaluate(loader(X, X))
        assert caught.value.__notes__ == ["Trainer: that was in the metric 'purity'"]
