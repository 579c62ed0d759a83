"""The options for a table of one's own. What the files may hold: tests/test_tables.py."""

import argparse

import numpy as np
import pytest

from tinygrad_nuc.utils.table_options import given_sample, table_options


def options(*argv):
    parser = argparse.ArgumentParser()
    table_options(parser.add_argument)
    return parser.parse_args([*map(str, argv)])


@pytest.fixture
def table(tmp_path):
    """A function that writes a table: 50 events of g and 30 of h, with a change to its lines."""
    def write(name, change=lambda lines: lines):
        lines = ["length,width,kind"] + [f"{i},{2 * i},{'g' if i < 50 else 'h'}" for i in range(80)]
        path = tmp_path / name
        path.write_text("\n".join(change(lines)) + "\n")
        return path
    return write


def test_a_table_becomes_a_sample(table):
    path = table("a.csv")
    sample = given_sample(options("--data", path, "--signal", "g"))
    assert sample.x.shape == (80, 2) and sample.variables == ["length", "width"] and sample.classes == ("h", "g")
    assert sample.y.tolist() == [1] * 50 + [0] * 30 and sample.unlabelled is None and sample.dropped == 0
    assert str(sample) == "80 labelled events (30 h, 50 g), 2 variables"


def test_events_without_labels_come_with_it(table, tmp_path):
    (tmp_path / "new.csv").write_text("width,length\n4.0,2.0\n6.0,\n")
    sample = given_sample(options("--data", table("a.csv"), "--signal", "g", "--apply", tmp_path / "new.csv",
                                  "--drop-invalid"))
    np.testing.assert_array_equal(sample.unlabelled, [[2.0, 4.0]])                  # in the order of the first table
    assert str(sample).endswith("2 variables; 1 without labels; rows with invalid cells dropped: 1")


def test_without_data_there_is_no_sample_and_nothing_to_say_about_it():
    assert given_sample(options()) is None
    for given, name in ((["--label", "kind"], "--label"), (["--signal", "g"], "--signal"),
                        (["--apply", "new.csv"], "--apply"), (["--drop-invalid"], "--drop-invalid")):
        with pytest.raises(ValueError, match=f"^{name} needs --data"):
            given_sample(options(*given))


def test_what_a_network_cannot_use_is_refused(table):
    few = table("few.csv", lambda lines: lines[:-11])                               # 19 of h
    with pytest.raises(ValueError, match=r"few\.csv: needs at least 20 events of each class"):
        given_sample(options("--data", few, "--signal", "g"))
    huge = table("huge.csv", lambda lines: [*lines[:5], "4,1e31,g", *lines[6:]])
    for given in (["--data", huge], ["--data", table("a.csv"), "--apply", huge]):
        with pytest.raises(ValueError, match=r"huge\.csv: width has values up to 1e\+31, too large for float32"):
            given_sample(options(*given, "--signal", "g"))
