"""The convolutional network of `ser.models.cnn` as an ONNX graph that reads one clip of any length."""

import numpy as np
from onnx import ModelProto

from ser.graphs.dense_operators import softmax_layer, standardized
from ser.graphs.frame_operators import (
    attentive_pooling,
    first,
    less_mean,
    mean_max_pooling,
    number_of_frames,
    padded,
    whole_groups,
)
from ser.graphs.graph_writer import FLOAT, GraphWriter

EPSILON = 1e-3  # Keras's batch normalisation


def cnn_model(
    settings: dict,
    mean: np.ndarray,
    deviation: np.ndarray,
    weights: dict[str, list[np.ndarray]],
    length_multiple: int,
) -> ModelProto:
    """Return the network as a model: ``logmel``, shape (time, bands), to ``probabilities``, shape (1, classes).

    Parameters
    ----------
    settings : dict
        Arguments of `ser.models.cnn.build_network`.
    mean, deviation : np.ndarray of float32, shape (bands,)
        By which spectra are standardised.
    weights : dict of str to list of np.ndarray of float32
        Of each of Keras's layers by its name.
    length_multiple : int
        Frames that a padded clip has a multiple of: a multiple of what the blocks pool to one.
    """
    graph, bands = GraphWriter("cnn"), settings["bands"]
    spectrum = graph.input("logmel", ["time", bands])
    count = number_of_frames(graph, spectrum)
    if settings["subtract_mean"]:
        spectrum = less_mean(graph, spectrum)
    x = padded(graph, standardized(graph, spectrum, mean, deviation), count, length_multiple)
    x = graph.Unsqueeze(x, [0, 1])  # clip, channel, time, band
    steps = count
    for block in range(1, len(settings["filters"]) + 1):
        x, bands, pooled = convolution_block(graph, x, block, bands, settings["downsampling"], weights)
        steps = whole_groups(graph, steps, pooled)
        if block < len(settings["filters"]):
            x = graph.Mul(x, presence(graph, x, steps))
    # clip, time, band, channel: the order of Keras's channels
    x = graph.Transpose(first(graph, x, steps, axis=2), perm=[0, 2, 3, 1])
    x = graph.Reshape(x, [-1, bands * settings["filters"][-1]])
    if settings["recurrent_units"]:
        x = recurrent_layer(graph, x, weights["recurrent"])
    if settings["pooling"] == "attention":
        hidden, hidden_biases, scores, score_biases = weights["pooling"]
        x = attentive_pooling(graph, x, (hidden, hidden_biases), (scores, score_biases))
    else:
        x = mean_max_pooling(graph, x)
    graph.output(softmax_layer(graph, x, *weights["softmax"]), "probabilities", [1, settings["classes"]])
    return graph.model()


def convolution_block(
    graph: GraphWriter, x: str, block: int, bands: int, downsampling: str, weights: dict[str, list[np.ndarray]]
) -> tuple[str, int, int]:
    """Add a block; see `ser.models.cnn.build_network`.

    Parameters
    ----------
    graph : GraphWriter
    x : str
        Of shape (1, channels, time, bands).
    block : int
        From 1 on.
    bands : int
    downsampling : {"stride", "pooling"}
    weights : dict of str to list of np.ndarray

    Returns
    -------
    x : str
    bands : int
        That are left of them.
    pooled : int
        Frames that became one.
    """
    halved = (2 if block <= 2 else 1, 2)  # time, band
    pools = block == 1 or downsampling == "pooling"
    strides = (2, 2) if block == 1 else (1, 1) if pools else halved
    (kernel,) = weights[f"block_{block}_convolution"]  # time, band, inputs, outputs
    size = kernel.shape[0]
    before, after, bands = same_padding(size, strides, bands)
    x = graph.Conv(
        x, np.ascontiguousarray(kernel.transpose(3, 2, 0, 1)), kernel_shape=[size, size], strides=strides,
        pads=[*before, *after],
    )  # fmt: skip
    if pools:
        before, after, bands = same_padding(0, halved, bands)
        x = graph.MaxPool(x, kernel_shape=halved, strides=halved, pads=[*before, *after])
    scale, offset, mean, variance = weights[f"block_{block}_normalisation"]
    x = graph.Relu(graph.BatchNormalization(x, scale, offset, mean, variance, epsilon=EPSILON))
    return x, bands, halved[0] * (2 if block == 1 else 1)


def same_padding(size: int, strides: tuple[int, int], bands: int) -> tuple[tuple[int, int], tuple[int, int], int]:
    """Return how many zeros TensorFlow puts before and after time and bands, and how many bands come of it.

    Parameters
    ----------
    size : int
        Of the kernel on both axes; 0: as large as the strides.
    strides : tuple of int
        Of time and bands. The number of frames is a multiple of the first.
    bands : int
    """
    left = -(-bands // strides[1])
    total = (
        max((size or strides[0]) - strides[0], 0),
        max((left - 1) * strides[1] + (size or strides[1]) - bands, 0),
    )
    before = (total[0] // 2, total[1] // 2)
    return before, (total[0] - before[0], total[1] - before[1]), left


def presence(graph: GraphWriter, x: str, steps: str) -> str:
    """Return 1 for the clip's own steps and 0 for the padding behind, shape (1, 1, time, 1)."""
    time = graph.Range(0, graph.Squeeze(graph.Shape(x, start=2, end=3)), 1)
    return graph.Reshape(graph.Cast(graph.Less(time, steps), to=FLOAT), [1, 1, -1, 1])


def recurrent_layer(graph: GraphWriter, x: str, weights: list[np.ndarray]) -> str:
    """Return the states of a bidirectional GRU, shape (time, 2 · units), of shape (time, columns).

    Its gates have ONNX's order in Keras, too: update, reset, new state.
    """
    kernels, recurrent, biases = (np.stack(weights[part::3]) for part in range(3))
    units = recurrent.shape[1]
    states = graph.GRU(
        graph.Unsqueeze(x, [1]), np.swapaxes(kernels, 1, 2), np.swapaxes(recurrent, 1, 2), biases.reshape(2, -1),
        hidden_size=units, direction="bidirectional", linear_before_reset=1,
    )  # fmt: skip
    return graph.Reshape(states, [-1, 2 * units])
