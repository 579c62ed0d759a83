"""MLPRegressor: one number, or several, for each sample."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from scipy.special import xlogy
from sklearn.base import RegressorMixin
from sklearn.metrics import r2_score

from ..engine.tensor import Tensor
from .perceptron import MultilayerPerceptron


class MLPRegressor(RegressorMixin, MultilayerPerceptron):
    """A fully connected network that learns one number for each sample, or several, with scikit-learn's interface.

    The loss is that of all outputs together, plus the penalty α/2 Σ W² divided by the number of samples in the batch.
    Settings and numbers are those of ``sklearn.neural_network.MLPRegressor``, as `MLPClassifier` says of its own; with
    several outputs and "lbfgs" the loss has its true slope here, but not there (version 1.9).

    Parameters
    ----------
    loss : {"squared_error", "poisson"}
        (ŷ − y)²/2; or half the deviance of counts, y ln(y/ŷ) − y + ŷ with ŷ = exp(output), for targets y ≥ 0.
    hidden_layer_sizes, activation, solver, ...
        As for `MLPClassifier`.

    Attributes
    ----------
    model_ : tinygrad_nuc.nn.Sequential
        The network itself; `out_activation_` turns its outputs into predictions.
    out_activation_ : str
        "identity", or "exp" for the Poisson loss.
    loss_, ...
        As for `MLPClassifier`.

    Examples
    --------
    >>> import numpy as np
    >>> from tinygrad_nuc.estimators import MLPRegressor
    >>> x = np.linspace(-2, 2, 100)[:, None]
    >>> regressor = MLPRegressor(hidden_layer_sizes=8, activation="tanh", solver="lbfgs", random_state=0)
    >>> bool(regressor.fit(x, np.sin(x[:, 0])).score(x, np.sin(x[:, 0])) > 0.999)
    True
    """

    def __init__(self, loss: str = "squared_error", hidden_layer_sizes: int | Sequence[int] = (100,),
                 activation: str = "relu", *, solver: str = "adam", alpha: float = 1e-4,
                 batch_size: int | str = "auto", learning_rate: str = "constant", learning_rate_init: float = 1e-3,
                 power_t: float = 0.5, max_iter: int = 200, shuffle: bool = True, random_state: Any = None,
                 tol: float = 1e-4, verbose: bool = False, warm_start: bool = False, momentum: float = 0.9,
                 nesterovs_momentum: bool = True, early_stopping: bool = False, validation_fraction: float = 0.1,
                 beta_1: float = 0.9, beta_2: float = 0.999, epsilon: float = 1e-8, n_iter_no_change: int = 10,
                 max_fun: int = 15000) -> None:
        super().__init__(
            hidden_layer_sizes, activation, solver=solver, alpha=alpha, batch_size=batch_size,
            learning_rate=learning_rate, learning_rate_init=learning_rate_init, power_t=power_t, max_iter=max_iter,
            shuffle=shuffle, random_state=random_state, tol=tol, verbose=verbose, warm_start=warm_start,
            momentum=momentum, nesterovs_momentum=nesterovs_momentum, early_stopping=early_stopping,
            validation_fraction=validation_fraction, beta_1=beta_1, beta_2=beta_2, epsilon=epsilon,
            n_iter_no_change=n_iter_no_change, max_fun=max_fun)
        self.loss = loss

    def predict(self, X: Any) -> np.ndarray:
        """The prediction for each sample, of shape (n,), or (n, outputs) if there are several."""
        y = self._prediction(self._outputs(X))
        return y.ravel() if y.shape[1] == 1 else y

    # ------------------------------------------------------------------ what the base class asks for

    def _targets(self, y: np.ndarray, first: bool, one_epoch: bool, classes: Any) -> np.ndarray:
        if self.loss == "poisson" and y.min() < 0:
            raise ValueError(f"{type(self).__name__}: loss='poisson' is for y of at least 0, and this has {y.min():g}")
        return y

    def _losses(self, z: Tensor, y: np.ndarray) -> Tensor:
        if self.loss == "poisson":
            return z.exp() - z * y + (xlogy(y, y) - y)
        difference = z - y
        return difference * difference * 0.5

    def _reported(self, loss: float) -> float:
        """The mean over outputs of squared errors, as in scikit-learn; the steps follow the slope of their sum."""
        return loss / self.n_outputs_ if self.loss == "squared_error" else loss

    def _score(self, z: np.ndarray, y: np.ndarray, weight: np.ndarray) -> float:
        """R², 1 − (squared errors) / (squared deviations from the mean)."""
        prediction = self._prediction(z)
        return r2_score(y, prediction, sample_weight=weight[:, 0]) if np.isfinite(prediction).all() else np.nan

    def _activation_at_the_end(self) -> str:
        return "exp" if self.loss == "poisson" else "identity"

    def _prediction(self, z: np.ndarray) -> np.ndarray:
        return np.exp(z) if self.out_activation_ == "exp" else z
