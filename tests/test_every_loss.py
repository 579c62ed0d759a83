"""Every loss: both derivatives, float32, its manners on a device, and extremes that stay finite."""

import numpy as np
import pytest
from device_guard import GuardArray, waits
from device_option import UNCHECKED

import tinygrad_nuc as tn
from tinygrad_nuc import nn
from tinygrad_nuc.nn import functional as F

RNG = np.random.default_rng(5)
X, T = RNG.uniform(-2, 2, (4, 3)), RNG.uniform(-2, 2, (4, 3))
P, Q, W = (RNG.uniform(0.2, 0.8, (4, 3)) for _ in range(3))
CLASSES, IGNORED = np.array([2, 0, 1, 0]), np.array([2, -100, 1, -100])
VECTORS = X[:, :] * np.array([[0.1], [1.0], [2.0], [5.0]])
DIRECTIONS = T / np.linalg.norm(T, axis=1, keepdims=True)

LOSSES = {      # every loss, and the arrays it is differentiated with respect to
    "mse_loss": (lambda x, t, w: F.mse_loss(x, t, weight=w), X, T, W), "l1_loss": (lambda x, t, w: F.l1_loss(x, t, weight=w), X, T, W),
    "huber_loss": (lambda x, t, w: F.huber_loss(x, t, "sum", 0.7, w), X, T, W),
    "smooth_l1_loss": (lambda x, t: F.smooth_l1_loss(x, t, beta=0.7), X, T),
    "gaussian_nll_loss": (lambda x, t, v: F.gaussian_nll_loss(x, t, v, True), X, T, W[:, 0]),
    "poisson_nll_loss": (lambda x, t: F.poisson_nll_loss(x, t, full=True), X, 4 * W),
    "poisson_nll_loss of rates": (lambda x, t: F.poisson_nll_loss(x, t, False), P, 4 * W),
    "von_mises_fisher_nll_loss": (lambda v: F.von_mises_fisher_nll_loss(v, like(v, DIRECTIONS)), VECTORS),
    "von_mises_fisher_nll_loss, kappa": (lambda v, k: F.von_mises_fisher_nll_loss(v, like(v, DIRECTIONS), k), X, 4 * W[:, 0]),
    "kl_div": (lambda x, t: F.kl_div(x, t, reduction="batchmean"), X, P),
    "kl_div of logarithms": (lambda x, t: F.kl_div(x, t, log_target=True, reduction="sum"), X, T),
    "binary_cross_entropy": (lambda p, t, w: F.binary_cross_entropy(p, t, w), P, Q, W[0]),
    "binary_cross_entropy_with_logits": (lambda x, t, w, q: F.binary_cross_entropy_with_logits(x, t, w, pos_weight=q), X, P, W, Q[0]),
    "nll_loss": (lambda x, w: F.nll_loss(x, like(x, IGNORED), w), X, W[0]),
    "cross_entropy": (lambda x: F.cross_entropy(x, like(x, CLASSES)), X),
    "cross_entropy, everything": (lambda x, w: F.cross_entropy(x, like(x, IGNORED), w, label_smoothing=0.2), X, W[0]),
    "cross_entropy of shares": (lambda x, t, w: F.cross_entropy(x, t, w, label_smoothing=0.2), X, P, W[0]),
}
every_loss = pytest.mark.parametrize("name", LOSSES)


def like(x, array):
    """The array as a tensor on the device, and of the float type, of the tensor `x`."""
    array = array.astype(x.dtype) if array.dtype.kind == "f" else array
    return tn.tensor(GuardArray(array) if isinstance(x.data, GuardArray) else array)


def leaves(arrays, wrap=np.array):
    return [tn.tensor(wrap(a), requires_grad=True) for a in arrays]


def value_and_gradients(name, inputs):
    y = LOSSES[name][0](*inputs)
    return [y, *tn.grad(y, inputs)]


def test_every_loss_is_here():
    assert {name for name in vars(F) if "loss" in name or "entropy" in name or name == "kl_div"} - {"losses", "loss_parts"} == \
        {name.split()[0].rstrip(",") for name in LOSSES}


