"""The straight pieces of ReLU networks with one input: all of them, where they are, and what they are."""

import math

import numpy as np
import pytest

import tinygrad_nuc as tn
from tinygrad_nuc import nn
from tinygrad_nuc.inspect import folding_network, linear_regions, max_linear_regions


def network(*layers):
    """Sequential(Linear, ReLU, ..., Linear) in float64 from (weight, bias) pairs."""
    parts = []
    for weight, bias in layers:
        layer = nn.Linear(len(weight[0]), len(weight), dtype=tn.float64)
        layer.load_state_dict({"weight": np.array(weight, float), "bias": np.array(bias, float)})
        parts += [layer, nn.ReLU()]
    return nn.Sequential(*parts[:-1])


def random_network(seed, widths, activation=nn.ReLU, dtype=tn.float64):
    tn.manual_seed(seed)
    parts = []
    for a, b in zip(widths, widths[1:]):
        parts += [nn.Linear(a, b, dtype=dtype), activation()]
    model = nn.Sequential(*parts[:-1])
    for p in model.parameters():
        nn.init.uniform_(p, -2, 2)
    return model


def value(model, x):
    return model(tn.tensor(np.asarray(x, float)[:, None], dtype=tn.float64)).detach().numpy()


def bent_places(model, low, high, points=200_001):
    """Where a dense evaluation is not straight from one point of the grid to the next but one; and the grid's step."""
    x = np.linspace(low, high, points)
    second_difference = np.abs(np.diff(value(model, x), 2, axis=0)).max(axis=1)
    return x[1:-1][second_difference > 1e-9], x[1] - x[0]


def check_against_evaluation(model, regions):
    """No joint too many, none too few, and the right values in between."""
    x = np.random.default_rng(0).uniform(regions.low, regions.high, 5000)
    np.testing.assert_allclose(regions(x), value(model, x), atol=1e-11)
    places, step = bent_places(model, regions.low, regions.high)
    assert len(regions.joints) and np.abs(places[:, None] - regions.joints).min(axis=1).max() < step
    assert np.abs(places[:, None] - regions.joints).min(axis=0).max() < step
    assert regions.count <= regions.activation_patterns <= regions.upper_bound


def test_a_network_made_by_hand_has_the_joints_and_lines_it_was_made_of():
    # 3 max(x, 0) − 5 max(x − 1, 0) + 2 max(2 − x, 0) + 1
    regions = linear_regions(network(([[1], [1], [-1]], [0, -1, 2]), ([[3, -5, 2]], [1])), -3, 4)
    np.testing.assert_allclose(regions.edges, [-3, 0, 1, 2, 4], atol=1e-15)
    assert regions.slopes.ravel().tolist() == [-2.0, 1.0, -4.0, -2.0]
    np.testing.assert_allclose(regions.intercepts.ravel(), [5, 5, 10, 6], rtol=1e-15)
    assert (regions.count, regions.activation_patterns, regions.upper_bound) == (4, 4, 4)
    np.testing.assert_allclose(regions([-1, 0.5, 1.5, 3]).ravel(), [7, 5.5, 4, 0], atol=1e-14)


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("widths", [(1, 5, 1), (1, 4, 3, 1), (1, 6, 4, 5, 2)])
def test_random_networks_have_the_pieces_that_a_dense_evaluation_shows(seed, widths):
    model = random_network(seed, widths)
    check_against_evaluation(model, linear_regions(model, -2.0, 2.0))


@pytest.mark.parametrize("seed", range(8))
def test_leaky_networks_are_followed_too(seed):
    model = random_network(seed, (1, 5, 4, 1), lambda: nn.LeakyReLU(0.3))
    regions = linear_regions(model, -3.0, 3.0)
    check_against_evaluation(model, regions)
    # with slope 1 the activation bends nothing: one line, however many units change their sign
    straight = nn.Sequential(*[nn.LeakyReLU(1.0) if isinstance(m, nn.LeakyReLU) else m for m in model])
    flat = linear_regions(straight, -3.0, 3.0)
    assert flat.count == 1 and flat.activation_patterns > 1 and len(flat.joints) == 0


