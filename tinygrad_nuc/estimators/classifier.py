"""MLPClassifier: the class of each sample, or the labels it has."""

from typing import Any

import numpy as np
from sklearn.base import ClassifierMixin
from sklearn.preprocessing import LabelBinarizer
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import check_classification_targets, type_of_target, unique_labels

from ..engine.tensor import Tensor
from ..nn import functional as F
from .perceptron import MultilayerPerceptron, is_stochastic


class MLPClassifier(ClassifierMixin, MultilayerPerceptron):
    """A fully connected network that learns the probability of each class, with scikit-learn's interface.

    Two classes, several, or several labels for each sample (a matrix of zeros and ones). The loss is the mean
    cross-entropy, −ln p of what is true, plus the penalty α/2 Σ W² divided by the number of samples in the batch.

    Names, meanings and defaults of the parameters, and the random numbers drawn, are those of
    ``sklearn.neural_network.MLPClassifier``, so equal settings lead to the same network but for rounding (which may
    lead "lbfgs" to another minimum). What differs: matrices are dense; small probabilities are not rounded to 0; a
    batch whose samples all have weight 0 is passed over; `coefs_` and `intercepts_` are tuples.

    Parameters
    ----------
    hidden_layer_sizes : int or sequence of int
        Units of each hidden layer; ``()`` for none at all.
    activation : {"relu", "tanh", "logistic", "identity"}
        After each hidden layer.
    solver : {"adam", "sgd", "lbfgs"}
        The first two take steps on batches; L-BFGS (from SciPy) takes all data at once, which suits small samples.
    alpha : float
        Strength α of the penalty on the squares of the weights (not of the biases).
    batch_size : int or "auto"
        Samples in a batch; "auto" is 200, or all if there are fewer.
    learning_rate : {"constant", "invscaling", "adaptive"}
        For "sgd": `learning_rate_init` throughout, or divided by (samples seen)^`power_t`, or by 5 whenever there is
        no more progress.
    learning_rate_init, power_t : float
    max_iter : int
        Most epochs; for "lbfgs" most iterations.
    shuffle : bool
        A new order of the samples in every epoch.
    random_state : int, numpy.random.RandomState or None
        Where first weights, order and validation data come from; the library's own generator plays no part.
    tol : float
        The training ends when the loss (or the validation score) has not become better by this in
        `n_iter_no_change` epochs; for "lbfgs", when no slope is larger.
    verbose : bool
        Print the loss of each epoch.
    warm_start : bool
        ``fit`` goes on with the network that is there.
    momentum, nesterovs_momentum : float, bool
        For "sgd".
    early_stopping : bool
        Set aside the share `validation_fraction` of the samples; stop by the score on them, and keep the best weights.
    validation_fraction : float
    beta_1, beta_2, epsilon : float
        For "adam".
    n_iter_no_change : int
    max_fun : int
        For "lbfgs": most evaluations of the loss.

    Attributes
    ----------
    model_ : tinygrad_nuc.nn.Sequential
        The network itself; its outputs are logits (scores), which `out_activation_` turns into probabilities.
    classes_ : numpy.ndarray
    coefs_, intercepts_ : tuple of numpy.ndarray
        Weights of shape (inputs, outputs) and biases of each layer; they share memory with `model_`.
    loss_, best_loss_, loss_curve_ : float, float or None, list
    validation_scores_, best_validation_score_ : list or None, float or None
        With `early_stopping`.
    n_iter_, t_ : int
        Epochs of the last call, and samples seen since the start.
    n_layers_, n_outputs_, out_activation_, n_features_in_, feature_names_in_

    Examples
    --------
    >>> import numpy as np
    >>> from tinygrad_nuc.estimators import MLPClassifier
    >>> x = np.random.default_rng(1).normal(size=(500, 2))
    >>> y = np.where(x[:, 0] * x[:, 1] > 0, "kaon", "pion")
    >>> classifier = MLPClassifier(hidden_layer_sizes=16, learning_rate_init=0.05, random_state=0).fit(x, y)
    >>> classifier.predict([[1.0, 1.0], [1.0, -1.0]])
    array(['kaon', 'pion'], dtype='<U4')
    >>> classifier.model_
    Sequential(
      (0): Linear(in_features=2, out_features=16, bias=True)
      (1): ReLU()
      (2): Linear(in_features=16, out_features=1, bias=True)
    )
    """

    @available_if(is_stochastic)
    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None, classes: Any = None) -> "MLPClassifier":
        """Train for one more epoch, on these data, from where the network and the optimizer are.

        The first call must name all `classes`, since one part of the data need not have them all.
        """
        return self._fit(X, y, sample_weight, one_epoch=True, classes=classes)

    def predict(self, X: Any) -> np.ndarray:
        """The most probable class of each sample; or every label with a probability above ½."""
        p = self.predict_proba(X)
        return self._labels.inverse_transform(p if self.n_outputs_ > 1 else p[:, -1])

    def predict_proba(self, X: Any) -> np.ndarray:
        """Probabilities, of shape (n, classes), in the order of `classes_`."""
        z = self._outputs(X)
        if self.out_activation_ == "softmax":
            return F.softmax(Tensor(z), 1).data
        if self.n_outputs_ == 1:
            z = np.hstack([-z, z])                      # 1 − σ(z) = σ(−z), which is not rounded to 0
        return F.sigmoid(Tensor(z)).data

    def predict_log_proba(self, X: Any) -> np.ndarray:
        """Logarithms of the probabilities."""
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    @property
    def classes_(self) -> np.ndarray:
        """The classes, sorted."""
        return self._labels.classes_

    # ------------------------------------------------------------------ what the base class asks for

    _labels: LabelBinarizer

    def _targets(self, y: np.ndarray, first: bool, one_epoch: bool, classes: Any) -> np.ndarray:
        """1 for the class or the labels of a sample, and 0 for others; two classes share one column."""
        check_classification_targets(y)
        if first and one_epoch and classes is None:
            raise ValueError("partial_fit: classes must be passed on the first call")
        if not first and classes is not None and not np.array_equal(unique_labels(classes), self.classes_):
            raise ValueError(f"partial_fit: classes={classes!r} are not those of the first call, {self.classes_}")
        named = classes if one_epoch and not type_of_target(y).startswith("multilabel") else y
        labels = LabelBinarizer().fit(named) if first else self._labels
        given, known = set(unique_labels(y)), set(labels.classes_)
        if not given <= known or (given < known and not one_epoch):
            raise ValueError(f"{type(self).__name__}: the network is for the classes {labels.classes_}, and y has "
                             f"{unique_labels(y)}")
        self._labels = labels
        return labels.transform(y)

    def _activation_at_the_end(self) -> str:
        return "softmax" if self._labels.y_type_ == "multiclass" else "logistic"

    def _losses(self, z: Tensor, y: np.ndarray) -> Tensor:
        if self.out_activation_ == "softmax":
            return F.log_softmax(z, 1) * -y
        return F.softplus(z * (1 - 2 * y))              # −ln σ(z) where y = 1, −ln σ(−z) where y = 0

    def _score(self, z: np.ndarray, y: np.ndarray, weight: np.ndarray) -> float:
        """Accuracy."""
        right = z.argmax(1) == y.argmax(1) if self.out_activation_ == "softmax" else ((z > 0) == y).all(1)
        return float(np.average(right, weights=weight[:, 0]))

    def _strata(self, y: np.ndarray) -> np.ndarray | None:
        """The classes if there are two of them; scikit-learn leaves it to chance if there are more, and so do we."""
        return y if y.shape[1] == 1 else None

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_label = True
        return tags
