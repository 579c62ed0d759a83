"""Collisions and decays: the file of simulated collisions, masses from four-vectors, pairs of muons."""

import gzip
import hashlib
import importlib.util
import re
import subprocess
import sys

import numpy as np
import pytest
from demo_helpers import DEMOS, quick, run

from tinygrad_nuc.simulation.collisions import read_collisions
from tinygrad_nuc.simulation.decays import DIMUON_COLUMNS, simulate_dimuons

FILE = DEMOS / "data" / "ep_collisions.csv.gz"
SCRIPT = DEMOS / "data" / "make_ep_collisions.py"
WITHOUT_PYTHIA = importlib.util.find_spec("pythia8mc") is None


# ---- the file that is shipped


def test_the_file_of_collisions_is_the_one_that_its_readme_describes():
    packed = FILE.read_bytes()
    readme = (DEMOS / "data" / "README.md").read_text("utf-8")
    sums = dict(line.split("  ")[::-1] for line in re.findall(r"^ {4}([0-9a-f]{64}  .*)$", readme, re.MULTILINE))
    assert hashlib.sha256(packed).hexdigest() == sums["ep_collisions.csv.gz"]
    assert hashlib.sha256(gzip.decompress(packed)).hexdigest() == sums["ep_collisions.csv (unpacked)"]
    assert packed[3] == 0 and packed[4:8] == bytes(4)               # no name in the head, and no time
    assert len(packed) < 1_000_000


def test_every_collision_conserves_energy_momentum_and_charge():
    particles = read_collisions(FILE)
    final = particles[particles.final]
    assert (len(particles), len(final)) == (25_928, 18_150)
    assert not np.isin(np.abs(particles.pdgid), 311).any()          # K⁰: each is there once, as K_S or K_L
    twins = np.unique(np.column_stack([particles.event, particles.four_vectors]), axis=0)
    assert len(twins) == len(particles)
    beams = [110, 0, 0, np.sqrt(100 ** 2 - 0.93827 ** 2) - np.sqrt(10 ** 2 - 0.000511 ** 2)]
    for name, values, total in [("charge", final.charge, 0),
                                *zip(("E", "px", "py", "pz"), final.four_vectors.T, beams, strict=True)]:
        sums = np.bincount(final.event, values, minlength=1000)
        np.testing.assert_allclose(sums, total, rtol=0, atol=1e-8, err_msg=name)


def test_every_particle_has_its_mass():
    particles = read_collisions(FILE)
    p = particles.four_vectors
    np.testing.assert_allclose(p[:, 0] ** 2 - (p[:, 1:] ** 2).sum(1), particles.mass ** 2, rtol=0, atol=2e-10)
    for pdgid, mass, charge in [(11, 0.000511, -1), (22, 0, 0), (-211, 0.13957, -1), (321, 0.49368, 1),
                                (2112, 0.93957, 0), (2212, 0.93827, 1)]:
        same = particles[particles.final & (particles.pdgid == pdgid)]
        assert len(same) > 100
        np.testing.assert_allclose(same.mass, mass, atol=5e-6)
        assert (same.charge == charge).all()
    rho = particles[np.isin(particles.pdgid, (113, 213, -213))]
    assert len(rho) > 1000 and not rho.final.any()
    assert rho.mass.std() > 0.05                                    # so short-lived that its mass is not sharp


# ---- the script that makes it


@pytest.mark.skipif(WITHOUT_PYTHIA, reason="needs Pythia, the extra pythia")
def test_the_script_makes_the_same_file_again(tmp_path):
    command = [sys.executable, str(SCRIPT), "--output", str(tmp_path / "again.csv.gz")]
    subprocess.run(command, check=True, capture_output=True)
    assert gzip.decompress((tmp_path / "again.csv.gz").read_bytes()) == gzip.decompress(FILE.read_bytes())
    subprocess.run([*command, "--seed", "2", "--events", "3"], check=True, capture_output=True)
    few = read_collisions(tmp_path / "again.csv.gz")
    assert set(few.event) == {0, 1, 2}
    assert few.four_vectors[0, 0] != pytest.approx(10.245167808827)


@pytest.mark.parametrize(("options", "message"), [
    (["--events", "0"], "error: --events must be at least 1, not 0"),
    (["--seed", "0"], "error: --seed must be a whole number from 1 to 900000000, which is Pythia's range, not 0"),
    (["--seed", "900000001"], "Pythia's range"),
    *([([], 'error: this needs Pythia, which is not installed: python -m pip install -e ".[pythia]"')]
      if WITHOUT_PYTHIA else []),
])
def test_the_script_says_in_one_line_what_is_wrong(tmp_path, options, message):
    done = subprocess.run([sys.executable, str(SCRIPT), "--output", str(tmp_path / "a.csv.gz"), *options],
                          capture_output=True, text=True, encoding="utf-8")
    assert done.returncode == 2
    assert message in done.stderr and done.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


