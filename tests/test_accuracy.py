"""Elementwise functions keep their digits, from the smallest float to the largest, in values and slopes."""

import decimal
import math
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tinygrad_nuc as tn
from tinygrad_nuc.operations.activations import gelu, logsigmoid, silu, softplus
from tinygrad_nuc.operations.exponential import logaddexp
from tinygrad_nuc.operations.special import erf, erfc

both_dtypes = pytest.mark.parametrize("dtype", [np.float64, np.float32])
INF, NAN = math.inf, math.nan
PI = np.arctan(np.longdouble(1)) * 4


def leaf(values, dtype=np.float64):
    return tn.tensor(np.array(values, dtype), requires_grad=True)


def slopes(function, *points, dtype=np.float64):
    """The derivatives of all results together, one array for each argument."""
    leaves = [leaf(p, dtype) for p in points]
    y = function(*leaves)
    return [g.numpy() for g in tn.grad(y, leaves, tn.tensor(np.ones_like(y.data)))]


def second(function, points):
    x = leaf(points)
    y = function(x)
    first, = tn.grad(y, x, tn.tensor(np.ones_like(y.data)), create_graph=True)
    return tn.grad(first, x, tn.tensor(np.ones_like(x.data)))[0].numpy()


def assert_close(found, exact, ulps, floor=0.0):
    """Within `ulps` spacings of floats at the exact value (or at `floor`, where that is larger)."""
    unit = np.spacing(np.maximum(np.abs(exact), floor).astype(found.dtype)).astype(np.longdouble)
    error = np.abs(found.astype(np.longdouble) - exact) / unit
    assert (error <= ulps).all(), f"{found[error.argmax()]} is off by {error.max()} spacings"


# ---------------------------------------------------------------------- beside NumPy, and derivatives in more digits

TABLE = {   # NumPy's function: (derivative, range, size of values at which the spacing is taken)
    np.sin: (np.cos, -1e5, 1e5, 0), np.cos: (lambda a: -np.sin(a), -1e5, 1e5, 0), np.tan: (lambda a: 1 / np.cos(a) ** 2, -1e5, 1e5, 0),
    np.arcsin: (lambda a: 1 / np.sqrt((1 - a) * (1 + a)), -0.9999999, 0.9999999, 0),
    np.arccos: (lambda a: -1 / np.sqrt((1 - a) * (1 + a)), -0.9999999, 0.9999999, 0),
    np.arctan: (lambda a: 1 / (1 + a * a), -1e18, 1e18, 0), np.arcsinh: (lambda a: 1 / np.sqrt(1 + a * a), -1e18, 1e18, 0),
    np.arccosh: (lambda a: 1 / np.sqrt((a - 1) * (a + 1)), 1.0000002, 1e18, 0),
    np.arctanh: (lambda a: 1 / ((1 - a) * (1 + a)), -0.9999999, 0.9999999, 0),
    np.sinh: (np.cosh, -88, 88, 0), np.cosh: (np.sinh, -88, 88, 0), np.tanh: (lambda a: 1 / np.cosh(a) ** 2, -300, 300, 1),
    np.exp: (np.exp, -745, 88, 0), np.expm1: (np.exp, -745, 88, 0), np.exp2: (lambda a: np.exp2(a) * np.log(np.longdouble(2)), -1074, 127, 0),
    np.log: (lambda a: 1 / a, 2e-38, INF, 0), np.log1p: (lambda a: 1 / (1 + a), -0.9999999, INF, 0),
    np.log2: (lambda a: 1 / (a * np.log(np.longdouble(2))), 2e-38, 1e38, 0),
    np.log10: (lambda a: 1 / (a * np.log(np.longdouble(10))), 2e-38, 1e37, 0),
    np.sqrt: (lambda a: 0.5 / np.sqrt(a), 1e-44, INF, 0), np.cbrt: (lambda a: 1 / np.cbrt(a) ** 2 / 3, 1e-44, INF, 0),
    np.sinc: (lambda a: (np.cos(PI * a) - np.sin(PI * a) / (PI * a)) / a, 0.25, 50, 1),
    np.reciprocal: (lambda a: -1 / a / a, 1e-18, 1e18, 0), np.square: (lambda a: 2 * a, -1e18, 1e18, 0),
    np.absolute: (np.sign, -INF, INF, 0), np.fabs: (np.sign, -INF, INF, 0), np.negative: (lambda a: a * 0 - 1, -1e30, 1e30, 0),
    np.deg2rad: (lambda a: a * 0 + PI / 180, -1e30, 1e30, 0), np.rad2deg: (lambda a: a * 0 + 180 / PI, -1e30, 1e30, 0),
}