@every_loss
def test_both_derivatives_equal_central_differences(name):
    function, *arrays = LOSSES[name]
    assert tn.gradcheck(function, leaves(arrays), eps=1e-5, atol=1e-8, rtol=1e-7)
    assert tn.gradgradcheck(function, leaves(arrays), eps=1e-5, atol=1e-7, rtol=1e-6)


@every_loss
def test_float32_stays_float32(name):
    _, *arrays = LOSSES[name]
    found = value_and_gradients(name, leaves([a.astype(np.float32) for a in arrays]))
    for f, e in zip(found, value_and_gradients(name, leaves(arrays)), strict=True):
        assert f.dtype == np.float32
        np.testing.assert_allclose(f.numpy(), e.numpy(), rtol=2e-5, atol=1e-5)


@every_loss
@pytest.mark.host("has a device of its own")
def test_on_a_device_nothing_leaves_it(name):
    _, *arrays = LOSSES[name]
    waits.clear()
    found = value_and_gradients(name, leaves(arrays, GuardArray))
    assert waits == []
    for f, e in zip(found, value_and_gradients(name, leaves(arrays)), strict=True):
        np.testing.assert_array_equal(f.data.get(), e.data)


HUGE = np.array([[1e4, -1e4, 0.0], [-1e4, 0.0, 1e4]])


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("function", "slopes"), [
    (lambda x: F.mse_loss(x, x.detach() * -1, reduction="sum"), 4 * HUGE), (lambda x: F.l1_loss(x, -x.detach(), reduction="sum"), np.sign(HUGE)),
    (lambda x: F.huber_loss(x, 0 * x.detach(), "sum", 2.0), 2 * np.sign(HUGE)), (lambda x: F.smooth_l1_loss(x, 0 * x.detach(), reduction="sum"), np.sign(HUGE)),
    (lambda x: F.gaussian_nll_loss(x, -x.detach(), 0.5, reduction="sum"), 4 * HUGE),
    (lambda x: F.cross_entropy(x, tn.tensor([1, 0]), reduction="sum"), [[1.0, -1.0, 0.0], [-1.0, 0.0, 1.0]]),
    (lambda x: F.cross_entropy(x, tn.tensor([1, 0]), reduction="sum", label_smoothing=0.3), [[0.9, -0.8, -0.1], [-0.8, -0.1, 0.9]]),
    (lambda x: F.binary_cross_entropy_with_logits(x, (x.detach() < 0), reduction="sum", pos_weight=tn.tensor([3.0]).to(x.dtype)), [[1.0, -3.0, 0.5], [-3.0, 0.5, 1.0]]),
    (lambda x: F.von_mises_fisher_nll_loss(x, tn.tensor([[0.0, 0.0, 1.0], [0.0, 1.0, 0.0]]).to(x.dtype), reduction="sum"),
     np.sqrt(0.5) * (1 - np.sqrt(0.5) * 1e-4) * np.sign(HUGE) - [[0.0, 0.0, 1.0], [0.0, 1.0, 0.0]]),
])
def test_a_confident_mistake_keeps_its_slope(function, slopes, dtype):
    x = tn.tensor(HUGE.astype(dtype), requires_grad=True)
    loss = function(x)
    loss.backward()
    assert np.isfinite(loss.item()) and loss.item() > 100
    np.testing.assert_allclose(x.grad.numpy(), slopes, rtol=1e-5, atol=1e-7)


def test_a_variance_that_was_too_small_can_grow():
    var = tn.tensor([1e-9, 0.0], dtype=tn.float64, requires_grad=True)
    F.gaussian_nll_loss(tn.tensor([0.0, 0.0]).double(), tn.tensor([1.0, 1.0]).double(), var, reduction="sum").backward()
    np.testing.assert_allclose(var.grad.numpy(), 0.5e6 - 0.5e12, rtol=1e-12)           # ½ (1/σ² − d²/σ⁴) at σ² = eps


def test_an_infinite_variance_has_an_infinite_loss_and_no_slope():
    var = tn.tensor([np.inf, 1.0], requires_grad=True)
    losses = F.gaussian_nll_loss(tn.zeros(2), tn.zeros(2), var, reduction="none")
    losses.sum().backward()
    assert losses.tolist() == [np.inf, 0.0] and var.grad.tolist() == [0.0, 0.5]


