"""The networks of this library as scikit-learn estimators: for pipelines, cross-validation and parameter searches."""

try:
    from sklearn.utils.validation import validate_data as _  # since 1.6
except ImportError as error:
    raise ImportError("tinygrad_nuc.estimators needs scikit-learn, version 1.6 or newer: "
                      'pip install "tinygrad_nuc[demos]"') from error

from .classifier import MLPClassifier
from .regressor import MLPRegressor

__all__ = ["MLPClassifier", "MLPRegressor"]