def points(low, high, dtype):
    """Floats of every size between two bounds, with more of those that are neither huge nor tiny."""
    sizes = np.exp2(np.concatenate([np.linspace(-1074, 1023.999, 2001), np.linspace(-10, 10, 1001)]))
    with np.errstate(over="ignore"):
        a = np.concatenate([-sizes, [0.0], sizes, [low, high]]).astype(dtype)
    return np.unique(a[np.isfinite(a) & (low <= a) & (a <= high)])


@both_dtypes
@pytest.mark.parametrize("function", TABLE, ids=lambda f: f.__name__)
def test_functions_of_one_number(function, dtype):
    derivative, low, high, floor = TABLE[function]
    a = points(low, high, dtype)
    y = function(tn.tensor(a)).numpy()
    assert y.dtype == dtype
    assert_close(y, function(a), ulps=2)
    assert_close(slopes(function, a, dtype=dtype)[0], derivative(a.astype(np.longdouble)), ulps=8, floor=floor)


@both_dtypes
@pytest.mark.parametrize("function", [np.hypot, np.arctan2])
def test_lengths_and_angles(function, dtype):
    sizes = points(1e-18, 1e18, dtype)[::5]
    a, b = (x.ravel()[1:] for x in np.meshgrid(*2 * [np.concatenate([[0], sizes, -sizes]).astype(dtype)]))      # not the origin
    assert_close(function(tn.tensor(a), tn.tensor(b)).numpy(), function(a, b), ulps=2)
    r = np.hypot(a.astype(np.longdouble), b)
    expected = (a / r, b / r) if function is np.hypot else (b / r / r, -a / r / r)
    for found, exact in zip(slopes(function, a, b, dtype=dtype), expected, strict=True):
        assert_close(found, exact, ulps=4)


@pytest.mark.parametrize(("function", "a", "slope"), [
    (np.arctan, 1e200, 0.0), (np.arctan, -1e100, 1e-200), (np.arctan, INF, 0.0), (np.arcsinh, 1e200, 1e-200), (np.arcsinh, -INF, 0.0),
    (np.arccosh, 1e200, 1e-200), (lambda a: np.hypot(a, 1), 1e200, 1.0), (lambda a: np.hypot(3 * a, 4 * a), 1e200, 5.0),
    (lambda a: np.arctan2(a, 1), 1e100, 1e-200), (lambda a: np.arctan2(1, a), 1e200, 0.0), (np.log10, 1.7e308, 0.0),
])
def test_slopes_where_a_square_would_be_too_large_for_a_float(function, a, slope):
    np.testing.assert_allclose(slopes(function, a)[0], slope, rtol=1e-15, atol=1e-300)
    assert not np.isfinite(a) or np.isfinite(second(function, a))


def test_remainders_with_every_sign():
    a, b = np.array([5.0, -5.0, 5.0, -5.0, 7.5, 1e15 + 0.5]), np.array([3.0, 3.0, -3.0, -3.0, 2.5, 7.0])
    assert [g.tolist() for g in slopes(np.remainder, a, b)] == [[1.0] * 6, (-np.floor(a / b)).tolist()]
    assert [g.tolist() for g in slopes(np.fmod, a, b)] == [[1.0] * 6, (-np.trunc(a / b)).tolist()]


# ---------------------------------------------------------------------- beside values computed in 50 digits, with mpmath

