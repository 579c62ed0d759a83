"""The demos about networks: activations, where weights start, linear regions, and what a shallow network can follow."""

import numpy as np
import pytest
from demo_helpers import quick

from tinygrad_nuc import nn
from tinygrad_nuc.inspect import folding_network, linear_regions


def test_the_slopes_of_six_activations():
    found = quick("activations")
    largest = {name: slope.max() for name, slope in found.slopes.items()}
    assert largest == {"logistic": pytest.approx(0.25, abs=1e-5), "tanh": pytest.approx(1, abs=1e-4), "ReLU": 1,
                       "leaky ReLU": 1, "ELU": 1, "maxout": pytest.approx(0.8)}
    z = found.z.data
    logistic = 1 / (1 + np.exp(-z))
    by_hand = {"logistic": logistic * (1 - logistic), "tanh": 1 / np.cosh(z) ** 2, "ReLU": z > 0,
               "leaky ReLU": np.where(z > 0, 1, 0.1), "ELU": np.where(z > 0, 1, np.exp(z)),
               "maxout": np.where(0.8 * z > -0.5 * z - 1, 0.8, -0.5)}
    for name, slope in found.slopes.items():
        np.testing.assert_allclose(slope, by_hand[name], atol=1e-12)
        np.testing.assert_allclose(found.differences[name], by_hand[name], atol=1e-9)
    lines = {ax.get_title(): [line.get_ydata() for line in ax.lines]
             for ax in found.demo.pictures["activations.png"].axes}
    assert list(lines) == list(by_hand) and lines["logistic"][1].max() == 0.25


def test_a_dead_neuron_stays_dead_and_a_saturated_one_comes_back():
    found = quick("activations")
    assert set(found.losses["ReLU"]) == {1.0} and found.steps["ReLU"] is None
    assert found.steps["maxout"] < found.steps["leaky ReLU"] < found.steps["ELU"] < found.steps["logistic"] == 217
    assert found.steps["tanh"] == pytest.approx(np.exp(10) / 12.8, rel=0.02)           # ∫ dz / (8 r · 4 e²ᶻ)


def test_signal_and_gradient_change_by_n_sigma2_over_2_with_each_layer_of_relus():
    found = quick("initialisation")
    factors = {name: [(signal[-1] / signal[0]) ** (1 / 20), (gradient[0] / gradient[-1]) ** (1 / 20)]
               for name, (signal, gradient) in found.relu.items()}
    expected = {"normal, σ = 1": 128, "Kaiming": 1, "Xavier": 0.5, "uniform ±1/√n": 1 / 6}
    assert factors == {name: pytest.approx([value, value], rel=0.1) for name, value in expected.items()}
    assert all(len(signal) == 21 for signal, _ in found.relu.values())
    ax = found.demo.pictures["schemes.png"].axes[0]
    np.testing.assert_allclose(ax.lines[1].get_ydata(), 128 ** np.arange(0, 10.5, 0.5))


def test_logistic_layers_lose_the_gradient_and_the_theory_says_how_fast():
    found = quick("initialisation")
    per_layer = {name: ((g[0] / g[-1]) ** 0.05, (predicted[0] / predicted[-1]) ** 0.05)
                 for name, (g, predicted) in found.vanishing.items()}
    assert per_layer["logistic, Xavier"] == pytest.approx((0.235, 0.235), abs=0.005)
    assert per_layer["tanh, Xavier"] == pytest.approx((0.92, 0.92), abs=0.02)
    assert per_layer["ReLU, Kaiming"] == pytest.approx((1, 1), abs=0.05)
    g, _ = found.vanishing["logistic, Xavier"]
    assert (g[:-1] / g[1:]).max() < 0.25 and g[0] / g[-1] < 1e-12


def test_the_right_gain_cures_a_deep_leaky_network():
    found = quick("initialisation")
    for name in ("uniform ±1/√n", "Xavier, gain 1"):
        assert found.losses[name][-1] == pytest.approx(0.69, abs=0.03)                 # ln 2: it guesses
    assert min(found.losses["Xavier, gain 1.41"]) < 0.35 and found.accuracy > 0.85
    assert found.gain == pytest.approx(2 ** 0.5, rel=1e-4)
    assert (found.units.numpy() == found.units.numpy()[:, :1]).all()                   # equal weights, equal units


