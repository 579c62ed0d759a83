"""The calorimeter simulation: showers in energy, depth and width, a muon's dE/dx, range, scattering; both views."""

import dataclasses

import numpy as np
import pytest

from tinygrad_nuc.simulation import (
    BOTH,
    EVENT_CLASSES,
    SHOWER,
    TRACK,
    Calorimeter,
    neutrino_events,
    shower_maximum,
    shower_profile,
)
from tinygrad_nuc.simulation.passage import add_showers, add_tracks, read_out

# So large that almost nothing leaves; where a test looks across, its bars are finer
HUGE = Calorimeter(cells=16, planes=100, cell_cm=100.0, noise_mev=0.0, threshold_mev=0.0)


def only(add, n, energy, calorimeter, slope=0.0, seed=0):
    """Pictures of n muons or electrons of one energy that start in the middle of the first plane."""
    images = np.zeros((n, 2, calorimeter.cells, calorimeter.planes), np.float32)
    add(images, np.arange(n), np.full(n, energy), np.tile([0.1, 0.1, 0.0], (n, 1)), np.full((n, 2), slope), calorimeter,
        np.random.default_rng(seed))
    return images


def in_planes(images):
    """The energy in each plane of the stack, both views in turn."""
    return images.sum(axis=2, dtype=np.float64).transpose(0, 2, 1).reshape(len(images), -1)


# ---------------------------------------------------------------------- the shower

def test_the_maximum_and_the_profile_by_hand():
    np.testing.assert_allclose(shower_maximum([93 * np.e, 1000], 93), [0.5, 1.875156], atol=1e-6)
    a = 1 + 0.5 * 1.875156
    expected = 1000 * 0.5 * (0.5 * 3) ** (a - 1) * np.exp(-1.5) / 0.98173            # Γ(1.937578) from tables
    assert shower_profile(3.0, 1000, 93) == pytest.approx(expected, rel=0.01)
    t = np.linspace(0, 60, 60_001)
    for energy in (200, 1000, 20_000):
        dE_dt = shower_profile(t, energy, 93)
        assert np.trapezoid(dE_dt, t) == pytest.approx(energy, rel=1e-4)
        assert t[dE_dt.argmax()] == pytest.approx(shower_maximum(energy, 93), abs=1e-3)


def test_showers_keep_their_energy_and_its_resolution():
    energy = only(add_showers, 3000, 1000.0, HUGE).sum(axis=(1, 2, 3), dtype=np.float64)
    assert energy.mean() == pytest.approx(1000, abs=6)               # ± 1.8 by chance
    assert energy.std() / energy.mean() == pytest.approx(0.1, abs=0.005)        # √(2 · 5 / 1000)


def test_showers_follow_the_profile_in_depth():
    fine = dataclasses.replace(HUGE, planes=200, plane_cm=2.065)      # X₀/20: 20 X₀ in all
    found = in_planes(only(add_showers, 1000, 1000.0, fine)).mean(axis=0)
    t = (np.arange(400) + 0.5) / 20
    expected = shower_profile(t, 1000, 93).reshape(-1, 10).mean(axis=1) / 2         # MeV in X₀/2
    error = np.sqrt(2 * 5 * expected / 1000)                                        # of the mean of 1,000 showers
    assert np.all(abs(found.reshape(-1, 10).sum(axis=1) - expected) < 4 * error + 0.1)
    smooth = np.convolve(found, np.ones(21) / 21, "same")
    assert t[smooth.argmax()] == pytest.approx(shower_maximum(1000, 93), abs=0.35)             # 1.88 X₀: a flat maximum