ERF = [     # (a, erf a, erfc a)
    (5e-324, 5e-324, 1.0), (1e-300, 1.1283791670955126e-300, 1.0), (1e-20, 1.1283791670955125e-20, 1.0),
    (1e-08, 1.1283791670955126e-08, 0.9999999887162083), (0.001, 0.0011283787909692365, 0.9988716212090307),
    (0.03125, 0.035250373867322826, 0.9647496261326772), (0.1, 0.1124629160182849, 0.887537083981715),
    (0.25, 0.27632639016823696, 0.7236736098317631), (0.45, 0.47548171978692366, 0.5245182802130763),
    (0.5, 0.5204998778130465, 0.4795001221869535), (0.7, 0.6778011938374184, 0.32219880616258156),
    (0.84375, 0.7672256612323416, 0.23277433876765838), (0.999, 0.8422852702064969, 0.15771472979350307),
    (1.0, 0.8427007929497149, 0.15729920705028513), (1.001, 0.8431154854780762, 0.15688451452192373),
    (1.25, 0.9229001282564583, 0.07709987174354177), (1.5, 0.9661051464753108, 0.033894853524689274),
    (1.75, 0.9866716712191824, 0.013328328780817557), (2.0, 0.9953222650189527, 0.004677734981047266),
    (2.5, 0.999593047982555, 0.0004069520174449589), (3.0, 0.9999779095030014, 2.209049699858544e-05),
    (3.5, 0.9999992569016276, 7.430983723414128e-07), (4.0, 0.9999999845827421, 1.541725790028002e-08),
    (5.0, 0.9999999999984626, 1.537459794428035e-12), (5.9, 0.9999999999999999, 7.190409783550478e-17), (6.5, 1.0, 3.8421483271206475e-20),
    (8.0, 1.0, 1.1224297172982926e-29), (10.0, 1.0, 2.088487583762545e-45), (13.0, 1.0, 1.7395573154667246e-75),
    (17.0, 1.0, 1.0212280150942608e-127), (20.0, 1.0, 5.395865611607901e-176), (23.0, 1.0, 4.441265948088057e-232),
    (26.0, 1.0, 5.663192408856143e-296), (26.5, 1.0, 2.2109076642637343e-307), (-1e-20, -1.1283791670955125e-20, 1.0),
    (-0.1, -0.1124629160182849, 1.1124629160182848), (-0.5, -0.5204998778130465, 1.5204998778130465),
    (-1.0, -0.8427007929497149, 1.8427007929497148), (-2.5, -0.999593047982555, 1.999593047982555), (-6.0, -1.0, 2.0),
]
GELU = [    # (a, gelu a, its first derivative, its second)
    (-37.0, -2.1184613523340935e-298, -7.838298669418516e-297, -2.898048955934136e-295),
    (-30.0, -1.472014178144456e-196, -4.416031690708495e-195, -1.3233342291209357e-193),
    (-20.0, -5.507248237212468e-88, -1.1014360483133464e-86, -2.1973374481395856e-85),
    (-10.0, -7.619853024160526e-23, -7.618400096464814e-22, -7.540706654172292e-21),
    (-5.0, -1.4332578593959695e-06, -7.146946001792295e-06, -3.4194548838888845e-05),
    (-2.0, -0.04550026389635842, -0.0852318010781969, -0.1079819330263761),
    (-1.0, -0.15865525393145705, -0.0833154705876863, 0.24197072451914334),
    (-0.1, -0.0460172162722971, 0.4204769079752698, 0.7899355694792534),
    (1e-10, 5.000000000398942e-11, 0.5000000000797885, 0.7978845608028654),
    (0.5, 0.34573123063700656, 0.8674951246561629, 0.6161143218375241), (3.0, 2.99595030590511, 1.011945647204184, -0.03102293888356605),
    (10.0, 10.0, 1.0, -7.540706654172292e-21),
]
SINC = [    # (a, the first derivative of sinc a, the second)
    (0.0, 0.0, -math.pi ** 2 / 3),
    (1e-09, -3.289868133696453e-09, -3.289868133696453), (0.001, -0.0032898648867278964, -3.289858392793072),
    (0.1, -0.325751267883124, -3.193029835964854), (0.29, -0.8771831925980323, -2.5102717133812282),
    (0.31, -0.9263483488865715, -2.405334059014993), (0.5, -1.2732395447351628, -1.1902271282389358), (1.0, -1.0, 2.0),
    (2.5, -0.05092958178940651, -1.215893396004392),
]


def test_error_function_beside_exact_values():
    a, exact, complement = np.array(ERF).T
    np.testing.assert_allclose(erf(leaf(a)).numpy(), exact, rtol=1e-15, atol=0)
    np.testing.assert_allclose(erfc(leaf(a)).numpy(), complement, rtol=3e-15, atol=0)


@pytest.mark.parametrize("largest", [1e-300, 1e-3, 1.0, 3.0, 6.0, 26.5])
def test_error_function_beside_the_math_module(largest):
    a = np.random.default_rng(0).uniform(-largest, largest, 20_000)
    np.testing.assert_allclose(erf(leaf(a)).numpy(), [math.erf(x) for x in a], rtol=1e-15, atol=0)
    np.testing.assert_allclose(erfc(leaf(a)).numpy(), [math.erfc(x) for x in a], rtol=3e-15, atol=0)
    slope = 2 / math.sqrt(math.pi) * np.exp(-np.square(a.astype(np.longdouble)))
    np.testing.assert_allclose(slopes(erf, a)[0], slope, rtol=1e-15 if np.finfo(slope.dtype).eps < 1e-18 else 1e-12, atol=0)
    np.testing.assert_array_equal(slopes(erfc, a)[0], -slopes(erf, a)[0])


