"""Pictures show the numbers they were given, with names, and need no screen."""

import subprocess
import sys

import numpy as np
import pytest
from matplotlib.figure import Figure
from sklearn.metrics import roc_auc_score, roc_curve

import tinygrad_nuc as tn
from tinygrad_nuc import nn, plots
from tinygrad_nuc.training import EarlyStopping, History


@pytest.fixture
def ax():
    return plots.grid(1)[1][0]


def texts(legend):
    return [text.get_text() for text in legend.get_texts()]


def counts_of(drawn, of_each=list):
    """What the steps of histograms count."""
    return [of_each(steps.get_data().values.tolist()) for steps in drawn]


def labels(lines):
    return [line.get_label() for line in lines]


def test_grids_have_as_many_axes_as_asked_for():
    for n, shape in ((1, (1, 1)), (3, (1, 3)), (5, (2, 4)), (10, (3, 4))):
        picture, axes = plots.grid(n, width=2, height=1)
        assert len(axes) == len(picture.axes) == n
        assert picture.get_size_inches().tolist() == [2 * shape[1], shape[0]]


def test_variables_are_counted_per_class_within_the_range_of_most_events(ax):
    x, y = np.concatenate([np.arange(2000.0), [1e9]]), np.tile([0, 1], 1001)[:2001]
    drawn = plots.variable_histogram(x, y, "p [GeV/c]", ("pion", "kaon"), bins=10, ax=ax)
    assert drawn == list(ax.patches)
    assert sum(counts_of(drawn, sum)) == pytest.approx(2001 * 0.998, abs=2)        # not squeezed by the outlier
    edges = drawn[0].get_data().edges
    assert counts_of(drawn) == [np.histogram(x[y == k], edges)[0].tolist() for k in (0, 1)]
    assert ax.get_xlabel() == "p [GeV/c]" and "events per 2" in ax.get_ylabel() and ax.get_xlim()[1] < 3000
    assert texts(ax.get_legend()) == ["pion", "kaon"]


def test_a_variable_that_is_always_the_same_has_a_range(ax):
    drawn = plots.variable_histogram(np.full(4, 7.0), np.array([0, 0, 0, 1]), "x", ("a", "b"), bins=5, ax=ax)
    assert counts_of(drawn) == [[0, 0, 3, 0, 0], [0, 0, 1, 0, 0]]
    assert ax.patches[0].get_data().edges[[0, -1]].tolist() == [6.5, 7.5]


def test_responses_show_the_threshold(ax):
    drawn = plots.response_histogram(np.array([0.1, 0.1, 0.9]), np.array([0, 0, 1]), "toy", ("a", "b"), 0.4, ax=ax)
    assert counts_of(drawn, sum) == [2, 1] and ax.get_yscale() == "log"
    assert list(ax.lines[0].get_xdata()) == [0.4, 0.4] and texts(ax.get_legend())[-1] == "threshold 0.4"



@pytest.mark.parametrize("draw", [lambda *data: plots.variable_histogram(*data, "fired"), plots.response_histogram])
def test_histograms_without_axes_can_be_saved_and_truth_values_counted(draw, tmp_path):
    drawn = draw(np.array([False, True, True]), tn.tensor([False, False, True]))
    drawn[0].figure.savefig(tmp_path / "picture.png", dpi=20)
    assert (tmp_path / "picture.png").stat().st_size and counts_of(drawn, sum) == [2, 1]


def test_the_corner_is_as_high_as_the_best_curve_needs():
    fpr, good, poor = np.array([0.0, 0.1, 1.0]), np.array([0.0, 0.75, 1.0]), np.array([0.0, 0.5, 1.0])
    (line, _) = plots.roc_curves({"good": (fpr, good, 0.8), "poor": (fpr, poor, 0.7)}, corner=0.1)
    assert line.axes.get_ylim() == pytest.approx((0.5, 1.005)) and line.axes.get_xlim() == pytest.approx((-0.001, 0.1))
    (line,) = plots.roc_curves({"none": (fpr, 0.1 * good, 0.1)}, corner=0.1)
    assert line.axes.get_ylim() == pytest.approx((0, 1.01))


def test_roc_curves_are_the_points_given_and_the_ideal_one_is_dotted(ax):
    fpr, tpr = np.array([0.0, 0.2, 1.0]), np.array([0.0, 0.9, 1.0])
    lines = plots.roc_curves({f"c{i}": (fpr, tpr, 0.85) for i in range(8)} | {"ideal": (fpr, tpr, 0.9)}, ax=ax)
    assert len(lines) == 9 and all(np.array_equal(line.get_ydata(), tpr) for line in lines)
    assert lines[-1].get_linestyle() == ":" and texts(ax.get_legend())[-1] == "ideal (AUC 0.9000)"
    plots.roc_curves({"c": (fpr, tpr, 0.85)}, corner=0.3, ax=ax)
    assert ax.get_xlim() == pytest.approx((-0.003, 0.3)) and ax.get_ylim() == pytest.approx((0.7, 1.003))


