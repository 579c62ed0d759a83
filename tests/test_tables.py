"""Which column is the label, which rows are valid, which class is the signal."""

import os

import numpy as np
import pytest
from table_helpers import refused

from tinygrad_nuc.utils.tables import read_features, read_table

# ---- the label column


def test_the_label_by_name_or_number(write):
    for label in ("kind", 1, "1", -2, "-2"):
        table = read_table(write("a,kind,b\n1,0,2\n3,1,4\n"), label=label)
        assert table.names == ["a", "b"]
        assert table.features.tolist() == [[1, 2], [3, 4]]
        assert table.labels.tolist() == [0, 1]
    for label in (0, "0", "-3"):
        assert read_table(write("0,1,2\n1,3,4\n"), label=label).names == ["variable 1", "variable 2"]


def test_a_name_comes_before_a_number(tmp_path):
    np.savez(tmp_path / "a.npz", **{"1": [0, 1], "x": [5, 6]})
    assert read_table(tmp_path / "a.npz", label="1").names == ["x"]
    assert read_table(tmp_path / "a.npz", label="0").names == ["x"]


def test_a_label_that_is_not_there(write):
    path = write("pt,signal\n1,0\n2,1\n")
    refused(path, 'no column "singal"; did you mean "signal"? the columns are "pt", "signal"', label="singal")
    refused(path, "no column 5: numbers go from 0 to 1", label="5")
    refused(path, "no column -3", label=-3)
    refused(write("1,0\n2,1\n"), 'no column "class": without a header give its number', label="class")


# ---- classes


@pytest.mark.parametrize(
    ("background", "signal_cell", "signal"),
    [
        ("h", "g", "g"),
        ("-1", "1", "1"),
        ("-1", "1", 1),
        ("-1", "1.0", "1"),
        ("-1", "1", "1.0"),
        ("11", "13", 13.0),
        ("e", "13", 13),
        ("False", "True", None),
        ("false", "TRUE", 1),
        ("0", "1", None),
        ("0.0", "1.0", None),
        ("1", "0", "0"),
        ("π", "K", " K "),
    ],
)
def test_the_signal(write, background, signal_cell, signal):
    table = read_table(write(f"x,c\n1,{signal_cell}\n2,{background}\n3, {signal_cell}\n"), signal=signal)
    assert table.labels.tolist() == [1, 0, 1]
    assert table.classes == (background.removesuffix(".0"), signal_cell.removesuffix(".0"))


def test_different_spellings_of_a_number_are_one_class(tmp_path):
    path = tmp_path / "a.json"
    path.write_text('{"x": [1, 2, 3, 4], "c": ["1.0", 1, "1", "p"]}')
    table = read_table(path, signal="1")
    assert table.labels.tolist() == [1, 1, 1, 0]
    assert table.classes == ("p", "1")


def test_classes_that_do_not_fit(write):
    two = "x,c\n1,g\n2,h\n"
    refused(write(two), 'the classes in column "c" are "g", "h"', 'signal="g" or signal="h" (--signal)')
    refused(write(two), 'no class "G" in column "c"; the classes are "g", "h"', signal="G")
    refused(write("1,-1\n2,1\n"), 'the classes in column 2 are "-1", "1"')
    refused(write("x,c\n1,g\n2,g\n"), 'only one class, "g"', signal="g")
    refused(write("x,c\n1,1\n2,1\n"), 'only one class, "1"')
    many = "x,c\n" + "".join(f"{i},{i % 7}\n" for i in range(20))
    refused(write(many), '7 classes ("0", "1", "2", "3", ...)')


# ---- invalid rows


@pytest.mark.parametrize("cell", ["", " ", "nan", "NaN", "inf", "-inf", "1e999"])
def test_invalid_rows_are_counted_and_dropped_on_request(write, cell):
    path = write(f"a,b,label\n1,2,0\n3,{cell},1\n5,6,1\n{cell},{cell},0\n")
    refused(path, "2 rows have an empty, NaN or infinite cell, first line 3, column", "drop_invalid=True")
    refused(path, 'column "b"')
    table = read_table(path, drop_invalid=True)
    assert table.features.tolist() == [[1, 2], [5, 6]]
    assert table.labels.tolist() == [0, 1]
    assert table.dropped == 2
    refused(write(f"a,label\n{cell},0\n{cell},1\n"), "no valid row is left", drop_invalid=True)


