"""Runs that are resumed with other parts, in odd moments, or not at all: nothing is lost, and nothing half done."""

import numpy as np
import pytest
from trainer_helpers import At, X, checkpointed, line, loader, trainer

import tinygrad_nuc as tn
from tinygrad_nuc import optim
from tinygrad_nuc.training import (
    EarlyStopping,
    ModelCheckpoint,
    model_card,
)
from tinygrad_nuc.utils.data import DataLoader


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