# ---------------------------------------------------------------------- what they mean

def test_the_best_normal_distribution_has_the_mean_and_variance_of_the_data():
    numbers = tn.tensor(RNG.normal(3, 2, 50))
    def loss(mu, var):
        return F.gaussian_nll_loss(mu.expand(50), numbers, var.expand(50), full=True)
    best = numbers.mean(), numbers.var(correction=0)
    for slope in tn.func.jacobian(loss, best):
        assert abs(slope.item()) < 1e-15
    assert loss(*best).item() == pytest.approx(0.5 * np.log(2 * np.pi * np.e * best[1].item()), rel=1e-14)    # the entropy


def test_full_likelihoods_add_up_to_one():
    counts = tn.arange(200).double()
    losses = F.poisson_nll_loss(tn.full((200,), np.log(40.0)).double(), counts, full=True, reduction="none")
    assert np.exp(-losses.numpy()).sum() == pytest.approx(1, abs=3e-3)                 # Stirling's ln n! is too small by 1/12n
    x = tn.linspace(-20, 20, 4001, dtype=tn.float64)
    losses = F.gaussian_nll_loss(tn.zeros(4001).double(), x, 2.5, full=True, reduction="none")
    assert np.exp(-losses.numpy()).sum() * 0.01 == pytest.approx(1, rel=1e-12)


def test_the_divergence_is_cross_entropy_minus_entropy():
    t = P / P.sum(1, keepdims=True)
    divergence = F.kl_div(F.log_softmax(tn.tensor(X), 1), tn.tensor(t), reduction="batchmean")
    entropy = -(t * np.log(t)).sum(1).mean()
    assert divergence.item() == pytest.approx(F.cross_entropy(tn.tensor(X), tn.tensor(t)).item() - entropy, rel=1e-13)


def test_what_is_impossible_and_does_not_happen_costs_nothing():
    x = tn.tensor([[0.0, -np.inf, 1.0]], dtype=tn.float64, requires_grad=True)
    t = tn.tensor([[0.25, 0.0, 0.75]], dtype=tn.float64)
    log_t = tn.tensor([[np.log(0.25), -np.inf, np.log(0.75)]], dtype=tn.float64)
    expected = np.log1p(np.e) - 0.75
    entropy = -0.25 * np.log(0.25) - 0.75 * np.log(0.75)
    for loss, value in ((F.cross_entropy(x, t), expected), (F.kl_div(F.log_softmax(x, 1), t, reduction="sum"), expected - entropy),
                        (F.kl_div(F.log_softmax(x, 1), log_t, reduction="sum", log_target=True), expected - entropy)):
        x.grad = None
        loss.backward()
        assert loss.item() == pytest.approx(value, rel=1e-14)
        np.testing.assert_allclose(x.grad.numpy(), [[1 / (1 + np.e) - 0.25, 0, np.e / (1 + np.e) - 0.75]], rtol=1e-13)


def test_what_is_impossible_and_happens_costs_infinitely_much():
    x = tn.tensor([[0.0, -np.inf, 1.0]])
    assert F.cross_entropy(x, tn.tensor([[0.5, 0.5, 0.0]])).item() == F.cross_entropy(x, tn.tensor([1])).item() == np.inf
    assert F.kl_div(x, tn.tensor([[0.5, 0.5, 0.0]]), reduction="sum").item() == np.inf


@pytest.mark.parametrize(("target", "log_target"), [([0.0, 1.0], False), ([-np.inf, 0.0], True)])
def test_a_prediction_that_is_nan_is_not_hidden_where_nothing_happens(target, log_target):
    x = tn.tensor([np.nan, -1.0], requires_grad=True)
    losses = F.kl_div(x, tn.tensor(target), reduction="none", log_target=log_target)
    losses.sum().backward()
    np.testing.assert_array_equal(losses.numpy(), [np.nan, 1.0])
    assert x.grad.tolist() == [0.0, -1.0]
    assert np.isnan(F.cross_entropy(x, tn.tensor([0.0, 1.0])).item())


def test_a_share_of_zero_can_grow():
    t = tn.tensor([[0.0, 1.0]], requires_grad=True)
    F.cross_entropy(tn.zeros(1, 2), t).backward()
    np.testing.assert_allclose(t.grad.numpy(), np.log(2), rtol=1e-6)           # −ln p, of both


