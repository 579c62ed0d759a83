"""Every format that a table can come in, whole and broken."""

import csv
import gzip
import io
import json
import re
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from table_helpers import CSV, ETA, LABEL, PT, assert_is_the_table, refused

from tinygrad_nuc.utils import table_formats
from tinygrad_nuc.utils.tables import read_features, read_table

# ---- separated text


@pytest.mark.parametrize(
    "text",
    [
        CSV,
        CSV.replace(",", ";"),
        CSV.replace(",", "\t"),
        CSV.replace(",", ", "),
        CSV.replace(",", ",\t"),
        CSV.replace(",", "   ").replace("\n", "  \n  "),
        CSV.replace("\n", "\r\n"),
        CSV.replace("\n", "\r"),
        CSV.rstrip(),
        "\ufeff" + CSV,
        "# made by hand\n\n" + CSV.replace("\n2.5", "\n\n  # next, run\n2.5"),
        '"pt","eta","label"\n"1.5",0.1,1\n2.5,2e-3,"0"\n-3,4,1.0',
    ],
)
def test_separated_text(write, text):
    assert_is_the_table(read_table(write(text)))
    assert_is_the_table(read_table(write(gzip.compress(text.encode()), "table.csv.gz")))
    without_header = re.sub(r"[^\r\n]*label[^\r\n]*[\r\n]+", "", text)
    assert_is_the_table(read_table(write(without_header, "t.data")), ["variable 1", "variable 2"])


def test_the_format_is_told_by_the_content(write):
    assert_is_the_table(read_table(write(CSV, "table")))
    assert_is_the_table(read_table(write(gzip.compress(CSV.encode()), "table.csv")))
    assert_is_the_table(read_table(write(json.dumps({"pt": PT, "eta": ETA, "label": LABEL}), "table")))
    assert read_table(write("[x],y\n1,0\n2,1\n")).names == ["[x]"], "not JSON"


def test_the_header_of_a_column_with_a_wrong_first_cell_is_still_a_header(write):
    refused(write("pt,label\nbad,1\n2,0\n3,1\n4,0\n"), 'line 2, column "pt": "bad" is not a number')


def test_a_row_of_names_and_numbers_is_neither_taken_for_a_header_nor_lost(write):
    refused(write("1,oops,g\n2,3,h\n4,5,h\n"), 'line 1, column 2: "oops" is not a number', "neither a header")


def test_a_wrong_cell_is_named_with_its_line(write):
    text = "# comment\n\npt,eta,label\n1,2,0\n# again\n3,12 GeV,1\n"
    refused(write(text), 'line 6, column "eta": "12 GeV" is not a number')
    refused(write("1,2,0\n3,1.2.3,1\n5,6,0\n"), 'line 2, column 2: "1.2.3" is not a number')
    refused(write("1,2,0\n3," + "x" * 99 + ",1\n5,6,0\n"), '"' + "x" * 37 + '..."')


def test_lines_are_right_beyond_the_first_block(write, monkeypatch):
    monkeypatch.setattr(table_formats, "BLOCK_ROWS", 50)
    rows = [f"{i},{i % 2}" for i in range(1000)]
    assert read_table(write("pt,label\n" + "\n".join(rows))).features[:, 0].tolist() == list(range(1000))
    rows[876] = "x,0"
    refused(write("pt,label\n" + "\n".join(rows)), 'line 878, column "pt": "x" is not a number')
    rows[876] = "876"
    refused(write("pt,label\n" + "\n".join(rows)), "line 878 has 1 cells, but line 1 has 2")


def test_labels_of_text_and_number_mix_across_blocks(write, monkeypatch):
    monkeypatch.setattr(table_formats, "BLOCK_ROWS", 3)
    table = read_table(write("1,0\n" * 4 + "1,g\n" * 4), signal="g")
    assert table.labels.tolist() == [0] * 4 + [1] * 4
    assert table.classes == ("0", "g")


def test_text_that_is_no_table(write):
    refused(write("pt,label\n1,0\n1,2,3\n"), "line 3 has 3 cells, but line 1 has 2")
    refused(write("pt,label\n1,0\n,\n"), "1 row has an empty")
    refused(write('pt,label\n"1,0\n2,1\n'), "line 3: unexpected end of data")
    refused(write("pt,,label\n1,2,0\n3,4,1\n"), "line 1: column 2 has no name in the header")
    refused(write("pt,eta,pt,label\n1,2,3,0\n"), 'the column name "pt" occurs more than once')
    for empty in ("", "\n\n", "# only a comment\n", "pt,eta,label\n"):
        refused(write(empty), "the table is empty, it has no rows")
    refused(write("label\n0\n1\n"), "has only one column, the label, and no features")


def test_bytes_that_are_not_utf8(write):
    refused(write("pt,label\n1,0\n2,é\n".encode("latin-1")), "line 3: byte 0xe9 is not UTF-8")
    refused(write(CSV.encode("utf-16")), "unknown format", "CSV")
    refused(write(b'[{"x": 1},\n{"x": "\xe9"}]', "a.json"), "line 2: byte 0xe9 is not UTF-8")
    assert read_table(write("η,label\n1,0\n2,1\n")).names == ["η"]


