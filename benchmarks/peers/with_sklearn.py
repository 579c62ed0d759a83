"""scikit-learn's MLPClassifier, one batch for each call of partial_fit: networks of ReLU and cross-entropy only."""

import warnings
from collections.abc import Callable
from itertools import cycle
from typing import Any

import numpy as np
import sklearn
from by_hand.straightforward import MOMENTUM, numbers_of
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier
from workloads import Workload

VERSION = sklearn.__version__


def training(w: Workload) -> Callable[[], Any]:
    if w.kind == "cnn" or w.loss == "mse":
        missing = "convolution" if w.kind == "cnn" else "squared error of a sigmoid"
        raise NotImplementedError(f"it has no {missing}")
    warnings.simplefilter("ignore", ConvergenceWarning)
    model = MLPClassifier(w.widths[1:-1], solver="adam" if w.optimizer == "adam" else "sgd", alpha=0.0,
                          activation=w.activation, batch_size=w.batch, learning_rate_init=w.lr,
                          momentum=MOMENTUM if w.optimizer == "momentum" else 0.0, nesterovs_momentum=False,
                          shuffle=False, random_state=0)
    data = [(x, y.ravel().astype(np.int64)) for x, y in w.data()]
    model.partial_fit(*data[0], classes=np.arange(max(w.widths[-1], 2)))        # makes its parameters
    own = [a for pair in zip(model.coefs_, model.intercepts_, strict=True) for a in pair]
    for a, given in zip(own, numbers_of(w), strict=True):
        a[...] = given
    del model._optimizer                # of the step that was undone; the next call makes one
    batches = cycle(data)

    def step() -> Any:
        model.partial_fit(*next(batches))
        return model.loss_

    return step
