"""Logistic regression in the space of the examples: the minimum that scikit-learn finds, whatever the examples."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits

from ser.graphs.dense_operators import linear_probabilities
from ser.graphs.graph_writer import GraphWriter, write_model
from ser.models import logistic_regression, stored_model
from ser.models.logistic_regression import WideLogisticRegression


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    with threadpool_limits(1):
        yield


def make_examples(seed: int, n: int, features: int, classes: int, dtype=np.float32) -> tuple[np.ndarray, np.ndarray]:
    """Correlated features, as functionals are: a few directions vary far more than most."""
    rng = np.random.default_rng(seed)
    y = np.concatenate([np.arange(classes), rng.integers(classes, size=n - classes)])
    means = rng.standard_normal((classes, features))
    factors = rng.standard_normal((n, 3)) @ rng.standard_normal((3, features))
    return (means[y] / 2 + 3 * factors + rng.standard_normal((n, features))).astype(dtype), y


def both(X: np.ndarray, y: np.ndarray, **parameters) -> tuple[WideLogisticRegression, LogisticRegression]:
    """Fit it, and scikit-learn's in double precision until nothing changes any more."""
    exact = LogisticRegression(max_iter=100_000, tol=1e-9, **parameters).fit(X.astype(np.float64), y)
    return WideLogisticRegression(max_iter=1000, **parameters).fit(X, y), exact


def objective(model: LogisticRegression, X: np.ndarray, y: np.ndarray) -> float:
    """Return what scikit-learn's minimises, of equal weights."""
    X = X.astype(np.float64)
    logits = X @ model.coef_.astype(np.float64).T + model.intercept_
    if logits.shape[1] == 1:
        logits = np.concatenate([np.zeros_like(logits), logits], axis=1)
    _, labels = np.unique(y, return_inverse=True)
    losses = np.logaddexp.reduce(logits, axis=1) - logits[np.arange(len(y)), labels]
    return model.C * losses.sum() + np.sum(model.coef_.astype(np.float64) ** 2) / 2


@pytest.mark.parametrize("class_weight", [None, "balanced"])
@pytest.mark.parametrize("classes", [2, 3, 8])
@pytest.mark.parametrize("C", [0.001, 0.1])
def test_it_finds_the_minimum_of_scikit_learn(C, classes, class_weight):
    X, y = make_examples(1, 60, 200, classes)
    y = np.minimum(y, np.roll(y, 1))  # the first classes are the most frequent
    y[:classes] = np.arange(classes)
    wide, exact = both(X, y, C=C, class_weight=class_weight)
    assert wide.coef_.shape == exact.coef_.shape and wide.coef_.dtype == np.float32
    np.testing.assert_allclose(wide.predict_proba(X), exact.predict_proba(X), atol=1e-2)
    unseen = make_examples(2, 40, 200, classes)[0]
    np.testing.assert_allclose(wide.predict_proba(unseen), exact.predict_proba(unseen), atol=2e-2)


@pytest.mark.parametrize("classes", [2, 5])
def test_the_closer_it_is_told_to_come_the_closer_it_comes(classes, monkeypatch):
    monkeypatch.setattr(logistic_regression, "TOLERANCE", 1e-8)
    X, y = make_examples(1, 60, 200, classes, np.float64)
    wide, exact = both(X, y, C=0.01, class_weight="balanced")
    np.testing.assert_allclose(wide.coef_, exact.coef_, atol=1e-6)
    np.testing.assert_allclose(wide.predict_proba(X), exact.predict_proba(X), atol=1e-6)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**31),
    n=st.integers(8, 40),
    more=st.integers(1, 60),
    classes=st.integers(2, 5),
    C=st.sampled_from([1e-4, 1e-2, 1.0]),
)
def test_no_examples_have_a_lower_minimum(seed, n, more, classes, C):
    X, y = make_examples(seed, n, n + more, classes, np.float64)
    wide, exact = both(X, y, C=C)
    least, chance = objective(exact, X, y), C * len(y) * np.log(classes)
    # it stops at a gradient of TOLERANCE, so that the excess is of that order: 2.7e-4 was seen
    assert objective(wide, X, y) <= least + 3 * logistic_regression.TOLERANCE * chance


def test_constant_features_and_repeated_examples_change_nothing():
    X, y = make_examples(1, 40, 120, 3)
    X[:, ::5] = 0  # what standardising makes of a constant
    X, y = np.repeat(X, 2, axis=0), np.repeat(y, 2)
    wide, exact = both(X, y, C=0.01)
    assert not wide.coef_[:, ::5].any()
    np.testing.assert_allclose(wide.predict_proba(X), exact.predict_proba(X), atol=2e-3)


def test_features_that_say_nothing_leave_how_frequent_the_classes_are():
    y = np.array([0] * 6 + [1] * 2 + [2] * 2)
    wide = WideLogisticRegression().fit(np.zeros((10, 20), dtype=np.float32), y)
    np.testing.assert_allclose(wide.predict_proba(np.zeros((1, 20)))[0], [0.6, 0.2, 0.2], atol=1e-3)


def test_a_single_example_of_each_class_is_enough():
    X, y = make_examples(3, 4, 50, 4)
    wide, exact = both(X, y, C=0.1)
    np.testing.assert_allclose(wide.predict_proba(X), exact.predict_proba(X), atol=2e-3)


def test_one_class_is_an_error():
    with pytest.raises(ValueError, match="one class"):
        WideLogisticRegression().fit(np.ones((3, 5)), np.zeros(3))


def test_weights_of_examples_are_those_of_scikit_learn():
    X, y = make_examples(4, 40, 100, 3)
    weights = np.random.default_rng(1).uniform(0.2, 2, len(y))
    exact = LogisticRegression(C=0.01, max_iter=10_000, tol=1e-9).fit(X.astype(np.float64), y, weights)
    wide = WideLogisticRegression(C=0.01, max_iter=1000).fit(X, y, weights)
    np.testing.assert_allclose(wide.predict_proba(X), exact.predict_proba(X), atol=2e-3)


def test_with_hardly_a_penalty_it_is_scikit_learns_own():
    """Products in float32 are too coarse for it: the answer would be worse without a word."""
    X, y = make_examples(3, 60, 200, 4)
    wide, own = (kind(C=1000.0, max_iter=1000).fit(X, y) for kind in (WideLogisticRegression, LogisticRegression))
    assert wide.coef_.tobytes() == own.coef_.tobytes()


def test_with_more_examples_than_features_it_is_scikit_learns_own():
    X, y = make_examples(1, 80, 20, 3)
    wide, own = (kind(C=0.01, max_iter=1000).fit(X, y) for kind in (WideLogisticRegression, LogisticRegression))
    assert wide.coef_.tobytes() == own.coef_.tobytes()


@pytest.mark.parametrize("classes", [2, 4])
def test_two_fits_are_the_same_bytes_and_onnx_holds_them(classes, tmp_path):
    X, y = make_examples(1, 50, 120, classes)
    first, second = (WideLogisticRegression(C=0.01).fit(X, y) for _ in range(2))
    assert first.coef_.tobytes() == second.coef_.tobytes()
    graph = GraphWriter("linear")
    inputs = graph.input("functionals", ["clips", 120])
    probabilities = linear_probabilities(graph, inputs, first.coef_, first.intercept_)
    graph.output(probabilities, "probabilities", ["clips", classes])
    write_model(graph.model(), tmp_path / "model.onnx")
    found = stored_model.predict_proba(stored_model.load(tmp_path), X)
    np.testing.assert_allclose(found, first.predict_proba(X), atol=1e-5)