def test_networks_reach_the_numbers_of_regions_of_the_lecture():
    found = quick("linear_regions")
    counted = {found.network(*widths): parameters for widths, parameters in
               (((1, 3, 1), 10), ((1, 4, 2), 18), ((2, 3, 1), 13), ((1, 3, 3, 1), 22), ((10, 5, 2), 67),
                ((10, 5, 5, 5, 2), 127), ((1, 10, 10, 10, 10, 10, 1), 471), ((10, 50, 50, 50, 50, 50, 1), 10_801))}
    assert [found.parameters(model) for model in counted] == list(counted.values())
    layers = [sum(isinstance(part, nn.Linear) for part in model) for model in (found.shallow, found.deep)]
    assert layers == [2, 4]
    pieces = {name: linear_regions(model, 0, 1).count for name, model in
              (("1-3-1", folding_network(1, 3)), ("1-4-2", found.wide), ("1-3-3-1", folding_network(2, 3)))}
    assert pieces == {"1-3-1": 4, "1-4-2": 5, "1-3-3-1": 16}
    assert found.cut[0].patterns == 7                               # of 2-3-1, over the plane
    assert found.regions.count == 161_051 == 11 ** 5
    assert (np.sign(found.regions.slopes[:, 0]) == np.resize([1, -1], 161_051)).all()
    assert found.reached == pytest.approx(1.8e41, rel=0.01) and 2 ** 250 == pytest.approx(1.8e75, rel=0.01)


def test_each_layer_cuts_the_regions_of_the_one_before():
    found = quick("linear_regions")
    patterns = [drawn.patterns for drawn in found.cut[1:]]
    assert patterns[0] <= 22 and patterns == sorted(set(patterns)) and patterns[2] > 50
    panels = found.demo.pictures["pieces.png"].axes
    assert [ax.get_title().split(": ")[1].split()[0] for ax in panels[:3]] == ["4", "16", "64"]
    joints = panels[1].lines[0].get_xydata()
    assert len(joints) == 15 and set(joints[:, 1].round(9)) == {0, 1}


def test_the_error_of_straight_pieces_falls_with_the_square_of_their_number():
    found = quick("approximation")
    assert (found.equal, found.best) == (pytest.approx(2.037, abs=1e-3), pytest.approx(1.332, abs=1e-3))
    w = -1 + 2j * np.pi                                             # y is the real part of exp(w t), y″ of w² exp(w t)
    np.testing.assert_allclose(found.bend, (w ** 2 * np.exp(w * found.t)).real, atol=1e-10)
    for name, factor in (("equal pieces", 2.037), ("pieces as the curve bends", 1.332)):
        errors = np.array(found.errors[name])
        assert len(errors) == len(found.sizes) and (errors[3:] < errors[2:-1] / 2).all()
        assert errors[-1] * found.sizes[-1] ** 2 == pytest.approx(factor, rel=0.04)
        assert errors[-2] / errors[-1] == pytest.approx(4, abs=0.2)


def test_least_squares_beats_every_other_output_layer():
    found = quick("approximation")
    model = found.solved(found.network(np.arange(4) / 2))
    regions = linear_regions(model, 0, 2)
    np.testing.assert_allclose(regions.joints, [0.5, 1, 1.5])
    error = found.error(model)
    assert error == pytest.approx(np.sqrt(np.mean((regions(found.t)[:, 0] - found.y) ** 2)))
    for p in (model[2].weight, model[2].bias):
        for step in (-0.01, 0.01):
            p.data += step
            assert found.error(model) > error
            p.data -= step


def test_learning_moves_the_joints_to_where_the_curve_bends():
    found = quick("approximation")
    learned = found.errors["learned"]
    assert learned == sorted(learned, reverse=True) and learned[1] < 0.04 < 0.08 < found.errors["equal pieces"][1]
    assert learned[2] < 0.02 < found.errors["pieces as the curve bends"][2] == found.formulas[2]
    for n, panel in zip((2, 4, 8, 16), found.demo.pictures["joints.png"].axes, strict=True):
        joints = panel.lines[0].get_xdata()
        assert len(joints) <= n and len(joints) == linear_regions(found.learned[n], 0, 2).count - 1
    joints = found.demo.pictures["joints.png"].axes[1].lines[0].get_xdata()
    np.testing.assert_allclose(joints[1:], [0.45, 0.95, 1.45], atol=0.05)              # the extremes of the oscillation