def test_error_function_in_single_precision():
    a = np.random.default_rng(0).uniform(-4, 9, 20_000).astype(np.float32)
    for function, exact in ((erf, math.erf), (erfc, math.erfc)):
        y = function(leaf(a, np.float32)).numpy()
        assert y.dtype == np.float32
        np.testing.assert_allclose(y, [exact(x) for x in a.tolist()], rtol=5e-7, atol=0)


@both_dtypes
def test_error_function_at_the_ends(dtype):
    largest = float(np.finfo(dtype).max)
    a = [-INF, -largest, -0.0, 0.0, largest, INF, NAN]
    np.testing.assert_array_equal(erf(leaf(a, dtype)).numpy(), [-1, -1, 0, 0, 1, 1, NAN])
    np.testing.assert_array_equal(erfc(leaf(a, dtype)).numpy(), [2, 2, 1, 1, 0, 0, NAN])
    np.testing.assert_array_equal(np.signbit(erf(leaf(a[:-1], dtype)).numpy()), [True, True, True, False, False, False])
    top = dtype(2 / math.sqrt(math.pi))
    np.testing.assert_array_equal(slopes(erf, a, dtype=dtype)[0], [0, 0, top, top, 0, 0, NAN])
    assert second(erf, a[:-1]).tolist() == [0.0] * 6
    y = erfc(leaf(np.linspace(25, 30, 1001))).numpy()          # without a jump where it becomes too small for a float
    assert (np.diff(y) <= 0).all() and y[0] > 0 and y[-1] == 0


def test_gelu_keeps_its_digits_far_out():
    a, exact, first, curvature = np.array(GELU).T
    for found, expected in ((gelu(leaf(a)).numpy(), exact), (slopes(gelu, a)[0], first), (second(gelu, a), curvature)):
        np.testing.assert_allclose(found, expected, rtol=3e-13, atol=0)                 # erfc magnifies the rounding of a/√2
    approximate = 0.5 * a * (1 + np.tanh(math.sqrt(2 / math.pi) * (a + 0.044715 * a ** 3)))
    np.testing.assert_allclose(gelu(leaf(a), "tanh").numpy(), approximate, rtol=1e-13, atol=1e-15)
    a = np.array([-1.7e308, -1e4, -30.0, 30.0, 1e4, 1.7e308])
    for approximate in ("none", "tanh"):
        np.testing.assert_allclose(gelu(leaf(a), approximate).numpy(), np.maximum(a, 0), atol=1e-190)
        np.testing.assert_allclose(slopes(lambda x: gelu(x, approximate), a)[0], a > 0, atol=1e-190)
        np.testing.assert_allclose(second(lambda x: gelu(x, approximate), a), 0, atol=1e-190)


def test_sinc_at_zero_and_near():
    a, first, curvature = np.array(SINC).T
    np.testing.assert_allclose(slopes(np.sinc, a)[0], first, rtol=2e-15, atol=1e-16)
    np.testing.assert_allclose(second(np.sinc, a), curvature, rtol=1e-13, atol=1e-14)
    np.testing.assert_allclose(slopes(np.sinc, a, dtype=np.float32)[0], first, rtol=3e-6, atol=1e-7)


# ---------------------------------------------------------------------- every float there is, beside 60 digits

@pytest.fixture(autouse=True, scope="module")
def sixty_digits():
    with decimal.localcontext(decimal.Context(prec=60, Emin=decimal.MIN_EMIN, Emax=decimal.MAX_EMAX, traps=[])):
        yield


def exact_sigmoid(a):
    return 1 / (1 + (-a).exp())


def exact_softplus(a):
    e = (-abs(a)).exp()
    return max(a, Decimal(0)) + ((1 + e).ln() if e > Decimal("1e-25") else e - e * e / 2)


def floats(dtype):
    """Any finite float, the outermost ones and those of moderate size more often than others."""
    width = 32 if dtype is np.float32 else 64
    return st.sampled_from(edges(dtype)) | st.floats(-50, 50, width=width) | st.floats(allow_nan=False, allow_infinity=False, width=width)


def edges(dtype):
    sizes = (float(np.finfo(dtype).max), 1e4, 745.0, 103.0, 40.0, 17.0, 1.0, float(np.finfo(dtype).tiny), 0.0)
    return [sign * size for size in sizes for sign in (1, -1)]