def test_confusion_matrices_show_counts_and_shares():
    _, axes = plots.grid(2)
    images = plots.confusion_matrices({"a": np.array([[9000, 1000], [0, 5]]), "b": np.eye(2, dtype=int)}, ("h", "g"),
                                      axes=axes)
    assert [t.get_text() for t in axes[0].texts] == ["9,000\n90.0%", "1,000\n10.0%", "0\n0.0%", "5\n100.0%"]
    np.testing.assert_allclose(images[0].get_array(), [[0.9, 0.1], [0, 1]])
    ax = plots.confusion_matrices({"ten": np.eye(10, dtype=int)}, [str(i) for i in range(10)])[0].axes
    assert [label.get_text() for label in ax.get_xticklabels()] == list("0123456789")
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_title()) == ("predicted", "true", "ten")
    assert {text.get_fontsize() for text in ax.texts} == {11}
    with pytest.raises(ValueError, match="confusion_matrices: 2 axes are needed, 1 were given"):
        plots.confusion_matrices({"a": np.eye(2), "b": np.eye(2)}, ("h", "g"), axes=axes[:1])
    with pytest.raises(ValueError, match=r"'a' has shape \(2, 2\), and there are 3 classes"):
        plots.confusion_matrices({"a": np.eye(2)}, "abc")
    for matrices in (np.eye(2), {}):
        with pytest.raises(TypeError, match="confusion_matrices: matrices must be a dict with at least one matrix"):
            plots.confusion_matrices(matrices, "ab")


def test_letters_are_large_in_axes_of_other_figures_too():
    ax = Figure().subplots()
    plots.measurements({"naive": (0.33, 0.01)}, "kaon fraction", ax=ax)
    assert {text.get_fontsize() for text in (*ax.get_xticklabels(), *ax.get_yticklabels())} == {12}


def test_the_learning_curve_marks_the_best_epoch(ax):
    rows = [{"epoch": i, "train_loss": t, "validation_loss": v}
            for i, (t, v) in enumerate([(3.0, 3.0), (2.0, 1.5), (1.0, 1.6)], 1)]
    lines = plots.learning_curve(History(rows), "cross-entropy", ax=ax)
    assert [list(line.get_ydata()) for line in lines[:2]] == [[3.0, 2.0, 1.0], [3.0, 1.5, 1.6]]
    assert list(lines[2].get_xdata()) == [2, 2] and texts(ax.get_legend())[-1] == "lowest: epoch 2 of 3"
    assert ax.get_ylabel() == "cross-entropy"


def test_a_curve_of_nan_has_no_lowest_epoch(ax):
    lines = plots.learning_curve(History([{"epoch": 1, "train_loss": 1.0, "validation_loss": float("nan")}]), ax=ax)
    assert len(lines) == 2 and [x for x in ax.get_xticks() if 0.5 < x < 1.5] == [1]         # of one epoch: no 0.95
    rows = [{"epoch": i, "validation_loss": x} for i, x in enumerate([float("nan"), 2.0, 3.0], 1)]
    lines = plots.learning_curve(History(rows), ax=ax)
    assert list(lines[-1].get_xdata()) == [2, 2]


def test_images_fill_the_axes_and_share_no_scale():
    _, axes = plots.grid(3)
    drawn = plots.images(np.array([[[0.0, 2.0]], [[-3.0, 1.0]]]), ["a", "b"], signed=True, axes=axes)
    assert [image.get_clim() for image in drawn] == [(-2.0, 2.0), (-3.0, 3.0)]
    np.testing.assert_array_equal(drawn[1].get_array(), [[-3.0, 1.0]])
    assert [ax.get_title() for ax in axes] == ["a", "b", ""] and not any(ax.axison for ax in axes)