# ---- masses from four-vectors


def test_numbers_of_32_bits_lose_the_mass_of_an_electron():
    found = quick("invariant_mass")
    assert found.errors["float32"].max() == pytest.approx(1.28e-3, abs=0.02e-3)
    assert found.errors["float32, as (E − p)(E + p)"].max() > 1e-3  # the digits are gone before the formula sees them
    assert found.errors["float64"].max() < 2e-10
    assert found.after.max() < 2e-7


def test_a_network_learns_masses_only_from_inputs_that_do_not_cancel():
    found = quick("invariant_mass")
    assert sum(p.numel() for p in found.small.parameters()) == 61
    assert found.R2["final particles, a plane"] == pytest.approx(0.25, abs=0.03)
    assert found.R2["final particles, 4-10-1"] == pytest.approx(0.25, abs=0.03)
    assert found.R2["final particles, 4-100-1"] == pytest.approx(0.25, abs=0.05)
    assert found.R2["final particles, 5-10-1 with the charge"] == pytest.approx(0.33, abs=0.03)
    assert found.R2["hadrons, 4-10-1 of E, px, py, pz"] < 0.3
    assert found.R2["hadrons below 1 GeV, 4-10-1, 1,000 steps"] > 0.9      # where nothing cancels, it does
    assert found.R2["hadrons, a plane of log(E − p), log(E + p)"] == pytest.approx(0.924, abs=0.01)
    assert found.R2["hadrons, 2-10-1 of log(E − p), log(E + p)"] > 0.991
    np.testing.assert_allclose(found.half, 0.5, atol=1e-6)          # log m = (log(E − p) + log(E + p)) / 2
    assert len(found.hadrons) == 16_914 and len(found.slow) == 3_547
    assert not set(found.of.event[found.train]) & set(found.of.event[found.test])       # whole collisions are held back


# ---- pairs of muons


def test_networks_learn_mass_and_transverse_momentum_of_a_pair():
    found = quick("dimuons")
    np.testing.assert_allclose(found.invariant_mass(found.pair), found.M, atol=1e-10)
    np.testing.assert_allclose(found.y[found.train].numpy().mean(0), 0, atol=1e-5)
    np.testing.assert_allclose(found.y[found.train].numpy().std(0), 1, atol=1e-4)
    assert not set(found.train) & set(found.test)
    assert len(found.train) == 8138 and len(found.test) == 2713
    assert found.predictions["64-64 ReLUs, M and pT"].shape == (2713, 2)
    assert found.R2["100 sigmoids, M"][0] > 0.5                     # of few epochs
    assert found.R2["64-64 ReLUs, M"][0] == pytest.approx(0.93, abs=0.05)
    assert found.R2["64-64 ReLUs, M and pT"] == pytest.approx([0.93, 0.99], abs=0.06)
    assert found.R2["100 sigmoids, M, small learning rate"][0] < 0.3 < found.R2["100 sigmoids, M"][0]
    assert found.half_width(np.linspace(71, 111, 4001)) == pytest.approx(6.8, abs=0.01)         # of 20 GeV, 68 % halved
    assert found.widths[0] == pytest.approx(2.32, abs=0.01) and found.widths[1] > 1.1 * found.widths[0]


def test_measured_pairs_are_read_from_a_file_and_their_masses_checked(tmp_path):
    four_vectors, mass = simulate_dimuons(400, seed=3)
    names = [*DIMUON_COLUMNS[::-1], "M"]                            # in any order
    table = np.column_stack([four_vectors[:, ::-1], mass + 0.005])  # as rounded as the measured ones
    np.savetxt(tmp_path / "pairs.csv", table, delimiter=",", header=",".join(names), comments="")
    printed = run("dimuons", "--data", str(tmp_path / "pairs.csv"), "--epochs", "1").printed
    assert "400 measured pairs" in printed
    assert "largest deviation of the formula from the file's masses: 0.005 GeV" in printed
    table[7, -1] += 0.02
    np.savetxt(tmp_path / "pairs.csv", table, delimiter=",", header=",".join(names), comments="")
    with pytest.raises(ValueError, match=r"pairs\.csv: M must be the mass of the two muons, .* off by up to 0\.025"):
        run("dimuons", "--data", str(tmp_path / "pairs.csv"), "--epochs", "1")


def test_a_table_without_muons_is_refused():
    with pytest.raises(ValueError, match='no column "E1"'):
        run("dimuons", "--data", str(FILE))
    with pytest.raises(ValueError, match="--epochs must be at least 1, not 0"):
        run("dimuons", "--epochs", "0")
