"""Snapshots of a training, in a loop of one's own and by a Trainer, and the films made of them."""

from functools import partial

import numpy as np
import pytest
from PIL import Image
from trainer_helpers import X, checkpointed, line, loader, trainer

import tinygrad_nuc as tn
from tinygrad_nuc import nn, plots
from tinygrad_nuc.inspect import Snapshots
from tinygrad_nuc.plots import animation


def weights(snapshots):
    return [float(state["weight"].item()) for state in snapshots]


def test_a_snapshot_is_a_copy_of_parameters_and_buffers():
    model, snapshots = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2)), Snapshots()
    snapshots.take(model)
    snapshots.take(model, "later")
    with tn.no_grad():
        model[0].weight.zero_()
    assert snapshots.moments == ["step 0", "later"] and len(snapshots) == 2 and list(snapshots) == snapshots.states
    assert list(snapshots[0]) == list(model.state_dict()) and snapshots[0]["0.weight"].all()
    assert not np.shares_memory(snapshots[0]["0.weight"], snapshots[1]["0.weight"])
    tensors = Snapshots()
    tensors.take([tn.tensor(1.0), tn.tensor([2.0])])
    assert tensors[0] == {"θ₀": 1.0, "θ₁": 2.0}


def test_a_trainer_takes_one_before_the_first_step_and_after_every_epoch():
    model, snapshots = line(0.0), Snapshots()
    steps = []
    run = trainer(model, callbacks=[snapshots])
    run.fit(loader(X, 3 * X, shuffle=False), epochs=2)
    w = 0.0
    for _ in range(4):                                      # two steps an epoch: w ← w − 0.1 · 2 (w − 3)
        steps.append(w)
        w -= 0.1 * 2 * (w - 3)
    np.testing.assert_allclose(weights(snapshots), [0.0, steps[2], w])
    assert snapshots.moments == ["epoch 0", "epoch 1", "epoch 2"]
    run.fit(loader(X, 3 * X, shuffle=False), epochs=1)      # goes on
    assert snapshots.moments == ["epoch 0", "epoch 1", "epoch 2", "epoch 3"]
    trainer(line(7.0), callbacks=[snapshots]).fit(loader(X, X), epochs=1)
    assert weights(snapshots)[0] == 7.0 and snapshots.moments == ["epoch 0", "epoch 1"]


def test_it_can_count_steps_or_take_fewer():
    by_step, fewer = Snapshots(every_n_steps=3), Snapshots(every_n_epochs=2)
    trainer(line(0.0), callbacks=[by_step, fewer]).fit(loader(X, X), epochs=4)
    assert by_step.moments == ["step 0", "step 3", "step 6"] and fewer.moments == ["epoch 0", "epoch 2", "epoch 4"]
    for options, message in (({"every_n_epochs": 0}, "every_n_epochs"), ({"every_n_steps": 1.5}, "every_n_steps")):
        with pytest.raises(ValueError, match=f"Snapshots: {message} must be a whole number of at least 1"):
            Snapshots(**options)


def test_a_resumed_run_has_them_all(tmp_path):
    whole = Snapshots()
    checkpointed(tmp_path / "whole", [whole], line(0.0)).fit(loader(X, 3 * X), epochs=4)
    checkpointed(tmp_path / "parts", [Snapshots()], line(0.0)).fit(loader(X, 3 * X), epochs=2, resume="last")
    resumed = Snapshots()
    checkpointed(tmp_path / "parts", [resumed], line(0.0)).fit(loader(X, 3 * X), epochs=4, resume="last")
    assert resumed.moments == whole.moments and weights(resumed) == weights(whole)
    assert all(isinstance(state["weight"], np.ndarray) for state in resumed)


# ---------------------------------------------------------------------- films

DATA = {"x": [0.0, 1.0], "y": [0.0, 2.0]}


@pytest.fixture
def history():
    """A line that gets steeper, from 0 to 2."""
    model, snapshots = line(0.0), Snapshots()
    for weight in (0.0, 1.0, 2.0):
        nn.init.constant_(model.weight, weight)
        snapshots.take(model)
    nn.init.constant_(model.weight, 5.0)
    return model, snapshots


def test_a_gif_has_a_frame_for_each_snapshot(history, tmp_path):
    model, snapshots = history
    slopes, titles = [], []

    def draw(m, ax):
        drawn = plots.fitted_curve(m, **DATA, ax=ax)
        slopes.append(drawn.curves[0].get_ydata()[-1])
        titles.append(ax)

    ax = plots.grid(1)[1][0]
    film = plots.animate(draw, model, snapshots, interval=500, ax=ax)
    film.save(tmp_path / "film.gif", dpi=30)
    assert slopes[-3:] == [0.0, 1.0, 2.0] and set(titles) == {ax} and ax.get_title() == "Fit, step 2"
    with Image.open(tmp_path / "film.gif") as gif:
        assert (gif.n_frames, gif.info["duration"], gif.size) == (3, 500, (192, 144))
        frames = []
        for i in range(3):
            gif.seek(i)
            frames.append(np.asarray(gif.convert("RGB")).astype(int))
    # the line's orange is low on the right in the first frame, and high up in the last
    heights = [np.nonzero((abs(frame - (213, 94, 0)).sum(axis=2) < 120)[30:, 140:])[0].mean() for frame in frames]
    assert heights[0] > heights[1] + 10 > heights[2] + 20
    assert model.weight.item() == 5.0