def test_images_may_be_tensors_have_a_channel_or_colours_and_take_no_more_room_than_they_need():
    drawn = plots.images(tn.arange(12.0).reshape(3, 1, 2, 2))
    np.testing.assert_array_equal(drawn[2].get_array(), [[8, 9], [10, 11]])
    assert drawn[0].figure.get_size_inches() == pytest.approx([3 * 1.6, 1.9])
    assert plots.images([np.zeros((2, 4, 3))])[0].get_array().shape == (2, 4, 3)
    _, axes = plots.grid(1)
    for pictures, shape in ((np.eye(3), "(3,)"), (np.zeros((2, 5, 4, 4)), "(5, 4, 4)")):
        shape = shape.replace("(", r"\(").replace(")", r"\)")
        with pytest.raises(ValueError, match=rf"images: picture 0 has shape {shape}, not \(rows, columns\)"):
            plots.images(pictures, axes=axes)
    assert axes[0].axison                                   # nothing has happened


def test_measurements_show_values_errors_and_truth(ax):
    bars, truth = plots.measurements({"naive": (0.33, 0.01), "fit": (0.30, 0.02)}, "kaon fraction", truth=0.31, ax=ax)
    assert list(bars.lines[0].get_xdata()) == [0.33, 0.30]
    errors = [segment[:, 0].tolist() for segment in bars.lines[2][0].get_segments()]
    np.testing.assert_allclose(errors, [[0.32, 0.34], [0.28, 0.32]])
    assert list(truth.get_xdata()) == [0.31, 0.31] and [t.get_text() for t in ax.get_yticklabels()] == ["naive", "fit"]


def test_values_without_an_uncertainty_are_refused():
    with pytest.raises(ValueError, match="measurements: the uncertainty of 'fit' is -1, below 0"):
        plots.measurements({"fit": (0.3, -1)}, "x")
    with pytest.raises(ValueError, match="measurements: there are no values"):
        plots.measurements({}, "x")
    with pytest.raises(TypeError, match="measurements: values must be a dict such as .*, not a list"):
        plots.measurements([(0.3, 0.1)], "x")


def test_a_roc_curve_of_responses_and_labels_is_that_of_scikit_learn(ax):
    rng = np.random.default_rng(3)
    y = rng.integers(0, 2, 300)
    response = np.round(rng.normal(size=300) + y, 1)                                # with many that are equal
    (line,) = plots.roc_curves({"network": (tn.tensor(response[:, None], requires_grad=True), tn.tensor(y))}, ax=ax)
    fpr, tpr, _ = roc_curve(y, response, drop_intermediate=False)
    np.testing.assert_allclose(line.get_xydata(), np.transpose([fpr, tpr]), atol=1e-15)
    assert line.get_label() == f"network (AUC {roc_auc_score(y, response):.4f})"
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("false-positive rate", "true-positive rate")
    assert ax.get_title() == "ROC curves"


@pytest.mark.parametrize(("curves", "kind", "message"), [
    ({"a": ([0.1, 0.2], [1, 1])}, ValueError, "all events of 'a' are of class 1; a ROC curve needs both classes"),
    ({"a": ([0.1, np.nan], [0, 1])}, ValueError, "the response of 'a' has 1 of 2 values that are NaN or infinite"),
    ({"a": ([0.1, 0.3, 0.2], [0, 1])}, ValueError, "the response of 'a' has 3 events, and there are 2 labels"),
    ({"a": ([0, 1], [0.1, 0.9])}, ValueError, "the labels y must be 0 and 1, and there is 0.1 among them"),
    ({"a": ([[0.1, 0.9]], [0])}, ValueError, r"one number for each event, shape \(n,\), not \(1, 2\)"),
    ({"a": (["x", "y"], [0, 1])}, TypeError, "the response of 'a' must hold numbers"),
    ({"a": [0.1, 0.2, 0.3, 0.4]}, ValueError, r"must be \(response, y\) or \(fpr, tpr, area\), not a list of 4"),
    ({"a": roc_curve([0, 1], [0.2, 0.7])}, ValueError, "the third of 'a' must be the area .* and not the thresholds"),
    ({}, TypeError, "curves must be a dict with at least one curve"),
    (([0.1], [1]), TypeError, "curves must be a dict"),
])
def test_what_is_no_roc_curve_is_refused(curves, kind, message):
    with pytest.raises(kind, match=f"roc_curves: .*{message}"):
        plots.roc_curves(curves)
    with pytest.raises(ValueError, match="roc_curves: corner must be above 0 and at most 1, not 0"):
        plots.roc_curves({"a": ([0.1, 0.2], [0, 1])}, corner=0)


def variable_histogram(x, y, **options):
    return plots.variable_histogram(x, y, "x [cm]", **options)


