"""Mutation check: would the tests notice if a derivative rule were wrong?

    python tests/mutate.py                      every rule of every operation
    python tests/mutate.py --only Multiply      the rules of one operation

A test that passes shows little by itself: perhaps it would pass whatever the rule says. So this script makes every
rule wrong on purpose, in one small way after another, and runs the operation's tests on each such *mutant*:

    def grad_b(g, y, a, b): return -g * y / b           the rule of Divide
    def grad_b(g, y, a, b): return g * y / b            a sign is lost         (kind "sign")
    def grad_b(g, y, a, b): return -g / b               a factor is lost       (kind "part")
    def grad_b(g, y, a, b): return -g * y / a           an operand is swapped  (kind "operand")

A mutant is *caught* if a test fails. One that survives points at something no test looks at: an example is missing
in tests/operation_samples, or a special point in tests/test_kinks.py. (Or the mutant is right after all, since it
computes the same in another way; those few are listed under `EQUIVALENT`, each with the reason.)

An operation's tests are the checks of its first and second derivatives in tests/test_operations.py, on arrays drawn
from its `Sample`, and those special points of tests/test_kinks.py that are computed with it. A mutant is made from the
syntax tree of the rule (Python's module `ast`), compiled, and put in the rule's place while the tests run.
"""

import argparse
import ast
import contextlib
import inspect
import sys
import textwrap
import time
import warnings
from collections import Counter
from functools import cache, partial

import numpy as np
import test_kinks
import test_operations
from hypothesis import HealthCheck, given, settings
from operation_samples import SAMPLES

import tinygrad_nuc as tn
from tinygrad_nuc.engine.registry import table

EXAMPLES = 20           # inputs drawn for each operation, the same ones in every run
KINDS = {"sign": "a sign flipped", "part": "a factor, divisor, exponent or term dropped",
         "operand": "another array in place of one", "condition": "a comparison or choice turned round"}
OTHER_COMPARISONS = {ast.Gt: (ast.Lt, ast.GtE), ast.Lt: (ast.Gt, ast.LtE), ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,)}

# Mutants that compute the same as the rule, so that no test can tell them apart, and why.
CHOICE = "{}: return np.where(a == b, g / 2, np.where({}, g, 0))"
SHARE = "{}.shared_among: share = restored(g, chosen, axis) / np.sum(chosen, axis=axis, keepdims=True, dtype=a.dtype)"
EQUIVALENT = {
    **{CHOICE.format(*mutant): "where a == b, the inner choice is not taken" for mutant in (
        ("Maximum.grad_a", "a >= b"), ("Maximum.grad_b", "b >= a"), ("Minimum.grad_a", "a <= b"), ("Minimum.grad_b", "b <= a"))},
    **{CHOICE.format(*mutant): "y differs from an input exactly where the other one differs and was chosen" for mutant in (
        ("Maximum.grad_a", "y > b"), ("Maximum.grad_b", "y > a"), ("Minimum.grad_a", "y < b"), ("Minimum.grad_b", "y < a"))},
    **{SHARE.format(name): "restored needs only the shape, which a and chosen have in common" for name in ("Amax", "Amin")},
    "Relu.grad_a: return Kept.apply(g, y > 0)": "y = max(a, 0) is positive exactly where a is",
    "Logaddexp.gap: same = np.isinf(b) & (a == b)": "of two equal values, both are infinite or none",
    "Sinc.grad_a: near = np.absolute(a) <= 0.3": "at 0.3 itself, the series and the formula agree",
    **{f"Normalise.grad_x: _, variance = moments(x, axes) if known is None or isinstance({name}, Tensor) else known":
       "a rule gets arrays only, or Tensors only" for name in "gy"},
    "Inverse.transposed: return -np.swapaxes(a, -1, -2)": "the rule transposes twice, and the signs cancel",
    "Cholesky.lower: return -((np.tril(a) + np.tril(a, -1)) / 2)": "the rule takes it twice, and the signs cancel",
}


# ---------------------------------------------------------------------- making mutants

def places(tree):
    """Every expression in a tree, with the function that puts another one in its place."""
    for field, below in ast.iter_fields(tree):
        for i, node in enumerate(below) if isinstance(below, list) else [(None, below)]:
            match node:
                case ast.Attribute(attr="shape" | "ndim" | "dtype") | ast.Call(func=ast.Attribute(attr="zeros_like")):
                    continue                    # only a shape counts: another array has the same, or fails loudly
                case ast.expr():
                    yield node, partial(setattr, tree, field) if i is None else partial(below.__setitem__, i)
            if isinstance(node, ast.AST):
                yield from places(node)


def changes(node, arrays):
    """What an expression may wrongly be instead: pairs of a kind and another expression."""
    match node:
        case ast.Name(name, ast.Load()) if name in arrays:
            yield from (("operand", ast.Name(other, ast.Load())) for other in arrays if other != name)
        case ast.UnaryOp(ast.USub(), operand):
            yield "sign", operand
        case ast.BinOp(left, operator, right):
            yield "part", left
            if not isinstance(operator, (ast.Div, ast.Pow)):
                yield "part", right
            if isinstance(operator, (ast.Add, ast.Sub)):
                yield "sign", ast.BinOp(left, ast.Sub() if isinstance(operator, ast.Add) else ast.Add(), right)
        case ast.Compare(left, [operator], right):
            for other in OTHER_COMPARISONS.get(type(operator), ()):
                yield "condition", ast.Compare(left, [other()], right)
        case ast.UnaryOp(ast.Invert(), operand):
            yield "condition", operand
        case ast.IfExp(test, yes, no):
            yield "condition", ast.IfExp(test, no, yes)
        case ast.Call(ast.Attribute(attr="where"), [test, yes, no]):
            yield "condition", ast.Call(node.func, [test, no, yes], [])