def test_a_molière_radius_holds_90_percent_of_a_shower():
    assert HUGE.moliere_radius_cm == pytest.approx(41.3 * 21.2 / 93)
    fine = dataclasses.replace(HUGE, cells=4000, planes=25, plane_cm=40.0, cell_cm=1.0)
    across = only(add_showers, 20, 10_000.0, fine).sum(axis=(0, 3), dtype=np.float64)     # (view, x or y)
    x = np.arange(-2000, 2000) + 0.5
    u = np.linspace(0.0005, 0.9995, 1000)                           # f(r) in quantiles, seen in one coordinate
    r, phi = fine.moliere_radius_cm / 3 * np.sqrt(u / (1 - u)), np.linspace(0, 2 * np.pi, 400, endpoint=False)
    assert np.mean(r < fine.moliere_radius_cm) == pytest.approx(0.9, abs=0.001)
    for half in (2, 4, 9, 30):
        share = across[:, abs(x) < half].sum(axis=1) / across.sum(axis=1)
        np.testing.assert_allclose(share, np.mean(abs(np.outer(r, np.cos(phi))) < half), atol=0.015)


# ---------------------------------------------------------------------- the track

def test_a_muon_of_minimum_ionisation_loses_the_tabulated_energy():
    short = dataclasses.replace(HUGE, planes=2)                             # four planes of 6 cm
    fast, slow = (in_planes(only(add_tracks, 4000, energy, short)) for energy in (4000.0, 268.0))   # βγ = 39 and 3.4
    assert slow.mean() / 6 == pytest.approx(2.05, rel=0.01)
    assert 1.2 < fast.mean() / slow.mean() < 1.5                            # the logarithmic rise
    xi = 0.1535 * 0.54 * 1.06 * 6 / 0.96 ** 2                               # MeV, for a plane and β = 0.96
    middle, low = np.median(slow[:, 0]), np.quantile(slow[:, 0], 0.05)
    assert slow[:, 0].mean() > middle + 0.05                                # a tail to high losses
    assert 0.6 * xi < middle - low < 2.5 * xi
    assert slow.min() > 2.05 * 6 - 5 * xi


def test_a_muon_gives_all_its_energy_and_stops_where_it_must():
    images = only(add_tracks, 500, 600.0, HUGE)
    np.testing.assert_allclose(images.sum(axis=(1, 2, 3), dtype=np.float64), 600, rtol=1e-5)
    planes = in_planes(images)
    last = planes.shape[1] - (planes[:, ::-1] > 0).argmax(axis=1)
    assert 6 * last.mean() == pytest.approx(600 / 2.15, rel=0.08)           # a little more than the minimum on average
    ends = np.array([row[k - 3] for row, k in zip(planes, last, strict=True)])
    assert ends.mean() > 1.3 * planes[:, 2].mean()                          # slower, and so more per path


def test_the_path_through_a_plane_grows_with_the_slope():
    short = dataclasses.replace(HUGE, planes=2)
    straight, inclined = (in_planes(only(add_tracks, 2000, 500.0, short, slope))[:, 0].mean() for slope in (0.0, 0.5))
    assert inclined / straight == pytest.approx(np.sqrt(1.5), rel=0.02)     # √(1 + 0.5² + 0.5²)


def test_muons_scatter_as_highland_says():
    fine = dataclasses.replace(HUGE, cells=2000, cell_cm=0.05, planes=5)
    images = only(add_tracks, 1000, 5000.0, fine)                           # 5 GeV: loses little in 60 cm
    x = (np.arange(2000) + 0.5) * 0.05 - 50
    last = images[:, 0, :, 4]                                               # z = 48 to 54 cm
    place = (last * x).sum(axis=1) / last.sum(axis=1)
    depth = 51 / 41.3
    spread = 51 / np.sqrt(3) * 0.0136 / 5.1 * np.sqrt(depth)                # without the logarithm, which is of a step
    assert 0.75 * spread < place.std() < 1.05 * spread


# ---------------------------------------------------------------------- events and their pictures

def test_events_are_what_their_labels_and_truth_say():
    events = neutrino_events(301, seed=3)
    assert EVENT_CLASSES[TRACK] == "track" and EVENT_CLASSES[SHOWER] == "shower" and EVENT_CLASSES[BOTH] == "both"
    assert np.bincount(events.labels).tolist() == [101, 100, 100] and events.images.dtype == np.float32
    np.testing.assert_array_equal(events.track_energy > 0, events.labels != SHOWER)
    np.testing.assert_array_equal(events.shower_energy > 0, events.labels != TRACK)
    for energy, low, high in ((events.track_energy, 200, 1000), (events.shower_energy, 200, 1500)):
        assert low <= energy[energy > 0].min() and energy.max() <= high
    assert abs(events.vertex[:, :2]).max() <= 32 and 0 <= events.vertex[:, 2].min() and events.vertex[:, 2].max() <= 48
    for slope in (events.track_slope, events.shower_slope):
        assert slope.std() == pytest.approx(0.2, abs=0.02)
    deposited = events.images.sum(axis=(1, 2, 3))
    possible = events.track_energy + events.shower_energy
    assert np.all(deposited < 1.5 * possible + 50)
    assert 0.6 < deposited.sum() / possible.sum() < 0.95                    # some of it leaves