def test_a_negative_slope_of_minus_one_is_the_absolute_value():
    regions = linear_regions(nn.LeakyReLU(-1.0), -2, 1)
    assert regions.slopes.ravel().tolist() == [-1.0, 1.0] and regions([-2, 1]).ravel().tolist() == [2.0, 1.0]


def test_joints_at_the_edges_are_not_inside():
    relu = network(([[1], [1], [1]], [1, 0, -1]), ([[1, 1, 1]], [0]))           # joints at −1, 0 and 1
    assert linear_regions(relu, -1, 1).joints.tolist() == [0.0]
    assert linear_regions(relu, -1, 1).slopes.ravel().tolist() == [1.0, 2.0]
    assert linear_regions(relu, 0, 1).count == 1 and linear_regions(relu, 1, 2).slopes.ravel().tolist() == [3.0]
    assert linear_regions(relu, np.nextafter(-1, -2), 1).count == 2         # rounding apart is not apart
    assert linear_regions(relu, -1.001, 1.001).count == 4


def test_joints_that_only_rounding_keeps_apart_are_one():
    # the same joint, 1/3, computed in two ways that differ in the last digit; and a third time in the next layer
    both = network(([[3.0], [0.1]], [-1.0, -0.1 / 3]), ([[1.0, 7.0], [2.0, 0.0]], [0.0, 0.0]), ([[1, 1]], [0]))
    regions = linear_regions(both, 0, 1)
    assert regions.count == 2 and regions.activation_patterns == 2
    np.testing.assert_allclose(regions.joints, [1 / 3], rtol=1e-15)
    np.testing.assert_allclose(regions.slopes.ravel(), [0, 3 + 0.7 + 6])


def test_joints_that_lead_nowhere_are_patterns_but_no_pieces():
    # the second unit has no weight; the third and fourth bend at the same place and cancel
    model = network(([[1], [1], [1], [1]], [0, -0.5, 0.5, 0.5]), ([[1, 0, 0.1, -0.1]], [0]))
    regions = linear_regions(model, -1, 1)
    assert (regions.count, regions.activation_patterns) == (2, 4) and regions.joints.tolist() == [0.0]
    constant = network(([[0.0]], [1.0]), ([[2.0]], [0.0]))
    assert (linear_regions(constant, -1, 1).count, linear_regions(constant, -1, 1).intercepts.item()) == (1, 2.0)


def test_several_outputs_have_their_joints_together():
    regions = linear_regions(network(([[1], [1]], [0, -1]), ([[1, 0], [0, 1]], [0, 0])), -1, 2)
    assert regions.joints.tolist() == [0.0, 1.0]
    assert regions.slopes.tolist() == [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0]]


def test_layers_that_do_nothing_and_nested_ones_are_passed_through():
    inner = network(([[1], [1]], [0, -1]), ([[2, -4]], [0]))
    model = nn.Sequential(nn.Flatten(), nn.Sequential(inner[0], nn.Dropout(0.5), inner[1]), nn.Identity(), inner[2])
    model.train()
    regions = linear_regions(model, -1, 2)
    assert regions.joints.tolist() == [0.0, 1.0] and regions.slopes.ravel().tolist() == [0.0, 2.0, -2.0]
    assert all(module.training for module in model.modules())
    assert linear_regions(nn.Linear(1, 1, bias=False), -1, 1).count == 1
    last = linear_regions(nn.Sequential(nn.Linear(1, 1, bias=False), nn.ReLU()), -1, 1)
    assert last.count == 2


def test_float32_weights_are_followed_in_float64():
    model = random_network(3, (1, 8, 8, 1), dtype=tn.float32)
    regions = linear_regions(model, -1.0, 1.0)
    assert regions.slopes.dtype == regions.joints.dtype == np.float64
    x = np.linspace(-1, 1, 1001)
    np.testing.assert_allclose(regions(x), value(model.double(), x), atol=1e-12)