def test_a_rare_signal_counts_as_much_as_the_background_with_pos_weight():
    labels = tn.tensor([1.0] + [0.0] * 9)
    x = tn.zeros(10, requires_grad=True)
    F.binary_cross_entropy_with_logits(x, labels, reduction="sum", pos_weight=tn.tensor(9.0)).backward()
    assert x.grad.tolist() == [-4.5] + [0.5] * 9


# ---------------------------------------------------------------------- labels to pass over

def test_a_label_to_ignore_is_as_if_its_row_were_not_there():
    x = tn.tensor(X, requires_grad=True)
    F.cross_entropy(x, tn.tensor(IGNORED), tn.tensor(W[0]), label_smoothing=0.1).backward()
    rows = tn.tensor(X[[0, 2]], requires_grad=True)
    F.cross_entropy(rows, tn.tensor(IGNORED[[0, 2]]), tn.tensor(W[0]), label_smoothing=0.1).backward()
    np.testing.assert_allclose(x.grad.numpy()[[0, 2]], rows.grad.numpy(), rtol=1e-14)
    assert x.grad.numpy()[[1, 3]].tolist() == [[0.0] * 3] * 2


def test_what_is_ignored_may_be_infinite_or_nan():
    x = tn.tensor([[0.0, 1.0], [np.nan, -np.inf]], dtype=tn.float64, requires_grad=True)
    loss = F.nll_loss(x, tn.tensor([1, 7]), ignore_index=7)
    loss.backward()
    assert loss.item() == -1.0 and x.grad.tolist() == [[0.0, -1.0], [0.0, 0.0]]


@pytest.mark.parametrize("weight", [None, [0.5, 2.0, 1.5]])
@pytest.mark.parametrize("smoothing", [0.0, 0.1])
def test_the_mean_of_nothing_is_nan_and_has_no_slope(weight, smoothing):
    x = tn.tensor(X, requires_grad=True)
    options = {"weight": None if weight is None else tn.tensor(weight).double(), "label_smoothing": smoothing}
    nothing = tn.tensor([-100] * 4)
    loss = F.cross_entropy(x, nothing, **options)
    loss.backward()
    assert np.isnan(loss.item()) and x.grad.tolist() == np.zeros((4, 3)).tolist()
    assert F.cross_entropy(x, nothing, reduction="sum", **options).item() == 0.0
    assert F.cross_entropy(x, nothing, reduction="none", **options).tolist() == [0.0] * 4


def test_labels_may_be_a_list():
    assert F.nll_loss(tn.tensor([[-1.0, -2.0], [-3.0, -4.0]]), [1, 0]).item() == F.nll_loss(tn.tensor([-2.5, -1.0]), 0).item() == 2.5


@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.int32, np.int64])
def test_labels_of_every_integer_type(dtype):
    assert F.cross_entropy(tn.tensor(X), tn.tensor(CLASSES.astype(dtype))).item() == F.cross_entropy(tn.tensor(X), tn.tensor(CLASSES)).item()


# ---------------------------------------------------------------------- modules

def test_a_weight_is_part_of_the_state_dict_and_is_converted_with_the_module():
    loss = nn.CrossEntropyLoss(tn.tensor([1.0, 2.0, 3.0]))
    assert list(loss.state_dict()) == ["weight"] and not list(loss.parameters())
    other = nn.CrossEntropyLoss(tn.ones(3)).double()
    other.load_state_dict(loss.state_dict())
    assert other.weight.tolist() == [1.0, 2.0, 3.0] and other(tn.tensor(X), tn.tensor(CLASSES)).dtype == np.float64


@pytest.mark.parametrize("module", [nn.MSELoss, nn.L1Loss, nn.HuberLoss, nn.SmoothL1Loss, nn.GaussianNLLLoss, nn.PoissonNLLLoss, nn.BCELoss,
                                    nn.BCEWithLogitsLoss, nn.NLLLoss, nn.CrossEntropyLoss, nn.KLDivLoss, nn.VonMisesFisherNLLLoss])
