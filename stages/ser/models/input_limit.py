"""Cutting standardised features to so many deviations, as a step of a pipeline that ONNX can hold.

A feature of speech from another microphone may lie ten deviations from all that a model has learnt from. What a linear
model adds up, or an SVM measures distances by, is then that one feature, and it says the same emotion of every clip.
"""

import numpy as np
from skl2onnx import update_registered_converter
from skl2onnx.algebra.onnx_ops import OnnxClip
from skl2onnx.common.data_types import FloatTensorType
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin
from sklearn.utils.validation import check_is_fitted, validate_data


class InputLimit(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Cut every value to the range from ``-limit`` to ``limit``.

    Parameters
    ----------
    limit : float
        In deviations, where the features are standardised.
    """

    def __init__(self, limit: float):
        self.limit = limit

    def fit(self, X: np.ndarray, y: np.ndarray | None = None) -> "InputLimit":
        """Learn nothing but the number of features."""
        validate_data(self, X)
        return self

    def transform(self, X: np.ndarray) -> np.ndarray:
        """Return the features, shape (n, features), none beyond the limit."""
        check_is_fitted(self, "n_features_in_")
        return np.clip(validate_data(self, X, reset=False), -self.limit, self.limit)


def _shape(operator) -> None:
    operator.outputs[0].type = FloatTensorType([None, operator.raw_operator.n_features_in_])


def _convert(scope, operator, container) -> None:
    limit = np.float32(operator.raw_operator.limit)
    low, high = np.array(-limit), np.array(limit)
    clip = OnnxClip(operator.inputs[0], low, high, op_version=container.target_opset, output_names=operator.outputs[:1])
    clip.add_to(scope, container)


update_registered_converter(InputLimit, "SerInputLimit", _shape, _convert)
