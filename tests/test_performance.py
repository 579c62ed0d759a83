"""A classifier's performance: against scikit-learn, by hand, and refusals."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix, roc_auc_score

from tinygrad_nuc.analysis import Performance, abundance_table, all_abundances, area_under_roc, performance_table
from tinygrad_nuc.analysis.abundance import Abundance

Y = [0, 0, 0, 1, 1]
RESPONSE = [0.1, 0.5, 0.2, 0.5, 0.9]


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 1)), min_size=2, max_size=40))
def test_everything_is_as_scikit_learn_has_it_also_with_equal_responses(events):
    response, y = np.array(events).T
    if len(set(y)) < 2:
        return
    found = Performance(response, y, threshold=3)
    assert found.auc == area_under_roc(response, y) == pytest.approx(roc_auc_score(y, response), abs=1e-12)
    np.testing.assert_array_equal(found.matrix, confusion_matrix(y, response >= 3, labels=[0, 1]))
    assert found.accuracy == pytest.approx(np.mean((response >= 3) == y))


def test_by_hand():
    found = Performance(RESPONSE, Y)
    assert found.matrix.tolist() == [[2, 1], [0, 2]]                    # a response at the threshold counts as 1
    assert (found.tpr, found.fpr) == (1.0, pytest.approx(1 / 3))
    assert found.accuracy == 0.8 and found.right.tolist() == [True, False, True, True, True]
    assert found.accuracy_error == pytest.approx(np.sqrt(0.8 * 0.2 / 5))
    assert found.auc == pytest.approx(5.5 / 6)                          # one of six pairs is equal
    assert repr(found) == "Performance(accuracy=0.8000 ± 0.1789, AUC=0.9167)"


def test_the_naive_count_is_right_at_the_accidental_fraction():
    found = Performance([0, 0, 1, 1, 1, 0, 1, 1, 1, 1], [0] * 5 + [1] * 5)
    f = found.accidental_fraction
    assert f == pytest.approx(0.6 / 0.8)
    assert f * found.tpr + (1 - f) * found.fpr == pytest.approx(f)
    assert np.isnan(Performance([0, 1], [0, 1]).accidental_fraction)    # no mistakes: right at every fraction


def test_the_difference_of_two_classifiers_counts_where_they_differ():
    rng = np.random.default_rng(1)
    y = rng.integers(0, 2, 10_000)
    a, b = (Performance(y + rng.normal(0, 0.5, len(y)), y) for _ in range(2))
    difference, error = a.better_than(b)
    assert difference == pytest.approx(a.accuracy - b.accuracy)
    assert error == pytest.approx(np.std(a.right.astype(int) - b.right.astype(int)) / 100, rel=0.01)
    assert a.better_than(a) == (0.0, 0.0)
    with pytest.raises(ValueError, match="better_than: the two are not of the same events"):
        a.better_than(Performance(1 - y, 1 - y))


def test_abundances_are_calibrated_on_the_labelled_events():
    rng = np.random.default_rng(2)
    y = rng.integers(0, 2, 5000)
    response, unlabelled = rng.normal(2 * y, 1), rng.normal(2 * (rng.random(5000) < 0.3), 1)
    found = Performance(response, y, threshold=1).abundances(unlabelled)
    assert found == all_abundances(response[y == 0], response[y == 1], unlabelled, 1)
    assert abs(found["adjusted count"].pull(0.3)) < 3 and found["naive count"].pull(0.3) > 3


def test_the_table_names_the_classes():
    lines = performance_table({"tree": Performance(RESPONSE, Y)}, ("hadron", "gamma")).splitlines()
    assert lines[0].split("  ")[-1] == "gamma as gamma" and "hadron as gamma" in lines[0]
    assert lines[1].split() == ["tree", "0.8000", "1.0000", "0.3333", "0.9167", "2", "1", "0", "2"]
    assert lines[2].startswith("TPR: share of class gamma called gamma. FPR: share of class hadron called gamma.")


def test_a_fraction_that_cannot_be_is_pointed_out():
    possible = {"naive count": Abundance(0.2, 0.1), "adjusted count": Abundance(0.0, 0.1), "template fit": None}
    assert "outside" not in abundance_table({"network": possible})
    impossible = possible | {"adjusted count": Abundance(-0.1, 0.1)}
    text = abundance_table({"network": possible, "tree": impossible})
    assert "A fraction outside [0, 1]" in text
    assert text.splitlines()[2].split("  ")[-1].strip() == "–" and "-0.1000 ± 0.1000" in text.splitlines()[2]


@pytest.mark.parametrize(("unlabelled", "message"), [
    (0.5, r"unlabelled must be one finite number for each event, shape \(n,\), not shape \(\)"),
    ([], r"not shape \(0,\)"),
    ([[0.5, 0.2]], r"not shape \(1, 2\)"),
    ([0.5, float("nan")], "not NaN or infinite"),
    (["high"], r"unlabelled must be numbers, not \['high'\]"),
])
def test_samples_that_are_none_are_refused(unlabelled, message):
    with pytest.raises(ValueError, match="all_abundances: .*" + message):
        Performance(RESPONSE, Y).abundances(unlabelled)


def test_lists_will_do_as_well_as_arrays():
    lists = [0.1, 0.2, 0.6] * 20, [0.5, 0.9, 0.3] * 20, [0.1, 0.9, 0.8] * 20
    assert all_abundances(*lists) == all_abundances(*map(np.array, lists))


@pytest.mark.parametrize(("response", "y", "message"), [
    ([0.1, 0.2], [0], r"shapes \(n,\), not \(2,\) and \(1,\)"),
    ([[0.1], [0.2]], [[0], [1]], "one entry for each event"),
    ([], [], "one entry for each event"),
    ([0.1, float("nan")], [0, 1], "NaN or infinite"),
    ([0.1, 0.2], [0, 2], "labels y must be 0 and 1, not 2"),
    ([0.1, 0.2], [1, 1], "all events are of class 1"),
    ([0.1, 0.2], [True, True], "all events are of class 1"),
    ([0.1, 0.2], ["pion", "kaon"], "labels y must be 0 and 1, not 'pion'"),
    ([0.1, 0.2], ["0", "1"], "labels y must be 0 and 1, not '0'"),
    (["high", "low"], [0, 1], r"the response must be one number for each event.*not \['high', 'low'\]"),
])
def test_what_makes_no_sense_is_refused(response, y, message):
    for function in (Performance, area_under_roc):
        with pytest.raises(ValueError, match=message):
            function(response, y)