def test_a_loss_that_is_called_before_it_is_made(module):
    with pytest.raises(TypeError, match=rf"{module.__name__} is made first and called then: loss = nn\.{module.__name__}\(\)"):
        module(tn.zeros(3), tn.zeros(3))
    with pytest.raises(ValueError, match=f"{module.__name__}: reduction must be 'mean'.* not 'average'"):
        module(reduction="average")


@pytest.mark.parametrize("wrong", [lambda: nn.MSELoss("sum"), lambda: nn.MSELoss(None, None, "sum"), lambda: nn.KLDivLoss("batchmean"),
                                   lambda: nn.BCELoss(None, "sum"), lambda: nn.CrossEntropyLoss(None, None, 0), lambda: nn.PoissonNLLLoss(True, False, "sum")])
def test_a_reduction_without_its_name(wrong):
    with pytest.raises(TypeError, match=r"(\w+Loss): give reduction, and what else there is, by name: nn\.\1\(reduction='sum'\)$"):
        wrong()


# ---------------------------------------------------------------------- the smallest shapes

@pytest.mark.parametrize("loss", [F.mse_loss, F.binary_cross_entropy, F.binary_cross_entropy_with_logits, F.poisson_nll_loss, F.kl_div,
                                  lambda x, t, **o: F.gaussian_nll_loss(x, t, tn.ones(0, 3), **o), F.von_mises_fisher_nll_loss, F.cross_entropy])
def test_the_loss_of_nothing(loss):
    x = tn.zeros(0, 3, requires_grad=True)
    total = loss(x, tn.zeros(0, 3), reduction="sum")
    total.backward()
    assert total.item() == 0.0 and x.grad.shape == (0, 3) and loss(x, tn.zeros(0, 3), reduction="none").numel() == 0


@pytest.mark.parametrize("var", [tn.tensor(4.0), 4.0])
def test_the_likelihood_of_one_number(var):
    assert F.gaussian_nll_loss(tn.tensor(1.0), tn.tensor(3.0), var).item() == pytest.approx(0.5 * (np.log(4) + 1))


# ---------------------------------------------------------------------- what does not fit

@pytest.mark.parametrize("array", [np.zeros((2, 3), np.float32), [[0.0, 0.0, 0.0]]], ids=["array", "list"])
@pytest.mark.parametrize("name", sorted({name.split()[0].rstrip(",") for name in LOSSES}))
def test_a_prediction_that_is_no_tensor_is_refused(name, array):
    more = {"var": 1.0} if name == "gaussian_nll_loss" else {}
    with pytest.raises(TypeError, match=rf"^{name}: the input is a (ndarray|list), not a tensor: write tn\.tensor\(x\)"):
        getattr(F, name)(array, array, **more)


V, D = tn.zeros(2, 3), tn.tensor([[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]])


