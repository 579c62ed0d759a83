"""The mutation check itself: it catches, it reports what no test looks at, and it leaves the rules as they were."""

import mutate
import numpy as np
import pytest
from hypothesis import strategies as st
from operation_samples.strategies import Sample

from tinygrad_nuc.engine.operation import Operation
from tinygrad_nuc.engine.registry import table


@pytest.mark.parametrize(("name", "made", "equivalent"), [("Multiply", 18, 0), ("Maximum", 50, 4)])
def test_every_mutant_of_an_operation_is_caught(name, made, equivalent, capsys):
    operation = getattr(table, name)
    before = operation.grad_a, operation.grad_b, operation._derivatives
    assert mutate.main(["--only", name]) == 0
    assert f"{made - equivalent} of   {made} mutants caught; {equivalent} are equivalent" in capsys.readouterr().out
    assert (operation.grad_a, operation.grad_b, operation._derivatives) == before


def test_mutants_of_a_rule():
    made = {source.splitlines()[1].strip(): kind for kind, source, _ in mutate.mutants(table.Divide.grad_b, ("g", "y", "a", "b"))}
    assert len(made) == 14
    for mutant, kind in {"g * y / b": "sign", "-(-g * y / b)": "sign", "-g / b": "part", "-g * y": "part", "y / b": "part",
                         "-a * y / b": "operand", "-g * y / a": "operand"}.items():
        assert made[f"return {mutant}"] == kind
    choices = [source for kind, source, _ in mutate.mutants(table.Maximum.grad_a, ("g", "y", "a", "b")) if kind == "condition"]
    assert [c.splitlines()[1].strip() for c in choices] == [
        "return np.where(a == b, np.where(a > b, g, 0), g / 2)", "return np.where(a != b, g / 2, np.where(a > b, g, 0))",
        "return np.where(a == b, g / 2, np.where(a > b, 0, g))", "return np.where(a == b, g / 2, np.where(a < b, g, 0))",
        "return np.where(a == b, g / 2, np.where(a >= b, g, 0))"]


def test_functions_that_only_rules_call_are_tried_as_well():
    assert [name for _, name, *_ in mutate.functions_of(table.Amax)] == ["grad_a", "shared_among"]
    assert [name for _, name, *_ in mutate.functions_of(table.BinaryCrossEntropy)] == ["grad_p", "grad_t"]


def test_a_test_that_looks_at_nothing_lets_mutants_live(monkeypatch, capsys):
    empty = np.zeros(0)
    monkeypatch.setitem(mutate.SAMPLES, table.Subtract, Sample(st.just(([empty, empty], {})), np.subtract))
    monkeypatch.setattr(mutate, "special_points", lambda: [])
    assert mutate.main(["--only", "Subtract"]) == 1
    printed = capsys.readouterr().out
    assert "survived (sign): Subtract.grad_b: return g\n" in printed and "0 of    9 mutants caught" in printed


def test_an_operation_without_a_sample_is_reported(capsys):
    class Untested(Operation):
        def forward(a):       return 2 * a
        def grad_a(g, y, a):  return 2 * g
    try:
        assert mutate.main(["--only", "Untested"]) == 1
    finally:
        del table.Untested
    assert "Untested has no sample" in capsys.readouterr().out


def test_a_rule_that_is_wrong_already_is_reported_and_one_that_fails_is_restored():
    rule = table.Multiply.grad_a
    with mutate.installed(table.Multiply, table.Multiply, "grad_a", "def grad_a(g, y, a, b): return g * a"):
        *_, wrong = mutate.try_all([table.Multiply])
    assert len(wrong) == 1 and wrong[0].startswith("Multiply fails its tests as it is: input 0")
    with pytest.raises(KeyError), mutate.installed(table.Multiply, table.Multiply, "grad_a", "def grad_a(): pass"):
        raise KeyError
    assert table.Multiply.grad_a is rule and table.Multiply._derivatives[0] is rule


def test_every_mutant_of_every_operation_is_caught(capsys):
    assert mutate.main([]) == 0, capsys.readouterr().out
