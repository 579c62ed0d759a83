"""Losses: values and gradients equal PyTorch's (stored numbers of torch 2.13, float64), and none loses its slope.

Gradients are those of the mean, of the sum, and, for reduction 'none', of Σ L², so that each element's slope
is weighted differently. Formulas by hand cover the extremes.
"""

import numpy as np
import pytest

import tinygrad_nuc as tn
from tinygrad_nuc import nn
from tinygrad_nuc.nn import functional as F

SCORES = [[0.5, -1.25, 2.0], [-3.0, 0.75, 0.25], [1.5, 0.0, -0.5], [4.0, -2.0, 1.0]]
TARGETS = [[0.0, 1.0, 1.0], [0.25, 1.0, 0.0], [1.0, 0.5, 0.0], [1.0, 0.0, 0.75]]
PROBABILITIES = [[0.1, 0.9, 0.5], [0.99, 0.2, 0.7], [0.02, 0.97, 0.3], [1e-6, 0.6, 0.85]]
SHARES = [[0.2, 0.3, 0.5], [1.0, 0.0, 0.0], [0.1, 0.1, 0.8], [0.25, 0.5, 0.25]]     # rows add up to 1
CLASSES = [2, 0, 1, 0]

PYTORCH = {     # loss, input, target; then the values, and the gradients of Σ L and of Σ L²
    "mse": (
        nn.MSELoss, SCORES, TARGETS,
        [[0.25, 5.0625, 1], [10.5625, 0.0625, 0.0625], [0.25, 0.25, 0.25], [9, 4, 0.0625]],
        [[1, -4.5, 2], [-6.5, -0.5, 0.5], [1, -1, -1], [6, -4, 0.5]],
        [[0.5, -45.5625, 4], [-137.3125, -0.0625, 0.0625], [0.5, -0.5, -0.5], [108, -32, 0.0625]],
    ),
    "l1": (
        nn.L1Loss, SCORES, TARGETS,
        [[0.5, 2.25, 1], [3.25, 0.25, 0.25], [0.5, 0.5, 0.5], [3, 2, 0.25]],
        [[1, -1, 1], [-1, -1, 1], [1, -1, -1], [1, -1, 1]],
        [[1, -4.5, 2], [-6.5, -0.5, 0.5], [1, -1, -1], [6, -4, 0.5]],
    ),
    "bce": (
        nn.BCELoss, PROBABILITIES, TARGETS,
        [[0.1053605156578, 0.1053605156578, 0.6931471805599], [3.456390223454, 1.609437912434, 1.203972804326],
         [3.912023005428, 1.768508552402, 0.3566749439387], [13.81551055796, 0.9162907318742, 0.5961691933448]],
        [[1.111111111111, -1.111111111111, -2], [74.74747474747, -5, 3.333333333333],
         [-50, 16.15120274914, 1.428571428571], [-1000000, 2.5, 0.7843137254902]],
        [[0.2341344792396, -0.2341344792396, -2.77258872224], [516.7128818902, -16.09437912434, 8.026485362173],
         [-391.2023005428, 57.12708038688, 1.019071268396], [-27631021.11593, 4.581453659371, 0.9351673621095]],
    ),
    "bce with logits": (
        nn.BCEWithLogitsLoss, SCORES, TARGETS,
        [[0.9740769841801, 1.501929081345, 0.126928011043], [0.7985873515737, 0.3868710061149, 0.8259394198788],
         [0.2014132779828, 0.6931471805599, 0.4740769841801], [0.01814992791781, 0.126928011043, 0.5632616875182]],
        [[0.6224593312019, -0.7772998611747, -0.1192029220221], [-0.2025741268224, -0.3208213008246, 0.5621765008858],
         [-0.1824255238064, 0, 0.3775406687981], [-0.01798620996209, 0.1192029220221, -0.01894142137]],
        [[1.212646616224, -2.334898532848, -0.03026037960556], [-0.323546270873, -0.2482329188662, 0.9286474660223],
         [-0.07348584547512, 0, 0.3579666833383], [-0.0006528968286531, 0.03026037960556, -0.02133795392971]],
    ),
    "nll": (
        nn.NLLLoss, SCORES, CLASSES,
        [-2, 3, 0, -4],
        [[0, 0, -1], [-1, 0, 0], [0, -1, 0], [-1, 0, 0]],
        [[0, 0, 4], [-6, 0, 0], [0, 0, 0], [8, 0, 0]],
    ),
    "cross-entropy": (
        nn.CrossEntropyLoss, SCORES, CLASSES,
        [0.232621983102, 4.238609711046, 1.806355712229, 0.050945763523],
        [[0.1768201821074, 0.03072674032644, -0.2075469224339], [-0.9855723635104, 0.6134787142417, 0.3720936492687],
         [0.7361247243126, -0.8357483723749, 0.09962364806232],
         [-0.04966978830262, 0.002355633080797, 0.04731415522182]],
        [[0.08226452282859, 0.01429543053799, -0.09655995336659], [-8.354913181827, 5.200593671409, 3.154319510417],
         [2.65940620135, -3.019317692851, 0.3599114915009],
         [-0.005060930578205, 0.0002400190517624, 0.004820911526443]],
    ),
    "cross-entropy of shares": (
        nn.CrossEntropyLoss, SCORES, SHARES,
        [1.507621983102, 4.238609711046, 2.056355712229, 3.800945763523],
        [[-0.02317981789256, -0.2692732596736, 0.2924530775661], [-0.9855723635104, 0.6134787142417, 0.3720936492687],
         [0.6361247243126, 0.06425162762509, -0.7003763519377], [0.7003302116974, -0.4976443669192, -0.2026858447782]],
        [[-0.06989280603824, -0.8119245714908, 0.8818173775291], [-8.354913181827, 5.200593671409, 3.154319510417],
         [2.616197421061, 0.2642484029737, -2.880445824035], [5.323834302437, -3.783038496365, -1.540795806071]],
    ),
}


