"""What rearranges, picks, sorts and accumulates: PyTorch's conventions, who gets the gradient, copies, dtypes, errors."""

import math

import numpy as np
import pytest
from device_option import UNCHECKED

import tinygrad_nuc as tn

F = tn.nn.functional
NAN, INF = math.nan, math.inf
A = tn.tensor([[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]])
TIES = [3.0, 1.0, 3.0, 1.0, 2.0]


def gradient(call, *data, weights=None):
    """∂(Σ weights · call)/∂ the first of the data, as a list."""
    x = tn.tensor(data[0], dtype=tn.float64, requires_grad=True)
    y = call(x, *map(tn.tensor, data[1:]))
    y.backward(tn.ones_like(y) if weights is None else tn.tensor(weights, dtype=tn.float64))
    return x.grad.tolist()


# ---------------------------------------------------------------------- conventions: the numbers are PyTorch's

@pytest.mark.parametrize(("call", "expected"), [
    (lambda: tn.roll(A, 1), [[5, 0, 1], [2, 3, 4]]),
    (lambda: tn.roll(A, (1, 2), (0, 1)), [[4, 5, 3], [1, 2, 0]]),
    (lambda: tn.rot90(A), [[2, 5], [1, 4], [0, 3]]),
    (lambda: A.repeat(1, 2), [[0, 1, 2, 0, 1, 2], [3, 4, 5, 3, 4, 5]]),
    (lambda: tn.repeat_interleave(A, tn.tensor([1, 2]), dim=0), [[0, 1, 2], [3, 4, 5], [3, 4, 5]]),
    (lambda: F.pad(A, (1, 2), value=5.0), [[5, 0, 1, 2, 5, 5], [5, 3, 4, 5, 5, 5]]),
    (lambda: F.pad(A, (0, 1, 1, 0)), [[0, 0, 0, 0], [0, 1, 2, 0], [3, 4, 5, 0]]),
    (lambda: F.pad(A, (-1, 2)), [[1, 2, 0, 0], [4, 5, 0, 0]]),
    (lambda: F.pad(A, (1, 1), mode="reflect"), [[1, 0, 1, 2, 1], [4, 3, 4, 5, 4]]),
    (lambda: F.pad(A, (-1, 1), mode="reflect"), [[1, 2, 1], [4, 5, 4]]),
    (lambda: tn.gather(A, 0, tn.tensor([[0, 1]])), [[0, 4]]),
    (lambda: tn.scatter(A, 1, tn.tensor([[0, 2], [1, 1]]), 9.0), [[9, 1, 9], [3, 9, 5]]),
    (lambda: tn.scatter(A, 1, tn.tensor([[0, 2], [1, 1]]), tn.tensor([[10.0, 20.0], [30.0, 40.0]])), [[10, 1, 20], [3, 40, 5]]),
    (lambda: tn.index_add(A, 1, tn.tensor([0, 0]), tn.ones(2, 2), alpha=2), [[4, 1, 2], [7, 4, 5]]),
    (lambda: tn.index_select(A, 1, tn.tensor(0)), [[0], [3]]),
    (lambda: tn.take(A, tn.tensor([[0, -1]])), [[0, 5]]),
    (lambda: tn.diag(A, -1), [3]),
    (lambda: tn.diag(tn.tensor([1.0, 2.0]), 1), [[0, 1, 0], [0, 0, 2], [0, 0, 0]]),
    (lambda: tn.median(tn.tensor([1, 2, 3, 4])), 2),
    (lambda: tn.quantile(tn.tensor([2.0, 2.0, 0.0, 1.0]), 0.3, interpolation="nearest"), 1),
    (lambda: tn.cumsum(tn.tensor([100, 100], dtype=tn.int8), 0), [100, 200]),
    (lambda: tn.diff(A, n=9), [[], []]),
    (lambda: tn.diff(tn.tensor([True, False, False])), [True, False]),
    (lambda: tn.trapezoid(A, tn.tensor([0.0, 1.0, 3.0])), [3.5, 12.5]),
    (lambda: tn.prod(tn.tensor([1.5, 2.5]), dtype=tn.int64), 2),
    (lambda: tn.tensor([1, 2]).masked_fill(tn.tensor([True, False]), 0.5), [0, 2]),
    (lambda: tn.meshgrid(tn.tensor([1.0, 2.0]), tn.tensor(3.0), indexing="xy")[1], [[3, 3]]),
])
def test_values_are_pytorchs(call, expected):
    assert call().tolist() == expected


