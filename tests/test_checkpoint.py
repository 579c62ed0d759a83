"""Checkpoints: a run that is killed, interrupted or continued ends with the very weights of one that never stopped."""

import os
import random
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import resumable_run
from trainer_helpers import X, line, loader

import tinygrad_nuc as tn
from tinygrad_nuc import nn, optim
from tinygrad_nuc.training import (
    Callback,
    EarlyStopping,
    ModelCheckpoint,
    ProgressBar,
    Trainer,
)
from tinygrad_nuc.utils.data import DataLoader, TensorDataset

SCRIPT = Path(resumable_run.__file__)
KILLS = 30 if os.environ.get("TINYGRAD_NUC_THOROUGH") else 3


def start(folder):
    return subprocess.Popen([sys.executable, "-u", SCRIPT, folder], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                            env={**os.environ, "OMP_NUM_THREADS": "1"})


def finish(process):
    """What a run says until its end, which must be a good one."""
    said, errors = process.communicate(timeout=120)
    assert process.returncode == 0 and said.endswith("finished\n"), errors
    return said


def results(folder):
    with np.load(folder / "weights.npz") as arrays:
        return {name: array.tobytes() for name, array in arrays.items()}, (folder / "history.csv").read_text()


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory):
    folder = tmp_path_factory.mktemp("uninterrupted")
    assert finish(start(folder)).count("step") == 30
    return results(folder)


@pytest.mark.parametrize("seed", range(KILLS))
def test_killed_at_any_moment_it_resumes_to_the_same_bits(tmp_path, seed, uninterrupted):
    draw, kills = random.Random(seed), 0
    for lines in (draw.randrange(0, 12), draw.randrange(0, 12)):            # killed twice
        process = start(tmp_path)
        for _ in range(lines):
            process.stdout.readline()
        if draw.random() < 0.5:
            try:                                                    # at a moment within a step, or while a file is written
                process.wait(draw.uniform(0, 0.01))
            except subprocess.TimeoutExpired:
                pass
        process.send_signal(signal.SIGKILL)
        process.communicate()
        kills += process.returncode == -signal.SIGKILL
    assert kills == 2
    finish(start(tmp_path))
    assert results(tmp_path) == uninterrupted


def test_ctrl_c_ends_cleanly_and_keeps_the_last_step(tmp_path, uninterrupted):
    process = start(tmp_path)
    steps = [process.stdout.readline() for _ in range(7)]
    process.send_signal(signal.SIGINT)
    said, errors = process.communicate(timeout=60)
    last = int((steps + [line for line in said.splitlines() if line.startswith("step")])[-1].split()[1])
    assert process.returncode == 0 and "Traceback" not in errors
    assert "stopping after this step" in errors and 'resume="last") goes on from' in errors
    checkpoint = tn.load(tmp_path / "last.npz")
    assert checkpoint["trainer"]["step"] == last
    assert finish(start(tmp_path)).startswith(f"step {last + 1}\n")
    assert results(tmp_path) == uninterrupted


class Stop(Callback):
    """Fails, as a power cut would, at one moment."""

    order = 9

    def __init__(self, step=None, epoch=None):
        self.step, self.epoch = step, epoch

    def on_batch_end(self, trainer, loss):
        if trainer.step == self.step:
            raise OSError("power cut")

    def on_epoch_end(self, trainer, row):
        if trainer.epoch == self.epoch:
            raise OSError("power cut")


@pytest.mark.parametrize("moment", [{"step": n} for n in (1, 3, 5, 6, 10, 29, 30)] + [{"epoch": n} for n in (1, 5, 6)], ids=str)
def test_stopped_anywhere_it_goes_on_to_the_same_bits(tmp_path, moment):
    (tmp_path / "whole").mkdir()
    whole = resumable_run.run(tmp_path / "whole", [Stop()])
    (tmp_path / "cut").mkdir()
    with pytest.raises(OSError, match="power cut"):
        resumable_run.run(tmp_path / "cut", [Stop(**moment)])
    rest = resumable_run.run(tmp_path / "cut", [Stop()])
    assert rest.history.rows == whole.history.rows and rest.step == whole.step
    for name, t in whole.model.state_dict().items():
        assert np.array_equal(rest.model.state_dict()[name].numpy(), t.numpy()), name
    assert tn.get_rng_state() is not None


def test_best_and_last_are_what_they_say(tmp_path):
    model, folder = line(0.0), tmp_path / "new" / "folder"
    trainer = Trainer(model, nn.MSELoss(), optim.SGD(model.parameters(), lr=0.1), callbacks=[ModelCheckpoint(folder)])
    trainer.fit(loader(X, X), loader(X, 0.7 * X), epochs=8)              # training pulls w to 1, validation is best at 0.7
    best, last = tn.load(folder / "best.npz"), tn.load(folder / "last.npz")
    assert best["trainer"]["epoch"] == trainer.history.best_epoch() < last["trainer"]["epoch"] == 8
    assert last["model"]["weight"].item() == model.weight.item()
    other = line(0.0)
    other.load_state_dict(best["model"])
    assert (other.weight.item() - 0.7) ** 2 == pytest.approx(trainer.history.best())