def test_the_folding_network_has_exactly_as_many_pieces_as_its_size_allows():
    model = folding_network(layers=5, units=10)
    assert [m.out_features for m in model if isinstance(m, nn.Linear)] == [10, 10, 10, 10, 10, 1]
    assert sum(p.numel() for p in model.parameters()) == 471
    regions = linear_regions(model, 0, 1)
    assert regions.count == regions.activation_patterns == regions.upper_bound == 161_051 == 11 ** 5
    assert (np.sign(regions.slopes[:, 0]) == np.resize([1.0, -1.0], 161_051)).all()
    # every number is exact in binary: joints in units of 16⁻⁵, values 0 and 1 in turn at the edges
    np.testing.assert_array_equal(regions.joints * 16 ** 5, np.round(regions.joints * 16 ** 5))
    np.testing.assert_array_equal(value(model, regions.edges)[:, 0], np.resize([0.0, 1.0], 161_052))
    np.testing.assert_array_equal(1 / np.abs(regions.slopes[:, 0]), np.diff(regions.edges))
    x = np.random.default_rng(0).random(20_000)
    np.testing.assert_allclose(regions(x), value(model, x), atol=1e-9)


@pytest.mark.parametrize("layers, units", [(1, 3), (4, 3), (3, 4), (3, 6), (2, 14), (2, 29)])
def test_folding_networks_of_other_sizes(layers, units):
    regions = linear_regions(folding_network(layers, units), 0, 1)
    assert regions.count == regions.upper_bound == (units + 1) ** layers
    np.testing.assert_allclose(regions(regions.edges)[:, 0], np.resize([0.0, 1.0], regions.count + 1), atol=1e-9)


def test_making_one_takes_no_random_numbers():
    tn.manual_seed(5)
    state = tn.get_rng_state()
    folding_network(2, 3)
    assert tn.get_rng_state() == state


def test_the_bound_is_that_of_the_literature():
    shapes = {((3,), 1): 4, ((4,), 1): 5, ((3,), 2): 7, ((3, 3), 1): 16, ((10,) * 5, 1): 161_051, ((3,), 3): 8,
              ((), 4): 1, ((1, 5), 3): 2 * 6}                       # after one unit nothing but a line is left
    assert {shape: max_linear_regions(*shape) for shape in shapes} == shapes
    layer = sum(math.comb(50, j) for j in range(11))
    assert max_linear_regions([50] * 5, 10) == layer ** 5 < 2 ** 250      # each pattern of 250 units at most


class Squared(nn.Sequential):
    """Looks like a chain of layers, and is none."""

    def forward(self, x):
        return super().forward(x) ** 2


@pytest.mark.parametrize("call, error, message", [
    (lambda: linear_regions(Squared(nn.Linear(1, 1)), 0, 1), TypeError, "knows nothing of Squared"),
    (lambda: linear_regions(nn.Linear(2, 1), 0, 1), ValueError, "linear_regions: needs a network with 1 input, not 2"),
    (lambda: linear_regions(nn.Sequential(nn.Linear(1, 2), nn.Tanh()), 0, 1), TypeError,
     r"knows nothing of Tanh \(1\)"),
    (lambda: linear_regions(nn.Sequential(nn.Flatten(0)), 0, 1), TypeError, "knows nothing of Flatten"),
    (lambda: linear_regions(lambda x: x, 0, 1), TypeError, "expects a network, not a function"),
    (lambda: linear_regions(nn.Sequential(nn.Linear(1, 2), nn.Linear(3, 1)), 0, 1), ValueError,
     "1.weight takes 3 numbers, and is given 2"),
    (lambda: linear_regions(nn.Linear(1, 1), 1, 1), ValueError, "low must be below high, and both finite, not 1 and 1"),
    (lambda: linear_regions(nn.Linear(1, 1), 0, math.inf), ValueError, "finite"),
    (lambda: linear_regions(nn.Linear(1, 1), math.nan, 1), ValueError, "finite"),
    (lambda: linear_regions(network(([[1.0]], [math.nan])), 0, 1), ValueError, "0.bias holds an infinity or a NaN"),
    (lambda: folding_network(0), ValueError, "layers must be a whole number of at least 1, not 0"),
    (lambda: folding_network(2, 2), ValueError, "units must be a whole number of at least 3, not 2"),
    (lambda: max_linear_regions([3], 0), ValueError, "inputs must be a whole number of at least 1, not 0"),
    (lambda: max_linear_regions([3, 2.5], 1), ValueError, "each width must be a whole number of at least 1, not 2.5"),
])
def test_what_does_not_fit_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()
