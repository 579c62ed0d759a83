"""Losses: every reduction, weights, labels to ignore, and the first and second derivatives of each."""

import warnings

import numpy as np

from . import numbers, whole_numbers

X, T = numbers(4, 3), numbers(4, 3, seed=1)
SHARES = numbers(4, 3, seed=2, low=0.1, high=1.0)
SHARES = SHARES / SHARES.sum(1, keepdims=True)
IMAGE, PIXELS = numbers(2, 3, 2, 2), whole_numbers(2, 2, 2, below=3)
LABELS = np.array([2, 0, 1, 0])
SOME = np.array([2, -100, 1, -100])
CLASS_WEIGHTS = np.array([0.5, 2.0, 1.5])
WEIGHTS = numbers(4, 3, seed=3, low=0.2, high=3.0)


def _derivatives(lib, function, *arrays):
    """y, the gradient of Σ y², and the gradient of the sum of that gradient's squares, which has all second derivatives.

    All as one vector, since many small arrays make a large file.
    """
    inputs = [lib.tensor(a, requires_grad=True) for a in arrays]
    y = function(*inputs)
    first = lib.autograd.grad((y * y).sum(), inputs, create_graph=True)
    second = lib.autograd.grad(sum((g * g).sum() for g in first), inputs)
    return np.concatenate([np.ravel(t.detach().numpy()) for t in (y, *first, *second)])


def _reductions(lib, function, *arrays, reductions=("mean", "sum", "none")):
    return np.concatenate([_derivatives(lib, lambda *x: function(*x, reduction=r), *arrays) for r in reductions])


def mse_and_l1(lib):
    F, t, w = lib.nn.functional, lib.tensor(T), lib.tensor(WEIGHTS)
    return {f.__name__: [_reductions(lib, lambda x, **o: f(x, t, **o), X), _reductions(lib, lambda x, **o: f(x, t, weight=w, **o), X)]
            for f in (F.mse_loss, F.l1_loss)}


def huber(lib):
    F, t, w = lib.nn.functional, lib.tensor(T), lib.tensor(WEIGHTS)
    return [*(_reductions(lib, lambda x, reduction: F.huber_loss(x, t, reduction, delta), X) for delta in (0.5, 1.0, 2.0)),
            _reductions(lib, lambda x, reduction: F.huber_loss(x, t, reduction, 1.0, w), X),
            lib.nn.HuberLoss("sum", 0.7)(lib.tensor(X), t)]


def smooth_l1(lib):
    F, t = lib.nn.functional, lib.tensor(T)
    return [*(_reductions(lib, lambda x, **o: F.smooth_l1_loss(x, t, beta=beta, **o), X) for beta in (0.0, 0.5, 1.0, 2.0)),
            lib.nn.SmoothL1Loss(beta=0.7)(lib.tensor(X), t)]


def gaussian_nll(lib):
    F, t = lib.nn.functional, lib.tensor(T)
    variances = {"each": WEIGHTS, "rows": WEIGHTS[:, 0], "column": WEIGHTS[:, :1], "row": WEIGHTS[:1]}
    results = {name: _reductions(lib, lambda x, v, reduction: F.gaussian_nll_loss(x, t, v, False, 1e-6, reduction), X, var)
               for name, var in variances.items()}
    results["full"] = _derivatives(lib, lambda x, v: F.gaussian_nll_loss(x, t, v, True), X, WEIGHTS)
    results["number"] = _derivatives(lib, lambda x: F.gaussian_nll_loss(x, t, 0.25), X)
    # below eps the variance counts as eps, and keeps its slope
    results["bounded"] = _derivatives(lib, lambda x, v: F.gaussian_nll_loss(x, t, v, eps=0.8), X, WEIGHTS)
    results["zero"] = _derivatives(lib, lambda x, v: F.gaussian_nll_loss(x, t, v), 1e-3 * X, 0 * WEIGHTS)
    results["module"] = lib.nn.GaussianNLLLoss(full=True, reduction="sum")(lib.tensor(X), t, lib.tensor(WEIGHTS))
    results["module, eps"] = lib.nn.GaussianNLLLoss(eps=0.8)(lib.tensor(X), t, lib.tensor(WEIGHTS))
    v = lib.tensor([1.0, float("inf")], requires_grad=True)
    losses = lib.nn.functional.gaussian_nll_loss(lib.zeros(2), lib.zeros(2), v, reduction="none")
    results["infinite"] = [losses, *lib.autograd.grad(losses.sum(), v)]
    return results


