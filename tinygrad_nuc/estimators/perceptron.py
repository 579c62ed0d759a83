"""What classifier and regressor share: the network, and the loop that trains it.

Read `_differentiate` first, which is the mathematics, then `_fit_stochastic`, which is the loop, then `_fit`.
"""

import warnings
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, is_regressor
from sklearn.exceptions import ConvergenceWarning
from sklearn.model_selection import train_test_split
from sklearn.utils import check_random_state, column_or_1d, gen_batches, shuffle
from sklearn.utils.metaestimators import available_if
from sklearn.utils.validation import check_is_fitted, validate_data

from .. import nn, optim
from ..devices.names import CPU
from ..engine.grad_mode import no_grad
from ..engine.tensor import Tensor
from .checks import check_settings, checked_weight
from .lbfgs import minimise
from .optimizers import SGD, Adam

ACTIVATIONS = {"identity": nn.Identity, "logistic": nn.Sigmoid, "tanh": nn.Tanh, "relu": nn.ReLU}


class Linear(nn.Linear):
    """A linear layer whose first values the estimator draws, so that no fit touches the library's own generator."""

    def reset_parameters(self) -> None:
        """Leave the values to the estimator."""


def is_stochastic(estimator: Any) -> bool:
    """Whether the estimator has a partial_fit."""
    if estimator.solver == "lbfgs":
        raise AttributeError("partial_fit needs solver='adam' or 'sgd'; 'lbfgs' wants all data at once")
    return True


