"""A walk through NumPy's functions: each records, is constant, or says what comes closest; none loses a gradient silently."""

import ast
import importlib
import inspect
import operator
import pkgutil
import textwrap

import function_samples
import numpy as np
import numpy_table
import pytest
from numpy_table import NO_GRADIENT, NOT_ASKED, RECORDS, REFUSED

import tinygrad_nuc as tn
from tinygrad_nuc.engine.registry import table

FUNCTIONS = dict(numpy_table.functions())
STATUS = {name: numpy_table.row(name, function)[0] for name, function in FUNCTIONS.items()}
CALLS = {name for module in pkgutil.iter_modules(function_samples.__path__)
         for name in importlib.import_module(f"function_samples.{module.name}").CALLS}
TRIED = {name.split()[0] for name in CALLS}
NEWEST = (2, 4)                                 # of the NumPy versions that this was written for


def of_status(*wanted):
    return [name for name in FUNCTIONS if STATUS[name] in wanted]


# ---------------------------------------------------------------------- the page

def test_the_page_shows_what_happens():
    """Compared are the functions that both the page and this NumPy know."""
    shown, found = numpy_table.rows_of(numpy_table.PAGE.read_text("utf-8")), numpy_table.rows()
    common = shown.keys() & found.keys()
    assert {name: shown[name] for name in common} == {name: found[name] for name in common}
    assert len(common) > 400
    if f"## The functions of NumPy {'.'.join(map(str, numpy_table.NUMPY_VERSION))}\n" in numpy_table.PAGE.read_text("utf-8"):
        assert numpy_table.PAGE.read_text("utf-8") == numpy_table.page()


@pytest.mark.skipif(numpy_table.NUMPY_VERSION > NEWEST, reason="a newer NumPy may have more functions")
@pytest.mark.parametrize("name", of_status(REFUSED))
def test_for_what_is_refused_something_closest_was_chosen(name):
    assert numpy_table.hint(FUNCTIONS[name])


# ---------------------------------------------------------------------- every function is tried somewhere

def test_every_function_that_records_has_a_call():
    tried = {operator.attrgetter(name.removeprefix("np."))(np) for name in TRIED if name.startswith("np.")}
    assert [name for name in of_status(RECORDS) if FUNCTIONS[name] not in tried] == []


def applies_one_operation(function):
    """Whether a function only passes its arguments to an operation, which test_operations.py tries."""
    lines = ast.parse(textwrap.dedent(inspect.getsource(function))).body[0].body
    match lines[1:]:                            # after the docstring
        case [ast.Return(ast.Call(ast.Attribute(ast.Name(operation), "apply")))]:
            return hasattr(table, operation)
    return False


def differentiable_functions():
    """What tn, tn.linalg and nn.functional offer, except for losses and what has no gradient."""
    for prefix, module, names in (("tn", tn, vars(tn)), ("tn.linalg", tn.linalg, vars(tn.linalg)),
                                  ("F", tn.nn.functional, vars(tn.nn.functional))):
        for name in names:
            function = getattr(module, name)
            source = getattr(function, "__module__", "")
            if inspect.isfunction(function) and "loss" not in name and "entropy" not in name and name != "floor_divide" and \
                    source.startswith(("tinygrad_nuc.operations", "tinygrad_nuc.nn")) and not source.endswith(".logic"):
                yield f"{prefix}.{name}", function


@pytest.mark.parametrize(("name", "function"), list(differentiable_functions()))
def test_every_function_of_ours_has_a_call(name, function):
    assert name in TRIED or applies_one_operation(function)


# ---------------------------------------------------------------------- constant almost everywhere

A = np.array([[0.5, -1.5, 2.0], [1.0, 0.25, -0.75]])
WITH_NAN = np.array([[0.5, np.nan, -np.inf], [np.inf, -0.0, 2.0]])
V, EDGES = np.array([0.1, 2.5, -1.0, 0.5]), np.array([-1.0, 0.5, 2.0])
N, M = np.array([6, 4, 15]), np.array([4, 6, 1])
MASK = np.array([[True, False, True], [False, False, True]])

