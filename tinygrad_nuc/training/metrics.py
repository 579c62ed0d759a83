"""What validation measures beside the loss; scikit-learn has many more, for arrays."""

from typing import Any

import numpy as np

from ..engine.arrays import as_array, on_host
from ..engine.tensor import value


def accuracy(prediction: Any, target: Any, threshold: float = 0.0) -> float:
    """The share of samples that are classified rightly.

    Parameters
    ----------
    prediction : Tensor or array, shape (N, C), (N, 1) or (N,)
        Scores of C classes, of which the highest counts; or one score a sample, for class 1 against class 0.
    target : Tensor or array, shape (N,), or of the shape of `prediction` if that is one score a sample
        The right classes.
    threshold : float
        A single score above it means class 1: 0 for logits, 0.5 for probabilities.

    Raises
    ------
    ValueError
        If the shapes do not fit, or there are no samples.

    Examples
    --------
    >>> import tinygrad_nuc as tn
    >>> tn.training.accuracy(tn.tensor([[2.0, 1.0], [0.0, 3.0]]), tn.tensor([0, 0]))
    0.5
    >>> tn.training.accuracy(tn.tensor([[0.3], [-1.0]]), tn.tensor([[1.0], [0.0]]))      # logits
    1.0
    """
    prediction, target = (on_host(as_array(value(x))) for x in (prediction, target))
    if prediction.ndim == 2 and prediction.shape[1] > 1:
        chosen, expected = prediction.argmax(1), prediction.shape[:1]
    else:
        chosen, expected = prediction > threshold, prediction.shape
    if target.shape != expected:
        raise ValueError(f"accuracy: predictions of shape {prediction.shape} need a target of shape {expected}, "
                         f"not {target.shape}")
    if not np.size(chosen):
        raise ValueError(f"accuracy: there are no samples in a prediction of shape {prediction.shape}")
    return float(np.mean(chosen == target))
