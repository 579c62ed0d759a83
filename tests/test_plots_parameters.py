"""Histograms over time are the log's counts, and gradient norms show where a gradient vanishes."""

import numpy as np
import pytest

import tinygrad_nuc as tn
from tinygrad_nuc import nn, plots
from tinygrad_nuc.training import ParameterLogger


def deep(activation, layers=10, width=16):
    tn.manual_seed(0)
    parts = [part for i in range(layers) for part in (nn.Linear(3 if i == 0 else width, width), activation())]
    model = nn.Sequential(*parts, nn.Linear(width, 1))
    nn.MSELoss()(model(tn.randn(64, 3)), tn.randn(64, 1)).backward()
    return model


def log_of(rows, gradients=None, times=None):
    log = ParameterLogger()
    for i, row in enumerate(rows):
        model = nn.Linear(len(row), 1, bias=False, dtype=tn.float64)
        model.weight.data[:] = row
        if gradients is not None and gradients[i] is not None:
            model.weight.grad = tn.tensor([gradients[i]], dtype=tn.float64)
        log.log(model, None if times is None else times[i])
    return log


def quads(mesh):
    """Borders of the columns and of the rows."""
    corners = mesh.get_coordinates()
    return corners[0, :, 0].tolist(), corners[:, 0, 1]


def test_columns_are_the_histograms_of_their_times():
    log = log_of([[0.1, 0.1, -0.2, 0.6], [0.1, 0.2, 0.3, -0.9]], times=[0, 4])
    mesh = plots.histograms_over_time(log, "weight")
    edges, counts = log.histogram("weight")
    columns, rows = quads(mesh)
    first = np.searchsorted(edges, rows[0])
    np.testing.assert_array_equal(rows, edges[first:first + len(rows)])
    np.testing.assert_array_equal(mesh.get_array().filled(0), counts.T[first:first + len(rows) - 1] / 4)
    assert mesh.get_array().filled(0).sum(axis=0).tolist() == [1, 1] and columns == [-2, 2, 6]
    ax = mesh.axes
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_title()) == ("epoch", "value", "weight")
    assert ax.figure.axes[1].get_ylabel() == "share in each bin" and mesh.get_clim() == (0, 0.5)
    assert ax.get_ylim() == pytest.approx((rows[0], rows[-1])) and rows[0] <= -0.9 and rows[-1] >= 0.6


def test_a_single_time_is_a_column_too():
    columns, _ = quads(plots.histograms_over_time(log_of([[1.0, 2.0]]), "weight"))
    assert columns == [0.5, 1.5]


def test_gradients_have_decades_and_a_row_for_zero():
    log = log_of([[1.0] * 4] * 3, [None, [0.0, 0.0, 0.0, 2e-4], [0.0, 3e-2, 3e-2, -2e-4]])
    mesh = plots.histograms_over_time(log, "weight", "gradient")
    columns, rows = quads(mesh)
    share = mesh.get_array().filled(0)
    assert columns == [1.5, 2.5, 3.5]                                           # the first time had no gradient
    np.testing.assert_allclose(rows[1:], np.logspace(-4, -1, 13), rtol=1e-9)
    assert share[0].tolist() == [0.75, 0.25] and share.sum(axis=0).tolist() == [1, 1]
    assert share[1 + np.searchsorted(np.logspace(-4, -1, 13), 2e-4) - 1].tolist() == [0.25, 0.25]
    assert mesh.get_clim() == (0, 0.5) and [text.get_text() for text in mesh.axes.texts] == ["0"]
    assert mesh.axes.get_yscale() == "log" and mesh.axes.get_ylabel() == "size of the gradient"
    np.testing.assert_allclose(mesh.axes.get_yticks(), [1e-4, 1e-3, 1e-2, 1e-1])


def test_gradients_at_the_edges_of_what_is_counted_and_only_zeros():
    mesh = plots.histograms_over_time(log_of([[1.0, 1.0]], [[1e9, 1e-9]]), "weight", "gradient")
    assert not mesh.axes.texts and quads(mesh)[1][[0, -1]].tolist() == pytest.approx([1e-9, 1e3])
    dead = plots.histograms_over_time(log_of([[1.0, 1.0]], [[0.0, 0.0]]), "weight", "gradient")
    assert dead.get_array().filled(0)[0].tolist() == [1] and dead.get_array().filled(0).sum() == 1
    dead.figure.draw_without_rendering()


@pytest.mark.parametrize(("arguments", "kind", "message"), [
    (("bias",), ValueError, "'bias' was not logged; there are weight"),
    (("weight", "gradient"), ValueError, "histograms_over_time: no gradient of 'weight' was logged"),
    (("weight", "norm"), ValueError, "what must be 'weight' or 'gradient', not 'norm'"),
])
def test_what_was_not_logged_is_refused(arguments, kind, message):
    with pytest.raises(kind, match=message):
        plots.histograms_over_time(log_of([[1.0]]), *arguments)
    with pytest.raises(TypeError, match="histograms_over_time: expects a ParameterLogger, not a Linear"):
        plots.histograms_over_time(nn.Linear(1, 1), "weight")


