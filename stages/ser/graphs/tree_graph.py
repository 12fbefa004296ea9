"""LightGBM's trees as one operator of a graph, with the decisions that LightGBM itself makes."""

from collections.abc import Iterator

import numpy as np

from ser.graphs.dense_operators import of_both
from ser.graphs.graph_writer import ML_DOMAIN, GraphWriter

ZERO = np.float32(1e-35)  # LightGBM reads what is not further from 0 as 0


def boosted_probabilities(graph: GraphWriter, inputs: str, booster: dict) -> str:
    """Return the probabilities of the classes, float32 of shape (n, classes).

    Parameters
    ----------
    graph : GraphWriter
    inputs : str
        float32 of shape (n, features), all of them finite.
    booster : dict
        What `lightgbm.Booster.dump_model` returns for an objective of ``multiclass`` or ``binary``.

    Raises
    ------
    ValueError
        If it has something that LightGBM can do and this cannot: another objective, or splits by category.
    """
    objective, *parameters = booster["objective"].split()
    if objective not in ("multiclass", "binary") or booster["average_output"]:
        raise ValueError(f"the booster's objective is {booster['objective']!r}; only the usual ones can be written")
    scores = tree_scores(graph, inputs, booster["tree_info"], booster["num_tree_per_iteration"])
    if objective == "multiclass":
        return graph.Softmax(scores, axis=1)
    slope = float(dict(item.split(":") for item in parameters)["sigmoid"])
    return of_both(graph, graph.Sigmoid(graph.Mul(scores, slope)))


def tree_scores(graph: GraphWriter, inputs: str, trees: list[dict], targets: int) -> str:
    """Return what the trees add up to, shape (n, targets); tree t counts for target ``t % targets``."""
    nodes = [(number, *node) for number, tree in enumerate(trees) for node in numbered_nodes(tree["tree_structure"])]
    leaves = [(tree, place, node["leaf_value"]) for tree, place, node, _, _ in nodes if "leaf_value" in node]
    splits = [node if "split_feature" in node else None for _, _, node, _, _ in nodes]
    return graph.TreeEnsembleRegressor(
        inputs,
        domain=ML_DOMAIN,
        n_targets=targets,
        aggregate_function="SUM",
        post_transform="NONE",
        nodes_treeids=[tree for tree, *_ in nodes],
        nodes_nodeids=[place for _, place, *_ in nodes],
        nodes_modes=["BRANCH_LEQ" if split else "LEAF" for split in splits],
        nodes_featureids=[split["split_feature"] if split else 0 for split in splits],
        nodes_values=[float(float32_threshold(split)) if split else 0.0 for split in splits],
        nodes_truenodeids=[left for *_, left, _ in nodes],
        nodes_falsenodeids=[right for *_, right in nodes],
        target_treeids=[tree for tree, *_ in leaves],
        target_nodeids=[place for _, place, _ in leaves],
        target_ids=[tree % targets for tree, *_ in leaves],
        target_weights=[float(value) for *_, value in leaves],  # LightGBM says 0, not 0.0, of a tree that never splits
    )


def numbered_nodes(root: dict) -> Iterator[tuple[int, dict, int, int]]:
    """Yield number, node, and the numbers of its left and right one, 0 where it has none; the root is number 0."""
    waiting, given = [(0, root)], 1
    while waiting:
        number, node = waiting.pop()
        if "leaf_value" in node:
            yield number, node, 0, 0
            continue
        yield number, node, given, given + 1
        waiting += [(given, node["left_child"]), (given + 1, node["right_child"])]
        given += 2


def float32_threshold(split: dict) -> np.float32:
    """Return the float32 by which a split sends every float32 to the side where LightGBM's float64 threshold sends it.

    The largest that is no larger: a float32 is at most the one where it is at most the other. In between lies nothing
    but what LightGBM reads as 0, which goes where 0 does.
    """
    if split["decision_type"] != "<=" or split["missing_type"] == "Zero":
        raise ValueError(
            f"a split is by {split['decision_type']!r} with {split['missing_type']!r} missing; only numbers that are "
            "never missing can be written"
        )
    threshold = split["threshold"]
    if abs(threshold) <= float(ZERO):  # NumPy would round a float to compare it with a float32
        return ZERO if threshold >= 0 else np.nextafter(-ZERO, np.float32(-np.inf))
    with np.errstate(over="ignore"):  # what is beyond float32 becomes infinite, and all numbers lie on one side
        rounded = np.float32(threshold)
    return np.nextafter(rounded, np.float32(-np.inf)) if float(rounded) > threshold else rounded
