"""A calibrated support vector machine as a graph of matrix products.

ONNX's own operator for it, ``SVMClassifier``, is a plain loop over the support vectors in onnxruntime.
"""

from itertools import combinations

import numpy as np

from ser.graphs.dense_operators import of_both
from ser.graphs.graph_writer import DOUBLE, FLOAT, GraphWriter


def svm_probabilities(graph: GraphWriter, inputs: str, svc, calibrators: list) -> str:
    """Return the probabilities of the classes, float32 of shape (n, classes).

    The products with the support vectors are made in float32; all the rest, which is little, in double precision: of
    one SVM for each pair of classes that with the larger decision value gets a vote, and a value that is off by its
    rounding may cast another one.

    Parameters
    ----------
    graph : GraphWriter
    inputs : str
        Of shape (n, features).
    svc : sklearn.svm.SVC
        Fitted, with the kernel ``rbf`` or ``poly``.
    calibrators : list
        A sigmoid for each class, of two classes one for the second: ``1 / (1 + exp(a_ · decision + b_))``.
    """
    pairs = list(combinations(range(len(svc.classes_)), 2))
    kernel = kernel_values(graph, inputs, svc)
    decisions = graph.Add(graph.MatMul(kernel, pair_coefficients(svc, pairs)), svc.intercept_.astype(np.float64))
    if len(svc.classes_) > 2:
        decisions = one_against_rest(graph, decisions, pairs, len(svc.classes_))
    slopes = np.array([calibrator.a_ for calibrator in calibrators], dtype=np.float64)
    offsets = np.array([calibrator.b_ for calibrator in calibrators], dtype=np.float64)
    sigmoids = graph.Sigmoid(graph.Neg(graph.Add(graph.Mul(decisions, slopes), offsets)))
    if len(svc.classes_) == 2:
        return of_both(graph, graph.Cast(sigmoids, to=FLOAT))
    total = graph.ReduceSum(sigmoids, [1], keepdims=1)
    nothing = graph.Equal(total, np.float64(0))  # speaks for any class: then all count the same
    shares = graph.Where(nothing, np.float64(1 / len(svc.classes_)), graph.Div(sigmoids, total))
    return graph.Cast(shares, to=FLOAT)


def kernel_values(graph: GraphWriter, inputs: str, svc) -> str:
    """Return how like each input is to each support vector, float64 of shape (n, support vectors)."""
    vectors = svc.support_vectors_.astype(np.float32)
    products = graph.Cast(graph.Gemm(inputs, vectors, transB=1), to=DOUBLE)
    gamma = np.float64(svc._gamma)
    if svc.kernel == "poly":
        return graph.Pow(graph.Add(graph.Mul(products, gamma), np.float64(svc.coef0)), np.float64(svc.degree))
    if svc.kernel != "rbf":
        raise ValueError(f"kernel is {svc.kernel!r}; only rbf and poly can be written")
    own = graph.ReduceSumSquare(graph.Cast(inputs, to=DOUBLE), [1], keepdims=1)
    lengths = np.square(vectors, dtype=np.float64).sum(axis=1)
    distances = graph.Sub(graph.Add(own, lengths), graph.Mul(products, np.float64(2)))
    return graph.Exp(graph.Mul(graph.Max(distances, np.float64(0)), -gamma))


def pair_coefficients(svc, pairs: list[tuple[int, int]]) -> np.ndarray:
    """Return what each support vector counts for each pair of classes, float64 of shape (support vectors, pairs).

    scikit-learn has a row for each class but the vector's own: a vector of class i counts for the pair (i, j) what row
    j - 1 says, one of class j what row i says.
    """
    bounds = np.concatenate([[0], np.cumsum(svc.n_support_)])
    coefficients = np.zeros((bounds[-1], len(pairs)))
    for column, (i, j) in enumerate(pairs):
        for own, row in ((i, j - 1), (j, i)):
            members = slice(bounds[own], bounds[own + 1])
            coefficients[members, column] = svc.dual_coef_[row, members]
    return coefficients


def one_against_rest(graph: GraphWriter, decisions: str, pairs: list[tuple[int, int]], classes: int) -> str:
    """Return a decision value for each class: the pairs that it wins, and by how much to tell equal ones apart.

    As scikit-learn's ``decision_function`` has it; `decisions` has shape (n, pairs).
    """
    winner, loser = (np.eye(classes)[list(places)] for places in zip(*pairs, strict=True))
    lost = graph.Cast(graph.Less(decisions, np.float64(0)), to=DOUBLE)
    votes = graph.Add(graph.MatMul(lost, loser - winner), winner.sum(axis=0))
    margins = graph.MatMul(decisions, winner - loser)
    share = graph.Div(margins, graph.Mul(graph.Add(graph.Abs(margins), np.float64(1)), np.float64(3)))
    return graph.Add(votes, share)