@pytest.mark.parametrize(("call", "lengths"), [
    (lambda t: t.split(2), [2, 2, 1]), (lambda t: t.split([4, 1]), [4, 1]), (lambda t: t.chunk(4), [2, 2, 1]),
    (lambda t: t.tensor_split(3), [2, 2, 1]), (lambda t: t.tensor_split([1, 7, 3]), [1, 4, 0, 2]),
    (lambda t: t[:0].split(0), [0]), (lambda t: t[:0].chunk(3), [0, 0, 0]), (lambda t: t.split(9), [5]),
])
def test_how_many_pieces_there_are(call, lengths):
    pieces = call(tn.arange(5))
    assert type(pieces) is tuple and [len(piece) for piece in pieces] == lengths


def test_sorting_is_stable_both_ways_and_nan_is_the_largest():
    x = tn.tensor([[3.0, 1.0, 3.0, NAN], [2.0, 2.0, 0.0, 1.0]])
    up, down = x.sort(), x.sort(descending=True)
    assert up.indices.tolist() == [[1, 0, 2, 3], [2, 3, 0, 1]] == x.argsort().tolist()
    assert down.indices.tolist() == [[3, 0, 2, 1], [0, 1, 3, 2]] == x.argsort(descending=True).tolist()
    assert str(up.values.tolist()) == "[[1.0, 3.0, 3.0, nan], [0.0, 1.0, 2.0, 2.0]]"
    assert x.topk(1).indices.tolist() == [[3], [0]] and x.kthvalue(2).indices.tolist() == [0, 3]
    assert np.isnan(x.median().item()) and x.median(1, keepdim=True).indices.tolist() == [[3], [3]]
    assert np.isnan(np.median(x, axis=1)).tolist() == [True, False] == np.isnan(x.quantile(0.1, dim=1)).tolist()


def test_running_extremes_take_the_last_of_equal_values_and_keep_nan():
    x = tn.tensor([[3.0, 1.0, 3.0, NAN, 5.0], [2.0, 2.0, 0.0, 1.0, 0.0]])
    assert x.cummax(1).indices.tolist() == [[0, 0, 2, 3, 3], [0, 1, 1, 1, 1]]
    assert x.cummin(1).indices.tolist() == [[0, 1, 1, 3, 3], [0, 1, 2, 2, 4]]


def test_results_come_with_names_and_numpys_come_without():
    x = tn.tensor([3.0, 1.0, 2.0])
    for named in (x.sort(), x.topk(2), x.kthvalue(1), x.median(0), x.cummax(0)):
        assert named.values is named[0] and named.indices.dtype == np.int64 and not named.indices.requires_grad
    assert np.sort(x).tolist() == [1, 2, 3] and np.median(x[:2]).item() == 2.0 and tn.median(x[:2]).item() == 1.0
    assert type(np.split(x, 3)) is list and type(tn.split(x, 1)) is tuple


def test_both_names_for_the_axis_are_understood():
    x = tn.tensor([[3.0, 1.0], [2.0, 5.0]])
    assert x.prod(axis=0).tolist() == x.prod(dim=0).tolist() and x.cumsum(axis=1).tolist() == x.cumsum(1).tolist()
    assert x.sort(axis=0).values.tolist() == x.sort(0)[0].tolist() and x.quantile(0.5, axis=0, keepdims=True).shape == (1, 2)
    assert tn.flip(x, dims=[0]).tolist() == x.flip(0).tolist() == x.flip([0]).tolist() == [[2, 5], [3, 1]]


# ---------------------------------------------------------------------- who gets the gradient