def poisson_nll(lib):
    F, n = lib.nn.functional, lib.tensor(np.array([[0.0, 1.0, 2.0], [3.0, 40.0, 5.0], [1.0, 0.0, 7.0], [2.0, 6.0, 1.0]]))
    rate = WEIGHTS[::-1].copy()
    return [*(_reductions(lib, lambda x, **o: F.poisson_nll_loss(x, n, True, full, **o), X) for full in (False, True)),
            *(_reductions(lib, lambda x, **o: F.poisson_nll_loss(x, n, False, full, **o), rate) for full in (False, True)),
            F.poisson_nll_loss(lib.tensor(rate), n, log_input=False, eps=0.1),
            lib.nn.PoissonNLLLoss(False, True, reduction="sum")(lib.tensor(rate), n),
            lib.nn.PoissonNLLLoss(False, eps=0.1)(lib.tensor(rate), n)]


def kl_div(lib):
    F, every = lib.nn.functional, ("mean", "sum", "none", "batchmean")
    log_p = np.log(SHARES[::-1])
    with warnings.catch_warnings(action="ignore"):              # PyTorch says that "mean" is not what people want
        return [_reductions(lib, lambda x, t, **o: F.kl_div(x, t, **o), log_p, SHARES, reductions=every),
                _reductions(lib, lambda x, t, **o: F.kl_div(x, t, log_target=True, **o), log_p, np.log(SHARES), reductions=every),
                F.kl_div(lib.tensor(log_p), lib.tensor(np.eye(4, 3)), reduction="batchmean"),               # 0 ln 0 = 0
                F.kl_div(lib.tensor([float("nan"), -1.0]), lib.tensor([0.0, 1.0]), reduction="none"),
                lib.nn.KLDivLoss(reduction="batchmean", log_target=True)(lib.tensor(log_p), lib.tensor(log_p))]


def nll(lib):
    F, w = lib.nn.functional, lib.tensor(CLASS_WEIGHTS)
    results = {}
    for name, labels in {"all": LABELS, "some": SOME}.items():
        t = lib.tensor(labels)
        results[name] = _reductions(lib, lambda x, **o: F.nll_loss(x, t, **o), X)
        results[name + " weighted"] = _reductions(lib, lambda x, **o: F.nll_loss(x, t, w, **o), X)
    t = lib.tensor(PIXELS)
    results["image"] = _reductions(lib, lambda x, **o: F.nll_loss(x, t, w, ignore_index=1, **o), IMAGE)
    results["one"] = _reductions(lib, lambda x, **o: F.nll_loss(x, lib.tensor(2), w, **o), X[0])
    results["module"] = lib.nn.NLLLoss(w, ignore_index=0)(lib.tensor(X), lib.tensor(LABELS))
    return results


def cross_entropy_of_labels(lib):
    F, w = lib.nn.functional, lib.tensor(CLASS_WEIGHTS)
    results = {}
    for smoothing in (0.0, 0.1, 1.0):
        for name, weight in {"plain": None, "weighted": w}.items():
            t, pixels = lib.tensor(SOME), lib.tensor(PIXELS)
            options = {"weight": weight, "label_smoothing": smoothing}
            results[f"{name} {smoothing}"] = _reductions(lib, lambda x, **o: F.cross_entropy(x, t, **options, **o), X)
            results[f"{name} {smoothing} image"] = _derivatives(lib, lambda x: F.cross_entropy(x, pixels, ignore_index=1, **options), IMAGE)
    results["one"] = _derivatives(lib, lambda x: F.cross_entropy(x, lib.tensor(2), w, label_smoothing=0.2), X[0])
    results["module"] = lib.nn.CrossEntropyLoss(w, ignore_index=0, label_smoothing=0.2)(lib.tensor(X), lib.tensor(LABELS))
    return results


