"""What the graphs of several models share: standardised inputs, dense layers, probabilities of classes."""

import numpy as np

from ser.graphs.graph_writer import GraphWriter


def standardized(graph: GraphWriter, inputs: str, mean: np.ndarray, deviation: np.ndarray) -> str:
    """Return inputs, shape (n, columns), with the training inputs' mean at 0 and deviation at 1."""
    return graph.Div(graph.Sub(inputs, mean.astype(np.float32)), deviation.astype(np.float32))


def softmax_layer(graph: GraphWriter, values: str, weights: np.ndarray, biases: np.ndarray) -> str:
    """Return the softmax of a dense layer, shape (n, classes), of values, shape (n, width).

    `weights` has shape (width, classes).
    """
    return graph.Softmax(graph.Gemm(values, weights.astype(np.float32), biases.astype(np.float32)), axis=1)


def of_both(graph: GraphWriter, second: str) -> str:
    """Return the probabilities of both classes, shape (n, 2), by that of the second, shape (n, 1)."""
    return graph.Concat(graph.Sub(1.0, second), second, axis=1)


def linear_probabilities(graph: GraphWriter, inputs: str, coefficients: np.ndarray, intercepts: np.ndarray) -> str:
    """Return the probabilities of a linear model, shape (n, classes), of inputs, shape (n, features).

    Parameters
    ----------
    graph : GraphWriter
    inputs : str
    coefficients : np.ndarray, shape (classes, features)
        Of two classes shape (1, features): what speaks for the second.
    intercepts : np.ndarray, shape (classes,) or (1,)
    """
    if len(coefficients) > 1:
        return softmax_layer(graph, inputs, coefficients.T, intercepts)
    scores = graph.Gemm(inputs, coefficients.T.astype(np.float32), intercepts.astype(np.float32))
    return of_both(graph, graph.Sigmoid(scores))
