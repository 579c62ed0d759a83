"""The demos after the main job: uncertainty, a detector that is not as simulated, the model card."""

import numpy as np
import pytest
from demo_helpers import quick, run

from tinygrad_nuc.simulation import Detector


def test_an_ensemble_of_starts_agrees_too_much_and_the_bootstrap_does_not():
    found = quick("uncertainty")
    assert found.demo.missed == [] and found.few == 200 and found.many == 1600
    assert found.ratio["other starts"] < 0.8 and 0.6 < found.ratio["bootstrap"] < 1.8
    assert found.coverage[200, "bootstrap"] > found.coverage[200, "other starts"]
    assert 0.4 < found.spread[1600, "bootstrap"] / found.error[1600, "bootstrap"] < 2.5
    assert found.ece[200, "bootstrap"] < 0.95 * found.ece_of_one[200, "bootstrap"]
    assert found.error[1600, "bootstrap"] < 0.7 * found.error[200, "bootstrap"]
    for p in found.answers.values():
        assert p.shape[1] == 10_000 and 0 <= p.min() and p.max() <= 1 and (p.std(0) > 0).any()


def test_what_the_user_chooses_is_not_held_against_the_numbers():
    found = run("uncertainty", "--quick", "--members", "2", "--steps", "5")
    assert found.members == 2 and found.demo.missed == [] and found.demo.compared == 7


@pytest.mark.parametrize("options", [["--members", "1"], ["--members", "0"], ["--members", "-3"], ["--steps", "0"],
                                     ["--steps", "-1"]])
def test_networks_without_a_spread_or_training_are_refused(options, capsys):
    with pytest.raises(SystemExit) as end:
        run("uncertainty", "--quick", *options)
    assert end.value.code == 2 and "--members must be at least 2 (one has no spread), --steps at least 1" in (
        capsys.readouterr().err)


def test_errors_are_right_as_long_as_the_detector_is_as_simulated():
    found = quick("domain_shift")
    assert found.demo.missed == []
    assert abs(found.f_nominal.pull(0.3116)) < 3.5
    assert abs(found.pulls.mean()) < 3.5 / 20 and abs(found.pulls.std() - 1) < 3.5 / np.sqrt(800)
    assert len(found.pulls) == 400 and f"{found.reference}" == (
        "{'as simulated': 0.3, 'σ_t = 120 ps': 0.3041, 'σ_θ = 5 mrad': 0.3092, '3 % decays': 0.2931}")


def test_a_detector_that_is_not_as_simulated_moves_the_abundance_as_known():
    found = quick("domain_shift")
    measured = {name: f.value for name, f in found.measured.items()}
    nominal = measured["as simulated"]
    assert abs(nominal - 0.3) < 3.5 * found.sigma and 0.0010 < found.sigma < 0.0030
    assert 0.001 < measured["σ_t = 120 ps"] - nominal < 0.008                       # 0.0041 at full size
    assert 0.004 < measured["σ_θ = 5 mrad"] - nominal < 0.014                       # 0.0092
    assert -0.012 < measured["3 % decays"] - nominal < -0.002                       # −0.0069


def test_data_without_labels_show_two_of_the_mistakes_and_not_the_third():
    found = quick("domain_shift")
    assert found.degrees == 18
    assert found.chi2["σ_t = 120 ps"] > 30 and found.chi2["σ_θ = 5 mrad"] > 60
    assert found.chi2["as simulated"] < 42 and found.chi2["3 % decays"] < 42        # 18 ± 6
    assert found.auc["σ_t = 120 ps"] > 0.51 and found.auc["σ_θ = 5 mrad"] > 0.52
    assert found.auc["3 % decays"] == pytest.approx(0.5, abs=0.016)
    assert found.ece["3 % decays"] > 1.5 * found.ece["as simulated"]


def test_the_card_has_all_nine_headings_filled():
    found = quick("model_card")
    card = (found.folder / "model_card.md").read_text("utf-8")
    assert card == found.card and found.demo.missed == []
    sections = card.split("\n## ")
    assert [section.splitlines()[0] for section in sections[1:]] == [
        "Model details", "Intended use", "Factors", "Metrics", "Evaluation data", "Training data",
        "Quantitative analyses", "Ethical considerations", "Caveats and recommendations"]
    assert all(len(section) > 100 for section in sections[1:]) and "?" not in card and "To be filled" not in card
    assert "mass² from time of flight [(GeV/c²)²]; dE/dx" in card and "a sample that is half kaons" in card
    assert "Above 4 GeV/c do not rely on single tracks" in card and "dE/dx resolution, the refractive index" in card
    assert "1,217" in card and f"{found.overall.accuracy:.4f} ±" in card and f"{found.bias:.4f}" in card


def test_the_factors_of_the_card_are_measured():
    found = quick("model_card")
    assert len(found.regions) == len(found.blind) == len(found.knowing) == 5
    assert found.accuracies[0] > 0.97 and found.accuracies[-1] < 0.80 and (np.diff(found.accuracies) < 0).all()
    knowing = [0.997, 0.991, 0.935, 0.866, 0.822]                                  # of 100,000 events each
    np.testing.assert_allclose(found.of_knowing, knowing, atol=0.012)               # 4 standard deviations of 20,000
    assert found.of_knowing[-1] - found.of_blind[-1] > 0.03 and found.doubtful == 4
    momentum = np.linspace(1, 6, 500_001)
    spectrum = np.exp(-momentum / Detector().momentum_slope)
    expected = [spectrum[(momentum >= a) & (momentum < a + 1)].sum() / spectrum.sum() for a in range(1, 6)]
    np.testing.assert_allclose(found.share, expected, rtol=1e-3)
    assert found.share @ found.accuracies == pytest.approx(found.overall.accuracy, abs=4 * found.overall.accuracy_error)
    assert list(found.shifts) == ["as simulated", "time resolution 120 ps", "angle resolution 5 mrad",
                                  "3 % of kaons decay"]