def test_a_boundary_can_be_filmed_and_the_speed_chosen(tmp_path):
    model, snapshots = nn.Linear(2, 1), Snapshots()
    snapshots.take(model)
    before = [p.numpy().tobytes() for p in model.parameters()]
    shifted = {name: a + 1 for name, a in snapshots[0].items()}
    picture = partial(plots.decision_boundary, x=[[0.0, 0.0], [1.0, 1.0]], y=[0, 1], output="logit", colorbar=False)
    film = plots.animate(picture, model, [*snapshots, shifted])
    film.save(str(tmp_path / "film.GIF"), fps=4, dpi=25)
    with Image.open(tmp_path / "film.GIF") as gif:
        assert gif.n_frames == 2 and gif.info["duration"] == 250
    assert film._fig.axes[0].get_title() == "Decision boundary at probability 0.5, snapshot 1"
    assert len(film._fig.axes) == 1 and [p.numpy().tobytes() for p in model.parameters()] == before


def test_what_fails_leaves_the_model_and_the_file_as_they_were(history, tmp_path):
    model, snapshots = history
    path = tmp_path / "film.gif"
    path.write_bytes(b"earlier")

    def draw(m, ax):
        if m.weight.item() == 2.0:
            raise RuntimeError("no picture")

    with pytest.raises(RuntimeError, match="no picture"):
        plots.animate(draw, model, snapshots).save(path, dpi=20)
    assert path.read_bytes() == b"earlier" and list(tmp_path.iterdir()) == [path] and model.weight.item() == 5.0


def test_files_that_cannot_be_written_are_refused_before_another_frame_is_drawn(history, tmp_path, monkeypatch):
    calls = []
    film = plots.animate(lambda m, ax: calls.append(ax), *history)
    monkeypatch.setattr(animation.writers, "is_available", lambda name: False)
    with pytest.raises(RuntimeError, match="an MP4 needs the program ffmpeg"):
        film.save(tmp_path / "film.mp4")
    with pytest.raises(ValueError, match="the name must end in .gif or .mp4, not '.avi'"):
        film.save(tmp_path / "film.avi")
    with pytest.raises(FileNotFoundError):
        film.save(tmp_path / "nowhere" / "film.gif")
    with pytest.raises(TypeError, match="TrainingAnimation.save: the path must be a text"):
        film.save(3)
    assert len(calls) == 1 and not list(tmp_path.iterdir())


def test_an_mp4_is_written_by_ffmpeg(history, tmp_path, monkeypatch):
    """Without the program: what matplotlib would be asked for."""
    asked = []
    monkeypatch.setattr(animation.writers, "is_available", lambda name: name == "ffmpeg")

    def save(self, filename, writer=None, fps=None, **options):
        asked.append((filename[-4:], writer, fps, options))
        with open(filename, "wb") as file:
            file.write(b"film")

    monkeypatch.setattr(animation.FuncAnimation, "save", save)
    film = plots.animate(lambda m, ax: None, *history)
    film.save(tmp_path / "film.mp4", fps=10, dpi=50)
    assert asked == [(".mp4", "ffmpeg", 10, {"dpi": 50})] and (tmp_path / "film.mp4").read_bytes() == b"film"


def test_what_animate_refuses(history):
    model, snapshots = history
    draw = partial(plots.fitted_curve, **DATA)
    for given, error, message in (((3, model, snapshots), TypeError, "draw is a function"),
                                  ((draw, model, []), ValueError, "there are no snapshots"),
                                  ((draw, model, [{"bias": 1}]), ValueError, "snapshot 0 lacks weight"),
                                  ((draw, nn.Linear(2, 1, bias=False), snapshots), ValueError, "has weight of shape"),
                                  ((draw, model, [model.state_dict(), model.state_dict()]), ValueError,
                                   "one and the same array")):
        with pytest.raises(error, match=f"animate: .*{message}"):
            plots.animate(*given)
    with pytest.raises(ValueError, match="interval must be above 0 milliseconds, not 0"):
        plots.animate(draw, model, snapshots, interval=0)

    def with_a_bar(m, ax):
        ax.figure.colorbar(ax.imshow([[0.0, 1.0]]), ax=ax)

    with pytest.raises(ValueError, match="draw adds axes to the figure"):
        plots.animate(with_a_bar, model, snapshots)
