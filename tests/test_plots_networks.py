"""Pictures of what a network does: its pieces, its activation patterns, its decisions and its curve."""

from functools import partial

import numpy as np
import pytest

import tinygrad_nuc as tn
from tinygrad_nuc import nn, plots

# max(x, 0) − 2 max(x − 1, 0), and a second output that bends at 2 only
HAND_MADE = {"0.weight": [[1.0], [1.0], [1.0]], "0.bias": [0.0, -1.0, -2.0],
             "2.weight": [[1.0, -2.0, 0.0], [0.0, 0.0, 3.0]], "2.bias": [0.0, 1.0]}


@pytest.fixture
def ax():
    return plots.grid(1)[1][0]


@pytest.fixture
def hand_made():
    model = nn.Sequential(nn.Linear(1, 3), nn.ReLU(), nn.Linear(3, 2))
    model.load_state_dict(HAND_MADE)
    return model


def legend_of(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


def quadrants():
    """A unit for x₁ and one for x₂, and in the next layer one that is active where both are large."""
    model = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 1), nn.ReLU(), nn.Linear(1, 1))
    model.load_state_dict({"0.weight": [[1.0, 0.0], [0.0, 1.0]], "0.bias": [0.0, 0.0], "2.weight": [[1.0, 1.0]],
                           "2.bias": [-0.5], "4.weight": [[1.0]], "4.bias": [0.0]})
    return model


class Spoiler(nn.Module):
    """Draws random numbers and notes in which mode it was asked."""

    def __init__(self):
        super().__init__()
        self.weight, self.drop, self.modes = nn.Parameter(np.ones(2)), nn.Dropout(0.5), []

    def forward(self, x):
        self.modes.append((self.training, self.drop.training, tn.is_grad_enabled(), x.dtype))
        tn.randn(3)
        return self.drop(x) @ self.weight


# ---------------------------------------------------------------------- one input: straight pieces

def test_pieces_are_the_segments_between_the_joints_in_two_colours(hand_made, ax):
    drawn = plots.linear_pieces(hand_made, -1, 3, names=("t [s]", "U [V]"), ax=ax)
    np.testing.assert_allclose(drawn.pieces.get_segments(), [[(-1, 0), (0, 0)], [(0, 0), (1, 1)], [(1, 1), (3, -1)]],
                               atol=1e-15)
    np.testing.assert_allclose(drawn.joints.get_xydata(), [(0, 0), (1, 1)], atol=1e-15)
    assert len(drawn.pieces.get_colors()) == 2 and drawn.pieces.axes is ax is drawn.joints.axes
    assert (ax.get_xlabel(), ax.get_ylabel(), legend_of(ax)) == ("t [s]", "U [V]", ["2 joints"])
    assert ax.get_title() == "3 linear pieces, at most 4 possible"
    assert ax.get_xlim()[0] < -1 and ax.get_xlim()[1] > 3 and ax.get_ylim()[0] < -1 and ax.get_ylim()[1] > 1


def test_each_output_has_its_own_pieces(hand_made):
    drawn = plots.linear_pieces(hand_made, -1, 3, output=1)
    np.testing.assert_allclose(drawn.pieces.get_segments(), [[(-1, 1), (2, 1)], [(2, 1), (3, 4)]])
    assert drawn.pieces.axes.get_title() == "2 linear pieces, at most 4 possible"
    with pytest.raises(ValueError, match="there is no output 2, only 2"):
        plots.linear_pieces(hand_made, -1, 3, output=2)


def test_many_joints_have_no_dots():
    drawn = plots.linear_pieces(tn.inspect.folding_network(2, 10), 0, 1)
    assert len(drawn.pieces.get_segments()) == 121 and drawn.joints.get_marker() == ""
    assert len(drawn.joints.get_xdata()) == 120 and drawn.joints.axes.get_legend() is None
    straight = plots.linear_pieces(nn.Linear(1, 1), 0, 1)
    assert straight.joints.axes.get_title() == "1 linear piece, at most 1 possible"


# ---------------------------------------------------------------------- two inputs: activation patterns

