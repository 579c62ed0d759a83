"""Reading simulated collisions."""

import numpy as np
import pytest

from tinygrad_nuc.simulation.collisions import Particles, read_collisions

HEADER = "event,pdgid,status,q,E,px,py,pz,m\n"
GOOD = "0,11,1,-1,5,0,3,-4,0.000511\n1,113,0,0,1.5,0,0,0.5,1.4142\n"


@pytest.fixture
def write(tmp_path):
    def write(text):
        path = tmp_path / "collisions.csv"
        path.write_text(text)
        return path
    return write


def test_each_column_finds_its_place(write):
    particles = read_collisions(write(HEADER + GOOD))
    assert len(particles) == 2
    for name, values, dtype in [("event", [0, 1], np.int64), ("pdgid", [11, 113], np.int64),
                                ("final", [True, False], np.bool_), ("charge", [-1, 0], np.int64),
                                ("mass", [0.000511, 1.4142], np.float64)]:
        array = getattr(particles, name)
        assert array.tolist() == values and array.dtype == dtype
    assert particles.four_vectors.tolist() == [[5, 0, 3, -4], [1.5, 0, 0, 0.5]]
    assert particles.hadron.tolist() == [False, True]


def test_columns_are_found_by_name(write):
    particles = read_collisions(write("x,m,pz,py,px,E,q,status,pdgid,event\n9,0.14,3,2,1,4,-1,1,-211,7\n"))
    assert particles.event.tolist() == [7] and particles.four_vectors.tolist() == [[4, 1, 2, 3]]


def test_leptons_and_photons_are_no_hadrons():
    pdgid = np.array([11, -13, 16, 22, -2, 111, -211, 2212])        # an antiquark is none, either
    nothing = np.zeros(8)
    particles = Particles(nothing, pdgid, nothing > 0, nothing, np.zeros((8, 4)), nothing)
    assert particles.hadron.tolist() == [False, False, False, False, False, True, True, True]


def test_some_of_the_particles(write):
    particles = read_collisions(write(HEADER + GOOD))
    for chosen in (particles.final, slice(1), np.array([0])):
        some = particles[chosen]
        assert (some.event.tolist(), some.pdgid.tolist(), some.final.tolist(), some.charge.tolist()) == (
            [0], [11], [True], [-1])
        assert some.four_vectors.tolist() == [[5, 0, 3, -4]] and some.mass.tolist() == [0.000511]


@pytest.mark.parametrize(("text", "message"), [
    (HEADER.replace("pz,", "") + "0,11,1,-1,5,0,3,0.1\n", 'no column "pz"'),
    (HEADER + GOOD + "1.5,11,1,-1,5,0,3,-4,0\n", 'row 3: "event" must be a whole number, not 1.5'),
    (HEADER + "0,11.2,1,-1,5,0,3,-4,0\n", 'row 1: "pdgid" must be a whole number, not 11.2'),
    (HEADER + "0,1,1,-0.333,5,0,3,-4,0\n", 'row 1: "q" must be a whole number, not -0.333'),
    (HEADER + "0,11,2,-1,5,0,3,-4,0\n", 'row 1: "status" must be 1 for a final particle, or 0, not 2'),
    (HEADER + "0,11,1,-1,-5,0,3,-4,0\n", 'row 1: "E" must be at least 0, not -5'),
    (HEADER + "0,11,1,-1,5,0,3,-4,-1\n", 'row 1: "m" must be at least 0, not -1'),
    (HEADER + "-3,11,1,-1,5,0,3,-4,0\n", 'row 1: "event" must be at least 0, not -3'),
    (HEADER + "1e30,11,1,-1,5,0,3,-4,0\n", 'row 1: "event" must be below 1e15 in size, not 1e+30'),
    (HEADER + "0,-1e300,1,-1,5,0,3,-4,0\n", 'row 1: "pdgid" must be below 1e15 in size, not -1e+300'),
    (HEADER + "0,11,1,-1,5,0,,-4,1\n", "py"),
])
def test_a_table_that_cannot_be_right_is_refused_in_one_line(write, text, message):
    path = write(text)
    with pytest.raises(ValueError) as error:
        read_collisions(path)
    assert str(error.value).startswith(str(path)) and message in str(error.value)
    assert "\n" not in str(error.value)


def test_paths(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_collisions(tmp_path / "nothing.csv")
    with pytest.raises(TypeError, match="read_collisions: the path must be a text"):
        read_collisions(3)