def test_the_gradient_of_sigmoids_vanishes_and_that_of_relus_does_not():
    ax = plots.grid(1)[1][0]
    sigmoid, relu = deep(nn.Sigmoid), deep(nn.ReLU)
    (first,) = plots.gradient_norms(sigmoid, "sigmoid", ax=ax)
    (second,) = plots.gradient_norms(relu, "ReLU", ax=ax)
    for line, model in ((first, sigmoid), (second, relu)):
        layers = [layer for layer in model if isinstance(layer, nn.Linear)]
        norms = [np.hypot(*(np.linalg.norm(p.grad.numpy()) for p in layer.parameters())) for layer in layers]
        np.testing.assert_allclose(line.get_ydata(), norms, rtol=1e-5)
        assert line.get_xdata().tolist() == list(range(1, 12))
    assert first.get_ydata()[0] < 1e-6 * first.get_ydata()[-1] and second.get_ydata()[0] > 1e-4 * second.get_ydata()[-1]
    assert ax.get_yscale() == "log" and ax.get_ylabel() == "norm of the gradient"
    assert ax.get_xlabel() == "layer, from the input to the output"
    assert [text.get_text() for text in ax.get_xticklabels()] == [str(2 * i) for i in range(11)]
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["sigmoid", "ReLU"]
    assert first.get_color() != second.get_color()
    ax.figure.draw_without_rendering()
    assert ax.get_ylim()[0] < first.get_ydata()[0] and ax.get_ylim()[1] > first.get_ydata()[-1]
    assert ax.get_legend().get_window_extent().y0 >= ax.get_window_extent().y1         # above, not on the lines


def test_layers_of_other_names_are_numbered():
    ax = plots.grid(1)[1][0]
    for layers in (2, 4, 3):
        plots.gradient_norms(deep(nn.ReLU, layers), ax=ax)
    assert [text.get_text() for text in ax.get_xticklabels()] == ["1", "2", "3", "4", "5"] and ax.get_legend() is None


def test_gradients_of_zero_and_infinity_are_at_the_edges_and_frozen_layers_are_left_out():
    model = nn.Sequential(*(nn.Linear(1, 1, bias=False) for _ in range(5)))
    for layer, gradient in zip(model, (2.0, 0.0, None, float("inf"), float("nan")), strict=True):
        layer.weight.grad = None if gradient is None else tn.tensor([[gradient]])
    (line,) = plots.gradient_norms(model)
    np.testing.assert_array_equal(line.get_ydata(), [2] + [np.nan] * 4)
    below, above = line.axes.lines[1:]
    assert (below.get_xdata().tolist(), below.get_marker(), below.get_ydata().tolist()) == ([2], "v", [0.02])
    assert (above.get_xdata().tolist(), above.get_marker(), above.get_ydata().tolist()) == ([4, 5], "^", [0.98, 0.98])



def test_the_scale_has_whole_decades_so_that_a_small_difference_looks_small():
    model = nn.Sequential(nn.Linear(1, 1, bias=False), nn.Linear(1, 1, bias=False))
    for layer, gradient in zip(model, (0.3, 0.2)):
        layer.weight.grad = tn.tensor([[gradient]])
    assert plots.gradient_norms(model)[0].axes.get_ylim() == pytest.approx((0.1, 1))


def test_norms_whose_squares_do_not_exist():
    model = nn.Sequential(nn.Linear(1, 1, dtype=tn.float64), nn.Linear(1, 1, dtype=tn.float64))
    for layer, size in zip(model, (3e-200, 3e200)):
        layer.weight.grad = tn.tensor([[size]], dtype=tn.float64)
        layer.bias.grad = tn.tensor([size / 3 * 4], dtype=tn.float64)
    np.testing.assert_allclose(plots.gradient_norms(model)[0].get_ydata(), [5e-200, 5e200], rtol=1e-12)


def test_a_log_has_a_line_for_some_of_its_times():
    log = log_of([[1.0]] * 12, [None, *([float(i)] for i in range(1, 12))], times=range(12))
    lines = plots.gradient_norms(log, "toy")
    assert [line.get_ydata().tolist() for line in lines] == [[1], [3], [5], [7], [9], [11]]
    assert [line.get_label() for line in lines] == [f"toy, epoch {i}" for i in (1, 3, 5, 7, 9, 11)]
    brightness = [sum(line.get_color()[:3]) for line in lines]
    assert brightness == sorted(brightness, reverse=True)
    assert [line.get_label() for line in plots.gradient_norms(log_of([[1.0]], [[1.0]]))] == ["epoch 1"]


def test_without_gradients_there_is_nothing_to_draw():
    model = nn.Linear(2, 1)
    for source in (model, log_of([[1.0]]), ParameterLogger(), nn.ReLU()):
        with pytest.raises(ValueError, match="gradient_norms: there are no gradients: call backward"):
            plots.gradient_norms(source)
    with pytest.raises(TypeError, match="gradient_norms: expects a Module or a ParameterLogger, not a list"):
        plots.gradient_norms([model])
    assert model.weight.grad is None