def test_activation_patterns_layer_by_layer(ax):
    drawn = plots.activation_regions(quadrants(), -1, 1, layer=1, resolution=8, ax=ax)
    image = np.asarray(drawn.image.get_array())
    assert drawn.patterns == 4 and image.shape == (8, 8) and drawn.image.get_extent() == [-1, 1, -1, 1]
    for part in (image[:4, :4], image[:4, 4:], image[4:, :4], image[4:, 4:]):
        assert (part == part[0, 0]).all()
    assert len(set(image[[0, 0, 7, 7], [0, 7, 0, 7]])) == 4
    assert len(drawn.lines) == 2 and legend_of(ax) == ["layer 1"]
    np.testing.assert_allclose(drawn.lines[0].get_paths()[0].vertices[:, 0], 0, atol=1e-12)     # x₁ = 0
    assert ax.get_title() == "4 activation patterns, at most 4 possible" and ax.get_xlabel() == "x₁"

    both = plots.activation_regions(quadrants(), (-1, -1), (2, 1), resolution=90)
    # the next unit is active beyond x₁ = 0.5, x₂ = 0.5 and the line x₁ + x₂ = 0.5, which cuts three quadrants
    assert both.patterns == 7 and len(both.lines) == 3 and legend_of(both.image.axes) == ["layer 1", "layer 2"]
    inside = [v for v in both.lines[2].get_paths()[0].vertices if v.min() > 0.05]
    np.testing.assert_allclose(np.sum(inside, axis=1), 0.5, atol=1e-9)
    assert both.image.axes.get_xlim() == (-1, 2)


def test_every_pattern_has_a_colour_of_its_own_and_a_leaky_network_has_patterns_too():
    tn.manual_seed(0)
    model = nn.Sequential(nn.Linear(2, 8), nn.LeakyReLU(), nn.Linear(8, 8), nn.ReLU(), nn.Linear(8, 1))
    drawn = plots.activation_regions(model, -2, 2, resolution=100)
    assert drawn.patterns == len(np.unique(drawn.image.get_array()))
    colours = drawn.image.cmap(np.arange(drawn.patterns))
    assert len(np.unique(colours, axis=0)) == drawn.patterns > 20

    # the patterns are those of the model itself
    points = np.stack(np.meshgrid(*[-2 + 4 * (np.arange(100) + 0.5) / 100] * 2), axis=-1).reshape(-1, 2)
    first = model[0](tn.tensor(points, dtype=tn.float32))
    second = model[2](model[1](first))
    active = np.concatenate([first.detach().numpy() > 0, second.detach().numpy() > 0], axis=1)
    assert abs(len(np.unique(active, axis=0)) - drawn.patterns) <= 1            # float32 may flip a point on a line


@pytest.mark.parametrize("call, error, message", [
    (partial(plots.activation_regions, nn.Linear(1, 3), -1, 1), ValueError, "needs a network with 2 inputs, not 1"),
    (partial(plots.activation_regions, nn.Linear(2, 3), -1, 1), ValueError, "has no ReLU"),
    (partial(plots.activation_regions, nn.Sequential(nn.Linear(2, 3), nn.Tanh()), -1, 1), TypeError, "Tanh"),
    (partial(plots.activation_regions, quadrants(), -1, 1, layer=3), ValueError, "no hidden layer 3, only 2"),
    (partial(plots.activation_regions, quadrants(), -1, 1, layer=0), ValueError, "layer must be a whole number"),
    (partial(plots.activation_regions, quadrants(), 1, (2, 1)), ValueError, "below high in both directions"),
    (partial(plots.activation_regions, quadrants(), (1, 2, 3), 4), ValueError, "or pairs of them"),
    (partial(plots.activation_regions, quadrants(), -1, 1, ax="here"), TypeError, "activation_regions: ax must be"),
    (partial(plots.linear_pieces, nn.Linear(1, 1), 0, 1, ax=3), TypeError, "linear_pieces: ax must be"),
])
def test_what_pieces_and_patterns_refuse(call, error, message):
    with pytest.raises(error, match=message):
        call()


# ---------------------------------------------------------------------- decisions

X, Y = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 2.0]]), np.array([0, 1, 1])


def logit(x):
    return 4 * (x[:, :1] - 0.5)


def check_line_at(lines, x1):
    (line,) = lines
    np.testing.assert_allclose(line.get_paths()[0].vertices[:, 0], x1, atol=2e-3)