def double(values):
    return tn.tensor(np.array(values, np.float64), requires_grad=True)


def target_tensor(values):
    return tn.tensor(np.array(values))


CASES = [(name, reduction) for name in PYTORCH for reduction in ("mean", "sum", "none")]


@pytest.mark.parametrize(("name", "reduction"), CASES)
def test_value_and_gradient_equal_pytorchs(name, reduction):
    loss, inputs, targets, values, gradient_of_sum, gradient_of_squares = PYTORCH[name]
    x = double(inputs)
    y = loss(reduction=reduction)(x, target_tensor(targets))
    (y * y if reduction == "none" else y).sum().backward()
    n = len(np.ravel(values))
    expected = {"none": values, "sum": np.sum(values), "mean": np.mean(values)}[reduction]
    slope = {"none": np.array(gradient_of_squares), "sum": np.array(gradient_of_sum),
             "mean": np.array(gradient_of_sum) / n}[reduction]
    np.testing.assert_allclose(y.numpy(), expected, rtol=1e-12, atol=1e-14)
    np.testing.assert_allclose(x.grad.numpy(), slope, rtol=1e-9, atol=1e-14)


@pytest.mark.parametrize(("function", "module"), [
    (F.mse_loss, nn.MSELoss), (F.l1_loss, nn.L1Loss), (F.binary_cross_entropy_with_logits, nn.BCEWithLogitsLoss)])
def test_the_function_and_the_module_average_by_default(function, module):
    x, t = double(SCORES), target_tensor(TARGETS)
    assert function(x, t).item() == module()(x, t).item() == pytest.approx(function(x, t, reduction="none").numpy().mean())


# --- what the losses mean -----------------------------------------------------------------------------


def best_constant(loss, numbers):
    """Where a loss of one constant against the numbers is least, on a fine grid."""
    grid = np.round(np.arange(0, 10.0005, 0.001), 3)
    table = loss(tn.tensor(np.tile(grid[:, None], len(numbers))), tn.tensor(np.tile(numbers, (len(grid), 1))), reduction="none")
    return grid[table.numpy().mean(axis=1).argmin()]


NUMBERS = np.array([1.0, 1.5, 2.0, 4.0, 9.0])


def test_the_best_constant_under_mse_is_the_mean():
    assert best_constant(F.mse_loss, NUMBERS) == 3.5


def test_the_best_constant_under_l1_is_the_median():
    assert best_constant(F.l1_loss, NUMBERS) == 2.0


@pytest.mark.parametrize("reduction", ["mean", "sum", "none"])
def test_cross_entropy_is_the_nll_of_the_log_softmax(reduction):
    x, t = double(SCORES), tn.tensor(CLASSES)
    np.testing.assert_allclose(F.cross_entropy(x, t, reduction=reduction).numpy(),
                               F.nll_loss(F.log_softmax(x, 1), t, reduction=reduction).numpy(), rtol=1e-15)