@pytest.mark.parametrize(("call", "expected"), [
    (lambda x: x.topk(1).values, [1, 0, 0, 0, 0]), (lambda x: x.topk(2, largest=False).values[1:], [0, 0, 0, 1, 0]),
    (lambda x: x.kthvalue(2).values, [0, 0, 0, 1, 0]), (lambda x: x[:4].median(), [0, 0, 0, 1, 0]),
    (lambda x: np.median(x[:4]), [0.5, 0, 0, 0.5, 0]), (lambda x: np.quantile(x, 0.5), [0, 0, 0, 0, 1]),
    (lambda x: x.cummax(0).values, [2, 0, 3, 0, 0]), (lambda x: x.cummin(0).values, [1, 2, 0, 2, 0]),
    (lambda x: x.gather(0, [0, 0, 4]), [2, 0, 0, 0, 1]), (lambda x: x.masked_fill(x > 1.5, 7.0), [0, 1, 0, 1, 0]),
    (lambda x: np.pad(x, (2, 0), mode="edge"), [3, 1, 1, 1, 1]), (lambda x: F.pad(x, (-1, 0)), [0, 1, 1, 1, 1]),
    (lambda x: x.tile(3), [3] * 5), (lambda x: x.repeat_interleave([1, 0, 2, 0, 0]), [1, 0, 2, 0, 0]),
])
def test_the_gradient_goes_to_the_value_that_was_picked(call, expected):
    assert gradient(call, TIES) == expected


def test_sorted_values_send_their_gradients_back_to_where_they_stood():
    assert gradient(lambda x: x.sort().values, TIES, weights=[1, 2, 3, 4, 5]) == [4, 1, 5, 2, 3]
    assert gradient(lambda x: x.sort(descending=True).values, TIES, weights=[1, 2, 3, 4, 5]) == [1, 4, 2, 5, 3]


def test_between_two_values_both_share_the_gradient():
    assert np.allclose(gradient(lambda x: x.quantile(0.8), [10.0, 0.0, 20.0, 30.0]), [0, 0, 0.6, 0.4])


def test_of_several_values_for_one_place_the_last_wins_and_gets_the_gradient():
    a = tn.zeros(3, requires_grad=True)
    b = tn.tensor([1.0, 2.0, 3.0, 4.0], requires_grad=True)
    y = a.scatter(0, [2, 0, 2, 2], b)
    y.backward(tn.tensor([10.0, 20.0, 30.0]))
    assert y.tolist() == [2, 0, 4] and a.grad.tolist() == [0, 20, 0] and b.grad.tolist() == [0, 10, 0, 30]


@pytest.mark.parametrize("accumulated", [lambda x: x.prod(), lambda x: x.cumprod(0)[-1], lambda x: np.prod(x.reshape(1, -1))])
@pytest.mark.parametrize("values", [(0.0, 3.0, -2.0), (0.0, 0.0, 5.0), (0.0, 0.0, 0.0), (2.0, 3.0, -2.0)])
def test_products_have_right_derivatives_of_every_order_at_zeros(accumulated, values):
    a, b, c = values                                    # P = a b c
    x = tn.tensor(values, requires_grad=True)
    first, = tn.grad(accumulated(x), x, create_graph=True)
    assert first.tolist() == [b * c, a * c, a * b]
    second = [tn.grad(d, x, create_graph=True)[0] for d in first]
    assert [row.tolist() for row in second] == [[0, c, b], [c, 0, a], [b, a, 0]]
    third, = tn.grad(second[0][1], x)                   # ∂³P/∂a∂b∂x = 0, 0, 1
    assert third.tolist() == [0, 0, 1]


@pytest.mark.parametrize("n", range(18))
def test_products_of_any_number_of_values(n):
    x = np.linspace(0.6, 1.7, n)
    np.testing.assert_allclose(tn.tensor(x).prod().item(), np.prod(x), rtol=1e-14)
    np.testing.assert_allclose(tn.tensor(x).cumprod(0).numpy(), np.cumprod(x), rtol=1e-14)
    wave = np.sin(3.0 * np.arange(n))
    np.testing.assert_array_equal(tn.tensor(wave).cummax(0).values.numpy(), np.maximum.accumulate(wave))


# ---------------------------------------------------------------------- memory and dtypes