def test_a_logit_is_drawn_as_its_probability_with_the_boundary_at_the_threshold(ax):
    drawn = plots.decision_boundary(logit, X, Y, output="logit", classes=("pion", "kaon"),
                                    names=("m² [GeV²]", "θ [mrad]"), low=(-1, -2), high=(3, 2), resolution=50, ax=ax)
    at = -1 + 4 * (np.arange(50) + 0.5) / 50
    np.testing.assert_allclose(drawn.image.get_array(), np.tile(1 / (1 + np.exp(-4 * (at - 0.5))), (50, 1)), rtol=1e-5)
    assert drawn.image.get_clim() == (0, 1) and drawn.image.get_extent() == [-1, 3, -2, 2]
    check_line_at(drawn.lines, 0.5)
    assert [p.get_offsets().tolist() for p in drawn.points] == [[[0.0, 0.0]], [[1.0, 0.0], [0.0, 2.0]]]
    shapes = [p.get_paths()[0].vertices.shape for p in drawn.points]
    assert shapes[0] != shapes[1] and legend_of(ax) == ["pion", "kaon"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("m² [GeV²]", "θ [mrad]")
    assert (ax.get_xlim(), ax.get_ylim()) == ((-1, 3), (-2, 2))
    assert ax.get_title() == "Decision boundary at probability 0.5"
    assert ax.figure.axes[1].get_ylabel() == "probability of class kaon"

    # where 1 / (1 + e⁻ᶻ) = 0.9: z = ln 9
    check_line_at(plots.decision_boundary(logit, X, Y, output="logit", threshold=0.9).lines, 0.5 + np.log(9) / 4)


def test_probabilities_and_two_logits_give_the_same_picture():
    expected = plots.decision_boundary(logit, X, Y, output="logit").image.get_array()
    for model, output in ((lambda x: tn.sigmoid(logit(x))[:, 0], "probability"),
                          (lambda x: tn.cat([1 - tn.sigmoid(logit(x)), tn.sigmoid(logit(x))], 1), "probability"),
                          (lambda x: tn.cat([-logit(x) / 2, logit(x) / 2], 1), "logit")):
        drawn = plots.decision_boundary(model, X, Y[:, None].astype(float), output=output, colorbar=False)
        np.testing.assert_allclose(drawn.image.get_array(), expected, atol=1e-6)
        assert len(drawn.image.figure.axes) == 1


def test_limits_are_those_of_the_data_and_a_tenth():
    drawn = plots.decision_boundary(logit, tn.tensor(X), tn.tensor(Y), output="logit")
    np.testing.assert_allclose(drawn.image.get_extent(), [-0.1, 1.1, -0.2, 2.2])
    lone = plots.decision_boundary(logit, X[:1], Y[:1], output="logit")
    np.testing.assert_allclose(lone.image.get_extent(), [-0.1, 0.1, -0.1, 0.1])
    assert list(lone.lines) == []                           # everything there is class 0


def test_many_classes_have_the_colour_of_the_most_probable_one():
    centres = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 1.0]])
    model = lambda x: -20 * ((x[:, None] - tn.tensor(centres, dtype=tn.float32)) ** 2).sum(2)       # noqa: E731
    drawn = plots.decision_boundary(model, centres, [0, 1, 2], output="logit", classes=["e", "μ", "π"], low=-1, high=2,
                                    resolution=60)
    image = np.asarray(drawn.image.get_array())
    assert image.shape == (60, 60, 3) and len(drawn.lines) == 3
    for (x1, x2), points in zip(centres, drawn.points):
        row, column = round((x2 + 1) * 20), round((x1 + 1) * 20)
        pixel, colour = image[row, column], points.get_facecolor()[0, :3]
        np.testing.assert_allclose((1 - pixel) / (1 - colour), 0.6, atol=0.02)     # as sure as can be
    assert np.ptp(image[30, 30]) < 0.6 * np.ptp(image[20, 20])              # halfway between two: paler
    check_line = drawn.lines[1].get_paths()[0].vertices                     # of class 1 against all others
    below = check_line[check_line[:, 1] < 0.3]
    np.testing.assert_allclose(below[:, 0], 0.5, atol=1e-2)
    assert legend_of(drawn.image.axes) == ["e", "μ", "π"] and drawn.image.axes.get_title() == "Decision boundary"


def test_a_network_is_asked_in_evaluation_mode_and_left_as_it_was():
    model = Spoiler().double()
    model.eval()
    model.drop.train()                                      # a mixture, which must come back
    model.weight.grad = tn.ones(2, dtype=tn.float64)
    tn.manual_seed(3)
    state, weight = tn.get_rng_state(), model.weight.data.tobytes()
    plots.decision_boundary(model, X, Y, output="logit")
    plots.fitted_curve(lambda x: model(tn.cat([x, x], 1)), X[:, 0], Y)      # a function is asked as it is
    assert model.modes == [(False, False, False, np.float64), (False, True, False, np.float32)]
    assert (model.training, model.drop.training) == (False, True) and tn.get_rng_state() == state
    assert model.weight.data.tobytes() == weight and model.weight.grad.tolist() == [1.0, 1.0]


def broken(x):
    raise RuntimeError("broken")


