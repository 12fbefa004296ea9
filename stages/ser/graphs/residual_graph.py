"""The dense residual network of `ser.models.residual` as an ONNX graph."""

import numpy as np
from onnx import ModelProto

from ser.graphs.dense_operators import softmax_layer, standardized
from ser.graphs.graph_writer import GraphWriter

EPSILON = 1e-3  # Keras's batch normalisation


def residual_model(
    settings: dict, mean: np.ndarray, deviation: np.ndarray, weights: dict[str, list[np.ndarray]]
) -> ModelProto:
    """Return the network as a model: ``functionals``, shape (n, features), to ``probabilities``, shape (n, classes).

    Parameters
    ----------
    settings : dict
        Arguments of `ser.models.residual.build_network`.
    mean, deviation : np.ndarray of float32, shape (features,)
        By which functionals are standardised.
    weights : dict of str to list of np.ndarray of float32
        Of each of Keras's layers by its name.
    """
    graph, limit = GraphWriter("residual"), float(settings["limit"])

    def dense(x: str, layer: str, normalisation: str) -> str:
        scale, offset, mean, variance = weights[normalisation]
        return graph.BatchNormalization(
            graph.MatMul(x, weights[layer][0]), scale, offset, mean, variance, epsilon=EPSILON
        )

    x = standardized(graph, graph.input("functionals", ["clips", settings["features"]]), mean, deviation)
    x = graph.Clip(x, -limit, limit)
    x = graph.Relu(dense(x, "projection", "projection_normalisation"))
    for block in range(1, settings["blocks"] + 1):
        inner = graph.Relu(dense(x, f"block_{block}_dense_1", f"block_{block}_normalisation_1"))
        x = graph.Relu(graph.Add(x, dense(inner, f"block_{block}_dense_2", f"block_{block}_normalisation_2")))
    graph.output(softmax_layer(graph, x, *weights["softmax"]), "probabilities", ["clips", settings["classes"]])
    return graph.model()