def test_a_row_without_label_is_invalid(write):
    path = write("a,label\n1,g\n2,\n3,h\n4,nan\n")
    refused(path, "2 rows have an empty", "line 3", 'column "label"', signal="g")
    table = read_table(path, signal="g", drop_invalid=True)
    assert table.features.tolist() == [[1], [3]]
    assert (table.labels.tolist(), table.classes, table.dropped) == ([1, 0], ("h", "g"), 2)


def test_classes_are_those_of_the_valid_rows(write):
    path = write("a,label\n1,0\n,1\n3,0\n")
    refused(path, 'only one class, "0"', drop_invalid=True)


# ---- tables without labels


def test_features_are_chosen_by_name(write):
    path = write("run,eta,comment,pt\n1,0.1,good,1.5\n2,0.2,bad,2.5\n")
    table = read_features(path, names=["pt", "eta"])
    assert table.features.tolist() == [[1.5, 0.1], [2.5, 0.2]]
    assert table.names == ["pt", "eta"]
    assert table.rows.tolist() == [0, 1]
    refused(path, 'no column "Eta"; did you mean "eta"? the columns are', names=["Eta"], read=read_features)


def test_features_are_chosen_by_count_without_header(write):
    path = write("1,2,3\n4,5,6\n")
    for names in (["pt", "eta"], ["variable 1", "variable 2"], 2):
        assert read_features(path, names).features.tolist() == [[1, 2], [4, 5]], "the last is the label"
        assert read_features(path, names, label="class").features.tolist() == [[1, 2], [4, 5]]
        assert read_features(path, names, label=0).features.tolist() == [[2, 3], [5, 6]]
    assert read_features(path, ["pt", "eta"]).names == ["pt", "eta"]
    assert read_features(path, ["a", "b", "c"]).features.tolist() == [[1, 2, 3], [4, 5, 6]]
    assert read_features(path).names == ["variable 1", "variable 2", "variable 3"]
    assert read_features(path, label=-1).features.tolist() == [[1, 2], [4, 5]]
    for names in (1, 4, ["a"]):
        refused(path, "has 3 columns, expected", "with the label)", names=names, read=read_features)


def test_a_label_of_text_is_left_aside(write):
    assert read_features(write("1,2,g\n4,5,h\n"), 2).features.tolist() == [[1, 2], [4, 5]]
    path = write("a,b,class\n1,2,g\n4,5,h\n")
    assert read_features(path, ["a", "b"]).features.tolist() == [[1, 2], [4, 5]]
    assert read_features(path, ["variable 1", "variable 2"]).features.tolist() == [[1, 2], [4, 5]]
    assert read_features(path, label="class").names == ["a", "b"]


def test_labels_beside_a_matrix_are_left_aside(tmp_path):
    np.savez(tmp_path / "a.npz", X=np.ones((4, 2)), y=np.zeros(4))
    assert read_features(tmp_path / "a.npz", ["pt", "eta"]).features.shape == (4, 2)


def test_rows_tell_which_events_are_left(write):
    path = write("a\n1\nnan\n3\n")
    refused(path, "1 row has an empty, NaN or infinite cell, first line 3", read=read_features)
    table = read_features(path, ["a"], drop_invalid=True)
    assert (table.rows.tolist(), table.dropped, table.features.tolist()) == ([0, 2], 1, [[1], [3]])


@pytest.mark.parametrize("read", [read_table, read_features])
def test_only_a_path_is_a_path(read, write):
    for wrong in (1, True, None):
        with pytest.raises(TypeError, match=rf"{read.__name__}: the path must be a text or a pathlib.Path, not a {type(wrong).__name__}"):
            read(wrong)
    assert read(os.fsencode(write("a,b\n1,0\n2,1\n"))).features[:, 0].tolist() == [1, 2]