def test_also_after_an_error():
    model = nn.Sequential(nn.Dropout(0.5), nn.Linear(2, 1))
    model[1].register_forward_hook(lambda *_: broken(None))
    state = tn.get_rng_state()
    with pytest.raises(RuntimeError, match="broken"):
        plots.decision_boundary(model, X, Y, output="logit")
    assert model.training and model[0].training and tn.get_rng_state() == state and tn.is_grad_enabled()


@pytest.mark.parametrize("change, error, message", [
    ({"output": "logits"}, ValueError, "output must be 'logit' or 'probability', not 'logits'"),
    ({"output": "probability"}, ValueError, "which is no probability; if it returns logits, say output='logit'"),
    ({"model": lambda x: x.abs() + 0.5, "output": "probability", "low": 0.0, "high": 0.4}, ValueError,
     r"2 probabilities of a point add up to 1\.\d+, not to 1"),
    ({"model": 3}, TypeError, "the model is a network or a function of a tensor, not a int"),
    ({"model": lambda x: x.numpy()}, TypeError, "must return a tensor, not a ndarray"),
    ({"model": lambda x: x[:5]}, ValueError, r"for inputs of shape \(40000, 2\) the model returned shape \(5, 2\)"),
    ({"model": lambda x: x[:, 0] / 0}, ValueError, "returned an infinity or a NaN"),
    ({"x": [[0.0, 1.0, 2.0]], "y": [0]}, ValueError, r"x must have shape \(n, 2\), not \(1, 3\)"),
    ({"y": [0, 1]}, ValueError, r"y must have shape \(3,\)"),
    ({"y": [0, 1, 2]}, ValueError, "y must hold the classes 0 to 1 of the model, not 2"),
    ({"y": [0, 1, 0.5]}, ValueError, "not 0.5"),
    ({"x": [[0.0, 1.0], [np.nan, 1.0], [0.0, 0.0]]}, ValueError, "x holds an infinity or a NaN"),
    ({"classes": ["a", "b", "c"]}, ValueError, "2 classes need as many names, not 3"),
    ({"threshold": 1}, ValueError, "threshold must be between 0 and 1"),
    ({"resolution": 1.5}, ValueError, "resolution must be a whole number"),
    ({"high": -5}, ValueError, "low must be below high"),
    ({"model": lambda x: x[:, :1] * tn.ones(1, 8)}, ValueError, "colours for 7 classes, not for 8"),
])
def test_what_decision_boundary_refuses(change, error, message):
    given = {"model": logit, "x": X, "y": Y, "output": "logit"} | change
    with np.errstate(all="ignore"), pytest.raises(error, match=f"decision_boundary: .*{message}"):
        plots.decision_boundary(given.pop("model"), given.pop("x"), given.pop("y"), **given)


# ---------------------------------------------------------------------- a curve

def test_a_fit_is_a_curve_through_data_whose_limits_do_not_depend_on_the_model(ax):
    drawn = plots.fitted_curve(lambda x: 100 * x, [1.0, 3.0], [2.0, 4.0], names=("t [s]", "U [V]"), resolution=3, ax=ax)
    np.testing.assert_allclose(drawn.curves[0].get_xydata(), [(1, 100), (2, 200), (3, 300)])
    assert drawn.points.get_xydata().tolist() == [[1.0, 2.0], [3.0, 4.0]]
    np.testing.assert_allclose((*ax.get_xlim(), *ax.get_ylim()), (1, 3, 1.6, 4.4))
    assert (ax.get_xlabel(), ax.get_ylabel(), ax.get_title()) == ("t [s]", "U [V]", "Fit")
    assert legend_of(ax) == ["data", "network"]

    two = plots.fitted_curve(lambda x: tn.cat([x, -x], 1), tn.tensor([[1.0], [3.0]]), [[2.0], [4.0]], low=0, high=4)
    assert [c.get_ydata()[-1] for c in two.curves] == [4.0, -4.0] and two.points.axes.get_xlim() == (0, 4)
    assert legend_of(two.points.axes) == ["data", "network, output 0", "network, output 1"]
    with pytest.raises(ValueError, match="fitted_curve: x and y must have a number for each point, not 2 and 1"):
        plots.fitted_curve(logit, [1, 2], [1])
    with pytest.raises(ValueError, match=r"fitted_curve: x must be one number for each event, .* not \(1, 2\)"):
        plots.fitted_curve(logit, [[1, 2]], [1, 2])
    with pytest.raises(ValueError, match="fitted_curve: low must be below high, and both finite .* not 3 and 2"):
        plots.fitted_curve(logit, [1.0, 2.0], [1, 2], low=3)
    assert plots.fitted_curve(lambda x: x, [1.0], [2.0]).points.axes.get_xlim() == (0.5, 1.5)
