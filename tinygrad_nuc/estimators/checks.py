"""What each setting of the estimators may be, and how samples are weighted."""

import math
from collections.abc import Callable, Iterable
from numbers import Real
from typing import Any

import numpy as np
from sklearn.utils import check_array


def one_of(*choices: str) -> tuple[str, Callable]:
    return f"one of {', '.join(map(repr, choices))}", lambda x: isinstance(x, str) and x in choices


def number(text: str, fits: Callable) -> tuple[str, Callable]:
    return f"a finite number {text}", lambda x: isinstance(x, Real) and math.isfinite(x) and fits(x)


def is_count(x: Any) -> bool:
    return isinstance(x, (int, np.integer)) and int(x) >= 1


def are_counts(x: Any) -> bool:
    return is_count(x) or (isinstance(x, Iterable) and not isinstance(x, str) and all(map(is_count, x)))


AT_LEAST_0 = number("of at least 0", lambda x: x >= 0)
ABOVE_0 = number("above 0", lambda x: x > 0)
BELOW_1 = number("from 0 up to but not including 1", lambda x: 0 <= x < 1)
COUNT = "a whole number of at least 1", is_count
YES_OR_NO = "True or False", lambda x: isinstance(x, (bool, np.bool_))

ALLOWED: dict[str, tuple[str, Callable]] = {
    "loss": one_of("squared_error", "poisson"),
    "hidden_layer_sizes": ("a whole number of at least 1, or several", are_counts),
    "activation": one_of("identity", "logistic", "tanh", "relu"),
    "solver": one_of("lbfgs", "sgd", "adam"),
    "alpha": AT_LEAST_0,
    "batch_size": ("'auto' or a whole number of at least 1", lambda x: is_count(x) or one_of("auto")[1](x)),
    "learning_rate": one_of("constant", "invscaling", "adaptive"),
    "learning_rate_init": ABOVE_0,
    "power_t": AT_LEAST_0,
    "max_iter": COUNT,
    "shuffle": YES_OR_NO,
    "tol": AT_LEAST_0,
    "verbose": ("True, False or a number", lambda x: isinstance(x, (Real, np.bool_))),
    "warm_start": YES_OR_NO,
    "momentum": number("from 0 to 1", lambda x: 0 <= x <= 1),
    "nesterovs_momentum": YES_OR_NO,
    "early_stopping": YES_OR_NO,
    "validation_fraction": BELOW_1,
    "beta_1": BELOW_1,
    "beta_2": BELOW_1,
    "epsilon": ABOVE_0,
    "n_iter_no_change": ("a whole number of at least 1, or infinity", lambda x: is_count(x) or x == np.inf),
    "max_fun": COUNT,
}


def check_settings(estimator: Any) -> None:
    """Refuse what makes no sense, before any training: scikit-learn wants __init__ to take everything as it is."""
    for name, (allowed, fits) in ALLOWED.items():
        if hasattr(estimator, name) and not fits(getattr(estimator, name)):
            raise ValueError(f"{type(estimator).__name__}: {name} must be {allowed}, not {getattr(estimator, name)!r}")


def checked_weight(weight: Any, X: np.ndarray) -> np.ndarray:
    """How much each sample counts, as a column of X's type."""
    n = len(X)
    if weight is None or isinstance(weight, Real):
        weight = np.full(n, 1 if weight is None else weight)
    weight = check_array(weight, ensure_2d=False, dtype=X.dtype, input_name="sample_weight")
    if weight.shape != (n,):
        raise ValueError(f"sample_weight has shape {weight.shape}; it must have one number for each of the {n} samples")
    if not weight.sum() > 0:
        raise ValueError(f"sample_weight adds up to {weight.sum():g}; the sum must be above zero")
    return weight[:, None]
