"""A fitted pipeline as an ONNX graph: skl2onnx's of what prepares the inputs, of the MLP and of the random forest.

The other classifiers' graphs are our own. skl2onnx's SVM is a loop in onnxruntime, up to 36 times as slow and a
hundred times as inexact; its discriminant analysis of two classes doubles the log odds (version 1.20); LightGBM's trees
it does not know.
"""

import lightgbm
import numpy as np
from onnx import ModelProto
from skl2onnx import to_onnx
from sklearn.base import ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import RandomForestClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import Pipeline

from ser.graphs.dense_operators import linear_probabilities
from ser.graphs.graph_writer import ML_OPSET, OPSET, GraphWriter
from ser.graphs.svm_graph import svm_probabilities
from ser.graphs.tree_graph import boosted_probabilities


def classical_model(model: Pipeline) -> ModelProto:
    """Return a pipeline as a model: ``functionals``, shape (n, features), to ``probabilities``, shape (n, classes).

    Parameters
    ----------
    model : Pipeline
        What `ser.models.classical.fit` returns; its first step is a `Standardization`.
    """
    classifier, features = model[-1], model[0].n_features_in_
    graph = GraphWriter("classical")
    inputs = graph.input("functionals", ["clips", features])
    if isinstance(classifier, (MLPClassifier, RandomForestClassifier)):
        probabilities = _converted(graph, model, inputs, "probabilities")
    else:
        probabilities = _own(graph, _converted(graph, model[:-1], inputs, "variable"), classifier)
    # of two classes the sum over a forest's trees may be 1.0000001
    graph.output(graph.Clip(probabilities, 0.0, 1.0), "probabilities", ["clips", len(classifier.classes_)])
    return graph.model()


def _own(graph: GraphWriter, inputs: str, classifier: ClassifierMixin) -> str:
    """Add a classifier of which we write the graph ourselves; its inputs are those that the other steps prepared."""
    if isinstance(classifier, lightgbm.LGBMClassifier):
        booster = classifier.booster_.dump_model(num_iteration=classifier.best_iteration_ or -1)
        return boosted_probabilities(graph, inputs, booster)
    if isinstance(classifier, CalibratedClassifierCV):
        calibrated = classifier.calibrated_classifiers_[0]
        return svm_probabilities(graph, inputs, calibrated.estimator, calibrated.calibrators)
    return linear_probabilities(graph, inputs, classifier.coef_, classifier.intercept_)


def _converted(graph: GraphWriter, steps: Pipeline, inputs: str, output: str) -> str:
    """Add what skl2onnx writes of the steps of a pipeline; `output` is its name of what is wanted of them."""
    options: dict = {id(steps[0]): {"div": "div"}}  # a product with 1 / deviation is not quite what was trained on
    if output == "probabilities":
        options[id(steps[-1])] = {"zipmap": False}
    example = np.zeros((1, steps[0].n_features_in_), dtype=np.float32)
    converted = to_onnx(steps, example, options=options, target_opset={"": OPSET, "ai.onnx.ml": ML_OPSET})
    return graph.include(converted, inputs, output)