def assert_exact(found, exact, ulps, at=0, relative=0):
    """`found` differs from the exact result by at most `ulps` spacings there (or at `at`), or relatively by `relative`."""
    eps, smallest = (Decimal(float(x)) for x in (np.finfo(found.dtype).eps, np.finfo(found.dtype).smallest_subnormal))
    allowed = ulps * max(eps * abs(exact), eps * Decimal(at), smallest) + eps * relative * abs(exact)
    right = abs(exact) > Decimal(float(np.finfo(found.dtype).max)) if np.isinf(found) else abs(Decimal(float(found)) - exact) <= allowed
    assert right, f"{found}, not {exact:.20e}"


CURVES = {  # (function, exact value, exact slope)
    "sigmoid": (tn.sigmoid, exact_sigmoid, lambda a: exact_sigmoid(a) * exact_sigmoid(-a)),
    "softplus": (softplus, exact_softplus, exact_sigmoid),
    "logsigmoid": (logsigmoid, lambda a: -exact_softplus(-a), lambda a: exact_sigmoid(-a)),
    "silu": (silu, lambda a: a * exact_sigmoid(a), None),       # its slope has a zero, where no digits can be right
}


@both_dtypes
@pytest.mark.parametrize("name", CURVES)
@given(data=st.data())
def test_activations_of_any_float(name, dtype, data):
    function, exact, exact_slope = CURVES[name]
    for a in (*edges(dtype), data.draw(floats(dtype))):
        x = Decimal(float(dtype(a)))
        assert_exact(function(leaf(a, dtype)).numpy(), exact(x), 4, at=min(abs(a), 1e3) * float(np.finfo(dtype).tiny) if name == "silu" else 0)
        if exact_slope:
            assert_exact(slopes(function, a, dtype=dtype)[0], exact_slope(x), 6)
        assert np.isfinite(slopes(function, a, dtype=dtype)[0]) and np.isfinite(second(function, a))


@both_dtypes
@given(data=st.data())
def test_logaddexp_of_any_two_floats(dtype, data):
    a, b = (float(dtype(data.draw(floats(dtype)))) for _ in range(2))
    gap, top = Decimal(a) - Decimal(b), max(a, b)
    exact = Decimal(top) + exact_softplus(-abs(gap))
    assert_exact(logaddexp(leaf(a, dtype), leaf(b, dtype)).numpy(), exact, 4, at=abs(top))
    for g, slope in zip(slopes(logaddexp, a, b, dtype=dtype), (exact_sigmoid(gap), exact_sigmoid(-gap)), strict=True):
        assert_exact(g, slope, 6, relative=min(abs(gap), 1000))                 # the rounding of a − b is magnified
    assert np.isfinite(second(lambda x: logaddexp(x, b), a))


@both_dtypes
@given(data=st.data())
def test_softmax_and_its_relatives_of_any_floats(dtype, data):
    a = np.array(data.draw(st.lists(floats(dtype), min_size=1, max_size=5)), dtype)
    g = np.array(data.draw(st.lists(st.floats(-1, 1, width=32), min_size=a.size, max_size=a.size)), dtype)
    scores, weights = ([Decimal(float(x)) for x in values] for values in (a, g))
    below = [x - max(scores) for x in scores]
    log_total = sum(x.exp() for x in below).ln()
    p = [(x - log_total).exp() for x in below]
    total, mean = sum(weights), sum(w * q for w, q in zip(weights, p, strict=True))

    x = leaf(a, dtype)
    values = tn.softmax(x, 0), tn.log_softmax(x, 0), tn.logsumexp(x, 0)
    gradients = [tn.grad(y, x, tn.tensor(g if y.ndim else np.ones((), dtype)))[0].numpy() for y in values]
    assert_exact(values[2].numpy(), max(scores) + log_total, 8, at=max(1, abs(max(scores))))
    for i in range(a.size):
        spread = min(abs(below[i]), 1000)
        assert_exact(values[0].numpy()[i], p[i], 8, relative=spread)               # the rounding of aᵢ − max a is magnified
        assert_exact(values[1].numpy()[i], below[i] - log_total, 8, at=1)
        assert_exact(gradients[0][i], p[i] * (weights[i] - mean), 20, at=1)
        assert_exact(gradients[1][i], weights[i] - p[i] * total, 20, at=1)
        assert_exact(gradients[2][i], p[i], 8, relative=spread)
    for function in (tn.softmax, tn.log_softmax, tn.logsumexp):
        assert np.isfinite(second(lambda x, f=function: f(x, 0), a)).all()