def tree_of(function):
    return ast.parse(textwrap.dedent(inspect.getsource(function))).body[0]


def mutants(function, arrays):
    """Every mutant of a function whose arguments `arrays` are arrays: its kind, source, and the statement that changed."""
    tree = tree_of(function)
    seen = {ast.unparse(tree)}
    for statement in tree.body:
        for node, put in list(places(statement)):
            wrong = list(changes(node, arrays))
            if isinstance(statement, ast.Return) and node is statement.value:
                wrong.append(("sign", ast.UnaryOp(ast.USub(), node)))           # the whole result negated
            for kind, other in wrong:
                put(other)
                source = ast.unparse(tree)
                if source not in seen:
                    seen.add(source)
                    yield kind, source, " ".join(ast.unparse(statement).split())
                put(node)


def functions_of(operation):
    """The operation's rules, and the functions of its file that only rules call: (owner, name, function, array arguments)."""
    module = sys.modules[operation.__module__]

    def called_by(function, found=()):
        found = dict(found)
        for node in ast.walk(tree_of(function)):
            called = vars(module).get(node.id) if isinstance(node, ast.Name) else None
            if inspect.isfunction(called) and called.__module__ == module.__name__ and node.id not in found:
                found = called_by(called, {**found, node.id: called})
        return found

    rules = {name: rule for name, rule in vars(operation).items() if name.startswith("grad_")}
    for name, rule in rules.items():
        yield operation, name, rule, ("g", "y", *operation.arguments)
    helpers = {name: helper for rule in rules.values() for name, helper in called_by(rule).items()}
    for name in sorted(helpers.keys() - called_by(operation.forward).keys()):
        yield module, name, helpers[name], tuple(inspect.signature(helpers[name]).parameters)


@contextlib.contextmanager
def installed(operation, owner, name, source):
    """The rule, or the function that it calls, replaced by what is written in `source`."""
    original, made = vars(owner)[name], {}
    exec(compile(source, f"<mutant of {name}>", "exec"), vars(sys.modules[operation.__module__]), made)

    def put(function):
        setattr(owner, name, function)
        operation._derivatives = tuple(getattr(operation, f"grad_{argument}", None) for argument in operation.arguments)
    put(made[name])
    try:
        yield
    finally:
        put(original)


# ---------------------------------------------------------------------- running tests

def tests_of(operation):
    """The tests of one operation, as functions without arguments."""
    drawn = []

    @settings(max_examples=EXAMPLES, derandomize=True, deadline=None, suppress_health_check=list(HealthCheck))
    @given(SAMPLES[operation].strategy)
    def draw(sample):
        drawn.append(sample)
    draw()
    checks = (test_operations.test_first_derivative_equals_central_differences.check,
              test_operations.test_second_derivative_equals_central_differences.check)
    return ([partial(check, operation, *sample) for sample in drawn for check in checks]
            + [test for test, used in special_points() if operation in used])


@cache
def special_points():
    """The tests of the tables in test_kinks.py, each with the operations that its function is computed with."""
    slopes, second = test_kinks.test_slopes_that_are_a_convention_or_a_limit, test_kinks.test_second_derivatives_at_special_points
    tests = [(partial(slopes, *entry, np.float64), entry) for entry in test_kinks.SLOPES]
    tests += [(partial(second, *entry), entry) for entry in test_kinks.SECOND]
    with np.errstate(all="ignore"):
        return [(test, operations_behind(function(*test_kinks.leaves(points)))) for test, (function, points, _) in tests]


def operations_behind(y):
    """The operations that a result was computed with."""
    return {y.operation}.union(*(operations_behind(x) for x in y.inputs if isinstance(x, tn.Tensor) and x.operation))


def first_failure(tests):
    """The error of the first test that fails, or None. A warning is an error, as it is under pytest."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for test in tests:
            try:
                test()
            except Exception as error:          # whatever goes wrong is noticed
                return error
    return None


def try_all(operations):
    """Try every mutant of the operations: how many were made and caught by kind, the excused ones, and what is wrong."""
    made, caught, excused, wrong = Counter(), Counter(), set(), []
    for operation in operations:
        if operation not in SAMPLES:
            wrong.append(f"{operation.__name__} has no sample in tests/operation_samples")
            continue
        tests = tests_of(operation)
        if error := first_failure(tests):
            wrong.append(f"{operation.__name__} fails its tests as it is: {error}")
            continue
        for owner, name, function, arrays in functions_of(operation):
            for kind, source, statement in mutants(function, arrays):
                with installed(operation, owner, name, source):
                    survived = first_failure(tests) is None
                made[kind] += 1
                caught[kind] += not survived
                mutant = f"{operation.__name__}.{name}: {statement}"
                if survived and mutant in EQUIVALENT:
                    excused.add(mutant)
                elif survived:
                    wrong.append(f"survived ({kind}): {mutant}")
    return made, caught, excused, wrong


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", choices=vars(table), metavar="OPERATION", help="such as Multiply")
    only = parser.parse_args(arguments).only
    start = time.perf_counter()
    made, caught, excused, wrong = try_all([getattr(table, only)] if only else list(vars(table).values()))
    if not only:
        wrong += [f"listed as equivalent, but caught or not made: {mutant}" for mutant in sorted(EQUIVALENT.keys() - excused)]
    print(*wrong, sep="\n", end="\n" if wrong else "")
    for kind, meaning in KINDS.items():
        print(f"{kind:10} {caught[kind]:4} of {made[kind]:4} mutants caught ({meaning})")
    print(f"{'in total':10} {caught.total():4} of {made.total():4} mutants caught; {len(excused)} are equivalent to the rule "
          f"({time.perf_counter() - start:.0f} s)")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
