"""The SVM's graph: scikit-learn's probabilities."""

from itertools import combinations

import numpy as np
import pytest
from random_networks import stored
from sklearn.calibration import CalibratedClassifierCV
from sklearn.svm import SVC

from ser.graphs.graph_writer import GraphWriter
from ser.graphs.svm_graph import pair_coefficients, svm_probabilities
from ser.models import stored_model


def examples(classes: int, features: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    labels = np.arange(120) % classes
    inputs = 0.5 * np.random.default_rng(7).standard_normal((classes, features))[labels]
    return (inputs + rng.standard_normal((120, features))).astype(np.float32), labels


@pytest.mark.parametrize("features", [4, 3000])
@pytest.mark.parametrize("classes", [2, 3, 8])
@pytest.mark.parametrize("kernel", ["rbf", "poly"])
def test_it_gives_the_probabilities_of_scikit_learn(kernel, classes, features, tmp_path):
    rng = np.random.default_rng(classes)
    X, y = examples(classes, features, rng)
    svc = SVC(kernel=kernel, C=5.0, degree=3, coef0=1.0, class_weight="balanced")
    fitted = CalibratedClassifierCV(svc, cv=2, ensemble=False).fit(X, y)
    calibrated = fitted.calibrated_classifiers_[0]
    graph = GraphWriter("svm")
    inputs = graph.input("functionals", ["clips", features])
    probabilities = svm_probabilities(graph, inputs, calibrated.estimator, calibrated.calibrators)
    graph.output(probabilities, "probabilities", ["clips", classes])
    session = stored(graph.model(), tmp_path)
    unseen = np.concatenate([X, 0.9 * X[::-1], examples(classes, features, rng)[0]])
    expected = fitted.predict_proba(unseen)
    assert expected.std(axis=0).min() > 0.01
    np.testing.assert_allclose(stored_model.predict_proba(session, unseen), expected, atol=1e-5)


def test_pairs_of_classes_have_the_decision_values_of_scikit_learn():
    X, y = examples(4, 6, np.random.default_rng(1))
    svc = SVC(kernel="linear", decision_function_shape="ovo").fit(X, y)
    pairs = list(combinations(range(4), 2))
    decisions = X @ svc.support_vectors_.T @ pair_coefficients(svc, pairs) + svc.intercept_
    np.testing.assert_allclose(decisions, svc.decision_function(X), atol=1e-4)


def test_another_kernel_is_an_error():
    svc = SVC(kernel="sigmoid").fit(*examples(2, 4, np.random.default_rng(1)))
    with pytest.raises(ValueError, match="sigmoid"):
        svm_probabilities(GraphWriter("svm"), "functionals", svc, [])
