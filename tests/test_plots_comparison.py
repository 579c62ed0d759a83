"""Pictures of several variables or classifiers: each in its place, with its numbers and names."""

import numpy as np
import pytest

from tinygrad_nuc import plots
from tinygrad_nuc.analysis import Performance
from tinygrad_nuc.plots.comparison import response_histograms, roc_curves_and_corner, variable_histograms

RNG = np.random.default_rng(0)
Y = np.repeat([0, 1], 50)
CLASSIFIERS = {"tree": Performance(RNG.normal(Y, 1), Y), "network": Performance(RNG.normal(3 * Y, 1), Y, 1.5)}


def test_each_variable_has_its_axes():
    x = RNG.normal(size=(100, 5))
    names = [f"variable {i} [cm]" for i in range(5)]
    drawn = variable_histograms(x, Y, names, ("pion", "kaon"))
    assert len(drawn) == 10 and [steps.axes.get_xlabel() for steps in drawn[::2]] == names
    assert [steps.get_data().values.sum() for steps in drawn] == [50] * 10
    assert drawn[0].figure.get_size_inches()[0] == 12.8                 # four beside each other, one below
    assert drawn[0].figure.get_suptitle() == "Measured variables"


def test_long_names_are_broken_where_they_fit_and_left_alone_on_axes_of_ones_own():
    name = "Cherenkov angle − pion expectation [mrad]"
    drawn = variable_histograms(RNG.normal(size=(100, 1)), Y, [name])
    assert drawn[0].axes.get_xlabel() == "Cherenkov angle − pion expectation\n[mrad]"
    axes = plots.grid(2)[1]
    drawn = variable_histograms(RNG.normal(size=(100, 1)), Y, [name], axes=axes)
    assert drawn[0].axes is axes[0] and axes[0].get_xlabel() == name and not axes[1].patches
    assert not drawn[0].figure.get_suptitle()


@pytest.mark.parametrize(("x", "names"), [(np.zeros((4, 2)), ["a"]), (np.zeros(4), ["a"]), (np.zeros((4, 1)), "a")])
def test_names_that_do_not_fit_are_refused(x, names):
    with pytest.raises(ValueError, match=r"variable_histograms: x must have shape \(n, k\), and k names"):
        variable_histograms(x, [0, 0, 1, 1], names)


def test_each_classifier_has_its_axes_threshold_and_name():
    drawn = response_histograms(CLASSIFIERS, ("pion", "kaon"), {"tree": "purity"})
    first, second = drawn[0].axes, drawn[2].axes
    assert (first.get_title(), second.get_title()) == ("tree", "network")
    assert (first.get_xlabel(), second.get_xlabel()) == ("purity", "response")
    assert [steps.get_data().values.sum() for steps in drawn] == [50] * 4
    assert [ax.lines[0].get_xdata()[0] for ax in (first, second)] == [0.5, 1.5]


def test_the_corner_shows_the_same_curves():
    lines = roc_curves_and_corner(CLASSIFIERS, 0.2)
    assert [line.get_label() for line in lines[:2]] == [f"{n} (AUC {c.auc:.4f})" for n, c in CLASSIFIERS.items()]
    for whole, corner in zip(lines[:2], lines[2:], strict=True):
        np.testing.assert_array_equal(whole.get_xydata(), corner.get_xydata())
    assert lines[2].axes.get_xlim()[1] == 0.2 and lines[0].axes.get_xlim()[1] >= 1


@pytest.mark.parametrize("function", [response_histograms, roc_curves_and_corner])
def test_anything_but_performances_by_name_is_refused(function):
    for wrong in ({}, [CLASSIFIERS["tree"]], {"tree": ([0.1, 0.9], [0, 1])}):
        with pytest.raises(TypeError, match=f'{function.__name__}: classifiers must be a dict such as'):
            function(wrong)
    with pytest.raises(ValueError, match="2 axes are needed, 1 were given"):
        function(CLASSIFIERS, axes=plots.grid(1)[1])
