"""Pictures show the numbers they were given, with names, and need no screen."""

import sys

import numpy as np
import pytest

from tinygrad_nuc import plots
from tinygrad_nuc.training import History


@pytest.fixture
def ax():
    return plots.grid(1)[1][0]


def texts(legend):
    return [text.get_text() for text in legend.get_texts()]


def test_grids_have_as_many_axes_as_asked_for():
    for n, shape in ((1, (1, 1)), (3, (1, 3)), (5, (2, 4)), (10, (3, 4))):
        picture, axes = plots.grid(n, width=2, height=1)
        assert len(axes) == len(picture.axes) == n
        assert picture.get_size_inches().tolist() == [2 * shape[1], shape[0]]


def test_variables_are_counted_per_class_within_the_range_of_most_events(ax):
    x, y = np.concatenate([np.arange(2000.0), [1e9]]), np.tile([0, 1], 1001)[:2001]
    counts = plots.variable_histogram(ax, x, y, "p [GeV/c]", ("pion", "kaon"), bins=10)
    assert sum(c.sum() for c in counts) == pytest.approx(2001 * 0.998, abs=2)      # not squeezed by the outlier
    assert ax.get_xlabel() == "p [GeV/c]" and "events per 2" in ax.get_ylabel() and ax.get_xlim()[1] < 3000
    assert texts(ax.get_legend()) == ["pion", "kaon"]
    np.testing.assert_array_equal(ax.patches[0].get_data().values, counts[0])
    np.testing.assert_array_equal(ax.patches[1].get_data().values, counts[1])


def test_a_variable_that_is_always_the_same_has_a_range(ax):
    counts = plots.variable_histogram(ax, np.full(4, 7.0), np.array([0, 0, 0, 1]), "x", ("a", "b"), bins=5)
    assert [c.tolist() for c in counts] == [[0, 0, 3, 0, 0], [0, 0, 1, 0, 0]]
    assert ax.patches[0].get_data().edges[[0, -1]].tolist() == [6.5, 7.5]


def test_responses_show_the_threshold(ax):
    counts = plots.response_histogram(ax, np.array([0.1, 0.1, 0.9]), np.array([0, 0, 1]), "toy", ("a", "b"), 0.4)
    assert [int(c.sum()) for c in counts] == [2, 1] and ax.get_yscale() == "log"
    assert list(ax.lines[0].get_xdata()) == [0.4, 0.4] and texts(ax.get_legend())[-1] == "threshold 0.4"


def test_roc_curves_are_the_points_given_and_the_ideal_one_is_dotted(ax):
    fpr, tpr = np.array([0.0, 0.2, 1.0]), np.array([0.0, 0.9, 1.0])
    lines = plots.roc_curves(ax, {f"c{i}": (fpr, tpr, 0.85) for i in range(8)} | {"ideal": (fpr, tpr, 0.9)})
    assert len(lines) == 9 and all(np.array_equal(line.get_ydata(), tpr) for line in lines)
    assert lines[-1].get_linestyle() == ":" and texts(ax.get_legend())[-1] == "ideal (AUC 0.9000)"
    plots.roc_curves(ax, {"c": (fpr, tpr, 0.85)}, corner=0.3)
    assert ax.get_xlim() == pytest.approx((-0.003, 0.3)) and ax.get_ylim() == pytest.approx((0.7, 1.003))


def test_confusion_matrices_show_counts_and_shares():
    _, axes = plots.grid(2)
    images = plots.confusion_matrices(axes, {"a": np.array([[9000, 1000], [0, 5]]), "b": np.eye(2, dtype=int)}, ("h", "g"))
    assert [t.get_text() for t in axes[0].texts] == ["9,000\n90.0%", "1,000\n10.0%", "0\n0.0%", "5\n100.0%"]
    np.testing.assert_allclose(images[0].get_array(), [[0.9, 0.1], [0, 1]])
    _, (ax,) = plots.grid(1)
    plots.confusion_matrices([ax], {"ten": np.eye(10, dtype=int)}, [str(i) for i in range(10)])
    assert [label.get_text() for label in ax.get_xticklabels()] == list("0123456789")
    with pytest.raises(ValueError):
        plots.confusion_matrices(axes[:1], {"a": np.eye(2), "b": np.eye(2)}, ("h", "g"))


def test_the_learning_curve_marks_the_best_epoch(ax):
    rows = [{"epoch": i + 1, "train_loss": t, "validation_loss": v} for i, (t, v) in enumerate([(3.0, 3.0), (2.0, 1.5), (1.0, 1.6)])]
    lines = plots.learning_curve(ax, History(rows), "cross-entropy")
    assert [list(line.get_ydata()) for line in lines[:2]] == [[3.0, 2.0, 1.0], [3.0, 1.5, 1.6]]
    assert list(lines[2].get_xdata()) == [2, 2] and texts(ax.get_legend())[-1] == "lowest: epoch 2 of 3"
    assert ax.get_ylabel() == "cross-entropy"


def test_a_curve_of_nan_has_no_lowest_epoch(ax):
    lines = plots.learning_curve(ax, History([{"epoch": 1, "train_loss": 1.0, "validation_loss": float("nan")}]))
    assert len(lines) == 2
    lines = plots.learning_curve(ax, History([{"epoch": i, "validation_loss": x} for i, x in enumerate([float("nan"), 2.0, 3.0], 1)]))
    assert list(lines[-1].get_xdata()) == [2, 2]


def test_images_fill_the_axes_and_share_no_scale():
    _, axes = plots.grid(3)
    drawn = plots.images(axes, np.array([[[0.0, 2.0]], [[-3.0, 1.0]]]), ["a", "b"], signed=True)
    assert [image.get_clim() for image in drawn] == [(-2.0, 2.0), (-3.0, 3.0)]
    np.testing.assert_array_equal(drawn[1].get_array(), [[-3.0, 1.0]])
    assert [ax.get_title() for ax in axes] == ["a", "b", ""] and not any(ax.axison for ax in axes)


def test_measurements_show_values_errors_and_truth(ax):
    bars, truth = plots.measurements(ax, {"naive": (0.33, 0.01), "fit": (0.30, 0.02)}, "kaon fraction", truth=0.31)
    assert list(bars.lines[0].get_xdata()) == [0.33, 0.30]
    np.testing.assert_allclose([s[:, 0].tolist() for s in bars.lines[2][0].get_segments()], [[0.32, 0.34], [0.28, 0.32]])
    assert list(truth.get_xdata()) == [0.31, 0.31] and [t.get_text() for t in ax.get_yticklabels()] == ["naive", "fit"]


def test_pyplot_is_never_touched():
    assert "matplotlib.pyplot" not in sys.modules or not sys.modules["matplotlib.pyplot"].get_fignums()