@pytest.mark.parametrize("draw", [variable_histogram, plots.response_histogram])
def test_histograms_refuse_what_they_cannot_count(draw):
    for x, y, message in (([], [], "one number for each event"),
                          ([1.0, 2.0], [0], "2 events, and there are 1 labels"),
                          ([1.0], [2], "must be 0 and 1, and there is 2"),
                          ([np.inf], [1], "1 of 1 values that are NaN or infinite")):
        with pytest.raises(ValueError, match=message):
            draw(x, y)
    with pytest.raises(ValueError, match="classes must be two names"):
        draw([1.0], [1], classes=("a", "b", "c"))
    with pytest.raises(ValueError, match="bins must be a whole number of at least 1"):
        plots.variable_histogram([1.0], [1], "x", bins=0)


def test_legends_have_room_above_what_is_drawn(ax):
    x, y = np.linspace(0, 1, 600), np.repeat([0, 1], 300)
    for draw, limits in ((lambda: plots.variable_histogram(x, y, "x", ax=ax), (0, 15 * 1.05 / 0.71)),
                         (lambda: plots.response_histogram(x, y, ax=ax), None)):
        ax.clear()
        draw()
        ax.figure.draw_without_rendering()
        most = max(patch.get_data().values.max() for patch in ax.patches)
        assert ax.get_legend().get_window_extent().y0 > ax.transData.transform((0, most))[1]
        if limits:
            assert ax.get_ylim() == pytest.approx(limits)


def stopped(best_epoch, patience, monitor="validation_loss"):
    stopping = EarlyStopping(monitor, patience)
    stopping.best_epoch, stopping.best.value = best_epoch, 0.5
    return stopping


def test_the_learning_curve_shows_what_early_stopping_did(ax):
    history = History([{"epoch": i, "train_loss": 1 / i, "validation_loss": v}
                       for i, v in enumerate([3.0, 1.0, 0.99, 1.2, 1.3], 1)])
    lines = plots.learning_curve(history, early_stopping=stopped(2, 3), ax=ax)
    assert [(list(line.get_xdata()), line.get_label()) for line in lines[2:]] == [
        ([2, 2], "best validation loss: epoch 2"), ([5, 5], "stopped after epoch 5 (patience 3)")]
    assert [line.get_linestyle() for line in lines] == ["-", "-", "--", ":"]
    lines = plots.learning_curve(history, early_stopping=stopped(3, 3, "validation_accuracy"))
    assert labels(lines[2:]) == ["best validation accuracy: epoch 3"]      # all epochs were made: nothing stopped it
    never = EarlyStopping(patience=5)
    assert labels(plots.learning_curve(history, early_stopping=never)[2:]) == ["stopped after epoch 5 (patience 5)"]


def test_the_callback_of_a_real_training_marks_the_epoch_whose_weights_are_kept():
    model = nn.Linear(1, 1, bias=False)
    stopping = EarlyStopping(patience=2)
    optimizer = tn.optim.SGD(model.parameters(), lr=1.5)
    trainer = tn.training.Trainer(model, nn.MSELoss(), optimizer, callbacks=[stopping], progress=False)
    batches = [(tn.ones(1, 1), tn.ones(1, 1))]                      # every step overshoots, and doubles the error
    lines = plots.learning_curve(trainer.fit(batches, batches, epochs=9), early_stopping=stopping)
    assert labels(lines[2:]) == ["best validation loss: epoch 1", "stopped after epoch 3 (patience 2)"]


def test_learning_curves_refuse_other_things():
    with pytest.raises(ValueError, match="learning_curve: no epoch has been completed yet"):
        plots.learning_curve(History())
    with pytest.raises(TypeError, match="learning_curve: expects a History, such as trainer.history, not a list"):
        plots.learning_curve([1.0, 0.5])
    with pytest.raises(ValueError, match="is 4, and the history ends after epoch 1: it belongs to another training"):
        plots.learning_curve(History([{"epoch": 1, "train_loss": 1.0}]), early_stopping=stopped(4, 3))
    with pytest.raises(TypeError, match="early_stopping is the EarlyStopping callback of the training, not a int"):
        plots.learning_curve(History([{"epoch": 1, "train_loss": 1.0}]), early_stopping=5)


def test_filters_of_linear_layers_are_images_with_one_scale():
    layer = nn.Linear(6, 3)
    layer.weight.data[:] = np.arange(18).reshape(3, 6) - 9
    drawn = plots.filters(layer, (2, 3))
    np.testing.assert_array_equal(drawn[1].get_array(), [[-3, -2, -1], [0, 1, 2]])
    assert [(image.get_clim(), image.axes.get_title()) for image in drawn] == [((-9, 9), str(k)) for k in range(3)]
    assert drawn[0].figure.axes[-1].get_ylabel() == "weight"                    # the scale
    np.testing.assert_array_equal(plots.filters(np.eye(4))[2].get_array(), [[0, 0], [1, 0]])
    _, axes = plots.grid(2)
    assert len(plots.filters(layer.weight, (3, 2), axes=axes)) == 2 and len(axes[0].figure.axes) == 2
    assert len(plots.filters(nn.Linear(4, 50))) == 32 and len(plots.filters(nn.Linear(4, 50), most=50)) == 50


