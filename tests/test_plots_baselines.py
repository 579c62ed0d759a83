"""The five most used pictures look as they did, line by line.

What is compared is the drawing alone: no letters, no ticks, no legend, axes in a fixed place. These depend on fonts
and on matplotlib's version; what they say is tested in test_plots.py. After a change that is meant, write the new
pictures and look at them:

    TINYGRAD_NUC_BASELINES=write python -m pytest tests/test_plots_baselines.py
"""

import os
from pathlib import Path

import numpy as np
import pytest
from matplotlib.testing.compare import compare_images
from matplotlib.text import Text

from tinygrad_nuc import plots
from tinygrad_nuc.training import EarlyStopping, History

BASELINES = Path(__file__).parent / "baselines"
WRITE = os.environ.get("TINYGRAD_NUC_BASELINES") == "write"

# Root mean square over all pixels, of 0 to 255. Between matplotlib 3.8.4 with FreeType 2.6 and 3.11.2 with FreeType
# 2.14 it is 0.0 for all five; the smallest of the changes below makes it 4.5. Other processors may round an edge
# differently.
TOLERANCE = 1.5


def events():
    """Responses of two overlapping classes, from quantiles: the same numbers with every version of NumPy."""
    p = (np.arange(500) + 0.5) / 500
    return np.concatenate([p ** 2, 1 - p ** 3]), np.repeat([0, 1], 500)


def learning_curve(change=0.0):
    rows = [{"epoch": i, "train_loss": 1 / i, "validation_loss": 1 / i + 0.002 * i ** 2 + change * (i == 8)}
            for i in range(1, 13)]
    stopping = EarlyStopping(patience=5)
    stopping.best_epoch, stopping.best.value = 7, 0.24
    return plots.learning_curve(History(rows), early_stopping=stopping)[0].axes


def roc_curves(change=0.0):
    response, y = events()
    return plots.roc_curves({"network": (response, y), "cuts": (response - change * y, y), "ideal": (y, y)})[0].axes


def response_histogram(change=0.0):
    _, (ax,) = plots.grid(1)
    plots.response_histogram(*events(), threshold=0.5 + change, ax=ax)
    return ax


def confusion_matrix(change=0.0):
    matrix = np.array([[90 + change, 10 - change], [25, 75]])
    return plots.confusion_matrices({"digits": matrix}, "ab")[0].axes


def activation_functions(change=0.0):
    functions = {"relu": "relu", "sigmoid": "sigmoid", "tanh": lambda x: (1 + change) * x.tanh()}
    return plots.activation_functions(functions)[0].axes


# Each picture, and a change to be seen: 0.03 in one loss, 0.02 in all kaons' responses or in the threshold, 4 events of
# 100, 3 % of one function.
PICTURES = {learning_curve: 0.03, roc_curves: 0.02, response_histogram: 0.02, confusion_matrix: 4,
            activation_functions: 0.03}


def write_bare(ax, path):
    """What does not depend on fonts, small, with axes that begin and end at whole pixels."""
    figure = ax.figure
    figure.set_layout_engine("none")
    figure.set_size_inches(6.4, 4.8)
    ax.set_position((1 / 16, 1 / 16, 7 / 8, 7 / 8))
    ax.tick_params(which="both", length=0, labelbottom=False, labelleft=False)
    if ax.get_legend():
        ax.get_legend().remove()
    for text in figure.findobj(Text):
        text.set_visible(False)
    figure.savefig(path, dpi=60, metadata={"Software": None})


def difference(expected, actual):
    found = compare_images(str(expected), str(actual), tol=0, in_decorator=True)
    return 0.0 if found is None else found["rms"]


@pytest.mark.parametrize("draw", PICTURES, ids=lambda draw: draw.__name__)
def test_pictures_are_as_they_were(draw, tmp_path):
    baseline, now = BASELINES / f"{draw.__name__}.png", tmp_path / "now.png"
    if WRITE:
        write_bare(draw(), baseline)
    write_bare(draw(), now)
    assert difference(baseline, now) < TOLERANCE
    assert baseline.stat().st_size < 30_000


@pytest.mark.parametrize(("draw", "change"), PICTURES.items(), ids=lambda x: getattr(x, "__name__", None))
def test_a_line_that_moves_is_seen(draw, change, tmp_path):
    write_bare(draw(change), tmp_path / "moved.png")
    assert difference(BASELINES / f"{draw.__name__}.png", tmp_path / "moved.png") > 2 * TOLERANCE
