"""The LSTM of `ser.networks.recurrent_layers` as an ONNX graph that reads one clip of any length."""

import numpy as np
from onnx import ModelProto

from ser.graphs.dense_operators import softmax_layer, standardized
from ser.graphs.frame_operators import (
    attentive_pooling,
    less_mean,
    mean_max_pooling,
    number_of_frames,
    padded,
    whole_groups,
)
from ser.graphs.graph_writer import FLOAT, GraphWriter


def lstm_model(settings: dict, weights: dict[str, np.ndarray]) -> ModelProto:
    """Return the network as a model: ``frames``, shape (time, features), to ``probabilities``, shape (1, classes).

    Parameters
    ----------
    settings : dict
        Arguments of `ser.networks.recurrent_layers.LSTMNetwork`.
    weights : dict of str to np.ndarray of float32
        Its state dictionary.
    """
    graph = GraphWriter("lstm")
    hidden = graph.input("frames", ["time", settings["features"]])
    if settings["subtract_mean"]:
        hidden = less_mean(graph, hidden)
    hidden, count = averaged(graph, hidden, settings["downsample"], settings["features"])
    hidden = standardized(graph, hidden, weights["mean"], weights["deviation"])
    hidden = joined(graph, hidden, count, settings["stack"], settings["features"])
    hidden = graph.Unsqueeze(hidden, [1])
    for layer in range(settings["layers"]):
        directions = ["ahead", "back"] if settings["bidirectional"] else ["ahead"]
        hidden = recurrent_layer(graph, hidden, [f"{direction}.{layer}" for direction in directions], weights)
    hidden = graph.Squeeze(hidden, [1])
    if settings["pooling"] == "attention":
        dense = [(weights[f"{name}.weight"].T, weights[f"{name}.bias"]) for name in ATTENTION]
        pooled = attentive_pooling(graph, hidden, *dense)
    else:
        pooled = mean_max_pooling(graph, hidden)
    probabilities = softmax_layer(graph, pooled, weights["linear.weight"].T, weights["linear.bias"])
    graph.output(probabilities, "probabilities", [1, settings["classes"]])
    return graph.model()


ATTENTION = ("pooling.attention.0", "pooling.attention.2")  # the layers with weights


def averaged(graph: GraphWriter, frames: str, size: int, features: int) -> tuple[str, str]:
    """Average every `size` frames to one, the last over those that are left; return them and their number."""
    count = number_of_frames(graph, frames)
    if size == 1:
        return frames, count
    groups = graph.Reshape(padded(graph, frames, count, size), [-1, size, features])
    sums, number = graph.ReduceSum(groups, [1], keepdims=0), whole_groups(graph, count, size)
    before = graph.Mul(graph.Range(0, graph.Squeeze(number), 1), size)  # frames before each group
    members = graph.Cast(graph.Min(graph.Sub(count, before), size), to=FLOAT)
    return graph.Div(sums, graph.Unsqueeze(members, [1])), number


def joined(graph: GraphWriter, frames: str, count: str, size: int, features: int) -> str:
    """Put every `size` frames side by side, the last of them beside zeros."""
    return frames if size == 1 else graph.Reshape(padded(graph, frames, count, size), [-1, size * features])


def recurrent_layer(graph: GraphWriter, hidden: str, names: list[str], weights: dict[str, np.ndarray]) -> str:
    """Return the outputs of an LSTM layer, shape (time, 1, directions · units).

    Parameters
    ----------
    graph : GraphWriter
    hidden : str
        Of shape (time, 1, columns).
    names : list of str
        Of the layer's parts that read ahead and, if there is one, back.
    weights : dict of str to np.ndarray
    """

    def stacked(*parts: str) -> np.ndarray:
        return np.stack([np.concatenate([gates(weights[f"{name}.{part}_l0"]) for part in parts]) for name in names])

    kernel, recurrent, biases = stacked("weight_ih"), stacked("weight_hh"), stacked("bias_ih", "bias_hh")
    directions, units = len(names), recurrent.shape[2]
    outputs = graph.LSTM(
        hidden, kernel, recurrent, biases, hidden_size=units,
        direction="bidirectional" if directions == 2 else "forward",
    )  # fmt: skip
    # (time, directions, 1, units): with one clip the directions lie side by side already
    return graph.Reshape(outputs, [0, 1, directions * units])


def gates(values: np.ndarray) -> np.ndarray:
    """Return what PyTorch has in the order input, forget, cell, output in ONNX's: input, output, forget, cell."""
    of_input, forget, cell, output = np.split(values, 4)
    return np.concatenate([of_input, output, forget, cell])