@pytest.mark.parametrize(("call", "shares"), [
    (lambda t: t.flip(0), False), (np.flip, True), (lambda t: t.rot90(), False), (np.rot90, True), (lambda t: t.roll(0), False),
    (lambda t: F.pad(t, (0, 0)), False), (lambda t: F.pad(t, (0, 0), "reflect"), False), (lambda t: t.tile(1), False),
    (lambda t: t.repeat(1, 1), False), (lambda t: t.repeat_interleave(1, 0), False), (lambda t: t.prod(()), False),
    (lambda t: t[:1].prod(0), False), (lambda t: t[:1].cumprod(0), False), (lambda t: t.diff(0), False), (lambda t: t.diag(), False),
    (lambda t: t.tril(9), False), (lambda t: t.masked_fill(t < 0, 1), False), (lambda t: t[:, :1].sort().values, False),
    (lambda t: t.diagonal(), True), (lambda t: t.T.diagonal(), False), (lambda t: t.split(1)[1], True), (lambda t: t.unbind(1)[1], True),
    (lambda t: t.chunk(2)[0], True), (lambda t: t.movedim(0, 1), True), (lambda t: t.swapdims(0, 1), True),
    (lambda t: t.unflatten(1, (3, 1)), True), (lambda t: t.view_as(tn.zeros(6)), True), (lambda t: t.expand_as(tn.zeros(4, 2, 3)), True),
])
def test_which_results_are_views(call, shares):
    t = tn.tensor([[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]])
    assert np.shares_memory(call(t).data, t.data) == shares


def test_changes_through_a_view_are_noticed():
    x = tn.tensor([[1.0, 2.0], [3.0, 4.0]], requires_grad=True)
    y = (x * x).sum()
    with tn.no_grad():
        x.diagonal().fill_(7)
    assert x.tolist() == [[7, 2], [3, 7]]
    with pytest.raises(RuntimeError, match="changed in place"):
        y.backward()


def test_copies_may_be_written_to():
    for y in (A.tile(2), A[:, :1].repeat(1, 4), A.repeat_interleave(2, 0), np.meshgrid(A[0], A[1])[0], F.pad(A, (1, 1), "circular")):
        y.fill_(1)
    assert A.sum().item() == 15


def test_an_index_that_changes_later_does_no_harm():
    x, index = tn.tensor([1.0, 2.0, 3.0], requires_grad=True), np.array([0, 1])
    results = x.gather(0, index), x.index_select(0, index), x.take(index), x.scatter_add(0, index, x), np.take_along_axis(x, index, 0)
    index[:] = 2
    sum(y.sum() for y in results).backward()
    assert x.grad.tolist() == [6, 6, 1]


@pytest.mark.parametrize("index", [tn.tensor([2, 0]), np.array([2, 0]), [2, 0], np.array([2, 0], np.uint8)])
def test_positions_may_be_tensors_arrays_or_lists(index):
    x = tn.tensor([1.0, 2.0, 3.0])
    for y in (x.gather(0, index), x.index_select(0, index), x.take(index), x.take_along_dim(index, 0), np.take(x, index)):
        assert y.tolist() == [3, 1]


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int32, np.int64, np.bool_])
def test_integers_and_booleans_add_and_multiply_as_in_numpy(dtype):
    a = np.array([[1, 0, 1], [1, 1, 1]]).astype(dtype)
    t = tn.tensor(a)
    for call in (np.prod, np.cumprod, np.cumsum, lambda x: np.prod(x, axis=0), lambda x: np.cumsum(x, axis=1), np.trace, np.median,
                 np.tril, np.diag, np.diff, np.sort, lambda x: np.quantile(x.astype(int), 0.5), lambda x: np.pad(x, 1)):
        y, expected = call(t), call(a)
        assert y.dtype == expected.dtype and y.tolist() == expected.tolist()


@pytest.mark.parametrize("call", [
    lambda x: x.masked_fill(x > 1, 2.5), lambda x: x.scatter(0, [0], 2.5), lambda x: x.quantile(0.3), lambda x: np.percentile(x, [10, 20]),
    lambda x: F.pad(x, (1, 1), value=0.1), lambda x: np.diff(x, prepend=0.5), lambda x: np.append(x, [1.5]), lambda x: tn.trapezoid(x, dx=0.1),
    lambda x: np.select([x > 1], [x], 0.1), lambda x: np.choose(tn.tensor([0, 1, 0]), [x, 0.1]), lambda x: x.index_add(0, [0], x[:1], alpha=0.1),
])
def test_numbers_do_not_promote_float32(call):
    assert call(tn.tensor([1.0, 2.0, 3.0])).dtype == np.float32


# ---------------------------------------------------------------------- errors

