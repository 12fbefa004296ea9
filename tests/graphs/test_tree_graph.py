"""LightGBM's trees as a graph: the decisions of LightGBM, on thresholds and beside them."""

import lightgbm
import numpy as np
import pytest
from random_networks import stored

from ser.graphs.graph_writer import GraphWriter
from ser.graphs.tree_graph import ZERO, boosted_probabilities, float32_threshold, numbered_nodes
from ser.models import stored_model

FEATURES = 8


def examples(classes: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Inputs many of which are 0, repeat each other, or are nearly 0 or huge: features that thresholds meet."""
    X = rng.standard_normal((500, FEATURES))
    y = (X[:, :6] @ np.random.default_rng(7).standard_normal((6, classes))).argmax(axis=1)
    X[:, 1] = np.round(2 * X[:, 1]) / 10
    X[:, 2] *= 1e-35
    X[:, 3] *= 1e30
    X[:, 4] = np.maximum(X[:, 4], 0)
    X[:, 5] = np.minimum(X[:, 5], 0)
    X[rng.random(X.shape) < 0.1] = 0
    return X.astype(np.float32), y


def fitted(classes: int, rounds: int = 40) -> lightgbm.LGBMClassifier:
    model = lightgbm.LGBMClassifier(
        n_estimators=rounds, num_leaves=15, min_child_samples=3, n_jobs=1, deterministic=True, force_row_wise=True,
        verbose=-1,
    )  # fmt: skip
    return model.fit(*examples(classes, np.random.default_rng(classes)))


def splits_of(booster: dict) -> list[dict]:
    nodes = [node for tree in booster["tree_info"] for _, node, _, _ in numbered_nodes(tree["tree_structure"])]
    return [node for node in nodes if "threshold" in node]


def session_of(booster: dict, folder):
    graph = GraphWriter("trees")
    probabilities = boosted_probabilities(graph, graph.input("functionals", ["clips", FEATURES]), booster)
    graph.output(probabilities, "probabilities", ["clips", max(2, booster["num_class"])])
    return stored(graph.model(), folder)


@pytest.mark.parametrize("classes", [2, 3, 6])
def test_inputs_on_and_beside_thresholds_are_decided_as_lightgbm_does(classes, tmp_path):
    model, rng = fitted(classes), np.random.default_rng(1)
    booster = model.booster_.dump_model()
    splits, X = splits_of(booster), examples(classes, rng)[0]
    assert len({split["split_feature"] for split in splits}) > 5
    assert any(abs(split["threshold"]) < 1.1e-35 for split in splits)
    at_zero = [ZERO, -ZERO, np.nextafter(ZERO, np.float32(1)), np.nextafter(-ZERO, np.float32(-1)), np.float32(1e-40)]
    rows = []
    for split in splits:
        nearest = np.float32(split["threshold"])
        beside = [np.nextafter(nearest, np.float32(side)) for side in (-np.inf, np.inf)]
        for value in (nearest, *beside, *at_zero):
            rows.append(X[rng.integers(len(X))].copy())
            rows[-1][split["split_feature"]] = value
    inputs = np.stack(rows)
    found = stored_model.predict_proba(session_of(booster, tmp_path), inputs)
    differing = np.abs(found - model.predict_proba(inputs)).max(axis=1) > 1e-5
    assert differing.sum() == 0


@pytest.mark.parametrize("threshold", [0.1, 1 / 3, -0.1, -1 / 3, 0.5, 16777217.0, 1e300, -1e300, 3.5e38])
def test_a_threshold_is_rounded_down(threshold):
    rounded = float32_threshold({"threshold": threshold, "decision_type": "<=", "missing_type": "None"})
    assert rounded.dtype == np.float32
    assert float(rounded) <= threshold
    with np.errstate(over="ignore"):
        above = np.nextafter(rounded, np.float32(np.inf))
    assert threshold < float(above) or threshold > np.finfo(np.float32).max


def test_trees_may_be_a_single_leaf(tmp_path):
    """The third class is told apart by nothing, and LightGBM stops to grow trees where none would help."""
    rng = np.random.default_rng(1)
    X, y = rng.standard_normal((90, FEATURES)).astype(np.float32), np.arange(90) % 3
    model = lightgbm.LGBMClassifier(n_estimators=3, min_child_samples=80, n_jobs=1, verbose=-1).fit(X, y)
    booster = model.booster_.dump_model()
    assert {tree["num_leaves"] for tree in booster["tree_info"]} == {1}
    found = stored_model.predict_proba(session_of(booster, tmp_path), X)
    np.testing.assert_allclose(found, model.predict_proba(X), atol=1e-6)


@pytest.mark.parametrize("rounds", [1, 7])
def test_as_many_rounds_as_are_wanted(rounds, tmp_path):
    model, X = fitted(3), examples(3, np.random.default_rng(4))[0]
    found = stored_model.predict_proba(session_of(model.booster_.dump_model(num_iteration=rounds), tmp_path), X)
    np.testing.assert_allclose(found, model.predict_proba(X, num_iteration=rounds), atol=1e-5)
    assert np.abs(found - model.predict_proba(X)).max() > 0.01


def test_what_cannot_be_written_is_an_error():
    X, y = examples(2, np.random.default_rng(1))
    ranking = lightgbm.LGBMRegressor(n_estimators=2, verbose=-1).fit(X, y).booster_.dump_model()
    with pytest.raises(ValueError, match="regression"):
        boosted_probabilities(GraphWriter("trees"), "functionals", ranking)
    zeros = lightgbm.LGBMClassifier(n_estimators=2, zero_as_missing=True, verbose=-1).fit(X, y)
    with pytest.raises(ValueError, match="Zero"):
        boosted_probabilities(GraphWriter("trees"), "functionals", zeros.booster_.dump_model())


def test_trees_of_two_classes_that_never_split_say_half(tmp_path):
    """As happens with a handful of balanced clips: LightGBM then dumps its only leaf as the whole number 0."""
    X = np.random.default_rng(3).standard_normal((16, FEATURES)).astype(np.float32)
    model = lightgbm.LGBMClassifier(n_estimators=3, min_child_samples=20, n_jobs=1, verbose=-1)
    booster = model.fit(X, np.arange(16) % 2).booster_.dump_model()
    assert not splits_of(booster)
    np.testing.assert_array_equal(stored_model.predict_proba(session_of(booster, tmp_path), X), 0.5)