def test_certain_shares_and_class_numbers_are_the_same_target():
    x = double(SCORES)
    certain = tn.tensor(np.eye(3)[CLASSES])
    assert F.cross_entropy(x, certain).item() == pytest.approx(F.cross_entropy(x, tn.tensor(CLASSES)).item(), rel=1e-15)


def test_cross_entropys_slope_is_probability_minus_share():
    x = double(SCORES)
    F.cross_entropy(x, target_tensor(SHARES), reduction="sum").backward()
    e = np.exp(SCORES)
    np.testing.assert_allclose(x.grad.numpy(), e / e.sum(axis=1, keepdims=True) - SHARES, rtol=1e-12, atol=1e-15)


def test_bce_of_the_sigmoid_is_bce_of_the_logits():
    x, t = double(SCORES), target_tensor(TARGETS)
    assert F.binary_cross_entropy(tn.sigmoid(x), t).item() == pytest.approx(
        F.binary_cross_entropy_with_logits(x, t).item(), rel=1e-12)


def test_one_row_of_scores_needs_one_class_number():
    loss = F.cross_entropy(tn.tensor([1.0, 2.0, 3.0]), tn.tensor(0))
    assert loss.item() == pytest.approx(np.log(1 + np.e + np.e**2), rel=1e-6)


def test_the_classes_of_an_image_are_the_second_dimension():
    x = np.random.default_rng(0).normal(size=(2, 3, 4))
    t = np.array([[0, 1, 2, 0], [2, 2, 1, 0]])
    log_p = x - np.log(np.exp(x).sum(axis=1, keepdims=True))
    expected = [[-log_p[i, t[i, j], j] for j in range(4)] for i in range(2)]
    np.testing.assert_allclose(F.cross_entropy(tn.tensor(x), tn.tensor(t), reduction="none").numpy(), expected, rtol=1e-12)


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.bool_])
def test_labels_of_an_integer_type_are_converted_for_a_binary_loss(dtype):
    x = tn.tensor([0.5, -1.0])
    labels = tn.tensor(np.array([1, 0], dtype))
    loss = F.binary_cross_entropy_with_logits(x, labels)
    assert loss.dtype == np.float32
    assert loss.item() == pytest.approx((np.log1p(np.exp(-0.5)) + np.log1p(np.exp(-1))) / 2, rel=1e-6)


# --- the extremes -------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("logit", "target", "value", "slope"), [
    (1e4, 0.0, 1e4, 1.0), (1e4, 1.0, 0.0, 0.0), (-1e4, 1.0, 1e4, -1.0), (-1e4, 0.0, 0.0, 0.0),
    (-1e4, 0.25, 2500.0, -0.25)])
def test_bce_of_huge_logits_is_finite_and_keeps_its_slope(dtype, logit, target, value, slope):
    x = tn.tensor(np.array([logit], dtype), requires_grad=True)
    loss = F.binary_cross_entropy_with_logits(x, tn.tensor(np.array([target], dtype)))
    loss.backward()
    assert (loss.item(), x.grad.item()) == (value, slope)       # the slope is σ(x) − t


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_cross_entropy_of_huge_scores_is_finite_and_keeps_its_slope(dtype):
    x = tn.tensor(np.array([[1e4, 0.0, -1e4]], dtype), requires_grad=True)
    loss = F.cross_entropy(x, tn.tensor([2]))
    loss.backward()
    assert loss.item() == 2e4
    assert x.grad.tolist() == [[1.0, 0.0, -1.0]]


def test_bce_of_a_certain_mistake_is_bounded_and_keeps_its_slope():
    p = double([0.0, 1.0])
    loss = F.binary_cross_entropy(p, target_tensor([1.0, 0.0]), reduction="sum")
    loss.backward()
    assert loss.item() == 200.0
    np.testing.assert_allclose(p.grad.numpy(), [-1e12, 1e12], rtol=1e-9)


def test_bce_of_certain_right_answers_is_zero():
    p = double([0.0, 1.0])
    loss = F.binary_cross_entropy(p, target_tensor([0.0, 1.0]))
    loss.backward()
    assert (loss.item(), p.grad.tolist()) == (0.0, [0.0, 0.0])


def test_l1_has_no_slope_where_it_is_zero():
    x = double([1.0, 2.0, 3.0])
    F.l1_loss(x, target_tensor([2.0, 2.0, 2.0]), reduction="sum").backward()
    assert x.grad.tolist() == [-1.0, 0.0, 1.0]


