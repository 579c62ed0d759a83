"""Every rule on the GPU, fused or by hand, against the rule itself on the CPU."""

import contextlib

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from operation_samples import SAMPLES

import tinygrad_nuc as tn
from tinygrad_nuc.devices.kernels import convolution, registry, sums
from tinygrad_nuc.devices.kernels.elementwise import Fused
from tinygrad_nuc.devices.moving import on_device
from tinygrad_nuc.engine.arrays import on_host
from tinygrad_nuc.engine.registry import table
from tinygrad_nuc.operations.indexing import at_once

OPERATIONS = vars(table)
F = tn.nn.functional
RTOL = {np.dtype(np.float32): 3e-5, np.dtype(np.float64): 1e-12}
# rounding in other orders, and functions that differ in the last digits, of numbers that may be large on the way
ATOL = {np.dtype(np.float32): 3e-5, np.dtype(np.float64): 1e-12}


def there(x):
    return on_device(x, "cuda") if isinstance(x, np.ndarray) else tuple(map(there, x)) if isinstance(x, tuple) else x


def agree(found, expected):
    assert found.shape == expected.shape and found.dtype == expected.dtype
    tolerance = {"rtol": RTOL.get(expected.dtype, 0), "atol": ATOL.get(expected.dtype, 0)}
    np.testing.assert_allclose(on_host(found), expected, **tolerance)