def test_both_views_begin_and_end_at_the_same_depth_and_point_to_the_vertex():
    events = neutrino_events(900, seed=4)
    tracks = np.flatnonzero(events.labels == TRACK)
    lit = events.images[tracks].max(axis=2) > 5                             # (n, view, plane); not noise
    first, last = lit.argmax(axis=2), lit.shape[2] - 1 - lit[:, :, ::-1].argmax(axis=2)
    assert abs(first[:, 0] - first[:, 1]).max() <= 1
    ended = (abs(last[:, 0] - last[:, 1]) <= 1)                             # others left through a side of one view
    assert ended.mean() > 0.95
    vertex_plane = events.vertex[tracks, 2] / 12
    assert np.all((first.mean(axis=1) - vertex_plane > -1.1) & (first.mean(axis=1) - vertex_plane < 1.1))
    for view in (0, 1):
        cells = events.images[tracks, view].argmax(axis=1)[np.arange(len(tracks)), first[:, view]]
        assert abs((cells + 0.5) * 4 - 64 - events.vertex[tracks, view]).max() < 12
    share = events.images[:, 0].sum() / events.images.sum()
    assert share == pytest.approx(0.5, abs=0.01)


def test_noise_and_threshold():
    quiet = Calorimeter(noise_mev=1.0, threshold_mev=2.0)
    images = np.zeros((50, 2, 32, 32), np.float32)
    read_out(images, quiet, np.random.default_rng(1))
    assert np.mean(images > 0) == pytest.approx(0.02275, abs=0.002)         # beyond 2 σ on one side
    assert images[images > 0].min() >= 2
    assert np.mean(neutrino_events(60, seed=1).images > 0) < 0.05


def test_the_same_seed_gives_the_same_events_and_a_generator_goes_on():
    rng = np.random.default_rng(5)
    first, second = neutrino_events(9, seed=rng), neutrino_events(9, seed=rng)
    np.testing.assert_array_equal(first.images, neutrino_events(9, seed=5).images)
    assert not np.array_equal(first.images, second.images)
    assert neutrino_events(0, seed=0).images.shape == (0, 2, 32, 32)


def test_another_detector_and_other_energies():
    small = Calorimeter(cells=16, planes=24)
    events = neutrino_events(12, small, seed=1, track_energy=(300, 300), shower_energy=(400, 500))
    assert events.images.shape == (12, 2, 16, 24) and set(events.track_energy) == {0, 300}


@pytest.mark.parametrize(("change", "message"), [
    ({"cells": 0}, "cells must be a positive whole number, not 0"),
    ({"planes": 2.5}, "planes must be a positive whole"),
    ({"plane_cm": -1.0}, "plane_cm must be positive and finite, not -1"),
    ({"critical_energy_mev": np.nan}, "critical_energy_mev must be positive"),
    ({"noise_mev": -0.1}, "noise_mev must be finite and not negative")])
def test_a_detector_that_cannot_be(change, message):
    with pytest.raises(ValueError, match=message):
        Calorimeter(**change)


@pytest.mark.parametrize(("settings", "message"), [
    ({"n": -1}, "cannot be negative: -1"), ({"track_energy": (0, 100)}, "track_energy must be"),
    ({"shower_energy": (500, 400)}, "shower_energy must be"), ({"shower_energy": (150, 400)}, "above 153")])
def test_events_that_cannot_be(settings, message):
    with pytest.raises(ValueError, match=message):
        neutrino_events(**{"n": 3, "seed": 0} | settings)