@pytest.mark.parametrize(("call", "error", "message"), [
    (lambda: A.flip(2), IndexError, "flip: dimension 2 .* from -2 to 1"), (lambda: A.flip(0, -2), ValueError, "flip: .* twice"),
    (lambda: A.roll((1, 2), 0), ValueError, "roll: 2 shifts .* 1 dims"), (lambda: A.roll((1, 2)), ValueError, "roll: 2 shifts .* 0 dims"),
    (lambda: A.rot90(1, (0, 0)), ValueError, "rot90: .* twice"), (lambda: A.movedim((0, 1), 0), ValueError, "movedim: .* equally many"),
    (lambda: A.split(0), ValueError, "split: .* positive length"), (lambda: A.split([1, 2]), ValueError, r"split: .*\[1, 2\].* add up to 2"),
    (lambda: A.chunk(0), ValueError, "chunk: .* positive number"), (lambda: A.tensor_split(0), ValueError, "tensor_split: .* positive"),
    (lambda: A.hsplit(2), ValueError, "hsplit: 3, .* not divisible by 2"), (lambda: A[0].vsplit(1), ValueError, "vsplit: .* at least 2"),
    (lambda: np.split(A, 2, axis=1), ValueError, "split: 3, .* not divisible"), (lambda: A.unbind(2), IndexError, "unbind: dimension 2"),
    (lambda: A.repeat(2), ValueError, r"repeat: .*\(2, 3\)"), (lambda: A.tile(-1), ValueError, r"tile: .*\(-1,\)"), (lambda: np.tile(A, 1.5), ValueError, "tile"),
    (lambda: A.repeat_interleave([1, 2, 3], 0), ValueError, r"repeat_interleave: .* one count or 2"), (lambda: tn.meshgrid(A), ValueError, "meshgrid: .* vectors"),
    (lambda: tn.meshgrid(A[0], indexing="ab"), ValueError, "'ij' or 'xy'"), (lambda: A.unflatten(1, (2, -1)), ValueError, "unflatten: .* to 3"),
    (lambda: F.pad(A, (1,)), ValueError, "pad: needs two numbers"), (lambda: F.pad(A, (1, 1), "edge"), ValueError, "pad: mode .* not 'edge'"),
    (lambda: F.pad(A, (-2, -2)), ValueError, "pad: .* more than the 3 values"), (lambda: F.pad(A, (3, 0), "reflect"), ValueError, "at most 2 to a dimension of length 3, not 3"),
    (lambda: F.pad(A, (0, 4), "circular"), ValueError, "at most 3"), (lambda: F.pad(A, (1, -1), "circular"), ValueError, "cuts values off"),
    (lambda: F.pad(A, (1, 1), "reflect", 2.0), ValueError, "belongs to mode 'constant'"), (lambda: np.pad(A, -1), ValueError, "not negative"),
    (lambda: np.pad(A, 1, mode="mean"), ValueError, "not 'mean'"), (lambda: np.pad(A[:0], 1, mode="edge"), ValueError, "nothing to repeat along axis 0"),
    pytest.param(lambda: A.gather(1, [[3]]), IndexError, "gather: position 3 .* from 0 to 2", marks=UNCHECKED), pytest.param(lambda: A.gather(1, [[-1]]), IndexError, "gather: position -1", marks=UNCHECKED),
    (lambda: A.gather(1, [0]), ValueError, r"gather: .*\(1,\).*\(2, 3\)"), (lambda: A.gather(1, [[0]] * 3), ValueError, "only along dimension 1"),
    (lambda: A.gather(1, tn.tensor([[1.0]])), TypeError, "gather: .* integer type, not float32"), (lambda: A.gather(1, A > 1), TypeError, "integer type, not bool"),
    pytest.param(lambda: A.scatter(1, [[5]], A), IndexError, "scatter: position 5", marks=UNCHECKED), (lambda: A.scatter(1, [[0, 0]], A[:, :1]), ValueError, r"scatter: .*\(1, 2\).*\(2, 1\)"),
    (lambda: A.scatter_add(1, [[0]], 1.0), TypeError, "scatter_add: src is a tensor, not a float"), pytest.param(lambda: A.take([6]), IndexError, "take: position 6 .* -6 to 5", marks=UNCHECKED),
    (lambda: A.index_select(0, [[0]]), ValueError, "index_select: .* vector"), pytest.param(lambda: A.index_select(0, [-1]), IndexError, "index_select: position -1", marks=UNCHECKED),
    (lambda: A.index_add(0, [0, 1], A[:1]), ValueError, r"index_add: .*\(2, 3\), not \(1, 3\)"), pytest.param(lambda: A[:0].take([0]), IndexError, "nothing to pick from", marks=UNCHECKED),
    (lambda: A.take_along_dim(tn.tensor([0]), 1), ValueError, "take_along_dim: .* dimensions"), pytest.param(lambda: np.take(A, [0, 3], axis=1), IndexError, "take: position 3 .* -3 to 2", marks=UNCHECKED),
    (lambda: A.take_along_dim(tn.zeros(3, 1, dtype=tn.int64), 1), ValueError, "do not broadcast"), (lambda: np.take(A, 0, mode="clip"), TypeError, "mode"),
    (lambda: A.masked_fill(tn.ones(3), 0), TypeError, "masked_fill: .* booleans.* float32"), (lambda: A.masked_fill(A > 1, A), ValueError, "masked_fill: .* single number"),
    (lambda: A.masked_select([True]), TypeError, "masked_select: .* list"), (lambda: np.compress(A > 1, A), ValueError, "compress: .* vector"),
    pytest.param(lambda: np.choose(tn.tensor([2]), [A, A]), ValueError, "choose: .* 0 to 1", marks=UNCHECKED), (lambda: np.select([A > 1], []), ValueError, "select: 1 conditions .* 0 choices"),
    (lambda: A.diagonal(0, 1, -1), ValueError, "diagonal: .* twice"), (lambda: tn.zeros(2, 2, 2).diag(), ValueError, r"diag: .*\(2, 2, 2\)"),
    (lambda: A[0].trace(), ValueError, "trace: expects a matrix"), (lambda: A[0].tril(), ValueError, "tril: expects a matrix"), (lambda: A[0, 0].diag_embed(), ValueError, "diag_embed"),
    (lambda: A.topk(4), ValueError, "topk: k .* 0 to 3"), (lambda: A.kthvalue(0), ValueError, "kthvalue: k .* 1 to 3"), (lambda: A[:0].median(), ValueError, "median: there are no values"),
    (lambda: A.quantile(1.5), ValueError, "quantile: a fraction .* 1.5"), (lambda: tn.quantile(tn.arange(3), 0.5), TypeError, "quantile: .* floating-point .* int64"),
    (lambda: A.quantile(tn.tensor(0.5, requires_grad=True)), TypeError, "q is a setting"), (lambda: A.quantile(0.3, interpolation="cubic"), ValueError, "not 'cubic'"),
    (lambda: A.quantile(tn.tensor([[0.5]])), ValueError, "number or a vector"), (lambda: np.percentile(A, 101), ValueError, "percentile: a fraction"),
    (lambda: A.cumsum(2), IndexError, "cumsum: dimension 2"), (lambda: A.prod((0, 0)), ValueError, "prod: .* twice"), (lambda: A[0, 0].cumprod(0), IndexError, "single number"),
    (lambda: A.diff(-1), ValueError, "diff: n must not be negative"), (lambda: tn.trapezoid(A, A[0, :2]), ValueError, r"trapezoid: points of shape \(2,\)"),
    (lambda: np.pad(A, 1, constant_values=A[0, 0]), TypeError, "pad: constant_values is a setting"), (lambda: np.percentile(A, tn.tensor(5.0, requires_grad=True)), TypeError, "percentile: q is a setting"), (lambda: tn.hstack([1.0]), TypeError, "hstack: a float is not a tensor"), (lambda: tn.vstack([]), ValueError, "at least one"),
])
def test_bad_input_is_refused_with_a_reason(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_products_keep_their_range_where_numpys_do():
    for start in ([1e-30, 1e30, 1e30], [1e30, 1e-30, 1e-30]):
        x = tn.tensor(start)
        np.testing.assert_allclose(x.cumprod(0).numpy(), np.cumprod(np.float32(start)), rtol=1e-6)
    assert tn.tensor([0.0, 1, 1e30, 1e30]).prod().item() == 0.0
    x = tn.tensor([1e-30, 1e30, 1e-30, 1e30], requires_grad=True)
    g, = tn.grad(x.prod(), x)
    np.testing.assert_allclose(g.numpy(), [1e30, 1e-30, 1e30, 1e-30], rtol=1e-5)


def test_joining_many_gives_each_its_own_gradient():
    parts = [tn.tensor(float(i), requires_grad=True) for i in range(5000)]
    tn.stack(parts).sum().backward()
    assert all(p.grad.item() == 1.0 for p in parts)