class MultilayerPerceptron(BaseEstimator):
    """Base class: a subclass says what its targets, its losses and its score are."""

    model_: nn.Sequential
    out_activation_: str
    loss_: float
    best_loss_: Any
    loss_curve_: list[float]
    validation_scores_: Any
    best_validation_score_: Any
    _best: list[np.ndarray]
    _no_improvement_count: int
    _optimizer: Any

    def __init__(self, hidden_layer_sizes: int | Sequence[int] = (100,), activation: str = "relu", *,
                 solver: str = "adam", alpha: float = 1e-4, batch_size: int | str = "auto",
                 learning_rate: str = "constant", learning_rate_init: float = 1e-3, power_t: float = 0.5,
                 max_iter: int = 200, shuffle: bool = True, random_state: Any = None, tol: float = 1e-4,
                 verbose: bool = False, warm_start: bool = False, momentum: float = 0.9,
                 nesterovs_momentum: bool = True, early_stopping: bool = False, validation_fraction: float = 0.1,
                 beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float = 1e-8, n_iter_no_change: int = 10,
                 max_fun: int = 15000) -> None:
        self.hidden_layer_sizes, self.activation, self.solver = hidden_layer_sizes, activation, solver
        self.alpha, self.batch_size, self.max_iter, self.max_fun = alpha, batch_size, max_iter, max_fun
        self.learning_rate, self.learning_rate_init, self.power_t = learning_rate, learning_rate_init, power_t
        self.shuffle, self.random_state, self.tol, self.verbose = shuffle, random_state, tol, verbose
        self.warm_start, self.momentum, self.nesterovs_momentum = warm_start, momentum, nesterovs_momentum
        self.early_stopping, self.validation_fraction = early_stopping, validation_fraction
        self.beta_1, self.beta_2, self.epsilon, self.n_iter_no_change = beta_1, beta_2, epsilon, n_iter_no_change

    # ------------------------------------------------------------------ what a subclass defines

    def _targets(self, y: np.ndarray, first: bool, one_epoch: bool, classes: Any) -> np.ndarray:
        """The targets as numbers, one column for each output; checked before anything changes."""
        raise TypeError(f"{type(self).__name__} has no _targets method")

    def _activation_at_the_end(self) -> str:
        """What turns the network's outputs into predictions."""
        raise TypeError(f"{type(self).__name__} has no _activation_at_the_end method")

    def _losses(self, z: Tensor, y: np.ndarray) -> Tensor:
        """The loss of each sample and output, from the network's outputs z."""
        raise TypeError(f"{type(self).__name__} has no _losses method")

    def _reported(self, loss: float) -> float:
        """What to show of the losses, summed over outputs, and to judge the progress by."""
        return loss

    def _score(self, z: np.ndarray, y: np.ndarray, weight: np.ndarray) -> float:
        """How good predictions are, for early stopping."""
        raise TypeError(f"{type(self).__name__} has no _score method")

    def _strata(self, y: np.ndarray) -> np.ndarray | None:
        """What training and validation data must have in the same proportions, if anything."""
        return None

    # ------------------------------------------------------------------ scikit-learn's interface

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> "MultilayerPerceptron":
        """Train on samples X, of shape (n, features), with targets y, of shape (n,) or (n, outputs).

        `sample_weight`, of shape (n,), is how much each sample counts.
        """
        return self._fit(X, y, sample_weight)

    @available_if(is_stochastic)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> "MultilayerPerceptron":
        """Train for one more epoch, on these data, from where the network and the optimizer are."""
        return self._fit(X, y, sample_weight, one_epoch=True)

    @property
    def coefs_(self) -> tuple[np.ndarray, ...]:
        """The weights of each layer, of shape (inputs, outputs); ``coefs_[0][:] = values`` changes the network."""
        return tuple(layer.weight.data.T for layer in self._layers())

    @property
    def intercepts_(self) -> tuple[np.ndarray, ...]:
        """The biases of each layer, of shape (outputs,)."""
        return tuple(layer.bias.data for layer in self._layers())

    # ------------------------------------------------------------------ the network

    def _layers(self) -> list[nn.Linear]:
        return [module for module in self.model_ if isinstance(module, nn.Linear)]

    def _network(self, n_outputs: int, dtype: Any) -> nn.Sequential:
        """Linear layers with the activation between them. The losses take what the last layer gives, as it is."""
        hidden = np.atleast_1d(np.asarray(self.hidden_layer_sizes, dtype=int))
        model = nn.Sequential()
        with CPU:                                   # whatever the default device is: scikit-learn's world is NumPy's
            for n_in, n_out in pairwise([self.n_features_in_, *hidden, n_outputs]):
                model.append(Linear(n_in, n_out, dtype=dtype))
                model.append(ACTIVATIONS[self.activation]())
        return model[:-1]

    def _start(self, model: nn.Sequential, random: np.random.RandomState) -> None:
        """Forget what was learnt; weights and biases start uniform, as Glorot and Bengio (2010) advise."""
        self.model_, self.out_activation_ = model, self._activation_at_the_end()
        for layer in self._layers():
            n_in, n_out = layer.in_features, layer.out_features
            bound = np.sqrt((2 if self.activation == "logistic" else 6) / (n_in + n_out))
            layer.weight.data[:] = random.uniform(-bound, bound, (n_in, n_out)).T
            layer.bias.data[:] = random.uniform(-bound, bound, n_out)
        self.n_layers_, self.n_outputs_ = len(self._layers()) + 1, n_out
        self.n_iter_ = self.t_ = 0
        self._optimizer = None
        self.__dict__.pop("loss_curve_", None)

    def _outputs(self, X: Any) -> np.ndarray:
        """What the network makes of samples that a user brings."""
        check_is_fitted(self)
        X = validate_data(self, X, dtype=self.coefs_[0].dtype, reset=False)
        with no_grad():
            return self.model_(Tensor(X)).data

    # ------------------------------------------------------------------ training

    def _fit(self, X: Any, y: Any, sample_weight: Any, one_epoch: bool = False, classes: Any = None) -> Any:
        """Check everything, and only then train: until the end for ``fit``, one epoch for ``partial_fit``."""
        check_settings(self)
        if one_epoch and self.early_stopping:
            raise ValueError("partial_fit does not support early_stopping=True")
        first = not hasattr(self, "model_") or not (self.warm_start or one_epoch)
        X, y = validate_data(self, X, y, dtype=[np.float64, np.float32] if first else self.coefs_[0].dtype,
                             multi_output=True, y_numeric=is_regressor(self), reset=first)
        if y.ndim == 2 and y.shape[1] == 1:
            y = column_or_1d(y, warn=True)
        weight, random = checked_weight(sample_weight, X), check_random_state(self.random_state)
        y = self._targets(y, first, one_epoch, classes).reshape(len(X), -1).astype(X.dtype)
        model = self._network(y.shape[1], X.dtype)
        if first:
            self._start(model, random)
        elif repr(model) != repr(self.model_) or self._activation_at_the_end() != self.out_activation_:
            raise ValueError(f"{type(self).__name__}: warm_start and partial_fit train the network that is there, but "
                             f"settings and data now want another one:\n{self.model_}\n{model}")
        with np.errstate(over="ignore", invalid="ignore"):              # the error below tells of it
            if self.solver == "lbfgs":
                self._fit_lbfgs(X, y, weight)
            else:
                self._fit_stochastic(X, y, weight, random, one_epoch)
        if not all(np.isfinite(p.data).all() for p in self.model_.parameters()):
            raise ValueError(f"{type(self).__name__}: training led to weights that are not finite; features scaled to "
                             "about 1, or a smaller learning_rate_init, may help")
        return self

    def _fit_stochastic(self, X: Any, y: Any, weight: Any, random: np.random.RandomState, one_epoch: bool) -> None:
        """Epoch after epoch, batch after batch: differentiate, step; until there is no more progress."""
        if self._optimizer is None or not one_epoch:
            self._optimizer = self._new_optimizer()
        if not hasattr(self, "loss_curve_") or self.early_stopping != (self.validation_scores_ is not None):
            self._start_record()
        validation = None
        if self.early_stopping:
            rows, held_out = self._split(y, random)
            validation = X[held_out], y[held_out], weight[held_out]
            X, y, weight = X[rows], y[rows], weight[rows]
        n, order, batch_size = len(X), np.arange(len(X)), self._batch_size(len(X))
        self.n_iter_ = 0
        try:
            while self.n_iter_ < (1 if one_epoch else self.max_iter):
                if self.shuffle:
                    order = shuffle(order, random_state=random)
                total = 0.0
                for batch in gen_batches(n, batch_size):
                    rows = order[batch]
                    total += self._step(*(a.take(rows, axis=0) for a in (X, y, weight))) * len(rows)
                self.n_iter_ += 1
                self.t_ += n
                self.loss_ = total / n
                self.loss_curve_.append(self.loss_)
                self._say(f"Iteration {self.n_iter_}, loss = {self.loss_:.8f}")

                self._no_improvement_count = 0 if self._has_improved(validation) else self._no_improvement_count + 1
                if self.solver == "sgd" and self.learning_rate == "invscaling":
                    self._optimizer.param_groups[0]["lr"] = self.learning_rate_init / (self.t_ + 1) ** self.power_t
                if self._no_improvement_count > self.n_iter_no_change:
                    if not self._can_slow_down():
                        break
                    self._no_improvement_count = 0
            else:
                if not one_epoch:
                    warnings.warn(f"{self.solver}: no convergence within max_iter={self.max_iter} epochs",
                                  ConvergenceWarning, stacklevel=4)
        except KeyboardInterrupt:
            warnings.warn(f"{self.solver}: the training was interrupted", stacklevel=4)
        if self.early_stopping:
            for p, best in zip(self.model_.parameters(), self._best, strict=True):
                p.data[:] = best
        self._optimizer.zero_grad()                                     # nobody needs these gradients any more

    def _step(self, X: Any, y: Any, weight: Any) -> float:
        """One step of the optimizer; returns the loss before it."""
        if not weight.any():
            return 0.0
        self._optimizer.zero_grad()
        loss, penalty = self._differentiate(X, y, weight)
        self._optimizer.step()
        return self._reported(loss) + penalty

    def _differentiate(self, X: Any, y: Any, weight: Any) -> tuple[float, float]:
        """Fill in the gradients of (Σ wᵢ Lᵢ + α/2 Σ W²) / Σ w for these samples, and return its two terms."""
        total = float(weight.sum())
        losses = self._losses(self.model_(Tensor(X)), y)
        share = weight / total                                          # ∂/∂Lᵢ
        if losses.shape[1] > 1:
            share = np.broadcast_to(share, losses.shape)
        losses.backward(share)
        strength, squares = self.alpha / total, 0.0
        for layer in self._layers():                                    # the second term needs no recording
            W = layer.weight
            W.grad.data += strength * W.data
            squares += float(np.vdot(W.data, W.data))
        return float(np.vdot(share, losses.data)), strength / 2 * squares

    def _new_optimizer(self) -> optim.Optimizer:
        parameters = self.model_.parameters()
        if self.solver == "sgd":
            return SGD(parameters, lr=self.learning_rate_init, momentum=self.momentum,
                       nesterov=self.nesterovs_momentum and self.momentum > 0)
        return Adam(parameters, lr=self.learning_rate_init, betas=(self.beta_1, self.beta_2), eps=self.epsilon)

    def _start_record(self) -> None:
        """How the training goes: nothing yet."""
        self.loss_curve_, self._no_improvement_count = [], 0
        self.best_loss_, self.validation_scores_, self.best_validation_score_ = np.inf, None, None
        if self.early_stopping:
            self.best_loss_, self.validation_scores_, self.best_validation_score_ = None, [], -np.inf
            self._best = [p.data.copy() for p in self.model_.parameters()]

    def _split(self, y: Any, random: np.random.RandomState) -> list[np.ndarray]:
        """Which samples to train on, and which to set aside for validation."""
        rows, held_out = train_test_split(np.arange(len(y)), test_size=self.validation_fraction,
                                          stratify=self._strata(y), random_state=random)
        if len(held_out) < 2:
            raise ValueError(f"{type(self).__name__}: {len(y)} samples are too few for "
                             f"validation_fraction={self.validation_fraction}: it sets aside less than 2 of them")
        return [rows, held_out]

    def _batch_size(self, n: int) -> int:
        size: Any = 200 if self.batch_size == "auto" else self.batch_size
        if size > n and self.batch_size != "auto":
            warnings.warn(f"batch_size={size} is more than the {n} samples there are", stacklevel=5)
        return min(size, n)

    def _has_improved(self, validation: Any) -> bool:
        """Whether this epoch was better by `tol` than the best before; and take note if it was the best."""
        if not self.early_stopping:
            improved = self.loss_ <= self.best_loss_ - self.tol
            if self.loss_ < self.best_loss_:
                self.best_loss_ = self.loss_
            return improved
        X, y, weight = validation
        with no_grad():
            score = self._score(self.model_(Tensor(X)).data, y, weight)
        self.validation_scores_.append(score)
        self._say(f"Validation score: {score:.6f}")
        improved = score >= self.best_validation_score_ + self.tol
        if score > self.best_validation_score_:
            self.best_validation_score_ = score
            self._best = [p.data.copy() for p in self.model_.parameters()]
        return improved

    def _can_slow_down(self) -> bool:
        """With learning_rate='adaptive', divide the learning rate by 5, unless it is very small already."""
        what = "validation score" if self.early_stopping else "training loss"
        stalled = f"No {what} better by tol={self.tol} for {self.n_iter_no_change} epochs."
        group = self._optimizer.param_groups[0]
        if self.solver != "sgd" or self.learning_rate != "adaptive" or group["lr"] <= 1e-6:
            self._say(f"{stalled} Stopping.")
            return False
        group["lr"] /= 5
        self._say(f"{stalled} Learning rate {group['lr']:g} from now on.")
        return True

    def _fit_lbfgs(self, X: Any, y: Any, weight: Any) -> None:
        """All samples at once, in double precision."""
        dtype, model = X.dtype, self.model_.double()
        data = [a.astype(np.float64, copy=False) for a in (X, y, weight)]
        try:
            report = minimise(
                model, lambda: sum(self._differentiate(*data)), max_iter=self.max_iter, max_fun=self.max_fun,
                tol=self.tol, after_each=lambda loss: self._say(f"loss = {loss:.8f}"))
            loss, penalty = self._differentiate(*data)
        finally:
            model.to(dtype).zero_grad()
        self.n_iter_, self.loss_ = report.nit, self._reported(loss) + penalty
        if report.status != 0:
            warnings.warn(f"lbfgs: no convergence after {report.nit} iterations ({report.message}); more of them, or "
                          "features scaled to about 1, may help", ConvergenceWarning, stacklevel=4)

    def _say(self, text: str) -> None:
        if self.verbose:
            print(text)