def test_files_that_cannot_be_read(write, tmp_path):
    refused(tmp_path / "missing.csv", "No such file", error=FileNotFoundError)
    refused(tmp_path, "irectory", error=OSError)
    refused(write(b"\x89HDF\r\n\x1a\n\0\0\0", "a.h5"), "unknown format (known: CSV")
    packed = gzip.compress(("pt,label\n" + "1,0\n" * 9999).encode())
    refused(write(packed[:-20], "a.csv.gz"), "the compressed file is damaged or cut off")
    refused(write(packed[:-6] + b"abcdef", "a.csv.gz"), "the compressed file is damaged or cut off")


def test_a_file_without_permission(write, monkeypatch):
    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    path = write(CSV)
    monkeypatch.setattr("builtins.open", refuse)
    refused(path, "Permission denied", error=PermissionError)


@settings(derandomize=True, deadline=None, max_examples=60)
@given(
    rows=st.lists(
        st.tuples(
            st.floats(allow_nan=False, allow_infinity=False), st.integers(-(2**53), 2**53), st.booleans()
        ),
        min_size=1,
        max_size=60,
    ),
    names=st.lists(st.text(st.characters(categories=["L"]), min_size=1), min_size=2, max_size=2, unique=True),
    separator=st.sampled_from(",;\t "),
    with_header=st.booleans(),
)
def test_what_the_csv_module_writes_is_read_back(tmp_path_factory, rows, names, separator, with_header):
    names = [f"x{name}" for name in names]  # "nan" and "inf" are numbers
    rows = [(1.0, 2, True), *rows, (1.0, 2, False)]
    text = io.StringIO()
    writer = csv.writer(text, delimiter=separator)
    writer.writerows([[*names, "label"]] * with_header + rows)
    path = tmp_path_factory.mktemp("csv") / "table.csv"
    path.write_text(text.getvalue(), encoding="utf-8", newline="")
    table = read_table(path)
    np.testing.assert_array_equal(table.features, [row[:2] for row in rows])
    assert table.labels.tolist() == [row[2] for row in rows]
    assert table.names == (names if with_header else ["variable 1", "variable 2"])


# ---- JSON


RECORDS = [{"pt": pt, "eta": eta, "label": label} for pt, eta, label in zip(PT, ETA, LABEL)]


def test_json(write):
    assert_is_the_table(read_table(write(json.dumps(RECORDS), "a.json")))
    assert_is_the_table(read_table(write(json.dumps(RECORDS, indent=1), "a.json")))
    assert_is_the_table(read_table(write(json.dumps({"pt": PT, "eta": ETA, "label": LABEL}), "a.json")))
    lines = "\n".join(map(json.dumps, RECORDS)) + "\n\n"
    assert_is_the_table(read_table(write(lines, "a.jsonl")))
    assert_is_the_table(read_table(write(gzip.compress(lines.encode()), "a.json.gz")))
    assert read_features(write('{"pt": 1, "eta": true}', "a.jsonl")).features.tolist() == [[1, 1]]


def test_json_that_is_no_table(write):
    def json_refused(content, *fragments):
        text = content if isinstance(content, str) else json.dumps(content)
        refused(write(text, "a.json"), *fragments)

    json_refused(json.dumps(RECORDS, indent=1)[:-5], "not valid JSON", "line 15 column")
    json_refused('{"x": 1, "label": 0}\n\n{"x": 2, "lab', "line 3: not valid JSON")
    json_refused('{"x": 1, "label": 0}\n{"x": 1}', 'line 2 lacks the key "label"')
    json_refused([{"x": 1, "label": 0}, {"x": 1}], 'row 2 lacks the key "label"')
    json_refused([{"x": 1, "label": 0}, {"x": 1, "label": 0, "y": 3}], 'row 2 alone has a key "y"')
    json_refused('[{"x": 1, "x": 2}]', 'the key "x" occurs more than once')
    json_refused({"x": [1, 2], "label": [0]}, 'column "x" has 2 rows, column "label" has 1')
    json_refused([[1, 2], [3, 4]], "expected records")
    json_refused("3", "expected records")
    json_refused("[" * 100_000, "nested too deeply")
    json_refused("[]", "the table is empty")
    json_refused({"x": [], "label": []}, "the table is empty")
    json_refused([{"x": 1, "label": 0}, {"x": "far", "label": 1}], 'row 2, column "x": "far" is not a number')
    json_refused([{"x": [1], "label": 0}], 'row 1, column "x": holds a list of values')
    json_refused([{"x": 1, "label": [0]}], 'column "label", the label, holds lists')
    json_refused([{"x": 1, "label": 0}, {"x": None, "label": 1}], "1 row has an empty", 'row 2, column "x"')
    json_refused('[{"x": 1, "label": 0}, {"x": NaN, "label": 1}]', "1 row has an empty", "row 2")
    json_refused([{"x": 10**400, "label": 0}], "row 1", "is not a number")