def test_filters_of_convolutions_are_one_for_each_channel():
    one, three = nn.Conv2d(1, 2, 3), nn.Conv2d(3, 2, (2, 3))
    assert [image.axes.get_title() for image in plots.filters(one)] == ["0", "1"]
    drawn = plots.filters(three)
    assert [image.axes.get_title() for image in drawn] == ["0, 0", "0, 1", "0, 2", "1, 0", "1, 1", "1, 2"]
    np.testing.assert_array_equal(drawn[5].get_array(), three.weight.numpy()[1, 2])


@pytest.mark.parametrize(("what", "options", "kind", "message"), [
    (nn.ReLU(), {}, TypeError, "expects a layer with a weight, .* or the weight itself, not a ReLU"),
    (nn.Linear(5, 2), {}, ValueError, r"no image of shape \(2, 2\); give the shape=\(rows, columns\)"),
    (nn.Linear(4, 2), {"shape": 2}, ValueError, r"shape must be \(rows, columns\), not 2"),
    (nn.Linear(6, 2), {"shape": (4, 2)}, ValueError, r"6 weights, which make no image of shape \(4, 2\)"),
    (nn.Conv2d(1, 2, 3), {"shape": (2, 2)}, ValueError, r"the filters have shape \(3, 3\), not \(2, 2\)"),
    (nn.BatchNorm1d(4), {}, ValueError, r"not \(4,\)"),
    (np.full((2, 4), np.nan), {}, ValueError, "some weights are NaN or infinite"),
    (nn.Linear(4, 2), {"most": 0}, ValueError, "most must be a whole number of at least 1"),
])
def test_what_has_no_filters_is_refused(what, options, kind, message):
    with pytest.raises(kind, match=f"filters: .*{message}"):
        plots.filters(what, **options)


def test_images_need_titles_for_all_and_something_to_draw():
    with pytest.raises(ValueError, match="images: there are 2 pictures, and 1 titles"):
        plots.images(np.zeros((2, 3, 3)), ["a"])
    with pytest.raises(ValueError, match="images: there are no pictures to draw"):
        plots.images([])


def test_axes_that_are_none_are_refused_by_name():
    for draw in (plots.roc_curves, plots.learning_curve):
        data = {"a": ([0.1, 0.2], [0, 1])} if draw is plots.roc_curves else History([{"epoch": 1, "train_loss": 1.0}])
        with pytest.raises(TypeError, match=f"{draw.__name__}: ax must be one matplotlib Axes, or None .*, not a list"):
            draw(data, ax=plots.grid(1)[1])
    with pytest.raises(TypeError, match="images: axes must be a list of matplotlib Axes"):
        plots.images(np.eye(2)[None], axes=plots.grid(1)[1][0])


def in_a_new_python(code):
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip()


def test_matplotlib_is_imported_when_plots_is_first_asked_for():
    assert in_a_new_python("import sys, tinygrad_nuc as tn; print('matplotlib' in sys.modules, hasattr(tn, 'plot'), "
                           "tn.plots.__name__, 'matplotlib' in sys.modules)") == "False False tinygrad_nuc.plots True"
    with pytest.raises(AttributeError, match="module 'tinygrad_nuc' has no attribute 'plot'"):
        tn.plot  # noqa: B018


def test_pyplot_is_never_imported_nor_any_setting_changed():
    assert in_a_new_python("""if True:
        import sys, matplotlib
        names = [name for name in matplotlib.rcParams if name != "backend"]         # to ask for that imports pyplot
        before = [matplotlib.rcParams[name] for name in names]
        import tinygrad_nuc as tn
        tn.plots.roc_curves({"a": ([0.1, 0.2], [0, 1])})[0].figure.draw_without_rendering()
        tn.plots.confusion_matrices({"a": [[1, 2], [3, 4]]}, "ab")
        tn.plots.activation_functions("relu")
        model = tn.nn.Linear(4, 1)
        tn.plots.filters(model)
        model(tn.ones(1, 4)).sum().backward()
        tn.plots.gradient_norms(model)
        log = tn.training.ParameterLogger()
        log.log(model)
        tn.plots.histograms_over_time(log, "weight")
        print("matplotlib.pyplot" in sys.modules, [matplotlib.rcParams[name] for name in names] == before)
        """) == "False True"