@pytest.mark.parametrize(("wrong", "kind", "message"), [
    (lambda: F.mse_loss([1.0], tn.zeros(1)), TypeError, r"mse_loss: the input is a list.*tn\.tensor"),
    (lambda: F.mse_loss(V, V, weight=tn.ones(3)), ValueError, r"mse_loss: the input has shape \(2, 3\) and the weight \(3,\)"),
    (lambda: F.l1_loss(V, V, weight=tn.ones(2, 3).double()), TypeError, r"l1_loss: the input is float32 and the weight float64.*\.float\(\)"),
    (lambda: F.huber_loss(V, V, delta=0), ValueError, "huber_loss: delta must be above 0, not 0"),
    (lambda: F.huber_loss(V, V, 2.0), ValueError, "huber_loss: reduction must be 'mean'.*not 2.0"),
    (lambda: F.huber_loss(V, V, delta=tn.tensor(1.0)), TypeError, "huber_loss: delta is a number, not a Tensor"),
    *((lambda f=f: f(V, V[:, :1]), ValueError, rf"{f.__name__}: the input has shape \(2, 3\) and the target \(2, 1\)")
      for f in (F.huber_loss, F.smooth_l1_loss, F.poisson_nll_loss, F.kl_div)),
    (lambda: F.gaussian_nll_loss(V, V[:, :1], 1.0), ValueError, r"gaussian_nll_loss: the input has shape \(2, 3\) and the target \(2, 1\)"),
    (lambda: F.huber_loss(V, V, weight=tn.ones(3)), ValueError, r"huber_loss: the input has shape \(2, 3\) and the weight \(3,\)"),
    (lambda: F.smooth_l1_loss(V, V, beta=-1.0), ValueError, "smooth_l1_loss: beta must be at least 0"),
    pytest.param(lambda: F.gaussian_nll_loss(V, V, tn.tensor([[1.0, 1.0, -2.0]])), ValueError, "gaussian_nll_loss: the var must not be negative, and has values down to -2", marks=UNCHECKED),
    (lambda: F.gaussian_nll_loss(V, V, -0.5), ValueError, "gaussian_nll_loss: var must be at least 0, not -0.5"),
    (lambda: F.gaussian_nll_loss(V, V, tn.ones(3)), ValueError, r"a var of shape \(3,\) does not fit an input of shape \(2, 3\)"),
    (lambda: F.gaussian_nll_loss(V, V, tn.ones(1, 2, 3)), ValueError, r"a var of shape \(1, 2, 3\) does not fit an input of shape \(2, 3\)"),
    (lambda: F.gaussian_nll_loss(V, V, tn.tensor(1.0)), ValueError, r"a var of shape \(\) does not fit"),
    (lambda: F.gaussian_nll_loss(V, V, tn.ones(1, 1)), ValueError, r"a var of shape \(1, 1\) does not fit"),
    (lambda: F.gaussian_nll_loss(V, V, tn.ones(2, 2)), ValueError, r"a var of shape \(2, 2\) does not fit"),
    (lambda: F.gaussian_nll_loss(V, V, V, eps=-1), ValueError, "eps must be at least 0"),
    pytest.param(lambda: F.poisson_nll_loss(V, V - 1), ValueError, "poisson_nll_loss: the target must not be negative, and has values down to -1", marks=UNCHECKED),
    pytest.param(lambda: F.poisson_nll_loss(V - 1, V, False), ValueError, "poisson_nll_loss: the input .with log_input=False the expected count. must not be negative", marks=UNCHECKED),
    pytest.param(lambda: F.kl_div(V, V - 1), ValueError, "kl_div: the target must not be negative", marks=UNCHECKED),
    (lambda: F.kl_div(tn.tensor(0.0), tn.tensor(1.0), reduction="batchmean"), ValueError, "kl_div: reduction 'batchmean' needs a first dimension"),
    (lambda: F.binary_cross_entropy(V, V, tn.ones(2)), ValueError, r"binary_cross_entropy: a weight of shape \(2,\) does not fit an input of shape \(2, 3\)"),
    (lambda: F.binary_cross_entropy_with_logits(V, V, pos_weight=tn.ones(4, 2, 3)), ValueError, r"pos_weight of shape \(4, 2, 3\) does not fit"),
    (lambda: F.nll_loss(V, tn.tensor([0, 1]), tn.ones(2)), ValueError, r"nll_loss: .*one weight for each class, of shape \(3,\), and the weight has shape \(2,\)"),
    (lambda: F.cross_entropy(V, tn.tensor([0, 1]), tn.ones(3, 1)), ValueError, r"cross_entropy: .*the weight has shape \(3, 1\)"),
    (lambda: F.cross_entropy(V, tn.tensor([0, 1]), label_smoothing=1.5), ValueError, "label_smoothing must be at most 1, not 1.5"),
    (lambda: F.cross_entropy(V, tn.tensor([0, 1]), label_smoothing=-0.5), ValueError, "label_smoothing must be at least 0"),
    *((lambda n=n: F.cross_entropy(V, V, ignore_index=n), ValueError, f"cross_entropy: ignore_index={n} is for class numbers") for n in (0, 1)),
    *((lambda f=f: f(tn.tensor(1.0), tn.tensor(0)), ValueError, rf"{f.__name__}: the input needs a number for each class, in shape \(C,\)")
      for f in (F.nll_loss, F.cross_entropy)),
    (lambda: F.cross_entropy(V, tn.tensor([0, 1]), ignore_index=None), TypeError, "NoneType"),
])
def test_errors_say_what_would_fit(wrong, kind, message):
    with pytest.raises(kind, match=message):
        wrong()