def cross_entropy_of_probabilities(lib):
    F, w = lib.nn.functional, lib.tensor(CLASS_WEIGHTS)
    image_shares = np.exp(IMAGE[::-1])
    image_shares /= image_shares.sum(1, keepdims=True)
    results = {}
    for smoothing in (0.0, 0.1, 1.0):
        for name, weight in {"plain": None, "weighted": w}.items():
            options = {"weight": weight, "label_smoothing": smoothing}
            results[f"{name} {smoothing}"] = _reductions(lib, lambda x, **o: F.cross_entropy(x, lib.tensor(SHARES), **options, **o), X)
            results[f"{name} {smoothing} image"] = _derivatives(lib, lambda x: F.cross_entropy(x, lib.tensor(image_shares), **options), IMAGE)
    results["target"] = _derivatives(lib, lambda x, t: F.cross_entropy(x, t, w, label_smoothing=0.1), X, SHARES)
    return results


def nothing_left_to_average(lib):
    F, t = lib.nn.functional, lib.tensor(np.array([-100, -100, -100, -100]))
    results = []
    for smoothing in (0.0, 0.1):
        x = lib.tensor(X, requires_grad=True)
        y = F.cross_entropy(x, t, label_smoothing=smoothing)
        results.append([y, *lib.autograd.grad(y, x)])
    return [results, F.cross_entropy(lib.tensor(X), t, reduction="sum")]


def binary(lib):
    F, t = lib.nn.functional, lib.tensor(SHARES)
    p = SHARES[::-1].copy()
    row, w = lib.tensor(CLASS_WEIGHTS), lib.tensor(WEIGHTS)
    results = {
        "probabilities": _reductions(lib, lambda x, **o: F.binary_cross_entropy(x, t, w, **o), p),
        "probabilities, row": F.binary_cross_entropy(lib.tensor(p), t, row),
        "logits": _reductions(lib, lambda x, **o: F.binary_cross_entropy_with_logits(x, t, w, **o), X),
        "pos_weight": _reductions(lib, lambda x, **o: F.binary_cross_entropy_with_logits(x, t, pos_weight=row, **o), X),
        "both": _derivatives(lib, lambda x: F.binary_cross_entropy_with_logits(x, t, lib.tensor(WEIGHTS[:, :1]), pos_weight=row), X),
        "target": _derivatives(lib, lambda x, t: F.binary_cross_entropy_with_logits(x, t, pos_weight=row), X, SHARES),
        "extreme": _derivatives(lib, lambda x: F.binary_cross_entropy_with_logits(x, lib.tensor([1.0, 0.0]), reduction="sum"), np.array([-1e4, 1e4])),
        "modules": [lib.nn.BCELoss(row)(lib.tensor(p), t), lib.nn.BCEWithLogitsLoss(row, reduction="sum", pos_weight=row)(lib.tensor(X), t)]}
    return results


def modules(lib):
    nn, w = lib.nn, lib.tensor(CLASS_WEIGHTS)
    made = [nn.MSELoss(), nn.L1Loss(reduction="sum"), nn.HuberLoss(delta=2.0), nn.SmoothL1Loss(beta=0.5), nn.GaussianNLLLoss(full=True),
            nn.PoissonNLLLoss(log_input=False), nn.KLDivLoss(log_target=True), nn.BCELoss(w), nn.BCEWithLogitsLoss(pos_weight=w),
            nn.NLLLoss(w), nn.CrossEntropyLoss(w), nn.CrossEntropyLoss(ignore_index=3, label_smoothing=0.1)]
    return "\n".join(f"{module} {list(module.state_dict())} {module.reduction}" for module in made)