# --- what does not fit is refused ---------------------------------------------------------------------

MODULES = [nn.MSELoss, nn.L1Loss, nn.BCELoss, nn.BCEWithLogitsLoss, nn.NLLLoss, nn.CrossEntropyLoss]
PAIRED = [F.mse_loss, F.l1_loss, F.binary_cross_entropy, F.binary_cross_entropy_with_logits]


@pytest.mark.parametrize("loss", PAIRED, ids=lambda f: f.__name__)
def test_shapes_that_would_broadcast_are_refused(loss):
    shapes = r"the input has shape \(4, 1\) and the target \(4,\).*squeeze"
    with pytest.raises(ValueError, match=f"{loss.__name__}: {shapes}"):
        loss(tn.zeros(4, 1), tn.zeros(4))


def test_shares_need_the_shape_of_the_scores():
    shapes = r"cross_entropy: the input has shape \(4, 2\) and the target \(4,\); a target of float32 holds probabilities.*\.long\(\)"
    with pytest.raises(ValueError, match=shapes):
        F.cross_entropy(tn.zeros(4, 2), tn.zeros(4))


@pytest.mark.parametrize("loss", [*PAIRED, F.cross_entropy], ids=lambda f: f.__name__)
def test_another_float_type_is_refused(loss):
    with pytest.raises(TypeError, match=rf"{loss.__name__}: the input is float32 and the target float64.*\.float\(\)"):
        loss(tn.zeros(2, 2), tn.zeros(2, 2, dtype=np.float64))


@pytest.mark.parametrize("loss", [F.nll_loss, F.cross_entropy], ids=lambda f: f.__name__)
@pytest.mark.parametrize(("labels", "message"), [
    ([0, 3], "class numbers must lie from 0 to 2, and the target has values from 0 to 3"),
    ([-1, 2], "class numbers must lie from 0 to 2, and the target has values from -1 to 2"),
    ([-99, 2], r"from -99 to 2 \(only ignore_index=-100 is passed over\)"), ([-100, 3], "from 3 to 3"),
    ([0, 1, 2], r"scores of shape \(2, 3\) need one class number for each row, of shape \(2,\).*\(3,\)"),
    ([[0], [1]], r"target has shape \(2, 1\)"),
])
@pytest.mark.host("on a GPU, values are not checked, since it would have to wait")
def test_labels_that_are_no_classes_are_refused(loss, labels, message):
    with pytest.raises(ValueError, match=message):
        loss(tn.zeros(2, 3), tn.tensor(labels))


@pytest.mark.parametrize("dtype", [np.float32, np.bool_])
def test_nll_refuses_labels_that_are_not_integers(dtype):
    with pytest.raises(TypeError, match=f"must be of an integer type, not {np.dtype(dtype)}"):
        F.nll_loss(tn.zeros(2, 3), tn.tensor(np.zeros(2, dtype)))


@pytest.mark.parametrize(("loss", "x", "t", "message"), [
    (F.binary_cross_entropy, 1.5, 1.0, "the input must lie from 0 to 1, and has values from 1.5 to 1.5"),
    (F.binary_cross_entropy, -0.1, 1.0, "the input must lie from 0 to 1"),
    (F.binary_cross_entropy, float("nan"), 1.0, "the input must lie from 0 to 1"),
    (F.binary_cross_entropy, 0.5, 1.5, "the target must lie from 0 to 1"),
    (F.binary_cross_entropy_with_logits, 0.5, -1.0, "the target must lie from 0 to 1, and has values from -1 to -1"),
    (F.binary_cross_entropy_with_logits, 0.5, 2.0, "the target must lie from 0 to 1"),
])
@pytest.mark.host("on a GPU, values are not checked, since it would have to wait")
def test_numbers_that_are_no_probabilities_are_refused(loss, x, t, message):
    with pytest.raises(ValueError, match=f"{loss.__name__}: {message}"):
        loss(tn.tensor([x]), tn.tensor([t]))


@pytest.mark.parametrize("loss", MODULES)
def test_an_unknown_reduction_is_refused_at_once(loss):
    with pytest.raises(ValueError, match=f"{loss.__name__}: reduction must be 'mean', 'sum' or 'none', not 'average'"):
        loss(reduction="average")


def test_the_function_refuses_an_unknown_reduction_too():
    with pytest.raises(ValueError, match="mse_loss: reduction must be"):
        F.mse_loss(tn.zeros(2), tn.zeros(2), reduction="average")