CONSTANT = {        # name: the call, and arrays
    **{name: (lambda a, name=name: operator.attrgetter(name)(np)(a), WITH_NAN) for name in
       "isfinite isnan isinf isposinf isneginf signbit isreal iscomplex isrealobj iscomplexobj imag angle".split()},
    **{name: (lambda a, name=name: operator.attrgetter(name)(np)(a), A) for name in
       "sign floor ceil trunc fix rint round around argmax argmin argsort nonzero argwhere flatnonzero count_nonzero any all "
       "zeros_like ones_like min_scalar_type common_type tril_indices_from triu_indices_from linalg.matrix_rank "
       "logical_not shape ndim size lexsort nanargmax nanargmin".split()},
    **{name: (lambda a, b, name=name: operator.attrgetter(name)(np)(a, b), A, A[::-1] * np.array([1.0, -1.0, 1.0])) for name in
       "less less_equal greater greater_equal equal not_equal isclose allclose array_equal array_equiv isin heaviside floor_divide "
       "logical_and logical_or logical_xor result_type shares_memory may_share_memory".split()},
    **{name: (lambda a, b, name=name: operator.attrgetter(name)(np)(a, b), N, M) for name in
       "bitwise_and bitwise_or bitwise_xor left_shift right_shift gcd lcm".split()},
    **{name: (lambda a, name=name: operator.attrgetter(name)(np)(a), N) for name in ("invert", "bitwise_count")},
    "round decimals": (lambda a: np.round(a, 1), A), "argmax axis": (lambda a: np.argmax(a, axis=1, keepdims=True), A),
    "any axis": (lambda m: np.any(m, axis=0), MASK), "argsort axis": (lambda a: np.argsort(a, axis=0), A),
    "argpartition": (lambda a: np.argpartition(a, 1, axis=0), A), "lexsort of two": (lambda a, b: np.lexsort((a, b)), V.round(), -V),
    "searchsorted": (lambda e, a: np.searchsorted(e, a, side="right"), EDGES, V),
    "searchsorted sorter": (lambda e, a, i: np.searchsorted(e, a, sorter=i), EDGES[::-1].copy(), V, np.array([2, 1, 0])),
    "digitize": (np.digitize, V, EDGES), "count_nonzero axis": (lambda a: np.count_nonzero(a > 0, axis=0), A),
    "isin numbers": (lambda a: np.isin(a, [0.5, 2.0]), A), "isclose numbers": (lambda a: np.isclose(a, 0.5, atol=0.3), A),
    "heaviside at 0": (lambda a: np.heaviside(a, 0.5), WITH_NAN[1]), "can_cast": (lambda a: np.can_cast(a.dtype, np.int64), A),
    "unravel_index": (lambda i: np.unravel_index(i, (4, 5)), N), "diag_indices_from": (lambda a: np.diag_indices_from(a), A[:, :2]),
    "ravel_multi_index": (lambda i, j: np.ravel_multi_index((i, j), (20, 20)), N, M),
    "histogram of a tensor": (lambda a: np.histogram(a, 3), A),
    "histogram of a tensor, density": (lambda a, e: np.histogram(a, bins=e, density=True), A, EDGES),
    "bincount of a tensor": (np.bincount, N), "divmod, the quotient": (lambda a: np.divmod(a, 0.7)[0], A),
    "//": (lambda a: a // 0.7, A), "number // tensor": (lambda a: 2 // a, A),
    "full_like": (lambda a: np.full_like(a, 3), A),
    "vander of nothing": (lambda a: np.vander(a, 0), V), "polyval of nothing": (lambda a: np.polyval([], a), V),
    "slogdet, the sign": (lambda a: np.linalg.slogdet(a)[0], A[:, :2]), "shape": (np.shape, A),
    "unique, the counts": (lambda a: np.unique(a, return_counts=True)[1], np.array([2.0, 0.5, 2.0])),
    "average of equal weights, their sum": (lambda a: np.average(a, axis=0, returned=True)[1], A),
}


@pytest.mark.filterwarnings("ignore:numpy.fix is deprecated:DeprecationWarning")        # from NumPy 2.5 on
@pytest.mark.parametrize("name", CONSTANT)
def test_what_is_constant_equals_numpys_and_has_no_history(name):
    call, *arrays = CONSTANT[name]
    found = call(*(tn.tensor(a, requires_grad=a.dtype.kind == "f") for a in arrays))
    compare(found, call(*arrays))


def compare(found, expected):
    """Tensors where NumPy gives arrays or its own numbers; otherwise the same."""
    if isinstance(expected, (tuple, list)):
        assert type(found) is type(expected) and len(found) == len(expected)
        for f, e in zip(found, expected, strict=True):
            compare(f, e)
    elif isinstance(expected, (np.ndarray, np.generic)):
        assert isinstance(found, tn.Tensor) and not found.requires_grad and found.dtype == expected.dtype
        np.testing.assert_array_equal(found.numpy(), expected)
    elif not isinstance(found, tn.Tensor) or found.device.type == "cpu":        # a GPU keeps the answer until it is asked
        assert type(found) is type(expected) and found == expected
    else:
        assert found.shape == () and found.item() == expected


def test_every_function_without_a_gradient_was_compared():
    compared = {operator.attrgetter(name.split()[0])(np) for name in CONSTANT if name.split()[0].rstrip(",").isidentifier()
                and hasattr(np, name.split()[0])} | {np.linalg.matrix_rank, np.empty_like}       # empty_like: any values
    assert [name for name in of_status(NO_GRADIENT) if FUNCTIONS[name] not in compared] == []
    assert isinstance(np.empty_like(tn.tensor(A)), tn.Tensor)


def test_of_equal_values_unique_gives_the_first_the_gradient():
    a = tn.tensor([2.0, 0.5, 2.0], requires_grad=True)
    values, = tn.grad(np.unique(a) @ tn.tensor([1.0, 10.0]), a)
    assert values.tolist() == [10.0, 1.0, 0.0]


# ---------------------------------------------------------------------- nothing is converted silently

LEFT_OUT = {        # they read files, change settings of the process, or print
    f"{prefix}.{name}" for prefix in numpy_table.MODULES for name in
    "test info show_config show_runtime get_include load loadtxt genfromtxt fromfile fromregex seterr seterrcall setbufsize "
    "set_printoptions printoptions".split()}
ANY_VALUES = {"np.empty", "np.empty_like"}
ONE_BY_ONE = {"np.fromiter"}                    # takes float(t[i]) of each, which Python allows to be asked for
TAKE_A_NUMBER = {"np.compress", "np.delete", "np.extract", "np.quantile", "np.percentile"}     # as an array
CONSTANT_HERE = {"np.histogram", "np.full_like", "np.vander", "np.copysign"}     # counts, the power 0, signs



def calls(name, seed, shape):
    """What a function makes of differentiated tensors in different places of its arguments; an error where it refuses."""
    rng = np.random.default_rng(seed)
    t, u = (tn.tensor(rng.random(shape), requires_grad=True) for _ in range(2))
    before = t.numpy().copy()
    for args in ((t,), (t, u), (t, 1), (1, t), (t, u, t), ([t, u],)):
        try:
            yield args, FUNCTIONS[name](*args)
        except (TypeError, ValueError, RuntimeError, IndexError, AttributeError, KeyError, BufferError) as error:
            assert str(error)
            yield args, error
        np.testing.assert_array_equal(t.numpy(), before)


def arrays_in(result):
    if isinstance(result, (tuple, list)):
        return [a for part in result for a in arrays_in(part)]
    return [result] if isinstance(result, (np.ndarray, np.generic, float)) else []


@pytest.mark.parametrize("name", [pytest.param(name, marks=pytest.mark.host("a number where an array is meant")) if name in TAKE_A_NUMBER
                                  else name for name in sorted(FUNCTIONS.keys() - LEFT_OUT)])
@pytest.mark.parametrize("shape", [(2, 2), (3,)])
@pytest.mark.filterwarnings("ignore")
def test_no_function_converts_a_tensor_silently(name, shape, tmp_path, monkeypatch, capfd):
    """An array among the results (of np.zeros(1, t), say, with t for a dtype) must not depend on the values."""
    monkeypatch.chdir(tmp_path)
    for (args, one), (_, other) in zip(calls(name, 1, shape), calls(name, 2, shape), strict=True):
        if name not in ANY_VALUES | ONE_BY_ONE:
            for a, b in zip(arrays_in(one), arrays_in(other), strict=True):
                np.testing.assert_array_equal(a, b)
        if not isinstance(one, Exception):
            assert STATUS[name] != REFUSED
            results = [y for y in (one if isinstance(one, (tuple, list)) else [one]) if isinstance(y, tn.Tensor) and y.dtype.kind == "f"]
            if STATUS[name] == RECORDS and name not in CONSTANT_HERE and results:
                assert any(y.requires_grad for y in results)
    assert capfd.readouterr() == ("", "") and list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", of_status(REFUSED))
@pytest.mark.filterwarnings("ignore")
def test_what_is_refused_says_so(name, tmp_path):
    t = tn.tensor([[0.5, 1.0], [0.25, 2.0]], requires_grad=True)
    messages = []
    for args in ((t,), (t, t), (t, 1), (1, t), (tmp_path / "file", t), ("ij,ij", t, t), (t, t, t, 0)):
        try:
            FUNCTIONS[name](*args)
        except Exception as error:
            messages.append(str(error))
    full = f"{getattr(FUNCTIONS[name], '__module__', None) or 'numpy'}.{FUNCTIONS[name].__name__}"
    assert any(message.startswith(f"{full} has no derivative here. The closest: ") for message in messages)


def test_a_function_that_nobody_thought_of_is_refused_too():
    def new(x):
        raise AssertionError("never called")
    with pytest.raises(TypeError, match=r"new has no derivative here.*docs/numpy\.md"):
        tn.tensor(1.0).__array_function__(new, (tn.Tensor,), (tn.tensor(1.0),), {})


@pytest.mark.parametrize("convert", [
    np.array, np.asarray, np.ascontiguousarray, np.matrix, np.vectorize(lambda x: x), np.frompyfunc(lambda x: x, 1, 1),
    lambda t: np.array([t, t]), lambda t: np.full(3, t), lambda t: np.ma.array(t), np.poly1d,
    lambda t: np.add(np.zeros(3), t, out=np.zeros(3)), lambda t: np.zeros(3).__setitem__(slice(None), t), np.nditer, np.broadcast,
    lambda t: np.random.default_rng(0).normal(t), lambda t: np.polynomial.Polynomial(t), lambda t: np.save("file", t),
])
@pytest.mark.filterwarnings("ignore:the matrix subclass")
def test_what_does_not_ask_converts_only_tensors_without_a_gradient(convert, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises((RuntimeError, TypeError), match=r"t\.numpy\(\)|cannot write a Tensor"):
        convert(tn.tensor([0.5, 1.0, 2.0], requires_grad=True))


@pytest.mark.host("a tensor is turned into an array by NumPy itself")
def test_the_array_of_a_tensor_without_a_gradient_can_be_asked_for():
    for convert in (np.array, np.asarray, np.ascontiguousarray):
        np.testing.assert_array_equal(convert(tn.tensor(A)), A)


@pytest.mark.parametrize("method", ["reduce", "accumulate", "outer", "at", "reduceat"])
@pytest.mark.parametrize("ufunc", [np.add, np.multiply, np.maximum])
def test_methods_of_ufuncs_are_refused(ufunc, method):
    t = tn.tensor([0.5, 1.0], requires_grad=True)
    args = {"reduce": (t,), "accumulate": (t,), "outer": (t, t), "at": (np.zeros(2), [0, 1], t), "reduceat": (t, [0])}[method]
    with pytest.raises(TypeError, match=rf"numpy\.{ufunc.__name__}\.{method} has no derivative here.*np\.sum"):
        getattr(ufunc, method)(*args)


@pytest.mark.parametrize("name", of_status(NOT_ASKED))
def test_what_is_not_asked_is_given_no_derivative_by_mistake(name):
    assert FUNCTIONS[name] not in numpy_table.numpy_functions