def test_the_best_may_be_the_highest_of_a_metric(tmp_path):
    model = line(0.0)
    trainer = Trainer(model, nn.MSELoss(), optim.SGD(model.parameters(), lr=0.1),
                      metrics={"closeness": lambda p, t: -abs(p.numpy() - 0.5).mean()},
                      callbacks=[ModelCheckpoint(tmp_path, "validation_closeness", "max")])
    trainer.fit(loader(X, X), loader(X, X), epochs=5)
    assert tn.load(tmp_path / "best.npz")["trainer"]["epoch"] == trainer.history.best_epoch("validation_closeness", "max") < 5


def test_it_is_written_as_often_as_asked(tmp_path):
    seen = []

    class Look(Callback):
        order = 3

        def on_batch_end(self, trainer, loss):
            seen.append(tn.load(tmp_path / "last.npz")["trainer"]["step"] if (tmp_path / "last.npz").exists() else None)

    model = line(0.0)
    checkpoints = ModelCheckpoint(tmp_path, every_n_epochs=2, every_n_steps=3)
    Trainer(model, nn.MSELoss(), optim.SGD(model.parameters()), callbacks=[Look(), checkpoints]).fit(loader(X, X, 1), epochs=3)
    assert seen == [None, None, 3, 3, 3, 6, 6, 6, 9, 9, 9, 12]          # and 8 after epoch 2: seen at no batch, since 9 follows


def test_without_a_checkpoint_yet_last_starts_from_the_beginning(tmp_path):
    model = line(0.0)
    trainer = Trainer(model, nn.MSELoss(), optim.SGD(model.parameters()), callbacks=[ModelCheckpoint(tmp_path)])
    assert len(trainer.fit(loader(X, X), epochs=2, resume="last")) == 2


def test_a_finished_run_stays_finished(tmp_path):
    for _ in range(2):
        model = line(0.0)
        trainer = Trainer(model, nn.MSELoss(), optim.SGD(model.parameters(), lr=0.1), callbacks=[ModelCheckpoint(tmp_path)])
        assert len(trainer.fit(loader(X, X), epochs=2, resume="last")) == 2
        weight = model.weight.item()
        assert weight == pytest.approx(1 - 0.8 ** 4)


def test_a_run_that_stopped_early_stays_stopped_with_its_best_weights(tmp_path):
    def run():
        model = line(0.0)
        trainer = Trainer(model, nn.MSELoss(), optim.SGD(model.parameters(), lr=0.1),
                          callbacks=[EarlyStopping(patience=2), ModelCheckpoint(tmp_path)])
        return trainer, trainer.fit(loader(X, X), loader(X, 0.7 * X), epochs=50, resume="last")
    (first, history), (second, again) = run(), run()
    assert history.rows == again.rows and len(again) == history.best_epoch() + 2
    assert second.model.weight.item() == first.model.weight.item() and "not improved" in second.stopped


def test_a_checkpoint_that_does_not_fit_changes_nothing(tmp_path):
    model = line(0.5)
    Trainer(model, nn.MSELoss(), optim.SGD(model.parameters(), momentum=0.5),
            callbacks=[ModelCheckpoint(tmp_path)]).fit(loader(X, X), epochs=1)

    def resume(model=None, optimizer=optim.SGD, callbacks=None, data=None, scheduler=False):
        model = model or line(0.25)
        before = {name: t.tolist() for name, t in model.state_dict().items()}
        optimizer = optimizer(model.parameters())
        trainer = Trainer(model, nn.MSELoss(), optimizer,
                          scheduler=optim.lr_scheduler.StepLR(optimizer, 1) if scheduler else None,
                          callbacks=[ModelCheckpoint(tmp_path)] if callbacks is None else callbacks)
        try:
            trainer.fit(data or loader(X, X), epochs=2, resume=tmp_path / "last.npz")
        finally:
            assert {name: t.tolist() for name, t in model.state_dict().items()} == before
            assert trainer.epoch == trainer.step == len(trainer.history) == 0

    with pytest.raises(KeyError, match="Linear.load_state_dict: missing .*bias"):
        resume(nn.Linear(1, 1).double())
    with pytest.raises((ValueError, KeyError), match="Adam"):
        resume(optimizer=optim.Adam)
    with pytest.raises(ValueError, match="the checkpoint's callbacks are ProgressBar, ModelCheckpoint, and this trainer's "
                                         "ProgressBar"):
        resume(callbacks=[])
    with pytest.raises(ValueError, match="DataLoader.load_state_dict: batch_size was 2 and is 1 here"):
        resume(data=loader(X, X, 1))
    with pytest.raises(ValueError, match="scheduler"):
        resume(scheduler=True)
    tn.save({"weight": tn.zeros(1)}, tmp_path / "last.npz")
    with pytest.raises(ValueError, match="no checkpoint of a Trainer: it lacks model"):
        resume()
    with pytest.raises(FileNotFoundError):
        Trainer(model, nn.MSELoss(), optim.SGD(model.parameters())).fit(loader(X, X), epochs=1, resume=tmp_path / "none.npz")
    with pytest.raises(ValueError, match='resume="last" needs a ModelCheckpoint'):
        Trainer(model, nn.MSELoss(), optim.SGD(model.parameters())).fit(loader(X, X), epochs=1, resume="last")