def run_both(rule, arguments, options):
    """The rule on the CPU, and what runs in its place on the GPU."""
    with np.errstate(all="ignore"):
        expected = rule(*arguments, **options)
    return registry.version_of(rule)(*map(there, arguments), **{k: there(v) for k, v in options.items()}), expected


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", OPERATIONS)
@settings(max_examples=4, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_every_rule_gives_what_it_gives_on_the_cpu(gpu, name, dtype, data):
    operation = OPERATIONS[name]
    arrays, options = data.draw(SAMPLES[operation].strategy)
    arrays = [a.astype(dtype) if a.dtype.kind == "f" else a for a in arrays]
    with contextlib.suppress(np.linalg.LinAlgError):
        y, expected = run_both(operation.forward, arrays, options)
        agree(y, np.asarray(expected))
        g = np.random.default_rng(0).uniform(-1, 1, np.shape(expected)).astype(np.asarray(expected).dtype)
        for i, derivative in enumerate(operation.derivatives(len(arrays))):
            if derivative is not None:
                found, expected_g = run_both(derivative, (g, np.asarray(expected), *arrays), options)
                agree(found, np.asarray(expected_g, found.dtype))       # the engine casts it in any case


# ---------------------------------------------------------------------- which rules are kernels

@pytest.mark.parametrize("rule, dtypes", [
    (table.Sigmoid.forward, "f"), (table.Sigmoid.grad_a, "fff"), (table.Softplus.forward, "f"), (table.Relu.grad_a, "fff"),
    (table.Erf.forward, "f"), (table.Erf.grad_a, "fff"), (table.BinaryCrossEntropyWithLogits.forward, "ff"),
    (table.BinaryCrossEntropyWithLogits.grad_x, "ffff"), (table.Tanh.grad_a, "ddd"), (table.Power.grad_b, "dddd")])
def test_rules_of_several_launches_are_one_kernel(gpu, rule, dtypes):
    formula = registry.version_of(rule).kernel.traced(tuple(map(np.dtype, dtypes)), {})
    assert formula is not None and "result =" in formula[1]


def test_most_elementwise_rules_are_one_kernel_and_single_calls_stay_as_they_are(gpu):
    def formula(operation, name):
        fused = Fused(registry.plainer.get(getattr(operation, name), getattr(operation, name)))
        return fused.traced((np.dtype(np.float32),) * len(fused.names), {}) is not None
    rules = [(operation, f"grad_{name}") for operation in OPERATIONS.values() for name in operation.arguments
             if not operation.takes_many and hasattr(operation, f"grad_{name}")]
    assert sum(formula(*rule) for rule in rules) >= 45
    assert not formula(table.Multiply, "grad_a") and not formula(table.Add, "grad_a") and not formula(table.Exp, "forward")


@pytest.mark.parametrize("make", [
    lambda x: (tn.softmax(x, 1), "softmax"), lambda x: (x.sum(0), "sums"), lambda x: (x.mean(0), "sums")])
def test_switched_off_the_rules_run_as_they_stand(gpu, make):
    x = tn.randn(5, 7).to("cuda")
    on, _ = make(x)
    tn.cuda.use_kernels(False)
    try:
        off, _ = make(x)
    finally:
        tn.cuda.use_kernels(True)
    np.testing.assert_allclose(on.numpy(), off.numpy(), rtol=1e-5, atol=1e-6)
    with pytest.raises(TypeError, match="use_kernels: True or False, not 'no'"):
        tn.cuda.use_kernels("no")


# ---------------------------------------------------------------------- values at the edges

EDGES = np.array([np.nan, np.inf, -np.inf, 0.0, -0.0, 1e-30, -1e30, 88.0, -88.0, 1e4, -1e4, 0.5, -0.5, 1.0, -1.0])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("name", [name for name, operation in OPERATIONS.items() if operation.arguments == ("a",)
                                  and operation.forward.__kwdefaults__ is None and not operation.takes_many
                                  and operation.forward.__code__.co_kwonlyargcount == 0])
def test_infinities_nan_and_zeros_come_out_as_on_the_cpu(gpu, name, dtype):
    operation = OPERATIONS[name]
    fused = registry.version_of(operation.forward).kernel
    if not isinstance(fused, Fused) or fused.traced((np.dtype(dtype),), {}) is None:
        return                                                      # not one kernel: CuPy's own functions
    a = EDGES.astype(dtype)
    y, expected = run_both(operation.forward, [a], {})
    agree(y, expected)
    g = np.ones_like(expected)
    found, slope = run_both(operation.grad_a, [g, expected, a], {})
    # numbers that are no normal ones any more are 0 on a GPU
    tiny = np.finfo(dtype).tiny
    np.testing.assert_allclose(on_host(found), np.where(np.abs(slope) < tiny, 0, slope), rtol=RTOL[np.dtype(dtype)], atol=tiny)


@pytest.mark.parametrize("row", [[np.inf, 0, 1], [-np.inf, 0, 1], [-np.inf] * 3, [np.nan, 0, 1], [0, 1, np.nan], [np.inf, np.inf, 0],
                                 [1e38, -1e38, 0], [3.0, 3.0, 3.0]])
def test_softmax_of_unusual_scores(gpu, row):
    a = np.array([row, [1, 2, 3]], np.float32)
    for rule in (table.Softmax.forward, table.LogSoftmax.forward):
        y, expected = run_both(rule, [a], {"axis": 1})
        agree(y, expected)


# ---------------------------------------------------------------------- kernels by hand, at sizes that fill several blocks

def rng_array(*shape, dtype=np.float32):
    return np.random.default_rng(sum(shape)).standard_normal(shape).astype(dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("rows, columns", [(1, 1), (1, 100), (7, 1), (33, 31), (200, 65), (5, 1000)])
def test_rows_and_columns_of_any_number(gpu, rows, columns, dtype):
    a, g = rng_array(rows, columns, dtype=dtype), rng_array(columns, rows, dtype=dtype).T.copy()
    for rule, options in ((table.Softmax, {"axis": 1}), (table.LogSoftmax, {"axis": -1}), (table.Sum, {"axis": 0, "keepdims": False}),
                          (table.Sum, {"axis": (0,), "keepdims": True})):
        y, expected = run_both(rule.forward, [a], options)
        agree(y, expected)
        if rule is not table.Sum:
            agree(*run_both(rule.grad_a, [g, expected, a], options))
    t = np.random.default_rng(0).integers(0, columns, rows)
    t[::3] = -100
    y, expected = run_both(table.CrossEntropy.forward, [a, t], {"axis": 1, "ignored": -100})
    agree(y, expected)
    for upstream in (rng_array(rows, dtype=dtype), np.broadcast_to(np.asarray(0.5, dtype), (rows,))):
        found, slope = run_both(table.CrossEntropy.grad_x, [upstream, expected, a, t], {"axis": 1, "ignored": -100})
        agree(found, slope.astype(dtype))


@pytest.mark.parametrize("axis, keepdims", [((0, 2, 3), True), ((0, 2, 3), False), ((2, 3), False), (0, True), ((0, 1), False), ((1, 3), False),
                                            (None, False), (-1, False), ((0, 1, 2), False)])
def test_sums_over_any_axes(gpu, axis, keepdims):
    a = rng_array(3, 4, 5, 6)
    agree(*run_both(table.Sum.forward, [a], {"axis": axis, "keepdims": keepdims}))


@pytest.mark.parametrize("shape", [(4,), (1, 4), (3, 1), (1, 1), (3, 4), (2, 1, 4), (1, 3, 1), ()])
def test_broadcasting_is_undone(gpu, shape):
    from tinygrad_nuc.engine.backward import sum_over_copies
    g = rng_array(2, 3, 4)
    if len(shape) == 2:
        g = g[0]
    if shape in ((3, 4),):
        g = rng_array(2, 3, 4)
    agree(*run_both(sum_over_copies, [g, shape], {}))


def agree_with_the_sum(found, a):
    """As close to the sum over all axes but 1 as rounding in a good order allows."""
    numbers = a.size // max(a.shape[1], 1)
    of_each = np.ascontiguousarray(np.moveaxis(a, 1, 0), np.float64).reshape(a.shape[1], numbers)
    expected, last_digit = of_each.sum(1), np.finfo(a.dtype).eps        # in rows NumPy adds pairwise, in columns not
    assert found.shape == expected.shape and found.dtype == a.dtype
    np.testing.assert_allclose(on_host(found), expected, rtol=20 * last_digit, atol=10 * last_digit * np.sqrt(numbers))


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("shape", [(100_000, 1), (5000, 3), (3, 5000), (70, 33), (2048, 64), (40_000, 2), (20_000, 64),
                                   (0, 3), (3, 0), (0, 1), (64, 16, 14 * 14), (1, 3, 5000), (300, 2, 7), (1, 2, 40_000),
                                   (3, 2, 20_000), (5000, 2, 9), (1, 4, 1), (0, 3, 4), (2, 3, 0)])
def test_sums_of_many_numbers(gpu, shape, dtype):
    a = rng_array(*shape, dtype=dtype)
    axis = (0, 2)[:len(shape) - 1]
    agree_with_the_sum((sums.sum_over_rows if len(shape) == 2 else sums.sum_over_pixels)(there(a)), a)
    agree_with_the_sum(registry.version_of(table.Sum.forward)(there(a), axis=axis, keepdims=False), a)


def launches(monkeypatch, kernel):
    """A list that the blocks and threads of its launches are added to."""
    seen, launch = [], type(kernel).__call__

    def noted(self, dtype, blocks, threads, arguments):
        if self is kernel:
            seen.append((blocks, threads))
        launch(self, dtype, blocks, threads, arguments)
    monkeypatch.setattr(type(kernel), "__call__", noted)
    return seen


@pytest.mark.parametrize("shape, over_pixels, over_rows", [
    ((70, 33), [], [((2, 1), (32, 32))]), ((2048, 64), [], [((2, 4), (32, 32)), ((2, 1), (32, 32))]),
    ((5000, 3), [], [((1, 2), (4, 256)), ((1, 1), (4, 256))]), ((3, 5000), [], [((157, 1), (32, 32))]),
    ((9, 1), [], []),
    ((300_000, 32), [], [((1, 512), (32, 32)), ((1, 1), (32, 32))]), ((300, 2, 7), [((2, 1, 1), (8, 128))], []),
    ((64, 16, 196), [((16, 1, 1), (256, 4))], []), ((1, 3, 50_000), [((3, 1, 4), (1024, 1))], [((1, 1), (4, 256))]),
    ((3, 2, 20_000), [((2, 3, 1), (1024, 1))], [((1, 1), (2, 512))])])
def test_long_sums_are_shared_by_many_blocks(gpu, monkeypatch, shape, over_pixels, over_rows):
    rows, pixels = launches(monkeypatch, sums.ROWS), launches(monkeypatch, sums.PIXELS)
    a = gpu.zeros(shape, np.float32)
    (sums.sum_over_rows if a.ndim == 2 else sums.sum_over_pixels)(a)
    assert rows == over_rows and pixels == over_pixels


def test_sums_have_the_same_digits_every_time(gpu):
    for a in (there(rng_array(20_000, 5)), there(rng_array(40, 3, 1000))):
        axis, total = (0, -1)[:a.ndim - 1], registry.version_of(table.Sum.forward)
        first, second = (total(a, axis=axis, keepdims=False) for _ in range(2))
        np.testing.assert_array_equal(on_host(first), on_host(second))


@pytest.mark.parametrize("shape, index", [
    ((6,), (there, Ellipsis)), ((6,), (there,)), ((2, 6), (slice(None), there)), ((6,), (None, there))])
@pytest.mark.parametrize("positions", [[4, 0, 4, -1], [[1, 1], [5, -6]], []])
def test_elements_picked_twice_receive_twice(gpu, shape, index, positions):
    positions = np.array(positions, np.int64)
    here, on_gpu = (tuple(make(positions) if part is there else part for part in index) for make in (np.copy, there))
    a = rng_array(*np.zeros(shape)[here].shape)
    expected = table.IndexAdd.forward(a, index=here, shape=shape)
    agree(registry.version_of(table.IndexAdd.forward)(there(a), index=on_gpu, shape=shape), expected)


def test_positions_in_a_vector_are_used_as_they_are(gpu):
    y, positions, mask = gpu.zeros(5), there(np.array([1, 1])), there(np.ones(5, bool))
    assert all(at_once(y, index)[1] is positions for index in (positions, (positions,), (positions, Ellipsis)))
    assert at_once(y, (mask, Ellipsis))[1] is not mask
    assert at_once(gpu.zeros((5, 2)), (positions, Ellipsis))[1] is not positions


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("stride, padding, dilation", [(1, 0, 1), (1, 1, 1), (2, 1, 1), (3, 2, 2), (2, 0, 3)])
def test_convolutions_and_all_their_derivatives(gpu, stride, padding, dilation, groups):
    x, w, b = rng_array(3, 4, 11, 9), rng_array(6, 4 // groups, 3, 2), rng_array(6)
    found = []
    for device in ("cpu", "cuda"):
        x_, w_, b_ = (tn.tensor(t).to(device).requires_grad_() for t in (x, w, b))
        y = F.conv2d(x_, w_, b_, stride=stride, padding=padding, dilation=dilation, groups=groups)
        grads = tn.grad(y, (x_, w_, b_), y.detach(), create_graph=True)
        second = tn.grad(sum((g * g * g).sum() for g in grads) + (grads[2] * b_).sum(), (x_, w_, b_))
        found.append([t.numpy() for t in (y, *grads, *second)])
    for here, on_gpu in zip(*found, strict=True):
        np.testing.assert_allclose(on_gpu, here, rtol=1e-3, atol=1e-3 * np.abs(here).max())


def convolved(x, w, b, device):
    """y, its gradients, and theirs."""
    x, w, b = (tn.tensor(t).to(device).requires_grad_() for t in (x, w, b))
    y = F.conv2d(x, w, b, stride=2, padding=1)
    grads = tn.grad(y, (x, w, b), y.detach(), create_graph=True)
    return [y, *grads, *tn.grad((grads[0] ** 2).sum() + (grads[1] ** 3).sum(), (x, w))]


@pytest.mark.parametrize("most, portions", [(2 ** 26, [5]), (5 * 720, [5]), (5 * 720 - 1, [4, 1]), (2 * 720, [2, 2, 1]),
                                            (1, [1] * 5)])
def test_images_take_turns_where_their_columns_are_too_many(gpu, monkeypatch, most, portions):
    x, w, b = (rng_array(*shape, dtype=np.float64) for shape in ((5, 4, 7, 9), (3, 4, 3, 3), (3,)))
    monkeypatch.setattr(convolution, "MOST_NUMBERS", most)         # an image has 4·3·3 rows and 4·5 columns
    made, columns, multiply, products = [], convolution.columns, convolution.product, []
    monkeypatch.setattr(convolution, "columns", lambda a, windows: made.append(len(a)) or columns(a, windows))
    monkeypatch.setattr(convolution, "product", lambda a, b: products.append(0) or multiply(a, b))
    y = F.conv2d(*(tn.tensor(t).to("cuda") for t in (x, w, b)), stride=2, padding=1)
    assert made == portions and len(products) == len(portions)
    expected = F.conv2d(*map(tn.tensor, (x, w, b)), stride=2, padding=1)
    np.testing.assert_allclose(y.numpy(), expected.numpy(), rtol=1e-12, atol=1e-12)
    for here, on_gpu in zip(convolved(x, w, b, "cpu"), convolved(x, w, b, "cuda"), strict=True):
        np.testing.assert_allclose(on_gpu.numpy(), here.numpy(), rtol=1e-10, atol=1e-10 * np.abs(here.numpy()).max())
    assert len(made) > len(portions) and set(made) == set(portions)


def test_images_take_turns_in_a_recorded_step_too(gpu, monkeypatch):
    monkeypatch.setattr(convolution, "MOST_NUMBERS", 500)
    w = tn.tensor(rng_array(3, 1, 3, 3)).to("cuda").requires_grad_()
    b = tn.tensor(rng_array(3)).to("cuda").requires_grad_()

    def step(x):
        y = F.conv2d(x, w, b)
        return y, *tn.grad((y * y).sum(), (w, b))
    recorded = tn.cuda.capture(step)
    for seed in range(5):
        x = tn.tensor(np.random.default_rng(seed).standard_normal((4, 1, 8, 8)).astype(np.float32)).to("cuda")
        for found, expected in zip(recorded(x), step(x), strict=True):
            np.testing.assert_allclose(found.numpy(), expected.numpy(), rtol=1e-5, atol=1e-4)
    assert recorded.reason == "" and recorded.replays == 3


@pytest.mark.parametrize("size, stride, padding, dilation", [(2, 2, 0, 1), (3, 2, 1, 1), (3, 1, 1, 2), ((2, 3), (1, 2), (1, 1), 1)])
def test_max_pooling_finds_the_same_pixels(gpu, size, stride, padding, dilation):
    x = rng_array(2, 3, 9, 10)
    x[0, 0, 2, 3] = x[1, 1, 0, 0] = np.nan
    x[0, 1] = 1.0                                                   # ties: the first pixel
    found = [F.max_pool2d(tn.tensor(x).to(device), size, stride, padding, dilation, return_indices=True) for device in ("cpu", "cuda")]
    for here, on_gpu in zip(*found, strict=True):
        np.testing.assert_array_equal(on_gpu.numpy(), here.numpy())


@pytest.mark.parametrize("shapes", [((3, 4), (4, 5)), ((1, 4), (4, 1)), ((2, 3, 4), (4, 5)), ((2, 3, 4), (2, 4, 5)), ((3, 4), (2, 4, 5)),
                                    ((2, 1, 3, 4), (5, 4, 2)), ((0, 4), (4, 3)), ((3, 0), (0, 2))])
def test_products_by_cublas_itself(gpu, shapes):
    from tinygrad_nuc.devices.kernels import matmul
    for dtype in (np.float32, np.float64):
        a, b = (rng_array(*shape, dtype=dtype) for shape in shapes)
        tn.set_float32_matmul_precision("high")                     # which CuPy is not asked for
        try:
            y = matmul.product(there(a), there(b))
            turned = matmul.product(there(np.swapaxes(b, -1, -2).copy()).swapaxes(-1, -2) if a.ndim == b.ndim else there(b), there(a)) \
                if a.shape[-2] == b.shape[-1] and a.ndim == b.ndim == 2 else None
        finally:
            tn.set_float32_matmul_precision("highest")
        tolerance = 1e-2 if dtype == np.float32 else 1e-12          # 3 digits
        np.testing.assert_allclose(on_host(y), a @ b, rtol=tolerance, atol=tolerance)
        if turned is not None:
            np.testing.assert_allclose(on_host(turned), b @ a, rtol=tolerance, atol=tolerance)


def test_transposed_matrices_are_read_where_they_are(gpu):
    from tinygrad_nuc.devices.kernels import matmul
    a, b = rng_array(6, 5), rng_array(7, 5)
    for x in (there(a), there(a[::2]), there(a).T, there(a)[:, 1:4], there(a)[::2]):
        laid_out, way, rows = matmul.laid_out(x)
        np.testing.assert_array_equal(on_host(laid_out), on_host(x))
        assert way in (0, 1) and rows >= 1
    assert matmul.laid_out(there(a).T)[1:] == (matmul.TRANSPOSED, 5) and matmul.laid_out(there(a))[1:] == (matmul.AS_IT_IS, 5)
    np.testing.assert_allclose(on_host(matmul.multiplied(there(a), there(b).T)), a @ b.T, rtol=1e-5)
    np.testing.assert_allclose(on_host(matmul.multiplied(there(a).T, there(a))), a.T @ a, rtol=1e-5)


# ---------------------------------------------------------------------- dropout

def test_dropout_drops_the_right_share_and_repeats_with_its_seed(gpu):
    tn.manual_seed(1)
    x = tn.ones(1000, 100).to("cuda")
    y = F.dropout(x, 0.3).numpy()
    assert set(np.unique(y)) == {np.float32(0), np.float32(1 / 0.7)}
    assert abs((y == 0).mean() - 0.3) < 5 * np.sqrt(0.3 * 0.7 / y.size)
    assert abs(np.corrcoef(y[:-1].ravel(), y[1:].ravel())[0, 1]) < 5 / np.sqrt(y.size)
    assert abs(np.corrcoef(y[:, :-1].ravel(), y[:, 1:].ravel())[0, 1]) < 5 / np.sqrt(y.size)
    other = F.dropout(x, 0.3).numpy()
    assert abs((y == other).mean() - 0.58) < 5 * np.sqrt(0.58 * 0.42 / y.size)
    tn.manual_seed(1)
    np.testing.assert_array_equal(F.dropout(x, 0.3).numpy(), y)
    assert (F.dropout(x, 1.0).numpy() == 0).all() and F.dropout(x, 0.0) is x


def test_the_gaps_are_those_of_splitmix64(gpu):
    tn.manual_seed(4)
    y = F.dropout(tn.ones(6, dtype=tn.float64).to("cuda"), 0.5).numpy()
    tn.manual_seed(4)
    state, u = int(tn.default_generator().integers(0, 2 ** 63)), []
    for _ in range(6):
        state = (state + 0x9E3779B97F4A7C15) % 2 ** 64
        z = state
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 % 2 ** 64
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB % 2 ** 64
        u.append(((z ^ (z >> 31)) >> 40) / 2 ** 24)
    np.testing.assert_array_equal(y, np.where(np.array(u) >= 0.5, 2.0, 0.0))


def test_labels_that_are_no_classes_give_nan_and_read_nothing_else(gpu):
    x = tn.tensor([[1.0, 2.0, 3.0]] * 4).to("cuda").requires_grad_()
    loss = F.cross_entropy(x, tn.tensor([3, -1, 0, 10 ** 12]).to("cuda"), reduction="none")
    np.testing.assert_allclose(loss.numpy(), [np.nan, np.nan, 2.4076059, np.nan], rtol=1e-6)
    loss.sum().backward()
    assert np.isnan(x.grad.numpy()).all(1).tolist() == [True, True, False, True]


def test_an_operation_of_ones_own_may_have_any_names(gpu):
    class Größe(tn.Operation):
        """y = exp(i) + t0²"""
        def forward(i, exp, t0):           return np.exp(i) + exp * t0 * t0
        def grad_i(g, y, i, exp, t0):      return g * np.exp(i) + 0 * exp
    try:
        y = Größe.apply(tn.tensor([0.0, 1.0]).to("cuda"), 2.0, tn.tensor([1.0, 3.0]).to("cuda"))
        np.testing.assert_allclose(y.numpy(), [3, np.e + 18], rtol=1e-6)
    finally:
        del table.Größe


def test_an_optimizer_may_remember_under_any_name(gpu):
    class Ordinary(tn.optim.Optimizer):
        elementwise = True
        def __init__(self, params):
            super().__init__(params, {})
        def change(self, p, g, state):
            state["running mean"] = 0.5 * state.get("running mean", 0) + g
            return -state["running mean"]
    w = tn.tensor([1.0, 2.0]).to("cuda").requires_grad_()
    optimizer = Ordinary([w])
    for _ in range(2):
        w.grad = tn.tensor([1.0, -1.0]).to("cuda")
        optimizer.step()
    assert w.tolist() == [-1.5, 4.5] and optimizer.state[w]["running mean"].tolist() == [1.5, -1.5]