# ---- NumPy


def test_npy(tmp_path):
    np.save(tmp_path / "a.npy", np.column_stack([PT, ETA, LABEL]))
    assert_is_the_table(read_table(tmp_path / "a.npy"), ["variable 1", "variable 2"])
    fields = [("pt", "f8"), ("eta", "S6"), ("label", "?")]
    np.save(tmp_path / "b.npy", np.array(list(zip(PT, ETA, LABEL)), dtype=fields))
    table = read_table(tmp_path / "b.npy")
    assert table.classes == ("False", "True")
    assert table.features[:, 1].tolist() == ETA
    assert table.labels.tolist() == LABEL


def test_npz(tmp_path):
    path = tmp_path / "a.npz"
    np.savez(path, pt=PT, eta=ETA, label=LABEL)
    assert_is_the_table(read_table(path))
    np.savez_compressed(path, np.column_stack([PT, ETA, LABEL]))
    assert_is_the_table(read_table(path), ["variable 1", "variable 2"])
    np.savez(path, y=LABEL, X=np.column_stack([PT, ETA]))
    assert_is_the_table(read_table(path), ["variable 1", "variable 2"])
    assert_is_the_table(read_table(path, label="y"), ["variable 1", "variable 2"])


def test_arrays_that_are_no_table(tmp_path, write):
    path = tmp_path / "a.npz"
    for arrays, message in [
        ({"X": np.ones((3, 2)), "y": np.ones(3), "w": np.ones(3)}, "holds X (3, 2), y (3,), w (3,)"),
        ({"X": np.ones((3, 2)), "y": [0, 1]}, 'column 1 has 3 rows, column "y" has 2'),
        ({"X": np.ones((3, 2, 2))}, "expected 1-D columns"),
        ({"x": np.array([[], {}], dtype=object)}, "Object arrays cannot be loaded"),
        ({}, "the table is empty"),
    ]:
        np.savez(path, **arrays)
        refused(path, message)
    np.savez(path, x=PT, label=LABEL)
    refused(write(path.read_bytes()[:-30], "cut.npz"), "cannot be read as an .npz file")
    refused(write(CSV, "text.npz"), "does not begin like a .npz file")

    path = tmp_path / "a.npy"
    for array, message in [
        (np.ones(3), "an array of shape (3,), expected (rows, columns)"),
        (np.ones((0, 3)), "the table is empty"),
        (np.array([[1j, 0]]), 'row 1, column 1: "1j" is not a number'),
        (np.array([({}, 1)], dtype=object), "Object arrays cannot be loaded"),
        (np.zeros(2, dtype=[("p4", "f8", 4), ("label", "i4")]), 'row 1, column "p4": holds a list of values'),
    ]:
        np.save(path, array)
        refused(path, message)
    np.save(path, np.ones((9, 3)))
    refused(write(path.read_bytes()[:-30], "cut.npy"), "cannot be read as an .npy file")


# ---- ROOT


@pytest.mark.parametrize("kind", ["mktree", "mkrntuple"])
def test_root(tmp_path, kind):
    uproot = pytest.importorskip("uproot")
    path = tmp_path / "a.root"
    data = {"eta": np.array(ETA), "label": np.array(LABEL), "pt": np.array(PT)}
    with uproot.recreate(path) as file:
        file["histogram"] = np.histogram(PT)
        make = getattr(file, kind, None) or pytest.skip(f"this uproot has no {kind}")
        make("events", {name: column.dtype for name, column in data.items()}).extend(data)
    table = read_table(path, label="label")
    np.testing.assert_array_equal(table.features, np.column_stack([ETA, PT]))
    assert table.labels.tolist() == LABEL
    assert read_features(path, names=["pt", "eta"]).features.tolist() == np.column_stack([PT, ETA]).tolist()


def test_root_that_is_no_table(tmp_path, write):
    uproot = pytest.importorskip("uproot")
    awkward = pytest.importorskip("awkward")
    path = tmp_path / "a.root"
    with uproot.recreate(path) as file:
        # one jet in each event: still a list, and not to be taken for a number
        file.mktree("t", {"x": "f8", "jets": "var * float64"}).extend(
            {"x": np.array([0.0, 1.0]), "jets": awkward.Array([[1.5], [2.5]])}
        )
    refused(path, 'row 1, column "jets": holds a list of values', label="x")
    assert read_features(path, names=["x"]).features.tolist() == [[0], [1]], "it is in nobody's way"
    refused(write(path.read_bytes()[:400], "cut.root"), "cannot be read as a ROOT file")
    with uproot.recreate(path) as file:
        file["histogram"] = np.histogram(PT)
    refused(path, "holds no TTree or RNTuple")


def test_root_without_uproot(write, monkeypatch):
    monkeypatch.setitem(sys.modules, "uproot", None)
    refused(write(b"root\0\0\xf3\xc0", "a.root"), 'pip install "tinygrad_nuc[files]"')