def test_what_cannot_work_is_refused_before_training(tmp_path):
    model = line(0.0)

    def fit(callback, data, validation=None):
        Trainer(model, nn.MSELoss(), optim.SGD(model.parameters()), callbacks=[callback]).fit(data, validation, epochs=1)

    with pytest.raises(TypeError, match="every_n_steps needs a DataLoader"):
        fit(ModelCheckpoint(tmp_path, every_n_steps=1), list(loader(X, X)))
    with pytest.raises(ValueError, match="ModelCheckpoint: goes by 'validation_loss', so fit needs validation data"):
        fit(ModelCheckpoint(tmp_path, "validation_loss"), loader(X, X))
    with pytest.raises(ValueError, match="EarlyStopping: there is no 'validation_auc' to go by, only validation_loss"):
        fit(EarlyStopping("validation_auc"), loader(X, X), loader(X, X))
    with pytest.raises(ValueError, match="every_n_epochs must be a whole number of at least 1, not 0"):
        ModelCheckpoint(tmp_path, every_n_epochs=0)
    with pytest.raises(ValueError, match="mode must be 'min' or 'max', not 'least'"):
        ModelCheckpoint(tmp_path, mode="least")
    assert model.weight.item() == 0.0


def test_epochs_may_come_from_plain_lists_of_batches(tmp_path):
    def run(epochs):
        model = line(0.0)
        trainer = Trainer(model, nn.MSELoss(), optim.SGD(model.parameters(), lr=0.1, momentum=0.9),
                          callbacks=[ModelCheckpoint(tmp_path)])
        return trainer.fit(list(loader(X, X)), epochs=epochs, resume="last"), model.weight.item()
    run(2)
    resumed = run(5)
    (tmp_path / "last.npz").unlink()
    straight = run(5)
    assert resumed[1] == straight[1] and resumed[0].rows == straight[0].rows


# --- the loader's place -------------------------------------------------------------------------------


def numbers(shuffle=True, generator=None, **options):
    return DataLoader(TensorDataset(tn.arange(20)), batch_size=3, shuffle=shuffle, generator=generator, **options)


@pytest.mark.parametrize("own", [False, True], ids=["the library's generator", "its own"])
@pytest.mark.parametrize("shuffle", [False, True])
@pytest.mark.parametrize("after", [0, 1, 4, 7])
def test_a_loader_goes_on_where_it_was(own, shuffle, after):
    def make(seed):
        tn.manual_seed(seed)
        return numbers(shuffle, np.random.default_rng(seed) if own else None)
    first = make(5)
    batches = iter(first)
    for _ in range(after):
        next(batches)
    state, library = first.state_dict(), tn.get_rng_state()
    expected = [x.tolist() for x, in batches], [x.tolist() for x, in first]
    second = make(6)
    second.load_state_dict(state)
    tn.set_rng_state(library)
    found = [x.tolist() for x, in second], [x.tolist() for x, in second]
    assert found == expected or after == 0
    if after == 0:                                          # nothing begun: an epoch from its start
        assert [len(x) for x in found] == [7, 7]


def test_a_loop_that_was_left_is_not_gone_on_with():
    data = numbers(False)
    for _ in data:
        break
    assert next(iter(data))[0].tolist() == [0, 1, 2]


@pytest.mark.parametrize(("change", "message"), [
    ({"samples": 21}, "samples was 21 and is 20 here"), ({"batch_size": 4}, "batch_size was 4 and is 3"),
    ({"shuffle": False}, "shuffle was False and is True")])
def test_another_loaders_place_is_refused(change, message):
    data = numbers()
    with pytest.raises(ValueError, match=message):
        data.load_state_dict({**data.state_dict(), **change})


def test_the_bar_of_a_resumed_run_begins_where_it_stopped(tmp_path, capsys):
    for epochs in (1, 2):
        model = line(0.0)
        Trainer(model, nn.MSELoss(), optim.SGD(model.parameters()),
                callbacks=[ModelCheckpoint(tmp_path), ProgressBar(show=True)]).fit(loader(X, X), epochs=epochs, resume="last")
    assert "50%" in capsys.readouterr().err
